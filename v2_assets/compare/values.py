"""V1's values as the snapshot stores them: one Postgres type per kind, and what fits none."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal, InvalidOperation
from typing import Any, LiteralString

import orjson

from resources.apis.xano.tables import Kind
from resources.postgres import JsonText

#: How each kind of V1's values is stored. Ids are text: they are numbers in some tables and UUIDs in others.
TYPES: Mapping[Kind, LiteralString] = {
    "ref": "text", "int": "bigint", "money": "numeric", "bool": "boolean", "ts": "timestamptz", "day": "date",
    "json": "jsonb", "text": "text",
}  # fmt: skip
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_BIGGEST = 2**63 - 1


def fitted(value: Any, kind: Kind) -> Any:
    """A value in its one form (see `resources.apis.xano.rows.listed`) as COPY takes it. Raises ValueError."""
    try:
        return _FITS[kind](value)
    except (TypeError, OverflowError, InvalidOperation):
        raise ValueError(f"no {kind}") from None


def _text(value: Any) -> str:
    if not isinstance(value, str):
        raise TypeError
    return value.replace("\x00", "") if "\x00" in value else value


def _ref(value: Any) -> str:
    if isinstance(value, bool) or not isinstance(value, int | str):
        raise TypeError
    return _text(str(value))


def _int(value: Any) -> int:
    if isinstance(value, bool) or not isinstance(value, int) or abs(value) > _BIGGEST:
        raise TypeError
    return value


def _money(value: Any) -> Decimal:
    return Decimal(value) if isinstance(value, str) else Decimal(_int(value))


def _bool(value: Any) -> bool:
    if not isinstance(value, bool):
        raise TypeError
    return value


def _ts(value: Any) -> datetime:
    return _EPOCH + timedelta(milliseconds=_int(value))


def _day(value: Any) -> date:
    return date.fromisoformat(value)


def _document(value: Any) -> JsonText:
    encoded = orjson.dumps(value, default=str)
    # Postgres keeps no NUL in a document.
    return JsonText(re.sub(rb"(?<!\\)((?:\\\\)*)\\u0000", rb"\1", encoded))


_FITS: Mapping[Kind, Callable[[Any], Any]] = {
    "ref": _ref, "int": _int, "money": _money, "bool": _bool, "ts": _ts, "day": _day, "json": _document, "text": _text,
}  # fmt: skip
