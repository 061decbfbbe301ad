"""Onboarding: a new credential is verified, its user becomes a partition, a job is written and a run is started.

Every tick may die at any point and be repeated: the job row is unique per credential and attempt, and says which run it
shares before that run is asked for, so nothing happens twice. Nobody creates jobs by hand; doing so is possible and
ends the same way.
"""

import asyncio
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from typing import Any

import dagster as dg
import psycopg
from psycopg.types.json import Jsonb

from resources.encryption import open_vault
from resources.errors import SourceError, Unauthorized, V2Error
from resources.http.budget import PostgresBudget
from resources.postgres import Database
from resources.reading import Identity
from resources.settings import Settings
from sensors.ranges import contiguous, tags_for
from v2_assets.automation import INTEGRATION_TAG, KIND_TAG, ONBOARDING_INTERVAL_S, PRIORITY_TAG
from v2_assets.clients import client_of
from v2_assets.incidents import report
from v2_assets.jobs import SYNC_JOBS
from v2_assets.partitions import USERS_NAME, partition_key
from v2_assets.platform_resource import PlatformResource
from v2_assets.users import CONNECTION_COLUMNS, Connection, connections_of

#: Verifying is one small call; a tick must end within Dagster's 60 s.
VERIFIED_PER_TICK = 20
#: Users whose first sync is one run, if they are neighbours; who waits for a neighbour's large account waits for it
#: only with the merges, since the streams of a run's users are read side by side.
USERS_PER_RUN = 25
JOBS_TAG = "v2/onboarding_jobs"

_NEW = f"""
select {CONNECTION_COLUMNS} from v2.credentials
where state = 'new' and active and deleted_at is null and platform = any(%s) order by id limit %s
"""  # noqa: S608 - constants
_WITHOUT_JOB = """
insert into ops.onboarding_job (user_id, integration, credentials_id, status, attempt)
select user_id, platform, id, 'New', 1 from v2.credentials c
where state = 'ok' and verified and active and deleted_at is null and platform = any(%s)
  and not exists (select from ops.onboarding_job j where j.credentials_id = c.id)
order by id on conflict do nothing
"""
#: Jobs that no run was asked for yet; `run_id` holds the key of the run they share until the run itself is known.
_UNGROUPED = (
    "select id, user_id, integration from ops.onboarding_job where status = 'New' and run_id is null order by id"
)
_TO_START = """
select run_id, integration, array_agg(id order by id), array_agg(distinct user_id)
from ops.onboarding_job where status = 'New' and run_id is not null group by 1, 2 order by min(id)
"""


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
                async with client_of(new, settings, vault, budget) as client:
                    identity = await client.identity()
                _must_match(identity, new)
            except V2Error as error:
                if error.retryable:
                    return "later"
                async with pool.connection() as connection, connection.transaction():
                    await _refuse(connection, new, error)
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
    await connection.execute(
        "insert into ops.notification (user_id, kind, payload) values (%s, 'ONBOARDING_ERROR', %s)",
        [new.user_id, Jsonb({"integration": new.platform, "code": error.code})],
    )


def write_jobs(connection: psycopg.Connection[Any]) -> list[tuple[int, int, str]]:
    """Writes the jobs of verified credentials that have none. Returns (job, user, integration) of all without a run."""
    with connection.transaction():
        connection.execute(_WITHOUT_JOB, [list(SYNC_JOBS)])
    return [(row[0], row[1], row[2]) for row in connection.execute(_UNGROUPED).fetchall()]


def group_jobs(
    connection: psycopg.Connection[Any], jobs: Sequence[tuple[int, int, str]], keys: Sequence[str]
) -> list[tuple[str, str, list[int], list[int]]]:
    """Gives neighbouring users of one integration a run together, for good: a tick that is repeated asks for the same.

    Returns every run that is to be asked for, as (run key, integration, jobs, users).
    """
    with connection.transaction():
        for integration in {integration for _, _, integration in jobs}:
            mine: dict[str, list[int]] = {}
            for job_id, user_id, name in jobs:
                if name == integration:
                    mine.setdefault(partition_key(user_id), []).append(job_id)
            for group in contiguous(keys, mine, USERS_PER_RUN):
                ids = sorted(job_id for key in group for job_id in mine[key])
                run_key = "onboarding-" + ".".join(map(str, ids))
                connection.execute("update ops.onboarding_job set run_id = %s where id = any(%s)", [run_key, ids])
    return [(row[0], row[1], row[2], row[3]) for row in connection.execute(_TO_START).fetchall()]


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
        jobs = write_jobs(connection)
        # In bulk, and before any run is asked for: one call per key would cost 15 ms each.
        context.instance.add_dynamic_partitions(USERS_NAME, list(dict.fromkeys(partition_key(j[1]) for j in jobs)))
        keys = list(context.instance.get_dynamic_partitions(USERS_NAME))
        runs = group_jobs(connection, jobs, keys)
    if not runs:
        yield dg.SkipReason(f"no new connection ({told['refused']} refused, {told['later']} to be asked again)")
    for run_key, integration, job_ids, user_ids in runs:
        users = [key for key in keys if key in {partition_key(user_id) for user_id in user_ids}]
        yield dg.RunRequest(
            run_key=run_key,
            job_name=SYNC_JOBS[integration].name,
            tags={
                **tags_for(users),
                JOBS_TAG: ",".join(map(str, job_ids)),
                KIND_TAG: "onboarding",
                INTEGRATION_TAG: integration,
                PRIORITY_TAG: "incremental",
            },
        )
