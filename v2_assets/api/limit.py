"""How often a token may ask: a bucket per token, in this process.

GCRA: one number per token, the instant at which its bucket is empty again. Not in Postgres like the budgets of sources
(`resources.http.budget`): what is limited here is what protects the database.
"""

from __future__ import annotations

import time
from collections import OrderedDict
from collections.abc import Callable

#: Tokens remembered; who tries out made-up tokens pushes out only those that have not asked for longest.
MOST_TOKENS = 10_000


class Limiter:
    """`per_minute` requests a minute for each key, of which `burst` may come at once."""

    def __init__(self, per_minute: int, burst: int, clock: Callable[[], float] = time.monotonic) -> None:
        self._interval = 60 / per_minute
        self._slack = self._interval * (burst - 1)
        self._clock = clock
        self._empty_at: OrderedDict[str, float] = OrderedDict()

    def take(self, key: str) -> float:
        """Takes one request of `key`'s. Returns 0, or the seconds to wait (then nothing was taken)."""
        now = self._clock()
        empty_at = max(self._empty_at.get(key, now), now)
        if empty_at - now > self._slack:
            return empty_at - now - self._slack
        self._empty_at[key] = empty_at + self._interval
        self._empty_at.move_to_end(key)
        if len(self._empty_at) > MOST_TOKENS:
            self._empty_at.popitem(last=False)
        return 0.0
