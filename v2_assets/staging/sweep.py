"""Full sweeps: what a complete pass did not meet, and when that means "gone".

A record is gone after two complete sweeps missed it that began at least a day apart, and never when a sweep met far
fewer records than are known, or none (a broken answer must not delete a user's book of business). Keys are gathered in
a side table while the sweep runs and compared when it has ended; a sweep that ended and was not applied, because the
run died there, is applied by the next visit. What a gone record means for V2: `gone`.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import psycopg
from psycopg import sql
from psycopg.types.json import Jsonb

from resources.errors import SweepIncomplete, SweepShrunk, V2Error
from resources.lease import Lease
from v2_assets.staging.gone import settle
from v2_assets.staging.state import StreamKey

#: Below this many known records a sweep may shrink by any share but all of it: 1 of 3 gone is a normal day.
SMALL = 20
#: How long after the first sweep that missed a record another one must begin to be a second witness.
APART = timedelta(days=1)
_MISSED = sql.SQL(
    "not exists (select from ops.sweep_key k where k.sweep_id = %(sweep)s and k.source_id = s.source_id)"
    " and s.fetched_at < (select w.started_at from ops.sweep w where w.id = %(sweep)s)"
)
_OF_STREAM = "account_ref = %(account_ref)s and integration = %(integration)s and entity = %(entity)s"


@dataclass(frozen=True, slots=True)
class SweepCounts:
    """What applying a sweep did, in records."""

    known: int
    missing: int
    deleted: int


async def begin_sweep(connection: psycopg.AsyncConnection[Any], key: StreamKey) -> int:
    """Opens a sweep and returns its id; sweeps of the same stream that never ended are dropped with their keys."""
    await connection.execute(
        f"delete from ops.sweep where {_OF_STREAM} and completed_at is null".encode(), key.model_dump()
    )
    result = await connection.execute(
        "insert into ops.sweep (account_ref, integration, entity, started_at)"
        " values (%(account_ref)s, %(integration)s, %(entity)s, now()) returning id",
        key.model_dump(),
    )
    row = await result.fetchone()
    return int(row[0]) if row else 0


async def end_sweep(
    connection: psycopg.AsyncConnection[Any], key: StreamKey, sweep_id: int, told: int | None, *, whole: bool
) -> None:
    """Ends a sweep with its last page. `told` is the source's own count; one that is not `whole` proves nothing."""
    await connection.execute(
        "update ops.sweep set completed_at = now(), expected = %(told)s,"
        " seen = (select count(*) from ops.sweep_key where sweep_id = %(id)s) where id = %(id)s",
        {"id": sweep_id, "told": told},
    )
    if not whole:
        await _disbelieve(connection, sweep_id, "incomplete", incomplete(key))


async def owed_sweeps(connection: psycopg.AsyncConnection[Any], key: StreamKey) -> list[int]:
    """Sweeps of a stream that ended and are not applied yet."""
    result = await connection.execute(
        f"select id from ops.sweep where {_OF_STREAM} and completed_at is not null and outcome is null"
        " order by id".encode(),
        key.model_dump(),
    )
    return [row[0] for row in await result.fetchall()]


async def apply_sweep(
    connection: psycopg.AsyncConnection[Any],
    table: str,
    primary: str,
    key: StreamKey,
    sweep_id: int,
    floor: float,
    *,
    accepted: bool = False,
    apart: timedelta = APART,
    lease: Lease | None = None,
) -> SweepCounts:
    """Compares a complete sweep with what is staged and soft-deletes in V2 what is gone. Harmless to repeat.

    A version that came in after the sweep had begun (by a webhook, or by another pass) was there then, met or not.
    Two transactions under the lease: the account's own copies are marked, then V2 follows.

    `floor` is the share of the known records whose absence stops everything. `accepted`: a person has looked, and says
    that what this sweep did not meet is gone.

    Raises SweepShrunk when too much is absent; no record is changed then, and the sweep says so.
    """
    stage = sql.Identifier("staging", table)
    try:
        async with connection.transaction(), connection.cursor() as cur:
            if lease:
                await lease.acheck(cur)
            known, missing, met = await _count(connection, stage, key, sweep_id)
            if missing and not accepted and (not met or (known >= SMALL and missing > known * floor)):
                raise _shrunk(key, known, missing, floor)
            await _mark(connection, stage, key, sweep_id, accepted, apart)
    except SweepShrunk as error:
        async with connection.transaction():
            await _disbelieve(connection, sweep_id, "shrunk", error)
        raise
    async with connection.transaction(), connection.cursor() as cur:
        if lease:
            await lease.acheck(cur)
        deleted = await settle(connection, table, primary, key.account_ref, sweep_id)
        await connection.execute("delete from ops.sweep_key where sweep_id = %s", [sweep_id])
        await connection.execute(
            "with applied as (update ops.sweep set completed_at = coalesce(completed_at, now()), applied_at = now(),"
            "  seen = %(seen)s, outcome = 'applied' where id = %(id)s returning *)"
            " update ops.sync_state s set last_full_at = w.completed_at, updated_at = now() from applied w"
            " where (s.account_ref, s.integration, s.entity) = (w.account_ref, w.integration, w.entity)",
            {"id": sweep_id, "seen": known - missing},
        )
    return SweepCounts(known=known, missing=missing, deleted=deleted)


async def _count(
    connection: psycopg.AsyncConnection[Any], stage: sql.Identifier, key: StreamKey, sweep_id: int
) -> tuple[int, int, bool]:
    """Records known, those of them that the sweep missed, and whether it met anything at all."""
    result = await connection.execute(
        sql.SQL(
            "select count(*), count(*) filter (where {missed}),"
            " exists (select from ops.sweep_key where sweep_id = %(sweep)s)"
            " from {stage} s where account_ref = %(account)s and missed_sweeps < 2"
        ).format(stage=stage, missed=_MISSED),
        {"sweep": sweep_id, "account": key.account_ref},
    )
    return await result.fetchone() or (0, 0, False)


def _shrunk(key: StreamKey, known: int, missing: int, floor: float) -> SweepShrunk:
    return SweepShrunk(
        f"a full sweep of {key.integration} {key.entity} met {known - missing} of {known} known records of"
        f" {key.account_ref}; nothing was deleted",
        hint="if the source really lost them, run `v2 sync --full --accept-shrink` for this user and entity",
        context={**key.model_dump(), "known": known, "missing": missing, "floor": floor},
    )


async def _mark(
    connection: psycopg.AsyncConnection[Any],
    stage: sql.Identifier,
    key: StreamKey,
    sweep_id: int,
    accepted: bool,
    apart: timedelta,
) -> None:
    """Marks what the sweep missed: gone if it is the second witness, or if a person says so.

    Instants are those at which sweeps began, so a sweep that is applied twice is still one witness.
    """
    await connection.execute(
        sql.SQL(
            "with missed as (select id from {stage} s where account_ref = %(account)s and missed_sweeps < 2"
            "  and {missed} order by id for update)"
            " update {stage} s set missing_since = coalesce(s.missing_since, w.started_at),"
            " missed_sweeps = case when %(accepted)s or (w.started_at > s.missing_since"
            "  and w.started_at >= s.missing_since + %(apart)s) then 2 else 1 end"
            " from missed, ops.sweep w where s.id = missed.id and w.id = %(sweep)s"
        ).format(stage=stage, missed=_MISSED),
        {"sweep": sweep_id, "account": key.account_ref, "accepted": accepted, "apart": apart},
    )


def incomplete(key: StreamKey) -> SweepIncomplete:
    """The error of a full pass that met fewer records than its source says there are, or could not ask for all."""
    return SweepIncomplete(
        f"a full pass of {key.integration} {key.entity} of {key.account_ref} did not meet all that the source says"
        " it has; nothing was deleted, and what it did not meet is not known to be absent",
        hint="often the account moved meanwhile, and the next full pass meets all; `v2 sync --full` reads one now",
        retryable=True,
        context=key.model_dump(),
    )


async def _disbelieve(connection: psycopg.AsyncConnection[Any], sweep_id: int, outcome: str, error: V2Error) -> None:
    """Nothing is drawn from this sweep, and the reason stays until another one is applied."""
    await connection.execute("delete from ops.sweep_key where sweep_id = %s", [sweep_id])
    await connection.execute(
        "update ops.sweep set completed_at = coalesce(completed_at, now()), outcome = %s, error = %s where id = %s",
        [outcome, Jsonb(error.as_dict()), sweep_id],
    )
