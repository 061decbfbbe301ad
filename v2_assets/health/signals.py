"""What is wrong now: one query per kind of trouble, measured against thresholds that are settings.

A signal's query tells causes, never users: three hundred users behind one dead source are one finding that lists them.
Here: the queries, the thresholds, and making incidents of what they find. Not here: numbers over time (`measures`), the
rules of single tables (`v2_assets.checks`), and what only Dagster knows (`sensors.alerts`, `v2_assets.monitor`).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import psycopg
from psycopg import sql
from psycopg.rows import dict_row

from resources.settings import Settings
from v2_assets.incidents import Finding, Severity, settle
from v2_assets.merge.statements import staging
from v2_assets.schema.stage import STREAMS


@dataclass(frozen=True, slots=True)
class Signal:
    """One kind of trouble.

    `query` selects `key`, `value` (in the thresholds' unit), `since`, `users` (ids) and what `subject`, `what` and `do`
    are filled in with. `thresholds` are the settings of the warning and of the critical value; a row above neither is
    no trouble. Without thresholds every row is a warning.
    """

    code: str
    query: sql.SQL | sql.Composed
    subject: str
    what: str
    do: str
    thresholds: tuple[str, str] | None = None
    link: str | None = None

    def judge(self, row: Mapping[str, Any], settings: Settings) -> Severity | None:
        """How bad a row is."""
        if self.thresholds is None:
            return "warning"
        warning, critical = (getattr(settings, name) for name in self.thresholds)
        return "critical" if row["value"] > critical else "warning" if row["value"] > warning else None


#: A connection whose key is accepted and in use, joined to the streams it reads.
_CONNECTED = """
from ops.sync_state s
join v2.credentials c on c.user_id = s.user_id and c.platform = s.integration and c.active and c.deleted_at is null
  and s.account_ref = c.platform || '/' || coalesce(c.account_id, '') || '/' || c.user_id
"""
_SWEPT = ("fub", "rezen", "skyslope", "title")


def _backlog() -> sql.Composed:
    tables = sql.SQL(" union all ").join(
        sql.SQL(
            "select {name}::text as key, count(*) as value, min(fetched_at) as since,"
            " (array_agg(distinct user_id))[1:100] as users from {stage} where status in ('pending', 'deferred')"
        ).format(name=sql.Literal(stream.table), stage=staging(stream.table))
        for stream in STREAMS
    )
    return sql.SQL("select * from ({}) t where value > 0").format(tables)


def _rejected() -> sql.Composed:
    tables = sql.SQL(" union all ").join(
        sql.SQL(
            "select {name}::text as key, count(*) filter (where status = 'rejected') as rejected, count(*) as total,"
            " min(fetched_at) filter (where status = 'rejected') as since,"
            " (array_agg(distinct user_id) filter (where status = 'rejected'))[1:100] as users from {stage}"
        ).format(name=sql.Literal(stream.table), stage=staging(stream.table))
        for stream in STREAMS
    )
    return sql.SQL("select *, 100.0 * rejected / total as value from ({}) t where rejected > 0").format(tables)


SIGNALS: tuple[Signal, ...] = (
    Signal(
        "backlog_large",
        _backlog(),
        "{key}: {value} staged records are not merged",
        "{value} records of {key} are pending or wait for a parent.",
        "v2 health",
        ("health_backlog_warning", "health_backlog_critical"),
    ),
    Signal(
        "rejected_share",
        _rejected(),
        "{key}: {rejected} of {total} records break a rule",
        "{rejected} of {total} staged records of {key} are rejected.",
        "v2 reconcile",
        ("health_rejected_percent_warning", "health_rejected_percent_critical"),
    ),
    Signal(
        "stream_old",
        sql.SQL(
            "select s.integration || '/' || s.entity as key,"  # noqa: S608 - constants
            " min(coalesce(s.last_sync_at, s.last_started_at)) as since,"
            " max(extract(epoch from now() - coalesce(s.last_sync_at, s.last_started_at))) / 3600 as value,"
            " array_agg(distinct s.user_id) as users, max(s.error ->> 'code') as why"
            + _CONNECTED
            + " where s.integration = any({swept}) and c.state = 'ok'"
            " and coalesce(s.last_sync_at, s.last_started_at) < now() - {hours} * interval '1 hour' group by 1"
        ).format(swept=sql.Literal(list(_SWEPT)), hours=sql.Placeholder("health_sync_hours_warning")),
        "{key} was not synced for {value:.0f} hours",
        "The user who is furthest behind with {key} has had no successful sync for {value:.0f} hours ({why}).",
        "v2 status",
        ("health_sync_hours_warning", "health_sync_hours_critical"),
    ),
    Signal(
        "stream_failed",
        sql.SQL(
            "select s.integration || '/' || coalesce(s.error ->> 'code', 'unknown') as key,"
            " min(s.last_started_at) as since, array_agg(distinct s.user_id) as users, count(*) as value,"
            " string_agg(distinct s.entity, ', ') as streams, max(s.error ->> 'message') as why"
            + _CONNECTED
            + " where s.status = 'failed' and c.state = 'ok' group by 1"
        ),
        "{key}: {value} streams cannot be read",
        "{streams}: {why}",
        "v2 status",
    ),
    Signal(
        "sync_failures",
        sql.SQL(
            "select s.integration as key, 100.0 * count(*) filter (where s.status = 'failed') / count(*) as value,"
            " min(s.last_started_at) filter (where s.status = 'failed') as since,"
            " array_agg(distinct s.user_id) filter (where s.status = 'failed') as users, count(*) as streams"
            + _CONNECTED
            + " where s.last_started_at > now() - interval '24 hours' and c.state = 'ok' group by 1"
        ),
        "{key}: {value:.0f} % of the streams failed",
        "Of {streams} streams that were read in the last 24 hours, {value:.0f} % failed the last time.",
        "v2 status",
        ("health_failed_percent_warning", "health_failed_percent_critical"),
    ),
    Signal(
        "credential_refused",
        sql.SQL(
            "select platform || '/' || id as key, updated_at as since, array[user_id] as users, 1 as value, platform,"
            " user_id, coalesce(last_error ->> 'message', 'the source refuses it') as why from v2.credentials"
            " where state = 'needs_reconnect' and active and deleted_at is null and verified_at is not null"
        ),
        "the {platform} key of user {user_id} is refused",
        "{why}",
        "v2 onboard --user {user_id} --platform {platform}",
    ),
    Signal(
        "credential_not_verified",
        sql.SQL(
            "select platform || '/' || id as key, updated_at as since, array[user_id] as users, 1 as value, platform,"
            " user_id, coalesce(last_error ->> 'message', 'the source refuses it') as why from v2.credentials"
            " where state = 'needs_reconnect' and active and deleted_at is null and verified_at is null"
        ),
        "the new {platform} key of user {user_id} does not work",
        "{why}",
        "v2 onboard --user {user_id} --platform {platform}",
    ),
    Signal(
        "onboarding_stuck",
        sql.SQL(
            "select integration as key, min(coalesce(started_at, created_at)) as since,"
            " max(extract(epoch from now() - coalesce(started_at, created_at))) / 3600 as value,"
            " array_agg(distinct user_id) as users, count(*) as jobs"
            " from ops.onboarding_job where status in ('New', 'Started') group by 1"
        ),
        "{jobs} onboardings at {key} do not end",
        "The oldest has been at work for {value:.0f} hours.",
        "v2 status",
        ("health_onboarding_hours_warning", "health_onboarding_hours_critical"),
    ),
    Signal(
        "onboarding_failed",
        sql.SQL(
            "select j.integration || '/' || coalesce(j.error ->> 'code', j.status) as key, min(j.ended_at) as since,"
            " array_agg(distinct j.user_id) as users, count(*) as value, max(j.error ->> 'message') as why"
            " from (select distinct on (credentials_id) * from ops.onboarding_job"
            "       order by credentials_id, attempt desc) j"
            " join v2.credentials c on c.id = j.credentials_id and c.state = 'ok' and c.active and c.deleted_at is null"
            " where j.status in ('Error', 'Partial') and exists (select from ops.sync_state s"
            "   where s.user_id = j.user_id and s.integration = j.integration and s.last_sync_at is null) group by 1"
        ),
        "{value} onboardings ended early: {key}",
        "{why}",
        "v2 onboard --user USER --retry",
    ),
    Signal(
        "row_gap",
        sql.SQL(
            "select w.integration || '/' || w.entity as key, min(w.started_at) as since,"
            " max(100.0 * (w.expected - w.seen) / w.expected) as value,"
            " array_agg(distinct split_part(w.account_ref, '/', 3)::bigint) as users"
            " from (select distinct on (account_ref, entity) * from ops.sweep where completed_at is not null"
            "       order by account_ref, entity, started_at desc) w"
            " where w.expected > 0 and w.seen < w.expected group by 1"
        ),
        "{key}: {value:.1f} % of the records were not met",
        "The last complete sweep met fewer records than the source counts.",
        "v2 reconcile",
        ("health_gap_percent_warning", "health_gap_percent_critical"),
    ),
    Signal(
        "alert_undelivered",
        sql.SQL(
            "select 'messages' as key, min(created_at) as since, count(*) as value, '{{}}'::bigint[] as users"
            " from ops.alert where delivered_at is null and attempts > 0 and created_at < now() - interval '15 minutes'"
            " having count(*) > 0"
        ).format(),
        "{value} alerts could not be delivered",
        "No channel of their routes takes them.",
        "v2 alerts --test",
    ),
)


def look(connection: psycopg.Connection[Any], settings: Settings) -> dict[str, dict[str, Finding]]:
    """All that is wrong now, by code and cause; a code without trouble has none. A failing query is an error."""
    return {signal.code: _findings(connection, signal, settings) for signal in SIGNALS}


def watch(connection: psycopg.Connection[Any], settings: Settings) -> dict[str, dict[str, Finding]]:
    """Looks, and makes incidents of what is wrong; those whose cause is gone recover."""
    found = look(connection, settings)
    for code, findings in found.items():
        settle(connection, code, findings)
    return found


def _findings(connection: psycopg.Connection[Any], signal: Signal, settings: Settings) -> dict[str, Finding]:
    wanted = {name: getattr(settings, name) for name in signal.thresholds or ()}
    with connection.cursor(row_factory=dict_row) as cur:
        rows = cur.execute(signal.query, wanted if signal.thresholds else None).fetchall()
    found: dict[str, Finding] = {}
    for row in rows:
        if severity := signal.judge(row, settings):
            since = row["since"].isoformat(timespec="seconds") if row["since"] else None
            found[row["key"]] = Finding(
                severity,
                signal.subject.format(**row),
                {
                    "what": signal.what.format(**row),
                    "since": since,
                    "users": sorted(row["users"] or ()),
                    "link": signal.link,
                    "do": signal.do.format(**row),
                    "value": float(row["value"]),
                },
            )
    return found
