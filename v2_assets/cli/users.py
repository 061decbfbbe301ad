"""`v2 onboard`: entering a connection. Everything after that is the onboarding sensor's work."""

from __future__ import annotations

import os
import sys
from typing import Annotated, Any

import typer

from resources.errors import MissingCredential, UnknownUser, V2Error
from v2_assets.cli.opened import opened
from v2_assets.cli.output import current

#: What each platform wants from a person: one key, or two parts that only work together.
PLATFORMS: dict[str, tuple[str, ...]] = {
    "fub": ("API key",),
    "rezen": ("API key",),
    "skyslope": ("access key", "access secret"),
    "title": ("user name", "password"),
    "xano": ("token",),
}


class OnboardingEnded(V2Error):
    """The onboarding that was watched ended with something unread."""

    code = "onboarding_ended"


def onboard(
    user: Annotated[str, typer.Option(help="the user's id, e-mail or ad_user_id; a new e-mail needs --name")],
    platform: Annotated[str | None, typer.Option(help=", ".join(PLATFORMS))] = None,
    name: Annotated[str | None, typer.Option(help="full name of a user who is not there yet")] = None,
    account_id: Annotated[
        str | None, typer.Option(help="the account the key must belong to; else the key tells")
    ] = None,
    key_stdin: Annotated[bool, typer.Option(help="read the key from standard input, a line for each part")] = False,
    key_env: Annotated[str | None, typer.Option(help="read the key from this variable; VAR,VAR for two parts")] = None,
    retry: Annotated[bool, typer.Option(help="try again what failed, and only that")] = False,
    watch: Annotated[bool, typer.Option(help="follow the job until it ends")] = False,
) -> None:
    """Connect a user to a platform, or start a failed onboarding again. The key is never given on the command line.

    With --watch it exits with 0 only when everything was read.
    """
    if platform is not None and platform not in PLATFORMS:
        raise typer.BadParameter(f"there is no platform {platform!r}; known: {', '.join(PLATFORMS)}")
    if retry:
        with opened() as o, o.database.connect() as connection:
            made = _again(connection, _resolve(connection, user, None), platform)
    else:
        if platform is None:
            raise typer.BadParameter(f"--platform is needed: {', '.join(PLATFORMS)}")
        parts = _key(key_stdin, key_env, platform)
        with opened() as o, o.database.connect() as connection:
            from resources.encryption import open_vault

            vault = open_vault(o.settings)
            user_id = _resolve(connection, user, name)
            made = _enter(connection, user_id, platform, account_id, [vault.encrypt(part) for part in parts])
    current().say(f"user {made['user_id']}: {made['what']}; the onboarding sensor takes it from here")
    if watch:
        from v2_assets.cli.onboarding_view import jobs_of
        from v2_assets.cli.onboarding_view import watch as watched

        with opened() as o, o.database.connect(autocommit=True) as connection:
            made["jobs"] = watched(lambda: jobs_of(connection, made["user_id"], platform))
        unread = [f"{job['integration']}: {job['status']}" for job in made["jobs"] if job["status"] != "Complete"]
        if unread:
            error = OnboardingEnded(
                f"not everything of user {made['user_id']} was read ({', '.join(unread)})",
                hint="the steps above say where it stopped; then `v2 onboard --user … --retry`, or another key",
            )
            raise typer.Exit(current().fail(error, made))
    current().done(made, lambda c: c.print("see `v2 status`, or follow it with --watch") if not watch else None)


def _resolve(connection: Any, user: str, name: str | None) -> int:
    from v2_assets.users import resolve_user

    try:
        return resolve_user(connection, user)
    except UnknownUser:
        if not name or "@" not in user:
            raise
    row = connection.execute(
        'insert into v2."user" (email, full_name) values (lower(%s), %s) returning id', [user.strip(), name]
    ).fetchone()
    return int(row[0])


def _key(stdin: bool, env: str | None, platform: str) -> list[str]:
    """The parts of a key, in the platform's order. Raises MissingCredential naming the part that is not there."""
    wanted = PLATFORMS[platform]
    if env:
        parts = [os.environ.get(name.strip(), "") for name in env.split(",")]
    elif stdin or not sys.stdin.isatty():
        parts = [sys.stdin.readline() for _ in wanted]
    else:
        parts = [typer.prompt(f"{platform} {what}", hide_input=True) for what in wanted]
    parts = [part.strip() for part in parts]
    for number, what in enumerate(wanted):
        if number >= len(parts) or not parts[number]:
            raise MissingCredential(
                f"no {what} was given for {platform}",
                hint=f"pipe it in with --key-stdin, or name a variable with --key-env (wanted: {', '.join(wanted)})",
            )
    return parts[: len(wanted)]


def _enter(
    connection: Any, user_id: int, platform: str, account_id: str | None, ciphertexts: list[str]
) -> dict[str, Any]:
    """A new connection, or a new key for one that is there; either way it is verified before anything is read."""
    api_key, api_secret = ciphertexts[0], (*ciphertexts, None)[1]
    from v2_assets.connections.states import entered
    from v2_assets.onboarding.jobs import again

    # A connection that was taken away comes back as the same one, so that its cursors go on.
    row = connection.execute(
        "select id, deleted_at is not null from v2.credentials where user_id = %s and platform = %s"
        " and (%s::text is null or account_id is null or account_id = %s) order by deleted_at nulls first, id limit 1",
        [user_id, platform, account_id, account_id],
    ).fetchone()
    if row is None:
        connection.execute(
            "insert into v2.credentials (user_id, platform, account_id, api_key, api_secret, state)"
            " values (%s, %s, %s, %s, %s, 'new')",
            [user_id, platform, account_id, api_key, api_secret],
        )
        return {"user_id": user_id, "platform": platform, "what": f"{platform} connected"}
    entered(connection, row[0], (api_key, api_secret), account_id)
    again(connection, row[0], failed_only=False)
    what = f"{platform} connected again" if row[1] else f"{platform} has a new key"
    return {"user_id": user_id, "platform": platform, "what": what}


def _again(connection: Any, user_id: int, platform: str | None) -> dict[str, Any]:
    rows = connection.execute(
        "select c.id from v2.credentials c where c.user_id = %s and (%s::text is null or c.platform = %s)"
        " and c.active and c.deleted_at is null",
        [user_id, platform, platform],
    ).fetchall()
    if not rows:
        raise MissingCredential(
            f"user {user_id} has no {platform or ''} connection".replace("  ", " "),
            hint="enter one: `v2 onboard --user … --platform …`",
            context={"user_id": user_id},
        )
    from v2_assets.onboarding.jobs import again

    read = [chosen for row in rows if (chosen := again(connection, row[0], failed_only=True))]
    streams = ", ".join(entity for chosen in read for entity in chosen)
    what = f"{len(read)} onboardings begin again, for {streams}" if read else "nothing had failed, or it is at work"
    return {"user_id": user_id, "platform": platform, "what": what, "streams": [list(chosen) for chosen in read]}


def register(app: typer.Typer) -> None:
    """Adds the command."""
    app.command()(onboard)
