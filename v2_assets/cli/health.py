"""`v2 health` and `v2 alerts`: what is wrong now, what people were told, and whether telling works."""

from __future__ import annotations

import time
from datetime import UTC, datetime
from typing import Annotated, Any

import typer

from resources.errors import V2Error
from resources.postgres import Database
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
    behind: Annotated[bool, typer.Option(help="also which users are behind, with what, since when, and why")] = False,
) -> None:
    """What is wrong now, whom it hits and what helps. The exit code is 1 while something is critical."""
    with opened() as o:
        while True:
            told = _look(o, behind=behind)
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
select code, key, severity, subject, body, opened_at from ops.incident
where recovered_at is null and code <> all(%s) order by opened_at
"""


def _look(o: Any, *, behind: bool) -> dict[str, Any]:
    """What this process sees itself now, and the open incidents of what only others see."""
    from v2_assets.health.behind import behind as all_behind
    from v2_assets.health.signals import look
    from v2_assets.monitor.liveness import beats, dead, processes, started

    with o.database.connect() as connection:
        found = look(connection, o.settings)
        late = all_behind(connection, o.settings) if behind else []
        streams = connection.execute(_STREAMS).fetchall()
        names = ("integration", "streams", "failed", "excluded", "users", "oldest_sync")
    with Database(o.urls.dagster).connect() as dagster:
        if started(dagster):
            found["daemon_dead"] = dead(beats(dagster), o.settings.start_command)
        alive = processes(o.settings, dagster)
    with o.database.connect() as connection:
        incidents = connection.execute(_INCIDENTS, [list(found)]).fetchall()
    troubles = [
        {"code": code, "key": key, "severity": each.severity, "subject": each.subject, **each.body}
        for code, causes in found.items()
        for key, each in causes.items()
    ]
    for code, key, severity, subject, body, opened_at in incidents:
        since = body.get("since") or opened_at.isoformat(timespec="seconds")
        told = {"users": [], "do": "v2 health", **body, "since": since}
        troubles.append({"code": code, "key": key, "severity": severity, "subject": subject, **told})
    return {
        "at": datetime.now(UTC),
        "processes": alive,
        "troubles": sorted(troubles, key=lambda t: (_RANK[t["severity"]], t["code"], t["key"])),
        "integrations": [dict(zip(names, row, strict=True)) for row in streams],
        "behind": [
            {
                "user": b.user_id,
                "stream": f"{b.integration}/{b.entity}",
                "since": b.since,
                "hours": round(b.hours, 1),
                "why": b.why,
                "severity": b.severity,
                "do": b.do,
            }
            for b in late
        ],
    }


_RANK = {"critical": 0, "warning": 1, "info": 2}


def _show(console: Any, told: dict[str, Any]) -> None:
    """One screen: 80 by 24 holds it while all is well."""
    troubles = told["troubles"]
    critical = sum(t["severity"] == "critical" for t in troubles)
    word = f"{len(troubles)} causes of trouble, {critical} of them critical" if troubles else "nothing is wrong"
    console.print(f"{told['at']:%Y-%m-%d %H:%M:%S} UTC: {word}")
    console.print(", ".join(f"{name} {state}" for name, state in told["processes"].items()))
    rows = [
        (i["integration"], i["users"], i["streams"], i["failed"], i["excluded"], _age(told["at"], i["oldest_sync"]))
        for i in told["integrations"]
    ]
    console.print(table(("integration", "users", "streams", "failed", "excluded", "oldest sync"), rows))
    if troubles:
        lines = [
            (t["severity"], t["subject"], _minutes(t["since"]), _named(t["users"]), t["do"] or "") for t in troubles
        ]
        console.print(table(("severity", "what", "since", "users", "do"), lines))
    if told["behind"]:
        lines = [(b["user"], b["stream"], f"{b['since']:%Y-%m-%d %H:%M}", b["why"], b["do"]) for b in told["behind"]]
        console.print(table(("user", "stream", "last synced", "why", "do"), lines))


def _age(now: datetime, at: datetime | None) -> str:
    if at is None:
        return "never"
    minutes = (now - at).total_seconds() / 60
    return f"{minutes:.0f} min ago" if minutes < 120 else f"{minutes / 60:.0f} h ago"


def _minutes(since: str | None) -> str:
    return since[:16].replace("T", " ") if since else ""


def _named(users: list[int]) -> str:
    return f"{len(users)}: " + ", ".join(map(str, users[:3])) + (" …" if len(users) > 3 else "") if users else ""


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
