"""SQL that is the same for every table, composed from the declarations. The tables' own meaning is in their files."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from psycopg import sql
from sqlalchemy import Column, Table

from v2_assets.schema import metadata
from v2_assets.schema.stage import STREAMS

#: The integration that fills each staging table: what `source` says in V2.
SOURCE_OF = {s.table: "v1" if s.integration == "xano" else s.integration for s in STREAMS}
#: A staged row that a merge should look at: new, or waiting for a parent and due to be tried again.
WANTS_MERGING = sql.SQL("(status = 'pending' or (status = 'deferred' and next_attempt_at <= now()))")
#: A staged row whose facts are to be stored: also one that is not due, since the fact may be what it waits for.
TELLS_FACTS = sql.SQL("status in ('pending', 'deferred')")
#: Takes the merge lock `%s` for a transaction. A batch may take a quarter of a minute and a dozen be before it, so this
#: waits longer than for other locks: who gave up would only come again.
MERGE_LOCK = b"select set_config('lock_timeout', '300s', true), pg_advisory_xact_lock(hashtextextended(%s, 0))"
_WAITS = sql.SQL("s.waits_for = keys.key and s.status = 'deferred'")
#: The code of a staged row's warning that a word has no value (`ops.unknown_word`).
UNKNOWN_WORD = "unknown_word"
#: Columns the engine writes itself; a select must never return them.
OURS = frozenset({"id", "created_at", "updated_at"})
#: Columns of a primary select that steer the merge and are not stored in V2.
STEERING = ("staged_id", "fate", "reason", "detail", "waits_for", "rank", "words")


def v2(table: str) -> sql.Identifier:
    """The V2 table's quoted name."""
    return sql.Identifier("v2", table)


def staging(table: str) -> sql.Identifier:
    """The staging table's quoted name."""
    return sql.Identifier("staging", table)


def declaration(table: str) -> Table:
    """The V2 table's declaration."""
    return metadata.tables[f"v2.{table}"]


def natural_key(table: str) -> tuple[str, ...]:
    """The columns that identify a row to its source."""
    return tuple(declaration(table).info["natural_key"])


def key_columns(table: str) -> list[Column[Any]]:
    """The declarations of the natural key's columns."""
    declared = declaration(table)
    return [declared.columns[name] for name in natural_key(table)]


def columns(names: Sequence[str], qualifier: str | None = None) -> sql.Composed:
    """A comma list of quoted column names."""
    return sql.SQL(", ").join(sql.Identifier(qualifier, n) if qualifier else sql.Identifier(n) for n in names)


def same_key(left: str, right: str, table: str) -> sql.Composed:
    """`left.k = right.k and …` over the natural key; null-safe only where a part may be null: indexes serve `=`."""
    parts: list[sql.Composed] = []
    for k in natural_key(table):
        template = "{} is not distinct from {}" if declaration(table).columns[k].nullable else "{} = {}"
        parts.append(sql.SQL(template).format(sql.Identifier(left, k), sql.Identifier(right, k)))
    return sql.SQL(" and ").join(parts)


def waiting_key(table: str, alias: str) -> sql.Composed:
    """The text a deferred row stores to name the parent it waits for: `<table>/<natural key values joined by />`."""
    parts = [sql.SQL("{}::text").format(sql.Identifier(alias, k)) for k in natural_key(table)]
    return sql.SQL("concat_ws('/', {}, {})").format(sql.Literal(table), sql.SQL(", ").join(parts))


def upsert(table: str, source: str, names: Sequence[str], *, facts: bool) -> sql.Composed:
    """Insert-or-update of `source` into a V2 table; rows that are equal are not touched.

    One row comes back: the ids inserted (bigint[]), how many rows were updated, how many the source has.

    A primary, child or derived row (`facts=False`) overwrites what is not newer than itself. A fact mentioned by a
    record of another grain (`facts=True`) overwrites only with a newer stamp; where neither side has a stamp the
    smaller value stays, so that the order of arrival cannot matter.
    """
    key = natural_key(table)
    settable = [n for n in names if n not in key]
    old, new = "live", "excluded"
    stamp_old, stamp_new = sql.Identifier(old, "source_updated_at"), sql.Identifier(new, "source_updated_at")
    if facts:
        wins = sql.SQL("{n} is not null and ({o} is null or {n} > {o})").format(n=stamp_new, o=stamp_old)
        loses = sql.SQL("{o} is null and {n} is null").format(n=stamp_new, o=stamp_old)
    else:
        wins = sql.SQL("{n} is null or {o} is null or {n} >= {o}").format(n=stamp_new, o=stamp_old)
        loses = sql.SQL("false")

    def value(name: str) -> sql.Composed:
        o, n = sql.Identifier(old, name), sql.Identifier(new, name)
        if name == "deleted_at":
            # Undelete when the record is back, also in an older version: who wins is the newest that lives. Keep the
            # first stamp when it is deleted again and again.
            back = sql.SQL("{} is null and {}").format(n, wins if facts else sql.SQL("true"))
            return sql.SQL("case when {} then null when {} then coalesce({o}, {n}) else {o} end").format(
                back, wins, o=o, n=n
            )
        merged = sql.SQL("least({o}, {n})") if facts else sql.SQL("coalesce({o}, {n})")
        return sql.SQL("case when {wins} then {n} when {loses} then {merged} else {o} end").format(
            wins=wins, n=n, loses=loses, merged=merged.format(o=o, n=n), o=o
        )

    def changed(name: str) -> sql.Composed:
        return sql.SQL("{} is distinct from {}").format(sql.Identifier(old, name), value(name))

    updates = sql.SQL(", ").join(sql.SQL("{} = {}").format(sql.Identifier(n), value(n)) for n in settable)
    different = sql.SQL(" or ").join(changed(n) for n in settable)
    return sql.SQL(
        "with put as ("
        " insert into {table} as live ({names}) select {names} from {source} where true"
        " on conflict ({key}) do update set {updates}, updated_at = now() where {different}"
        " returning id, (xmax = 0) as inserted)"
        " select coalesce(array_agg(id) filter (where inserted), '{{}}'), count(*) filter (where not inserted),"
        " (select count(*) from {source}) from put"
    ).format(
        table=v2(table),
        names=columns(names),
        source=sql.Identifier(source),
        key=columns(key),
        updates=updates,
        different=different,
    )


def waited_for(table: str) -> sql.Composed:
    """The staging tables with deferred rows whose parent has one of the ids `%s` (bigint[]) of this table."""
    each = [
        sql.SQL("select {} where exists (select from {} s join keys on {})").format(
            sql.Literal(stream.table), staging(stream.table), _WAITS
        )
        for stream in STREAMS
    ]
    return sql.SQL("with {} {}").format(_keys(table), sql.SQL(" union all ").join(each))


def release(table: str, stage: str) -> sql.Composed:
    """Makes the deferred rows of a staging table pending whose parent has one of the ids `%s` (bigint[])."""
    return sql.SQL(
        "with {keys}, freed as (select s.id from {stage} s join keys on {waits} order by s.id for update of s)"
        " update {stage} t set status = 'pending', status_reason = null, status_detail = null, waits_for = null,"
        " next_attempt_at = null from freed where t.id = freed.id"
    ).format(keys=_keys(table), stage=staging(stage), waits=_WAITS)


def _keys(table: str) -> sql.Composed:
    return sql.SQL("keys as (select {} as key from {} t where t.id = any(%s))").format(
        waiting_key(table, "t"), v2(table)
    )
