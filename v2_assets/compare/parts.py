"""What the record that carries a part says of it: a person on a deal, its money, a milestone of an order.

The carrier's staged record is read again by the part's own select. If it still tells a missing part, V2 lost it; if it
tells its other parts and this one no more, the source has dropped it. A record that tells nothing of the kind, or that
names the part where the select does not find it, proves nothing. A changed part is judged as a changed record is.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import Any

import psycopg
from psycopg import sql
from sqlalchemy import Text

from v2_assets.compare.follow import CARRIERS, imported
from v2_assets.compare.mapping import ColumnRule, V1Mapping, mapping_of
from v2_assets.compare.replay import BATCH, judge, units_of
from v2_assets.compare.sides import v1_side
from v2_assets.compare.statements import PASSES, from_file
from v2_assets.merge import Unit
from v2_assets.merge.session import complete, scratch, select_into
from v2_assets.merge.statements import SOURCE_OF, key_columns, same_key, staging, v2
from v2_assets.merge.unit import Child
from v2_assets.schema.stage import STREAMS

_CARRIER = """
select distinct p.id from comparison_found f join {carrier} p on p.id = (f.keys ->> {column})::bigint
where f.kind = 'missing' and f.reason is null and p.deleted_at is null and p.id > %s
  and exists (select from {stage} s where s.v2_id = p.id and s.status = 'processed') order by p.id limit {most}
"""
_WAITS = """
update comparison_found f set reason = s.status, evidence = jsonb_strip_nulls(jsonb_build_object(
  'carried_by', {carrier}::text, 'v2_id', s.v2_id, 'stage', {name}::text, 'staged_id', s.id, 'rule', s.status_reason,
  'waits_for', s.waits_for))
from {stage} s where f.kind = 'missing' and f.reason is null and s.v2_id = (f.keys ->> {column})::bigint
  and s.status in ('pending', 'deferred', 'rejected')
"""
_RECORDS = """
create temp table batch on commit drop as
select distinct on (s.v2_id) s.* from {stage} s where s.v2_id = any(%s) and s.status = 'processed'
order by s.v2_id, s.source_updated_at desc nulls last, s.id
"""
_CHANGED = """
select distinct v.{column} from comparison_found f join {live} v on v.id = f.v2_id
where f.kind = 'changed' and f.reason is null and v.source = {source} and v.{column} > %s
  and exists (select from {stage} s where s.v2_id = v.{column} and s.status = 'processed') order by 1 limit {most}
"""
_TOLD = """
select f.n, b.id as staged_id, b.source_updated_at as stamp, to_jsonb(p) as told, to_jsonb(v) as held
from comparison_found f join {live} v on v.id = f.v2_id join batch b on b.v2_id = v.{column} join part p on {same}
where f.kind = 'changed' and f.reason is null and v.source = {source}
"""
# Read a second time as the record of a carrier that V2 does not have, it tells only what is in itself.
_MERGED = """
create temp table merged on commit drop as
select id as staged_id, v2_id from batch union all select id, -v2_id from batch
"""
# A part of which V2 has no parent, because that is a part of the same record: asked for by the parent's own key.
_THROUGH = """
select f.n, (f.keys ->> {column})::bigint as v2_id, a._id::text as v1_id, jsonb_build_object({keys}) as keys
from comparison_found f join {v1} x on x.id::text = f.v1_id join ({parents}) a on a._id::text = x.{pointer}::text
where f.kind = 'missing' and f.reason is null and f.keys ->> {key} is null
"""
_ITSELF = """
select f.n, (f.keys ->> {column})::bigint as v2_id, f.v1_id, f.keys from comparison_found f
where f.kind = 'missing' and f.reason is null and not (f.keys @> any({lost}::jsonb[]))
"""


def carried(cur: psycopg.Cursor[Any], mapping: V1Mapping) -> None:
    """Gives missing parts their reason: what their carrier's record says of them, or that V2 lacks the carrier too."""
    carriers = CARRIERS.get(mapping.v2_table, ())
    for unit, child in _carrying(mapping.v2_table):
        _replay(cur, unit, child, mapping)
    for column, carrier in carriers:
        cur.execute(
            sql.SQL(
                "update comparison_found f set reason = 'unknown', evidence = jsonb_strip_nulls(jsonb_build_object("
                "'carried_by', {name}::text, 'v2_id', p.id, 'source', p.source,"
                " 'source_updated_at', p.source_updated_at)) from {carrier} p"
                " where f.kind = 'missing' and f.reason is null and p.id = (f.keys ->> {column})::bigint"
                " and p.deleted_at is null"
            ).format(name=sql.Literal(carrier), carrier=v2(carrier), column=sql.Literal(column))
        )
    if carriers:
        cur.execute(
            "update comparison_found set reason = 'never_fetched',"
            " evidence = jsonb_build_object('carried_by', %s::text, 'why', 'carrier_missing')"
            " where kind = 'missing' and reason is null",
            [carriers[0][1]],
        )


def changed(cur: psycopg.Cursor[Any], table: str) -> None:
    """Gives changed parts their reason, as far as their carrier's record tells them."""
    for unit, child in _carrying(table):
        source = SOURCE_OF[unit.stage]
        words = {
            "column": sql.Identifier(child.parent), "live": v2(table), "source": sql.Literal(source),
            "stage": staging(unit.stage), "most": sql.Literal(BATCH), "same": same_key("p", "v", table),
        }  # fmt: skip
        last = 0
        while ids := [row[0] for row in cur.execute(sql.SQL(_CHANGED).format(**words), [last]).fetchall()]:
            last = ids[-1]
            with scratch(cur):
                cur.execute(sql.SQL(_RECORDS).format(stage=staging(unit.stage)), [ids])
                cur.execute("create temp table merged on commit drop as select id as staged_id, v2_id from batch")
                cur.execute("analyze batch")
                cur.execute("analyze merged")
                names, _ = select_into(cur, "part", child.sql, {"parent": child.parent})
                complete(cur, "part", names, source, None)
                judge(cur, unit, sql.SQL(_TOLD).format(**words))
                cur.execute("drop table batch, merged, part")


def _carrying(table: str) -> Iterator[tuple[Unit, Child]]:
    """The units whose records tell parts of this table, and how."""
    for column, carrier in CARRIERS.get(table, ()):
        for unit in units_of(carrier):
            yield from ((unit, child) for child in unit.children if (child.table, child.parent) == (table, column))


def _replay(cur: psycopg.Cursor[Any], unit: Unit, child: Child, mapping: V1Mapping) -> None:
    """Reads the carriers' records of one stream again, in batches."""
    words = {
        "carrier": sql.Literal(unit.table), "column": sql.Literal(child.parent), "stage": staging(unit.stage),
        "name": sql.Literal(unit.stage),
    }  # fmt: skip
    cur.execute(sql.SQL(_WAITS).format(**words))
    last = 0
    while ids := _carriers(cur, unit, child.parent, last):
        last = ids[-1]
        with scratch(cur):
            cur.execute(sql.SQL(_RECORDS).format(stage=staging(unit.stage)), [ids])
            cur.execute(_MERGED)
            cur.execute("analyze batch")
            cur.execute("analyze merged")
            for told_by, asked in _asked(unit, child, mapping):
                select_into(cur, "part", told_by.sql, {"parent": told_by.parent})
                cur.execute("analyze part")
                cur.execute(_judgement(unit, told_by, asked, words))
                cur.execute("drop table part")
            cur.execute("drop table batch, merged")


def _carriers(cur: psycopg.Cursor[Any], unit: Unit, column: str, after: int) -> list[int]:
    query = sql.SQL(_CARRIER).format(
        carrier=v2(unit.table), column=sql.Literal(column), stage=staging(unit.stage), most=sql.Literal(BATCH),
    )  # fmt: skip
    return [row[0] for row in cur.execute(query, [after]).fetchall()]


def _asked(unit: Unit, child: Child, mapping: V1Mapping) -> Iterator[tuple[Child, sql.Composed]]:
    """The select that is asked, and what it is asked for: number of the difference, carrier, key of the part."""
    siblings = {each.table: each for each in unit.children if each is not child and each.parent == child.parent}
    through = [rule for rule in mapping.keys if rule.kind == "pointer" and rule.target in siblings]
    lost = [f'{{"{rule.v2}": null}}' for rule in through]
    yield child, sql.SQL(_ITSELF).format(column=sql.Literal(child.parent), lost=sql.Literal(lost))
    for rule in through:
        sibling = siblings[str(rule.target)]
        yield sibling, _through(rule, sibling, mapping)


def _through(rule: ColumnRule, sibling: Child, mapping: V1Mapping) -> sql.Composed:
    parent = mapping_of(sibling.table)
    if parent is None:
        raise ValueError(f"v2.{sibling.table} has no mapping, so nothing of V1 can point to it")
    keys = sql.SQL(", ").join(
        sql.SQL("{0}, case when a.{1}::text !~ '^-' then a.{1} end" if key.kind == "pointer" else "{0}, a.{1}").format(
            sql.Literal(key.v2), sql.Identifier(key.v2)
        )
        for key in parent.keys
    )
    return sql.SQL(_THROUGH).format(
        column=sql.Literal(sibling.parent),
        keys=keys,
        v1=sql.Identifier("v1", mapping.table),
        parents=v1_side(replace(parent, columns=(), also=()), once=False, owned=False),
        pointer=sql.Identifier(rule.v1),
        key=sql.Literal(rule.v2),
    )


def _judgement(unit: Unit, told_by: Child, asked: sql.Composed, words: dict[str, Any]) -> sql.Composed:
    stream = next(each for each in STREAMS if each.table == unit.stage)
    return from_file("parts.sql").format(
        asked=asked,
        passes=PASSES,
        parent=sql.Identifier(told_by.parent),
        words=sql.Literal(_words(told_by.table)),
        told_by=sql.Literal(told_by.table),
        imported=_imported(told_by.table),
        integration=sql.Literal(stream.integration),
        entity=sql.Literal(stream.entity),
        **words,
    )


def _imported(table: str) -> sql.Composable:
    """Whether V1's own row of the part `a` was imported."""
    own = [each for each in imported(table) if each.integration == "xano"]
    copies = [
        sql.SQL("exists (select from {} x where x.source_id = a.v1_id)").format(staging(each.table)) for each in own
    ]
    return sql.SQL(" or ").join(copies) if copies else sql.SQL("false")


def _words(table: str) -> Sequence[str]:
    """The parts of the table's key that are words of the source."""
    return [str(c.name) for c in key_columns(table) if c.name != "source" and isinstance(c.type, Text)]
