"""What shadow reading saw, kept as counts by endpoint and day; and read again for the gate."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from typing import Any, Literal

import psycopg

Outcome = Literal["compared", "failed", "skipped"]

_COUNT = """
insert into ops.shadow_count as c (endpoint, day, requests, same, failed, skipped)
values (%(endpoint)s, (now() at time zone 'UTC')::date, %(requests)s, %(same)s, %(failed)s, %(skipped)s)
on conflict (endpoint, day) do update set requests = c.requests + excluded.requests, same = c.same + excluded.same,
  failed = c.failed + excluded.failed, skipped = c.skipped + excluded.skipped
"""
_DIFFERENCE = """
insert into ops.shadow_difference as d (endpoint, day, kind, field, reason, times)
values (%s, (now() at time zone 'UTC')::date, %s, %s, %s, %s)
on conflict (endpoint, day, kind, field, reason) do update set times = d.times + excluded.times, last_at = now()
"""


async def keep(
    connection: psycopg.AsyncConnection[Any],
    endpoint: str,
    outcome: Outcome,
    differences: Iterable[tuple[str, str, str]] = (),
) -> None:
    """Adds one request. `differences` are (kind, field, reason); a request without any is one with the same answers."""
    counted = Counter(differences)
    numbers = {
        "requests": outcome == "compared",
        "same": outcome == "compared" and not counted,
        "failed": outcome == "failed",
        "skipped": outcome == "skipped",
    }
    async with connection.transaction():
        await connection.execute(_COUNT, {"endpoint": endpoint} | {name: int(is_) for name, is_ in numbers.items()})
        # In one order, so that two requests of one endpoint never wait for each other in a circle.
        for (kind, field, reason), times in sorted(counted.items()):
            await connection.execute(_DIFFERENCE, [endpoint, kind, field, reason, times])


def begin_anew(connection: psycopg.Connection[Any], endpoint: str) -> None:
    """Forgets what was seen of an endpoint, after it was repaired: what counts is how it answers now."""
    with connection.transaction():
        connection.execute("delete from ops.shadow_count where endpoint = %s", [endpoint])
        connection.execute("delete from ops.shadow_difference where endpoint = %s", [endpoint])
