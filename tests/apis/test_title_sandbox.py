"""The Qualia client against the sandbox: every order of the organisation, and what the traps must not do."""

from __future__ import annotations

from collections import Counter
from datetime import UTC, datetime
from typing import Any

import pytest

from resources.apis import ENTITIES
from resources.apis.title import TitleClient
from resources.errors import BadRequest, ConfigError, NotUnderstood, PagingBroken, RateLimited, Unauthorized
from resources.reading import Page, ReadRequest
from sandbox import Sandbox
from tests.apis.clients import ids_of, pages_of, records_of, title, true_ids

NOW = datetime(2031, 3, 1, tzinfo=UTC)


def client_of(sandbox: Sandbox, user: int = 0, **more: Any) -> TitleClient:
    key = sandbox.world.users[user].connections["title"]
    return title(sandbox.title_url, key.api_key, key.api_secret, **more)


def orders_of(sandbox: Sandbox, user: int = 0) -> dict[str, Any]:
    name = sandbox.world.users[user].connections["title"].account_id
    return sandbox.world.title.organisations[name].orders


def request_for(sandbox: Sandbox, entity: str, user: int = 0) -> ReadRequest:
    if entity != "agencies":
        return ReadRequest()
    orders = orders_of(sandbox, user).values()
    return ReadRequest(keys=tuple(sorted({f"{o['orderer_id']}/{p['state']}" for o in orders for p in o["properties"]})))


def whole(pages: list[Page]) -> bool:
    """Whether the pass ended, and only with its last page, and absence would mean something."""
    ended = [page.position is None for page in pages] == [False] * (len(pages) - 1) + [True]
    return ended and pages[-1].complete


@pytest.mark.parametrize("user", [0, 2])
@pytest.mark.parametrize("entity", ENTITIES["title"])
async def test_a_full_pass_meets_exactly_what_the_organisation_has(sandbox: Sandbox, entity: str, user: int) -> None:
    async with client_of(sandbox, user) as client:
        pages = await pages_of(client.read(entity, request_for(sandbox, entity, user)))
    key = sandbox.world.users[user].connections["title"].api_key
    assert set(ids_of(pages)) == true_ids(sandbox, "title", entity, key)
    assert max(Counter(ids_of(pages)).values()) == 1
    assert whole(pages)
    assert not [r.problem for r in records_of(pages) if r.problem]


async def test_every_order_says_which_of_the_worlds_it_is_from(sandbox: Sandbox) -> None:
    async with client_of(sandbox) as client:
        pages = await pages_of(client.read("orders", ReadRequest()))
    assert {r.payload["_v2"]["environment"] for r in records_of(pages)} == {"sandbox"}


async def test_a_pass_that_is_not_full_reads_what_is_open_and_asks_for_what_left_the_list(sandbox: Sandbox) -> None:
    orders = orders_of(sandbox)
    still_open = {i for i, o in orders.items() if o["status"] == "Open"}
    cancelled = next(i for i, o in orders.items() if o["status"] == "Cancelled")
    lately, long_ago = [i for i, o in orders.items() if o["status"] == "Closed"][:2]
    open_keys = [f"{i}/open" for i in [*still_open, cancelled, "gone"]]
    keys = (*open_keys, f"{lately}/2031-02-20", f"{long_ago}/2030-02-20")
    async with client_of(sandbox) as client:
        pages = await pages_of(client.read("orders", ReadRequest(since=NOW, keys=keys)))
    assert set(ids_of(pages)) == still_open | {cancelled, lately}
    assert whole(pages)


@pytest.mark.parametrize(("days", "asked"), [(0, False), (400, True)])
async def test_how_long_closed_orders_are_asked_for_is_a_setting(sandbox: Sandbox, days: int, asked: bool) -> None:
    closed = next(i for i, o in orders_of(sandbox).items() if o["status"] == "Closed")
    request = ReadRequest(since=NOW, keys=(f"{closed}/2030-02-20",))
    async with client_of(sandbox, closed_days=days) as client:
        assert (closed in ids_of(await pages_of(client.read("orders", request)))) is asked


async def test_a_known_order_that_a_full_pass_does_not_meet_is_asked_for_before_it_is_gone(sandbox: Sandbox) -> None:
    known = dict.fromkeys(["neverHeardOf", *orders_of(sandbox)], None)
    async with client_of(sandbox) as client:
        pages = await pages_of(client.read("orders", ReadRequest(known=known)))
    assert sandbox.requests.total("graphql") == len(pages)  # the lists, one page beyond them, and one question by id
    assert whole(pages)
    assert "neverHeardOf" not in {*ids_of(pages), *(i for page in pages for i in page.seen)}


@pytest.mark.parametrize("entity", ["orders", "users"])
async def test_a_null_list_is_a_failure_and_not_an_empty_one(sandbox: Sandbox, entity: str) -> None:
    sandbox.faults.add({"name": "null_list"})
    async with client_of(sandbox) as client:
        with pytest.raises(NotUnderstood):
            await pages_of(client.read(entity, ReadRequest()))


async def test_an_order_with_an_error_is_not_stored_but_is_not_gone_either(sandbox: Sandbox) -> None:
    sandbox.faults.add({"name": "partial_data", "times": 1})
    async with client_of(sandbox) as client:
        pages = await pages_of(client.read("orders", ReadRequest()))
    kept_back = {i for page in pages for i in page.seen}
    assert len(kept_back) == 1
    assert {r.source_id for r in records_of(pages) if not r.problem} == set(orders_of(sandbox)) - kept_back
    assert {r.source_id for r in records_of(pages) if r.problem} == {f"refused:{i}" for i in kept_back}
    assert not pages[-1].complete


async def test_an_error_beside_one_order_by_id_leaves_the_others(sandbox: Sandbox) -> None:
    two = [i for i, o in orders_of(sandbox).items() if o["status"] != "Open"][:2]
    sandbox.faults.add({"name": "partial_data", "skip": 2, "times": 1})
    async with client_of(sandbox) as client:
        pages = await pages_of(client.read("orders", ReadRequest(since=NOW, keys=tuple(f"{i}/open" for i in two))))
    assert set(ids_of(pages)) & set(two) == {two[1]}
    assert pages[-2].seen == (two[0],)
    assert not pages[-1].complete


async def test_a_missing_capability_is_no_empty_list_and_its_code_is_kept(sandbox: Sandbox) -> None:
    sandbox.faults.add({"name": "missing_capability"})
    async with client_of(sandbox) as client:
        with pytest.raises(NotUnderstood) as caught:
            await pages_of(client.read("orders", ReadRequest()))
    assert caught.value.context["codes"] == ["CAPABILITY"]


async def test_a_server_that_ignores_the_offset_is_found_out(sandbox: Sandbox) -> None:
    sandbox.faults.add({"name": "ignored_offset"})
    async with client_of(sandbox) as client:
        with pytest.raises(PagingBroken):
            await pages_of(client.read("orders", ReadRequest()))


async def test_orders_that_move_while_they_are_read_are_walked_again(sandbox: Sandbox) -> None:
    async with client_of(sandbox) as client:
        quiet = len(await pages_of(client.read("orders", ReadRequest())))
        sandbox.faults.add({"name": "shifting_pages", "skip": 1, "times": 1})
        pages = await pages_of(client.read("orders", ReadRequest()))
        assert len(pages) > quiet
        assert set(ids_of(pages)) == set(orders_of(sandbox))
        assert max(Counter(ids_of(pages)).values()) == 1
        assert whole(pages)


async def test_a_broken_order_is_handed_on_with_its_problem(sandbox: Sandbox) -> None:
    fault = {"name": "invalid_record", "field": "open_date", "value": "the day before", "times": 1}
    sandbox.faults.add(fault)
    async with client_of(sandbox) as client:
        pages = await pages_of(client.read("orders", ReadRequest()))
    problems = [r.problem for r in records_of(pages) if r.problem]
    assert [(p.reason, p.field) for p in problems] == [("invalid_record", "open_date")]


async def test_a_wrong_password_says_so_although_the_answer_is_403(sandbox: Sandbox) -> None:
    async with title(sandbox.title_url, "northern-title-api-1", "wrong") as client:
        with pytest.raises(Unauthorized, match="user name and password"):
            await client.identity()


async def test_a_wrong_address_is_a_matter_of_settings(sandbox: Sandbox) -> None:
    async with title(f"{sandbox.url}/title/graphql") as client:
        with pytest.raises(ConfigError, match="404"):
            await client.identity()


async def test_too_many_requests_end_in_an_error_that_can_be_tried_again(sandbox: Sandbox) -> None:
    sandbox.faults.add({"name": "storm_429", "path": "/title"})
    async with client_of(sandbox) as client:
        with pytest.raises(RateLimited) as caught:
            await client.identity()
    assert caught.value.retryable


async def test_the_identity_is_the_organisation_as_it_was_entered(sandbox: Sandbox) -> None:
    async with client_of(sandbox) as client:
        identity = await client.identity()
    assert (identity.account_id, identity.external_user_id) == ("org-1", "northern-title-api-1")


async def test_one_order_by_its_id(sandbox: Sandbox) -> None:
    wanted = next(iter(orders_of(sandbox)))
    async with client_of(sandbox) as client:
        found = await client.read_one("orders", wanted)
        assert found is not None and found.source_id == wanted
        assert await client.read_one("orders", "nobody") is None
        for entity, name in (("users", wanted), ("orders", '") { _id } }')):
            with pytest.raises(BadRequest):
                await client.read_one(entity, name)


async def test_a_plan_asks_nothing_and_ids_are_those_of_a_full_pass(sandbox: Sandbox) -> None:
    async with client_of(sandbox) as client:
        plan = await client.plan("orders", ReadRequest(since=NOW, keys=("a/open", "b/2031-01-01")))
        assert len(plan.requests) == 2
        assert sandbox.requests.total() == 0
        ids = [i async for some in client.keys("orders", ReadRequest()) for i in some]
    assert set(ids) == set(orders_of(sandbox))
