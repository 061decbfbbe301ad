"""What must hold for every table: one rule, one query that selects the ids of the rows that break it.

Generated from the declarations and the merge units, so that a new table is checked from its first day. What Postgres
itself holds whatever happens (keys, required columns, the ledger's fates) needs no rule. No Dagster here.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Literal

import psycopg
from psycopg import sql
from sqlalchemy import Table

from v2_assets.merge import Derived, Fact, MergeCounts, Unit
from v2_assets.merge.statements import SOURCE_OF, staging, v2
from v2_assets.order import ALL_WORK
from v2_assets.schema import metadata
from v2_assets.schema.ownership import owners_of
from v2_assets.schema.stage import STREAMS, Stream
from v2_assets.staging.streams import READINGS

#: Ids of offending rows that a result names.
SAMPLE = 10
#: A parent that has not come for so long probably never will.
LONGEST_WAIT = "24 hours"


#: Tables whose rows others delete too: the product, a record that carries them as its parts, or a rule of the table's
#: own (a pending contribution ends when it is settled).
_DELETED_OTHERWISE = {
    *(table.name for table in metadata.sorted_tables if "product" in table.info["sources"]),
    *(child.table for unit in ALL_WORK if isinstance(unit, Unit) for child in unit.children),
    "contributions_pending",
}


@dataclass(frozen=True, slots=True)
class Rule:
    """One rule of one table (its bare name). `broken` selects one column `id`: the rows that break it."""

    table: str
    name: str
    severity: Literal["WARN", "ERROR"]
    meaning: str
    broken: sql.Composed


@dataclass(frozen=True, slots=True)
class Verdict:
    """How many rows break a rule, and the ids of the first of them."""

    number: int
    ids: tuple[int, ...]


def judge(connection: psycopg.Connection[Any], rule: Rule) -> Verdict:
    """Runs a rule's query. An error of the query is an error, never a verdict."""
    row = connection.execute(
        sql.SQL("select count(*), (array_agg(id order by id))[1:{}] from ({}) broken").format(
            sql.Literal(SAMPLE), rule.broken
        )
    ).fetchone()
    number, ids = row or (0, None)
    return Verdict(number, tuple(ids or ()))


def rules() -> tuple[Rule, ...]:
    """Every rule of every table."""
    return (*(r for stream in STREAMS for r in _of_staging(stream)), *_of_v2())


def _of_staging(stream: Stream) -> Iterator[Rule]:
    names = {"stage": staging(stream.table), "live": v2(stream.primary)}
    yield Rule(
        stream.table,
        "fates_point_somewhere",
        "ERROR",
        f"Every processed record has its row in {stream.primary}, every duplicate a record that stands for it.",
        sql.SQL(
            "select s.id from {stage} s where (s.status = 'processed'"
            "  and not exists (select from {live} v where v.id = s.v2_id))"
            " or (s.status = 'duplicate' and not exists"
            "  (select from {stage} w where w.id = s.duplicate_of and w.status <> 'duplicate'))"
        ).format(**names),
    )
    yield Rule(
        stream.table,
        "what_is_gone_is_deleted",
        "ERROR",
        f"What two complete sweeps no longer met does not live on in {stream.primary}.",
        sql.SQL(
            "select s.id from {stage} s join {live} v on v.id = s.v2_id"
            " where s.missed_sweeps >= 2 and s.status <> 'pending' and v.deleted_at is null and not exists"
            "  (select from {stage} o where o.v2_id = v.id and o.missed_sweeps < 2)"
        ).format(**names),
    )
    if READINGS[stream.integration, stream.entity].sweeps and stream.primary not in _DELETED_OTHERWISE:
        yield _lives(stream)
    yield Rule(
        stream.table,
        "nothing_waits_too_long",
        "WARN",
        f"No record waits for its parent for more than {LONGEST_WAIT}.",
        sql.SQL(
            "select id from {stage} where status = 'deferred' and fetched_at < now() - {wait}::interval"
            " and missed_sweeps < 2"
        ).format(wait=sql.Literal(LONGEST_WAIT), **names),
    )


def _lives(stream: Stream) -> Rule:
    """A row that was deleted after a copy of it had been looked at, while that copy is not gone.

    What the source itself calls deleted is deleted when it is looked at. Nobody's copy keeps a row whose owner is
    deleted, and where a copy is merged that one tells.
    """
    names = {"stage": staging(stream.table), "live": v2(stream.primary)}
    owners = [
        sql.SQL(" and not exists (select from {} o where o.id = v.{} and o.deleted_at is not null)").format(
            v2(owner), sql.Identifier(column)
        )
        for column, owner in owners_of(stream.primary)
    ]
    return Rule(
        stream.table,
        "what_lives_is_not_deleted",
        "ERROR",
        f"No row of {stream.primary} was deleted while somebody still sees a copy of its record.",
        sql.SQL(
            "select s.id from {stage} s join {live} v on v.id = s.v2_id"
            " where s.missed_sweeps < 2 and s.status <> 'pending' and v.deleted_at > s.processed_at"
            " and (s.status = 'processed' or not exists (select from {stage} o where o.v2_id = v.id"
            "  and o.status in ('processed', 'pending') and o.missed_sweeps < 2)){owners}"
        ).format(owners=sql.SQL("").join(owners), **names),
    )


def _of_v2() -> Iterator[Rule]:
    for table in (t for t in metadata.sorted_tables if t.schema == "v2"):
        if not table.info["may_be_empty"]:
            yield _has_rows(table)
        if any(column.foreign_keys for column in table.columns):
            yield _parents_exist(table)
        if rule := _provenance(table.name):
            yield rule
    for name in dict.fromkeys(w.table for w in ALL_WORK if isinstance(w, Unit)):
        yield Rule(
            name,
            "ledger_adds_up",
            "ERROR",
            "Every merge gave each staged record that it read exactly one fate.",
            sql.SQL(
                "select id from ops.merge_run where table_name = {} and (counts ->> 'read')::bigint is distinct from {}"
            ).format(sql.Literal(name), _FATES),
        )
    for name in dict.fromkeys(w.table for w in ALL_WORK if isinstance(w, Derived)):
        yield Rule(
            name,
            "nothing_is_parked",
            "ERROR",
            "No key of what is computed into the table is set aside because Postgres refuses to compute it.",
            sql.SQL("select id from ops.parked_key where table_name = {}").format(sql.Literal(name)),
        )
    # A table that several sources fill has one rule for all of them.
    families: dict[tuple[str, str, str], set[str]] = {}
    for unit in (w for w in ALL_WORK if isinstance(w, Unit)):
        for child in unit.children:
            families.setdefault((child.table, unit.table, child.parent), set()).add(SOURCE_OF[unit.stage])
    for (child_table, parent_table, column), sources in families.items():
        yield Rule(
            child_table,
            f"ends_with_its_{parent_table}",
            "ERROR",
            f"No living row belongs to a deleted {parent_table}.",
            sql.SQL(
                "select c.id from {child} c join {parent} p on p.id = c.{column}"
                " where c.deleted_at is null and p.deleted_at is not null and p.source = any({sources})"
            ).format(
                child=v2(child_table),
                parent=v2(parent_table),
                column=sql.Identifier(column),
                sources=sql.Literal(sorted(sources)),
            ),
        )
    yield Rule(
        "network_hierarchy",
        "sponsors_make_no_circle",
        "WARN",
        "No sponsor or down-line says the opposite of a pair: where sponsors make a circle, one direction was kept.",
        sql.SQL(
            "select h.id from {closure} h where h.deleted_at is null and (exists"
            "  (select from {sponsor} s where s.agent_id = h.ancestor_agent_id"
            "   and s.sponsor_agent_id = h.descendant_agent_id and s.deleted_at is null)"
            " or exists (select from {member} m where m.agent_id = h.descendant_agent_id"
            "   and m.downline_agent_id = h.ancestor_agent_id and m.deleted_at is null))"
        ).format(closure=v2("network_hierarchy"), sponsor=v2("agent_hierarchy"), member=v2("network_member")),
    )


#: What a merge says that it did with its records, together.
_FATES = sql.SQL(" + ").join(
    sql.SQL("coalesce((counts ->> {})::bigint, 0)").format(sql.Literal(fate)) for fate in MergeCounts.FATES
)


def _has_rows(table: Table) -> Rule:
    """An empty table is news only when a source of it has been read whole for a day and still gave it nothing."""
    integrations = ["xano" if source == "v1" else source for source in table.info["sources"]]
    return Rule(
        table.name,
        "has_rows",
        "WARN",
        "The table has rows, once a source of it has been read whole for a day.",
        sql.SQL(
            "select 0::bigint as id where not exists (select from {table}) and exists (select from ops.sync_state"
            " where last_full_at < now() - {wait}::interval and ({derived} or integration = any({integrations})))"
        ).format(
            table=v2(table.name),
            wait=sql.Literal(LONGEST_WAIT),
            derived=sql.Literal(bool({"derived", "seed", "product"} & set(integrations))),
            integrations=sql.Literal(integrations),
        ),
    )


def _parents_exist(table: Table) -> Rule:
    """Postgres refuses orphans, but not while a restore or an import has its foreign keys switched off."""
    orphans: list[sql.Composed] = []
    for key in (key for column in table.columns for key in column.foreign_keys):
        orphans.append(
            sql.SQL(
                "select c.id from {child} c where c.{column} is not null"
                " and not exists (select from {parent} p where p.{target} = c.{column})"
            ).format(
                child=v2(table.name),
                column=sql.Identifier(key.parent.name),
                parent=sql.Identifier(str(key.column.table.schema), key.column.table.name),
                target=sql.Identifier(key.column.name),
            )
        )
    return Rule(
        table.name,
        "parents_exist",
        "ERROR",
        "Every row that names a parent has it: no foreign key points to nothing.",
        sql.SQL(" union ").join(orphans),
    )


def _provenance(table: str) -> Rule | None:
    """For tables that only units fill: a living row has a staged record. Facts and derived rows have other origins."""
    mine = [w for w in ALL_WORK if w.table == table]
    units = [w for w in mine if isinstance(w, Unit)]
    if not units or any(isinstance(w, Fact) for w in mine):
        return None
    staged = sql.SQL(" and ").join(
        sql.SQL("not exists (select from {} s where s.v2_id = v.id)").format(staging(unit.stage)) for unit in units
    )
    sources = sorted({SOURCE_OF[unit.stage] for unit in units})
    return Rule(
        table,
        "comes_from_staging",
        "ERROR",
        "Every living row has the staged record that it was made from.",
        sql.SQL("select v.id from {} v where v.deleted_at is null and v.source = any({}) and {}").format(
            v2(table), sql.Literal(sources), staged
        ),
    )
