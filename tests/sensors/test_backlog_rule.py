"""Whom the backlog sensor sends to a run, and how patient it is with rows that do not move."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from sensors.backlog import Attempt, due

NOW = datetime(2031, 3, 1, 12, tzinfo=UTC)


def test_a_user_with_pending_rows_is_sent_at_once() -> None:
    chosen, remembered = due({"7": (10, 99)}, {}, NOW)
    assert chosen == {"7"}
    assert remembered["7"].tries == 1


def test_the_same_rows_are_not_sent_again_before_their_pause_is_over() -> None:
    _, remembered = due({"7": (10, 99)}, {}, NOW)
    assert due({"7": (10, 99)}, remembered, NOW + timedelta(seconds=1))[0] == set()


def test_new_rows_of_the_same_user_are_sent_without_waiting() -> None:
    _, remembered = due({"7": (10, 99)}, {}, NOW)
    assert due({"7": (11, 100)}, remembered, NOW + timedelta(seconds=1))[0] == {"7"}


def test_rows_that_stay_are_tried_ever_more_slowly_but_never_given_up() -> None:
    waiting = {"7": (10, 99)}
    attempts: dict[str, Attempt] = {}
    now, pauses = NOW, []
    for _ in range(12):
        chosen, attempts = due(waiting, attempts, now)
        assert chosen == {"7"}
        pauses.append(attempts["7"].not_before - now)
        now = attempts["7"].not_before
    assert pauses == sorted(pauses)
    assert pauses[-1] == timedelta(hours=1)


def test_a_user_whose_backlog_is_gone_is_forgotten() -> None:
    _, remembered = due({"7": (10, 99)}, {}, NOW)
    assert due({}, remembered, NOW) == (set(), {})
