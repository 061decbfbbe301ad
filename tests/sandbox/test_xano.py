"""The stand-in for V1: what it gives away, how it pages, and how it refuses."""

from __future__ import annotations

import httpx
import pytest

from sandbox import Sandbox, Scale, World
from sandbox.world.model import millis
from sandbox.world.v1 import V1
from tests.sandbox.conftest import START, Client


@pytest.fixture
def v1(running: Sandbox) -> V1:
    running.limits.raised["xano"] = 100_000
    return running.world.v1


@pytest.fixture
def http(client: Client, running: Sandbox, v1: V1) -> httpx.Client:
    return client(base_url=running.xano_url, headers={"Authorization": f"Bearer {v1.token}"})


def table(v1: V1, name: str) -> str:
    return f"/workspace/1/table/{next(n for n, held in v1.ids.items() if held == name)}"


def search(http: httpx.Client, v1: V1, name: str, **body) -> httpx.Response:
    return http.post(f"{table(v1, name)}/content/search", json={"page": 1, "per_page": 50, **body})


def test_one_user_of_the_product_has_the_token(running: Sandbox, client: Client, v1: V1) -> None:
    told = client(base_url=running.url).get("/_world/credentials").json()
    keys = [user.get("xano") for user in told["users"]]
    assert keys[0] == {"api_key": v1.token, "api_secret": "", "account_id": "1", "user_id": "7"}
    assert not any(keys[1:])
    assert told["xano_base_url"] == running.xano_url


def test_without_the_token_there_is_nothing(client: Client, running: Sandbox, v1: V1) -> None:
    for headers in ({}, {"Authorization": "Bearer other"}, {"X-API-KEY": v1.token}):
        answer = client(base_url=running.xano_url, headers=headers).get("/auth/me")
        assert (answer.status_code, answer.json()["code"]) == (401, "ERROR_CODE_UNAUTHORIZED")


def test_the_list_of_tables_is_longer_than_a_page_and_tells_no_total(http: httpx.Client, v1: V1) -> None:
    first = http.get("/workspace/1/table").json()
    assert (len(first["items"]), first["nextPage"]) == (50, 2)
    assert "itemsTotal" not in first
    rest = http.get("/workspace/1/table", params={"page": 2}).json()
    assert len(first["items"]) + len(rest["items"]) == len(v1.titles)
    assert "🏠 title - orders" in v1.titles.values()


def test_rows_are_searched_behind_an_id_in_the_order_of_ids(http: httpx.Client, v1: V1) -> None:
    ids = sorted(v1.tables["participant"])
    page = search(http, v1, "participant", sort=[{"id": "asc"}], search=[{"id|>": ids[9]}]).json()
    assert [row["id"] for row in page["items"]] == ids[10:60]
    assert page["itemsTotal"] == len(ids) - 10
    assert search(http, v1, "participant", search=[{"shoe_size|>": 3}]).status_code == 400


def test_private_columns_come_along_with_the_rest(http: httpx.Client, v1: V1) -> None:
    user = http.get(f"{table(v1, 'user')}/content").json()["items"][0]
    assert {"password", "magic_link"} <= set(user)
    assert {"password"} <= {column["name"] for column in http.get(f"{table(v1, 'user')}/schema").json()}


def test_what_writes_is_not_there(http: httpx.Client, v1: V1) -> None:
    number = next(iter(v1.tables["user"]))
    assert http.delete(f"{table(v1, 'user')}/content/{number}").status_code == 404
    assert http.post(f"{table(v1, 'user')}/content", json={}).status_code in (404, 405)


def test_ten_calls_in_twenty_seconds_are_allowed(client: Client, own: Sandbox) -> None:
    http = client(base_url=own.xano_url, headers={"Authorization": f"Bearer {own.world.v1.token}"})
    codes = [http.get("/auth/me").status_code for _ in range(11)]
    assert codes == [200] * 10 + [429]


def test_faults_of_v1(http: httpx.Client, running: Sandbox, v1: V1) -> None:
    running.faults.add({"name": "wide_rows", "times": 1})
    assert search(http, v1, "participant", per_page=500).status_code == 502
    running.faults.add({"name": "false_body", "times": 1})
    assert search(http, v1, "participant").json() is False
    running.faults.add({"name": "another_workspace", "times": 1})
    assert http.get("/workspace").json()[0]["name"] == "V2"
    assert http.get("/workspace").json()[0]["name"] == "V1"


def test_v1_is_older_knows_less_than_the_living_systems_and_has_what_they_never_had(v1: V1, running: Sandbox) -> None:
    world = running.world
    known = {row["transaction_id_raw"] for row in v1.tables["transaction"].values()}
    living = {number for number, deal in world.brokerage.deals.items() if not deal["listing"]}
    assert known & living and living - known and known - living
    orders = {number for held in world.title.organisations.values() for number in held.orders}
    assert {row["order_id_raw"] for row in v1.tables["title_orders"].values()} - orders
    assert all(row["created_at"] < millis(world.start) for rows in v1.tables.values() for row in rows.values())


def test_the_same_seed_gives_the_same_v1(running: Sandbox) -> None:
    again = World(running.world.seed, Scale(people=500, deals=300), START)
    assert (again.v1.token, again.v1.tables) == (running.world.v1.token, running.world.v1.tables)
