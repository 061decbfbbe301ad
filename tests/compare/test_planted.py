"""Two thousand differences are planted between V1 and V2: all are found, none is invented, each is called by its name.

The planter (`sandbox.planted`) knows nothing of the comparison; its own list is the truth. V1 is read by its API, the
CRM by its API, and V2 is what reading and merging made of it.
"""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Iterator
from typing import Any

import pytest
from psycopg import sql

from resources.postgres import Database
from sandbox import Scale, World, serve
from sandbox.planted import KINDS, TABLES, Plant, Planter
from tests.story import Story, crm, entities_in_order, work_in_order
from v2_assets.compare.engine import compare
from v2_assets.compare.snapshot import take
from v2_assets.compare.source import v1_tables_for
from v2_assets.imports.v1 import through_api
from v2_assets.tables import merge_user

NUMBER, STRANGER = 2_000, "gone@example.test"
READ = ("accounts", "users", "stages", "people", "calls")
HELD = {"fub_accounts", "fub_users", "fub_stages", "fub_people", "fub_calls"}
#: Table, V1's number of the row; for a row that V1 lacks the account and the record's number.
Where = tuple[str, Any]


def read(story: Story, *entities: str, full: bool = False) -> None:
    for entity in (each for each in entities_in_order("fub") if each in (entities or READ)):
        for outcome in story.sync("fub", entity, full=full).values():
            assert outcome.error is None, outcome.error


def merge(story: Story) -> None:
    for work in work_in_order([crm]):
        if work[0].table in HELD:
            for user in story.users:
                merge_user(story.database, work, user, "run")


def take_v1(story: Story) -> None:
    async def run() -> None:
        async with through_api(story.database, story.settings, story.users[0])() as source:
            await take(story.database, source, v1_tables_for(sorted(HELD)), "Xano")

    asyncio.run(run())


def spoil(database: Database, plants: list[Plant]) -> None:
    with database.connect() as connection:
        for plant in plants:
            statement = sql.SQL(
                "update v2.{} set {} = %s where {} = %s and fub_account_id ="
                " (select id from v2.fub_accounts where account_id_raw = %s)"
            ).format(*map(sql.Identifier, (plant.table, str(plant.column), TABLES[plant.table][1])))
            assert connection.execute(statement, [plant.value, plant.record, plant.account]).rowcount == 1


@pytest.fixture(scope="module")
def compared(
    postgres_server: Any, migrated_template: str, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[tuple[list[Plant], Database, int]]:
    """The planter's list, the database, and the number of the comparison."""
    world = World(11, Scale(people=2_000, deals=10, seats=(1, 1), calls_per_person=1.0, other_agents=5))
    planter = Planter(world, seed=3, number=NUMBER, stranger=STRANGER)
    name = postgres_server.create(template=migrated_template)
    database = Database(postgres_server.url(name))
    with serve(world) as sandbox:
        sandbox.limits.raised = {"xano": 10**6, "global": 10**6, "events": 10**6}
        story = Story.begin(database, sandbox, tmp_path_factory.mktemp("home"), users=2)
        with database.connect() as connection:
            connection.execute('insert into v2."user" (email) values (%s)', [STRANGER])
        planter.before()
        read(story)
        merge(story)
        planter.meanwhile()
        for _ in range(2):  # what is missed once may be late
            read(story, "people", "calls", full=True)
        merge(story)
        take_v1(story)
        planter.after()
        read(story, "people", "calls")
        merge(story)
        spoil(database, planter.spoils())
        planter.at_last()
        read(story, "people", "calls")
        yield planter.plants, database, compare(database, tables=sorted(HELD)).id
    postgres_server.drop(name)


def planted(plants: list[Plant]) -> dict[Where, Plant]:
    return {(p.table, str(p.v1_id) if p.v1_id else (p.account, p.record)): p for p in plants}


def found(database: Database, number: int) -> dict[Where, dict[str, Any]]:
    with database.connect() as connection:
        rows = connection.execute(
            "select d.table_name, d.v1_id, a.account_id_raw,"
            " (coalesce(d.keys ->> 'fub_people_id_raw', d.keys ->> 'call_id'))::bigint, d.kind, d.reason, d.cells,"
            " d.evidence from ops.comparison_diff d"
            " left join v2.fub_accounts a on a.id = (d.keys ->> 'fub_account_id')::bigint where d.run_id = %s",
            [number],
        ).fetchall()
    return {
        (table, v1_id or (account, record)): {"is": (kind, reason), "cells": cells, "evidence": evidence}
        for table, v1_id, account, record, kind, reason, cells, evidence in rows
    }


def test_all_are_found_and_none_is_invented(compared: Any) -> None:
    plants, database, number = compared
    truth, told = planted(plants), found(database, number)
    assert len(truth) == NUMBER
    assert {w: truth[w].kind for w in truth.keys() - told.keys()} == {}
    assert {w: told[w] for w in told.keys() - truth.keys()} == {}
    with database.connect() as connection:
        rows = connection.execute("select sum(rows) from ops.comparison_count where run_id = %s", [number]).fetchone()
    assert rows is not None
    assert rows[0] == NUMBER, "samples were capped: more was counted than is kept"


def test_each_is_called_by_its_name(compared: Any) -> None:
    plants, database, number = compared
    truth, told = planted(plants), found(database, number)
    assert {plant.kind for plant in plants} == set(KINDS)
    wrong = Counter(
        (plant.kind, *told[where]["is"])
        for where, plant in truth.items()
        if where in told and told[where]["is"] != KINDS[plant.kind]
    )
    assert wrong.total() <= NUMBER // 100, wrong


def test_the_cell_that_was_altered_is_the_one_that_is_named(compared: Any) -> None:
    plants, database, number = compared
    told = found(database, number)
    for where, plant in planted(plants).items():
        # What moves at the source has a new stamp, and V1 kept the stamps of contacts.
        assert set(told[where]["cells"]) - {"fub_updated_at"} == {plant.column} - {None}, plant


def test_the_evidence_leads_to_what_was_planted(compared: Any) -> None:
    plants, database, number = compared
    told = found(database, number)
    by_kind = {plant.kind: told[where]["evidence"] for where, plant in planted(plants).items()}
    assert by_kind["owner_never_connected"]["why"] == "no_connection"
    assert by_kind["shown_to_no_key"]["last_full_at"]
    assert by_kind["deleted_at_the_source"]["staged_id"]
    assert by_kind["not_merged_yet"]["stage"].startswith("stage_fub_")
    assert "5000000" in by_kind["waits_for_a_parent"]["waits_for"]
    assert by_kind["unreadable"]["rule"]
    assert by_kind["without_a_number"]["without"]
    assert by_kind["moved_after_v1_was_read"]["moved_at"] > by_kind["moved_after_v1_was_read"]["snapshot_at"]
    newer = by_kind["moved_after_v1_last_looked"]
    assert newer["source_updated_at"] > newer["v1_updated_at"]
    assert len(by_kind["altered_in_v2"]["not_what_the_source_says"]) == 1
