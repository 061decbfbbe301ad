"""The Qualia client against answers that its users have reported, and that the sandbox does not give."""

from __future__ import annotations

import base64
from datetime import UTC, datetime
from typing import Any

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from resources.apis.title.graphql import _errors
from resources.apis.title.models import MODELS
from resources.apis.title.orders import key_of, order_id
from resources.apis.title.surfaces import SURFACES, document, environment_of
from resources.errors import ConfigError, NotUnderstood, PagingBroken, SourceError, SourceUnavailable, Unauthorized
from resources.reading import ReadRequest
from tests.apis.clients import ids_of, pages_of, records_of, title
from tests.http.loopback import Asked, Handler, Reply, in_turn, json_reply, loopback


def page(*rows: Any) -> Reply:
    return json_reply({"data": {"orders": {"orders": list(rows)}}})


async def read(handler: Handler, **more: Any) -> tuple[list[Any], list[Asked]]:
    async with loopback(handler) as server, title(f"{server.url}/graphql") as client:
        pages = await pages_of(client.read("orders", ReadRequest(**more)))
    return pages, server.asked


async def fails(handler: Handler) -> SourceError:
    with pytest.raises(SourceError) as caught:
        await read(handler)
    return caught.value


async def test_every_request_carries_the_pair_as_basic_and_goes_to_the_address_as_it_is_written() -> None:
    _, asked = await read(in_turn(page({"_id": "aB"}), page()))
    assert {a.path for a in asked} == {"/graphql"}
    assert {a.headers["authorization"] for a in asked} == {"Basic " + base64.b64encode(b"api-1:pw").decode()}
    assert [orjson.loads(a.body)["variables"] for a in asked] == [{"limit": 50, "offset": n} for n in (0, 1)]


async def test_a_short_page_is_not_the_end_and_an_empty_one_is() -> None:
    pages, asked = await read(in_turn(page({"_id": "a"}), page({"_id": "A"}, {"_id": "b"}), page()))
    assert ids_of(pages) == ["a", "A", "b"]
    assert len(asked) == 3


@pytest.mark.parametrize(
    "document",
    [
        {"data": {"orders": None}},
        {"data": {}},
        {"data": None},
        {},
        [],
        {"data": {"orders": {"orders": {}}}},
        {"data": {"orders": {"orders": []}}, "errors": [{"message": "no"}]},
        {"data": {"orders": {"orders": [{"_id": "a"}]}}, "errors": [{"message": "no", "path": ["orders"]}]},
        {"data": {"orders": {"orders": [{"_id": "a"}]}}, "errors": {"message": "no list of errors"}},
        {"data": {"orders": {"orders": [{"_id": "a"}]}}, "errors": ["a word"]},
    ],
)
async def test_an_answer_without_a_clean_list_is_a_failure(document: Any) -> None:
    assert isinstance(await fails(in_turn(json_reply(document))), NotUnderstood)


async def test_the_source_s_own_code_is_kept_and_its_words_are_cleaned() -> None:
    error = {"message": "pat@example.test may not, call 801 555 0100", "extensions": {"code": "GATED"}}
    caught = await fails(in_turn(json_reply({"data": None, "errors": [error]})))
    assert caught.context["codes"] == ["GATED"]
    assert "pat@" not in str(caught) and "0100" not in str(caught)


@pytest.mark.parametrize("code", ["UNAUTHENTICATED", "UNAUTHORIZED"])
async def test_refused_credentials_in_an_answer_of_status_200_are_refused_credentials(code: str) -> None:
    caught = await fails(
        in_turn(json_reply({"data": None, "errors": [{"message": "x", "extensions": {"code": code}}]}))
    )
    assert isinstance(caught, Unauthorized)


async def test_html_in_place_of_json_does_not_hide_the_status() -> None:
    assert isinstance(await fails(in_turn(Reply(b"<html>", 503))), SourceUnavailable)
    assert isinstance(await fails(in_turn(Reply(b"<html>", 401))), Unauthorized)
    assert isinstance(await fails(in_turn(Reply(b"<html>", 200))), NotUnderstood)


async def test_no_order_is_asked_for_by_a_name_that_could_be_a_query() -> None:
    pages, asked = await read(in_turn(page(), json_reply({"data": {"o0": None}})), known={'"){x}': None, "aB": None})
    assert len(asked) == 2
    assert b"{x}" not in asked[1].body
    assert pages[-1].complete


async def test_an_alias_that_is_not_answered_is_a_failure() -> None:
    with pytest.raises(NotUnderstood):
        await read(in_turn(page(), json_reply({"data": {}})), known={"aB": None})


@pytest.mark.parametrize("surface", ["platform", "api"])
def test_a_surface_whose_schema_is_gated_is_not_guessed_at(surface: str) -> None:
    with pytest.raises(ConfigError, match="gated schema"):
        title("http://127.0.0.1/graphql", surface=surface)


def test_documents_have_balanced_braces_and_no_comments() -> None:
    assert SURFACES[0] == "partner"
    for name in ("orders", "open_orders", "order", "users", "agencies"):
        text = document("partner", name)
        assert text.count("{") == text.count("}") > 0
        assert "#" not in text and "ORDER" not in text


@pytest.mark.parametrize(
    ("url", "environment"),
    [
        ("https://connect.qualia.io/api/partner/graphql", "production"),
        ("https://api.qualia.com/graphql", "production"),
        ("https://sandbox-marketplace.qualia.io/api/vendor/graphql", "sandbox"),
        ("https://qa-connect.qualia.io/api/partner/graphql", "sandbox"),
        ("http://127.0.0.1:8000/title/api/partner/graphql", "sandbox"),
        ("https://sandboxtitle.qualia.io/graphql", "production"),
    ],
)
def test_the_host_says_which_of_the_worlds_it_is(url: str, environment: str) -> None:
    assert environment_of(url) == environment


@given(
    st.recursive(
        st.none() | st.booleans() | st.integers() | st.text(), lambda c: st.lists(c) | st.dictionaries(st.text(), c)
    )
)
def test_errors_of_any_shape_are_read(value: Any) -> None:
    assert bool(_errors(value)) is (value is not None and value != [])


@given(st.text())
def test_any_text_is_an_id_or_none_and_a_key_keeps_it(text: str) -> None:
    found = order_id(text)
    assert found in (None, text)
    if found:
        assert key_of(f"{found}/open") == (found, None)


@pytest.mark.parametrize("amount", [1, 1.5, "1,000.00", "", " ", None])
def test_amounts_pass_the_model_in_every_shape(amount: Any) -> None:
    MODELS["orders"].model_validate({"_id": "aB", "purchase_price": amount, "progress": None, "properties": None})


# --- one bad neighbour ------------------------------------------------------------------------------------------------


def an_order_s_error(number: int, code: str = "GATED") -> dict[str, Any]:
    return {"message": "no", "path": ["orders", "orders", number, "charges"], "extensions": {"code": code}}


def with_errors(rows: list[str], *broken: int) -> Reply:
    errors = [an_order_s_error(n) for n in broken]
    return json_reply({"data": {"orders": {"orders": [{"_id": i} for i in rows]}}, "errors": errors})


@pytest.mark.parametrize("since", [None, datetime(2031, 3, 1, tzinfo=UTC)])
@pytest.mark.parametrize("last", [["x"], ["x", "y"]])
async def test_orders_with_an_error_on_a_page_of_their_own_do_not_end_the_pass(last: list[str], since: Any) -> None:
    pages, _ = await read(
        in_turn(page({"_id": "a"}, {"_id": "b"}), with_errors(last, *range(len(last))), page()), since=since
    )
    assert ids_of(pages) == ["a", "b", *(f"refused:{i}" for i in last)]
    assert {i for p in pages for i in p.seen} == set(last)
    assert not pages[-1].complete
    told = [r.problem.found for r in records_of(pages) if r.problem]
    assert told == ["an error of the source at orders.charges (GATED)"] * len(last)


async def test_an_organisation_of_one_order_with_an_error_is_read_and_not_complete() -> None:
    pages, _ = await read(in_turn(with_errors(["x"], 0), page()))
    assert ids_of(pages) == ["refused:x"]
    assert not pages[-1].complete


async def test_an_error_for_every_row_of_the_first_page_is_no_list() -> None:
    assert isinstance(await fails(in_turn(with_errors(["x", "y"], 0, 1))), NotUnderstood)


@pytest.mark.parametrize("row", [{"_id": "other"}, {"_id": 7}, "words", {}])
async def test_an_answer_about_another_order_keeps_back_the_one_that_was_asked_for(row: Any) -> None:
    pages, _ = await read(
        in_turn(page(), json_reply({"data": {"o0": {"_id": "a"}, "o1": row}})), known={"a": None, "b": None}
    )
    assert ids_of(pages) == ["a", "refused:b"]
    assert not pages[-1].complete


async def test_orders_whose_turn_it_is_are_asked_for_by_id() -> None:
    answer = json_reply({"data": {"o0": {"_id": "a"}, "o1": {"_id": "long-ago"}}})
    pages, asked = await read(
        in_turn(page(), answer), since=datetime(2031, 3, 1, tzinfo=UTC), keys=("a/open",), again=frozenset({"long-ago"})
    )
    assert ids_of(pages) == ["a", "long-ago"]
    assert len(asked) == 2


async def test_one_order_that_is_kept_back_does_not_keep_its_neighbours_from_a_webhook() -> None:
    def answer(asked: Asked) -> Reply:
        error = {"message": "no", "path": ["o0", "charges"]}
        if b"bad" in asked.body:
            return json_reply({"data": {"o0": {"_id": "bad"}}, "errors": [error]})
        return json_reply({"data": {"o0": {"_id": "good"} if b"good" in asked.body else None}})

    async with loopback(answer) as server, title(f"{server.url}/graphql") as client:
        found = await client.read_some("orders", ["bad", "good", "gone"])
    assert {i: r and r.source_id for i, r in found.items()} == {"good": "good", "gone": None}


async def test_a_server_that_ignores_the_offset_is_found_out_also_where_its_first_row_has_no_id() -> None:
    assert isinstance(await fails(in_turn(page({"_id": None}, {"_id": "a"}))), PagingBroken)
