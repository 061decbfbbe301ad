"""What nobody sees any more ends in V2: decided by a record's V2 row, never by the status of one of its copies.

Every copy of a record keeps the id of the V2 row that it became or stands behind, whatever its newest version came to.
So "does anybody still see it?" is one question: is there a copy with this `v2_id` that is not gone. Here: ending rows,
letting another copy take over, and letting a copy come back. Not here: how a copy is found to be gone (`sweep`).
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import psycopg
from psycopg import sql

from v2_assets.merge.statements import MERGE_LOCK
from v2_assets.schema.ownership import end_with
from v2_assets.schema.stage import STREAMS, Stream
from v2_assets.staging.streams import READINGS

#: Whether there may be anything to settle: most sweeps find nothing, and then wait for no merge.
_ANY = sql.SQL(
    "select exists (select from {stage} s join {live} v on v.id = s.v2_id and v.deleted_at is null"
    " where s.account_ref = %(account)s and s.missed_sweeps >= 2)"
    " or exists (select from {stage} s join ops.sweep_key k on k.sweep_id = %(sweep)s and k.source_id = s.source_id"
    " where s.account_ref = %(account)s and s.missing_since is not null)"
)
#: Met by a sweep that began after the loss, and unchanged, so its page did not touch it. What was gone is merged anew;
#: of what no merge takes, this is when it was last looked at.
_BACK = sql.SQL(
    "update {stage} s set missed_sweeps = 0, missing_since = null,"
    " processed_at = case when missed_sweeps >= 2 and processed_at is not null then now() else processed_at end,"
    " status = case when missed_sweeps >= 2 and status in ('processed', 'duplicate') then 'pending' else status end"
    " from ops.sweep w join ops.sweep_key k on k.sweep_id = w.id where w.id = %(sweep)s and k.source_id = s.source_id"
    " and s.account_ref = %(account)s and s.missing_since < w.started_at"
)
#: Copies that others see of what this account lost, where nobody else holds the row. Their merge chooses who does.
_HEIRS = sql.SQL(
    "update {stage} heir set status = 'pending' where heir.status = 'duplicate' and heir.missed_sweeps < 2"
    " and heir.v2_id in (select g.v2_id from {stage} g where g.account_ref = %(account)s and g.missed_sweeps >= 2)"
    " and not exists (select from {stage} holder where holder.v2_id = heir.v2_id and holder.status = 'processed'"
    "  and holder.missed_sweeps < 2)"
)
_END = sql.SQL(
    "with gone as (select v2_id, max(missing_since) as since from {stage}"
    "  where account_ref = %(account)s and missed_sweeps >= 2 and v2_id is not null group by 1)"
    " update {live} v set deleted_at = now(), updated_at = now() from gone"
    " where v.id = gone.v2_id and v.deleted_at is null and not exists ({seen}) returning v.id"
)


async def wait_for_merges(connection: psycopg.AsyncConnection[Any], primary: str) -> None:
    """For this transaction nobody merges into this V2 table, or ends its rows.

    To be taken before staged rows are locked: a merge holds it while it waits for such rows.
    """
    await connection.execute(MERGE_LOCK, [f"merge:{primary}"])


async def settle(
    connection: psycopg.AsyncConnection[Any], table: str, primary: str, account: str, sweep_id: int | None = None
) -> int:
    """What an account's gone copies, and those that this sweep met again, mean for V2. Returns how many rows ended.

    In the caller's transaction, which has locked no staged rows yet. Harmless to repeat.
    """
    words = {"stage": sql.Identifier("staging", table), "live": sql.Identifier("v2", primary)}
    parameters = {"account": account, "sweep": sweep_id}
    row = await (await connection.execute(_ANY.format(**words), parameters)).fetchone()
    if not row or not row[0]:
        return 0
    await wait_for_merges(connection, primary)
    await connection.execute(_BACK.format(**words), parameters)
    await connection.execute(_HEIRS.format(**words), parameters)
    result = await connection.execute(_END.format(seen=_seen(table, primary), **words), parameters)
    ended = [row[0] for row in await result.fetchall()]
    await _end_children(connection, primary, ended)
    return len(ended)


async def end_records(
    connection: psycopg.AsyncConnection[Any], table: str, primary: str, account: str, source_ids: Sequence[str]
) -> None:
    """Soft-deletes records that their source says are gone, in every copy whose account_ref begins with `account`.

    Such a word needs no second sweep. In the caller's transaction, which called `wait_for_merges` first.
    """
    result = await connection.execute(
        sql.SQL(
            "update {} set missed_sweeps = 2, missing_since = now()"
            " where starts_with(account_ref, %s) and source_id = any(%s) returning account_ref"
        ).format(sql.Identifier("staging", table)),
        [account, list(source_ids)],
    )
    for (account_ref,) in sorted(set(await result.fetchall())):
        await settle(connection, table, primary, account_ref)


def _seen(table: str, primary: str) -> sql.Composed:
    """The copies of the row `v` that somebody sees, in every stream that fills its table."""
    return sql.SQL(" union all ").join(_seen_in(s, s.table == table) for s in STREAMS if s.primary == primary)


def _seen_in(stream: Stream, own: bool) -> sql.Composed:
    """No sweep looks for what a stream without sweeps has, so there a copy counts that was read since the loss."""
    swept = own or READINGS[stream.integration, stream.entity].sweeps
    living = sql.SQL("o.missed_sweeps < 2" if swept else "o.missed_sweeps < 2 and o.fetched_at > gone.since")
    return sql.SQL("select from {} o where o.v2_id = v.id and {}").format(
        sql.Identifier("staging", stream.table), living
    )


async def _end_children(connection: psycopg.AsyncConnection[Any], table: str, ids: list[int]) -> None:
    """What belongs to these rows ends with them, and what belongs to that."""
    if not ids:
        return
    for child, statement in end_with(table):
        result = await connection.execute(statement, {"ids": ids})
        await _end_children(connection, child, [row[0] for row in await result.fetchall()])
