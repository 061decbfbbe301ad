"""`v2 offboard` and `v2 resync`: taking a user away, and reading everything of a user again."""

from __future__ import annotations

import asyncio
from typing import Annotated, Any

import typer

from resources.errors import ConfigError, MissingCredential, V2Error
from v2_assets.cli.opened import Opened, opened
from v2_assets.cli.output import current, table

UserOption = Annotated[str, typer.Option(help="the user's id, e-mail or ad_user_id")]
PlatformOption = Annotated[str | None, typer.Option(help="fub, rezen, skyslope, title or xano; all by default")]


def offboard(
    user: UserOption,
    platform: PlatformOption = None,
    delete_data: Annotated[
        bool, typer.Option("--delete-data/--keep-data", help="whether what the connections brought goes as well")
    ] = False,
    yes: Annotated[bool, typer.Option("--yes", help="delete without asking")] = False,
) -> None:
    """Take a user's connections away: syncs stop, keys are destroyed. Data stays unless --delete-data is given."""
    from v2_assets.onboarding.offboard import connections, disconnect, remove_data
    from v2_assets.users import resolve_user

    with opened() as o:
        with o.database.connect() as db:
            user_id = resolve_user(db, user)
            held = connections(db, user_id, platform)
        if not held:
            raise MissingCredential(
                f"user {user_id} has no {platform or ''} connection".replace("  ", " "),
                hint="`v2 status` lists the users and their connections",
                context={"user_id": user_id},
            )
        if delete_data and not yes:
            _confirm(o, held, user_id)
        unhooked = {each.credentials_id: _unhook(o, each) for each in held if each.platform == "fub" and each.usable}
        told: list[dict[str, Any]] = []
        for each in held:
            with o.database.connect() as db, db.transaction():
                disconnect(db, each)
                removed = remove_data(db, each) if delete_data else {}
            told.append(
                {
                    "platform": each.platform,
                    "account": each.account_id,
                    "removed": removed,
                    "webhooks": unhooked.get(each.credentials_id),
                }
            )
        if delete_data:
            with o.database.connect() as db:
                last = not connections(db, user_id, None)
            if last:
                _forget_partition(o, user_id)
    data = {"user_id": user_id, "connections": told, "data": "deleted" if delete_data else "kept"}
    current().done(data, lambda c: _show(c, data))


def _confirm(o: Opened, held: list[Any], user_id: int) -> None:
    """Counts by doing it and taking it back. Raises ConfigError when there is nobody to ask."""
    from v2_assets.onboarding.offboard import disconnect, remove_data

    counts: dict[str, int] = {}
    with o.database.connect() as db, db.transaction(force_rollback=True):
        for each in held:
            disconnect(db, each)
            for name, number in remove_data(db, each).items():
                counts[name] = counts.get(name, 0) + number
    if current().as_json:
        raise ConfigError("--delete-data removes rows for good", hint="add --yes", context={"rows": counts})
    current().console.print(table(("table", "rows to delete"), sorted(counts.items())))
    typer.confirm(f"Delete these {sum(counts.values())} rows of user {user_id} for good?", abort=True)


def _unhook(o: Opened, held: Any) -> str:
    """Ends the webhooks while the key is still here. A source that does not answer holds nobody up."""
    from v2_assets.webhooks.registration import unregister

    if o.settings.receiver_public_url is None:
        return "none registered"
    try:
        return f"{asyncio.run(unregister(o.database, o.settings, held))} removed"
    except V2Error as error:
        return f"not removed: {error.message}"


def _forget_partition(o: Opened, user_id: int) -> None:
    from v2_assets.cli.runs import as_platform
    from v2_assets.partitions import partition_key

    as_platform(o)
    import dagster as dg

    from sensors.partitions import forget

    forget(dg.DagsterInstance.get(), [partition_key(user_id)])


def _show(console: Any, data: dict[str, Any]) -> None:
    for each in data["connections"]:
        hooks = f"; webhooks: {each['webhooks']}" if each["webhooks"] else ""
        console.print(f"{each['platform']} {each['account']}: the key is destroyed{hooks}")
        if each["removed"]:
            console.print(table(("table", "rows deleted"), sorted(each["removed"].items())))
    if data["data"] == "kept":
        console.print("What was read stays. `v2 onboard` connects the user again and goes on from there.")


def resync(
    user: UserOption,
    platform: PlatformOption = None,
    entity: Annotated[str | None, typer.Option(help="one stream only, e.g. people")] = None,
    accept_shrink: Annotated[bool, typer.Option(help="believe a full pass that meets far fewer records")] = False,
) -> None:
    """Read everything of one user again, now and in this process: the same as `v2 sync --full` for the user's keys."""
    from v2_assets.cli import runs
    from v2_assets.cli.data import _streams
    from v2_assets.users import load_user, resolve_user

    streams = _streams(platform, entity)
    with opened() as o:
        with o.database.connect() as db:
            user_id = resolve_user(db, user)
            mine = {name for name, held in load_user(db, user_id).connections.items()
                    if any(each.usable for each in held)}  # fmt: skip
        wanted = [s for s in streams if s.integration in mine]
        if not wanted:
            raise MissingCredential(
                f"user {user_id} has no verified connection to read again",
                hint="`v2 status` shows each user's connections; `v2 onboard` enters one",
                context={"user_id": user_id},
            )
        told = runs.run_assets(o, wanted, [user_id], full=True, accept_shrink=accept_shrink)
    current().done(told, lambda c: c.print(f"everything was read again: run {told['run_id']}"))


def register(app: typer.Typer) -> None:
    """Adds the commands."""
    for command in (offboard, resync):
        app.command()(command)
