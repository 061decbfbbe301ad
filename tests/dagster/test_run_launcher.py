"""Runs in forked processes, by the real launcher on a real instance: started, followed, interrupted, killed, cut off.

Run monitoring is Dagster's own, asked as its daemon asks it.
"""

from __future__ import annotations

import json
import logging
import multiprocessing
import os
import signal
import socket
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import dagster as dg
import psutil
import pytest
from dagster._core.launcher import LaunchRunContext, WorkerStatus
from dagster._core.storage.dagster_run import RunsFilter
from dagster._daemon.monitoring.run_monitoring import monitor_started_run

from resources.embedded import EmbeddedPostgres
from resources.errors import ConfigError
from resources.postgres import Database
from resources.processes import ProcessId, wait_until
from tests.dagster.instances import instance_on
from tests.dagster.waiting_job import waiting_job, work_into
from v2_assets import run_session
from v2_assets.dagster_storage import FRESH_S, database_of
from v2_assets.run_launcher import PID_TAG, STARTED_TAG, ForkingRunLauncher


@pytest.fixture
def instance(tmp_path: Path, dagster: Database) -> Iterator[dg.DagsterInstance]:
    with instance_on(dagster, tmp_path) as made:
        yield made


@pytest.fixture
def briefly(monkeypatch: pytest.MonkeyPatch) -> None:
    """An absence counts after a second, so that a test of a death is short."""
    monkeypatch.setattr(run_session, "GRACE_S", 1.0)


def launched(instance: dg.DagsterInstance, until: Path, parent: str | None = None) -> str:
    run = made(instance, until, parent)
    instance.run_launcher.launch_run(LaunchRunContext(run, None))
    return run.run_id


def made(instance: dg.DagsterInstance, until: Path, parent: str | None = None) -> dg.DagsterRun:
    return instance.create_run_for_job(
        waiting_job,
        run_config={"ops": {"wait_for_file": {"config": {"until": str(until)}}}},
        job_code_origin=dg.reconstructable(waiting_job).get_python_origin(),
        parent_run_id=parent,
        root_run_id=parent,
    )


def status(instance: dg.DagsterInstance, run_id: str) -> dg.DagsterRunStatus:
    run = instance.get_run_by_id(run_id)
    assert run
    return run.status


def reaches(instance: dg.DagsterInstance, run_id: str, wanted: dg.DagsterRunStatus) -> bool:
    return wait_until(lambda: status(instance, run_id) == wanted, 120)


def health(instance: dg.DagsterInstance, run_id: str) -> WorkerStatus:
    run = instance.get_run_by_id(run_id)
    assert run
    return instance.run_launcher.check_run_worker_health(run).status


def worker(instance: dg.DagsterInstance, run_id: str) -> int:
    run = instance.get_run_by_id(run_id)
    assert run
    return int(run.tags[PID_TAG])


@pytest.mark.usefixtures("briefly")
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
    assert wait_until(lambda: health(instance, first) == WorkerStatus.FAILED, 120), "a process that is gone is told so"


def test_a_run_can_be_interrupted_and_is_then_canceled(instance: dg.DagsterInstance, tmp_path: Path) -> None:
    run_id = launched(instance, tmp_path / "never")
    assert reaches(instance, run_id, dg.DagsterRunStatus.STARTED)
    assert instance.run_launcher.terminate(run_id)
    assert reaches(instance, run_id, dg.DagsterRunStatus.CANCELED)
    assert wait_until(lambda: not instance.run_launcher.terminate(run_id), 120), "there is nothing left to interrupt"


def test_what_a_run_says_is_in_the_log_of_its_process_in_the_form_that_is_set(
    instance: dg.DagsterInstance, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("V2_LOG_FORMAT", "json")
    (tmp_path / "go").touch()
    run, log = made(instance, tmp_path / "go"), tmp_path / "log"
    process = multiprocessing.get_context("spawn").Process(target=work_into, args=(log, run.run_id, instance.get_ref()))
    process.start()
    process.join(120)
    assert process.exitcode == 0
    lines = [json.loads(line) for line in log.read_text(encoding="utf-8").splitlines()]
    [said] = [line for line in lines if line["message"].endswith("it waits")]
    assert "debug" not in {line["level"] for line in lines}
    assert (said["logger"], said["level"], said["run"]) == ("dagster.run", "info", run.run_id)


@pytest.mark.usefixtures("briefly")
def test_a_killed_process_is_noticed_although_it_could_write_nothing(
    instance: dg.DagsterInstance, tmp_path: Path
) -> None:
    run_id = launched(instance, tmp_path / "never")
    assert reaches(instance, run_id, dg.DagsterRunStatus.STARTED)
    os.kill(worker(instance, run_id), signal.SIGKILL)
    assert wait_until(lambda: health(instance, run_id) == WorkerStatus.FAILED, 120)
    assert status(instance, run_id) == dg.DagsterRunStatus.STARTED
    monitored(instance, run_id)
    assert status(instance, run_id) == dg.DagsterRunStatus.FAILURE


def monitored(instance: dg.DagsterInstance, run_id: str) -> None:
    """One look of Dagster's run monitoring."""
    [record] = instance.get_run_records(RunsFilter(run_ids=[run_id]))
    monitor_started_run(instance, None, record, logging.getLogger("monitoring"))  # pyright: ignore[reportArgumentType]


@contextmanager
def seen_from_elsewhere(instance: dg.DagsterInstance, run_id: str) -> Iterator[None]:
    """As on a host that cannot see the worker's process: the tags name one that is not of this machine."""
    run = instance.get_run_by_id(run_id)
    assert run
    instance.add_run_tags(run_id, {STARTED_TAG: "another boot/1"})
    try:
        yield
    finally:
        instance.add_run_tags(run_id, {STARTED_TAG: run.tags[STARTED_TAG]})


@pytest.mark.usefixtures("briefly")
def test_a_living_worker_is_left_alone_under_another_host_name_and_from_another_host(
    instance: dg.DagsterInstance, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    run_id = launched(instance, tmp_path / "never")
    assert reaches(instance, run_id, dg.DagsterRunStatus.STARTED)
    monkeypatch.setattr(socket, "gethostname", lambda: "renamed")
    monitored(instance, run_id)
    with seen_from_elsewhere(instance, run_id):
        for _ in range(3):
            monitored(instance, run_id)
            time.sleep(0.6)
        assert status(instance, run_id) == dg.DagsterRunStatus.STARTED
        assert instance.run_launcher.terminate(run_id), "whoever has the database can interrupt it"
        assert reaches(instance, run_id, dg.DagsterRunStatus.CANCELED)


def sessions(database: Database) -> list[int]:
    """The server's processes that serve workers' sessions."""
    with database.connect() as connection:
        rows = connection.execute(
            "select pid from pg_locks where locktype = 'advisory' and granted"
            " and database = (select oid from pg_database where datname = current_database())"
        ).fetchall()
    return [pid for (pid,) in rows]


def test_a_worker_takes_its_lost_session_again(instance: dg.DagsterInstance, tmp_path: Path, dagster: Database) -> None:
    run_id = launched(instance, tmp_path / "go")
    assert reaches(instance, run_id, dg.DagsterRunStatus.STARTED)
    [lost] = sessions(dagster)
    with dagster.connect(autocommit=True) as connection:
        connection.execute("select pg_terminate_backend(%s)", [lost])
    with seen_from_elsewhere(instance, run_id):
        monitored(instance, run_id)
        assert wait_until(lambda: sessions(dagster) not in ([], [lost]), 120)
        monitored(instance, run_id)
    assert status(instance, run_id) == dg.DagsterRunStatus.STARTED
    (tmp_path / "go").touch()
    assert reaches(instance, run_id, dg.DagsterRunStatus.SUCCESS)


def test_a_worker_outlives_a_restart_of_postgres_and_is_never_failed_for_it(tmp_path: Path) -> None:
    home = tmp_path / "home"
    home.mkdir()
    for folder in (home, tmp_path, *tmp_path.parents[:2]):
        folder.chmod(0o711)
    server = EmbeddedPostgres(home, fsync=False)
    try:
        database = Database(server.start())
        with instance_on(database, tmp_path / "instance") as instance:
            run_id = launched(instance, tmp_path / "go")
            assert reaches(instance, run_id, dg.DagsterRunStatus.STARTED)
            pid = worker(instance, run_id)
            # What Dagster is writing down at that moment is lost, and its step with it: here it is waiting.
            assert wait_until(lambda: bool(instance.all_logs(run_id, dg.DagsterEventType.STEP_START)), 60)
            time.sleep(1)
            server.stop()
            server.start(keep_port=True)
            time.sleep(FRESH_S)  # a connection that was used a moment ago is not tried before it is used again
            with seen_from_elsewhere(instance, run_id):
                monitored(instance, run_id)
                assert wait_until(lambda: run_session.held(database, run_id), 120)
                monitored(instance, run_id)
            assert ProcessId.of(pid)
            (tmp_path / "go").touch()
            assert reaches(instance, run_id, dg.DagsterRunStatus.SUCCESS)
    finally:
        server.stop()


def test_a_second_worker_of_a_run_does_nothing_beside_a_living_one(
    instance: dg.DagsterInstance, tmp_path: Path
) -> None:
    run_id = launched(instance, tmp_path / "go")
    assert reaches(instance, run_id, dg.DagsterRunStatus.STARTED)
    first = worker(instance, run_id)
    run = instance.get_run_by_id(run_id)
    assert run
    instance.run_launcher.launch_run(LaunchRunContext(run, None))
    second = ProcessId.of(worker(instance, run_id))
    assert wait_until(lambda: second is None or not second.alive(), 120), "it ends"
    assert ProcessId.of(first), "and the first goes on"
    assert status(instance, run_id) == dg.DagsterRunStatus.STARTED
    (tmp_path / "go").touch()
    assert reaches(instance, run_id, dg.DagsterRunStatus.SUCCESS)


def test_a_retry_begins_when_the_worker_that_it_replaces_has_ended(
    instance: dg.DagsterInstance, tmp_path: Path
) -> None:
    first = launched(instance, tmp_path / "first")
    assert reaches(instance, first, dg.DagsterRunStatus.STARTED)
    run = instance.get_run_by_id(first)
    assert run
    instance.report_run_failed(run, "somebody believed it dead")
    retry = launched(instance, tmp_path / "retry", parent=first)
    assert wait_until(lambda: run_session.held(database_of(instance), retry), 120)
    time.sleep(1)
    assert status(instance, retry) != dg.DagsterRunStatus.STARTED, "it waits for the living one"
    os.kill(worker(instance, first), signal.SIGKILL)
    assert reaches(instance, retry, dg.DagsterRunStatus.STARTED)
    (tmp_path / "retry").touch()
    assert reaches(instance, retry, dg.DagsterRunStatus.SUCCESS)


def test_a_launcher_without_dagsters_storage_in_postgres_says_what_is_missing(tmp_path: Path) -> None:
    launcher = {"module": ForkingRunLauncher.__module__, "class": ForkingRunLauncher.__name__}
    with dg.DagsterInstance.local_temp(str(tmp_path), overrides={"run_launcher": launcher}) as instance:
        config = {"ops": {"wait_for_file": {"config": {"until": ""}}}}
        run = instance.create_run_for_job(waiting_job, run_config=config)
        with pytest.raises(ConfigError, match="storage"):
            instance.run_launcher.check_run_worker_health(run)
