"""Which users are behind, with which stream, since when, and why. One user's success says nothing of another's."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import psycopg
from psycopg import sql
from psycopg.rows import dict_row

from resources.settings import Settings
from v2_assets.incidents import Severity
from v2_assets.schema.stage import STREAMS

#: What is read by the clock. V1 and files come when a person asks for them.
SWEPT = ("fub", "rezen", "skyslope", "title")
#: Each stream of each key that is accepted and in use, and when it was last read well; a stream that never was is as
#: old as its key. %(health_sync_hours_warning)s hours are no trouble.
BEHIND = sql.SQL(
    """
select c.user_id, e.integration, e.entity, coalesce(s.last_sync_at, c.verified_at, c.created_at) as since,
  extract(epoch from now() - coalesce(s.last_sync_at, c.verified_at, c.created_at)) / 3600 as hours,
  case when s.error is not null then s.error ->> 'code' when s.last_sync_at is null then 'never read'
    when s.status = 'running' then 'at work' else 'not started' end as why
from (values {streams}) e (integration, entity)
join v2.credentials c on c.platform = e.integration and c.state = 'ok' and c.verified and c.active
  and c.deleted_at is null
left join ops.sync_state s on s.integration = e.integration and s.entity = e.entity
  and s.account_ref = c.platform || '/' || coalesce(c.account_id, '') || '/' || c.user_id
where coalesce(s.last_sync_at, c.verified_at, c.created_at)
  < now() - %(health_sync_hours_warning)s * interval '1 hour'
"""
).format(
    streams=sql.SQL(", ").join(
        sql.SQL("({}, {})").format(sql.Literal(s.integration), sql.Literal(s.entity))
        for s in STREAMS
        if s.integration in SWEPT
    )
)


@dataclass(frozen=True, slots=True)
class Behind:
    """One stream of one user that was not read for too long. `why` is an error's code or a word."""

    user_id: int
    integration: str
    entity: str
    since: datetime
    hours: float
    why: str
    severity: Severity

    @property
    def do(self) -> str:
        """The command that helps."""
        return f"v2 sync --user {self.user_id} --integration {self.integration}"


def behind(connection: psycopg.Connection[Any], settings: Settings) -> list[Behind]:
    """Every user's streams that are older than the settings allow, the oldest first."""
    with connection.cursor(row_factory=dict_row) as cur:
        rows = cur.execute(
            sql.SQL("select * from ({}) b order by hours desc, user_id, integration, entity").format(BEHIND),
            {"health_sync_hours_warning": settings.health_sync_hours_warning},
        ).fetchall()
    return [_behind(row, settings) for row in rows]


def _behind(row: Mapping[str, Any], settings: Settings) -> Behind:
    critical = row["hours"] > settings.health_sync_hours_critical
    return Behind(**{**row, "hours": float(row["hours"])}, severity="critical" if critical else "warning")
