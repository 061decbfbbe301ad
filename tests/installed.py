"""A PostgreSQL that is installed on the machine, for tests: the oldest release we promise runs beside the embedded one.

`V2_TEST_POSTGRES=/usr/lib/postgresql/15/bin` makes the whole session use that server (see `conftest.py`). It is made
for one session and thrown away: no adoption, no repair, no second holder; those are `resources.embedded`'s.
"""

from __future__ import annotations

import secrets
import subprocess
from pathlib import Path

from resources.embedded.account import server_account
from resources.embedded.cluster import CONNECTIONS, USER, server_environment
from resources.processes import free_port

HOST = "127.0.0.1"
_SETTINGS = {
    "listen_addresses": HOST,
    "unix_socket_directories": "",
    "max_connections": CONNECTIONS,
    "timezone": "UTC",
    "lc_messages": "C",
    "fsync": "off",
    "full_page_writes": "off",
    "jit": "off",
    # Parallel queries need /dev/shm, of which a container has 64 MB.
    "max_parallel_workers_per_gather": 0,
    "max_parallel_maintenance_workers": 0,
}


class InstalledPostgres:
    """One server from the programs in `binaries`, its data below `home`. Has EmbeddedPostgres' hold, url and stop."""

    def __init__(self, home: Path, binaries: Path) -> None:
        self._home, self._binaries = home, binaries
        self._data = home / "pg"
        self._account = server_account(binaries / "postgres", self._data)
        self._password = secrets.token_hex(24)
        self._port = free_port(HOST)

    def hold(self) -> str:
        """Makes and starts it, and returns the URL of its database `v2`."""
        secret = self._home / "password"
        secret.write_text(self._password)
        secret.chmod(0o600)
        self._account.own(secret)
        self._data.mkdir(mode=0o700)
        self._account.own(self._data)
        self._run(
            "initdb", f"--pgdata={self._data}", f"--username={USER}", f"--pwfile={secret}", "--auth=scram-sha-256",
            "--encoding=UTF8", "--locale=C.UTF-8", "--no-sync",
        )  # fmt: skip
        options = " ".join(f"-c {name}='{value}'" for name, value in (_SETTINGS | {"port": self._port}).items())
        self._run("pg_ctl", "start", "--wait", "-D", str(self._data), "-l", str(self._data / "log"), "-o", options)
        self._run("psql", "-q", "-d", self.url("postgres"), "-c", "create database v2")
        return self.url("v2")

    def url(self, database: str) -> str:
        """The URL of one of its databases."""
        return f"postgresql://{USER}:{self._password}@{HOST}:{self._port}/{database}"

    def stop(self) -> None:
        """Stops it, whoever is connected."""
        if (self._data / "postmaster.pid").exists():
            self._run("pg_ctl", "stop", "-m", "immediate", "-D", str(self._data))

    def _run(self, program: str, *arguments: str) -> None:
        command = self._account.command([str(self._binaries / program), *arguments])
        # Into a file: the server inherits where pg_ctl writes, and a pipe would stay open as long as it lives.
        with (self._home / f"{program}.out").open("w+") as said:
            done = subprocess.run(
                command, stdin=subprocess.DEVNULL, stdout=said, stderr=said, env=server_environment(), cwd="/"
            )
            said.seek(0)
            assert done.returncode == 0, f"{program} failed: {said.read()}"
