"""The SQL helper functions, value by value."""

from __future__ import annotations

from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

import psycopg
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from v2_assets.schema.codes import state_rows

SHARED = settings(max_examples=50)
NOON = datetime(2025, 9, 12, 18, 0, tzinfo=UTC)


def value(connection: psycopg.Connection, expression: str, *arguments: Any) -> Any:
    row = connection.execute(f"select {expression}", arguments).fetchone()  # type: ignore[arg-type]
    assert row is not None
    return row[0]


@pytest.mark.parametrize(
    ("given_", "wanted"),
    [("", None), ("  \t\n", None), (None, None), (" a ", " a "), ("0", "0")],
)
def test_blank_text_is_null_and_other_text_is_left_as_it_is(
    connection: psycopg.Connection, given_: str | None, wanted: str | None
) -> None:
    assert value(connection, "ops.blank_null(%s)", given_) == wanted


@pytest.mark.parametrize(
    ("given_", "wanted"),
    [
        ("1757700000000", NOON),
        ("1757700000", NOON),
        ("1757700000123", NOON.replace(microsecond=123000)),
        ("2025-09-12T18:00:00Z", NOON),
        ("2025-09-12T18:00:00.123Z", NOON.replace(microsecond=123000)),
        ("2025-09-12T20:00:00+02:00", NOON),
        ("2025-09-12T11:00:00-0700", NOON),
        ("2025-09-12 18:00:00", NOON),
        ("2025-09-12T18:00", NOON),
        ("2025-09-12", datetime(2025, 9, 12, tzinfo=UTC)),
        ("", None),
        (" ", None),
        (None, None),
    ],
)
def test_an_instant_is_read_whatever_its_form(
    connection: psycopg.Connection, given_: str | None, wanted: datetime | None
) -> None:
    connection.execute("set local timezone to 'Asia/Tokyo'")
    assert value(connection, "ops.instant(%s)", given_) == wanted


@pytest.mark.parametrize(
    "given_",
    [
        *("yesterday", "12.09.2025", "2025-13-01", "2025-09-12T25:00:00Z", "1e12", "true", "2025-02-30", "0000-00-00"),
        *("2026-W48-1T10:00:00Z", "20261130T100000Z", "2026-11-30T10:00:00,5Z", "2026-11-30T10:00:00+23:00"),
        *("0202-08-02", "9999-12-31T00:00:00Z", "1899-12-31", "2200-01-01", "9" * 16, "-" + "9" * 16, "1" * 5_000),
    ],
)
def test_what_is_no_instant_of_three_centuries_is_null_and_never_an_error(
    connection: psycopg.Connection, given_: str
) -> None:
    assert value(connection, "ops.instant(%s)", given_) is None
    assert value(connection, "ops.day(%s)", given_) is None
    assert value(connection, "ops.skyslope_day(%s)", given_) is None


@given(st.integers(min_value=-2_000_000_000_000, max_value=7_000_000_000_000))
@SHARED
def test_epoch_milliseconds_keep_every_millisecond(connection: psycopg.Connection, milliseconds: int) -> None:
    back = "round(extract(epoch from ops.epoch_ms({})) * 1000)::bigint"
    assert value(connection, back.format("%s::bigint"), milliseconds) == milliseconds
    assert value(connection, back.format("%s::text"), str(milliseconds)) == milliseconds


@pytest.mark.parametrize(
    ("given_", "wanted"),
    [
        ("2024-02-29", date(2024, 2, 29)),
        ("2025-09-12T23:30:00-05:00", date(2025, 9, 13)),
        ("1757700000000", date(2025, 9, 12)),
        ("", None),
        (None, None),
    ],
)
def test_a_date_stays_the_day_it_was_written_as(
    connection: psycopg.Connection, given_: str | None, wanted: date | None
) -> None:
    connection.execute("set local timezone to 'Pacific/Auckland'")
    assert value(connection, "ops.day(%s)", given_) == wanted


@pytest.mark.parametrize(
    ("given_", "wanted"),
    [
        *(("1", True), ("0", False), ("true", True), ('"0"', False), ('"true"', True), ('""', None), ("null", None)),
        *(("2", None), ("1.5", None), ('"maybe"', None), ("[]", None), ('{"a": 1}', None)),
    ],
)
def test_a_flag_is_read_from_numbers_text_and_booleans(
    connection: psycopg.Connection, given_: str, wanted: bool | None
) -> None:
    assert value(connection, "ops.flag(%s::jsonb)", given_) is wanted


@pytest.mark.parametrize(
    ("given_", "wanted"), [("12", 12), ('"12"', 12), ("12.0", 12), ('" "', None), ("null", None), ("-1", -1)]
)
def test_a_whole_number_is_read_from_numbers_and_text(
    connection: psycopg.Connection, given_: str, wanted: int | None
) -> None:
    assert value(connection, "ops.whole(%s::jsonb)", given_) == wanted


@pytest.mark.parametrize("given_", ["12.5", '"a lot"', "true", "[]", "{}", "9223372036854775808", "1e30", '"1e3"'])
def test_a_broken_number_is_null_never_a_rounding_and_never_an_error(
    connection: psycopg.Connection, given_: str
) -> None:
    assert value(connection, "ops.whole(%s::jsonb)", given_) is None
    assert value(connection, "ops.small(%s::jsonb)", given_) is None


@pytest.mark.parametrize(
    ("given_", "wanted"),
    [
        *(("70", "70"), ('"70 %"', "70"), ('{"value": "12.5"}', "12.5"), ('"80/20"', None), ("100000", None)),
        *(("1e300", None), ("[7]", None), ("true", None), ('" "', None)),
    ],
)
def test_a_share_is_read_or_null_and_never_an_error(
    connection: psycopg.Connection, given_: str, wanted: str | None
) -> None:
    assert value(connection, "ops.percent(%s::jsonb)", given_) == (wanted and Decimal(wanted))


@pytest.mark.parametrize(
    ("given_", "wanted"),
    [("1,000", "1000"), ("410,000.00", "410000"), ("-1,234,567.5", "-1234567.5"), (" 12.50 ", "12.5"), (".5", "0.5")],
)
def test_an_amount_with_grouped_thousands_is_read(connection: psycopg.Connection, given_: str, wanted: str) -> None:
    for shape in ("to_jsonb(%s::text)", "jsonb_build_object('amount', %s::text)"):
        assert value(connection, f"ops.money({shape})", given_) == Decimal(wanted)
    assert value(connection, "ops.skyslope_money(to_jsonb(%s::text))", given_) == Decimal(wanted)


@pytest.mark.parametrize("given_", ["1,00", "1.000,00", "12,34,567", "a dozen", "$5", "true"])
def test_an_amount_that_is_none_or_may_mean_two_things_is_an_error(connection: psycopg.Connection, given_: str) -> None:
    with pytest.raises(psycopg.errors.DataError):
        value(connection, "ops.money(to_jsonb(%s::text))", given_)


@pytest.mark.parametrize(
    ("given_", "amount", "currency"),
    [
        ('{"amount": 12300.25, "currency": "USD"}', "12300.25", "USD"),
        ('{"amount": "12300.25", "currency": "cad"}', "12300.25", "CAD"),
        ('{"amount": 0, "currency": "USD"}', "0", "USD"),
        ('{"amount": -5, "currency": ""}', "-5", None),
        ('{"amount": null, "currency": "USD"}', None, None),
        ("{}", None, None),
        ("922.5", "922.5", None),
        ('"922.50"', "922.50", None),
        ('""', None, None),
        ("null", None, None),
        ("[]", None, None),
    ],
)
def test_money_is_read_in_every_form_and_null_is_never_zero(
    connection: psycopg.Connection, given_: str, amount: str | None, currency: str | None
) -> None:
    assert value(connection, "ops.money(%s::jsonb)", given_) == (None if amount is None else Decimal(amount))
    assert value(connection, "ops.money_currency(%s::jsonb)", given_) == currency


@given(st.decimals(min_value=-(10**11), max_value=10**11, places=2))
@SHARED
def test_money_is_never_bent_by_floating_point(connection: psycopg.Connection, amount: Decimal) -> None:
    assert value(connection, "ops.money(jsonb_build_object('amount', %s::numeric))", amount) == amount
    assert value(connection, "ops.money(to_jsonb(%s::text))", str(amount)) == amount


def test_a_missing_value_is_null_for_every_function(connection: psycopg.Connection) -> None:
    for name in ("flag", "whole", "money", "money_currency", "percent"):
        assert value(connection, f"ops.{name}(null::jsonb)") is None
    for name in ("blank_null", "instant", "day", "epoch_ms", "state_abbreviation", "address_key"):
        assert value(connection, f"ops.{name}(null::text)") is None


@pytest.mark.parametrize(
    ("given_", "wanted"),
    [('{"value": "50"}', "50"), ("0.5", "0.5"), ('"50 %"', "50"), ('"50%"', "50"), ("{}", None), ("null", None)],
)
def test_a_percentage_keeps_the_scale_of_its_source(
    connection: psycopg.Connection, given_: str, wanted: str | None
) -> None:
    assert value(connection, "ops.percent(%s::jsonb)", given_) == (None if wanted is None else Decimal(wanted))


@pytest.mark.parametrize(("abbreviation", "name", "_country"), list(state_rows()))
def test_every_seeded_state_is_known_by_name_code_and_rezen_spelling(
    connection: psycopg.Connection, abbreviation: str, name: str, _country: str
) -> None:
    for spelling in (abbreviation, abbreviation.lower(), name, name.upper().replace(" ", "_"), f" {name}. "):
        assert value(connection, "ops.state_abbreviation(%s)", spelling) == abbreviation


def test_an_unknown_state_is_null(connection: psycopg.Connection) -> None:
    for spelling in ("Narnia", "", "U", "UTAHH"):
        assert value(connection, "ops.state_abbreviation(%s)", spelling) is None


SAME_PLACE = "9 SAMPLE RD UNIT 4 PROVO UT 84601"


@pytest.mark.parametrize(
    "parts",
    [
        ("9 Sample Rd", "4", "Provo", "UT", "84601"),
        (" 9  sample rd. ", "#4", "PROVO", "UTAH", "84601-1234"),
        ("9 Sample Rd, Apt 4", None, "Provo", "Utah", "84601"),
        ("9 Sample Rd Unit 4", "4", "Provo", "ut", "846011234"),
        ("9 Sample Rd", "Suite #4", "Provo", "UT", " 84601 "),
    ],
)
def test_one_place_has_one_key_however_its_parts_are_written(
    connection: psycopg.Connection, parts: tuple[str | None, ...]
) -> None:
    assert value(connection, "ops.address_key(%s, %s, %s, %s, %s)", *parts) == SAME_PLACE


@pytest.mark.parametrize(
    "line",
    [
        "9 Sample Rd #4, Provo, UT 84601",
        "9 Sample Rd., Apartment 4, Provo, Utah 84601-1234, USA",
        "9 SAMPLE RD STE 4 PROVO UT 84601 United States",
        "9 sample rd, no. 4, provo, UTAH, 84601",
    ],
)
def test_an_address_in_one_line_has_the_key_of_its_parts(connection: psycopg.Connection, line: str) -> None:
    assert value(connection, "ops.address_key(%s)", line) == SAME_PLACE


@pytest.mark.parametrize(
    ("line", "wanted"),
    [
        ("12 North Carolina Ave, Washington, DC 20003", "12 NORTH CAROLINA AVE WASHINGTON DC 20003"),
        ("1 King's St, St. John's, Newfoundland and Labrador A1A 1A1, Canada", "1 KINGS ST ST JOHNS NL A1A1A1"),
        ("5 Ocean Blvd, New York, New York", "5 OCEAN BLVD NEW YORK NY"),
        ("somewhere", "SOMEWHERE"),
        (" , ", None),
    ],
)
def test_a_line_is_read_from_its_end(connection: psycopg.Connection, line: str, wanted: str | None) -> None:
    assert value(connection, "ops.address_key(%s)", line) == wanted


def test_an_address_without_street_city_and_code_has_no_key(connection: psycopg.Connection) -> None:
    assert value(connection, "ops.address_key('', ' ', null, 'UT', '')") is None


WORDS = ["9", "No", "#", "Apt", "unit", "Suite", "#4", "no 4", "Sample", "Rd.", "St", "Utah", "UT", "é", ",", "\u00a0"]


@given(
    st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=30)
    | st.lists(st.sampled_from(WORDS), max_size=6).map(" ".join)
)
@SHARED
def test_a_key_is_its_own_key(connection: psycopg.Connection, street: str) -> None:
    key = value(connection, "ops.address_key(%s, '7', 'Provo', 'UT', '84601')", street)
    assert value(connection, "ops.address_key(%s)", key) == key
    assert key == key.strip()
    assert "  " not in key


#: What reads or writes tables, and so is not immutable.
OF_TABLES = {
    "note_changed_keys",
    "row_counts",
    "skyslope_agent",
    "onboard_again",
    "event_of_contact",
    "events_follow_contact",
}


def test_every_function_of_its_arguments_alone_is_immutable_and_parallel_safe(connection: psycopg.Connection) -> None:
    rows = connection.execute(
        "select proname, provolatile, proparallel from pg_proc where pronamespace = 'ops'::regnamespace"
    ).fetchall()
    assert {row[0] for row in rows} >= OF_TABLES
    # Those of the read endpoints are about who is asking (tests/api).
    of_arguments = {row for row in rows if row[0] not in OF_TABLES and not row[0].startswith("api_")}
    assert len(of_arguments) >= 20
    assert {row[1:] for row in of_arguments} == {("i", "s")}
