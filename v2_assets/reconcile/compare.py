"""The comparison of one stream: a list of ids against staging and V2, in SQL."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import psycopg
from psycopg import sql

from v2_assets.reconcile.report import Line, Missing, explain, reason_of
from v2_assets.schema.stage import STREAMS, Stream

#: Missing records are listed one by one up to this many per stream and connection; beyond it only counted.
LISTED = 1000

_FATES = """
select s.status, count(*),
  count(distinct s.v2_id) filter (where s.status <> 'duplicate' and v.id is not null and v.deleted_at is null)
from {stage} s left join {live} v on v.id = s.v2_id
where s.account_ref = %(account)s group by s.status
"""
_ABSENT = """
select k.source_id, s.status, s.status_reason, s.status_detail, s.waits_for, v.id is not null, v.deleted_at is not null,
  s.id is null and exists (
    select from {stage} x where x.source_id = k.source_id and x.status in ('processed', 'duplicate')
      and split_part(x.account_ref, '/', 2) = split_part(%(account)s, '/', 2))
from source_keys k
left join {stage} s on s.account_ref = %(account)s and s.source_id = k.source_id
left join {live} v on v.id = s.v2_id
where s.id is null or s.status not in ('processed', 'duplicate')
  or (s.status = 'processed' and (v.id is null or v.deleted_at is not null))
"""
#: The stream's history is still being read, so a record that is not there is on its way.
_OWED = """
select from ops.sync_state where account_ref = %s and entity = %s and cursor ->> 'history' is not null
"""
_GONE = """
select count(*) from {stage} s
where s.account_ref = %(account)s and not exists (select from source_keys k where k.source_id = s.source_id)
"""
_ORPHANS = """
select
  (select count(*) from {stage} s where s.status = 'processed'
     and not exists (select from {live} v where v.id = s.v2_id)),
  (select count(*) from {stage} s where s.status = 'duplicate'
     and not exists (select from {stage} w where w.id = s.duplicate_of
       and w.status in ('processed', 'pending', 'duplicate')))
"""


def compare(
    connection: psycopg.Connection[Any], stream: Stream, line: Line, source_ids: Iterable[str] | None
) -> list[Missing]:
    """Fills the line's numbers; with the source's ids also its gap. Returns the records that are missing."""
    names = {"stage": sql.Identifier("staging", stream.table), "live": sql.Identifier("v2", stream.primary)}
    account = {"account": line.account_ref}
    missing: list[Missing] = []
    with connection.transaction(), connection.cursor() as cur:
        for status, number, rows in cur.execute(sql.SQL(_FATES).format(**names), account).fetchall():
            setattr(line, status, number)
            line.staged += number
            line.v2_rows += rows
        if source_ids is None:
            return missing
        cur.execute("create temp table source_keys (source_id text primary key) on commit drop")
        unique = set(source_ids)
        with cur.copy("copy source_keys from stdin") as copy:
            for source_id in unique:
                copy.write_row((source_id,))
        cur.execute("analyze source_keys")
        line.at_source = len(unique)
        history = cur.execute(_OWED, [line.account_ref, stream.entity]).fetchone() is not None
        line.gone = (cur.execute(sql.SQL(_GONE).format(**names), account).fetchone() or (0,))[0]
        for source_id, status, reason, detail, waits_for, there, deleted, elsewhere in cur.execute(
            sql.SQL(_ABSENT).format(**names), account
        ).fetchall():
            why = reason_of(status, there, deleted)
            if elsewhere:
                line.elsewhere += 1  # it came into this key's sight later; the account's other key brought it
                continue
            if why is None:
                continue
            if why == "never_fetched" and history:
                why = "not_read_yet"
            line.reasons[why] = line.reasons.get(why, 0) + 1
            if len(missing) < LISTED:
                missing.append(
                    Missing(
                        table=stream.primary,
                        user_id=line.user_id,
                        account_ref=line.account_ref,
                        source_id=source_id,
                        reason=why,
                        detail=explain(status or "", reason, detail, waits_for),
                    )
                )
        line.gap = sum(line.reasons.values())
    return missing


def law(connection: psycopg.Connection[Any]) -> list[str]:
    """Where the ledger is broken, over all users: rows that point to nothing. (Each row has one status by its type.)"""
    broken = []
    for stream in STREAMS:
        query = sql.SQL(_ORPHANS).format(
            stage=sql.Identifier("staging", stream.table), live=sql.Identifier("v2", stream.primary)
        )
        processed, duplicates = connection.execute(query).fetchone() or (0, 0)
        if processed:
            broken.append(f"{stream.table}: {processed} processed records point to no row of v2.{stream.primary}")
        if duplicates:
            broken.append(f"{stream.table}: {duplicates} duplicates lead to no record")
    return broken
