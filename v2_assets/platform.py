"""The long-running processes: what `v2 up` starts, `v2 down` stops and `v2 status` lists.

Here: which processes there are, in which order, with which environment, and when each is ready. Not here: how a
process is started, known again and stopped (`resources.processes`), the database server (`resources.embedded`), or
what Dagster serves (`v2_assets.definitions`).
"""

from __future__ import annotations

import json
import os
import secrets
import shutil
import socket
import subprocess
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from functools import partial
from importlib.metadata import version
from pathlib import Path
from typing import Any, Literal, get_args

import httpx
import psutil
from pydantic import SecretStr

from resources.embedded import DatabaseUrls, EmbeddedPostgres, api_url, ensure_databases, receiver_url
from resources.errors import ConfigError, V2Error
from resources.postgres import Database
from resources.processes import (
    ProcessId,
    exclusive,
    free_port,
    marked,
    port_is_free,
    spawn_detached,
    stop_all,
    wait_for_start,
    wait_until,
    write_whole,
)
from resources.serving import READY
from resources.settings import Settings, project_root
from v2_assets.schema import migrate

HOST = "127.0.0.1"
DEFINITIONS = "v2_assets.definitions"

# Loading took 5 to 10 s on two busy cores. On busier ones it may take as long as it works.
START_PATIENCE_S = 120.0
# A run worker that is told to end finishes or rolls back its page first.
WORKER_GRACE_S = 30.0
SERVER_GRACE_S = 8.0

_PLAN = "plan.json"
_MARK = "V2_PLATFORM_HOME"  # every process of a home carries it, and so do the run workers they start

Name = Literal["postgres", "sandbox", "code-server", "webserver", "daemon", "receiver", "api", "monitor"]


class PlatformError(V2Error):
    """A process of the platform did not come up."""

    code = "platform"


@dataclass(frozen=True, slots=True)
class ProcessStatus:
    """One process: does it run, where does it answer, and where is its log."""

    name: Name
    running: bool
    pid: int | None
    address: str | None
    log: Path | None


@dataclass(frozen=True, slots=True)
class _Service:
    name: Name
    argv: list[str]
    ready: Callable[[ProcessId], bool]


class Platform:
    """All processes of one home folder.

        platform = Platform(load_settings())
        platform.up(sandbox=True)
        platform.down()

    `module` and `folder` say which definitions the code server loads, and from where; `scale` how large the sandbox's
    world is made, in its own options.
    """

    def __init__(
        self,
        settings: Settings,
        *,
        module: str = DEFINITIONS,
        folder: Path | None = None,
        scale: Sequence[str] = (),
    ) -> None:
        self.settings = settings
        self.home = settings.home.absolute()
        self._module = module
        self._scale = list(scale)
        self._root = folder or _source_folder()
        self._run = self.home / "run"

    def up(self, *, sandbox: bool = False, web: bool = True) -> list[ProcessStatus]:
        """Start what does not run yet and wait until all of it answers. What runs already is left alone.

        The database is brought up to this code first; `web=False` leaves out what answers others: the web pages, the
        receiver, the read endpoints and the monitor. Raises ConfigError when one of their ports is taken, PlatformError
        when a process ends or stays silent (what this call started is then stopped again), DatabaseError or
        MigrationBehind for the database.
        """
        with self._lock(), ExitStack() as undo:
            if web:
                self._check_ui_port()
                self._check_port("monitor", self.settings.monitor_port)
                self._check_port("receiver", self.settings.receiver_port)
                self._check_port("api", self.settings.api_port)
            had_server = self.settings.database_url is not None or self._server().status().state == "running"
            urls = ensure_databases(self.settings)
            if not had_server:
                undo.callback(self._server().stop)
            migrate.upgrade(urls.v2)
            environment = self.environment(urls)
            self._prepare_dagster(urls, environment)
            if sandbox:
                self._start([self._sandbox()], environment, undo)
            services, moved = self._dagster_services(urls)
            if moved:  # they were told another port
                self._stop(("daemon", "webserver"))
            self._start(services[:1], environment, undo)  # the others ask the code server at once
            self._start([s for s in services[1:] if web or s.name != "webserver"], environment, undo)
            if web:
                for service in self._outward():
                    self._start([service], self._environment_of(service.name, environment, urls), undo)
                self._start([self._monitor()], environment, undo)
            undo.pop_all()
            self._remember_plan(sandbox=sandbox, web=web)
        return self.status()

    def down(self) -> None:
        """Stop everything, run workers included, and the embedded server last. Returns when nothing is left."""
        if not self.home.exists():
            return
        self._stop(("monitor",))  # before the lock, which it may hold for as long as a process takes to come up
        with self._lock():
            self._plan_file.unlink(missing_ok=True)
            self._stop(("monitor", "receiver", "api"))  # the senders come again
            self._stop(("daemon",))  # first, so that no new run is launched
            stop_all([process for process in self._marked() if _is_run_worker(process)], grace_s=WORKER_GRACE_S)
            self._stop(("webserver", "code-server", "sandbox"))
            stop_all(self._marked(), grace_s=SERVER_GRACE_S)
            if self.settings.database_url is None:
                self._server().stop()

    def status(self) -> list[ProcessStatus]:
        """Every process in the order of starting. Asks nobody: a process that runs may still be busy."""
        found: list[ProcessStatus] = []
        if self.settings.database_url is not None:
            where = Database(self.settings.database_url.get_secret_value()).location
            found.append(ProcessStatus("postgres", True, None, where, None))
        else:
            server = self._server()
            state = server.status()
            address = f"{HOST}:{state.port}" if state.pid else None
            found.append(ProcessStatus("postgres", state.pid is not None, state.pid, address, server.cluster.log))
        names: tuple[Name, ...] = ("sandbox", "code-server", "webserver", "daemon", "receiver", "api", "monitor")
        for name in names:
            process = self._process(name)
            port = self._port(name) if process else None
            address = f"{HOST}:{port}" if port else None
            pid = process.pid if process else None
            found.append(ProcessStatus(name, process is not None, pid, address, self._log(name)))
        return found

    @classmethod
    def planned(cls, settings: Settings) -> Platform | None:
        """The platform as `up` last started it in this home, for a process of it; None before `up` and after `down`."""
        try:
            plan = json.loads((settings.home.absolute() / "run" / _PLAN).read_text(encoding="utf-8"))
        except (FileNotFoundError, ValueError):
            return None
        if plan["embedded"]:  # a process of the platform is told the address of the server, not whose it is
            settings = settings.model_copy(update={"database_url": None})
        return cls(settings, module=plan["module"], folder=Path(plan["folder"]), scale=plan["scale"])

    def missing(self) -> list[Name]:
        """What `up` started here and does not run, in the order of starting."""
        try:
            names = json.loads(self._plan_file.read_text(encoding="utf-8"))["names"]
        except (FileNotFoundError, ValueError):
            return []
        running = {status.name for status in self.status() if status.running}
        return [name for name in names if name not in running]

    def revive(self, name: Name) -> None:
        """Starts one process of `missing` again and waits until it answers. The caller holds the lock (see `idle`).

        Raises what `up` raises.
        """
        if name == "postgres":
            self._server().start(keep_port=True)
            return
        urls = ensure_databases(self.settings)
        environment = self.environment(urls)
        dagster, moved = self._dagster_services(urls)
        if moved:
            self._stop(("daemon", "webserver"))
        services = {service.name: service for service in (*dagster, *self._outward(), self._monitor())}
        if name == "sandbox":
            services[name] = self._sandbox()
        with ExitStack() as undo:
            self._start([services[name]], self._environment_of(name, environment, urls), undo)
            undo.pop_all()

    def kill(self, name: Name) -> bool:
        """Ends a process of `up` that is past asking. False when it does not run. The caller holds the lock."""
        process = self._process(name)
        return process is not None and bool(stop_all([process], grace_s=0))

    @contextmanager
    def idle(self, *, patience_s: float = 0.0) -> Iterator[bool]:
        """Whether no `up` and no `down` is at work, now or within `patience_s`; while the block lasts, none begins.

        Whoever holds this also keeps the supervisor from starting anything again.
        """
        self._run.mkdir(parents=True, exist_ok=True)
        with ExitStack() as stack:
            try:
                stack.enter_context(exclusive(self._run / "lock", timeout_s=patience_s))
            except TimeoutError:
                yield False
                return
            yield True

    def environment(self, urls: DatabaseUrls) -> dict[str, str]:
        """What every process of the platform gets: our environment, the settings in force, and Dagster's switches."""
        environment = dict(os.environ)
        for name in self.settings.model_fields_set:
            value = getattr(self.settings, name)
            if value is not None:
                text = value.get_secret_value() if isinstance(value, SecretStr) else str(value)
                environment[f"V2_{name.upper()}"] = text
        return environment | {
            _MARK: str(self.home),
            "V2_HOME": str(self.home),
            "V2_API_TASKS_KEY": self._tasks_key(),
            "V2_DATABASE_URL": urls.v2,
            # Named driver: SQLAlchemy 2.1 takes psycopg 3 for the plain scheme, and dagster-postgres cannot use that.
            "V2_DAGSTER_PG_URL": "postgresql+psycopg2" + urls.dagster.removeprefix("postgresql"),
            "DAGSTER_HOME": str(self._dagster_home),
            "DAGSTER_DISABLE_TELEMETRY": "1",
            # One insert for many events, one event for a range of partitions: 300 users 15.8 s -> 0.6 s.
            "DAGSTER_EVENT_BATCH_SIZE": "500",
            "DAGSTER_EMIT_PARTITION_SUBSET_IN_PLANNED_EVENTS": "true",
            "DAGSTER_RUN_STATUS_SENSOR_PROCESS_LIMIT": "50",
            "DAGSTER_SENSOR_GRPC_TIMEOUT_SECONDS": "180",
            "PYTHONUNBUFFERED": "1",
        }

    def _tasks_key(self) -> str:
        """What the endpoints show the web server. Made once for a home whose settings name none."""
        if self.settings.api_tasks_key:
            return self.settings.api_tasks_key.get_secret_value()
        file = self._run / "tasks.key"
        if not file.is_file():
            write_whole(file, secrets.token_hex(32))
        return file.read_text(encoding="ascii")

    def command(self, name: Name) -> tuple[list[str], dict[str, str], Path]:
        """Command line, environment and folder of one process, for somebody else who keeps it running (`v2 run`).

        The schema is checked and not changed. Raises ConfigError without a server that is not of this home, since
        nobody would look after it, and for a name that is no process of its own.
        """
        if self.settings.database_url is None:
            raise ConfigError(
                "A process that is run alone needs a PostgreSQL server of its own.",
                hint="set V2_DATABASE_URL; `v2 up` is for the embedded server",
            )
        urls = ensure_databases(self.settings)
        migrate.check(urls.v2)
        environment = self.environment(urls)
        with self._lock():
            services = {service.name: service for service in (*self._outward(), self._monitor())}
            if name == "webserver" and self.settings.ui_key is None:
                raise ConfigError(
                    "Every account of this machine could start and wipe through the pages.",
                    hint="set V2_UI_KEY (openssl rand -hex 32), and tell the proxy (docs/howto/install.md)",
                )
            if name not in services:
                self._prepare_dagster(urls, environment)
                services |= {service.name: service for service in self._dagster_services(urls, keep_port=True)[0]}
            if name not in services:
                raise ConfigError(
                    f"{name} is not run alone.", hint=f"one of: {', '.join(sorted(services))}", context={"name": name}
                )
            environment = self._environment_of(name, environment, urls)
            me = ProcessId.of(os.getpid())
            if me is not None:
                me.save(self._pid_file(name))  # what it becomes keeps its pid, so `v2 status` knows it
        if name in ("daemon", "webserver"):
            # They ask the code server at once, and complain at length where nobody answers yet.
            code_at = self.settings.code_socket or self._port("code-server") or 0
            wait_until(lambda: _listens(code_at), START_PATIENCE_S)
        return services[name].argv, environment, self._root

    def prepare(self, urls: DatabaseUrls) -> None:
        """Make Dagster's folder and tables, for a process that takes part without `up`."""
        with self._lock():
            self._prepare_dagster(urls, self.environment(urls))

    @property
    def sandbox_port(self) -> int:
        """The port the sandbox has, or will have at the next `up`; known before, so that settings can name it."""
        port = self._port("sandbox")
        if port is None or (self._process("sandbox") is None and not port_is_free(port)):
            port = free_port()
            self._remember_port("sandbox", port)
        return port

    # Services

    def _sandbox(self) -> _Service:
        port = self.sandbox_port
        argv = [sys.executable, "-m", "sandbox", "--port", str(port), "--home", str(self.home), *self._scale]
        return _Service("sandbox", argv, lambda _: _listens(port))

    def _dagster_services(self, urls: DatabaseUrls, *, keep_port: bool = False) -> tuple[list[_Service], bool]:
        """The three of Dagster, and whether the code server has to move to another port (never with `keep_port`)."""
        code_at, moved = self._code_server(keep_port=keep_port)
        self._remember_port("webserver", self.settings.ui_port)
        workspace = self._dagster_home / "workspace.yaml"
        at = {"socket": str(code_at)} if isinstance(code_at, Path) else {"host": HOST, "port": code_at}
        server = {"grpc_server": at | {"location_name": "v2"}}
        write_whole(workspace, json.dumps({"load_from": [server]}) + "\n", mode=0o644)  # JSON is YAML

        python, ui_port = [sys.executable, "-m"], self.settings.ui_port
        code = [*python, "dagster", "api", "grpc", "-m", self._module, "-d", str(self._root), "--location-name", "v2"]
        # Three sensors watch nearly all the time, each in a thread (sensors/watching.py).
        code += ["--use-python-environment-entry-point", "--max-workers", "12"]
        code += ["-s", str(code_at)] if isinstance(code_at, Path) else ["-h", HOST, "-p", str(code_at)]
        if self.settings.log_format == "json":
            code += ["--log-format", "json"]
        web = [*python, "v2_assets.webserver"]
        daemon = [*python, "v2_assets.daemon", "-w", str(workspace)]
        return [
            _Service("code-server", code, lambda _: _listens(code_at)),  # it listens once the definitions are loaded
            _Service("webserver", web, lambda _: _answers(f"http://{HOST}:{ui_port}/server_info")),
            _Service("daemon", daemon, lambda process: _beats(urls.dagster, process)),
        ], moved

    def _code_server(self, *, keep_port: bool) -> tuple[int | Path, bool]:
        """Where the code server is: its socket, or its port; and whether that port is another one than before."""
        if self.settings.code_socket is not None:
            return self.settings.code_socket, False
        port, moved = self._port("code-server"), False
        if port is None or (not keep_port and self._process("code-server") is None and not port_is_free(port)):
            port, moved = free_port(), True
        self._remember_port("code-server", port)
        return port, moved

    def _outward(self) -> tuple[_Service, _Service]:
        """The two that face the outside."""
        return self._receiver(), self._api()

    def _environment_of(self, name: Name, environment: dict[str, str], urls: DatabaseUrls) -> dict[str, str]:
        """What a process gets of the environment: those that face the outside get their own login and little else."""
        if name == "receiver":
            return self._receiver_environment(environment, urls)
        return self._api_environment(environment, urls) if name == "api" else environment

    def _receiver(self) -> _Service:
        port = self.settings.receiver_port
        self._remember_port("receiver", port)
        argv = [sys.executable, "-m", "sensors.receiver"]
        return _Service("receiver", argv, lambda _: _answers(f"http://{HOST}:{port}{READY}"))

    def _receiver_environment(self, environment: dict[str, str], urls: DatabaseUrls) -> dict[str, str]:
        """It faces the outside: the login that may add to the inbox, and the keys that prove an event."""
        return _only(environment, "V2_RECEIVER_", "V2_SECRET_KEY", "V2_FUB_SYSTEM_KEY") | {
            "V2_RECEIVER_DATABASE_URL": receiver_url(self.settings, urls),
            "V2_RECEIVER_PORT": str(self.settings.receiver_port),
        }

    def _api(self) -> _Service:
        port = self.settings.api_port
        self._remember_port("api", port)
        argv = [sys.executable, "-m", "v2_assets.api"]
        return _Service("api", argv, lambda _: _answers(f"http://{HOST}:{port}{READY}"))

    def _api_environment(self, environment: dict[str, str], urls: DatabaseUrls) -> dict[str, str]:
        """It faces the outside and needs no secret but its own login."""
        return _only(environment, "V2_UI_PORT", "V2_API_", "V2_SHADOW_") | {
            "V2_API_DATABASE_URL": api_url(self.settings, urls),
            "V2_API_PORT": str(self.settings.api_port),
            "V2_UI_PORT": str(self.settings.ui_port),
        }

    def _monitor(self) -> _Service:
        port = self.settings.monitor_port
        self._remember_port("monitor", port)
        argv = [sys.executable, "-m", "v2_assets.monitor"]
        return _Service("monitor", argv, lambda _: _listens(port))

    def _check_port(self, name: Name, port: int) -> None:
        if self._process(name) is None and not port_is_free(port):
            setting = f"V2_{name.upper()}_PORT"
            raise ConfigError(
                f"Port {port} on {HOST}, where the {name} belongs, is taken by another program.",
                hint=f"end that program, or set {setting} ({setting}={free_port()} is free now)",
                context={"port": port, "setting": setting},
            )

    def _prepare_dagster(self, urls: DatabaseUrls, environment: dict[str, str]) -> None:
        """The instance's folder, and its tables made by one process: three that start together would race for it."""
        source = self._root / "dagster.yaml"
        if not source.is_file():
            raise ConfigError(
                "There is no dagster.yaml beside the code.", hint="run the command in the folder of the project"
            )
        self._dagster_home.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(source, self._dagster_home / "dagster.yaml")
        stamp = self._run / "dagster.version"
        # One at a time, of all homes that share this database, however long the first one takes.
        with Database(urls.dagster, lock_timeout_s=2 * START_PATIENCE_S).connect(autocommit=True) as conn:
            conn.execute("select pg_advisory_lock(hashtext('v2 prepares dagster'))")
            row = conn.execute("select to_regclass('public.alembic_version') is not null").fetchone()
            if row == (True,) and stamp.exists() and stamp.read_text() == version("dagster"):
                return
            argv = [sys.executable, "-m", "dagster", "instance", "migrate"]
            done = subprocess.run(argv, env=environment, cwd=self._root, capture_output=True, text=True, check=False)  # noqa: S603
        write_whole(self._log("instance"), done.stdout + done.stderr)
        if done.returncode != 0:
            raise PlatformError(
                "Dagster could not prepare its database.",
                hint=f"see {self._log('instance')}",
                context={"exit": done.returncode},
            )
        write_whole(stamp, version("dagster"))

    def _start(self, services: list[_Service], environment: dict[str, str], undo: ExitStack) -> None:
        """Start those that do not run, together, then wait for each."""
        running: list[tuple[_Service, ProcessId]] = []
        for service in services:
            process = self._process(service.name)
            if process is None:
                process = spawn_detached(service.argv, log=self._log(service.name), env=environment, cwd=self._root)
                process.save(self._pid_file(service.name))
                undo.callback(self._stop, (service.name,))
            running.append((service, process))
        for service, process in running:
            if wait_for_start(process, partial(service.ready, process), START_PATIENCE_S, poll_s=0.25):
                continue
            silent = f"does not answer, and did nothing for {START_PATIENCE_S:.0f} s"
            raise self._failed(service.name, silent if process.alive() else "ended at once")

    def _stop(self, names: tuple[Name, ...]) -> None:
        processes = [process for process in map(self._process, names) if process is not None]
        stop_all(processes, grace_s=SERVER_GRACE_S)
        for name in names:
            self._pid_file(name).unlink(missing_ok=True)

    def _check_ui_port(self) -> None:
        port = self.settings.ui_port
        if self._process("webserver") is None:
            if not port_is_free(port):
                raise ConfigError(
                    f"Port {port} on {HOST}, where the web pages belong, is taken by another program.",
                    hint=f"end that program, or set V2_UI_PORT to a free port (V2_UI_PORT={free_port()} is free now)",
                    context={"port": port, "setting": "V2_UI_PORT"},
                )
        elif self._port("webserver") != port:
            raise ConfigError(
                f"The web pages are already at port {self._port('webserver')}, not {port}.",
                hint="run `v2 down` first, then `v2 up`",
                context={"port": port, "setting": "V2_UI_PORT"},
            )

    def _failed(self, name: Name, how: str) -> PlatformError:
        log = self._log(name)
        lines = [line for line in log.read_text(encoding="utf-8", errors="replace").splitlines() if line.strip()]
        last = f": {lines[-1].strip()[:300]}" if lines else ""
        return PlatformError(f"The {name} {how}{last}", hint=f"its log is {log}", context={"process": name})

    # Who runs

    def _process(self, name: str) -> ProcessId | None:
        process = ProcessId.load(self._pid_file(name))
        return process if process is not None and process.alive() else None

    def _marked(self) -> list[ProcessId]:
        return marked(_MARK, str(self.home))

    def _server(self) -> EmbeddedPostgres:
        return EmbeddedPostgres(self.home)

    # Files

    @property
    def _dagster_home(self) -> Path:
        return self.home / "dagster"

    @property
    def _plan_file(self) -> Path:
        return self._run / _PLAN

    def _remember_plan(self, *, sandbox: bool, web: bool) -> None:
        """What runs from now on, for whoever looks after it."""
        left_out: set[str] = set() if sandbox else {"sandbox"}
        if not web:
            left_out |= {"webserver", "receiver", "api", "monitor"}
        embedded = self.settings.database_url is None
        if not embedded:
            left_out.add("postgres")
        names = [name for name in get_args(Name) if name not in left_out]
        plan: dict[str, Any] = {"names": names, "embedded": embedded, "module": self._module}
        write_whole(self._plan_file, json.dumps(plan | {"folder": str(self._root), "scale": self._scale}))

    def _pid_file(self, name: str) -> Path:
        return self._run / f"{name}.pid"

    def _log(self, name: str) -> Path:
        return self.home / "logs" / f"{name}.log"

    def _port(self, name: str) -> int | None:
        try:
            return int((self._run / f"{name}.port").read_text(encoding="ascii"))
        except (FileNotFoundError, ValueError):
            return None

    def _remember_port(self, name: str, port: int) -> None:
        write_whole(self._run / f"{name}.port", str(port))

    @contextmanager
    def _lock(self) -> Iterator[None]:
        self._run.mkdir(parents=True, exist_ok=True)
        with ExitStack() as stack:
            try:
                stack.enter_context(exclusive(self._run / "lock", timeout_s=2 * START_PATIENCE_S))
            except TimeoutError:
                raise PlatformError(
                    "Another `v2 up` or `v2 down` is at work here and does not finish.",
                    hint=f"look at the logs in {self.home / 'logs'}",
                    retryable=True,
                ) from None
            yield


def _source_folder() -> Path:
    """Where `v2_assets` and `dagster.yaml` are: the project we are in, else the checkout this code runs from."""
    root = project_root()
    return root if (root / "dagster.yaml").is_file() else Path(__file__).parents[1]


def _only(environment: dict[str, str], *names: str) -> dict[str, str]:
    """The environment without settings, but for what every process needs and those that begin with `names`."""
    kept = (_MARK, "V2_HOME", "V2_LOG_FORMAT", *names)
    return {name: value for name, value in environment.items() if not name.startswith("V2_") or name.startswith(kept)}


def _is_run_worker(process: ProcessId) -> bool:
    """A run is a fork of the launcher's server process, in a session of its own; the server ends with the daemon."""
    try:
        forked = any("multiprocessing.forkserver" in argument for argument in psutil.Process(process.pid).cmdline())
        return forked and os.getsid(process.pid) == process.pid
    except (psutil.Error, ProcessLookupError):
        return False


def _listens(at: int | Path) -> bool:
    """Whether somebody takes connections at this port, or this Unix socket."""
    family, address = (socket.AF_UNIX, str(at)) if isinstance(at, Path) else (socket.AF_INET, (HOST, at))
    with socket.socket(family, socket.SOCK_STREAM) as probe:
        probe.settimeout(1)
        try:
            probe.connect(address)
        except OSError:
            return False
    return True


def _answers(url: str) -> bool:
    try:
        return httpx.get(url, timeout=2, trust_env=False).status_code == 200
    except httpx.HTTPError:
        return False


def _beats(url: str, process: ProcessId) -> bool:
    """Whether Dagster's daemon has reported itself alive since this process started (both by this machine's clock)."""
    try:
        started = psutil.Process(process.pid).create_time()
    except psutil.Error:
        return False
    with Database(url).connect() as conn:
        row = conn.execute(
            "select count(*) from daemon_heartbeats where timestamp > to_timestamp(%s) at time zone 'utc'", (started,)
        ).fetchone()
    return row is not None and row[0] > 0
