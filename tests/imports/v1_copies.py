"""Copies of the sandbox's V1 as people make them: files, and tables in another Postgres."""

from __future__ import annotations

import csv
import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, LiteralString

import psycopg
import pyarrow as pa
import pyarrow.parquet as pq
from psycopg import sql
from psycopg.types.json import Jsonb

from resources.apis.xano.tables import TABLES
from sandbox.world.v1 import NAMES, V1

#: Written as Parquet; everything else as CSV.
PARQUET = ("user_roles", "listing_photos", "contribution")
_TYPES: dict[str, LiteralString] = {
    "ref": "bigint", "int": "bigint", "money": "numeric", "bool": "boolean", "ts": "timestamptz", "day": "date",
    "json": "jsonb", "text": "text",
}  # fmt: skip


def _imported(v1: V1) -> dict[str, dict[int, Any]]:
    """The tables that an import reads; V1 has others too."""
    return {table: rows for table, rows in v1.tables.items() if table in TABLES}


def write_files(v1: V1, folder: Path) -> None:
    """A file per table, named like the table."""
    folder.mkdir(parents=True, exist_ok=True)
    for table, rows in _imported(v1).items():
        name = NAMES.get(table, table)
        if table in PARQUET:
            pq.write_table(pa.Table.from_pylist(list(rows.values())), folder / f"{name}.parquet")
            continue
        with (folder / f"{name}.csv").open("w", encoding="utf-8-sig", newline="") as file:
            columns = list(dict.fromkeys(column for row in rows.values() for column in row))
            writer = csv.DictWriter(file, columns)
            writer.writeheader()
            writer.writerows({name: _text(value) for name, value in row.items()} for row in rows.values())


def _text(value: Any) -> Any:
    if isinstance(value, bool):
        return "true" if value else "false"
    return json.dumps(value) if isinstance(value, dict | list) else value


def write_tables(v1: V1, url: str, schema: str) -> None:
    """Tables with proper types, private columns included as text."""
    with psycopg.connect(url) as connection:
        connection.execute(sql.SQL("create schema {}").format(sql.Identifier(schema)))
        for table, rows in _imported(v1).items():
            columns = list(dict.fromkeys(column for row in rows.values() for column in row))
            kinds = {c: TABLES[table].columns.get(c, "text") for c in columns}
            name = sql.Identifier(schema, NAMES.get(table, table))
            connection.execute(
                sql.SQL("create table {} ({})").format(
                    name,
                    sql.SQL(", ").join(
                        sql.SQL("{} {}").format(sql.Identifier(c), sql.SQL(_TYPES[kind])) for c, kind in kinds.items()
                    ),
                )
            )
            for row in rows.values():
                connection.execute(
                    sql.SQL("insert into {} values ({})").format(
                        name, sql.SQL(", ").join([sql.Placeholder()] * len(columns))
                    ),
                    [_value(kinds[c], row.get(c)) for c in columns],
                )


def _value(kind: str, value: Any) -> Any:
    if kind == "ts":
        return datetime.fromtimestamp(value / 1000, UTC) if value else None
    if kind == "money" and isinstance(value, str):
        return value.replace(",", "")
    if kind == "day":
        return value or None
    if kind == "json":
        return Jsonb(value)
    return json.dumps(value) if isinstance(value, dict) else value
