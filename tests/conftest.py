"""Fixtures shared by all tests: one real Postgres for the session, and fresh databases on it.

`database` is a clone of a migrated template, so a test gets every table of the platform in about 50 ms. The server is
the embedded one, or the one whose programs lie in the folder that V2_TEST_POSTGRES names.
"""

from __future__ import annotations

import itertools
import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings
from psycopg import sql

from resources.embedded import EmbeddedPostgres
from resources.postgres import Database
from tests.installed import InstalledPostgres

#: Programs of another release to run the tests on; taken before the environment is cleared.
_BINARIES = os.environ.get("V2_TEST_POSTGRES")
_numbers = itertools.count(1)

# How long an example takes is the machine's matter, and a fixture that examples share is meant to be shared.
settings.register_profile(
    "tests", deadline=None, suppress_health_check=[HealthCheck.too_slow, HealthCheck.function_scoped_fixture]
)
settings.load_profile("tests")


@dataclass(frozen=True)
class PostgresServer:
    """The session's server. `url(name)` is the URL of a database on it."""

    server: EmbeddedPostgres | InstalledPostgres

    def url(self, name: str) -> str:
        return self.server.url(name)

    def create(self, *, template: str | None = None) -> str:
        """Create a database, as a copy of `template` if given, and return its name."""
        name = f"test_{next(_numbers)}"
        statement = sql.SQL("create database {}").format(sql.Identifier(name))
        if template is not None:
            # The default strategy writes every page to the WAL; for many small databases copying files is quicker.
            statement += sql.SQL(" template {} strategy file_copy").format(sql.Identifier(template))
        self._run(statement)
        return name

    def drop(self, name: str) -> None:
        self._run(sql.SQL("drop database {} with (force)").format(sql.Identifier(name)))

    def _run(self, statement: sql.Composed) -> None:
        with Database(self.url("postgres")).connect(autocommit=True) as conn:
            conn.execute(statement)


@pytest.fixture(scope="session", autouse=True)
def _no_settings_of_the_machine() -> Iterator[None]:
    """Nothing that a person exported for real work may reach a test."""
    names = [name for name in os.environ if name.startswith(("V2_", "PG", "DAGSTER_"))]
    kept = {name: os.environ.pop(name) for name in names}
    yield
    os.environ.update(kept)


def _in_memory() -> str | None:
    """A folder of the machine's memory, if it has room for a session's databases.

    A database is some 1,600 files; a file system in memory copies them in a third of the time, or less on a busy disk.
    """
    folder = Path("/dev/shm")
    return str(folder) if folder.is_dir() and shutil.disk_usage(folder).free > 4 * 2**30 else None


@contextmanager
def new_server() -> Iterator[EmbeddedPostgres | InstalledPostgres]:
    """A server of the kind that this session tests on, which nobody else uses; stopped and removed at the end."""
    home = Path(tempfile.mkdtemp(prefix="v2-tests-", dir=_in_memory()))
    home.chmod(0o711)  # when root starts it, the server runs as another account that has to pass here
    server = InstalledPostgres(home, Path(_BINARIES)) if _BINARIES else EmbeddedPostgres(home, fsync=False)
    try:
        server.hold()
        yield server
    finally:
        server.stop()
        shutil.rmtree(home, ignore_errors=True)


@pytest.fixture(scope="session")
def postgres_server() -> Iterator[PostgresServer]:
    """A server of its own for the session (fsync off); stopped and removed at the end."""
    with new_server() as server:
        yield PostgresServer(server)


@pytest.fixture(scope="session")
def migrated_template(postgres_server: PostgresServer) -> str:
    """The name of a database with all migrations applied; nobody connects to it, so that it can be cloned."""
    from v2_assets.schema import migrate

    name = postgres_server.create()
    migrate.upgrade(postgres_server.url(name))
    return name


@pytest.fixture(autouse=True)
def _nobody_watches_long(monkeypatch: pytest.MonkeyPatch) -> None:
    """A tick that a test makes itself finds at once whether there is something to do."""
    monkeypatch.setattr("sensors.watching.WATCH_S", 0.0)


@pytest.fixture
def empty_database(postgres_server: PostgresServer) -> Iterator[str]:
    """The URL of a fresh database without any table."""
    name = postgres_server.create()
    yield postgres_server.url(name)
    postgres_server.drop(name)


@pytest.fixture
def database_url(postgres_server: PostgresServer, migrated_template: str) -> Iterator[str]:
    """The URL of a fresh database with every table and seed of the platform."""
    name = postgres_server.create(template=migrated_template)
    yield postgres_server.url(name)
    postgres_server.drop(name)


@pytest.fixture
def database(database_url: str) -> Database:
    """A fresh database with every table and seed of the platform."""
    return Database(database_url)
