"""One row of V1 in all the forms in which its values come, and what is refused."""

from __future__ import annotations

from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from resources.apis import validate
from resources.apis.xano import ENTITIES, TABLES, plain_name, record_of_row
from resources.storable import storable
from tests.apis.damage import ODD
from v2_assets.staging.store import payload_hash

INSTANT = 1769990400123


@pytest.mark.parametrize(
    ("column", "told", "kept"),
    [
        ("last_login", [INSTANT, str(INSTANT), "2026-02-02T00:00:00.123Z", "2026-02-02 00:00:00.123+0000",
                        datetime(2026, 2, 2, 0, 0, 0, 123000, tzinfo=UTC)], INSTANT),
        ("last_login", [1769990400, "1769990400"], 1769990400000),  # seconds by mistake
        ("last_login", [-86400000000, "1967-04-07T00:00:00Z"], -86400000000),
        ("last_login", [0, "0", "", None, "  ", "0001-01-01T00:00:00Z"], None),
        ("birthdate", ["1980-05-17", "1980-05-17T00:00:00Z", "1980-05-17 00:00:00", date(1980, 5, 17)], "1980-05-17"),
        ("birthdate", ["", None, 0, "0001-01-01"], None),
        ("agent_id", [12, "12", 12.0, Decimal(12)], 12),
        ("agent_id", [0, "0", "", None, 0.0], None),
        ("agent_id", ["0c5b7a9e-6f3e-4a43-9f0d-0a8c1de1a111", UUID("0c5b7a9e-6f3e-4a43-9f0d-0a8c1de1a111")],
         "0c5b7a9e-6f3e-4a43-9f0d-0a8c1de1a111"),
        ("active", [True, "true", "t", 1, "1", "TRUE"], True),
        ("active", [False, "false", "f", 0, "0", "no"], False),
        ("active", [None, ""], None),
        ("first_name", ["Ada"], "Ada"),
        ("first_name", ["", "  ", None], None),
        ("avatar", ["/vault/a.png", {"path": "/vault/a.png", "size": 3}], "/vault/a.png"),
    ],
)  # fmt: skip
def test_a_value_has_one_form_however_it_came(column: str, told: list[Any], kept: Any) -> None:
    records = [record_of_row("user", {"id": 1, column: value}) for value in told]
    assert [record.problem for record in records] == [None] * len(told)
    assert {orjson.dumps(record.payload[column]) for record in records} == {orjson.dumps(kept)}


@pytest.mark.parametrize(
    ("told", "kept"),
    [(412500.5, "412500.5"), ("412,500.50", "412500.5"), (Decimal("412500.50"), "412500.5"), (0, "0"), ("-50", "-50"),
     (1800.0, "1800"), ("", None), (None, None), (123456789012.34, "123456789012.34")],
)  # fmt: skip
def test_amounts_are_decimals_as_text(told: Any, kept: str | None) -> None:
    record = record_of_row("transaction", {"id": 1, "sale_price": told})
    assert (record.payload["sale_price"], record.problem) == (kept, None)


@pytest.mark.parametrize(
    ("column", "value"),
    [("sale_price", "a lot"), ("sale_price", "1000000000000000"), ("sale_price", True), ("closing_date", "soon"),
     ("closing_date", "2026-02-30"),
     ("closed", "perhaps"), ("closed", 2), ("listing_id", -4), ("listing_id", "x"), ("updated_at", "yesterday")],
)  # fmt: skip
def test_what_fits_no_form_is_kept_and_refused_with_its_column(column: str, value: Any) -> None:
    record = record_of_row("transaction", {"id": 1, "transaction_id_raw": "t", column: value})
    assert record.problem and (record.problem.reason, record.problem.field) == ("invalid_record", column)
    assert record.payload[column] == value
    assert validate("xano", "transaction", record.payload) == record.problem, "and `v2 retry` refuses it again"


def test_a_column_that_is_absent_stays_absent_and_one_that_is_null_stays_null() -> None:
    assert record_of_row("team", {"id": 1}).payload == {"id": 1}
    assert record_of_row("team", {"id": 1, "status": None}).payload == {"id": 1, "status": None}


def test_columns_that_are_not_listed_are_dropped_whatever_they_are_called() -> None:
    row = {"id": 1, "email": "a@example.test", "password": "x", "magic": {"token": "t"}, "ssn": "1", "notes": "private"}
    assert set(record_of_row("user", row).payload) == {"id", "email"}


def test_the_stamp_is_when_v1_says_that_it_changed_the_row() -> None:
    assert record_of_row("user", {"id": 1, "updated_at": INSTANT}).source_updated_at == datetime(
        2026, 2, 2, 0, 0, 0, 123000, tzinfo=UTC
    )
    assert record_of_row("user", {"id": 1, "created_at": INSTANT}).source_updated_at is None


def test_json_within_text_is_json() -> None:
    told = [["UT", "ID"], '["UT", "ID"]']
    assert [record_of_row("title_agencies", {"id": 1, "states": x}).payload["states"] for x in told] == [
        ["UT", "ID"]
    ] * 2


@pytest.mark.parametrize(
    ("name", "plain"),
    [("title - orders", "title_orders"), ("🏠 title - orders ", "title_orders"), ("User", "user"),
     ("closing disclosure", "closing_disclosure")],
)  # fmt: skip
def test_tables_are_found_however_people_decorate_their_names(name: str, plain: str) -> None:
    assert plain_name(name) == plain


def test_no_table_lists_a_column_that_could_hold_a_secret() -> None:
    from resources.http.redact import is_secret

    assert not [c for entity in ENTITIES for c in TABLES[entity].columns if is_secret(c) or "token" in c]


@given(
    st.sampled_from(ENTITIES),
    st.dictionaries(
        st.sampled_from(sorted({c for e in ENTITIES for c in TABLES[e].columns})),
        st.none() | st.booleans() | st.integers() | st.floats() | st.text() | st.lists(st.integers(), max_size=2)
        | st.dictionaries(st.text(), st.text(), max_size=2),
    ),
)  # fmt: skip
def test_any_row_becomes_a_record_that_can_be_stored_and_comes_out_the_same_twice(entity: str, row: dict) -> None:
    record = record_of_row(entity, row)
    assert record.source_id
    payload_hash(record.payload)
    if record.problem is None:
        again = record_of_row(entity, record.payload)
        assert (again.payload, again.problem) == (record.payload, None)


@pytest.mark.parametrize("odd", [*ODD, 1e300, float("inf"), float("nan"), "1e999999", "-1e-999999"])
def test_no_value_in_any_column_keeps_its_row_from_being_a_record(odd: Any) -> None:
    for entity, table in TABLES.items():
        for column in table.columns:
            record = record_of_row(entity, {"id": 7, column: odd})
            assert not storable(record.payload)[1]
            assert len(orjson.dumps(record.payload)) < 40_000
