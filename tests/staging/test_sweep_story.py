"""Full passes from the sandbox that prove nothing, or that nobody drew the conclusion from: what is kept, and told."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from resources.postgres import Database
from sandbox import Sandbox, World, serve
from sandbox.world import Scale
from tests.story import Story
from v2_assets.health.signals import look
from v2_assets.identity import units as identity
from v2_assets.people import units as people
from v2_assets.reference import units as reference

_STATE = "select status, error ->> 'code', last_full_at is not null from ops.sync_state where entity = 'people'"


@pytest.fixture
def sandbox() -> Iterator[Sandbox]:
    with serve(World(7, Scale(people=60, deals=10))) as running:
        running.limits.raised = {"global": 100_000, "events": 100_000, "xano": 100_000}
        yield running


@pytest.fixture
def story(database: Database, sandbox: Sandbox, tmp_path: Path) -> Story:
    return Story.begin(database, sandbox, tmp_path, users=1)


def contacts(story: Story) -> dict[int, Any]:
    return story.sandbox.world.accounts[story.sandbox.world.users[0].fub_account].tables["people"]


def unproven(story: Story) -> list[str]:
    with story.database.connect() as connection:
        return [f.subject for f in look(connection, story.settings, ["sweep_unproven"])["sweep_unproven"].values()]


def read(story: Story, *, full: bool = False) -> Any:
    return story.sync("fub", "people", full=full)[story.users[0]]


def test_a_sweep_that_shrank_stays_told_until_a_full_pass_is_believed(story: Story) -> None:
    read(story)
    rows = contacts(story)
    kept = dict(rows)
    for number in list(rows)[: len(rows) * 2 // 3]:
        rows.pop(number)
    story.sandbox.world.version += 1
    assert read(story, full=True).error.code == "sweep_shrunk"
    assert story.query(_STATE) == [("failed", "sweep_shrunk", True)]
    for _ in range(2):
        assert read(story).outcome == "synced"
        assert story.query(_STATE) == [("idle", "sweep_shrunk", True)]
        assert unproven(story) == ["fub/people: full passes of 1 accounts prove nothing (sweep_shrunk)"]
    rows.update(kept)
    story.sandbox.world.version += 1
    assert read(story, full=True).outcome == "synced"
    assert story.query(_STATE) == [("idle", None, True)]
    assert unproven(story) == []


def test_a_full_pass_that_did_not_meet_all_is_no_full_pass_and_says_so(story: Story) -> None:
    state = _STATE.replace("people", "transactions")
    story.sandbox.faults.add({"name": "counts_off", "by": 1})
    for outcomes in (["incomplete"], ["incomplete"] * 2):
        assert story.sync("rezen", "transactions")[story.users[0]].outcome == "synced"
        assert story.query(state) == [("idle", "sweep_incomplete", False)]
        assert story.query("select outcome from ops.sweep") == [(outcome,) for outcome in outcomes]
    assert unproven(story) == ["rezen/transactions: full passes of 1 accounts prove nothing (sweep_incomplete)"]
    story.sandbox.faults.clear()
    story.sync("rezen", "transactions")
    assert story.query(state) == [("idle", None, True)]
    assert unproven(story) == []


@pytest.mark.parametrize("where", ["apply_sweep", "settle"])
def test_a_run_that_dies_before_its_sweep_is_applied_leaves_it_to_the_next_visit(
    story: Story, monkeypatch: pytest.MonkeyPatch, where: str
) -> None:
    read(story)
    gone = next(iter(contacts(story)))
    contacts(story).pop(gone)
    story.sandbox.world.version += 1

    async def dies(*_: Any, **__: Any) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patched:
        patched.setattr(f"v2_assets.staging.{'sync' if where == 'apply_sweep' else 'sweep'}.{where}", dies)
        with pytest.raises(KeyboardInterrupt):
            read(story, full=True)
    missed = "select missed_sweeps from staging.stage_fub_people where source_id = %s"
    outcomes = "select outcome from ops.sweep order by id desc limit 1"
    assert story.query(outcomes) == [(None,)]
    assert read(story).outcome == "synced"
    assert story.query(outcomes) == [("applied",)]
    assert story.query(missed, str(gone)) == [(1,)]
    assert read(story).outcome == "synced"
    assert story.query(missed, str(gone)) == [(1,)], "a sweep is applied once"


@pytest.mark.parametrize("teams", [None, "renamed", "gone"])
def test_a_profile_that_does_not_list_its_teams_keeps_team_and_roster(
    story: Story, monkeypatch: pytest.MonkeyPatch, teams: str | None
) -> None:
    import resources.apis.rezen.people as reader

    living = (
        "select (select count(*) from v2.team where deleted_at is null),"
        " (select count(*) from v2.team_members where deleted_at is null)"
    )

    def pull() -> None:
        for entity in ("agents", "teams", "team_members"):
            assert story.sync("rezen", entity)[story.users[0]].outcome == "synced"
        story.merge_all([reference, identity, people])

    pull()
    before = story.query(living)
    assert before[0][1] > 0
    real = reader.record

    def record(entity: str, row: Any, *arguments: Any, **more: Any) -> Any:
        if entity == "agents" and isinstance(row, dict) and "teams" in row:
            row = dict(row)
            told = row.pop("teams")
            row |= {"agentTeams": told} if teams == "renamed" else {"teams": None} if teams is None else {}
        return real(entity, row, *arguments, **more)

    monkeypatch.setattr(reader, "record", record)
    story.sandbox.requests.clear()
    for _ in range(3):
        pull()
    assert story.query(living) == before
    assert story.query(
        "select entity, error ->> 'code' from ops.sync_state where integration = 'rezen' order by 1"
    ) == [("agents", None), ("team_members", "sweep_incomplete"), ("teams", "sweep_incomplete")]
    monkeypatch.setattr(reader, "record", real)
    pull()
    assert story.query("select count(*) from ops.sync_state where error is not null") == [(0,)]
