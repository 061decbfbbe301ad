"""The platform's daemon as a real process: one that is ill begins again, and the runs that it started go on."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import dagster as dg
import pytest

from resources.postgres import Database
from resources.processes import ProcessId, wait_until
from tests.dagster.instances import instance_on
from tests.dagster.test_run_launcher import reaches, worker
from v2_assets.monitor.liveness import NEEDED, Pulse

ROOT = Path(__file__).parents[2]
JOB = """
import dagster as dg
from tests.dagster.waiting_job import waiting_job

@dg.sensor(job=waiting_job, minimum_interval_seconds=1, default_status=dg.DefaultSensorStatus.RUNNING)
def starter():
    yield dg.RunRequest("one", run_config={{"ops": {{"wait_for_file": {{"config": {{"until": {until!r}}}}}}}}})

defs = dg.Definitions(jobs=[waiting_job], sensors=[starter])
"""


@contextmanager
def daemon(folder: Path, dagster: Database, v2: Database, *argv: str) -> Iterator[subprocess.Popen[bytes]]:
    """`python -m` these words in an instance of its own, with one location: a sensor that starts one run."""
    folder.mkdir()
    shutil.copy(ROOT / "dagster.yaml", folder)
    (folder / "jobs.py").write_text(JOB.format(until=str(folder / "go")))
    workspace = folder / "workspace.yaml"
    workspace.write_text(f"load_from: [{{python_file: {{relative_path: {folder / 'jobs.py'}, location_name: v2}}}}]\n")
    environment = os.environ | {
        "DAGSTER_HOME": str(folder),
        "DAGSTER_DISABLE_TELEMETRY": "1",
        "PYTHONPATH": str(ROOT),
        "V2_DAGSTER_PG_URL": dagster.url.replace("postgresql://", "postgresql+psycopg2://", 1),
        "V2_DATABASE_URL": v2.url,
    }
    with (folder / "log").open("ab") as log:
        process = subprocess.Popen(
            [sys.executable, "-m", *argv, "-w", str(workspace)], cwd=ROOT, env=environment, stdout=log, stderr=log
        )
    try:
        yield process
    finally:
        process.kill()
        process.wait()


def ticks(dagster: Database) -> int:
    """How often the sensor has ticked."""
    with dagster.connect() as connection:
        return connection.execute("select count(*) from job_ticks where status <> 'STARTED'").fetchall()[0][0]


def restarts(v2: Database) -> list[str]:
    """What people were told of a daemon that began again."""
    with v2.connect() as connection:
        rows = connection.execute(
            "select a.kind from ops.alert a join ops.incident i on i.id = a.incident_id"
            " where i.code = 'process_died' and i.key = 'restarted/daemon' order by a.id"
        ).fetchall()
    return [kind for (kind,) in rows]


@pytest.mark.timeout(900)  # it waits for real processes, which may share their machine
@pytest.mark.parametrize("kind", ["dies", "hangs"])
def test_a_daemon_with_a_thread_that_fails_begins_again_beside_its_working_run(
    kind: str, tmp_path: Path, dagster: Database, database: Database
) -> None:
    home, happened = tmp_path / "home", tmp_path / "happened"
    with (
        instance_on(dagster, tmp_path / "instance") as instance,
        daemon(home, dagster, database, "tests.dagster.ailing_daemon", kind, str(happened)) as process,
    ):
        assert wait_until(happened.exists, 240), (home / "log").read_text()
        [run] = instance.get_runs()
        before = ticks(dagster)
        assert wait_until(lambda: restarts(database) == ["opened", "recovered"], 240), (home / "log").read_text()
        assert wait_until(lambda: ticks(dagster) > before + 1, 120), "sensors tick again"
        assert process.poll() is None, "for whoever looks after it, it is the same process"
        assert ProcessId.of(worker(instance, run.run_id)), "the run went on"
        (home / "go").touch()
        assert reaches(instance, run.run_id, dg.DagsterRunStatus.SUCCESS)
        process.send_signal(signal.SIGTERM)
        assert process.wait(60) == 0, "and it ends when it is told to"


def test_a_daemon_that_cannot_start_ends_and_says_why(tmp_path: Path, database: Database) -> None:
    away = Database("postgresql://v2:secret@127.0.0.1:1/dagster")
    with daemon(tmp_path / "home", away, database, "v2_assets.daemon") as process:
        assert process.wait(120) != 0
    said = (tmp_path / "home" / "log").read_text()
    assert "refused" in said and not restarts(database)


def test_silence_counts_from_changes_and_only_while_it_could_be_heard(
    dagster: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    now = 1000.0
    monkeypatch.setattr("v2_assets.monitor.liveness.time.monotonic", lambda: now)
    pulse = Pulse(dagster, after_s=10)

    def silent_after(seconds: int) -> list[str]:
        """What is silent after so many seconds, with a look at each."""
        nonlocal now
        for _ in range(seconds - 1):
            now += 1
            pulse.silent()
        now += 1
        return pulse.silent()

    with dagster.connect(autocommit=True) as connection:
        connection.execute("create table daemon_heartbeats (daemon_type text, timestamp timestamp)")
        beat = "insert into daemon_heartbeats select name, '2001-01-01' from unnest(%s::text[]) name"
        connection.execute(beat, [NEEDED])
        assert pulse.silent() == [], "old by another clock is not silent"
        assert silent_after(10) == []
        connection.execute("update daemon_heartbeats set timestamp = '2001-01-02' where daemon_type <> 'SENSOR'")
        assert silent_after(1) == ["SENSOR"]
        connection.execute("alter table daemon_heartbeats rename to away")
        assert silent_after(20) == []
        connection.execute("alter table away rename to daemon_heartbeats")
        assert silent_after(10) == [], "it begins to listen again"
        assert silent_after(2) == NEEDED
        now += 600
        assert pulse.silent() == [], "whoever was stopped with the daemon has heard nothing"
