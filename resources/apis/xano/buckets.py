"""Which rows of a Postgres copy of V1 differ from rows that somebody holds already, without moving the others.

Ids fall into buckets by their hash. Each server counts its rows of a bucket and adds up their hashes, in whatever order
it meets them, over the same text; only rows of buckets that are not alike are worth a transfer. Both servers must write
values alike for that: `SAME_WORDS` is what their sessions are set to.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import LiteralString

from psycopg import sql

from resources.apis.xano.tables import Kind

#: A bucket of V1's largest table (5.5 million calls) has about 1,300 rows, which is one page of a transfer.
BUCKETS = 4096
SAME_WORDS: LiteralString = "set timezone = 'UTC'; set datestyle = 'ISO, YMD'; set extra_float_digits = 1"

#: One text per kind, whether a column is typed as V1 was or as a copy chose; {0} is the column.
_TEXTS: Mapping[Kind, LiteralString] = {
    "ref": "nullif({0}::text, '0')",
    "int": "{0}::text",
    "money": "trim_scale({0}::numeric)::text",
    "bool": "{0}::text",
    "ts": "date_trunc('milliseconds', {0})::text",
    "day": "{0}::text",
    "json": "{0}::jsonb::text",
    "text": "nullif({0}::text, '')",
}
#: The type names under which `_TEXTS` can read a kind; a column of any other is told by its plain text.
_READABLE: Mapping[Kind, frozenset[str]] = {
    "money": frozenset({"numeric", "integer", "bigint"}),
    "ts": frozenset({"timestamp with time zone"}),
    "json": frozenset({"json", "jsonb"}),
}


def bucket_of(column: sql.Composable) -> sql.Composed:
    """The bucket of an id, 0 to BUCKETS - 1."""
    return sql.SQL("(hashtextextended({}::text, 0) & {})").format(column, sql.Literal(BUCKETS - 1))


def sums(table: sql.Composable, columns: Mapping[str, Kind], there: Mapping[str, str]) -> sql.Composed:
    """A query for (bucket, rows, sum of the rows' hashes). `there` are the table's columns with their type names."""
    texts = sql.SQL(", ").join(_text(name, kind, there) for name, kind in columns.items())
    return sql.SQL(
        "select {} as bucket, count(*), sum(hashtextextended(row({})::text, 0)::numeric)::text from {} group by 1"
    ).format(bucket_of(sql.Identifier("id")), texts, table)


def _text(name: str, kind: Kind, there: Mapping[str, str]) -> sql.Composable:
    """The column's value as both servers write it; a column that is not there is as one without values."""
    if name not in there:
        return sql.SQL("null::text")
    readable = _READABLE.get(kind)
    text = "{0}::text" if readable is not None and there[name] not in readable else _TEXTS[kind]
    return sql.SQL(text).format(sql.Identifier(name))
