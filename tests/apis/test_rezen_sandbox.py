"""The reZEN client against the sandbox: every deal, listing and seat, and details only where something changed."""

from __future__ import annotations

from collections import Counter
from typing import Any

import pytest

from resources.apis import ENTITIES
from resources.errors import NotUnderstood, PagingBroken, RateLimited, SourceError, SourceUnavailable, Unauthorized
from resources.reading import Page, ReadRequest
from sandbox import Sandbox
from tests.apis.clients import ids_of, pages_of, records_of, rezen, true_ids

DEALS = ["transactions", "listings"]


def key_of(sandbox: Sandbox, number: int = 0) -> str:
    return sandbox.world.users[number].rezen_key


def request_for(sandbox: Sandbox, entity: str, key: str, **more: Any) -> ReadRequest:
    if entity in ("teams", "team_members"):
        more["keys"] = tuple(sorted(true_ids(sandbox, "rezen", "teams", key)))
    return ReadRequest(**more)


def staged(pages: list[Page]) -> dict[str, Any]:
    return {r.source_id: r.source_updated_at for r in records_of(pages)}


@pytest.mark.parametrize("user", [0, 2])
@pytest.mark.parametrize("entity", ENTITIES["rezen"])
async def test_a_full_pass_meets_exactly_what_the_agent_may_see(sandbox: Sandbox, entity: str, user: int) -> None:
    key = key_of(sandbox, user)
    async with rezen(sandbox.rezen_url, key) as client:
        pages = await pages_of(client.read(entity, request_for(sandbox, entity, key)))
    assert set(ids_of(pages)) == true_ids(sandbox, "rezen", entity, key)
    assert max(Counter(ids_of(pages)).values(), default=0) <= 1
    assert [page.position is None for page in pages] == [False] * (len(pages) - 1) + [True]
    assert pages[-1].complete
    assert not [r.problem for r in records_of(pages) if r.problem]


@pytest.mark.parametrize("entity", DEALS)
async def test_from_every_stored_position_a_pass_goes_on_and_is_complete(sandbox: Sandbox, entity: str) -> None:
    async with rezen(sandbox.rezen_url, key_of(sandbox)) as client:
        pages = await pages_of(client.read(entity, ReadRequest()))
        for number, page in enumerate(pages[:-1], 1):
            rest = await pages_of(client.read(entity, ReadRequest(position=page.position)))
            assert ids_of(rest) == ids_of(pages[number:])
            assert rest[-1].complete


@pytest.mark.parametrize("entity", DEALS)
async def test_details_are_fetched_only_where_the_stamp_differs(sandbox: Sandbox, entity: str) -> None:
    key = key_of(sandbox)
    async with rezen(sandbox.rezen_url, key) as client:
        known = staged(await pages_of(client.read(entity, ReadRequest())))
        sandbox.requests.clear()
        pages = await pages_of(client.read(entity, ReadRequest(known=known)))
        assert ids_of(pages) == []
        assert {i for page in pages for i in page.seen} == set(known)
        assert sandbox.requests.total(r"/transactions/\{id\}$") == 0
        changed, new = list(known)[:2]
        older = {**known, changed: None}
        del older[new]
        pages = await pages_of(client.read(entity, ReadRequest(known=older)))
        assert set(ids_of(pages)) == {changed, new}
        assert pages[-1].complete


@pytest.mark.parametrize("entity", DEALS)
async def test_counts_that_disagree_make_the_pass_incomplete(sandbox: Sandbox, entity: str) -> None:
    sandbox.faults.add({"name": "counts_off", "by": 1})
    async with rezen(sandbox.rezen_url, key_of(sandbox)) as client:
        pages = await pages_of(client.read(entity, ReadRequest()))
    assert not pages[-1].complete


async def test_deals_that_vanish_from_their_lists_are_told_by_the_counts(sandbox: Sandbox) -> None:
    sandbox.faults.add({"name": "vanished"})
    async with rezen(sandbox.rezen_url, key_of(sandbox)) as client:
        pages = await pages_of(client.read("transactions", ReadRequest()))
    assert not pages[-1].complete


async def test_an_empty_page_of_a_group_that_counts_deals_is_not_taken_for_empty(sandbox: Sandbox) -> None:
    sandbox.faults.add({"name": "empty_page"})
    async with rezen(sandbox.rezen_url, key_of(sandbox)) as client:
        with pytest.raises(PagingBroken):
            await pages_of(client.read("transactions", ReadRequest()))


@pytest.mark.parametrize("name", ["agents", "members", "teamMembers", "content", "root"])
async def test_a_roster_is_read_in_every_known_shape(sandbox: Sandbox, name: str) -> None:
    key = key_of(sandbox)
    sandbox.faults.add({"name": "roster_key", "to": name})
    async with rezen(sandbox.rezen_url, key) as client:
        pages = await pages_of(client.read("team_members", request_for(sandbox, "team_members", key)))
        teams = await pages_of(client.read("teams", request_for(sandbox, "teams", key)))
    assert set(ids_of(pages)) == true_ids(sandbox, "rezen", "team_members", key)
    assert set(ids_of(teams)) == true_ids(sandbox, "rezen", "teams", key)
    assert all("agents" not in r.payload and name not in r.payload for r in records_of(teams))


async def test_a_roster_in_an_unknown_shape_is_an_error_that_keeps_the_old_one(sandbox: Sandbox) -> None:
    key, pages = key_of(sandbox), []
    sandbox.faults.add({"name": "roster_key", "to": "unknown"})
    async with rezen(sandbox.rezen_url, key) as client:
        with pytest.raises(NotUnderstood, match="teamMembers") as caught:
            async for page in client.read("team_members", request_for(sandbox, "team_members", key)):
                pages.append(page)
    assert pages == []
    assert "people" in caught.value.context["found"]


@pytest.mark.parametrize("name", ["content", "results", "root"])
async def test_deals_are_read_under_every_known_name(sandbox: Sandbox, name: str) -> None:
    key = key_of(sandbox)
    sandbox.faults.add({"name": "list_key", "to": name})
    async with rezen(sandbox.rezen_url, key) as client:
        pages = await pages_of(client.read("transactions", ReadRequest()))
    assert set(ids_of(pages)) == true_ids(sandbox, "rezen", "transactions", key)


async def test_deals_under_an_unknown_name_are_an_error_and_not_an_empty_page(sandbox: Sandbox) -> None:
    sandbox.faults.add({"name": "list_key", "to": "unknown"})
    async with rezen(sandbox.rezen_url, key_of(sandbox)) as client:
        with pytest.raises(NotUnderstood):
            await pages_of(client.read("transactions", ReadRequest()))


async def test_named_agents_come_twenty_at_a_time_behind_the_keys_owner(sandbox: Sandbox) -> None:
    key, everybody = key_of(sandbox), tuple(sandbox.world.brokerage.agents)
    async with rezen(sandbox.rezen_url, key) as client:
        pages = await pages_of(client.read("agents", ReadRequest(keys=everybody)))
        assert sorted(ids_of(pages)) == sorted(everybody)
        assert [r.source_id for r in records_of(pages) if r.payload.get("_v2") == {"is_self": True}] == [
            sandbox.world.users[0].agent_id
        ]
        for number, page in enumerate(pages[:-1], 1):
            rest = await pages_of(client.read("agents", ReadRequest(keys=everybody, position=page.position)))
            assert ids_of(rest) == ids_of(pages[number:])


async def test_context_that_the_records_lack_is_added(sandbox: Sandbox) -> None:
    key, agent = key_of(sandbox), sandbox.world.users[0].agent_id
    async with rezen(sandbox.rezen_url, key) as client:
        seats = records_of(await pages_of(client.read("team_members", request_for(sandbox, "team_members", key))))
        assert all(r.payload["_v2"]["team_id"] == r.source_id.split(":")[0] for r in seats)
        for entity in ("sponsor_tree", "cap_data"):
            records = records_of(await pages_of(client.read(entity, ReadRequest())))
            assert all(r.payload["_v2"] == {"agent_id": agent} for r in records)


async def test_national_ids_are_dropped_on_arrival(sandbox: Sandbox) -> None:
    for user in sandbox.world.users:
        async with rezen(sandbox.rezen_url, user.rezen_key) as client:
            pages = await pages_of(client.read("transactions", ReadRequest()))
        assert "nationalIds" not in str([r.payload for r in records_of(pages)])


async def test_identity_counts_keys_and_plans_agree_with_the_world(sandbox: Sandbox) -> None:
    key, agent = key_of(sandbox), sandbox.world.users[0].agent_id
    async with rezen(sandbox.rezen_url, key) as client:
        assert (await client.identity()).external_user_id == agent
        assert not await client.honours_since("transactions")
        for entity in DEALS:
            truth = true_ids(sandbox, "rezen", entity, key)
            assert await client.count(entity) == len(truth)
            assert {i async for ids in client.keys(entity, ReadRequest()) for i in ids} == truth
            assert (await client.plan(entity, ReadRequest())).expected == len(truth)
        assert await client.count("teams") is None
        assert (await client.plan("agents", ReadRequest(keys=("a", "b")))).expected == 3
        assert (await client.plan("teams", ReadRequest(keys=("t",)))).requests == ("GET yenta /teams/t",)
    assert sandbox.requests.total(r"/transactions/\{id\}$") == 0


async def test_one_deal_is_read_by_its_id_and_only_as_what_it_is(sandbox: Sandbox) -> None:
    key = key_of(sandbox)
    deal = next(iter(true_ids(sandbox, "rezen", "transactions", key)))
    async with rezen(sandbox.rezen_url, key) as client:
        record = await client.read_one("transactions", deal)
        assert record is not None
        assert record.source_id == deal
        assert await client.read_one("listings", deal) is None
        assert await client.read_one("transactions", "00000000-0000-4000-8000-000000000000") is None


@pytest.mark.parametrize(
    "fault",
    [
        {"name": "storm_429", "retry_after": "seconds"},
        {"name": "storm_429", "retry_after": "none"},
        {"name": "error_5xx"},
        {"name": "html_200"},
        {"name": "null_body"},
        {"name": "truncated_body"},
        {"name": "connection_reset"},
    ],
)
async def test_what_passes_by_itself_is_survived_in_the_middle_of_a_pass(
    sandbox: Sandbox, fault: dict[str, Any]
) -> None:
    key = key_of(sandbox)
    sandbox.faults.add({"path": "/transactions/", "skip": 3, "times": 2, **fault})
    async with rezen(sandbox.rezen_url, key) as client:
        pages = await pages_of(client.read("transactions", ReadRequest()))
    assert set(ids_of(pages)) == true_ids(sandbox, "rezen", "transactions", key)
    assert pages[-1].complete


@pytest.mark.parametrize(
    ("fault", "kind"),
    [
        ({"name": "storm_429"}, RateLimited),
        ({"name": "error_5xx"}, SourceUnavailable),
        ({"name": "html_200"}, NotUnderstood),
        ({"name": "errors_200", "path": "/participant/", "skip": 1}, NotUnderstood),
        ({"name": "revoked_key"}, Unauthorized),
        ({"name": "forbidden_empty"}, Unauthorized),
    ],
)
async def test_what_stays_ends_the_pass_with_its_own_error_and_never_with_a_last_page(
    sandbox: Sandbox, fault: dict[str, Any], kind: type[SourceError]
) -> None:
    sandbox.faults.add({"skip": 4, **fault})
    pages = []
    async with rezen(sandbox.rezen_url, key_of(sandbox)) as client:
        with pytest.raises(kind):
            async for page in client.read("transactions", ReadRequest()):
                pages.append(page)
    assert all(page.position is not None for page in pages)


@pytest.mark.parametrize(("kind", "broken"), [("date", 1), ("missing_id", 1), ("nul", 0), ("surrogate", 0)])
async def test_a_broken_record_never_stops_the_page(sandbox: Sandbox, kind: str, broken: int) -> None:
    key = key_of(sandbox)
    sandbox.faults.add({"name": "invalid_record", "path": r"/transactions/[0-9a-f-]{36}$", "times": 1, "kind": kind})
    async with rezen(sandbox.rezen_url, key) as client:
        pages = await pages_of(client.read("transactions", ReadRequest()))
    assert len([r for r in records_of(pages) if r.problem]) == broken
    assert len([r for r in records_of(pages) if r.warnings]) == 1 - broken
    assert set(ids_of(pages)) == true_ids(sandbox, "rezen", "transactions", key)


async def test_a_refused_detail_is_said_and_the_others_are_read(sandbox: Sandbox) -> None:
    key = key_of(sandbox)
    sandbox.faults.add({"name": "forbidden_empty", "path": r"/transactions/[0-9a-f-]{36}$", "times": 1})
    async with rezen(sandbox.rezen_url, key) as client:
        pages = await pages_of(client.read("transactions", ReadRequest()))
    assert [r.problem.reason for r in records_of(pages) if r.problem] == ["not_visible_to_key"]
    assert set(ids_of(pages)) == true_ids(sandbox, "rezen", "transactions", key)
    assert pages[-1].complete


async def test_a_refused_detail_of_a_deal_that_is_staged_leaves_it_as_it_is(sandbox: Sandbox) -> None:
    key = key_of(sandbox)
    async with rezen(sandbox.rezen_url, key) as client:
        known = dict.fromkeys(staged(await pages_of(client.read("transactions", ReadRequest()))))
        sandbox.faults.add({"name": "forbidden_empty", "path": r"/transactions/[0-9a-f-]{36}$", "times": 1})
        pages = await pages_of(client.read("transactions", ReadRequest(known=known)))
    assert not [r for r in records_of(pages) if r.problem]
    assert len({i for page in pages for i in page.seen}) == 1
    assert len(ids_of(pages)) == len(known) - 1


async def test_a_wrong_key_is_unauthorized_and_the_error_does_not_show_it(sandbox: Sandbox) -> None:
    async with rezen(sandbox.rezen_url, "real_stolen_0123456789") as client:
        with pytest.raises(Unauthorized) as caught:
            await client.identity()
    assert "stolen" not in f"{caught.value!r} {caught.value.as_dict()}"
