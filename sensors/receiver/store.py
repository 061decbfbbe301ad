"""Storing events: requests wait in a queue, one statement stores all that wait, and then they are answered.

Under load a batch holds hundreds of events, so a commit is paid once for all; alone, an event waits for nobody.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

import psycopg

from resources.errors import DatabaseError
from resources.postgres import Database
from sensors.receiver.bounds import Overloaded
from sensors.receiver.events import Arrival

LARGEST_BATCH = 500
#: More than this are refused at once: who would wait longer than the sender's patience is better told to come again.
MOST_WAITING = 8_000
#: A database that does not answer within this is away, and the sender is told so while it still listens (FUB: 10 s).
PATIENCE_S = 5.0
#: Bare DO NOTHING: naming the key would ask for the right to read it, and the receiver may only add.
_INSERT = """
insert into ops.webhook_inbox (source, event_key, credentials_id, event, body)
select * from unnest(%s::text[], %s::text[], %s::bigint[], %s::text[], %s::bytea[]) on conflict do nothing
"""


class Store:
    """The writer. `put` returns when the event is committed; `run` does the work until it is cancelled."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._waiting: asyncio.Queue[tuple[Arrival, asyncio.Future[None]]] = asyncio.Queue(MOST_WAITING)
        self._connection: psycopg.AsyncConnection | None = None

    async def put(self, event: Arrival) -> None:
        """Stores one event, or finds it stored. Raises DatabaseError or Overloaded: then nothing is promised."""
        done: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        try:
            self._waiting.put_nowait((event, done))
        except asyncio.QueueFull:
            raise Overloaded from None
        await done

    async def alive(self) -> bool:
        """Whether the database takes events at this moment."""
        try:
            async with asyncio.timeout(PATIENCE_S), self._database.aconnect(deadline_s=1) as connection:
                await connection.execute("select 1")
        except (DatabaseError, TimeoutError):
            return False
        return True

    async def run(self) -> None:
        """Takes whatever waits, stores it, answers it, and goes on."""
        try:
            while True:
                batch = [await self._waiting.get()]
                while len(batch) < LARGEST_BATCH and not self._waiting.empty():
                    batch.append(self._waiting.get_nowait())
                await self._settle(batch)
        finally:
            if self._connection is not None:
                await self._connection.close()

    async def _settle(self, batch: Sequence[tuple[Arrival, asyncio.Future[None]]]) -> None:
        error: Exception | None = None
        try:
            async with asyncio.timeout(PATIENCE_S):
                await self._insert([event for event, _ in batch])
        except (psycopg.Error, DatabaseError, TimeoutError) as failure:
            error = failure if isinstance(failure, DatabaseError) else DatabaseError("the inbox cannot be written")
            await self._drop_connection()
        except BaseException:
            for _, done in batch:
                done.cancel()
            raise
        for _, done in batch:
            if done.done():
                continue  # its sender has hung up
            if error is None:
                done.set_result(None)
            else:
                done.set_exception(error)

    async def _insert(self, events: Sequence[Arrival]) -> None:
        """One statement, one commit; once more on a new connection when the kept one turns out to be dead."""
        columns = [[getattr(e, name) for e in events] for name in ("source", "key", "credentials_id", "event", "body")]
        if self._connection is not None:
            try:
                await self._connection.execute(_INSERT, columns)
            except psycopg.OperationalError:
                await self._drop_connection()
            else:
                return
        self._connection = await self._database.akeep(deadline_s=1)
        await self._connection.execute(_INSERT, columns)

    async def _drop_connection(self) -> None:
        connection, self._connection = self._connection, None
        if connection is not None:
            await connection.close()
