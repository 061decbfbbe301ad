"""Aggregates: numbers by month, week and day, and the health of the data."""
