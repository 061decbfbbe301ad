"""From a request's body to the row that is stored: which event it is, and what makes it the same when it comes again.

Only what the receiver needs to answer: an event of an unknown name is stored like any other.
"""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any
from uuid import uuid4

import orjson

from resources.webhooks import OVER_QUOTA

_LONGEST_NAME = 200


class Malformed(ValueError):
    """A body that is no event of its source."""


@dataclass(frozen=True, slots=True)
class Arrival:
    """One event as it is stored. `key` is unique among the events of its source."""

    source: str
    key: str
    credentials_id: int
    event: str
    body: bytes


def arrival(source: str, credentials_id: int, body: bytes) -> Arrival:
    """The row of an event. Raises Malformed, in words that repeat nothing of the body."""
    try:
        document = orjson.loads(body)
    except orjson.JSONDecodeError:
        raise Malformed("the body is no JSON") from None
    if not isinstance(document, dict):
        raise Malformed("the body is no JSON object")
    try:
        name, key = _READERS[source](document)
    except RecursionError:
        raise Malformed("the body is nested too deeply") from None
    return Arrival(source, key if source == "fub" else f"{credentials_id}/{key}", credentials_id, name, body)


def over_quota(source: str, credentials_id: int) -> Arrival:
    """The row that tells people, once a day, that events of a connection are not taken."""
    day = datetime.now(UTC).date().isoformat()
    return Arrival(source, f"{credentials_id}/{OVER_QUOTA}/{day}", credentials_id, OVER_QUOTA, b"{}")


def _fub(document: dict[str, Any]) -> tuple[str, str]:
    """Its own id; with the records, because a large update comes in parts and nobody says that these differ in id."""
    name, event_id = _text(document, "event"), _text(document, "eventId")
    ids = document.get("resourceIds")
    return name, f"{event_id}/{_digest(ids)}" if isinstance(ids, list) else event_id


def _rezen(document: dict[str, Any]) -> tuple[str, str]:
    """No id of the event is known; one that says the same of the same instant is the same."""
    return _text(document, "eventName"), _digest(document)


def _title(document: dict[str, Any]) -> tuple[str, str]:
    """Neither id nor time: two that read alike may be two events, so each is kept (reading again is cheap)."""
    return _text(document, "type"), uuid4().hex


_READERS = {"fub": _fub, "rezen": _rezen, "title": _title}


def _text(document: dict[str, Any], name: str) -> str:
    value = document.get(name)
    if not isinstance(value, str) or not value.strip() or len(value) > _LONGEST_NAME or "\x00" in value:
        raise Malformed(f"{name} is missing or no text")
    return value


def _digest(value: Any) -> str:
    return hashlib.blake2b(json.dumps(value, sort_keys=True).encode(), digest_size=16).hexdigest()
