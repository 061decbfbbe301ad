"""Partitions tell the truth: they are the users who are there, and what a dead run was reading is failed.

A range that begins or ends with a partition that was deleted fails before any work, for everybody in it. So a partition
goes only while no run that waits or works covers it; the next tick looks again.
"""

from collections.abc import Collection, Iterator

import dagster as dg

from sensors.ranges import PARTITION_TAG, RANGE_END_TAG, RANGE_START_TAG
from sensors.runs import ACTIVE
from v2_assets.automation import PARTITIONS_INTERVAL_S
from v2_assets.lost import settle_lost
from v2_assets.onboarding.gone import settle_gone
from v2_assets.partitions import USERS_NAME, partition_key
from v2_assets.platform_resource import PlatformResource
from v2_assets.users import living

#: Dagster deletes them one by one, some 15 ms each; a tick ends within its time.
MOST_PER_TICK = 500


def forget(instance: dg.DagsterInstance, keys: Collection[str]) -> list[str]:
    """Deletes these partitions but those on which a run's range stands. Returns what was deleted."""
    held: set[str] = set()
    for run in instance.get_runs(dg.RunsFilter(statuses=ACTIVE)) if keys else ():
        held.update(run.tags.get(tag, "") for tag in (PARTITION_TAG, RANGE_START_TAG, RANGE_END_TAG))
    gone = [key for key in keys if key not in held]
    for key in gone:
        instance.delete_dynamic_partition(USERS_NAME, key)
    return gone


@dg.sensor(
    name="partitions",
    minimum_interval_seconds=PARTITIONS_INTERVAL_S,
    default_status=dg.DefaultSensorStatus.RUNNING,
    description="Takes away deleted users' partitions, lets their connections rest, ends what dead runs left.",
)
def partitions_sensor(context: dg.SensorEvaluationContext, platform: PlatformResource) -> Iterator[dg.SkipReason]:
    keys = context.instance.get_dynamic_partitions(USERS_NAME)
    with platform.database.connect(autocommit=True) as connection:
        resting, back = settle_gone(connection)
        there = {partition_key(user_id) for user_id in living(connection)}
        lost = settle_lost(context.instance, connection)
    gone = forget(context.instance, [key for key in keys if key not in there][:MOST_PER_TICK])
    yield dg.SkipReason(
        f"{len(gone)} partitions of deleted users were taken away; connections: {resting} rest now, {back} taken up;"
        f" {lost} streams were left by dead runs"
    )
