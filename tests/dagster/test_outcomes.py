"""What a run tells of its users: in its status, in the partitions as the pages show them, and in V2.

Partitions are read as the UI reads them, by GraphQL over a real instance with the platform's storage and switches.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any

import dagster as dg
import pytest
from dagster._core.asset_graph_view.asset_graph_view import AssetGraphView
from dagster._core.definitions.assets.graph.asset_graph_subset import AssetGraphSubset
from dagster._core.definitions.events import AssetKeyPartitionKey
from dagster._core.definitions.partitions.context import partition_loading_context
from dagster._core.execution.asset_backfill import _get_failed_asset_graph_subset
from dagster._core.execution.plan.state import KnownExecutionState
from dagster._core.test_utils import in_process_test_workspace
from dagster._core.types.loadable_target_origin import LoadableTargetOrigin
from dagster_graphql.schema import create_schema

import v2_assets.staging.users as staging_users
from resources.postgres import Database
from sandbox import World, serve
from sandbox.world import Scale
from sensors.backlog import backlog
from sensors.partitions import partitions_sensor
from sensors.ranges import tags_for
from tests.story import Story
from v2_assets.automation import USERS_TAG
from v2_assets.definitions import build_defs, defs
from v2_assets.executor import execute_here
from v2_assets.partitions import USERS_NAME, partition_key
from v2_assets.platform_resource import PlatformResource

STATS = """
query Stats($keys: [AssetKeyInput!]!) { assetNodes(assetKeys: $keys) { assetKey { path }
  partitionStats { numMaterialized numFailed numMaterializing }
  assetPartitionStatuses { ... on DefaultPartitionStatuses { materializedPartitions failedPartitions } } } }
"""


@pytest.fixture
def story(database: Database, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Story]:
    monkeypatch.setenv("DAGSTER_EVENT_BATCH_SIZE", "500")
    monkeypatch.setenv("DAGSTER_EMIT_PARTITION_SUBSET_IN_PLANNED_EVENTS", "true")
    with serve(World(7, Scale(people=20, deals=10))) as sandbox:
        sandbox.limits.raised = {"global": 100_000, "events": 100_000, "xano": 100_000}
        made = Story.begin(database, sandbox, tmp_path)
        for name, value in made.environment().items():
            monkeypatch.setenv(name, value)
        yield made


@pytest.fixture
def instance(pooled: dg.DagsterInstance, story: Story) -> dg.DagsterInstance:
    pooled.add_dynamic_partitions(USERS_NAME, [partition_key(user) for user in story.users])
    return pooled


def run(instance: dg.DagsterInstance, users: list[int], job: str = "fub_sync", **tags: str) -> Any:
    keys = [partition_key(user) for user in users]
    return execute_here(build_defs().resolve_job_def(job), instance, tags=tags_for(keys) | tags)


def shown(instance: dg.DagsterInstance, asset: str) -> dict[str, set[int]]:
    """The users whose partition of an asset the pages show as materialized and as failed."""
    origin = LoadableTargetOrigin(executable_path=None, module_name="v2_assets.definitions", attribute="defs")
    with in_process_test_workspace(instance, origin) as context:
        ask = create_schema().execute_async(STATS, context_value=context, variable_values={"keys": [{"path": [asset]}]})
        answer = asyncio.run(ask)
    assert not answer.errors, answer.errors
    [node] = (answer.data or {})["assetNodes"]
    statuses, stats = node["assetPartitionStatuses"], node["partitionStats"]
    told = {
        "materialized": {int(key) for key in statuses["materializedPartitions"]},
        "failed": {int(key) for key in statuses["failedPartitions"]},
    }
    assert (stats["numFailed"], stats["numMaterializing"]) == (len(told["failed"]), 0)
    return told


def failing(monkeypatch: pytest.MonkeyPatch, user: int, entity: str = "people") -> None:
    """This user's client raises what nobody foresaw, with a record's text in it."""
    real = staging_users.client_of

    def client_of(connection: Any, *more: Any) -> Any:
        client: Any = real(connection, *more)
        if connection.user_id == user:
            read = client.read

            async def broken(asked: str, request: Any) -> AsyncIterator[Any]:
                if asked == entity:
                    raise TypeError("unhashable: jane@example.com")
                async for page in read(asked, request):
                    yield page

            client.read = broken
        return client

    monkeypatch.setattr(staging_users, "client_of", client_of)


def test_a_refused_key_and_an_unforeseen_error_are_red_for_their_users_and_the_others_are_in_v2(
    story: Story, instance: dg.DagsterInstance, monkeypatch: pytest.MonkeyPatch
) -> None:
    refused, broken, *others = story.users
    story.sandbox.faults.add({"name": "revoked_key", "key": story.sandbox.world.users[0].fub_key})
    failing(monkeypatch, broken)
    result = run(instance, story.users)
    assert not result.success
    steps = {
        e.step_key: e.step_failure_data.user_failure_data.description for e in result.all_events if e.is_step_failure
    }
    assert f"user {refused}: [unauthorized]" in steps["stage_fub_accounts"]
    assert f"user {broken}: [unexpected] an unexpected TypeError" in steps["stage_fub_people"]
    assert shown(instance, "stage_fub_accounts") == {"materialized": {broken, *others}, "failed": {refused}}
    assert shown(instance, "stage_fub_people") == {"materialized": set(others), "failed": {refused, broken}}
    assert shown(instance, "fub_people") == {"materialized": set(others), "failed": set()}
    assert backlog(story.database) == {}, "everything staged was merged by the run itself"
    held = story.query("select distinct user_id from staging.stage_fub_people where status <> 'pending'")
    assert {row[0] for row in held} >= set(others)
    failed = story.query("select user_id, entity, error ->> 'code' from ops.sync_state where status = 'failed'")
    assert (broken, "people", "unexpected") in [tuple(row) for row in failed]
    [(context, everything)] = story.query(
        "select context, log::text from ops.error_log log where code = 'unexpected' and \"where\" = 'fub/people'"
    )
    assert any("test_outcomes.py" in place for place in context["places"][0]), "a defect keeps its place in the code"
    assert "jane@example.com" not in everything, "and no text that may quote a record"

    monkeypatch.undo()
    for name, value in story.environment().items():
        monkeypatch.setenv(name, value)
    for _ in range(2):
        story.probe("fub")
    # What had nothing to ask the source for is behind all the same, and is failed once.
    last = run(instance, story.users)
    assert [e.step_key for e in last.all_events if e.is_step_failure] == ["stage_fub_text_messages"]
    assert shown(instance, "stage_fub_text_messages")["failed"] == {refused}
    assert run(instance, story.users).success, "the refused key is left out from now on"
    assert shown(instance, "stage_fub_people") == {"materialized": {broken, *others}, "failed": {refused}}
    assert shown(instance, "stage_fub_accounts")["failed"] == {refused}, "its last try failed, and none came after"


def test_who_has_no_connection_is_recorded_nowhere(story: Story, instance: dg.DagsterInstance) -> None:
    story.only("fub", *story.users[1:])
    assert run(instance, story.users).success
    for asset in ("stage_fub_people", "fub_people", "fub_users"):
        assert shown(instance, asset) == {"materialized": set(story.users[1:]), "failed": set()}, asset
    with story.database.connect() as connection:
        connection.execute('update v2."user" set deleted_at = now() where id = %s', [story.users[2]])
    assert run(instance, story.users).success, "who was deleted is an outcome"


def test_a_run_over_a_gap_works_for_those_it_names(story: Story, instance: dg.DagsterInstance) -> None:
    first, last = story.users[0], story.users[4]
    story.sandbox.requests.clear()
    assert run(instance, story.users, **{USERS_TAG: f"{first},{last}"}).success
    assert shown(instance, "stage_fub_people")["materialized"] == {first, last}
    assert shown(instance, "fub_people")["materialized"] == {first, last}


def test_a_re_execution_from_failure_begins_with_the_step_that_failed_for_a_user(
    story: Story, instance: dg.DagsterInstance, monkeypatch: pytest.MonkeyPatch
) -> None:
    broken = story.users[1]
    failing(monkeypatch, broken)
    result = run(instance, story.users)
    again, _ = KnownExecutionState.build_resume_retry_reexecution(instance, result.dagster_run)
    assert "stage_fub_people" in again and "fub_people" in again and "stage_fub_accounts" not in again


def test_of_a_backfill_only_the_bad_partitions_end_failed(
    story: Story, instance: dg.DagsterInstance, monkeypatch: pytest.MonkeyPatch
) -> None:
    broken = story.users[0]
    failing(monkeypatch, broken)
    result = run(instance, story.users, **{"dagster/backfill": "b1"})
    assert not result.success
    with partition_loading_context(dynamic_partitions_store=instance):
        graph = defs.get_repository_def().asset_graph
        view = AssetGraphView.for_test(defs, instance)
        done = AssetGraphSubset.from_asset_partition_set(
            {
                AssetKeyPartitionKey(key, partition)
                for key in graph.materializable_asset_keys
                for partition in instance.get_materialized_partitions(key)
            },
            graph,
        )
        failed = _get_failed_asset_graph_subset(view, "b1", done)
        users = {each.partition_key for each in failed.iterate_asset_partitions()}
    assert users == {partition_key(broken)}


def test_what_a_killed_run_was_reading_is_failed_and_what_it_had_not_begun_is_not(
    story: Story, instance: dg.DagsterInstance
) -> None:
    first, second = story.users[:2]
    assert run(instance, story.users[:2]).success
    job = build_defs().resolve_job_def("fub_sync")
    dead = instance.create_run_for_job(job, tags=tags_for([partition_key(user) for user in story.users[:2]]))
    instance.report_run_failed(dead)
    with story.database.connect() as connection:
        connection.execute(
            "update ops.sync_state set status = 'running', run_id = %s, updated_at = now() - interval '1 hour'"
            " where user_id = %s and entity = 'people' and integration = 'fub'",
            [dead.run_id, first],
        )
    with dg.build_sensor_context(instance=instance, resources={"platform": PlatformResource()}) as context:
        told = partitions_sensor.evaluate_tick(context)
    assert "1 streams were left by dead runs" in (told.skip_message or "")
    assert shown(instance, "stage_fub_people") == {"materialized": {second}, "failed": {first}}
    assert story.query("select error ->> 'code' from ops.sync_state where status = 'failed'") == [("worker_died",)]
    assert run(instance, story.users[:2]).success
    assert shown(instance, "stage_fub_people")["failed"] == set()
