"""Rate budgets shared by every process on every host: GCRA in one UPDATE, with the database's clock.

A call takes from every budget it falls under (a source's, and the account's at that source) and sleeps until the
latest of the granted instants. A token bucket obeys a sliding window only if burst + 1 + rate x window <= limit, so the
burst is small and the rate close to the limit; a few per cent stay for the jitter between our clock and the server's
count. Answers correct the limit; a 429 stops everybody who shares the budget.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from psycopg_pool import AsyncConnectionPool

from resources.reading import Priority

#: Kept free for jitter: the server counts arrivals, we count departures.
JITTER_SHARE = 0.03
#: Calls that may leave at once. Few, because each is taken off the steady rate (see the module's first lines).
BURST_SHARE = 0.02
#: Backfills leave this much to others while others are there.
BACKFILL_SHARE = 0.7
_SLOWEST = 0.2


@dataclass(frozen=True, slots=True)
class Limit:
    """What a source allows under one key: `calls` in any `window_s` seconds."""

    key: str
    calls: int
    window_s: int = 10

    @property
    def burst(self) -> float:
        """Calls beyond the steady rate that may leave at once."""
        return float(int(self.calls * BURST_SHARE))

    @property
    def rate(self) -> float:
        """Calls per second in the long run."""
        return max((self.calls * (1 - JITTER_SHARE) - 1 - self.burst) / self.window_s, _SLOWEST)


class Budget(Protocol):
    """Where permission to call comes from."""

    async def take(self, limits: Sequence[Limit], priority: Priority) -> None:
        """Returns when one call may leave under all these limits."""
        ...

    async def learn(self, limit: Limit, calls: int, window_s: int) -> None:
        """The source said what the limit really is."""
        ...

    async def punish(self, limits: Sequence[Limit], seconds: float) -> None:
        """The source answered 429: nobody calls under these limits for so long, and then more slowly for a while."""
        ...


class PostgresBudget:
    """The shared budget, in ops.api_budget.

    The row of a key is made on first use from the documented limit. Grants are roughly first come, first served (the
    row's lock), and a process that dies costs one slot.
    """

    def __init__(self, pool: AsyncConnectionPool[Any]) -> None:
        self._pool = pool
        self._known: dict[str, Limit] = {}

    async def take(self, limits: Sequence[Limit], priority: Priority) -> None:
        """See Budget. One round trip; sleeps outside of any transaction."""
        for limit in limits:
            if limit.key not in self._known:
                await self._ensure(limit)
        async with self._pool.connection() as connection:
            result = await connection.execute(
                _TAKE, {"keys": [limit.key for limit in limits], "backfill": priority == "backfill"}
            )
            row = await result.fetchone()
        wait = float(row[0] or 0) if row else 0.0
        if wait > 0:
            await asyncio.sleep(wait)

    async def learn(self, limit: Limit, calls: int, window_s: int) -> None:
        """See Budget. Costs nothing while the limit stays what it was."""
        said = Limit(limit.key, calls, window_s)
        if calls < 1 or window_s < 1 or self._known.get(limit.key) == said:
            return
        self._known[limit.key] = said
        async with self._pool.connection() as connection:
            await connection.execute(_LEARN, _row(said))

    async def punish(self, limits: Sequence[Limit], seconds: float) -> None:
        """See Budget."""
        async with self._pool.connection() as connection:
            await connection.execute(_PUNISH, {"keys": [limit.key for limit in limits], "seconds": seconds})

    async def _ensure(self, limit: Limit) -> None:
        async with self._pool.connection() as connection:
            await connection.execute(_ENSURE, _row(limit))
        self._known[limit.key] = limit


def _row(limit: Limit) -> Mapping[str, Any]:
    return {
        "key": limit.key,
        "rate": limit.rate,
        "burst": limit.burst,
        "calls": limit.calls,
        "window": limit.window_s,
    }


_ENSURE = """
insert into ops.api_budget (key, rate, full_rate, burst, limit_, window_s, updated_at)
values (%(key)s, %(rate)s, %(rate)s, %(burst)s, %(calls)s, %(window)s, now()) on conflict (key) do nothing
"""

# `rate` is what is granted now: below the full rate after a 429, and raised again by 5 % of the limit for each window
# without one. While calls of higher priority were made within the last window, a backfill pays for its share only.
_TAKE = f"""
with locked as (
  select key, clock_timestamp() as now from ops.api_budget where key = any(%(keys)s) order by key for update
),
granted as (
  update ops.api_budget b set
    tat = greatest(b.tat, l.now, coalesce(b.blocked_until, l.now)) + interval '1 second' / (b.rate * case
      when %(backfill)s and b.priority_at > l.now - b.window_s * interval '1 second' then {BACKFILL_SHARE} else 1 end),
    priority_at = case when %(backfill)s then b.priority_at else l.now end,
    rate = case when b.cleaned_at < l.now - b.window_s * interval '1 second'
      then least(b.full_rate, b.rate + 0.05 * b.limit_ / b.window_s) else b.rate end,
    cleaned_at = case when b.cleaned_at < l.now - b.window_s * interval '1 second' then l.now else b.cleaned_at end
  from locked l where l.key = b.key
  returning b.tat - interval '1 second' * (1 + b.burst) / b.rate - l.now as wait, b.blocked_until - l.now as blocked
)
select extract(epoch from greatest(max(wait), max(blocked), interval '0')) from granted
"""  # noqa: S608 - the share is the constant above

_LEARN = """
update ops.api_budget set limit_ = %(calls)s, window_s = %(window)s, rate = %(rate)s, full_rate = %(rate)s,
  burst = %(burst)s, updated_at = now() where key = %(key)s and (limit_, window_s) <> (%(calls)s, %(window)s)
"""

_PUNISH = f"""
update ops.api_budget set
  blocked_until = greatest(coalesce(blocked_until, '-infinity'), clock_timestamp() + %(seconds)s * interval '1 second'),
  rate = greatest(rate * 0.7, {_SLOWEST}), cleaned_at = clock_timestamp(), updated_at = now()
where key = any(%(keys)s)
"""  # noqa: S608 - the floor is the constant above
