"""The SQL helpers that read fields with several names and shapes, value by value; and two selects that must agree."""

from __future__ import annotations

from typing import Any

import pytest
from psycopg.types.json import Jsonb

from resources.postgres import Database
from v2_assets.merge import session
from v2_assets.people import units as people


def value(database: Database, expression: str, *arguments: Any) -> Any:
    with database.connect() as connection:
        row = connection.execute(f"select {expression}", arguments).fetchone()  # type: ignore[arg-type]
    assert row is not None
    return row[0]


def test_the_first_field_that_tells_something_counts(database: Database) -> None:
    record = {"a": None, "b": " \t", "c": False, "d": 0, "e": "x", "f": {"g": 1}}
    for names, wanted in (
        (["a", "b", "c"], False),
        (["missing", "d"], 0),
        (["b", "f", "e"], {"g": 1}),
        (["a", "b"], None),
    ):
        assert value(database, "ops.first_of(%s, variadic %s::text[])", Jsonb(record), names) == wanted
    assert value(database, "ops.first_of(%s, 'a')", Jsonb("text")) is None
    assert value(database, "ops.first_of(%s, 'a')", Jsonb([1])) is None


@pytest.mark.parametrize(
    ("told", "wanted"),
    [
        ("SETTLED", "SETTLED"),
        (" NEW ", "NEW"),
        ("", None),
        (None, None),
        ({"state": "SETTLED"}, "SETTLED"),
        ({"status": "PENDING"}, "PENDING"),
        ({"state": "", "name": "NEW"}, "NEW"),
        ({"id": 7}, None),
    ],
)
def test_a_code_is_text_or_an_object_that_holds_it(database: Database, told: Any, wanted: str | None) -> None:
    assert value(database, "ops.code(%s)", Jsonb(told)) == wanted


PEOPLE = [{"id": "p-1", "yentaId": "a-1"}, {"id": "p-2"}, {"id": "p-3", "agentId": "a-9", "external": True}]


@pytest.mark.parametrize(
    ("deal", "owner"),
    [
        ({"agentsInfo": {"ownerAgent": [{"yentaId": "a-7"}, {"yentaId": "a-8"}]}}, "a-7"),
        ({"agentsInfo": {"ownerAgent": {"agentId": "a-7"}}}, "a-7"),
        ({"agentsInfo": {"ownerAgent": ["a-7"]}}, "a-7"),
        ({"agentsInfo": {"ownerAgent": []}, "transactionOwner": {"yentaUserId": "a-6"}}, "a-6"),
        ({"agentsInfo": {"ownerAgent": [{"yentaId": ""}]}, "transactionOwner": {"id": "a-6"}}, "a-6"),
        ({"transactionOwner": {"id": "p-1"}, "participants": PEOPLE}, "a-1"),
        ({"transactionOwner": {"id": "p-2"}, "participants": PEOPLE}, None),
        ({"transactionOwner": {"name": "Somebody"}, "participants": PEOPLE}, "a-1"),
        ({"participants": [*PEOPLE, {"id": "p-4", "yentaId": "a-2"}]}, None),
        ({"participants": [*PEOPLE, {"id": "p-4", "yentaId": "a-1"}]}, "a-1"),
        ({"participants": None, "agentsInfo": None, "transactionOwner": None}, None),
        ({}, None),
    ],
)
def test_the_owner_of_a_deal_is_found_wherever_it_is_named(database: Database, deal: Any, owner: str | None) -> None:
    assert value(database, "ops.rezen_owner(%s)", Jsonb(deal)) == owner


@pytest.mark.parametrize(
    ("address", "key"),
    [
        ({"street": "9 Sample Rd", "city": "Provo", "state": "UTAH", "zip": "84601"}, "9 SAMPLE RD PROVO UT 84601"),
        ({"oneLine": "9 Sample Rd, Provo, UT 84601", "city": "Provo"}, "9 SAMPLE RD PROVO UT 84601"),
        ({"street": "9 Sample Rd", "street2": "Apt 4", "city": "Provo"}, "9 SAMPLE RD UNIT 4 PROVO"),
        ({"city": "Provo", "zipcode": "84601"}, "PROVO 84601"),
        ("9 Sample Rd, Provo, UT 84601", "9 SAMPLE RD PROVO UT 84601"),
        ({"street": "", "oneLine": None}, None),
        ([], None),
        (None, None),
    ],
)
def test_an_address_has_one_key_whatever_its_shape(database: Database, address: Any, key: str | None) -> None:
    assert value(database, "ops.rezen_address_key(%s)", Jsonb(address)) == key


def test_an_agents_profile_fills_the_same_columns_from_a_roster_as_from_the_profile(database: Database) -> None:
    columns = {}
    for select, stage in ((people.AGENT, "agents"), (people.AGENT_FACTS[0], "team_members")):
        with database.connect() as connection, connection.cursor() as cur:
            session.begin(cur, "agent")
            session.load_batch(cur, f"stage_rezen_{stage}", [])
            columns[stage] = set(session.v2_columns("agent", session.select_into(cur, "selected", select.sql)[0]))
    assert columns["team_members"] == columns["agents"] | {"source_updated_at"}
