"""`Platform` with real processes: a Dagster that serves a stub, and a stub in place of the sandbox."""

from __future__ import annotations

import os
import shutil
import signal
import socket
import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path

import httpx
import psutil
import psycopg
import pytest

from resources.embedded import EmbeddedPostgres, ensure_databases
from resources.errors import ConfigError
from resources.postgres import Database
from resources.processes import ProcessId, free_port, marked, port_is_free, wait_until
from resources.settings import Settings
from sensors.monitor_watch import monitor_watch_sensor
from tests.dagster.instances import skipped
from v2_assets.monitor.liveness import Pulse
from v2_assets.monitor.supervisor import Supervisor
from v2_assets.platform import Platform, PlatformError
from v2_assets.schema import migrate

STUB = """
import pathlib, time
import dagster as dg

@dg.asset
def quick() -> None: ...

@dg.asset
def later() -> None: ...

@dg.asset
def endless() -> None:
    pathlib.Path("endless-began").touch()
    time.sleep(600)

jobs = {name: dg.define_asset_job(name + "_job", [name]) for name in ("quick", "later", "endless")}

@dg.sensor(jobs=list(jobs.values()), minimum_interval_seconds=5, default_status=dg.DefaultSensorStatus.RUNNING)
def starter(context):
    for name in jobs:
        if pathlib.Path("wanted-" + name).exists():
            yield dg.RunRequest(run_key=name, job_name=name + "_job")

defs = dg.Definitions(
    assets=[quick, later, endless], jobs=list(jobs.values()), sensors=[starter], executor=dg.in_process_executor
)
"""

SANDBOX = """
import argparse, http.server
parser = argparse.ArgumentParser()
parser.add_argument("--port", type=int)
parser.add_argument("--home")
handler = http.server.SimpleHTTPRequestHandler
http.server.ThreadingHTTPServer(("127.0.0.1", parser.parse_args().port), handler).serve_forever()
"""


@pytest.fixture(scope="module")
def folder() -> Iterator[Path]:
    folder = Path(tempfile.mkdtemp(prefix="v2-platform-"))
    folder.chmod(0o711)
    shutil.copy(Path(__file__).parents[2] / "dagster.yaml", folder)
    (folder / "stub.py").write_text(STUB)
    (folder / "sandbox.py").write_text(SANDBOX)
    yield folder
    shutil.rmtree(folder)


@pytest.fixture(scope="module")
def shared(folder: Path) -> Iterator[Platform]:
    ports = {name: free_port() for name in ("ui_port", "receiver_port", "api_port", "monitor_port")}
    settings = Settings(home=folder / "home", overlap_minutes=7, log_format="json", **ports)
    platform = Platform(settings, module="stub", folder=folder)
    yield platform
    platform.down()


@pytest.fixture
def platform(shared: Platform) -> Platform:
    """The module's platform, up whatever the test before did to it."""
    shared.up(sandbox=True)
    return shared


def runs(platform: Platform) -> dict[str, str]:
    """Dagster's own records: status by job."""
    with psycopg.connect(EmbeddedPostgres(platform.home).url("dagster")) as conn:
        return dict(conn.execute("select pipeline_name, status from runs").fetchall())


def pids(platform: Platform) -> dict[str, int | None]:
    return {status.name: status.pid for status in platform.status()}


def test_up_starts_everything_and_the_pages_show_the_code(platform: Platform) -> None:
    statuses = platform.status()
    assert [status.name for status in statuses] == [
        "postgres",
        "sandbox",
        "code-server",
        "webserver",
        "daemon",
        "receiver",
        "api",
        "monitor",
    ]
    assert all(status.running for status in statuses)
    query = "{ workspaceOrError { ... on Workspace { locationEntries { name loadStatus } } } }"
    url = f"http://127.0.0.1:{platform.settings.ui_port}/graphql"
    answer = httpx.post(url, json={"query": query}, trust_env=False, timeout=30).json()
    assert answer["data"]["workspaceOrError"]["locationEntries"] == [{"name": "v2", "loadStatus": "LOADED"}]
    assert httpx.get(f"http://127.0.0.1:{platform.sandbox_port}/", trust_env=False).status_code == 200
    metrics = httpx.get(f"http://127.0.0.1:{platform.settings.monitor_port}/metrics", trust_env=False, timeout=30)
    assert "v2_staged_records" in metrics.text
    assert migrate.pending(EmbeddedPostgres(platform.home).url()) == []


def test_up_again_leaves_what_runs_alone(platform: Platform) -> None:
    before = pids(platform)
    platform.up(sandbox=True)
    assert pids(platform) == before


def test_the_processes_know_the_database_the_home_and_the_settings_in_force(platform: Platform) -> None:
    pid = pids(platform)["code-server"]
    environment = psutil.Process(pid).environ()
    assert environment["V2_DATABASE_URL"] == EmbeddedPostgres(platform.home).url()
    assert environment["V2_HOME"] == environment["V2_PLATFORM_HOME"] == str(platform.home)
    assert environment["V2_OVERLAP_MINUTES"] == "7"
    assert environment["DAGSTER_EVENT_BATCH_SIZE"] == "500"


def test_the_endpoints_are_told_the_format_of_the_log_and_no_login_but_their_own(platform: Platform) -> None:
    environment = psutil.Process(pids(platform)["api"]).environ()
    assert environment["V2_LOG_FORMAT"] == "json"
    assert "V2_DATABASE_URL" not in environment
    assert "V2_API_DATABASE_URL" in environment


def test_pid_files_and_secrets_are_for_their_owner_only(platform: Platform) -> None:
    for path in [*(platform.home / "run").glob("*.pid"), platform.home / "pg.password"]:
        assert path.stat().st_mode & 0o077 == 0


def test_a_sensor_starts_a_run_and_it_finishes_with_nobody_at_the_keyboard(platform: Platform, folder: Path) -> None:
    (folder / "wanted-quick").touch()
    assert wait_until(lambda: runs(platform).get("quick_job") == "SUCCESS", 120, poll_s=0.5)


def test_a_process_that_was_killed_is_seen_and_started_again_alone(platform: Platform) -> None:
    before = pids(platform)
    assert before["daemon"] is not None
    os.kill(before["monitor"], signal.SIGKILL)  # nobody else starts the daemon again
    os.kill(before["daemon"], signal.SIGKILL)
    assert wait_until(lambda: pids(platform)["daemon"] is None and port_is_free(platform.settings.monitor_port), 120)
    after = {status.name: status.pid for status in platform.up(sandbox=True)}
    changed = {"daemon": None, "monitor": None}
    assert after["daemon"] not in (None, before["daemon"])
    assert {**after, **changed} == {**before, **changed}


def incidents(platform: Platform) -> dict[str, list[str]]:
    """What people are told about processes, by process."""
    with psycopg.connect(EmbeddedPostgres(platform.home).url()) as conn:
        rows = conn.execute(
            "select i.key, array_agg(a.kind order by a.id) from ops.incident i join ops.alert a on a.incident_id = i.id"
            " where i.code = 'process_died' group by i.id"
        ).fetchall()
    return {key.removeprefix("process/"): kinds for key, kinds in rows}


def test_what_is_killed_comes_back_by_itself_serves_again_and_is_told_once(platform: Platform, folder: Path) -> None:
    before = pids(platform)
    names = ["postgres", "code-server", "webserver", "daemon", "receiver", "sandbox"]
    for name in names:
        os.kill(before[name], signal.SIGKILL)

    def back() -> bool:
        now = pids(platform)
        return all(now[name] not in (None, before[name]) for name in names)

    assert wait_until(back, 180, poll_s=0.5)
    assert pids(platform)["monitor"] == before["monitor"]
    told_once = {name: ["opened", "recovered"] for name in names}
    assert wait_until(lambda: incidents(platform) == told_once, 120, poll_s=0.5)
    assert httpx.get(f"http://127.0.0.1:{platform.settings.receiver_port}/health", trust_env=False).status_code == 200
    (folder / "wanted-later").touch()
    assert wait_until(lambda: runs(platform).get("later_job") == "SUCCESS", 120, poll_s=0.5)


def test_a_daemon_that_is_frozen_is_ended_and_started_again(platform: Platform) -> None:
    before = pids(platform)["daemon"]
    assert before
    os.kill(before, signal.SIGSTOP)
    urls = ensure_databases(platform.settings)
    supervisor = Supervisor(platform.settings, Database(urls.v2), Pulse(Database(urls.dagster), after_s=10))

    def replaced() -> bool:
        supervisor.look()
        return pids(platform)["daemon"] not in (None, before)

    assert wait_until(replaced, 300, poll_s=0.5)
    assert ProcessId.of(before) is None


def test_a_monitor_that_ended_is_started_again_by_a_sensor_and_told_once(
    platform: Platform, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in platform.environment(ensure_databases(platform.settings)).items():
        monkeypatch.setenv(name, value)

    before = pids(platform)["monitor"]
    assert before and skipped(monitor_watch_sensor) == "the monitor runs"
    os.kill(before, signal.SIGKILL)
    assert wait_until(lambda: pids(platform)["monitor"] is None, 120)
    assert skipped(monitor_watch_sensor) == "the monitor was started again"
    assert pids(platform)["monitor"] not in (None, before)
    assert incidents(platform)["monitor"] == ["opened"]
    assert skipped(monitor_watch_sensor) == "the monitor runs"
    assert incidents(platform)["monitor"] == ["opened", "recovered"]


def test_nothing_is_started_again_while_somebody_holds_the_platform(platform: Platform) -> None:
    before = pids(platform)
    with platform.idle(patience_s=60) as idle:
        assert idle
        os.kill(before["receiver"], signal.SIGKILL)
        assert wait_until(lambda: pids(platform)["receiver"] is None, 120)
        assert not wait_until(lambda: pids(platform)["receiver"] is not None, 5, poll_s=0.2)
    assert wait_until(lambda: pids(platform)["receiver"] is not None, 120, poll_s=0.2)


def test_down_ends_a_run_in_progress_and_leaves_no_process(platform: Platform, folder: Path) -> None:
    (folder / "wanted-endless").touch()
    assert wait_until((folder / "endless-began").exists, 120, poll_s=0.25)
    (folder / "wanted-endless").unlink()
    family = [psutil.Process(pid) for pid in pids(platform).values() if pid is not None]
    family += [child for process in family for child in process.children(recursive=True)]
    assert len(family) > 6

    platform.down()

    left = [process for process in family if process.is_running() and process.status() != psutil.STATUS_ZOMBIE]
    assert not left
    assert not marked("V2_PLATFORM_HOME", str(platform.home))
    assert not any(status.running for status in platform.status())
    EmbeddedPostgres(platform.home).start()
    assert runs(platform)["endless_job"] in ("FAILURE", "CANCELED")  # recorded, not STARTED for ever
    EmbeddedPostgres(platform.home).stop()


def test_definitions_that_do_not_load_are_named_and_nothing_stays_up(shared: Platform, folder: Path) -> None:
    broken = Platform(shared.settings, module="no_such_module", folder=folder)
    with pytest.raises(PlatformError, match=r"code-server ended at once.*no_such_module") as failure:
        broken.up(sandbox=True)
    assert "code-server.log" in str(failure.value.hint)
    assert not any(status.running for status in broken.status())
    assert not marked("V2_PLATFORM_HOME", str(broken.home))


def test_down_never_signals_a_stranger_that_has_a_pid_of_ours(shared: Platform) -> None:
    shared.down()  # whatever the test before on this worker left
    stranger = subprocess.Popen(["sleep", "600"])
    try:
        ProcessId(stranger.pid, "another boot/12345").save(shared.home / "run" / "daemon.pid")
        (shared.home / "run" / "webserver.pid").write_text("rubbish")
        assert not any(status.running for status in shared.status())
        shared.down()
        assert stranger.poll() is None
    finally:
        stranger.kill()
        stranger.wait()


def test_a_taken_port_is_named_with_its_setting_and_nothing_is_started(folder: Path) -> None:
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        port = other.getsockname()[1]
        platform = Platform(Settings(home=folder / "elsewhere", ui_port=port), module="stub", folder=folder)
        with pytest.raises(ConfigError, match=f"Port {port} on 127.0.0.1") as failure:
            platform.up()
        assert "V2_UI_PORT" in str(failure.value.hint)
        assert not any(status.running for status in platform.status())
        assert not (folder / "elsewhere" / "pg").exists()


def test_down_where_nothing_ever_ran_leaves_no_trace(folder: Path) -> None:
    Platform(Settings(home=folder / "never"), folder=folder).down()
    assert not (folder / "never").exists()
