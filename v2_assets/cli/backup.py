"""`v2 backup` and `v2 restore`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

from v2_assets.cli.opened import Opened, opened
from v2_assets.cli.output import current


def backup(
    to: Annotated[Path, typer.Option(help="a folder that does not exist yet")],
    with_key: Annotated[
        bool, typer.Option("--with-key", help="put the key that opens the stored credentials beside them")
    ] = False,
) -> None:
    """Back up both databases, while the platform goes on. The key of the credentials is left out unless you say so."""
    from v2_assets import backup as backups

    with opened(check_schema=False) as o:
        made = backups.backup(o.settings, o.urls, to.absolute(), with_key=with_key, say=current().say)
    told = {
        "folder": str(to.absolute()),
        "rows": {part: sum(tables.values()) for part, tables in made.rows.items()},
        "files": len(made.files),
        "bytes": sum((to / name).stat().st_size for name in made.files),
        "with_key": with_key,
    }

    def human(console: Any) -> None:
        rows = ", ".join(f"{number} rows of {part}" for part, number in told["rows"].items())
        console.print(f"{to}: {rows}, {told['bytes'] / 1e6:.1f} MB")
        if not with_key:
            console.print(
                "The key of the credentials is not in it. Keep V2_SECRET_KEY (or the file secret.key) somewhere else:"
                " without it every user has to connect again."
            )

    current().done(told, human)


def restore(
    source: Annotated[Path, typer.Option("--from", help="the folder of a backup")],
    replace: Annotated[bool, typer.Option("--replace", help="lose what the databases hold now")] = False,
) -> None:
    """Bring a backup back, with the platform stopped. It is checked before anything is touched, and compared after."""
    from v2_assets import backup as backups

    with opened(check_schema=False, create=True) as o:
        done = backups.restore(o.settings, o.urls, source.absolute(), replace=replace, say=current().say)
        ended = _end_runs(o)
    told = {
        "made_at": done.manifest.made_at,
        "tables": done.tables,
        "rows": done.rows,
        "migrated": done.migrated,
        "runs_ended": ended,
        "credentials": done.credentials,
        "unreadable": done.unreadable,
    }

    def human(console: Any) -> None:
        console.print(
            f"the backup of {done.manifest.made_at:%Y-%m-%d %H:%M} UTC is back: {done.rows} rows of"
            f" {done.tables} tables, each table with as many as it had"
        )
        for revision in done.migrated:
            console.print(f"applied {revision}")
        if ended:
            console.print(
                f"{ended} runs that were at work when it was made are ended; the sweeps go on from their cursors"
            )
        if done.unreadable:
            console.print(
                f"{done.unreadable} of {done.credentials} stored credentials cannot be opened with the key here."
                f" They were stored with key {', '.join(done.manifest.keys)} (see `v2 keys list`): bring it back"
                " in V2_SECRET_KEY or secret.key, or let these users connect again. Webhook addresses hang on it too."
            )
        console.print("next: `v2 doctor`, then start the platform")

    current().done(told, human)


def _end_runs(o: Opened) -> int:
    """A run that was at work when the backup was made has no process here, and would hold its place for hours."""
    from v2_assets.cli.runs import as_platform

    as_platform(o)
    import dagster as dg

    instance = dg.DagsterInstance.get()
    states = [dg.DagsterRunStatus.STARTING, dg.DagsterRunStatus.STARTED, dg.DagsterRunStatus.CANCELING]
    runs = instance.get_runs(dg.RunsFilter(statuses=states))
    for run in runs:
        instance.report_run_failed(run, "it was at work when the backup was made that is restored now")
    return len(runs)


def register(app: typer.Typer) -> None:
    """Adds the commands."""
    for command in (backup, restore):
        app.command()(command)
