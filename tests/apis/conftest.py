"""The sandbox for clients, and retries without waiting."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
import stamina

from sandbox import Sandbox, World, serve
from sandbox.world.model import Scale


@pytest.fixture(autouse=True)
def _no_pause_between_tries() -> Iterator[None]:
    with stamina.set_testing(True, attempts=3):
        yield


@pytest.fixture(scope="package")
def running_sandbox() -> Iterator[Sandbox]:
    with serve(World(11, Scale(people=520, deals=260))) as sandbox:
        sandbox.limits.raised = {"global": 10**6, "events": 10**6}
        yield sandbox


@pytest.fixture
def sandbox(running_sandbox: Sandbox) -> Iterator[Sandbox]:
    """One world for all tests of the clients; none of them moves it. Faults end with the test."""
    running_sandbox.requests.clear()
    yield running_sandbox
    running_sandbox.faults.clear()
