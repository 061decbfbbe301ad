"""Money: contributions, payments, equity and income."""
