"""What became of onboarding runs: the job row follows its run, and the product is told.

New → Started → Complete | Partial | Error. Partial: some streams are in and the run failed all the same; the sweeps go
on from there. A job whose run failed because of a neighbour begins again. Steps and their numbers are read from
ops.sync_state, which the run itself wrote.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import dagster as dg
import psycopg
from psycopg.types.json import Jsonb

from sensors.onboarding import JOBS_TAG
from v2_assets.automation import KIND_TAG, ONBOARDING_INTERVAL_S
from v2_assets.platform_resource import PlatformResource

_OPEN = """
select j.id, j.user_id, j.integration, j.status, c.platform || '/' || coalesce(c.account_id, '') || '/' || c.user_id
from ops.onboarding_job j join v2.credentials c on c.id = j.credentials_id
where j.status = 'Started' or (j.status = 'New' and j.run_id is not null) order by j.id
"""
_STEPS = """
select coalesce(jsonb_object_agg(entity, jsonb_build_object(
    'status', case when last_sync_at is null then status else 'done' end, 'records', records,
    'started_at', last_started_at, 'ended_at', last_sync_at, 'error', error)), '{}'),
  count(*) filter (where last_sync_at is not null),
  count(*) filter (where status in ('failed', 'excluded'))
from ops.sync_state where integration = %s and account_ref = %s
"""
#: Onboarding runs looked at, newest first: a job that is open is in one of the newest.
_RUNS = 500
_ENDED = {
    dg.DagsterRunStatus.SUCCESS: "Complete",
    dg.DagsterRunStatus.FAILURE: "Error",
    dg.DagsterRunStatus.CANCELED: "Error",
}


@dataclass(frozen=True, slots=True)
class _Job:
    """An open job, the run it shares, and how the streams of its connection stand."""

    id: int
    user_id: int
    integration: str
    status: str
    run: dg.DagsterRun
    steps: dict[str, Any]
    done: int
    failed: int


def follow(connection: psycopg.Connection[Any], runs: Mapping[int, dg.DagsterRun]) -> int:
    """Moves each open job to where its run is. Returns how many jobs moved.

    A run ends at the first stream that fails for any of its users. Then those whose own streams failed are at their
    end, and the others get another run without them, which goes on from what is stored.
    """
    jobs = []
    for job_id, user_id, integration, status, account_ref in connection.execute(_OPEN).fetchall():
        if run := runs.get(job_id):
            steps, done, failed = connection.execute(_STEPS, [integration, account_ref]).fetchone() or ({}, 0, 0)
            jobs.append(_Job(job_id, user_id, integration, status, run, steps, done, failed))
    at_fault = {job.run.run_id for job in jobs if job.failed}
    moved = 0
    for job in jobs:
        ended = _ENDED.get(job.run.status)
        if not ended and (job.status == "Started" or job.run.status != dg.DagsterRunStatus.STARTED):
            continue
        with connection.transaction():
            if ended == "Error" and not job.failed and job.run.run_id in at_fault:
                connection.execute(
                    "update ops.onboarding_job set status = 'New', run_id = null, steps = %s where id = %s",
                    [Jsonb(job.steps), job.id],
                )
            else:
                _move(connection, job, ended)
        moved += 1
    return moved


def _move(connection: psycopg.Connection[Any], job: _Job, ended: str | None) -> None:
    new = "Partial" if ended == "Error" and job.done else ended or "Started"
    connection.execute(
        "update ops.onboarding_job set status = %s, run_id = %s, steps = %s, started_at = coalesce(started_at, now()),"
        " ended_at = case when %s then now() end where id = %s",
        [new, job.run.run_id, Jsonb(job.steps), bool(ended), job.id],
    )
    if job.status == "New":
        _tell(connection, job.user_id, "ONBOARDING_STARTED", job.integration, "Started")
    if ended:
        kind = "ONBOARDING_COMPLETE" if new == "Complete" else "ONBOARDING_ERROR"
        _tell(connection, job.user_id, kind, job.integration, new)


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
        jobs = {row[0] for row in connection.execute(_OPEN).fetchall()}
        runs: dict[int, dg.DagsterRun] = {}
        asked = context.instance.get_runs(dg.RunsFilter(tags={KIND_TAG: "onboarding"}), limit=_RUNS) if jobs else ()
        for run in asked:  # newest first: a run that was tried again has the same jobs
            for job_id in map(int, run.tags[JOBS_TAG].split(",")):
                runs.setdefault(job_id, run)
        moved = follow(connection, runs)
    yield dg.SkipReason(f"{len(jobs)} open jobs, {moved} moved")
