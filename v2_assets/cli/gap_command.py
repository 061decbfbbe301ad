"""`v2 demo-gap`: plays the story of the missing contacts and prints the before, the why and the after."""

from __future__ import annotations

from typing import Any

import typer

from v2_assets.cli.output import current, table


def demo_gap() -> None:
    """The CRM's gap against the sandbox: 87 % are missing, why, and a backfill by user that closes it."""
    from v2_assets.cli.gap import run_gap

    found = run_gap(current().say)
    current().done(found, lambda console: _show(console, found))


def _show(console: Any, found: dict[str, Any]) -> None:
    before, after = found["before"], found["after"]
    then = {share["user_id"]: share for share in after["users"]}
    rows = [
        (
            each["email"],
            each["rows_v1"],
            each["rows_v2"],
            each["missing"],
            "\n".join(each["why"]),
            then[each["user_id"]]["rows_v2"],
            then[each["user_id"]]["missing"],
        )
        for each in before["users"]
    ]
    rows.append(
        ("all", before["rows_v1"], before["rows_v2"], before["missing"], "", after["rows_v2"], after["missing"])
    )
    columns = ("user", "in V1", "in V2 before", "missing", "why", "in V2 after", "still missing")
    console.print(table(columns, rows, "Contacts of the CRM in V1 and V2"))
    console.print(
        f"{before['percent']} % were missing, each with its reason and none unknown; after the backfill by user"
        f" {after['percent']} %. {found['seconds']['all']} s in all."
    )
    console.print(f"The page before and after: {before['page']}\n{after['page']}", markup=False, soft_wrap=True)


def register(app: typer.Typer) -> None:
    """Adds the command."""
    app.command("demo-gap")(demo_gap)
