"""`v2 day`: plays the day and prints its table."""

from __future__ import annotations

import signal
import sys
from typing import Annotated, Any

import typer

from v2_assets.cli.output import current, table


def day(
    minutes: Annotated[float, typer.Option(min=1, help="how long the day lasts, onboarding and night apart")] = 6.0,
    users: Annotated[int, typer.Option(min=2, max=200, help="how many users work")] = 25,
    kills: Annotated[
        bool, typer.Option("--kills", help="no trouble at the sources; every process is killed instead")
    ] = False,
) -> None:
    """A working day against the sandbox: webhooks, lost events, sources in trouble; at the end V2 equals the world."""
    from v2_assets.cli.day import run_day

    signal.signal(signal.SIGTERM, lambda number, frame: sys.exit(128 + number))  # so that nothing is left behind
    found = run_day(current().say, minutes=minutes, users=users, kills=kills)
    shown = ("good", "why", "latency", "webhooks", "incidents", "tables", "runs", "seconds")
    current().done({k: found[k] for k in shown}, lambda c: _show(c, found))


def _show(console: Any, found: dict[str, Any]) -> None:
    rows = [(i["for"], i["code"], i["key"], ", ".join(i["messages"]), i["arrived"]) for i in found["incidents"]]
    console.print(table(("what happened", "code", "cause", "messages", "arrived"), rows, "What people were told"))
    columns = ("source", "table", "in the world", "in V2", "missing", "extra", "stale")
    names = ("integration", "table", "at_source", "in_v2", "unknown_here", "extra", "stale")
    console.print(table(columns, [tuple(line[n] for n in names) for line in found["tables"]], "V2 and the world"))
    wait = found["latency"]
    console.print(
        f"{found['webhooks']['made']} events, {found['webhooks']['lost']} lost. From an event to its row in V2:"
        f" p50 {wait['p50']} s, p95 {wait['p95']} s, max {wait['max']} s over {wait['measured']} records."
    )
    console.print(f"V2 equals the world. {found['seconds']['all']} s in all. The whole finding: .v2/day.json")


def register(app: typer.Typer) -> None:
    """Adds the command."""
    app.command()(day)
