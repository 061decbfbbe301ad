"""A database for Dagster's own tables."""

from collections.abc import Iterator

import pytest

from resources.postgres import Database
from tests.conftest import PostgresServer


@pytest.fixture
def dagster(postgres_server: PostgresServer) -> Iterator[Database]:
    name = postgres_server.create()
    yield Database(postgres_server.url(name))
    postgres_server.drop(name)
