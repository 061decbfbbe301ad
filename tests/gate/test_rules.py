"""Each rule of the gate, in both directions: it lets pass what is right, and it alone stops what is not."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from v2_assets.gate.rules import Compared, Facts, Gap, Limits, Shadowed, Verdict, judge, judge_endpoint

NOW = datetime(2026, 3, 4, 12, tzinfo=UTC)
LIMITS = Limits(
    unexplained=0,
    gap_percent=1,
    exact_cells=0,
    green_runs=3,
    comparison_age=timedelta(hours=26),
    staleness=timedelta(hours=2),
    shadow_requests=100,
    shadow_differences=0,
)


def run(number: int = 9, *, hours: float = 1, absent: int = 0, rows: int = 1000, **more: object) -> Compared:
    gaps = [Gap("fub_people", absent, rows), Gap("fub_calls", 1, 100_000)]
    return replace(
        Compared(run_id=number, at=NOW - timedelta(hours=hours), complete=True, gaps=gaps),
        **more,  # type: ignore[arg-type]
    )


RIGHT = Facts([run(9), run(8, hours=25), run(7, hours=49)], v1_at=NOW, v2_at=NOW)
ENOUGH = Shadowed(requests=100)


def broken(facts: Facts, limits: Limits = LIMITS) -> list[str]:
    return [failure.rule for failure in judge("table", "fub_people", facts, limits, NOW).failures]


def newest(**more: object) -> Facts:
    """The facts that are right, but for the newest comparison."""
    return replace(RIGHT, runs=[run(9, **more), *RIGHT.runs[1:]])


def test_what_breaks_no_rule_is_ready() -> None:
    verdict = judge("table", "fub_people", RIGHT, LIMITS, NOW)
    assert verdict.ready and verdict.failures == ()


@pytest.mark.parametrize(
    ("rule", "wrong", "right"),
    [
        ("recent", newest(hours=26.1), newest(hours=25.9)),
        ("gap", newest(absent=11), newest(absent=10)),
        ("fresh", replace(RIGHT, v2_at=NOW - timedelta(minutes=121)), replace(RIGHT, v2_at=NOW - timedelta(hours=2))),
        ("fresh", replace(RIGHT, v2_at=None), replace(RIGHT, v1_at=None, v2_at=None)),
        ("streak", replace(RIGHT, runs=RIGHT.runs[:2]), replace(RIGHT, runs=[*RIGHT.runs, run(6, absent=900)])),
        ("streak", replace(RIGHT, runs=[*RIGHT.runs[:2], run(7, absent=900)]), RIGHT),
    ],
)
def test_a_rule_stops_what_breaks_it_and_lets_pass_what_just_does_not(rule: str, wrong: Facts, right: Facts) -> None:
    assert rule in broken(wrong)
    assert set(broken(wrong)) <= {rule, "streak"}, "a run that is not green ends the streak as well"
    assert broken(right) == []


@pytest.mark.parametrize("rule", ["unexplained", "exact"])
def test_differences_and_exact_values_are_counted_against_their_setting(rule: str) -> None:
    wrong = newest(unexplained={"unknown": 2, "bug": 1}) if rule == "unexplained" else newest(exact={"sale_price": 3})
    assert broken(wrong) == [rule, "streak"]
    assert broken(wrong, replace(LIMITS, unexplained=3, exact_cells=3)) == []
    assert broken(wrong, replace(LIMITS, unexplained=2, exact_cells=2)) == [rule, "streak"]


def test_what_was_never_compared_or_only_in_part_is_not_complete() -> None:
    assert broken(Facts()) == ["complete", "streak"]
    samples = [run(9, complete=False), run(8, complete=False)]
    assert broken(replace(RIGHT, runs=samples)) == ["complete", "streak"]
    assert broken(replace(RIGHT, runs=[*samples, *RIGHT.runs])) == []
    assert broken(replace(RIGHT, failed=10)) == ["complete"], "what it would have found is not known"


def test_a_sample_finds_trouble_but_its_silence_hides_none() -> None:
    assert broken(replace(RIGHT, runs=[run(10, complete=False, unexplained={"unknown": 1}), *RIGHT.runs])) == [
        "unexplained"
    ]
    behind_it = [run(10, complete=False), run(9, unexplained={"unknown": 1}), *RIGHT.runs[1:]]
    assert broken(replace(RIGHT, runs=behind_it)) == ["unexplained", "streak"]


def test_trouble_that_a_later_complete_comparison_does_not_find_any_more_is_over() -> None:
    healed = [*RIGHT.runs, run(6, hours=73, unexplained={"unknown": 5})]
    assert broken(replace(RIGHT, runs=healed)) == []


def test_an_empty_table_has_no_gap() -> None:
    assert broken(replace(RIGHT, runs=[run(n, rows=0) for n in (9, 8, 7)])) == []


def test_a_failure_says_why_with_its_numbers_and_where_they_are_from() -> None:
    (failure, _) = judge("table", "fub_people", newest(absent=870), LIMITS, NOW).failures
    assert failure.why == "87.0 % of V1's rows of fub_people are not in V2; at most 1 % may be missing"
    assert failure.evidence == {"run": 9, "table": "fub_people", "missing": 870, "rows": 1000}


def endpoint(shadowed: Shadowed = ENOUGH, limits: Limits = LIMITS, **tables: Verdict) -> list[str]:
    ready = {"transaction": Verdict("table", "transaction"), "participant": Verdict("table", "participant")}
    verdict = judge_endpoint("transactions/all", ["transaction", "participant"], ready | tables, shadowed, limits)
    return [failure.rule for failure in verdict.failures]


def test_an_endpoint_is_ready_when_its_tables_are_and_enough_answers_were_the_same() -> None:
    assert endpoint() == []


def test_an_endpoint_is_not_ready_for_each_of_its_own_reasons() -> None:
    red = judge("table", "participant", Facts(), LIMITS, NOW)
    assert endpoint(participant=red) == ["tables"]
    assert endpoint(replace(ENOUGH, requests=99)) == ["shadow_seen"]
    assert endpoint(replace(ENOUGH, failed=1)) == ["shadow_answers"]
    wrong = replace(ENOUGH, unexplained={"unknown": 2})
    assert endpoint(wrong) == ["shadow_same"]
    assert endpoint(wrong, replace(LIMITS, shadow_differences=2)) == []


def test_an_endpoint_that_reads_a_table_which_nobody_judged_is_not_ready() -> None:
    verdict = judge_endpoint("x", ["title_orders"], {}, ENOUGH, LIMITS)
    assert [failure.evidence for failure in verdict.failures] == [{"table": "title_orders"}]
