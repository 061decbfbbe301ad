"""The server process: one per home, found again by whoever comes, repaired where that is safe, never mistaken.

Who needs it: `start()` keeps it until `stop()`; `hold()` keeps it as long as one holder lives. Databases inside it are
`databases`' matter.
"""

from __future__ import annotations

import contextlib
import json
import os
import signal
from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any, Literal

import psutil

from resources.embedded.account import Account, server_account
from resources.embedded.cluster import USER, Cluster, server_environment
from resources.errors import DatabaseError
from resources.postgres import Database
from resources.processes import (
    ProcessId,
    exclusive,
    free_port,
    port_is_free,
    spawn_detached,
    wait_for_start,
    wait_until,
    write_whole,
)

HOST = "127.0.0.1"
DATABASE = "v2"

START_TIMEOUT_S = 120.0  # recovery after a crash replays WAL: 704 MB took 1.7 s, a slow disk may need much more
STOP_TIMEOUT_S = 30.0
LOCK_TIMEOUT_S = 180.0
_PORT_ATTEMPTS = 5
_PORT_PATIENCE_S = 5.0


@dataclass(frozen=True, slots=True)
class ServerStatus:
    """What runs. `pid` and `port` are None when nothing does."""

    state: Literal["running", "stopped"]
    pid: int | None
    port: int | None
    data: Path


class EmbeddedPostgres:
    """The server of one home folder.

    server = EmbeddedPostgres(Path(".v2"))
    url = server.start()
    server.stop()
    """

    def __init__(self, home: Path, *, fsync: bool = True) -> None:
        self.home = home.absolute()
        self.cluster = Cluster(self.home, fsync=fsync)
        self._state_file = self.home / "pg.json"

    def start(self, *, keep_port: bool = False) -> str:
        """Start the server unless it runs, and return the URL of its database `v2`. It stays up until `stop`.

        `keep_port` is for a server whose clients run already: it has the port they know, or DatabaseError is raised.
        """
        with self._lock():
            url = self._ensure_running(keep_port=keep_port)
            self._remember(kept=True)
            return url

    def hold(self) -> str:
        """As `start`, but the server is only kept while this process lives and has not called `release`."""
        with self._lock():
            url = self._ensure_running()
            me = ProcessId.of(os.getpid())
            self._remember(holders=[*self._holders(), *([me] if me else [])])
            return url

    def release(self) -> None:
        """Take this process' hold back; the last one stops the server unless `start` was called."""
        with self._lock():
            holders = self._holders()
            mine = next((holder for holder in holders if holder.pid == os.getpid()), None)
            if mine is not None:
                holders.remove(mine)
            self._remember(holders=holders)
            if not holders and not self._state().get("kept"):
                self._stop()

    def stop(self) -> None:
        """Stop the server whoever needs it: a fast shutdown, an immediate one if that takes longer than 30 s."""
        if not self.home.exists():
            return
        with self._lock():
            self._remember(kept=False, holders=[])
            self._stop()

    def status(self) -> ServerStatus:
        """Whether it runs; touches nothing."""
        process = self._postmaster()
        if process is None:
            return ServerStatus("stopped", None, None, self.cluster.data)
        return ServerStatus("running", process.pid, self._state().get("port"), self.cluster.data)

    def url(self, database: str = DATABASE) -> str:
        """The URL of one of its databases, whether or not it runs now."""
        return f"postgresql://{USER}:{self.cluster.password()}@{HOST}:{self._state().get('port')}/{database}"

    # Everything below runs under the lock.

    def _ensure_running(self, *, keep_port: bool = False) -> str:
        if self._postmaster() is None:
            self._launch(keep_port=keep_port)
        try:
            self._make_database()
        except DatabaseError as error:
            if error.retryable:
                raise
            # It refuses the remembered password (the file was lost or replaced), and the data are ours: set a new one.
            self._stop()
            self.cluster.reset_password(self._account())
            self._launch()
            self._make_database()
        return self.url()

    def _make_database(self) -> None:
        with Database(self.url("postgres")).connect(autocommit=True, deadline_s=START_TIMEOUT_S) as conn:
            if conn.execute("select 1 from pg_database where datname = %s", (DATABASE,)).fetchone() is None:
                conn.execute(f"create database {DATABASE}")

    def _account(self) -> Account:
        return server_account(Path(self.cluster.program("postgres")), self.cluster.data)

    def _launch(self, *, keep_port: bool = False) -> None:
        account = self._account()
        self._end_orphans()
        self._forget_reused_pid()
        self.cluster.prepare(account)
        port = self._state().get("port")
        if keep_port and isinstance(port, int) and not wait_until(partial(port_is_free, port, HOST), _PORT_PATIENCE_S):
            raise self._start_failure(f"its port {port} is taken by another program")
        for _ in range(_PORT_ATTEMPTS):
            if not isinstance(port, int) or not port_is_free(port, HOST):
                port = free_port(HOST)
            self._remember(port=port)
            if self._try_launch(account, port):
                return
            port = None  # a stranger was quicker
        raise self._start_failure("no free port was found")

    def _try_launch(self, account: Account, port: int) -> bool:
        """False when the port was taken in between."""
        said = self.cluster.log.stat().st_size if self.cluster.log.exists() else 0
        argv = [self.cluster.program("postgres"), "-D", str(self.cluster.data), "-p", str(port)]
        process = spawn_detached(account.command(argv), log=self.cluster.log, env=server_environment(), cwd=Path("/"))
        self._remember(process={"pid": process.pid, "started": process.started})
        if wait_for_start(process, lambda: self._ready(process), START_TIMEOUT_S):
            return True
        news = self._log_tail(said)
        if process.alive():
            self._stop()
            raise self._start_failure(f"it is not ready, and did nothing for {START_TIMEOUT_S:.0f} s")
        if any("could not bind" in line or "could not create any TCP/IP sockets" in line for line in news):
            return False
        fatal = [line for line in news if "FATAL" in line or "PANIC" in line] or news
        raise self._start_failure(fatal[-1].partition("] ")[2] or fatal[-1] if fatal else "it ended without a word")

    def _ready(self, process: ProcessId) -> bool:
        lines = self._pid_file()
        return len(lines) >= 8 and lines[0] == str(process.pid) and lines[7] == "ready"

    def _stop(self) -> None:
        process = self._postmaster()
        if process is None:
            return
        for number, patience in ((signal.SIGINT, STOP_TIMEOUT_S), (signal.SIGQUIT, 10.0), (signal.SIGKILL, 5.0)):
            process.send(number)
            if wait_until(lambda: not process.alive(), patience):
                self._end_orphans()
                return
        raise DatabaseError(
            f"The embedded Postgres (pid {process.pid}) does not end.",
            hint="it may hang in the kernel on a broken disk: look at the machine's log",
            context={"pid": process.pid},
        )

    # Identity

    def _pid_file(self) -> list[str]:
        try:
            text = (self.cluster.data / "postmaster.pid").read_text(encoding="utf-8", errors="replace")
        except (FileNotFoundError, PermissionError):
            return []
        return [line.strip() for line in text.splitlines()]

    def _postmaster(self) -> ProcessId | None:
        """The living postmaster of our data folder, proven to be it; None otherwise."""
        lines = self._pid_file()
        if len(lines) < 2 or not lines[0].isdigit() or Path(lines[1]) != self.cluster.data:
            return None
        process = ProcessId.of(int(lines[0]))
        if process is None:
            return None
        remembered = self._state().get("process")
        if remembered and remembered.get("pid") == process.pid and remembered.get("started") != process.started:
            return None  # a stranger with the pid of a server that is gone
        return process if self._serves_our_data(process.pid, postmaster=True) else None

    def _serves_our_data(self, pid: int, *, postmaster: bool = False) -> bool:
        """Postgres' processes work in their data folder, and a postmaster names it on its command line."""
        try:
            process = psutil.Process(pid)
            if not process.name().startswith("postgres") or Path(process.cwd()) != self.cluster.data.resolve():
                return False
            return not postmaster or str(self.cluster.data) in process.cmdline()
        except (psutil.Error, OSError):
            return False

    def _forget_reused_pid(self) -> None:
        """Postgres refuses to start while *any* process has the pid in its file, a stranger or a zombie."""
        lines = self._pid_file()
        if lines and (not lines[0].isdigit() or psutil.pid_exists(int(lines[0]))):
            (self.cluster.data / "postmaster.pid").unlink(missing_ok=True)

    def _end_orphans(self) -> None:
        """Backends whose postmaster was killed end by themselves when they notice; none may write beside a new one."""

        def orphans() -> list[ProcessId]:
            candidates = (ProcessId.of(pid) for pid in psutil.pids() if self._serves_our_data(pid))
            return [process for process in candidates if process is not None]

        if wait_until(lambda: not orphans(), 5):
            return
        for process in orphans():
            process.send(signal.SIGKILL)
        wait_until(lambda: not orphans(), 5)

    # Files

    def _state(self) -> dict[str, Any]:
        try:
            state = json.loads(self._state_file.read_text(encoding="utf-8"))
        except (FileNotFoundError, ValueError):
            return {}
        return state if isinstance(state, dict) else {}

    def _holders(self) -> list[ProcessId]:
        found: list[ProcessId] = []
        for fields in self._state().get("holders") or []:
            holder = ProcessId(int(fields["pid"]), str(fields["started"]))
            if holder.alive():
                found.append(holder)
        return found

    def _remember(self, **changes: Any) -> None:
        holders: list[ProcessId] | None = changes.pop("holders", None)
        state = self._state() | changes
        if holders is not None:
            state["holders"] = [{"pid": holder.pid, "started": holder.started} for holder in holders]
        write_whole(self._state_file, json.dumps(state, indent=1) + "\n")

    def _log_tail(self, offset: int) -> list[str]:
        try:
            with self.cluster.log.open("rb") as file:
                file.seek(offset)
                return file.read()[-8_000:].decode("utf-8", errors="replace").splitlines()
        except FileNotFoundError:
            return []

    def _start_failure(self, reason: str) -> DatabaseError:
        return DatabaseError(
            f"The embedded Postgres did not start: {reason}",
            hint=f"its log is {self.cluster.log}",
            retryable=False,
        )

    @contextlib.contextmanager
    def _lock(self) -> Iterator[None]:
        """One starter or stopper at a time; the kernel frees the lock when its owner dies."""
        # Others may pass through (the server's account does when root starts it) but not look around.
        self.home.mkdir(parents=True, exist_ok=True, mode=0o711 if os.geteuid() == 0 else 0o700)
        with contextlib.ExitStack() as stack:
            try:
                stack.enter_context(exclusive(self.home / "pg.lock", timeout_s=LOCK_TIMEOUT_S))
            except TimeoutError:
                raise DatabaseError(
                    "Another process is starting or stopping the embedded Postgres and does not finish.",
                    hint=f"see {self.cluster.log}",
                ) from None
            yield
