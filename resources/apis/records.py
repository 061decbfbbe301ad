"""From a row of a source's answer to a Record: secrets out, context in, characters that can be stored, model checked.

The models themselves are with their source; what all of them share (instants, whole ids) is here.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Collection
from datetime import UTC, datetime
from typing import Any

from pydantic import BaseModel, ConfigDict, ValidationError

from resources.apis.fields import UNREADABLE, epoch_of, iso_of, text_of
from resources.http.redact import without_secrets
from resources.reading import FieldWarning, Problem, Record
from resources.storable import LARGEST, Path, storable

#: Characters of an id. With an account's name it must fit into an index entry, of which Postgres allows 2,704 bytes.
LONGEST_ID = 500
#: No record that somebody works with changed outside of these; such a stamp would be newer or older than all others.
_FIRST_STAMP, _LAST_STAMP = datetime(1970, 1, 1, tzinfo=UTC), datetime(2200, 1, 1, tzinfo=UTC)
#: The code of a warning: the text is kept without the characters that Postgres does not take.
UNSTORABLE = "unstorable"
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
    because: Problem | None = None,
) -> Record:
    """One record: secrets dropped, context added under `_v2`, checked against its model. Never raises.

    A record that is broken is handed on with its problem; one without a usable id gets a stable one from its content.
    `because`: why the row is no good record, whatever its model says. Together with `refused` this is the only way
    from a row of a source to a Record, so nothing of a row is stored that did not come through here.
    """
    try:
        clean, changed = storable(without_secrets(raw))
    except RecursionError:
        return Record(_of_its_keys(raw), {}, None, Problem("invalid_record", None, "nested too deeply"))
    if not isinstance(clean, dict):
        because = because or Problem("invalid_record", None, type(raw).__name__)
        return Record(unidentified(clean), {"_raw": clean}, None, because)
    payload: dict[str, Any] = clean
    payload.pop("_v2", None)  # ours alone: no source may speak in our name
    if context:
        payload["_v2"] = context
    identity = source_id(payload)
    if identity is None or len(identity) > LONGEST_ID:
        found = "missing or no id" if identity is None else "too long for an id"
        return Record(unidentified(payload), payload, None, because or Problem("invalid_record", "id", found))
    told, warnings = judged(payload, model)
    if changed:
        if told is None and not _spared(payload, changed, identity, source_id, model):
            told = Problem("invalid_record", _dotted(changed[0]), "cannot be stored as it is")
        warnings += tuple(FieldWarning(UNSTORABLE, _dotted(path), "str") for path in changed)
    problem = because or told
    stamp = None if problem else believable(updated(payload))
    return Record(identity, payload, stamp, problem, warnings[:MOST_WARNINGS])


def _spared(
    payload: dict[str, Any],
    paths: Collection[Path],
    identity: str,
    source_id: Callable[[dict[str, Any]], str | None],
    model: type[SourceModel],
) -> bool:
    """Whether a record is the same one, and a good one, whatever stands at these paths."""
    if () in paths:
        return False
    unlike = _without(payload, paths)
    return source_id(unlike) == identity and judged(unlike, model)[0] is None


def _without(payload: Any, paths: Collection[Path]) -> Any:
    """The payload with something at these paths that no field takes, and every lenient one does without."""
    if () in paths:
        return [None]
    inside: dict[str | int, list[Path]] = {}
    for first, *rest in paths:
        inside.setdefault(first, []).append(tuple(rest))
    pairs = payload.items() if isinstance(payload, dict) else enumerate(payload)
    result = {key: _without(item, inside[key]) if key in inside else item for key, item in pairs}
    return result if isinstance(payload, dict) else list(result.values())


def _dotted(path: Path) -> str:
    return ".".join(map(str, path))


def refused(key: str, payload: dict[str, Any], found: str) -> Record:
    """Something that is there and not for this key, so that nobody takes it for nothing. `key` is an id that was asked
    for.

    The record has an id of its own, `refused:<key>`, so what is staged under the key's own id stays as it is.
    """
    clean, _ = storable(payload)
    return Record(f"refused:{key}", clean, None, Problem("not_visible_to_key", None, found))


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
    return str(number) if 0 < number <= LARGEST else None


def text_id(value: Any) -> str | None:
    """An id that is text: something to see in it, nothing in it that cannot be stored or asked for; None otherwise."""
    return (
        value if isinstance(value, str) and value.strip() and value.isprintable() and len(value) <= LONGEST_ID else None
    )


def count_of(value: Any) -> int | None:
    """A number of records as a source counts them; None for what counts nothing (a truth, a negative number, text)."""
    return value if isinstance(value, int) and not isinstance(value, bool) and 0 <= value <= LARGEST else None


def iso_instant(value: Any) -> datetime | None:
    """An ISO 8601 instant in UTC; without a zone it is UTC, as Follow Up Boss writes it. None for anything else.

    Of any year that UTC can show; which years are believed is said by whoever asks.
    """
    return _in_utc(iso_of, value) if isinstance(value, str) else None


def epoch_or_iso(value: Any) -> datetime | None:
    """An instant as reZEN writes it: epoch milliseconds; seconds (up to 11 digits) and ISO text were seen too.

    The same rule as `ops.instant` in the database. None for anything else.
    """
    if isinstance(value, bool) or not isinstance(value, int | float | str):
        return None
    return _in_utc(epoch_of, value) or _in_utc(iso_of, value)


def _in_utc(read: Callable[[str], datetime | None], value: Any) -> datetime | None:
    try:
        then = read(text_of(value) or "")
        return then.astimezone(UTC) if then else None
    except (ValueError, OverflowError):
        return None


def believable(stamp: datetime | None) -> datetime | None:
    """A stamp of change that can order versions, or None: one of the year 9999 would be newer than all to come."""
    return stamp if stamp is not None and _FIRST_STAMP <= stamp < _LAST_STAMP else None
