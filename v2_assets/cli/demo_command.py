"""`v2 demo`: plays the story and prints its table."""

from __future__ import annotations

from typing import Any

import typer

from v2_assets.cli.output import current, table


def demo() -> None:
    """The whole story against the sandbox: onboard 8 users, let the world move, sweep, reconcile."""
    from v2_assets.cli.demo import run_demo

    found = run_demo(current().say)
    current().done(
        {k: found[k] for k in ("good", "why", "tables", "incremental", "seconds")}, lambda c: _show(c, found)
    )


def _show(console: Any, found: dict[str, Any]) -> None:
    changed = found["incremental"]
    rows = [
        (
            line["integration"],
            line["table"],
            line["at_source"],
            line["staged"],
            line["in_v2"],
            line["listed_with_reason"],
            line["unknown_here"],
            found["v2_rows"].get(line["table"]),
            changed.get(stage, {}).get("changed_at_source"),
            changed.get(stage, {}).get("stored_by_sweep"),
        )
        for line, stage in ((line, line["stage"]) for line in found["tables"])
    ]
    columns = (
        "source", "table", "records seen by all keys", "staged", "in V2", "listed", "lost", "rows in V2",
        "then changed", "stored by the sweep",
    )  # fmt: skip
    console.print(table(columns, rows, "What the sources have, and where it is"))
    runs = ", ".join(f"{r['number']} {r['kind']} {r['status']}" for r in found["dagster"]["runs"])
    console.print(f"Runs, none of them started by hand: {runs}")
    console.print(
        f"Nothing is missing; the ledger holds. {found['seconds']['all']} s in all. The whole finding: .v2/demo.json"
    )


def register(app: typer.Typer) -> None:
    """Adds the command."""
    app.command()(demo)
