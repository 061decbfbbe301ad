"""Two answers to one request, V1's and V2's, brought to one form and compared. Pure; no value leaves this module.

Both systems number rows by themselves, so an id is only compared as present or absent; rows are matched by what the
sources call them. Here: forms and differences. Not here: why they differ (`reasons`), and who asks (`proxy`).
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime
from decimal import Decimal, InvalidOperation
from typing import Any, Literal

import orjson

from v2_assets.api.endpoint import Endpoint, Type
from v2_assets.schema.describe import foreign_keys, table_named

Kind = Literal["status", "shape", "row only in V1", "row only in V2", "value", "field only in V1", "total"]
Key = tuple[Any, ...]

#: Ours alone, in every table: V1 has nothing to compare them with, or its own.
_OURS = frozenset({"source", "source_updated_at", "created_at", "updated_at", "deleted_at"})
#: Where a list of rows may be in V1's answer.
_LISTS = ("items", "data", "result", "results")
_TOTALS = ("itemsTotal", "itemsReceived")


@dataclass(frozen=True, slots=True)
class Difference:
    """One difference. `key` tells the row while it is being explained and is never stored; `whole`: both sides' lists
    were complete, so that a row that is missing here is on no other page."""

    kind: Kind
    field: str = ""
    key: Key | None = None
    whole: bool = True


@dataclass(frozen=True, slots=True)
class Comparer:
    """How the answers of one endpoint are compared. `codes` are what V1's words mean in V2; `renamed` V1's names."""

    endpoint: Endpoint
    renamed: Mapping[str, str]
    left_out: frozenset[str]
    codes: Mapping[str, frozenset[str]]

    def differences(self, v1: tuple[int, bytes], v2: tuple[int, bytes]) -> list[Difference]:
        """What differs between two answers (status, body)."""
        if self.endpoint.kind == "record" and {v1[0], v2[0]} == {200, 404}:
            return self._alone("row only in V1", v1[1]) if v1[0] == 200 else self._alone("row only in V2", v2[1])
        if v1[0] != v2[0]:
            return [Difference("status")]
        if v1[0] >= 300:
            return []  # both refuse
        try:
            ours, theirs = orjson.loads(v2[1]), orjson.loads(v1[1])
        except orjson.JSONDecodeError:
            return [Difference("shape")]
        if self.endpoint.kind == "count":
            counts = _count(theirs), _count(ours)
            return (
                [Difference("shape")] if None in counts else [Difference("total", "count")] * (counts[0] != counts[1])
            )
        if self.endpoint.kind == "record":
            return self._record(theirs, ours)
        rows = _rows(theirs), _rows(ours)
        if rows[0] is None or rows[1] is None:
            return [Difference("shape")]
        found = self._rows(rows[0], rows[1], whole=_whole(theirs) and _whole(ours))
        if isinstance(theirs, Mapping) and isinstance(ours, Mapping):
            found += [
                Difference("total", name)
                for name in _TOTALS
                if theirs.get(name) is not None and theirs[name] != ours.get(name)
            ]
        return found

    def _alone(self, kind: Kind, body: bytes) -> list[Difference]:
        """A record that only one side has."""
        row = parsed(body)
        return [Difference("shape") if row is None else Difference(kind, "", (*self.key(row), 0))]

    def _record(self, theirs: Any, ours: Any) -> list[Difference]:
        if not isinstance(theirs, Mapping) or not isinstance(ours, Mapping):
            return [] if theirs is ours is None else [Difference("shape")]
        key = (*self.key(theirs), 0)
        found = self._values(theirs, ours, key)
        for part in self.endpoint.parts:
            both = theirs.get(part.name), ours.get(part.name)
            if both[0] is not None and len(both[0] or ()) != len(both[1] or ()):
                found.append(Difference("total", part.name, key))
        return found

    def _rows(self, theirs: Sequence[Any], ours: Sequence[Any], whole: bool) -> list[Difference]:
        left, right = self._by_key(theirs), self._by_key(ours)
        found = [Difference("row only in V1", "", key, whole) for key in left if key not in right]
        found += [Difference("row only in V2", "", key, whole) for key in right if key not in left]
        for key, row in left.items():
            if key in right:
                found += self._values(row, right[key], key)
        return found

    def _values(self, theirs: Mapping[str, Any], ours: Mapping[str, Any], key: Key) -> list[Difference]:
        named = {self.renamed.get(name, name): value for name, value in theirs.items() if name not in self.left_out}
        forms = self._forms()
        found = []
        for name, value in named.items():
            if name in _OURS or name in {part.name for part in self.endpoint.parts}:
                continue
            if name not in ours:
                found.append(Difference("field only in V1", name, key))
            elif name in forms and not self._same(forms[name], value, ours[name]):
                found.append(Difference("value", name, key))
        return found

    def _same(self, form: Callable[[Any], Any], theirs: Any, ours: Any) -> bool:
        left, right = form(theirs), form(ours)
        return left == right or (isinstance(left, str) and right in self.codes.get(_word(left), frozenset()))

    def _forms(self) -> dict[str, Callable[[Any], Any]]:
        references = _references(self.endpoint.table)
        return {
            field.name: _present if field.name == "id" or field.name in references else FORMS[field.type]
            for field in self.endpoint.fields
        }

    def _by_key(self, rows: Sequence[Any]) -> dict[Key, Mapping[str, Any]]:
        """Rows by what tells them apart; a second one of the same key gets a number."""
        found: dict[Key, Mapping[str, Any]] = {}
        for row in rows:
            key = self.key(row)
            number = 0
            while (*key, number) in found:
                number += 1
            found[*key, number] = row
        return found

    def key(self, row: Mapping[str, Any]) -> Key:
        """What tells a row from others in both systems: the natural key without numbers of our own.

        Figures, and tables whose key is nothing else, are told apart by their words, days and periods.
        """
        named = {self.renamed.get(name, name): value for name, value in row.items()}
        forms = self._forms()
        return tuple(forms[name](named.get(name)) for name in self.keyed_by())

    def keyed_by(self) -> tuple[str, ...]:
        """The fields of `key`."""
        references = _references(self.endpoint.table)
        if self.endpoint.table:
            natural = table_named(self.endpoint.table).info["natural_key"]
            told = tuple(name for name in natural if name not in references and name not in ("source", "id"))
            if told:
                return told
        return tuple(
            field.name
            for field in self.endpoint.fields
            if field.name not in references | _OURS
            and (field.type in ("text", "day") or field.name in ("tier", "period_year", "period_month"))
        )


def parsed(body: bytes) -> Mapping[str, Any] | None:
    """The one row that an answer is, or None."""
    try:
        row = orjson.loads(body)
    except orjson.JSONDecodeError:
        return None
    return row if isinstance(row, Mapping) else None


def _references(table: str | None) -> frozenset[str]:
    """Columns that hold numbers of our own: of rows in other tables."""
    return frozenset(column for column, *_ in foreign_keys(table_named(table))) if table else frozenset()


def _rows(answer: Any) -> list[Any] | None:
    """The rows of an answer, or None where there is no list of objects."""
    found = answer
    if isinstance(answer, Mapping):
        found = next((answer[name] for name in _LISTS if isinstance(answer.get(name), list)), None)
    if not isinstance(found, list) or not all(isinstance(row, Mapping) for row in found):
        return None
    return found


def _whole(answer: Any) -> bool:
    return not isinstance(answer, Mapping) or (answer.get("nextPage") is None and answer.get("curPage") in (None, 1))


def _count(answer: Any) -> int | None:
    """The number of an answer that is a number, or has one, or is a list of one that has one."""
    if isinstance(answer, Mapping):
        named = [answer[name] for name in ("count", "total", "itemsTotal") if name in answer]
        answer = named[0] if named else (_rows(answer) or [None])[0]
    elif isinstance(answer, list):
        answer = answer[0] if answer else None
    if isinstance(answer, Mapping):
        answer = answer.get("count")
    return answer if isinstance(answer, int) and not isinstance(answer, bool) else None


def _present(value: Any) -> bool:
    return value not in (None, 0, "0", "")


def _text(value: Any) -> Any:
    if value is None:
        return None
    text = " ".join(str(value).split())
    return text or None


def _word(text: str) -> str:
    return "".join(letter for letter in text.lower() if letter.isalnum())


def _number(value: Any) -> Any:
    if value is None or value == "":
        return None
    try:
        number = Decimal(str(value).replace(",", "")).quantize(Decimal("0.01"))
    except InvalidOperation:
        return _text(value)
    return number if number.is_finite() else _text(value)


def _whole_number(value: Any) -> Any:
    number = _number(value)
    return int(number) if isinstance(number, Decimal) and number == int(number) else number


def _flag(value: Any) -> Any:
    if value is None or value == "":
        return None
    return str(value).lower() in ("true", "1", "yes", "t")


def _instant(value: Any) -> Any:
    """Seconds since 1970, from milliseconds (Xano), seconds or ISO text; 0 is none."""
    if value in (None, "", 0, "0"):
        return None
    try:
        number = float(value)
    except (TypeError, ValueError, OverflowError):
        number = None
    if number is not None:
        return round(number / 1000 if abs(number) > 1e11 else number) if abs(number) < 1e14 else _text(value)
    try:
        told = datetime.fromisoformat(str(value))
    except ValueError:
        return _text(value)
    return round((told if told.tzinfo else told.replace(tzinfo=UTC)).timestamp())


def _day(value: Any) -> Any:
    if isinstance(value, str):
        try:
            return date.fromisoformat(value[:10]).isoformat()
        except ValueError:
            pass
    seconds = _instant(value)
    try:
        return datetime.fromtimestamp(seconds, UTC).date().isoformat() if isinstance(seconds, int) else seconds
    except (ValueError, OverflowError):  # a year that no calendar has
        return _text(value)


def _labels(value: Any) -> Any:
    if isinstance(value, list):
        return tuple(sorted(filter(None, map(_text, value)))) or None
    return tuple(sorted(filter(None, map(_text, str(value).split(","))))) or None if value else None


def _document(value: Any) -> Any:
    if value in (None, "", [], {}):
        return None
    return json.dumps(value, sort_keys=True)  # orjson takes no number of more than 64 bits


#: What a value of a type is compared as.
FORMS: Mapping[Type, Callable[[Any], Any]] = {
    "text": _text,
    "whole": _whole_number,
    "number": _number,
    "flag": _flag,
    "day": _day,
    "instant": _instant,
    "document": _document,
    "labels": _labels,
}
