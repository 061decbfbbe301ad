"""One migrated database for tests that leave nothing behind."""

from __future__ import annotations

from collections.abc import Iterator

import psycopg
import pytest


@pytest.fixture(scope="session")
def shared_url(postgres_server, migrated_template: str) -> Iterator[str]:
    """URL of one migrated database for the whole session; whoever uses it rolls back."""
    name = postgres_server.create(template=migrated_template)
    yield postgres_server.url(name)
    postgres_server.drop(name)


@pytest.fixture(scope="session")
def migrated_url(postgres_server, migrated_template: str) -> str:
    """URL of the very database that was migrated, whose own rights a copy has not. Leave nothing in it."""
    return postgres_server.url(migrated_template)


@pytest.fixture
def connection(shared_url: str) -> Iterator[psycopg.Connection]:
    """A connection to the shared database whose work is rolled back."""
    with psycopg.connect(shared_url) as conn:
        yield conn
        conn.rollback()
