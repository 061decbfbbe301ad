"""`v2 compare` as a person calls it, over the sandbox's V1."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import orjson
import pytest

from resources.postgres import Database
from sandbox import Sandbox, Scale, World, serve
from sandbox.world.v1 import NAMES
from tests.imports.v1_copies import write_files
from tests.story import Story
from v2_assets.cli import main


@pytest.fixture(scope="module")
def sandbox() -> Iterator[Sandbox]:
    with serve(World(5, Scale(people=10, deals=20))) as running:
        running.limits.raised = {"xano": 10**6, "global": 10**6, "events": 10**6}
        yield running


@pytest.fixture
def v2(database: Database, sandbox: Sandbox, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: Any) -> Any:
    story = Story.begin(database, sandbox, tmp_path, users=2)
    for name, value in story.environment().items():
        monkeypatch.setenv(name, value)
    (tmp_path / "dagster.yaml").touch()  # its own project root, so that no .env of this checkout is read
    monkeypatch.chdir(tmp_path)

    def call(*words: str) -> tuple[int, Any]:
        capsys.readouterr()
        with pytest.raises(SystemExit) as ended:
            main(["compare", *words])
        out = capsys.readouterr().out
        return int(ended.value.code or 0), orjson.loads(out) if "--json" in words else out

    return call


def test_v1_is_read_by_its_api_compared_and_shown_again(v2: Any, sandbox: Sandbox) -> None:
    code, told = v2("--json")
    assert code == 0, told["error"]
    tables = {each["table"]: each for each in told["data"]["tables"]}
    v1 = sandbox.world.v1.tables
    assert tables["user"]["rows_v1"] == len(v1["user"])
    assert tables["user"]["same"] + tables["user"]["changed"] == 2
    assert tables["title_disbursements"]["missing"] == len(v1["title_disbursements"])
    assert tables["transaction_history"]["status"] == "not_in_v1"
    for each in tables.values():
        assert each["explained"] + each["open"] + each["red"] == each["missing"] + each["extra"] + each["changed"]
    calls = sandbox.requests.total()
    code, shown = v2("--last")
    assert code == 0
    assert "title_disbursements" in shown
    code, again = v2("--table", "user,agent", "--since", str(told["data"]["id"]), "--json")
    assert code == 0
    assert {(c["table"], c["new"], c["gone"]) for c in again["data"]["changes"] if c["table"] == "user"} <= {
        ("user", 0, 0)
    }
    assert sandbox.requests.total() == calls, "V1 was read again though it was there"


def test_a_folder_is_read_when_it_is_given_and_strict_makes_an_error_of_what_nothing_explains(
    v2: Any, sandbox: Sandbox, tmp_path: Path, database: Database
) -> None:
    write_files(sandbox.world.v1, tmp_path / "files")
    with database.connect() as connection:
        connection.execute("insert into v2.title_users (title_user_id_raw, source) values ('made up', 'title')")
    words = ("--from-folder", str(tmp_path / "files"), "--table", "title_users", "--json")
    code, told = v2(*words)
    assert (code, told["data"]["snapshot"]) == (0, "folder files")
    assert sum(each["red"] for each in told["data"]["tables"]) > 0
    code, told = v2(*words, "--strict")
    assert (code, told["error"]["code"]) == (1, "differences_found")
    assert told["data"]["tables"][0]["table"] == "title_users"


def test_what_was_compared_is_shown_before_the_tables_that_failed_and_the_exit_code_tells_of_them(
    v2: Any, sandbox: Sandbox, tmp_path: Path
) -> None:
    write_files(sandbox.world.v1, tmp_path / "files")
    events = tmp_path / "files" / f"{NAMES.get('title_events', 'title_events')}.csv"
    events.write_text(events.read_text(encoding="utf-8-sig").replace("event_key", "happening", 1), encoding="utf-8")
    words = ("--from-folder", str(tmp_path / "files"), "--table", "title_events,title_users")
    code, shown = v2(*words)
    assert code == 1
    table, failures = shown.index("title_users"), shown.index("title_events could not be compared: ")
    assert table < failures
    code, told = v2(*words, "--strict", "--json")
    assert (code, told["error"]["code"]) == (1, "compare_failed")
    assert {each["table"]: each["status"] for each in told["data"]["tables"]} == {
        "title_users": "compared", "title_events": "failed",
    }  # fmt: skip


def test_a_scope_of_one_user_and_a_sample_are_said_in_the_answer(v2: Any) -> None:
    code, told = v2("--user", "user1@example.test", "--table", "user_roles", "--json")
    assert (code, told["data"]["scope"], told["data"]["tables"][0]["rows_v1"]) == (0, "user", 1)
    code, told = v2("--sample", "50", "--table", "user_roles", "--json")
    assert (code, told["data"]["scope"]) == (0, "sample")
    assert v2("--sample", "50", "--user", "user1@example.test", "--json")[0] == 2
