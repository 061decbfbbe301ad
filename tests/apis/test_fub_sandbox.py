"""The Follow Up Boss client against the sandbox: everything there is, nothing twice, and every fault survived."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from resources.apis import ENTITIES
from resources.apis.fub.texts import PER_PAGE
from resources.errors import (
    BadRequest,
    NotUnderstood,
    PagingBroken,
    RateLimited,
    SourceError,
    SourceUnavailable,
    Unauthorized,
)
from resources.reading import ReadRequest
from sandbox import Sandbox
from tests.apis.clients import fub, ids_of, pages_of, records_of, true_ids

LISTS = [entity for entity in ENTITIES["fub"] if entity not in ("accounts", "text_messages")]


def key_of(sandbox: Sandbox, number: int = 0) -> str:
    return sandbox.world.users[number].fub_key


def people_of(sandbox: Sandbox, key: str) -> tuple[str, ...]:
    return tuple(sorted(true_ids(sandbox, "fub", "people", key), key=int, reverse=True))


@pytest.mark.parametrize("user", [0, 1])
@pytest.mark.parametrize("entity", [e for e in ENTITIES["fub"] if e != "text_messages"])
async def test_a_full_pass_meets_exactly_what_the_key_may_see(sandbox: Sandbox, entity: str, user: int) -> None:
    key = key_of(sandbox, user)
    async with fub(sandbox.fub_url, key) as client:
        pages = await pages_of(client.read(entity, ReadRequest()))
    assert set(ids_of(pages)) == true_ids(sandbox, "fub", entity, key)
    assert max(Counter(ids_of(pages)).values(), default=0) <= 1
    assert [page.position is None for page in pages] == [False] * (len(pages) - 1) + [True]
    assert pages[-1].complete
    assert not [r.problem for r in records_of(pages) if r.problem]


async def test_texts_are_met_by_asking_for_each_contact(sandbox: Sandbox) -> None:
    key = key_of(sandbox)
    people = people_of(sandbox, key)
    async with fub(sandbox.fub_url, key) as client:
        pages = await pages_of(client.read("text_messages", ReadRequest(keys=people)))
    assert set(ids_of(pages)) == true_ids(sandbox, "fub", "text_messages", key)
    assert len(pages) == -(-len(people) // PER_PAGE)


@pytest.mark.parametrize("entity", LISTS)
async def test_from_every_stored_position_a_pass_goes_on_without_a_gap(sandbox: Sandbox, entity: str) -> None:
    key = key_of(sandbox)
    async with fub(sandbox.fub_url, key) as client:
        pages = await pages_of(client.read(entity, ReadRequest()))
        for number, page in enumerate(pages[:-1], 1):
            rest = await pages_of(client.read(entity, ReadRequest(position=page.position)))
            assert ids_of(rest) == ids_of(pages[number:])
            assert rest[-1].complete


async def test_a_fan_out_goes_on_behind_the_last_contact_that_was_stored(sandbox: Sandbox) -> None:
    key = key_of(sandbox)
    people = people_of(sandbox, key)
    async with fub(sandbox.fub_url, key) as client:
        pages = await pages_of(client.read("text_messages", ReadRequest(keys=people)))
        rest = await pages_of(client.read("text_messages", ReadRequest(keys=people, position=pages[1].position)))
    assert ids_of(rest) == ids_of(pages[2:])


async def test_two_full_reads_are_identical(sandbox: Sandbox) -> None:
    async with fub(sandbox.fub_url, key_of(sandbox)) as client:
        first, second = [records_of(await pages_of(client.read("people", ReadRequest()))) for _ in range(2)]
    assert first == second


@pytest.mark.parametrize("entity", ["people", "events", "calls"])
async def test_what_changed_since_comes_alone(sandbox: Sandbox, entity: str) -> None:
    key = key_of(sandbox)
    async with fub(sandbox.fub_url, key) as client:
        everything = records_of(await pages_of(client.read(entity, ReadRequest())))
        stamps = sorted(r.source_updated_at for r in everything if r.source_updated_at)
        since = stamps[len(stamps) // 2]
        wanted = {r.source_id for r in everything if r.source_updated_at and r.source_updated_at >= since}
        assert set(ids_of(await pages_of(client.read(entity, ReadRequest(since=since))))) == wanted


@pytest.mark.parametrize("entity", ["people", "events", "calls"])
async def test_a_quiet_pass_is_one_page_and_a_proof_that_the_filter_works(sandbox: Sandbox, entity: str) -> None:
    async with fub(sandbox.fub_url, key_of(sandbox)) as client:
        pages = await pages_of(client.read(entity, ReadRequest(since=datetime.now(UTC) + timedelta(hours=1))))
        assert ids_of(pages) == []
        asked = [query for query in sandbox.requests.queries if "limit=100" in query]
        assert len(asked) == 1
        sandbox.requests.clear()
        await pages_of(client.read(entity, ReadRequest(since=datetime.now(UTC) + timedelta(hours=1))))
    assert len(sandbox.requests.queries) == 1  # the proof is kept


async def test_a_pass_that_finds_changes_needs_no_proof(sandbox: Sandbox) -> None:
    async with fub(sandbox.fub_url, key_of(sandbox)) as client:
        newest = records_of(await pages_of(client.read("people", ReadRequest())))
        since = max(r.source_updated_at for r in newest if r.source_updated_at)
        sandbox.requests.clear()
        assert ids_of(await pages_of(client.read("people", ReadRequest(since=since))))
    assert len(sandbox.requests.queries) == 1


@pytest.mark.parametrize("entity", ["people", "events", "calls"])
async def test_a_filter_that_the_server_ignores_is_noticed_and_nothing_is_missed(sandbox: Sandbox, entity: str) -> None:
    key = key_of(sandbox)
    async with fub(sandbox.fub_url, key) as client:
        everything = records_of(await pages_of(client.read(entity, ReadRequest())))
        stamps = sorted(r.source_updated_at for r in everything if r.source_updated_at)
        since = stamps[-5]
        wanted = {r.source_id for r in everything if r.source_updated_at and r.source_updated_at >= since}
        sandbox.faults.add({"name": "ignored_filter"})
        assert not await client.honours_since(entity)
        assert wanted <= set(ids_of(await pages_of(client.read(entity, ReadRequest(since=since)))))


@pytest.mark.parametrize("entity", LISTS)
async def test_the_probe_says_which_lists_filter_by_time(sandbox: Sandbox, entity: str) -> None:
    async with fub(sandbox.fub_url, key_of(sandbox)) as client:
        assert await client.honours_since(entity) == (entity in ("people", "events", "calls"))


async def test_counts_keys_and_plans_agree_with_the_world(sandbox: Sandbox) -> None:
    key = key_of(sandbox)
    async with fub(sandbox.fub_url, key) as client:
        for entity in LISTS:
            truth = true_ids(sandbox, "fub", entity, key)
            assert await client.count(entity) == len(truth)
            assert {i async for ids in client.keys(entity, ReadRequest()) for i in ids} == truth
            plan = await client.plan(entity, ReadRequest())
            assert plan.expected == len(truth)
            assert plan.requests[0].startswith(f"GET /{entity}?")
            assert key not in str(plan)


async def test_reconciling_people_asks_for_nothing_but_their_ids(sandbox: Sandbox) -> None:
    async with fub(sandbox.fub_url, key_of(sandbox)) as client:
        _ = [ids async for ids in client.keys("people", ReadRequest())]
    assert all("fields=id&" in query for query in sandbox.requests.queries)


async def test_identity_tells_the_owner_from_an_agent(sandbox: Sandbox) -> None:
    for number in (0, 1):
        user = sandbox.world.users[number]
        async with fub(sandbox.fub_url, user.fub_key) as client:
            identity = await client.identity()
        assert (identity.account_id, identity.external_user_id) == (str(user.fub_account), str(user.fub_user))
        assert identity.is_owner == (number == 0)


async def test_contacts_with_recent_activity_are_asked_of_the_source(sandbox: Sandbox) -> None:
    key = key_of(sandbox)
    async with fub(sandbox.fub_url, key) as client:
        people = records_of(await pages_of(client.read("people", ReadRequest())))
        activity = sorted(r.payload["lastActivity"] for r in people if r.payload.get("lastActivity"))
        since = activity[len(activity) // 2]
        active = await client.active_keys("text_messages", datetime.fromisoformat(since), "incremental")
        assert set(active or ()) == {r.source_id for r in people if (r.payload.get("lastActivity") or "") >= since}
        assert await client.active_keys("calls", datetime.now(UTC), "incremental") is None


async def test_one_record_is_read_by_its_id_and_by_nothing_else(sandbox: Sandbox) -> None:
    key = key_of(sandbox)
    person = people_of(sandbox, key)[0]
    async with fub(sandbox.fub_url, key) as client:
        record = await client.read_one("people", person)
        assert record is not None
        assert (record.source_id, record.problem) == (person, None)
        assert await client.read_one("people", "999999999") is None
        for nothing in ("undefined", "", "0", "-3", "../identity"):
            with pytest.raises(BadRequest):
                await client.read_one("people", nothing)


# --- faults -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "fault",
    [
        {"name": "storm_429", "retry_after": "seconds"},
        {"name": "storm_429", "retry_after": "date"},
        {"name": "storm_429", "retry_after": "none"},
        {"name": "error_5xx", "status": 500},
        {"name": "error_5xx", "status": 503},
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
    sandbox.faults.add({"path": "/people$", "skip": 1, "times": 2, **fault})
    async with fub(sandbox.fub_url, key) as client:
        pages = await pages_of(client.read("people", ReadRequest()))
    assert set(ids_of(pages)) == true_ids(sandbox, "fub", "people", key)
    assert pages[-1].complete


@pytest.mark.parametrize(
    ("fault", "kind"),
    [
        ({"name": "storm_429"}, RateLimited),
        ({"name": "error_5xx"}, SourceUnavailable),
        ({"name": "html_200"}, NotUnderstood),
        ({"name": "errors_200"}, NotUnderstood),
        ({"name": "null_body"}, NotUnderstood),
        ({"name": "truncated_body"}, SourceUnavailable),
        ({"name": "revoked_key"}, Unauthorized),
        ({"name": "expired_account"}, Unauthorized),
        ({"name": "forbidden_empty"}, Unauthorized),
        ({"name": "repeated_token", "path": "/people$"}, PagingBroken),
        ({"name": "empty_page", "path": "/people$"}, PagingBroken),
    ],
)
async def test_what_stays_ends_the_pass_with_its_own_error_and_never_with_a_last_page(
    sandbox: Sandbox, fault: dict[str, Any], kind: type[SourceError]
) -> None:
    sandbox.faults.add({"skip": 1, **fault})
    pages = []
    async with fub(sandbox.fub_url, key_of(sandbox)) as client:
        with pytest.raises(kind):
            async for page in client.read("people", ReadRequest()):
                pages.append(page)
    assert all(page.position is not None for page in pages)


async def test_an_empty_list_that_counts_records_is_not_taken_for_empty(sandbox: Sandbox) -> None:
    sandbox.faults.add({"name": "empty_page", "path": "/groups$"})
    async with fub(sandbox.fub_url, key_of(sandbox)) as client:
        with pytest.raises(PagingBroken, match="empty page"):
            await pages_of(client.read("groups", ReadRequest()))


@pytest.mark.parametrize("fault", [{"kind": "date"}, {"kind": "missing_id"}, {"kind": "type"}])
async def test_a_broken_record_never_stops_the_page(sandbox: Sandbox, fault: dict[str, Any]) -> None:
    key = key_of(sandbox)
    sandbox.faults.add({"name": "invalid_record", "path": "/people$", "times": 1, **fault})
    async with fub(sandbox.fub_url, key) as client:
        pages = await pages_of(client.read("people", ReadRequest()))
    broken = [r for r in records_of(pages) if r.problem]
    assert len(broken) == 1
    assert len(records_of(pages)) == len(true_ids(sandbox, "fub", "people", key))


@pytest.mark.parametrize("kind", ["nul", "surrogate"])
async def test_a_name_that_postgres_cannot_take_costs_the_record_nothing_else(sandbox: Sandbox, kind: str) -> None:
    sandbox.faults.add({"name": "invalid_record", "path": "/people$", "times": 1, "kind": kind})
    async with fub(sandbox.fub_url, key_of(sandbox)) as client:
        read = records_of(await pages_of(client.read("people", ReadRequest())))
    assert not [r for r in read if r.problem]
    [warned] = [{(w.code, w.field) for w in r.warnings} for r in read if r.warnings]
    assert ("unstorable", "name") in warned


async def test_a_wrong_key_is_unauthorized_and_the_error_does_not_show_it(sandbox: Sandbox) -> None:
    async with fub(sandbox.fub_url, "fka_stolen_0123456789") as client:
        with pytest.raises(Unauthorized) as caught:
            await client.identity()
    assert "stolen" not in f"{caught.value!r} {caught.value.as_dict()}"


async def test_offsets_stay_below_the_wall(sandbox: Sandbox) -> None:
    sandbox.faults.add({"name": "ignored_filter"})
    async with fub(sandbox.fub_url, key_of(sandbox)) as client:
        await pages_of(client.read("calls", ReadRequest(since=datetime(2000, 1, 1, tzinfo=UTC))))
    assert sandbox.requests.total("/calls", status=400) == 0


async def test_the_priority_of_a_request_reaches_the_budget(sandbox: Sandbox) -> None:
    client = fub(sandbox.fub_url, key_of(sandbox))
    async with client:
        request = ReadRequest(priority="backfill", since=datetime.now(UTC) + timedelta(hours=1))
        await pages_of(client.read("people", request))
        await pages_of(client.read("people", replace(request, since=None)))
    taken = client._calls._http._budget.taken  # type: ignore[attr-defined]
    assert {priority for _, priority in taken} == {"backfill"}
