"""What became of onboarding runs: the job row follows its run, and the product is told.

New → Started → Complete | Partial | Error. Partial: some streams are in and the run failed all the same; the sweeps go
on from there. Steps and their numbers are read from ops.sync_state, which the run itself wrote.
"""

from collections.abc import Iterator
from typing import Any

import dagster as dg
import psycopg
from psycopg.types.json import Jsonb

from sensors.onboarding import JOB_TAG
from v2_assets.automation import ONBOARDING_INTERVAL_S
from v2_assets.platform_resource import PlatformResource

_OPEN = """
select j.id, j.user_id, j.integration, j.status, c.platform || '/' || coalesce(c.account_id, '') || '/' || c.user_id
from ops.onboarding_job j join v2.credentials c on c.id = j.credentials_id
where j.status in ('New', 'Started') order by j.id
"""
_STEPS = """
select coalesce(jsonb_object_agg(entity, jsonb_build_object(
    'status', case when last_sync_at is null then status else 'done' end, 'records', records,
    'started_at', last_started_at, 'ended_at', last_sync_at, 'error', error)), '{}'),
  count(*) filter (where last_sync_at is not null)
from ops.sync_state where integration = %s and account_ref = %s
"""
_ENDED = {
    dg.DagsterRunStatus.SUCCESS: "Complete",
    dg.DagsterRunStatus.FAILURE: "Error",
    dg.DagsterRunStatus.CANCELED: "Error",
}


def follow(connection: psycopg.Connection[Any], runs: dict[int, dg.DagsterRun]) -> int:
    """Moves each open job to where its run is. Returns how many jobs moved."""
    moved = 0
    for job_id, user_id, integration, status, account_ref in connection.execute(_OPEN).fetchall():
        run = runs.get(job_id)
        if run is None:
            continue
        ended = _ENDED.get(run.status)
        if not ended and (status == "Started" or run.status != dg.DagsterRunStatus.STARTED):
            continue
        with connection.transaction():
            steps, done = connection.execute(_STEPS, [integration, account_ref]).fetchone() or ({}, 0)
            new = "Partial" if ended == "Error" and done else ended or "Started"
            connection.execute(
                "update ops.onboarding_job set status = %s, run_id = %s, steps = %s, started_at = coalesce(started_at,"
                " now()), ended_at = case when %s then now() end where id = %s",
                [new, run.run_id, Jsonb(steps), bool(ended), job_id],
            )
            if status == "New":
                _tell(connection, user_id, "ONBOARDING_STARTED", integration, "Started")
            if ended:
                kind = "ONBOARDING_COMPLETE" if new == "Complete" else "ONBOARDING_ERROR"
                _tell(connection, user_id, kind, integration, new)
        moved += 1
    return moved


def _tell(connection: psycopg.Connection[Any], user_id: int, kind: str, integration: str, status: str) -> None:
    connection.execute(
        "insert into ops.notification (user_id, kind, payload) values (%s, %s, %s)",
        [user_id, kind, Jsonb({"integration": integration, "status": status})],
    )


@dg.sensor(
    name="onboarding_progress",
    minimum_interval_seconds=ONBOARDING_INTERVAL_S,
    default_status=dg.DefaultSensorStatus.RUNNING,
    description="Keeps onboarding jobs in step with their runs and tells the product.",
)
def onboarding_progress_sensor(
    context: dg.SensorEvaluationContext, platform: PlatformResource
) -> Iterator[dg.SkipReason]:
    with platform.database.connect(autocommit=True) as connection:
        jobs = [row[0] for row in connection.execute(_OPEN).fetchall()]
        runs = {}
        for job_id in jobs:
            found = context.instance.get_runs(dg.RunsFilter(tags={JOB_TAG: str(job_id)}), limit=1)
            if found:
                runs[job_id] = found[0]
        moved = follow(connection, runs)
    yield dg.SkipReason(f"{len(jobs)} open jobs, {moved} moved")
