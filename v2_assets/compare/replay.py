"""What V2's own staged records say about changed cells, and about rows that V2 holds under another key than V1.

The staged record behind a row is read again by the table's own select. If that gives V2's values, the source says so
and V1 is older or wrong; if it does not, V2 does not hold what its source told: a fault of ours.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import psycopg
from psycopg import sql

from v2_assets.merge import Unit
from v2_assets.merge.session import complete, scratch, select_into
from v2_assets.merge.statements import SOURCE_OF, same_key, staging, v2
from v2_assets.order import ALL_WORK

#: Differences whose records are read again at once.
BATCH = 5_000
_WAITING = """
select n from comparison_found f where kind = 'changed' and reason is null and n > %s
  and exists (select from {stage} s where s.v2_id = f.v2_id and s.status = 'processed') order by n limit {most}
"""
_RECORDS = """
create temp table batch on commit drop as
select distinct on (s.v2_id) s.* from {stage} s join comparison_found f on f.v2_id = s.v2_id
where f.n = any(%s) and s.status = 'processed' order by s.v2_id, s.source_updated_at desc nulls last, s.id
"""
_TOLD = """
select f.n, s.id as staged_id, s.source_updated_at as stamp, to_jsonb(r) as told, to_jsonb(v) as held
from comparison_found f join batch s on s.v2_id = f.v2_id join replayed r on r.staged_id = s.id
join {live} v on v.id = f.v2_id where f.n = any({ids})
"""
_JUDGE = """
with told as ({told}),
verdicts as (
  select t.n, min(t.staged_id) as staged_id, max(t.stamp) as stamp, bool_or(t.told ? c.key) as asked,
    jsonb_agg(c.key) filter (where t.told ? c.key and t.told -> c.key is distinct from t.held -> c.key) as wrong
  from told t join comparison_found f on f.n = t.n cross join lateral jsonb_each(f.cells) c group by t.n
)
update comparison_found f set
  reason = case when v.wrong is not null then 'bug'
    when v.stamp > g.v1_at or (v.stamp is not null and g.v1_at is null) then 'newer_at_source'
    when v.asked then 'v1_wrong' end,
  evidence = jsonb_strip_nulls(jsonb_build_object('stage', {name}::text, 'staged_id', v.staged_id,
    'source_updated_at', v.stamp, 'v1_updated_at', g.v1_at, 'not_what_the_source_says', v.wrong))
from verdicts v join comparison_found g on g.n = v.n where f.n = v.n
"""


_COPIES = """
create temp table batch on commit drop as select s.* from {stage} s where s.id in (
  select staged_id from comparison_copies where stage = {name} and status = 'processed' and alive
    or status in ('processed', 'duplicate') and gone and not ended)
"""
_SAME = """
update comparison_copies c set same = case when alive then coalesce({same}, false) end,
  ended = ended or r.deleted_at is not null
from replayed r, {live} v
where c.stage = {name} and r.staged_id = c.staged_id and r.fate is null and v.id = c.v2_id
"""


def same_records(cur: psycopg.Cursor[Any], table: str) -> None:
    """Says of staged copies of missing rows that are in V2 whether their record has the key of the row there, and of
    those whose row is deleted whether the record itself says so.
    """
    for unit in units_of(table):
        words = {"stage": staging(unit.stage), "name": sql.Literal(unit.stage), "live": v2(table)}
        with scratch(cur):
            cur.execute(sql.SQL(_COPIES).format(**words))
            if cur.rowcount:
                cur.execute("analyze batch")
                names, _ = select_into(cur, "replayed", unit.sql)
                complete(cur, "replayed", names, SOURCE_OF[unit.stage], None)
                cur.execute(sql.SQL(_SAME).format(same=same_key("r", "v", table), **words))
                cur.execute("drop table replayed")
            cur.execute("drop table batch")


def changed(cur: psycopg.Cursor[Any], table: str) -> None:
    """Gives changed rows their reason, as far as a staged record stands behind them."""
    for unit in units_of(table):
        last, stage = 0, staging(unit.stage)
        while ids := _numbers(cur, stage, last):
            last = ids[-1]
            _replay(cur, unit, ids)


def units_of(table: str) -> list[Unit]:
    """The units that fill a table."""
    return [each for each in ALL_WORK if isinstance(each, Unit) and each.table == table]


def _numbers(cur: psycopg.Cursor[Any], stage: sql.Identifier, after: int) -> list[int]:
    query = sql.SQL(_WAITING).format(stage=stage, most=sql.Literal(BATCH))
    return [row[0] for row in cur.execute(query, [after]).fetchall()]


def _replay(cur: psycopg.Cursor[Any], unit: Unit, ids: Sequence[int]) -> None:
    with scratch(cur):
        cur.execute(sql.SQL(_RECORDS).format(stage=staging(unit.stage)), [list(ids)])
        cur.execute("analyze batch")
        select_into(cur, "replayed", unit.sql)
        judge(cur, unit, sql.SQL(_TOLD).format(live=v2(unit.table), ids=sql.Literal(list(ids))))
        cur.execute("drop table batch, replayed")


def judge(cur: psycopg.Cursor[Any], unit: Unit, told: sql.Composed) -> None:
    """Gives changed rows their reason out of what records of the unit say of them now.

    `told` selects: the number of the difference, `staged_id` and `stamp` of the record, and as jsonb what the record
    says (`told`) and what V2 has (`held`).
    """
    cur.execute(sql.SQL(_JUDGE).format(told=told, name=sql.Literal(unit.stage)))
