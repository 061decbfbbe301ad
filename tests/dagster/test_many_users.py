"""What starts runs, with as many users as there may be: gaps and deleted users among them, on a real instance.

A tick is one call of the code server; Dagster gives it 60 s (a minute is no measure of speed here, but the limit).
"""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from math import ceil
from typing import Any

import dagster as dg
import pytest
from dagster._core.definitions.partitions.context import partition_loading_context

from resources.postgres import Database
from sensors.ranges import PARTITION_TAG, RANGE_END_TAG, RANGE_START_TAG, keys_of_run
from v2_assets.automation import SWEEP_CRONS
from v2_assets.definitions import build_defs
from v2_assets.partitions import USERS_NAME
from v2_assets.platform_resource import PlatformResource

DEFINITIONS = build_defs()
REPOSITORY = DEFINITIONS.get_repository_def()
RANGES = [name for each in REPOSITORY.schedule_defs if "sweep" in (name := each.name) or name == "aggregates_daily"]
#: What Dagster gives a tick, unless an environment says otherwise.
TICK_LIMIT_S = 60


@pytest.fixture
def instance(
    pooled: dg.DagsterInstance, monkeypatch: pytest.MonkeyPatch, database: Database
) -> Iterator[dg.DagsterInstance]:
    monkeypatch.setenv("V2_DATABASE_URL", database.url)
    with partition_loading_context(dynamic_partitions_store=pooled):
        yield pooled


def people(
    database: Database, instance: dg.DagsterInstance, number: int, platforms: Sequence[str] = tuple(SWEEP_CRONS)
) -> set[str]:
    """Users with these connections, of whom each seventh has none and each eleventh was deleted; those to be read."""
    with database.connect() as connection:
        connection.execute(
            'insert into v2."user" (id, email, deleted_at) overriding system value'
            " select n, n || '@example.test', case when n %% 11 = 0 then now() end from generate_series(1, %s) n",
            [number],
        )
        connection.execute(
            "insert into v2.credentials (user_id, platform, account_id, state, verified, verified_at, api_key)"
            " select u.id, p, u.id::text, 'ok', true, now(), 'k' from v2.\"user\" u, unnest(%s::text[]) p"
            " where u.id %% 7 <> 0",
            [list(platforms)],
        )
        connection.execute(
            "insert into ops.onboarding_job (user_id, integration, credentials_id, status, ended_at)"
            " select user_id, platform, id, 'Complete', now() from v2.credentials"
        )
    with database.connect(autocommit=True) as connection:
        connection.execute("analyze")
    instance.add_dynamic_partitions(USERS_NAME, [str(n) for n in range(1, number + 1)])
    return {str(n) for n in range(1, number + 1) if n % 7 and n % 11}


def pending(database: Database, whose: str) -> None:
    """A staged row that waits, for each of these users."""
    with database.connect() as connection:
        connection.execute(
            "insert into staging.stage_fub_people (user_id, account_ref, source_id, payload, payload_hash, run_id,"
            " fetched_at, status) select id, 'fub/1/' || id, id::text, '{}', '', 'r', now(), 'pending'"
            f' from v2."user" where {whose}'.encode()
        )


def ticked(instance: dg.DagsterInstance, name: str) -> Any:
    """One tick of a schedule or sensor, within Dagster's time for it."""
    begun = time.monotonic()
    resources = {"platform": PlatformResource()}
    if REPOSITORY.has_sensor_def(name):
        with dg.build_sensor_context(instance=instance, definitions=DEFINITIONS, resources=resources) as context:
            told = REPOSITORY.get_sensor_def(name).evaluate_tick(context)
    else:
        with dg.build_schedule_context(
            instance=instance, resources=resources, scheduled_execution_time=datetime.now(UTC)
        ) as context:
            told = REPOSITORY.get_schedule_def(name).evaluate_tick(context)
    assert time.monotonic() - begun < TICK_LIMIT_S
    return told


def well_formed(requests: list[dg.RunRequest], keys: list[str]) -> list[str]:
    """Whom the runs work for. Each stands on partitions that are there, and nobody is in two of one job."""
    told: list[tuple[str | None, str]] = []
    for request in requests:
        ends = {request.tags[tag] for tag in (PARTITION_TAG, RANGE_START_TAG, RANGE_END_TAG) if tag in request.tags}
        assert ends and ends <= keys_of_run(keys, request.tags), "it begins and ends with users it works for"
        told += [(request.job_name, key) for key in keys_of_run(keys, request.tags)]
    assert len(told) == len(set(told))
    return [key for _, key in told]


@pytest.mark.parametrize(
    ("number", "platforms"), [(335, tuple(SWEEP_CRONS)), (2_000, tuple(SWEEP_CRONS)), (30_000, ("fub",))]
)
def test_every_schedule_reaches_every_connected_user_in_as_few_runs_as_there_are_two_hundreds(
    database: Database, instance: dg.DagsterInstance, number: int, platforms: tuple[str, ...]
) -> None:
    connected = people(database, instance, number, platforms)
    keys = [str(n) for n in range(1, number + 1)]
    assert len(RANGES) == 9
    for name in RANGES if len(platforms) > 1 else ("fub_sweep", "fub_full_sweep", "aggregates_daily"):
        requests = ticked(instance, name).run_requests
        wanted = connected if name != "aggregates_daily" else {key for key in keys if int(key) % 11}
        assert set(well_formed(requests, keys)) == wanted, name
        assert len(requests) <= ceil(number / 200) and len({each.run_key for each in requests}) == len(requests)


@pytest.mark.parametrize("number", [335, 2_000, 30_000])
def test_the_backlog_of_scattered_users_is_a_few_runs_and_is_not_sent_again_while_it_waits(
    database: Database, instance: dg.DagsterInstance, number: int
) -> None:
    people(database, instance, number, ("fub",))
    pending(database, "id % 3 = 0")
    keys = [str(n) for n in range(1, number + 1)]
    requests = ticked(instance, "backlog").run_requests
    assert set(well_formed(requests, keys)) == {key for key in keys if int(key) % 3 == 0 and int(key) % 11}
    assert len(requests) <= ceil(number / 200)
    again = ticked(instance, "backlog")
    assert not again.run_requests and len(again.cursor or "") < 100, "what was tried is not written with every tick"


def test_scattered_users_who_wait_as_108_of_335_are_two_runs(database: Database, instance: dg.DagsterInstance) -> None:
    people(database, instance, 335, ("fub",))
    pending(database, "deleted_at is null order by md5(id::text) limit 108")
    assert len(ticked(instance, "backlog").run_requests) == 2


def test_a_deleted_user_loses_the_partition_and_rests_and_comes_back_with_the_user(
    database: Database, instance: dg.DagsterInstance
) -> None:
    people(database, instance, 30)
    states = "select state from v2.credentials where user_id = 22 group by 1"
    ticked(instance, "partitions")
    assert set(instance.get_dynamic_partitions(USERS_NAME)) == {str(n) for n in range(1, 31) if n % 11}
    with database.connect() as connection:
        assert connection.execute(states).fetchall() == [("paused",)]
        connection.execute('update v2."user" set deleted_at = null')
    ticked(instance, "partitions")
    with database.connect() as connection:
        assert connection.execute(states).fetchall() == [("ok",)]


def test_the_partition_stays_while_a_run_stands_on_it(database: Database, instance: dg.DagsterInstance) -> None:
    people(database, instance, 30)
    request = dg.RunRequest(tags={RANGE_START_TAG: "11", RANGE_END_TAG: "20"})
    job = REPOSITORY.get_job("merge_backlog")
    run = instance.create_run_for_job(job, tags=request.tags)
    ticked(instance, "partitions")
    assert "11" in instance.get_dynamic_partitions(USERS_NAME) and "22" not in instance.get_dynamic_partitions(
        USERS_NAME
    )
    instance.report_run_failed(run)
    ticked(instance, "partitions")
    assert "11" not in instance.get_dynamic_partitions(USERS_NAME)


def test_whatever_starts_runs_does_so_for_users_who_are_there(database: Database, instance: dg.DagsterInstance) -> None:
    """Every schedule and sensor that starts runs over users, also one that is added later."""
    people(database, instance, 335)
    keys = [str(n) for n in range(1, 336)]
    with database.connect() as connection:
        connection.execute("update ops.onboarding_job set status = 'New', ended_at = null, recent_at = now()")
    pending(database, "true")
    partitioned = {job.name for job in REPOSITORY.get_all_jobs() if job.partitions_def is not None}
    seen = set()
    for each in (*REPOSITORY.schedule_defs, *REPOSITORY.sensor_defs):
        jobs = (
            {target.job_name for target in each.targets} if isinstance(each, dg.SensorDefinition) else {each.job_name}
        )
        if jobs & partitioned:
            told = ticked(instance, each.name)
            assert set(well_formed(told.run_requests or [], keys)) <= {key for key in keys if int(key) % 11}, each.name
            seen.add(each.name)
            assert told.run_requests or each.name == "inbox", each.name
    assert {"onboarding", "backlog", "inbox", *RANGES} <= seen
