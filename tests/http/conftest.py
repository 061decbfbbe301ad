"""Retries without waiting: the decision is tested, not the pause."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
import stamina

ATTEMPTS = 3


@pytest.fixture(autouse=True)
def _no_pause_between_tries() -> Iterator[None]:
    with stamina.set_testing(True, attempts=ATTEMPTS):
        yield
