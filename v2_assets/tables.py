"""The one body behind every V2 asset: for each user of the run, facts, units and derived tables, then the numbers.

What a table means is in its `.sql` file and `units.py`; each domain's `assets.py` calls `v2_asset` once per table (or
once for tables that are merged in one transaction).
"""

import logging
from collections.abc import Iterator, Mapping, Sequence, Set
from contextlib import nullcontext
from graphlib import TopologicalSorter
from typing import Any

import dagster as dg
import psycopg
import stamina
from psycopg import sql

from resources.errors import DatabaseError, Unexpected, V2Error
from resources.postgres import Database, is_transient
from v2_assets.automation import BACKFILL, OWNERS
from v2_assets.describe import declared_metadata, description, freshness
from v2_assets.merge import Derived, Fact, MergeCounts, TableCounts, Unit, merge_work
from v2_assets.merge.statements import TELLS_FACTS, WANTS_MERGING
from v2_assets.partitions import users
from v2_assets.platform_resource import PlatformResource
from v2_assets.recording import Metadata, Recorder, users_of
from v2_assets.schema import metadata
from v2_assets.schema.stage import STREAMS
from v2_assets.users import connected, living

log = logging.getLogger(__name__)


def v2_asset(
    *work: Unit | Fact | Derived, parents: Mapping[str, tuple[str, ...]], name: str | None = None
) -> dg.AssetsDefinition:
    """The asset of one V2 table, or of the tables that this work fills in one transaction.

    `parents` says for each table which V2 tables its select looks up; together with the staging tables of the work they
    are the asset's upstreams, and so the dependency order.
    """
    tables = _parents_first(tables_of(work), parents)
    units = {w.stage for w in work if isinstance(w, Unit)}
    facts = {w.stage for w in work if isinstance(w, Fact)}
    keys = {table: dg.AssetKey(table) for table in tables}
    specs = [
        dg.AssetSpec(
            keys[table],
            deps=[*_stages_of(table, work), *(p for p in parents.get(table, ()) if p != table)],
            description=description(table),
            group_name=metadata.tables[f"v2.{table}"].info["domain"],
            kinds={"postgres", "sql"},
            owners=OWNERS,
            metadata=declared_metadata("v2", table),
            freshness_policy=freshness("v2", table),
        )
        for table in tables
    ]

    # What is computed from other tables may have changed through another table's merge, so it is looked at every time.
    derived = tuple(w for w in work if isinstance(w, Derived))

    @dg.multi_asset(specs=specs, name=name or tables[0], partitions_def=users, backfill_policy=BACKFILL)
    def table_body(context: dg.AssetExecutionContext, platform: PlatformResource) -> Iterator[dg.MaterializeResult]:
        recorder = Recorder(context, tuple(keys.values()))
        database = platform.database
        total = MergeCounts()
        with database.connect(autocommit=True) as connection:
            wanted = living(connection, users_of(context))
            working = _with_work(connection, units, facts, wanted)
            looked_at = _read_for(connection, _integrations_of(context), units | facts, wanted)
            for user_id in wanted:
                counts = MergeCounts()
                try:
                    if mine := work if user_id in working else derived:
                        counts = merge_user(database, mine, user_id, context.run.run_id, connection)
                except Exception as error:
                    recorder.failure(user_id, _failure_of(error))
                    continue
                total.add(counts)
                if user_id in working or user_id in looked_at:
                    recorder.finished(user_id, {keys[t]: _metadata(t, counts, t in _primaries(work)) for t in tables})
        context.log.info(
            f"{', '.join(tables)}: {len(working)} of {len(wanted)} users had staged work; {total.as_dict()}"
        )
        yield from recorder.results()

    return table_body


def merge_user(
    database: Database,
    work: Sequence[Unit | Fact | Derived],
    user_id: int,
    run_id: str,
    connection: psycopg.Connection[Any] | None = None,
) -> MergeCounts:
    """One user's share of an asset: facts first, then units, then derived tables. Tried again when the server restarts.

    `connection`: one in autocommit to use while it lasts; without it, one is opened. Raises LedgerBroken or
    DatabaseError; what was committed before stays, the rest is still pending.
    """
    total = MergeCounts()
    for attempt in stamina.retry_context(on=_worth_another_try, attempts=4, wait_max=5):
        kept = connection if connection and not connection.closed else None
        with attempt, nullcontext(kept) if kept else database.connect(autocommit=True) as mine:
            total.add(merge_work(mine, work, user_id, run_id))
    return total


def _worth_another_try(error: Exception) -> bool:
    return isinstance(error, DatabaseError | psycopg.Error) and is_transient(error)


def tables_of(work: Sequence[Unit | Fact | Derived]) -> list[str]:
    """Every V2 table that this work fills."""
    names: list[str] = []
    for each in work:
        names.append(each.table)
        if isinstance(each, Unit):
            names += [part.table for part in (*each.history, *each.children)]
    return list(dict.fromkeys(names))


def _parents_first(tables: list[str], parents: Mapping[str, tuple[str, ...]]) -> list[str]:
    """Dagster wants the outputs of one step in the order of the graph."""
    inside = {table: [p for p in parents.get(table, ()) if p in tables and p != table] for table in tables}
    return list(TopologicalSorter(inside).static_order())


def _primaries(work: Sequence[Unit | Fact | Derived]) -> set[str]:
    return {w.table for w in work if isinstance(w, Unit)}


def _stages_of(table: str, work: Sequence[Unit | Fact | Derived]) -> list[str]:
    stages = [w.stage for w in work if isinstance(w, Unit | Fact) and table in tables_of([w])]
    return list(dict.fromkeys(stages))


def _with_work(
    connection: psycopg.Connection[Any], units: Set[str], facts: Set[str], user_ids: Sequence[int]
) -> set[int]:
    """The users who have rows in these staging tables that want merging; everybody else costs no transaction."""
    wanted = [(stage, WANTS_MERGING) for stage in sorted(units)] + [(stage, TELLS_FACTS) for stage in sorted(facts)]
    if not wanted:
        return set()
    query = sql.SQL(" union ").join(
        sql.SQL("select distinct user_id from {} where user_id = any(%(users)s) and {}").format(
            sql.Identifier("staging", stage), which
        )
        for stage, which in wanted
    )
    return {row[0] for row in connection.execute(query, {"users": list(user_ids)}).fetchall()}


def _integrations_of(context: dg.AssetExecutionContext) -> list[str]:
    """The integrations that this very run reads."""
    selected = context.job_def.asset_layer.selected_asset_keys
    return sorted({stream.integration for stream in STREAMS if dg.AssetKey(stream.table) in selected})


def _read_for(
    connection: psycopg.Connection[Any], integrations: Sequence[str], stages: Set[str], user_ids: Sequence[int]
) -> set[int]:
    """The users whose table is as their sources are when nothing of theirs waits any more.

    In a run that only merges that is everybody it works for. In one that reads, it is whoever was read: with a usable
    connection to what the run reads, and without a failure of the streams that the table is made from.
    """
    if not integrations:
        return set(user_ids)
    entities = [s.entity for s in STREAMS if s.table in stages and s.integration in integrations]
    failed = connection.execute(
        "select user_id from ops.sync_state where user_id = any(%s) and integration = any(%s) and entity = any(%s)"
        " and status in ('failed', 'excluded')",
        [list(user_ids), list(integrations), entities],
    ).fetchall()
    return set(connected(connection, integrations, user_ids)) - {row[0] for row in failed}


def _metadata(table: str, counts: MergeCounts, primary: bool) -> Metadata:
    written = counts.tables.get(table) or TableCounts()
    values: dict[str, Any] = {
        "rows_inserted": written.inserted,
        "rows_updated": written.updated,
        "rows_unchanged": written.unchanged,
        "rows_removed": written.removed,
    }
    if primary:
        values |= {"staged_read": counts.read, **{f"staged_{k}": v for k, v in counts.by_fate().items()}}
        values["waiters_released"] = counts.released
    if counts.parked:
        values["keys_parked"] = counts.parked
    return values


def _failure_of(error: Exception) -> V2Error:
    """What an exception is for the user whose merge it ended; a defect's place in the code goes to the log."""
    if isinstance(error, V2Error):
        return error
    if not isinstance(error, psycopg.Error):
        failure = Unexpected.of(error)
        log.warning("not merged: [%s] %s: %s", failure.code, failure.message, failure.context)
        return failure
    return DatabaseError(
        f"Postgres refused a merge: {type(error).__name__} {error.sqlstate or ''}",
        retryable=is_transient(error),
        context={"sqlstate": error.sqlstate, "constraint": error.diag.constraint_name},
    )
