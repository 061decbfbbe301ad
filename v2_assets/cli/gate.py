"""`v2 gate` and `v2 switch …`: may it be served from V2, and who gets what from V2."""

from __future__ import annotations

import getpass
from typing import TYPE_CHECKING, Annotated, Any

import typer

from resources.errors import V2Error
from v2_assets.cli.opened import Opened, opened
from v2_assets.cli.output import current, table

if TYPE_CHECKING:
    from v2_assets.gate.look import Gate
    from v2_assets.gate.rules import Verdict

switch = typer.Typer(help="Which users get which endpoint from V2; V1 serves all others.", no_args_is_help=True)

_Endpoint = Annotated[str | None, typer.Option(help="this endpoint only, e.g. /transactions/all; all by default")]
_User = Annotated[str | None, typer.Option(help="this user only: id, e-mail or ad_user_id")]
_Reason = Annotated[str | None, typer.Option(help="why; it is kept with the decision")]
_Override = Annotated[bool, typer.Option(help="although the gate is red; needs --reason")]
_By = Annotated[str | None, typer.Option(help="who decides; your login by default")]


class NotReady(V2Error):
    """The gate is red for something that was asked for."""

    code = "not_ready"


def gate(
    table_name: Annotated[str | None, typer.Option("--table", help="this V2 table only")] = None,
    user: _User = None,
    endpoint: _Endpoint = None,
) -> None:
    """Ready for the switch or not, and why: per table, user and endpoint. The exit code is 1 while something is not."""
    with opened() as o:
        seen = _look(o)
        chosen = _chosen(o, seen, table_name, user, endpoint)
    red = [verdict for verdict in chosen if not verdict.ready]
    data = {"at": seen.at, "ready": not red, "verdicts": [_told(verdict) for verdict in chosen]}

    def human(console: Any) -> None:
        # Users are many and most are ready.
        shown = [each for each in chosen if each.kind != "user" or not each.ready or user]
        rows = [
            (each.kind, each.subject, "ready" if each.ready else "not ready", "\n".join(f.why for f in each.failures))
            for each in shown
        ]
        console.print(table(("what", "which", "verdict", "why not"), rows))
        ready = sum(each.ready for each in chosen)
        console.print(f"{ready} of {len(chosen)} are ready")

    if red:
        if not current().as_json:
            human(current().console)
        error = NotReady(f"{len(red)} of {len(chosen)} are not ready", hint="the page of the asset v1_gate shows why")
        raise typer.Exit(current().fail(error, data))
    current().done(data, human)


@switch.command()
def status(limit: Annotated[int, typer.Option(min=1, help="how many of the last decisions")] = 10) -> None:
    """The share of users by endpoint, who is held at V1, and the last decisions."""
    from v2_assets.gate.switch import decisions, in_force

    with opened() as o, o.database.connect() as connection:
        now = in_force(connection)
        history = decisions(connection, limit)
    held = sorted(user for user in now.users if now.held(user))
    endpoints = {path: now.share(path) for path in _paths(None)}
    data = {"endpoints": endpoints, "held_users": held, "decisions": history}

    def human(console: Any) -> None:
        console.print(table(("endpoint", "% from V2"), list(endpoints.items())))
        if held:
            console.print("held at V1: " + ", ".join(map(str, held)))
        columns = ("at", "who", "action", "endpoint", "user_id", "share", "reason")
        console.print(table(columns, [tuple(each[c] for c in columns) for each in history], "Decisions"))

    current().done(data, human)


@switch.command("set")
def set_(
    share: Annotated[float, typer.Argument(min=0, max=100, help="per cent of users")],
    endpoint: _Endpoint = None,
    reason: _Reason = None,
    override: _Override = False,
    by: _By = None,
) -> None:
    """Serve so many per cent of the users from V2. Raising it is refused while the gate is red for what it reaches."""
    from v2_assets.gate.switch import set_share

    paths = _paths(endpoint)
    with opened() as o:
        seen = _look(o)
        with o.database.connect() as connection:
            accepted = set_share(
                connection,
                paths,
                share,
                who=by or getpass.getuser(),
                verdicts=seen.verdicts,
                users=seen.users,
                reason=reason,
                override=override,
            )
    data = {"share": share, "endpoints": paths, "accepted": [_told(verdict) for verdict in accepted]}
    over = f", over {len(accepted)} red verdicts" if accepted else ""
    current().done(data, lambda c: c.print(f"{len(paths)} endpoints serve {share:g} % of users from V2{over}"))


@switch.command()
def stop(endpoint: _Endpoint = None, reason: _Reason = None, by: _By = None) -> None:
    """V1 serves everybody again, at once."""
    from v2_assets.gate.switch import stop as stop_

    with opened() as o, o.database.connect() as connection:
        stopped = stop_(connection, _paths(endpoint), who=by or getpass.getuser(), reason=reason)
    current().done({"stopped": stopped}, lambda c: c.print(f"{len(stopped)} endpoints were switched off"))


@switch.command()
def back(endpoint: _Endpoint = None, user: _User = None, reason: _Reason = None, by: _By = None) -> None:
    """One step towards V1: the last smaller share; with --user, this user gets everything from V1."""
    from v2_assets.gate.switch import back as back_
    from v2_assets.gate.switch import hold

    with opened() as o, o.database.connect() as connection:
        if user:
            user_id = _resolved(connection, user)
            new = hold(connection, user_id, who=by or getpass.getuser(), reason=reason)
            said = f"user {user_id} is {'now' if new else 'already'} served from V1"
            current().done({"user_id": user_id, "new": new}, lambda c: c.print(said))
            return
        moved = back_(connection, _paths(endpoint), who=by or getpass.getuser(), reason=reason)
    current().done({"shares": moved}, lambda c: c.print(table(("endpoint", "% from V2"), list(moved.items()))))


@switch.command()
def release(
    user: Annotated[str, typer.Option(help="id, e-mail or ad_user_id")],
    reason: _Reason = None,
    override: _Override = False,
    by: _By = None,
) -> None:
    """The shares count again for a user who was held at V1. Refused while the user is not ready."""
    from v2_assets.gate.switch import release as release_

    with opened() as o:
        seen = _look(o)
        with o.database.connect() as connection:
            user_id = _resolved(connection, user)
            new = release_(
                connection,
                user_id,
                who=by or getpass.getuser(),
                verdict=seen.users[user_id],
                reason=reason,
                override=override,
            )
    said = f"user {user_id} {'follows the shares again' if new else 'was not held'}"
    current().done({"user_id": user_id, "new": new}, lambda c: c.print(said))


@switch.command()
def shadow(
    endpoint: _Endpoint = None,
    begin_anew: Annotated[bool, typer.Option(help="forget what was seen of the --endpoint; it was repaired")] = False,
) -> None:
    """What shadow reading saw of the endpoints in the days that count for the gate."""
    if begin_anew and endpoint is None:
        raise typer.BadParameter("--begin-anew needs --endpoint")
    from v2_assets.gate.shadow import forget, seen

    paths = _paths(endpoint)
    with opened() as o, o.database.connect() as connection:
        if begin_anew:
            forget(connection, paths)
        counts, differences = seen(connection, o.settings.gate_shadow_days, paths)

    def human(console: Any) -> None:
        columns = ("endpoint", "requests", "same", "failed", "skipped")
        console.print(table(columns, [tuple(each[c] for c in columns) for each in counts], "Requests"))
        columns = ("endpoint", "kind", "field", "reason", "times")
        console.print(table(columns, [tuple(each[c] for c in columns) for each in differences], "Differences"))

    current().done({"endpoints": counts, "differences": differences}, human)


def _look(o: Opened) -> Gate:
    from v2_assets.gate.look import look

    with o.database.connect() as connection:
        return look(connection, o.settings)


def _chosen(o: Opened, seen: Gate, table_name: str | None, user: str | None, endpoint: str | None) -> list[Verdict]:
    """The verdicts asked for; all if nothing is. Raises BadParameter for what is not there."""
    chosen: list[Verdict] = []
    if table_name:
        if table_name not in seen.tables:
            raise typer.BadParameter(
                f"no table {table_name!r} is compared; there are: {', '.join(sorted(seen.tables))}"
            )
        chosen.append(seen.tables[table_name])
    if user:
        with o.database.connect() as connection:
            chosen.append(seen.users[_resolved(connection, user)])
    if endpoint:
        chosen += [seen.endpoints[path] for path in _paths(endpoint)]
    return chosen or list(seen.verdicts)


def _paths(endpoint: str | None) -> list[str]:
    from v2_assets.api.catalogue import ENDPOINTS

    if endpoint is None:
        return list(ENDPOINTS)
    path = "/" + endpoint.strip("/")
    if path not in ENDPOINTS:
        raise typer.BadParameter(f"there is no endpoint {path}; there are: {', '.join(ENDPOINTS)}")
    return [path]


def _resolved(connection: Any, user: str) -> int:
    from v2_assets.users import resolve_user

    return resolve_user(connection, user)


def _told(verdict: Verdict) -> dict[str, Any]:
    return {
        "kind": verdict.kind,
        "subject": verdict.subject,
        "ready": verdict.ready,
        "failures": [{"rule": f.rule, "why": f.why, "evidence": dict(f.evidence)} for f in verdict.failures],
    }


def register(app: typer.Typer) -> None:
    """Adds the commands."""
    app.command()(gate)
    app.add_typer(switch, name="switch")
