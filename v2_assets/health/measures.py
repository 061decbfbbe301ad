"""What can be measured about the platform: one list of metrics for Prometheus, the daily report and the dashboard.

Here: each metric's name, meaning and query, taking them all, and keeping them over time. Not here: what is too much
(`signals`), and how the numbers are shown (`v2_assets.monitor.metrics`, `report`). No label names a user or an account.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, Literal

import psycopg
from psycopg import sql

from v2_assets.health.gap import gaps
from v2_assets.merge.statements import staging
from v2_assets.schema.stage import STREAMS

#: For how long measurements are kept; the report looks back over the same time.
KEPT = timedelta(days=35)


@dataclass(frozen=True, slots=True)
class Measure:
    """One metric. `query` selects its labels, in order, and then the value; a metric without a row has no sample."""

    name: str
    kind: Literal["gauge", "counter"]
    meaning: str
    labels: tuple[str, ...]
    query: sql.SQL | sql.Composed


@dataclass(frozen=True, slots=True)
class Sample:
    """One number of a metric, e.g. `v2_staged_records` of ("stage_fub_people", "pending")."""

    name: str
    labels: tuple[str, ...]
    value: float


def _of_staging(query: str) -> sql.Composed:
    """The same question to every staging table; {table} is its name as text, {stage} the table itself."""
    return sql.SQL(" union all ").join(
        sql.SQL(query).format(table=sql.Literal(stream.table), stage=staging(stream.table))  # type: ignore[arg-type]
        for stream in STREAMS
    )


MEASURES: tuple[Measure, ...] = (
    Measure(
        "v2_staged_records",
        "gauge",
        "Staged records that are not in V2, by status.",
        ("table", "status"),
        _of_staging(
            "select {table}::text, f.status, count(s.id)::float from (values ('pending'), ('deferred'), ('rejected'))"
            " f (status) left join {stage} s on s.status = f.status group by f.status"
        ),
    ),
    Measure(
        "v2_oldest_waiting_seconds",
        "gauge",
        "How long the oldest pending or deferred record of a staging table has waited.",
        ("table",),
        _of_staging(
            "select {table}::text, coalesce(extract(epoch from now() - min(fetched_at)), 0)::float from {stage}"
            " where status in ('pending', 'deferred')"
        ),
    ),
    Measure(
        "v2_warned_records",
        "gauge",
        "Staged records with a field that could not be read and is null in V2.",
        ("table",),
        _of_staging("select {table}::text, count(*)::float from {stage} where warnings is not null"),
    ),
    Measure(
        "v2_parked_keys",
        "gauge",
        "Keys of computed tables that Postgres refuses to compute.",
        ("table",),
        sql.SQL("select table_name, count(*)::float from ops.parked_key group by 1"),
    ),
    Measure(
        "v2_stream_lag_seconds",
        "gauge",
        "Time since the last successful sync of the connected user who is furthest behind.",
        ("integration", "entity"),
        sql.SQL(
            "select integration, entity, max(extract(epoch from now() - last_sync_at))::float from ops.sync_state"
            " where last_sync_at is not null and status <> 'excluded' group by 1, 2"
        ),
    ),
    Measure(
        "v2_streams",
        "gauge",
        "Streams of all users by how their last pass ended.",
        ("integration", "status"),
        sql.SQL("select integration, status, count(*)::float from ops.sync_state group by 1, 2"),
    ),
    Measure(
        "v2_merged_records_last_hour",
        "gauge",
        "Staged records that merges of the last hour have given their fate.",
        ("table",),
        sql.SQL(
            "select table_name, sum((counts ->> 'read')::bigint)::float from ops.merge_run"
            " where ended_at > now() - interval '1 hour' group by 1"
        ),
    ),
    Measure(
        "v2_gap_records",
        "gauge",
        "Records that a source counted at its last full sweep and that V2 has not.",
        ("integration", "entity"),
        sql.SQL("select integration, entity, sum(gap)::float from ({}) g group by 1, 2").format(gaps()),
    ),
    Measure(
        "v2_failed_passes_last_day",
        "gauge",
        "Passes over a source's streams that failed in the last 24 hours.",
        ("integration",),
        sql.SQL(
            "select integration, sum(failed)::float from ops.pull where at > now() - interval '24 hours' group by 1"
        ),
    ),
    Measure(
        "v2_throttled_total",
        "counter",
        "Answers 429 of a source, as far back as its budgets reach.",
        ("source",),
        sql.SQL("select split_part(key, ':', 1), sum(throttled)::float from ops.api_budget group by 1"),
    ),
    Measure(
        "v2_budget_share",
        "gauge",
        "The part of a source's documented rate that is used now; below 1 after a 429.",
        ("source",),
        sql.SQL("select split_part(key, ':', 1), min(rate / full_rate) from ops.api_budget group by 1"),
    ),
    Measure(
        "v2_credentials",
        "gauge",
        "Connections in use, by state.",
        ("platform", "state"),
        sql.SQL(
            "select platform, state, count(*)::float from v2.credentials where active and deleted_at is null"
            " group by 1, 2"
        ),
    ),
    Measure(
        "v2_onboarding_jobs",
        "gauge",
        "Newest onboarding attempt of each connection, by status.",
        ("integration", "status"),
        sql.SQL(
            "select integration, status, count(*)::float from (select distinct on (credentials_id) integration, status"
            " from ops.onboarding_job order by credentials_id, attempt desc) newest group by 1, 2"
        ),
    ),
    Measure(
        "v2_errors_last_hour",
        "gauge",
        "Errors of the last hour, by code.",
        ("code",),
        sql.SQL("select code, count(*)::float from ops.error_log where at > now() - interval '1 hour' group by 1"),
    ),
)
BY_NAME = {measure.name: measure for measure in MEASURES}


def take(connection: psycopg.Connection[Any], measures: Iterable[Measure] = MEASURES) -> list[Sample]:
    """Asks for every metric. A failing query is an error, never a zero."""
    return [
        Sample(measure.name, tuple(str(label) for label in row[:-1]), float(row[-1]))
        for measure in measures
        for row in connection.execute(measure.query).fetchall()
    ]


def keep(connection: psycopg.Connection[Any], samples: Sequence[Sample]) -> None:
    """Stores samples under the database's present instant, and forgets those (and pulls) that are older than KEPT."""
    with connection.transaction(), connection.cursor() as cur:
        with cur.copy("copy ops.measurement (metric, labels, value) from stdin") as copy:
            for sample in samples:
                copy.write_row((sample.name, list(sample.labels), sample.value))
        cur.execute("delete from ops.measurement where at < now() - %s", [KEPT])
        cur.execute("delete from ops.pull where at < now() - %s", [KEPT])


def history(connection: psycopg.Connection[Any], name: str) -> list[tuple[Any, tuple[str, ...], float]]:
    """The kept numbers of one metric as (instant, labels, value), oldest first: the hourly maximum."""
    rows = connection.execute(
        "select date_trunc('hour', at), labels, max(value) from ops.measurement where metric = %s group by 1, 2"
        " order by 1",
        [name],
    ).fetchall()
    return [(at, tuple(labels), value) for at, labels, value in rows]
