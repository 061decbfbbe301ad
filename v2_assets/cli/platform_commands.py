"""`v2 up`, `down`, `status`, `migrate`."""

from __future__ import annotations

from dataclasses import asdict
from typing import Annotated, Any

import typer

from resources.postgres import Database
from resources.settings import load_settings
from v2_assets.cli.opened import Opened, configured, opened
from v2_assets.cli.output import current, table


def up(
    sandbox: Annotated[
        bool | None,
        typer.Option(help="use the made-up systems; by default only while nothing is configured"),
    ] = None,
) -> None:
    """Start everything in the background and wait until it answers."""
    from v2_assets.cli.sandbox_users import credentials_of, enter_users, raise_limit, sandbox_settings
    from v2_assets.platform import Platform

    settings = load_settings()
    wanted = not configured(settings) if sandbox is None else sandbox
    url = f"http://127.0.0.1:{Platform(settings).sandbox_port}" if wanted else ""
    if wanted:
        settings = load_settings(**sandbox_settings(settings, url))
        current().say("nothing is configured yet: starting with the sandbox and its made-up users")
    platform = Platform(settings)
    processes = platform.up(sandbox=wanted)
    if wanted:
        raise_limit(url, 20_000)
        with opened() as o:
            enter_users(o.database, settings, credentials_of(url))
    rows = [asdict(p) for p in processes]
    current().done(
        {"processes": rows, "sandbox": wanted, "ui": f"http://127.0.0.1:{settings.ui_port}"},
        lambda c: c.print(_processes(rows), f"\nThe UI is at http://127.0.0.1:{settings.ui_port} (stop all: v2 down)"),
    )


def down() -> None:
    """Stop everything that `v2 up` started, runs included."""
    from v2_assets.platform import Platform

    Platform(load_settings()).down()
    current().done({"stopped": True}, lambda c: c.print("everything is stopped"))


def status() -> None:
    """Processes, and where every user stands: connections, onboarding, streams, failures."""
    with opened() as o, o.database.connect() as connection:
        processes = _who_runs(o)
        users = _users(connection)
        streams = _streams(connection)
    data = {"processes": processes, "users": users, "streams": streams}

    def human(console: Any) -> None:
        console.print(_processes(processes))
        columns = ("user", "e-mail", "platform", "account", "credential", "onboarding", "streams ok", "behind", "why")
        console.print(table(columns, [tuple(u.values()) for u in users], "Users"))
        failed = [s for s in streams if s["status"] in ("failed", "excluded")]
        if failed:
            columns = ("user", "stream", "status", "last sync", "error")
            rows = [(s["user_id"], s["stream"], s["status"], s["last_sync_at"], s["error"]) for s in failed]
            console.print(table(columns, rows, "Streams that stopped"))

    current().done(data, human)


def _who_runs(o: Opened) -> list[dict[str, Any]]:
    """The processes of this home; where a service manager runs them, from other homes, those that answer."""
    from v2_assets.monitor.liveness import processes
    from v2_assets.platform import Platform

    mine = [asdict(process) for process in Platform(o.settings).status()]
    if o.settings.database_url is None or any(row["running"] for row in mine if row["name"] != "postgres"):
        return mine
    with Database(o.urls.dagster).connect() as dagster:
        answers = processes(o.settings, dagster)
    asked = [
        {"name": name, "running": said == "alive", "pid": None, "address": None, "log": None}
        for name, said in answers.items()
    ]
    return mine[:1] + asked


_USERS = """
select u.id, u.email, c.platform, c.account_id, c.state,
  (select j.status from ops.onboarding_job j where j.credentials_id = c.id order by j.attempt desc limit 1),
  count(s.*) filter (where s.status in ('idle', 'running') and s.last_sync_at is not null),
  count(s.*) filter (where s.status in ('failed', 'excluded')),
  coalesce(c.last_error ->> 'message', max(s.error ->> 'message'))
from v2."user" u
left join v2.credentials c on c.user_id = u.id and c.active and c.deleted_at is null
left join ops.sync_state s on s.user_id = u.id and s.integration = c.platform
  and s.account_ref = c.platform || '/' || coalesce(c.account_id, '') || '/' || u.id
where u.deleted_at is null
group by u.id, u.email, c.id order by u.id, c.platform
"""
_STREAMS = """
select user_id, integration || '/' || entity, status, last_sync_at, last_full_at, records, error ->> 'message'
from ops.sync_state order by user_id, integration, entity
"""


def _users(connection: Any) -> list[dict[str, Any]]:
    names = ("user_id", "email", "platform", "account_id", "credential", "onboarding", "up_to_date", "behind", "why")
    return [dict(zip(names, row, strict=True)) for row in connection.execute(_USERS).fetchall()]


def _streams(connection: Any) -> list[dict[str, Any]]:
    names = ("user_id", "stream", "status", "last_sync_at", "last_full_at", "records", "error")
    return [dict(zip(names, row, strict=True)) for row in connection.execute(_STREAMS).fetchall()]


def _processes(rows: list[dict[str, Any]]) -> Any:
    return table(
        ("process", "state", "pid", "address"),
        [(r["name"], "runs" if r["running"] else "stopped", r["pid"], r["address"]) for r in rows],
        "Processes",
    )


def migrate() -> None:
    """Bring the database to this code's schema."""
    from v2_assets.schema import migrate as migrations

    with opened(check_schema=False, create=True) as o:
        pending = migrations.pending(o.urls.v2)
        migrations.upgrade(o.urls.v2)
    text = "\n".join(f"applied {name}" for name in pending) or "nothing to do: the schema is current"
    current().done({"applied": pending}, lambda c: c.print(text))


def register(app: typer.Typer) -> None:
    """Adds the commands."""
    for command in (up, down, status, migrate):
        app.command()(command)
