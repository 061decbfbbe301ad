"""What belongs to a record ends with it and comes back with it, under any order of sweeps, losses and returns."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from resources.postgres import Database
from resources.reading import Page, Record
from tests.merge.stage import enter_users, merge_everything, work_of
from v2_assets.checks.rules import judge, rules
from v2_assets.schema import metadata
from v2_assets.schema.ownership import OWNERS, owned_by
from v2_assets.staging.state import StreamKey
from v2_assets.staging.store import store_page
from v2_assets.staging.sweep import apply_sweep, begin_sweep

START = datetime(2031, 3, 1, 12, tzinfo=UTC)
ACCOUNT, USER = "fub/7/1", 1
#: The third is always there: that all is lost is believed only by a person.
PEOPLE, CALLS = ("p-1", "p-2", "p-3"), {"11": "p-1", "12": "p-1", "21": "p-2", "31": "p-3"}
MOVING = PEOPLE[:2]
USERS = [
    {"id": USER, "credentials": [{"platform": "fub", "account_id": "7", "external_user_id": "1"}]},
]


def person(name: str) -> dict[str, Any]:
    return {"id": int(name[2:]), "name": name, "created": "2031-01-01T00:00:00Z", "updated": "2031-02-01T00:00:00Z"}


def call(name: str) -> dict[str, Any]:
    return {
        "id": int(name),
        "personId": int(CALLS[name][2:]),
        "created": "2031-02-01T00:00:00Z",
        "updated": "2031-02-01T00:00:00Z",
    }


class World:
    """Two contacts and their calls at a source that is swept as a whole; merged after each sweep."""

    def __init__(self, database: Database) -> None:
        self.database, self.minutes = database, 0
        with database.connect() as connection:
            enter_users(connection, USERS)
        self.sweep("accounts", [{"id": 7, "name": "Account", "_v2": {}}], "fub_accounts", ["7"])

    def sweep(self, entity: str, rows: list[dict[str, Any]], primary: str, ids: list[str]) -> None:
        async def run() -> None:
            async with self.database.aconnect(autocommit=True) as connection:
                key = StreamKey(integration="fub", entity=entity, account_ref=ACCOUNT, user_id=USER)
                sweep_id = await begin_sweep(connection, key)
                stamp = datetime(2031, 2, 1, tzinfo=UTC)
                records = tuple(Record(i, row, stamp) for i, row in zip(ids, rows, strict=True))
                page = Page(records, None, START + timedelta(minutes=self.minutes))
                async with connection.transaction():
                    await store_page(connection, f"stage_fub_{entity}", key, page, "run", sweep_id)
                await apply_sweep(connection, f"stage_fub_{entity}", primary, key, sweep_id, 1.0, apart=timedelta(0))

        asyncio.run(run())
        self.minutes += 1

    def read(self, people: set[str]) -> None:
        """A full pass of both: the source loses a contact's calls with the contact."""
        shown = sorted(people)
        self.sweep("people", [person(p) for p in shown], "fub_people", [p[2:] for p in shown])
        calls = [c for c, p in CALLS.items() if p in people]
        self.sweep("calls", [call(c) for c in calls], "fub_calls", calls)
        for _ in range(2):
            merge_everything(self.database, [USER], work_of(["stage_fub_people"]))

    def living(self) -> tuple[set[str], set[str]]:
        with self.database.connect() as connection:
            people = connection.execute(
                "select fub_people_id_raw from v2.fub_people where deleted_at is null"
            ).fetchall()
            calls = connection.execute("select call_id from v2.fub_calls where deleted_at is null").fetchall()
        return {f"p-{row[0]}" for row in people}, {str(row[0]) for row in calls}


@settings(max_examples=12)
@given(st.lists(st.sets(st.sampled_from(MOVING)).map(lambda moving: {*moving, PEOPLE[2]}), min_size=2, max_size=6))
def test_calls_live_and_end_with_their_contact_whatever_the_sweeps_show(
    postgres_server: Any, migrated_template: str, shown: list[set[str]]
) -> None:
    name = postgres_server.create(template=migrated_template)
    try:
        world = World(Database(postgres_server.url(name)))
        world.read(set(PEOPLE))
        missed = dict.fromkeys(PEOPLE, 0)
        for people in shown:
            world.read(people)
            missed = {p: 0 if p in people else n + 1 for p, n in missed.items()}
            alive = {p for p, n in missed.items() if n < 2}
            assert world.living() == (alive, {c for c, p in CALLS.items() if p in alive})
    finally:
        postgres_server.drop(name)


def test_what_belongs_to_a_gone_record_is_gone_at_once_although_its_own_sweep_has_not_run(database: Database) -> None:
    world = World(database)
    world.read(set(PEOPLE))
    for _ in range(2):
        world.sweep("people", [person("p-2"), person("p-3")], "fub_people", ["2", "3"])
    assert world.living() == ({"p-2", "p-3"}, {"21", "31"})
    world.sweep("people", [person(p) for p in PEOPLE], "fub_people", ["1", "2", "3"])
    for _ in range(2):
        merge_everything(database, [USER], work_of(["stage_fub_people"]))
    assert world.living() == (set(PEOPLE), set(CALLS))
    with database.connect() as connection:
        broken = [rule.name for rule in rules() if rule.severity == "ERROR" and judge(connection, rule).number]
    assert broken == []


@pytest.mark.parametrize("child", sorted(OWNERS))
def test_every_column_of_ownership_is_a_foreign_key_of_its_table(child: str) -> None:
    table = metadata.tables[f"v2.{child}"]
    for column in OWNERS[child]:
        [target] = [key.column.table.name for key in table.columns[column].foreign_keys]
        assert (child, column) in owned_by(target)


def test_a_record_of_several_accounts_is_deleted_when_the_last_has_missed_it_twice(database: Database) -> None:
    with database.connect() as connection:
        enter_users(connection, [{"id": n} for n in (1, 2, 3)])
    members, work = {"here": {"agent": {"id": "a-1"}}, "gone": {"agent": {"id": "a-2"}}}, work_of(["stage_rezen_teams"])

    async def sweep(user: int, entity: str, primary: str, rows: dict[str, dict[str, Any]]) -> None:
        async with database.aconnect(autocommit=True) as connection:
            key = StreamKey(integration="rezen", entity=entity, account_ref=f"rezen/a/{user}", user_id=user)
            sweep_id = await begin_sweep(connection, key)
            records = tuple(Record(i, {**row, "_v2": {"team_id": "t-1"}}, None) for i, row in rows.items())
            async with connection.transaction():
                page = Page(records, None, START)
                await store_page(connection, f"stage_rezen_{entity}", key, page, "run", sweep_id)
            await apply_sweep(connection, f"stage_rezen_{entity}", primary, key, sweep_id, 1.0, apart=timedelta(0))

    def living() -> int:
        with database.connect() as connection:
            row = connection.execute("select count(*) from v2.team_members where deleted_at is null").fetchone()
        return row[0] if row else -1

    asyncio.run(sweep(1, "teams", "team", {"t-1": {"id": "t-1", "name": "Team"}}))
    rows = {f"t-1:{m['agent']['id']}": m for m in members.values()}
    for round_ in range(3):
        for user in (1, 2, 3):
            asyncio.run(
                sweep(user, "team_members", "team_members", rows if round_ == 0 else dict(list(rows.items())[:1]))
            )
            assert living() in (0, 2) if round_ < 2 else living() == (2 if user < 3 else 1), (round_, user)
        merge_everything(database, [1, 2, 3], work)
        assert living() == (2 if round_ < 2 else 1)
