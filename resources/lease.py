"""Leases: one worker at a time on one thing, across processes and hosts, by the database's clock alone.

A lease is free when it was released, when its time is up, or when the database session of its holder is gone, so a
worker killed with -9 frees it at once. Each takeover raises the `fence`; whoever writes under a lease calls `check`
inside the transaction of its rows, and a worker that was overtaken while it slept cannot commit. Which keys exist and
what is done under them is the callers' matter; the table `ops.lease` is declared in `v2_assets.schema.ops`.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator
from typing import Any

import psycopg

from resources.errors import DatabaseError, LeaseBusy, LeaseLost
from resources.postgres import Database

# How long a holder may be silent. Fetching one page may take longer: `aacquire` says meanwhile that it is at work.
TTL_S = 60.0
# A holder locks the row while it commits a page, some 15 ms; one that takes longer is at work, which is an answer.
_LOCK_TIMEOUT_S = 5.0

_HOLDER_IS_THERE = """
  exists (
    select from pg_stat_activity as session
    where session.pid = lease.backend_pid
      -- the start is hidden from a role that may not see others' sessions; then the pid has to do
      and coalesce(session.backend_start, lease.backend_start) = lease.backend_start
  )"""

# The sessions are looked up only after the row's lock is granted, so a holder that came meanwhile is seen.
_ACQUIRE = f"""
insert into ops.lease as lease (key, holder, fence, backend_pid, backend_start, acquired_at, expires_at)
values (
  %(key)s, %(holder)s, 1, %(pid)s, %(started)s, clock_timestamp(), clock_timestamp() + %(ttl)s * interval '1 second'
)
on conflict (key) do update
set
  holder = excluded.holder,
  fence = lease.fence + 1,
  backend_pid = excluded.backend_pid,
  backend_start = excluded.backend_start,
  acquired_at = clock_timestamp(),
  expires_at = clock_timestamp() + %(ttl)s * interval '1 second'
where lease.holder is null or lease.expires_at < clock_timestamp() or not {_HOLDER_IS_THERE}
returning fence
"""  # noqa: S608 - no values in it

_CHECK = f"""
update ops.lease as lease
set expires_at = clock_timestamp() + %(ttl)s * interval '1 second'
where lease.key = %(key)s and lease.fence = %(fence)s and lease.holder is not null
returning {_HOLDER_IS_THERE}
"""  # noqa: S608 - no values in it

_MOVE = """
update ops.lease set backend_pid = %(pid)s, backend_start = %(started)s where key = %(key)s and fence = %(fence)s
"""

_RELEASE = """
update ops.lease
set holder = null, backend_pid = null, backend_start = null, expires_at = clock_timestamp()
where key = %(key)s and fence = %(fence)s
"""


class Lease:
    """A lease that we hold. Made by `acquire`; a context manager that releases at its end.

    with Lease.acquire(db, "sync:fub/77/3:people", holder=run_id) as lease, db.connect() as conn:
        with conn.transaction(), conn.cursor() as cur:
            lease.check(cur)
            ...  # rows and cursor of one page
    """

    def __init__(self, database: Database, key: str, holder: str, ttl_s: float) -> None:
        self.key = key
        self.holder = holder
        self.ttl_s = ttl_s
        self.fence = 0
        self._database = database
        self._stack = contextlib.ExitStack()
        self._conn: psycopg.Connection | None = None
        self._session: dict[str, Any] = {}

    def __repr__(self) -> str:
        return f"Lease({self.key!r}, holder={self.holder!r}, fence={self.fence})"

    @classmethod
    def acquire(cls, database: Database, key: str, holder: str, *, ttl_s: float = TTL_S) -> Lease:
        """Take the lease for `ttl_s` seconds (each `check` extends it). Holds one connection open until `release`.

        Raises LeaseBusy when another holder is at work.
        """
        lease = cls(database, key, holder, ttl_s)
        try:
            lease._take()
        except BaseException:
            lease._close()
            raise
        return lease

    @classmethod
    @contextlib.asynccontextmanager
    async def aacquire(cls, database: Database, key: str, holder: str, *, ttl_s: float = TTL_S) -> AsyncIterator[Lease]:
        """`acquire` and `release` around a block of asyncio code, which keeps the lease while it waits for an answer.

        Use `acheck` inside.
        """
        taking = asyncio.ensure_future(asyncio.to_thread(cls.acquire, database, key, holder, ttl_s=ttl_s))
        try:
            lease = await asyncio.shield(taking)
        except asyncio.CancelledError:
            taking.add_done_callback(_give_back)  # the thread goes on; what it takes nobody would release
            raise
        beats = asyncio.create_task(lease._beat())
        try:
            yield lease
        finally:
            beats.cancel()
            # Shielded: a cancelled run, too, gives its lease back.
            await asyncio.shield(asyncio.to_thread(lease.release))

    def __enter__(self) -> Lease:
        return self

    def __exit__(self, *exc: object) -> None:
        self.release()

    def check(self, cur: psycopg.Cursor[Any]) -> None:
        """Inside the transaction that writes: still ours? Locks the row until that transaction ends, and extends.

        Raises LeaseLost when somebody took over; the caller's transaction must then be rolled back.
        """
        cur.execute(_CHECK.encode(), self._parameters())
        if self._session_is_gone(cur.fetchone()):
            self._open_session()
            cur.execute(_MOVE.encode(), self._parameters())

    async def acheck(self, cur: psycopg.AsyncCursor[Any]) -> None:
        """`check` for an async cursor."""
        await cur.execute(_CHECK.encode(), self._parameters())
        if self._session_is_gone(await cur.fetchone()):
            await asyncio.to_thread(self._open_session)
            await cur.execute(_MOVE.encode(), self._parameters())

    def release(self) -> None:
        """Give the lease back. Never fails: without a database it frees itself, at the latest when its time is up."""
        try:
            if self._conn is not None and self.fence:
                self._conn.execute(_RELEASE.encode(), self._parameters())
        except psycopg.Error:
            pass  # the session is gone, and with it the lease
        finally:
            self._close()

    async def _beat(self) -> None:
        """Extends the lease for as long as its holder's event loop turns, however long an answer lets it wait."""
        while True:
            await asyncio.sleep(self.ttl_s / 3)
            await asyncio.to_thread(self._extend)

    def _extend(self) -> None:
        # Away, or a page is just being committed: the next check or beat sees to it.
        with contextlib.suppress(psycopg.Error):
            if self._conn is not None:
                self._conn.execute(_CHECK.encode(), self._parameters())

    def _take(self) -> None:
        conn = self._open_session()
        try:
            row = conn.execute(_ACQUIRE.encode(), self._parameters()).fetchone()
        except psycopg.errors.LockNotAvailable:
            raise self._busy("a holder that is just committing", None) from None
        if row is not None:
            self.fence = row[0]
            return
        now = conn.execute(
            "select holder, clock_timestamp() - acquired_at from ops.lease where key = %s", (self.key,)
        ).fetchone()
        holder, age = now or (None, None)
        raise self._busy(holder or "a holder that has just ended", age)

    def _open_session(self) -> psycopg.Connection:
        """A connection whose life stands for ours; also a new one after the server dropped the old."""
        self._close()
        conn = self._conn = self._stack.enter_context(self._database.connect(autocommit=True))
        conn.execute(f"set lock_timeout = {int(_LOCK_TIMEOUT_S * 1000)}".encode())
        row = conn.execute("select pid, backend_start from pg_stat_activity where pid = pg_backend_pid()").fetchone()
        pid, started = row or (conn.info.backend_pid, None)
        self._session = {"pid": pid, "started": started}
        return conn

    def _session_is_gone(self, row: Any) -> bool:
        if row is None:
            raise LeaseLost(
                f"The lease {self.key} was taken over while {self.holder} worked under it.",
                hint="nothing of the current page was stored; the new holder goes on from the last stored page",
                context={"key": self.key, "fence": self.fence},
            )
        return not row[0]

    def _busy(self, holder: str, age: Any) -> LeaseBusy:
        since = "" if age is None else f" since {int(age.total_seconds())} s"
        return LeaseBusy(
            f"{self.key} is being worked on by {holder}{since}.",
            hint="it goes on by itself; a dead holder's lease is free at once, a silent one's when its time is up",
            context={"key": self.key, "holder": holder},
        )

    def _parameters(self) -> dict[str, Any]:
        return {"key": self.key, "holder": self.holder, "fence": self.fence, "ttl": self.ttl_s, **self._session}

    def _close(self) -> None:
        self._conn = None
        with contextlib.suppress(DatabaseError, psycopg.Error):  # closing a broken connection says so again
            self._stack.close()


def _give_back(taking: asyncio.Future[Lease]) -> None:
    if not taking.cancelled() and taking.exception() is None:
        taking.result().release()
