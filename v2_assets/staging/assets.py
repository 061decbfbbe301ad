"""The staging assets: one per stream, all alike but for the declaration they are made from.

Not here: how a stream is read and stored (sync, store), and what becomes of the records (the domains).
"""

import asyncio
from collections.abc import Iterator, Mapping

import dagster as dg

from v2_assets.automation import BACKFILL, FULL_TAG, OWNERS, PRIORITY_TAG, RECENT_TAG, SHRINK_TAG
from v2_assets.checks.watched import after_pull
from v2_assets.describe import declared_metadata, freshness
from v2_assets.partitions import users
from v2_assets.platform_resource import PlatformResource
from v2_assets.recording import Metadata, Recorder, users_of
from v2_assets.schema.stage import STREAMS, Stream
from v2_assets.staging.streams import READINGS
from v2_assets.staging.sync import SyncOptions
from v2_assets.staging.users import UserOutcome, sync_users
from v2_assets.users import load_users

SYSTEMS = {
    "fub": "Follow Up Boss",
    "rezen": "reZEN",
    "skyslope": "SkySlope",
    "title": "Qualia",
    "xano": "V1",
    "csv": "A file",
}


def source_key(stream: Stream) -> dg.AssetKey:
    """The external asset a stream is read from."""
    return dg.AssetKey([stream.integration, stream.entity])


def _source(stream: Stream) -> dg.AssetSpec:
    return dg.AssetSpec(
        source_key(stream),
        description=f"{SYSTEMS[stream.integration]}: {stream.grain}. Read by {stream.endpoint}.",
        group_name="sources",
        kinds={"api", stream.integration},
        owners=OWNERS,
    )


def _staging_asset(stream: Stream) -> dg.AssetsDefinition:
    reading = READINGS[stream.integration, stream.entity]
    key = dg.AssetKey(stream.table)

    @dg.asset(
        name=stream.table,
        deps=[source_key(stream), *(f"stage_{stream.integration}_{entity}" for entity in reading.after)],
        partitions_def=users,
        backfill_policy=BACKFILL,
        group_name=f"staging_{stream.integration}",
        kinds={"postgres", stream.integration},
        owners=OWNERS,
        description=f"Newest version of each record: {stream.grain}, with where it stands on its way into V2.",
        metadata=declared_metadata("staging", stream.table),
        freshness_policy=freshness("staging", stream.table),
    )
    def stage(context: dg.AssetExecutionContext, platform: PlatformResource) -> Iterator[dg.MaterializeResult]:
        recorder = Recorder(context, (key,))
        database = platform.database
        with database.connect() as connection:
            contexts = load_users(connection, users_of(context))
        outcomes = asyncio.run(
            sync_users(database, platform.settings, stream, contexts, context.run.run_id, options_of(context.run.tags))
        )
        for user_id, outcome in outcomes.items():
            if outcome.outcome == "failed" and outcome.error:
                recorder.failure(user_id, outcome.error)
            elif outcome.outcome == "synced":  # of the others nothing was read, so there is nothing to record
                recorder.finished(user_id, {key: _metadata(outcome)})
        context.log.info(f"{stream.table}: {summary(list(outcomes.values()))}")
        after_pull(context.instance, database, platform.settings, stream.table)
        yield from recorder.results()

    return stage


def options_of(tags: Mapping[str, str]) -> SyncOptions:
    """What kind of pass a run's tags ask for. A Dagster backfill means: read everything again, at low priority."""
    backfill = "dagster/backfill" in tags
    return SyncOptions(
        recent_days=int(tags[RECENT_TAG]) if RECENT_TAG in tags else None,
        full=backfill or tags.get(FULL_TAG) == "true",
        accept_shrink=tags.get(SHRINK_TAG) == "true",
        priority="backfill" if backfill or tags.get(PRIORITY_TAG) == "backfill" else "incremental",
    )


def summary(outcomes: list[UserOutcome]) -> str:
    """One log line for a whole run: users by outcome, records by what storing did."""
    by_outcome: dict[str, int] = {}
    fetched = new = changed = 0
    for outcome in outcomes:
        by_outcome[outcome.outcome] = by_outcome.get(outcome.outcome, 0) + 1
        for result in outcome.results:
            fetched += result.counts.fetched
            new += result.counts.new
            changed += result.counts.changed
    users_text = ", ".join(f"{number} {name}" for name, number in sorted(by_outcome.items()))
    return f"users: {users_text or 'none'}; {fetched} records fetched, {new} new, {changed} changed"


def _metadata(outcome: UserOutcome) -> Metadata:
    metadata: dict[str, object] = {"outcome": outcome.outcome}
    for name in ("pages", "fetched", "new", "changed", "unchanged", "rejected", "warned"):
        metadata[name] = sum(getattr(result.counts, name) for result in outcome.results)
    metadata["dagster/partition_row_count"] = metadata["fetched"]
    if outcome.results:
        first = outcome.results[0]
        metadata["pass"] = "since" if first.since else "full"
        metadata["history_owed"] = any(result.owed for result in outcome.results)
        metadata["resumed"] = any(result.resumed for result in outcome.results)
        if first.since:
            metadata["window_from"] = dg.MetadataValue.timestamp(first.since)
        if first.window_start:
            metadata["window_to"] = dg.MetadataValue.timestamp(first.window_start)
        metadata["deleted"] = sum(result.sweep.deleted for result in outcome.results if result.sweep)
    if outcome.error:
        metadata["error"] = str(outcome.error)
    return metadata


def _imported(stream: Stream) -> dg.AssetSpec:
    """Staging that a command fills from a file; no run reads it."""
    return dg.AssetSpec(
        stream.table,
        deps=[source_key(stream)],
        partitions_def=users,
        group_name=f"staging_{stream.integration}",
        kinds={"postgres", stream.integration},
        owners=OWNERS,
        description=f"Newest version of each record: {stream.grain}, with where it stands on its way into V2.",
        metadata=declared_metadata("staging", stream.table),
    )


SOURCES = [
    *(_source(stream) for stream in STREAMS),
    *(_imported(stream) for stream in STREAMS if stream.integration == "csv"),
]
STAGING = [_staging_asset(stream) for stream in STREAMS if stream.integration != "csv"]
