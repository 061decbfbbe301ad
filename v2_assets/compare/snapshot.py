"""V1's rows in schema `v1`: taken whole through any way into V1, or not to be used.

A table is read into a table beside the one in use, page by page with its place in one transaction, so a reading that
died goes on where it was. When it is complete, one transaction puts it in the other's place. From a copy on another
Postgres only rows of those buckets of ids are moved that are not alike on both servers. `ops.v1_snapshot` says of each
table when it was taken and from where. A table that was never read to its end is an error, never an empty table.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from typing import Any

import orjson
import psycopg
from psycopg import sql

from resources.apis.xano import RowSource
from resources.apis.xano.buckets import BUCKETS, SAME_WORDS, bucket_of, sums
from resources.apis.xano.copies import PostgresCopyClient
from resources.apis.xano.rows import listed
from resources.apis.xano.tables import Kind
from resources.errors import BadRequest, NotFound, V2Error
from resources.lease import Lease
from resources.postgres import Database, acopy_rows
from v2_assets.compare.mapping import v1_tables
from v2_assets.compare.values import TYPES, fitted
from v2_assets.schema.roles import DEFINER, DEFINER_READS_OF_V1

_TYPE_NAMES = {"timestamptz": "timestamp with time zone"}
_LOADING = "__taking"

Progress = Callable[[str], None]


class SnapshotMissing(V2Error):
    """A table of V1 was never read to its end, so there is nothing to compare with."""

    code = "snapshot_missing"


@dataclass(slots=True)
class Taken:
    """What became of one of V1's tables: complete, absent (V1 has none) or failed.

    `kept` are the rows that were taken before and are alike at V1's server, so that they were not moved again.
    """

    table: str
    outcome: str = "complete"
    rows: int = 0
    resumed: bool = False
    kept: int = 0
    refused: dict[str, int] = field(default_factory=dict)


@dataclass(slots=True)
class _Met:
    """What a reading has met so far; kept with its position."""

    rows: int = 0
    columns: list[str] = field(default_factory=list)
    refused: dict[str, int] = field(default_factory=dict)


def chosen(names: Iterable[str] | None) -> tuple[str, ...]:
    """V1's tables meant; all that are compared if none are named. Raises BadRequest naming what is none."""
    known = v1_tables()
    unknown = sorted(set(names or ()) - set(known))
    if unknown:
        raise BadRequest(
            f"V1 has no table {', '.join(unknown)} that is compared",
            hint=f"there are: {', '.join(known)}",
            context={"tables": unknown},
        )
    return tuple(name for name in known if names is None or name in set(names))


async def take(
    database: Database,
    source: RowSource,
    tables: Sequence[str],
    told_source: str,
    *,
    again: bool = False,
    whole: bool = True,
    progress: Progress = lambda line: None,
) -> list[Taken]:
    """Reads these tables into schema v1. `told_source` says where from, without credentials.

    What a source lacks that is not the `whole` of V1 (a folder of some exports) stays as it was taken elsewhere. A
    reading that died is gone on with if it was of the same source, unless `again`. Raises V2Error of the way in for
    the first table that fails, after the others were read; the complete table of before stays in use then.
    """
    told: list[Taken] = []
    first: V2Error | None = None
    for table in tables:
        result = Taken(table)
        told.append(result)
        try:
            await _take(database, source, table, told_source, again, result)
        except NotFound:
            result.outcome = "absent"
            await _absent(database, table, told_source, whole)
        except V2Error as error:
            result.outcome = "failed"
            error.context["table"] = table
            first = first or error
        progress(f"{table}: {result.outcome}, {result.rows} rows")
    if first is not None:
        raise first
    return told


def columns_met(connection: psycopg.Connection[Any]) -> dict[str, tuple[str, ...]]:
    """The columns that each complete table has at V1; a table that V1 lacks is not in it."""
    rows = connection.execute(
        "select table_name, columns, rows from ops.v1_snapshot where status <> 'absent' and taken_at is not null"
    )
    known = v1_tables()
    # A table without rows says nothing of its columns.
    return {name: tuple(columns if count else known[name].columns) for name, columns, count in rows if name in known}


def require(connection: psycopg.Connection[Any], table: str) -> tuple[datetime, str] | None:
    """When the table was taken, and from where; None if V1 has no such table. Raises SnapshotMissing."""
    row = connection.execute(
        "select status, taken_at, source from ops.v1_snapshot where table_name = %s", [table]
    ).fetchone()
    if row is not None and row[0] == "absent":
        return None
    if row is None or row[1] is None:
        raise SnapshotMissing(
            f"V1's table {table} was " + ("never read" if row is None else "not read to its end"),
            hint="take it with `v2 compare --refresh`, or from a copy with --from-folder or --from-postgres-env",
            context={"table": table},
        )
    return row[1], str(row[2])


async def _take(
    database: Database, source: RowSource, table: str, told_source: str, again: bool, result: Taken
) -> None:
    declared = v1_tables()[table]
    async with (
        database.aconnect(autocommit=True) as connection,
        Lease.aacquire(database, f"v1/{table}", f"snapshot of {told_source}") as lease,
    ):
        alike = None if again else await _alike(connection, source, table, told_source)
        position, met, begun = await _open(connection, table, told_source, again or alike is not None)
        if alike is not None:
            result.kept = await _keep(connection, table, alike, met)
        result.resumed = position is not None
        complete = False
        pages = source.rows(table, declared.names, position, "backfill")
        if alike is not None and isinstance(source, PostgresCopyClient):
            pages = source.rows_of_buckets(table, declared.names, [n for n in range(BUCKETS) if n not in alike])
        async for page in pages:
            rows = [_values(row, declared.columns, met, page.broken.get(n)) for n, row in enumerate(page.rows)]
            async with connection.transaction(), connection.cursor() as cur:
                await lease.acheck(cur)
                await acopy_rows(
                    cur, f"v1.{table}{_LOADING}", tuple(declared.columns), [row for row in rows if row is not None]
                )
                await cur.execute(
                    "update ops.v1_snapshot set position = %s, progress = %s where table_name = %s",
                    [_json(page.position if alike is None else None), _json(asdict(met)), table],
                )
            complete = page.complete
        if not complete:
            raise V2Error(
                f"V1's table {table} ended with fewer rows than it counts; the snapshot of before stays in use",
                hint="take it again; rows may have gone away while it was read",
            )
        result.rows, result.refused = met.rows, met.refused
        await _swap(connection, table, met, begun, told_source)


async def _alike(
    connection: psycopg.AsyncConnection[Any], source: RowSource, table: str, told_source: str
) -> frozenset[int] | None:
    """Buckets of ids that V1's server and the snapshot have alike; None where only a whole reading helps.

    Those of a snapshot that was taken from the same copy; a reading that died is gone on with in its own way.
    """
    if not isinstance(source, PostgresCopyClient):
        return None
    row = await (
        await connection.execute(
            "select taken_at is not null and source = %s and position is null and refused = '{}', columns"
            " from ops.v1_snapshot where table_name = %s",
            [told_source, table],
        )
    ).fetchone()
    if row is None or not row[0]:
        return None
    declared = v1_tables()[table]
    there = await source.bucket_sums(table, declared.names, declared.columns)
    await connection.execute(SAME_WORDS)
    types = {name: _TYPE_NAMES.get(TYPES[kind], TYPES[kind]) for name, kind in declared.columns.items()}
    result = await connection.execute(sums(sql.Identifier("v1", table), declared.columns, types))
    here = {int(row[0]): (int(row[1]), str(row[2])) for row in await result.fetchall()}
    return frozenset(n for n in range(BUCKETS) if here.get(n) == there.get(n))


async def _keep(connection: psycopg.AsyncConnection[Any], table: str, alike: frozenset[int], met: _Met) -> int:
    """Copies the rows of these buckets from the table in use; returns their number."""
    names = sql.SQL(", ").join(map(sql.Identifier, v1_tables()[table].columns))
    copied = await connection.execute(
        sql.SQL("insert into {new} ({names}) select {names} from {old} where {bucket} = any({alike})").format(
            new=sql.Identifier("v1", f"{table}{_LOADING}"),
            old=sql.Identifier("v1", table),
            names=names,
            bucket=bucket_of(sql.Identifier("id")),
            alike=sql.Literal(sorted(alike)),
        )
    )
    row = await (
        await connection.execute("select columns from ops.v1_snapshot where table_name = %s", [table])
    ).fetchone()
    met.rows, met.columns = copied.rowcount, list(row[0] or ()) if row else []
    return copied.rowcount


async def _open(
    connection: psycopg.AsyncConnection[Any], table: str, source: str, again: bool
) -> tuple[dict[str, Any] | None, _Met, datetime]:
    """The place to go on from, what was met before it, and when the reading began."""
    loading = sql.Identifier("v1", f"{table}{_LOADING}")
    row = await (
        await connection.execute(
            "select position, progress, started_at,"
            " to_regclass(%s) is not null and source = %s and position is not null"
            " from ops.v1_snapshot where table_name = %s",
            [loading.as_string(connection), source, table],
        )
    ).fetchone()
    if row is not None and row[3] and not again:
        return row[0], _Met(**row[1]), row[2]
    begun = datetime.now(UTC)
    declared = v1_tables()[table].columns
    async with connection.transaction():
        await connection.execute(sql.SQL("drop table if exists {}").format(loading))
        await connection.execute(
            sql.SQL("create table {} ({})").format(
                loading,
                sql.SQL(", ").join(
                    sql.SQL("{} {}").format(sql.Identifier(name), sql.SQL(TYPES[kind]))
                    for name, kind in declared.items()
                ),
            )
        )
        if table in DEFINER_READS_OF_V1:
            known = await connection.execute("select from pg_roles where rolname = %s", [DEFINER])
            if await known.fetchone() is not None:
                await connection.execute(sql.SQL("grant select on {} to {}").format(loading, sql.Identifier(DEFINER)))
        await connection.execute(
            "insert into ops.v1_snapshot (table_name, status, source, started_at) values (%s, 'taking', %s, %s)"
            " on conflict (table_name) do update set status = case when ops.v1_snapshot.taken_at is null then 'taking'"
            "   else 'complete' end, source = excluded.source, started_at = excluded.started_at, position = null,"
            "   progress = null",
            [table, source, begun],
        )
    return None, _Met(), begun


async def _swap(connection: psycopg.AsyncConnection[Any], table: str, met: _Met, begun: datetime, source: str) -> None:
    """The new table in the old one's place. Raises BadRequest if an id came twice."""
    old, new = sql.Identifier("v1", table), sql.Identifier("v1", f"{table}{_LOADING}")
    try:
        async with connection.transaction():
            await connection.execute(sql.SQL("drop table if exists {}").format(old))
            await connection.execute(
                sql.SQL("alter table {} add constraint {} primary key (id)").format(
                    new, sql.Identifier(f"{table}_{begun:%Y%m%d%H%M%S%f}_pkey")
                )
            )
            await connection.execute(sql.SQL("alter table {} rename to {}").format(new, sql.Identifier(table)))
            await connection.execute(
                "update ops.v1_snapshot set status = 'complete', source = %s, taken_at = %s, looked_at = now(),"
                " rows = %s, columns = %s, refused = %s, started_at = null, position = null, progress = null"
                " where table_name = %s",
                [source, begun, met.rows, _json(met.columns), _json(met.refused), table],
            )
    except psycopg.errors.UniqueViolation:
        await connection.execute("update ops.v1_snapshot set position = null where table_name = %s", [table])
        raise BadRequest(
            f"V1's table {table} has an id twice, so its rows cannot be told apart",
            hint="the file or copy is not one table of V1; export it again",
            context={"table": table},
        ) from None
    await connection.execute(sql.SQL("vacuum analyze {}").format(old))


async def _absent(database: Database, table: str, source: str, whole: bool) -> None:
    """The source has no such table; if it is the whole of V1, what was taken of it before is gone with it."""
    async with database.aconnect() as connection:
        taken = await connection.execute(
            "select from ops.v1_snapshot where table_name = %s and taken_at is not null", [table]
        )
        if not whole and await taken.fetchone() is not None:
            return
        for name in (table, f"{table}{_LOADING}"):
            await connection.execute(sql.SQL("drop table if exists {}").format(sql.Identifier("v1", name)))
        await connection.execute(
            "insert into ops.v1_snapshot (table_name, status, source, looked_at) values (%s, 'absent', %s, now())"
            " on conflict (table_name) do update set status = 'absent', source = excluded.source, taken_at = null,"
            " looked_at = now(),"
            " rows = null, columns = null, refused = '{}', started_at = null, position = null, progress = null",
            [table, source],
        )


def _values(row: Any, columns: Mapping[str, Kind], met: _Met, broken: str | None) -> list[Any] | None:
    """The row's values in the order of `columns`; None for what is no row. Counts what does not fit."""
    values = listed(row, columns) if isinstance(row, Mapping) else {}
    if broken or not isinstance(values.get("id"), int | str):
        met.refused["row"] = met.refused.get("row", 0) + 1
        return None
    if len(values) > len(met.columns) or not met.columns:
        met.columns = sorted({*met.columns, *values})
    met.rows += 1
    row_values: list[Any] = []
    for name, kind in columns.items():
        value = values.get(name)
        if value is not None:
            try:
                value = fitted(value, kind)
            except ValueError:
                met.refused[name] = met.refused.get(name, 0) + 1
                value = None
        row_values.append(value)
    return row_values


def _json(value: Any) -> str | None:
    return None if value is None else orjson.dumps(value).decode()
