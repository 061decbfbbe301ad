"""The assets of this domain."""

import dagster as dg

NETWORK: list[dg.AssetsDefinition] = []
