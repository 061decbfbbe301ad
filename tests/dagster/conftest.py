"""Databases for Dagster's own tables: empty ones, and copies of one that has them."""

from collections.abc import Iterator
from pathlib import Path

import dagster as dg
import pytest

from resources.postgres import Database
from tests.conftest import PostgresServer
from tests.dagster.instances import instance_on
from v2_assets.dagster_storage import EventLogStorage


@pytest.fixture
def dagster(postgres_server: PostgresServer) -> Iterator[Database]:
    name = postgres_server.create()
    yield Database(postgres_server.url(name))
    postgres_server.drop(name)


def close(instance: dg.DagsterInstance) -> None:
    """Nobody may be connected to a database that is copied or dropped."""
    assert isinstance(instance.event_log_storage, EventLogStorage)
    instance.event_log_storage._engine.dispose()


@pytest.fixture(scope="session")
def dagster_template(postgres_server: PostgresServer, tmp_path_factory: pytest.TempPathFactory) -> str:
    """The name of a database with Dagster's tables. Making them takes seconds, copying them does not."""
    name = postgres_server.create()
    with instance_on(Database(postgres_server.url(name)), tmp_path_factory.mktemp("template")) as instance:
        close(instance)
    return name


@pytest.fixture
def pooled(postgres_server: PostgresServer, dagster_template: str, tmp_path: Path) -> Iterator[dg.DagsterInstance]:
    """An instance on a fresh copy, over the platform's own storage."""
    name = postgres_server.create(template=dagster_template)
    with instance_on(Database(postgres_server.url(name)), tmp_path / "dagster") as instance:
        yield instance
        close(instance)
    postgres_server.drop(name)
