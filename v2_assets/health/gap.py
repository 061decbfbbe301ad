"""What a source says it has against what V2 has of it: the number that tells whether the promise is kept.

The source's count is that of the newest sweep that ended, for each stream of each account. V2 has a record when it
became a row there, stands for one (a duplicate), or is left out by a rule; what arrived within the last hour is on its
way. Records that went after the sweep are no gap.
"""

from __future__ import annotations

from psycopg import sql

from v2_assets.merge.statements import staging
from v2_assets.schema.stage import STREAMS

ON_ITS_WAY = "1 hour"

_OF_A_STREAM = """
select w.integration, w.entity, w.account_ref, w.user_id, w.expected, w.started_at, {table}::text as stage,
  greatest(w.expected - (select count(*) from {stage} s where s.account_ref = w.account_ref
    and (s.status in ('processed', 'duplicate', 'filtered')
      or (s.status in ('pending', 'deferred') and s.fetched_at > now() - {way}::interval))
    and (s.missed_sweeps < 2 or s.missing_since >= w.started_at)), 0) as gap
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
        " split_part(w.account_ref, '/', 3)::bigint as user_id from ops.sweep w where w.completed_at is not null"
        " order by w.account_ref, w.integration, w.entity, w.started_at desc) select * from ({}) g where expected > 0"
    ).format(parts)
