"""Looking after everything: what is wrong becomes incidents, and people are told.

A tick looks at the database's own signals, at webhooks, and at what only Dagster knows (runs and ticks that fail,
tables that are late, assets that nothing starts), and then sends what waits. The monitor does the same outside Dagster
for the time when the daemon is dead. The standing checks show the same findings in the UI (`v2_assets.checks.watched`).
"""

from collections.abc import Iterator, Mapping
from datetime import UTC, datetime, timedelta

import dagster as dg
import psycopg
from dagster._core.errors import DagsterUserCodeUnreachableError
from dagster._core.scheduler.instigation import InstigatorTick, TickStatus
from dagster._core.storage.tags import WILL_RETRY_TAG

from resources.settings import Settings
from v2_assets.alerting.deliver import deliver
from v2_assets.automation import ALERTS_INTERVAL_S
from v2_assets.freshness import expected, late
from v2_assets.health.signals import SIGNALS, look
from v2_assets.incidents import Finding, settle
from v2_assets.platform_resource import PlatformResource
from v2_assets.triggers import findings, triggers
from v2_assets.webhooks import alarms

#: A run that failed so long ago is no news any more.
RECENT = timedelta(hours=24)
#: Every code that a tick looks for, and so ends.
WATCHED = (
    *(signal.code for signal in SIGNALS),
    "run_failed",
    "tick_failed",
    "table_not_fresh",
    "asset_without_trigger",
    "trigger_off",
    "inbox_old",
    "webhook_over_quota",
    "webhook_unknown_event",
)
#: One failed tick is repeated; so many in a row are trouble.
TICKS_IN_A_ROW = 3


def failed_runs(instance: dg.DagsterInstance, connection: psycopg.Connection) -> dict[str, Finding]:
    """Jobs whose newest ended run failed, unless it failed for what a source did: that is told as the source's.

    One that lost its process and is to be run again by itself is no trouble yet.
    """
    found: dict[str, Finding] = {}
    recent = instance.get_runs(
        dg.RunsFilter(statuses=[dg.DagsterRunStatus.FAILURE], updated_after=datetime.now(UTC) - RECENT), limit=200
    )
    for job in dict.fromkeys(run.job_name for run in recent):
        ended = [dg.DagsterRunStatus.SUCCESS, dg.DagsterRunStatus.FAILURE]
        last = instance.get_runs(dg.RunsFilter(job_name=job, statuses=ended), limit=1)
        if not last or last[0].status != dg.DagsterRunStatus.FAILURE or last[0].tags.get(WILL_RETRY_TAG) == "true":
            continue
        if _of_a_source(connection, last[0].run_id):
            continue
        found[job] = Finding(
            "critical",
            f"{job} fails",
            {
                "what": "Its newest run failed, and not because of a source.",
                "since": _ended(instance, last[0].run_id),
                "users": [],
                "link": f"/runs/{last[0].run_id}",
                "do": "v2 status",
            },
        )
    return found


def _ended(instance: dg.DagsterInstance, run_id: str) -> str | None:
    stats = instance.get_run_stats(run_id)
    return datetime.fromtimestamp(stats.end_time, UTC).isoformat(timespec="seconds") if stats.end_time else None


def _of_a_source(connection: psycopg.Connection, run_id: str) -> bool:
    return connection.execute("select from ops.error_log where run_id = %s limit 1", [run_id]).fetchone() is not None


def failed_ticks(instance: dg.DagsterInstance) -> dict[str, Finding]:
    """Sensors and schedules whose last ticks all failed, unless the code server was away: the monitor tells of that."""
    found: dict[str, Finding] = {}
    for state in instance.all_instigator_state():
        ticks = instance.get_ticks(state.instigator_origin_id, state.selector_id, limit=TICKS_IN_A_ROW)
        ended = [tick for tick in ticks if tick.status != TickStatus.STARTED]
        if len(ended) < min(len(ticks), TICKS_IN_A_ROW - 1) or not ended:
            continue
        if len(ended) >= TICKS_IN_A_ROW - 1 and all(map(_failed, ended)):
            name = state.instigator_name
            found[name] = Finding(
                "critical",
                f"{state.instigator_type.value.lower()} {name} fails each time it runs",
                {
                    "what": f"Its last {len(ended)} ticks failed.",
                    "since": datetime.fromtimestamp(ended[-1].timestamp, UTC).isoformat(timespec="seconds"),
                    "users": [],
                    "link": "/overview/automation",
                    "do": "v2 status",
                },
            )
    return found


def _failed(tick: InstigatorTick) -> bool:
    """Whether a tick failed of itself. Dagster calls a code server that is away and one too slow by the same name."""
    error = tick.error
    unreachable = error is not None and error.cls_name == DagsterUserCodeUnreachableError.__name__
    return tick.status == TickStatus.FAILURE and (not unreachable or "timed out" in str(error))


def everything(
    connection: psycopg.Connection,
    settings: Settings,
    instance: dg.DagsterInstance,
    repository: dg.RepositoryDefinition,
) -> Mapping[str, Mapping[str, Finding]]:
    """All that is wrong now under each code of WATCHED, by cause."""
    return {
        **look(connection, settings),
        "run_failed": failed_runs(instance, connection),
        "tick_failed": failed_ticks(instance),
        "table_not_fresh": late(instance, repository, expected(connection, repository)),
        **findings(repository, triggers(repository, instance, times=False)),
        "inbox_old": alarms.inbox_old(connection, settings),
        "webhook_over_quota": alarms.over_quota(connection),
        "webhook_unknown_event": alarms.unknown_events(connection),
    }


@dg.sensor(
    name="alerts",
    minimum_interval_seconds=ALERTS_INTERVAL_S,
    default_status=dg.DefaultSensorStatus.RUNNING,
    description="Makes incidents of what is wrong, ends those that are over, and tells people. Starts no run.",
)
def alerts_sensor(
    context: dg.SensorEvaluationContext, platform: PlatformResource
) -> Iterator[dg.RunRequest | dg.SkipReason]:
    database, settings, repository = platform.database, platform.settings, context.repository_def
    assert repository is not None  # noqa: S101 - every sensor of a code location has one
    with database.connect(autocommit=True) as connection:
        found = everything(connection, settings, context.instance, repository)
        for code, causes in found.items():
            settle(connection, code, causes)
    told = deliver(database, settings)
    wrong = sum(len(causes) for causes in found.values())
    yield dg.SkipReason(f"{wrong} causes of trouble; {told.sent} messages sent, {told.failed} found no channel")
