"""The switch: who gets what from V2, that it rises only through an open gate, and that every way back works."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import psycopg
import pytest
from hypothesis import given
from hypothesis import strategies as st

from resources.postgres import Database
from v2_assets.gate.rules import Failure, Verdict
from v2_assets.gate.stop import enforce
from v2_assets.gate.switch import (
    GateRed,
    Rollout,
    Standing,
    back,
    decisions,
    hold,
    in_force,
    place,
    release,
    serves_v2,
    set_share,
    stop,
)

USERS = list(range(1, 201))
BOTH = ["transactions", "network"]
GREEN = [Verdict("endpoint", name) for name in BOTH] + [Verdict("user", str(user)) for user in USERS]
RED = (Failure("unexplained", "3 differences without an accepted reason (3 unknown)"),)


def red(kind: Any, subject: object) -> list[Verdict]:
    """The verdicts, all green but for this one."""
    others = [each for each in GREEN if (each.kind, each.subject) != (kind, str(subject))]
    return [*others, Verdict(kind, str(subject), RED)]


@pytest.fixture
def connection(database: Database) -> Iterator[psycopg.Connection[Any]]:
    with database.connect(autocommit=True) as connection:
        yield connection


def turn(connection: psycopg.Connection[Any], share: float, verdicts: list[Verdict] = GREEN, **more: Any) -> Any:
    names = more.pop("endpoints", BOTH)
    return set_share(connection, names, share, who="ada", verdicts=verdicts, users=USERS, **more)


def of_v2(connection: psycopg.Connection[Any], endpoint: str = "transactions") -> set[int]:
    now = in_force(connection)
    return {user for user in USERS if now.serves_v2(user, endpoint)}


def at(share: float) -> set[int]:
    return {user for user in USERS if place(user) < share}


def incidents(connection: psycopg.Connection[Any]) -> list[tuple[str, bool]]:
    return connection.execute(
        "select key, recovered_at is null from ops.incident where code = 'switch_stopped' order by id"
    ).fetchall()


@given(st.integers(1, 2**62), st.floats(0, 100), st.floats(0, 100))
def test_who_is_in_at_a_share_is_in_at_every_larger_one_and_the_ends_are_nobody_and_everybody(
    user: int, one: float, other: float
) -> None:
    def served(share: float) -> bool:
        return Rollout({"x": Standing("set", share, frozenset())}, {}).serves_v2(user, "x")

    assert served(min(one, other)) <= served(max(one, other))
    assert not served(0) and served(100)


def test_a_share_is_met_and_a_users_place_never_moves() -> None:
    many = range(1, 20_001)
    assert abs(sum(place(user) < 20 for user in many) / len(many) - 0.2) < 0.01
    assert round(place(901), 6) == 25.015569, "moving it would move users between V1 and V2"


def test_nothing_is_served_from_v2_before_somebody_decides_it(connection: psycopg.Connection[Any]) -> None:
    assert not serves_v2(connection, 1, "transactions") and of_v2(connection) == set()


def test_a_share_rises_through_an_open_gate_and_the_decision_is_kept(connection: psycopg.Connection[Any]) -> None:
    turn(connection, 20, reason="first week")
    turn(connection, 60, endpoints=["network"])
    assert (
        of_v2(connection) == at(20) and of_v2(connection, "network") == at(60) and of_v2(connection, "other") == set()
    )
    told = [(d["who"], d["action"], d["endpoint"], d["share"], d["reason"]) for d in decisions(connection)]
    assert told == [
        ("ada", "set", "network", 60, None),
        ("ada", "set", "network", 20, "first week"),
        ("ada", "set", "transactions", 20, "first week"),
    ]


def test_a_share_does_not_rise_while_the_endpoint_or_a_user_whom_it_would_reach_is_red(
    connection: psycopg.Connection[Any],
) -> None:
    reached, not_reached = min(at(20)), min(set(USERS) - at(20))
    with pytest.raises(GateRed, match="endpoint network: 3 differences"):
        turn(connection, 20, red("endpoint", "network"))
    with pytest.raises(GateRed, match=f"user {reached}: 3 differences"):
        turn(connection, 20, red("user", reached))
    assert decisions(connection) == [], "refused for all endpoints, not for one"
    turn(connection, 20, red("endpoint", "network"), endpoints=["transactions"])
    turn(connection, 20, red("user", not_reached))
    assert of_v2(connection) == of_v2(connection, "network") == at(20)


def test_a_share_goes_down_whatever_the_gate_says(connection: psycopg.Connection[Any]) -> None:
    turn(connection, 50)
    turn(connection, 10, red("endpoint", "network"))
    assert of_v2(connection, "network") == at(10)


def test_a_user_who_is_held_stays_with_v1_and_does_not_stand_in_the_others_way(
    connection: psycopg.Connection[Any],
) -> None:
    user = min(at(50))
    assert hold(connection, user, who="ada", reason="asked for it") and not hold(connection, user, who="ada")
    turn(connection, 50, red("user", user))
    assert of_v2(connection) == at(50) - {user}
    with pytest.raises(GateRed):
        release(connection, user, who="ada", verdict=Verdict("user", str(user), RED))
    assert release(connection, user, who="ada", verdict=Verdict("user", str(user)))
    assert of_v2(connection) == at(50)


def test_an_override_needs_a_reason_and_keeps_it_with_what_it_accepted(connection: psycopg.Connection[Any]) -> None:
    with pytest.raises(GateRed, match="needs a reason"):
        turn(connection, 20, red("endpoint", "network"), override=True, reason=" ")
    turn(connection, 20, red("endpoint", "network"), override=True, reason="V1 is wrong there, see the list")
    assert of_v2(connection, "network") == at(20)
    newest = decisions(connection, 1)[0]
    assert newest["accepted"] == [{"kind": "endpoint", "subject": "network", "rule": "unexplained"}]
    assert newest["reason"] == "V1 is wrong there, see the list"


def test_what_turns_red_goes_back_to_v1_by_itself_and_people_are_told_until_it_is_green(
    connection: psycopg.Connection[Any],
) -> None:
    turn(connection, 50)
    assert enforce(connection, GREEN) == [] and incidents(connection) == []
    (taken,) = enforce(connection, red("endpoint", "network"))
    assert taken.subject == "network"
    assert of_v2(connection, "network") == set() and of_v2(connection, "transactions") == at(50)
    assert enforce(connection, red("endpoint", "network")) == [], "once"
    newest = decisions(connection, 1)[0]
    assert (newest["who"], newest["action"], newest["share"]) == ("gate", "auto_stop", 0)
    assert newest["reason"] == RED[0].why and newest["accepted"][0]["rule"] == "unexplained"
    assert incidents(connection) == [("endpoint/network", True)]
    enforce(connection, GREEN)
    assert incidents(connection) == [("endpoint/network", False)]
    assert of_v2(connection, "network") == set(), "a person raises it again"
    turn(connection, 50)
    assert of_v2(connection, "network") == at(50)


def test_a_user_who_turns_red_goes_back_alone_and_one_incident_tells_of_all_such_users(
    connection: psycopg.Connection[Any],
) -> None:
    turn(connection, 50)
    first, second = sorted(at(50))[:2]
    outside = min(set(USERS) - at(50))
    others = [v for v in GREEN if v.subject not in {str(first), str(second), str(outside)}]
    enforce(connection, [*others, *(Verdict("user", str(user), RED) for user in (first, second, outside))])
    assert of_v2(connection) == at(50) - {first, second}
    assert incidents(connection) == [("users/unexplained", True)]
    body = connection.execute("select body from ops.incident").fetchone()
    assert body and body[0]["users"] == [first, second], "whom V1 serves anyway is not hit"
    enforce(connection, GREEN)
    assert incidents(connection) == [("users/unexplained", False)]
    assert of_v2(connection) == at(50) - {first, second}, "a person releases them"


def test_what_an_override_accepted_does_not_stop_it_but_anything_else_does(connection: psycopg.Connection[Any]) -> None:
    turn(connection, 50, red("endpoint", "network"), override=True, reason="known")
    assert enforce(connection, red("endpoint", "network")) == []
    turn(connection, 30, red("endpoint", "network"))
    assert enforce(connection, red("endpoint", "network")) == [], "nor at a smaller share"
    worse = Verdict("endpoint", "network", (*RED, Failure("gap", "2 % missing")))
    (taken,) = enforce(connection, [worse])
    assert [failure.rule for failure in taken.failures] == ["gap"]
    turn(connection, 30)
    assert len(enforce(connection, red("endpoint", "network"))) == 1, "a new decision accepts nothing by itself"


def test_the_way_back_leads_step_by_step_to_v1_and_stop_goes_there_at_once(connection: psycopg.Connection[Any]) -> None:
    for share in (5, 20, 50):
        turn(connection, share)
    assert back(connection, BOTH, who="bob") == {"transactions": 20, "network": 20}
    assert back(connection, ["network"], who="bob") == {"network": 5}
    assert back(connection, ["network"], who="bob") == {"network": 0}
    assert back(connection, ["network"], who="bob") == {}
    assert of_v2(connection) == at(20) and of_v2(connection, "network") == set()
    assert stop(connection, BOTH, who="bob", reason="complaints") == ["transactions"]
    assert of_v2(connection) == set()
    turn(connection, 20)
    assert of_v2(connection) == of_v2(connection, "network") == at(20), "and there again"


def test_two_who_decide_at_once_decide_one_after_the_other(
    connection: psycopg.Connection[Any], database: Database
) -> None:
    turn(connection, 50)
    with connection.transaction():
        connection.execute("select pg_advisory_xact_lock(hashtext('ops.switch_decision'))")
        with database.connect(autocommit=True) as other:
            other.execute("set lock_timeout = '50ms'")
            with pytest.raises(psycopg.errors.LockNotAvailable):
                stop(other, BOTH, who="bob")
