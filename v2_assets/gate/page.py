"""The page for the people who decide: ready or not, per table and per endpoint, and exactly why.

One HTML file without anything from elsewhere, legible on a telephone, in light and in dark. Of the differences it shows
counts and a few examples, so its size does not grow with their number. Pure: what it draws is handed in (`story`).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from functools import cache
from itertools import islice
from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined, Template, select_autoescape

from v2_assets.gate.masking import Mask
from v2_assets.gate.plots import over_time
from v2_assets.gate.rules import Failure, Shadowed, Verdict

#: What a reader calls the kinds of differences.
KINDS = {"missing": "only in V1", "extra": "only in V2"}
#: How many examples of a table, and how many users who are not ready, are shown.
EXAMPLES = 24
USERS = 100


@dataclass(frozen=True, slots=True)
class Count:
    """One table in one comparison, in rows."""

    at: datetime
    complete: bool
    v1_rows: int
    v2_rows: int
    missing: int
    extra: int
    changed: int
    in_flight: int


@dataclass(frozen=True, slots=True)
class Example:
    """One difference. `key` and both values are as they are in the database; the page masks them."""

    kind: str
    reason: str
    key: Mapping[str, Any]
    column: str | None = None
    v1: Any = None
    v2: Any = None
    evidence: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class TableStory:
    """What is told of a table. `counts` oldest first; `reasons` and `columns` of the newest comparison."""

    verdict: Verdict
    counts: Sequence[Count] = ()
    reasons: Mapping[str, int] = field(default_factory=dict)
    columns: Mapping[str, int] = field(default_factory=dict)
    examples: Sequence[Example] = ()


@dataclass(frozen=True, slots=True)
class EndpointStory:
    """What is told of an endpoint. `share`: per cent of users whom V2 serves."""

    verdict: Verdict
    tables: Sequence[str]
    shadowed: Shadowed
    reasons: Mapping[str, int]
    share: float


@dataclass(frozen=True, slots=True)
class Story:
    """All that the page tells. `accepted`: reasons by which V2 is right."""

    at: datetime
    tables: Mapping[str, TableStory]
    endpoints: Mapping[str, EndpointStory]
    users: Sequence[Verdict]
    decisions: Sequence[Mapping[str, Any]]
    accepted: frozenset[str]


def draw(story: Story) -> str:
    """The whole page."""
    mask = Mask()
    tables = sorted(story.tables.items(), key=lambda item: (item[1].verdict.ready, item[0]))
    endpoints = sorted(story.endpoints.items(), key=lambda item: (item[1].verdict.ready, item[0]))
    red = [verdict for verdict in story.users if not verdict.ready]
    complete = [count.at for table in story.tables.values() for count in table.counts if count.complete]
    return _template().render(
        made_at=story.at,
        compared_at=max(complete, default=None),
        whole=_whole(story),
        tables=[_table(name, table, story.accepted, mask) for name, table in tables],
        endpoints=[
            {
                "name": name,
                "verdict": each.verdict,
                "tables": each.tables,
                "share": each.share,
                "shadowed": each.shadowed,
                "reasons": _bars(each.reasons, story.accepted),
            }
            for name, each in endpoints
        ],
        served=max((each.share for each in story.endpoints.values()), default=0),
        users={"total": len(story.users), "ready": len(story.users) - len(red), "red": red[:USERS]},
        decisions=story.decisions,
    )


@cache
def _template() -> Template:
    return Environment(
        loader=PackageLoader("v2_assets.gate", "templates"),
        autoescape=select_autoescape(),
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    ).get_template("gate.html")


def _whole(story: Story) -> Verdict:
    """The page's own verdict: for each rule, how many subjects break it and which."""
    by_rule: dict[str, dict[str, None]] = {}  # each subject once, in order
    verdicts = [each.verdict for each in (*story.tables.values(), *story.endpoints.values())]
    for verdict in (*verdicts, *story.users):
        subject = f"user {verdict.subject}" if verdict.kind == "user" else verdict.subject
        for failure in verdict.failures:
            by_rule.setdefault(failure.rule, {})[subject] = None
    failures = tuple(
        Failure(rule, f"{len(subjects)}: {', '.join(islice(subjects, 6))}{' …' if len(subjects) > 6 else ''}")
        for rule, subjects in by_rule.items()
    )
    if not story.endpoints:
        failures = (*failures, Failure("complete", "there is no endpoint to switch"))
    return Verdict("endpoint", "all", failures)


def _table(name: str, table: TableStory, accepted: frozenset[str], mask: Mask) -> dict[str, Any]:
    newest = table.counts[-1] if table.counts else None
    series = {
        "only in V1": [(count.at, float(count.missing)) for count in table.counts],
        "only in V2": [(count.at, float(count.extra)) for count in table.counts],
        "changed": [(count.at, float(count.changed)) for count in table.counts],
    }
    differs = any(value for points in series.values() for _, value in points)
    return {
        "name": name,
        "verdict": table.verdict,
        "count": newest,
        "plot": over_time(name, series) if differs and len(table.counts) > 1 else None,
        "reasons": _bars(table.reasons, accepted),
        "columns": _bars(table.columns, frozenset(), most=12, spoken=False),
        "differences": sum(table.reasons.values()),
        "examples": [_example(name, each, mask) for each in table.examples[:EXAMPLES]],
    }


def _bars(
    counts: Mapping[str, int], accepted: frozenset[str], most: int = 20, spoken: bool = True
) -> list[dict[str, Any]]:
    """Bars, the longest first; what is beyond `most` is one bar."""
    ranked = sorted(counts.items(), key=lambda item: (-item[1], item[0]))
    if len(ranked) > most:
        ranked = [*ranked[: most - 1], ("others", sum(count for _, count in ranked[most - 1 :]))]
    longest = max((count for _, count in ranked), default=0)
    return [
        {
            "name": _spoken(name) if spoken else name,
            "count": count,
            "width": 100 * count / longest,
            "fine": name in accepted,
        }
        for name, count in ranked
        if count
    ]


def _example(table: str, example: Example, mask: Mask) -> dict[str, str]:
    def shown(value: Any) -> str:
        return "" if example.column is None else mask.show(table, example.column, value)

    return {
        "kind": KINDS.get(example.kind, example.kind),
        "reason": _spoken(example.reason),
        "key": _pairs((name, mask.show(table, name, value)) for name, value in example.key.items()),
        "column": example.column or "",
        "v1": shown(example.v1),
        "v2": shown(example.v2),
        "evidence": _pairs((name, mask.fact(name, value)) for name, value in example.evidence.items()),
    }


def _spoken(reason: str) -> str:
    return reason.replace("_", " ")


def _pairs(pairs: Iterable[tuple[str, str]]) -> str:
    return ", ".join(f"{name} {value}" for name, value in pairs)
