"""The assets of this domain."""

import dagster as dg

MONEY: list[dg.AssetsDefinition] = []
