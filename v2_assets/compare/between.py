"""Two comparisons beside each other: which differences are new, gone, or still there."""

from __future__ import annotations

from dataclasses import dataclass

from resources.errors import BadRequest
from resources.postgres import Database

_COUNTS = """
select table_name, kind, reason,
  coalesce(sum(rows) filter (where run_id = %(before)s), 0)::bigint,
  coalesce(sum(rows) filter (where run_id = %(now)s), 0)::bigint
from ops.comparison_count where run_id in (%(before)s, %(now)s) group by 1, 2, 3 order by 1, 2, 3
"""
# Rows are kept as samples, so they can be told apart only where all of both comparisons were kept.
_ROWS = """
with kept as (
  select run_id, table_name, kind, keys, coalesce(v1_id, '') as v1_id from ops.comparison_diff
  where run_id in (%(before)s, %(now)s)
),
b as (select * from kept where run_id = %(before)s),
n as (select * from kept where run_id = %(now)s)
select coalesce(b.table_name, n.table_name), coalesce(b.kind, n.kind),
  count(*) filter (where b.keys is null), count(*) filter (where n.keys is null),
  count(*) filter (where b.keys is not null and n.keys is not null), count(b.keys), count(n.keys)
from b full join n on b.table_name = n.table_name and b.kind = n.kind and b.keys = n.keys and b.v1_id = n.v1_id
group by 1, 2 order by 1, 2
"""


@dataclass(frozen=True, slots=True)
class Change:
    """One kind of difference in one table, then and now.

    `reasons` holds rows then and now per reason. `new`, `gone` and `still` count rows; they are None where one of the
    comparisons has more differences than it kept, so that rows cannot be told apart.
    """

    table: str
    kind: str
    before: int
    now: int
    new: int | None
    gone: int | None
    still: int | None
    reasons: dict[str, tuple[int, int]]


def between(database: Database, before: int, now: int) -> list[Change]:
    """What changed from one comparison to a later one. Raises BadRequest for a number that is none."""
    numbers = {"before": before, "now": now}
    with database.connect() as connection:
        known = {
            row[0]
            for row in connection.execute(
                "select id from ops.comparison_run where id in (%(before)s, %(now)s) and status <> 'running'", numbers
            )
        }
        if missing := sorted({before, now} - known):
            raise BadRequest(f"there is no finished comparison {', '.join(map(str, missing))}")
        counts = connection.execute(_COUNTS, numbers).fetchall()
        rows = {(row[0], row[1]): row[2:] for row in connection.execute(_ROWS, numbers)}
    reasons: dict[tuple[str, str], dict[str, tuple[int, int]]] = {}
    for table, kind, reason, then, today in counts:
        reasons.setdefault((table, kind), {})[reason] = (then, today)
    changes: list[Change] = []
    for (table, kind), told in reasons.items():
        then, today = (sum(pair[n] for pair in told.values()) for n in (0, 1))
        new, gone, still, kept_then, kept_today = rows.get((table, kind), (0, 0, 0, 0, 0))
        whole = (kept_then, kept_today) == (then, today)
        changes.append(
            Change(table, kind, then, today, *((new, gone, still) if whole else (None, None, None)), reasons=told)
        )
    return changes
