"""What the clients of all sources share: turning an answer into records, and knowing when a list ends."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

import orjson
from pydantic import BaseModel, ConfigDict, ValidationError

from resources.errors import NotUnderstood, PagingBroken
from resources.http.endpoint import Endpoint
from resources.http.redact import without_secrets
from resources.reading import Problem, Record

#: A list that is longer than this many pages is reported, never silently cut.
MOST_PAGES = 20_000


class SourceModel(BaseModel):
    """A record as a source promises it: what we depend on is typed, everything else is kept as it comes."""

    model_config = ConfigDict(extra="allow", frozen=True)


def find_list(document: Any, endpoint: Endpoint, source: str, named: str | None = None) -> list[Any]:
    """The records of an answer, under any of the endpoint's known keys (in any case). Raises NotUnderstood for none.

    An empty list is a list; an absent one is an error, so that a renamed key can never look like "nothing there".
    """
    if isinstance(document, list) and endpoint.root_list:
        return document
    if isinstance(document, dict):
        by_name = {key.lower(): value for key, value in document.items()}
        for key in (*([named] if named else []), *endpoint.lists):
            value = by_name.get(key.lower())
            if isinstance(value, list):
                return value
    shape = sorted(document)[:12] if isinstance(document, dict) else type(document).__name__
    raise NotUnderstood(
        f"{source} {endpoint.name} answered without any list this program knows ({', '.join(endpoint.lists)})",
        hint="nothing was changed; look whether the source renamed the list, and add the new name to its endpoint",
        context={"source": source, "endpoint": endpoint.name, "found": shape},
    )


@dataclass(slots=True)
class Progress:
    """Notices a list that does not end: a position seen before, a page without a new id, too many pages."""

    source: str
    endpoint: str
    positions: set[str] = field(default_factory=set)
    ids: set[str] = field(default_factory=set)
    pages: int = 0

    def page(self, ids: Iterable[str], position: str | None) -> bool:
        """Counts a page. False when it had no new id (the list has ended). Raises PagingBroken for a loop or a cap."""
        self.pages += 1
        fresh = set(ids) - self.ids
        self.ids |= fresh
        if position is not None and position in self.positions:
            raise self._broken("gave a page token that it had given before")
        if position is not None:
            self.positions.add(position)
        if self.pages > MOST_PAGES:
            raise self._broken(f"has more than {MOST_PAGES} pages")
        return bool(fresh)

    def _broken(self, what: str) -> PagingBroken:
        return PagingBroken(
            f"{self.source} {self.endpoint} {what}",
            hint="the pass is not complete, so nothing is deleted; what was read is stored",
            context={"source": self.source, "endpoint": self.endpoint, "pages": self.pages},
        )


def record_of(
    raw: Any,
    model: type[SourceModel],
    *,
    source_id: Callable[[dict[str, Any]], str | None],
    updated: Callable[[dict[str, Any]], datetime | None],
    context: dict[str, Any] | None = None,
) -> Record:
    """One record: secrets dropped, context added under `_v2`, checked against its model. Never raises.

    A record that is broken is handed on with its problem; one without a usable id gets a stable one from its content.
    """
    if not isinstance(raw, dict):
        return Record(_unidentified(raw), {"_raw": raw}, None, Problem("invalid_record", None, type(raw).__name__))
    payload = without_secrets(raw)
    if context:
        payload["_v2"] = context
    payload, unstorable = storable(payload)
    identity = source_id(payload)
    if identity is None:
        return Record(_unidentified(payload), payload, None, Problem("invalid_record", "id", "missing or no id"))
    if unstorable:
        return Record(
            identity, payload, None, Problem("invalid_record", unstorable, "characters that cannot be stored")
        )
    problem = problem_of(payload, model)
    if problem:
        return Record(identity, payload, None, problem)
    return Record(identity, payload, updated(payload))


def problem_of(payload: dict[str, Any], model: type[SourceModel]) -> Problem | None:
    """Why a payload breaks its model: the field's path and the kind of value found, never the value."""
    try:
        model.model_validate(payload)
    except ValidationError as error:
        first = error.errors(include_url=False, include_context=False)[0]
        path = ".".join(str(part) for part in first["loc"]) or None
        return Problem("invalid_record", path, f"{type(first['input']).__name__}: {first['type']}")
    return None


def storable(value: Any, path: str = "") -> tuple[Any, str | None]:
    """The value without NUL characters and lone surrogates (Postgres takes neither), and where the first one was."""
    if isinstance(value, str):
        if "\x00" not in value and not any("\ud800" <= c <= "\udfff" for c in value):
            return value, None
        clean = value.replace("\x00", "").encode("utf-8", "replace").decode("utf-8")
        return clean, path or "?"
    if isinstance(value, dict):
        found: str | None = None
        result = {}
        for key, item in value.items():
            name, bad_name = storable(key, path)
            result[name], bad = storable(item, f"{path}.{name}" if path else str(name))
            found = found or bad or bad_name
        return result, found
    if isinstance(value, list):
        found = None
        items = []
        for number, item in enumerate(value):
            clean, bad = storable(item, f"{path}.{number}")
            items.append(clean)
            found = found or bad
        return items, found
    return value, None


def _unidentified(raw: Any) -> str:
    digest = hashlib.blake2b(orjson.dumps(raw, option=orjson.OPT_SORT_KEYS, default=str), digest_size=12)
    return f"unidentified:{digest.hexdigest()}"


def positive_id(value: Any) -> str | None:
    """A whole, positive id as text (a number, or digits as text); None for anything else."""
    if isinstance(value, bool) or value is None:
        return None
    text = str(value)
    return text if text.isdecimal() and int(text) > 0 else None


def iso_instant(value: Any) -> datetime | None:
    """An ISO 8601 instant; without a zone it is UTC, as Follow Up Boss writes it. None for anything else."""
    if not isinstance(value, str) or not value:
        return None
    try:
        then = datetime.fromisoformat(value)
    except ValueError:
        return None
    return then if then.tzinfo else then.replace(tzinfo=UTC)


def epoch_ms(value: Any) -> datetime | None:
    """An instant from epoch milliseconds (13 digits), as reZEN writes it. None for anything else."""
    if isinstance(value, bool) or not isinstance(value, int | float | str):
        return None
    try:
        return datetime.fromtimestamp(float(value) / 1000, UTC)
    except (ValueError, OverflowError, OSError):
        return None
