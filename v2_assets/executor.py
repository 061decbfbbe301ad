"""A run's steps in one process, one after another, and at the end the truth about users who failed.

Dagster leaves out whatever stands below a failed step, for everybody in the run. So a step in which some users failed
goes on for the others, says so here, and is reported as failed when all steps have ended (docs/decisions/0011): the run
is red and names them, V2 is merged for all others, and a re-execution from failure begins with these steps.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator, Mapping, Sequence

import dagster as dg
from dagster._core.definitions.job_base import InMemoryJob
from dagster._core.events import DagsterEvent
from dagster._core.execution.api import execute_run
from dagster._core.execution.context.system import PlanOrchestrationContext
from dagster._core.execution.job_execution_result import JobExecutionResult
from dagster._core.execution.plan.objects import UserFailureData, step_failure_event_from_exc_info
from dagster._core.execution.plan.plan import ExecutionPlan
from dagster._core.execution.retries import RetryMode
from dagster._core.executor.in_process import InProcessExecutor

#: The failed steps of the runs that this process executes, by run and step.
_failures: dict[str, dict[str, dg.Failure]] = {}


def fail_at_the_end(run_id: str, step_key: str, failure: dg.Failure) -> None:
    """Has the step fail when the run's other steps have ended; at once where another executor runs it.

    Raises the failure in the second case: it must not be lost.
    """
    if run_id not in _failures:
        raise failure
    _failures[run_id][step_key] = failure


class UsersExecutor(InProcessExecutor):
    """Dagster's in-process executor, which then reports the steps in which users failed."""

    def execute(self, plan_context: PlanOrchestrationContext, execution_plan: ExecutionPlan) -> Iterator[DagsterEvent]:
        """Every event of the run's steps, and a failure for each step that some user failed in."""
        failures = _failures.setdefault(plan_context.run_id, {})
        try:
            yield from super().execute(plan_context, execution_plan)
            for step_key, failure in failures.items():
                step = plan_context.for_step(execution_plan.get_step_by_key(step_key))  # pyright: ignore[reportArgumentType]
                told = UserFailureData("intentional-failure", failure.description, failure.metadata)
                try:
                    raise failure
                except dg.Failure:
                    yield step_failure_event_from_exc_info(step, sys.exc_info(), told)  # pyright: ignore[reportArgumentType]
        finally:
            del _failures[plan_context.run_id]


@dg.executor(name="in_process")
def users_executor(_: dg.InitExecutorContext) -> UsersExecutor:
    """A process per step would cost about two seconds each; a run's steps share one process."""
    return UsersExecutor(RetryMode.ENABLED)


def execute_here(
    job: dg.JobDefinition,
    instance: dg.DagsterInstance,
    *,
    tags: Mapping[str, str],
    assets: Sequence[dg.AssetKey] = (),
    run_id: str | None = None,
) -> JobExecutionResult:
    """Runs a job in this process as a worker would: `JobDefinition.execute_in_process` takes an executor of its own."""
    chosen = frozenset(assets) or None
    run = instance.create_run_for_job(
        job,
        run_id=run_id,
        tags={**job.run_tags, **tags},
        asset_selection=chosen,
        run_config={"loggers": {"console": {"config": {"log_level": "CRITICAL"}}}},
    )
    return execute_run(InMemoryJob(job), run, instance)
