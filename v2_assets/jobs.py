"""Jobs: selections of the asset graph that sensors and schedules start. No order is written here."""

from __future__ import annotations

import dagster as dg

from v2_assets.automation import INTEGRATION_TAG
from v2_assets.schema.stage import STREAMS


def _stages(integration: str) -> dg.AssetSelection:
    return dg.AssetSelection.assets(*(s.table for s in STREAMS if s.integration == integration))


def _sync_job(integration: str, *domains: str) -> dg.UnresolvedAssetJobDefinition:
    """Staging of one integration and the V2 tables of its domains, in one run."""
    return dg.define_asset_job(
        f"{integration}_sync",
        selection=_stages(integration) | dg.AssetSelection.groups(*domains),
        tags={INTEGRATION_TAG: integration},
        description=f"Reads {integration} and merges what it brought into V2, for the users of the run.",
    )


fub_sync = _sync_job("fub", "crm", "identity")
rezen_sync = _sync_job("rezen", "reference", "identity", "people", "deals")
merge_backlog = dg.define_asset_job(
    "merge_backlog",
    selection=dg.AssetSelection.groups("reference", "identity", "people", "deals", "crm"),
    description="Merges what is staged and pending, whatever left it there. Reads no source.",
)

SYNC_JOBS = {"fub": fub_sync, "rezen": rezen_sync}
JOBS = [fub_sync, rezen_sync, merge_backlog]
