"""One key that cannot be computed is set aside where people see it; every other key is computed."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from typing import Any

import psycopg
import pytest

from resources.postgres import Database
from tests.merge.test_recomputed import apply, clear, compute
from v2_assets.aggregates import units
from v2_assets.checks.rules import Rule, judge, rules
from v2_assets.merge import merge_work, recompute
from v2_assets.money.units import INCOME

#: No column of a year takes it, and no source can bring it (`ops.day`): it stands for what nobody foresaw.
FAR = "40000-01-01"
SEVERAL = [1, 2, 9]


def rule(table: str) -> Rule:
    [found] = [r for r in rules() if (r.table, r.name) == (table, "nothing_is_parked")]
    return found


def deals(connection: psycopg.Connection[Any]) -> None:
    """A closed deal of each of three agents; that of agent 2 is in the year 40000."""
    for agent, day in ((1, date(2031, 1, 5)), (2, FAR), (3, date(2031, 2, 5))):
        values = {"transaction_owner_agent_id": agent, "closing_date": day, "closed": True, "sale_price": 100_000}
        apply(connection, "transaction", agent, values)


def months(connection: psycopg.Connection[Any]) -> list[Any]:
    return connection.execute(
        "select agent_id, period_year, period_month from v2.agg_agent_monthly where deleted_at is null order by 1"
    ).fetchall()


def parked(connection: psycopg.Connection[Any]) -> list[Any]:
    return connection.execute("select table_name, owner_id, attempts from ops.parked_key order by 1, 2").fetchall()


@pytest.mark.parametrize("notes", SEVERAL)
def test_one_agents_poison_parks_that_agent_and_the_others_months_are_computed(database: Database, notes: int) -> None:
    with database.connect(autocommit=True) as connection:
        clear(connection)
        deals(connection)
        counts = compute(connection, notes)
        assert {row[0] for row in months(connection)} == {1, 3}
        assert [row[:2] for row in parked(connection)] == [("agg_agent_monthly", 2)]
        assert counts.parked
        assert connection.execute("select reason from ops.parked_key").fetchall() == [
            ({"sqlstate": "22003", "table": "agg_agent_monthly"},)
        ]
        assert connection.execute("select count(*) from ops.changed_key").fetchall() == [(0,)]
        assert judge(connection, rule("agg_agent_monthly")).number == 1
        assert judge(connection, rule("agg_leaderboard")).number == 0


def test_a_parked_key_is_tried_again_when_its_input_changes_and_forgotten_when_it_is_computed(
    database: Database,
) -> None:
    with database.connect(autocommit=True) as connection:
        clear(connection)
        deals(connection)
        compute(connection)
        apply(connection, "transaction", 1, {"sale_price": 250_000})
        compute(connection)
        assert parked(connection) == [("agg_agent_monthly", 2, 1)], "another agent's news is no reason to try"
        apply(connection, "transaction", 2, {"sale_price": 250_000})
        compute(connection)
        assert parked(connection) == [("agg_agent_monthly", 2, 2)], "tried, and refused again"
        apply(connection, "transaction", 2, {"closing_date": date(2031, 3, 5)})
        compute(connection)
        assert (parked(connection), {row[0] for row in months(connection)}) == ([], {1, 2, 3})
        assert judge(connection, rule("agg_agent_monthly")).number == 0


def test_a_parked_key_is_tried_once_a_day_because_a_new_version_may_have_mended_the_cause(database: Database) -> None:
    with database.connect(autocommit=True) as connection:
        clear(connection)
        deals(connection)
        for _ in range(3):
            compute(connection)
        assert parked(connection) == [("agg_agent_monthly", 2, 1)]
        connection.execute("update ops.parked_key set tried_at = now() - interval '25 hours'")
        for _ in range(2):
            compute(connection)
        assert parked(connection) == [("agg_agent_monthly", 2, 2)]


def test_a_day_that_is_refused_parks_that_day_of_that_user_alone(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    [activity] = units.AGG_FUB_ACTIVITY_BY_AGENT
    text = activity.sql.replace(
        "calls[1] as calls,", "case when day = '2031-01-07' then 10^30 else calls[1] end as calls,"
    )
    monkeypatch.setattr(type(activity), "sql", property(lambda self: text))
    with database.connect(autocommit=True) as connection:
        clear(connection)
        for number, day in enumerate((6, 7, 8), 1):
            apply(connection, "fub_calls", number, {"user_id": 1, "fub_created_at": date(2031, 1, day)})
        assert recompute(connection, activity).parked == 1
        assert connection.execute("select owner_id, period from ops.parked_key").fetchall() == [(1, date(2031, 1, 7))]
        told = connection.execute("select day from v2.agg_fub_activity_by_agent where calls > 0 order by 1").fetchall()
        assert told == [(date(2031, 1, 6),), (date(2031, 1, 8),)]


def test_a_user_whose_income_is_refused_is_parked_and_the_next_users_is_computed(database: Database) -> None:
    with database.connect(autocommit=True) as connection:
        clear(connection)
        for number, day in ((1, FAR), (2, date(2031, 1, 5))):
            apply(connection, "contribution", number, {"amount": 10, "contribution_date": day, "user_id": number})
        counts = [merge_work(connection, INCOME, user, "run") for user in (1, 2)]
        assert [c.parked for c in counts] == [1, 0]
        assert connection.execute("select user_id from v2.income").fetchall() == [(2,)]
        assert parked(connection) == [("income", 1, 1)]
        apply(connection, "contribution", 1, {"contribution_date": date(2031, 2, 5)})
        assert merge_work(connection, INCOME, 1, "run").parked == 0
        assert parked(connection) == []


@pytest.mark.parametrize("deals_of_one", [2, 200])
def test_no_sum_of_the_largest_amounts_overflows(database: Database, deals_of_one: int) -> None:
    with database.connect(autocommit=True) as connection:
        clear(connection)
        connection.execute(
            "insert into v2.transaction (transaction_id_raw, source, transaction_owner_agent_id, team_id, closed,"
            " closing_date, contract_date, sale_price, gross_commission, currency)"
            " select 'x-' || n, 'rezen', 1, 1, true, '2031-01-05', '1900-01-01', 999999999999.99, 999999999999.99,"
            " 'USD' from generate_series(1, %s) n",
            [deals_of_one],
        )
        counts = compute(connection)
        assert (counts.parked, parked(connection)) == (0, [])
        [(volume,)] = connection.execute(
            "select sum(closed_other_volume) from v2.agg_agent_monthly where deleted_at is null"
        ).fetchall()
        assert volume == deals_of_one * Decimal("999999999999.99")
