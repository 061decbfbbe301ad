"""Postgres: connections that come back, transactions that may be run again, and SQL kept in files.

Bulk loading is in `copying` (its names are re-exported here), the local server in `embedded`, tables in
`v2_assets.schema`. psycopg's own errors do not leave `connect`, `aconnect` or a pool: their DETAIL lines quote row
values, so a DatabaseError that names only the rule and the place goes out in their stead.
"""

from __future__ import annotations

import re
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import AsyncExitStack, ExitStack, asynccontextmanager, contextmanager
from functools import cache
from pathlib import Path
from typing import Any, LiteralString, TypeVar, cast

import psycopg
import stamina
from psycopg import sql
from psycopg.conninfo import conninfo_to_dict, make_conninfo
from psycopg_pool import AsyncConnectionPool, PoolTimeout

from resources.copying import JsonText, acopy_rows, copy_rows
from resources.errors import ConfigError, DatabaseError

__all__ = ["Database", "JsonText", "acopy_rows", "copy_rows", "describe", "is_transient", "load_sql"]

T = TypeVar("T")

# A server that restarts after a crash was back in 1 to 2 s; one that replays much WAL needs longer.
CONNECT_DEADLINE_S = 20.0
# The longest statement is the merge of a whole user; a lock is given up much sooner, so that waiters do not pile up.
STATEMENT_TIMEOUT_S = 600.0
LOCK_TIMEOUT_S = 30.0
# Nobody may keep a transaction open across a call to a source.
IDLE_IN_TRANSACTION_S = 300.0
ATTEMPTS = 5

_TRANSIENT_STATES = {
    "40001",  # serialization failure
    "40P01",  # deadlock
    "55P03",  # lock not available within lock_timeout
    "57P01",  # the server shuts down
    "57P02",  # another backend crashed
    "57P03",  # starting up
    "53300",  # too many connections
}

# What the server says while refusing a connection has no SQLSTATE for a client of libpq; these do not pass by waiting.
_REFUSED_FOR_GOOD = re.compile(
    r"password authentication failed|authentication failed|no password supplied|does not exist|no pg_hba\.conf entry"
    r"|permission denied for database|is not permitted to log in|not accept",
    re.IGNORECASE,
)


class Database:
    """One database by its URL. Holds no connection; cheap to make and safe to share.

    db = Database("postgresql://user:password@127.0.0.1:5432/v2")
    with db.connect() as conn:
        conn.execute("select 1")
    """

    def __init__(
        self,
        url: str,
        *,
        application_name: str = "v2",
        statement_timeout_s: float = STATEMENT_TIMEOUT_S,
        lock_timeout_s: float = LOCK_TIMEOUT_S,
        connect_deadline_s: float = CONNECT_DEADLINE_S,
    ) -> None:
        try:
            parts = conninfo_to_dict(url)
        except psycopg.Error:  # its text quotes the URL, password and all
            raise ConfigError(
                "The database URL cannot be read.",
                hint="write postgresql://user:password@host:port/database, with %-escapes for special characters",
            ) from None
        self.url = url
        self.name = str(parts.get("dbname") or "")
        self.location = f"{parts.get('host') or 'localhost'}:{parts.get('port') or 5432}/{self.name}"
        self._connect_deadline_s = connect_deadline_s
        # Said to each session and not in its options, which a pooler in between (PgBouncer) refuses.
        limits = {
            "statement_timeout": int(statement_timeout_s * 1000),
            "lock_timeout": int(lock_timeout_s * 1000),
            "idle_in_transaction_session_timeout": int(IDLE_IN_TRANSACTION_S * 1000),
        }
        self._session = "; ".join(["set timezone = 'UTC'", *(f"set {name} = {ms}" for name, ms in limits.items())])
        self._conninfo = make_conninfo(
            url,
            application_name=application_name,
            client_encoding="utf8",
            connect_timeout=10,
            keepalives_idle=30,
            tcp_user_timeout=60_000,
        )

    def __repr__(self) -> str:
        return f"Database({self.location})"

    @contextmanager
    def connect(self, *, autocommit: bool = False, deadline_s: float | None = None) -> Iterator[psycopg.Connection]:
        """A connection that commits when the block ends well, rolls back when it does not, and closes either way.

        Waits up to `deadline_s` seconds for a server that restarts or is full; raises DatabaseError after that, or at
        once when waiting cannot help (password, no such database). psycopg errors of the block become DatabaseError.
        """
        conn = self._open(autocommit, deadline_s)
        with self._translated(), conn:
            yield conn

    @asynccontextmanager
    async def aconnect(
        self, *, autocommit: bool = False, deadline_s: float | None = None
    ) -> AsyncIterator[psycopg.AsyncConnection]:
        """`connect` for asyncio."""
        conn = await self._aopen(autocommit, deadline_s)
        with self._translated():
            async with conn:
                yield conn

    async def akeep(self, *, deadline_s: float | None = None) -> psycopg.AsyncConnection:
        """A connection in autocommit that the caller keeps and closes; its errors are psycopg's own."""
        return await self._aopen(autocommit=True, deadline_s=deadline_s)

    @asynccontextmanager
    async def async_pool(
        self, min_size: int = 1, max_size: int = 4, *, unchecked: bool = False
    ) -> AsyncIterator[AsyncConnectionPool]:
        """A pool that hands out only live connections (one round trip per loan) and closes them at the end.

        async with db.async_pool(1, 4) as pool, pool.connection() as conn:
            await conn.execute("select 1")

        `unchecked` is for a server that answers many short questions: it starts whether or not the database is there,
        and saves the round trip, so a loan may be of a connection that died.
        """
        if not unchecked:
            probe = await self._aopen(autocommit=True, deadline_s=None)  # says why it fails; a pool only times out
            await probe.close()
        pool = _Pool(
            self,
            self._conninfo,
            min_size=min_size,
            max_size=max_size,
            timeout=self._connect_deadline_s,
            configure=self._configure,
            check=None if unchecked else AsyncConnectionPool.check_connection,
            open=False,
            name=f"v2 {self.name}",
        )
        with self._translated():
            await pool.open(wait=not unchecked, timeout=self._connect_deadline_s)
        try:
            yield pool
        finally:
            await pool.close()

    def transaction_with_retry(self, work: Callable[[psycopg.Connection], T], *, attempts: int = ATTEMPTS) -> T:
        """Run `work` in a transaction of its own, and again on a new connection when the old one died or lost a race.

        `work` must be idempotent: the answer to a COMMIT can be lost after the server carried it out. At most
        `attempts` times; other errors, and the last one, come out as DatabaseError.
        """
        for attempt in stamina.retry_context(on=_worth_another_try, attempts=attempts, timeout=None, wait_max=3):
            with attempt, self.connect() as conn:
                return work(conn)
        raise AssertionError("stamina ends with a result or an error")

    async def atransaction_with_retry(
        self, work: Callable[[psycopg.AsyncConnection], Awaitable[T]], *, attempts: int = ATTEMPTS
    ) -> T:
        """`transaction_with_retry` for asyncio."""
        async for attempt in stamina.retry_context(on=_worth_another_try, attempts=attempts, timeout=None, wait_max=3):
            with attempt:
                async with self.aconnect() as conn:
                    return await work(conn)
        raise AssertionError("stamina ends with a result or an error")

    def _open(self, autocommit: bool, deadline_s: float | None) -> psycopg.Connection:
        timeout = self._connect_deadline_s if deadline_s is None else deadline_s
        for attempt in stamina.retry_context(on=_worth_another_try, attempts=None, timeout=timeout, wait_max=1):
            with attempt, self._translated(connecting=True), ExitStack() as unfinished:
                conn = psycopg.connect(self._conninfo, autocommit=True)
                unfinished.callback(conn.close)
                conn.execute(self._session.encode())
                conn.autocommit = autocommit
                unfinished.pop_all()
                return conn
        raise AssertionError("stamina ends with a result or an error")

    async def _aopen(self, autocommit: bool, deadline_s: float | None) -> psycopg.AsyncConnection:
        timeout = self._connect_deadline_s if deadline_s is None else deadline_s
        async for attempt in stamina.retry_context(on=_worth_another_try, attempts=None, timeout=timeout, wait_max=1):
            with attempt, self._translated(connecting=True):
                async with AsyncExitStack() as unfinished:
                    conn = await psycopg.AsyncConnection.connect(self._conninfo, autocommit=True)
                    unfinished.push_async_callback(conn.close)
                    await self._configure(conn)
                    await conn.set_autocommit(autocommit)
                    unfinished.pop_all()
                    return conn
        raise AssertionError("stamina ends with a result or an error")

    async def _configure(self, conn: psycopg.AsyncConnection) -> None:
        """Sets a new session's limits, outside any transaction, so that no rollback takes them back."""
        autocommit = conn.autocommit
        await conn.set_autocommit(True)
        await conn.execute(self._session.encode())
        await conn.set_autocommit(autocommit)

    @contextmanager
    def _translated(self, connecting: bool = False) -> Iterator[None]:
        # `from None`: the chained psycopg error would print its DETAIL, values and all.
        try:
            yield
        except PoolTimeout:
            raise DatabaseError(
                f"No connection to {self.location} became free in time.",
                hint="the server is down or all connections are busy: see `v2 status`, or raise max_connections",
                context={"database": self.location},
            ) from None
        except psycopg.Error as error:
            raise (self._refusal(error) if connecting else self._failure(error)) from None

    def _refusal(self, error: psycopg.Error) -> DatabaseError:
        text = str(error)
        for_good = _REFUSED_FOR_GOOD.search(text)
        if not for_good:
            reason = "nobody answers" if "refused" in text or "timeout" in text else "it cannot be reached"
            hint = "start it with `v2 up`, or correct V2_DATABASE_URL"
        elif "exist" in for_good.group() and "database" in text:
            reason, hint = "that database does not exist", f'create it ("create database {self.name}")'
        elif "pg_hba" in for_good.group():
            reason, hint = "the server allows no such login from here", "add a line to its pg_hba.conf"
        else:
            reason, hint = "user or password are refused", "correct user and password in V2_DATABASE_URL"
        return DatabaseError(
            f"Postgres at {self.location} refused the connection: {reason}.",
            hint=hint,
            retryable=not for_good,
            context={"database": self.location},
        )

    def _failure(self, error: psycopg.Error) -> DatabaseError:
        return DatabaseError(
            f"Postgres at {self.location} failed: {describe(error)}.",
            hint="the same call can be made again" if is_transient(error) else None,
            retryable=is_transient(error),
            context={"database": self.location, "sqlstate": error.sqlstate, "constraint": error.diag.constraint_name},
        )


class _Pool(AsyncConnectionPool):
    """A pool whose loans translate errors as `Database.connect` does."""

    def __init__(self, database: Database, conninfo: str, **options: Any) -> None:
        self._database = database
        super().__init__(conninfo, **options)

    @asynccontextmanager
    async def connection(self, timeout: float | None = None) -> AsyncIterator[psycopg.AsyncConnection]:  # noqa: ASYNC109
        with self._database._translated():
            async with super().connection(timeout) as conn:
                yield conn


def is_transient(error: BaseException) -> bool:
    """Whether the same transaction may succeed on a new connection without anybody changing anything."""
    if isinstance(error, DatabaseError):
        return error.retryable
    if not isinstance(error, psycopg.Error):
        return False
    if error.sqlstate is None:  # libpq's own: the line broke
        return isinstance(error, psycopg.OperationalError)
    return error.sqlstate in _TRANSIENT_STATES or error.sqlstate.startswith("08")


def describe(error: psycopg.Error) -> str:
    """The error without any row value: kind, SQLSTATE, and the names of table, column and constraint.

    DETAIL and HINT lines are left out; so is what a data exception (class 22) quotes, and the whole text of a `raise`.
    """
    if error.sqlstate is None:
        return "the connection was lost" if isinstance(error, psycopg.OperationalError) else type(error).__name__
    text = error.diag.message_primary or ""
    if error.sqlstate.startswith("P0"):
        text = "a function raised it"
    elif error.sqlstate.startswith("22"):
        text = re.sub(r'"[^"]*"', '"…"', text).partition(":")[0]
    places = [
        f"{label} {value}"
        for label, value in (
            ("table", error.diag.table_name),
            ("column", error.diag.column_name),
            ("constraint", error.diag.constraint_name),
        )
        if value and value not in text
    ]
    return f"{type(error).__name__} {error.sqlstate}: {text}" + (f" ({', '.join(places)})" if places else "")


def _worth_another_try(error: Exception) -> bool:
    return isinstance(error, DatabaseError) and error.retryable


@cache
def load_sql(package_file: str, name: str) -> sql.SQL:
    """The statement in the file `name` beside the module whose `__file__` is given.

    PEOPLE = load_sql(__file__, "fub_people.sql")
    """
    text = Path(package_file).with_name(name).read_text(encoding="utf-8")
    # psycopg wants literal text to keep values out of statements; a file of this repository is as good as a literal.
    return sql.SQL(cast(LiteralString, text.strip().removesuffix(";")))
