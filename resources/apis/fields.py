"""Kinds of fields that the models of all sources are made of.

Strict: ids, references to parents, amounts, and the stamps by which a source orders a record's versions. What breaks
one of them refuses the record. Everything else is lenient: what cannot be read is null in V2, and the record carries a
warning. Dates are lenient too: a mistyped one costs its column.

Each kind reads what the function of its name reads in the database (`ops.instant`, `ops.whole`, `ops.flag`,
`ops.percent`, `ops.money`); tests/schema/test_readers.py holds the two to each other.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Annotated, Any

from pydantic import BeforeValidator, Field
from pydantic_core import PydanticCustomError

#: The type of a pydantic error that is a warning, and the code of the warning.
UNREADABLE = "unreadable"
LARGEST = 2**63 - 1
#: Days outside of these years are slips of the pen (0202-08-02) or mean "never" (9999-12-31).
YEARS = range(1900, 2200)
#: What `money`, numeric(14,2), holds.
_MOST = Decimal("999999999999.99")
_FIRST_MILLISECONDS = 10**11
_EPOCH = re.compile(r"-?[0-9]{1,16}(\.[0-9]{1,9})?")
_ISO = re.compile(
    r"([0-9]{4}-[0-9]{2}-[0-9]{2})(?:[T ]((?:[01][0-9]|2[0-3]):[0-5][0-9](?::[0-5][0-9](?:\.[0-9]{1,9})?)?)"
    r" ?(Z|UTC|[+-](?:0[0-9]|1[0-4])(?::?[0-5][0-9])?)?)?",
    re.IGNORECASE,
)
_DECIMAL = re.compile(r"[+-]?([0-9]+\.?[0-9]*|\.[0-9]+)|[+-]?[0-9]{1,3}(,[0-9]{3})+(\.[0-9]+)?")
_WHOLE = re.compile(r"[+-]?[0-9]{1,19}(\.0*)?")
_FLAGS = frozenset({"true", "t", "yes", "y", "on", "1", "false", "f", "no", "n", "off", "0"})


def lenient(read: Callable[[Any], Any]) -> BeforeValidator:
    """A validator by which what `read` refuses is a warning of the record and no reason to refuse it."""

    def warn(value: Any) -> Any:
        try:
            return read(value)
        except ValueError:
            raise PydanticCustomError(UNREADABLE, "cannot be read") from None

    return BeforeValidator(warn)


def text_of(value: Any) -> str | None:
    """The text that `->>` makes of a scalar; None for nothing: null, blank, [] and {}. Raises ValueError."""
    if value is None or value in ([], {}):
        return None
    if isinstance(value, bool | dict | list):
        raise ValueError("no scalar")  # noqa: TRY004 - pydantic makes a refusal of ValueErrors only
    text = format(Decimal(repr(value)), "f") if isinstance(value, float) else str(value)
    return text.strip(" ") or None


def instant_of(value: Any) -> datetime | None:
    """Epoch seconds (up to 11 digits) or milliseconds, a date, or an ISO instant (UTC where it says no zone)."""
    text = text_of(value)
    if text is None:
        return None
    if then := epoch_of(text):
        year = then.year
    elif then := iso_of(text):
        year = int(text[:4])
    else:
        raise ValueError("no instant")
    if year not in YEARS:
        raise ValueError("outside of the years that are believed")
    return then


def epoch_of(text: str) -> datetime | None:
    """Epoch seconds (up to 11 digits) or milliseconds; None for another text. ValueError beyond the calendar."""
    if not _EPOCH.fullmatch(text):
        return None
    number = float(text)
    seconds = number / 1000 if abs(number) >= _FIRST_MILLISECONDS else number
    try:
        return datetime(1970, 1, 1, tzinfo=UTC) + timedelta(seconds=seconds)
    except OverflowError:
        raise ValueError("beyond the calendar") from None


def iso_of(text: str) -> datetime | None:
    """An ISO date or instant with the zone it says, else in UTC; None for another text. ValueError for no such day."""
    parts = _ISO.fullmatch(text)
    if parts is None:
        return None
    day, time, zone = parts.groups()
    zone = {"Z": "+00", "UTC": "+00"}.get((zone or "Z").upper(), zone)
    return datetime.fromisoformat(f"{day}T{time or '00:00'}{zone}")


def whole_of(value: Any) -> int | None:
    """A whole number of 64 bits, as a number or text; 12.0 is one, 12.5 is none."""
    text = text_of(value)
    if text is None:
        return None
    if not _WHOLE.fullmatch(text) or abs(number := int(text.partition(".")[0])) > LARGEST:
        raise ValueError("no whole number")
    return number


def _small_of(value: Any) -> int | None:
    number = whole_of(value)
    if number is not None and not -(2**15) <= number < 2**15:
        raise ValueError("no small number")
    return number


def flag_of(value: Any) -> bool | None:
    """Yes or no in one of the words that Postgres knows, or 0 and 1."""
    if isinstance(value, bool):
        return value
    text = text_of(value)
    if text is None:
        return None
    if text.lower() not in _FLAGS:
        raise ValueError("neither yes nor no")
    return text.lower() in {"true", "t", "yes", "y", "on", "1"}


def amount_of(value: Any) -> Decimal | None:
    """An amount in major units, bare or as {amount, currency}; thousands may be grouped by commas."""
    told = value.get("amount") if isinstance(value, dict) else value
    if told is not value and isinstance(told, dict | list):
        raise ValueError("no amount inside of one")
    text = text_of(told)
    if text is None:
        return None
    amount = _decimal(text)
    if abs(amount) > _MOST:
        raise ValueError("more than an amount can be")
    return amount


def bare_amount_of(value: Any) -> Decimal | None:
    """An amount of a source that writes no objects: one would be read as nothing, so it is refused."""
    if isinstance(value, dict) and value:
        raise ValueError("no bare amount")
    return amount_of(value)


def _decimal(text: str) -> Decimal:
    """The number in a text of at most 100 characters. Raises ValueError."""
    if len(text) > 100 or not _DECIMAL.fullmatch(text):
        raise ValueError("no number")
    return Decimal(text.replace(",", ""))


def share_of(value: Any) -> Decimal | None:
    """A percentage or a fraction, bare, with its sign, or as {value}."""
    text = text_of(value.get("value") if isinstance(value, dict) else value)
    text = text.strip(" %") if text else None
    if not text:
        return None
    share = _decimal(text)
    if abs(share) >= 99999:
        raise ValueError("no share")
    return share


def _reference_of(value: Any) -> int | None:
    number = whole_of(value)
    if number is not None and number < -1:
        raise ValueError("no id")
    return number


def rows_of(value: Any) -> list[dict[str, Any]] | None:
    """A list of objects as it is."""
    if value is not None and not (isinstance(value, list) and all(isinstance(row, dict) for row in value)):
        raise ValueError("no list of objects")
    return value


def _list_of(value: Any) -> list[Any] | None:
    if value is not None and not isinstance(value, list):
        raise ValueError("no list")
    return value


# --- strict: a broken one refuses the record ---------------------------------------------------------------------
#: When the source made or changed the record.
Stamp = Annotated[Any, BeforeValidator(instant_of)]
#: The number of a parent; 0 and -1 stand for nobody.
Reference = Annotated[Any, BeforeValidator(_reference_of)]
Amount = Annotated[Any, BeforeValidator(amount_of)]
BareAmount = Annotated[Any, BeforeValidator(bare_amount_of)]
TextId = Annotated[str, Field(min_length=1, max_length=200)]

# --- lenient: a broken one is null and a warning -----------------------------------------------------------------
Instant = Annotated[Any, lenient(instant_of)]
Whole = Annotated[Any, lenient(whole_of)]
Small = Annotated[Any, lenient(_small_of)]
Flag = Annotated[Any, lenient(flag_of)]
Share = Annotated[Any, lenient(share_of)]
Rows = Annotated[Any, lenient(rows_of)]
Words = Annotated[Any, lenient(_list_of)]
