"""Applying the rules: counted first, then removed batch by batch, each batch a transaction of its own."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import psycopg
from psycopg import sql

from resources.postgres import Database
from resources.settings import Settings
from v2_assets.gate.comparisons import PARTIAL
from v2_assets.retention import dagster_runs
from v2_assets.retention.rules import RULES, Rule

#: Rows in one transaction: short enough that nobody waits for its locks.
BATCH = 5_000

_COUNT = sql.SQL("select count(*) from {table} t where {due}")
_DELETE = sql.SQL("delete from {table} where id in (select t.id from {table} t where {due} limit %(limit)s)")


@dataclass(frozen=True, slots=True)
class Forgotten:
    """One rule: rows that are due, or (after applying) that were removed."""

    name: str
    meaning: str
    setting: str
    days: int
    rows: int


def forget(database: Database, dagster: Database, settings: Settings, *, apply: bool) -> list[Forgotten]:
    """What is due by each rule; with `apply` it is removed. Safe to break off and to repeat. Raises DatabaseError."""
    told = []
    with database.connect(autocommit=True) as connection:
        for rule in RULES:
            days = getattr(settings, rule.setting)
            numbers = {"days": days, "complete": settings.gate_green_runs, "partial": PARTIAL}
            rows = _apply(connection, rule, numbers) if apply else _due(connection, rule, numbers)
            told.append(Forgotten(rule.name, rule.meaning, rule.setting, days, rows))
    days = settings.retention_runs_days
    with dagster.connect(autocommit=True) as connection:
        if apply:
            logs = settings.home / "dagster" / "storage"
            rows = _repeat(lambda: dagster_runs.purge_runs(connection, days, logs))
            _repeat(lambda: dagster_runs.purge_events(connection, days, BATCH))
        else:
            rows = dagster_runs.count_runs(connection, days)
    told.append(Forgotten("runs", "Dagster's runs that ended, with their events", "retention_runs_days", days, rows))
    return told


def _due(connection: psycopg.Connection[Any], rule: Rule, numbers: Mapping[str, int]) -> int:
    query = _COUNT.format(table=rule.table, due=rule.due)
    return (connection.execute(query, numbers).fetchone() or (0,))[0]


def _apply(connection: psycopg.Connection[Any], rule: Rule, numbers: Mapping[str, int]) -> int:
    statement = _DELETE.format(table=rule.table, due=rule.due)
    return _repeat(lambda: connection.execute(statement, {**numbers, "limit": BATCH}).rowcount)


def _repeat(batch: Callable[[], int]) -> int:
    total = 0
    while number := batch():
        total += number
    return total
