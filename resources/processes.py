"""Processes of this machine: start them detached, know them again, stop only what is really ours.

A pid alone names nobody: it is reused. Every pid kept in a file is kept with the moment its process started, and each
signal is preceded by a comparison. What is started, and in which order, is decided elsewhere.
"""

from __future__ import annotations

import fcntl
import json
import os
import random
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import psutil

LOG_LIMIT_BYTES = 10 * 1024 * 1024
_POLL_S = 0.05
#: A process that used this share of a processor while it was waited for is starting, however slow the machine is.
_WORKING = 0.05
#: One that works without end and never answers is waited for so many times.
_LONGEST_START = 10


@dataclass(frozen=True, slots=True)
class ProcessId:
    """A process for good: its pid and when it started (ticks since this boot on Linux, else seconds of the epoch)."""

    pid: int
    started: str

    @classmethod
    def of(cls, pid: int) -> ProcessId | None:
        """The living process with this pid; None when there is none or it is a zombie."""
        started = _started(pid)
        return None if started is None else cls(pid, started)

    def alive(self) -> bool:
        """Whether this very process (not another with its pid) still runs."""
        return _started(self.pid) == self.started

    def send(self, number: int) -> bool:
        """Send a signal to this very process. False when it is gone."""
        if not hasattr(os, "pidfd_open"):
            if not self.alive():
                return False
            try:
                os.kill(self.pid, number)
            except ProcessLookupError:
                return False
            return True
        try:
            # The descriptor keeps naming one process, so a pid reused after the comparison cannot be hit.
            handle = os.pidfd_open(self.pid)
        except ProcessLookupError:
            return False
        try:
            if not self.alive():
                return False
            signal.pidfd_send_signal(handle, number)
        except ProcessLookupError:
            return False
        finally:
            os.close(handle)
        return True

    def save(self, path: Path) -> None:
        """Write it to a pid file, whole or not at all."""
        write_whole(path, json.dumps({"pid": self.pid, "started": self.started}))

    @classmethod
    def load(cls, path: Path) -> ProcessId | None:
        """What a pid file says; None when it is missing or is no pid file."""
        try:
            fields = json.loads(path.read_text(encoding="utf-8"))
            return cls(int(fields["pid"]), str(fields["started"]))
        except (FileNotFoundError, ValueError, KeyError, TypeError):
            return None


def _started(pid: int) -> str | None:
    if pid <= 0:
        return None
    try:
        if sys.platform == "linux":
            # Fields after the command's name, which may itself hold spaces and brackets: state is the 1st of them,
            # the start in ticks since boot the 20th (proc(5)). Ticks do not move when the clock is set.
            fields = Path(f"/proc/{pid}/stat").read_text(encoding="latin-1").rpartition(")")[2].split()
            return None if fields[0] in "ZX" else f"{_boot()}/{fields[19]}"
        process = psutil.Process(pid)
        return None if process.status() == psutil.STATUS_ZOMBIE else f"{process.create_time():.2f}"
    except (OSError, psutil.Error, IndexError):
        return None


def _boot() -> str:
    try:
        return Path("/proc/sys/kernel/random/boot_id").read_text(encoding="ascii").strip()
    except OSError:
        return "boot"


def wait_until(condition: Callable[[], bool], timeout_s: float, *, poll_s: float = _POLL_S) -> bool:
    """Ask every `poll_s` seconds until `condition()` holds; False after `timeout_s` seconds."""
    deadline = time.monotonic() + timeout_s
    while not condition():
        if time.monotonic() >= deadline:
            return False
        time.sleep(poll_s)
    return True


def wait_for_start(
    process: ProcessId, ready: Callable[[], bool], patience_s: float, *, poll_s: float = _POLL_S
) -> bool:
    """Wait until `ready()`; False when the process has ended, or has done nothing for `patience_s` seconds.

    On a busy machine a start takes many times as long, but no more of a processor: while it works it is waited for.
    """
    used = 0.0
    for _ in range(_LONGEST_START):
        if wait_until(lambda: not process.alive() or ready(), patience_s, poll_s=poll_s):
            break
        now = _processor_s(process)
        if now - used < _WORKING * patience_s:
            break
        used = now
    return process.alive() and ready()


def _processor_s(process: ProcessId) -> float:
    """Processor seconds that it and its children have used so far."""
    try:
        first = psutil.Process(process.pid)
        times = [each.cpu_times() for each in (first, *first.children(recursive=True))]
    except psutil.Error:
        return 0.0
    return sum(each.user + each.system for each in times)


def stop_all(processes: Iterable[ProcessId], *, grace_s: float) -> list[ProcessId]:
    """SIGTERM, up to `grace_s` seconds of patience, then SIGKILL. Returns those that had to be killed."""
    targets = [process for process in processes if process.send(signal.SIGTERM)]
    wait_until(lambda: not _living(targets), grace_s)
    killed = _living(targets)
    for process in killed:
        process.send(signal.SIGKILL)
    wait_until(lambda: not _living(targets), 10)
    return killed


def _living(processes: Iterable[ProcessId]) -> list[ProcessId]:
    _reap()
    return [process for process in processes if process.alive()]


def _reap() -> None:
    """Collect children of ours that a long-lived caller (a test run) would otherwise keep as zombies."""
    for pid in list(_children):
        try:
            if os.waitpid(pid, os.WNOHANG)[0] == pid:
                _children.discard(pid)
        except ChildProcessError:
            _children.discard(pid)


_children: set[int] = set()


def spawn_detached(
    argv: Sequence[str], *, log: Path, env: Mapping[str, str] | None = None, cwd: Path | None = None
) -> ProcessId:
    """Start a process that outlives the caller: a session of its own, no terminal, output appended to `log`.

    A log of more than 10 MB is set aside as `<log>.1` first.
    """
    _reap()
    log.parent.mkdir(parents=True, exist_ok=True)
    if log.exists() and log.stat().st_size > LOG_LIMIT_BYTES:
        log.replace(log.with_name(log.name + ".1"))
    with log.open("ab") as output:
        process = subprocess.Popen(  # noqa: S603 - argv comes from this code base
            list(argv),
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            env=None if env is None else dict(env),
            cwd=cwd,
            start_new_session=True,
        )
    _children.add(process.pid)
    process.returncode = 0  # it is meant to outlive us: Popen shall neither wait for it nor complain
    # One that ended already is still a zombie of ours, so its pid is not reused yet: "gone" is the right answer.
    return ProcessId.of(process.pid) or ProcessId(process.pid, "gone")


@contextmanager
def exclusive(path: Path, *, timeout_s: float) -> Iterator[None]:
    """Hold the lock file `path` for a block; the kernel frees it when its holder dies.

    Raises TimeoutError when another process holds it for longer than `timeout_s` seconds.
    """
    with path.open("a") as file:
        deadline = time.monotonic() + timeout_s
        while True:
            try:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
                break
            except BlockingIOError:
                if time.monotonic() > deadline:
                    raise TimeoutError(f"{path.name} is held by another process") from None
                time.sleep(_POLL_S)
        yield


def marked(name: str, value: str) -> list[ProcessId]:
    """Processes that were started with the environment variable `name` = `value` (children inherit it), not us."""
    found: list[ProcessId] = []
    for process in psutil.process_iter():
        if process.pid == os.getpid():
            continue
        identity = ProcessId.of(process.pid)
        try:
            if identity is not None and process.environ().get(name) == value:
                found.append(identity)
        except (psutil.Error, OSError):
            continue  # gone meanwhile, or somebody else's
    return found


def port_is_free(port: int, host: str = "127.0.0.1") -> bool:
    """Whether a server could listen there now."""
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except OSError:
            return False
    return True


def free_port(host: str = "127.0.0.1") -> int:
    """A port that nobody listens on at this moment.

    Below the range that systems give to outgoing connections: while a server with a port from that range is away, one
    of its own clients can be given the server's port, and the server cannot have it back.
    """
    for _ in range(100):
        port = random.randint(15_000, 32_000)  # noqa: S311 - no secret
        if port_is_free(port, host):
            return port
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as probe:
        probe.bind((host, 0))
        return int(probe.getsockname()[1])


def write_whole(path: Path, text: str, *, mode: int = 0o600) -> None:
    """Replace a small file in one step, readable by its owner only unless `mode` says else."""
    path.parent.mkdir(parents=True, exist_ok=True)
    descriptor, draft = tempfile.mkstemp(prefix=f".{path.name}.", dir=path.parent)
    with os.fdopen(descriptor, "w", encoding="utf-8") as file:
        file.write(text)
        os.fchmod(descriptor, mode)
    Path(draft).replace(path)
