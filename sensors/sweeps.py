"""Sweeps by the clock: every connected user of an integration, incrementally, in as few runs as possible.

A pause loses nothing: what a sweep reads starts at each stream's own cursor, however long ago that was moved.
"""

from collections.abc import Iterator, Sequence

import dagster as dg

from sensors.ranges import covering, tags_for
from sensors.runs import busy_keys
from v2_assets.automation import (
    AGGREGATES_CRON,
    FULL_SWEEP_CRON,
    FULL_TAG,
    HISTORY_KIND,
    INTEGRATION_TAG,
    KIND_TAG,
    PRIORITY_TAG,
    SWEEP_CRONS,
)
from v2_assets.jobs import SYNC_JOBS, aggregates_daily
from v2_assets.partitions import USERS_NAME, partition_key
from v2_assets.platform_resource import PlatformResource
from v2_assets.users import living

#: One run holds this many users at most, so that a lost run is a small loss.
USERS_PER_RUN = 200

_CONNECTED = """
select distinct c.user_id from v2.credentials c join v2."user" u on u.id = c.user_id and u.deleted_at is null
where c.platform = %s and c.state = 'ok' and c.verified and c.active and c.deleted_at is null
  and exists (select from ops.onboarding_job j where j.credentials_id = c.id
    and (j.status not in ('New', 'Started') or j.recent_at is not null))
"""


def _key(piece: Sequence[str]) -> str:
    """Dagster wants a key for each of several runs of a tick; it tells apart the runs of one tick only."""
    return f"{piece[0]}-{piece[-1]}"


def _sweep(integration: str, cron: str, *, full: bool = False) -> dg.ScheduleDefinition:
    kind = "full sweep" if full else "sweep"

    @dg.schedule(
        name=f"{integration}_{kind.replace(' ', '_')}",
        job=SYNC_JOBS[integration],
        cron_schedule=cron,
        default_status=dg.DefaultScheduleStatus.RUNNING,
        description=f"Reads everything {integration} has for every connected user: finds what was deleted, and what"
        " its filters hid."
        if full
        else f"Reads what changed at {integration} for every connected user, and merges it.",
    )
    def sweep(
        context: dg.ScheduleEvaluationContext, platform: PlatformResource
    ) -> Iterator[dg.RunRequest | dg.SkipReason]:
        with platform.database.connect() as connection:
            connected = {partition_key(row[0]) for row in connection.execute(_CONNECTED, [integration]).fetchall()}
        keys = list(context.instance.get_dynamic_partitions(USERS_NAME))
        at_work = busy_keys(context.instance, keys, tags={INTEGRATION_TAG: integration}, but=HISTORY_KIND)
        waiting = connected - at_work
        ranges = covering(keys, waiting, USERS_PER_RUN)
        if not ranges:
            yield dg.SkipReason(
                f"all {len(connected)} connected users are being worked on by an earlier run"
                if connected
                else f"no user has a verified {integration} connection yet"
            )
        more = {FULL_TAG: "true", PRIORITY_TAG: "backfill"} if full else {}
        for piece in ranges:
            tags = {**tags_for(piece, waiting), KIND_TAG: kind, INTEGRATION_TAG: integration, **more}
            yield dg.RunRequest(run_key=_key(piece), tags=tags)

    return sweep


@dg.schedule(
    name="aggregates_daily",
    job=aggregates_daily,
    cron_schedule=AGGREGATES_CRON,
    default_status=dg.DefaultScheduleStatus.RUNNING,
    description="Computes what depends on the day itself, and takes the day's counts.",
)
def aggregates_schedule(
    context: dg.ScheduleEvaluationContext, platform: PlatformResource
) -> Iterator[dg.RunRequest | dg.SkipReason]:
    keys = list(context.instance.get_dynamic_partitions(USERS_NAME))
    with platform.database.connect() as connection:
        there = {partition_key(user_id) for user_id in living(connection)}
    ranges = covering(keys, there, USERS_PER_RUN)
    for piece in ranges:
        yield dg.RunRequest(run_key=_key(piece), tags={**tags_for(piece, there), KIND_TAG: "aggregates"})
    if not ranges:
        yield dg.SkipReason("there is no user yet")


SCHEDULES = [
    *(_sweep(integration, cron) for integration, cron in SWEEP_CRONS.items()),
    *(_sweep(integration, FULL_SWEEP_CRON, full=True) for integration in SWEEP_CRONS),
    aggregates_schedule,
]
