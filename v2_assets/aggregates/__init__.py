"""Numbers by month, week and day."""
