"""Onboarding: a new credential is verified, its user becomes a partition, a job is written and its runs are started.

The first run of a job reads what is recent; the runs behind it the history, and what cannot be narrowed. Every tick may
die at any point and be repeated: the job row is unique per credential and attempt, and says which run it shares before
that run is asked for, so nothing happens twice. Nobody creates jobs by hand; doing so is possible and ends the same.
"""

import asyncio
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, cast

import dagster as dg
import psycopg
from dagster._core.definitions.assets.graph.base_asset_graph import BaseAssetGraph

from resources.errors import Unexpected
from sensors.ranges import covering, tags_for
from sensors.watching import watch
from v2_assets.automation import (
    HISTORY_KIND,
    INTEGRATION_TAG,
    KIND_TAG,
    ONBOARDING_INTERVAL_S,
    PRIORITY_TAG,
    RECENT_TAG,
)
from v2_assets.connections.probing import probe
from v2_assets.connections.states import any_due
from v2_assets.jobs import SYNC_JOBS
from v2_assets.onboarding.jobs import (
    Asked,
    Job,
    any_open,
    any_without_job,
    ask,
    give_up,
    to_start,
    wanted_run,
    write_jobs,
)
from v2_assets.partitions import USERS_NAME, partition_key
from v2_assets.platform_resource import PlatformResource
from v2_assets.schema.stage import STREAMS
from v2_assets.staging.streams import stream

#: Users whose first sync is one run; who waits for another's large account waits for it only with the merges, since the
#: streams of a run's users are read side by side.
USERS_PER_RUN = 25
#: How far apart they may stand: Dagster writes down every partition of a run's range.
LONGEST_RANGE = 200
LOOK_EVERY_S = 1.0
#: The key of the run that jobs have asked for.
RUN_TAG = "v2/onboarding-run"
#: Dagster's own: its place in the queue, and how often a run that lost its process is run again.
QUEUE_TAG, MAX_RETRIES_TAG = "dagster/priority", "dagster/max_retries"


def group_jobs(connection: psycopg.Connection[Any], jobs: Sequence[Job], keys: Sequence[str]) -> list[Asked]:
    """Gives users whose jobs want the same a run together, for good: a tick that is repeated asks for the same.

    Returns every run that is to be asked for.
    """
    alike: dict[tuple[str, tuple[str, ...], bool], dict[str, list[int]]] = {}
    for job in jobs:
        try:
            wanted = wanted_run(connection, job)
        except psycopg.Error:  # the database's trouble is no job's
            raise
        except Exception as error:  # one job's trouble is no other's
            give_up(connection, [job.id], Unexpected.of(error))
            continue
        if wanted:
            users = alike.setdefault((job.integration, *wanted), {})
            users.setdefault(partition_key(job.user_id), []).append(job.id)
    for (_, entities, recent), mine in alike.items():
        for piece in covering(keys, mine, LONGEST_RANGE):
            together = [key for key in piece if key in mine]
            for start in range(0, len(together), USERS_PER_RUN):
                group = together[start : start + USERS_PER_RUN]
                ask(connection, [job_id for key in group for job_id in mine[key]], entities, recent=recent)
    return to_start(connection)


def assets_of(graph: BaseAssetGraph, integration: str, entities: Sequence[str]) -> list[dg.AssetKey]:
    """What a run over these streams materializes: their staging, and every V2 table that comes of it."""
    tables = {stream(integration, entity).table for entity in entities}
    selection = (
        dg.AssetSelection.assets(*tables).downstream() | dg.AssetSelection.groups("identity")
    ).required_multi_asset_neighbors()
    others = {dg.AssetKey(s.table) for s in STREAMS if s.table not in tables}
    return sorted(key for key in selection.resolve(graph) - others if key in graph.materializable_asset_keys)


def request_of(asked: Asked, keys: Sequence[str], graph: BaseAssetGraph, recent_days: int) -> Iterator[dg.RunRequest]:
    """The run for these jobs, over their users' partitions and their streams' assets; none for users who are gone."""
    users = {partition_key(user_id) for user_id in asked.users}
    for piece in covering(keys, users, len(keys)):
        yield _request(asked, tags_for(piece, users), graph, recent_days)


def _request(asked: Asked, users: Mapping[str, str], graph: BaseAssetGraph, recent_days: int) -> dg.RunRequest:
    tags = {
        **users,
        RUN_TAG: asked.key,
        INTEGRATION_TAG: asked.integration,
        # The job itself asks again, for what is still owed then.
        MAX_RETRIES_TAG: "0",
    }
    if asked.recent:
        # A new user waits for it, so it goes before whatever is queued.
        tags |= {KIND_TAG: "onboarding", RECENT_TAG: str(recent_days), QUEUE_TAG: "10"}
    else:
        tags |= {KIND_TAG: HISTORY_KIND, PRIORITY_TAG: "backfill", QUEUE_TAG: "-10"}
    return dg.RunRequest(
        run_key=asked.key,
        job_name=SYNC_JOBS[asked.integration].name,
        asset_selection=assets_of(graph, asked.integration, asked.entities),
        tags=tags,
    )


def work_waits(connection: psycopg.Connection[Any]) -> bool:
    """Whether a key is to be asked about, or a job is open or to be written."""
    platforms = list(SYNC_JOBS)
    return any_open(connection) or any_without_job(connection, platforms) or any_due(connection, platforms)


@dg.sensor(
    name="onboarding",
    jobs=list(SYNC_JOBS.values()),
    minimum_interval_seconds=ONBOARDING_INTERVAL_S,
    default_status=dg.DefaultSensorStatus.RUNNING,
    description="Verifies new and doubted keys, adds new users as partitions, and starts their first sync.",
)
def onboarding_sensor(
    context: dg.SensorEvaluationContext, platform: PlatformResource
) -> Iterator[dg.RunRequest | dg.SkipReason]:
    database = platform.database
    watch(database, work_waits, LOOK_EVERY_S)
    told = asyncio.run(probe(database, platform.settings, list(SYNC_JOBS)))
    with database.connect(autocommit=True) as connection:
        jobs = write_jobs(connection, list(SYNC_JOBS))
        keys = list(context.instance.get_dynamic_partitions(USERS_NAME))
        there = set(keys)
        new = list(dict.fromkeys(k for j in jobs if not j.hopeless and (k := partition_key(j.user_id)) not in there))
        # In bulk, and before any run is asked for: one call per key would cost 15 ms each.
        context.instance.add_dynamic_partitions(USERS_NAME, new)
        keys += new
        runs = group_jobs(connection, jobs, keys)
        graph = cast(dg.RepositoryDefinition, context.repository_def).asset_graph
        requests: list[dg.RunRequest] = []
        for asked in runs:
            try:
                requests += request_of(asked, keys, graph, platform.settings.onboarding_recent_days)
            except Exception as error:
                give_up(connection, asked.jobs, Unexpected.of(error))
    if not requests:
        yield dg.SkipReason(
            f"{len(jobs)} open jobs want no run now; keys: {told['refused']} refused, {told['later']} asked later"
        )
    yield from requests
