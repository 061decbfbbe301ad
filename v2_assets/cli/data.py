"""`v2 sync`, `merge`, `retry`, `reconcile`, `warnings`, `backfill`: reading, merging and proving, by hand."""

from __future__ import annotations

from dataclasses import asdict
from typing import Annotated, Any

import typer

from resources.errors import MissingCredential, V2Error
from v2_assets.cli.opened import opened
from v2_assets.cli.output import current, table

UserOption = Annotated[str | None, typer.Option(help="id, e-mail or ad_user_id; several with commas; all by default")]
IntegrationOption = Annotated[str | None, typer.Option(help="fub, rezen, skyslope, title or xano; all by default")]


class NotClean(V2Error):
    """The reconciliation found records that are missing without a reason, or could not read a source."""

    code = "not_clean"


def sync(
    user: UserOption = None,
    integration: IntegrationOption = None,
    entity: Annotated[str | None, typer.Option(help="one stream only, e.g. people")] = None,
    full: Annotated[bool, typer.Option(help="read everything again, not only what changed")] = False,
    accept_shrink: Annotated[bool, typer.Option(help="believe a full pass that meets far fewer records")] = False,
    dry_run: Annotated[bool, typer.Option(help="print the requests and rows to come; write nothing")] = False,
) -> None:
    """Bring users up to date now, through the same assets as the sweeps."""
    from v2_assets.cli import runs

    streams = _streams(integration, entity)
    with opened() as o:
        users = _users(o, user)
        if dry_run:
            plans = runs.plan(o, streams, users, full=full)
            columns = ("user", "stream", "pass", "records to come", "requests")
            rows = [(p["user_id"], p["stream"], p["pass"], p["expected"], "\n".join(p["requests"])) for p in plans]
            current().done(plans, lambda c: c.print(table(columns, rows)))
            return
        told = runs.run_assets(o, streams, users, full=full, accept_shrink=accept_shrink)
    current().done(told, lambda c: c.print(f"done: run {told['run_id']}"))


def merge(user: UserOption = None) -> None:
    """Merge what is staged and pending, now and in this process."""
    from v2_assets.cli import runs

    with opened() as o:
        told = runs.merge_now(o, _users(o, user))
    current().done(told, lambda c: c.print(table(("staged", "rows"), list(told["fates"].items()))))


def retry(
    table_name: Annotated[str, typer.Option("--table", help="the staging table, e.g. stage_rezen_transactions")],
    reason: Annotated[str, typer.Option(help="the reason code, e.g. unknown_code, invalid_record, merge_error")],
    user: UserOption = None,
    now: Annotated[bool, typer.Option(help="merge at once instead of leaving it to the backlog sensor")] = False,
) -> None:
    """Give rejected records another chance after a fix. Nothing is fetched again."""
    from v2_assets.cli import runs

    with opened() as o:
        users = _users(o, user)
        told = runs.retry(o, table_name, reason, users if user else None)
        if now and told["released"]:
            told["merged"] = runs.merge_now(o, users)["fates"]
    current().done(
        told, lambda c: c.print(f"{told['released']} records are pending again, {told['still']} stay rejected")
    )


def reconcile(
    user: UserOption = None,
    integration: IntegrationOption = None,
    deep: Annotated[bool, typer.Option(help="ask also for what can only be asked contact by contact")] = False,
) -> None:
    """Per table and user: what the source has, where it is, and the reason for every record that is missing."""
    from v2_assets import reconcile as reconciliation

    with opened() as o:
        report = reconciliation.reconcile(
            o.database, o.settings, _users(o, user) if user else None, [integration] if integration else None, deep
        )
    data = report.model_dump(mode="json")
    columns = (
        "user", "stream", "basis", "at source", "staged", "processed", "duplicate", "deferred", "rejected", "pending",
        "rows in V2", "gap", "gone", "reasons",
    )  # fmt: skip
    rows = [
        (x.user_id, f"{x.integration}/{x.entity}", x.basis, x.at_source, x.staged, x.processed, x.duplicate, x.deferred,
         x.rejected, x.pending, x.v2_rows, x.gap, x.gone,
         x.error or ", ".join(f"{n} {r}" for r, n in x.reasons.items()))
        for x in report.lines
    ]  # fmt: skip
    if not report.clean:
        if not current().as_json:
            current().console.print(table(columns, rows), *report.law)
        raise typer.Exit(
            current().fail(
                NotClean(
                    "some records are missing without a reason, a source could not be read, or the ledger is broken",
                    hint="`v2 reconcile --json` lists every missing record; `v2 status` shows what stopped",
                ),
                data,
            )
        )
    current().done(
        data, lambda c: c.print(table(columns, rows), "clean: every record is in V2 or listed with a reason")
    )


def warnings(
    table_name: Annotated[str | None, typer.Option("--table", help="one staging table; all by default")] = None,
    user: UserOption = None,
) -> None:
    """Fields that could not be read or stored as they came: where, in how many records, and one of them to look at."""
    from v2_assets.schema.stage import STREAMS
    from v2_assets.staging.warned import warned

    if table_name is not None and table_name not in {s.table for s in STREAMS}:
        raise typer.BadParameter(f"no staging table {table_name!r}; `v2 tables` lists them")
    with opened() as o:
        users = _users(o, user) if user else None
        with o.database.connect() as connection:
            told = warned(connection, [table_name] if table_name else None, users)
    columns = ("staging table", "warning", "field", "found", "records", "for example")
    rows = [(w.table, w.code, w.field, w.found, w.records, w.example) for w in told]
    current().done(
        [asdict(w) for w in told],
        lambda c: c.print(table(columns, rows) if rows else "no warnings: every field that is wanted could be read"),
    )


def backfill(
    integration: Annotated[str, typer.Option(help="fub, rezen, skyslope or title")],
    users: Annotated[str, typer.Option(help="`all` who are connected, or ids and e-mails with commas")] = "all",
    wait: Annotated[bool, typer.Option(help="follow it until it ends")] = True,
) -> None:
    """Read everything of these users again, through Dagster's own backfill (needs `v2 up`)."""
    from v2_assets.cli import runs

    streams = _streams(integration, None)
    with opened() as o:
        chosen = _connected(o, integration) if users == "all" else _users(o, users)
        told = runs.backfill(o, streams, chosen, wait=wait)
    current().done(told, lambda c: c.print(f"backfill {told['backfill_id']}: {told['status']}"))


def _streams(integration: str | None, entity: str | None) -> list[Any]:
    from v2_assets.schema.stage import STREAMS

    chosen = [s for s in STREAMS if integration in (None, s.integration) and entity in (None, s.entity)]
    if not chosen:
        known = ", ".join(f"{s.integration}/{s.entity}" for s in STREAMS)
        raise typer.BadParameter(f"no stream {integration or '*'}/{entity or '*'}; there are: {known}")
    return chosen


def _users(o: Any, names: str | None) -> list[int]:
    """The users meant. Raises UnknownUser for a name that is nobody's."""
    from v2_assets.users import resolve_user

    with o.database.connect() as connection:
        if names is None:
            return [r[0] for r in connection.execute('select id from v2."user" where deleted_at is null order by id')]
        return list(dict.fromkeys(resolve_user(connection, name) for name in names.split(",") if name.strip()))


def _connected(o: Any, integration: str) -> list[int]:
    """Everybody who can be read. Raises MissingCredential when that is nobody."""
    from v2_assets.users import connected

    with o.database.connect() as connection:
        found = connected(connection, [integration])
    if not found:
        raise MissingCredential(
            f"no user has a verified {integration} connection", hint="`v2 onboard` enters one; `v2 status` lists them"
        )
    return found


def register(app: typer.Typer) -> None:
    """Adds the commands."""
    for command in (sync, merge, retry, reconcile, warnings, backfill):
        app.command()(command)
