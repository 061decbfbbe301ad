"""`v2 run`: one process of the platform in the foreground, for systemd or a container that keeps it running."""

from __future__ import annotations

import os
from typing import Annotated, Literal

import typer

Process = Literal["code-server", "daemon", "webserver", "receiver", "api", "monitor"]


def run(process: Annotated[Process, typer.Argument(help="which one")]) -> None:
    """Become one process of the platform, with the environment that `v2 up` gives it. Needs V2_DATABASE_URL."""
    from resources.settings import load_settings
    from v2_assets.platform import Platform

    argv, environment, folder = Platform(load_settings()).command(process)
    os.chdir(folder)
    os.execve(argv[0], argv, environment)  # noqa: S606 - our own command line, and no shell is wanted


def register(app: typer.Typer) -> None:
    """Adds the command."""
    app.command()(run)
