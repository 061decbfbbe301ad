"""`v2 health` and `v2 alerts`: what is wrong now, what people were told, and whether telling works."""

from __future__ import annotations

import time
from datetime import UTC, datetime
from typing import Annotated, Any

import typer

from resources.errors import V2Error
from v2_assets.cli.opened import opened
from v2_assets.cli.output import current, table


class Unhealthy(V2Error):
    """Something critical is wrong."""

    code = "unhealthy"


class NobodyIsTold(V2Error):
    """A channel for alerts does not work, or there is none."""

    code = "nobody_is_told"


def health(
    watch: Annotated[bool, typer.Option(help="look again every few seconds, until Ctrl-C")] = False,
    interval: Annotated[float, typer.Option(min=1, help="seconds between two looks of --watch")] = 10,
) -> None:
    """What is wrong now, whom it hits and what helps. The exit code is 1 while something is critical."""
    with opened() as o:
        while True:
            told = _look(o)
            if not watch:
                break
            current().console.clear()
            _show(current().console, told)
            time.sleep(interval)
    critical = sum(trouble["severity"] == "critical" for trouble in told["troubles"])
    if critical:
        error = Unhealthy(f"{critical} causes of critical trouble", hint="each line says what helps")
        if not current().as_json:
            _show(current().console, told)
        raise typer.Exit(current().fail(error, told))
    current().done(told, lambda console: _show(console, told))


_STREAMS = """
select s.integration, count(*) as streams, count(*) filter (where s.status = 'failed') as failed,
  count(*) filter (where s.status = 'excluded') as excluded, count(distinct s.user_id) as users,
  min(s.last_sync_at) filter (where s.status <> 'excluded') as oldest
from ops.sync_state s group by 1 order by 1
"""
_INCIDENTS = """
select code, key, severity, subject, opened_at, times from ops.incident where recovered_at is null order by opened_at
"""


def _look(o: Any) -> dict[str, Any]:
    from v2_assets.health.signals import look

    with o.database.connect() as connection:
        found = look(connection, o.settings)
        streams = connection.execute(_STREAMS).fetchall()
        incidents = connection.execute(_INCIDENTS).fetchall()
    names = ("integration", "streams", "failed", "excluded", "users", "oldest_sync")
    return {
        "at": datetime.now(UTC),
        "troubles": [
            {"code": code, "key": key, "severity": each.severity, "subject": each.subject, **each.body}
            for code, causes in found.items()
            for key, each in causes.items()
        ],
        "integrations": [dict(zip(names, row, strict=True)) for row in streams],
        "incidents": [
            dict(zip(("code", "key", "severity", "subject", "opened_at", "times"), row, strict=True))
            for row in incidents
        ],
    }


def _show(console: Any, told: dict[str, Any]) -> None:
    columns = ("integration", "streams", "failed", "excluded", "users", "oldest sync")
    console.print(table(columns, [tuple(line.values()) for line in told["integrations"]], "Integrations"))
    if told["troubles"]:
        rows = [
            (t["severity"], t["subject"], t["since"], len(t["users"]), _named(t["users"]), t["do"])
            for t in sorted(told["troubles"], key=lambda t: t["severity"])
        ]
        console.print(table(("severity", "what", "since", "users", "who", "do"), rows, "Trouble"))
    else:
        console.print("nothing is wrong")
    others = [
        i for i in told["incidents"] if (i["code"], i["key"]) not in {(t["code"], t["key"]) for t in told["troubles"]}
    ]
    if others:
        rows = [(i["severity"], i["subject"], i["opened_at"], i["times"]) for i in others]
        console.print(table(("severity", "what", "since", "seen"), rows, "Other open incidents"))


def _named(users: list[int]) -> str:
    return ", ".join(map(str, users[:5])) + (" …" if len(users) > 5 else "")


def alerts(
    test: Annotated[bool, typer.Option("--test", help="send a test message through each channel")] = False,
    limit: Annotated[int, typer.Option(min=1, help="how many of the last messages")] = 20,
) -> None:
    """Messages to people: what was sent, where, and what waits."""
    with opened() as o:
        if test:
            _test(o)
            return
        with o.database.connect() as connection:
            rows = connection.execute(
                "select id, created_at, kind, severity, subject, channel, delivered_at, attempts, error from ops.alert"
                " order by id desc limit %s",
                [limit],
            ).fetchall()
    names = ("number", "at", "kind", "severity", "subject", "channel", "delivered_at", "attempts", "error")
    data = [dict(zip(names, row, strict=True)) for row in rows]
    current().done(data, lambda c: c.print(table(names, [tuple(r.values()) for r in data])))


def _test(o: Any) -> None:
    from resources.alerts import ChannelFailed, Message, configured

    channels = configured(o.settings)
    message = Message(0, "test", "alert_channel", "info", "this channel works", "Sent by `v2 alerts --test`.")
    told: dict[str, str] = {}
    for name, channel in channels.items():
        try:
            channel.send(message)
            told[name] = "ok"
        except ChannelFailed as error:
            told[name] = error.message
    if not channels or set(told.values()) != {"ok"}:
        error = NobodyIsTold(
            "a channel does not work" if channels else "no channel is configured: nobody is told",
            hint="set V2_ALERT_SLACK_URL, V2_ALERT_SMTP_URL with V2_ALERT_MAIL_TO, or V2_ALERT_HTTP_URL",
        )
        raise typer.Exit(current().fail(error, told))
    current().done(told, lambda c: c.print(table(("channel", "result"), list(told.items()))))


def register(app: typer.Typer) -> None:
    """Adds the commands."""
    app.command()(health)
    app.command()(alerts)
