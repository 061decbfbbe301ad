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
#: Seconds of answering that a token may take at once, whatever its share is in the long run. A page takes 5 ms, the
#: dearest search of a large user half a second.
AT_ONCE_S = 2.0
#: Tokens whose time is remembered; those are forgotten that have not asked for longest.
MOST_TOKENS = 10_000


@dataclass(slots=True)
class _Line:
    free: asyncio.Semaphore
    here: int = 0


@dataclass(slots=True)
class _Account:
    """How many seconds a token had taken when it was last looked at, less those that have come back since."""

    alone: asyncio.Lock = field(default_factory=asyncio.Lock)
    taken_s: float = 0.0
    at: float = 0.0


class Turns:
    """`at_once` questions of each line run; `most_waiting` wait behind them, none longer than `patience_s`.

    A token may take `share` of each second. One that has taken more asks one question after another, each when its time
    has come. Tokens may share a line; time is each one's own.
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
        self._accounts: OrderedDict[str, _Account] = OrderedDict()

    @asynccontextmanager
    async def turn(self, token: str, line: str | None = None) -> AsyncIterator[None]:
        """Waits for the turn of one of the token's questions, in a line of its own or in `line`, and holds it.

        Raises TooMany.
        """
        key, account = line or token, self._account(token)
        waiting = self._lines.setdefault(key, _Line(asyncio.Semaphore(self._at_once)))
        if waiting.here >= self._most:
            raise self._too_many(account)
        waiting.here += 1
        try:
            async with AsyncExitStack() as held:
                try:
                    async with asyncio.timeout(self._patience_s):
                        await self._admit(held, waiting.free, account)
                except TimeoutError:
                    raise self._too_many(account) from None
                began = self._clock()
                try:
                    yield
                finally:
                    self._look(account)
                    account.taken_s += self._clock() - began
        finally:
            waiting.here -= 1
            if not waiting.here:
                del self._lines[key]

    async def _admit(self, held: AsyncExitStack, free: asyncio.Semaphore, account: _Account) -> None:
        await free.acquire()
        if account.alone.locked() or self._wait_s(account):
            free.release()  # whoever else is in the line need not wait for this one's time
            await held.enter_async_context(account.alone)
            await asyncio.sleep(self._wait_s(account))
            await free.acquire()
        held.callback(free.release)

    def _account(self, token: str) -> _Account:
        account = self._accounts.setdefault(token, _Account())
        self._accounts.move_to_end(token)
        if len(self._accounts) > MOST_TOKENS:
            self._accounts.popitem(last=False)
        return account

    def _look(self, account: _Account) -> None:
        now = self._clock()
        account.taken_s = max(0.0, account.taken_s - (now - account.at) * self._share)
        account.at = now

    def _wait_s(self, account: _Account) -> float:
        self._look(account)
        return max(0.0, account.taken_s - AT_ONCE_S) / self._share

    def _too_many(self, account: _Account) -> TooMany:
        error = TooMany("Too much is asked at once.", hint="wait for the answers under way; ask for less at a time")
        error.retry_after = max(1, math.ceil(self._wait_s(account)))
        return error
