"""Two answers to one request: the same facts in other words are the same, and what differs is found and named."""

from __future__ import annotations

from typing import Any

import orjson
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from v2_assets.api.catalogue import ENDPOINTS
from v2_assets.api.shadow.answers import FORMS, Comparer, Difference

CODES = {"closed": frozenset({"Closed"}), "soldclosed": frozenset({"Closed"})}


def comparer(path: str = "/transactions/all", **renamed: str) -> Comparer:
    return Comparer(ENDPOINTS[path], renamed, frozenset({"password"}), CODES)


def page(*rows: dict[str, Any], **more: Any) -> bytes:
    shape = {"itemsReceived": len(rows), "curPage": 1, "nextPage": None, "itemsTotal": len(rows), "items": rows}
    return orjson.dumps(shape | more)


def found(v1: bytes, v2: bytes, path: str = "/transactions/all", **renamed: str) -> list[tuple[str, str]]:
    return [(each.kind, each.field) for each in comparer(path, **renamed).differences((200, v1), (200, v2))]


OLD = {
    "id": 7, "transaction_id_raw": "d-1", "sale_price": "412,500.5", "closing_date": 1769990400000, "status": "CLOSED",
    "closed": 1, "user_id": 901, "listing_id": 0, "currency": "", "transaction_owner_name": "Ada  Lovelace",
    "password": "x", "created_at": 1,
}  # fmt: skip
NEW = {
    "id": 70_001, "transaction_id_raw": "d-1", "sale_price": 412500.50, "closing_date": "2026-02-02",
    "status": "Closed", "closed": True, "user_id": 3, "listing_id": None, "currency": None,
    "transaction_owner_name": "Ada Lovelace", "source": "rezen", "created_at": "2026-01-01T00:00:00Z",
}  # fmt: skip


def test_other_numbers_names_forms_and_order_are_no_difference() -> None:
    assert found(page(OLD), page(NEW)) == []
    old = {("price" if name == "sale_price" else name): value for name, value in OLD.items()}
    assert found(page(old), page(NEW), price="sale_price") == []
    other = NEW | {"transaction_id_raw": "d-2"}
    assert found(page(OLD, OLD | {"transaction_id_raw": "d-2"}), page(other, NEW)) == []


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("sale_price", 412500.51),
        ("closing_date", "2026-02-03"),
        ("status", "Pending"),
        ("closed", False),
        ("user_id", None),
        ("listing_id", 5),
        ("currency", "USD"),
        ("transaction_owner_name", "ada lovelace"),
    ],
)
def test_a_value_that_differs_is_found_and_its_field_is_named(field: str, value: Any) -> None:
    assert found(page(OLD), page(NEW | {field: value})) == [("value", field)]


def test_rows_fields_totals_and_shapes_that_differ_are_found() -> None:
    second = {"transaction_id_raw": "d-2"}
    assert found(page(OLD, OLD | second), page(NEW)) == [
        ("row only in V1", ""),
        ("total", "itemsTotal"),
        ("total", "itemsReceived"),
    ]
    assert found(page(OLD, itemsTotal=None, itemsReceived=None), page(NEW, NEW | second)) == [("row only in V2", "")]
    assert found(page(OLD | {"commission_note": "a"}), page(NEW)) == [("field only in V1", "commission_note")]
    assert found(b"[]", b"null") == found(b"{}", page()) == found(b"<html>", page()) == [("shape", "")]
    answers = comparer().differences((200, page()), (500, b""))
    assert answers == [Difference("status")]
    assert comparer().differences((401, b"no"), (401, b"refused")) == [], "both refuse"


def test_a_row_that_is_missing_on_one_of_several_pages_may_be_on_another() -> None:
    (difference, *_) = comparer().differences((200, page(OLD, nextPage=2)), (200, page()))
    assert (difference.kind, difference.whole, difference.key) == ("row only in V1", False, ("d-1", 0))


def test_a_bare_list_is_a_list_of_rows_too() -> None:
    assert found(orjson.dumps([OLD]), page(NEW)) == []


def test_two_rows_of_one_key_are_two_rows() -> None:
    assert found(page(OLD, OLD), page(NEW, NEW)) == []
    assert ("row only in V1", "") in found(page(OLD, OLD), page(NEW))


@pytest.mark.parametrize("answer", [b"12", b'{"count": 12}', b'{"items": [{"count": 12}]}', b'[{"count": 12}]'])
def test_a_count_is_read_however_it_is_wrapped(answer: bytes) -> None:
    assert found(answer, b'{"items": [{"count": 12}]}', "/listings/count") == []
    assert found(answer, b'{"items": [{"count": 13}]}', "/listings/count") == [("total", "count")]
    assert found(b"{}", answer, "/listings/count") == [("shape", "")]


def test_figures_are_told_apart_by_their_words_and_periods() -> None:
    old = [{"status": "Closed", "currency": "USD", "transactions": 2, "volume": 10.004}]
    new = [{"status": "Closed", "currency": "USD", "transactions": 2, "volume": "10.00"}]
    assert found(orjson.dumps(old), page(*new, itemsTotal=None), "/transactions/metrics") == []
    assert found(orjson.dumps(old), page(new[0] | {"volume": 11}), "/transactions/metrics") == [("value", "volume")]


def test_a_record_is_compared_with_what_belongs_to_it() -> None:
    old, new = OLD | {"participants": [{}, {}]}, NEW | {"participants": [{}]}
    assert found(orjson.dumps(old), orjson.dumps(new), "/transactions/details") == [("total", "participants")]
    assert found(orjson.dumps(OLD), orjson.dumps(NEW), "/transactions/details") == []


_SCALARS = st.none() | st.booleans() | st.integers() | st.floats() | st.text()
_ANYTHING = st.recursive(_SCALARS, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner))


@example("document", -(2**63) - 1)
@example("day", -99_999_999_999)
@given(st.sampled_from(sorted(FORMS)), _ANYTHING)
def test_every_form_takes_whatever_a_system_may_write_and_says_the_same_of_the_same(form: Any, value: Any) -> None:
    assert repr(FORMS[form](value)) == repr(FORMS[form](value))
