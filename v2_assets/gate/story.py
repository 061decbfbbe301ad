"""What the page tells, read from the database: counts over time, reasons, columns, a few examples of each table."""

from __future__ import annotations

from collections import defaultdict
from typing import Any

import psycopg
from psycopg.rows import dict_row

from v2_assets.api.catalogue import CATALOGUE
from v2_assets.compare.reasons import EXPLAINED
from v2_assets.gate.look import Gate
from v2_assets.gate.page import EXAMPLES, Count, EndpointStory, Example, Story, TableStory
from v2_assets.gate.rules import Shadowed
from v2_assets.gate.switch import decisions, in_force

#: Complete comparisons that the plots reach back.
REACH = 60
DECISIONS = 30

_COUNTS = """
with run as (
  select id, ended_at from ops.comparison_run where status = 'complete' and scope = 'full' order by id desc limit %s
),
counted as (
  select run_id, table_name,
    sum(rows) filter (where kind = 'missing' and reason <> 'in_flight') as missing,
    sum(rows) filter (where kind = 'extra' and reason <> 'in_flight') as extra,
    sum(rows) filter (where kind = 'changed' and reason <> 'in_flight') as changed,
    sum(rows) filter (where reason = 'in_flight') as in_flight
  from ops.comparison_count where run_id in (select id from run) group by 1, 2
)
select t.table_name, run.ended_at as at, true as complete, coalesce(t.rows_v1, 0) as v1_rows,
  coalesce(t.rows_v2, 0) as v2_rows, coalesce(c.missing, 0)::bigint as missing, coalesce(c.extra, 0)::bigint as extra,
  coalesce(c.changed, 0)::bigint as changed, coalesce(c.in_flight, 0)::bigint as in_flight
from run join ops.comparison_table t on t.run_id = run.id and t.status = 'compared'
left join counted c on c.run_id = t.run_id and c.table_name = t.table_name
order by run.id
"""
#: The newest complete comparison of each table: what the reasons, columns and examples are of.
_NEWEST = """
select distinct on (t.table_name) t.table_name, t.run_id, t.changed_columns
from ops.comparison_table t join ops.comparison_run r on r.id = t.run_id
where r.status = 'complete' and r.scope = 'full' and t.status = 'compared'
  and r.id in (select id from ops.comparison_run where status = 'complete' and scope = 'full' order by id desc limit %s)
order by t.table_name, t.run_id desc
"""
_REASONS = """
select c.table_name, c.reason, sum(c.rows)::bigint from ops.comparison_count c
join unnest(%(tables)s::text[], %(runs)s::bigint[]) newest (table_name, run_id) using (table_name, run_id)
group by 1, 2
"""
# A few of each reason before many of one.
_EXAMPLES = """
select table_name, kind, keys, cells, reason, known, evidence from (
  select d.*, row_number() over (partition by d.table_name, d.kind, d.reason order by d.id) as number,
    d.reason = any(%(explained)s) as excused
  from ops.comparison_diff d
  join unnest(%(tables)s::text[], %(runs)s::bigint[]) newest (table_name, run_id) using (table_name, run_id)
) d where number <= %(most)s order by table_name, excused, number, reason
"""


def story(connection: psycopg.Connection[Any], gate: Gate) -> Story:
    """The page's content for this state of the gate."""
    rollout = in_force(connection)
    newest = connection.execute(_NEWEST, [REACH]).fetchall()
    wanted = {
        "tables": [table for table, _, _ in newest],
        "runs": [run_id for _, run_id, _ in newest],
        "explained": sorted(EXPLAINED),
        "most": EXAMPLES,
    }
    columns = {table: changed for table, _, changed in newest}
    counts: dict[str, list[Count]] = defaultdict(list)
    reasons: dict[str, dict[str, int]] = defaultdict(dict)
    examples: dict[str, list[Example]] = defaultdict(list)
    with connection.cursor(row_factory=dict_row) as cur:
        for row in cur.execute(_COUNTS, [REACH]):
            counts[row.pop("table_name")].append(Count(**row))
        for row in cur.execute(_EXAMPLES, wanted):
            if len(of_table := examples[row["table_name"]]) < EXAMPLES:
                of_table += _examples(row)
    for table, reason, number in connection.execute(_REASONS, wanted).fetchall():
        reasons[table][reason] = number
    return Story(
        at=gate.at,
        tables={
            name: TableStory(verdict, counts[name], reasons[name], columns.get(name, {}), examples[name])
            for name, verdict in gate.tables.items()
        },
        endpoints={
            each.path: EndpointStory(
                gate.endpoints[each.path],
                each.reads,
                gate.shadowed.get(each.path, Shadowed()),
                gate.shadow_reasons.get(each.path, {}),
                rollout.share(each.path),
            )
            for each in CATALOGUE
        },
        users=list(gate.users.values()),
        decisions=decisions(connection, DECISIONS),
        accepted=EXPLAINED,
    )


def _examples(row: dict[str, Any]) -> list[Example]:
    """A missing or extra row is one line, a changed one a line for each cell, the first with the evidence."""
    evidence = dict(row["evidence"]) | ({"known": row["known"]} if row["known"] else {})
    if row["kind"] != "changed":
        return [Example(row["kind"], row["reason"], row["keys"], evidence=evidence)]
    return [
        Example(row["kind"], row["reason"], row["keys"], column, v1, v2, {} if number else evidence)
        for number, (column, (v1, v2)) in enumerate(row["cells"].items())
    ]
