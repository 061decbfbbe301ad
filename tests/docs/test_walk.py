"""A newcomer with only the manual: the blocks that its pages mark for the walk are typed as they stand.

One platform with a small sandbox; the walk goes on from step to step as a person would, so it is one test.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from pydantic import SecretStr

from resources.embedded import ensure_databases
from resources.postgres import Database
from resources.settings import Settings, load_settings
from sandbox import Sandbox, World, serve
from sandbox.world import Scale
from tests.pages import ROOT, block
from v2_assets.cli.sandbox_users import sandbox_settings
from v2_assets.platform import Platform


@dataclass(frozen=True)
class Desk:
    """Where the newcomer sits: a folder, a shell with `v2` in it, and a view of the database for us."""

    folder: Path
    environment: dict[str, str]
    database: Database

    def type(self, commands: str) -> str:
        """What the shell answers. Fails when a command does."""
        done = subprocess.run(
            ["bash", "-e", "-c", commands],
            cwd=self.folder,
            env=self.environment,
            capture_output=True,
            text=True,
            check=False,
            stdin=subprocess.DEVNULL,
        )
        assert done.returncode == 0, f"{commands}\n{done.stdout}\n{done.stderr}"
        return done.stdout

    def query(self, text: str) -> list[Any]:
        with self.database.connect() as connection:
            return connection.execute(text.encode()).fetchall()

    def counts(self) -> dict[str, int]:
        """Rows of the product's tables."""
        names = self.query("select tablename from pg_tables where schemaname = 'v2' order by 1")
        return {name: self.query(f'select count(*) from v2."{name}"')[0][0] for (name,) in names}


@pytest.fixture
def sandbox() -> Iterator[Sandbox]:
    with serve(World(7, Scale(people=8, deals=4))) as running:
        running.limits.raised = {"global": 100_000, "events": 100_000}
        yield running


def exported(settings: Settings) -> dict[str, str]:
    told = {f"V2_{name.upper()}": getattr(settings, name) for name in settings.model_fields_set}
    return {k: v.get_secret_value() if isinstance(v, SecretStr) else str(v) for k, v in told.items() if v is not None}


@pytest.fixture
def desk(sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch) -> Iterator[Desk]:
    """The platform runs."""
    home = Path(tempfile.mkdtemp(prefix="v2-walk-"))
    home.chmod(0o711)  # when root starts it, the server runs as another account that has to pass here
    settings = load_settings(
        home=home, **sandbox_settings(load_settings(home=home), sandbox.url) | {"receiver_public_url": None}
    )
    platform = Platform(settings, folder=ROOT)
    (home / "bin").mkdir()
    (home / "bin/v2").write_text(f'#!/bin/sh\nexec {sys.executable} -m v2_assets.cli "$@"\n')
    (home / "bin/v2").chmod(0o755)
    (home / "key.txt").write_text(sandbox.world.users[0].fub_key + "\n")
    shutil.copy(ROOT / "dagster.yaml", home)
    environment = os.environ | exported(settings)
    environment |= {"PATH": f"{home / 'bin'}:{os.environ['PATH']}", "PYTHONPATH": str(ROOT), "COLUMNS": "200"}
    try:
        platform.up(web=False)
        database = Database(ensure_databases(settings).v2)
        yield Desk(home, environment, database)
    finally:
        platform.down()
        shutil.rmtree(home, ignore_errors=True)


@pytest.mark.timeout(1800)  # it waits for a whole platform, which may share its machine
def test_a_newcomer_onboards_finds_replays_rotates_and_restores_by_the_manual(desk: Desk) -> None:
    # Onboard a user.
    said = desk.type(block("keys.md", "onboard"))
    assert "fub: Complete" in said and "jane@example.com" in said

    # Find out why a record is missing: an older release could not read it.
    missing = desk.query("select id from v2.fub_calls order by id limit 1")[0][0]
    rejected = desk.query(
        "update staging.stage_fub_calls set status = 'rejected', status_reason = 'invalid_record', v2_id = null,"
        f' status_detail = \'{{"field": "duration"}}\' where v2_id = {missing} returning source_id'
    )
    desk.query(f"delete from v2.fub_calls where id = {missing} returning 1")
    looking = block("missing-record.md", "why").replace("4711", rejected[0][0])
    said = desk.type(looking)
    assert "It is rejected: invalid_record (field duration)" in said
    assert "v2 retry --table stage_fub_calls --reason invalid_record" in said

    # Replay rejected rows.
    said = desk.type(block("replay.md", "replay"))
    assert f"{len(rejected)} records are pending again, 0 stay rejected" in said
    assert "clean: every record is in V2 or listed with a reason" in said
    assert "It is in V2: row" in desk.type(looking.splitlines()[0])

    # Rotate a key.
    before = (desk.folder / "secret.key").read_text()
    said = desk.type(block("keys.md", "keys"))
    assert "1 values moved" in said and "forgotten: " in said
    assert len((desk.folder / "secret.key").read_text().split()) == 1
    assert (desk.folder / "secret.key").read_text() != before

    # Restore a backup after a disaster.
    desk.type(block("backup.md", "backup"))
    kept = desk.counts()
    desk.query("delete from v2.fub_calls returning 1")
    assert desk.counts() != kept
    said = desk.type(block("backup.md", "restore"))
    assert "each table with as many as it had" in said
    assert "fail" not in said, "the doctor is content"
    ensure_databases(load_settings(home=desk.folder))  # `v2 down` has stopped the server; to look, it is enough
    assert desk.counts() == kept
