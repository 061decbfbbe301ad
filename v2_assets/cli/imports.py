"""`v2 import …`: what comes in by hand, through the same staging, ledger and merges as a sync."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Annotated, Any
from uuid import uuid4

import typer

from resources.errors import MissingCredential
from v2_assets.cli.opened import Opened, opened
from v2_assets.cli.output import current, table

import_app = typer.Typer(name="import", help="Bring in V1, or a file.", no_args_is_help=True)


@import_app.command("v1")
def v1(
    user: Annotated[str, typer.Option(help="whose import it is: the administrator's id, e-mail or ad_user_id")],
    tables: Annotated[str | None, typer.Option(help="some of V1's tables, with commas; all by default")] = None,
    from_folder: Annotated[Path | None, typer.Option(help="a folder with a CSV or Parquet file per table")] = None,
    from_postgres_env: Annotated[
        str | None, typer.Option(help="the variable that holds the URL of a Postgres copy of V1")
    ] = None,
    schema: Annotated[str, typer.Option(help="the copy's schema")] = "public",
    staged: Annotated[
        bool, typer.Option(help="the backlog of staged reZEN records (transactions, listings) in place of the tables")
    ] = False,
    accept_shrink: Annotated[bool, typer.Option(help="believe a pass that meets far fewer rows than before")] = False,
    merge: Annotated[bool, typer.Option(help="merge what was staged; else the backlog sensor does")] = True,
) -> None:
    """Bring in V1's tables: through its API with the user's token, or from a copy of them."""
    from v2_assets.imports.backlog import chosen_backlogs
    from v2_assets.imports.v1 import chosen_tables
    from v2_assets.users import resolve_user

    names = [name.strip() for name in tables.split(",") if name.strip()] if tables else None
    chosen = chosen_backlogs(names) if staged else chosen_tables(names)
    with opened() as o:
        with o.database.connect() as connection:
            user_id = resolve_user(connection, user)
        opener = way_in(o, user_id, from_folder, from_postgres_env, schema)
        if staged:
            _backlogs(o, opener, chosen, user_id, merge=merge)
        else:
            _tables(o, opener, chosen, user_id, merge=merge, named=names is not None, accept_shrink=accept_shrink)


def _tables(
    o: Opened, opener: Any, chosen: Sequence[str], user_id: int, *, merge: bool, named: bool, accept_shrink: bool
) -> None:
    from v2_assets.imports import v1 as logic

    told = asyncio.run(
        logic.stage_v1(
            o.database,
            o.settings,
            user_id,
            opener,
            chosen,
            f"import-{uuid4()}",
            named=named,
            accept_shrink=accept_shrink,
            progress=current().say,
        )
    )
    if merge:
        logic.merge_v1(o.database, user_id)
    logic.add_fates(o.database, user_id, told)
    columns = ("V1 table", "outcome", "rows", "new", "changed", "staged rows now")
    rows = [
        (t.table, t.outcome, t.fetched, t.new, t.changed, ", ".join(f"{n} {fate}" for fate, n in t.fates.items()))
        for t in told
    ]
    current().done([asdict(t) for t in told], lambda c: c.print(table(columns, rows)))


def _backlogs(o: Opened, opener: Any, chosen: Sequence[str], user_id: int, *, merge: bool) -> None:
    from v2_assets.imports.backlog import stage_backlog, users_of
    from v2_assets.imports.v1 import account_ref, merge_v1

    run_id, account = f"import-{uuid4()}", account_ref(o.database, user_id)

    async def stage() -> list[Any]:
        async with opener() as source:
            return [
                await stage_backlog(o.database, source, entity, user_id, account, run_id, current().say)
                for entity in chosen
            ]

    told = [result.as_dict() for result in asyncio.run(stage())]
    if merge:
        for each in users_of(o.database, run_id):
            merge_v1(o.database, each)
    columns = ("backlog", "outcome", "rows", "new", "changed", "without a record", "of nobody known")
    rows = [
        (t["entity"], t["outcome"], t["rows"], t["new"], t["changed"], t["without_record"], t["without_owner"])
        for t in told
    ]
    current().done(told, lambda c: c.print(table(columns, rows)))


def way_in(o: Opened, user_id: int, folder: Path | None, postgres_env: str | None, schema: str) -> Any:
    """How V1 is to be read. Raises MissingCredential, BadRequest for a folder that is not there."""
    from v2_assets.imports import v1 as logic

    if folder is not None and postgres_env is not None:
        raise typer.BadParameter("give --from-folder or --from-postgres-env, not both")
    if folder is not None:
        from resources.apis.xano.copies import FolderClient

        client = FolderClient(folder)
        return lambda: client
    if postgres_env is not None:
        from resources.apis.xano.copies import PostgresCopyClient

        url = os.environ.get(postgres_env, "").strip()
        if not url:
            raise MissingCredential(
                f"the variable {postgres_env} is empty",
                hint="it must hold the URL of the Postgres copy: postgresql://…",
            )
        return lambda: PostgresCopyClient(url, schema)
    return logic.through_api(o.database, o.settings, user_id)


@import_app.command("csv")
def csv(
    file: Annotated[Path, typer.Argument(help="the file: a header and one deal per row")],
    user: Annotated[str, typer.Option(help="whose deals they are: id, e-mail or ad_user_id")],
    mapping: Annotated[Path | None, typer.Option(help="what the columns mean, in TOML")] = None,
    preview: Annotated[int | None, typer.Option(min=1, help="look at the first rows only; store nothing")] = None,
    dry_run: Annotated[bool, typer.Option(help="check the whole file; store nothing")] = False,
    merge: Annotated[bool, typer.Option(help="merge what was staged; else the backlog sensor does")] = True,
) -> None:
    """Bring in a user's file. `--preview` without a mapping suggests one."""
    from v2_assets.imports import csv as logic
    from v2_assets.imports.mapping import MappingRefused, as_toml, load_mapping, suggested
    from v2_assets.imports.v1 import merge_v1
    from v2_assets.users import resolve_user

    looking = preview is not None or dry_run
    if mapping is None and not looking:
        raise MappingRefused(
            "an import needs a mapping", hint="`--preview 5` suggests one; save it and give it with --mapping"
        )
    with opened() as o:
        with o.database.connect() as connection:
            user_id = resolve_user(connection, user)
        if mapping is not None:
            meant = load_mapping(mapping)
        else:
            with logic.opened(file) as (header, _):
                meant = suggested(header)
        if looking:
            told = logic.check_file(file, meant, user_id, preview)
        else:
            told = asyncio.run(logic.stage_file(o.database, file, meant, user_id, f"import-{uuid4()}", current().say))
            if merge:
                merge_v1(o.database, user_id)
            told.fates = logic.fates_of(o.database, user_id, meant.name)
    answer = asdict(told) | ({"mapping": as_toml(meant)} if mapping is None else {})

    def show(console: Any) -> None:
        if mapping is None:
            console.print(as_toml(meant), markup=False)
        console.print(f"{told.rows} rows: {told.good} good ({told.identical} repeated), {told.broken} broken")
        if told.problems:
            rows = [(p["where"], p["reason"], p["found"]) for p in told.problems]
            console.print(table(("where", "reason", "found"), rows))
        if told.fates:
            console.print(", ".join(f"{number} {fate}" for fate, number in told.fates.items()))

    current().done(answer, show)


def register(app: typer.Typer) -> None:
    """Adds the group."""
    app.add_typer(import_app)
