"""Dagster runs in processes that are forked from a warm one.

Dagster's own launcher starts each run in a new interpreter, which imports Dagster and the definitions again: 2 to 4 s
of a processor before the first step, for runs whose work is often shorter. Here the daemon keeps one server process
that has imported everything and does nothing else, and each run is a fork of it (docs/decisions/0005). Whether a run's
process lives is told by its session in Postgres (run_session), so whoever has the instance can stop it or see that it
is gone; run monitoring asks for that, which Dagster's own launcher does not support. Named in dagster.yaml; nothing
else knows it.
"""

import logging
import multiprocessing
import os
import signal
from collections.abc import Mapping
from functools import cached_property
from typing import Any, Self

import dagster as dg
from dagster import DagsterInstance, DagsterRun
from dagster._cli.api import _execute_run_command_body
from dagster._core.execution import context_creation_job
from dagster._core.instance import InstanceRef
from dagster._core.launcher import CheckRunHealthResult, LaunchRunContext, RunLauncher, WorkerStatus
from dagster._serdes import ConfigurableClass, ConfigurableClassData
from dagster._utils.interrupts import capture_interrupts

from resources import logs
from resources.processes import ProcessId
from resources.settings import load_settings
from v2_assets import run_session
from v2_assets.dagster_storage import EventLogStorage, database_of

PID_TAG = "v2/worker_pid"
STARTED_TAG = "v2/worker_started"
#: What the server process imports before the first fork.
PRELOADED = "v2_assets.run_worker"
log = logging.getLogger(__name__)


class ForkingRunLauncher(RunLauncher[DagsterInstance], ConfigurableClass):
    """Starts each run as a fork of a process that has loaded the definitions already. Takes no configuration."""

    def __init__(self, inst_data: ConfigurableClassData | None = None) -> None:
        self._inst_data = inst_data
        self._context = multiprocessing.get_context("forkserver")
        self._context.set_forkserver_preload([PRELOADED])
        super().__init__()

    @property
    def inst_data(self) -> ConfigurableClassData | None:
        """Where in dagster.yaml it came from."""
        return self._inst_data

    @classmethod
    def config_type(cls) -> dict[str, Any]:
        """No options."""
        return {}

    @classmethod
    def from_config_value(cls, inst_data: ConfigurableClassData | None, config_value: Mapping[str, Any]) -> Self:
        """Called by Dagster with what dagster.yaml says."""
        return cls(inst_data)

    def launch_run(self, context: LaunchRunContext) -> None:
        """Forks a process for the run and notes in the run's tags which one it is."""
        run_id, instance = context.dagster_run.run_id, self._instance
        process = self._context.Process(target=work, args=(run_id, instance.get_ref()), name=f"run {run_id}")
        process.start()
        worker = ProcessId.of(process.pid or 0)
        instance.add_run_tags(run_id, {PID_TAG: str(process.pid)} | ({STARTED_TAG: worker.started} if worker else {}))

    def terminate(self, run_id: str) -> bool:
        """Interrupts the run's process, wherever it is. False when it is gone already."""
        run = self._instance.get_run_by_id(run_id)
        if run is None or run.is_finished:
            return False
        worker, database = self._here(run), self._presence.database
        if worker is None and not run_session.held(database, run_id):
            return False
        self._instance.report_run_canceling(run)
        return worker.send(signal.SIGINT) if worker else run_session.interrupt(database, run_id)

    @property
    def supports_check_run_worker_health(self) -> bool:
        """Whether run monitoring may ask about a run's process."""
        return True

    def check_run_worker_health(self, run: DagsterRun) -> CheckRunHealthResult:
        """Whether the run's process still lives, for run monitoring: a process that does is never reported dead."""
        if self._here(run) or self._presence.lives(run.run_id):
            return CheckRunHealthResult(WorkerStatus.RUNNING, run_worker_id=run.tags.get(PID_TAG))
        return CheckRunHealthResult(
            WorkerStatus.FAILED, "the run's session in Postgres is gone", run_worker_id=run.tags.get(PID_TAG)
        )

    @cached_property
    def _presence(self) -> run_session.Presence:
        return run_session.Presence(database_of(self._instance))

    @staticmethod
    def _here(run: DagsterRun) -> ProcessId | None:
        """The run's process when it is seen to live on this machine. That it is not seen here says nothing."""
        pid, started = run.tags.get(PID_TAG), run.tags.get(STARTED_TAG)
        worker = ProcessId(int(pid), started) if pid and started else None
        return worker if worker and worker.alive() else None


@dg.logger({}, description="What a run says goes where its process's other lines go, in the same form.")
def _process_log(_: dg.InitLoggerContext) -> logging.Logger:
    said = logging.getLogger("dagster.run")
    said.setLevel(logging.INFO)  # Dagster tells every event of a run as debugging, too
    return said


def work(run_id: str, instance_ref: InstanceRef) -> None:
    """The forked process: executes one run and ends. Exits with 1 when the run failed."""
    os.setsid()  # a signal meant for the daemon's group must not end the runs
    logs.start(load_settings().log_format)
    # Dagster takes a job's own loggers only where each run's configuration names them.
    context_creation_job.default_system_loggers = lambda _: [(_process_log, {})]  # pyright: ignore[reportPrivateImportUsage]
    with logs.about(run=run_id), capture_interrupts(), DagsterInstance.from_ref(instance_ref) as instance:
        database = database_of(instance)
        if not run_session.hold(database, run_id):
            log.warning("another worker of this run lives: nothing to do here")
            raise SystemExit(0)
        run = instance.get_run_by_id(run_id)
        if run and run.parent_run_id:
            run_session.wait_for_end(database, run.parent_run_id)
        if isinstance(instance.event_log_storage, EventLogStorage):
            instance.event_log_storage.hold_partitions()
        code = _execute_run_command_body(run_id, instance, lambda _: None, set_exit_code_on_failure=True)
    raise SystemExit(code)
