"""What the command says to bad input: the message names it and what to do, and nothing has changed."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from resources.postgres import Database
from resources.processes import free_port, wait_until
from sandbox import Sandbox, World, serve
from sandbox.world import Scale
from tests.story import Story
from v2_assets.cli.doctor import connections, definitions
from v2_assets.onboarding.jobs import write_jobs


@pytest.fixture
def sandbox() -> Iterator[Sandbox]:
    with serve(World(7, Scale(people=20, deals=60))) as running:
        yield running


@pytest.fixture
def story(database: Database, sandbox: Sandbox, tmp_path: Path) -> Story:
    return Story.begin(database, sandbox, tmp_path, users=1)


def v2(*words: str, cwd: Path, **environment: str) -> tuple[int, dict[str, Any], str]:
    """Runs the command with --json. Returns the exit code, the document and standard error."""
    (cwd / "dagster.yaml").touch()  # its own project root, so that no .env of this checkout is read
    done = subprocess.run(
        [sys.executable, "-m", "v2_assets.cli", *words, "--json"],
        cwd=cwd,
        env={**os.environ, "PYTHONPATH": str(Path(__file__).parents[2]), "V2_HOME": str(cwd), **environment},
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
        stdin=subprocess.DEVNULL,
    )
    return done.returncode, json.loads(done.stdout), done.stderr


def state(story: Story) -> list[Any]:
    return [
        story.query('select count(*) from v2."user"'),
        story.query("select count(*) from v2.credentials"),
        story.query("select count(*) from ops.onboarding_job"),
        story.query("select count(*) from staging.stage_fub_people"),
    ]


@pytest.mark.parametrize("name", ["999", "nobody@example.test", "f00-unknown"])
def test_an_unknown_user_is_an_error_that_names_the_id(story: Story, tmp_path: Path, name: str) -> None:
    before = state(story)
    code, result, _ = v2("sync", "--user", name, cwd=tmp_path, **story.environment())
    assert (code, result["success"], result["error"]["code"]) == (1, False, "unknown_user")
    assert name in result["error"]["message"]
    assert "v2 status" in result["error"]["hint"]
    assert state(story) == before


def test_a_user_without_a_usable_connection_is_told_so(story: Story, tmp_path: Path) -> None:
    with story.database.connect() as connection:
        connection.execute("update v2.credentials set state = 'needs_reconnect'")
    code, result, _ = v2("sync", "--user", str(story.users[0]), "--dry-run", cwd=tmp_path, **story.environment())
    assert (code, result["error"]["code"]) == (1, "missing_credential")
    assert "onboard" in result["error"]["hint"]


def test_a_dry_run_names_requests_and_rows_and_writes_nothing(story: Story, tmp_path: Path) -> None:
    tables = "select sum(n_tup_ins + n_tup_upd + n_tup_del) from pg_stat_user_tables"
    story.query("select pg_stat_force_next_flush()")
    before = story.query(tables)
    code, result, _ = v2(
        "sync", "--user", str(story.users[0]), "--integration", "fub", "--dry-run", cwd=tmp_path, **story.environment()
    )
    assert (code, result["success"]) == (0, True)
    people = next(p for p in result["data"] if p["stream"] == "fub/people")
    assert people["pass"] == "full" and people["expected"] > 0
    assert any("/people" in request for request in people["requests"])
    assert story.sandbox.world.users[0].fub_key not in json.dumps(result)
    story.query("select pg_stat_force_next_flush()")
    assert story.query(tables) == before


def test_an_unreachable_database_is_an_error_that_names_the_place_and_hides_the_password(tmp_path: Path) -> None:
    port = free_port()
    url = f"postgresql://someone:verysecret@127.0.0.1:{port}/v2"
    code, result, err = v2("status", cwd=tmp_path, V2_DATABASE_URL=url, V2_DAGSTER_DATABASE_URL=url)
    assert (code, result["error"]["code"]) == (1, "database")
    assert f"127.0.0.1:{port}" in result["error"]["message"]
    assert "verysecret" not in json.dumps(result) + err


def test_a_schema_that_is_behind_is_an_error_that_names_the_command(empty_database: str, tmp_path: Path) -> None:
    urls = {"V2_DATABASE_URL": empty_database, "V2_DAGSTER_DATABASE_URL": empty_database}
    code, result, _ = v2("status", cwd=tmp_path, **urls)
    assert (code, result["error"]["code"]) == (1, "migration_behind")
    assert "v2 migrate" in result["error"]["hint"]
    code, result, _ = v2("migrate", cwd=tmp_path, **urls)
    assert (code, result["success"]) == (0, True) and result["data"]["applied"]
    assert v2("status", cwd=tmp_path, **urls)[0] == 0


def test_an_unreadable_setting_is_an_error_that_names_it(tmp_path: Path) -> None:
    code, result, _ = v2("status", cwd=tmp_path, V2_UI_PORT="the usual one")
    assert (code, result["error"]["code"]) == (1, "config")
    assert "V2_UI_PORT" in result["error"]["message"]


def test_an_unreadable_env_file_is_an_error_that_names_it(tmp_path: Path) -> None:
    (tmp_path / ".env").write_bytes(b"V2_HOME=\xff\xfe\n")
    code, result, _ = v2("status", cwd=tmp_path)
    assert (code, result["error"]["code"]) == (1, "config")
    assert ".env" in result["error"]["message"]


def test_a_wrong_call_exits_with_2_and_says_what_there_is(story: Story, tmp_path: Path) -> None:
    code, result, _ = v2("sync", "--entity", "contacts", cwd=tmp_path, **story.environment())
    assert (code, result["error"]["code"]) == (2, "usage")
    assert "fub/people" in result["error"]["message"]


def test_onboarding_enters_an_encrypted_key_that_the_sensor_will_verify(story: Story, tmp_path: Path) -> None:
    words = ("onboard", "--user", "jane@example.test", "--name", "Jane Doe", "--platform", "fub", "--key-env", "KEY")
    code, result, err = v2(*words, cwd=tmp_path, KEY="fka_a_key_of_jane", **story.environment())
    assert (code, result["success"]) == (0, True), err
    rows = story.query(
        'select c.state, c.verified, c.api_key from v2.credentials c join v2."user" u on u.id = c.user_id'
        " where u.email = 'jane@example.test'"
    )
    assert rows[0][:2] == ("new", False)
    assert "fka_a_key_of_jane" not in rows[0][2] + json.dumps(result) + err


@pytest.mark.parametrize(("end", "exit_code"), [("Complete", 0), ("Partial", 1), ("Error", 1)])
def test_an_onboarding_that_is_watched_exits_with_an_error_when_something_was_not_read(
    story: Story, tmp_path: Path, end: str, exit_code: int
) -> None:
    def it_ends() -> bool:
        with story.database.connect() as connection:
            return bool(
                connection.execute(
                    "update ops.onboarding_job set status = %s, ended_at = now() where status = 'New'", [end]
                ).rowcount
            )

    story.only("fub", story.users[0])
    with story.database.connect() as connection:
        write_jobs(connection, ["fub"])
        connection.execute("update ops.onboarding_job set status = 'Error', ended_at = now()")
    with ThreadPoolExecutor() as pool:
        sensor = pool.submit(wait_until, it_ends, 110)
        words = ("onboard", "--user", str(story.users[0]), "--platform", "fub", "--retry", "--watch")
        code, result, err = v2(*words, cwd=tmp_path, **story.environment())
        assert sensor.result(), err
    assert (code, result["success"]) == (exit_code, exit_code == 0), err
    assert [job["status"] for job in result["data"]["jobs"]] == [end]
    if exit_code:
        assert result["error"]["code"] == "onboarding_ended" and end in result["error"]["message"]


def test_reconcile_is_clean_after_a_sync_and_lists_what_is_missing_before(story: Story, tmp_path: Path) -> None:
    code, result, _ = v2("reconcile", "--integration", "rezen", cwd=tmp_path, **story.environment())
    assert (code, result["error"]["code"]) == (1, "not_clean")
    assert {m["reason"] for m in result["data"]["missing"]} == {"never_fetched"}
    story.sync_all("rezen")
    code, merged, _ = v2("merge", cwd=tmp_path, **story.environment())
    assert (code, merged["success"]) == (0, True)
    code, result, _ = v2("reconcile", "--integration", "rezen", cwd=tmp_path, **story.environment())
    assert (code, result["data"]["clean"]) == (0, True)
    # A front line's members are told by the down-line already.
    assert {m["detail"]["status_reason"] for m in result["data"]["missing"]} == {"in_down_line"}


def test_an_unknown_word_is_listed_and_taught_by_command_without_fetching(story: Story, tmp_path: Path) -> None:
    with story.database.connect() as connection:
        connection.execute("delete from ops.code_map where code_set = 'property_type' and value = 'Residential'")
    story.sync_all("rezen")
    v2("merge", cwd=tmp_path, **story.environment())
    code, result, _ = v2("codes", cwd=tmp_path, **story.environment())
    assert code == 0 and {(w["source"], w["code_set"], w["word"]) for w in result["data"]} == {
        ("rezen", "property_type", "RESIDENTIAL")
    }
    assert {w["table"] for w in result["data"]} == {"stage_rezen_transactions", "stage_rezen_listings"}
    story.sandbox.requests.clear()
    words = ("codes", "add", "rezen", "property_type", "RESIDENTIAL")
    code, result, _ = v2(*words, "Homes", cwd=tmp_path, **story.environment())
    assert (code, result["error"]["code"]) == (1, "config") and "Residential" not in result["error"]["hint"]
    code, result, _ = v2(*words, "Residential", "--new", cwd=tmp_path, **story.environment())
    assert code == 0 and sum(result["data"]["pending"].values()) > 0
    v2("merge", cwd=tmp_path, **story.environment())
    assert v2("codes", cwd=tmp_path, **story.environment())[1]["data"] == []
    assert story.query("select count(*) from v2.transaction where property_type = 'Residential'")[0][0] > 0
    assert story.sandbox.requests.total() == 0


def test_doctor_says_line_by_line_what_is_right_and_what_is_not(story: Story, tmp_path: Path) -> None:
    code, result, _ = v2("doctor", cwd=tmp_path, **story.environment())
    assert code == 0, result
    story.sandbox.faults.add({"name": "revoked_key", "path": "/fub"})
    code, result, _ = v2("doctor", cwd=tmp_path, **story.environment())
    assert (code, result["error"]["code"]) == (1, "unwell")
    failed = [line["what"] for line in result["data"] if line["state"] == "fail"]
    assert failed == [f"fub of user {story.users[0]}"]


def test_definitions_that_do_not_load_are_named_with_what_to_do(monkeypatch: pytest.MonkeyPatch) -> None:
    assert definitions().state == "ok"
    monkeypatch.setitem(sys.modules, "v2_assets.definitions", None)
    broken = definitions()
    assert (broken.state, broken.found[:19]) == ("fail", "ModuleNotFoundError") and "upgrade.md" in broken.do


def test_a_server_that_allows_too_few_connections_is_named_with_what_to_do() -> None:
    assert (connections(300).state, connections(300).do) == ("ok", "")
    few = connections(100)
    assert few.state == "warn" and "100" in few.found and "max_connections" in few.do
