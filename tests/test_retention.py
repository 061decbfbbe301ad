"""What is old enough goes, and nothing else: each rule with rows on both sides of its line."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from resources.postgres import Database
from resources.settings import Settings, load_settings
from tests.conftest import PostgresServer
from v2_assets.gate.comparisons import PARTIAL, read
from v2_assets.retention import forget

OLD, NEW = "now() - interval '400 days'", "now() - interval '1 day'"


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return load_settings(home=tmp_path)


@pytest.fixture
def dagster(postgres_server: PostgresServer) -> Iterator[Database]:
    """Dagster's tables as far as they are purged, empty; tests/dagster fills them through Dagster itself."""
    name = postgres_server.create()
    database = Database(postgres_server.url(name))
    with database.connect() as connection:
        connection.execute("create table runs (id bigint, run_id text, status text, end_time double precision)")
        connection.execute(
            "create table event_logs (id bigint, run_id text, asset_key text, partition text, dagster_event_type text,"
            ' "timestamp" timestamp)'
        )
        connection.execute("create table asset_event_tags (event_id bigint)")
        connection.execute(
            "create table asset_check_executions (id bigint, asset_key text, check_name text, partition text,"
            " create_timestamp timestamp)"
        )
    yield database
    postgres_server.drop(name)


def fill(connection: Any) -> None:
    """Of everything one row that has to go and rows that have to stay; what stays is named so."""
    for when, name in ((OLD, "go"), (NEW, "stay")):
        connection.execute(
            "insert into ops.webhook_inbox (source, event_key, credentials_id, event, body, received_at, state, reason,"
            f" handled_at) values ('fub', 'done {name}', 1, 'e', '', {when}, 'done', 'stored', now()),"
            f" ('fub', 'parked {name}', 1, 'e', '', {when}, 'parked', 'failed', now()),"
            f" ('fub', 'new stay {name}', 1, 'e', '', {when}, 'new', null, null)"
        )
        connection.execute(
            "with i as (insert into ops.incident (code, key, severity, told, subject, recovered_at)"
            f" values ('run_failed', '{name}', 'warning', 'warning', '{name}', {when}) returning id)"
            " insert into ops.alert (code, severity, subject, incident_id, delivered_at)"
            f" select 'run_failed', 'warning', '{name}', id, {when} from i"
        )
        connection.execute(
            f"insert into ops.error_log (\"where\", code, message, at) values ('x', 'y', '{name}', {when})"
        )
        connection.execute(
            f"insert into ops.merge_run (table_name, run_id, ended_at) values ('fub_people', '{name}', {when})"
        )
    connection.execute(
        "insert into ops.incident (code, key, severity, told, subject, opened_at)"
        f" values ('row_gap', 'open', 'warning', 'warning', 'stay: it lasts', {OLD})"
    )
    connection.execute(
        "insert into ops.alert (code, severity, subject, created_at) values ('row_gap', 'info',"
        f" 'stay: undelivered', {OLD})"
    )
    for account in ("a", "a", "a", "b"):
        connection.execute(
            "insert into ops.sweep (account_ref, integration, entity, completed_at) values (%s, 'fub', 'people',"
            f" {OLD})",
            [account],
        )


GONE = """
insert into staging.stage_xano_title_agencies (user_id, account_ref, source_id, payload, payload_hash, fetched_at,
  run_id, status, status_reason, missed_sweeps, missing_since)
values (1, 'x', %s, '{}', '', now(), 'r', 'filtered', 'rule', %s, now() - %s * interval '1 day')
"""


def test_what_is_old_goes_and_what_is_young_open_or_unsent_stays(
    database: Database, dagster: Database, settings: Settings
) -> None:
    with database.connect() as connection:
        fill(connection)
        for name, missed, days in (("go", 2, 400), ("stay: young", 2, 1), ("stay: missed once", 1, 400)):
            connection.execute(GONE, [name, missed, days])
    due = {f.name: f.rows for f in forget(database, dagster, settings, apply=False) if f.rows}
    # The incident goes once its message is gone, so it is not due yet.
    wanted = {"inbox": 1, "parked": 1, "alerts": 1, "errors": 1, "merges": 1, "sweeps": 1}
    assert due == wanted | {"stage_xano_title_agencies": 1}
    removed = {f.name: f.rows for f in forget(database, dagster, settings, apply=True) if f.rows}
    assert removed == due | {"incidents": 1}
    assert not [f for f in forget(database, dagster, settings, apply=True) if f.rows], "twice removes nothing more"
    with database.connect() as connection:
        for column, table in (
            ("event_key", "ops.webhook_inbox"),
            ("subject", "ops.incident"),
            ("subject", "ops.alert"),
            ("message", "ops.error_log"),
            ("run_id", "ops.merge_run"),
            ("source_id", "staging.stage_xano_title_agencies"),
        ):
            left = connection.execute(f"select {column} from {table}".encode()).fetchall()
            assert left and all("stay" in name for (name,) in left), (table, left)
        assert connection.execute("select account_ref, count(*) from ops.sweep group by 1 order by 1").fetchall() == [
            ("a", 2),
            ("b", 1),
        ], "the last two sweeps of a stream are what the next is compared with"


def test_a_record_that_is_gone_is_kept_while_its_row_lives_or_a_copy_leans_on_it(
    database: Database, dagster: Database, settings: Settings
) -> None:
    with database.connect() as connection:
        connection.execute(
            "insert into v2.office (source, office_id_raw, deleted_at)"
            " values ('skyslope', 'dead', now()), ('skyslope', 'live', null)"
        )
        for name, office in (("of a dead row", "dead"), ("of a living row", "live"), ("leaned on", "dead")):
            connection.execute(
                "insert into staging.stage_skyslope_offices (user_id, account_ref, source_id, payload, payload_hash,"
                " fetched_at, run_id, status, processed_at, v2_id, missed_sweeps, missing_since)"
                " select 1, 'x', %s, '{}', '', now(), 'r', 'processed', now(), id, 2, now() - interval '400 days'"
                " from v2.office where office_id_raw = %s",
                [name, office],
            )
        connection.execute(
            "insert into staging.stage_skyslope_offices (user_id, account_ref, source_id, payload, payload_hash,"
            " fetched_at, run_id, status, duplicate_of)"
            " select 2, 'y', 'the copy', '{}', '', now(), 'r', 'duplicate', id"
            " from staging.stage_skyslope_offices where source_id = 'leaned on'"
        )
    forget(database, dagster, settings, apply=True)
    with database.connect() as connection:
        left = connection.execute("select source_id from staging.stage_skyslope_offices order by id").fetchall()
    assert left == [("of a living row",), ("leaned on",), ("the copy",)]


def test_more_than_a_batch_goes_in_one_call(
    database: Database, dagster: Database, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("v2_assets.retention.apply.BATCH", 10)
    with database.connect() as connection:
        connection.execute(
            f"insert into ops.error_log (\"where\", code, message, at) select 'x', 'y', 'z', {OLD}"
            " from generate_series(1, 35)"
        )
    told = {f.name: f.rows for f in forget(database, dagster, settings, apply=True)}
    assert told["errors"] == 35


def comparison(connection: Any, ended_at: str, scope: str = "full", status: str = "complete", *tables: str) -> int:
    """A comparison with one difference in each table."""
    [(number,)] = connection.execute(
        "insert into ops.comparison_run (scope, status, started_at, ended_at) values"
        f" (%s, %s, {ended_at}, case when %s <> 'running' then {ended_at} end) returning id".encode(),
        [scope, status, status],
    ).fetchall()
    for table in tables or ("agent",):
        connection.execute(
            "insert into ops.comparison_table (run_id, table_name, status) values (%s, %s, 'compared')", [number, table]
        )
        connection.execute(
            "insert into ops.comparison_diff (run_id, table_name, kind, keys, reason, cells)"
            " values (%s, %s, 'changed', '{}', 'bug', '{\"x\": [1, 2]}')",
            [number, table],
        )
    return number


def test_differences_go_when_they_are_old_unless_the_gate_the_last_look_or_an_answer_rests_on_them(
    database: Database, dagster: Database, settings: Settings
) -> None:
    with database.connect() as connection:
        alone = comparison(connection, OLD, "full", "complete", "agent", "team")
        gone = [comparison(connection, OLD, scope, status) for scope, status in (
            ("full", "failed"), ("full", "running"), ("full", "complete"))]  # fmt: skip
        gate = [comparison(connection, OLD) for _ in range(settings.gate_green_runs)]
        gone += [comparison(connection, OLD, "sample") for _ in range(5)]
        partial = [comparison(connection, OLD, "user") for _ in range(PARTIAL)]
        last = comparison(connection, OLD, "full", "failed")
        before = read(connection, settings.gate_green_runs)
    told = {f.name: f.rows for f in forget(database, dagster, settings, apply=True)}
    assert told["differences"] == len(gone)
    with database.connect() as connection:
        left = connection.execute("select distinct run_id from ops.comparison_diff order by 1").fetchall()
        assert [row[0] for row in left] == [alone, *gate, *partial, last]
        assert read(connection, settings.gate_green_runs) == before
        assert connection.execute("select count(*) from ops.comparison_table").fetchall() == [
            (2 + len(gone) + len(gate) + len(partial) + 1,)
        ], "what was counted stays"


def test_differences_of_a_young_comparison_stay(database: Database, dagster: Database, settings: Settings) -> None:
    with database.connect() as connection:
        for _ in range(settings.gate_green_runs + 2):
            comparison(connection, NEW)
    assert {f.name: f.rows for f in forget(database, dagster, settings, apply=True)}["differences"] == 0
