"""Who asks for too much: made-up tokens, one token for all, large bodies, half requests; and other spellings."""

from __future__ import annotations

import asyncio
import base64
import secrets
import socket
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager

import httpx
import orjson
import psycopg
import pytest

from resources.processes import wait_until
from resources.settings import load_settings
from tests.api.conftest import Running, generous, served
from tests.api.world import ANN, CAT, LONE
from v2_assets.api import bodies, failures, pages, tokens
from v2_assets.api.asked import Parameters
from v2_assets.api.catalogue import ENDPOINTS
from v2_assets.api.errors import TooMany
from v2_assets.api.turns import AT_ONCE_S, Turns

DEALS = "/transactions/all"


def made_up() -> dict[str, str]:
    return {"Authorization": "Bearer v2_" + secrets.token_urlsafe(32)}


def good(running: Running, user: int) -> dict[str, str]:
    return {"Authorization": f"Bearer {running.tokens[user]}"}


async def flood(url: str, requests: list[tuple[str, str, dict[str, str]]]) -> Counter[int]:
    """All at once; how often each status was answered."""
    limits = httpx.Limits(max_connections=len(requests))
    async with httpx.AsyncClient(base_url=url, timeout=60, trust_env=False, limits=limits) as client:
        answers = await asyncio.gather(
            *(client.request(method, path, headers=headers, json={} if method == "POST" else None)
              for method, path, headers in requests)
        )  # fmt: skip
    return Counter(answer.status_code for answer in answers)


def held(running: Running) -> int:
    """Connections of the endpoints at this moment."""
    with psycopg.connect(running.database.url) as connection:
        rows = connection.execute(
            "select count(*) from pg_stat_activity where datname = current_database() and application_name = 'flooded'"
        ).fetchall()
    return rows[0][0]


@contextmanager
def flooded(running: Running, size: int, **more: int) -> Iterator[httpx.Client]:
    """The endpoints with few connections, which can be counted."""
    settings = generous(api_connections=size) if not more else load_settings(api_connections=size, **more)
    with served(running.database, settings, application_name="flooded") as (_, client):
        yield client


@pytest.mark.parametrize(
    ("method", "path"), [("POST", "/tasks/merge"), ("GET", DEALS), ("GET", "/tasks/state?handle=a")]
)
def test_made_up_tokens_take_no_connection_beyond_the_pools_and_no_ones_turn(
    changing: Running, method: str, path: str
) -> None:
    with flooded(changing, 4) as client:
        assert client.get(DEALS, headers=good(changing, ANN)).status_code == 200

        async def both() -> tuple[Counter[int], int, list[int]]:
            many = [(method, path, made_up() | {"Idempotency-Key": "k"}) for _ in range(120)]
            strangers = asyncio.create_task(flood(str(client.base_url), many))
            most, mine = 0, []
            while not strangers.done():
                most = max(most, await asyncio.to_thread(held, changing))
                answer = await asyncio.to_thread(client.get, DEALS, headers=good(changing, ANN))
                mine.append(answer.status_code)
            return await strangers, most, mine

        told, most, mine = asyncio.run(both())
    assert set(told) <= {401, 429}, "refused, and never as a fault of ours"
    assert most <= 4
    assert set(mine) == {200}


def test_a_bucket_of_its_own_is_had_only_by_a_token_that_was_good(running: Running) -> None:
    with flooded(running, 4, api_requests_per_minute=60, api_burst=5) as client:
        told = [client.get(DEALS, headers=made_up()) for _ in range(10)]
        assert Counter(answer.status_code for answer in told[:5]) == {401: 5}
        refused = [answer for answer in told if answer.status_code == 429]
        assert refused and int(refused[-1].headers["retry-after"]) >= 1
        assert refused[-1].json()["error"]["code"] == "too_many_requests"
        elsewhere = {"X-Forwarded-For": "203.0.113.7"}
        assert client.get(DEALS, headers=good(running, CAT) | elsewhere).status_code == 200
        assert client.get(DEALS, headers=good(running, CAT)).status_code == 200, "known, so the flood is not its own"


def test_one_token_leaves_connections_to_the_others(changing: Running) -> None:
    with flooded(changing, 4) as client:
        for user in (ANN, LONE):
            assert client.get(DEALS, headers=good(changing, user)).status_code == 200
        with changing.database.connect() as blocker:
            # Whoever reads income waits: so do all questions of one token, and nobody else's.
            blocker.execute("lock table v2.income in access exclusive mode")

            async def both() -> tuple[list[int], int]:
                url = str(client.base_url)
                mine = [("GET", "/revenue/all", good(changing, ANN)) for _ in range(60)]
                waiting = asyncio.create_task(flood(url, mine))
                await asyncio.sleep(0.5)
                others = await flood(url, [("GET", "/listings/count", good(changing, LONE)) for _ in range(20)])
                assert not waiting.done()
                blocker.rollback()
                told = await waiting
                return list(others.elements()), told[429]

            others, refused = asyncio.run(both())
    assert set(others) == {200}
    assert refused > 0, "who asks for more than can wait is told so at once"


def test_who_is_refused_for_asking_too_often_is_not_told_so_at_once(running: Running) -> None:
    with flooded(running, 4, api_requests_per_minute=60, api_burst=1) as client:
        assert client.get(DEALS, headers=good(running, ANN)).status_code == 200
        began = time.monotonic()
        told = [client.get(DEALS, headers=good(running, ANN)).status_code for _ in range(3)]
        assert told.count(429) >= 2
        assert time.monotonic() - began > told.count(429) * failures.REFUSED_AFTER_S


async def test_turns_are_held_by_no_more_than_may_run_and_given_back_whatever_happens() -> None:
    turns, running, most = Turns(2, 1.0, most_waiting=5, patience_s=5), 0, 0

    async def work(key: str, fails: bool) -> str:
        nonlocal running, most
        try:
            async with turns.turn(key):
                running += 1
                most = max(most, running)
                await asyncio.sleep(0.01)
                running -= 1
                assert not fails
        except TooMany as error:
            assert error.retry_after
            return "refused"
        except AssertionError:
            return "failed"
        return "done"

    told = Counter(await asyncio.gather(*(work("a", n % 2 == 0) for n in range(10))))
    assert (most, told["refused"]) == (2, 3)
    assert await work("a", False) == "done"
    assert turns._lines == {}, "nothing is kept of a token that asks for nothing"
    late = Turns(1, 1.0, patience_s=0.01)
    async with late.turn("a"):
        with pytest.raises(TooMany):
            async with late.turn("a"):
                pass
        async with late.turn("b"):
            pass


async def test_who_has_taken_much_time_asks_one_question_after_another_each_when_its_time_has_come() -> None:
    now, asleep, running, most = 0.0, [], 0, 0

    async def question(key: str, seconds: float, line: str | None = None) -> None:
        nonlocal now, running, most
        async with turns.turn(key, line):
            running += 1
            most = max(most, running)
            await real_sleep(0)
            now += seconds
            running -= 1

    async def sleep(seconds: float) -> None:
        nonlocal now
        asleep.append(round(seconds, 3))
        now += seconds
        await real_sleep(0)

    real_sleep, turns = asyncio.sleep, Turns(2, 0.25, clock=lambda: now)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("v2_assets.api.turns.asyncio.sleep", sleep)
        await question("a", AT_ONCE_S)
        assert asleep == [], "a page of a frontend that asks for much at once is not kept waiting"
        await question("a", 1.0)
        most = 0
        await asyncio.gather(*(question("a", 1.0) for _ in range(3)))
        assert most == 1
        assert sum(asleep) == pytest.approx(3 * 1.0 / 0.25 - 4 * 1.0, abs=1.1), "a quarter of each second"
        await question("b", 1.0)
        assert len(asleep) == 3, "another token pays nothing for it"
        now += 100
        await question("a", 1.0)
        assert len(asleep) == 3, "time that is not used is not owed"
        for token in "cdefghijk":
            async with turns.turn(token, "strangers"):
                now += 1.0
        assert len(asleep) == 3, "those who share a line pay nothing for each other"
        most = 0
        await asyncio.gather(*(question("l", AT_ONCE_S, "strangers") for _ in range(4)))
        assert len(asleep) > 3 and most <= 2, "what waits in a line that is shared is paid for as well"


@pytest.mark.parametrize(
    "header",
    [
        "bearer {}",
        "BEARER {}",
        "Bearer  {}",
        "Bearer {} ",
        "Bearer {},Bearer x",
        "Bearer\t{}",
        "Token {}",
        "{}",
        "Bearer {}x",
    ],
)
def test_a_token_is_written_in_one_way(running: Running, header: str) -> None:
    """What one reader takes for a token and another does not goes where it does not belong."""
    raw = header.format(running.tokens[ANN])
    assert tokens.sent([raw]) is None
    assert tokens.holds([raw]) is True, "and is nobody else's either"
    if raw == raw.strip():  # others are taken off on the way
        assert running.client.get(DEALS, headers={"Authorization": raw}).status_code == 401


def test_of_two_authorizations_none_counts(running: Running) -> None:
    headers = [("Authorization", good(running, ANN)["Authorization"]), ("Authorization", "Basic eDp5")]
    assert running.client.get(DEALS, headers=headers).status_code == 401
    assert running.client.get(DEALS, headers=headers[::-1]).status_code == 401


@pytest.mark.parametrize("path", [f"{DEALS}/", "/tasks/state/", "/health/", f"/{DEALS}", f"{DEALS}//"])
def test_a_slash_too_many_leads_nowhere(running: Running, path: str) -> None:
    answer = running.client.get(path, headers=good(running, ANN) | {"Host": "evil.example"})
    assert answer.status_code == 404
    assert "location" not in answer.headers and "evil" not in answer.text


@pytest.mark.parametrize("sort", ["id", "-id"])
@pytest.mark.parametrize("path", ["/fub/calls", "/leads/fub_people", DEALS])
def test_a_cursor_that_was_made_up_is_refused_in_every_sort(running: Running, path: str, sort: str) -> None:
    for value in (None, 5, True, ["x"]):
        cursor = base64.urlsafe_b64encode(orjson.dumps([sort, value, 5])).decode()
        answer = running.client.get(path, params={"sort": sort, "cursor": cursor}, headers=good(running, ANN))
        assert (answer.status_code, answer.json()["error"]["code"]) == (422, "bad_request")


def test_a_body_without_end_is_not_taken(running: Running) -> None:
    large = b'{"user":"' + b"a" * bodies.LARGEST_BODY + b'"}'
    json = {"Content-Type": "application/json", "Idempotency-Key": "k"}
    announced = running.client.post("/tasks/merge", content=large, headers=json)
    assert (announced.status_code, announced.json()["error"]["code"]) == (413, "too_large")
    assert announced.headers["connection"] == "close"
    pieces = (large[n : n + 1000] for n in range(0, len(large), 1000))
    in_pieces = running.client.post("/tasks/merge", content=pieces, headers=json)
    assert in_pieces.status_code == 413
    nested = running.client.post("/tasks/merge", content=b"[" * 60_000, headers=json)
    assert nested.status_code == 422


async def test_a_body_that_does_not_come_is_not_waited_for() -> None:
    sent: list[int] = []

    async def never() -> dict[str, object]:
        await asyncio.sleep(60)
        return {}

    async def send(message: dict[str, object]) -> None:
        sent.append(message)  # type: ignore[arg-type]

    async def app(scope: object, receive: object, send_: object) -> None:
        with pytest.raises(bodies.HTTPException) as caught:
            await receive()  # type: ignore[operator]
        assert caught.value.status_code == 408
        sent.append(1)

    await bodies.Bodies(app, patience_s=0.01)({"type": "http", "headers": []}, never, send)  # type: ignore[arg-type]
    assert sent == [1]


def test_half_a_request_is_not_waited_for_and_a_whole_one_may_idle(
    running: Running, monkeypatch: pytest.MonkeyPatch
) -> None:
    from resources import serving

    monkeypatch.setattr(serving, "HEAD_S", 0.3)
    with served(running.database, generous()) as (_, client):
        place = (client.base_url.host, client.base_url.port or 0)

        def ended(connection: socket.socket) -> bool:
            connection.setblocking(False)
            try:
                return connection.recv(4096) == b""
            except BlockingIOError:
                return False

        silent, half = socket.create_connection(place), socket.create_connection(place)
        half.sendall(b"GET /health HTTP/1.1\r\nHost: a\r\nX-Slow: ")
        assert wait_until(lambda: ended(silent), 10) and wait_until(lambda: ended(half), 10)
        whole = socket.create_connection(place)
        for _ in range(2):
            whole.sendall(b"GET /health HTTP/1.1\r\nHost: a\r\n\r\n")
            answer = b""
            while not answer.endswith(b"}"):  # head and body may come one after the other
                answer += whole.recv(4096)
            assert answer.startswith(b"HTTP/1.1 200")
            time.sleep(0.6)
        for connection in (silent, half, whole):
            connection.close()


def test_statements_are_kept_in_a_bounded_number() -> None:
    endpoint = ENDPOINTS["/leads/fub_people"]
    parameters = Parameters(endpoint)
    for page in range(1, 6):
        for size in range(1, 201):
            pages.page(endpoint, parameters.read([("page", str(page)), ("per_page", str(size))]))
    kept = pages._page.cache_info()
    assert kept.currsize <= pages.KEPT < 1000
    assert pages._total.cache_info().maxsize == pages.KEPT
