"""The HTTP client against a real server on loopback that does everything wrong that servers do."""

from __future__ import annotations

import gzip
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st

from resources.errors import (
    BadRequest,
    Forbidden,
    NotFound,
    NotUnderstood,
    RateLimited,
    SourceError,
    SourceUnavailable,
    Unauthorized,
)
from resources.http import client as client_module
from resources.http.budget import Limit
from resources.http.client import USER_AGENT, HttpClient, parse_json, source_time
from resources.http.endpoint import Endpoint
from tests.http.conftest import ATTEMPTS
from tests.http.loopback import Handler, Loopback, OpenBudget, Reply, in_turn, json_reply, loopback

THINGS = Endpoint(name="GET /things", path="/things", lists=("things",), why="a test")
ONE = Endpoint(name="GET /things/{id}", path="/things/{id}", why="a test")
QUICK = THINGS.model_copy(update={"deadline_s": 0.2})
SYSTEM, ACCOUNT = Limit("source:system", 100), Limit("source:7", 10)
KEY = "real_0123456789abcdef"


@asynccontextmanager
async def a_client(handler: Handler) -> AsyncIterator[tuple[HttpClient, Loopback, OpenBudget]]:
    budget = OpenBudget()
    async with loopback(handler) as server:
        client = HttpClient(
            "Source",
            base_url=server.url,
            headers={"X-API-KEY": KEY},
            budget=budget,
            limits=lambda endpoint: [SYSTEM, ACCOUNT],
            message_of=lambda d: d.get("message"),
        )
        try:
            yield client, server, budget
        finally:
            await client.close()


async def refused(handler: Handler, endpoint: Endpoint = THINGS) -> tuple[SourceError, Loopback, OpenBudget]:
    async with a_client(handler) as (client, server, budget):
        with pytest.raises(SourceError) as caught:
            await client.get(endpoint, priority="incremental")
    return caught.value, server, budget


async def test_a_call_carries_the_key_a_plain_user_agent_and_its_parameters_in_order() -> None:
    async with a_client(in_turn(json_reply({"things": []}))) as (client, server, budget):
        await client.get(THINGS, [("ids", "1"), ("ids", "2")], priority="webhook")
    (asked,) = server.asked
    assert (asked.headers["x-api-key"], asked.headers["user-agent"]) == (KEY, USER_AGENT)
    assert asked.lists == {"ids": ["1", "2"]}
    assert budget.taken == [(("source:system", "source:7"), "webhook")]


@pytest.mark.parametrize(
    ("status", "kind"),
    [(400, BadRequest), (401, Unauthorized), (403, Forbidden), (404, NotFound), (418, NotUnderstood)],
)
async def test_what_is_refused_for_good_is_asked_once_and_typed(status: int, kind: type[SourceError]) -> None:
    error, server, _ = await refused(in_turn(json_reply({"message": "no"}, status)))
    assert type(error) is kind
    assert not error.retryable
    assert len(server.asked) == 1
    assert error.context == {"source": "Source", "endpoint": "GET /things", "status": status, "attempt": 1}


@pytest.mark.parametrize("status", [408, 500, 502, 503, 504])
async def test_a_passing_failure_is_asked_again_until_it_is_answered(status: int) -> None:
    handler = in_turn(Reply(b"<html>busy</html>", status), json_reply({"things": [1]}))
    async with a_client(handler) as (client, server, budget):
        answer = await client.get(THINGS, priority="incremental")
    assert answer.document == {"things": [1]}
    assert len(server.asked) == len(budget.taken) == 2


async def test_a_failure_that_stays_is_given_up_and_says_how_often_it_was_tried() -> None:
    error, server, _ = await refused(in_turn(Reply(b"", 503)))
    assert type(error) is SourceUnavailable
    assert error.retryable
    assert error.context["attempt"] == len(server.asked) == ATTEMPTS


@pytest.mark.parametrize(
    ("headers", "pause"),
    [
        ({"Retry-After": "7"}, 7.0),
        # The source's own clock is what a date is counted from, however wrong it is.
        ({"Retry-After": "Mon, 03 Feb 2031 10:00:09 GMT", "Date": "Mon, 03 Feb 2031 10:00:00 GMT"}, 9.0),
        ({}, 2.0),
        ({"Retry-After": "soon"}, 2.0),
    ],
)
async def test_a_429_stops_everybody_under_the_budget_for_as_long_as_the_source_asks(
    headers: dict[str, str], pause: float
) -> None:
    async with a_client(in_turn(Reply(b"", 429, headers), json_reply({}))) as (client, server, budget):
        await client.get(THINGS, priority="incremental")
    assert budget.punished == [(("source:system", "source:7"), pause)]
    assert len(server.asked) == 2


async def test_a_429_of_the_accounts_own_making_stops_only_that_account() -> None:
    _, _, budget = await refused(in_turn(Reply(b"", 429, {"Retry-After": "1", "X-RateLimit-Remaining": "0"})))
    assert {keys for keys, _ in budget.punished} == {("source:7",)}


async def test_a_429_that_outlasts_the_tries_is_rate_limited() -> None:
    error, server, _ = await refused(in_turn(Reply(b"", 429, {"Retry-After": "1"})))
    assert type(error) is RateLimited
    assert error.retryable
    assert len(server.asked) == ATTEMPTS


async def test_a_pause_that_nobody_waits_for_is_not_tried_again() -> None:
    error, server, budget = await refused(in_turn(Reply(b"", 429, {"Retry-After": "3600"})))
    assert type(error) is RateLimited
    assert len(server.asked) == 1
    assert budget.punished[0][1] == 900  # then it is asked again


async def test_limits_in_the_answer_correct_the_accounts_budget() -> None:
    headers = {"X-RateLimit-Limit": "125", "X-RateLimit-Window": "10", "X-RateLimit-Context": "global"}
    async with a_client(in_turn(Reply(headers=headers))) as (client, _, budget):
        await client.get(THINGS, priority="incremental")
    assert budget.learned == [("source:7", 125, 10)]


async def test_limits_of_another_bucket_than_the_one_asked_are_not_learned() -> None:
    headers = {"X-RateLimit-Limit": "20", "X-RateLimit-Window": "10", "X-RateLimit-Context": "events"}
    async with a_client(in_turn(Reply(headers=headers))) as (client, _, budget):
        await client.get(THINGS, priority="incremental")
    assert budget.learned == []


@pytest.mark.parametrize(
    ("reply", "said"),
    [
        (Reply(b"<html><body>down for maintenance</body></html>"), "HTML"),
        (Reply(b'{"things": [{"id": 1}, {"id'), "no JSON"),
        (Reply(b""), "no JSON"),
        (Reply(b"null"), "null"),
        (Reply(b"", 204), "204"),
        (Reply(b'{"things": NaN}'), "no JSON"),
        (Reply(b'{"a": "\\ud800", "b": NaN}'), "no JSON"),
    ],
)
async def test_a_success_that_is_not_what_was_promised_is_an_error(reply: Reply, said: str) -> None:
    error, _, _ = await refused(in_turn(reply))
    assert type(error) is NotUnderstood
    assert said in error.message


@pytest.mark.parametrize(
    "reply",
    [
        Reply(b'{"things": [1, 2, 3]}', cut=True),
        Reply(gzip.compress(b'{"things": []}')[:-6] + b"xxxxxx", headers={"Content-Encoding": "gzip"}),
        Reply(b"no gzip at all", headers={"Content-Encoding": "gzip"}),
    ],
)
async def test_a_body_that_breaks_on_its_way_is_a_source_that_is_unavailable(reply: Reply) -> None:
    error, server, _ = await refused(in_turn(reply))
    assert type(error) is SourceUnavailable
    assert len(server.asked) == ATTEMPTS


async def test_a_body_that_does_not_come_to_its_end_meets_the_total_deadline() -> None:
    error, _, _ = await refused(in_turn(Reply(b'{"things": [1, 2, 3]}', stall=True)), QUICK)
    assert type(error) is SourceUnavailable
    assert "within 0.2 s" in error.message


async def test_a_body_without_end_is_cut_off(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(client_module, "LARGEST_BODY", 1000)
    error, _, _ = await refused(in_turn(json_reply({"things": ["x" * 2000]})))
    assert type(error) is SourceUnavailable


async def test_a_server_that_is_not_there_is_unavailable() -> None:
    async with a_client(in_turn(json_reply({}))) as (client, server, _):
        pass
    client = HttpClient("Source", base_url=server.url, headers={}, budget=OpenBudget(), limits=lambda e: [ACCOUNT])
    with pytest.raises(SourceUnavailable, match="ConnectError"):
        await client.get(THINGS, priority="incremental")
    await client.close()


async def test_a_redirect_to_another_host_is_never_followed() -> None:
    async with loopback(in_turn(json_reply({"things": []}))) as thief:
        error, _, _ = await refused(in_turn(Reply(b"", 302, {"Location": f"{thief.url}/things"})))
    assert type(error) is NotUnderstood
    assert thief.asked == []


async def test_no_content_is_an_empty_list_only_where_the_endpoint_says_so() -> None:
    none = THINGS.model_copy(update={"no_content": True})
    async with a_client(in_turn(Reply(b"", 204))) as (client, _, _):
        answer = await client.get(none, priority="incremental")
    assert answer.document == {"things": []}


async def test_an_id_cannot_lead_to_another_endpoint() -> None:
    async with a_client(in_turn(json_reply({}))) as (client, server, _):
        await client.get(ONE, priority="incremental", id="../admin?x=1#y")
        for nothing in ("", ".", ".."):
            with pytest.raises(BadRequest):
                await client.get(ONE, priority="incremental", id=nothing)
    (asked,) = server.asked
    assert asked.path == "/things/..%2Fadmin%3Fx%3D1%23y"
    assert asked.query == {}


async def test_errors_hold_neither_the_key_nor_anybodys_name() -> None:
    said = f"key {KEY} of ines@example.test, +1 555 010 0199, is no good"
    error, _, _ = await refused(in_turn(json_reply({"message": said}, 403)))
    shown = f"{error} {error.as_dict()} {error!r}"
    for secret in (KEY, "ines@example.test", "555 010"):
        assert secret not in shown
    assert "is no good" in error.message


@pytest.mark.parametrize("key", ["real_abc\n", "réal_abc", "real_abc…", "real\x00"])
def test_a_key_that_no_header_can_carry_is_refused_without_being_shown(key: str) -> None:
    with pytest.raises(Unauthorized) as caught:
        HttpClient(
            "Source", base_url="http://127.0.0.1:1", headers={"X": key}, budget=OpenBudget(), limits=lambda e: []
        )
    assert key not in f"{caught.value} {caught.value.as_dict()}"


async def test_a_proxy_of_the_machine_is_not_in_the_way_to_loopback(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("HTTP_PROXY", "http_proxy", "ALL_PROXY"):
        monkeypatch.setenv(name, "http://127.0.0.1:9")
    monkeypatch.delenv("NO_PROXY", raising=False)
    async with a_client(in_turn(json_reply({"things": []}))) as (client, server, _):
        await client.get(THINGS, priority="incremental")
    assert len(server.asked) == 1


@pytest.mark.parametrize(
    ("body", "document"),
    [(b'{"a": 1}', {"a": 1}), (b'["\\ud83d\\ude00"]', ["😀"]), (b'["\\ud800"]', ["\ud800"])],
)
def test_json_is_read_even_with_half_a_character_in_it(body: bytes, document: Any) -> None:
    assert parse_json(body) == document


@pytest.mark.parametrize("body", [b"", b"{", b"\xff\xfe", b'["\\ud800"', b"[" * 100_000 + b'"\\ud800"'])
def test_what_is_no_json_is_a_value_error(body: bytes) -> None:
    with pytest.raises(ValueError):
        parse_json(body)


# --- what cannot be asked, and headers that say nothing ---------------------------------------------------------------


@pytest.mark.parametrize("name", ["a\ud83d", "a\x00b", "a\nb", "x\u2028"])
async def test_an_id_that_no_path_can_hold_is_a_bad_request_and_nothing_is_asked(name: str) -> None:
    async with a_client(in_turn(json_reply({}))) as (client, server, _):
        with pytest.raises(BadRequest):
            await client.get(ONE, priority="incremental", id=name)
    assert server.asked == []


async def test_what_no_query_or_body_can_hold_is_a_bad_request() -> None:
    async with a_client(in_turn(json_reply({}))) as (client, server, _):
        with pytest.raises(BadRequest):
            await client.get(THINGS, [("next", "a\ud83d")], priority="incremental")
        with pytest.raises(BadRequest):
            await client.post(THINGS, {"after": "a\ud83d"}, priority="incremental")
        with pytest.raises(BadRequest):
            await client.get(THINGS, [], {"Session": "a\u20ac"}, priority="incremental")
    assert server.asked == []


@pytest.mark.parametrize("told", ["0", "9" * 5000, "-1", "1.5", "ten", "", "1e3"])
async def test_limits_that_say_nothing_are_not_learned(told: str) -> None:
    headers = {"X-RateLimit-Limit": told, "X-RateLimit-Window": "10"}
    async with a_client(in_turn(Reply(b"{}", 200, headers))) as (client, _, budget):
        await client.get(THINGS, priority="incremental")
    assert budget.learned == []


@given(st.one_of(st.text(st.characters(max_codepoint=255), max_size=40), st.datetimes().map(str)))
def test_any_date_header_is_an_instant_that_a_cursor_can_hold(text: str) -> None:
    then = source_time(httpx.Headers([(b"Date", text.encode("latin-1"))]))
    assert then.year >= 2020
    assert then.utcoffset() == timedelta(0)
    then - timedelta(days=1)  # the overlap of a window


@pytest.mark.parametrize("text", ["Mon, 01 Jan 0001 00:00:00 +1400", "Fri, 31 Dec 9999 23:59:59 -0800", "", "now"])
def test_a_date_at_the_end_of_time_is_none_and_our_clock_holds(text: str) -> None:
    assert abs((source_time(httpx.Headers({"Date": text})) - datetime.now(UTC)).total_seconds()) < 60
