"""`v2 compare`: V1 beside V2, table by table."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Annotated, Any

import typer

from resources.errors import V2Error
from v2_assets.cli.imports import way_in
from v2_assets.cli.opened import Opened, opened
from v2_assets.cli.output import current, table


class DifferencesFound(V2Error):
    """Some differences are not explained; only `--strict` makes an error of that."""

    code = "differences_found"


def compare(
    tables: Annotated[str | None, typer.Option("--table", help="some of V2's tables, with commas")] = None,
    user: Annotated[str | None, typer.Option(help="some users' rows only: ids, e-mails, with commas")] = None,
    sample: Annotated[int | None, typer.Option(min=1, max=100, help="this share of the keys only, in percent")] = None,
    refresh: Annotated[bool, typer.Option(help="read V1 again; else only what was never read is read")] = False,
    from_folder: Annotated[
        Path | None, typer.Option(help="read V1 from a folder with a CSV or Parquet file each")
    ] = None,
    from_postgres_env: Annotated[
        str | None, typer.Option(help="read V1 from a Postgres copy; the variable that holds its URL")
    ] = None,
    schema: Annotated[str, typer.Option(help="the copy's schema")] = "public",
    last: Annotated[bool, typer.Option(help="show the last comparison; compare nothing")] = False,
    since: Annotated[int | None, typer.Option(help="what changed since that comparison, by its number")] = None,
    strict: Annotated[bool, typer.Option(help="exit with 1 if a difference is not explained")] = False,
) -> None:
    """Compares V1 with V2. Differences are findings and no error, unless --strict; a table that fails is one."""
    from v2_assets.compare import engine
    from v2_assets.compare.between import between

    if user is not None and sample is not None:
        raise typer.BadParameter("give --user or --sample, not both")
    failure: V2Error | None = None
    with opened() as o:
        if last:
            result = engine.load(o.database)
        else:
            chosen = _names(tables)
            scope = engine.Scope(users=_users(o, user), sample=sample)
            _snapshot(o, chosen, from_folder, from_postgres_env, schema, refresh=refresh)
            with current().progress(len(engine.chosen(chosen)), "comparing") as step:
                try:
                    result = engine.compare(o.database, tables=chosen, scope=scope, progress=step)
                except engine.CompareFailed as error:
                    failure, result = error, engine.load(o.database, int(error.context["comparison"]))
        changes = between(o.database, since, result.id) if since is not None else None
    data = result.as_dict() | ({"since": since, "changes": [asdict(c) for c in changes]} if changes is not None else {})
    red = sum(t.red for t in result.tables)
    if strict and red and failure is None:
        failure = DifferencesFound(
            f"{red} differences are not explained, or are faults of ours",
            hint="`v2 compare --last --json` tells how many of which kind in which table",
        )
    if failure is not None:
        if not current().as_json:
            _show(current().console, result, changes)
        raise typer.Exit(current().fail(failure, data))
    current().done(data, lambda console: _show(console, result, changes))


def _snapshot(
    o: Opened,
    tables: Sequence[str] | None,
    folder: Path | None,
    postgres_env: str | None,
    schema: str,
    *,
    refresh: bool,
) -> None:
    """Reads of V1 what is needed and not there, or everything again."""
    from v2_assets.compare.snapshot import take
    from v2_assets.compare.source import not_taken, reader_of_v1, v1_tables_for

    needed = v1_tables_for(tables)
    from_copy = folder is not None or postgres_env is not None
    if not (refresh or from_copy):
        needed = not_taken(o.database, needed)
    if not needed:
        return
    opener = way_in(o, 0 if from_copy else reader_of_v1(o.database), folder, postgres_env, schema)
    where = f"folder {folder.name}" if folder else f"Postgres copy, schema {schema}" if postgres_env else "Xano"

    async def run() -> None:
        async with opener() as source:
            await take(o.database, source, needed, where, whole=not from_copy, progress=current().say)

    asyncio.run(run())


def _names(tables: str | None) -> list[str] | None:
    return [name.strip() for name in tables.split(",") if name.strip()] if tables else None


def _users(o: Opened, names: str | None) -> tuple[int, ...] | None:
    from v2_assets.users import resolve_user

    if names is None:
        return None
    with o.database.connect() as connection:
        return tuple(dict.fromkeys(resolve_user(connection, name) for name in names.split(",") if name.strip()))


def _show(console: Any, result: Any, changes: Any) -> None:
    console.print(
        f"comparison {result.id} ({result.scope}, {result.status}): V1 of "
        f"{result.snapshot_at:%Y-%m-%d %H:%M} UTC from {result.snapshot}"
        if result.snapshot_at
        else f"comparison {result.id} ({result.scope}, {result.status})"
    )
    columns = ("table", "V1", "V2", "missing", "extra", "changed", "explained", "open", "red", "took")
    rows = [
        (t.table, t.rows_v1, t.rows_v2, t.missing, t.extra, t.changed, t.explained, t.open, t.red,
         f"{(t.took_ms or 0) / 1000:.1f} s")
        for t in result.tables if t.status == "compared"
    ]  # fmt: skip
    console.print(_narrow(table(columns, rows)))
    for each in result.tables:
        if each.error:
            console.print(f"{each.table} could not be compared: {each.error['message']}", markup=False)
    absent = [t.table for t in result.tables if t.status == "not_in_v1"]
    if absent:
        console.print(f"not in V1: {', '.join(absent)}", markup=False)
    if changes is not None:
        columns = ("table", "kind", "before", "now", "new", "gone", "still")
        console.print(
            _narrow(table(columns, [(c.table, c.kind, c.before, c.now, c.new, c.gone, c.still) for c in changes]))
        )


def _narrow(made: Any) -> Any:
    """Fits into 80 columns: no lines between columns, and numbers are never folded."""
    made.box, made.padding, made.pad_edge = None, (0, 1, 0, 0), False
    for column in made.columns[1:]:
        column.no_wrap = True
    return made


def register(app: typer.Typer) -> None:
    """Adds the command."""
    app.command()(compare)
