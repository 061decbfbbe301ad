"""Full sweeps: what a complete pass did not meet, and when that means "deleted".

A record is deleted in V2 only after it was absent from two complete sweeps, and never when a sweep met far fewer
records than are known (a broken answer must not delete a user's book of business). Keys are gathered in a side table
while the sweep runs and compared only when it is complete.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import psycopg
from psycopg import sql

from resources.errors import SweepShrunk
from v2_assets.schema.ownership import end_with
from v2_assets.staging.state import StreamKey

#: Below this many known records a sweep may shrink by any share: 1 of 3 gone is a normal day.
SMALL = 20
_MISSED = sql.SQL(
    "not exists (select from ops.sweep_key k where k.sweep_id = %(sweep)s and k.source_id = s.source_id)"
    " and s.fetched_at < (select w.started_at from ops.sweep w where w.id = %(sweep)s)"
)


@dataclass(frozen=True, slots=True)
class SweepCounts:
    """What applying a sweep did, in records."""

    known: int
    missing: int
    deleted: int


async def begin_sweep(connection: psycopg.AsyncConnection[Any], key: StreamKey) -> int:
    """Opens a sweep and returns its id; sweeps of the same stream that never ended are dropped with their keys."""
    await connection.execute(
        "delete from ops.sweep where account_ref = %(account_ref)s and integration = %(integration)s"
        " and entity = %(entity)s and completed_at is null",
        key.model_dump(),
    )
    result = await connection.execute(
        "insert into ops.sweep (account_ref, integration, entity, started_at)"
        " values (%(account_ref)s, %(integration)s, %(entity)s, now()) returning id",
        key.model_dump(),
    )
    row = await result.fetchone()
    return int(row[0]) if row else 0


async def close_sweep(connection: psycopg.AsyncConnection[Any], sweep_id: int, told: int | None) -> None:
    """Ends a sweep that met fewer records than the source says it has (`told`): nothing is drawn from absence."""
    await connection.execute(
        "update ops.sweep set completed_at = now(), expected = %(told)s, outcome = 'incomplete',"
        " seen = (select count(*) from ops.sweep_key where sweep_id = %(id)s) where id = %(id)s",
        {"id": sweep_id, "told": told},
    )
    await connection.execute("delete from ops.sweep_key where sweep_id = %s", [sweep_id])


async def apply_sweep(
    connection: psycopg.AsyncConnection[Any],
    table: str,
    primary: str,
    key: StreamKey,
    sweep_id: int,
    floor: float,
    told: int | None = None,
) -> SweepCounts:
    """Compares a complete sweep with what is staged and soft-deletes in V2 what is gone for the second time.

    A version that came in after the sweep had begun (by a webhook, or by another pass) was there then, met or not.

    `floor` is the share of known records whose absence stops everything; `told` is the source's own count, which is
    kept with the sweep. Raises SweepShrunk when too much is absent; nothing is changed then.
    """
    stage = sql.Identifier("staging", table)
    # One at a time: a sweep of one account also moves the copies that others hold, and two would wait for each other.
    await connection.execute("select pg_advisory_xact_lock(hashtextextended(%s, 0))", [f"sweep:{table}"])
    result = await connection.execute(
        sql.SQL(
            "select count(*), count(*) filter (where {missed})"
            " from {stage} s where account_ref = %(account)s and missed_sweeps < 2"
        ).format(stage=stage, missed=_MISSED),
        {"sweep": sweep_id, "account": key.account_ref},
    )
    known, missing = await result.fetchone() or (0, 0)
    if known >= SMALL and missing > known * floor:
        raise SweepShrunk(
            f"a full sweep of {key.integration} {key.entity} met {known - missing} of {known} known records of"
            f" {key.account_ref}; nothing was deleted",
            hint="if the source really lost them, run `v2 sync --full --accept-shrink` for this user and entity",
            context={**key.model_dump(), "known": known, "missing": missing, "floor": floor},
        )
    await connection.execute(
        sql.SQL(
            "update {stage} s set missed_sweeps = missed_sweeps + 1, missing_since = coalesce(missing_since, now())"
            " where account_ref = %(account)s and missed_sweeps < 2 and {missed}"
        ).format(stage=stage, missed=_MISSED),
        {"sweep": sweep_id, "account": key.account_ref},
    )
    # What was absent once and is back (unchanged, so the page did not touch it) is simply present again.
    await connection.execute(
        sql.SQL(
            "update {} s set missed_sweeps = 0, missing_since = null, status = case when missed_sweeps >= 2 and"
            " status in ('processed', 'duplicate') then 'pending' else status end"
            " where account_ref = %(account)s and missing_since is not null and exists"
            " (select from ops.sweep_key k where k.sweep_id = %(sweep)s and k.source_id = s.source_id)"
        ).format(stage),
        {"sweep": sweep_id, "account": key.account_ref},
    )
    deleted = await _delete_gone(connection, stage, primary, key)
    await connection.execute("delete from ops.sweep_key where sweep_id = %s", [sweep_id])
    await connection.execute(
        "update ops.sweep set completed_at = now(), applied_at = now(), seen = %s, expected = %s, outcome = 'applied'"
        " where id = %s",
        [known - missing, told, sweep_id],
    )
    return SweepCounts(known=known, missing=missing, deleted=deleted)


async def _delete_gone(
    connection: psycopg.AsyncConnection[Any], stage: sql.Identifier, primary: str, key: StreamKey
) -> int:
    """Soft-deletes what nobody sees any more, and what belongs to it; a copy that another account sees takes over."""
    parameters = {"account": key.account_ref}
    # A copy that was to take over and is gone itself before its merge came.
    await connection.execute(
        sql.SQL(
            "update {} set status = 'duplicate' where account_ref = %(account)s and missed_sweeps >= 2"
            " and status = 'pending' and duplicate_of is not null"
        ).format(stage),
        parameters,
    )
    await connection.execute(
        sql.SQL(
            "update {0} other set status = 'pending' from {0} gone where gone.account_ref = %(account)s"
            " and gone.missed_sweeps = 2 and gone.status = 'processed' and other.duplicate_of = gone.id"
            " and other.status = 'duplicate' and other.missed_sweeps < 2"
        ).format(stage),
        parameters,
    )
    result = await connection.execute(
        sql.SQL(
            "update {live} v set deleted_at = now(), updated_at = now() from {stage} gone"
            " where gone.missed_sweeps >= 2 and gone.status = 'processed' and (gone.account_ref = %(account)s"
            "  or gone.id in (select duplicate_of from {stage} where account_ref = %(account)s and missed_sweeps >= 2))"
            " and v.id = gone.v2_id and v.deleted_at is null and not exists (select from {stage} other"
            " where other.duplicate_of = gone.id and other.missed_sweeps < 2) returning v.id"
        ).format(live=sql.Identifier("v2", primary), stage=stage),
        parameters,
    )
    gone = [row[0] for row in await result.fetchall()]
    await _end_children(connection, primary, gone)
    return len(gone)


async def end_records(
    connection: psycopg.AsyncConnection[Any], table: str, primary: str, account: str, source_ids: Sequence[str]
) -> None:
    """Soft-deletes records that their source says are gone, in every copy whose account_ref begins with `account`.

    Such a word needs no second sweep. In the caller's transaction.
    """
    stage = sql.Identifier("staging", table)
    await connection.execute("select pg_advisory_xact_lock(hashtextextended(%s, 0))", [f"sweep:{table}"])
    result = await connection.execute(
        sql.SQL(
            "update {} set missed_sweeps = 2, missing_since = coalesce(missing_since, now())"
            " where starts_with(account_ref, %s) and source_id = any(%s) returning account_ref, user_id"
        ).format(stage),
        [account, list(source_ids)],
    )
    for account_ref, user_id in sorted(set(await result.fetchall())):
        key = StreamKey(integration=account.partition("/")[0], entity="", account_ref=account_ref, user_id=user_id)
        await _delete_gone(connection, stage, primary, key)


async def _end_children(connection: psycopg.AsyncConnection[Any], table: str, ids: list[int]) -> None:
    """What belongs to these rows ends with them, and what belongs to that."""
    if not ids:
        return
    for child, statement in end_with(table):
        result = await connection.execute(statement, {"ids": ids})
        await _end_children(connection, child, [row[0] for row in await result.fetchall()])
