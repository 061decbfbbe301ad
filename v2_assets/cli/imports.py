"""`v2 import …`: what comes in by hand, through the same staging, ledger and merges as a sync."""

from __future__ import annotations

import typer

import_app = typer.Typer(name="import", help="Bring in V1, or a file.", no_args_is_help=True)


def register(app: typer.Typer) -> None:
    """Adds the group."""
    app.add_typer(import_app)
