"""One row of V1 as a Record, the same whether it comes by the API, from a file or from a copy in Postgres.

Each way in writes a value in its own manner (an instant as milliseconds, as ISO text or as a timestamp); here it gets
one form, so that a row which came twice is seen to be the same row. What fits no form is left as it is and refused by
the table's model.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from datetime import UTC, date, datetime
from decimal import Decimal, InvalidOperation
from typing import Annotated, Any
from uuid import UUID

import orjson
from pydantic import AfterValidator, Field, StringConstraints, create_model

from resources.apis.records import SourceModel, epoch_or_iso, record_of
from resources.apis.xano.tables import TABLES, Kind, V1Table
from resources.reading import Record

_DAY = re.compile(r"\d{4}-\d{2}-\d{2}")
#: No real instant of the product's life is outside of this; a date column that holds "0001-01-01" means none.
_FIRST_YEAR = 1800
#: No id or number of V1 is as large, and no amount has as many digits.
_BEYOND_WHOLE = 10**19
_MOST_DIGITS = 40


def record_of_row(entity: str, raw: Any) -> Record:
    """The row with its listed columns in their one form. Never raises: what is broken carries its problem."""
    table = TABLES[entity]
    if isinstance(raw, Mapping):
        raw = listed(raw, table.columns)
    return record_of(raw, MODELS[entity], source_id=_id, updated=lambda row: _instant(row.get("updated_at")))


def listed(row: Mapping[str, Any], columns: Mapping[str, Kind]) -> dict[str, Any]:
    """The columns that may be read, each in its one form; what fits no form stays as it came."""
    return {name: _FORMS[kind](row[name]) for name, kind in columns.items() if name in row}


def _id(row: dict[str, Any]) -> str | None:
    value = row.get("id")
    return str(value) if isinstance(value, int | str) and not isinstance(value, bool) else None


def _instant(value: Any) -> datetime | None:
    return epoch_or_iso(value) if isinstance(value, int) and value > 0 else None


def _blank(value: Any) -> bool:
    return value is None or (isinstance(value, str) and not value.strip())


def _int(value: Any) -> Any:
    if _blank(value) or isinstance(value, bool):
        return None if _blank(value) else value
    if isinstance(value, UUID):
        return str(value)
    if isinstance(value, str) and re.fullmatch(r"[+-]?\d{1,18}", value.strip()):
        return int(value)
    if isinstance(value, float | Decimal) and abs(value) < _BEYOND_WHOLE and value % 1 == 0:
        return int(value)
    return value


def _ref(value: Any) -> Any:
    """The id of a row elsewhere: a number or, where a table has them, a UUID; 0 and nothing are none."""
    number = _int(value)
    return None if number in (0, None, "0") else number


def _money(value: Any) -> Any:
    if _blank(value) or isinstance(value, bool):
        return None if _blank(value) else value
    try:
        number = Decimal(str(value).strip().replace(",", ""))
    except InvalidOperation:
        return value
    # Written out, 1e999999 would be a megabyte of zeros.
    if not number.is_finite() or abs(number.adjusted()) > _MOST_DIGITS:
        return value
    text = format(number, "f")
    return (text.rstrip("0").rstrip(".") if "." in text else text) or "0"


_TRUTH = {"true": True, "t": True, "1": True, "yes": True, "false": False, "f": False, "0": False, "no": False}


def _bool(value: Any) -> Any:
    if _blank(value):
        return None
    return _TRUTH.get(str(value).strip().lower(), value)


def _ts(value: Any) -> Any:
    """Milliseconds since 1970. 0 means none, as Xano writes an instant that was never set."""
    if isinstance(value, datetime):
        value = (value if value.tzinfo else value.replace(tzinfo=UTC)).isoformat()
    if _blank(value) or value in (0, "0"):
        return None
    # Xano's own objects and Postgres write "2026-01-02 03:04:05+0000".
    then = epoch_or_iso(value.strip() if isinstance(value, str) else value)
    if then is None:
        return value
    return round(then.timestamp() * 1000) if then.year >= _FIRST_YEAR else None


def _day(value: Any) -> Any:
    if isinstance(value, datetime):
        value = value.date()
    if isinstance(value, date):
        value = value.isoformat()
    if _blank(value) or value in (0, "0"):
        return None
    if isinstance(value, str) and _DAY.match(value.strip()) and (len(value.strip()) == 10 or value.strip()[10] in "T "):
        value = value.strip()[:10]
        return None if int(value[:4]) < _FIRST_YEAR else value
    then = epoch_or_iso(value)
    return value if then is None else then.date().isoformat()


def _json(value: Any) -> Any:
    if _blank(value):
        return None
    if isinstance(value, str):
        try:
            return orjson.loads(value)
        except orjson.JSONDecodeError:
            return value
    return value


def _text(value: Any) -> Any:
    if _blank(value):
        return None
    if isinstance(value, dict | list):
        # An attachment is an object about the file; its path is what a text column would hold.
        return value.get("url") or value.get("path") if isinstance(value, dict) else value
    return value if isinstance(value, str) else str(value)


_FORMS: Mapping[Kind, Callable[[Any], Any]] = {
    "int": _int, "ref": _ref, "money": _money, "bool": _bool, "ts": _ts, "day": _day, "json": _json, "text": _text,
}  # fmt: skip


def _an_id(value: Any) -> Any:
    if value is None or (isinstance(value, int) and not isinstance(value, bool) and value > 0):
        return value
    if isinstance(value, str) and 8 <= len(value) <= 64:
        return value
    raise ValueError("neither a positive number nor a UUID")


_Id = Annotated[Any, AfterValidator(_an_id)]
_TYPES: Mapping[Kind, Any] = {
    "int": Annotated[int | None, Field(strict=True)],
    "ref": _Id,
    # What numeric(14,2) holds.
    "money": Annotated[str | None, StringConstraints(pattern=r"^-?\d{1,12}(\.\d+)?$")],
    "bool": Annotated[bool | None, Field(strict=True)],
    "ts": Annotated[int | None, Field(strict=True)],
    "day": Annotated[date | None, Field(strict=False)],
    "json": Any,
    "text": Annotated[str | None, Field(strict=True)],
}  # fmt: skip


def _model(entity: str, table: V1Table) -> type[SourceModel]:
    fields: dict[str, Any] = {name: (_TYPES[kind], None) for name, kind in table.columns.items()}
    fields["id"] = (_Id, ...)
    return create_model(f"V1{entity.title().replace('_', '')}", __base__=SourceModel, **fields)


MODELS: dict[str, type[SourceModel]] = {entity: _model(entity, table) for entity, table in TABLES.items()}
