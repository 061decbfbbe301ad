"""Reading from Postgres for a caller: a pool, and a read-only transaction that knows whose token it carries.

One round trip to the server carries the token, the question and (if asked) the total. Without a good token the question
finds nothing, because row-level security asks the same token; the caller is then told so.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

from psycopg_pool import AsyncConnectionPool

from resources.errors import DatabaseError
from resources.postgres import Database
from v2_assets.api.errors import NoToken, OutOfScope
from v2_assets.api.pages import Question

_BEGIN, _COMMIT = b"begin read only", b"commit"
_ENTER = "select token_id, user_id, scopes from ops.api_enter(%s)"


@dataclass(frozen=True, slots=True)
class Caller:
    """Whose token it is, and what it may be used for."""

    token_id: int
    user_id: int
    scopes: tuple[str, ...]


class Store:
    """The database as the endpoints use it; `opened` for the life of the application."""

    def __init__(self, database: Database, size: int) -> None:
        self._database = database
        self._size = size
        self._pool: AsyncConnectionPool | None = None

    @asynccontextmanager
    async def opened(self) -> AsyncIterator[None]:
        """Whether or not the database answers: it may come later."""
        async with self._database.async_pool(1, self._size, unchecked=True) as pool:
            self._pool = pool
            yield
        self._pool = None

    async def ask(self, token_hash: str, scope: str, *questions: Question) -> tuple[Caller, list[list[Any]]]:
        """The rows of each question as the token's holder sees them.

        Raises NoToken, OutOfScope, and DatabaseError when the database is away, slow, or does not take a value.
        """
        for _ in range(self._size):
            try:
                return await self._ask(token_hash, scope, questions)
            except DatabaseError as error:
                # A kept connection that died while it lay in the pool; the next may live.
                if error.context.get("sqlstate", "none") is not None and error.context.get("sqlstate") != "57P01":
                    raise
        return await self._ask(token_hash, scope, questions)

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
        async with self._database.aconnect() as connection:
            entered = await connection.execute(_ENTER, [token_hash])
            caller = _caller(await entered.fetchone(), scope)
            result = await connection.execute(statement.encode(), list(values))
            return caller, await result.fetchone()

    async def _ask(self, token_hash: str, scope: str, questions: Sequence[Question]) -> tuple[Caller, list[list[Any]]]:
        async with self._connection() as connection, connection.pipeline():
            await connection.execute(_BEGIN, prepare=True)
            entered = await connection.execute(_ENTER, [token_hash], prepare=True)
            cursors = [await connection.execute(q.statement, q.values, prepare=q.prepare) for q in questions]
            await connection.execute(_COMMIT, prepare=True)
            caller = _caller(await entered.fetchone(), scope)
            return caller, [await cursor.fetchall() for cursor in cursors]

    @asynccontextmanager
    async def _connection(self) -> AsyncIterator[Any]:
        """In autocommit, so that begin and commit travel with the questions."""
        if self._pool is None:
            raise DatabaseError("the application does not run")
        async with self._pool.connection() as connection:
            if not connection.autocommit:
                await connection.set_autocommit(True)
            yield connection


def _caller(row: tuple[int, int, list[str]] | None, scope: str | None) -> Caller:
    if row is None:
        raise NoToken(
            "The token is nobody's: unknown, revoked, expired, or its user is not active.",
            hint="make one with `v2 token create`",
        )
    caller = Caller(row[0], row[1], tuple(row[2]))
    if scope is not None and scope not in caller.scopes:
        raise OutOfScope(
            f"The token is not for {scope}.",
            hint=f"make one with `v2 token create --scope {scope}`",
            context={"needed": scope, "scopes": list(caller.scopes)},
        )
    return caller
