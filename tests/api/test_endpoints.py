"""What a caller gets: pages, filters, marks of what is known already, limits, and failures that say what to do."""

from __future__ import annotations

import base64
import gzip
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import httpx
import orjson
import psycopg
import pytest
import schemathesis
from fastapi.routing import APIRoute
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from schemathesis import checks

from resources.errors import ConfigError
from resources.postgres import Database
from resources.settings import load_settings
from tests.api.conftest import Running, generous, served
from tests.api.world import ADMIN, ANN, LONE, USERS, build
from v2_assets.api import reference, tokens
from v2_assets.api.app import Api
from v2_assets.api.catalogue import CATALOGUE, ENDPOINTS
from v2_assets.api.endpoint import rows
from v2_assets.api.limit import Limiter
from v2_assets.api.shortcut import Shortcut
from v2_assets.schema.visibility import RULES

PEOPLE, DEALS = "/leads/fub_people", "/transactions/all"


# --- the contract ---------------------------------------------------------------------------------------------------

#: Of the application itself; it needs no database to say what it promises.
SCHEMA = schemathesis.openapi.from_dict(Api(generous(), Database("postgresql://nobody@127.0.0.1:1/v2")).app.openapi())


@pytest.fixture(scope="module")
def contract(running: Running) -> Iterator[Running]:
    yield running


@SCHEMA.parametrize()
@settings(
    max_examples=6, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow]
)
def test_every_answer_is_one_that_the_own_openapi_promises(case: schemathesis.Case, contract: Running) -> None:
    case.headers["Authorization"] = f"Bearer {contract.tokens[ADMIN]}"
    answer = case.call(base_url=str(contract.client.base_url))
    case.validate_response(
        answer,
        checks=[
            checks.not_a_server_error,
            checks.status_code_conformance,
            checks.content_type_conformance,
            checks.response_schema_conformance,
        ],
    )


def test_every_endpoint_reads_only_tables_with_a_rule_and_says_which() -> None:
    for endpoint in CATALOGUE:
        looked_up = {"address"}  # by a function that knows the rule itself
        assert set(endpoint.reads) - looked_up <= set(RULES), endpoint.path
        if endpoint.sql:
            text = (Path(reference.__file__).with_name("figures") / endpoint.sql).read_text(encoding="utf-8")
            found = {word for word in RULES if f"v2.{word} " in text or f"{word} s\n" in text}
            assert found == set(endpoint.reads), endpoint.path


def test_a_column_that_does_not_exist_cannot_be_put_into_the_catalogue() -> None:
    with pytest.raises(ValueError, match="no_such"):
        rows("/x", "agent", "x", filters="no_such")


def test_the_shortcut_answers_with_the_functions_that_openapi_is_written_from() -> None:
    app = Api(generous(), Database("postgresql://nobody@127.0.0.1:1/v2")).app
    shortcut = next(layer for layer in app.user_middleware if layer.cls is Shortcut)
    promised = {route.path: route.endpoint for route in app.routes if isinstance(route, APIRoute)}
    assert shortcut.kwargs["answers"] == {endpoint.path: promised[endpoint.path] for endpoint in CATALOGUE}


def test_the_reference_page_is_what_the_catalogue_says() -> None:
    assert reference.differs() is False, "run: python -m v2_assets.api.reference"


# --- pages ----------------------------------------------------------------------------------------------------------


def test_page_numbers_have_the_shape_of_v1(running: Running) -> None:
    total = len(running.world.may_see(ADMIN, "transaction"))
    page = running.get(DEALS, ADMIN, params={"page": 2, "per_page": 10}).json()
    assert {key: page[key] for key in page if key not in ("items", "nextCursor")} == {
        "itemsReceived": 10, "curPage": 2, "nextPage": 3, "prevPage": 1, "offset": 10, "perPage": 10,
        "itemsTotal": total, "pageTotal": -(-total // 10),
    }  # fmt: skip
    last = running.get(DEALS, ADMIN, params={"page": -(-total // 10), "per_page": 10}).json()
    assert (last["nextPage"], last["nextCursor"], last["itemsReceived"]) == (None, None, total % 10 or 10)
    empty = running.get(DEALS, ADMIN, params={"page": 90}).json()
    assert (empty["items"], empty["itemsTotal"]) == ([], total)


@pytest.mark.parametrize("path", [e.path for e in CATALOGUE if e.kind == "rows"])
def test_page_numbers_and_the_cursor_show_the_same_rows_in_every_sort(running: Running, path: str) -> None:
    endpoint = ENDPOINTS[path]
    for sort in (sign + name.removeprefix("-") for name in endpoint.sorts for sign in ("", "-")):
        by_cursor = [item["id"] for item in running.walked(ADMIN, path, sort=sort)]
        by_number: list[int] = []
        page: int | None = 1
        while page is not None:
            answer = running.get(path, ADMIN, params={"sort": sort, "page": page, "per_page": 29}).json()
            by_number += [item["id"] for item in answer["items"]]
            page = answer["nextPage"]
        assert by_cursor == by_number, sort
        assert len(set(by_cursor)) == len(by_cursor)


@pytest.mark.parametrize("sort", ["-fub_created_at", "fub_created_at", "id", "-id"])
def test_a_large_table_is_sorted_with_those_that_have_no_value_last(running: Running, sort: str) -> None:
    items = running.walked(ADMIN, PEOPLE, sort=sort)
    name, down = sort.removeprefix("-"), sort.startswith("-")
    with_value = sorted((i for i in items if i[name] is not None), key=lambda i: (i[name], i["id"]), reverse=down)
    without = sorted((i for i in items if i[name] is None), key=lambda i: i["id"], reverse=down)
    assert [i["id"] for i in items] == [i["id"] for i in with_value + without]
    if name != "id":
        assert with_value
        assert without


def test_a_walk_shows_every_row_once_while_rows_are_inserted(database: Database) -> None:
    with database.connect() as connection:
        world = build(connection)
        token = tokens.create(connection, ADMIN, ["read"])[1]
    account = "(select min(id) from v2.fub_accounts)"
    with served(database, generous()) as (_, client):
        for sort in ("id", "-id", "-fub_created_at", "fub_created_at"):
            before, seen, cursor = world.may_see(ADMIN, "fub_people"), [], None
            for number in range(100):
                asked = {"sort": sort, "per_page": "5", **({"cursor": cursor} if cursor else {})}
                page = client.get(PEOPLE, params=asked, headers={"Authorization": f"Bearer {token}"}).json()
                seen += [item["id"] for item in page["items"]]
                cursor = page["nextCursor"]
                if cursor is None:
                    break
                with database.connect() as connection:
                    connection.execute(
                        "insert into v2.fub_people (fub_account_id, fub_people_id_raw, user_id, fub_created_at, source)"
                        f" values ({account}, %s, %s, %s, 'test')",
                        [
                            10**6 + hash(sort) % 10**6 * 100 + number,
                            ANN,
                            datetime(2026, 1, 1, tzinfo=UTC) + timedelta(days=number * 9),
                        ],
                    )
            assert len(seen) == len(set(seen))
            assert before <= set(seen)


def test_a_cursor_of_another_sort_or_made_up_is_refused(running: Running) -> None:
    cursor = running.get(PEOPLE, ADMIN, params={"per_page": 5}).json()["nextCursor"]
    made_up = [cursor + "x", "x", "", "é", base64.urlsafe_b64encode(b'["-fub_created_at", 7, 1]').decode()]
    wrong = [("no day", 1), ("\x00", 1), ("2026-01-01", 2**63), (None, None), (None, True)]
    made_up += [base64.urlsafe_b64encode(orjson.dumps(["-fub_created_at", *pair])).decode() for pair in wrong]
    for sort, text in [("id", cursor), *(("-fub_created_at", text) for text in made_up)]:
        answer = running.get(PEOPLE, ADMIN, params={"sort": sort, "cursor": text})
        assert answer.status_code == 422, text
        assert answer.json()["error"]["code"] == "bad_request"


def test_page_numbers_end_where_reading_would_begin_to_cost(running: Running) -> None:
    answer = running.get(PEOPLE, ADMIN, params={"page": 201, "per_page": 50})
    assert answer.status_code == 422
    assert "cursor" in answer.json()["error"]["hint"]


def test_the_largest_tables_are_counted_only_on_request(running: Running) -> None:
    assert running.get(PEOPLE, ADMIN).json()["itemsTotal"] is None
    counted = running.get(PEOPLE, ADMIN, params={"totals": "exact", "per_page": 10}).json()
    total = len(running.world.may_see(ADMIN, "fub_people"))
    assert (counted["itemsTotal"], counted["pageTotal"]) == (total, -(-total // 10))
    assert running.get(DEALS, ADMIN, params={"totals": "none"}).json()["itemsTotal"] is None


# --- filters and search ---------------------------------------------------------------------------------------------


def test_filters_are_typed_and_hold_together(running: Running) -> None:
    every = running.walked(ADMIN, DEALS)
    closed = running.walked(ADMIN, DEALS, closed="true", status=["Active", "Pending"])
    assert {i["id"] for i in closed} == {
        i["id"] for i in every if i["closed"] is True and i["status"] in ("Active", "Pending")
    }
    day = sorted(i["contract_date"] for i in every if i["contract_date"])[3]
    later = running.walked(ADMIN, DEALS, contract_date_from=day)
    assert {i["id"] for i in later} == {i["id"] for i in every if i["contract_date"] and i["contract_date"] >= day}
    dear = running.walked(ADMIN, DEALS, sale_price_from="12.50", sale_price_to="410.75")
    assert {i["id"] for i in dear} == {
        i["id"] for i in every if i["sale_price"] is not None and Decimal("12.5") <= Decimal(str(i["sale_price"]))
    }
    people = running.walked(ADMIN, PEOPLE, user_id=[ANN, LONE])
    assert {i["id"] for i in people} == running.world.may_see(ANN, "fub_people")


def test_search_takes_what_is_typed_as_text(running: Running) -> None:
    every = running.walked(ADMIN, DEALS)
    columns = ENDPOINTS[DEALS].search
    for text in ("%", "_", "\\", "'x", "raw 5", "PENDING", "%' or true --"):
        found = {i["id"] for i in running.walked(ADMIN, DEALS, search=text)}
        assert found == {i["id"] for i in every if any(text.lower() in (i[c] or "").lower() for c in columns)}, text


def test_contacts_are_found_by_the_beginning_of_words_and_numbers(database: Database) -> None:
    with database.connect() as connection:
        build(connection)
        token = tokens.create(connection, ANN, ["read"])[1]
        connection.execute(
            "update v2.fub_people set people_name = 'Zoë O''Brien-Xavier', email = 'Zoe.Ob@Example.com',"
            " phone = '+1 (555) 010-7788' where id in (select min(id) from v2.fub_people where user_id = %s"
            " union select min(id) from v2.fub_people where user_id = %s)", [ANN, LONE],
        )  # fmt: skip
    with served(database, generous()) as (_, client):
        for text, found in (
            ("zoë", 1), ("o'bri", 1), ("xav zo", 1), ("zoe.ob@exa", 1), ("1555010", 1), ("brien nobody", 0), ("oë", 0),
            ("' | 'a", 0), ("!", 0), ("a & b:*", 0), ("\\", 0), ("''", 0),
        ):  # fmt: skip
            answer = client.get(PEOPLE, params={"search": text}, headers={"Authorization": f"Bearer {token}"})
            assert answer.status_code == 200, text
            assert answer.json()["itemsReceived"] == found, text


@pytest.mark.parametrize(
    ("path", "parameters", "named"),
    [
        (DEALS, {"statu": "x"}, "statu"),
        (DEALS, {"status": "x" * 201}, "status"),
        (DEALS, {"closed": "perhaps"}, "closed"),
        (DEALS, {"team_id": "1;drop table"}, "team_id"),
        (DEALS, {"team_id": str(2**63)}, "team_id"),
        (DEALS, {"contract_date_from": "1767225600"}, "contract_date_from"),
        (DEALS, {"contract_date_from": "2026-02-30"}, "contract_date_from"),
        (DEALS, {"updated_at_from": "2026-01-01T00:00:00"}, "updated_at_from"),
        (DEALS, {"sale_price_from": "NaN"}, "sale_price_from"),
        (DEALS, {"status": "a\x00b"}, "status"),
        (DEALS, {"search": "\x00"}, "search"),
        (DEALS, {"search": ""}, "search"),
        (DEALS, {"sort": "user_id"}, "sort"),
        (DEALS, {"sort": "id; drop table v2.agent"}, "sort"),
        (DEALS, {"page": "0"}, "page"),
        (DEALS, {"per_page": "201"}, "per_page"),
        (DEALS, {"totals": "some"}, "totals"),
        ("/transactions/details", {}, "id"),
        ("/listings/count", {"page": "1"}, "page"),
        ("/charts/revenue-trends", {"since": "yesterday"}, "since"),
    ],
)
def test_a_parameter_that_is_unknown_or_cannot_be_read_is_named_and_not_repeated(
    running: Running, path: str, parameters: dict[str, str], named: str
) -> None:
    answer = running.get(path, ANN, params=parameters)
    assert answer.status_code == 422
    document = answer.json()
    assert (document["success"], document["data"], document["step"]) == (False, None, path)
    assert document["error"]["context"]["parameters"] == [named]
    assert named in document["error"]["message"]
    assert "drop table" not in answer.text


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


# --- who may ask, and how often -------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "header",
    ["", "Bearer", "Bearer x", "Basic eDp5", "Bearer v2_" + "A" * 43, "Bearer v2_" + "A" * 44, "bearer é"],
)
def test_without_a_token_of_ours_nothing_is_answered(running: Running, header: str) -> None:
    answer = running.client.get(DEALS, headers={"Authorization": header.encode()})
    assert answer.status_code == 401
    assert answer.headers["www-authenticate"] == "Bearer"
    assert answer.json()["error"]["code"] == "no_token"


def test_a_token_ends_when_it_is_revoked_or_expires_and_is_good_only_for_its_scope(database: Database) -> None:
    with database.connect() as connection:
        build(connection)
        number, good = tokens.create(connection, ANN, ["read"], label="test")
        ended = tokens.create(connection, ANN, ["read"], expires_at=datetime.now(UTC) - timedelta(seconds=1))[1]
        narrow = tokens.create(connection, ANN, ["tasks"])[1]
    with served(database, generous()) as (_, client):

        def status(token: str) -> int:
            return client.get(DEALS, headers={"Authorization": f"Bearer {token}"}).status_code

        assert [status(token) for token in (good, ended, narrow)] == [200, 401, 403]
        with database.connect() as connection:
            assert tokens.revoke(connection, number) is True
            assert tokens.revoke(connection, number) is False
        assert status(good) == 401
    with database.connect() as connection:
        listed = {row["id"]: row for row in tokens.listed(connection, ANN)}
        assert [row["state"] for row in listed.values()] == ["good", "expired", "revoked"]
        assert listed[number]["last_used_at"] is not None
        assert good not in repr(listed)
        stored = connection.execute("select t::text from ops.api_token t").fetchall()
        assert good not in repr(stored)


@pytest.mark.parametrize(("text", "days"), [("30d", 30), ("2w", 14), ("48h", 2), (None, None)])
def test_how_long_a_token_lives_is_said_in_words(text: str | None, days: int | None) -> None:
    ends = tokens.expiry(text)
    if days is None or ends is None:
        assert ends is days
        return
    assert abs((ends - datetime.now(UTC)).total_seconds() - days * 86400) < 60


def test_bad_tokens_cannot_be_made(database: Database) -> None:
    with database.connect() as connection:
        build(connection)
        for scopes in ([], ["write"]):
            with pytest.raises(ConfigError, match="scope"):
                tokens.create(connection, ANN, scopes)
        with pytest.raises(ConfigError, match="no token 77"):
            tokens.revoke(connection, 77)
    with pytest.raises(ConfigError, match="soon"):
        tokens.expiry("soon")


def test_who_asks_too_often_is_told_when_to_come_again(running: Running) -> None:
    few = load_settings(api_requests_per_minute=60, api_burst=3, api_connections=2)
    with served(running.database, few) as (_, client):
        headers = {user: {"Authorization": f"Bearer {running.tokens[user]}"} for user in (ANN, LONE)}
        answers = [client.get("/listings/count", headers=headers[ANN]) for _ in range(8)]
        refused = [answer for answer in answers if answer.status_code == 429]
        assert [answer.status_code for answer in answers[:3]] == [200, 200, 200]
        assert refused
        assert int(refused[0].headers["retry-after"]) >= 1
        assert refused[0].json()["error"]["retryable"] is True
        assert client.get("/listings/count", headers=headers[LONE]).status_code == 200


@given(gaps=st.lists(st.floats(0, 3), min_size=1, max_size=80), burst=st.integers(1, 10))
def test_in_no_window_a_token_gets_more_than_its_burst_and_its_rate(gaps: list[float], burst: int) -> None:
    now = 0.0
    limiter = Limiter(60, burst, clock=lambda: now)
    granted: list[float] = []
    for gap in gaps:
        now += gap
        wait = limiter.take("a")
        if wait == 0:
            granted.append(now)
        else:
            now += wait + 1e-6
            assert limiter.take("a") == 0
            granted.append(now)
    for first in range(len(granted)):
        for last in range(first, len(granted)):
            assert last - first + 1 <= burst + (granted[last] - granted[first]) * 1.0 + 1.001


# --- trouble --------------------------------------------------------------------------------------------------------


def test_a_database_that_is_away_is_told_and_comes_back(running: Running) -> None:
    away = Database("postgresql://nobody:secret-word@127.0.0.1:1/v2")
    settings_ = generous()
    api = Api(settings_, Database(away.url, connect_deadline_s=0.2))
    import asyncio

    async def ask() -> httpx.Response:
        async with api.store.opened():
            transport = httpx.ASGITransport(api.app)
            async with httpx.AsyncClient(transport=transport, base_url="http://api") as client:
                health = await client.get("/health")
                assert (health.status_code, health.json()) == (503, {"database": "away"})
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
    assert running.get("/health").json() == {"database": "ok"}


def test_an_answer_that_takes_too_long_is_given_up_and_says_what_helps(running: Running) -> None:
    from tests.api.conftest import as_api

    slow = Database(as_api(running.database.url), statement_timeout_s=0.001)
    api = Api(generous(), slow)
    import asyncio

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
    assert running.client.get("/docs").status_code == 200
