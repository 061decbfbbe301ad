"""`v2 webhooks …`: what came in, what is registered, and letting events back in."""

from __future__ import annotations

import asyncio
from dataclasses import asdict
from datetime import datetime
from typing import Annotated, Any

import httpx
import typer

from resources.errors import SourceUnavailable
from v2_assets.cli.opened import Opened, opened
from v2_assets.cli.output import current, table

webhooks = typer.Typer(help="Events that the sources send: what came in, what is registered.", no_args_is_help=True)

_REGISTERED = """
select c.user_id, r.credentials_id, r.outcome, r.active, r.audited_at, r.changes, r.error ->> 'message'
from ops.webhook_registration r left join v2.credentials c on c.id = r.credentials_id order by 1, 2
"""
_User = Annotated[str | None, typer.Option(help="only this user: id, e-mail or ad_user_id")]


@webhooks.command("list")
def list_() -> None:
    """The inbox by state, and what is registered at Follow Up Boss."""
    from v2_assets.webhooks.inbox import standing

    with opened() as o, o.database.connect() as connection:
        events = standing(connection)
        names = ("user_id", "credentials_id", "outcome", "active", "audited_at", "changes", "error")
        rows = [dict(zip(names, row, strict=True)) for row in connection.execute(_REGISTERED).fetchall()]

    def human(console: Any) -> None:
        columns = ("source", "state", "reason", "events", "oldest")
        console.print(table(columns, [tuple(e.values()) for e in events], "Inbox"))
        console.print(table(names, [tuple(r.values()) for r in rows], "Registered at Follow Up Boss"))

    current().done({"inbox": events, "registered": rows}, human)


@webhooks.command()
def audit(user: _User = None) -> None:
    """Look at the webhooks at Follow Up Boss now and put them right, without waiting for the daily audit."""
    from v2_assets.webhooks import registration

    with opened() as o:
        with o.database.connect() as connection:
            found = registration.connections(connection, ["fub"], _resolved(connection, user))
        done = asyncio.run(registration.audit(o.database, o.settings, found))
    rows = [asdict(each) for each in done]
    columns = ("user", "connection", "outcome", "active", "created", "enabled", "removed", "refused")
    shown = [
        (
            a.user_id,
            a.credentials_id,
            a.outcome,
            a.active,
            *map(len, (a.created, a.enabled, a.removed, a.refused)),
        )
        for a in done
    ]
    current().done({"audits": rows}, lambda c: c.print(table(columns, shown)))


@webhooks.command("register")
def register_(user: Annotated[str, typer.Option(help="the user: id, e-mail or ad_user_id")]) -> None:
    """Register a user's webhooks; for reZEN and Qualia, show the address to enter there. Keep it secret."""
    from resources.encryption import secret_keys
    from resources.webhooks import Addresses
    from v2_assets.webhooks import registration

    with opened() as o:
        with o.database.connect() as connection:
            user_id = _resolved(connection, user)
            found = registration.connections(connection, ["fub", "rezen", "title"], user_id)
        base, addresses = registration.public_url(o.settings), Addresses(secret_keys(o.settings))
        done = asyncio.run(registration.audit(o.database, o.settings, [c for c in found if c.platform == "fub"]))
        by_hand = []
        for each in (c for c in found if c.platform != "fub"):
            entry = {"platform": each.platform, "url": base + addresses.path(each.platform, each.credentials_id)}
            if each.platform == "title":
                entry["user"], entry["password"] = addresses.basic(each.credentials_id)
            entry["done"] = "yes" if _at_sandbox(o, each.account_id, entry) else "enter it at the source"
            by_hand.append(entry)

    def human(console: Any) -> None:
        for a in done:
            console.print(f"fub: {a.outcome}, {a.active} webhooks active, {len(a.created)} new")
        columns = ("platform", "url", "user", "password", "done")
        console.print(table(columns, [tuple(e.get(c) for c in columns) for e in by_hand]))

    current().done({"audits": [asdict(a) for a in done], "addresses": by_hand}, human)


@webhooks.command()
def replay(
    event: Annotated[int | None, typer.Option(help="one event, by its number in the inbox")] = None,
    reason: Annotated[str | None, typer.Option(help="all with this reason, e.g. unknown_event, failed")] = None,
    since: Annotated[datetime | None, typer.Option(help="only those received since then (UTC)")] = None,
) -> None:
    """Let events back in: their records are read again within seconds."""
    from datetime import UTC

    from v2_assets.webhooks import inbox

    if event is None and reason is None and since is None:
        raise typer.BadParameter("say which: --event, --reason or --since")
    with opened() as o, o.database.connect() as connection:
        start = since.replace(tzinfo=UTC) if since else None
        number = inbox.replay(connection, event_id=event, reason=reason, since=start)
    current().done({"events": number}, lambda c: c.print(f"{number} events are let back in"))


def _resolved(connection: Any, user: str | None) -> int | None:
    from v2_assets.users import resolve_user

    return resolve_user(connection, user) if user else None


def _at_sandbox(o: Opened, account: str, entry: dict[str, str]) -> bool:
    """Registers with the sandbox, where that is what the settings point to; the real ways are not known."""
    if not o.settings.rezen_base_url.startswith("http://127.0.0.1"):
        return False
    door = o.settings.rezen_base_url.partition("/rezen/")[0] + "/_world/hooks/register"
    body = {"system": entry["platform"], "account": account} | {
        k: v for k, v in entry.items() if k in ("url", "user", "password")
    }
    try:
        return httpx.post(door, json=body, timeout=10, trust_env=False).status_code == 200
    except httpx.HTTPError as error:
        raise SourceUnavailable(f"the sandbox does not answer ({type(error).__name__})", hint="`v2 up`") from None


def register(app: typer.Typer) -> None:
    """Adds the group."""
    app.add_typer(webhooks, name="webhooks")
