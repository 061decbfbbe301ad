"""Endpoints refuse nonsense when they are made."""

from __future__ import annotations

from typing import Any

import pytest
from pydantic import ValidationError

from resources.apis.fub import endpoints as fub
from resources.apis.rezen import endpoints as rezen
from resources.http.endpoint import Endpoint


@pytest.mark.parametrize(
    "wrong",
    [
        {"path": "people"},
        {"path": "https://elsewhere.test/people"},
        {"path": "/people?limit=1"},
        {"page_size": 0},
        {"page_size": 5, "page_floor": 10},
        {"deadline_s": 0},
        {"deadline_s": 10_000},
        {"no_content": True},
        {"colour": "red"},
    ],
)
def test_nonsense_cannot_be_constructed(wrong: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        Endpoint(**{"name": "GET /people", "path": "/people", "why": "a test", **wrong})


def test_an_endpoint_cannot_be_changed() -> None:
    with pytest.raises(ValidationError):
        fub.IDENTITY.path = "/me"  # type: ignore[misc]


def test_every_endpoint_says_why_it_is_asked() -> None:
    endpoints = [v for m in (fub, rezen) for v in vars(m).values() if isinstance(v, Endpoint)]
    endpoints += [listed.endpoint for listed in fub.LISTS.values()] + list(rezen.LISTS.values())
    assert len(endpoints) > 15
    assert all(endpoint.why for endpoint in endpoints)
    assert {endpoint.context for endpoint in endpoints} <= set(fub.LIMITS)
