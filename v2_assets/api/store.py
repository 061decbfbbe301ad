"""Asking Postgres for a caller: a pool, and one read-only statement that carries the token and the question.

Every connection is one of the pool's, and of those and of their time no token has more than its share (`turns`).
Tokens that have not been seen to be good have one share together, so that made-up ones cost nobody else's time.

Row-level security asks the same token, so without a good one the question finds nothing; the caller is then told so.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

import psycopg
from psycopg_pool import AsyncConnectionPool

from resources.errors import DatabaseError
from resources.postgres import Database
from v2_assets.api.errors import NoToken, OutOfScope
from v2_assets.api.pages import Question
from v2_assets.api.turns import Turns

#: Of the connections, the part that one token may hold at once: another's question finds some free.
SHARE = 4
#: Good tokens remembered, of which those are forgotten that have not asked for longest.
MOST_KNOWN = 10_000
_STRANGERS = "strangers"

_ENTER = "select token_id, user_id, scopes from ops.api_enter(%s)"
#: The question is inside and names `me`, so that Postgres cannot begin with it before the token is in the transaction;
#: were it to begin, row-level security would show it nothing.
_ASK = (
    b"select me.*, answer.* from (select token_id, user_id, scopes from ops.api_enter(%(token)s),"
    b" set_config('transaction_read_only', 'on', true) limit 1) me"
    b" left join lateral (select q.* from (",
    b") q where me.token_id is not null offset 0) answer on true",
)


@dataclass(frozen=True, slots=True)
class Caller:
    """Whose token it is, and what it may be used for."""

    token_id: int
    user_id: int
    scopes: tuple[str, ...]


class Store:
    """The database as the endpoints use it; `opened` for the life of the application."""

    def __init__(self, database: Database, size: int, share_of_time: float) -> None:
        self._database = database
        self._size = size
        self._pool: AsyncConnectionPool | None = None
        self._turns = Turns(max(1, size // SHARE), share_of_time)
        self._known: OrderedDict[str, None] = OrderedDict()

    @asynccontextmanager
    async def opened(self) -> AsyncIterator[None]:
        """Whether or not the database answers: it may come later."""
        async with self._database.async_pool(1, self._size, unchecked=True) as pool:
            self._pool = pool
            yield
        self._pool = None

    async def ask(self, token_hash: str, scope: str, question: Question) -> tuple[Caller, Sequence[Any]]:
        """The row that the question finds, as the token's holder sees it; all null where it finds none.

        Raises NoToken, OutOfScope, and DatabaseError when the database is away, slow, or does not take a value.
        """
        async with self._turn(token_hash):
            for _ in range(self._size):
                try:
                    return self._met(token_hash, scope, *await self._ask(token_hash, question))
                except DatabaseError as error:
                    # A kept connection that died while it lay in the pool; the next may live.
                    if error.context.get("sqlstate", "none") is not None and error.context.get("sqlstate") != "57P01":
                        raise
            return self._met(token_hash, scope, *await self._ask(token_hash, question))

    def knows(self, token_hash: str) -> bool:
        """Whether the token was good when it was last used here; it may be revoked since."""
        return token_hash in self._known

    async def alive(self) -> bool:
        """Whether the database answers at this moment."""
        try:
            async with self._connection() as connection:
                await connection.execute("select 1")
        except DatabaseError:
            return False
        return True

    async def call(
        self, token_hash: str, scope: str | None, statement: str, values: Sequence[Any] = ()
    ) -> tuple[Caller, Any]:
        """One of the functions that write, for the token's holder; returns its first row. Raises as `ask` does."""
        async with self._turn(token_hash), self._living() as connection, connection.transaction():
            entered = await connection.execute(_ENTER, [token_hash])
            caller, _ = self._met(token_hash, scope, await entered.fetchone(), ())
            result = await connection.execute(statement.encode(), list(values))
            return caller, await result.fetchone()

    @asynccontextmanager
    async def _turn(self, token_hash: str) -> AsyncIterator[None]:
        async with self._turns.turn(token_hash, None if self.knows(token_hash) else _STRANGERS):
            yield

    def _met(
        self, token_hash: str, scope: str | None, who: tuple[int, int, list[str]] | None, answer: Sequence[Any]
    ) -> tuple[Caller, Sequence[Any]]:
        """The caller, whose token is known from now on, and the answer. Raises NoToken, OutOfScope."""
        if who is None:
            self._known.pop(token_hash, None)
            raise NoToken(
                "The token is nobody's: unknown, revoked, expired, or its user is not active.",
                hint="make one with `v2 token create`",
            )
        self._known[token_hash] = None
        self._known.move_to_end(token_hash)
        if len(self._known) > MOST_KNOWN:
            self._known.popitem(last=False)
        caller = Caller(who[0], who[1], tuple(who[2]))
        if scope is not None and scope not in caller.scopes:
            raise OutOfScope(
                f"The token is not for {scope}.",
                hint=f"make one with `v2 token create --scope {scope}`",
                context={"needed": scope, "scopes": list(caller.scopes)},
            )
        return caller, answer

    async def _ask(
        self, token_hash: str, question: Question
    ) -> tuple[tuple[int, int, list[str]] | None, Sequence[Any]]:
        statement = question.statement.join(_ASK)
        async with self._connection() as connection:
            cursor = await connection.execute(
                statement, question.values | {"token": token_hash}, prepare=question.prepare
            )
            row = await cursor.fetchone()
        return (None, ()) if row is None else (row[:3], row[3:])

    @asynccontextmanager
    async def _living(self) -> AsyncIterator[Any]:
        """A connection that answered just now: what writes is not tried again on another."""
        for _ in range(self._size):
            async with self._connection() as connection:
                try:
                    await AsyncConnectionPool.check_connection(connection)
                except psycopg.OperationalError:
                    continue  # the pool throws it away
                yield connection
                return
        async with self._connection() as connection:
            yield connection

    @asynccontextmanager
    async def _connection(self) -> AsyncIterator[Any]:
        """In autocommit, so that a statement is a transaction of its own."""
        if self._pool is None:
            raise DatabaseError("the application does not run")
        async with self._pool.connection() as connection:
            if not connection.autocommit:
                await connection.set_autocommit(True)
            yield connection
