"""The gate over rows of a real database: each verdict follows from the comparisons, the syncs and shadow reading."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import psycopg
import pytest

from resources.postgres import Database
from resources.settings import load_settings
from tests.gate.compared import comparison, difference, user
from v2_assets.api.catalogue import CATALOGUE
from v2_assets.gate.look import Gate, look
from v2_assets.gate.rules import Verdict
from v2_assets.gate.tables import judged_by, streams_of

PEOPLE = "/leads/fub_people"


@pytest.fixture
def connection(database: Database) -> Iterator[psycopg.Connection[Any]]:
    with database.connect(autocommit=True) as connection:
        yield connection


@pytest.fixture
def green(connection: psycopg.Connection[Any]) -> psycopg.Connection[Any]:
    """Two users, three comparisons without a difference that matters, and enough shadow reading."""
    for number in (901, 902):
        user(connection, number, synced_hours_ago=0.5)
    connection.execute("insert into v2.fub_accounts (account_id_raw, source) values ('77', 'fub')")
    connection.execute(
        "insert into v2.fub_people (fub_account_id, fub_people_id_raw, user_id, source)"
        " select (select min(id) from v2.fub_accounts), n, 901, 'fub' from generate_series(1, 399) n"
    )
    for hours in (49, 25, 1):
        excused = (
            ("fub_people", 901, "changed", "newer_at_source", 40),
            ("fub_people", 901, "missing", "duplicate", 90),
        )
        comparison(connection, hours=hours, counts=excused)
    connection.execute(
        "insert into ops.shadow_count (endpoint, day, requests, same) values (%s, current_date, 100, 90)", [PEOPLE]
    )
    connection.execute(
        "insert into ops.shadow_difference (endpoint, day, kind, field, reason, times)"
        " values (%s, current_date, 'value', 'stage_name', 'newer_at_source', 12)",
        [PEOPLE],
    )
    return connection


def seen(connection: psycopg.Connection[Any], **settings: Any) -> Gate:
    return look(connection, load_settings(**settings))


def broken(verdict: Verdict) -> list[str]:
    return [failure.rule for failure in verdict.failures]


def test_with_nothing_compared_nothing_is_ready(connection: psycopg.Connection[Any]) -> None:
    user(connection, 901)
    gate = seen(connection)
    assert gate.tables == {} and broken(gate.users[901]) == ["complete", "streak"]
    assert set(gate.endpoints) == {each.path for each in CATALOGUE}
    assert not any(verdict.ready for verdict in gate.endpoints.values())


def test_what_was_compared_three_times_and_is_the_same_but_for_what_is_excused_is_ready(green: Any) -> None:
    gate = seen(green)
    assert [gate.tables["fub_people"].failures, gate.users[901].failures, gate.users[902].failures] == [(), (), ()]
    assert gate.endpoints[PEOPLE].failures == ()
    assert broken(gate.endpoints["/fub/calls"]) == ["tables", "shadow_seen"], "which nobody compared"
    assert gate.verdicts[0].kind == "endpoint" and len(gate.verdicts) == len(CATALOGUE) + 1 + 2


@pytest.mark.parametrize("kind", ["missing", "extra", "changed"])
def test_what_nothing_explains_turns_the_table_its_user_and_the_endpoint_red(green: Any, kind: str) -> None:
    comparison(green, hours=0, counts=(("fub_people", 901, kind, "unknown", 3),))
    gate = seen(green)
    assert broken(gate.tables["fub_people"]) == ["unexplained", "streak"]
    assert broken(gate.users[901]) == ["unexplained", "streak"] and gate.users[902].ready
    assert broken(gate.endpoints[PEOPLE]) == ["tables"]


def test_rows_that_are_not_in_v2_are_a_gap_although_it_is_known_why(green: Any) -> None:
    comparison(green, hours=0, counts=(("fub_people", 901, "missing", "never_fetched", 870),))
    gate = seen(green)
    assert broken(gate.tables["fub_people"]) == ["gap", "streak"]
    assert gate.tables["fub_people"].failures[0].evidence["missing"] == 870
    assert broken(gate.users[901]) == ["gap", "streak"] and gate.users[902].ready
    assert gate.users[901].failures[0].why.startswith("68.6 % of V1's rows of fub_people")


def test_a_user_with_nearly_all_rows_has_no_gap(green: Any) -> None:
    comparison(green, hours=0, counts=(("fub_people", 901, "missing", "pending", 1),))
    assert seen(green).users[901].ready
    assert broken(seen(green, gate_gap_percent=0.2).users[901]) == ["gap", "streak"]


def test_money_dates_and_ids_must_be_exact_even_where_some_differences_are_let_pass(green: Any) -> None:
    run = comparison(green, hours=0, counts=(("fub_people", 901, "changed", "unknown", 2),))
    difference(green, run, "fub_people", "changed", "unknown", user_id=901, cells={"people_name": ["Ada", "Bob"]})
    difference(green, run, "fub_people", "changed", "unknown", user_id=901, cells={"people_name": ["Ada", "Eve"]})
    loose = {"gate_unexplained": 2}
    assert seen(green, **loose).tables["fub_people"].ready and seen(green, **loose).users[901].ready
    difference(green, run, "fub_people", "changed", "newer_at_source", user_id=901, cells={"price": [1, 2]})
    assert seen(green, **loose).tables["fub_people"].ready, "an excused value is no fault"
    difference(
        green,
        run,
        "fub_people",
        "changed",
        "unknown",
        user_id=901,
        cells={"price": [1, 2], "people_name": ["Ada", "Bob"]},
    )
    gate = seen(green, **loose)
    assert broken(gate.tables["fub_people"]) == broken(gate.users[901]) == ["exact", "streak"]
    assert gate.tables["fub_people"].failures[0].evidence == {"run": run, "price": 1}


def test_where_not_every_red_row_was_kept_any_changed_column_may_be_theirs(green: Any) -> None:
    comparison(
        green,
        hours=0,
        counts=(("fub_people", None, "changed", "unknown", 9),),
        changed={"fub_people": {"price": 400, "people_name": 3}},
    )
    (exact, _) = seen(green, gate_unexplained=10).tables["fub_people"].failures
    assert (exact.rule, exact.evidence["price"], "people_name" in exact.evidence) == ("exact", 400, False)


def test_a_table_whose_newest_comparison_failed_is_not_ready_until_one_succeeds(green: Any) -> None:
    comparison(green, hours=0.5, tables={"team": (1, 1)}, failed=("fub_people",))
    assert broken(seen(green).tables["fub_people"]) == ["complete", "streak"], "nor was that comparison a green one"
    comparison(green, hours=0)
    assert broken(seen(green).tables["fub_people"]) == ["streak"]


def test_a_comparison_of_some_users_is_complete_for_them_alone(connection: psycopg.Connection[Any]) -> None:
    for number in (901, 902):
        user(connection, number, synced_hours_ago=0.5)
    for hours in (3, 2, 1):
        comparison(connection, hours=hours, scope="user", users=[901])
    gate = seen(connection)
    assert gate.users[901].ready and broken(gate.users[902]) == ["complete", "streak"]
    assert broken(gate.tables["fub_people"]) == ["complete", "streak"]


def test_data_that_are_older_than_v1s_are_not_ready_for_the_user_who_is_behind_nor_for_a_table_that_is(
    green: Any,
) -> None:
    user(green, 903, synced_hours_ago=30)
    gate = seen(green)
    assert broken(gate.users[903]) == ["fresh"] and gate.users[901].ready
    assert broken(gate.tables["fub_people"]) == ["fresh"], "one of three users is more than one in twenty"
    for number in range(910, 930):
        user(green, number, synced_hours_ago=0.5)
    assert seen(green).tables["fub_people"].ready
    green.execute("update ops.sync_state set last_sync_at = null where user_id = 903")
    assert broken(seen(green).users[903]) == ["fresh"]


def test_shadow_reading_counts_for_its_days_and_only_what_nothing_explains_stands_in_the_way(green: Any) -> None:
    green.execute(
        "insert into ops.shadow_difference (endpoint, day, kind, field, reason, times)"
        " values (%s, current_date, 'value', 'price', 'unknown', 2)",
        [PEOPLE],
    )
    gate = seen(green)
    assert broken(gate.endpoints[PEOPLE]) == ["shadow_same"]
    assert gate.shadow_reasons[PEOPLE] == {"newer_at_source": 12, "unknown": 2}
    green.execute("update ops.shadow_count set failed = 1")
    assert broken(seen(green).endpoints[PEOPLE]) == ["shadow_answers", "shadow_same"]
    green.execute("update ops.shadow_difference set day = current_date - 7")
    green.execute("update ops.shadow_count set day = current_date - 7")
    assert broken(seen(green).endpoints[PEOPLE]) == ["shadow_seen"]
    assert seen(green, gate_shadow_days=30, gate_shadow_differences=2).endpoints[PEOPLE].failures[0].rule == (
        "shadow_answers"
    )


def test_a_computed_table_that_v1_lacks_is_as_ready_as_what_it_is_computed_from() -> None:
    compared = {"fub_people": "compared", "agg_fub_activity_by_agent": "not_in_v1", "address": "not_in_v1"}
    assert "fub_people" in judged_by("agg_fub_activity_by_agent", compared)
    assert judged_by("address", compared) == frozenset(), "there is nothing to compare it with"
    assert judged_by("agg_fub_activity_by_agent", {"agg_fub_activity_by_agent": "compared"}) == {
        "agg_fub_activity_by_agent"
    }
    assert judged_by("fub_people", {}) == {"fub_people"}, "nobody has looked yet"
    assert streams_of("fub_people") == {("fub", "people")} and ("fub", "calls") in streams_of(
        "agg_fub_activity_by_agent"
    )
    assert streams_of("director") == frozenset(), "V1 alone fills it"
