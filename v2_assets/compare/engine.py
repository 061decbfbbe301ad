"""One comparison of V1's snapshot with V2: table by table, each in a transaction of its own.

The rows that differ are put into the temporary table `comparison_found`, explained there, and kept as counts by reason
and as samples. Values never leave the server.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from datetime import datetime
from typing import Any

import orjson
import psycopg
from psycopg import sql

from resources.errors import BadRequest, V2Error
from resources.postgres import Database
from v2_assets.compare import statements
from v2_assets.compare.explain import explain
from v2_assets.compare.mapping import V1Mapping, mapping_of, mappings, why_not
from v2_assets.compare.reasons import EXPLAINED, OPEN, RED
from v2_assets.compare.sides import without
from v2_assets.compare.snapshot import columns_met, require
from v2_assets.compare.source import v1_tables_for
from v2_assets.compare.statements import Scope
from v2_assets.schema import metadata

#: Differences kept as samples, per table, kind and reason; the others are only counted.
SAMPLES = 200
#: What sorts and hash tables of a comparison may take at the server; the default of 4 MB would write them to disk.
WORK_MEM = "64MB"

EVERYTHING = Scope()

Progress = Callable[[str], None]


class CompareFailed(V2Error):
    """Some tables could not be compared; the others are."""

    code = "compare_failed"


@dataclass(slots=True)
class TableResult:
    """What a comparison found in one table: rows on each side, and differences by kind and by what became of them.

    `explained`, `open` and `red` are rows by their reason (v2_assets.compare.reasons); `reasons` counts each reason.
    """

    table: str
    status: str = "compared"
    rows_v1: int | None = None
    rows_v2: int | None = None
    same: int | None = None
    missing: int = 0
    extra: int = 0
    changed: int = 0
    explained: int = 0
    open: int = 0
    red: int = 0
    reasons: dict[str, int] = field(default_factory=dict)
    changed_columns: dict[str, int] = field(default_factory=dict)
    schema_differences: dict[str, Any] = field(default_factory=dict)
    took_ms: int | None = None
    error: dict[str, Any] | None = None


@dataclass(slots=True)
class ComparisonResult:
    """One comparison as it is stored."""

    id: int
    scope: str
    status: str
    started_at: datetime
    ended_at: datetime | None
    snapshot_at: datetime | None
    snapshot: str | None
    tables: list[TableResult]

    def as_dict(self) -> dict[str, Any]:
        """For JSON."""
        return asdict(self)


def compare(
    database: Database,
    *,
    tables: Sequence[str] | None = None,
    scope: Scope = EVERYTHING,
    run_id: str | None = None,
    progress: Progress = lambda line: None,
) -> ComparisonResult:
    """Compares V2 with the snapshot of V1. `tables` are V2's; all by default.

    Raises BadRequest for a table that is none, and CompareFailed after everything else was compared and stored.
    """
    names = chosen(tables)
    with database.connect(autocommit=True) as connection:
        number = _begin(connection, names, scope, run_id)
        failed: dict[str, str] = {}
        try:
            for table in names:
                error = _one(database, number, table, scope)
                if error is not None:
                    failed[table] = error.code
                progress(f"{table}: {'failed: ' + error.message if error else 'compared'}")
        finally:
            _end(connection, number, failed, len(names))
    result = load(database, number)
    if failed:
        raise CompareFailed(
            f"{len(failed)} of {len(names)} tables could not be compared: {', '.join(failed)}",
            hint="`v2 compare --last` shows what stopped each; the other tables are compared",
            context={"comparison": number, "tables": failed},
        )
    return result


def load(database: Database, number: int | None = None) -> ComparisonResult:
    """A comparison as it was stored; the last one that is over if none is named. Raises BadRequest if there is none."""
    with database.connect() as connection:
        run = connection.execute(
            "select id, scope, status, started_at, ended_at, snapshot_at, snapshot from ops.comparison_run"
            " where id = coalesce(%s, (select max(id) from ops.comparison_run where status <> 'running'))",
            [number],
        ).fetchone()
        if run is None:
            raise BadRequest(
                "nothing was compared yet" if number is None else f"there is no comparison {number}",
                hint="`v2 compare` makes one",
            )
        rows = connection.execute(
            "select table_name, status, rows_v1, rows_v2, same, changed_columns, schema_differences, took_ms, error"
            " from ops.comparison_table where run_id = %s order by status = 'not_in_v1', table_name",
            [run[0]],
        ).fetchall()
        counts = connection.execute(
            "select table_name, kind, reason, sum(rows)::bigint from ops.comparison_count where run_id = %s"
            " group by 1, 2, 3",
            [run[0]],
        ).fetchall()
    tables = {
        row[0]: TableResult(
            row[0], row[1], row[2], row[3], row[4], changed_columns=row[5], schema_differences=row[6], took_ms=row[7],
            error=row[8],
        )
        for row in rows
    }  # fmt: skip
    for table, kind, reason, number_of_rows in counts:
        result = tables[table]
        setattr(result, kind, getattr(result, kind) + number_of_rows)
        result.reasons[reason] = result.reasons.get(reason, 0) + number_of_rows
        result.explained += number_of_rows * (reason in EXPLAINED)
        result.open += number_of_rows * (reason in OPEN)
        result.red += number_of_rows * (reason in RED)
    return ComparisonResult(*run, tables=list(tables.values()))


def chosen(tables: Sequence[str] | None) -> list[str]:
    """V2's tables meant; all if none is named. Raises BadRequest naming what is none."""
    known = [str(table.name) for table in metadata.tables.values() if table.schema == "v2"]
    if unknown := sorted(set(tables or ()) - set(known)):
        raise BadRequest(f"V2 has no table {', '.join(unknown)}", hint=f"there are: {', '.join(sorted(known))}")
    return [name for name in known if not tables or name in tables]


def _begin(connection: psycopg.Connection[Any], tables: Sequence[str], scope: Scope, run_id: str | None) -> int:
    read = sorted({part.table for name, m in mappings().items() if name in tables for part in (m, *m.also)})
    begun = connection.execute(
        "insert into ops.comparison_run (scope, users, sample_percent, snapshot_at, snapshot, run_id)"
        " select %s, %s, %s, min(taken_at), string_agg(distinct source, ', '), %s"
        " from ops.v1_snapshot where table_name = any(%s) and taken_at is not null returning id",
        [scope.name, None if scope.users is None else orjson.dumps(scope.users).decode(), scope.sample, run_id, read],
    )
    return int(begun.fetchall()[0][0])


def _end(connection: psycopg.Connection[Any], number: int, failed: dict[str, str], tables: int) -> None:
    done = connection.execute("select count(*) from ops.comparison_table where run_id = %s", [number]).fetchone()
    over = not failed and done is not None and done[0] >= tables
    error = None if over else orjson.dumps({"code": CompareFailed.code, "tables": failed}).decode()
    connection.execute(
        "update ops.comparison_run set status = %s, ended_at = now(), error = %s where id = %s",
        ["complete" if over else "failed", error, number],
    )


def _one(database: Database, number: int, table: str, scope: Scope) -> V2Error | None:
    """Compares one table and stores what was found; a failure is stored and returned."""
    started = time.monotonic()
    try:
        with database.connect() as connection:
            result = _table(connection, number, table, scope)
            result.took_ms = round((time.monotonic() - started) * 1000)
            _store(connection, number, result)
    except V2Error as error:
        failed = TableResult(table, "failed", took_ms=round((time.monotonic() - started) * 1000))
        failed.error = {"code": error.code, "message": error.message, "hint": error.hint}
        with database.connect() as connection:
            _store(connection, number, failed)
        return error
    return None


def _table(connection: psycopg.Connection[Any], number: int, table: str, scope: Scope) -> TableResult:
    mapping = mapping_of(table)
    if mapping is None:
        return TableResult(table, "not_in_v1", schema_differences={"why": why_not(table)})
    taken = require(connection, mapping.table)
    if taken is None:
        return TableResult(table, "not_in_v1", schema_differences={"why": f"V1 has no table {mapping.table}"})
    for needed in v1_tables_for([table]):
        require(connection, needed)
    met = columns_met(connection)
    compared = without(mapping, met)
    if lost := [rule.v1 for rule in mapping.keys if rule.v2 not in {k.v2 for k in compared.keys}]:
        raise V2Error(
            f"V1's {mapping.table} cannot be matched with v2.{table}: it has no {', '.join(lost)}, or what that points"
            " to is not in V1",
            hint="say in the table's declaration (v1=…) under which name V1 has it",
        )
    if scope.users is not None and compared.user is None:
        return TableResult(table, schema_differences={"why": "no column says whose a row is"})
    with _differences(connection, compared, scope, taken[0]) as result:
        result.schema_differences |= _schema(connection, mapping, compared, met)
        explain(connection, number, compared)
        _keep(connection, number, table)
        _count_columns(connection, result)
    return result


@contextmanager
def _differences(
    connection: psycopg.Connection[Any], mapping: V1Mapping, scope: Scope, taken_at: datetime
) -> Iterator[TableResult]:
    """The table's counts, with the temporary table comparison_found as long as the block lasts.

    V1's keys are taken for unique at first: whether they are shows in the numbers of rows that found no twin, which is
    far cheaper than looking through all keys before. If some are not, V1's side is reduced to one row per key, and the
    other rows are differences of their own.
    """
    connection.execute(sql.SQL("set local work_mem = {}").format(sql.Literal(WORK_MEM)))
    connection.execute("set local jit = off")
    result = TableResult(mapping.v2_table)
    all_v2 = 0
    if scope.users is None:
        all_v2, result.rows_v2 = _numbers(connection, statements.count_v2(mapping, scope))
    once = scope.users is not None or bool(mapping.also)
    if not once:
        (result.rows_v1,) = _numbers(connection, statements.count_v1(mapping, scope, once=False))
        connection.execute(statements.found(mapping, scope, once=False, taken_at=taken_at))
        if not _one_to_one(connection, int(result.rows_v1 or 0), all_v2, int(result.rows_v2 or 0)):
            keys, rows = _numbers(connection, statements.duplicates(mapping, scope))
            if keys:
                result.schema_differences["duplicate_keys"] = {"keys": keys, "rows": rows}
            connection.execute("drop table comparison_found")
            once = True
    if once:
        connection.execute(statements.found(mapping, scope, once=True, taken_at=taken_at))
        if scope.users is not None:
            result.rows_v1, result.rows_v2 = _numbers(connection, statements.count_of_users(mapping, scope))
        else:
            (result.rows_v1,) = _numbers(connection, statements.count_v1(mapping, scope, once=True))
    if once and not mapping.also:
        repeated = connection.execute(statements.repeated(mapping, scope)).rowcount
        result.rows_v1 = int(result.rows_v1 or 0) + repeated
    connection.execute("alter table comparison_found add primary key (n)")
    connection.execute("analyze comparison_found")
    (differing,) = _numbers(connection, sql.SQL("select count(*) from comparison_found where kind <> 'extra'"))
    result.same = int(result.rows_v1 or 0) - differing
    yield result
    connection.execute("drop table comparison_found")


def _one_to_one(connection: psycopg.Connection[Any], rows_v1: int, all_v2: int, living_v2: int) -> bool:
    """Whether every row of V1 that has a twin has one of its own, and no two without a twin share a key."""
    alone, deleted, extra = _numbers(
        connection,
        sql.SQL(
            "select count(*) filter (where kind = 'missing' and v2_id is null),"
            " count(*) filter (where kind = 'missing' and v2_id is not null),"
            " count(*) filter (where kind = 'extra') from comparison_found"
        ),
    )
    matched_v1 = rows_v1 - alone
    # A deleted row of V2 that V1 lacks too is no difference and not in comparison_found.
    matched_living = living_v2 - extra
    if matched_v1 - deleted != matched_living or deleted > all_v2 - living_v2:
        return False
    (twice,) = _numbers(
        connection,
        sql.SQL(
            "select count(*) from (select from comparison_found where kind = 'missing' group by keys, v2_id"
            " having count(*) > 1) d"
        ),
    )
    return twice == 0


def _schema(
    connection: psycopg.Connection[Any], mapping: V1Mapping, compared: V1Mapping, met: dict[str, tuple[str, ...]]
) -> dict[str, Any]:
    """What only one side has, and values of V1 that fit no type."""
    kept = {rule.v2 for rule in (*compared.keys, *compared.columns)}
    there = set(met.get(mapping.table, ()))
    refused = connection.execute(
        "select refused from ops.v1_snapshot where table_name = %s", [mapping.table]
    ).fetchone()
    found = {
        "only_v2": sorted(mapping.only_v2),
        "only_v1": {name: why for name, why in (mapping.only_v1 or {}).items() if why or name in there},
        "not_met_in_v1": sorted(rule.v2 for rule in mapping.columns if rule.v2 not in kept),
        "refused": refused[0] if refused else {},
    }
    return {name: value for name, value in found.items() if value}


def _keep(connection: psycopg.Connection[Any], number: int, table: str) -> None:
    """Counts by user, kind and reason; of each kind and reason the first SAMPLES rows."""
    connection.execute(
        "insert into ops.comparison_count (run_id, table_name, user_id, kind, reason, known, rows)"
        " select %s, %s, user_id, kind, reason, known, count(*) from comparison_found group by 3, 4, 5, 6",
        [number, table],
    )
    connection.execute(
        "insert into ops.comparison_diff"
        " (run_id, table_name, kind, keys, v1_id, v2_id, user_id, cells, reason, known, evidence)"
        " select %s, %s, f.kind, f.keys, f.v1_id, f.v2_id, f.user_id, f.cells, f.reason, f.known,"
        "   coalesce(f.evidence, '{}')"
        " from (select distinct kind, reason from comparison_found) g cross join lateral"
        "   (select * from comparison_found f where f.kind = g.kind and f.reason = g.reason order by f.n limit %s) f",
        [number, table, SAMPLES],
    )


def _count_columns(connection: psycopg.Connection[Any], result: TableResult) -> None:
    """Changed cells by column; what is in flight may change again before anybody looks."""
    rows = connection.execute(
        "select name, count(*) from comparison_found, jsonb_object_keys(cells) name"
        " where kind = 'changed' and reason <> 'in_flight' group by 1 order by 2 desc, 1"
    )
    result.changed_columns = {str(name): int(number) for name, number in rows}


def _store(connection: psycopg.Connection[Any], number: int, result: TableResult) -> None:
    connection.execute(
        "insert into ops.comparison_table (run_id, table_name, status, rows_v1, rows_v2, same, changed_columns,"
        " schema_differences, took_ms, error) values (%s, %s, %s, %s, %s, %s, %s, %s, %s, %s)",
        [
            number, result.table, result.status, result.rows_v1, result.rows_v2, result.same,
            orjson.dumps(result.changed_columns).decode(), orjson.dumps(result.schema_differences).decode(),
            result.took_ms, None if result.error is None else orjson.dumps(result.error).decode(),
        ],
    )  # fmt: skip


def _numbers(connection: psycopg.Connection[Any], query: sql.Composed | sql.SQL) -> tuple[int, ...]:
    """The one row of numbers that the query answers."""
    return tuple(int(value) for value in connection.execute(query).fetchone() or ())
