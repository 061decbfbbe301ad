"""Whose question Postgres answers next: nobody holds more than a share of the connections, however much is asked.

Here: how many questions of one token run at once, and how many may wait behind them. How often a token may ask is
`limit`'s; the connections are `store`'s.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass

from v2_assets.api.errors import TooMany

#: A page of the frontend asks for some twenty things at once; what is behind them is better asked later.
MOST_WAITING = 40
PATIENCE_S = 10.0


@dataclass(slots=True)
class _Line:
    free: asyncio.Semaphore
    here: int = 0


class Turns:
    """`at_once` questions of each key run; `most_waiting` wait behind them, none longer than `patience_s`."""

    def __init__(self, at_once: int, *, most_waiting: int = MOST_WAITING, patience_s: float = PATIENCE_S) -> None:
        self._at_once, self._most, self._patience_s = at_once, at_once + most_waiting, patience_s
        self._lines: dict[str, _Line] = {}

    @asynccontextmanager
    async def turn(self, key: str) -> AsyncIterator[None]:
        """Waits for the turn of one of the key's questions, and holds it. Raises TooMany."""
        line = self._lines.setdefault(key, _Line(asyncio.Semaphore(self._at_once)))
        if line.here >= self._most:
            raise _too_many()
        line.here += 1
        try:
            try:
                async with asyncio.timeout(self._patience_s):
                    await line.free.acquire()
            except TimeoutError:
                raise _too_many() from None
            try:
                yield
            finally:
                line.free.release()
        finally:
            line.here -= 1
            if not line.here:
                del self._lines[key]


def _too_many() -> TooMany:
    error = TooMany("Too much is asked at once.", hint="wait for the answers under way")
    error.retry_after = 1
    return error
