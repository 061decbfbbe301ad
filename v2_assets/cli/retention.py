"""`v2 retention`: what is old enough to be forgotten, and forgetting it."""

from __future__ import annotations

from dataclasses import asdict
from typing import Annotated

import typer

from resources.postgres import Database
from v2_assets.cli.opened import opened
from v2_assets.cli.output import current, table


def retention(
    apply: Annotated[bool, typer.Option("--apply", help="remove it now; without this, only count it")] = False,
) -> None:
    """Count what is older than the retention settings allow; --apply removes it, as the daily run does."""
    from v2_assets.cli.runs import as_platform
    from v2_assets.retention import forget

    with opened() as o:
        as_platform(o)  # Dagster's tables exist from here on
        told = forget(o.database, Database(o.urls.dagster), o.settings, apply=apply)
    shown = [(f.meaning, f.name, f.days, f"V2_{f.setting.upper()}", f.rows) for f in told]
    shown = [row for row in shown if row[-1] or not row[1].startswith("stage_")]
    columns = ("what", "where", "days", "setting", "removed" if apply else "due")
    current().done([asdict(f) for f in told], lambda c: c.print(table(columns, shown)))


def register(app: typer.Typer) -> None:
    """Adds the command."""
    app.command()(retention)
