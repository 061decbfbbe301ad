"""Whose a CRM row is: who connects later gets what was merged before, and nothing else is touched."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pytest

from resources.postgres import Database
from tests.merge.stage import Staged, enter_users, merge_everything, store, work_of
from tests.merge.test_fub_properties import account, appointment, call, fub_user, person, pipeline, stage, text

WORK = work_of(["stage_fub_people"])
#: By table: the column with the product's user, and one that tells rows apart.
OWNED = {
    "fub_people": ("user_id", "fub_people_id_raw"),
    "fub_calls": ("user_id", "call_id"),
    "fub_appointments": ("user_id", "appointment_id_raw"),
    "fub_text_messages": ("user_id", "text_message_id_raw"),
    "fub_deals": ("ad_user_id", "fub_deal_id"),
}


def seat(user: int, external: int) -> dict[str, Any]:
    return {"id": user, "credentials": [{"platform": "fub", "account_id": "77", "external_user_id": str(external)}]}


def enter(database: Database, *seats: dict[str, Any]) -> None:
    with database.connect() as connection:
        enter_users(connection, seats)


def merged(database: Database, users: Sequence[int], *staged: Staged) -> None:
    store(database, staged)
    merge_everything(database, users, WORK)


def rows(database: Database, query: str) -> list[Any]:
    with database.connect() as connection:
        return connection.execute(query.encode()).fetchall()


def owners(database: Database, table: str) -> list[Any]:
    user, key = OWNED[table]
    return rows(database, f"select {key}, {user} from v2.{table} order by 1")


@pytest.fixture
def of_one(database: Database) -> Database:
    """An account of which only user 1, who is CRM user 14, is connected. Contact 1 is 22's, contact 4 is 14's."""
    enter(database, seat(1, 14))
    deals = [
        Staged("stage_fub_deals", str(n), {"id": n, "users": [{"id": n}]}, account_ref="fub/77/1") for n in (14, 22)
    ]
    known = [account(1), *(fub_user(n, 0, 1) for n in (14, 22, 30)), stage(1, 1), stage(2, 1), pipeline(1)]
    people = [person(1, 1, 1), person(3, 3, 1), person(4, 4, 1)]
    merged(database, [1], *known, *people, call(1, 1, 1), call(3, 1, 1), text(1, 1, 1), text(1, 2, 1), *deals)
    merged(database, [1], appointment(1, 1, 1), text(3, 2, 1))
    return database


def test_without_a_product_user_of_its_own_a_row_is_the_accounts(of_one: Database) -> None:
    assert {table: {user for _, user in owners(of_one, table)} for table in OWNED} == {table: {1} for table in OWNED}


def test_who_connects_later_gets_what_was_merged_before(of_one: Database) -> None:
    enter(of_one, seat(2, 22))
    merged(of_one, [2], account(2))
    # Contact 1 is assigned to CRM user 22, contacts 3 and 4 to nobody and to 14; user 2 owns the account now.
    assert owners(of_one, "fub_people") == [(1, 2), (3, 2), (4, 1)]
    connection = "select distinct c.user_id from v2.credentials c join v2.fub_people p on p.credentials_id = c.id"
    assert rows(of_one, connection) == [(2,)]
    assert owners(of_one, "fub_deals") == [(14, 1), (22, 2)]
    assert owners(of_one, "fub_calls") == [(1, 2), (3, 2)]  # of CRM user 30, who is nobody of the product
    assert owners(of_one, "fub_text_messages") == [(1, 1), (3, 1)]


def test_a_contact_whose_user_is_nobody_of_the_product_says_so_until_that_user_connects(of_one: Database) -> None:
    query = "select fub_people_id_raw, missing_user from v2.fub_people order by 1"
    assert rows(of_one, query) == [(1, True), (3, False), (4, False)]
    enter(of_one, seat(2, 22))
    merged(of_one, [2])
    assert rows(of_one, query) == [(1, False), (3, False), (4, False)]


def test_contacts_count_as_read_once_a_full_pass_over_their_texts_has_ended(of_one: Database) -> None:
    query = "select fub_people_id_raw from v2.fub_people where sms_fetched order by 1"
    assert rows(of_one, query) == []
    with of_one.connect() as connection:
        connection.execute(
            "insert into ops.sync_state (integration, entity, account_ref, user_id, status, last_full_at)"
            " values ('fub', 'text_messages', 'fub/77/1', 1, 'idle', now())"
        )
    merged(of_one, [1], person(2, 3, 1))
    assert rows(of_one, query) == [(1,), (3,), (4,)]


def test_rows_whose_user_is_right_are_not_written(of_one: Database) -> None:
    def versions() -> list[Any]:
        return [rows(of_one, f"select id, xmin::text from v2.{table} order by 1") for table in OWNED]

    before = versions()
    merged(of_one, [1])
    assert versions() == before
