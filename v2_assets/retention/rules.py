"""What goes, each by one rule: a table, a condition, and the setting that says after how many days.

Here: the rules of our own tables. Dagster's runs and events hang together and are `dagster_runs`' matter. Measurements
and reports are kept as long as the report looks back, and end where they are written (`v2_assets.health`).
"""

from __future__ import annotations

from dataclasses import dataclass

from psycopg import sql

from v2_assets.gate.comparisons import RUNS
from v2_assets.merge.statements import staging
from v2_assets.schema.stage import STREAMS


@dataclass(frozen=True, slots=True)
class Rule:
    """Rows of `table` (read as t) for which `due` holds. The key is `id`.

    `%(days)s` is the setting's value, `%(complete)s` and `%(partial)s` are the comparisons that the gate looks at.
    """

    name: str
    meaning: str
    setting: str
    table: sql.Composable
    due: sql.Composable


def _ops(name: str, meaning: str, setting: str, table: str, due: str) -> Rule:
    return Rule(name, meaning, setting, sql.Identifier("ops", table), sql.SQL(due))  # type: ignore[arg-type]


_OLD = "now() - %(days)s * interval '1 day'"
# What `v2 compare --last` shows, and what says why an endpoint's answers differ: of each table the newest comparison.
_NEWEST = """
select coalesce(max(id), 0) from ops.comparison_run where status <> 'running' union all
select max(c.run_id) from ops.comparison_table c join ops.comparison_run r on r.id = c.run_id
where c.status = 'compared' and r.status = 'complete' and r.scope = 'full' group by c.table_name
"""
# A record that is gone is kept while the row in V2 that it became lives, or while a copy leans on it.
_GONE = sql.SQL(
    f"t.missed_sweeps >= 2 and t.missing_since < {_OLD} and t.status <> 'pending'"  # noqa: S608 - constants
    " and not exists (select from {stage} w where w.duplicate_of = t.id)"
    " and not exists (select from {live} v where v.id = t.v2_id and v.deleted_at is null and not exists"
    "  (select from {stage} o where o.v2_id = v.id and o.missed_sweeps < 2))"
)

RULES: tuple[Rule, ...] = (
    _ops(
        "inbox",
        "webhook events that were handled",
        "retention_inbox_days",
        "webhook_inbox",
        f"t.state = 'done' and t.received_at < {_OLD}",
    ),
    _ops(
        "parked",
        "webhook events that were put aside and never let back in",
        "retention_parked_days",
        "webhook_inbox",
        f"t.state = 'parked' and t.received_at < {_OLD}",
    ),
    _ops("alerts", "messages that were delivered", "retention_alerts_days", "alert", f"t.delivered_at < {_OLD}"),
    _ops(
        "incidents",
        "incidents that are over, once their messages are gone",
        "retention_alerts_days",
        "incident",
        f"t.recovered_at < {_OLD} and not exists (select from ops.alert a where a.incident_id = t.id)",
    ),
    _ops("errors", "entries of the error log", "retention_errors_days", "error_log", f"t.at < {_OLD}"),
    _ops("merges", "counts of single merges", "retention_work_days", "merge_run", f"t.ended_at < {_OLD}"),
    _ops(
        "sweeps",
        "full sweeps of a stream before its last two",
        "retention_work_days",
        "sweep",
        f"t.completed_at < {_OLD} and 2 <= (select count(*) from ops.sweep n where n.account_ref = t.account_ref"  # noqa: S608
        " and n.entity = t.entity and n.integration = t.integration and n.id > t.id and n.completed_at is not null)",
    ),
    _ops(
        "differences",
        "single differences of comparisons that nothing rests on any more",
        "retention_comparisons_days",
        "comparison_diff",
        f"t.run_id in (select r.id from ops.comparison_run r where coalesce(r.ended_at, r.started_at) < {_OLD})"  # noqa: S608
        f" and t.run_id not in (select id from ({RUNS}) gate) and t.run_id not in ({_NEWEST})",
    ),
    *(
        Rule(
            stream.table,
            "staged records that their source has deleted, and V2 too",
            "retention_gone_days",
            staging(stream.table),
            _GONE.format(stage=staging(stream.table), live=sql.Identifier("v2", stream.primary)),
        )
        for stream in STREAMS
    ),
)
