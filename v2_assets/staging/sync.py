"""One pass over one stream of one connection: lease, cursor, pages, sweep.

Every page is stored with its cursor in one transaction, so a run that dies at any point goes on from its last stored
page. A failed read ends the pass where it is; it never completes it, and never looks like "nothing there".
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

import psycopg
from psycopg import sql

from resources.errors import V2Error
from resources.lease import Lease
from resources.postgres import Database
from resources.reading import Page, Priority, ReadRequest, SourceClient
from v2_assets.schema.stage import Stream
from v2_assets.staging.state import Cursor, Pass, StreamKey, fail, finish, load_cursor, overlap_start, save_cursor
from v2_assets.staging.store import StoreCounts, store_page
from v2_assets.staging.streams import READINGS, Reading
from v2_assets.staging.sweep import SweepCounts, apply_sweep, begin_sweep, close_sweep

Progress = Callable[[StreamKey, StoreCounts, int | None], None]


@dataclass(frozen=True, slots=True)
class SyncOptions:
    """How a pass is to be made: everything or what changed, and the limits it respects."""

    full: bool = False
    priority: Priority = "incremental"
    overlap_minutes: int = 10
    shrink_floor: float | None = None
    progress: Progress | None = None


@dataclass(frozen=True, slots=True)
class StreamResult:
    """What one pass did. `since` is None for a full pass; `window_start` becomes the next pass's watermark."""

    key: StreamKey
    counts: StoreCounts
    since: datetime | None
    window_start: datetime | None
    resumed: bool
    sweep: SweepCounts | None = None


@dataclass(slots=True)
class _Run:
    """The moving parts of a pass, kept together while it lasts."""

    stream: Stream
    key: StreamKey
    reading: Reading
    cursor: Cursor
    options: SyncOptions
    run_id: str
    counts: StoreCounts = field(default_factory=StoreCounts)


async def sync_stream(
    database: Database, client: SourceClient, stream: Stream, key: StreamKey, run_id: str, options: SyncOptions
) -> StreamResult:
    """Reads one stream up to date (or goes on where a dead run stopped).

    Raises LeaseBusy if somebody else is on it, SourceError as the source answered, SweepShrunk when a complete sweep
    must not be believed. The error is stored in ops.sync_state by the caller through `record_failure`.
    """
    reading = READINGS[stream.integration, stream.entity]
    # Autocommit, so that each `transaction()` below is one of its own and not a savepoint of the whole pass.
    async with database.aconnect(autocommit=True) as connection, Lease.aacquire(database, key.lease, run_id) as lease:
        cursor = await load_cursor(connection, key)
        run = _Run(stream, key, reading, cursor, options, run_id)
        resumed = cursor.current is not None and (cursor.current.full or not options.full)
        if not resumed:
            await _begin(connection, run)
        current = run.cursor.current or Pass(full=True)
        request = await _request(connection, run, current, client)
        whole, told = True, None
        async for page in client.read(stream.entity, request):
            async with connection.transaction(), connection.cursor() as cur:
                await lease.acheck(cur)
                await _store(connection, run, page)
            whole, told = page.complete, page.total
            if options.progress:
                options.progress(key, run.counts, page.total)
        sweep = await _sweep(connection, run, current, lease, whole, told)
    return StreamResult(key, run.counts, current.since, run.cursor.watermark, resumed, sweep)


async def _begin(connection: psycopg.AsyncConnection[Any], run: _Run) -> None:
    watermark = run.cursor.watermark
    partial = run.reading.kind != "whole" and watermark is not None and not run.options.full
    since = overlap_start(watermark, run.options.overlap_minutes) if partial and watermark else None
    async with connection.transaction():
        sweep_id = await begin_sweep(connection, run.key) if since is None and run.reading.sweeps else None
        current = Pass(full=since is None, since=since, sweep_id=sweep_id)
        run.cursor = run.cursor.model_copy(update={"current": current})
        await save_cursor(connection, run.key, run.cursor, run.run_id)


async def _request(
    connection: psycopg.AsyncConnection[Any], run: _Run, current: Pass, client: SourceClient
) -> ReadRequest:
    keys: tuple[str, ...] = ()
    if run.reading.kind == "fan_out" and current.since:
        keys = await client.active_keys(run.stream.entity, current.since, run.options.priority) or ()
    known: dict[str, datetime | None] = {}
    async with connection.transaction():
        if run.reading.keys_sql:
            result = await connection.execute(
                run.reading.keys_sql.encode(), {"account": run.key.account_ref, "since": current.since}
            )
            keys = tuple(dict.fromkeys([*(row[0] for row in await result.fetchall()), *keys]))
        if run.reading.known:
            result = await connection.execute(
                sql.SQL("select source_id, source_updated_at from {} where account_ref = %s").format(
                    sql.Identifier("staging", run.stream.table)
                ),
                [run.key.account_ref],
            )
            known = {row[0]: row[1] for row in await result.fetchall()}
    return ReadRequest(
        since=current.since, position=current.position, keys=keys, known=known, priority=run.options.priority
    )


async def _store(connection: psycopg.AsyncConnection[Any], run: _Run, page: Page) -> None:
    """A page's rows and its cursor; the last page also completes the pass."""
    current = run.cursor.current or Pass(full=True)
    counts = await store_page(connection, run.stream.table, run.key, page, run.run_id, current.sweep_id)
    run.counts.add(counts)
    current = current.model_copy(
        update={
            "started_at": current.started_at or page.source_time,
            "position": page.position,
            "pages": current.pages + 1,
            "records": current.records + counts.fetched,
        }
    )
    if page.position is not None:
        run.cursor = run.cursor.model_copy(update={"current": current})
        await save_cursor(connection, run.key, run.cursor, run.run_id)
        return
    run.cursor = Cursor(watermark=current.started_at, current=None)
    await save_cursor(connection, run.key, run.cursor, run.run_id)
    await finish(connection, run.key, full=current.full, records=current.records)


async def _sweep(
    connection: psycopg.AsyncConnection[Any], run: _Run, current: Pass, lease: Lease, whole: bool, told: int | None
) -> SweepCounts | None:
    """What was not met. A pass that did not meet all that the source counts proves nothing about what is gone."""
    if whole and run.cursor.current is not None:
        raise V2Error(
            f"the {run.stream.integration} client ended its pages of {run.stream.entity} without a last page",
            hint="this is a bug in the client: its last page must have position None",
        )
    if current.sweep_id is None:
        return None
    async with connection.transaction(), connection.cursor() as cur:
        await lease.acheck(cur)
        if not whole:
            await close_sweep(connection, current.sweep_id, told)
            return None
        floor = run.options.shrink_floor or 0.2
        return await apply_sweep(
            connection, run.stream.table, run.stream.primary, run.key, current.sweep_id, floor, told
        )


async def record_failure(database: Database, key: StreamKey, error: V2Error, run_id: str, *, excluded: bool) -> None:
    """Stores why a stream stopped; the cursor stays at its last stored page."""
    async with database.aconnect() as connection, connection.transaction():
        await fail(connection, key, error.as_dict(), run_id, excluded=excluded)
