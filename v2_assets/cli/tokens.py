"""`v2 token …`: who may use the read endpoints."""

from __future__ import annotations

from typing import Annotated, Any

import typer

from v2_assets.cli.opened import opened
from v2_assets.cli.output import current, table

token = typer.Typer(help="Tokens of the read endpoints: make, list, take back.", no_args_is_help=True)


@token.command()
def create(
    user: Annotated[str, typer.Option(help="whose rows it reads: id, e-mail or ad_user_id")],
    scope: Annotated[list[str] | None, typer.Option(help="read (default) or tasks; may be repeated")] = None,
    expires: Annotated[str | None, typer.Option(help="30d, 12h, 2w or an instant; never by default")] = None,
    label: Annotated[str | None, typer.Option(help="what it is for")] = None,
) -> None:
    """Make a token. It is shown once, now: nobody can be shown it again."""
    from v2_assets.api import tokens
    from v2_assets.users import resolve_user

    ends = tokens.expiry(expires)
    with opened() as o, o.database.connect() as connection:
        user_id = resolve_user(connection, user)
        number, made = tokens.create(connection, user_id, scope or ["read"], expires_at=ends, label=label)
    data = {"id": number, "user_id": user_id, "scopes": scope or ["read"], "expires_at": ends, "token": made}
    current().done(data, lambda c: c.print(f"token {number} of user {user_id}, shown this once:\n{made}"))


@token.command("list")
def list_(user: Annotated[str | None, typer.Option(help="only this user's")] = None) -> None:
    """All tokens: whose, for what, when last used."""
    from v2_assets.api import tokens
    from v2_assets.users import resolve_user

    with opened() as o, o.database.connect() as connection:
        rows = tokens.listed(connection, resolve_user(connection, user) if user else None)

    def human(console: Any) -> None:
        names = ("id", "user_id", "scopes", "label", "state", "created_at", "expires_at", "last_used_at")
        console.print(table(names, [tuple(_shown(row[name]) for name in names) for row in rows]))

    current().done(rows, human)


@token.command()
def revoke(number: Annotated[int, typer.Argument(metavar="ID", help="its number, from `v2 token list`")]) -> None:
    """Take a token back; it reads nothing from now on."""
    from v2_assets.api import tokens

    with opened() as o, o.database.connect() as connection:
        now = tokens.revoke(connection, number)
    told = f"token {number} is revoked" if now else f"token {number} was revoked before"
    current().done({"id": number, "revoked": True, "was_revoked_before": not now}, lambda c: c.print(told))


def _shown(value: Any) -> Any:
    return (
        ", ".join(value) if isinstance(value, list) else f"{value:%Y-%m-%d %H:%M}" if hasattr(value, "year") else value
    )


def register(app: typer.Typer) -> None:
    """Adds the commands."""
    app.add_typer(token, name="token")
