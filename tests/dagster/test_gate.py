"""The gate in Dagster: it informs and blocks nothing, its page is stored, and its sensor takes back what turned red."""

from __future__ import annotations

import html
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import dagster as dg
import psycopg
import pytest

from resources.postgres import Database
from sensors.gate import gate_sensor
from tests.gate.compared import comparison, difference, user
from v2_assets.api.catalogue import ENDPOINTS
from v2_assets.definitions import build_defs
from v2_assets.gate.assets import gate_job
from v2_assets.gate.rules import Verdict
from v2_assets.gate.switch import in_force, set_share
from v2_assets.platform_resource import PlatformResource

_QUIET = {"loggers": {"console": {"config": {"log_level": "CRITICAL"}}}}
#: What is personal in the fixture, wherever it stands.
SECRETS = ("Ada Lovelace", "Ada King", "ada@example.test", "+1 555 0100", "12 Analytical Way")


@pytest.fixture
def connection(
    database: Database, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[psycopg.Connection[Any]]:
    monkeypatch.setenv("V2_HOME", str(tmp_path))
    monkeypatch.setenv("V2_DATABASE_URL", database.url)
    monkeypatch.setenv("V2_GATE_GREEN_RUNS", "1")
    with database.connect(autocommit=True) as connection:
        user(connection, 901, synced_hours_ago=0.5)
        yield connection


def judged() -> tuple[dict[str, bool], dict[str, Any]]:
    """The checks and the metadata of one run of the job."""
    with dg.DagsterInstance.ephemeral() as instance:
        job = build_defs(platform=PlatformResource()).resolve_job_def(gate_job.name)
        result = job.execute_in_process(instance=instance, run_config=_QUIET)
    assert result.success, "a gate that is red is a verdict and no failure"
    checks = {e.check_name: e.passed for e in result.get_asset_check_evaluations()}
    assert all(e.severity == dg.AssetCheckSeverity.WARN for e in result.get_asset_check_evaluations())
    metadata = result.asset_materializations_for_node("v1_gate")[0].metadata
    return checks, {name: value.value for name, value in metadata.items()}


def tick(cursor: str | None) -> tuple[list[dg.RunRequest], str | None, str | None]:
    """What the sensor asks for, its new cursor, and what it says."""
    with dg.DagsterInstance.ephemeral() as instance:
        context = dg.build_sensor_context(instance=instance, cursor=cursor, resources={"platform": PlatformResource()})
        ticked = gate_sensor.evaluate_tick(context)
    return list(ticked.run_requests or ()), ticked.cursor, ticked.skip_message


def test_the_gate_is_judged_and_its_page_is_stored_without_a_personal_value(
    connection: psycopg.Connection[Any],
) -> None:
    run = comparison(
        connection,
        tables={"fub_people": (1000, 130), "director": (3, 3)},
        counts=(("fub_people", 901, "missing", "never_fetched", 870), ("fub_people", 901, "changed", "unknown", 1)),
        changed={"fub_people": {"people_name": 1, "phone": 1}},
    )
    difference(
        connection, run, "fub_people", "changed", "unknown", user_id=901,
        keys={"fub_people_id_raw": 4711, "email": "ada@example.test"},
        cells={"people_name": ["Ada Lovelace", "Ada King"], "phone": [["+1 555 0100"], None]},
        evidence={"staged": 12, "rule": "newest_wins", "value": "12 Analytical Way"},
    )  # fmt: skip
    checks, told = judged()
    assert checks == {"endpoints_ready": False, "tables_ready": False, "users_ready": False}
    assert told["tables_ready"] == 1 and told["endpoints_ready"] == 0 and told["users_ready"] == 0
    assert "| table | `fub_people` | 1 difference without an accepted reason (1 unknown)" in told["not_ready"]
    row = connection.execute("select id, kind, html from ops.report").fetchone()
    assert row and row[1] == "gate" and told["page"].endswith(f"/reports/{row[0]}")
    page = row[2]
    for shown in ("fub_people", "never fetched", "870", "people_name", "4711", "newest_wins", "staged 12"):
        assert shown in page, shown
    for secret in SECRETS:
        assert secret not in page and html.escape(secret) not in page and secret not in told["not_ready"], secret


def test_the_checks_pass_when_all_is_ready(
    connection: psycopg.Connection[Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("V2_GATE_SHADOW_REQUESTS", "0")
    tables = {table for each in ENDPOINTS.values() for table in each.reads if "." not in table}
    comparison(connection, tables=dict.fromkeys(tables, (0, 0)))
    assert judged()[0] == {"endpoints_ready": True, "tables_ready": True, "users_ready": True}


def test_the_sensor_has_the_page_drawn_once_after_each_comparison(connection: psycopg.Connection[Any]) -> None:
    assert tick(None)[0] == []
    number = comparison(connection)
    (request,), cursor, _ = tick(None)
    assert request.run_key == f"gate/{number}" and tick(cursor)[0] == []
    comparison(connection)
    assert len(tick(cursor)[0]) == 1


def test_the_sensor_takes_back_what_turned_red_without_waiting_for_a_comparison(
    connection: psycopg.Connection[Any],
) -> None:
    path = "/leads/fub_people"
    set_share(connection, [path], 100, who="ada", verdicts=[Verdict("endpoint", path)], users=[901])
    assert in_force(connection).serves_v2(901, path)
    _, _, said = tick(None)
    assert said and said.startswith("1 taken back to V1"), "the endpoint; no user is left who would have to be held"
    assert not in_force(connection).serves_v2(901, path)
    keys = connection.execute("select key from ops.incident where recovered_at is null order by 1").fetchall()
    assert keys == [("endpoint/leads/fub_people",)]
