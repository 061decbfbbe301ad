"""What is wrong now: one query per kind of trouble, measured against thresholds that are settings.

A signal's query tells causes, never users: three hundred users behind one dead source are one finding that lists them.
Here: the queries and the thresholds. Not here: numbers over time (`measures`), the rules of single tables
(`v2_assets.checks`), what only Dagster knows, and making incidents (`sensors.alerts`, `v2_assets.monitor`).
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Any, Literal

import psycopg
from psycopg import sql
from psycopg.rows import dict_row

from resources.errors import SweepShrunk, Unauthorized
from resources.settings import Settings
from v2_assets.connections.states import IN_TROUBLE
from v2_assets.health.behind import BEHIND
from v2_assets.health.gap import gaps
from v2_assets.incidents import Finding, Severity
from v2_assets.merge.statements import staging
from v2_assets.merge.words import TOLD
from v2_assets.schema.stage import STREAMS


@dataclass(frozen=True, slots=True)
class Signal:
    """One kind of trouble.

    `query` selects `key`, `value` (in the thresholds' unit), `since`, `users` (ids) and what `subject`, `what` and `do`
    are filled in with. `thresholds` are the settings of the warning and of the critical value; a row above neither is
    no trouble, and one that is unset is never passed. Without thresholds every row is as bad as `severity`. `per` says
    what a key names: a staging table, a stream as integration/entity, or anything else of the platform.
    """

    code: str
    query: sql.SQL | sql.Composed
    subject: str
    what: str
    do: str
    thresholds: tuple[str, str] | None = None
    per: Literal["table", "stream", "platform"] = "platform"
    severity: Severity = "warning"

    def table(self, key: str) -> str | None:
        """The staging table that a key is about; None where it is about no single one."""
        return {"table": key, "stream": _TABLE_OF.get(key)}.get(self.per)

    def judge(self, row: Mapping[str, Any], settings: Settings) -> Severity | None:
        """How bad a row is."""
        if self.thresholds is None:
            return self.severity
        warning, critical = (getattr(settings, name) for name in self.thresholds)
        if critical is not None and row["value"] > critical:
            return "critical"
        return "warning" if warning is not None and row["value"] > warning else None


#: The asset whose checks show what concerns no single table.
PLATFORM = "health_report"
#: A connection whose key is accepted and in use, joined to the streams it reads.
_CONNECTED = """
from ops.sync_state s
join v2.credentials c on c.user_id = s.user_id and c.platform = s.integration and c.active and c.deleted_at is null
  and s.account_ref = c.platform || '/' || coalesce(c.account_id, '') || '/' || c.user_id
"""
_TABLE_OF = {f"{stream.integration}/{stream.entity}": stream.table for stream in STREAMS}
#: As long as an onboarding waits for the merge of what it has read.
ON_ITS_WAY = "15 minutes"
#: A share of fewer records or passes says nothing: one of two is no half.
FEWEST = 20


def _backlog() -> sql.Composed:
    """What a run has just staged it also merges, so that is no backlog yet (docs/decisions, 7)."""
    tables = sql.SQL(" union all ").join(
        sql.SQL(
            "select {name}::text as key, count(*) as value, min(fetched_at) as since,"
            " (array_agg(distinct user_id))[1:100] as users from {stage} where status in ('pending', 'deferred')"
            " and fetched_at < now() - {way}::interval"
        ).format(name=sql.Literal(stream.table), stage=staging(stream.table), way=sql.Literal(ON_ITS_WAY))
        for stream in STREAMS
    )
    return sql.SQL("select * from ({}) t where value > 0").format(tables)


def _rejected() -> sql.Composed:
    """The share of a pull: of what arrived in the last day, or of the whole table where that is worse."""
    tables = sql.SQL(" union all ").join(
        sql.SQL(
            "select {name}::text as key, n.* from (select from {stage} where status = 'rejected' limit 1) met, lateral"
            " (select count(*) filter (where status = 'rejected') as rejected, count(*) as total,"
            "   count(*) filter (where fetched_at > now() - interval '24 hours') as arrived,"
            "   count(*) filter (where fetched_at > now() - interval '24 hours' and status = 'rejected')"
            "     as rejected_now,"
            "   min(fetched_at) filter (where status = 'rejected') as since,"
            "   (array_agg(distinct user_id) filter (where status = 'rejected'))[1:100] as users from {stage}) n"
        ).format(name=sql.Literal(stream.table), stage=staging(stream.table))
        for stream in STREAMS
    )
    return sql.SQL(
        "select *, greatest(100.0 * rejected / total, case when arrived >= {fewest} then 100.0 * rejected_now / arrived"
        " else 0 end) as value from ({tables}) t"
    ).format(fewest=sql.Literal(FEWEST), tables=tables)


#: An account that moves while it is read makes one pass incomplete; two in a row, or one that none follows, are news.
#: A sweep that shrank waits for a person.
_UNPROVEN = sql.SQL(
    """
select integration || '/' || entity as key, max(doubt ->> 'code') as why, min(since) as since, count(*) as value,
  array_agg(distinct user_id) as users, max(doubt ->> 'message') as message
from (
  select s.integration, s.entity, s.user_id, coalesce(w.error, s.error) as doubt,
    coalesce(w.completed_at, s.last_sync_at) as since, w.outcome as outcome, w.before as before
  {connected} left join lateral (
    select w.*, lag(w.outcome) over (order by w.id) as before from ops.sweep w
    where (w.account_ref, w.integration, w.entity) = (s.account_ref, s.integration, s.entity)
      and w.completed_at is not null order by w.id desc limit 1
  ) w on true
  where w.error is not null or (w.id is null and s.error ->> 'code' = 'sweep_incomplete')
) d
where outcome = 'shrunk' or before <> 'applied' or since < now() - interval '2 hours' group by 1
"""
).format(connected=sql.SQL(_CONNECTED))

SIGNALS: tuple[Signal, ...] = (
    Signal(
        "backlog_large",
        _backlog(),
        "{key}: {value} staged records are not merged",
        "{value} records of {key} are pending or wait for a parent.",
        "v2 health",
        ("health_backlog_warning", "health_backlog_critical"),
        per="table",
    ),
    Signal(
        "rejected_share",
        _rejected(),
        "{key}: {rejected} of {total} records break a rule",
        "{rejected} of {total} staged records of {key} are rejected; of the {arrived} of the last day {rejected_now}.",
        "v2 reconcile",
        ("health_rejected_percent_warning", "health_rejected_percent_critical"),
        per="table",
    ),
    Signal(
        "stream_old",
        sql.SQL(
            "select integration || '/' || why as key, integration, why, min(since) as since, max(hours) as value,"
            " array_agg(distinct user_id) as users, count(distinct user_id) as behind,"
            " string_agg(distinct entity, ', ' order by entity) as streams from ({}) b group by 1, 2, 3"
        ).format(BEHIND),
        "{integration}: users have had no sync for up to {value:.0f} hours ({why})",
        "{behind} users are behind with {streams}; the one who is furthest for {value:.0f} hours.",
        "v2 health --behind",
        ("health_sync_hours_warning", "health_sync_hours_critical"),
    ),
    Signal(
        "stream_failed",
        sql.SQL(
            "select s.integration || '/' || coalesce(s.error ->> 'code', 'unknown') as key,"
            " min(s.last_started_at) as since, array_agg(distinct s.user_id) as users, count(*) as value,"
            " string_agg(distinct s.entity, ', ') as streams, max(s.error ->> 'message') as why"
            + _CONNECTED
            # Told elsewhere: a sweep that shrank as `sweep_unproven` until it is resolved, a refused key with the key.
            + " where s.status = 'failed' and c.state = 'ok' and coalesce(s.error ->> 'code', '') <> all({}) group by 1"
        ).format(sql.Literal([SweepShrunk.code, Unauthorized.code])),
        "{key}: {value} streams cannot be read",
        "{streams}: {why}",
        "v2 status",
    ),
    Signal(
        "sync_failures",
        sql.SQL(
            "select p.integration as key, 100.0 * sum(p.failed) / sum(p.passes) as value, sum(p.passes) as passes,"
            " sum(p.failed) as failed, min(p.at) filter (where p.failed > 0) as since,"
            " (select array_agg(distinct u::bigint) from ops.pull q, jsonb_array_elements_text(q.failed_users) u"
            "  where q.integration = p.integration and q.at > now() - interval '24 hours') as users"
            " from ops.pull p where p.at > now() - interval '24 hours' group by 1 having sum(p.passes) >= {}"
        ).format(sql.Literal(FEWEST)),
        "{key}: {value:.0f} % of the passes failed",
        "Of {passes} passes over streams of {key} in the last 24 hours {failed} failed.",
        "v2 status",
        ("health_failed_percent_warning", "health_failed_percent_critical"),
    ),
    Signal(
        "source_refuses_keys",
        IN_TROUBLE,
        "{platform} refuses the keys of {accounts} accounts at once",
        "{value} keys are refused by the source's own probe: {why}. No key was put out of use.",
        "v2 doctor",
        severity="critical",
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
            "select g.integration || '/' || g.entity as key, min(g.started_at) as since, sum(g.gap) as missing,"
            " sum(g.expected) as expected, array_agg(distinct g.user_id) filter (where g.gap > 0) as users,"
            # Of all accounts together, or of the one that misses most: a large team must not hide a person.
            " greatest(100.0 * sum(g.gap) / sum(g.expected),"
            "  coalesce(max(100.0 * g.gap / g.expected) filter (where g.expected >= {fewest}), 0)) as value"
            " from ({gaps}) g group by 1 having sum(g.gap) > 0"
        ).format(fewest=sql.Literal(FEWEST), gaps=gaps()),
        "{key}: {missing} of the source's {expected} records are not in V2",
        "At the last full sweep the source counted {expected} records; {missing} of them are not in V2 and not left out"
        " by a rule. The share of the user who misses most is {value:.1f} %.",
        "v2 reconcile",
        ("health_gap_percent_warning", "health_gap_percent_critical"),
        per="stream",
    ),
    Signal(
        "backup_old",
        sql.SQL(
            "select 'backup' as key, t.since, extract(epoch from now() - t.since) / 3600 as value, t.folder,"
            " '{{}}'::bigint[] as users from (select coalesce(max(made_at), (select min(created_at) from v2.user))"
            " as since, coalesce((array_agg(folder order by made_at desc))[1], 'none yet') as folder from ops.backup) t"
            " where t.since is not null"
        ).format(),
        "the last backup is {value:.0f} hours old",
        "Since then no backup has been finished. The last one: {folder}.",
        "v2 backup --to FOLDER",
        ("health_backup_hours_warning", "health_backup_hours_critical"),
    ),
    Signal(
        "sweep_unproven",
        _UNPROVEN,
        "{key}: full passes of {value} accounts prove nothing ({why})",
        "{message} Nothing is deleted there, and nothing that is missing is known to be gone, until a full pass is"
        " believed.",
        "v2 status",
    ),
    Signal(
        "unknown_word",
        # By code set, since a new word of a source is met in many tables and by many users.
        sql.SQL(
            "select source || '/' || code_set as key, count(distinct word) as value, count(*) as records,"
            " min(fetched_at) as since, (array_agg(distinct user_id))[1:100] as users,"
            " left(string_agg(distinct word, ', '), 200) as words from ({}) told where not held group by 1"
        ).format(TOLD),
        "{key}: {value} words that V2 does not know",
        "{records} records carry {words}. They are in V2 without that value.",
        "v2 codes",
        severity="info",
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


def look(
    connection: psycopg.Connection[Any], settings: Settings, codes: Collection[str] | None = None
) -> dict[str, dict[str, Finding]]:
    """All that is wrong now, by code and cause; a code without trouble has none. A failing query is an error."""
    wanted = [signal for signal in SIGNALS if codes is None or signal.code in codes]
    return {signal.code: _findings(connection, signal, settings) for signal in wanted}


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
                    "link": f"/assets/{signal.table(row['key']) or PLATFORM}?view=checks",
                    "do": signal.do.format(**row),
                    "value": float(row["value"]),
                },
            )
    return found
