"""The reZEN client's step lists: down-line and what it pays, on answers as they were seen, feared or guessed."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from resources.apis.rezen import endpoints as api
from resources.errors import Forbidden, NotFound, NotUnderstood, PagingBroken, Unauthorized
from resources.reading import Page, ReadRequest
from sandbox import Sandbox
from tests.apis.clients import ids_of, pages_of, records_of, rezen
from tests.http.loopback import Asked, Handler, Reply, json_reply, loopback

STATUSES = {"CANDIDATE", "ACTIVE", "INACTIVE", "REJECTED", "RESURRECTING"}
LISTS = ("network_downline", "contributions", "pending_contributions", "revshare_payments", "equity")


def members(number: int, tier: str = "") -> list[dict[str, Any]]:
    return [{"id": f"m{tier}-{n}", "status": "ACTIVE"} for n in range(number)]


def every_tier(number: int) -> Callable[[Asked], list[dict[str, Any]]]:
    """So many members in each tier, others in each."""
    return lambda asked: members(number, asked.path[-1])


def paged(
    of: Callable[[Asked], list[dict[str, Any]]],
    *,
    size: int = 2,
    shape: Callable[[list[dict[str, Any]], int, int], Any] | None = None,
) -> Handler:
    """Lists in pages of a size that is the server's own; `shape` makes an answer of (rows, rows in all, rows left)."""

    def answer(asked: Asked) -> Reply:
        rows, number = of(asked), int(asked.query["pageNumber"])
        some, left = rows[number * size : (number + 1) * size], max(0, len(rows) - (number + 1) * size)
        if shape:
            return json_reply(shape(some, len(rows), left))
        return json_reply({"downLineAgents": some, "hasNext": left > 0, "totalCount": len(rows)})

    return answer


def first_tier(number: int) -> Callable[[Asked], list[dict[str, Any]]]:
    return lambda asked: members(number) if asked.path.endswith("/1") else []


async def read(handler: Handler, entity: str = "network_downline", **more: Any) -> tuple[list[Page], list[Asked]]:
    async with loopback(handler) as server, rezen(server.url, agent="me") as client:
        pages = await pages_of(client.read(entity, ReadRequest(**more)))
    return pages, server.asked


async def test_every_tier_is_asked_for_every_status() -> None:
    pages, asked = await read(paged(every_tier(1)))
    assert [a.path.rsplit("/", 1)[-1] for a in asked if "down-line" in a.path] == ["1", "2", "3", "4", "5"]
    assert all(set(a.lists["statusIn"]) == STATUSES for a in asked if "down-line" in a.path)
    assert ids_of(pages) == [f"me:m{tier}-0:{tier}" for tier in range(1, 6)]
    assert pages[-1].complete


@pytest.mark.parametrize(
    "shape",
    [
        lambda rows, total, left: {"downLineAgents": rows, "hasNext": left > 0, "totalCount": total},
        lambda rows, total, left: {"downLineAgents": rows, "hasNext": left > 0},
        lambda rows, total, left: {"downLineAgents": rows},
        lambda rows, total, left: {"agents": rows, "totalCount": total},
        lambda rows, total, left: {"content": rows, "hasNext": True, "totalCount": total},
    ],
    ids=["usual", "no count", "neither", "no word of more", "more for ever"],
)
@pytest.mark.parametrize("number", [4, 5])
async def test_every_page_is_read_whatever_the_answer_says_of_itself(
    shape: Callable[[list[dict[str, Any]], int, int], Any], number: int
) -> None:
    pages, _ = await read(paged(every_tier(number), shape=shape))
    assert len(set(ids_of(pages))) == number * 5
    assert pages[-1].complete


@pytest.mark.parametrize(
    "shape",
    [
        lambda rows, total, left: {"downLineAgents": rows, "hasNext": left > 0, "totalCount": total + 1},
        lambda rows, total, left: {"downLineAgents": rows, "hasNext": False, "totalCount": total},
    ],
    ids=["counts one too many", "ends too early"],
)
async def test_a_pass_that_met_another_number_than_it_was_told_is_not_complete(
    shape: Callable[[list[dict[str, Any]], int, int], Any],
) -> None:
    pages, _ = await read(paged(every_tier(6), shape=shape))
    assert ids_of(pages)
    assert not pages[-1].complete


async def test_a_list_that_always_says_there_is_more_ends_and_is_not_complete() -> None:
    def answer(asked: Asked) -> Reply:
        return json_reply({"downLineAgents": members(2, asked.path[-1]), "hasNext": True})

    pages, _ = await read(answer)
    assert len(set(ids_of(pages))) == 10
    assert not pages[-1].complete


@pytest.mark.parametrize("claim", [{"totalCount": 3}, {"hasNext": True}])
async def test_an_empty_page_that_claims_more_is_an_error(claim: dict[str, Any]) -> None:
    with pytest.raises(PagingBroken, match="empty page"):
        await read(lambda asked: json_reply({"downLineAgents": [], **claim}))


@pytest.mark.parametrize("document", [{"agentsBelow": []}, {"downLineAgents": None}, {}, "sorry"])
@pytest.mark.parametrize("entity", LISTS)
async def test_a_list_under_no_known_name_is_an_error_and_not_an_empty_list(entity: str, document: Any) -> None:
    with pytest.raises(NotUnderstood):
        await read(lambda asked: json_reply(document), entity)


@pytest.mark.parametrize("entity", LISTS)
async def test_nothing_there_is_an_empty_list(entity: str) -> None:
    pages, _ = await read(lambda asked: Reply(b"", 204), entity)
    assert ids_of(pages) == []
    assert pages[-1].complete


async def test_from_every_stored_position_the_pass_goes_on_with_what_is_left() -> None:
    handler = paged(lambda asked: members(5 if asked.path.endswith(("1", "3")) else 1, asked.path[-1]))
    pages, _ = await read(handler)
    assert len(pages) == 3 + 1 + 3 + 1 + 1
    for number, page in enumerate(pages[:-1], 1):
        rest, _ = await read(handler, position=page.position)
        assert ids_of(rest) == ids_of(pages[number:])
        assert rest[-1].complete


async def test_a_count_that_disagreed_before_a_dead_run_is_not_forgotten() -> None:
    def shape(rows: list[dict[str, Any]], total: int, left: int) -> Any:
        return {"downLineAgents": rows, "hasNext": left > 0, "totalCount": total + (total == 5)}

    handler = paged(lambda asked: members(5 if asked.path.endswith("/1") else 1, asked.path[-1]), shape=shape)
    pages, _ = await read(handler)
    after = next(page.position for page in pages if page.position and page.position["step"] == 1)
    rest, _ = await read(handler, position=after)
    assert not rest[-1].complete


async def test_contributions_that_were_missed_are_asked_for_apart_and_marked() -> None:
    def of(asked: Asked) -> list[dict[str, Any]]:
        return [{"id": f"c-{asked.path[-1]}-{asked.query['missed']}"}]

    pages, _ = await read(
        paged(of, shape=lambda rows, total, left: {"contributions": rows, "hasNext": False}), "contributions"
    )
    told = {r.source_id: (r.payload["_v2"]["tier"], r.payload["_v2"]["missed"]) for r in records_of(pages)}
    assert told == {f"c-{t}-{m}".lower(): (t, m) for t in range(1, 6) for m in (True, False)}


async def test_a_payment_is_known_by_either_of_its_ids_and_one_without_is_invalid() -> None:
    rows = [{"id": "p-1", "outgoingPaymentId": "p-9"}, {"outgoingPaymentId": "p-2"}, {"amount": 5}]
    pages, _ = await read(lambda asked: json_reply({"payments": rows, "hasNext": False}), "revshare_payments")
    good = [r.source_id for r in records_of(pages) if not r.problem]
    assert good == ["p-1", "p-2"]
    assert len([r for r in records_of(pages) if r.problem]) == 1


async def test_somebody_who_stands_in_two_tiers_is_two_records() -> None:
    pages, _ = await read(paged(lambda a: [*members(1), *members(1, a.path[-1])] if a.path[-1] in "13" else []))
    assert ids_of(pages) == ["me:m-0:1", "me:m1-0:1", "me:m-0:3", "me:m3-0:3"]
    assert pages[-1].complete


# --- filters that are not heeded --------------------------------------------------------------------------------------


def earned(of: Callable[[str, str], list[str]]) -> Handler:
    """Contributions of a tier and of whether they were missed, by their ids."""
    return paged(
        lambda a: [{"id": i, "amount": 5} for i in of(a.path[-1], a.query["missed"])],
        size=5,
        shape=lambda rows, total, left: {"contributions": rows, "hasNext": left > 0, "totalCount": total},
    )


def flags(pages: list[Page]) -> dict[str, tuple[int, bool]]:
    """What staging keeps of each contribution: the last that was told."""
    return {r.source_id: (r.payload["_v2"]["tier"], r.payload["_v2"]["missed"]) for r in records_of(pages)}


MANY = [f"c{n}" for n in range(7)]


@pytest.mark.parametrize("number", [1, 2, 7])
async def test_a_server_that_heeds_no_filter_makes_no_contribution_missed_and_the_pass_incomplete(number: int) -> None:
    pages, _ = await read(earned(lambda tier, missed: MANY[:number]), "contributions")
    assert flags(pages) == dict.fromkeys(MANY[:number], (1, False))
    assert not pages[-1].complete


async def test_a_server_that_ignores_only_missed_keeps_the_tiers() -> None:
    pages, _ = await read(earned(lambda tier, missed: [f"{tier}{i}" for i in MANY]), "contributions")
    assert flags(pages) == {f"{tier}{i}": (tier, False) for tier in range(1, 6) for i in MANY}
    assert not pages[-1].complete


async def test_a_server_that_ignores_only_the_tier_keeps_what_was_missed() -> None:
    pages, _ = await read(
        earned(lambda tier, missed: [f"{missed}{i}" for i in MANY]),
        "contributions",
    )
    assert flags(pages) == {f"{m}{i}": (1, m == "true") for m in ("true", "false") for i in MANY}
    assert not pages[-1].complete


async def test_where_all_of_a_tier_come_beside_those_that_were_missed_the_missed_ones_are() -> None:
    pages, _ = await read(
        earned(lambda tier, missed: (MANY[:2] if missed == "true" else MANY) if tier == "1" else []), "contributions"
    )
    assert flags(pages) == {i: (1, i in MANY[:2]) for i in MANY}
    assert pages[-1].complete


@pytest.mark.parametrize("more", ["false", "true"])
async def test_a_contribution_that_comes_between_two_calls_does_not_hide_that_a_filter_is_ignored(more: str) -> None:
    pages, _ = await read(
        earned(lambda tier, missed: [*(["new"] if missed == more else []), *MANY] if tier == "1" else []),
        "contributions",
    )
    assert {i: m for i, (_, m) in flags(pages).items() if i != "new"} == dict.fromkeys(MANY, False)


async def test_an_ignored_tier_does_not_multiply_the_network() -> None:
    pages, _ = await read(paged(lambda a: members(5)))
    assert ids_of(pages) == [f"me:m-{n}:1" for n in range(5)]
    assert not pages[-1].complete


async def test_a_filter_that_was_ignored_before_a_dead_run_is_found_out_after_it() -> None:
    handler = earned(lambda tier, missed: MANY)
    pages, _ = await read(handler, "contributions")
    for number, page in enumerate(pages[:-1], 1):
        rest, _ = await read(handler, "contributions", position=page.position)
        assert flags([*pages[:number], *rest]) == dict.fromkeys(MANY, (1, False))
        assert not rest[-1].complete


@pytest.mark.parametrize(("status", "error"), [(403, Forbidden), (404, NotFound)])
async def test_equity_that_cannot_be_read_fails_its_own_stream_only(status: int, error: type[Exception]) -> None:
    def answer(asked: Asked) -> Reply:
        if asked.path.startswith("/plutus"):
            return json_reply({"message": "no"}, status)
        return json_reply({"id": "me", "payments": [], "hasNext": False})

    with pytest.raises(error):
        await read(answer, "equity")
    pages, _ = await read(answer, "revshare_payments")
    assert pages[-1].complete


async def test_a_refusal_with_a_key_that_is_refused_everywhere_is_about_the_key() -> None:
    with pytest.raises(Unauthorized):
        await read(lambda asked: Reply(b"", 403), "contributions")


async def test_only_the_key_owners_own_network_and_money_are_read(sandbox: Sandbox) -> None:
    mine, other = sandbox.world.users[0], sandbox.world.users[1]
    async with rezen(sandbox.rezen_url, mine.rezen_key, agent=other.agent_id) as client:
        for entity in LISTS:
            with pytest.raises((Forbidden, Unauthorized)):
                await pages_of(client.read(entity, ReadRequest()))


async def test_small_pages_of_the_sandbox_come_to_the_same(sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch) -> None:
    async with rezen(sandbox.rezen_url, sandbox.world.users[0].rezen_key) as client:
        once = await pages_of(client.read("contributions", ReadRequest()))
        monkeypatch.setattr(api, "CONTRIBUTIONS", api.CONTRIBUTIONS.model_copy(update={"page_size": 2}))
        again = await pages_of(client.read("contributions", ReadRequest()))
    assert sorted(ids_of(again)) == sorted(ids_of(once))
    assert len(again) > len(once)
    assert again[-1].complete
