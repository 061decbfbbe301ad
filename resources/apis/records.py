"""From a row of a source's answer to a Record: secrets out, context in, characters that can be stored, model checked.

The models themselves are with their source; what all of them share (instants, whole ids) is here.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Iterable
from datetime import UTC, datetime
from typing import Any

from pydantic import BaseModel, ConfigDict, ValidationError

from resources.apis.fields import UNREADABLE
from resources.http.redact import without_secrets
from resources.reading import FieldWarning, Problem, Record

#: Deeper documents are no records of anything; they would only exhaust the stack.
DEEPEST = 100
#: Whole numbers beyond 64 bits fit no column and no canonical JSON.
_LARGEST = 2**63 - 1
_FIRST_MILLISECONDS = 10**11
#: A list whose every element is broken is no news after the first ones.
MOST_WARNINGS = 20


class SourceModel(BaseModel):
    """A record as a source promises it: what we depend on is typed, everything else is kept as it comes."""

    model_config = ConfigDict(extra="allow", frozen=True, allow_inf_nan=False)


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
    try:
        clean, unstorable = storable(without_secrets(raw))
    except RecursionError:
        return Record(_of_its_keys(raw), {}, None, Problem("invalid_record", None, "nested too deeply"))
    if not isinstance(clean, dict):
        return Record(unidentified(clean), {"_raw": clean}, None, Problem("invalid_record", None, type(raw).__name__))
    payload: dict[str, Any] = clean
    payload.pop("_v2", None)  # ours alone: no source may speak in our name
    if context:
        payload["_v2"] = context
    identity = source_id(payload)
    if identity is None:
        return Record(unidentified(payload), payload, None, Problem("invalid_record", "id", "missing or no id"))
    problem = (
        Problem("invalid_record", unstorable or None, "cannot be stored as it is") if unstorable is not None else None
    )
    told, warnings = judged(payload, model)
    problem = problem or told
    return Record(identity, payload, None if problem else updated(payload), problem, warnings)


def judged(payload: dict[str, Any], model: type[SourceModel]) -> tuple[Problem | None, tuple[FieldWarning, ...]]:
    """Why a payload breaks its model, if it does, and what of it could not be read: paths and kinds, never a value."""
    problem: Problem | None = None
    warnings: list[FieldWarning] = []
    try:
        model.model_validate(payload)
    except ValidationError as error:
        for each in error.errors(include_url=False, include_context=False):
            path = ".".join(str(part) for part in each["loc"])
            kind = type(each["input"]).__name__
            if each["type"] == UNREADABLE:
                warnings.append(FieldWarning(UNREADABLE, path, kind))
            elif problem is None:
                problem = Problem("invalid_record", path or None, f"{kind}: {each['type']}")
    return problem, tuple(warnings[:MOST_WARNINGS])


def storable(value: Any, _depth: int = 0) -> tuple[Any, str | None]:
    """The value as Postgres can take it, and the path of the first part that had to be changed.

    NUL characters go, lone surrogates become `?`, whole numbers beyond 64 bits become text. Raises RecursionError.
    """
    if isinstance(value, str):
        if value.isascii() and "\x00" not in value:
            return value, None
        clean = value.replace("\x00", "").encode("utf-8", "replace").decode("utf-8")
        return clean, None if clean == value else ""
    if isinstance(value, dict | list):
        if _depth > DEEPEST:
            raise RecursionError
        found: str | None = None
        pairs: Iterable[tuple[Any, Any]] = value.items() if isinstance(value, dict) else enumerate(value)
        result: dict[Any, Any] = {}
        for key, item in pairs:
            name, bad_name = (key, None) if isinstance(key, int) else storable(key)
            result[name], bad = storable(item, _depth + 1)
            if found is None and (bad is not None or bad_name is not None):
                found = f"{name}.{bad}" if bad else str(name)
        return (result if isinstance(value, dict) else list(result.values())), found
    if isinstance(value, int) and abs(value) > _LARGEST:
        return str(value), ""
    return value, None


def unidentified(value: Any) -> str:
    """A stable id for a row that has none of its own."""
    text = json.dumps(value, sort_keys=True, ensure_ascii=True, default=str)
    return f"unidentified:{hashlib.blake2b(text.encode(), digest_size=12).hexdigest()}"


def _of_its_keys(value: Any) -> str:
    """The same for a row that is too deep to be written out."""
    return unidentified(sorted(map(str, value)) if isinstance(value, dict) else type(value).__name__)


def positive_id(value: Any) -> str | None:
    """A whole, positive id as text (a number, or digits as text); None for anything else."""
    if isinstance(value, bool) or not isinstance(value, int | str):
        return None
    text = str(value)
    number = int(text) if text.isascii() and text.isdecimal() and len(text) <= 19 else 0
    return str(number) if 0 < number <= _LARGEST else None


def iso_instant(value: Any) -> datetime | None:
    """An ISO 8601 instant; without a zone it is UTC, as Follow Up Boss writes it. None for anything else."""
    if not isinstance(value, str) or not value:
        return None
    try:
        then = datetime.fromisoformat(value)
    except ValueError:
        return None
    return then if then.tzinfo else then.replace(tzinfo=UTC)


def epoch_or_iso(value: Any) -> datetime | None:
    """An instant as reZEN writes it: epoch milliseconds; seconds (up to 11 digits) and ISO text were seen too.

    The same rule as `ops.instant` in the database. None for anything else.
    """
    if isinstance(value, bool) or not isinstance(value, int | float | str):
        return None
    try:
        number = float(value)
    except ValueError:
        return iso_instant(value)
    except OverflowError:
        return None
    try:
        return datetime.fromtimestamp(number / 1000 if abs(number) >= _FIRST_MILLISECONDS else number, UTC)
    except (ValueError, OverflowError, OSError):
        return None
