"""What is wrong with the inbox now: events that wait too long, and events that nobody has met before."""

from __future__ import annotations

from typing import Any

import psycopg

from resources.settings import Settings
from v2_assets.incidents import Finding, settle

_OLD = """
select i.source, min(i.received_at), count(*), array_remove(array_agg(distinct c.user_id), null),
  array_remove(array_agg(distinct i.error ->> 'code'), null)
from ops.webhook_inbox i left join v2.credentials c on c.id = i.credentials_id
where i.state = 'new' and i.received_at < now() - %s * interval '1 minute'
  and i.error ->> 'code' is distinct from 'absent' group by 1
"""
_UNKNOWN = """
select source, event, min(received_at), count(*) from ops.webhook_inbox
where state = 'parked' and reason = 'unknown_event' and received_at > now() - interval '7 days' group by 1, 2
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
    return {
        f"{source}/{event}": Finding(
            "info",
            f"{source} sends {event!r}, which this version does not know",
            _body(
                f"{number} such events are kept and put aside; sweeps still bring the records",
                since.isoformat(),
                [],
                "v2 webhooks replay --reason unknown_event",
            ),
        )
        for source, event, since, number in connection.execute(_UNKNOWN).fetchall()
    }


def _body(what: str, since: str, users: list[int], do: str) -> dict[str, Any]:
    return {"what": what, "since": since, "users": users, "link": None, "do": do}


def tell(connection: psycopg.Connection[Any], settings: Settings) -> None:
    """Opens, refreshes and ends the incidents of the inbox."""
    settle(connection, "inbox_old", inbox_old(connection, settings))
    settle(connection, "webhook_unknown_event", unknown_events(connection))
