"""What of the staged records could not be read, counted by table and field: each such field is null in V2."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import psycopg
from psycopg import sql
from psycopg.rows import class_row

from v2_assets.schema.stage import STREAMS


@dataclass(frozen=True, slots=True)
class Warned:
    """One field of one staging table: how many records it is warned of in, and the id of one of them.

    `field` is the path with `[]` for places in lists: `participants[].payment.percent`.
    """

    table: str
    code: str
    field: str
    found: str
    records: int
    example: str


_FIELDS = sql.SQL(
    "select {name}::text as table, w ->> 'code' as code,"
    r" regexp_replace(w ->> 'field', '\.[0-9]+(?=\.|$)', '[]', 'g') as field,"
    " string_agg(distinct w ->> 'found', ', ') as found, count(distinct s.id) as records, min(s.source_id) as example"
    " from {stage} s cross join lateral jsonb_array_elements(s.warnings) w"
    " where s.warnings is not null and s.missed_sweeps < 2"
    " and (%(users)s::bigint[] is null or s.user_id = any(%(users)s)) group by 2, 3"
)


def warned(
    connection: psycopg.Connection[Any], tables: Sequence[str] | None = None, users: Sequence[int] | None = None
) -> list[Warned]:
    """The warned fields, those of most records first; of these staging tables and users, or of all."""
    chosen = [stream.table for stream in STREAMS if tables is None or stream.table in tables]
    if not chosen:
        return []
    query = sql.SQL(" union all ").join(
        _FIELDS.format(name=sql.Literal(table), stage=sql.Identifier("staging", table)) for table in chosen
    )
    with connection.cursor(row_factory=class_row(Warned)) as cur:
        cur.execute(query + sql.SQL(" order by records desc, 1, 3"), {"users": None if users is None else list(users)})
        return cur.fetchall()
