"""PostgreSQL's own `pg_dump` and `pg_restore`, of a release that fits the server.

`pg_dump` refuses a server that is newer than itself, and what a newer one writes may use settings that an older server
does not know. So the server's own release is looked for first, then the next newer one.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from collections.abc import Iterator, Sequence
from pathlib import Path

from psycopg.conninfo import conninfo_to_dict

from resources.embedded.cluster import programs_folder, server_environment
from resources.errors import ConfigError
from v2_assets.backup.manifest import BackupError

_VARIABLES = {
    "host": "PGHOST",
    "hostaddr": "PGHOSTADDR",
    "port": "PGPORT",
    "user": "PGUSER",
    "password": "PGPASSWORD",
    "dbname": "PGDATABASE",
    "sslmode": "PGSSLMODE",
    "sslrootcert": "PGSSLROOTCERT",
    "sslcert": "PGSSLCERT",
    "sslkey": "PGSSLKEY",
    "options": "PGOPTIONS",
}


def find(name: str, server: int) -> Path:
    """The program for a server of this major release. Raises BackupError when every one here is older."""
    found = {_release(path): path for path in _candidates(name)}
    fitting = sorted(release for release in found if release >= server)
    if not fitting:
        raise BackupError(
            f"The server is PostgreSQL {server}, and no {name} here is as new as that.",
            hint=f"install PostgreSQL's client programs of release {server} (Debian: postgresql-client-{server})",
            context={"found": sorted(found)},
        )
    return found[fitting[0]]


def run(program: Path, arguments: Sequence[str], url: str, what: str) -> None:
    """Runs it against a database. The password goes through the environment; the command line is open to all users.

    Raises BackupError with the program's last words.
    """
    parts = conninfo_to_dict(url)
    environment = server_environment() | {
        _VARIABLES[key]: str(value) for key, value in parts.items() if key in _VARIABLES and value is not None
    }
    done = subprocess.run(  # noqa: S603 - our own command line
        [str(program), *arguments],
        env=environment,
        capture_output=True,
        text=True,
        check=False,
        stdin=subprocess.DEVNULL,
    )
    if done.returncode != 0:
        # DETAIL and CONTEXT lines quote rows.
        words = [line for line in done.stderr.splitlines() if "error:" in line] or ["it ended without a word"]
        raise BackupError(f"{what} failed: {words[0][:300]}", context={"exit": done.returncode})


def _candidates(name: str) -> Iterator[Path]:
    on_path = shutil.which(name)
    yield from sorted(Path("/usr/lib/postgresql").glob(f"*/bin/{name}"))
    if on_path:
        yield Path(on_path)
    try:
        bundled = programs_folder() / name
    except ConfigError:
        return
    if os.access(bundled, os.X_OK):
        yield bundled


def _release(path: Path) -> int:
    said = subprocess.run([str(path), "--version"], capture_output=True, text=True, check=False).stdout  # noqa: S603
    number = re.search(r"\) (\d+)", said)
    return int(number[1]) if number else 0
