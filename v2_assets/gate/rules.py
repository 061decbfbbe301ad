"""The rules of the gate: what must be true before something is served from V2. Pure; reads nothing.

Here: the rules, each a function from facts to a failure or none, and how verdicts about tables become verdicts about
users and endpoints. Not here: where the facts come from (`facts`), and what a verdict does (`switch`).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, Literal

from resources.settings import Settings

Kind = Literal["table", "user", "endpoint"]


@dataclass(frozen=True, slots=True)
class Failure:
    """A rule that is broken: its name, why in a sentence, and the numbers behind it. No personal data."""

    rule: str
    why: str
    evidence: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Verdict:
    """Ready when no rule is broken."""

    kind: Kind
    subject: str
    failures: tuple[Failure, ...] = ()

    @property
    def ready(self) -> bool:
        return not self.failures


@dataclass(frozen=True, slots=True)
class Limits:
    """The settings of the rules."""

    unexplained: int
    gap_percent: float
    exact_cells: int
    green_runs: int
    comparison_age: timedelta
    staleness: timedelta
    shadow_requests: int
    shadow_differences: int

    @classmethod
    def of(cls, settings: Settings) -> Limits:
        """As the settings say."""
        return cls(
            unexplained=settings.gate_unexplained,
            gap_percent=settings.gate_gap_percent,
            exact_cells=settings.gate_exact_cells,
            green_runs=settings.gate_green_runs,
            comparison_age=timedelta(hours=settings.gate_comparison_hours),
            staleness=timedelta(minutes=settings.gate_staleness_minutes),
            shadow_requests=settings.gate_shadow_requests,
            shadow_differences=settings.gate_shadow_differences,
        )


@dataclass(frozen=True, slots=True)
class Gap:
    """Rows of V1 in one table, and how many of them V2 lacks although it should have them."""

    table: str
    absent: int
    rows: int

    @property
    def percent(self) -> float:
        return 100 * self.absent / self.rows if self.rows else 0.0


@dataclass(frozen=True, slots=True)
class Compared:
    """One table, or one user's part of all of them, in one comparison that ended.

    `complete`: every row was looked at, not a sample or somebody else's rows. `unexplained`: differences without an
    accepted reason, by reason. `exact`: cells of money, dates and ids that differ without an excuse, by column.
    """

    run_id: int
    at: datetime
    complete: bool
    gaps: Sequence[Gap] = ()
    unexplained: Mapping[str, int] = field(default_factory=dict)
    exact: Mapping[str, int] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Facts:
    """What is known of one table, or of one user: comparisons, newest first, and how old each side's data are.

    `failed`: the number of the newest comparison, if it could not compare this. `v1_at`, `v2_at`: the last instant at
    which each side may have been up to date; None where it is not known.
    """

    runs: Sequence[Compared] = ()
    failed: int | None = None
    v1_at: datetime | None = None
    v2_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Shadowed:
    """What shadow reading saw of one endpoint: requests that were compared, and differences by reason."""

    requests: int = 0
    failed: int = 0
    unexplained: Mapping[str, int] = field(default_factory=dict)


Rule = Callable[[Facts, Limits, datetime], Failure | None]


def _looked_at(facts: Facts) -> list[Compared]:
    """The newest complete comparison and whatever was looked at after it: a sample finds trouble, it proves nothing."""
    seen: list[Compared] = []
    for run in facts.runs:
        seen.append(run)
        if run.complete:
            break
    return seen


def complete(facts: Facts, limits: Limits, now: datetime) -> Failure | None:
    """Every row was compared at least once."""
    if facts.failed is not None:
        return Failure("complete", "its newest comparison failed", {"run": facts.failed})
    if any(run.complete for run in facts.runs):
        return None
    if not facts.runs:
        return Failure("complete", "it was never compared")
    return Failure("complete", "only a part of it was compared", {"run": facts.runs[0].run_id})


def recent(facts: Facts, limits: Limits, now: datetime) -> Failure | None:
    """The newest complete comparison is not too old."""
    last = next((run for run in facts.runs if run.complete), None)
    if last is None or now - last.at <= limits.comparison_age:
        return None
    hours = (now - last.at) / timedelta(hours=1)
    most = limits.comparison_age / timedelta(hours=1)
    return Failure(
        "recent",
        f"it was last compared {hours:.0f} hours ago; at most {most:.0f} are allowed",
        {"run": last.run_id, "at": last.at.isoformat(timespec="seconds")},
    )


def unexplained(facts: Facts, limits: Limits, now: datetime) -> Failure | None:
    """No difference is without an accepted reason."""
    for run in _looked_at(facts):
        if (count := sum(run.unexplained.values())) > limits.unexplained:
            reasons = ", ".join(f"{number} {reason}" for reason, number in sorted(run.unexplained.items()))
            return Failure(
                "unexplained",
                f"{_count(count, 'difference')} without an accepted reason ({reasons})",
                {"run": run.run_id, **run.unexplained},
            )
    return None


def gap(facts: Facts, limits: Limits, now: datetime) -> Failure | None:
    """V2 has the rows that V1 has, but for a small share; knowing why they are missing does not bring them."""
    for run in _looked_at(facts):
        worst = max(run.gaps, key=lambda gap: gap.percent, default=None)
        if worst and worst.percent > limits.gap_percent:
            return Failure(
                "gap",
                f"{worst.percent:.1f} % of V1's rows of {worst.table} are not in V2; at most {limits.gap_percent:g} %"
                " may be missing",
                {"run": run.run_id, "table": worst.table, "missing": worst.absent, "rows": worst.rows},
            )
    return None


def exact(facts: Facts, limits: Limits, now: datetime) -> Failure | None:
    """Money, dates and ids are the same."""
    for run in _looked_at(facts):
        if (count := sum(run.exact.values())) > limits.exact_cells:
            columns = ", ".join(sorted(run.exact))
            return Failure(
                "exact",
                f"{_count(count, 'value')} of money, dates or ids differ ({columns})",
                {"run": run.run_id, **run.exact},
            )
    return None


#: What one comparison alone says; a run that breaks none of them is green.
_OF_A_RUN: tuple[Rule, ...] = (unexplained, gap, exact)


def streak(facts: Facts, limits: Limits, now: datetime) -> Failure | None:
    """The newest complete comparisons were all green: one may be luck."""
    green = 0
    for run in (run for run in facts.runs if run.complete):
        if green == limits.green_runs or any(rule(Facts([run]), limits, now) for rule in _OF_A_RUN):
            break
        green += 1
    if green >= limits.green_runs:
        return None
    return Failure(
        "streak",
        f"{green} of the {limits.green_runs} green comparisons in a row that are wanted",
        {"green": green, "wanted": limits.green_runs},
    )


def fresh(facts: Facts, limits: Limits, now: datetime) -> Failure | None:
    """V2's data are not older than V1's, but for what a sweep takes. What V2 never read is older than anything."""
    if facts.v1_at is None or (facts.v2_at is not None and facts.v1_at - facts.v2_at <= limits.staleness):
        return None
    evidence = {"v1": facts.v1_at.isoformat(timespec="seconds")}
    if facts.v2_at is None:
        return Failure("fresh", "V2 never read it, V1 did", evidence)
    behind = (facts.v1_at - facts.v2_at) / timedelta(minutes=1)
    return Failure(
        "fresh",
        f"V2's data are {behind:.0f} minutes older than V1's",
        evidence | {"v2": facts.v2_at.isoformat(timespec="seconds")},
    )


RULES: tuple[Rule, ...] = (complete, recent, unexplained, gap, exact, streak, fresh)


def judge(kind: Kind, subject: str, facts: Facts, limits: Limits, now: datetime) -> Verdict:
    """The verdict on a table or a user."""
    broken = (rule(facts, limits, now) for rule in RULES)
    return Verdict(kind, subject, tuple(failure for failure in broken if failure))


def judge_endpoint(
    name: str, tables: Iterable[str], verdicts: Mapping[str, Verdict], shadowed: Shadowed, limits: Limits
) -> Verdict:
    """The verdict on an endpoint: every table it reads is ready, and shadow reading saw enough and nothing unexplained.

    A table that nobody judged is not ready.
    """
    failures: list[Failure] = []
    for table in sorted(set(tables)):
        verdict = verdicts.get(table, Verdict("table", table, (Failure("complete", "it was never compared"),)))
        if not verdict.ready:
            rules = ", ".join(failure.rule for failure in verdict.failures)
            failures.append(Failure("tables", f"it reads {table}, which is not ready ({rules})", {"table": table}))
    if shadowed.requests < limits.shadow_requests:
        failures.append(
            Failure(
                "shadow_seen",
                f"{shadowed.requests} of the {limits.shadow_requests} requests that are to be compared with V1's",
                {"requests": shadowed.requests},
            )
        )
    if shadowed.failed:
        failures.append(
            Failure("shadow_answers", f"{_count(shadowed.failed, 'request')} failed", {"failed": shadowed.failed})
        )
    if (count := sum(shadowed.unexplained.values())) > limits.shadow_differences:
        failures.append(
            Failure(
                "shadow_same",
                f"{_count(count, 'difference')} from V1's answers without an accepted reason",
                dict(shadowed.unexplained),
            )
        )
    return Verdict("endpoint", name, tuple(failures))


def _count(number: int, what: str) -> str:
    return f"{number:,} {what}{'' if number == 1 else 's'}"
