"""One small world on one real server for tests that only look; worlds of their own for tests that move them."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from typing import Any

import httpx
import pytest

from sandbox import Sandbox, Scale, World, serve
from sandbox.world import ProductUser

SMALL = Scale(people=500, deals=300)
#: A fixed start makes a world that is the same on every machine and every day.
START = datetime(2026, 11, 20, 9, 30, tzinfo=UTC)


@pytest.fixture(scope="session")
def _running() -> Iterator[Sandbox]:
    with serve(World(scale=SMALL, now=START)) as running:
        yield running


@pytest.fixture
def running(_running: Sandbox) -> Iterator[Sandbox]:
    """A server whose world nobody moves; limits are out of the way, faults and the log are empty."""
    _running.faults.clear()
    _running.requests.clear()
    _running.limits.raised = {"global": 100_000, "events": 100_000, "notes": 100_000}
    yield _running
    _running.faults.clear()


@pytest.fixture
def own() -> Iterator[Sandbox]:
    """A server over a world of one's own, with the documented limits."""
    with serve(World(scale=Scale(people=200, deals=120), now=START)) as running:
        yield running


Client = Callable[..., httpx.Client]


@pytest.fixture
def client() -> Iterator[Client]:
    """Makes HTTP clients and closes them."""
    made: list[httpx.Client] = []

    def make(**options: Any) -> httpx.Client:
        made.append(httpx.Client(trust_env=False, timeout=10, **options))
        return made[-1]

    yield make
    for one in made:
        one.close()


def fub_of(client: Client, running: Sandbox, user: ProductUser, **headers: str) -> httpx.Client:
    """A registered system's client with a user's key, or with the headers given."""
    usual = {"X-System": "tests", "X-System-Key": "sandbox-system-key"}
    return client(base_url=running.fub_url, auth=(user.fub_key, ""), headers=headers or usual)


def rezen_of(client: Client, running: Sandbox, user: ProductUser, service: str = "yenta") -> httpx.Client:
    """A client of one reZEN service with a user's key."""
    return client(base_url=running.rezen_url.format(service=service), headers={"X-API-KEY": user.rezen_key})


@pytest.fixture
def owner(client: Client, running: Sandbox) -> httpx.Client:
    """The CRM through the key of the first account's owner."""
    return fub_of(client, running, running.world.users[0])


@pytest.fixture
def agent(client: Client, running: Sandbox) -> httpx.Client:
    """The CRM through an agent's key of the same account."""
    return fub_of(client, running, running.world.users[1])


@pytest.fixture
def yenta(client: Client, running: Sandbox) -> httpx.Client:
    """reZEN's people and teams through the first user's key."""
    return rezen_of(client, running, running.world.users[0])


@pytest.fixture
def arrakis(client: Client, running: Sandbox) -> httpx.Client:
    """reZEN's deals through the first user's key."""
    return rezen_of(client, running, running.world.users[0], "arrakis")
