"""What is wrong with the inbox now: events that wait too long, and events that nobody has met before."""

from __future__ import annotations

from typing import Any

import psycopg

from resources.settings import Settings
from resources.webhooks import OVER_QUOTA
from v2_assets.incidents import Finding, settle

_OLD = """
select i.source, min(i.received_at), count(*), array_remove(array_agg(distinct c.user_id), null),
  array_remove(array_agg(distinct i.error ->> 'code'), null)
from ops.webhook_inbox i left join v2.credentials c on c.id = i.credentials_id
where i.state = 'new' and i.received_at < now() - %s * interval '1 minute'
  and i.error ->> 'code' is distinct from 'absent' group by 1
"""
#: Names are the sender's, so no more than some are told apart: a stolen address must not make an alert for each.
MOST_NAMES = 10
_UNKNOWN = """
with met as (
  select source, event, min(received_at) as since, count(*) as number,
    row_number() over (partition by source order by min(received_at), event) as place
  from ops.webhook_inbox
  where state = 'parked' and reason = 'unknown_event' and event <> %(over)s
    and received_at > now() - interval '7 days' group by 1, 2)
select source, case when place <= %(most)s then event end, min(since), sum(number) from met group by 1, 2
"""
_OVER = """
select i.source, i.credentials_id, min(i.received_at), array_remove(array_agg(distinct c.user_id), null)
from ops.webhook_inbox i left join v2.credentials c on c.id = i.credentials_id
where i.event = %s and i.received_at > now() - interval '1 day' group by 1, 2
"""


def inbox_old(connection: psycopg.Connection[Any], settings: Settings) -> dict[str, Finding]:
    """Sources whose events have waited longer than the setting allows.

    Not those that were read and whose record is not there: it is asked for some times more, then left to the sweeps.
    """
    return {
        source: Finding(
            "warning",
            f"webhook events of {source} are not read again",
            _body(
                f"{number} events are received and wait" + (f" ({', '.join(sorted(codes))})" if codes else ""),
                since.isoformat(),
                users,
                "v2 webhooks list",
            ),
        )
        for source, since, number, users, codes in connection.execute(_OLD, [settings.inbox_old_minutes]).fetchall()
    }


def unknown_events(connection: psycopg.Connection[Any]) -> dict[str, Finding]:
    """Names of events that this version does not know, met in the last seven days."""
    rows = connection.execute(_UNKNOWN, {"over": OVER_QUOTA, "most": MOST_NAMES}).fetchall()
    return {
        f"{source}/{event or 'more'}": Finding(
            "info",
            f"{source} sends {event!r}, which this version does not know"
            if event
            else f"{source} sends events of many names that this version does not know",
            _body(
                f"{number} such events are kept and put aside; sweeps still bring the records",
                since.isoformat(),
                [],
                "v2 webhooks replay --reason unknown_event",
            ),
        )
        for source, event, since, number in rows
    }


def over_quota(connection: psycopg.Connection[Any]) -> dict[str, Finding]:
    """Connections that sent more than their quota within a day: the rest was refused."""
    return {
        f"{source}/{credentials_id}": Finding(
            "warning",
            f"{source} sends more webhook events for connection {credentials_id} than a connection may",
            _body(
                "the rest of them is refused; sweeps still bring the records",
                since.isoformat(),
                users,
                "v2 webhooks list",
            ),
        )
        for source, credentials_id, since, users in connection.execute(_OVER, [OVER_QUOTA]).fetchall()
    }


def _body(what: str, since: str, users: list[int], do: str) -> dict[str, Any]:
    return {"what": what, "since": since, "users": users, "link": None, "do": do}


def tell(connection: psycopg.Connection[Any], settings: Settings) -> None:
    """Opens, refreshes and ends the incidents of the inbox."""
    settle(connection, "inbox_old", inbox_old(connection, settings))
    settle(connection, "webhook_over_quota", over_quota(connection))
    settle(connection, "webhook_unknown_event", unknown_events(connection))
