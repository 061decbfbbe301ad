"""The stand-in for SkySlope is as strict as the real one is said to be."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import httpx
import pytest

from sandbox import World, serve
from sandbox.skyslope.server import signed
from sandbox.world import Scale
from sandbox.world.files import CLIENT

NOW = "2031-03-04T05:06:07Z"


@pytest.fixture(scope="module")
def http() -> Iterator[tuple[httpx.Client, World]]:
    world = World(5, Scale(people=10, deals=60))
    with serve(world) as running, httpx.Client(base_url=running.skyslope_url) as client:
        yield client, world


def login(client: httpx.Client, world: World, **changed: Any) -> httpx.Response:
    key = world.users[0].connections["skyslope"]
    digest = changed.get("digest") or signed(key.api_secret, *CLIENT, NOW)
    headers = {"Authorization": f"ss {key.api_key}:{digest}", "Timestamp": changed.get("timestamp", NOW)}
    return client.post("/auth/login", headers=headers, json={"ClientId": CLIENT[0], "ClientSecret": CLIENT[1]})


def test_a_login_needs_the_signature_of_the_very_text_in_the_header(http: tuple[httpx.Client, World]) -> None:
    assert login(*http).json().keys() == {"Session", "Expiration"}
    assert login(*http, digest="AAAA").status_code == 401
    assert login(*http, timestamp=NOW.replace("Z", "+00:00")).status_code == 401
    assert http[0].get("/api/offices").status_code == 401


def test_without_dates_the_bulk_tells_a_week_and_past_agents_are_told_only_when_asked_for(
    http: tuple[httpx.Client, World],
) -> None:
    client, world = http
    headers = {"Session": login(client, world).json()["Session"]}

    def rows(**query: str) -> list[Any]:
        body = client.get("/api/files", params=query, headers=headers).content
        return list(httpx.Response(200, content=body.removeprefix(b"\xef\xbb\xbf")).json())

    account = world.files.accounts["coastal-realty"]
    assert len(rows(type="sale")) < len(rows(type="sale", createdAfter="1990-01-01T00:00:00Z"))
    users = client.get("/api/users", headers=headers).json()["value"]["users"]
    assert len(users) == len(account.users) - 1
    first = client.get("/api/files/sales", params={"pageNumber": "1"}, headers=headers).json()
    assert len(first["value"]["sales"]) == 10 and {link["rel"] for link in first["links"]} == {"self", "next"}


def test_a_world_of_one_seed_has_the_same_files_every_time_and_other_systems_do_not_notice_them() -> None:
    first, second = World(5, Scale(people=10, deals=60)), World(5, Scale(people=10, deals=60))
    for name, account in first.files.accounts.items():
        assert list(account.sales) == list(second.files.accounts[name].sales)
    mirrored = [f for a in first.files.accounts.values() for f in a.sales.values() if f["_deal"]]
    assert mirrored and all(f["_deal"] in first.brokerage.deals for f in mirrored)
