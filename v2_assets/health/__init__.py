"""What can be known about the platform's own health: measurements, signals and the report. No Dagster here."""
