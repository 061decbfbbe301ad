"""People and teams of the brokerage."""
