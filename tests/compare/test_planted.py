"""Two thousand differences are planted between V1 and V2: all are found, none is invented, each is called by its name.

The planters (`sandbox.planted`: contacts and calls, `sandbox.planted_deals`: deals and the people on them) know nothing
of the comparison; their own list is the truth. V1, the CRM and the brokerage are read by their APIs, and V2 is what
reading and merging made of it.
"""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, LiteralString

import pytest
from psycopg import sql

from resources.postgres import Database
from sandbox import Scale, World, planted_deals, serve
from sandbox import planted as crm_planted
from sandbox.planted import TABLES, Plant, Planter
from sandbox.planted_deals import DealPlanter
from tests.story import Story, crm, entities_in_order, work_in_order
from v2_assets.compare.engine import compare
from v2_assets.compare.snapshot import take
from v2_assets.compare.source import v1_tables_for
from v2_assets.deals import units as deals
from v2_assets.identity import units as identity
from v2_assets.imports.v1 import through_api
from v2_assets.people import units as people
from v2_assets.reference import units as reference
from v2_assets.tables import merge_user

ON_CONTACTS, ON_DEALS, STRANGER = 1_800, 200, "gone@example.test"
NUMBER = ON_CONTACTS + ON_DEALS
KINDS = {**crm_planted.KINDS, **planted_deals.KINDS}
READ = {"fub": ("accounts", "users", "stages", "people", "calls"), "rezen": ("agents", "transactions")}
#: What moves while the story goes on.
MOVING = {"fub": ("people", "calls"), "rezen": ("transactions",)}
OF_CRM = {"fub_accounts", "fub_users", "fub_stages", "fub_people", "fub_calls"}
COMPARED = sorted({*OF_CRM, "transaction", "participant"})
#: Table, V1's number of the row; for a row that V1 lacks the account and the record's number.
Where = tuple[str, Any]


_LOSE = """
with lost as (select id from v2.participant where participant_id_raw = %s),
links as (delete from v2.transaction_participants l using lost where l.participant_id = lost.id),
paid as (delete from v2.participant_paid p using lost where p.participant_id = lost.id)
delete from v2.participant p using lost where p.id = lost.id
"""


def read(story: Story, streams: Mapping[str, Sequence[str]], *, full: bool = False) -> None:
    for integration, entities in streams.items():
        for entity in (each for each in entities_in_order(integration) if each in entities):
            for outcome in story.sync(integration, entity, full=full).values():
                assert outcome.error is None, outcome.error


def merge(story: Story) -> None:
    wanted = [work for work in work_in_order([crm]) if work[0].table in OF_CRM]
    for work in (*work_in_order([reference, identity, people, deals]), *wanted):
        for user in story.users:
            merge_user(story.database, work, user, "run")


def take_v1(story: Story) -> None:
    async def run() -> None:
        async with through_api(story.database, story.settings, story.users[0])() as source:
            await take(story.database, source, v1_tables_for(COMPARED), "Xano")

    asyncio.run(run())


def spoil(database: Database, plants: list[Plant]) -> None:
    with database.connect() as connection:
        for plant in plants:
            assert connection.execute(*_spoiling(plant)).rowcount == 1, plant


def _spoiling(plant: Plant) -> tuple[sql.Composed | LiteralString, list[Any]]:
    if plant.table == "participant":
        return _LOSE, [plant.record]
    if plant.table == "transaction":
        statement = sql.SQL("update v2.transaction set {} = %s where transaction_id_raw = %s")
        return statement.format(sql.Identifier(str(plant.column))), [plant.value, plant.record]
    statement = sql.SQL(
        "update v2.{} set {} = %s where {} = %s and fub_account_id ="
        " (select id from v2.fub_accounts where account_id_raw = %s)"
    ).format(*map(sql.Identifier, (plant.table, str(plant.column), TABLES[plant.table][1])))
    return statement, [plant.value, plant.record, plant.account]


@pytest.fixture(scope="module")
def compared(
    postgres_server: Any, migrated_template: str, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[tuple[list[Plant], Database, int]]:
    """The planters' lists, the database, and the number of the comparison."""
    world = World(11, Scale(people=2_000, deals=300, seats=(1, 1), calls_per_person=1.0, other_agents=5))
    planters = (
        Planter(world, seed=3, number=ON_CONTACTS, stranger=STRANGER),
        DealPlanter(world, seed=3, number=ON_DEALS, stranger=STRANGER),
    )
    plants = [plant for planter in planters for plant in planter.plants]
    name = postgres_server.create(template=migrated_template)
    database = Database(postgres_server.url(name))
    with serve(world) as sandbox:
        sandbox.limits.raised = {"xano": 10**6, "global": 10**6, "events": 10**6, "rezen": 10**6}
        story = Story.begin(database, sandbox, tmp_path_factory.mktemp("home"), users=2)
        with database.connect() as connection:
            connection.execute('insert into v2."user" (email) values (%s)', [STRANGER])
        for planter in planters:
            planter.before()
        read(story, READ)
        merge(story)
        for planter in planters:
            planter.meanwhile()
        for _ in range(2):  # what is missed once may be late
            read(story, MOVING, full=True)
        merge(story)
        take_v1(story)
        for planter in planters:
            planter.after()
        read(story, MOVING)
        merge(story)
        for planter in planters:
            spoil(database, planter.spoils())
            planter.at_last()
        read(story, MOVING)
        yield plants, database, compare(database, tables=COMPARED).id
    postgres_server.drop(name)


def planted(plants: list[Plant]) -> dict[Where, Plant]:
    return {(p.table, str(p.v1_id) if p.v1_id else (p.account, p.record)): p for p in plants}


def found(database: Database, number: int) -> dict[Where, dict[str, Any]]:
    with database.connect() as connection:
        rows = connection.execute(
            "select d.table_name, d.v1_id, a.account_id_raw,"
            " coalesce(d.keys -> 'fub_people_id_raw', d.keys -> 'call_id', d.keys -> 'participant_id_raw'), d.kind,"
            " d.reason, d.cells, d.evidence from ops.comparison_diff d"
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
    on_deals = sum(number for (kind, *_), number in wrong.items() if kind in planted_deals.KINDS)
    assert on_deals <= ON_DEALS // 100, wrong


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
    for altered in ("altered_in_v2", "deal_altered_in_v2"):
        assert len(by_kind[altered]["not_what_the_source_says"]) == 1
    assert by_kind["deal_of_a_stranger"]["why"] == "no_connection"
    assert by_kind["deal_shown_to_no_key"]["stream"] == "rezen/transactions"
    assert by_kind["deal_unreadable"]["rule"] == "invalid_record"
    assert by_kind["person_dropped_from_the_deal"]["why"] == "the_record_tells_others"
    assert by_kind["person_lost_in_v2"]["why"] == "the_record_tells_it"
