"""The title stand-in: who is let in, what a query gets, the traps by name, and how orders move."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import httpx
import pytest

from sandbox import Sandbox, Scale, World
from sandbox.world.title import MILESTONES, amount_of
from tests.sandbox.conftest import START, Client

PAGE = "{ orders(input: {limit: 10, offset: %d}) { orders { _id status loan_amount } } }"


def title_of(client: Client, running: Sandbox, user: int = 0, **more: Any) -> httpx.Client:
    key = running.world.users[user].connections["title"]
    return client(
        base_url=running.title_url.removesuffix("/graphql"), **({"auth": (key.api_key, key.api_secret)} | more)
    )


def ask(http: httpx.Client, query: str) -> Any:
    return http.post("/graphql", json={"query": query}).json()


def rows(http: httpx.Client, offset: int = 0) -> list[Any]:
    return ask(http, PAGE % offset)["data"]["orders"]["orders"]


@pytest.mark.parametrize(
    ("more", "status", "code"),
    [
        ({"auth": None}, 401, "UNAUTHORIZED"),
        ({"auth": None, "headers": {"Authorization": "Bearer abc"}}, 401, "UNAUTHORIZED"),
        ({"auth": ("northern-title-api-1", "wrong")}, 403, "FORBIDDEN"),
        ({"auth": ("nobody", "x")}, 403, "FORBIDDEN"),
    ],
)
def test_a_missing_header_is_401_and_a_wrong_pair_is_403(
    client: Client, running: Sandbox, more: dict[str, Any], status: int, code: str
) -> None:
    answer = title_of(client, running, **more).post("/graphql", json={"query": PAGE % 0})
    assert (answer.status_code, answer.json()["errors"][0]["extensions"]["code"]) == (status, code)


def test_another_path_is_a_404_of_html(client: Client, running: Sandbox) -> None:
    answer = client().post(f"{running.url}/title/graphql", json={})
    assert answer.status_code == 404
    assert answer.text.startswith("<html>")


def test_two_users_of_one_organisation_see_its_orders_and_nobody_elses(client: Client, running: Sandbox) -> None:
    first, second, third = (rows(title_of(client, running, n)) for n in (0, 1, 2))
    assert first == second
    assert not {row["_id"] for row in first} & {row["_id"] for row in third}


def test_a_field_that_is_not_there_is_an_error_with_status_200(client: Client, running: Sandbox) -> None:
    told = ask(title_of(client, running), "{ orders { orders { updated_at } } }")
    assert told["data"] is None
    assert "updated_at" in told["errors"][0]["message"]


def test_an_order_of_nobody_is_null_without_an_error(client: Client, running: Sandbox) -> None:
    assert ask(title_of(client, running), '{ order(_id: "nobody") { _id } }') == {"data": {"order": None}}


def test_a_page_behind_the_end_is_empty(client: Client, running: Sandbox) -> None:
    assert rows(title_of(client, running), 10**6) == []


def test_traps_answer_with_status_200(client: Client, running: Sandbox) -> None:
    http = title_of(client, running)
    running.faults.add({"name": "partial_data", "times": 1})
    told = ask(http, PAGE % 0)
    assert [error["path"] for error in told["errors"]] == [["orders", "orders", 0, "loan_amount"]]
    assert told["data"]["orders"]["orders"][0]["loan_amount"] is None
    running.faults.add({"name": "missing_capability", "times": 1})
    told = ask(http, PAGE % 0)
    assert len(told["errors"]) == len(told["data"]["orders"]["orders"]) == 10
    running.faults.add({"name": "null_list", "times": 1})
    assert ask(http, PAGE % 0) == {"data": {"orders": {"orders": None}}}
    running.faults.add({"name": "ignored_offset", "times": 1})
    assert rows(http, 10) == rows(http, 0)
    running.faults.add({"name": "shifting_pages", "times": 1})
    assert rows(http, 10)[0] == rows(http, 0)[9]


def test_orders_are_made_for_sales_in_another_spelling(running: Sandbox) -> None:
    deals = running.world.brokerage.deals
    orders = [o for each in running.world.title.organisations.values() for o in each.orders.values()]
    about = [(order, deals[order["_deal"]]) for order in orders if order["_deal"]]
    assert about and len(about) < len(orders)
    assert any(o["properties"][0]["address_line_1"] != d["address"]["street"] for o, d in about)
    shapes = {type(order["purchase_price"]) for order, _ in about}
    assert {int, str} <= shapes
    assert all(
        float(o["purchase_price"]) == amount_of(d["price"]) for o, d in about if type(o["purchase_price"]) is int
    )


def test_a_step_closes_cancels_undoes_and_changes_what_was_closed() -> None:
    world, same = (World(scale=Scale(people=50, deals=200), now=START) for _ in range(2))
    told = world.step(START + timedelta(hours=1))["title"]
    assert told == same.step(START + timedelta(hours=1))["title"]
    orders = {i: o for each in world.title.organisations.values() for i, o in each.orders.items()}
    assert all(told.values())
    assert {orders[i]["status"] for i in told["closed"]} == {"Closed"}
    assert {orders[i]["status"] for i in told["cancelled"]} == {"Cancelled"}
    for order_id in told["undone"]:
        order = orders[order_id]
        assert order["milestones"][MILESTONES[order["_progress"]]]["complete"] is False


def test_title_throws_no_dice_of_the_other_systems(running: Sandbox) -> None:
    state = running.world.dice.getstate()
    running.world.title.dice.random()
    assert running.world.dice.getstate() == state
