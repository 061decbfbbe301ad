"""What became of onboarding runs: each open job follows its run and its streams, live, and the product is told.

New → Started → Complete | Partial | Error; the rules are in `v2_assets.onboarding.jobs`.
"""

from collections.abc import Iterator

import dagster as dg

from resources.errors import Unexpected
from sensors.onboarding import LOOK_EVERY_S, RUN_TAG
from sensors.runs import ACTIVE
from sensors.watching import watch
from v2_assets.automation import ONBOARDING_INTERVAL_S
from v2_assets.onboarding.jobs import RunState, any_open, follow, open_jobs
from v2_assets.platform_resource import PlatformResource

_STATES: dict[dg.DagsterRunStatus, RunState] = {
    **dict.fromkeys(ACTIVE, "asked"),
    dg.DagsterRunStatus.STARTED: "running",
    dg.DagsterRunStatus.CANCELING: "running",
    dg.DagsterRunStatus.SUCCESS: "success",
}


def run_of(instance: dg.DagsterInstance, key: str) -> tuple[str, RunState] | None:
    """The newest run with this key, and how it stands; None if there is none yet. What ended otherwise has failed."""
    found = instance.get_runs(dg.RunsFilter(tags={RUN_TAG: key}), limit=1)
    return (found[0].run_id, _STATES.get(found[0].status, "failure")) if found else None


@dg.sensor(
    name="onboarding_progress",
    minimum_interval_seconds=ONBOARDING_INTERVAL_S,
    default_status=dg.DefaultSensorStatus.RUNNING,
    description="Keeps onboarding jobs and their steps up to date with their runs, and tells the product.",
)
def onboarding_progress_sensor(
    context: dg.SensorEvaluationContext, platform: PlatformResource
) -> Iterator[dg.SkipReason]:
    runs: dict[str, tuple[str, RunState] | None] = {}
    watch(platform.database, any_open, LOOK_EVERY_S)
    with platform.database.connect(autocommit=True) as connection:
        jobs = open_jobs(connection)
        for key in {job.asked["key"] for job in jobs if job.asked}:
            runs[key] = run_of(context.instance, key)
        moved, failures = 0, []
        for job in jobs:
            try:
                moved += follow(connection, job, runs[job.asked["key"]] if job.asked else None)
            except Exception as error:  # the others' jobs go on, and then the tick fails and is told
                failures.append(Unexpected.of(error))
    if failures:
        raise failures[0]
    yield dg.SkipReason(f"{len(jobs)} open jobs, {moved} moved")
