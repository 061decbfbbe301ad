"""What shadow reading left behind: read for the gate and for people, and forgotten after a repair."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import psycopg
from psycopg.rows import dict_row

_SINCE = "day > (now() at time zone 'UTC')::date - %(days)s and endpoint = any(%(paths)s)"
_COUNTS = f"""
select endpoint, sum(requests)::bigint as requests, sum(same)::bigint as same, sum(failed)::bigint as failed,
  sum(skipped)::bigint as skipped
from ops.shadow_count where {_SINCE} group by 1 order by 1
"""  # noqa: S608 - constants
_DIFFERENCES = f"""
select endpoint, kind, field, reason, sum(times)::bigint as times
from ops.shadow_difference where {_SINCE} group by 1, 2, 3, 4 order by 1, times desc
"""  # noqa: S608 - constants


def seen(
    connection: psycopg.Connection[Any], days: int, paths: Sequence[str]
) -> tuple[list[dict[str, Any]], list[dict[str, Any]]]:
    """Counts by endpoint (requests, same, failed, skipped), and differences by kind, field and reason (times)."""
    wanted = {"days": days, "paths": list(paths)}
    with connection.cursor(row_factory=dict_row) as cur:
        return cur.execute(_COUNTS, wanted).fetchall(), cur.execute(_DIFFERENCES, wanted).fetchall()


def forget(connection: psycopg.Connection[Any], paths: Sequence[str]) -> None:
    """Begins anew: what counts of these endpoints is how they answer from now on."""
    with connection.transaction():
        connection.execute("delete from ops.shadow_count where endpoint = any(%s)", [list(paths)])
        connection.execute("delete from ops.shadow_difference where endpoint = any(%s)", [list(paths)])
