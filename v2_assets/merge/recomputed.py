"""Tables computed from other tables, again only where an input changed.

Triggers on the inputs (migration 0009) note in `ops.changed_key` whose numbers are out of date: in the transaction that
changes the input, and for the owner before and the owner after. So a note is seen exactly when its change is; nothing
depends on clocks. Here a run takes the notes and computes those keys again in one transaction; a note that comes
meanwhile stays for the next run. Notes are never merged into one row, so that writers never wait for one another.

A key that Postgres refuses (a sum that fits no column) is found by halving the keys of the batch and parked alone.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import psycopg
from psycopg import sql

from v2_assets.merge import parking, session
from v2_assets.merge.counts import MergeCounts
from v2_assets.merge.parking import Key
from v2_assets.merge.refusals import caused_by_data, reason_of
from v2_assets.merge.statements import same_key, v2
from v2_assets.merge.unit import Recomputed

#: Notes per transaction. One owner's rows may be thousands, so fewer than a merge takes.
BATCH_NOTES = 2_000
#: A key and the notes of it.
_Noted = tuple[Key, list[int]]


def recompute(
    connection: psycopg.Connection[Any], recomputed: Recomputed, *, batch_notes: int = BATCH_NOTES
) -> MergeCounts:
    """Computes every key again that is noted, whoever's it is. Wants autocommit."""
    total = MergeCounts()
    with connection.transaction(), connection.cursor() as cur:
        parking.release(cur, recomputed.queue)
    while noted := _noted(connection, recomputed.queue, batch_notes):
        total.add(_recompute_or_halve(connection, recomputed, noted))
    return total


def _noted(connection: psycopg.Connection[Any], queue: str, limit: int) -> list[_Noted]:
    """The oldest notes by key, in the order of owners; nobody takes the table's lock for nothing."""
    with connection.transaction(), connection.cursor() as cur:
        cur.execute(
            "select owner_id, period, array_agg(id) from (select id, owner_id, period from ops.changed_key"
            " where derived = %s order by id limit %s) n group by 1, 2 order by 1, 2",
            [queue, limit],
        )
        return [((owner, period), ids) for owner, period, ids in cur.fetchall()]


def _recompute_or_halve(
    connection: psycopg.Connection[Any], recomputed: Recomputed, noted: Sequence[_Noted]
) -> MergeCounts:
    try:
        with connection.transaction(), connection.cursor() as cur:
            return _recompute_batch(cur, recomputed, noted)
    except psycopg.Error as error:
        if not caused_by_data(error):
            raise
        if len(noted) == 1:
            [(key, ids)] = noted
            with connection.transaction(), connection.cursor() as cur:
                parking.park(cur, recomputed.table, recomputed.queue, key, reason_of(error, recomputed.table))
                _take(cur, ids)
            return MergeCounts(parked=1)
    middle = len(noted) // 2
    counts = _recompute_or_halve(connection, recomputed, noted[:middle])
    counts.add(_recompute_or_halve(connection, recomputed, noted[middle:]))
    return counts


def _take(cur: psycopg.Cursor[Any], ids: list[int]) -> None:
    cur.execute("delete from ops.changed_key where id = any(%s)", [ids])


def _recompute_batch(cur: psycopg.Cursor[Any], recomputed: Recomputed, noted: Sequence[_Noted]) -> MergeCounts:
    session.begin(cur, recomputed.table)
    _take(cur, [note for _, ids in noted for note in ids])
    keys = [key for key, _ in noted]
    whole = {owner for owner, period in keys if period is None}
    # An owner whose every period is out of date needs no single ones beside.
    keys = [(owner, period) for owner, period in keys if period is None or owner not in whole]
    cur.execute(
        "create temp table changed on commit drop as"
        " select owner_id, period from unnest(%s::bigint[], %s::date[]) k (owner_id, period)",
        [[owner for owner, _ in keys], [period for _, period in keys]],
    )
    cur.execute("analyze changed")
    counts = MergeCounts()
    selected, _ = session.select_into(cur, "merging", recomputed.sql)
    names = session.complete(cur, "merging", session.v2_columns(recomputed.table, selected), "derived", None)
    written = session.write(cur, recomputed.table, "merging", names, facts=False)
    if recomputed.owner is not None:
        written.removed = _remove_gone(cur, recomputed, recomputed.owner)
    parking.forget(cur, recomputed.queue, keys)
    counts.table(recomputed.table).add(written)
    return counts


def _remove_gone(cur: psycopg.Cursor[Any], recomputed: Recomputed, owner: str) -> int:
    """Soft-deletes rows of the changed keys that came out no more. Returns how many."""
    same_period = sql.SQL("true")
    if recomputed.period is not None:
        same_period = sql.SQL("(c.period is null or c.period = live.{})").format(sql.Identifier(recomputed.period))
    cur.execute(
        sql.SQL(
            "update {table} live set deleted_at = now(), updated_at = now()"
            " from changed c where live.{owner} = c.owner_id and {same_period} and live.deleted_at is null"
            " and not exists (select from merging where {match})"
        ).format(
            table=v2(recomputed.table),
            owner=sql.Identifier(owner),
            same_period=same_period,
            match=same_key("merging", "live", recomputed.table),
        )
    )
    return cur.rowcount
