"""What the columns of a user's file mean: the mapping, how a cell becomes a value, and a suggestion by header names.

Not here: reading the file and storing its rows (`csv`), and what V2 makes of the values (`deals/*.csv.sql`).
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from decimal import Decimal, InvalidOperation
from pathlib import Path
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from resources.errors import V2Error

Kind = Literal["text", "code", "day", "money", "flag", "email", "currency"]

#: The V2 fields a file may fill, and how their cells are read.
FIELDS: Mapping[str, Kind] = {
    "address": "text",
    "status": "code",
    "transaction_type": "code",
    "property_type": "code",
    "representation": "code",
    "mls_num": "text",
    "contract_date": "day",
    "listing_date": "day",
    "closing_date": "day",
    "sale_price": "money",
    "list_price": "money",
    "gross_commission": "money",
    "net_payout": "money",
    "currency": "currency",
    "closed": "flag",
    "terminated": "flag",
    "transaction_owner_name": "text",
    "transaction_owner_email": "email",
    "buyer": "text",
    "seller": "text",
}
#: Header names, in letters and digits only, by which a column is recognised. "id" names the rows.
_HEADERS: Mapping[str, tuple[str, ...]] = {
    "id": ("id", "dealid", "dealno", "dealnumber", "transactionid", "transactionnumber", "fileid", "filenumber"),
    "address": ("address", "propertyaddress", "property", "fulladdress"),
    "status": ("status", "dealstatus", "transactionstatus"),
    "transaction_type": ("type", "dealtype", "transactiontype"),
    "property_type": ("propertytype",),
    "representation": ("representation", "side", "representing"),
    "mls_num": ("mls", "mlsnumber", "mlsnum", "mlsid", "mlsno"),
    "contract_date": ("contractdate", "acceptancedate", "undercontractdate"),
    "listing_date": ("listingdate", "listdate", "listeddate"),
    "closing_date": ("closingdate", "closedate", "closeddate", "settlementdate", "coe"),
    "sale_price": ("saleprice", "salesprice", "price", "soldprice", "purchaseprice", "closeprice"),
    "list_price": ("listprice", "listingprice"),
    "gross_commission": ("grosscommission", "gci", "commission"),
    "net_payout": ("netpayout", "payout", "netcommission"),
    "currency": ("currency",),
    "closed": ("closed",),
    "terminated": ("terminated",),
    "transaction_owner_name": ("agent", "agentname", "owner", "ownername"),
    "transaction_owner_email": ("agentemail", "owneremail", "email"),
    "buyer": ("buyer", "buyername"),
    "seller": ("seller", "sellername"),
}
#: ISO first; then as the United States write it. A file that writes the day first says so with `format`.
_DAYS = ("%Y-%m-%d", "%m/%d/%Y", "%m/%d/%y")
_YES, _NO = frozenset({"yes", "y", "true", "t", "1", "x"}), frozenset({"no", "n", "false", "f", "0"})
_NOTHING = frozenset({"", "-", "n/a", "na", "null", "none"})


class MappingRefused(V2Error):
    """The mapping is not one, or does not fit the file."""

    code = "mapping_refused"


class Unreadable(ValueError):
    """A cell that is not what its column says. The message names what it should be, never what it is."""


class Column(BaseModel):
    """How one column is read. `format` is strptime's, for days; `decimal` the decimal sign of amounts."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    field: str
    format: str | None = None
    decimal: Literal[".", ","] = "."


class FileMapping(BaseModel):
    """A whole mapping file. `name` keeps apart the ids of files that come from different systems."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: str = Field(default="deals", pattern=r"^[A-Za-z0-9_-]{1,40}$")
    id: str | None = None
    delimiter: str | None = Field(default=None, min_length=1, max_length=1)
    encoding: Literal["utf-8", "cp1252", "utf-16"] | None = None
    currency: str | None = Field(default=None, pattern=r"^[A-Z]{3}$")
    columns: dict[str, Column]
    words: dict[str, dict[str, str]] = Field(default_factory=dict)


def load_mapping(path: Path) -> FileMapping:
    """The mapping in a TOML file. Raises MappingRefused naming the key that is wrong."""
    try:
        told = tomllib.loads(path.read_text(encoding="utf-8-sig"))
    except OSError:
        raise MappingRefused("the mapping file cannot be read", hint="is the path right?") from None
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise MappingRefused(f"the mapping is not TOML: {error}") from None
    columns = told.get("columns")
    if isinstance(columns, dict):
        told["columns"] = {c: {"field": how} if isinstance(how, str) else how for c, how in columns.items()}
    try:
        mapping = FileMapping.model_validate(told)
    except ValidationError as error:
        wrong = "; ".join(f"{'.'.join(map(str, e['loc']))}: {e['msg']}" for e in error.errors())
        raise MappingRefused(f"the mapping is not understood: {wrong}") from None
    _check_fields(mapping)
    return mapping


def _check_fields(mapping: FileMapping) -> None:
    unknown = sorted({c.field for c in mapping.columns.values()} - set(FIELDS)) + sorted(
        set(mapping.words) - set(FIELDS)
    )
    if unknown:
        raise MappingRefused(
            f"the mapping names fields that do not exist: {', '.join(unknown)}", hint=f"there are: {', '.join(FIELDS)}"
        )
    fields = [c.field for c in mapping.columns.values() if c.field != "address"]
    twice = sorted({f for f in fields if fields.count(f) > 1})
    if twice:
        raise MappingRefused(f"two columns fill {', '.join(twice)}", hint="only an address may come in parts")
    if not mapping.columns:
        raise MappingRefused("the mapping names no column", hint="`--preview 5` without a mapping suggests one")


def suggested(header: Sequence[str]) -> FileMapping:
    """A mapping by header names. Raises MappingRefused if no column is recognised."""
    plain = {column: re.sub(r"[^a-z0-9]", "", column.lower()) for column in header}
    chosen: dict[str, str] = {}
    for field, names in _HEADERS.items():
        found = next((c for name in names for c, p in plain.items() if p == name), None)
        if found is not None:
            chosen[field] = found
    columns = {column: Column(field=field) for field, column in chosen.items() if field != "id"}
    if not columns:
        raise MappingRefused("no column of the file has a known name", hint="write one: docs/howto/import-csv.md")
    return FileMapping(id=chosen.get("id"), columns=columns)


def as_toml(mapping: FileMapping) -> str:
    """The mapping as a file to be saved and corrected."""
    lines = [f'name = "{mapping.name}"']
    if mapping.id is not None:
        lines.append(f"id = {_quoted(mapping.id)}")
    lines += ["", "[columns]", *(f'{_quoted(c)} = "{how.field}"' for c, how in mapping.columns.items())]
    return "\n".join(lines) + "\n"


def _quoted(text: str) -> str:
    escaped = text.replace("\\", "\\\\").replace('"', '\\"')
    return '"' + re.sub(r"[\x00-\x1f\x7f]", lambda m: f"\\u{ord(m.group()):04x}", escaped) + '"'


def value_of(cell: str, column: Column, words: Mapping[str, str]) -> Any:
    """A cell as JSON: text, a flag, an ISO day or an amount as text; None for an empty one. Raises Unreadable."""
    text = " ".join(cell.replace("\xa0", " ").split())
    if text.lower() in _NOTHING:
        return None
    text = next((meant for word, meant in words.items() if word.casefold() == text.casefold()), text)
    if "\x00" in text:
        raise Unreadable("text without control characters")
    return _READERS[FIELDS[column.field]](text, column)


def _day(text: str, column: Column) -> str:
    if column.format is None:
        text = re.sub(r"[T ]\d{1,2}:\d{2}.*$", "", text)
    for form in (column.format,) if column.format else _DAYS:
        try:
            day = datetime.strptime(text, form).date()  # noqa: DTZ007 - a day has no zone
        except ValueError:
            continue
        if 1900 <= day.year <= 2200:
            return day.isoformat()
    raise Unreadable(f"a date like {column.format or '2031-03-01 or 03/01/2031'}")


def _money(text: str, column: Column) -> str:
    negative = text.startswith("(") and text.endswith(")")
    plain = re.sub(r"^(-?)\s*(?:[A-Z]{1,3})?\s*[$€£]?\s*", r"\1", text.strip("()"))
    plain = re.sub(r"\s*(?:[A-Z]{3}|[$€£])$", "", plain)
    thousands, point = (",", ".") if column.decimal == "." else (".", ",")
    grouped = rf"-?(?:\d+|\d{{1,3}}(?:[{re.escape(thousands)} ']\d{{3}})+)(?:{re.escape(point)}\d+)?"
    if re.fullmatch(grouped, plain, re.ASCII) is None:
        raise Unreadable("an amount of money")
    try:
        amount = Decimal(re.sub(rf"[{re.escape(thousands)} ']", "", plain).replace(point, "."))
    except InvalidOperation:
        raise Unreadable("an amount of money") from None
    if abs(amount) >= Decimal(10) ** 12:
        raise Unreadable("an amount below a million millions")
    return format(-amount if negative else amount, "f")


def _flag(text: str, column: Column) -> bool:
    if text.lower() in _YES | _NO:
        return text.lower() in _YES
    raise Unreadable("yes or no")


def _email(text: str, column: Column) -> str:
    if re.fullmatch(r"[^@\s]+@[^@\s]+", text) is None:
        raise Unreadable("an e-mail address")
    return text.lower()


def _currency(text: str, column: Column) -> str:
    if re.fullmatch(r"[A-Za-z]{3}", text, re.ASCII) is None:
        raise Unreadable("a currency of three letters")
    return text.upper()


_READERS: Mapping[Kind, Callable[[str, Column], Any]] = {
    "text": lambda text, column: text,
    "code": lambda text, column: text,
    "day": _day,
    "money": _money,
    "flag": _flag,
    "email": _email,
    "currency": _currency,
}
