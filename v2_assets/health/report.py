"""The health report: one page with what the measurements of the last weeks show, drawn from the database alone.

The page holds its plots as SVG and loads nothing from elsewhere, so it can be mailed, stored and read on a telephone.
"""

from __future__ import annotations

import io
from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import pairwise
from typing import Any

import psycopg
from jinja2 import Environment, PackageLoader, StrictUndefined, select_autoescape

from resources.settings import Settings
from v2_assets.health.measures import KEPT, Sample, history, take

#: Lines of one plot; what is smaller is drawn together as "others".
LINES = 6
FEW_POINTS = 48

Series = dict[str, list[tuple[datetime, float]]]


@dataclass(frozen=True, slots=True)
class Plot:
    """One picture: its title, what its axis counts, and the SVG (or None where nothing was measured yet)."""

    title: str
    unit: str
    svg: str | None


def draw(connection: psycopg.Connection[Any]) -> str:
    """The report of this moment as a whole HTML page."""
    samples = take(connection)
    staged = history(connection, "v2_staged_records")
    plots = [
        _plot("Backlog", "pending and deferred records", _summed(staged, {"pending", "deferred"})),
        _plot("Rejected", "rejected records, by table", _summed(staged, {"rejected"})),
        _plot(
            "Gap",
            "records that the source counts and V2 has not, by stream",
            _by(history(connection, "v2_gap_records"), "/".join),
        ),
        _plot("Lag", "hours since the furthest user's last sync", _lag(history(connection, "v2_stream_lag_seconds"))),
        _plot(
            "Throughput",
            "records merged in an hour",
            _by(history(connection, "v2_merged_records_last_hour"), lambda labels: "all tables"),
        ),
        _plot("429s", "answers 429 in an hour", _increase(history(connection, "v2_throttled_total"))),
    ]
    page = Environment(
        loader=PackageLoader("v2_assets.health", "templates"),
        autoescape=select_autoescape(),
        undefined=StrictUndefined,
        trim_blocks=True,
    ).get_template("report.html")
    return page.render(
        made_at=datetime.now(UTC), days=KEPT.days, plots=plots, streams=_streams(samples), tables=_tables(samples)
    )


def keep_report(connection: psycopg.Connection[Any], kind: str, html: str) -> int:
    """Stores a report and returns its number. Reports are kept as long as measurements are."""
    with connection.transaction():
        row = connection.execute(
            "insert into ops.report (kind, html) values (%s, %s) returning id", [kind, html]
        ).fetchone()
        connection.execute("delete from ops.report where made_at < now() - %s", [KEPT])
    return row[0] if row else 0


def report_url(settings: Settings, number: int) -> str:
    """Where people read it: behind the proxy, or at the monitor where there is none."""
    proxied = "public_url" in settings.model_fields_set
    return f"{settings.public_url if proxied else f'http://127.0.0.1:{settings.monitor_port}'}/reports/{number}"


def _summed(rows: Iterable[tuple[datetime, tuple[str, ...], float]], statuses: set[str]) -> Series:
    chosen = [row for row in rows if row[1][1] in statuses]
    return _by(chosen, lambda labels: labels[0].removeprefix("stage_"))


def _lag(rows: Iterable[tuple[datetime, tuple[str, ...], float]]) -> Series:
    worst: dict[str, dict[datetime, float]] = defaultdict(dict)
    for at, (integration, _), seconds in rows:
        worst[integration][at] = max(worst[integration].get(at, 0.0), seconds / 3600)
    return {name: sorted(points.items()) for name, points in worst.items()}


def _by(rows: Iterable[tuple[datetime, tuple[str, ...], float]], name: Callable[[tuple[str, ...]], str]) -> Series:
    sums: dict[str, dict[datetime, float]] = defaultdict(lambda: defaultdict(float))
    for at, labels, value in rows:
        sums[name(labels)][at] += value
    return {key: sorted(points.items()) for key, points in sums.items() if any(points.values())}


def _increase(rows: Iterable[tuple[datetime, tuple[str, ...], float]]) -> Series:
    """A counter's growth from hour to hour. One that has become smaller has begun anew."""
    series: Series = {}
    for name, points in _by(rows, lambda labels: labels[0]).items():
        steps = pairwise(points)
        series[name] = [(at, after - before if after >= before else after) for (_, before), (at, after) in steps]
    return {name: points for name, points in series.items() if points}


def _largest(series: Series) -> Series:
    ranked = sorted(series, key=lambda name: max(value for _, value in series[name]), reverse=True)
    if len(ranked) <= LINES:
        return {name: series[name] for name in ranked}
    others: dict[datetime, float] = defaultdict(float)
    for name in ranked[LINES - 1 :]:
        for at, value in series[name]:
            others[at] += value
    return {name: series[name] for name in ranked[: LINES - 1]} | {"others": sorted(others.items())}


def _plot(title: str, unit: str, series: Series) -> Plot:
    if not series:
        return Plot(title, unit, None)
    from matplotlib import rc_context  # here: 30 MB that no process at rest needs
    from matplotlib.dates import AutoDateLocator, ConciseDateFormatter, date2num
    from matplotlib.figure import Figure

    with rc_context({"svg.fonttype": "none", "svg.hashsalt": title, "font.size": 9}):
        figure = Figure(figsize=(7.2, 2.6), layout="constrained")
        axes = figure.add_subplot()
        for name, points in _largest(series).items():
            days = date2num([at for at, _ in points])
            # A point alone is no line; many would hide it.
            marker = "." if len(days) < FEW_POINTS else ""
            axes.plot(days, [value for _, value in points], label=name, marker=marker, markersize=3, linewidth=1.2)
        axes.set_ylim(bottom=0)
        locator = AutoDateLocator()
        axes.xaxis.set_major_locator(locator)
        axes.xaxis.set_major_formatter(ConciseDateFormatter(locator))
        axes.spines[["top", "right"]].set_visible(False)
        # Above the lines, so that it hides none of them.
        axes.legend(loc="lower left", bbox_to_anchor=(0, 1), frameon=False, ncols=LINES, fontsize=7, borderpad=0)
        out = io.StringIO()
        figure.savefig(out, format="svg", metadata={"Date": None})
    return Plot(title, unit, out.getvalue()[out.getvalue().index("<svg") :])


def _streams(samples: Sequence[Sample]) -> list[Mapping[str, Any]]:
    """One line per integration: streams by state, and the longest lag in hours."""
    lines: dict[str, dict[str, Any]] = {}
    for sample in samples:
        if sample.name == "v2_streams":
            line = lines.setdefault(sample.labels[0], {"integration": sample.labels[0], "lag": None})
            line[sample.labels[1]] = int(sample.value)
        elif sample.name == "v2_stream_lag_seconds":
            line = lines.setdefault(sample.labels[0], {"integration": sample.labels[0], "lag": None})
            line["lag"] = max(line["lag"] or 0.0, sample.value / 3600)
    return [lines[name] for name in sorted(lines)]


def _tables(samples: Sequence[Sample]) -> list[Mapping[str, Any]]:
    """One line per staging table that holds records which are not in V2."""
    lines: dict[str, dict[str, Any]] = defaultdict(dict)
    for sample in samples:
        if sample.name == "v2_staged_records":
            lines[sample.labels[0]][sample.labels[1]] = int(sample.value)
    return [{"table": name, **line} for name, line in sorted(lines.items()) if any(line.values())]
