"""Rate budgets shared by every process on every host: GCRA in one UPDATE, with the database's clock.

A call takes from every budget it falls under (a source's, and the account's at that source) and sleeps until the
latest of the granted instants. A token bucket obeys a sliding window only if burst + 1 + rate x window <= limit, so the
burst is small and the rate close to the limit; a few per cent stay for the jitter between our clock and the server's
count. Answers correct the limit; a 429 stops everybody who shares the budget.
"""

from __future__ import annotations

import asyncio
from collections import defaultdict
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any, Protocol

import psycopg
from psycopg_pool import AsyncConnectionPool

from resources.errors import RateLimited
from resources.reading import Priority

#: Kept free for jitter: the server counts arrivals, we count departures.
JITTER_SHARE = 0.03
#: Calls that may leave at once. Few, because each is taken off the steady rate (see the module's first lines).
BURST_SHARE = 0.02
#: Backfills leave this much to others while others are there.
BACKFILL_SHARE = 0.7
#: A source that closed its door for longer than this is not waited for: the run ends and a later one goes on.
LONGEST_WAIT_S = 120.0
#: What one account's 429 may cost all the others. Shorter than what is waited for: nobody's run ends for it.
LONGEST_SHARED_PAUSE_S = 60.0
#: A 429 slows every sharer down to this share of the rate, once per pause; never below this share of the full one.
SLOWED_SHARE, SLOWEST_SHARE = 0.7, 0.1
#: Who slept for longer than this looks again whether the source has closed its door in the meantime.
_LOOK_AGAIN_S = 0.25


@dataclass(frozen=True, slots=True)
class Limit:
    """What a source allows under one key: `calls` in any `window_s` seconds.

    `ours` marks a limit that comes from our settings and that no answer speaks of: a changed setting replaces what is
    stored. The others begin as documented and are corrected by the source's own headers.
    """

    key: str
    calls: int
    window_s: int = 10
    ours: bool = False

    @property
    def burst(self) -> float:
        """Calls beyond the steady rate that may leave at once."""
        return float(int(self.calls * BURST_SHARE))

    @property
    def rate(self) -> float:
        """Calls per second in the long run. The smallest limits keep half: one call of their few is the jitter."""
        return max(self.calls * (1 - JITTER_SHARE) - 1 - self.burst, self.calls / 2) / self.window_s


class Budget(Protocol):
    """Where permission to call comes from."""

    async def take(self, limits: Sequence[Limit], priority: Priority) -> None:
        """Returns when one call may leave under all these limits. Raises RateLimited if that is too far away."""
        ...

    async def learn(self, limit: Limit, calls: int, window_s: int) -> None:
        """The source said what the limit really is."""
        ...

    async def punish(self, limits: Sequence[Limit], seconds: float) -> None:
        """The source answered 429: nobody calls under these limits for so long, and then more slowly for a while.

        The last limit is the caller's own account. Those before it are shared, and closed for no longer than
        LONGEST_SHARED_PAUSE_S: if the source really means everybody, the next answer says so again.
        """
        ...


@dataclass(slots=True)
class _Slot:
    """One call's place in the queue: seconds until it may leave, and how long the source's door stays closed."""

    granted: bool = False
    wait: float = 0.0
    blocked: float = 0.0


@dataclass(slots=True)
class _Counter:
    """Calls of this process that wait for the same statement."""

    waiting: list[_Slot] = field(default_factory=list)
    lock: asyncio.Lock = field(default_factory=asyncio.Lock)


class PostgresBudget:
    """The shared budget, in ops.api_budget. One object serves one event loop.

    The row of a key is made on first use from the documented limit. Grants are roughly first come, first served (the
    row's lock), and a process that dies costs the slots it had taken. `sleep` is how it waits.
    """

    def __init__(
        self, pool: AsyncConnectionPool[Any], *, sleep: Callable[[float], Awaitable[None]] = asyncio.sleep
    ) -> None:
        self._pool = pool
        self._sleep = sleep
        # What the rows say, so that an answer which repeats it costs nothing.
        self._known: dict[str, tuple[int, int]] = {}
        self._counters: defaultdict[tuple[tuple[str, ...], bool], _Counter] = defaultdict(_Counter)

    async def take(self, limits: Sequence[Limit], priority: Priority) -> None:
        """See Budget. Calls that ask at the same time share a round trip; sleeps hold no connection."""
        for limit in limits:
            if limit.key not in self._known:
                await self._ensure(limit)
        keys = tuple(limit.key for limit in limits)
        while True:
            slot = await self._slot(keys, priority == "backfill")
            if slot.blocked > LONGEST_WAIT_S:
                raise RateLimited(
                    f"the source has asked for a pause of {slot.blocked:.0f} s more",
                    hint="nothing is called until then; the next run goes on from the last stored page",
                    context={"budgets": list(keys), "seconds": round(slot.blocked)},
                )
            if slot.wait <= 0:
                return
            await self._sleep(slot.wait)
            if slot.wait < _LOOK_AGAIN_S or not await self._blocked(keys):
                return

    async def learn(self, limit: Limit, calls: int, window_s: int) -> None:
        """See Budget. Costs nothing while the limit stays what it was."""
        if calls < 1 or window_s < 1 or self._known.get(limit.key) == (calls, window_s):
            return
        await self._store(Limit(limit.key, calls, window_s))

    async def punish(self, limits: Sequence[Limit], seconds: float) -> None:
        """See Budget."""
        async with self._statement() as connection:
            await connection.execute(
                _PUNISH.encode(),
                {
                    "keys": [limit.key for limit in limits],
                    "own": next((limit.key for limit in reversed(limits)), None),
                    "seconds": max(seconds, 0.1),
                    "shared": min(max(seconds, 0.1), LONGEST_SHARED_PAUSE_S),
                },
            )

    async def _slot(self, keys: tuple[str, ...], backfill: bool) -> _Slot:
        """A slot under these keys. Whoever comes first takes slots for all that came meanwhile."""
        counter, mine = self._counters[keys, backfill], _Slot()
        counter.waiting.append(mine)
        async with counter.lock:
            if mine.granted:
                return mine
            batch, counter.waiting = counter.waiting, []
            try:
                await self._grant(keys, backfill, batch)
            finally:
                # A failure (or a cancelled call) is this call's own; the others ask again.
                counter.waiting[:0] = [slot for slot in batch if not slot.granted and slot is not mine]
        return mine

    async def _grant(self, keys: tuple[str, ...], backfill: bool, slots: Sequence[_Slot]) -> None:
        async with self._statement() as connection:
            result = await connection.execute(
                _TAKE.encode(), {"keys": list(keys), "backfill": backfill, "calls": len(slots)}
            )
            rows = await result.fetchall()
        for number, slot in enumerate(slots):
            later = len(slots) - 1 - number
            slot.blocked = max((float(blocked or 0) for _, _, blocked, _ in rows), default=0.0)
            slot.wait = max((float(wait) - later * float(cost) for wait, cost, _, _ in rows), default=0.0)
            slot.wait = max(slot.wait, slot.blocked)
            slot.granted = True

    async def _blocked(self, keys: tuple[str, ...]) -> bool:
        async with self._statement() as connection:
            row = await (await connection.execute(_BLOCKED.encode(), {"keys": list(keys)})).fetchone()
        return bool(row and row[0])

    @asynccontextmanager
    async def _statement(self) -> AsyncIterator[psycopg.AsyncConnection[Any]]:
        """A connection on which each statement is a transaction: no round trips for BEGIN and COMMIT."""
        async with self._pool.connection() as connection:
            await connection.set_autocommit(True)
            try:
                yield connection
            finally:
                # A broken connection cannot be reset, and the pool throws it away.
                if not connection.closed:
                    await connection.set_autocommit(False)

    async def _ensure(self, limit: Limit) -> None:
        """Makes the row. One that exists keeps its limit (a source may have told it), but not old arithmetic."""
        async with self._statement() as connection:
            await connection.execute(_ENSURE, _row(limit))
            result = await connection.execute(_STORED, {"key": limit.key})
            calls, window_s, full_rate, burst = await result.fetchone() or (0, 0, 0, 0)
        stored = limit if limit.ours else Limit(limit.key, calls, window_s)
        if (calls, window_s, full_rate, burst) != (stored.calls, stored.window_s, stored.rate, stored.burst):
            await self._store(stored)
        self._known[limit.key] = (stored.calls, stored.window_s)

    async def _store(self, limit: Limit) -> None:
        self._known[limit.key] = (limit.calls, limit.window_s)
        async with self._statement() as connection:
            await connection.execute(_LEARN, _row(limit))


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

_STORED = "select limit_, window_s, full_rate, burst from ops.api_budget where key = %(key)s"

# `rate` is what is granted now: below the full rate after a 429, and raised again by 5 % of the limit for each window
# without one; then the queue moves up, or who comes after a storm would wait at the storm's pace. While calls of higher
# priority were made within the last window, a backfill pays for its share only. A new row's `tat` is -infinity, from
# which nothing may be subtracted before PostgreSQL 17: what lies behind is taken as now first.
# A crash of the server may forget the last few grants, so the commit need not wait for the disk.
_TAKE = f"""
with locked as (
  select key, clean, case when clean then least(full_rate, rate + 0.05 * limit_ / window_s) else rate end as rate,
    case when %(backfill)s and priority_at > clock_timestamp() - window_s * interval '1 second'
      then {BACKFILL_SHARE} else 1 end as share
  from (
    select *, coalesce(cleaned_at < clock_timestamp() - window_s * interval '1 second', false) as clean
    from ops.api_budget where key = any(%(keys)s) order by key for update) b
),
granted as (
  update ops.api_budget b set
    tat = greatest(clock_timestamp() + (greatest(b.tat, clock_timestamp()) - clock_timestamp()) * (b.rate / l.rate),
      clock_timestamp(), b.blocked_until) + %(calls)s * interval '1 second' / (l.rate * l.share),
    priority_at = case when %(backfill)s then b.priority_at else clock_timestamp() end,
    rate = l.rate,
    cleaned_at = case when l.clean and b.rate < b.full_rate then clock_timestamp() else b.cleaned_at end
  from locked l where l.key = b.key
  returning b.tat - interval '1 second' * (1 + b.burst) / l.rate - clock_timestamp() as wait,
    interval '1 second' / (l.rate * l.share) as cost, b.blocked_until - clock_timestamp() as blocked
)
select extract(epoch from wait), extract(epoch from cost), extract(epoch from blocked),
  set_config('synchronous_commit', 'off', true)
from granted
"""  # noqa: S608 - the share is the constant above

_BLOCKED = "select max(blocked_until) > clock_timestamp() from ops.api_budget where key = any(%(keys)s)"

_LEARN = """
update ops.api_budget set limit_ = %(calls)s, window_s = %(window)s, rate = %(rate)s, full_rate = %(rate)s,
  burst = %(burst)s, updated_at = now(),
  tat = clock_timestamp() + (greatest(tat, clock_timestamp()) - clock_timestamp()) * (rate / %(rate)s)
where key = %(key)s
"""

# Several calls are on their way when the first 429 comes back, and each of them gets one: the rate is cut once. The
# answer is counted once too, however many budgets it slows down.
_PUNISH = f"""
update ops.api_budget set
  blocked_until = greatest(blocked_until, clock_timestamp() + interval '1 second'
    * case when key = %(own)s then %(seconds)s::float else %(shared)s::float end),
  rate = case when blocked_until > clock_timestamp() then rate
    else greatest(rate * {SLOWED_SHARE}, full_rate * {SLOWEST_SHARE}) end,
  cleaned_at = clock_timestamp(), updated_at = now(),
  throttled = throttled + (key = (%(keys)s::text[])[1])::int
where key = any(%(keys)s)
"""  # noqa: S608 - the shares are the constants above
