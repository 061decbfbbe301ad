"""`v2 import v1` as a person calls it, and what `v2 reconcile` says of V1 afterwards."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from sandbox import Sandbox, Scale, World, serve
from tests.story import Story
from v2_assets.reconcile import reconcile


@pytest.fixture(scope="module")
def sandbox() -> Iterator[Sandbox]:
    with serve(World(5, Scale(people=40, deals=80))) as running:
        running.limits.raised = {"xano": 10**6, "global": 10**6, "events": 10**6}
        yield running


@pytest.fixture
def story(database: Any, sandbox: Sandbox, tmp_path: Path) -> Story:
    return Story.begin(database, sandbox, tmp_path, users=1)


def v2(story: Story, cwd: Path, *words: str, **environment: str) -> tuple[int, dict[str, Any]]:
    (cwd / "dagster.yaml").touch()  # its own project root, so that no .env of this checkout is read
    done = subprocess.run(
        [sys.executable, "-m", "v2_assets.cli", "import", "v1", *words, "--json"],
        cwd=cwd,
        env={
            **os.environ,
            "PYTHONPATH": str(Path(__file__).parents[2]),
            "V2_HOME": str(cwd),
            "V2_DATABASE_URL": story.database.url,
            "V2_DAGSTER_DATABASE_URL": story.database.url,
            "V2_XANO_BASE_URL": story.sandbox.xano_url,
            "V2_XANO_LIMIT_CALLS": "100000",
            **environment,
        },
        capture_output=True,
        text=True,
        check=False,
        timeout=300,
        stdin=subprocess.DEVNULL,
    )
    return done.returncode, json.loads(done.stdout)


def test_some_tables_come_by_the_api_are_merged_and_reconcile_with_v1(story: Story, tmp_path: Path) -> None:
    rows = story.sandbox.world.v1.tables
    code, told = v2(story, tmp_path, "--user", "user1@example.test", "--tables", "agent,user,team,user_settings")
    assert code == 0, told
    found = {t["table"]: (t["outcome"], t["new"], t["fates"]) for t in told["data"]}
    assert found == {
        name: ("imported", len(rows[name]), {"processed": len(rows[name])})
        for name in ("user", "agent", "team", "user_settings")
    }
    report = reconcile(story.database, story.settings, story.users, ["xano"], False)
    lines = {line.entity: line for line in report.lines}
    assert (lines["user_settings"].at_source, lines["user_settings"].gap) == (len(rows["user_settings"]), 0)


@pytest.mark.parametrize(
    ("words", "code", "says"),
    [
        (("--tables", "people"), "bad_request", "no table people"),
        (("--from-folder", "nowhere"), "bad_request", "no such folder"),
        (("--from-postgres-env", "NOT_SET"), "missing_credential", "NOT_SET is empty"),
        (("--from-folder", ".", "--from-postgres-env", "X"), "usage", "not both"),
        (("--from-folder", ".", "--tables", "team"), "not_found", "no file for team"),
        (("--staged", "--tables", "people"), "bad_request", "no backlog of people"),
    ],
)
def test_a_wrong_call_says_what_is_wrong(
    story: Story, tmp_path: Path, words: tuple[str, ...], code: str, says: str
) -> None:
    done, told = v2(story, tmp_path, "--user", "1", *words)
    assert (done, told["error"]["code"]) == (2 if code == "usage" else 1, code)
    assert says in told["error"]["message"]
