"""A model and the database read one value alike: what a model takes, the select reads; what it warns of is null."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import psycopg
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from resources.apis import fields

OFTEN = settings(max_examples=150)
#: What sources have been seen to write, and what a person can mistype.
WRITTEN = [
    *("", " ", "0", "1", "2", "-1", "1.0", "1.5", "12.", ".5", "007", "1e3", "NaN", "Infinity", "0x1F", "1_000", "+5"),
    *("true", "FALSE", "yes", "n", "on", "t", "maybe", "null", "[]", "{}", "80/20", "70 %", "%", "99999", "100000"),
    *(
        "1,000",
        "410,000.00",
        "1,00",
        "1.000,00",
        "12,34",
        "$5",
        "999999999999.99",
        "1000000000000",
        "9" * 19,
        "9" * 101,
    ),
    *("2031-02-03", "2031-2-3", "2031-02-30", "2032-02-29", "2031-02-29", "0202-08-02", "0000-00-00", "0001-01-01"),
    *("2031-02-03T10:00:00Z", "2031-02-03 10:00", "2031-02-03T10:00:00.123456789+0530", "2031-02-03T10:00:00 -07:00"),
    *(
        "2031-02-03T24:00:00Z",
        "2031-02-03T23:59:60Z",
        "2031-02-03T10:00:00utc",
        "2031-02-03t10:00:00z",
        "20310203T100000Z",
    ),
    *("2031-W05-1", "2031-02-03T10:00:00,5Z", "2031-02-03T10:00:00+15:00", "2031-02-03T10:00:00+14:59", "9999-12-31"),
    *(
        "1899-12-31T23:59:59-05:00",
        "2199-12-31T23:59:59-05:00",
        "1900-01-01",
        "2200-01-01",
        "1757700000",
        "1757700000000",
    ),
    *("1757700000000.5", "-2208988800", "-2208988801", "7258118399", "7258118400"),
]
numbers = st.integers(-(2**63), 2**63 - 1) | st.floats(allow_nan=False, allow_infinity=False)
scalars = st.none() | st.booleans() | numbers | st.sampled_from(WRITTEN)
#: Words put together from pieces: near misses that no list has.
words = st.lists(st.sampled_from(["2", "0", "-", "31", ":", "T", "Z", ".", ",", "+", " ", "12", "e", "%"]), max_size=12)
values = scalars | words.map("".join) | st.lists(scalars, max_size=2)
shapes = values | st.fixed_dictionaries({"amount": values, "value": values})

KINDS: list[tuple[Callable[[Any], Any], str]] = [
    (fields.instant_of, "ops.instant(x ->> 'v')"),
    (fields.whole_of, "ops.whole(x -> 'v')"),
    (fields.flag_of, "ops.flag(x -> 'v')"),
    (fields.share_of, "ops.percent(x -> 'v')"),
    (fields.amount_of, "ops.money(x -> 'v')"),
    (fields.bare_amount_of, "coalesce(ops.skyslope_money(x -> 'v'), 0)"),
]


@pytest.mark.parametrize(("read", "function"), KINDS, ids=[read.__name__ for read, _ in KINDS])
@given(value=shapes)
@OFTEN
def test_a_value_is_read_alike_at_the_door_and_in_the_database(
    connection: psycopg.Connection[Any], read: Callable[[Any], Any], function: str, value: Any
) -> None:
    try:
        told, refused = read(value), False
    except ValueError:
        told, refused = None, True
    if refused and read in (fields.amount_of, fields.bare_amount_of):
        return  # such a record is refused, and no select meets it
    [found] = connection.execute(
        f"select {function} from (select %s::jsonb as x) t",  # type: ignore[arg-type]
        [json.dumps({"v": value})],
    ).fetchone() or (None,)
    if read is fields.instant_of and told is not None:
        assert abs((found - told).total_seconds()) < 0.001, "the driver and Postgres round a millionth otherwise"
    else:
        assert found == (told or 0 if read is fields.bare_amount_of else told)
