"""Contributions, payments, equity and income."""
