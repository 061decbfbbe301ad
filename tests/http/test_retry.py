"""The retry decision, and how long a source asks us to wait."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from email.utils import format_datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from resources.errors import (
    BadRequest,
    Forbidden,
    NotFound,
    NotUnderstood,
    RateLimited,
    SourceError,
    SourceUnavailable,
    Unauthorized,
)
from resources.http.budget import LONGEST_WAIT_S
from resources.http.retry import LONGEST_RETRY_AFTER_S, PATIENCE_S, retry_after_s, worth_another_try

NOW = datetime(2031, 2, 3, 10, 0, 0, tzinfo=UTC)
PASSING = (RateLimited, SourceUnavailable)
FINAL = (Unauthorized, Forbidden, NotFound, BadRequest, NotUnderstood)


@pytest.mark.parametrize("kind", PASSING)
def test_what_passes_by_itself_is_tried_again(kind: type[SourceError]) -> None:
    assert worth_another_try(kind("x"))


@pytest.mark.parametrize("kind", FINAL)
def test_what_was_refused_for_good_is_not(kind: type[SourceError]) -> None:
    assert not worth_another_try(kind("x"))


@given(st.sampled_from([*PASSING, *FINAL]), st.booleans(), st.floats(0, 1e6))
def test_nothing_is_tried_again_once_patience_is_spent(kind: type[SourceError], retryable: bool, spent: float) -> None:
    decision = worth_another_try(kind("x", retryable=retryable), spent)
    assert decision == (retryable and spent < PATIENCE_S)


@given(st.floats(0, 1e6))
def test_a_pause_is_waited_for_only_up_to_the_longest_wait(seconds: float) -> None:
    assert worth_another_try(RateLimited("x", context={"seconds": seconds})) == (seconds <= LONGEST_WAIT_S)


@pytest.mark.parametrize("error", [ValueError("x"), KeyboardInterrupt(), RuntimeError()])
def test_errors_of_our_own_are_never_tried_again(error: BaseException) -> None:
    assert not worth_another_try(error)  # type: ignore[arg-type]


@given(st.integers(0, 86_400))
def test_seconds_are_seconds(seconds: int) -> None:
    assert retry_after_s(f" {seconds} ") == min(seconds, LONGEST_RETRY_AFTER_S)


def test_milliseconds_taken_for_seconds_cost_a_quarter_of_an_hour_and_not_a_day() -> None:
    assert retry_after_s("60000") == LONGEST_RETRY_AFTER_S == 900


@given(st.integers(-100_000, 200_000))
def test_a_date_is_counted_from_the_sources_clock(seconds: int) -> None:
    header = format_datetime(NOW + timedelta(seconds=seconds), usegmt=True)
    assert retry_after_s(header, NOW) == min(max(seconds, 0), LONGEST_RETRY_AFTER_S)


@given(st.one_of(st.none(), st.text(max_size=60), st.from_regex(r"[0-9]{1,40}", fullmatch=True)))
def test_whatever_the_header_holds_the_answer_is_bounded_or_unknown(header: str | None) -> None:
    seconds = retry_after_s(header, NOW)
    assert seconds is None or 0 <= seconds <= LONGEST_RETRY_AFTER_S


@pytest.mark.parametrize("header", [None, "", "soon", "-5", "1.5", "٣", "Mon, 99 Feb 2031 10:00:09 GMT"])
def test_what_is_neither_seconds_nor_a_date_is_unknown(header: str | None) -> None:
    assert retry_after_s(header, NOW) is None
