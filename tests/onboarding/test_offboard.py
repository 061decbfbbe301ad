"""Off-boarding: the key is gone at once, data goes only when asked for, nothing is orphaned; a user can come back."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from psycopg import sql

from resources.postgres import Database
from sandbox import Sandbox, World, serve
from sandbox.world import Scale
from tests.story import DOMAINS, Story
from v2_assets.checks.rules import judge, rules
from v2_assets.incidents import report_now
from v2_assets.onboarding.jobs import write_jobs
from v2_assets.onboarding.offboard import connections, disconnect, remove_data
from v2_assets.reconcile import reconcile
from v2_assets.schema import metadata
from v2_assets.schema.stage import STREAMS

#: Ids, clocks of ours and keys that point to ids differ from one database to another.
_OURS = ("id", "created_at", "updated_at")


@pytest.fixture
def sandbox() -> Iterator[Sandbox]:
    with serve(World(7, Scale(people=30, deals=12))) as running:
        running.limits.raised = {"global": 100_000, "events": 100_000, "xano": 100_000}
        yield running


@pytest.fixture
def story(database: Database, sandbox: Sandbox, tmp_path: Path) -> Story:
    return Story.begin(database, sandbox, tmp_path, users=2)


def read(story: Story, platform: str, *users: int) -> None:
    story.sync_all(platform, list(users))
    for _ in range(2):  # what a first merge sets free is merged by the second
        story.merge_all(list(DOMAINS), list(users))


def off_board(story: Story, user: int, platform: str, *, delete: bool) -> dict[str, int]:
    removed: dict[str, int] = {}
    with story.database.connect() as db:
        for held in connections(db, user, platform):
            with db.transaction():
                disconnect(db, held)
                removed |= remove_data(db, held) if delete else {}
    return removed


def rows(story: Story, platform: str) -> dict[str, int]:
    """Living rows by table that come from this platform."""
    found: dict[str, int] = {}
    with story.database.connect() as db:
        for table in metadata.sorted_tables:
            if table.schema == "v2" and {"source", "deleted_at"} <= set(table.columns.keys()):
                query = sql.SQL("select count(*) from {} where source = %s and deleted_at is null")
                row = db.execute(query.format(sql.Identifier("v2", table.name)), [platform]).fetchone()
                found[table.name] = row[0] if row else 0
    return {name: number for name, number in found.items() if number}


def staged(story: Story, user: int) -> int:
    tables = (f"select count(*) as n from staging.{s.table} where user_id = {user}" for s in STREAMS)
    return int(story.query(f"select sum(n) from ({' union all '.join(tables)}) t")[0][0])


def broken_rules(story: Story) -> dict[Any, Any]:
    with story.database.connect() as db:
        told = {(r.table, r.name): judge(db, r) for r in rules() if r.severity == "ERROR"}
    return {rule: verdict for rule, verdict in told.items() if verdict.number}


def test_keeping_data_only_takes_the_connection_away(story: Story) -> None:
    user = story.users[0]
    read(story, "skyslope", user)
    before, kept = rows(story, "skyslope"), staged(story, user)
    with story.database.connect() as db:
        [(credentials,)] = story.query(
            "select id from v2.credentials where user_id = %s and platform = 'skyslope'", user
        )
        write_jobs(db, ["skyslope"])
        report_now(
            db, code="credential_refused", key=f"skyslope/{credentials}", severity="warning", subject="s", body={}
        )
    assert off_board(story, user, "skyslope", delete=False) == {}
    assert (rows(story, "skyslope"), staged(story, user)) == (before, kept)
    assert story.query(
        "select api_key, api_secret, active, deleted_at is not null from v2.credentials where id = %s", credentials
    ) == [(None, None, False, True)]
    assert story.query("select status from ops.onboarding_job where credentials_id = %s", credentials) == [("Error",)]
    assert story.query("select recovered_at is not null from ops.incident") == [(True,)]
    assert story.sync("skyslope", "users", [user])[user].outcome == "no_connection"


@pytest.mark.parametrize("platform", ["fub", "rezen", "skyslope", "title"])
def test_deleting_data_leaves_what_the_others_see_and_no_row_that_points_to_nothing(
    story: Story, platform: str
) -> None:
    stays, goes = story.users
    read(story, platform, stays)
    alone = rows(story, platform)
    read(story, platform, goes)
    removed = off_board(story, goes, platform, delete=True)
    assert sum(number for name, number in removed.items() if name.startswith("staging.")) > 0
    assert staged(story, goes) == 0
    for _ in range(2):
        story.merge_all(list(DOMAINS), story.users)  # heirs take over
    after = rows(story, platform)
    assert {name: (after.get(name), number) for name, number in alone.items() if after.get(name, 0) < number} == {}
    assert broken_rules(story) == {}
    report = reconcile(story.database, story.settings, [stays], [platform], False)
    assert report.clean, [line.model_dump() for line in report.lines]
    assert report.law == []


def test_who_comes_back_after_a_deletion_has_what_a_new_user_has(story: Story) -> None:
    user = story.users[0]
    for platform in ("fub",):
        read(story, platform, user)
        fresh = rows(story, platform)
        [(key, account)] = story.query(
            "select api_key, account_id from v2.credentials where user_id = %s and platform = %s", user, platform
        )
        off_board(story, user, platform, delete=True)
        left = {name: number for name, number in rows(story, platform).items() if name in fresh}
        assert left == {}, "nothing of it is left"
        with story.database.connect() as db:
            db.execute(
                "update v2.credentials set api_key = %s, account_id = %s, state = 'ok', active = true, verified = true,"
                " verified_at = now(), deleted_at = null where user_id = %s and platform = %s",
                [key, account, user, platform],
            )
        read(story, platform, user)
        assert rows(story, platform) == fresh
