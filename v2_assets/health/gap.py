"""What a source says it has against what V2 has of it: the number that tells whether the promise is kept.

The source's count is that of the newest sweep that ended, for each stream of each account. V2 has a record when it
became a row there, stands for one (a duplicate), or is left out by a rule; what arrived within the last hour is on its
way. Records that went after the sweep are no gap. Nor is one that was made between the count and the list: what a sweep
did not meet counts when the sweep before had a gap as well, or when no other has come for hours.
"""

from __future__ import annotations

from psycopg import sql

from v2_assets.merge.statements import staging
from v2_assets.schema.stage import STREAMS

ON_ITS_WAY = "1 hour"
UNCONFIRMED = "2 hours"

_OF_A_STREAM = """
select w.integration, w.entity, w.account_ref, w.user_id, w.expected, w.started_at, {table}::text as stage,
  case when w.confirmed then greatest(w.expected - (select count(*) from {stage} s where s.account_ref = w.account_ref
    and (s.status in ('processed', 'duplicate', 'filtered')
      or (s.status in ('pending', 'deferred') and s.fetched_at > now() - {way}::interval))
    and (s.missed_sweeps < 2 or s.missing_since >= w.started_at)), 0) else 0 end as gap
from newest w where w.integration = {integration} and w.entity = {entity}
"""


def gaps() -> sql.Composed:
    """One row per stream of one account that told a count: integration, entity, account_ref, user_id, expected, gap."""
    parts = sql.SQL(" union all ").join(
        sql.SQL(_OF_A_STREAM).format(
            table=sql.Literal(stream.table),
            stage=staging(stream.table),
            way=sql.Literal(ON_ITS_WAY),
            integration=sql.Literal(stream.integration),
            entity=sql.Literal(stream.entity),
        )
        for stream in STREAMS
    )
    return sql.SQL(
        "with newest as materialized (select distinct on (w.account_ref, w.integration, w.entity) w.*,"
        " split_part(w.account_ref, '/', 3)::bigint as user_id, w.completed_at < now() - {unconfirmed}::interval or"
        " coalesce((select p.seen < p.expected from ops.sweep p where p.account_ref = w.account_ref and"
        "  p.integration = w.integration and p.entity = w.entity and p.completed_at is not null and"
        "  p.started_at < w.started_at order by p.started_at desc limit 1), true) as confirmed"
        " from ops.sweep w where w.completed_at is not null"
        " order by w.account_ref, w.integration, w.entity, w.started_at desc) select * from ({parts}) g"
        " where expected > 0"
    ).format(parts=parts, unconfirmed=sql.Literal(UNCONFIRMED))
