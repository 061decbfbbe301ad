"""A user's CSV file into staging: one row, one deal, in the same ledger as every other record.

A row that cannot be read is kept as it stands, rejected with its line and column, and recovers when a corrected file
comes. The file is read as a stream, and coming again unchanged it changes nothing. What a row no longer says is not
deleted: a file proves nothing about what it leaves out.
"""

from __future__ import annotations

import csv
import hashlib
import itertools
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import psycopg

from resources.errors import V2Error
from resources.lease import Lease
from resources.postgres import Database
from resources.reading import Page, Problem, Record
from v2_assets.imports.mapping import FileMapping, MappingRefused, Unreadable, value_of
from v2_assets.staging.state import Cursor, StreamKey, finish, save_cursor
from v2_assets.staging.store import StoreCounts, payload_hash, store_page

PAGE_ROWS = 500
_CHUNK = 1 << 20
#: How many problems an answer lists; the ledger has them all.
LISTED = 50


#: Rows of cells, each with the line it begins on.
Numbered = Iterator[tuple[int, list[str]]]


class FileRefused(V2Error):
    """The file as a whole cannot be read."""

    code = "file_refused"


@dataclass(frozen=True, slots=True)
class Row:
    """One row of a file: where it begins, and what it says or why it cannot be read."""

    line: int
    record: Record


@dataclass(slots=True)
class FileImport:
    """What an import came to. `problems`: line, column and what should have been there; never what was."""

    rows: int = 0
    good: int = 0
    broken: int = 0
    identical: int = 0
    problems: list[dict[str, Any]] = field(default_factory=list)
    stored: dict[str, int] | None = None
    fates: dict[str, int] = field(default_factory=dict)

    def count(self, row: Row) -> None:
        """Adds one row."""
        self.rows += 1
        problem = row.record.problem
        if problem is None:
            self.good += 1
            self.identical += row.record.source_id != row.record.payload["key"]
            return
        self.broken += 1
        if len(self.problems) < LISTED:
            self.problems.append({"where": problem.field, "reason": problem.reason, "found": problem.found})


def encoding_of(path: Path) -> str:
    """How the file is written: UTF-8 (a mark at its start or not), UTF-16 by its mark, else cp1252.

    Raises FileRefused for an empty or missing file, and for one that is no text.
    """
    try:
        with path.open("rb") as file:
            start = file.read(4)
    except OSError:
        raise FileRefused("the file cannot be read", hint="is the path right, and is it a file?") from None
    if not start:
        raise FileRefused("the file is empty")
    wide = start[:2] in (b"\xff\xfe", b"\xfe\xff")
    for encoding in ("utf-16",) if wide else ("utf-8-sig", "cp1252"):
        try:
            with path.open(encoding=encoding, newline="") as file:
                while text := file.read(_CHUNK):
                    if "\x00" in text:
                        raise FileRefused("the file is not text", hint="save it as CSV, in UTF-8")
        except UnicodeError:
            continue
        return encoding
    raise FileRefused("the file is neither UTF-8 nor Windows text", hint="save it as CSV in UTF-8")


@contextmanager
def opened(
    path: Path, mapping: FileMapping | None = None
) -> Iterator[tuple[list[str], Iterator[tuple[int, list[str]]]]]:
    """The header and the rows, each with the line it begins on. Raises FileRefused."""
    told = mapping.encoding if mapping else None
    encoding = {"utf-8": "utf-8-sig", None: None}.get(told, told) or encoding_of(path)
    try:
        with path.open(encoding=encoding, newline="") as file:
            sample = file.readline(65_536)
            file.seek(0)
            delimiter = (mapping.delimiter if mapping else None) or max(",;\t|", key=sample.count)
            reader = csv.reader(file, delimiter=delimiter, strict=True)
            rows = _rows(reader)
            first = next(rows, None)
            if first is None:
                raise FileRefused("the file has no header")
            header = [name.strip() for name in first[1]]
            twice = sorted({name for name in header if name and header.count(name) > 1})
            if twice:
                raise FileRefused(f"the header names {len(twice)} column(s) twice: {', '.join(twice)}")
            yield header, rows
    except OSError:
        raise FileRefused("the file cannot be read", hint="is the path right, and is it a file?") from None
    except UnicodeError:
        raise FileRefused(f"the file is not written in {encoding}", hint="correct the mapping's `encoding`") from None


def _rows(reader: Any) -> Numbered:
    while True:
        line = reader.line_num + 1
        try:
            cells = next(reader)
        except StopIteration:
            return
        except csv.Error as error:
            raise FileRefused(f"the row that begins on line {line} is not CSV: {error}") from None
        if any(cell.strip() for cell in cells):
            yield line, cells


def read_rows(path: Path, mapping: FileMapping, user_id: int) -> Iterator[Row]:
    """Every row of the file. Raises FileRefused, and MappingRefused for a column that the file does not have."""
    with opened(path, mapping) as (header, rows):
        wanted = [*mapping.columns, *([mapping.id] if mapping.id else [])]
        missing = [column for column in wanted if column not in header]
        if missing:
            raise MappingRefused(
                f"the file has no column {', '.join(missing)}", hint=f"its columns are: {', '.join(header)}"
            )
        met: dict[str, tuple[bytes, int]] = {}
        for line, cells in rows:
            yield Row(line, _told_once(_record(path.name, line, header, cells, mapping, user_id), line, met, path.name))


def _record(file: str, line: int, header: list[str], cells: list[str], mapping: FileMapping, user_id: int) -> Record:
    named = dict(zip(header, cells, strict=False))
    identity = " ".join(named.get(mapping.id or "", "").split())
    key = f"{mapping.name}/{user_id}/{identity}" if identity else None
    problem: Problem | None = None
    values: dict[str, Any] = {}
    if len(cells) != len(header):
        problem = Problem("invalid_record", f"line {line}", f"{len(cells)} cells where the header has {len(header)}")
    for column, how in mapping.columns.items():
        try:
            value = value_of(named.get(column, ""), how, mapping.words.get(how.field, {}))
        except Unreadable as error:
            problem = problem or Problem("invalid_record", f"line {line}, column {column}", f"text that is not {error}")
            continue
        if value is not None:
            values[how.field] = (
                f"{values['address']}, {value}" if how.field == "address" and "address" in values else value
            )
    if mapping.currency and any(name in values for name in ("sale_price", "list_price", "gross_commission")):
        values.setdefault("currency", mapping.currency)
    if mapping.id is None and problem is None:
        key = _key_of(values, mapping.name, user_id)
    if key is None and problem is None:
        wanted = f"column {mapping.id}" if mapping.id else "address with a closing date or a price"
        problem = Problem("missing_key", f"line {line}, {wanted}", "nothing")
    if problem is not None or key is None:
        return _broken(file, line, named, key, problem)
    return Record(key, {"key": key, **values})


def _broken(file: str, line: int, named: Mapping[str, str], key: str | None, problem: Problem | None) -> Record:
    plain = {column: cell.replace("\x00", "") for column, cell in named.items()}
    source_id = key or f"unread/{file}/{payload_hash({'row': plain}).hex()}"
    return Record(source_id, {"_file": file, "_line": line, "_row": plain}, problem=problem)


def _key_of(values: Mapping[str, Any], name: str, user_id: int) -> str | None:
    """Without an id a deal is known by its address, the day it closes and its price."""
    address = values.get("address")
    if address is None or not (values.get("closing_date") or values.get("sale_price")):
        return None
    parts = "\n".join((str(address).upper(), str(values.get("closing_date")), str(values.get("sale_price"))))
    return f"{name}/{user_id}/{hashlib.blake2b(parts.encode(), digest_size=10).hexdigest()}"


def _told_once(record: Record, line: int, met: dict[str, tuple[bytes, int]], file: str) -> Record:
    """The same row again is a copy, which the merge links to the first; the same id with other content is refused."""
    told = payload_hash(record.payload)
    first, times = met.get(record.source_id, (told, 0))
    met[record.source_id] = (first, times + 1)
    if times == 0:
        return record
    source_id = f"{record.source_id}#{times + 1}"
    if record.problem is not None or told == first:
        return Record(source_id, record.payload, problem=record.problem)
    payload = {"_file": file, "_line": line, "_row": {k: v for k, v in record.payload.items() if k != "key"}}
    return Record(source_id, payload, problem=Problem("repeated_key", f"line {line}", "another row with the same id"))


def check_file(path: Path, mapping: FileMapping, user_id: int, first: int | None = None) -> FileImport:
    """What importing would find, of the whole file or its `first` rows. Stores nothing."""
    told = FileImport()
    for row in itertools.islice(read_rows(path, mapping, user_id), first):
        told.count(row)
    return told


async def stage_file(
    database: Database,
    path: Path,
    mapping: FileMapping,
    user_id: int,
    run_id: str,
    progress: Callable[[str], None] = lambda line: None,
) -> FileImport:
    """Stages the file, page by page. Raises FileRefused, MappingRefused; what was stored until then stays."""
    told, counts, seen = FileImport(), StoreCounts(), set[str]()
    key = StreamKey(integration="csv", entity="import", account_ref=f"csv/{mapping.name}/{user_id}", user_id=user_id)
    async with database.aconnect(autocommit=True) as connection, Lease.aacquire(database, key.lease, run_id) as lease:
        rows = read_rows(path, mapping, user_id)
        while page := list(itertools.islice(rows, PAGE_ROWS)):
            for row in page:
                told.count(row)
                seen.add(row.record.source_id)
            async with connection.transaction(), connection.cursor() as cur:
                await lease.acheck(cur)
                stored = Page(tuple(row.record for row in page), None, datetime.now(UTC))
                counts.add(await store_page(connection, "stage_csv_import", key, stored, run_id, None))
            progress(f"{told.rows} rows")
        if told.rows == 0:
            raise FileRefused("the file has a header and no rows")
        async with connection.transaction(), connection.cursor() as cur:
            await lease.acheck(cur)
            await _replace_broken(connection, key.account_ref, path.name, sorted(seen))
            await save_cursor(connection, key, Cursor(), run_id)
            await finish(connection, key, full=True, records=told.rows)
    told.stored = counts.as_dict()
    return told


async def _replace_broken(
    connection: psycopg.AsyncConnection[Any], account_ref: str, file: str, seen: list[str]
) -> None:
    """Broken rows that this file had once and has no more were corrected or taken out: they are nobody's work now."""
    await connection.execute(
        "update staging.stage_csv_import set status = 'filtered', status_reason = 'replaced'"
        " where account_ref = %s and payload ->> '_file' = %s and status = 'rejected' and source_id <> all(%s)",
        [account_ref, file, seen],
    )
    await connection.execute(
        "update staging.stage_csv_import set status = 'rejected', status_reason = 'invalid_record'"
        " where account_ref = %s and payload ->> '_file' = %s and status = 'filtered' and status_reason = 'replaced'"
        " and source_id = any(%s)",
        [account_ref, file, seen],
    )


def fates_of(database: Database, user_id: int, name: str) -> dict[str, int]:
    """Where the rows that came by this mapping stand."""
    with database.connect() as connection:
        rows = connection.execute(
            "select concat_ws(':', status, status_reason), count(*) from staging.stage_csv_import"
            " where account_ref = %s group by 1 order by 1",
            [f"csv/{name}/{user_id}"],
        ).fetchall()
    return {str(fate): int(number) for fate, number in rows}
