"""Tables computed from other tables, again only where an input changed.

Triggers on the inputs (migration 0009) note in `ops.changed_key` whose numbers are out of date: in the transaction that
changes the input, and for the owner before and the owner after. So a note is seen exactly when its change is; nothing
depends on clocks. Here a run takes the notes and computes those keys anew in one transaction; a note that comes
meanwhile stays for the next run. Notes are never merged into one row, so that writers never wait for one another.
"""

from __future__ import annotations

from typing import Any

import psycopg
from psycopg import sql

from v2_assets.merge import session
from v2_assets.merge.counts import MergeCounts
from v2_assets.merge.statements import same_key, v2
from v2_assets.merge.unit import Recomputed

#: Notes per transaction. One owner's rows may be thousands, so fewer than a merge takes.
BATCH_NOTES = 2_000


def recompute(
    connection: psycopg.Connection[Any], recomputed: Recomputed, *, batch_notes: int = BATCH_NOTES
) -> MergeCounts:
    """Computes every key anew that is noted, whoever's it is. Wants autocommit."""
    total = MergeCounts()
    while True:
        with connection.transaction(), connection.cursor() as cur:
            counts = _recompute_batch(cur, recomputed, batch_notes)
        if counts is None:
            return total
        total.add(counts)


def _recompute_batch(cur: psycopg.Cursor[Any], recomputed: Recomputed, limit: int) -> MergeCounts | None:
    """One batch; None when nothing is noted. Nobody takes the table's lock for nothing."""
    cur.execute("select exists (select from ops.changed_key where derived = %s)", [recomputed.queue])
    if not (cur.fetchone() or (False,))[0]:
        return None
    session.begin(cur, recomputed.table)
    cur.execute(
        "create temp table taken on commit drop as"
        " select id, owner_id, period from ops.changed_key where derived = %s order by id limit %s",
        [recomputed.queue, limit],
    )
    cur.execute("delete from ops.changed_key k using taken t where k.id = t.id")
    # An owner whose every period is out of date needs no single ones beside.
    cur.execute(
        "create temp table changed on commit drop as select distinct owner_id, period from taken t"
        " where period is null or not exists (select from taken w where w.owner_id = t.owner_id and w.period is null)"
    )
    cur.execute("analyze changed")
    counts = MergeCounts()
    selected, _ = session.select_into(cur, "merging", recomputed.sql)
    names = session.complete(cur, "merging", session.v2_columns(recomputed.table, selected), "derived", None)
    written = session.write(cur, recomputed.table, "merging", names, facts=False)
    if recomputed.owner is not None:
        written.removed = _remove_gone(cur, recomputed, recomputed.owner)
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
