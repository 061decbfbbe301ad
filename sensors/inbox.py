"""The inbox sensor: what webhooks told is read again and staged, and one run merges what came of it.

The run is the smallest that brings the rows to V2: the assets that read the staging tables which got new rows, for the
users who got them. What else hangs on those tables follows with the next sweep or by the backlog sensor.
"""

import asyncio
from collections.abc import Collection, Iterator
from functools import cache

import dagster as dg

from sensors.ranges import covering, tags_for
from sensors.watching import watch
from v2_assets.automation import INBOX_INTERVAL_S, KIND_TAG
from v2_assets.jobs import merge_backlog
from v2_assets.merge import Fact, Unit
from v2_assets.order import work_in_order
from v2_assets.partitions import USERS_NAME, partition_key
from v2_assets.platform_resource import PlatformResource
from v2_assets.tables import tables_of
from v2_assets.webhooks.alarms import tell
from v2_assets.webhooks.drain import drain
from v2_assets.webhooks.inbox import any_due

#: As in the sweeps: a run over a gap costs less than a second run.
USERS_PER_RUN = 200
LOOK_EVERY_S = 0.2


@cache
def _readers() -> dict[str, frozenset[str]]:
    """For each staging table the V2 assets that are merged from it; tables of one transaction come together."""
    readers: dict[str, frozenset[str]] = {}
    for work in work_in_order():
        for stage in {each.stage for each in work if isinstance(each, Unit | Fact)}:
            readers[stage] = readers.get(stage, frozenset()) | frozenset(tables_of(work))
    return readers


def assets_for(stages: Collection[str]) -> list[dg.AssetKey]:
    """The V2 assets that new rows in these staging tables want, and no others."""
    return [dg.AssetKey(name) for name in sorted(set().union(*(_readers()[stage] for stage in stages)))]


@dg.sensor(
    name="inbox",
    job=merge_backlog,
    minimum_interval_seconds=INBOX_INTERVAL_S,
    default_status=dg.DefaultSensorStatus.RUNNING,
    description="Reads again what webhooks told of, and starts a run that merges it.",
)
def inbox_sensor(
    context: dg.SensorEvaluationContext, platform: PlatformResource
) -> Iterator[dg.RunRequest | dg.SkipReason]:
    watch(platform.database, any_due, LOOK_EVERY_S)
    told = asyncio.run(drain(platform.database, platform.settings))
    with platform.database.connect() as connection:
        tell(connection, platform.settings)
    users = {partition_key(user_id) for touched in told.touched.values() for user_id in touched}
    keys = list(context.instance.get_dynamic_partitions(USERS_NAME))
    pieces = covering(keys, users, USERS_PER_RUN)
    if not pieces:
        yield dg.SkipReason(f"nothing to merge; events: {told.events or 'none'}")
        return
    context.log.info(f"events: {told.events}; users {len(users)}; staging tables {sorted(told.touched)}")
    for piece in pieces:
        yield dg.RunRequest(
            asset_selection=assets_for(told.touched),
            asset_check_keys=[],  # left out, a selection brings every check of its assets, which read whole tables
            tags={**tags_for(piece, users), KIND_TAG: "webhook"},
        )
