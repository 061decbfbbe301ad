"""One visit to one stream of one connection: lease, cursors, pages, sweep.

A visit reads forward (what is new since the watermark) and then, if history is owed, a piece of that. Every page is
stored with its cursor in one transaction, so a run that dies at any point goes on from its last stored page. A failed
read ends the pass where it is; it never completes it, and never looks like "nothing there".
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from typing import Any, Literal

import psycopg
from psycopg import sql

from resources.errors import V2Error
from resources.lease import Lease
from resources.postgres import Database
from resources.reading import Page, Priority, ReadRequest, SourceClient
from v2_assets.schema.stage import Stream
from v2_assets.staging.state import (
    Cursor,
    Pass,
    StreamKey,
    fail,
    finish,
    load_cursor,
    must_be_connected,
    overlap_start,
    owed,
    pause,
    save_cursor,
)
from v2_assets.staging.store import StoreCounts, store_page
from v2_assets.staging.streams import READINGS, Reading, turn_of
from v2_assets.staging.sweep import (
    APART,
    SweepCounts,
    apply_sweep,
    begin_sweep,
    end_sweep,
    incomplete,
    owed_sweeps,
)

Progress = Callable[[StreamKey, StoreCounts, int | None], None]
#: Which of a cursor's two passes is read.
_Slot = Literal["current", "history"]


@dataclass(frozen=True, slots=True)
class SyncOptions:
    """How a stream is to be read, and the limits a visit respects.

    `full`: everything, however much of it is known. `recent_days`: a stream that was never read is read for so many
    days back, where it can be; what is older is owed as history. `history_seconds`: how long a visit reads such history
    after it has read forward. A stream's first visit can also read none (0), and none that must be read in one piece.
    `shrink_floor`, `accept_shrink`, `sweeps_apart`: how much is believed of a full sweep (`apply_sweep`).
    """

    full: bool = False
    recent_days: int | None = None
    history_seconds: int = 60
    priority: Priority = "incremental"
    overlap_minutes: int = 10
    shrink_floor: float = 0.2
    accept_shrink: bool = False
    sweeps_apart: timedelta = APART
    progress: Progress | None = None


@dataclass(frozen=True, slots=True)
class StreamResult:
    """What a visit did. `since` is None for a full pass; `window_start` becomes the next pass's watermark.

    `owed`: there is history left to read.
    """

    key: StreamKey
    counts: StoreCounts
    since: datetime | None
    window_start: datetime | None
    resumed: bool
    sweep: SweepCounts | None = None
    owed: bool = False


@dataclass(slots=True)
class _Run:
    """The moving parts of a visit, kept together while it lasts."""

    stream: Stream
    key: StreamKey
    reading: Reading
    cursor: Cursor
    options: SyncOptions
    run_id: str
    credentials_id: int | None
    counts: StoreCounts = field(default_factory=StoreCounts)
    all_keys: bool = True

    def at(self, slot: _Slot) -> Pass:
        """The pass in this slot."""
        return getattr(self.cursor, slot) or Pass(full=True)


async def sync_stream(
    database: Database,
    client: SourceClient,
    stream: Stream,
    key: StreamKey,
    run_id: str,
    options: SyncOptions,
    credentials_id: int | None = None,
) -> StreamResult:
    """Reads one stream up to date (or goes on where a dead run stopped), and then a piece of the history it owes.

    `credentials_id`: the connection that must still be there when a page is stored; None for what needs none.

    Raises LeaseBusy if somebody else is on it, Disconnected, SourceError as the source answered, SweepShrunk when a
    complete sweep must not be believed. The error is stored in ops.sync_state by the caller through `record_failure`.
    """
    reading = READINGS[stream.integration, stream.entity]
    # Autocommit, so that each `transaction()` below is one of its own and not a savepoint of the whole pass.
    async with database.aconnect(autocommit=True) as connection, Lease.aacquire(database, key.lease, run_id) as lease:
        cursor = await load_cursor(connection, key)
        run = _Run(stream, key, reading, cursor, options, run_id, credentials_id)
        for sweep_id in await owed_sweeps(connection, key):
            await _apply(connection, run, sweep_id, lease)
        resumed = cursor.current is not None and (not options.full or _is_as_full(cursor.current, reading))
        if not resumed:
            await _begin(connection, run)
        since = run.at("current").since
        sweep = await _read(connection, run, client, lease, "current", options.priority)
        wanted = options.recent_days is None or (options.history_seconds > 0 and reading.resumes)
        if wanted and await _begin_history(connection, run):
            sweep = await _read(connection, run, client, lease, "history", "backfill") or sweep
    return StreamResult(
        key, run.counts, since, run.cursor.watermark, resumed, sweep, owed=run.cursor.history is not None
    )


def since_of(reading: Reading, cursor: Cursor, options: SyncOptions) -> datetime | None:
    """Where the next forward pass begins; None for a full one."""
    if options.full:
        return None
    if cursor.watermark is None:
        recent = timedelta(days=options.recent_days) if options.recent_days and reading.narrows else None
        return datetime.now(UTC) - recent if recent else None
    # What can be narrowed and is not worth it is read whole, except beside its own history.
    if reading.kind == "whole" and not (reading.recent and cursor.history):
        return None
    return overlap_start(cursor.watermark, options.overlap_minutes)


def _is_as_full(current: Pass, reading: Reading) -> bool:
    """Whether a pass that was begun reads all that a full one is asked to: lists, and details where they are known."""
    return current.everything if reading.known else current.full


def key_parameters(account_ref: str, since: datetime | None, history: Pass | None) -> dict[str, Any]:
    """What `Reading.keys_sql` is asked with.

    `fetched`: parents that came in since then are wanted, whatever their own stamps. While the stream's own history is
    owed, those that came before it began are its matter.
    """
    began = history.began_at if history else since
    return {"account": account_ref, "since": since, "fetched": max(since, began) if since and began else None}


async def _begin(connection: psycopg.AsyncConnection[Any], run: _Run) -> None:
    since = since_of(run.reading, run.cursor, run.options)
    first = run.cursor.watermark is None
    async with connection.transaction():
        began_at, sweep_id = await _opened(connection, run, full=since is None)
        run.cursor = Cursor(
            watermark=run.cursor.watermark,
            current=Pass(
                full=since is None, everything=run.options.full, since=since, began_at=began_at, sweep_id=sweep_id
            ),
            # A full pass reads what was owed; a first pass that is none owes the rest from its first page on.
            history=None if since is None else Pass(full=True) if first else run.cursor.history,
        )
        await save_cursor(connection, run.key, run.cursor, run.run_id)


async def _begin_history(connection: psycopg.AsyncConnection[Any], run: _Run) -> bool:
    """Whether there is history to read now. What is read by parents waits until theirs is complete."""
    if run.cursor.history is None:
        return False
    if run.cursor.history.began_at is not None:
        return True
    async with connection.transaction():
        if run.reading.after and await owed(connection, run.key.account_ref, run.reading.after):
            return False
        began_at, sweep_id = await _opened(connection, run, full=True)
        history = run.cursor.history.model_copy(update={"began_at": began_at, "sweep_id": sweep_id})
        run.cursor = run.cursor.model_copy(update={"history": history})
        await save_cursor(connection, run.key, run.cursor, run.run_id)
    return True


async def _opened(
    connection: psycopg.AsyncConnection[Any], run: _Run, *, full: bool
) -> tuple[datetime | None, int | None]:
    """The database's clock now, and the sweep of a full pass that can find deletions."""
    sweep_id = await begin_sweep(connection, run.key) if full and run.reading.sweeps else None
    row = await (await connection.execute("select now()")).fetchone()
    return (row[0] if row else None), sweep_id


async def _read(
    connection: psycopg.AsyncConnection[Any],
    run: _Run,
    client: SourceClient,
    lease: Lease,
    slot: _Slot,
    priority: Priority,
) -> SweepCounts | None:
    """Reads a pass to its end; of history, where it can go on later, no longer than a visit may."""
    until = time.monotonic() + run.options.history_seconds
    begun = run.at(slot)
    request = await _request(connection, run, slot, client, priority)
    whole = True
    async for told_page in client.read(run.stream.entity, request):
        page = _as_proven(told_page, run.at(slot), run.all_keys)
        async with connection.transaction(), connection.cursor() as cur:
            await lease.acheck(cur)
            if run.credentials_id is not None:
                await must_be_connected(connection, run.credentials_id)
            await _store(connection, run, slot, page)
        whole = page.complete
        if run.options.progress:
            run.options.progress(run.key, run.counts, page.total)
        late = slot == "history" and run.reading.resumes and time.monotonic() > until
        if late and page.position is not None:
            async with connection.transaction():
                await pause(connection, run.key)
            return None
    if whole and getattr(run.cursor, slot) is not None:
        raise V2Error(
            f"the {run.stream.integration} client ended its pages of {run.stream.entity} without a last page",
            hint="this is a bug in the client: its last page must have position None",
        )
    # A pass that did not meet all that the source counts proves nothing about what is gone.
    return await _apply(connection, run, begun.sweep_id, lease) if whole and begun.sweep_id else None


async def _request(
    connection: psycopg.AsyncConnection[Any], run: _Run, slot: _Slot, client: SourceClient, priority: Priority
) -> ReadRequest:
    current = run.at(slot)
    keys: tuple[str, ...] = ()
    if run.reading.kind == "fan_out" and current.since:
        keys = await client.active_keys(run.stream.entity, current.since, priority) or ()
    known: dict[str, datetime | None] = {}
    again: frozenset[str] = frozenset()
    async with connection.transaction():
        if run.reading.keys_sql:
            history = run.cursor.history if slot == "current" else None
            result = await connection.execute(
                run.reading.keys_sql.encode(), key_parameters(run.key.account_ref, current.since, history)
            )
            told = [row[0] for row in await result.fetchall()]
            run.all_keys = None not in told
            keys = tuple(dict.fromkeys([*(key for key in told if key is not None), *keys]))
        if run.reading.known:
            result = await connection.execute(
                sql.SQL(
                    "select source_id, source_updated_at, missed_sweeps < 2 and source_id !~ '^(refused|unidentified):'"
                    " and not exists (select from ops.sweep_key k where k.sweep_id = %s and k.source_id = s.source_id)"
                    " from {} s where account_ref = %s"
                ).format(sql.Identifier("staging", run.stream.table)),
                [current.sweep_id, run.key.account_ref],
            )
            rows = await result.fetchall()
            known = {row[0]: row[1] for row in rows}
            # Neither what is gone nor what this pass has met before it was interrupted.
            left = [row[0] for row in rows if row[2]]
            if current.everything:
                again = frozenset(left)
            elif slot == "current":
                again = turn_of(left, run.cursor.watermark, current.began_at)
    return ReadRequest(
        since=current.since, position=current.position, keys=keys, known=known, again=again, priority=priority
    )


def _as_proven(page: Page, current: Pass, all_keys: bool) -> Page:
    """The page; as the last one of a pass that met a record without an id, or may not know all keys, not complete.

    Such a record may be any of those that were not met, so nothing follows from their absence.
    """
    doubtful = not all_keys or current.unnamed or _has_unnamed(page)
    return replace(page, complete=False) if page.position is None and doubtful else page


def _has_unnamed(page: Page) -> bool:
    return any(record.source_id.startswith("unidentified:") for record in page.records)


async def _store(connection: psycopg.AsyncConnection[Any], run: _Run, slot: _Slot, page: Page) -> None:
    """A page's rows and its cursor; the last page also completes the pass."""
    current = run.at(slot)
    counts = await store_page(connection, run.stream.table, run.key, page, run.run_id, current.sweep_id)
    run.counts.add(counts)
    current = current.model_copy(
        update={
            "started_at": current.started_at or min(page.source_time, current.began_at or page.source_time),
            "unnamed": current.unnamed or _has_unnamed(page),
            "position": page.position,
            "pages": current.pages + 1,
            "records": current.records + counts.fetched,
        }
    )
    if page.position is not None:
        run.cursor = run.cursor.model_copy(update={slot: current})
        await save_cursor(connection, run.key, run.cursor, run.run_id)
        return
    forward = {"watermark": current.started_at} if slot == "current" else {}
    run.cursor = run.cursor.model_copy(update={slot: None, **forward})
    await save_cursor(connection, run.key, run.cursor, run.run_id)
    if current.sweep_id is not None:
        await end_sweep(connection, run.key, current.sweep_id, page.total, whole=page.complete)
    await finish(
        connection,
        run.key,
        full=current.full and page.complete and current.sweep_id is None,  # a sweep proves it when it is applied
        records=current.records,
        error=incomplete(run.key).as_dict() if current.full and not page.complete else None,
    )


async def _apply(connection: psycopg.AsyncConnection[Any], run: _Run, sweep_id: int, lease: Lease) -> SweepCounts:
    """What a sweep that ended did not meet."""
    return await apply_sweep(
        connection,
        run.stream.table,
        run.stream.primary,
        run.key,
        sweep_id,
        run.options.shrink_floor,
        accepted=run.options.accept_shrink,
        apart=run.options.sweeps_apart,
        lease=lease,
    )


async def record_failure(database: Database, key: StreamKey, error: V2Error, run_id: str) -> None:
    """Stores why a stream stopped; the cursor stays at its last stored page."""
    async with database.aconnect() as connection, connection.transaction():
        await fail(connection, key, error.as_dict(), run_id)
