"""Why a row differs: every difference is followed back through merging, staging and reading to one reason.

Works on the comparison's temporary table `comparison_found`, with a handful of statements per table whatever the
number of differences (what is derived takes some for each owner). Here: the order in which reasons are looked for. Not
here: what a reviewed difference is (`known`), where V1 contradicts itself (`contradictions`), what V2's own records say
about a changed cell (`replay`), a part (`parts`) or a derived value (`derived`), and how differences are found.

Missing rows: reviewed, in flight, contradicted by V1 itself, deleted with their owner, staged (and how they stand),
carried by another record, deleted long ago, never read, not visible. Extra rows: staged or not. Changed rows: what the
staged record says, or what comes out of the inputs.
"""

from __future__ import annotations

from typing import Any

import psycopg
from psycopg import sql
from sqlalchemy.dialects import postgresql

from v2_assets.compare import contradictions, derived, known, parts, replay
from v2_assets.compare.follow import SOURCE_IDS, imported, living
from v2_assets.compare.mapping import V1Mapping
from v2_assets.compare.statements import PASSES, from_file
from v2_assets.merge import Derived, Fact, Unit
from v2_assets.merge.statements import declaration, key_columns, staging, v2
from v2_assets.order import ALL_WORK
from v2_assets.schema.ownership import owners_of
from v2_assets.schema.stage import Stream

_COPIES = """
create temp table comparison_copies (
  n bigint, imported boolean, stage text, staged_id bigint, status text, status_reason text, detail jsonb,
  waits_for text, v2_id bigint, duplicate_of bigint, missed_sweeps smallint, fetched_at timestamptz,
  alive boolean, gone boolean, ended boolean, same boolean, leads_to text)
"""
_COPY = """
insert into comparison_copies
select f.n, {imported}, {name}, s.id, s.status, s.status_reason, s.status_detail, s.waits_for, v.id,
  s.duplicate_of, s.missed_sweeps, s.fetched_at, v.id is not null and v.deleted_at is null, v.deleted_at is not null,
  coalesce(w.missed_sweeps, s.missed_sweeps) >= 2 or {product_deletes}, null,
  case when s.status <> 'duplicate' then null when w.status in ('pending', 'deferred', 'rejected') then w.status
    when w.status = 'processed' and v.deleted_at is null and v.id is not null then 'duplicate'
    when w.status = 'processed' and v.id is not null then null else 'bug' end
from (select n, user_id, v1_id, v2_id, keys as k from comparison_found where kind = 'missing' and reason is null) f
join {stage} s on {same} left join {stage} w on w.id = s.duplicate_of
left join {live} v on v.id = coalesce(s.v2_id, w.v2_id)
"""


def explain(connection: psycopg.Connection[Any], run_id: int, mapping: V1Mapping) -> None:
    """Gives every row of `comparison_found` its reason and the evidence for it; `unknown` where nothing explains it."""
    table = mapping.v2_table
    with connection.cursor() as cur:
        known.mark(cur, table)
        _in_flight(cur, run_id)
        _missing(cur, mapping)
        _extra(cur, table, run_id)
        replay.changed(cur, table)
        parts.changed(cur, table)
        derived.changed(cur, mapping)
        cur.execute("update comparison_found set reason = 'unknown' where reason is null")
        cur.execute("update comparison_found set evidence = '{}' where evidence is null")


def _in_flight(cur: psycopg.Cursor[Any], run_id: int) -> None:
    cur.execute(
        "update comparison_found f set reason = 'in_flight',"
        " evidence = jsonb_build_object('moved_at', f.moved_at, 'snapshot_at', r.snapshot_at)"
        " from ops.comparison_run r where r.id = %s and f.reason is null and f.moved_at > r.snapshot_at",
        [run_id],
    )


def _missing(cur: psycopg.Cursor[Any], mapping: V1Mapping) -> None:
    table = mapping.v2_table
    contradictions.without_key(cur, mapping)
    contradictions.without_parent(cur, mapping)
    _with_its_owner(cur, table)
    _staged(cur, table)
    parts.carried(cur, mapping)
    _deleted(cur, table)
    for stream in living(table):
        cur.execute(
            from_file("unread.sql").format(
                passes=PASSES, integration=sql.Literal(stream.integration), entity=sql.Literal(stream.entity)
            )
        )
    _never_read(cur, table)


def _staged(cur: psycopg.Cursor[Any], table: str) -> None:
    cur.execute(_COPIES)
    for stream in (*living(table), *imported(table)):
        cur.execute(
            sql.SQL(_COPY).format(
                imported=sql.Literal(stream.integration in ("xano", "csv")),
                name=sql.Literal(stream.table),
                stage=staging(stream.table),
                live=v2(table),
                same=_same_record(stream),
                product_deletes=sql.Literal("product" in declaration(table).info["sources"]),
            )
        )
    cur.execute("analyze comparison_copies")
    replay.same_records(cur, table)
    cur.execute(from_file("missing.sql"))
    cur.execute("drop table comparison_copies")


def _same_record(stream: Stream) -> sql.Composed | sql.SQL:
    """When the staged row `s` is the record of the difference `f`; where the key does not tell, of its deleted row."""
    if stream.integration == "xano":
        return sql.SQL("s.source_id = f.v1_id")
    if stream.table not in SOURCE_IDS:
        return sql.SQL("s.v2_id = f.v2_id")
    expression = sql.SQL(SOURCE_IDS[stream.table])  # type: ignore[arg-type]
    same = sql.SQL("s.source_id = {}").format(expression)
    if stream.integration != "fub":
        return same
    # A number of Follow Up Boss counts within its account.
    return same + sql.SQL(
        " and coalesce(split_part(s.account_ref, '/', 2) = (select a.account_id_raw::text from v2.fub_accounts a"
        " where a.id = (f.k ->> 'fub_account_id')::bigint), s.user_id = f.user_id)"
    )


def _with_its_owner(cur: psycopg.Cursor[Any], table: str) -> None:
    """Rows that are there, and were deleted with what they belonged to."""
    for column, owner in owners_of(table):
        cur.execute(
            sql.SQL(
                "update comparison_found f set reason = 'deleted_at_source',"
                " evidence = jsonb_build_object('v2_id', v.id, 'deleted_at', v.deleted_at, 'with', {name}::text)"
                " from {live} v join {owner} o on o.id = v.{column} and o.deleted_at is not null"
                " where f.kind = 'missing' and f.reason is null and v.id = f.v2_id and v.deleted_at is not null"
            ).format(name=sql.Literal(owner), live=v2(table), owner=v2(owner), column=sql.Identifier(column))
        )


def _deleted(cur: psycopg.Cursor[Any], table: str) -> None:
    """Rows that are there and deleted, of which staging knows nothing: records long gone, and what is computed."""
    same = sql.SQL(" and ").join(
        sql.SQL("v.{0} = (f.keys ->> {1})::{2}").format(sql.Identifier(c.name), sql.Literal(c.name), _type(c))
        for c in key_columns(table)
        if not c.nullable and c.name != "source"
    )
    cur.execute(
        sql.SQL(
            "update comparison_found f set reason = 'deleted_at_source',"
            " evidence = jsonb_build_object('v2_id', v.id, 'deleted_at', v.deleted_at) from {live} v"
            " where f.kind = 'missing' and f.reason is null and v.deleted_at is not null and {same}"
        ).format(live=v2(table), same=same or sql.SQL("v.id = f.v2_id"))
    )


def _never_read(cur: psycopg.Cursor[Any], table: str) -> None:
    """Rows whose owner is connected to nothing that tells them, and rows of nobody."""
    streams = living(table)
    if not streams:
        if imported(table):
            cur.execute(
                "update comparison_found set reason = 'never_fetched', evidence = '{\"why\": \"not_imported\"}'"
                " where kind = 'missing' and reason is null"
            )
        return
    cur.execute(
        "update comparison_found set reason = 'never_fetched',"
        " evidence = jsonb_build_object('why', 'no_connection', 'integrations', %s::text[])"
        " where kind = 'missing' and reason is null and user_id is not null",
        [sorted({s.integration for s in streams})],
    )
    cur.execute(
        from_file("of_nobody.sql").format(
            passes=PASSES,
            integrations=sql.Literal([s.integration for s in streams]),
            entities=sql.Literal([s.entity for s in streams]),
        )
    )


def _extra(cur: psycopg.Cursor[Any], table: str, run_id: int) -> None:
    """A staged record stands behind an honest row. One without is V2's own work, a mention, or a fault."""
    for stream in (*living(table), *imported(table)):
        cur.execute(
            sql.SQL(
                "update comparison_found f set reason = case when s.stamp > r.snapshot_at then 'newer_at_source'"
                "  else 'never_in_v1' end, evidence = jsonb_build_object('stage', {name}::text, 'staged_id', s.id,"
                "  'source_updated_at', s.stamp, 'fetched_at', s.fetched_at)"
                " from ops.comparison_run r, (select v2_id, max(id) as id, max(source_updated_at) as stamp,"
                "  min(fetched_at) as fetched_at from {stage} where status = 'processed' group by v2_id) s"
                " where r.id = %s and f.kind = 'extra' and f.reason is null and s.v2_id = f.v2_id"
            ).format(name=sql.Literal(stream.table), stage=staging(stream.table)),
            [run_id],
        )
    if made := _made_here(table):
        why, told = made
        cur.execute(
            sql.SQL(
                "update comparison_found f set reason = 'never_in_v1', evidence = jsonb_build_object('why', %s::text)"
                " from {live} v where v.id = f.v2_id and f.kind = 'extra' and f.reason is null and v.source <> all(%s)"
            ).format(live=v2(table)),
            [why, list(told)],
        )
    cur.execute(
        "update comparison_found set reason = 'bug', evidence = '{\"why\": \"no staged record stands behind it\"}'"
        " where kind = 'extra' and reason is null"
    )


def _made_here(table: str) -> tuple[str, tuple[str, ...]] | None:
    """Why rows of a table need no staged record of their own, and from which sources they need one all the same.

    None where every row needs one.
    """
    filling = [each for each in ALL_WORK if each.table == table]
    if any(isinstance(each, Fact) for each in filling):
        return "mentioned", ()
    units = [each for each in ALL_WORK if isinstance(each, Unit)]
    if any(part.table == table for unit in units for part in (*unit.history, *unit.children)):
        return "part_of_a_record", ()
    # What a unit makes out of its own source's records has one; what is computed beside it has none.
    told = tuple("v1" if s.integration == "xano" else s.integration for s in (*living(table), *imported(table)))
    if "product" in declaration(table).info["sources"]:
        return "made_by_the_product", told
    return ("derived", told) if any(isinstance(each, Derived) for each in filling) else None


def _type(column: Any) -> sql.SQL:
    return sql.SQL(column.type.compile(dialect=postgresql.dialect()))
