"""A changed value of a derived table is judged by what comes out of V2's inputs when it is derived again."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from resources.postgres import Database
from tests.compare.test_diff import THEN, bring, moment, write
from tests.compare.test_explain import told
from tests.merge.stage import Staged, enter_users, merge_everything, store
from v2_assets.compare.derived import INPUTS
from v2_assets.compare.follow import living
from v2_assets.compare.mapping import mappings
from v2_assets.merge import Derived
from v2_assets.merge.facts import derive
from v2_assets.order import ALL_WORK

SPLIT = Path(__file__).parents[1] / "golden/agent_commission/zero_is_a_split_and_null_is_none.json"


def test_every_table_that_v1_has_too_and_only_inputs_tell_names_its_inputs() -> None:
    derived = {each.table for each in ALL_WORK if isinstance(each, Derived)} & set(mappings())
    unstaged = {table for table in derived if not living(table)}
    # Users and the disclosures are V1's own rows, which the derived selects complete.
    completed = {"user", "closing_disclosure", "participant"}
    assert unstaged - completed == set(INPUTS)


@pytest.fixture
def income(database: Database) -> Database:
    """One closed deal and the income of it; V1 has another amount."""
    [user] = write(database, "user", [{"email": "ada@example.test"}])
    deal = {"transaction_id_raw": "t-1", "source": "rezen", "user_id": user, "closed": True, "gross_commission": 10}
    write(database, "transaction", [deal | {"currency": "USD", "source_updated_at": THEN}])
    [each] = [each for each in ALL_WORK if isinstance(each, Derived) and each.table == "income"]
    with database.connect(autocommit=True) as connection:
        derive(connection, each, user)
    return database


def v1(database: Database, created_at: int | None) -> tuple[str, dict[str, Any]]:
    """What is said of V1's income, which is another than V2's."""
    row = {"id": 3, "income_type": "GCI", "transaction_id": 5, "contribution_id": 0, "user_id": 900, "amount": 9}
    bring(
        database,
        user=[{"id": 900, "email": "ada@example.test"}],
        transaction=[{"id": 5, "transaction_id_raw": "t-1"}],
        income=[row | {"currency": "USD", "created_at": created_at}],
    )
    [(kind, reason, evidence)] = told(database, "income")
    assert (kind, evidence["derived_by"]) == ("changed", "income.sql")
    return reason, evidence


def test_a_value_that_follows_from_an_input_newer_than_v1s_value_is_newer_at_the_source(income: Database) -> None:
    reason, evidence = v1(income, moment(-1))
    assert (reason, evidence["why"]) == ("newer_at_source", "an_input_is_newer")
    assert evidence["source_updated_at"] > evidence["v1_updated_at"]


@pytest.mark.parametrize("created_at", [moment(1), None])
def test_a_value_that_follows_from_inputs_that_are_not_known_to_be_newer_stays_unknown(
    income: Database, created_at: int | None
) -> None:
    reason, evidence = v1(income, created_at)
    assert (reason, evidence["why"]) == ("unknown", "follows_from_its_inputs")


@pytest.mark.parametrize(
    ("spoiling", "why"),
    [
        ("update v2.income set amount = 11", "not_what_the_inputs_say"),
        ("update v2.transaction set gross_commission = 12", "not_what_the_inputs_say"),
        ("update v2.transaction set deleted_at = now()", "its_inputs_are_gone"),
    ],
)
def test_a_value_that_does_not_come_out_of_the_inputs_is_a_fault_of_ours(
    income: Database, spoiling: str, why: str
) -> None:
    with income.connect() as connection:
        connection.execute(spoiling.encode())
    reason, evidence = v1(income, moment(-1))
    assert (reason, evidence["why"]) == ("bug", why)


def test_what_cannot_be_derived_again_for_one_user_explains_nothing_and_stops_nothing(income: Database) -> None:
    with income.connect() as connection:
        connection.execute("update v2.transaction set closing_date = '40000-01-01'")
    row = {"id": 3, "income_type": "GCI", "transaction_id": 5, "contribution_id": 0, "user_id": 900, "amount": 9}
    bring(
        income,
        user=[{"id": 900, "email": "ada@example.test"}],
        transaction=[{"id": 5, "transaction_id_raw": "t-1"}],
        income=[row | {"currency": "USD", "created_at": moment(-1)}],
    )
    [(kind, reason, evidence)] = told(income, "income")
    assert (kind, reason) == ("changed", "unknown")
    assert "derived_by" not in evidence


def test_a_column_that_no_input_tells_stays_unknown_and_one_that_is_told_otherwise_is_a_fault(
    database: Database,
) -> None:
    case = json.loads(SPLIT.read_text(encoding="utf-8"))
    with database.connect() as connection:
        users = enter_users(connection, case["users"])
    store(database, [Staged.parse(row) for row in case["staged"]])
    merge_everything(database, users)
    with database.connect() as connection:
        held = connection.execute(
            "select a.agent_id_raw, c.member_commission_split from v2.agent_commission c"
            " join v2.agent a on a.id = c.agent_id order by c.id"
        ).fetchall()
    agents = [{"id": n, "agent_id_raw": raw} for n, (raw, _) in enumerate(held, 1)]
    fees = [
        {"id": n, "agent_id": n, "member_commission_split": split, "pre_cap_fee": 0.15 if n == 1 else None}
        for n, (_, split) in enumerate(held, 1)
    ]
    bring(database, agent=agents, agent_commission=fees)
    [(_, reason, evidence)] = told(database, "agent_commission")
    assert (reason, evidence["why"], evidence["no_input_tells"]) == ("unknown", "no_input_tells_it", ["pre_cap_fee"])
    with database.connect() as connection:
        connection.execute("update v2.agent_commission set member_commission_split = 0.77")
    assert {(reason, evidence["why"]) for _, reason, evidence in told(database, "agent_commission")} == {
        ("bug", "not_what_the_inputs_say")
    }
