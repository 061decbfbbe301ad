"""`v2 gate` and `v2 switch`: what they say, what they refuse, and that every way back works from the command line."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from resources.postgres import Database
from tests.gate.compared import comparison, user
from v2_assets.cli import main

PEOPLE = "/leads/fub_people"
Ask = Callable[..., tuple[int, dict[str, Any]]]


@pytest.fixture
def ask(database: Database, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Ask:
    """Two users, of whom 902 has a difference that nothing explains; one green comparison is enough."""
    (tmp_path / "dagster.yaml").touch()
    monkeypatch.chdir(tmp_path)
    for name, value in {
        "HOME": str(tmp_path),
        "DATABASE_URL": database.url,
        "DAGSTER_DATABASE_URL": database.url,
        "GATE_GREEN_RUNS": "1",
        "GATE_SHADOW_REQUESTS": "0",
        "GATE_UNEXPLAINED": "0",
    }.items():
        monkeypatch.setenv(f"V2_{name}", value)
    with database.connect() as connection:
        user(connection, 901, synced_hours_ago=0.5)
        user(connection, 902, synced_hours_ago=0.5)
        tables = {"fub_people": (1000, 1000), "fub_calls": (0, 0)}
        comparison(connection, tables=tables, counts=(("fub_calls", 902, "extra", "unknown", 2),))

    def run(*words: str) -> tuple[int, dict[str, Any]]:
        with pytest.raises(SystemExit) as ended:
            main([*words, "--json"])
        return int(ended.value.code or 0), json.loads(capsys.readouterr().out)

    return run


def test_the_gate_says_ready_or_the_rule_that_is_broken_and_its_exit_code_says_the_same(ask: Ask) -> None:
    code, told = ask("gate", "--endpoint", PEOPLE, "--table", "fub_people", "--user", "901")
    assert (code, told["data"]["ready"], len(told["data"]["verdicts"])) == (0, True, 3)
    code, told = ask("gate", "--endpoint", "fub/calls")
    assert (code, told["error"]["code"]) == (1, "not_ready")
    (verdict,) = told["data"]["verdicts"]
    assert verdict["failures"][0]["evidence"] == {"table": "fub_calls"}
    code, told = ask("gate")
    assert code == 1 and {each["kind"] for each in told["data"]["verdicts"]} == {"endpoint", "table", "user"}


def test_a_table_or_endpoint_that_is_not_there_is_a_wrong_call_that_lists_those_there_are(ask: Ask) -> None:
    for option, named in (("--table", "fub_calls, fub_people"), ("--endpoint", PEOPLE)):
        code, told = ask("gate", option, "nothing")
        assert code == 2 and "nothing" in told["error"]["message"] and named in told["error"]["message"]
    code, told = ask("switch", "shadow", "--begin-anew")
    assert code == 2 and "--endpoint" in told["error"]["message"]


def test_a_share_is_raised_refused_overridden_and_taken_back(ask: Ask) -> None:
    code, told = ask("switch", "set", "100", "--endpoint", PEOPLE, "--by", "ada")
    assert code == 1 and told["error"]["code"] == "gate_red" and "user 902" in told["error"]["message"]
    assert ask("switch", "back", "--user", "902", "--reason", "not yet")[1]["data"] == {"user_id": 902, "new": True}
    assert ask("switch", "set", "100", "--endpoint", PEOPLE, "--by", "ada")[0] == 0
    code, told = ask("switch", "set", "50", "--endpoint", "/fub/calls", "--override")
    assert code == 1 and "needs a reason" in told["error"]["message"]
    code, told = ask("switch", "set", "50", "--endpoint", "/fub/calls", "--override", "--reason", "two test rows")
    assert code == 0 and [each["subject"] for each in told["data"]["accepted"]] == ["/fub/calls"]
    code, told = ask("switch", "release", "--user", "902")
    assert code == 1 and told["error"]["code"] == "gate_red"
    _, told = ask("switch", "status")
    assert told["data"]["endpoints"][PEOPLE] == 100 and told["data"]["held_users"] == [902]
    assert told["data"]["decisions"][-1]["reason"] == "not yet" and told["data"]["decisions"][0]["share"] == 50
    assert ask("switch", "back", "--endpoint", PEOPLE)[1]["data"] == {"shares": {PEOPLE: 0}}
    assert ask("switch", "stop", "--reason", "enough")[1]["data"] == {"stopped": ["/fub/calls"]}
    assert ask("switch", "release", "--user", "902", "--override", "--reason", "looked at it")[0] == 0
    _, told = ask("switch", "status")
    assert not any(told["data"]["endpoints"].values()) and told["data"]["held_users"] == []


def test_what_shadow_reading_saw_is_shown_and_forgotten_after_a_repair(ask: Ask, database: Database) -> None:
    with database.connect() as connection:
        connection.execute(
            "insert into ops.shadow_count (endpoint, day, requests) values (%s, current_date, 3)", [PEOPLE]
        )
        connection.execute(
            "insert into ops.shadow_difference (endpoint, day, kind, field, reason, times)"
            " values (%s, current_date, 'value', 'price', 'unknown', 2)",
            [PEOPLE],
        )
    _, told = ask("switch", "shadow")
    assert told["data"]["endpoints"][0]["requests"] == 3 and told["data"]["differences"][0]["field"] == "price"
    _, told = ask("switch", "shadow", "--endpoint", PEOPLE, "--begin-anew")
    assert told["data"] == {"endpoints": [], "differences": []}
