"""Whose question Postgres answers next: nobody holds more than a share of the connections, or of Postgres' time.

Here: how many questions of one token run at once, how many may wait behind them, and how long they may take together.
How often a token may ask is `limit`'s; the connections are `store`'s.
"""

from __future__ import annotations

import asyncio
import math
import time
from collections import OrderedDict
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field

from v2_assets.api.errors import TooMany

#: A page of the frontend asks for some twenty things at once; what is behind them is better asked later.
MOST_WAITING = 40
PATIENCE_S = 10.0
#: Seconds of answering that a key may take at once, whatever its share is in the long run. A page takes 5 ms, the
#: dearest search of a large user half a second.
AT_ONCE_S = 2.0
#: Tokens whose time is remembered; those are forgotten that have not asked for longest.
MOST_KEYS = 10_000


@dataclass(slots=True)
class _Line:
    free: asyncio.Semaphore
    alone: asyncio.Lock = field(default_factory=asyncio.Lock)
    here: int = 0


class Turns:
    """`at_once` questions of each key run; `most_waiting` wait behind them, none longer than `patience_s`.

    A key may take `share` of each second. One that has taken more asks one question after another, each when its time
    has come.
    """

    def __init__(
        self,
        at_once: int,
        share: float,
        *,
        most_waiting: int = MOST_WAITING,
        patience_s: float = PATIENCE_S,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._at_once, self._most, self._patience_s = at_once, at_once + most_waiting, patience_s
        self._share, self._clock = share, clock
        self._lines: dict[str, _Line] = {}
        self._taken: OrderedDict[str, tuple[float, float]] = OrderedDict()

    @asynccontextmanager
    async def turn(self, key: str, *, metered: bool = True) -> AsyncIterator[None]:
        """Waits for the turn of one of the key's questions, and holds it. Raises TooMany.

        `metered=False` for a key that stands for many, whose time is not one's.
        """
        line = self._lines.setdefault(key, _Line(asyncio.Semaphore(self._at_once)))
        if line.here >= self._most:
            raise self._too_many(key)
        line.here += 1
        try:
            async with AsyncExitStack() as held:
                try:
                    async with asyncio.timeout(self._patience_s):
                        await held.enter_async_context(line.free)
                        if metered and (line.alone.locked() or self._wait_s(key)):
                            await held.enter_async_context(line.alone)
                            await asyncio.sleep(self._wait_s(key))
                except TimeoutError:
                    raise self._too_many(key) from None
                began = self._clock()
                try:
                    yield
                finally:
                    if metered:
                        self._take(key, self._clock() - began)
        finally:
            line.here -= 1
            if not line.here:
                del self._lines[key]

    def _now_taken(self, key: str) -> float:
        seconds, at = self._taken.get(key, (0.0, 0.0))
        return max(0.0, seconds - (self._clock() - at) * self._share)

    def _wait_s(self, key: str) -> float:
        return max(0.0, self._now_taken(key) - AT_ONCE_S) / self._share

    def _take(self, key: str, seconds: float) -> None:
        self._taken[key] = (self._now_taken(key) + seconds, self._clock())
        self._taken.move_to_end(key)
        if len(self._taken) > MOST_KEYS:
            self._taken.popitem(last=False)

    def _too_many(self, key: str) -> TooMany:
        error = TooMany("Too much is asked at once.", hint="wait for the answers under way; ask for less at a time")
        error.retry_after = max(1, math.ceil(self._wait_s(key)))
        return error
