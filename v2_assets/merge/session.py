"""One merge transaction: its lock, its temporary tables, and the checks on what a select returned."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import psycopg
from psycopg import sql

from resources.errors import LedgerBroken
from v2_assets.merge.counts import TableCounts
from v2_assets.merge.statements import (
    MERGE_LOCK,
    OURS,
    STEERING,
    declaration,
    release,
    same_key,
    staging,
    upsert,
    v2,
    waited_for,
)
from v2_assets.schema.ownership import end_with, owned_by, owners_of, return_with


def begin(cur: psycopg.Cursor[Any], table: str) -> None:
    """Takes the table's merge lock for this transaction, so that two merges never race for one natural key."""
    _unprepared(cur)
    cur.execute(MERGE_LOCK, [f"merge:{table}"])


@contextmanager
def scratch(cur: psycopg.Cursor[Any]) -> Iterator[None]:
    """A transaction for temporary tables, when nothing is merged."""
    _unprepared(cur)
    with cur.connection.transaction():
        yield


def _unprepared(cur: psycopg.Cursor[Any]) -> None:
    """Temporary tables of one name differ from table to table, so a statement prepared for one fails on the next."""
    cur.connection.prepare_threshold = None


def load_batch(cur: psycopg.Cursor[Any], stage: str, ids: Sequence[int]) -> int:
    """Locks these staged rows and copies them into `batch`. Returns how many still want merging."""
    cur.execute(
        sql.SQL(
            "create temp table batch on commit drop as select * from {}"
            " where id = any(%s) and status in ('pending', 'deferred') order by id for update"
        ).format(staging(stage)),
        [list(ids)],
    )
    cur.execute("analyze batch")
    cur.execute("select count(*) from batch")
    return _number(cur)


def select_into(
    cur: psycopg.Cursor[Any], relation: str, text: str, params: dict[str, Any] | None = None
) -> tuple[list[str], int]:
    """Runs a table's select into a temporary relation. Returns its column names and how many rows it has."""
    cur.execute(
        sql.SQL("create temp table {} on commit drop as ").format(sql.Identifier(relation)).as_string(cur) + text,  # type: ignore[arg-type]
        params,
    )
    rows = cur.rowcount
    cur.execute(sql.SQL("select * from {} limit 0").format(sql.Identifier(relation)))
    return [c.name for c in cur.description or ()], rows


def v2_columns(table: str, selected: Iterable[str]) -> list[str]:
    """The selected columns that are stored. Raises LedgerBroken for one that the declaration does not have."""
    known = set(declaration(table).columns.keys()) - OURS
    # No table that is merged from staging has a column called like a steering one; a leaderboard has ranks.
    names = [n for n in selected if n not in STEERING or n in known]
    strange = sorted(set(names) - known)
    if strange:
        raise LedgerBroken(
            f"the select of v2.{table} returns columns that its declaration does not have: {', '.join(strange)}",
            hint="add them to the declaration (and a migration), or take them out of the select",
        )
    return names


def complete(cur: psycopg.Cursor[Any], relation: str, names: list[str], source: str, stamp: str | None) -> list[str]:
    """Adds `source`, `source_updated_at` and `deleted_at` where the select left them to the engine."""
    ident = sql.Identifier(relation)
    if "source" not in names:
        cur.execute(sql.SQL("alter table {} add column source text").format(ident))
        cur.execute(sql.SQL("update {} set source = %s").format(ident), [source])
    if "source_updated_at" not in names:
        cur.execute(sql.SQL("alter table {} add column source_updated_at timestamptz").format(ident))
        if stamp:
            cur.execute(
                sql.SQL(
                    "update {} s set source_updated_at = b.source_updated_at from batch b where b.id = s.{}"
                ).format(ident, sql.Identifier(stamp))
            )
    if "deleted_at" not in names:
        cur.execute(sql.SQL("alter table {} add column deleted_at timestamptz").format(ident))
    return list(dict.fromkeys([*names, "source", "source_updated_at", "deleted_at"]))


def write(cur: psycopg.Cursor[Any], table: str, relation: str, names: list[str], *, facts: bool) -> TableCounts:
    """Upserts a relation into its V2 table, and makes staged rows pending that waited for the rows inserted."""
    cur.execute(upsert(table, relation, names, facts=facts))
    inserted, updated, told = cur.fetchone() or ([], 0, 0)
    counts = TableCounts(inserted=len(inserted), updated=updated, unchanged=told - len(inserted) - updated)
    if inserted:
        cur.execute(waited_for(table), [inserted])
        for (stage,) in cur.fetchall():
            cur.execute(release(table, stage), [inserted])
            counts.released += cur.rowcount
    return counts


def remove_missing(cur: psycopg.Cursor[Any], table: str, parent: str, key_match: sql.Composed) -> int:
    """Soft-deletes the children of merged parents that `part` no longer has. Returns how many."""
    cur.execute(
        sql.SQL(
            "update {table} live set deleted_at = now(), updated_at = now()"
            " from merged where live.{parent} = merged.v2_id and live.deleted_at is null"
            " and not exists (select from part where {match})"
        ).format(table=v2(table), parent=sql.Identifier(parent), match=key_match)
    )
    return cur.rowcount


def end_with_owners(cur: psycopg.Cursor[Any], table: str) -> None:
    """A row of `merging` that belongs to what is deleted in V2 is deleted too, and comes back with it."""
    for column, owner in owners_of(table):
        cur.execute(
            sql.SQL(
                "update merging m set deleted_at = coalesce(m.deleted_at, o.deleted_at) from {} o"
                " where o.id = m.{} and o.deleted_at is not null"
            ).format(v2(owner), sql.Identifier(column))
        )


def deleted_before(cur: psycopg.Cursor[Any], table: str) -> list[int]:
    """Ids of the rows of `merging` that are deleted in V2 now, before they are written.

    Of one that an older version brings back, its parts stay those of the version that it shows: what ended with the
    row, in one moment, is back with it.
    """
    for child, column in owned_by(table):
        cur.execute(
            sql.SQL(
                "update {} c set deleted_at = null, updated_at = now() from merging m join {} live on {}"
                " where c.{} = live.id and c.deleted_at = live.deleted_at and m.deleted_at is null"
                " and m.source_updated_at < live.source_updated_at"
            ).format(v2(child), v2(table), same_key("m", "live", table), sql.Identifier(column))
        )
    cur.execute(
        sql.SQL("select live.id from merging m join {} live on {} where live.deleted_at is not null").format(
            v2(table), same_key("m", "live", table)
        )
    )
    return [row[0] for row in cur.fetchall()]


def let_children_follow(cur: psycopg.Cursor[Any], table: str, were_deleted: Sequence[int]) -> None:
    """What belongs to a merged row that its source calls deleted ends with it; what belongs to one that is back, too.

    `were_deleted` are the rows that were deleted before this merge. Children that are records of their own become
    pending, since only their own merge knows what they are.
    """
    cur.execute(
        sql.SQL(
            "select live.id, live.deleted_at is not null from placed m join {} live on live.id = m.v2_id"
            " where live.deleted_at is not null or live.id = any(%s)"
        ).format(v2(table)),
        [list(were_deleted)],
    )
    told = cur.fetchall()
    _end_children(cur, table, [row for row, gone in told if gone])
    if back := [row for row, gone in told if not gone]:
        for statement in return_with(table):
            cur.execute(statement, {"ids": back})


def _end_children(cur: psycopg.Cursor[Any], table: str, ids: list[int]) -> None:
    if not ids:
        return
    for child, statement in end_with(table):
        cur.execute(statement, {"ids": ids})
        _end_children(cur, child, [row[0] for row in cur.fetchall()])


def _number(cur: psycopg.Cursor[Any]) -> int:
    row = cur.fetchone()
    return int(row[0]) if row else 0
