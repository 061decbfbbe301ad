"""`v2 keys …`: the key that encrypts stored credentials, and changing it."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

import typer

from v2_assets.cli.opened import opened
from v2_assets.cli.output import current, table

keys = typer.Typer(
    help="The key that encrypts stored credentials: which is in use, and changing it.", no_args_is_help=True
)

_BY_HAND = """
select platform, count(*) from v2.credentials
where platform in ('rezen', 'title') and active and deleted_at is null group by 1 order by 1
"""


@keys.command("list")
def list_() -> None:
    """Each key by a short name, and how many stored values it opens."""
    from v2_assets import keys as keyring

    with opened() as o, o.database.connect() as connection:
        found = keyring.standing(connection, o.settings)
        by_hand = dict(connection.execute(_BY_HAND).fetchall()) if o.settings.receiver_public_url else {}
    told = {**asdict(found), "addresses_by_hand": by_hand}

    def human(console: Any) -> None:
        console.print(table(("key", "name", "values"), [(k.number, k.name, k.values) for k in found.keys]))
        if found.unreadable:
            console.print(
                f"{found.unreadable} values open with none of them: add the key they were stored with, or let these"
                " users connect again"
            )
        if len(found.keys) == 1:
            return
        if any(k.values for k in found.keys[1:]):
            console.print("an older key is in use: `v2 keys rotate`")
        else:
            console.print("no stored value needs the older keys: `v2 keys remove`")
        if by_hand:
            which = ", ".join(f"{number} of {platform}" for platform, number in by_hand.items())
            console.print(
                f"but first: addresses of webhooks entered by hand ({which}) may hang on an older key;"
                " `v2 webhooks register --user …` shows the new ones"
            )

    current().done(told, human)


@keys.command()
def add() -> None:
    """Put a new key before the present one. Restart the platform then, so that every process knows both."""
    from v2_assets import keys as keyring
    from v2_assets.cli.opened import settings_in_force

    name = keyring.add(settings_in_force())
    current().done(
        {"added": name}, lambda c: c.print(f"key {name} is the newest now; restart the platform, then `v2 keys rotate`")
    )


@keys.command()
def rotate() -> None:
    """Encrypt every stored value with the newest key, all in one transaction."""
    from v2_assets import keys as keyring

    with opened() as o, o.database.connect() as connection:
        moved = keyring.rotate(connection, o.settings)
        found = keyring.standing(connection, o.settings)
    told = {"moved": moved, **asdict(found)}
    name = found.keys[0].name
    current().done(told, lambda c: c.print(f"{moved} values moved; all are under key {name} (`v2 keys list` goes on)"))


@keys.command()
def remove() -> None:
    """Forget the older keys. Refused while a stored value needs one."""
    from v2_assets import keys as keyring

    with opened() as o, o.database.connect() as connection:
        removed = keyring.remove(connection, o.settings)
    current().done(
        {"removed": removed},
        lambda c: c.print(f"forgotten: {', '.join(removed) or 'nothing, there is one key'}; restart the platform"),
    )


def register(app: typer.Typer) -> None:
    """Adds the group."""
    app.add_typer(keys, name="keys")
