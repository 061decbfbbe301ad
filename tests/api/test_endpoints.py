"""The wire and its troubles: marks, packing, names of requests, and failures that say what to do."""

from __future__ import annotations

import asyncio
import gzip
import html
import re
import time
from concurrent.futures import ThreadPoolExecutor
from itertools import pairwise
from typing import Any

import httpx
import psycopg

from resources.postgres import Database
from tests.api.conftest import Running, as_api, generous, served
from tests.api.world import ADMIN, ANN, LONE, USERS
from v2_assets.api.app import ALIVE_FOR_S, Api
from v2_assets.api.catalogue import CATALOGUE

DEALS = "/transactions/all"

# --- the wire -------------------------------------------------------------------------------------------------------


def test_what_the_caller_has_already_is_not_sent_again(running: Running) -> None:
    first = running.get(DEALS, ANN)
    assert first.headers["cache-control"] == "private, no-cache"
    for known in (first.headers["etag"], f'"x", {first.headers["etag"]}', "*"):
        again = running.get(DEALS, ANN, headers={"If-None-Match": known})
        assert (again.status_code, again.content) == (304, b"")
    assert running.get(DEALS, ANN, headers={"If-None-Match": '"x"'}).status_code == 200
    # Another caller's mark is another, unless the answer is the same.
    assert running.get(DEALS, LONE, headers={"If-None-Match": first.headers["etag"]}).status_code == 200


def test_answers_are_packed_for_those_who_take_it(running: Running) -> None:
    plain = running.get(DEALS, ANN, headers={"Accept-Encoding": "identity"})
    with running.client.stream(
        "GET", DEALS, headers={"Authorization": f"Bearer {running.tokens[ANN]}", "Accept-Encoding": "gzip"}
    ) as packed:
        body = b"".join(packed.iter_raw())
    assert packed.headers["content-encoding"] == "gzip"
    assert gzip.decompress(body) == plain.content
    assert packed.headers["etag"] == plain.headers["etag"]


def test_a_request_has_a_name(running: Running) -> None:
    assert running.get(DEALS, ANN, headers={"X-Request-ID": "my-request.7"}).headers["x-request-id"] == "my-request.7"
    for bad in ("two words", "x" * 65):
        assert running.get(DEALS, ANN, headers={"X-Request-ID": bad}).headers["x-request-id"] != bad


def test_paths_and_methods_that_are_none_are_told_as_results(running: Running) -> None:
    assert running.get("/nothing", ANN).json()["error"]["code"] == "unknown"
    answer = running.client.post(DEALS, headers={"Authorization": f"Bearer {running.tokens[ANN]}"})
    assert (answer.status_code, answer.json()["error"]["code"]) == (405, "not_allowed")


# --- trouble --------------------------------------------------------------------------------------------------------


def test_a_database_that_is_away_is_told_and_comes_back(running: Running) -> None:
    away = Database("postgresql://nobody:secret-word@127.0.0.1:1/v2")
    settings_ = generous()
    api = Api(settings_, Database(away.url, connect_deadline_s=0.2))

    async def ask() -> httpx.Response:
        async with api.store.opened():
            transport = httpx.ASGITransport(api.app)
            async with httpx.AsyncClient(transport=transport, base_url="http://api") as client:
                ready = await client.get("/ready")
                assert (ready.status_code, ready.json()) == (503, {"database": "away"})
                assert (await client.get("/health")).status_code == 200, "a restart would not help"
                return await client.get(DEALS, headers={"Authorization": f"Bearer {running.tokens[ANN]}"})

    answer = asyncio.run(ask())
    assert answer.status_code == 503
    assert answer.json()["error"]["code"] == "away"
    assert answer.headers["retry-after"]
    for inner in ("127.0.0.1", "secret-word", "select", "psycopg"):
        assert inner not in answer.text


def test_connections_that_died_are_replaced_without_anybody_noticing(running: Running) -> None:
    for _ in range(3):
        assert running.get(DEALS, ANN).status_code == 200
    with psycopg.connect(running.database.url, autocommit=True) as connection:
        connection.execute(
            "select pg_terminate_backend(pid) from pg_stat_activity where datname = current_database()"
            " and pid <> pg_backend_pid()"
        )
    assert running.get(DEALS, ANN).status_code == 200
    assert running.get("/ready").json() == {"database": "ok"}


def test_an_answer_that_takes_too_long_is_given_up_and_says_what_helps(running: Running) -> None:
    slow = Database(as_api(running.database.url), statement_timeout_s=0.001)
    api = Api(generous(), slow)

    async def ask() -> list[httpx.Response]:
        client = httpx.AsyncClient(transport=httpx.ASGITransport(api.app), base_url="http://api")
        async with api.store.opened(), client:
            headers = {"Authorization": f"Bearer {running.tokens[ADMIN]}"}
            return [await client.get("/transactions/participants?per_page=200", headers=headers) for _ in range(5)]

    told = {answer.json()["error"]["code"] for answer in asyncio.run(ask()) if answer.status_code == 503}
    assert told == {"too_slow"}


def test_liveness_asks_for_no_token_and_the_details_do(running: Running) -> None:
    assert running.get("/health").status_code == 200
    assert running.get("/pipeline/health").status_code == 401
    for user in USERS:
        entities = {item["entity"] for item in running.items(user, "/pipeline/health")}
        assert f"e{user}" in entities
        if user in (ANN, LONE):
            assert entities == {f"e{user}"}


def test_the_documents_of_the_application_are_open_and_hold_no_data(running: Running) -> None:
    document: dict[str, Any] = running.client.get("/openapi.json").json()
    assert document["paths"].keys() >= {endpoint.path for endpoint in CATALOGUE}
    personal = document["components"]["schemas"]["leads_fub_people_item"]["properties"]["email"]
    assert personal["x-personal"] is True


def test_without_a_token_nothing_is_answered_but_what_is_said_to_be_open(running: Running) -> None:
    document = running.client.get("/openapi.json").json()
    for path, methods in document["paths"].items():
        for method in methods:
            at, body = path.format(integration="fub"), {} if method == "post" else None
            whole = {"params": {"handle": "run:x"}, "headers": {"Idempotency-Key": "x"}}
            answer = running.client.request(method, at, json=body, **whole)
            assert answer.status_code == 401, (method, path)
    opened = ("/health", "/ready", "/docs", "/openapi.json")
    for path in (*opened, "/", "/redoc", "/docs/oauth2-redirect", "/metrics", "/static/x", "/openapi.yaml"):
        answer = running.client.get(path)
        assert answer.status_code == (200 if path in opened else 404), path
        assert not any(f"user{user}@" in answer.text for user in USERS)


def test_the_page_for_people_loads_nothing_and_says_what_is_open(running: Running) -> None:
    page = running.client.get("/docs")
    assert page.status_code == 200 and page.headers["Content-Type"].startswith("text/html")
    assert not re.findall(r"<script|<link|<img|<iframe|@import|url\(|https?://", page.text)
    assert page.headers["Content-Security-Policy"].startswith("default-src 'none';")
    for endpoint in CATALOGUE:
        assert f"<code>GET {endpoint.path}</code>" in page.text and endpoint.what in html.unescape(page.text)
    opened, _, asking = page.text.partition("Everything else asks for")
    assert asking and all(path in opened for path in ("this page", "/openapi.json", "/health", "/ready"))
    with httpx.Client(
        base_url=running.client.base_url, trust_env=False, headers={"Accept-Encoding": "identity"}
    ) as bare:
        assert bare.get("/docs").text == page.text


def test_what_is_open_to_everybody_is_written_once(running: Running) -> None:
    for path in ("/docs", "/openapi.json"):
        first = running.client.get(path)
        assert "public" in first.headers["Cache-Control"]
        assert [running.client.get(path).content for _ in range(5)] == [first.content] * 5
        plain = running.client.get(path, headers={"Accept-Encoding": "identity"})
        assert plain.content == first.content and "content-encoding" not in plain.headers


def test_a_flood_of_questions_whether_it_lives_asks_the_database_once_a_moment(database: Database) -> None:
    asked: list[float] = []
    with served(database, generous()) as (api, client):
        alive = api.store.alive

        async def counted() -> bool:
            asked.append(time.monotonic())
            return await alive()

        api.store.alive = counted  # type: ignore[method-assign]
        with ThreadPoolExecutor(20) as threads:
            codes = list(threads.map(lambda _: client.get("/ready").status_code, range(200)))
    assert codes == [200] * 200 and asked
    assert all(later - sooner > ALIVE_FOR_S for sooner, later in pairwise(asked))
