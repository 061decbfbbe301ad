"""Keys of computed tables that Postgres refuses to compute: set aside with the reason, so that all others are computed.

A parked key is a row of `ops.parked_key`, which a standing check of its table counts. It is tried again when its input
changes and once a day (a new version may have mended the cause), and is forgotten when it has been computed.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from typing import Any

import psycopg
from psycopg.types.json import Jsonb

#: Whose row or rows: owner and period (None: all of the owner's), as in `ops.changed_key`.
Key = tuple[int, date | None]


def park(cur: psycopg.Cursor[Any], table: str, work: str, key: Key, reason: dict[str, Any]) -> None:
    """Sets one key of this work aside. `work` is its queue, or the file of its select."""
    cur.execute(
        "insert into ops.parked_key (table_name, work, owner_id, period, reason) values (%s, %s, %s, %s, %s)"
        " on conflict (work, owner_id, period) do update set reason = excluded.reason, tried_at = now(),"
        " attempts = parked_key.attempts + 1",
        [table, work, *key, Jsonb(reason)],
    )


def forget(cur: psycopg.Cursor[Any], work: str, keys: Sequence[Key]) -> None:
    """These keys have been computed; all periods of an owner have been when the period is None."""
    cur.execute(
        "delete from ops.parked_key p using unnest(%s::bigint[], %s::date[]) k (owner_id, period)"
        " where p.work = %s and p.owner_id = k.owner_id and (k.period is null or p.period = k.period)",
        [[owner for owner, _ in keys], [period for _, period in keys], work],
    )


def release(cur: psycopg.Cursor[Any], queue: str) -> None:
    """Notes the parked keys of a queue again whose owner's input has changed, or that have not been tried for a day."""
    cur.execute(
        "insert into ops.changed_key (derived, owner_id, period) select p.work, p.owner_id, p.period"
        " from ops.parked_key p where p.work = %(queue)s and (p.tried_at < now() - interval '1 day'"
        "  or exists (select from ops.changed_key k where k.derived = p.work and k.owner_id = p.owner_id))",
        {"queue": queue},
    )
