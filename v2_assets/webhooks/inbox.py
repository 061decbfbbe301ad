"""The inbox as a table: what waits, what becomes of an event, and what is let back in. No HTTP."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import psycopg
from psycopg.types.json import Jsonb

from v2_assets.users import CONNECTION_COLUMNS, Connection, connections_of

#: A tick takes no more than this, so that it ends in time; the rest waits for the next.
EVENTS_PER_TICK = 2_000
#: A record may be told of before it can be read (the vendor's sheet), so absence is believed after some tries.
TRIES_WHEN_ABSENT = 3
#: What was not understood will not be understood by asking more often.
TRIES_WHEN_BROKEN = 8
#: 5 s, 20 s, 80 s, … at most a quarter of an hour.
_BACKOFF = "least(interval '5 seconds' * power(4, least(attempts, 10)), interval '15 minutes')"
#: Events of a stream that a sweep is reading step aside for so long. The sweep brings their records anyway.
BUSY_S = 10

# Connections take turns, so that nobody waits behind another's thousands. The first part steps from one connection to
# the next in the index, however many events each of them has.
_WAITING = """
with recursive owner (id) as (
  (select credentials_id from ops.webhook_inbox where state = 'new' order by credentials_id limit 1)
  union all
  select (select i.credentials_id from ops.webhook_inbox i
    where i.state = 'new' and i.credentials_id > o.id order by i.credentials_id limit 1)
  from owner o where o.id is not null
)
select e.id, e.source, e.credentials_id, e.event, e.body, e.attempts
from owner o
cross join lateral (
  select i.*, row_number() over (order by i.id) as turn from ops.webhook_inbox i
  where i.state = 'new' and i.credentials_id = o.id and (i.next_attempt_at is null or i.next_attempt_at <= now())
  order by i.id limit %(most)s
) e
order by e.turn, e.id limit %(most)s
"""
_DUE = """
select from ops.webhook_inbox where state = 'new' and (next_attempt_at is null or next_attempt_at <= now()) limit 1
"""
_LET_BACK = """
update ops.webhook_inbox i set state = 'new', reason = null, handled_at = null, next_attempt_at = null
where i.state = 'parked' and i.reason = 'no_connection' and exists (
  select from v2.credentials c where c.id = i.credentials_id and c.state = 'ok' and c.active and c.deleted_at is null)
"""
_OWNERS = f"""
select {CONNECTION_COLUMNS} from v2.credentials where id = any(%s) and active and deleted_at is null
"""  # noqa: S608 - constants


@dataclass(frozen=True, slots=True)
class Event:
    """One event that waits."""

    id: int
    source: str
    credentials_id: int
    event: str
    body: bytes
    attempts: int


def any_due(connection: psycopg.Connection[Any]) -> bool:
    """Whether an event is due now."""
    return connection.execute(_DUE).fetchone() is not None


async def waiting(connection: psycopg.AsyncConnection[Any]) -> list[Event]:
    """Events that are due: of each connection its oldest, then of each its next.

    Events whose connection works again are let in.
    """
    await connection.execute(_LET_BACK)
    result = await connection.execute(_WAITING, {"most": EVENTS_PER_TICK})
    return [
        Event(event_id, source, credentials_id, event, bytes(body), attempts)
        for event_id, source, credentials_id, event, body, attempts in await result.fetchall()
    ]


async def owners(connection: psycopg.AsyncConnection[Any], events: Sequence[Event]) -> dict[int, Connection]:
    """The connections whose addresses these events came to, as far as they still exist."""
    result = await connection.execute(_OWNERS, [list({e.credentials_id for e in events})])
    return {c.credentials_id: c for c in connections_of(await result.fetchall())}


async def done(connection: psycopg.AsyncConnection[Any], reasons: Mapping[int, str]) -> None:
    """Marks events as handled; the reason says what became of each."""
    await connection.execute(
        "update ops.webhook_inbox i set state = 'done', reason = t.reason, handled_at = now(), error = null"
        " from unnest(%s::bigint[], %s::text[]) as t(id, reason) where i.id = t.id and i.state = 'new'",
        [list(reasons), list(reasons.values())],
    )


async def park(connection: psycopg.AsyncConnection[Any], reasons: Mapping[int, str]) -> None:
    """Puts events aside until a person or another event lets them back in."""
    await connection.execute(
        "update ops.webhook_inbox i set state = 'parked', reason = t.reason, handled_at = now()"
        " from unnest(%s::bigint[], %s::text[]) as t(id, reason) where i.id = t.id and i.state = 'new'",
        [list(reasons), list(reasons.values())],
    )


async def again(connection: psycopg.AsyncConnection[Any], ids: Sequence[int], error: dict[str, Any]) -> None:
    """Leaves events for a later tick, ever later, with what stopped this one."""
    await connection.execute(
        f"update ops.webhook_inbox set attempts = attempts + 1, next_attempt_at = now() + {_BACKOFF}, error = %s"  # noqa: S608
        " where id = any(%s) and state = 'new'",
        [Jsonb(error), list(ids)],
    )


async def step_aside(connection: psycopg.AsyncConnection[Any], ids: Sequence[int]) -> None:
    """Leaves events for BUSY_S: nothing was tried, so nothing is counted."""
    await connection.execute(
        "update ops.webhook_inbox set next_attempt_at = now() + %s * interval '1 second'"
        " where id = any(%s) and state = 'new'",
        [BUSY_S, list(ids)],
    )


async def source_answers(connection: psycopg.AsyncConnection[Any], credentials_id: int) -> None:
    """What waits because this connection's source was away need not wait any longer."""
    await connection.execute(
        "update ops.webhook_inbox set next_attempt_at = null where state = 'new' and credentials_id = %s"
        " and next_attempt_at > now() and error ->> 'code' in ('source_unavailable', 'rate_limited')",
        [credentials_id],
    )


def replay(
    connection: psycopg.Connection[Any],
    *,
    event_id: int | None = None,
    reason: str | None = None,
    since: datetime | None = None,
) -> int:
    """Lets handled events back in: one, those of a reason, or those received since an instant. Returns how many."""
    return connection.execute(
        "update ops.webhook_inbox set state = 'new', reason = null, handled_at = null, attempts = 0,"
        " next_attempt_at = null, error = null where state <> 'new' and (%(id)s::bigint is null or id = %(id)s)"
        " and (%(reason)s::text is null or reason = %(reason)s)"
        " and (%(since)s::timestamptz is null or received_at >= %(since)s)",
        {"id": event_id, "reason": reason, "since": since},
    ).rowcount


def standing(connection: psycopg.Connection[Any]) -> list[dict[str, Any]]:
    """Events by source, state and reason, with the oldest of each."""
    rows = connection.execute(
        "select source, state, reason, count(*), min(received_at) from ops.webhook_inbox group by 1, 2, 3 order by 1, 2"
    ).fetchall()
    return [dict(zip(("source", "state", "reason", "events", "oldest"), row, strict=True)) for row in rows]
