"""Reference tables: what records of other grains mention (brokerages, offices, addresses)."""
