"""The documented filters of each collection. A name that is not here is ignored, as the real service does."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from typing import Any

from sandbox.fub.refused import Refused
from sandbox.world import Row

Test = Callable[[Row], bool]

#: Where the common filters by time are taken to work; for deals and appointments nobody says so.
STAMPED = frozenset({"people", "events", "calls", "notes", "users"})
_STAMPS = {
    "updatedAfter": ("updated", 1), "updatedBefore": ("updated", -1), "createdAfter": ("created", 1),
    "createdBefore": ("created", -1), "lastActivityAfter": ("lastActivity", 1),
    "lastActivityBefore": ("lastActivity", -1),
}  # fmt: skip
#: Filters by equality, by collection: query name → the record's own name.
_EQUAL: dict[str, dict[str, str]] = {
    "people": {
        "name": "name", "firstName": "firstName", "lastName": "lastName", "stage": "stage", "source": "source",
        "assignedTo": "assignedTo", "assignedUserId": "assignedUserId", "assignedPondId": "assignedPondId",
        "assignedLenderId": "assignedLenderId", "contacted": "contacted",
    },
    "deals": {"pipelineId": "pipelineId", "status": "status"},
    "events": {"type": "type"},
    "calls": {"phone": "phone", "toNumber": "toNumber", "fromNumber": "fromNumber"},
    "textMessages": {"toNumber": "toNumber", "fromNumber": "fromNumber", "sharedInboxId": "sharedInboxId",
                     "groupTextId": "groupTextId"},
    "users": {"name": "name", "role": "role", "email": "email"},
    "groups": {"type": "type"},
    "pipelines": {"name": "name"},
    "notes": {"createdById": "createdById"},
}  # fmt: skip
#: A text list must be narrowed by one of these; no document marks them, several clients met the refusal.
TEXTS_NEED = (
    "personId", "threadId", "phone", "toNumber", "fromNumber", "sharedInboxId", "groupTextId", "participants", "id",
)  # fmt: skip


def check(name: str, query: Mapping[str, str]) -> None:
    """Raises Refused for what a collection answers with 400."""
    if name == "textMessages" and not any(query.get(needed) for needed in TEXTS_NEED):
        raise Refused(400, f"One of {', '.join(TEXTS_NEED)} is required.")
    if name == "calls" and ("dateFrom" in query or "dateTo" in query):
        raise Refused(400, "Unknown parameter: dateFrom, dateTo.")
    if name == "appointments" and ("start" in query) != ("end" in query):
        raise Refused(400, "start and end must be used together.")


def tests_of(name: str, query: Mapping[str, str]) -> list[Test]:
    """What a record must pass to be listed. Raises Refused for a value that cannot be read."""
    tests = [test for test in (_test(name, key, value) for key, value in query.items()) if test]
    if name == "appointments" and "start" in query:
        first, last = instant(query["start"]), instant(query["end"])
        tests.append(lambda r: first <= instant(r["start"]) <= last)
    return tests


def hidden(name: str, query: Mapping[str, str]) -> list[Test]:
    """What a list leaves out unless it is asked for."""
    tests: list[Test] = []
    if name == "people" and not _yes(query.get("includeTrash")) and query.get("stage") != "Trash":
        tests.append(lambda r: r["stage"] != "Trash")
    if name == "people" and not _yes(query.get("includeUnclaimed")):
        tests.append(lambda r: r["claimed"])
    if name == "users" and not _yes(query.get("includeDeleted")):
        tests.append(lambda r: r["status"] != "Deleted")
    if name == "deals" and query.get("status") not in ("Archived", "Deleted"):
        if not _yes(query.get("includeArchived")):
            tests.append(lambda r: r["status"] != "Archived")
        if not _yes(query.get("includeDeleted")):
            tests.append(lambda r: r["status"] != "Deleted")
    return tests


def _test(name: str, key: str, value: str) -> Test | None:
    if key in _STAMPS and name in STAMPED:
        column, sign = _STAMPS[key]
        bound = instant(value)
        return lambda r: column not in r or (instant(r[column]) - bound).total_seconds() * sign >= 0
    if key in ("id", "ids"):
        wanted = _numbers(value)
        return lambda r: r["id"] in wanted
    if key == "idLessThan" and value.isdecimal():
        return lambda r: r["id"] < int(value)
    if key == "idGreaterThan" and value.isdecimal():
        return lambda r: r["id"] > int(value)
    if key in _EQUAL.get(name, {}):
        column, choices = _EQUAL[name][key], {part.strip().casefold() for part in value.split(",")}
        return lambda r: _text(r.get(column)) in choices
    return _special(name, key, value)


def _special(name: str, key: str, value: str) -> Test | None:
    """Filters that look into a record."""
    if key == "personId":
        people = _numbers(value)
        if name in ("calls", "events", "textMessages", "notes"):
            return lambda r: r["personId"] in people
        if name == "deals":
            return lambda r: any(p["id"] in people for p in r["people"])
        if name == "appointments":
            return lambda r: any(v["personId"] in people for v in r["invitees"])
    if key == "userId" and name in ("deals", "appointments"):
        column, inner = ("users", "id") if name == "deals" else ("invitees", "userId")
        users = _numbers(value)
        return lambda r: any(u[inner] in users for u in r[column])
    if name == "events" and key == "hasProperty":
        return lambda r: bool(r["property"]) is _yes(value)
    if name != "people":
        return None
    if key in ("email", "phone"):
        column, inner = ("emails", "value") if key == "email" else ("phones", "normalized")
        text = value.casefold() if key == "email" else "".join(filter(str.isdecimal, value))
        return lambda r: any(_text(item[inner]) == text for item in r[column])
    if key == "tags":
        tags = {tag.strip() for tag in value.split(",")}
        return lambda r: bool(tags & set(r["tags"]))
    if key in ("priceAbove", "priceBelow") and value.isdecimal():
        sign = 1 if key == "priceAbove" else -1
        return lambda r: r["price"] is not None and (r["price"] - int(value)) * sign >= 0
    return None


def instant(text: Any) -> datetime:
    """An instant as filters may write it: with T or a space, with a zone or (UTC) without. Raises Refused."""
    try:
        then = datetime.fromisoformat(str(text))
    except ValueError:
        raise Refused(400, "Invalid date.") from None
    return then if then.tzinfo else then.replace(tzinfo=UTC)


def _numbers(value: str) -> set[int]:
    return {int(part) for part in value.split(",") if part.strip().isdecimal()}


def _text(value: Any) -> str:
    return "" if value is None else str(value).casefold()


def _yes(value: str | None) -> bool:
    return value in ("true", "1")
