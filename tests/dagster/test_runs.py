"""Runs of the real assets in this process: per-user recording, isolation, onboarding and backlog sensors."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import dagster as dg
import pytest
from dagster._core.definitions.partitions.context import partition_loading_context
from dagster._core.execution.job_execution_result import JobExecutionResult

from resources.postgres import Database
from sandbox import Sandbox, World, serve
from sandbox.world import Scale
from sensors.backlog import backlog, backlog_sensor
from sensors.onboarding import onboarding_sensor
from sensors.ranges import keys_of_run, tags_for
from tests.story import Story
from v2_assets.definitions import build_defs
from v2_assets.executor import execute_here
from v2_assets.order import work_in_order
from v2_assets.partitions import USERS_NAME, partition_key
from v2_assets.platform_resource import PlatformResource
from v2_assets.tables import merge_user


@pytest.fixture
def sandbox() -> Iterator[Sandbox]:
    with serve(World(7, Scale(people=40, deals=20))) as running:
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
    with dg.DagsterInstance.ephemeral() as made:
        yield made


def run(
    instance: dg.DagsterInstance, job: str, users: list[int], tags: dict[str, str] | None = None
) -> JobExecutionResult:
    keys = [partition_key(u) for u in users]
    instance.add_dynamic_partitions(USERS_NAME, keys)
    return execute_here(build_defs().resolve_job_def(job), instance, tags=tags_for(keys) | (tags or {}))


def test_a_run_over_a_range_materializes_every_user_and_brings_everything_to_v2(
    story: Story, instance: dg.DagsterInstance
) -> None:
    result = run(instance, "fub_sync", story.users)
    assert result.success
    keys = {partition_key(u) for u in story.users}
    for asset in ("stage_fub_people", "fub_people", "fub_text_messages"):
        assert instance.get_materialized_partitions(dg.AssetKey(asset)) == keys
    assert backlog(story.database) == {}
    event = instance.get_latest_materialization_event(dg.AssetKey("fub_people"))
    metadata = event.asset_materialization.metadata if event and event.asset_materialization else {}
    assert {"rows_inserted", "staged_processed", "staged_rejected"} <= set(metadata)
    check = dg.AssetCheckKey(dg.AssetKey("stage_fub_people"), "rejected_share")
    shown = instance.event_log_storage.get_latest_asset_check_execution_by_key([check])[check].event
    assert shown and shown.dagster_event and shown.dagster_event.asset_check_evaluation_data.passed


def test_a_revoked_key_names_its_user_in_the_runs_error_and_no_run_fails_on_it_once_it_is_out_of_use(
    story: Story, instance: dg.DagsterInstance
) -> None:
    revoked, user = story.sandbox.world.users[1], story.users[1]
    story.sandbox.faults.add({"name": "revoked_key", "key": revoked.fub_key})
    result = run(instance, "fub_sync", story.users)
    assert not result.success
    failure = next(e for e in result.all_events if e.is_step_failure).step_failure_data.user_failure_data
    assert failure is not None and f"user {user}" in (failure.description or "")
    done = instance.get_materialized_partitions(dg.AssetKey("stage_fub_accounts"))
    assert done == {partition_key(u) for u in story.users if u != user}, "the others' work is recorded"
    for _ in range(2):
        story.probe("fub")
    # The texts had nothing to ask for before; that they are not read any more is failed once.
    assert not run(instance, "fub_sync", story.users).success
    assert run(instance, "fub_sync", story.users).success
    assert run(instance, "merge_backlog", story.users).success
    others = story.query("select count(*) from staging.stage_fub_people where user_id <> %s", user)
    assert others[0][0] > 0 and backlog(story.database) == {}


def test_new_credentials_are_verified_and_neighbours_share_a_run_and_a_second_tick_does_nothing_twice(
    story: Story, instance: dg.DagsterInstance
) -> None:
    with story.database.connect() as connection:
        connection.execute("update v2.credentials set state = 'new', verified = false, verified_at = null")
        connection.execute(
            "update v2.credentials set api_key = (select api_key from v2.credentials where platform = 'fub' limit 1)"
            " where user_id = %s and platform = 'rezen'",
            [story.users[4]],
        )
    keys = [partition_key(u) for u in story.users]
    with (
        partition_loading_context(dynamic_partitions_store=instance),
        dg.build_sensor_context(
            instance=instance, definitions=build_defs(), resources={"platform": PlatformResource()}
        ) as context,
    ):
        first = onboarding_sensor.evaluate_tick(context)
        second = onboarding_sensor.evaluate_tick(context)
    told = {(r.job_name, tuple(sorted(keys_of_run(keys, r.tags)))) for r in first.run_requests or []}
    everybody, four = ("1", "2", "3", "4", "5"), ("1", "2", "3", "4")
    assert {("fub_sync", everybody), ("rezen_sync", four), ("title_sync", four)} <= told
    assert len({job for job, _ in told}) == len(told), "one run for each integration"
    assert {r.run_key for r in first.run_requests or []} == {r.run_key for r in second.run_requests or []}
    assert story.query("select count(*) from ops.onboarding_job") == [(sum(len(users) for _, users in told),)]
    assert instance.get_dynamic_partitions(USERS_NAME) == [partition_key(u) for u in story.users]
    assert story.query("select user_id, platform from v2.credentials where state = 'needs_reconnect'") == [
        (story.users[4], "rezen")
    ]
    assert story.query("select code from ops.alert") == [("credential_not_verified",)]
    assert story.query("select kind from ops.notification") == [("ONBOARDING_ERROR",)]


def test_what_waits_for_a_fact_that_its_own_record_tells_is_merged_by_the_next_run_and_not_when_it_is_due(
    story: Story, instance: dg.DagsterInstance
) -> None:
    """Another run's merge came between the reading of a deal and the storing of its address."""
    story.sync_all("rezen")
    for work in work_in_order():
        for user in story.users if work[0].table != "address" else ():
            merge_user(story.database, work, user, "run")
    waiting = "select count(*) from staging.stage_rezen_transactions where status = 'deferred'"
    assert story.query(waiting + " and waits_for like 'address/%%' and next_attempt_at > now()")[0][0] > 5
    assert run(instance, "merge_backlog", story.users).success
    assert story.query(waiting) == [(0,)]


def test_pending_rows_that_nobody_works_on_start_a_merge_whatever_left_them_there(
    story: Story, instance: dg.DagsterInstance
) -> None:
    instance.add_dynamic_partitions(USERS_NAME, [partition_key(u) for u in story.users])
    for entity in ("accounts", "users", "stages", "people"):
        story.sync("fub", entity)
    with (
        partition_loading_context(dynamic_partitions_store=instance),
        dg.build_sensor_context(
            instance=instance, definitions=build_defs(), resources={"platform": PlatformResource()}
        ) as context,
    ):
        tick = backlog_sensor.evaluate_tick(context)
    assert [r.tags[k] for r in tick.run_requests or [] for k in sorted(tags_for(["1", "5"]))] == ["5", "1"]
    assert run(instance, "merge_backlog", story.users).success
    assert backlog(story.database) == {}
    assert os.environ["V2_DATABASE_URL"] == story.database.url
