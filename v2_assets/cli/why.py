"""`v2 why`: one record followed back, with the command that helps."""

from __future__ import annotations

from typing import Annotated, Any

import typer

from v2_assets.cli.opened import opened
from v2_assets.cli.output import current, table

#: Of users who have nothing of the record, so many are shown; a user can be named.
SHOWN = 10


def why(
    what: Annotated[str, typer.Argument(help="a table of V2 or of staging, or platform/entity, e.g. fub/people")],
    source_id: Annotated[str, typer.Argument(help="the record's id at its source")],
    user: Annotated[str | None, typer.Option(help="only this user: id, e-mail or ad_user_id")] = None,
    ask: Annotated[bool, typer.Option(help="ask the source whether it has the record now")] = True,
) -> None:
    """Why a record is missing, or where it is: seen at the source? staged? waiting? refused? in V2?"""
    from v2_assets import why as reasons
    from v2_assets.users import resolve_user

    streams = reasons.records_of(what)
    with opened() as o:
        users = None
        if user is not None:
            with o.database.connect() as connection:
                users = [resolve_user(connection, user)]
        trails = reasons.why(o.database, o.settings, streams, source_id, users, ask=ask)

    def human(console: Any) -> None:
        if not trails:
            console.print(f"nothing is known of {what} {source_id}, and nobody has a connection it could come through")
        for trail in trails[:SHOWN]:
            f = trail.found
            console.print(table(("", ""), _lines(f), f"{f.integration}/{f.entity} {source_id}, user {f.user_id}"))
            console.print(trail.answer + (f"\n  → {trail.do}" if trail.do else ""), "")
        if len(trails) > SHOWN:
            console.print(f"and {len(trails) - SHOWN} more users who have nothing of it; --user names one")

    current().done([trail.model_dump(mode="json") for trail in trails], human)


def _lines(f: Any) -> list[tuple[str, str]]:
    """What was found, from the source to V2."""
    asked = {True: "has it now", False: "does not show it to this key", None: f.source_error or "was not asked"}
    connection = f"key {f.connection}" if f.connection else "none"
    stream = f"{f.stream or 'never read'}, last sync {f.last_sync_at or 'never'}, last full {f.last_full_at or 'never'}"
    events = "; ".join(f"{e['event']} {e['received_at']:%m-%d %H:%M} {e['reason'] or e['state']}" for e in f.events[:3])
    staged = f"{f.stage}: {f.status}{', ' + f.reason if f.reason else ''}" if f.status else "no"
    row = f"row {f.v2_id} of v2.{f.table}" if f.v2_there else "no"
    return [
        ("connection", connection),
        ("source", asked[f.at_source]),
        ("stream", stream + (f", {f.stream_error}" if f.stream_error else "")),
        ("webhooks", events or "none"),
        ("staged", staged),
        *(
            [("warnings", "; ".join(f"{w['field']}: {w['code']} ({w['found']})" for w in f.warnings))]
            if f.warnings
            else []
        ),
        ("V2", row + (" (deleted)" if f.v2_deleted_at else "")),
    ]


def register(app: typer.Typer) -> None:
    """Adds the command."""
    app.command()(why)
