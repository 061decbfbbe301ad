"""Dagster's web server as the platform runs it: on loopback, behind a guard, because Dagster knows no users itself."""
