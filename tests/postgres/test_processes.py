"""Processes: identity that survives reuse of pids, detached starts, stops that reach everything and nobody else."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path

import pytest

from resources.processes import (
    LOG_LIMIT_BYTES,
    ProcessId,
    exclusive,
    marked,
    port_is_free,
    spawn_detached,
    stop_all,
    wait_for_start,
    wait_until,
    write_whole,
)

ROOT = Path(__file__).parents[2]


@pytest.fixture
def sleeper() -> Iterator[subprocess.Popen[bytes]]:
    process = subprocess.Popen(["sleep", "600"])
    yield process
    process.kill()
    process.wait()


def test_a_process_is_known_by_its_pid_and_its_start(sleeper: subprocess.Popen[bytes], tmp_path: Path) -> None:
    identity = ProcessId.of(sleeper.pid)
    assert identity is not None
    identity.save(tmp_path / "pid")
    assert ProcessId.load(tmp_path / "pid") == identity
    assert identity.alive()


def test_a_signal_to_a_reused_pid_is_not_sent(sleeper: subprocess.Popen[bytes]) -> None:
    former = ProcessId(sleeper.pid, "the process that had this pid before")
    assert not former.send(signal.SIGKILL)
    assert stop_all([former], grace_s=0.1) == []
    assert sleeper.poll() is None


def test_a_zombie_is_not_alive(sleeper: subprocess.Popen[bytes]) -> None:
    identity = ProcessId.of(sleeper.pid)
    assert identity is not None
    os.kill(sleeper.pid, signal.SIGKILL)
    assert wait_until(lambda: not identity.alive(), 120)  # nobody has waited for it yet
    assert ProcessId.of(sleeper.pid) is None


@pytest.mark.parametrize("text", ["", "12", "{}", '{"pid": "x", "started": 1}', "\0\0"])
def test_a_broken_pid_file_names_nobody(tmp_path: Path, text: str) -> None:
    (tmp_path / "pid").write_text(text)
    assert ProcessId.load(tmp_path / "pid") is None


def test_a_detached_process_outlives_its_starter_and_writes_its_log(tmp_path: Path) -> None:
    starter = (
        "import sys; from pathlib import Path; from resources.processes import spawn_detached\n"
        "p = spawn_detached(['sh', '-c', 'echo hello; exec sleep 600'], log=Path(sys.argv[1]) / 'log')\n"
        "p.save(Path(sys.argv[1]) / 'pid')"
    )
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", starter, tmp_path], cwd=ROOT, capture_output=True, text=True, check=True
    )
    assert done.stderr == ""
    process = ProcessId.load(tmp_path / "pid")
    assert process is not None
    assert process.alive()
    assert wait_until(lambda: (tmp_path / "log").read_text() == "hello\n", 120)
    stop_all([process], grace_s=10)
    assert not process.alive()


def test_one_that_ignores_sigterm_is_killed_after_its_grace(tmp_path: Path) -> None:
    stubborn = "import signal, time; signal.signal(15, signal.SIG_IGN); print('up', flush=True); time.sleep(600)"
    process = spawn_detached([sys.executable, "-c", stubborn], log=tmp_path / "log")
    assert wait_until(lambda: (tmp_path / "log").read_text() == "up\n", 120)
    assert stop_all([process], grace_s=0.2) == [process]
    assert not process.alive()


def test_what_a_marked_process_starts_is_found_even_in_a_session_of_its_own(tmp_path: Path) -> None:
    code = "setsid sleep 600 & sleep 600"
    spawn_detached(["sh", "-c", code], log=tmp_path / "log", env=os.environ | {"V2_TEST_MARK": str(tmp_path)})
    assert wait_until(lambda: len(marked("V2_TEST_MARK", str(tmp_path))) == 3, 120)
    assert marked("V2_TEST_MARK", "another") == []
    stop_all(marked("V2_TEST_MARK", str(tmp_path)), grace_s=10)
    assert marked("V2_TEST_MARK", str(tmp_path)) == []


def test_a_log_that_grew_too_long_is_set_aside(tmp_path: Path) -> None:
    log = tmp_path / "log"
    with log.open("wb") as file:
        file.truncate(LOG_LIMIT_BYTES + 1)
    process = spawn_detached(["true"], log=log)
    assert wait_until(lambda: not process.alive(), 120)
    assert log.stat().st_size == 0
    assert (tmp_path / "log.1").stat().st_size == LOG_LIMIT_BYTES + 1


def test_a_lock_is_waited_for_and_freed_when_its_holder_is_killed(tmp_path: Path) -> None:
    holder = subprocess.Popen(
        [
            sys.executable,
            "-c",
            "import sys, time; from pathlib import Path; from resources.processes import exclusive\n"
            "with exclusive(Path(sys.argv[1]), timeout_s=1):\n  print('up', flush=True); time.sleep(600)",
            tmp_path / "lock",
        ],
        cwd=ROOT,
        stdout=subprocess.PIPE,
    )
    assert holder.stdout is not None
    with holder.stdout:
        holder.stdout.readline()
        with pytest.raises(TimeoutError), exclusive(tmp_path / "lock", timeout_s=0.1):
            pass
        holder.kill()
        holder.wait()
    with exclusive(tmp_path / "lock", timeout_s=5):
        pass


def test_a_small_file_is_replaced_whole_whoever_writes_at_once(tmp_path: Path) -> None:
    texts = [str(number) * 1000 for number in range(8)]
    with ThreadPoolExecutor(8) as threads:
        list(threads.map(lambda text: write_whole(tmp_path / "file", text), texts))
    assert (tmp_path / "file").read_text() in texts
    assert (tmp_path / "file").stat().st_mode & 0o777 == 0o600
    assert [path.name for path in tmp_path.iterdir()] == ["file"]


def test_a_port_in_use_is_not_free() -> None:
    with socket.socket() as server:
        server.bind(("127.0.0.1", 0))
        server.listen()
        port = server.getsockname()[1]
        assert not port_is_free(port)
    assert port_is_free(port)


@contextmanager
def started(tmp_path: Path, code: str) -> Iterator[ProcessId]:
    process = spawn_detached([sys.executable, "-c", code], log=tmp_path / "log")
    yield process
    process.send(signal.SIGKILL)


def test_a_start_that_works_is_waited_for_longer_than_patience_lasts(tmp_path: Path) -> None:
    file = tmp_path / "ready"
    busy = "import pathlib, time\nend = time.monotonic() + 6\nwhile time.monotonic() < end: pass"
    with started(tmp_path, f"{busy}\npathlib.Path({str(file)!r}).touch()\ntime.sleep(600)") as process:
        assert wait_for_start(process, file.exists, 2.0)


def test_a_start_that_does_nothing_is_given_up(tmp_path: Path) -> None:
    with started(tmp_path, "import time; time.sleep(600)") as process:
        assert not wait_for_start(process, lambda: False, 2.0)
        assert process.alive()


def test_a_start_that_ends_is_given_up_at_once(tmp_path: Path) -> None:
    with started(tmp_path, "") as process:
        assert not wait_for_start(process, lambda: False, 600)
