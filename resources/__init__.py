"""Everything that talks to the outside: settings, Postgres, HTTP, the external APIs. Knows nothing of Dagster or V2."""
