"""The endpoints on a real port over a real database, with the role that they have in an installation."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import httpx
import pytest

from resources.postgres import Database
from resources.processes import free_port
from resources.serving import loopback
from resources.settings import Settings, load_settings
from tests.api.world import USERS, World, build
from tests.conftest import PostgresServer
from v2_assets.api import tokens
from v2_assets.api.app import Api


def as_api(url: str) -> str:
    """The URL with the endpoints' role taken on."""
    return f"{url}{'&' if '?' in url else '?'}options=-c%20role%3Dv2_api"


@dataclass(repr=False)
class Running:
    """The endpoints as they run, and a token of each user."""

    database: Database
    world: World
    tokens: dict[int, str]
    client: httpx.Client
    api: Api

    def get(self, path: str, user: int | None = None, **more: Any) -> httpx.Response:
        headers = {"Authorization": f"Bearer {self.tokens[user]}"} if user is not None else {}
        headers |= more.pop("headers", {})
        return self.client.get(path, headers=headers, **more)

    def items(self, user: int, path: str, **parameters: Any) -> list[dict[str, Any]]:
        """The items of one answer."""
        answer = self.get(path, user, params=parameters)
        assert answer.status_code == 200, answer.text
        return answer.json()["items"]

    def walked(self, user: int, path: str, **parameters: Any) -> list[dict[str, Any]]:
        """The items of all pages, by cursor."""
        found: list[dict[str, Any]] = []
        while True:
            answer = self.get(path, user, params={"per_page": 17} | parameters)
            assert answer.status_code == 200, answer.text
            page = answer.json()
            found += page["items"]
            if page["nextCursor"] is None:
                return found
            parameters["cursor"] = page["nextCursor"]


@contextmanager
def served(
    database: Database, settings: Settings, application_name: str = "v2 api"
) -> Iterator[tuple[Api, httpx.Client]]:
    """The endpoints over a database, as v2_api, for the length of a block; and a client of theirs."""
    narrow = Database(
        as_api(database.url), application_name=application_name, connect_deadline_s=1, statement_timeout_s=10
    )
    api, port = Api(settings, narrow), free_port()
    server = loopback(api.app, port)
    thread = threading.Thread(target=server.run, daemon=True)
    thread.start()
    while not server.started and thread.is_alive():
        time.sleep(0.005)
    with httpx.Client(base_url=f"http://127.0.0.1:{port}", trust_env=False, timeout=20) as client:
        yield api, client
    server.should_exit = True
    thread.join(10)


def generous(**more: Any) -> Settings:
    """Settings under which no test is told to slow down."""
    limits = {"api_requests_per_minute": 1_000_000, "api_burst": 1_000_000, "api_time_percent": 1_000_000}
    return load_settings(**limits | {"api_connections": 4} | more)


@dataclass(frozen=True)
class Built:
    """A database that holds the world, to be cloned; nobody connects to it."""

    server: PostgresServer
    name: str
    world: World

    @contextmanager
    def served(self) -> Iterator[Running]:
        """A copy with the endpoints over it."""
        name = self.server.create(template=self.name)
        database = Database(self.server.url(name))
        with database.connect() as connection:
            made = {user: tokens.create(connection, user, ["read"])[1] for user in USERS}
        with served(database, generous()) as (api, client):
            yield Running(database, self.world, made, client, api)
        self.server.drop(name)


@pytest.fixture(scope="session")
def built(postgres_server: PostgresServer, migrated_template: str) -> Built:
    """The world, built once."""
    name = postgres_server.create(template=migrated_template)
    with Database(postgres_server.url(name)).connect() as connection:
        return Built(postgres_server, name, build(connection))


@pytest.fixture(scope="session")
def running(built: Built) -> Iterator[Running]:
    """One world for all tests that leave it as it was."""
    with built.served() as running:
        yield running


@pytest.fixture(scope="session")
def changing(built: Built) -> Iterator[Running]:
    """Another for those that add rows and tokens to it."""
    with built.served() as running:
        yield running
