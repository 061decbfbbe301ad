"""Shadow reading: V1's answer is served unharmed whatever V2 does, and the difference is noted afterwards."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from http.cookiejar import CookieJar, DefaultCookiePolicy
from typing import Any

import httpx
import orjson
import pytest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from v2_assets.api.catalogue import ENDPOINTS
from v2_assets.api.endpoint import Endpoint
from v2_assets.api.shadow.answers import Comparer
from v2_assets.api.shadow.proxy import Answer, Outcome, Shadow

PATH, DEAL = "/listings/count", "/transactions/details"
OURS = {"X-V2-Token": "ours", "Authorization": "Bearer theirs"}


@dataclass
class V2:
    """The read endpoints' part: what it answers, and what it was asked."""

    count: int = 12
    status: int = 200
    slow: asyncio.Event | None = None
    asked: list[tuple[str, str]] = field(default_factory=list)

    def app(self) -> Starlette:
        async def count(request: Request) -> Response:
            self.asked.append((str(request.url.query), request.headers["authorization"]))
            if self.slow:
                await self.slow.wait()
            if self.status == 0:
                raise RuntimeError("a value of a person")
            return JSONResponse({"count": self.count}, self.status)

        async def other(request: Request) -> Response:
            return JSONResponse("of V2")

        async def deal(request: Request) -> Response:
            self.asked.append((str(request.url.query), request.headers["authorization"]))
            found = request.query_params["id"] == "9" and self.status == 200
            return JSONResponse({"id": 9, "transaction_id_raw": "a"} if found else {}, 200 if found else 404)

        return Starlette(
            routes=[Route(PATH, count), Route(DEAL, deal), Route("/tasks", other, methods=["GET", "POST"])]
        )


@dataclass
class Known:
    """Tokens, the switch, V2's numbers by V1's, and the notes, held in memory."""

    switched: bool = False
    away: bool = False
    hangs: bool = False
    numbers: dict[int, int] = field(default_factory=dict)
    kept: list[tuple[str, Outcome, list[tuple[str, str, str]]]] = field(default_factory=list)

    async def user_of(self, token: str) -> int | None:
        if self.hangs:
            await asyncio.Event().wait()
        if self.away:
            raise ConnectionError("the database is away")
        return 901 if token == "ours" else None

    async def serves_v2(self, token: str, endpoint: str) -> bool:
        return self.switched

    async def of_v2(self, endpoint: Endpoint, token: str, v1: Answer) -> int | None:
        return self.numbers.get(orjson.loads(v1[1])["id"]) if v1[0] == 200 else None

    async def of_v1(self, endpoint: Endpoint, token: str, number: str) -> int | None:
        return next((theirs for theirs, ours in self.numbers.items() if str(ours) == number), None)

    async def differences(
        self, endpoint: Endpoint, token: str, v1: Answer, v2: Answer
    ) -> Iterable[tuple[str, str, str]]:
        found = Comparer(endpoint, {}, frozenset(), {}).differences(v1, v2)
        return [(each.kind, each.field, "unknown") for each in found]

    async def keep(
        self, endpoint: str, token: str, outcome: Outcome, differences: Iterable[tuple[str, str, str]] = ()
    ) -> None:
        self.kept.append((endpoint, outcome, list(differences)))


def v1(request: httpx.Request) -> httpx.Response:
    """V1 behind HTTP: a count for those who are signed in, with a header of its own."""
    if request.headers.get("authorization") != "Bearer theirs":
        return httpx.Response(401, json={"code": "ERROR_CODE_UNAUTHORIZED"})
    assert "x-v2-token" not in request.headers, "our token is no business of V1's"
    if request.url.path == DEAL:
        found = request.url.params["id"] == "7"
        return httpx.Response(200 if found else 404, json={"id": 7, "transaction_id_raw": "a"} if found else {})
    return httpx.Response(200, json=12, headers={"x-of-v1": str(request.url.query.decode())})


@asynccontextmanager
async def shadow(v2: V2, known: Known, **more: Any) -> AsyncIterator[tuple[httpx.AsyncClient, Shadow]]:
    old = httpx.AsyncClient(transport=httpx.MockTransport(more.pop("v1", v1)), base_url="http://v1")
    app = Shadow(v2.app(), ENDPOINTS, old, known, known, known, **more)
    async with old, httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://here") as client:
        yield client, app
        await app.end()


async def test_v1_answers_as_it_always_did_and_v2_is_asked_the_same_afterwards() -> None:
    v2, known = V2(), Known()
    async with shadow(v2, known) as (client, app):
        answer = await client.get(PATH, params={"status": "Active"}, headers=OURS)
        assert (answer.json(), answer.headers["x-of-v1"]) == (12, "status=Active")
        await app.end()
        assert v2.asked == [("status=Active", "Bearer ours")]
        assert known.kept == [(PATH, "compared", [])]
        v2.count = 13
        assert (await client.get(PATH, headers=OURS)).json() == 12
        await app.end()
        assert known.kept[1:] == [(PATH, "compared", [("total", "count", "unknown")])]


async def test_a_record_that_is_asked_for_by_v1s_number_is_asked_of_v2_by_its_own() -> None:
    v2, known = V2(), Known(numbers={7: 9})
    async with shadow(v2, known) as (client, app):
        assert (await client.get(DEAL, params={"id": 7}, headers=OURS)).json()["id"] == 7
        assert (await client.get(DEAL, params={"id": 9}, headers=OURS)).status_code == 404
        await app.end()
        assert [query for query, _ in v2.asked] == ["id=9", "id=0"]
        assert known.kept == [(DEAL, "compared", []), (DEAL, "compared", [])]
        known.numbers.clear()
        await client.get(DEAL, params={"id": 7}, headers=OURS)
        await app.end()
        assert known.kept[2:] == [(DEAL, "compared", [("row only in V1", "", "unknown")])]


async def test_a_record_of_v2_is_compared_with_v1s_by_v1s_number_and_not_at_all_while_that_is_not_known() -> None:
    v2, known = V2(), Known(switched=True, numbers={7: 9})
    async with shadow(v2, known) as (client, app):
        assert (await client.get(DEAL, params={"id": 9}, headers=OURS)).json()["id"] == 9
        await app.end()
        assert known.kept == [(DEAL, "compared", [])]
        known.numbers.clear()
        assert (await client.get(DEAL, params={"id": 9}, headers=OURS)).json()["id"] == 9
        await app.end()
        assert known.kept[1:] == [(DEAL, "skipped", [])]


async def test_while_v2_fails_v1_is_asked_for_a_record_by_its_own_number_and_never_by_v2s() -> None:
    v2, known = V2(), Known(switched=True, numbers={7: 9})

    async def hangs(scope: Any, receive: Any, send: Any) -> None:
        await asyncio.Event().wait()

    async with shadow(v2, known, timeout_s=0.05) as (client, app):
        app.inner = hangs
        assert (await client.get(DEAL, params={"id": 9}, headers=OURS)).json()["id"] == 7
        known.numbers.clear()
        assert (await client.get(DEAL, params={"id": 9}, headers=OURS)).status_code == 503


async def test_a_v2_that_never_answers_delays_nothing_and_is_noted_as_failed() -> None:
    v2, known = V2(slow=asyncio.Event()), Known()
    async with shadow(v2, known, timeout_s=0.05) as (client, app):
        assert (await client.get(PATH, headers=OURS)).json() == 12
        assert known.kept == [], "V1's answer did not wait for it"
        await app.end()
        assert known.kept == [(PATH, "failed", [])]


@pytest.mark.parametrize("status", [500, 0])
async def test_a_v2_that_fails_is_noted_and_harms_nobody(status: int) -> None:
    v2, known = V2(status=status), Known()
    async with shadow(v2, known) as (client, app):
        assert (await client.get(PATH, headers=OURS)).json() == 12
        await app.end()
        assert known.kept == [(PATH, "failed", [])]


async def test_whom_the_switch_gives_v2_gets_it_and_v1_again_when_v2_fails() -> None:
    v2, known = V2(count=13), Known(switched=True)
    async with shadow(v2, known, timeout_s=0.05) as (client, app):
        assert (await client.get(PATH, headers=OURS)).json() == {"count": 13}
        await app.end()
        assert known.kept == [(PATH, "compared", [("total", "count", "unknown")])], "compared all the same"
        v2.slow = asyncio.Event()
        assert (await client.get(PATH, headers=OURS)).json() == 12
        await app.end()
        assert known.kept[1:] == [(PATH, "failed", [])]


@pytest.mark.parametrize("known", [Known(away=True), Known(hangs=True)])
async def test_while_it_is_not_known_who_asks_v1_answers(known: Known) -> None:
    v2 = V2()
    async with shadow(v2, known, decide_s=0.05) as (client, _):
        assert (await client.get(PATH, headers=OURS)).json() == 12
    assert v2.asked == [] and known.kept == []


async def test_without_a_token_of_ours_a_request_is_v1s_alone_and_our_own_endpoints_are_ours() -> None:
    v2, known = V2(), Known()
    async with shadow(v2, known) as (client, _):
        assert (await client.get(PATH, headers={"Authorization": "Bearer theirs"})).json() == 12
        assert (await client.get(PATH, headers=OURS | {"X-V2-Token": "forged"})).json() == 12
        assert (await client.get(PATH)).status_code == 401
        assert (await client.get("/tasks")).json() == (await client.post("/tasks")).json() == "of V2"
    assert v2.asked == [] and known.kept == []


async def test_who_signs_in_with_a_token_of_ours_alone_means_v2() -> None:
    v2, known = V2(count=13), Known()
    async with shadow(v2, known) as (client, _):
        answer = await client.get(PATH, headers={"Authorization": "Bearer v2_" + "a" * 43})
        assert answer.json() == {"count": 13} and known.kept == []


async def test_most_of_a_token_of_ours_goes_to_v1_as_little_as_the_whole_and_a_session_of_v1s_stays_v1s() -> None:
    seen: list[str] = []

    def notes(request: httpx.Request) -> httpx.Response:
        seen.append(request.headers["authorization"])
        return httpx.Response(200, json=12)

    token, session = "v2_" + "aZ-_7" * 8 + "abc", "eyJhbGciOi.Xv2_" + "aZ7" * 20 + ".v2_" + "b" * 43
    async with shadow(V2(count=13), Known(), v1=notes) as (client, _):
        for header in (f"Bearer {token}", f"Bearer {token[:-1]}", f"bearer  {token}", f'Token "{token[:30]}"', token):
            assert (await client.get(PATH, headers={"Authorization": header})).json() == {"count": 13}
        assert (await client.get(PATH, headers={"Authorization": f"Bearer {session}"})).json() == 12
    assert seen == [f"Bearer {session}"]


async def test_only_a_sample_is_compared_and_never_more_than_a_few_at_once() -> None:
    v2, known = V2(slow=asyncio.Event()), Known()
    async with shadow(v2, known, at_once=2, timeout_s=5) as (client, app):
        for _ in range(4):
            assert (await client.get(PATH, headers=OURS)).json() == 12
        await asyncio.sleep(0)
        assert v2.slow
        v2.slow.set()
        await app.end()
        assert sorted(outcome for _, outcome, _ in known.kept) == ["compared", "compared", "skipped", "skipped"]
    known.kept.clear()
    dice = iter([0.05, 0.5, 0.09, 0.95])
    async with shadow(v2, known, sample=0.1, dice=lambda: next(dice)) as (client, app):
        for _ in range(4):
            await client.get(PATH, headers=OURS)
        await app.end()
    assert [outcome for _, outcome, _ in known.kept] == ["compared", "compared"]


async def test_an_answer_that_is_too_large_is_not_compared() -> None:
    known = Known()
    async with shadow(V2(), known, largest_body=5) as (client, app):
        await client.get(PATH, headers=OURS)
        await app.end()
    assert known.kept == [(PATH, "skipped", [])]


async def test_a_v1_that_is_away_is_said_and_a_v1_that_fails_is_nothing_to_compare_with() -> None:
    def away(request: httpx.Request) -> httpx.Response:
        raise httpx.ConnectError("refused")

    known = Known()
    async with shadow(V2(), known, v1=away) as (client, _):
        answer = await client.get(PATH, headers=OURS)
        assert (answer.status_code, answer.json()["code"]) == (502, "v1_unavailable")
    assert known.kept == []


async def test_a_session_of_v1_stays_with_the_caller_who_has_it_and_two_cookies_stay_two() -> None:
    """V1 renews a session with each answer; whoever asks next without one must not be given it."""

    def with_sessions(request: httpx.Request) -> httpx.Response:
        session = request.headers.get("cookie", "").removeprefix("sid=")
        if not session:
            return httpx.Response(401, json={"code": "ERROR_CODE_UNAUTHORIZED"})
        headers = [("set-cookie", f"sid={session}; Path=/; HttpOnly"), ("set-cookie", "seen=1; Path=/")]
        return httpx.Response(200, json={"rows of": session}, headers=headers)

    async with shadow(V2(), Known(), v1=with_sessions) as (client, _):
        client.cookies = CookieJar(DefaultCookiePolicy(allowed_domains=()))  # the callers here are several people
        alice = await client.get(PATH, headers={"Cookie": "sid=alice"})
        assert alice.json() == {"rows of": "alice"}
        assert alice.headers.get_list("set-cookie") == ["sid=alice; Path=/; HttpOnly", "seen=1; Path=/"]
        assert (await client.get(PATH)).status_code == 401
        assert (await client.get(PATH, headers={"Cookie": "sid=bob"})).json() == {"rows of": "bob"}
        assert (await client.get(PATH)).status_code == 401


async def test_what_is_said_to_the_proxy_alone_goes_no_further_in_either_direction() -> None:
    seen: list[httpx.Headers] = []

    def notes(request: httpx.Request) -> httpx.Response:
        seen.append(request.headers)
        hop = {"Connection": "X-Hop", "X-Hop": "1", "Upgrade": "h2c", "X-V1": "1"}
        return httpx.Response(200, json=12, headers=hop)

    said = {"Connection": "close, X-Secret", "X-Secret": "1", "TE": "trailers", "Upgrade": "h2c", "X-Mine": "1",
            "Proxy-Authorization": "Basic eDp5", "Proxy-Connection": "close"}  # fmt: skip
    async with shadow(V2(), Known(), v1=notes) as (client, _):
        answer = await client.get(PATH, headers=OURS | said)
    assert seen[0]["x-mine"] == "1" and not {"x-secret", "te", "upgrade", "proxy-authorization"} & set(seen[0])
    assert "proxy-connection" not in seen[0] and "X-Secret" not in seen[0].get("connection", "")
    assert answer.headers["x-v1"] == "1" and not {"x-hop", "upgrade"} & set(answer.headers)
