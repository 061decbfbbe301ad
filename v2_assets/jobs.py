"""Jobs: selections of the asset graph that sensors and schedules start. No order is written here, and no table."""

from __future__ import annotations

import dagster as dg

from v2_assets.automation import INTEGRATION_TAG, LANE
from v2_assets.schema import metadata
from v2_assets.schema.stage import STREAMS


def _sync_job(integration: str) -> dg.UnresolvedAssetJobDefinition:
    """Staging of one integration and every V2 table that comes of it, in one run."""
    staged = dg.AssetSelection.assets(*(s.table for s in STREAMS if s.integration == integration))
    return dg.define_asset_job(
        f"{integration}_sync",
        # Whose a record is, is looked up by every domain, so it is brought up to date first.
        # Tables that are merged in one transaction come together or not at all.
        selection=(staged.downstream() | dg.AssetSelection.groups("identity"))
        .required_multi_asset_neighbors()
        .without_checks(),
        tags={INTEGRATION_TAG: integration, **LANE},
        description=f"Reads {integration} and merges what it brought into V2, for the users of the run.",
    )


#: Of every system that is read with a user's key. Files come in by a command and are merged as backlog.
SYNC_JOBS = {name: _sync_job(name) for name in dict.fromkeys(s.integration for s in STREAMS) if name != "csv"}
_DOMAINS = sorted({table.info["domain"] for table in metadata.tables.values() if table.schema == "v2"})
merge_backlog = dg.define_asset_job(
    "merge_backlog",
    selection=dg.AssetSelection.groups(*_DOMAINS).without_checks(),
    description="Merges what is staged and pending, whatever left it there. Reads no source.",
)
#: Some of these depend on today's date, so they are looked at once a day even where nothing came in.
aggregates_daily = dg.define_asset_job(
    "aggregates_daily",
    selection=dg.AssetSelection.assets(
        *(t.name for t in metadata.tables.values() if t.schema == "v2" and t.info["derived"])
    ).without_checks(),
    tags=LANE,
    description="Computes every derived table again where something changed, and takes the day's counts.",
)
JOBS = [*SYNC_JOBS.values(), merge_backlog, aggregates_daily]
