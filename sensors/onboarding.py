"""Onboarding: a new credential is verified, its user becomes a partition, a job is written and its runs are started.

The first run of a job reads what is recent; the runs behind it the history, and what cannot be narrowed. Every tick may
die at any point and be repeated: the job row is unique per credential and attempt, and says which run it shares before
that run is asked for, so nothing happens twice. Nobody creates jobs by hand; doing so is possible and ends the same.
"""

import asyncio
from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any, cast

import dagster as dg
import psycopg
from dagster._core.definitions.assets.graph.base_asset_graph import BaseAssetGraph
from psycopg.types.json import Jsonb

from resources.encryption import open_vault
from resources.errors import SourceError, Unauthorized, Unexpected, V2Error
from resources.http.budget import PostgresBudget
from resources.postgres import Database
from resources.reading import Identity
from resources.settings import Settings
from sensors.ranges import covering, tags_for
from v2_assets.automation import (
    HISTORY_KIND,
    INTEGRATION_TAG,
    KIND_TAG,
    ONBOARDING_INTERVAL_S,
    PRIORITY_TAG,
    RECENT_TAG,
)
from v2_assets.clients import client_of
from v2_assets.incidents import report
from v2_assets.jobs import SYNC_JOBS
from v2_assets.onboarding.jobs import Asked, Job, ask, to_start, wanted_run, write_jobs
from v2_assets.partitions import USERS_NAME, partition_key
from v2_assets.platform_resource import PlatformResource
from v2_assets.schema.stage import STREAMS
from v2_assets.staging.streams import stream
from v2_assets.users import CONNECTION_COLUMNS, Connection, connections_of

#: Verifying is one small call; a tick must end within Dagster's 60 s, so who is kept waiting is asked at another one.
VERIFIED_PER_TICK, VERIFYING_S = 20, 30.0
#: Users whose first sync is one run; who waits for another's large account waits for it only with the merges, since the
#: streams of a run's users are read side by side.
USERS_PER_RUN = 25
#: How far apart they may stand: Dagster writes down every partition of a run's range.
LONGEST_RANGE = 200
#: The key of the run that jobs have asked for.
RUN_TAG = "v2/onboarding-run"
#: Dagster's own: its place in the queue, and how often a run that lost its process is run again.
QUEUE_TAG, MAX_RETRIES_TAG = "dagster/priority", "dagster/max_retries"

_NEW = f"""
select {CONNECTION_COLUMNS} from v2.credentials
where state = 'new' and active and deleted_at is null and platform = any(%s)
  and exists (select from v2."user" u where u.id = v2.credentials.user_id and u.deleted_at is null)
order by id limit %s
"""  # noqa: S608 - constants


class WrongAccount(SourceError):
    """The key works, but belongs to another account than the one it was entered for."""

    code = "wrong_account"


async def verify_new(database: Database, settings: Settings) -> dict[str, int]:
    """Asks each source whose key a new credential is. Returns how many were verified, refused and left for later."""
    told = {"verified": 0, "refused": 0, "later": 0}
    vault = open_vault(settings)
    async with database.async_pool(2, 2) as pool:
        async with pool.connection() as connection:
            result = await connection.execute(_NEW, [list(SYNC_JOBS), VERIFIED_PER_TICK])
            new = connections_of(await result.fetchall())
        budget = PostgresBudget(pool)

        async def one(new: Connection) -> str:
            try:
                async with asyncio.timeout(VERIFYING_S), client_of(new, settings, vault, budget) as client:
                    identity = await client.identity()
                _must_match(identity, new)
            except TimeoutError:
                return "later"
            except Exception as error:  # one key's trouble is not the others', whatever it is
                failure = error if isinstance(error, V2Error) else Unexpected.of(error)
                if failure.retryable:
                    return "later"
                async with pool.connection() as connection, connection.transaction():
                    await _refuse(connection, new, failure)
                return "refused"
            async with pool.connection() as connection, connection.transaction():
                await _accept(connection, new.credentials_id, identity)
            return "verified"

        for outcome in await asyncio.gather(*(one(connection) for connection in new)):
            told[outcome] += 1
    return told


def _must_match(identity: Identity, new: Connection) -> None:
    for name, entered, real in (
        ("account", new.account_id, identity.account_id),
        ("user", new.external_user_id, identity.external_user_id),
    ):
        if entered and entered != real:
            raise WrongAccount(
                f"the {new.platform} key of user {new.user_id} belongs to {name} {real},"
                f" but was entered for {name} {entered}",
                hint="enter the key under the account it belongs to",
                context={"source": new.platform, "entered": entered, "real": real},
            )


async def _accept(connection: psycopg.AsyncConnection[Any], credentials_id: int, identity: Identity) -> None:
    await connection.execute(
        "update v2.credentials set state = 'ok', verified = true, verified_at = now(), last_error = null,"
        " account_id = %s, external_user_id = %s, updated_at = now() where id = %s and state = 'new'",
        [identity.account_id, identity.external_user_id, credentials_id],
    )


async def _refuse(connection: psycopg.AsyncConnection[Any], new: Connection, error: V2Error) -> None:
    await connection.execute(
        "update v2.credentials set state = 'needs_reconnect', verified = false, last_error = %s, updated_at = now()"
        " where id = %s and state = 'new'",
        [Jsonb(error.as_dict()), new.credentials_id],
    )
    kind = "refused" if isinstance(error, Unauthorized) else error.code
    await report(
        connection,
        code="credential_not_verified",
        key=f"{new.platform}/{new.credentials_id}",
        severity="warning",
        subject=f"the new {new.platform} key of user {new.user_id} does not work",
        body={
            "what": f"{kind}: {error.message}",
            "since": datetime.now(UTC).isoformat(timespec="seconds"),
            "users": [new.user_id],
            "link": None,
            "do": f"v2 onboard --user {new.user_id} --platform {new.platform}",
        },
    )
    # An attempt that waits for the key ends with it and tells it itself.
    await connection.execute(
        "insert into ops.notification (user_id, kind, payload) select %s, 'ONBOARDING_ERROR', %s where not exists"
        " (select from ops.onboarding_job where credentials_id = %s and status in ('New', 'Started'))",
        [new.user_id, Jsonb({"integration": new.platform, "code": error.code}), new.credentials_id],
    )


def group_jobs(connection: psycopg.Connection[Any], jobs: Sequence[Job], keys: Sequence[str]) -> list[Asked]:
    """Gives users whose jobs want the same a run together, for good: a tick that is repeated asks for the same.

    Returns every run that is to be asked for.
    """
    alike: dict[tuple[str, tuple[str, ...], bool], dict[str, list[int]]] = {}
    for job in jobs:
        if wanted := wanted_run(connection, job):
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


@dg.sensor(
    name="onboarding",
    jobs=list(SYNC_JOBS.values()),
    minimum_interval_seconds=ONBOARDING_INTERVAL_S,
    default_status=dg.DefaultSensorStatus.RUNNING,
    description="Verifies new credentials, adds their users as partitions, and starts their first sync.",
)
def onboarding_sensor(
    context: dg.SensorEvaluationContext, platform: PlatformResource
) -> Iterator[dg.RunRequest | dg.SkipReason]:
    database = platform.database
    told = asyncio.run(verify_new(database, platform.settings))
    with database.connect(autocommit=True) as connection:
        jobs = write_jobs(connection, list(SYNC_JOBS))
        keys = list(context.instance.get_dynamic_partitions(USERS_NAME))
        there = set(keys)
        new = list(dict.fromkeys(k for j in jobs if not j.hopeless and (k := partition_key(j.user_id)) not in there))
        # In bulk, and before any run is asked for: one call per key would cost 15 ms each.
        context.instance.add_dynamic_partitions(USERS_NAME, new)
        keys += new
        runs = group_jobs(connection, jobs, keys)
    if not runs:
        yield dg.SkipReason(
            f"{len(jobs)} open jobs want no run now; new keys: {told['refused']} refused, {told['later']} asked later"
        )
    for asked in runs:
        graph = cast(dg.RepositoryDefinition, context.repository_def).asset_graph
        yield from request_of(asked, keys, graph, platform.settings.onboarding_recent_days)
