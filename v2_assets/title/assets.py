"""The assets of this domain."""

import dagster as dg

TITLE: list[dg.AssetsDefinition] = []
