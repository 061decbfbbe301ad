"""A page of a collection: what the key sees, sorted, filtered, cut by token or offset, in the CRM's envelope.

What was sorted and filtered is kept until the world moves, so that a page costs a page and not a collection.
"""

from __future__ import annotations

import base64
import json
from typing import Any

from starlette.datastructures import QueryParams

from sandbox.faults import Faults, broken
from sandbox.fub.filters import check, hidden, tests_of
from sandbox.fub.refused import Refused
from sandbox.fub.visible import visible
from sandbox.world import FubAccount, FubUser, Row, World

WALL = 2000
MOST, DEFAULT = 100, 10
#: The collections, with the name of the array in the envelope.
COLLECTIONS = {
    "users": "users", "groups": "groups", "stages": "stages", "pipelines": "pipelines", "people": "people",
    "deals": "deals", "events": "events", "calls": "calls", "appointments": "appointments",
    "textMessages": "textmessages", "notes": "notes",
}  # fmt: skip
DEFAULT_SORT = {"stages": "orderWeight", "pipelines": "orderWeight"}
#: Of these the documents' samples show no token on the last page at all; of the others they show null.
_SILENT_AT_THE_END = frozenset({"calls", "stages", "pipelines", "deals"})
#: Not shown of a contact unless named: custom fields, and what comes with allFields.
_LEFT_OUT = frozenset({"customMoveDate", "customBudget", "websiteVisits", "background", "timeframeId"})
_WORDS = frozenset({"allFields", "allCustom", "relationships", "calling"})
_KEPT_QUERIES = 400


class Lists:
    """The pages of one installation."""

    def __init__(self, world: World, faults: Faults) -> None:
        self.world, self.faults = world, faults
        self._kept: dict[tuple[Any, ...], list[Row]] = {}
        self._texts: dict[tuple[int, int], dict[int, list[Row]]] = {}
        self._version = -1

    def page(self, account: FubAccount, user: FubUser, name: str, query: QueryParams, path: str) -> dict[str, Any]:
        """The answer to a list request. Raises Refused."""
        who = (path, user.key, str(account.id))
        check(name, query)
        shown = fields_of(name, query.get("fields"), account)
        limit, offset = min(_whole(query, "limit", DEFAULT), MOST), _whole(query, "offset", 0)
        if offset >= WALL:
            raise Refused(400, "Deep pagination is disabled for offsets of 2000 or more. Use nextLink instead.")
        sort = query.get("sort") or DEFAULT_SORT.get(name, "-id")
        rows = self._matching(account, user, name, sort, query, who)
        by_id = sort.lstrip("-") == "id"
        if query.get("next"):
            offset = _place(query["next"], rows, by_id=by_id, descending=sort.startswith("-"))
        page = rows[offset : offset + limit]
        more = bool(page) and offset + limit < len(rows)
        token = _token({"sinceId": page[-1]["id"]} if by_id else {"offset": offset + limit}) if more else None
        if page and self.faults.hit({"repeated_token"}, *who):
            token = query.get("next") or token
        answered = [show(row, shown) for row in page]
        if self.faults.hit({"empty_page"}, *who):
            answered = []
        damage = self.faults.hit({"invalid_record", "unreadable_date"}, *who) if answered else None
        if damage:
            answered[0] = broken(answered[0], damage)
        metadata: dict[str, Any] = {
            "collection": COLLECTIONS[name], "offset": offset, "limit": limit, "total": len(rows),
        }  # fmt: skip
        if token or name not in _SILENT_AT_THE_END:
            # As in the documents' samples: two ampersands, and a host that is not the one that was asked.
            link = f"https://api.example.invalid/v1/{name}?limit={limit}&&next={token}" if token else None
            metadata |= {"next": token, "nextLink": link}
        if name == "deals":
            metadata["totalByStageId"] = _by_stage(rows)
        return {"_metadata": metadata, COLLECTIONS[name]: answered}

    def _matching(
        self, account: FubAccount, user: FubUser, name: str, sort: str, query: QueryParams, who: tuple[str, str, str]
    ) -> list[Row]:
        if self._version != self.world.version:
            self._kept.clear()
            self._texts.clear()
            self._version = self.world.version
        if name == "textMessages" and query.get("personId", "").isdecimal():
            rows = self._texts_of(account, user, int(query["personId"]), sort)
            return _passing(rows, tests_of(name, query))
        ignored = self.faults.hit({"ignored_filter"}, *who)
        gone = self.faults.hit({"vanished"}, *who)
        wanted = tuple(sorted((k, v) for k, v in query.items() if k not in ("limit", "offset", "next", "fields")))
        kept = (account.id, user.id, name, sort, wanted, bool(ignored), repr(gone.more) if gone else None)
        if kept not in self._kept:
            tests = hidden(name, query) + ([] if ignored else tests_of(name, query))
            rows = _passing(self._sorted(account, user, name, sort), tests)
            if gone:
                missing = float(gone.more.get("missing", 0.4)) * 100
                rows = [row for row in rows if row["id"] * 37 % 100 >= missing]
            if len(self._kept) >= _KEPT_QUERIES:
                self._kept.clear()
            self._kept[kept] = rows
        return self._kept[kept]

    def _sorted(self, account: FubAccount, user: FubUser, name: str, sort: str) -> list[Row]:
        """All records this key may see; an unknown column leaves the default order."""
        key = (account.id, user.id, name, sort)
        if key not in self._kept:
            rows = [row for row in account.tables[name].values() if visible(account, user, name, row)]
            column, descending = sort.lstrip("-"), sort.startswith("-")
            if not rows or column not in rows[0]:
                column, descending = "id", True
            rows.sort(key=lambda r: _rank(r, column), reverse=descending)
            self._kept[key] = rows
        return self._kept[key]

    def _texts_of(self, account: FubAccount, user: FubUser, person: int, sort: str) -> list[Row]:
        """A contact's texts, looked up: a fan-out asks for thousands of contacts."""
        index = self._texts.get((account.id, user.id))
        if index is None:
            index = self._texts[account.id, user.id] = {}
            for row in self._sorted(account, user, "textMessages", "-id"):
                index.setdefault(row["personId"], []).append(row)
        rows = index.get(person, [])
        return rows if sort == "-id" else sorted(rows, key=lambda r: _rank(r, sort.lstrip("-")), reverse=sort[0] == "-")


def fields_of(name: str, wanted: str | None, account: FubAccount) -> frozenset[str] | None:
    """Which fields are shown: None is all of them. Raises Refused for a name that the collection does not have."""
    known = next(iter(account.tables[name].values()), {}).keys()
    names = frozenset(part.strip() for part in wanted.split(",")) if wanted else frozenset()
    unknown = sorted(names - known - _WORDS)
    if unknown and known:
        raise Refused(400, f"Unknown field: {unknown[0]}")
    if "allFields" in names:
        return None
    custom = frozenset(n for n in known if n.startswith("custom"))
    if names:
        return (names - _WORDS) | {"id"} | (custom if "allCustom" in names else frozenset())
    return frozenset(known - _LEFT_OUT) if name == "people" else None


def show(row: Row, fields: frozenset[str] | None) -> Row:
    """A record with the wanted fields."""
    return row if fields is None else {k: v for k, v in row.items() if k in fields}


def _passing(rows: list[Row], tests: list[Any]) -> list[Row]:
    return [row for row in rows if all(test(row) for test in tests)] if tests else rows


def _rank(row: Row, column: str) -> tuple[Any, ...]:
    """Nothing first, then numbers, then text; ties by id."""
    value = row.get(column)
    if value is None:
        return 0, 0, row["id"]
    return (1, value, row["id"]) if isinstance(value, int | float) else (2, str(value), row["id"])


def _by_stage(rows: list[Row]) -> dict[str, int]:
    counts: dict[str, int] = {}
    for row in rows:
        counts[str(row["stageId"])] = counts.get(str(row["stageId"]), 0) + 1
    return counts


def _token(content: dict[str, int]) -> str:
    return base64.urlsafe_b64encode(json.dumps(content, separators=(",", ":")).encode()).decode().rstrip("=")


def _place(token: str, rows: list[Row], *, by_id: bool, descending: bool) -> int:
    """Where a token points: behind an id, or (under any other order) at an offset in disguise. Raises Refused."""
    try:
        content = json.loads(base64.urlsafe_b64decode(token + "=" * (-len(token) % 4)))
        if not by_id:
            return int(content["offset"])
        since = int(content["sinceId"])
    except (ValueError, KeyError, TypeError):
        raise Refused(400, "Invalid next token.") from None
    low, high = 0, len(rows)
    while low < high:
        middle = (low + high) // 2
        before = rows[middle]["id"] >= since if descending else rows[middle]["id"] <= since
        low, high = (middle + 1, high) if before else (low, middle)
    return low


def _whole(query: QueryParams, name: str, default: int) -> int:
    text = query.get(name)
    if text in (None, ""):
        return default
    if not text.isdecimal():
        raise Refused(400, f"{name} must be a whole number.")
    return int(text)
