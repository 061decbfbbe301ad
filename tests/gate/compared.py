"""Comparisons as rows of the tables that a comparison fills, for tests of what follows from them."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import psycopg
from psycopg.types.json import Jsonb

NOW = datetime.now(UTC)


def comparison(
    connection: psycopg.Connection[Any],
    *,
    hours: float = 1,
    scope: str = "full",
    users: list[int] | None = None,
    tables: dict[str, tuple[int, int]] | None = None,
    absent_in_v1: tuple[str, ...] = (),
    failed: tuple[str, ...] = (),
    counts: tuple[tuple[str, int | None, str, str, int], ...] = (),
    changed: dict[str, dict[str, int]] | None = None,
) -> int:
    """One comparison that ended `hours` ago. `tables` are (rows of V1, of V2); `counts` are (table, user, kind, reason,
    rows). Returns its number."""
    at = NOW - timedelta(hours=hours)
    row = connection.execute(
        "insert into ops.comparison_run (scope, users, status, snapshot_at, started_at, ended_at)"
        " values (%s, %s, 'complete', %s, %s, %s) returning id",
        [scope, Jsonb(users) if users else None, at, at, at],
    ).fetchone()
    assert row
    for table, (v1, v2) in (tables or {"fub_people": (1000, 1000)}).items():
        connection.execute(
            "insert into ops.comparison_table (run_id, table_name, status, rows_v1, rows_v2, same, changed_columns)"
            " values (%s, %s, 'compared', %s, %s, 0, %s)",
            [row[0], table, v1, v2, Jsonb((changed or {}).get(table, {}))],
        )
    for status, names in (("not_in_v1", absent_in_v1), ("failed", failed)):
        for table in names:
            connection.execute(
                "insert into ops.comparison_table (run_id, table_name, status) values (%s, %s, %s)",
                [row[0], table, status],
            )
    for table, user_id, kind, reason, rows in counts:
        connection.execute(
            "insert into ops.comparison_count (run_id, table_name, user_id, kind, reason, rows)"
            " values (%s, %s, %s, %s, %s, %s)",
            [row[0], table, user_id, kind, reason, rows],
        )
    return row[0]


def difference(
    connection: psycopg.Connection[Any],
    run_id: int,
    table: str,
    kind: str,
    reason: str,
    *,
    user_id: int | None = None,
    keys: dict[str, Any] | None = None,
    cells: dict[str, Any] | None = None,
    evidence: dict[str, Any] | None = None,
) -> None:
    """One difference that was kept."""
    connection.execute(
        "insert into ops.comparison_diff (run_id, table_name, kind, keys, user_id, cells, reason, evidence)"
        " values (%s, %s, %s, %s, %s, %s, %s, %s)",
        [run_id, table, kind, Jsonb(keys or {}), user_id, Jsonb(cells or {}), reason, Jsonb(evidence or {})],
    )


def user(connection: psycopg.Connection[Any], number: int, *, synced_hours_ago: float | None = None) -> None:
    """A user of the product, and when their Follow Up Boss contacts were read last."""
    connection.execute(
        'insert into v2."user" (id, email, full_name, active) values (%s, %s, %s, true)',
        [number, f"user{number}@example.test", f"User {number}"],
    )
    if synced_hours_ago is not None:
        connection.execute(
            "insert into ops.sync_state (integration, entity, account_ref, user_id, last_sync_at)"
            " values ('fub', 'people', 'fub/1/' || %s, %s, %s)",
            [number, number, NOW - timedelta(hours=synced_hours_ago)],
        )
