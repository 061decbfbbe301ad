"""The merge of one unit for one user: batches of staged rows, each in one transaction.

Inside a batch: select → one winner per business record → history → upsert → children → fates → release of waiters →
the ledger. A row that Postgres itself refuses is found by halving the batch and rejected alone; nothing else waits
for it.
"""

from __future__ import annotations

from typing import Any

import psycopg
from psycopg import sql
from psycopg.types.json import Jsonb

from resources.errors import LedgerBroken
from v2_assets.merge import session
from v2_assets.merge.counts import MergeCounts
from v2_assets.merge.refusals import caused_by_data, reason_of
from v2_assets.merge.statements import SOURCE_OF, UNKNOWN_WORD, WANTS_MERGING, natural_key, same_key, staging, v2
from v2_assets.merge.unit import Unit
from v2_assets.schema.ownership import owned_by

#: Rows per transaction. Beyond a few thousand nothing is gained (docs/explanation/data-flow.md), and locks last longer.
BATCH_ROWS = 5_000
#: A deferred row is also looked at again by itself, because its parent may have been merged in the very moment in
#: which it was deferred: after 1 minute, then 4, 9, … at most a day.
_RETRY = "now() + least(interval '1 minute' * (attempts + 1) * (attempts + 1), interval '1 day')"


def merge(
    connection: psycopg.Connection[Any], unit: Unit, user_id: int, run_id: str, *, batch_rows: int = BATCH_ROWS
) -> MergeCounts:
    """Merges everything of one user that is pending (or deferred and due) for this unit. Wants autocommit.

    Raises LedgerBroken when a select does not account for every row (nothing of that batch is written), and
    psycopg.Error for what no row is the cause of (`refusals`): the database went away, our SQL is wrong.
    """
    total = MergeCounts()
    last = 0
    while ids := _wanted(connection, unit.stage, user_id, last, batch_rows):
        last = ids[-1]
        total.add(_merge_or_halve(connection, unit, ids, user_id, run_id))
    return total


def _wanted(connection: psycopg.Connection[Any], stage: str, user_id: int, after: int, limit: int) -> list[int]:
    with connection.transaction(), connection.cursor() as cur:
        cur.execute(
            sql.SQL("select id from {} where user_id = %s and id > %s and {} order by id limit %s").format(
                staging(stage), WANTS_MERGING
            ),
            [user_id, after, limit],
        )
        return [row[0] for row in cur.fetchall()]


def _merge_or_halve(
    connection: psycopg.Connection[Any], unit: Unit, ids: list[int], user_id: int, run_id: str
) -> MergeCounts:
    try:
        with connection.transaction(), connection.cursor() as cur:
            return _merge_batch(cur, unit, ids, user_id, run_id)
    except psycopg.Error as error:
        if not caused_by_data(error):
            raise
        if len(ids) == 1:
            return _reject_alone(connection, unit, ids[0], error)
    middle = len(ids) // 2
    counts = _merge_or_halve(connection, unit, ids[:middle], user_id, run_id)
    counts.add(_merge_or_halve(connection, unit, ids[middle:], user_id, run_id))
    return counts


def _merge_batch(cur: psycopg.Cursor[Any], unit: Unit, ids: list[int], user_id: int, run_id: str) -> MergeCounts:
    session.begin(cur, unit.table)
    counts = MergeCounts(read=session.load_batch(cur, unit.stage, ids))
    if not counts.read:
        return counts
    selected, names = _select_primary(cur, unit, counts.read)
    _choose_winners(cur, unit)
    for history in unit.history:
        part = session.v2_columns(history.table, _fresh_part(cur, history.sql))
        part = session.complete(cur, "part", part, SOURCE_OF[unit.stage], None)
        counts.table(history.table).add(session.write(cur, history.table, "part", part, facts=False))
    returning = session.deleted_before(cur, unit.table) if owned_by(unit.table) else []
    counts.table(unit.table).add(session.write(cur, unit.table, "merging", names, facts=False))
    _find_v2_ids(cur, unit)
    for child in unit.children:
        part = session.v2_columns(child.table, _fresh_part(cur, child.sql, {"parent": child.parent}))
        part = session.complete(cur, "part", part, SOURCE_OF[unit.stage], None)
        written = session.write(cur, child.table, "part", part, facts=False)
        match = same_key("part", "live", child.table)
        written.removed = session.remove_missing(cur, child.table, child.parent, match)
        counts.table(child.table).add(written)
    if owned_by(unit.table):
        session.let_children_follow(cur, unit.table, returning)
    _write_fates(cur, unit, counts)
    if "words" in selected:
        _write_words(cur, unit)
    cur.execute("set constraints all immediate")
    counts.must_add_up(unit.table)
    cur.execute(
        "insert into ops.merge_run (table_name, user_id, run_id, started_at, ended_at, counts)"
        " values (%s, %s, %s, now(), clock_timestamp(), %s)",
        [unit.table, user_id, run_id, Jsonb(counts.as_dict())],
    )
    return counts


def _fresh_part(cur: psycopg.Cursor[Any], text: str, params: dict[str, Any] | None = None) -> list[str]:
    cur.execute("drop table if exists pg_temp.part")
    return session.select_into(cur, "part", text, params)[0]


def _select_primary(cur: psycopg.Cursor[Any], unit: Unit, expected: int) -> tuple[list[str], list[str]]:
    """Fills `selected` from the table's file; every batch row must be there exactly once.

    Returns the columns that the file tells, and those that are stored.
    """
    selected, _ = session.select_into(cur, "selected", unit.sql)
    if "rank" not in selected:
        cur.execute("alter table selected add column rank int not null default 0")
    cur.execute(
        "select count(*), count(distinct s.staged_id), count(*) filter (where b.id is null)"
        " from selected s left join batch b on b.id = s.staged_id"
    )
    told, distinct, strangers = cur.fetchone() or (0, 0, 0)
    if (told, distinct, strangers) != (expected, expected, 0):
        raise LedgerBroken(
            f"the select of v2.{unit.table} returned {told} rows for {expected} staged ones",
            hint="a join multiplies or loses rows: every batch row must come out exactly once",
            context={"table": unit.table, "read": expected, "selected": told, "distinct": distinct},
        )
    stored = session.v2_columns(unit.table, selected)
    return selected, session.complete(cur, "selected", stored, SOURCE_OF[unit.stage], "staged_id")


def _choose_winners(cur: psycopg.Cursor[Any], unit: Unit) -> None:
    """One winner per natural key: newest, then best rank, then account — so the order of arrival cannot matter.

    The staged row that holds the V2 row now takes part, unless its source no longer has it; one of the batch that its
    source no longer has comes last.
    """
    key = natural_key(unit.table)
    order = sql.SQL("{0}.gone, {0}.stamp desc nulls last, {0}.rank desc, {0}.account_ref, {0}.staged_id")
    cur.execute("alter table selected add column v2_id bigint, add column winner bigint")
    cur.execute("create index on selected (staged_id)")
    cur.execute(
        sql.SQL("update selected s set v2_id = live.id from {table} live where s.fate is null and {match}").format(
            table=v2(unit.table), match=same_key("s", "live", unit.table)
        )
    )
    cur.execute(
        sql.SQL(
            "with entrants as ("
            "  select s.staged_id, {key}, coalesce(s.source_updated_at, b.fetched_at) as stamp, s.rank, b.account_ref,"
            "   b.missed_sweeps >= 2 as gone from selected s join batch b on b.id = s.staged_id where s.fate is null"
            "  union all"
            "  select h.id, {key}, coalesce(h.source_updated_at, h.fetched_at), h.merge_rank, h.account_ref,"
            "   false from (select distinct v2_id, {bare} from selected where v2_id is not null) s"
            "  join {stage} h on h.v2_id = s.v2_id and h.status = 'processed' and h.missed_sweeps < 2"
            "  and not exists (select from batch b where b.id = h.id)),"
            " ranked as (select e.*, first_value(e.staged_id) over (partition by {entrant_key} order by {order})"
            "  as winner from entrants e)"
            " update selected s set winner = r.winner from ranked r where r.staged_id = s.staged_id"
        ).format(
            key=sql.SQL(", ").join(sql.Identifier("s", k) for k in key),
            bare=sql.SQL(", ").join(sql.Identifier(k) for k in key),
            entrant_key=sql.SQL(", ").join(sql.Identifier("e", k) for k in key),
            stage=staging(unit.stage),
            order=order.format(sql.SQL("e")),
        )
    )
    cur.execute(
        "create temp table merging on commit drop as select * from selected where fate is null and winner = staged_id"
    )
    # One that went while it waited for this merge: nobody else's is merged, but a copy that cannot be may live.
    cur.execute(
        sql.SQL(
            "update merging m set deleted_at = coalesce(m.deleted_at, now()) from batch b"
            " where b.id = m.staged_id and b.missed_sweeps >= 2"
            " and not exists (select from {} o where o.v2_id = m.v2_id and o.missed_sweeps < 2)"
        ).format(staging(unit.stage))
    )
    session.end_with_owners(cur, unit.table)
    cur.execute("analyze merging")


def _find_v2_ids(cur: psycopg.Cursor[Any], unit: Unit) -> None:
    """`placed`: every winner and its V2 row. `merged`: of these, the ones whose version that row now shows.

    The copy of another account that takes over from one that is gone may be an older version. It does not take the
    place of what V2 shows, so what belongs to the record stays as it is too.
    """
    cur.execute(
        sql.SQL(
            "create temp table placed on commit drop as select m.staged_id, live.id as v2_id,"
            " m.source_updated_at < live.source_updated_at is true as older"
            " from merging m join {table} live on {match}"
        ).format(table=v2(unit.table), match=same_key("m", "live", unit.table))
    )
    cur.execute("create temp table merged on commit drop as select staged_id, v2_id from placed where not older")
    cur.execute("analyze placed")
    cur.execute("analyze merged")


def _write_fates(cur: psycopg.Cursor[Any], unit: Unit, counts: MergeCounts) -> None:
    stage = staging(unit.stage)
    common = "attempts = attempts + 1, processed_at = now(), merge_rank = s.rank"
    cur.execute(
        sql.SQL(
            "update {} t set status = 'processed', v2_id = m.v2_id, status_reason = null, status_detail = null,"
            " waits_for = null, duplicate_of = null, next_attempt_at = null, "
            + common
            + " from placed m join selected s on s.staged_id = m.staged_id where t.id = m.staged_id"
        ).format(stage)
    )
    counts.processed = cur.rowcount
    # Who held the V2 row before, gone or not, and whoever pointed to that holder, now points to the winner.
    cur.execute(
        sql.SQL(
            "with beaten as (select h.id, m.staged_id from {0} h join placed m on h.v2_id = m.v2_id"
            "  where h.status = 'processed' and h.id <> m.staged_id order by h.id for update of h)"
            " update {0} t set status = 'duplicate', duplicate_of = b.staged_id, status_reason = 'same_record'"
            " from beaten b where t.id = b.id returning t.id, b.staged_id"
        ).format(stage)
    )
    beaten = cur.fetchall()
    if beaten:
        cur.execute(
            sql.SQL(
                "update {} t set duplicate_of = n.new from unnest(%s::bigint[], %s::bigint[]) as n(old, new)"
                " where t.duplicate_of = n.old"
            ).format(stage),
            [[old for old, _ in beaten], [new for _, new in beaten]],
        )
    cur.execute(
        sql.SQL(
            "update {0} t set status = 'duplicate', duplicate_of = s.winner, status_reason = 'same_record',"
            " status_detail = null, waits_for = null, next_attempt_at = null,"
            " v2_id = (select w.v2_id from {0} w where w.id = s.winner), "
            + common
            + " from selected s where t.id = s.staged_id and s.fate is null and s.winner <> s.staged_id"
        ).format(stage)
    )
    counts.duplicate = cur.rowcount
    cur.execute(
        sql.SQL(
            "update {} t set status = s.fate, status_reason = s.reason, status_detail = s.detail,"
            " waits_for = case when s.fate = 'deferred' then s.waits_for end, duplicate_of = null,"
            " next_attempt_at = case when s.fate = 'deferred' then " + _RETRY + " end, " + common + " from selected s"
            " where t.id = s.staged_id and s.fate is not null"
        ).format(stage)
    )
    cur.execute("select fate, count(*) from selected where fate is not null group by fate")
    for fate, number in cur.fetchall():
        setattr(counts, fate, number)


def _write_words(cur: psycopg.Cursor[Any], unit: Unit) -> None:
    """Notes the words that no code table has in the rows that tell them, in place of those noted before."""
    cur.execute(
        sql.SQL(
            "with told as (select s.staged_id, case when s.fate is distinct from 'filtered' then s.words else '[]' end"
            "  as words, b.warnings from selected s join batch b on b.id = s.staged_id"
            "  where s.words <> '[]' or b.warnings @> {noted}),"
            " kept as (select staged_id, words, coalesce((select jsonb_agg(w) from jsonb_array_elements(warnings) w"
            "  where not jsonb_build_array(w) @> {noted}), '[]') as others from told)"
            " update {stage} t set warnings = nullif(kept.others || kept.words, '[]') from kept"
            " where t.id = kept.staged_id"
        ).format(stage=staging(unit.stage), noted=sql.Literal(Jsonb([{"code": UNKNOWN_WORD}])))
    )


def _reject_alone(connection: psycopg.Connection[Any], unit: Unit, staged_id: int, error: psycopg.Error) -> MergeCounts:
    """Marks the one row that Postgres refuses; the reason names SQLSTATE, table and field, never the value."""
    with connection.transaction(), connection.cursor() as cur:
        cur.execute(
            sql.SQL(
                "update {} set status = 'rejected', status_reason = 'merge_error', status_detail = %s,"
                " waits_for = null, duplicate_of = null, next_attempt_at = null, attempts = attempts + 1,"
                " processed_at = now()"
                " where id = %s and status in ('pending', 'deferred')"
            ).format(staging(unit.stage)),
            [Jsonb(reason_of(error, unit.table)), staged_id],
        )
        return MergeCounts(read=cur.rowcount, rejected=cur.rowcount)
