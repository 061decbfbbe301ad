"""What comes in by a command in place of a sync: V1 as a whole, and users' files. No Dagster in this package."""
