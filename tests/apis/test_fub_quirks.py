"""The Follow Up Boss client against answers that its users have reported, and that the sandbox does not give."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import orjson
import pytest

from resources.errors import BadRequest, Forbidden, NotUnderstood, PagingBroken, SourceError, Unauthorized
from resources.reading import ReadRequest
from tests.apis.clients import envelope, fub, ids_of, pages_of, records_of
from tests.http.loopback import Asked, Reply, json_reply, loopback

START = datetime(2031, 2, 3, 10, 0, tzinfo=UTC)


def stage(number: int) -> dict[str, Any]:
    return {"id": number, "name": f"Stage {number}"}


def call(number: int, minutes: int | None = None) -> dict[str, Any]:
    stamp = START + timedelta(minutes=number if minutes is None else minutes)
    return {"id": number, "personId": 1, "updated": f"{stamp:%Y-%m-%dT%H:%M:%SZ}"}


def a_list(
    collection: str,
    rows: list[dict[str, Any]],
    *,
    total: Callable[[int], Any] | None = None,
    most: int = 100,
    wall: int | None = None,
    filters: tuple[str, ...] = (),
    sorts: bool = True,
) -> Callable[[Asked], Reply]:
    """A list without tokens: newest id first, by offset, with the filters named."""

    def answer(asked: Asked) -> Reply:
        query, found = asked.query, sorted(rows, key=lambda r: -r["id"])
        if "idLessThan" in filters and "idLessThan" in query:
            found = [r for r in found if r["id"] < int(query["idLessThan"])]
        if "updatedAfter" in filters and "updatedAfter" in query:
            found = [r for r in found if r["updated"] >= query["updatedAfter"]]
        if query.get("sort") == "-updated" and sorts:
            found = sorted(found, key=lambda r: r["updated"], reverse=True)
        offset, limit = int(query.get("offset", 0)), min(int(query["limit"]), most)
        if wall is not None and offset >= wall:
            return json_reply({"errorMessage": "Deep pagination is disabled; use nextLink."}, 400)
        document = envelope(collection, found[offset : offset + limit], total=total(len(found)) if total else None)
        document["_metadata"]["limit"] = limit
        return json_reply(document)

    return answer


async def stages(handler: Callable[[Asked], Reply], position: Any = None) -> tuple[list[Any], list[Asked]]:
    async with loopback(handler) as server, fub(server.url) as client:
        pages = await pages_of(client.read("stages", ReadRequest(position=position)))
    return pages, server.asked


@pytest.mark.parametrize("number", [0, 1, 99, 100, 101, 200, 250])
@pytest.mark.parametrize("total", [None, int, str, lambda n: 0], ids=["none", "number", "text", "zero"])
async def test_a_list_without_tokens_is_read_to_its_end_whatever_its_total_says(number: int, total: Any) -> None:
    pages, _ = await stages(a_list("stages", [stage(n + 1) for n in range(number)], total=total))
    assert len(set(ids_of(pages))) == len(ids_of(pages)) == number
    assert pages[-1].complete


async def test_a_server_that_gives_smaller_pages_than_asked_is_followed() -> None:
    pages, _ = await stages(a_list("stages", [stage(n + 1) for n in range(130)], most=50))
    assert len(set(ids_of(pages))) == 130


async def test_beyond_the_reach_of_offsets_a_list_goes_on_by_id() -> None:
    rows = [stage(n + 1) for n in range(2350)]
    pages, asked = await stages(a_list("stages", rows, total=int, wall=2000, filters=("idLessThan",)))
    assert len(set(ids_of(pages))) == len(ids_of(pages)) == 2350
    assert pages[-1].complete
    assert max(int(a.query.get("offset", 0)) for a in asked) == 1900


async def test_a_list_that_cannot_be_read_to_its_end_is_broken_and_not_cut() -> None:
    rows = [stage(n + 1) for n in range(2350)]
    with pytest.raises(PagingBroken, match="more than its tokens and offsets reach"):
        await stages(a_list("stages", rows, total=int, wall=2000))


async def test_a_server_that_ignores_offsets_is_broken_and_not_endless() -> None:
    page = envelope("stages", [stage(n + 1) for n in range(100)], total=300)
    with pytest.raises(PagingBroken, match="given before"):
        await stages(lambda asked: json_reply(page))


async def test_a_count_that_was_not_met_makes_the_pass_incomplete() -> None:
    pages, _ = await stages(a_list("stages", [stage(1), stage(2)], total=lambda n: n + 1))
    assert ids_of(pages) == ["2", "1"]
    assert not pages[-1].complete


@pytest.mark.parametrize("name", ["stages", "Stages", "STAGES"])
async def test_the_lists_name_is_read_in_any_case(name: str) -> None:
    pages, _ = await stages(lambda asked: json_reply({"_metadata": {"collection": "stages"}, name: [stage(1)]}))
    assert ids_of(pages) == ["1"]


@pytest.mark.parametrize(
    "document", [{"_metadata": {}}, {"_metadata": {"collection": "stages"}}, {"rows": []}, [], "ok", {"stages": None}]
)
async def test_an_answer_without_the_list_is_not_understood(document: Any) -> None:
    with pytest.raises(NotUnderstood):
        await stages(lambda asked: json_reply(document))


async def test_a_link_to_another_host_is_never_asked() -> None:
    async with loopback(lambda asked: json_reply(envelope("stages", []))) as thief:

        def answer(asked: Asked) -> Reply:
            last = "next" in asked.query
            document = envelope("stages", [stage(1 if last else 2)], total=2, token=None if last else "t1")
            document["_metadata"]["nextLink"] = f"{thief.url}/stages?next=t1"
            return json_reply(document)

        pages, asked = await stages(answer)
    assert ids_of(pages) == ["2", "1"]
    assert thief.asked == []
    assert [a.query.get("next") for a in asked] == [None, "t1"]


def by_token(refuses: str, *, below: bool) -> Callable[[Asked], Reply]:
    """Five pages of one record by token; one token is refused; going on by id is possible or not."""

    def answer(asked: Asked) -> Reply:
        query = asked.query
        if query.get("next") == refuses:
            return json_reply({"errorMessage": "Invalid next token."}, 400)
        upto = int(query["next"].removeprefix("t")) if "next" in query else 5
        if below and "idLessThan" in query:
            upto = min(upto, int(query["idLessThan"]) - 1)
        rows = [stage(upto)] if upto > 0 else []
        return json_reply(envelope("stages", rows, total=max(upto, 0), token=f"t{upto - 1}" if upto > 1 else None))

    return answer


async def test_a_stored_token_that_is_refused_is_replaced_by_the_last_id() -> None:
    position = {"way": "whole", "next": "t2", "last_id": 3, "met": 3, "total": 5}
    pages, asked = await stages(by_token("t2", below=True), position)
    assert ids_of(pages) == ["2", "1"]
    assert pages[-1].complete
    assert {"idLessThan": "3", "limit": "100"} in [a.query for a in asked]


async def test_a_token_refused_in_the_middle_of_a_pass_is_replaced_as_well() -> None:
    pages, _ = await stages(by_token("t2", below=True))
    assert ids_of(pages) == ["5", "4", "3", "2", "1"]
    assert pages[-1].complete


async def test_without_a_filter_by_id_a_refused_stored_token_starts_the_pass_again() -> None:
    position = {"way": "whole", "next": "t9", "last_id": 3, "met": 3, "total": 5}
    pages, _ = await stages(by_token("t9", below=False), position)
    assert ids_of(pages) == ["5", "4", "3", "2", "1"]
    assert pages[-1].complete


async def test_without_a_filter_by_id_a_token_refused_on_the_way_ends_the_pass() -> None:
    with pytest.raises(BadRequest):
        await stages(by_token("t2", below=False))


# --- filters ----------------------------------------------------------------------------------------------------------


async def changed(handler: Callable[[Asked], Reply], since: datetime) -> tuple[list[Any], list[Asked]]:
    async with loopback(handler) as server, fub(server.url) as client:
        pages = await pages_of(client.read("calls", ReadRequest(since=since)))
    return pages, server.asked


async def test_a_filter_that_always_answers_nothing_is_not_believed() -> None:
    rows = [call(n) for n in range(1, 31)]

    def answer(asked: Asked) -> Reply:
        if "updatedAfter" in asked.query:
            return json_reply(envelope("calls", [], total=0))
        return a_list("calls", rows, total=int)(asked)

    pages, _ = await changed(answer, START + timedelta(minutes=28))
    assert {"28", "29", "30"} <= set(ids_of(pages))


async def test_without_a_filter_the_newest_changes_are_read_until_a_page_is_old() -> None:
    rows = [call(n, minutes=(n * 7) % 1000) for n in range(1, 1000)]
    since = START + timedelta(minutes=850)
    pages, asked = await changed(a_list("calls", rows, total=int), since)
    wanted = {str(r["id"]) for r in rows if r["updated"] >= f"{since:%Y-%m-%dT%H:%M:%SZ}"}
    assert wanted <= set(ids_of(pages))
    assert len(ids_of(pages)) < 400
    assert len([a for a in asked if a.query.get("sort") == "-updated"]) <= 3


async def test_a_server_that_does_not_sort_as_asked_is_read_whole() -> None:
    rows = [call(n, minutes=(n * 7) % 1000) for n in range(1, 301)]
    pages, _ = await changed(a_list("calls", rows, total=int, sorts=False), START + timedelta(minutes=990))
    assert len(set(ids_of(pages))) == 300


async def test_more_changes_than_offsets_reach_are_read_whole() -> None:
    rows = [call(n) for n in range(1, 2301)]
    pages, _ = await changed(a_list("calls", rows, total=int, wall=2000, filters=("idLessThan",)), START)
    assert len(set(ids_of(pages))) == 2300


async def test_an_account_without_records_is_simply_empty() -> None:
    pages, _ = await changed(a_list("calls", [], total=int), START)
    assert (ids_of(pages), pages[-1].position) == ([], None)


# --- texts and access -------------------------------------------------------------------------------------------------


def texts(asked: Asked) -> Reply:
    person = asked.query.get("personId", "0")
    if asked.path == "/identity":
        return json_reply({"account": {"id": 1}, "user": {"id": 2}})
    if person == "3":
        return json_reply({"errorMessage": "not yours"}, 403)
    if person == "4":
        return json_reply({"errorMessage": "gone"}, 404)
    return json_reply(envelope("textmessages", [{"id": int(person) * 10, "personId": int(person)}], total=1))


async def test_a_contact_whose_texts_are_refused_is_said_and_does_not_stop_the_others() -> None:
    async with loopback(texts) as server, fub(server.url) as client:
        pages = await pages_of(client.read("text_messages", ReadRequest(keys=("5", "4", "3", "2"))))
    assert set(ids_of(pages)) == {"50", "20", "refused:3"}
    (problem,) = [r.problem for r in records_of(pages) if r.problem]
    assert problem.reason == "not_visible_to_key"


async def test_a_key_that_may_see_nobodys_texts_is_forbidden() -> None:
    async with loopback(texts) as server, fub(server.url) as client:
        with pytest.raises(Forbidden):
            await pages_of(client.read("text_messages", ReadRequest(keys=("3",))))


async def test_a_fan_out_over_nobody_is_one_empty_last_page() -> None:
    async with loopback(texts) as server, fub(server.url) as client:
        (page,) = await pages_of(client.read("text_messages", ReadRequest()))
    assert (page.records, page.position, server.asked) == ((), None, [])


@pytest.mark.parametrize(("identity", "kind"), [(200, Forbidden), (401, Unauthorized), (403, Unauthorized)])
async def test_a_403_is_told_apart_by_the_sources_own_probe(identity: int, kind: type[Exception]) -> None:
    def answer(asked: Asked) -> Reply:
        if asked.path == "/identity":
            return json_reply({"account": {"id": 1}, "user": {"id": 2}}, identity)
        return json_reply({"errorMessage": "no access"}, 403)

    with pytest.raises(kind) as caught:
        await stages(answer)
    assert type(caught.value) is kind


@pytest.mark.parametrize(
    "document", [{}, {"account": {"id": 1}}, {"account": {}, "user": {"id": 2}}, {"account": 1, "user": 2}, []]
)
async def test_an_identity_without_account_or_user_is_not_understood(document: Any) -> None:
    async with loopback(lambda asked: json_reply(document)) as server, fub(server.url) as client:
        with pytest.raises(NotUnderstood):
            await client.identity()


async def test_a_single_read_that_answers_with_another_record_is_not_understood() -> None:
    async with loopback(lambda asked: json_reply({"id": 8})) as server, fub(server.url) as client:
        with pytest.raises(NotUnderstood, match="another record"):
            await client.read_one("people", "7")


@pytest.mark.parametrize("registered", [True, False])
async def test_every_call_takes_from_the_sources_and_the_accounts_budget(registered: bool) -> None:
    client = fub("http://127.0.0.1:1", system_key="sandbox-system-key" if registered else None)
    from resources.apis.fub import endpoints as api

    (system, account) = client._calls._limits(api.LISTS["people"].endpoint)
    (_, events) = client._calls._limits(api.LISTS["events"].endpoint)
    assert (account.calls, events.calls) == ((250, 20) if registered else (125, 10))
    assert system.ours
    assert len({system.key, account.key, events.key}) == 3
    await client.__aexit__()


# --- one bad neighbour, and answers that contradict themselves --------------------------------------------------------


@pytest.mark.parametrize("total", [None, int], ids=["without a count", "with one"])
async def test_newest_first_in_smaller_pages_than_asked_misses_nothing(total: Any) -> None:
    rows = [call(n, minutes=(n * 7919) % 300 + 1) for n in range(1, 301)]
    since = START + timedelta(minutes=100)
    pages, asked = await changed(a_list("calls", rows, total=total, most=50), since)
    wanted = {str(r["id"]) for r in rows if r["updated"] >= f"{since:%Y-%m-%dT%H:%M:%SZ}"}
    assert wanted <= set(ids_of(pages))
    assert any("sort" in a.query for a in asked)


async def test_newest_first_one_stamp_of_long_ago_does_not_end_the_pass() -> None:
    rows = [call(n, minutes=1000 - n) for n in range(1, 301)]
    rows[99]["updated"] = "1975-01-01T00:00:00Z"
    pages, _ = await changed(a_list("calls", rows, total=int), START + timedelta(minutes=750))
    assert {str(n) for n in range(1, 251)} <= set(ids_of(pages))


async def test_smaller_pages_than_asked_are_followed_without_a_word_about_their_size() -> None:
    answer = a_list("stages", [stage(n + 1) for n in range(130)], most=50)

    def silent(asked: Asked) -> Reply:
        document = orjson.loads(answer(asked).body)
        del document["_metadata"]["limit"]
        return json_reply(document)

    pages, _ = await stages(silent)
    assert len(set(ids_of(pages))) == 130


async def test_a_later_page_that_is_empty_and_counts_nothing_does_not_complete_the_pass() -> None:
    def answer(asked: Asked) -> Reply:
        if "next" in asked.query:
            return json_reply(envelope("stages", [], total=0))
        return json_reply(envelope("stages", [stage(n) for n in range(200, 100, -1)], total=120, token="t2"))

    pages, _ = await stages(answer)
    assert len(ids_of(pages)) == 100
    assert not pages[-1].complete


@pytest.mark.parametrize("token", [{"a": 1}, ["t"], "a\x00b", "a\ud83d", 1.5, True, "t" * 5000])
async def test_a_page_token_that_is_none_is_broken_and_never_the_end(token: Any) -> None:
    body = json.dumps(envelope("stages", [stage(1)], total=1, token=token)).encode()
    if token is True:  # a token all the same: the second page repeats it
        with pytest.raises(PagingBroken):
            await stages(lambda asked: Reply(body))
        return
    with pytest.raises(PagingBroken, match="token that is none"):
        await stages(lambda asked: Reply(body))


@pytest.mark.parametrize("total", ["9" * 5000, 10**40, -1, 1.5, True, [], {}, "many"])
async def test_a_total_that_counts_nothing_is_no_total(total: Any) -> None:
    pages, _ = await stages(lambda asked: json_reply(envelope("stages", [stage(1)] * ("offset" not in asked.query))))
    odd, _ = await stages(lambda asked: Reply(json.dumps(envelope("stages", [stage(1)], total=total)).encode()))
    assert (ids_of(odd), odd[-1].total, odd[-1].complete) == (ids_of(pages), None, True)


@pytest.mark.parametrize("since", [None, START])
async def test_texts_that_are_refused_make_the_pass_incomplete_also_after_a_dead_run(since: Any) -> None:
    keys = ("3", *(str(n) for n in range(5, 60)))
    request = ReadRequest(keys=keys, since=since)
    async with loopback(texts) as server, fub(server.url) as client:
        pages = await pages_of(client.read("text_messages", request))
        rest = await pages_of(client.read("text_messages", replace(request, position=pages[0].position)))
    assert not pages[-1].complete
    assert not rest[-1].complete
    assert "refused:3" in ids_of(pages)


async def test_a_few_contacts_that_are_refused_do_not_fail_a_pass_over_those_with_activity() -> None:
    request = ReadRequest(keys=("3",), since=START)
    async with loopback(texts) as server, fub(server.url) as client:
        pages = await pages_of(client.read("text_messages", request))
    assert ids_of(pages) == ["refused:3"]


async def test_the_last_group_of_contacts_may_be_refused_as_a_whole() -> None:
    keys = (*(str(n) for n in range(5, 45)), "3")
    async with loopback(texts) as server, fub(server.url) as client:
        pages = await pages_of(client.read("text_messages", ReadRequest(keys=keys)))
    assert len(ids_of(pages)) == 41
    assert not pages[-1].complete


async def test_texts_in_smaller_pages_than_asked_are_all_read() -> None:
    rows = [{"id": n, "personId": 1} for n in range(130, 0, -1)]

    def answer(asked: Asked) -> Reply:
        offset = int(asked.query.get("offset", 0))
        return json_reply(envelope("textmessages", rows[offset : offset + 50]))

    async with loopback(answer) as server, fub(server.url) as client:
        pages = await pages_of(client.read("text_messages", ReadRequest(keys=("1",))))
    assert len(set(ids_of(pages))) == 130


def people(refused: Reply) -> Callable[[Asked], Reply]:
    """A list by ids that knows 1 and 2; 3 is answered so, 4 is not there, alone as in the list."""

    def answer(asked: Asked) -> Reply:
        if asked.path == "/identity":
            return json_reply({"account": {"id": 77}, "user": {"id": 1}})
        if asked.path == "/people":
            return json_reply(envelope("people", [{"id": 1}, {"id": 2}], total=2))
        return refused if asked.path == "/people/3" else json_reply({"errorMessage": "no"}, 404)

    return answer


ODD = [json_reply({"errorMessage": "no"}, 403), Reply(b"<html>"), json_reply({"id": 9}), Reply(b"", 500)]


@pytest.mark.parametrize("refused", ODD, ids=["403", "HTML", "another record", "500"])
async def test_one_record_that_cannot_be_read_does_not_keep_its_neighbours_from_it(refused: Reply) -> None:
    async with loopback(people(refused)) as server, fub(server.url) as client:
        found = await client.read_some("people", ["1", "2", "3", "4"])
    assert {i: r and r.source_id for i, r in found.items()} == {"1": "1", "2": "2", "4": None}


@pytest.mark.parametrize("refused", ODD[1:], ids=["HTML", "another record", "500"])
async def test_when_nothing_can_be_read_the_error_is_the_sources(refused: Reply) -> None:
    async with loopback(people(refused)) as server, fub(server.url) as client:
        with pytest.raises(SourceError):
            await client.read_some("people", ["3"])


async def test_texts_of_another_contact_than_was_asked_for_prove_nothing_about_this_one() -> None:
    def answer(asked: Asked) -> Reply:
        return json_reply(envelope("textmessages", [{"id": 1, "personId": 9}]))

    async with loopback(answer) as server, fub(server.url) as client:
        pages = await pages_of(client.read("text_messages", ReadRequest(keys=("9", "5"))))
    assert set(ids_of(pages)) == {"1"}
    assert not pages[-1].complete
