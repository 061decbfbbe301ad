"""V1 without its API: a folder with one file per table, or a copy of its tables in another Postgres.

Both are read like the API: in an order that can be taken up again, whole, and without any column that is not listed.
"""

from __future__ import annotations

import csv
from collections.abc import AsyncIterator, Iterator, Mapping, Sequence
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from itertools import islice
from pathlib import Path
from typing import Any

import psycopg
from psycopg import sql
from psycopg.rows import dict_row

from resources.apis.xano.buckets import SAME_WORDS, bucket_of, sums
from resources.apis.xano.raw import RawPage, pages_of
from resources.apis.xano.tables import TABLES, Kind, plain_name
from resources.errors import BadRequest, NotFound, SourceUnavailable
from resources.reading import Identity, Page, Plan, Priority, ReadRequest

PAGE_ROWS = 1_000
#: The widest field of a file. Nested documents are long; a quote that is never closed is longer.
_WIDEST = 16 * 1024 * 1024
_KINDS = (".csv", ".parquet")


class _Copy:
    """What both copies answer alike."""

    async def __aenter__(self) -> Any:
        return self

    async def __aexit__(self, *exc: object) -> None:
        return None

    async def identity(self) -> Identity:
        """Nobody's: a copy belongs to whoever imports it."""
        return Identity("copy", "copy", None, True, {})

    async def honours_since(self, entity: str) -> bool:
        """Never: a copy is read whole."""
        return False

    async def active_keys(self, entity: str, since: datetime, priority: Priority) -> tuple[str, ...] | None:
        """A copy does not tell."""
        return None

    def rows(
        self, entity: str, names: tuple[str, ...], position: dict[str, Any] | None, priority: Priority
    ) -> AsyncIterator[RawPage]:
        """See RowSource."""
        raise NotImplementedError

    def read(self, entity: str, request: ReadRequest) -> AsyncIterator[Page]:
        """Every row of one table."""
        return pages_of(self, entity, request)

    async def plan(self, entity: str, request: ReadRequest) -> Plan:
        """Where the rows would come from; raises NotFound if nowhere."""
        return Plan((f"the copy's table {entity}",), await self.count(entity))

    async def count(self, entity: str) -> int | None:
        """Rows in the copy; None where they are not known without reading them."""
        return None

    async def keys(self, entity: str, request: ReadRequest) -> AsyncIterator[tuple[str, ...]]:
        """Every id."""
        async for page in self.read(entity, request):
            yield tuple(record.source_id for record in page.records)


class FolderClient(_Copy):
    """A folder with a CSV (UTF-8, comma, header) or Parquet file per table, named like the table.

    Position: {"rows": how many are stored, "bytes": the file's size}; a file of another size is read from its start.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        if not folder.is_dir():
            raise BadRequest("there is no such folder to import from", hint="give the folder that holds V1's files")

    async def rows(
        self, entity: str, names: tuple[str, ...], position: dict[str, Any] | None, priority: Priority
    ) -> AsyncIterator[RawPage]:
        """See RowSource."""
        file = self._file(entity, names)
        size = file.stat().st_size
        done = int((position or {}).get("rows") or 0) if (position or {}).get("bytes") == size else 0
        rows = _parquet_rows(file) if file.suffix == ".parquet" else _csv_rows(file)
        next(islice(rows, done, done), None)
        page = list(islice(rows, PAGE_ROWS))
        while True:
            done += len(page)
            following = list(islice(rows, PAGE_ROWS))
            yield RawPage(
                [row for row, _ in page],
                {"rows": done, "bytes": size} if following else None,
                datetime.now(UTC),
                broken={n: why for n, (_, why) in enumerate(page) if why},
            )
            if not following:
                return
            page = following

    def _file(self, entity: str, names: tuple[str, ...]) -> Path:
        files = [file for file in sorted(self._folder.iterdir()) if file.suffix.lower() in _KINDS]
        for name in names:
            found = [file for file in files if plain_name(file.stem) == name]
            if len(found) == 1:
                return found[0]
            if found:
                raise NotFound(
                    f"the folder has {len(found)} files for {entity}",
                    hint="leave one of them: " + ", ".join(file.name for file in found),
                    context={"entity": entity},
                )
        raise NotFound(
            f"the folder has no file for {entity} (looked for {', '.join(names)} with {' or '.join(_KINDS)})",
            hint="name the others with --tables, or add the file",
            context={"entity": entity},
        )


def _csv_rows(file: Path) -> Iterator[tuple[dict[str, Any], str | None]]:
    """Rows with what is wrong with them. Raises BadRequest for a file that is no such table."""
    csv.field_size_limit(_WIDEST)
    with file.open(encoding="utf-8-sig", newline="") as text:
        reader = csv.reader(text, strict=True)
        try:
            header = next(reader, [])
            if "id" not in header or len(set(header)) != len(header):
                raise BadRequest(
                    f"{file.name} has no header line with a column id, or a column twice",
                    hint="export the table again with its header",
                    context={"file": file.name, "columns": len(header)},
                )
            for fields in reader:
                row: dict[str, Any] = dict(zip(header, fields, strict=False))
                wrong = None
                if len(fields) != len(header):
                    wrong = f"line {reader.line_num} has {len(fields)} fields, the header has {len(header)}"
                yield row, wrong
        except (csv.Error, UnicodeDecodeError) as error:
            raise BadRequest(
                f"{file.name} cannot be read behind line {reader.line_num}: {type(error).__name__}",
                hint="the file must be UTF-8 with commas and closed quotes; what was read is stored",
                context={"file": file.name, "line": reader.line_num},
            ) from None


def _parquet_rows(file: Path) -> Iterator[tuple[dict[str, Any], str | None]]:
    import pyarrow as pa  # here: 40 MB that no process at rest needs
    import pyarrow.parquet as pq

    try:
        table = pq.ParquetFile(file)
        if "id" not in table.schema_arrow.names:
            raise BadRequest(f"{file.name} has no column id", context={"file": file.name})
        for batch in table.iter_batches(batch_size=PAGE_ROWS):
            for row in batch.to_pylist():
                yield row, None
    except pa.ArrowException as error:
        raise BadRequest(
            f"{file.name} cannot be read: {type(error).__name__}",
            hint="export it again; what was read is stored",
            context={"file": file.name},
        ) from None


class PostgresCopyClient(_Copy):
    """V1's tables in one schema of another Postgres database, read with a server-side cursor.

    Position: {"after": the last id}. Nothing is ever written there: the session is read only.
    """

    def __init__(self, url: str, schema: str = "public") -> None:
        self._url, self._schema = url, schema

    async def rows(
        self, entity: str, names: tuple[str, ...], position: dict[str, Any] | None, priority: Priority
    ) -> AsyncIterator[RawPage]:
        """See RowSource."""
        after = (position or {}).get("after")
        where = sql.SQL("where id > {}").format(sql.Literal(after)) if after is not None else sql.SQL("")
        async with self._opened(entity, names) as (connection, table):
            async for page in self._pages(connection, entity, table, where):
                yield page

    async def bucket_sums(
        self, entity: str, names: tuple[str, ...], columns: Mapping[str, Kind]
    ) -> dict[int, tuple[int, str]]:
        """Rows and sum of hashes of each bucket of the table's ids, reckoned there (see `buckets`)."""
        async with self._opened(entity, names) as (connection, table):
            await connection.execute(SAME_WORDS)
            there = await self._types(connection, table)
            result = await connection.execute(sums(sql.Identifier(self._schema, table), columns, there))
            return {int(row[0]): (int(row[1]), str(row[2])) for row in await result.fetchall()}

    async def rows_of_buckets(
        self, entity: str, names: tuple[str, ...], buckets: Sequence[int]
    ) -> AsyncIterator[RawPage]:
        """The rows of these buckets only."""
        where = sql.SQL("where {} = any({})").format(bucket_of(sql.Identifier("id")), sql.Literal(list(buckets)))
        async with self._opened(entity, names) as (connection, table):
            async for page in self._pages(connection, entity, table, where):
                yield page

    @asynccontextmanager
    async def _opened(self, entity: str, names: tuple[str, ...]) -> AsyncIterator[tuple[Any, str]]:
        """A connection that only reads, and the table's name there."""
        try:
            async with await psycopg.AsyncConnection.connect(
                self._url, options="-c default_transaction_read_only=on"
            ) as connection:
                yield connection, await self._table(connection, entity, names)
        except psycopg.Error as error:
            raise SourceUnavailable(
                f"the copy of V1 could not be read: {type(error).__name__}",
                hint="look whether its URL and schema are right; the next import goes on from the last stored page",
                context={"entity": entity, "sqlstate": error.sqlstate},
            ) from None

    async def _pages(self, connection: Any, entity: str, table: str, where: sql.Composable) -> AsyncIterator[RawPage]:
        async with connection.cursor(name="v1_rows", row_factory=dict_row) as cursor:
            await cursor.execute(
                sql.SQL("select {} from {} {} order by id").format(
                    await self._columns(connection, entity, table), sql.Identifier(self._schema, table), where
                )
            )
            page = await cursor.fetchmany(PAGE_ROWS)
            while True:
                following = await cursor.fetchmany(PAGE_ROWS) if page else []
                place = {"after": _key(page[-1]["id"])} if following else None
                yield RawPage([dict(row) for row in page], place, datetime.now(UTC))
                if not following:
                    return
                page = following

    async def _types(self, connection: Any, table: str) -> dict[str, str]:
        """The table's columns with the names of their types."""
        result = await connection.execute(
            "select attname, format_type(atttypid, null) from pg_attribute"
            " where attrelid = %s::regclass and attnum > 0 and not attisdropped",
            [sql.Identifier(self._schema, table).as_string(connection)],
        )
        return {str(name): str(kind) for name, kind in await result.fetchall()}

    async def _table(self, connection: Any, entity: str, names: tuple[str, ...]) -> str:
        result = await connection.execute(
            "select c.relname from pg_class c join pg_namespace n on n.oid = c.relnamespace"
            " where n.nspname = %s and c.relkind in ('r', 'v', 'm', 'p', 'f')",
            [self._schema],
        )
        tables = [row[0] for row in await result.fetchall()]
        for name in names:
            found = [table for table in tables if plain_name(table) == name]
            if len(found) == 1:
                return found[0]
        raise NotFound(
            f"schema {self._schema} of the copy has no table for {entity}, or several (looked for {', '.join(names)})",
            hint="name the others with --tables, or give the schema with --schema",
            context={"entity": entity, "tables": len(tables)},
        )

    async def _columns(self, connection: Any, entity: str, table: str) -> sql.Composable:
        """Only what may be read leaves the copy; of a table that is not V1's own every column is asked for."""
        if entity not in TABLES:
            return sql.SQL("*")
        there = await self._types(connection, table)
        if "id" not in there:
            raise BadRequest(f"the copy's table for {entity} has no column id", context={"entity": entity})
        return sql.SQL(", ").join(sql.Identifier(name) for name in TABLES[entity].columns if name in there)


def _key(value: Any) -> Any:
    return value if isinstance(value, int) else str(value)
