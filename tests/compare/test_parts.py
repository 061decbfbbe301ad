"""A part that V1 has and V2 lacks is a fault of ours exactly when its carrier's record still tells it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import timedelta
from typing import Any

import pytest

from resources.postgres import Database
from tests.compare.test_diff import THEN, bring, moment
from tests.compare.test_explain import fate, told
from tests.merge.stage import Staged, enter_users, merge_everything, store, work_of

STAGE = "stage_rezen_transactions"


def people(*names: str) -> list[dict[str, Any]]:
    return [{"id": name, "participantRole": "BUYER", "firstName": name, "external": True} for name in names]


def deal(participants: Any) -> dict[str, Any]:
    return {
        "id": "t-1", "listing": False, "closed": True, "terminated": False, "transactionType": "SALE",
        "lifecycleState": {"state": "SETTLED"}, "price": {"amount": 410000.0, "currency": "USD"},
        "agentsInfo": {"ownerAgent": [{"yentaId": "a-1"}]}, "participants": participants,
        "createdAt": 1754100000000, "updatedAt": 1759100000000,
    }  # fmt: skip


@pytest.fixture
def merged(database: Database) -> Database:
    """One deal with two people, read and merged as it comes."""
    with database.connect() as connection:
        enter_users(
            connection,
            [{"id": 1, "credentials": [{"platform": "rezen", "account_id": "a-1", "external_user_id": "a-1"}]}],
        )
    merge(database, deal(people("person-1", "person-2")))
    return database


def merge(database: Database, record: Mapping[str, Any]) -> None:
    store(database, [Staged(STAGE, "t-1", record, account_ref="rezen/a-1/1")])
    merge_everything(database, [1], work_of([STAGE]))
    assert ask(database, f"select status from staging.{STAGE}") == [("processed",)]


def ask(database: Database, query: str) -> list[Any]:
    with database.connect() as connection:
        return connection.execute(query.encode()).fetchall()


def v1(database: Database, names: Iterable[str | None], created_at: int | None = moment(0)) -> None:
    """V1's deal with these people."""
    rows = [
        {"id": 20 + n, "participant_id_raw": name, "transaction_id": 5, "listing_id": 0, "created_at": created_at}
        for n, name in enumerate(names)
    ]
    bring(database, transaction=[{"id": 5, "transaction_id_raw": "t-1"}], participant=rows)


def missing(database: Database, table: str = "participant") -> list[tuple[str, dict[str, Any]]]:
    return [(reason, evidence) for kind, reason, evidence in told(database, table) if kind == "missing"]


def lose(database: Database, table: str, condition: str) -> None:
    with database.connect() as connection:
        connection.execute(f"delete from v2.{table} where {condition}".encode())


def test_what_the_record_still_tells_was_lost_by_us(merged: Database) -> None:
    v1(merged, ["person-1", "person-2"])
    lose(merged, "transaction_participants", "participant_id in (select id from v2.participant"
         " where participant_id_raw = 'person-2')")  # fmt: skip
    lose(merged, "participant", "participant_id_raw = 'person-2'")
    [(reason, evidence)] = missing(merged)
    assert (reason, evidence["why"], evidence["carried_by"]) == ("bug", "the_record_tells_it", "transaction")
    assert [(evidence["staged_id"],)] == ask(merged, f"select id from staging.{STAGE}")
    # The link to a person whom V2 lost is lost with him, though V2 has no number for him any more.
    [(reason, evidence)] = missing(merged, "transaction_participants")
    assert (reason, evidence["told_by"]) == ("bug", "participant")


def test_a_link_or_the_money_of_a_deal_that_is_there_was_lost_by_us(merged: Database) -> None:
    v1(merged, ["person-1", "person-2"])
    lose(merged, "transaction_participants", "true")
    lose(merged, "transaction_financials", "true")
    assert [reason for reason, _ in missing(merged, "transaction_participants")] == ["bug", "bug"]
    assert [reason for reason, _ in missing(merged, "transaction_financials")] == ["bug"]


def test_what_the_record_tells_no_more_was_dropped_at_the_source_with_what_hangs_on_it(merged: Database) -> None:
    v1(merged, ["person-1", "person-2", "person-3"])
    [(reason, evidence)] = missing(merged)
    assert (reason, evidence["why"], evidence["stage"]) == ("deleted_at_source", "the_record_tells_others", STAGE)
    [(reason, evidence)] = missing(merged, "transaction_participants")
    assert (reason, evidence["told_by"]) == ("deleted_at_source", "participant")


@pytest.mark.parametrize(
    ("participants", "why"),
    [
        ([], "the_record_tells_none"),
        (None, "the_record_tells_none"),
        ([*people("person-1"), {"id": "x", "participantRole": "BUYER", "formerId": "person-3"}], "the_record_names_it"),
    ],
)
def test_a_record_that_tells_nobody_or_names_the_part_elsewhere_proves_nothing(
    merged: Database, participants: Any, why: str
) -> None:
    merge(merged, deal(participants))
    v1(merged, ["person-3"])
    assert [(reason, evidence["why"]) for reason, evidence in missing(merged)] == [("unknown", why)]


def test_a_part_that_v2_deleted_is_gone_if_its_record_tells_it_no_more_and_a_fault_if_it_does(merged: Database) -> None:
    v1(merged, ["person-1", "person-2"])
    with merged.connect() as connection:
        connection.execute("update v2.participant set deleted_at = now() where participant_id_raw = 'person-2'")
    assert [(reason, evidence["why"]) for reason, evidence in missing(merged)] == [("bug", "the_record_tells_it")]
    merge(merged, deal(people("person-1")))
    assert [(reason, evidence["why"]) for reason, evidence in missing(merged)] == [
        ("deleted_at_source", "the_record_told_it")
    ]


@pytest.mark.parametrize(
    ("v1_has", "updated_at", "v2_has", "reason"),
    [
        ("Per", moment(-600_000), "person-1", "newer_at_source"),
        ("Per", moment(0), "person-1", "v1_wrong"),
        ("person-1", moment(0), "Per", "bug"),
    ],
)
def test_a_changed_part_is_judged_by_the_record_that_carries_it(
    merged: Database, v1_has: str, updated_at: int, v2_has: str, reason: str
) -> None:
    person = {"id": 20, "participant_id_raw": "person-1", "transaction_id": 5, "listing_id": 0}
    bring(
        merged,
        transaction=[{"id": 5, "transaction_id_raw": "t-1"}],
        participant=[person | {"first_name": v1_has, "updated_at": updated_at}],
    )
    with merged.connect() as connection:
        connection.execute("update v2.participant set first_name = %s where participant_id_raw = 'person-1'", [v2_has])
        connection.execute(f"update staging.{STAGE} set source_updated_at = %s", [THEN - timedelta(days=1)])
    found = [(reason, evidence) for kind, reason, evidence in told(merged, "participant") if kind == "changed"]
    [(called, evidence)] = found
    assert (called, evidence["stage"]) == (reason, STAGE)


def test_a_record_read_before_v1_had_the_part_says_nothing_until_it_is_read_again(merged: Database) -> None:
    v1(merged, ["person-3"], created_at=None)
    assert [(reason, evidence["why"]) for reason, evidence in missing(merged)] == [("never_fetched", "not_read_since")]
    with merged.connect() as connection:
        connection.execute(
            "insert into ops.sync_state (integration, entity, account_ref, user_id, cursor, status, last_full_at)"
            " values ('rezen', 'transactions', 'rezen/a-1/1', 1, '{}', 'idle', now())"
        )
    assert [reason for reason, _ in missing(merged)] == ["deleted_at_source"]
    with merged.connect() as connection:
        # What was there when a pass ended need not have been there when it began.
        connection.execute(
            "insert into ops.sweep (account_ref, integration, entity, started_at, completed_at, applied_at)"
            " values ('rezen/a-1/1', 'rezen', 'transactions', %s, now(), now())",
            [THEN - timedelta(days=1)],
        )
        connection.execute("update staging.stage_rezen_transactions set fetched_at = %s", [THEN - timedelta(days=2)])
    assert [reason for reason, _ in missing(merged)] == ["never_fetched"]


def test_a_person_whom_only_v1_numbers_is_told_by_no_record(merged: Database) -> None:
    v1(merged, [None])
    assert [(reason, evidence["why"]) for reason, evidence in missing(merged)] == [("never_fetched", "not_imported")]
    store(merged, [Staged("stage_xano_participant", "20", {"id": 20}, account_ref="xano/1/1")])
    [(reason, evidence)] = missing(merged, "transaction_participants")
    assert (reason, evidence["why"]) == ("unknown", "known_to_v1_only")


@pytest.mark.parametrize("status", ["pending", "rejected"])
def test_a_part_waits_with_the_record_that_carries_it(merged: Database, status: str) -> None:
    [(number,)] = ask(merged, f"select id from staging.{STAGE}")
    fate(merged, STAGE, number, status_reason="a_rule" if status == "rejected" else None, status=status)
    v1(merged, ["person-3"])
    [(reason, evidence)] = missing(merged)
    assert (reason, evidence["staged_id"]) == (status, number)


def test_a_person_on_a_listing_is_carried_by_the_listing(database: Database) -> None:
    bring(
        database,
        listing=[{"id": 6, "listing_id_raw": "l-1"}],
        participant=[{"id": 30, "participant_id_raw": "person-1", "transaction_id": 0, "listing_id": 6}],
    )
    with database.connect() as connection:
        connection.execute("insert into v2.listing (listing_id_raw, source) values ('l-1', 'rezen')")
    assert [(reason, evidence["carried_by"]) for reason, evidence in missing(database)] == [("unknown", "listing")]
