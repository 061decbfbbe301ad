"""Runs in forked processes, by the real launcher on a real instance: started, followed, interrupted, killed."""

from __future__ import annotations

import os
import signal
from collections.abc import Iterator
from pathlib import Path

import dagster as dg
import psutil
import pytest
from dagster._core.launcher import LaunchRunContext, WorkerStatus

from resources.processes import wait_until
from tests.dagster.waiting_job import waiting_job
from v2_assets.run_launcher import PID_TAG, ForkingRunLauncher


@pytest.fixture
def instance(tmp_path: Path) -> Iterator[dg.DagsterInstance]:
    launcher = {"module": ForkingRunLauncher.__module__, "class": ForkingRunLauncher.__name__}
    with dg.DagsterInstance.local_temp(
        str(tmp_path), overrides={"run_launcher": launcher, "telemetry": {"enabled": False}}
    ) as made:
        yield made


def launched(instance: dg.DagsterInstance, until: Path) -> str:
    run = instance.create_run_for_job(
        waiting_job,
        run_config={"ops": {"wait_for_file": {"config": {"until": str(until)}}}},
        job_code_origin=dg.reconstructable(waiting_job).get_python_origin(),
    )
    instance.run_launcher.launch_run(LaunchRunContext(run, None))
    return run.run_id


def status(instance: dg.DagsterInstance, run_id: str) -> dg.DagsterRunStatus:
    run = instance.get_run_by_id(run_id)
    assert run
    return run.status


def reaches(instance: dg.DagsterInstance, run_id: str, wanted: dg.DagsterRunStatus) -> bool:
    return wait_until(lambda: status(instance, run_id) == wanted, 60)


def health(instance: dg.DagsterInstance, run_id: str) -> WorkerStatus:
    run = instance.get_run_by_id(run_id)
    assert run
    return instance.run_launcher.check_run_worker_health(run).status


def worker(instance: dg.DagsterInstance, run_id: str) -> int:
    run = instance.get_run_by_id(run_id)
    assert run
    return int(run.tags[PID_TAG])


def test_a_run_is_a_process_of_its_own_and_ends_with_success(instance: dg.DagsterInstance, tmp_path: Path) -> None:
    file = tmp_path / "go"
    first, second = launched(instance, file), launched(instance, file)
    for run_id in (first, second):
        assert reaches(instance, run_id, dg.DagsterRunStatus.STARTED)
        assert health(instance, run_id) == WorkerStatus.RUNNING
    pids = [worker(instance, first), worker(instance, second)]
    parents = {psutil.Process(pid).ppid() for pid in pids}
    assert len(set(pids)) == 2 and os.getpid() not in parents, "both come from the warm process, not from this one"
    assert len(parents) == 1
    file.touch()
    for run_id in (first, second):
        assert reaches(instance, run_id, dg.DagsterRunStatus.SUCCESS)
    assert wait_until(lambda: health(instance, first) == WorkerStatus.FAILED, 10), "a process that is gone is told so"


def test_a_run_can_be_interrupted_and_is_then_canceled(instance: dg.DagsterInstance, tmp_path: Path) -> None:
    run_id = launched(instance, tmp_path / "never")
    assert reaches(instance, run_id, dg.DagsterRunStatus.STARTED)
    assert instance.run_launcher.terminate(run_id)
    assert reaches(instance, run_id, dg.DagsterRunStatus.CANCELED)
    assert wait_until(lambda: not instance.run_launcher.terminate(run_id), 10), "there is nothing left to interrupt"


def test_a_killed_process_is_noticed_although_it_could_write_nothing(
    instance: dg.DagsterInstance, tmp_path: Path
) -> None:
    run_id = launched(instance, tmp_path / "never")
    assert reaches(instance, run_id, dg.DagsterRunStatus.STARTED)
    os.kill(worker(instance, run_id), signal.SIGKILL)
    assert wait_until(lambda: health(instance, run_id) == WorkerStatus.FAILED, 10)
    assert status(instance, run_id) == dg.DagsterRunStatus.STARTED
