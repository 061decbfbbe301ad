"""The process that watches the platform from outside Dagster, and shows what it sees."""
