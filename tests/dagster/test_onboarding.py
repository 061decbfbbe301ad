"""Onboarding by its two sensors and real runs: the newest first, step by step, and only what failed again."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import dagster as dg
import psycopg
import pytest
from dagster._core.definitions.partitions.context import partition_loading_context
from dagster._core.execution.job_execution_result import JobExecutionResult
from psycopg.types.json import Jsonb

from resources.postgres import Database
from sandbox import Sandbox, World, serve
from sandbox.world import Scale
from sensors import onboarding
from sensors.onboarding import onboarding_sensor
from sensors.onboarding_progress import onboarding_progress_sensor
from sensors.sweeps import SCHEDULES
from tests.story import Story
from v2_assets.automation import RECENT_TAG
from v2_assets.definitions import build_defs
from v2_assets.executor import execute_here
from v2_assets.onboarding.jobs import Job, again, write_jobs
from v2_assets.onboarding.steps import COMPLETION, STEPS
from v2_assets.platform_resource import PlatformResource
from v2_assets.schema.stage import STREAMS

DEFS = build_defs()


@pytest.fixture
def sandbox() -> Iterator[Sandbox]:
    with serve(World(7, Scale(people=30, deals=12))) as running:
        running.limits.raised = {"global": 100_000, "events": 100_000, "xano": 100_000}
        yield running


@pytest.fixture
def story(database: Database, sandbox: Sandbox, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Story]:
    made = Story.begin(database, sandbox, tmp_path)
    for name, value in made.environment().items():
        monkeypatch.setenv(name, value)
    yield made


@pytest.fixture
def instance() -> Iterator[dg.DagsterInstance]:
    with dg.instance_for_test() as made:  # a schedule only gets an instance that is kept somewhere
        yield made


def tick(instance: dg.DagsterInstance, sensor: Any) -> list[dg.RunRequest]:
    with (
        partition_loading_context(dynamic_partitions_store=instance),
        dg.build_sensor_context(
            instance=instance, definitions=DEFS, resources={"platform": PlatformResource()}
        ) as context,
    ):
        return list(sensor.evaluate_tick(context).run_requests or [])


def swept(instance: dg.DagsterInstance, integration: str) -> int:
    sweep = next(s for s in SCHEDULES if s.name == f"{integration}_sweep")
    with (
        partition_loading_context(dynamic_partitions_store=instance),
        dg.build_schedule_context(instance=instance, resources={"platform": PlatformResource()}) as context,
    ):
        return len(sweep.evaluate_tick(context).run_requests or [])


def start(instance: dg.DagsterInstance, request: dg.RunRequest) -> JobExecutionResult:
    job = DEFS.resolve_job_def(request.job_name or "")
    return execute_here(job, instance, tags=request.tags, assets=request.asset_selection or ())


def onboard(instance: dg.DagsterInstance, *, most: int = 8) -> list[dg.RunRequest]:
    """Ticks and runs until no job wants another run. Returns what was asked for, in order."""
    asked: list[dg.RunRequest] = []
    for _ in range(most):
        requests = tick(instance, onboarding_sensor)
        if not requests:
            return asked
        for request in requests:
            start(instance, request)
            asked.append(request)
        tick(instance, onboarding_progress_sensor)
    raise AssertionError("the onboarding does not end")


def streams_of(request: dg.RunRequest) -> set[str]:
    tables = {s.table: s.entity for s in STREAMS}
    return {tables[k.to_user_string()] for k in request.asset_selection or [] if k.to_user_string() in tables}


def test_a_new_agent_is_read_newest_first_and_step_by_step_and_the_product_is_told_once(
    story: Story, instance: dg.DagsterInstance, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("V2_ONBOARDING_HISTORY_SECONDS", "0")  # as if the account were large
    user = story.users[0]
    story.only("rezen", user)
    [first] = tick(instance, onboarding_sensor)
    assert first.tags[RECENT_TAG] == "7"
    assert streams_of(first) == {"agents", "teams", "team_members", "listings", "transactions"}
    assert [r.run_key for r in tick(instance, onboarding_sensor)] == [first.run_key], "asked for once"
    assert swept(instance, "rezen") == 0, "nothing is in yet"
    start(instance, first)
    assert tick(instance, onboarding_progress_sensor) == []
    assert story.jobs() == [(user, "Started")]
    assert swept(instance, "rezen") == 1, "what is recent is in: the sweeps do not wait for the history"
    found = story.steps(user)
    assert list(found) == [*(step.name for step in STEPS["rezen"]), COMPLETION]
    assert (found["agent data"]["status"], found["listings"]["status"]) == ("done", "recent")
    assert (found["equity"]["status"], found[COMPLETION]["status"]) == ("waiting", "waiting")
    [second] = tick(instance, onboarding_sensor)
    assert second.run_key != first.run_key and RECENT_TAG not in second.tags
    assert {"transactions", "equity", "network_downline"} <= streams_of(second)
    assert not {"agents", "teams"} & streams_of(second), "what is in is not read again"
    start(instance, second)
    for _ in range(3):  # a sensor that repeats itself tells nothing twice
        tick(instance, onboarding_progress_sensor)
    assert story.jobs() == [(user, "Complete")]
    assert {step["status"] for step in story.steps(user).values()} <= {"done", "skipped"}
    assert all(step["started_at"] and step["ended_at"] for step in story.steps(user).values())
    assert story.notified() == [("ONBOARDING_COMPLETE", 1), ("ONBOARDING_STARTED", 1)]
    assert tick(instance, onboarding_sensor) == []


def test_independent_steps_go_on_and_a_retry_reads_only_what_failed(story: Story, instance: dg.DagsterInstance) -> None:
    user = story.users[0]
    story.only("fub", user)
    story.sandbox.faults.add({"name": "forbidden_empty", "path": "/people"})
    onboard(instance)
    assert story.jobs() == [(user, "Partial")]
    found = story.steps(user)
    assert found["people"]["status"] == "failed" and found["people"]["error"]["code"] == "forbidden"
    assert found["texts"]["status"] == "failed", "it asks for the same contacts"
    assert found["deals, calls, events, appointments"]["status"] == "done"
    [(error,)] = story.query("select error from ops.onboarding_job")
    assert error["code"] == "forbidden"
    assert story.notified() == [("ONBOARDING_ERROR", 1), ("ONBOARDING_STARTED", 1)]

    story.sandbox.faults.clear()
    story.sandbox.requests.clear()
    with story.database.connect() as connection:
        [(credentials,)] = story.query("select credentials_id from ops.onboarding_job")
        assert again(connection, credentials, failed_only=True) == ("people", "text_messages")
    assert all(streams_of(request) <= {"people", "text_messages"} for request in onboard(instance))
    asked = {q.partition("?")[0].rpartition("/")[2] for q in story.sandbox.requests.queries}
    assert {"people", "textMessages"} <= asked
    assert not asked & {"deals", "calls", "events", "appointments", "users", "groups", "stages", "pipelines"}, asked
    assert story.jobs() == [(user, "Partial"), (user, "Complete")]
    assert {step["status"] for step in story.steps(user).values()} == {"done"}
    with story.database.connect() as connection:
        assert again(connection, credentials, failed_only=True) is None, "nothing failed"


def test_a_new_key_whose_source_keeps_us_waiting_is_asked_again_at_another_tick(
    story: Story, instance: dg.DagsterInstance, monkeypatch: pytest.MonkeyPatch
) -> None:
    user = story.users[0]
    story.only("fub", user)
    with story.database.connect() as connection:
        connection.execute("update v2.credentials set state = 'new', verified = false")
    monkeypatch.setattr("v2_assets.connections.probing.PROBING_S", 0.5)
    story.sandbox.faults.add({"name": "stall", "path": "^/fub/", "seconds": 5, "times": 1})
    assert tick(instance, onboarding_sensor) == []
    assert story.query("select state, last_error from v2.credentials") == [("new", None)]
    with story.database.connect() as connection:
        connection.execute("update ops.credential_probe set next_at = now()")  # a little later
    assert len(tick(instance, onboarding_sensor)) == 1
    assert story.query("select state from v2.credentials") == [("ok",)]


def test_a_job_that_nobody_can_tell_what_to_do_for_ends_and_the_others_get_their_runs(
    story: Story, instance: dg.DagsterInstance, monkeypatch: pytest.MonkeyPatch
) -> None:
    renamed, odd, good = story.users[:3]
    story.only("skyslope", renamed, odd, good)
    wanted = onboarding.wanted_run

    def unforeseen(connection: psycopg.Connection[Any], job: Job) -> Any:
        return wanted(connection, job) if job.user_id != odd else {}["nobody thought of this"]

    monkeypatch.setattr(onboarding, "wanted_run", unforeseen)
    with story.database.connect() as connection:
        write_jobs(connection, ["skyslope"])
        connection.execute(
            "update ops.onboarding_job set asked = %s, asked_at = now(), runs = 1 where user_id = %s",
            [Jsonb({"key": "onboarding-1", "entities": ["a stream of an older release"], "recent": True}), renamed],
        )
    assert len(tick(instance, onboarding_sensor)) == 1
    assert dict(story.jobs()) == {renamed: "Error", odd: "Error", good: "New"}
    assert story.notified() == [("ONBOARDING_ERROR", 2)]
    assert {
        code for (code,) in story.query("select error ->> 'code' from ops.onboarding_job where error is not null")
    } == {"unexpected"}
