"""Sending what waits in ops.alert: at least once, by the first channel of the route that takes it.

Any process may do it at any time, several at once too: a message is locked while it is sent, and a process that dies
with it leaves it to the next. A channel that fails is passed over for the next of the route, and is an incident.
"""

from __future__ import annotations

import logging
from dataclasses import dataclass
from datetime import UTC, datetime, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import psycopg
from psycopg.types.json import Jsonb

from resources.alerts import Channel, ChannelFailed, Message, configured
from resources.postgres import Database
from resources.settings import Settings
from v2_assets.alerting.codes import runbook
from v2_assets.incidents import recover_now, remind, report_now

log = logging.getLogger(__name__)
#: After the first failure of all channels; twice as long each time, up to the longest.
_PAUSE, _LONGEST_PAUSE = timedelta(seconds=30), timedelta(minutes=30)
_LIMIT = 50
#: The page that shows all that is watched.
_LOOK = "/assets/health_report?view=checks"

_NEXT = """
select id, kind, code, severity, subject, body, attempts,
  coalesce((select opened_at from ops.incident i where i.id = incident_id), created_at) as since
from ops.alert
where delivered_at is null and (next_attempt_at is null or next_attempt_at <= now())
  and (severity = 'critical' or not %(quiet)s) and id > %(after)s
order by id limit 1 for update skip locked
"""


@dataclass(slots=True)
class Delivered:
    """How many messages went out, and how many found no channel."""

    sent: int = 0
    failed: int = 0


def deliver(database: Database, settings: Settings, *, now: datetime | None = None) -> Delivered:
    """Sends what is due. Never raises for a channel; raises DatabaseError when the messages cannot be read."""
    told, channels = Delivered(), configured(settings)
    quiet = is_quiet(settings.alert_quiet_hours, now or datetime.now(UTC))
    broken: dict[str, ChannelFailed] = {}
    working: set[str] = set()
    after = 0
    with database.connect(autocommit=True) as connection:
        remind(connection, timedelta(hours=settings.alert_reminder_hours))
        for _ in range(_LIMIT):
            with connection.transaction():
                row = connection.execute(_NEXT, {"quiet": quiet, "after": after}).fetchone()
                if row is None:
                    break
                after = row[0]
                sent = _send(connection, settings, channels, broken, working, row)
            told.sent += sent
            told.failed += not sent
        for name in channels:
            if name in broken:
                _is_broken(connection, name, broken[name])
            elif name in working:
                recover_now(connection, code="alert_channel", key=name)
    return told


def _send(
    connection: psycopg.Connection[Any],
    settings: Settings,
    channels: dict[str, Channel],
    broken: dict[str, ChannelFailed],
    working: set[str],
    row: tuple[Any, ...],
) -> bool:
    message = message_of(settings, row)
    attempts = row[6]
    route = [channels[name] for name in settings.alert_route(message.severity) if name in channels]
    if settings.alert_dry_run or not channels:
        log.warning("%s", message.text())
        _done(connection, message.number, "dry run" if settings.alert_dry_run else "log")
        return True
    errors: dict[str, str] = {}
    # A channel that has just failed is not asked again for every message that waits.
    for channel in (c for c in (route or list(channels.values())) if c.name not in broken):
        try:
            channel.send(message)
        except ChannelFailed as error:
            broken[channel.name] = error
            errors[channel.name] = str(error.context.get("why"))
            continue
        working.add(channel.name)
        _done(connection, message.number, channel.name)
        return True
    pause = min(_PAUSE * 2 ** min(attempts, 10), _LONGEST_PAUSE)
    connection.execute(
        "update ops.alert set attempts = attempts + 1, next_attempt_at = now() + %s, error = %s where id = %s",
        [pause, Jsonb(errors), message.number],
    )
    return False


def message_of(settings: Settings, row: tuple[Any, ...]) -> Message:
    """A row of `_NEXT` as a message. What its body leaves out is said all the same: since when, what to do, where."""
    number, kind, code, severity, subject, body, _, since = row
    return Message(
        number=number,
        kind=kind,
        code=code,
        severity=severity,
        subject=subject,
        what=str(body.get("what") or ""),
        since=str(body.get("since") or since.isoformat(timespec="seconds")),
        users=tuple(body.get("users") or ()),
        do=body.get("do") or "v2 health",
        link=settings.public_url + (body.get("link") or _LOOK),
        runbook=f"docs/{runbook(code)}",
    )


def _done(connection: psycopg.Connection[Any], number: int, channel: str) -> None:
    connection.execute(
        "update ops.alert set delivered_at = now(), channel = %s, error = null where id = %s", [channel, number]
    )


def _is_broken(connection: psycopg.Connection[Any], name: str, error: ChannelFailed) -> None:
    report_now(
        connection,
        code="alert_channel",
        key=name,
        severity="warning",
        subject=f"the alert channel {name} cannot be reached",
        body={"what": error.message, "since": None, "users": [], "link": None, "do": "v2 alerts --test"},
    )


def is_quiet(hours: str | None, now: datetime) -> bool:
    """Whether an instant lies in hours like `22:00-07:00 Europe/Berlin` (checked by the settings)."""
    if not hours:
        return False
    span, _, zone = hours.partition(" ")
    begin, end = (time.fromisoformat(part) for part in span.split("-"))
    here = now.astimezone(ZoneInfo(zone or "UTC")).time().replace(tzinfo=None)
    return begin <= here < end if begin <= end else here >= begin or here < end
