"""The reZEN client against shapes and answers that its users have reported, and that the sandbox does not give."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import pytest

from resources.apis.rezen.deals import _counts_of
from resources.apis.rezen.people import roster_agent
from resources.errors import NotFound, NotUnderstood, SourceError
from resources.reading import Page, ReadRequest
from tests.apis.clients import ids_of, pages_of, records_of, rezen
from tests.http.loopback import Asked, Handler, Reply, json_reply, loopback

STAMP = 1_757_700_000_000


def deal(name: str, **more: Any) -> dict[str, Any]:
    return {"id": name, "listing": False, "updatedAt": STAMP, **more}


def deals(
    groups: dict[str, list[dict[str, Any]]],
    *,
    page: Callable[[list[Any], int, int], Any] | None = None,
    counts: Any = None,
    details: dict[str, Reply] | None = None,
) -> Handler:
    """An agent's deals by group; `page` makes an answer of (rows, page number, rows left)."""

    def answer(asked: Asked) -> Reply:
        parts = asked.path.strip("/").split("/")
        if parts[-1] == "lifecycle-group-counts":
            if isinstance(counts, Reply):
                return counts
            return json_reply({g: len(rows) for g, rows in groups.items()} if counts is None else counts)
        if "participant" in parts:
            rows, number, size = groups.get(parts[-1], []), int(asked.query["pageNumber"]), 2
            some, left = rows[number * size : (number + 1) * size], max(0, len(rows) - (number + 1) * size)
            if page:
                return json_reply(page(some, number, left))
            return json_reply({"transactions": some, "hasNext": left > 0, "totalCount": len(rows)})
        if details and parts[-1] in details:
            return details[parts[-1]]
        every = {row.get("id"): row for rows in groups.values() for row in rows if isinstance(row, dict)}
        return json_reply(every[parts[-1]]) if parts[-1] in every else json_reply({"message": "no"}, 404)

    return answer


async def read(handler: Handler, entity: str = "transactions", **more: Any) -> tuple[list[Page], list[Asked]]:
    async with loopback(handler) as server, rezen(server.url, agent="me") as client:
        pages = await pages_of(client.read(entity, ReadRequest(**more)))
    return pages, server.asked


FIVE = {"OPEN": [deal("a"), deal("b"), deal("c")], "CLOSED": [deal("d")], "TERMINATED": [deal("e")]}


@pytest.mark.parametrize(
    "page",
    [
        lambda rows, number, left: {"transactions": rows},
        lambda rows, number, left: {"transactions": rows, "hasNext": None},
        lambda rows, number, left: {"transactions": rows, "hasNext": True},
        lambda rows, number, left: {"transactions": rows, "totalCount": left + len(rows) + number * 2},
        lambda rows, number, left: {"transactions": rows or FIVE["OPEN"][:2], "hasNext": True} if number else
        {"transactions": rows, "hasNext": True},
        lambda rows, number, left: rows,
    ],
    ids=["nothing said", "null", "true for ever", "only a count", "the first page again", "a bare list"],
)  # fmt: skip
async def test_a_group_ends_whatever_the_envelope_says_of_it(page: Any) -> None:
    groups = {**FIVE, "CLOSED": [], "TERMINATED": []}
    pages, asked = await read(deals(groups, page=page))
    assert sorted(set(ids_of(pages))) == ["a", "b", "c"]
    assert len(asked) < 20


async def test_a_deal_in_two_groups_is_emitted_once() -> None:
    groups = {**FIVE, "CLOSED": [deal("a"), deal("d")]}
    pages, _ = await read(deals(groups))
    assert sorted(ids_of(pages)) == ["a", "b", "c", "d", "e"]
    assert pages[-1].complete


async def test_a_listing_among_the_deals_is_left_to_the_other_stream() -> None:
    groups = {**FIVE, "OPEN": [deal("a"), deal("l", listing=True)]}
    pages, _ = await read(deals(groups))
    assert sorted(ids_of(pages)) == ["a", "d", "e"]
    assert pages[-1].complete  # it is one of those that were counted
    pages, _ = await read(deals(groups), "listings")
    assert ids_of(pages) == ["l"]


async def test_a_thin_row_that_does_not_say_what_it_is_is_told_by_its_detail() -> None:
    thin = {**FIVE, "OPEN": [{"id": "a"}, {"id": "l"}]}
    details = {"a": json_reply(deal("a")), "l": json_reply(deal("l", listing=True))}
    pages, _ = await read(deals(thin, details=details))
    assert sorted(ids_of(pages)) == ["a", "d", "e"]


@pytest.mark.parametrize("row", [{"code": "no id"}, {"id": None}, {"id": 7}, "text", None])
async def test_a_row_of_a_list_that_cannot_be_read_is_a_record_with_a_problem(row: Any) -> None:
    pages, _ = await read(deals({**FIVE, "OPEN": [deal("a"), row]}))
    (broken,) = [r for r in records_of(pages) if r.problem]
    assert broken.source_id.startswith("unidentified:")
    assert {"a", "d", "e"} < set(ids_of(pages))


@pytest.mark.parametrize(
    "detail",
    [json_reply({"id": "other"}), json_reply({"code": "x"}), json_reply([1]), json_reply({"message": "no"}, 404)],
)
async def test_a_detail_that_is_not_the_deal_asked_for_is_a_problem_of_that_deal_alone(detail: Reply) -> None:
    pages, _ = await read(deals(FIVE, details={"b": detail}))
    assert sorted(ids_of(pages)) == ["a", "b", "c", "d", "e"]
    (broken,) = [r for r in records_of(pages) if r.problem]
    assert broken.source_id == "b"


@pytest.mark.parametrize(
    ("counts", "complete"),
    [
        ({"OPEN": 3, "CLOSED": 1, "TERMINATED": 1}, True),
        ({"OPEN": 4, "CLOSED": 1, "TERMINATED": 1}, False),
        ({"OPEN": 2, "CLOSED": 1, "TERMINATED": 1}, False),
        ({"counts": {"OPEN": 3, "CLOSED": 2}}, False),
        ([{"lifecycleGroup": "OPEN", "count": 3}, {"lifecycleGroup": "CLOSED", "count": 1}], True),
        ({"something": "else"}, True),  # nothing is concluded from it; the lists' own counts agreed
        (Reply(b"{}", 404), True),
    ],
)
async def test_the_sources_counts_say_whether_a_pass_is_complete(counts: Any, complete: bool) -> None:
    pages, _ = await read(deals(FIVE, counts=counts))
    assert pages[-1].complete is complete


async def test_no_content_is_an_empty_group() -> None:
    def answer(asked: Asked) -> Reply:
        return json_reply({}) if asked.path.endswith("counts") else Reply(b"", 204)

    pages, _ = await read(answer)
    assert (ids_of(pages), pages[-1].position) == ([], None)


@pytest.mark.parametrize(
    ("document", "counts"),
    [
        ({"OPEN": 1, "CLOSED": 2, "TERMINATED": 0}, {"OPEN": 1, "CLOSED": 2, "TERMINATED": 0}),
        ({"OPEN": 1, "LISTING_ACTIVE": 5}, {"OPEN": 1}),
        ({"lifecycleGroupCounts": [{"group": "OPEN", "count": 1}]}, {"OPEN": 1}),
        ([{"name": "OPEN", "count": 1}, {"name": "OTHER", "count": 9}], {"OPEN": 1}),
        ({}, None), ([], None), ("x", None), ({"OPEN": "1"}, None), ({"OPEN": True}, None),
    ],
)  # fmt: skip
def test_counts_are_read_in_every_known_shape_and_in_no_other(document: Any, counts: Any) -> None:
    assert _counts_of(document) == counts


@pytest.mark.parametrize(
    ("row", "agent"),
    [
        ({"id": "row", "agent": {"id": "a"}}, "a"),
        ({"id": "row", "agent": {"yentaId": "a"}}, "a"),
        ({"id": "row", "yentaId": "a"}, "a"),
        ({"id": "row", "agentId": "a"}, "a"),
        ({"id": "a", "firstName": "Ines", "roles": ["MEMBER"]}, "a"),
        ({"id": "inv", "invitationStatus": "EMAILED"}, None),
        ({"id": "inv", "agent": None, "invitationStatus": "EMAILED"}, None),
        ({"id": "row", "agent": None}, None),
        ({"id": "row", "agent": {}}, None),
        ({"id": "a", "invitationStatus": "ACCEPTED"}, "a"),
        ("x", None),
    ],
)
def test_the_agent_of_a_roster_row_is_never_the_row_itself(row: Any, agent: str | None) -> None:
    assert roster_agent(row) == agent


async def test_invitations_without_an_agent_are_skipped_and_seats_without_one_are_said() -> None:
    rows = [
        {"id": "r1", "agent": {"id": "a"}, "roles": ["LEADER"]},
        {"id": "r2", "agent": None, "invitationStatus": "EMAILED"},
        {"id": "r3", "agent": None, "roles": ["MEMBER"]},
    ]
    pages, _ = await read(lambda asked: json_reply({"id": "t", "agents": rows}), "team_members", keys=("t",))
    records = records_of(pages)
    assert records[0].source_id == "t:a"
    assert [r.problem is not None for r in records] == [False, True]


async def test_an_old_roster_key_left_behind_empty_does_not_hide_the_new_one() -> None:
    document = {"id": "t", "agents": [], "teamMembers": [{"id": "r1", "agent": {"id": "a"}}]}
    pages, _ = await read(lambda asked: json_reply(document), "team_members", keys=("t",))
    assert ids_of(pages) == ["t:a"]


async def test_a_team_that_is_gone_is_said_and_its_members_are_not_taken_for_gone() -> None:
    def answer(asked: Asked) -> Reply:
        if asked.path.endswith("/gone"):
            return json_reply({"message": "no"}, 404)
        return json_reply({"id": "t", "agents": [{"id": "r1", "agent": {"id": "a"}}]})

    pages, _ = await read(answer, "team_members", keys=("gone", "t"))
    assert ids_of(pages) == ["refused:gone", "t:a"]
    assert not pages[-1].complete
    rest, _ = await read(answer, "team_members", keys=("gone", "t"), position=pages[0].position)
    assert ids_of(rest) == ["t:a"]
    assert not rest[-1].complete


async def test_an_agent_without_a_cap_is_no_error() -> None:
    pages, _ = await read(lambda asked: json_reply({"message": "no cap"}, 404), "cap_data", keys=("a",))
    assert (ids_of(pages), pages[-1].complete) == ([], True)


@pytest.mark.parametrize(
    "cap", [{"brokerageCapAmount": 12000.0}, {"brokerageCapAmount": {"amount": 1}}, {"agentId": "a", "cap": {}}]
)
async def test_a_cap_is_kept_in_whatever_shape_it_comes(cap: dict[str, Any]) -> None:
    pages, _ = await read(lambda asked: json_reply(cap), "cap_data", keys=("a",))
    (record,) = records_of(pages)
    assert (record.source_id, record.problem) == ("a", None)
    assert record.payload == {**cap, "_v2": {"agent_id": "a"}}


async def test_two_sponsors_on_one_level_are_two_records() -> None:
    sponsors = [{"id": "s1", "level": 1}, {"id": "s2", "level": 1}]
    pages, _ = await read(lambda asked: json_reply({"flattenedSponsors": sponsors}), "sponsor_tree", keys=("a",))
    assert ids_of(pages) == ["a:s1", "a:s2"]


@pytest.mark.parametrize("document", [{}, {"id": None}, {"id": 7}, []])
async def test_an_identity_without_an_id_is_not_understood(document: Any) -> None:
    async with loopback(lambda asked: json_reply(document)) as server, rezen(server.url) as client:
        with pytest.raises(NotUnderstood):
            await client.identity()


async def test_a_wrapped_error_says_its_own_words() -> None:
    wrapped = {"com.real.commons.apierror.ApiError": {"status": "NOT_FOUND", "message": "No agent with that id"}}
    async with loopback(lambda asked: json_reply(wrapped, 404)) as server, rezen(server.url) as client:
        with pytest.raises(NotFound, match="No agent with that id"):
            await client.identity()


# --- what is read again, and one bad neighbour ------------------------------------------------------------------------

KNOWN = dict.fromkeys("abcde", datetime.fromtimestamp(STAMP / 1000, UTC))


async def test_a_deal_whose_stamp_did_not_move_is_read_again_when_it_is_its_turn() -> None:
    pages, _ = await read(deals(FIVE), known=KNOWN, again=frozenset("bd"))
    assert sorted(ids_of(pages)) == ["b", "d"]
    assert {i for page in pages for i in page.seen} == set("ace")


async def test_also_one_that_is_older_than_the_pass_asks_for() -> None:
    since = datetime.fromtimestamp(STAMP / 1000 + 3600, UTC)
    pages, _ = await read(deals(FIVE), known=KNOWN, since=since, again=frozenset("b"))
    assert ids_of(pages) == ["b"]


ODD = [Reply(b"<html>"), Reply(b"null"), Reply(b"", 500), json_reply({"message": "no"}, 400)]


@pytest.mark.parametrize("odd", ODD, ids=["HTML", "null", "500", "400"])
async def test_one_deal_that_the_source_stumbles_over_does_not_stop_the_others(odd: Reply) -> None:
    pages, _ = await read(deals(FIVE, details={"b": odd}))
    assert sorted(ids_of(pages)) == ["a", "b", "c", "d", "e"]
    (broken,) = [r for r in records_of(pages) if r.problem]
    assert broken.source_id == "b"
    pages, _ = await read(deals(FIVE, details={"b": odd}), known=KNOWN, again=frozenset(KNOWN))
    assert sorted(ids_of(pages)) == ["a", "c", "d", "e"]
    assert "b" in {i for page in pages for i in page.seen}


@pytest.mark.parametrize("odd", ODD, ids=["HTML", "null", "500", "400"])
async def test_when_the_source_stumbles_over_most_of_them_it_is_its_own_trouble(odd: Reply) -> None:
    with pytest.raises(SourceError):
        await read(deals(FIVE, details={"a": odd, "b": odd}))


async def test_one_deal_that_is_forbidden_is_left_out_of_those_a_webhook_told_of() -> None:
    def answer(asked: Asked) -> Reply:
        if asked.path.endswith("/users/me"):
            return json_reply({"id": "me"})
        return json_reply({"message": "no"}, 403) if asked.path.endswith("/b") else deals(FIVE)(asked)

    async with loopback(answer) as server, rezen(server.url, agent="me") as client:
        found = await client.read_some("transactions", ["a", "b", "gone"])
    assert {i: r and r.source_id for i, r in found.items()} == {"a": "a", "gone": None}


@pytest.mark.parametrize("told", ["yes", 7, [True], {"a": 1}])
async def test_a_deal_that_says_oddly_whether_it_is_a_listing_is_lost_by_neither_stream(told: Any) -> None:
    groups = {**FIVE, "OPEN": [deal("a"), deal("x", listing=told)]}
    for entity in ("transactions", "listings"):
        pages, _ = await read(deals(groups), entity)
        assert "x" in ids_of(pages)


@pytest.mark.parametrize("told", ["true", "false", 1, 0])
async def test_a_listing_is_a_listing_however_the_truth_is_written(told: Any) -> None:
    groups = {**FIVE, "OPEN": [deal("x", listing=told)]}
    pages, _ = await read(deals(groups), "listings")
    assert ("x" in ids_of(pages)) is (told in ("true", 1))


async def test_an_invitation_of_an_unknown_kind_is_a_seat_without_an_agent() -> None:
    rows = [{"id": "r1", "agent": None, "invitationStatus": ["EMAILED"]}, {"id": "r2", "agent": {"id": "a"}}]
    pages, _ = await read(lambda asked: json_reply({"id": "t", "agents": rows}), "team_members", keys=("t",))
    assert [r.problem is not None for r in records_of(pages)] == [True, False]


def test_counts_inside_counts_have_an_end() -> None:
    document: Any = {"OPEN": 1}
    for _ in range(990):
        document = {"counts": document}
    assert _counts_of(document) is None
