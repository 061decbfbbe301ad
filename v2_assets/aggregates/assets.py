"""The assets of this domain."""

import dagster as dg

AGGREGATES: list[dg.AssetsDefinition] = []
