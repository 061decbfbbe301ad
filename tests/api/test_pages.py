"""What a list answers: pages by number and by cursor, filters, search, and parameters that cannot be read."""

from __future__ import annotations

import base64
from datetime import UTC, datetime, timedelta
from decimal import Decimal

import orjson
import pytest

from tests.api.conftest import Running
from tests.api.world import ADMIN, ANN, LONE
from v2_assets.api.catalogue import CATALOGUE, ENDPOINTS

PEOPLE, DEALS = "/leads/fub_people", "/transactions/all"

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


def test_a_walk_shows_every_row_once_while_rows_are_inserted(changing: Running) -> None:
    account = "(select min(id) from v2.fub_accounts)"
    for place, sort in enumerate(("id", "-id", "-fub_created_at", "fub_created_at"), 1):
        before, seen, cursor = changing.world.may_see(ADMIN, "fub_people"), [], None
        for number in range(100):
            asked = {"sort": sort, "per_page": "5", **({"cursor": cursor} if cursor else {})}
            page = changing.get(PEOPLE, ADMIN, params=asked).json()
            seen += [item["id"] for item in page["items"]]
            cursor = page["nextCursor"]
            if cursor is None:
                break
            with changing.database.connect() as connection:
                connection.execute(
                    "insert into v2.fub_people (fub_account_id, fub_people_id_raw, user_id, fub_created_at, source)"
                    f" values ({account}, %s, %s, %s, 'test')",
                    [10**6 * place + number, ANN, datetime(2026, 1, 1, tzinfo=UTC) + timedelta(days=number * 9)],
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


def test_contacts_are_found_by_the_beginning_of_words_and_numbers(changing: Running) -> None:
    with changing.database.connect() as connection:
        connection.execute(
            "update v2.fub_people set people_name = 'Zoë O''Brien-Xavier', email = 'Zoe.Ob@Example.com',"
            " phone = '+1 (555) 010-7788' where id in (select min(id) from v2.fub_people where user_id = %s"
            " union select min(id) from v2.fub_people where user_id = %s)", [ANN, LONE],
        )  # fmt: skip
    for text, found in (
        ("zoë", 1), ("o'bri", 1), ("xav zo", 1), ("zoe.ob@exa", 1), ("1555010", 1), ("brien nobody", 0), ("oë", 0),
        ("' | 'a", 0), ("!", 0), ("a & b:*", 0), ("\\", 0), ("''", 0),
    ):  # fmt: skip
        answer = changing.get(PEOPLE, ANN, params={"search": text})
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
