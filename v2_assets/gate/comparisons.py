"""What the comparisons left behind, as facts for the rules: per table and per user.

Which reasons excuse a difference is said in `v2_assets.compare.reasons`. Not here: the comparison itself.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from functools import cache
from typing import Any, LiteralString

import psycopg
from psycopg import sql

from v2_assets.compare.reasons import OPEN, RED
from v2_assets.gate.rules import Compared, Gap
from v2_assets.schema import metadata
from v2_assets.schema.describe import foreign_keys, type_name

#: Partial comparisons that are newer than the complete ones and still looked at.
PARTIAL = 20
#: The column that says whose a row is, in the order in which it is looked for.
_OWNERS = ("user_id", "ad_user_id")

#: The comparisons that the gate looks at: so many complete ones and partial ones. Retention keeps what they found.
RUNS: LiteralString = """
select id, scope, users, ended_at, snapshot_at from (
  (select * from ops.comparison_run where status = 'complete' and scope = 'full' order by id desc limit %(complete)s)
  union all
  (select * from ops.comparison_run where status = 'complete' and scope <> 'full' order by id desc limit %(partial)s)
) r order by id desc
"""
_TABLES = """
select run_id, table_name, status, coalesce(rows_v1, 0), changed_columns
from ops.comparison_table where run_id = any(%s)
"""
_COUNTS = """
select run_id, table_name, kind, reason, sum(rows)::bigint from ops.comparison_count
where run_id = any(%(runs)s) and reason = any(%(reasons)s) group by 1, 2, 3, 4
"""
_USERS = """
select run_id, user_id, table_name, kind, reason, sum(rows)::bigint from ops.comparison_count
where run_id = any(%(runs)s) and reason = any(%(reasons)s) and user_id is not null group by 1, 2, 3, 4, 5
"""
_CELLS = """
select d.run_id, d.table_name, d.user_id, c.key, count(*)
from ops.comparison_diff d cross join lateral jsonb_object_keys(d.cells) c (key)
where d.run_id = any(%(runs)s) and d.kind = 'changed' and d.reason = any(%(red)s) group by 1, 2, 3, 4
"""
_SAMPLED = """
select run_id, table_name, count(*) from ops.comparison_diff
where run_id = any(%(runs)s) and kind = 'changed' and reason = any(%(red)s) group by 1, 2
"""


@dataclass(frozen=True, slots=True)
class Run:
    """One comparison that ended well. `users`: whose rows alone it compared, or None."""

    id: int
    scope: str
    users: frozenset[int] | None
    at: datetime
    snapshot_at: datetime | None

    def complete_for(self, user_id: int) -> bool:
        """Whether it looked at every row of this user."""
        return self.scope == "full" or (self.scope == "user" and user_id in (self.users or ()))


@dataclass(frozen=True, slots=True)
class Comparisons:
    """The newest comparisons, newest first.

    `tables`: what each said of each table. `users`: of users who have red or open differences, what each said.
    `status`: of each table in the newest comparison that looked at it, its number and compared, not_in_v1 or failed.
    `rows`: V1's rows then.
    """

    runs: Sequence[Run]
    tables: Mapping[str, Sequence[Compared]] = field(default_factory=dict)
    users: Mapping[int, Mapping[int, Compared]] = field(default_factory=dict)
    status: Mapping[str, tuple[int, str]] = field(default_factory=dict)
    rows: Mapping[str, int] = field(default_factory=dict)

    def of_user(self, user_id: int) -> list[Compared]:
        """What the comparisons said of one user; of most there is nothing to say."""
        told = self.users.get(user_id, {})
        seen = [run for run in self.runs if run.users is None or user_id in run.users]
        return [told.get(run.id) or Compared(run.id, run.at, run.complete_for(user_id)) for run in seen]


def read(connection: psycopg.Connection[Any], complete: int) -> Comparisons:
    """The newest `complete` full comparisons and the partial ones after them."""
    rows = connection.execute(RUNS, {"complete": complete, "partial": PARTIAL}).fetchall()
    runs = [Run(i, scope, None if users is None else frozenset(users), at, of) for i, scope, users, at, of in rows]
    ids = [run.id for run in runs]
    wanted = {"runs": ids, "red": sorted(RED), "reasons": sorted(RED | OPEN)}
    told: dict[int, list[tuple[str, str, int, dict[str, int]]]] = defaultdict(list)
    for run_id, *of_table in connection.execute(_TABLES, [ids]).fetchall():
        told[run_id].append(tuple(of_table))
    counts: dict[tuple[int, str], dict[tuple[str, str], int]] = defaultdict(dict)
    for run_id, table, kind, reason, number in connection.execute(_COUNTS, wanted).fetchall():
        counts[run_id, table][kind, reason] = number
    cells = connection.execute(_CELLS, wanted).fetchall()
    found_in: dict[tuple[int, str], dict[str, int]] = defaultdict(lambda: defaultdict(int))
    for run_id, table, _, column, number in cells:
        found_in[run_id, table][column] += number
    sampled = {(run_id, table): number for run_id, table, number in connection.execute(_SAMPLED, wanted).fetchall()}

    tables: dict[str, list[Compared]] = defaultdict(list)
    status: dict[str, tuple[int, str]] = {}
    latest: dict[str, int] = {}
    for run in runs:
        for table, state, rows_v1, changed in told[run.id]:
            status.setdefault(table, (run.id, state))
            if state != "compared":
                continue
            latest.setdefault(table, rows_v1)
            of_table = counts[run.id, table]
            found = found_in[run.id, table]
            red = sum(number for (kind, reason), number in of_table.items() if kind == "changed" and reason in RED)
            if red > sampled.get((run.id, table), 0):
                found = changed  # not every red row was kept as a sample: any changed column may be theirs
            tables[table].append(
                Compared(
                    run.id,
                    run.at,
                    run.scope == "full",
                    [Gap(table, _absent(of_table), rows_v1)] if run.scope == "full" else (),
                    _red(of_table),
                    {column: number for column, number in found.items() if must_be_exact(table, column)},
                )
            )
    return Comparisons(runs, tables, _users(connection, runs, wanted, cells), status, latest)


@cache
def must_be_exact(table: str, column: str) -> bool:
    """Whether a column holds money, a date, an instant or an id."""
    declared = metadata.tables[f"v2.{table}"]
    if column not in declared.columns:
        return True
    kind = type_name(declared.columns[column])
    if kind.startswith(("numeric", "date", "timestamptz")):
        return True
    ids = {*declared.info["natural_key"], *(name for name, *_ in foreign_keys(declared))}
    return column in ids or column.endswith(("_id", "_id_raw"))


def _users(
    connection: psycopg.Connection[Any], runs: Sequence[Run], wanted: Mapping[str, Any], cells: Iterable[Sequence[Any]]
) -> dict[int, dict[int, Compared]]:
    """By user and comparison; only users of whom there is something to say."""
    counts: dict[tuple[int, int], dict[str, dict[tuple[str, str], int]]] = defaultdict(lambda: defaultdict(dict))
    for run_id, user_id, table, kind, reason, number in connection.execute(_USERS, wanted).fetchall():
        counts[user_id, run_id][table][kind, reason] = number
    exact: dict[tuple[int, int], dict[str, int]] = defaultdict(dict)
    for run_id, table, user_id, column, number in cells:
        if user_id is not None and must_be_exact(table, column):
            exact[user_id, run_id][f"{table}.{column}"] = number
    absent = {
        (user_id, table)
        for (user_id, _), by_table in counts.items()
        for table, of_table in by_table.items()
        if _absent(of_table)
    }
    living = _living(connection, absent)
    run_of = {run.id: run for run in runs}
    found: dict[int, dict[int, Compared]] = defaultdict(dict)
    for (user_id, run_id), by_table in counts.items():
        run, complete = run_of[run_id], run_of[run_id].complete_for(user_id)
        gaps = [
            Gap(table, _absent(of_table), living[user_id, table] + _absent(of_table))
            for table, of_table in by_table.items()
            if complete and (user_id, table) in living
        ]
        red = _sums(item for of_table in by_table.values() for item in _red(of_table).items())
        found[user_id][run_id] = Compared(run_id, run.at, complete, gaps, red, exact.get((user_id, run_id), {}))
    return found


def _living(connection: psycopg.Connection[Any], pairs: Iterable[tuple[int, str]]) -> dict[tuple[int, str], int]:
    """V2's living rows of users in tables that say whose a row is."""
    users_of: dict[str, list[int]] = defaultdict(list)
    for user_id, table in pairs:
        users_of[table].append(user_id)
    found: dict[tuple[int, str], int] = {}
    for table, users in users_of.items():
        columns = metadata.tables[f"v2.{table}"].columns
        owner = next((name for name in _OWNERS if name in columns), None)
        if owner is None:
            continue
        query = sql.SQL(
            "select {owner}, count(*) from {table} where {owner} = any(%s) and deleted_at is null group by 1"
        ).format(owner=sql.Identifier(owner), table=sql.Identifier("v2", table))
        found |= {(user_id, table): 0 for user_id in users}
        found |= {(user_id, table): number for user_id, number in connection.execute(query, [users]).fetchall()}
    return found


def _absent(counts: Mapping[tuple[str, str], int]) -> int:
    """Rows of V1 that V2 lacks and should have."""
    return sum(number for (kind, _), number in counts.items() if kind == "missing")


def _red(counts: Mapping[tuple[str, str], int]) -> dict[str, int]:
    return _sums((reason, number) for (_, reason), number in counts.items() if reason in RED)


def _sums(items: Iterable[tuple[str, int]]) -> dict[str, int]:
    sums: dict[str, int] = defaultdict(int)
    for name, number in items:
        sums[name] += number
    return dict(sums)
