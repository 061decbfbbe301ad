"""`v2 tables`: every table of the product with its sources, its rows, when it was last materialized and by what."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any

import typer

from v2_assets.cli.opened import opened
from v2_assets.cli.output import current, table


def tables(
    domain: Annotated[str | None, typer.Option(help="only the tables of this domain, e.g. deals")] = None,
) -> None:
    """List every table: sources, rows, last materialization, what starts it, and why it may be empty."""
    from v2_assets.cli.runs import as_platform
    from v2_assets.schema import metadata

    domains = sorted({t.info["domain"] for t in metadata.tables.values() if t.schema == "v2"})
    if domain is not None and domain not in domains:
        raise typer.BadParameter(f"there is no domain {domain!r}; known: {', '.join(domains)}")
    with opened() as o:
        as_platform(o)
        rows = [row for row in listing(o.database) if domain in (None, row["domain"])]

    def human(console: Any) -> None:
        columns = ("domain", "table", "sources", "rows", "deleted", "last materialized", "by", "started by")
        shown = [
            (
                row["domain"],
                row["table"],
                ", ".join(row["sources"]),
                row["rows"],
                row["deleted"],
                f"{row['last_materialized']:%Y-%m-%d %H:%M:%S}" if row["last_materialized"] else None,
                row["last_started_by"],
                ", ".join(t.partition(" ")[0] for t in row["triggers"]) or "the product",
            )
            for row in rows
        ]
        console.print(table(columns, shown))
        for row in rows:
            if not row["rows"]:
                console.print(f"{row['table']} is empty: {row['may_be_empty'] or 'it should not be'}")

    current().done(rows, human)


def listing(database: Any) -> list[dict[str, Any]]:
    """One entry per table of schema v2, in the order in which the asset graph builds them."""
    import dagster as dg

    from v2_assets.definitions import defs
    from v2_assets.schema import metadata
    from v2_assets.triggers import triggers

    repository = defs.get_repository_def()
    graph = repository.asset_graph
    order = {key.to_user_string(): n for n, key in enumerate(graph.toposorted_asset_keys)}
    declared = [t for t in metadata.tables.values() if t.schema == "v2"]
    keys = [dg.AssetKey(t.name) for t in declared if dg.AssetKey(t.name) in graph.materializable_asset_keys]
    instance = dg.DagsterInstance.get()
    last = latest(instance, keys)
    held = triggers(repository, instance)
    counts = _counts(database, [t.name for t in declared])
    return [
        {
            "domain": t.info["domain"],
            "table": t.name,
            "sources": list(t.info["sources"]),
            "rows": counts[t.name][0],
            "deleted": counts[t.name][1],
            "last_materialized": last.get(t.name, (None, None))[0],
            "last_started_by": last.get(t.name, (None, None))[1],
            "triggers": [each.label for each in held if each.on and t.name in each.assets],
            "may_be_empty": t.info["may_be_empty"],
        }
        for t in sorted(declared, key=lambda t: (order.get(t.name, -1), t.name))
    ]


def _counts(database: Any, names: list[str]) -> dict[str, tuple[int, int]]:
    """Living and soft-deleted rows per table."""
    from psycopg import sql

    query = sql.SQL(" union all ").join(
        sql.SQL("select {}, count(*) filter (where deleted_at is null), count(deleted_at) from {}").format(
            sql.Literal(name), sql.Identifier("v2", name)
        )
        for name in names
    )
    with database.connect() as connection:
        return {row[0]: (row[1], row[2]) for row in connection.execute(query).fetchall()}


def latest(instance: Any, keys: list[Any]) -> dict[str, tuple[datetime, str]]:
    """When each asset was last materialized, and what kind of run did it."""
    from datetime import UTC

    from v2_assets.automation import KIND_TAG

    entries = {
        record.asset_entry.asset_key.to_user_string(): record.asset_entry.last_materialization_record
        for record in instance.get_asset_records(keys)
        if record.asset_entry.last_materialization_record
    }
    kinds = {
        run_id: run.tags.get(KIND_TAG, "by hand") if (run := instance.get_run_by_id(run_id)) else "a run since removed"
        for run_id in {record.run_id for record in entries.values()}
    }
    return {
        name: (datetime.fromtimestamp(record.timestamp, UTC), kinds[record.run_id]) for name, record in entries.items()
    }


def register(app: typer.Typer) -> None:
    """Adds the command."""
    app.command()(tables)
