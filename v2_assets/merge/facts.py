"""Tables that are not the grain of any stream: facts that records mention, and tables derived from other V2 tables."""

from __future__ import annotations

from typing import Any

import psycopg
from psycopg import sql

from v2_assets.merge import parking, session
from v2_assets.merge.counts import MergeCounts
from v2_assets.merge.refusals import caused_by_data, reason_of
from v2_assets.merge.statements import SOURCE_OF, TELLS_FACTS, columns, natural_key, staging
from v2_assets.merge.unit import Derived, Fact

_BATCH_ROWS = 5_000


def merge_facts(connection: psycopg.Connection[Any], facts: tuple[Fact, ...], user_id: int) -> MergeCounts:
    """Stores the facts that one user's waiting records mention. The records' own fates are not touched.

    A record too broken to be read is passed over here; its own table's merge rejects it with the reason.
    """
    total = MergeCounts()
    for fact in facts:
        last = 0
        while ids := _waiting(connection, fact.stage, user_id, last):
            last = ids[-1]
            total.add(_store_or_halve(connection, fact, ids))
    return total


def _waiting(connection: psycopg.Connection[Any], stage: str, user_id: int, after: int) -> list[int]:
    with connection.transaction(), connection.cursor() as cur:
        cur.execute(
            sql.SQL("select id from {} where user_id = %s and id > %s and {} order by id limit %s").format(
                staging(stage), TELLS_FACTS
            ),
            [user_id, after, _BATCH_ROWS],
        )
        return [row[0] for row in cur.fetchall()]


def _store_or_halve(connection: psycopg.Connection[Any], fact: Fact, ids: list[int]) -> MergeCounts:
    try:
        with connection.transaction(), connection.cursor() as cur:
            return _store(cur, fact, ids)
    except psycopg.Error as error:
        if not caused_by_data(error):
            raise
        if len(ids) == 1:
            return MergeCounts()
    middle = len(ids) // 2
    counts = _store_or_halve(connection, fact, ids[:middle])
    counts.add(_store_or_halve(connection, fact, ids[middle:]))
    return counts


def _store(cur: psycopg.Cursor[Any], fact: Fact, ids: list[int]) -> MergeCounts:
    session.begin(cur, fact.table)
    counts = MergeCounts()
    if not session.load_batch(cur, fact.stage, ids):
        return counts
    selected, rows = session.select_into(cur, "selected", fact.sql)
    if not rows:
        return counts
    names = session.v2_columns(fact.table, selected)
    names = session.complete(cur, "selected", names, SOURCE_OF[fact.stage], None)
    key = natural_key(fact.table)
    smallest = [n for n in names if n not in key]
    cur.execute(
        sql.SQL(
            "create temp table merging on commit drop as select distinct on ({key}) {names} from selected"
            " order by {key}, source_updated_at desc nulls last, {rest}"
        ).format(key=columns(key), names=columns(names), rest=columns(smallest))
    )
    counts.table(fact.table).add(session.write(cur, fact.table, "merging", names, facts=True))
    cur.execute("set constraints all immediate")
    return counts


def derive(connection: psycopg.Connection[Any], derived: Derived, user_id: int) -> MergeCounts:
    """Recomputes a derived table's rows for one user; rows that come out equal are not touched.

    Wants autocommit. Of most users nothing comes out, which is asked first: it costs one statement, and neither a
    transaction nor a temporary table. A user whose rows Postgres refuses is parked with the reason and tried again by
    the next run.
    """
    key = (user_id, None)
    try:
        if not _anything(connection, derived, user_id):
            return MergeCounts()
        with connection.transaction(), connection.cursor() as cur:
            counts = _derive(cur, derived, user_id)
            parking.forget(cur, derived.file, [key])
            return counts
    except psycopg.Error as error:
        if not caused_by_data(error):
            raise
        with connection.transaction(), connection.cursor() as cur:
            parking.park(cur, derived.table, derived.file, key, reason_of(error, derived.table))
        return MergeCounts(parked=1)


def _anything(connection: psycopg.Connection[Any], derived: Derived, user_id: int) -> bool:
    """Whether the select tells any row, or the user is parked."""
    text = (
        f"select (select count(*) from (\n{derived.sql}\n) told) > 0 or exists (select from ops.parked_key"
        " where work = %(work)s and owner_id = %(user_id)s)"
    )
    parameters = {"user_id": user_id, "work": derived.file}
    row = connection.execute(text.encode(), parameters, prepare=False).fetchone()
    return bool(row and row[0])


def _derive(cur: psycopg.Cursor[Any], derived: Derived, user_id: int) -> MergeCounts:
    session.begin(cur, derived.table)
    counts = MergeCounts()
    selected, rows = session.select_into(cur, "merging", derived.sql, {"user_id": user_id})
    if rows:
        names = session.complete(cur, "merging", session.v2_columns(derived.table, selected), "derived", None)
        counts.table(derived.table).add(session.write(cur, derived.table, "merging", names, facts=False))
    return counts
