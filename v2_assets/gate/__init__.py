"""The gate: whether a table, a user or an endpoint may be served from V2, and the switch that obeys it."""
