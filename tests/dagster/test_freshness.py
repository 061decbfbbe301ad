"""Late tables and missing triggers: what Dagster says, what it cannot see, and that neither is noise."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import dagster as dg
import psycopg
import pytest
from dagster._core.definitions.freshness import FreshnessState, FreshnessStateChange

from resources.postgres import Database
from tests.dagster.instances import instance_with_switches
from v2_assets.automation import FRESHNESS, SWEEP_CRONS
from v2_assets.definitions import defs
from v2_assets.freshness import expected, late
from v2_assets.schema import metadata
from v2_assets.triggers import findings, triggers, untriggered

REPOSITORY = defs.get_repository_def()
GRAPH = REPOSITORY.asset_graph
PEOPLE = dg.AssetKey("fub_people")
NOW = datetime.now(UTC)


@pytest.fixture
def instance(tmp_path: Path) -> Iterator[dg.DagsterInstance]:
    with instance_with_switches(tmp_path) as made:
        yield made


@pytest.fixture
def connection(database: Database) -> Iterator[psycopg.Connection[Any]]:
    with database.connect(autocommit=True) as made:
        made.execute("insert into v2.user (id, email) values (901, 'ines@example.test')")
        made.execute(
            "insert into v2.credentials (user_id, platform, account_id, state, verified, verified_at)"
            " values (901, 'fub', '77', 'ok', true, now())"
        )
        yield made


def test_every_table_that_runs_write_has_the_policy_of_its_declared_class() -> None:
    for key in GRAPH.materializable_asset_keys:
        policy, name = GRAPH.get(key).freshness_policy, key.to_user_string()
        table = metadata.tables.get(f"v2.{name}")
        if table is None:
            table = metadata.tables.get(f"staging.{name}")
        if name in ("v1_comparison", "v1_gate"):
            assert policy is None, f"{name} comes only while there is a V1"
        elif table is None:
            assert policy == FRESHNESS["daily"], name
        elif table.schema == "staging" and not set(table.info["sources"]) & set(SWEEP_CRONS):
            assert policy is None, f"{name} comes when a person asks for it"
        else:
            assert policy == FRESHNESS[table.info["freshness"]], name


def says(instance: dg.DagsterInstance, key: dg.AssetKey, state: FreshnessState) -> None:
    """What the freshness daemon writes when a state changes."""
    instance._report_runless_asset_event(
        FreshnessStateChange(
            key=key, new_state=state, previous_state=FreshnessState.UNKNOWN, state_change_timestamp=NOW.timestamp()
        )
    )


def test_what_the_daemon_calls_late_is_one_incident_for_each_class(instance: dg.DagsterInstance) -> None:
    calls, monthly = dg.AssetKey("fub_calls"), dg.AssetKey("equity_monthly")
    since = dict.fromkeys((PEOPLE, calls, monthly), NOW)
    for key in since:
        instance.report_runless_asset_event(dg.AssetMaterialization(key))
    assert late(instance, REPOSITORY, since) == {}
    says(instance, PEOPLE, FreshnessState.WARN)
    says(instance, calls, FreshnessState.WARN)
    found = late(instance, REPOSITORY, since)
    assert {(name, f.severity, f.subject) for name, f in found.items()} == {
        ("realtime", "warning", "2 realtime tables are not fresh")
    }
    says(instance, calls, FreshnessState.FAIL)
    says(instance, monthly, FreshnessState.FAIL)
    found = late(instance, REPOSITORY, since)
    assert {name: f.severity for name, f in found.items()} == {"realtime": "critical", "daily": "critical"}
    assert "fub_calls, fub_people" in found["realtime"].body["what"]
    for key in since:
        says(instance, key, FreshnessState.PASS)
    assert late(instance, REPOSITORY, since) == {}


def test_a_table_that_never_came_is_late_by_the_same_windows(instance: dg.DagsterInstance) -> None:
    for hours, severity in ((1, None), (3, "warning"), (7, "critical")):
        found = late(instance, REPOSITORY, {PEOPLE: NOW - timedelta(hours=hours)}, NOW)
        assert [f.severity for f in found.values()] == ([severity] if severity else [])
    assert "fub_people (never)" in found["realtime"].body["what"]


def test_only_what_the_sweep_of_a_connected_user_reads_is_expected(connection: psycopg.Connection[Any]) -> None:
    assert expected(connection, REPOSITORY) == {}, "a key that is not onboarded yet"
    connection.execute(
        "insert into ops.onboarding_job (user_id, integration, credentials_id, status, ended_at)"
        " select 901, 'fub', id, 'Complete', now() from v2.credentials"
    )
    told = expected(connection, REPOSITORY)
    assert PEOPLE in told and dg.AssetKey("stage_fub_people") in told
    assert dg.AssetKey("stage_rezen_transactions") not in told and dg.AssetKey("title_orders") not in told
    connection.execute("update v2.credentials set state = 'needs_reconnect', verified = false")
    assert expected(connection, REPOSITORY) == {}


def test_every_asset_has_a_trigger_that_is_on_and_each_says_when_it_will(instance: dg.DagsterInstance) -> None:
    held = triggers(REPOSITORY, instance)
    assert untriggered(REPOSITORY, held) == []
    assert not any(findings(REPOSITORY, held).values())
    names = {each.name for each in held}
    assert names == {d.name for d in (*REPOSITORY.schedule_defs, *REPOSITORY.sensor_defs)}
    assert all(each.next_tick and each.next_tick >= NOW for each in held)
    sweep = next(each for each in held if each.name == "fub_sweep")
    assert {"stage_fub_people", "fub_people"} <= sweep.assets and "title_orders" not in sweep.assets
    assert sweep.next_tick and sweep.next_tick.minute % 15 == 0


def test_an_asset_that_nothing_starts_is_named(instance: dg.DagsterInstance) -> None:
    @dg.asset
    def stray() -> None: ...

    more = dg.Definitions.merge(defs, dg.Definitions(assets=[stray])).get_repository_def()
    held = triggers(more, instance, times=False)
    assert untriggered(more, held) == ["stray"]
    (finding,) = findings(more, held)["asset_without_trigger"].values()
    assert finding.severity == "critical" and "stray" in finding.body["what"] and finding.body["do"] == "v2 triggers"
