"""Follow Up Boss, as its documents and users describe it: Basic auth, envelopes, tokens, filters, limits, refusals."""

from __future__ import annotations

import base64
import json
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import orjson
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from sandbox.faults import Faults
from sandbox.limits import Limits
from sandbox.world import FubAccount, FubUser, Row, World

SYSTEM_KEYS = frozenset({"sandbox-system-key"})
WALL = 2000
COLLECTIONS = {
    "users": "users", "groups": "groups", "stages": "stages", "pipelines": "pipelines", "people": "people",
    "deals": "deals", "events": "events", "calls": "calls", "appointments": "appointments",
    "textMessages": "textmessages",
}  # fmt: skip
#: Where a default set of fields is partial and `fields` may name others.
PERSON_FIELDS = frozenset(
    "id created updated createdVia lastActivity name firstName lastName stage stageId type source sourceUrl contacted "
    "price prequalified assignedUserId assignedTo assignedPondId tags emails phones addresses picture websiteVisits "
    "allFields allCustom relationships customMoveDate".split()
)
_DEFAULT_LEFT_OUT = ("customMoveDate", "websiteVisits")
TEXT_NEEDS = ("personId", "threadId", "phone", "toNumber", "fromNumber", "sharedInboxId", "groupTextId", "participants",
              "id")  # fmt: skip


class Refused(Exception):
    """An answer that is no success: status and the one error key."""

    def __init__(self, status: int, message: str, headers: dict[str, str] | None = None) -> None:
        super().__init__(message)
        self.status, self.message, self.headers = status, message, headers or {}


class FubServer:
    """The routes of one installation."""

    def __init__(self, world: World, limits: Limits, faults: Faults) -> None:
        self.world, self.limits, self.faults = world, limits, faults
        self._sorted: dict[tuple[Any, ...], list[Row]] = {}
        self._version = -1

    def routes(self) -> list[Route]:
        """Everything under /fub/v1."""
        lists = [Route(f"/{name}", self._handler(name), methods=["GET"]) for name in COLLECTIONS]
        single = [Route(f"/{name}/{{id}}", self._handler(name, one=True), methods=["GET"]) for name in COLLECTIONS]
        return [Route("/identity", self._handler("identity")), *lists, *single]

    def _handler(self, name: str, *, one: bool = False) -> Callable[[Request], Any]:
        async def handle(request: Request) -> Response:
            headers: dict[str, str] = {}
            try:
                account, user = self._who(request)
                headers = self._limit(request, account, "events" if name == "events" else "global")
                headers |= {"FUB-Account-ID": str(account.id), "FUB-User-ID": str(user.id)}
                if name == "identity":
                    body = self._identity(account, user)
                elif one:
                    body = self._one(account, user, name, request.path_params["id"])
                else:
                    body = self._list(account, user, name, request)
            except Refused as refused:
                return _json({"errorMessage": refused.message}, refused.status, headers | refused.headers)
            return _json(body, 200, headers)

        return handle

    def _who(self, request: Request) -> tuple[FubAccount, FubUser]:
        key = basic_user(request.headers.get("authorization"))
        for account in self.world.accounts.values():
            user = account.keys.get(key or "")
            if user:
                return account, user
        raise Refused(401, "Invalid API key.", {"WWW-Authenticate": 'Basic realm="Follow Up Boss API"'})

    def _limit(self, request: Request, account: FubAccount, context: str) -> dict[str, str]:
        registered = request.headers.get("x-system-key") in SYSTEM_KEYS
        headers, wait = self.limits.arrive(account.id, context, registered)
        if wait is not None:
            raise Refused(429, "Too many requests.", headers)
        return headers

    def _identity(self, account: FubAccount, user: FubUser) -> dict[str, Any]:
        owner = account.tables["users"][account.owner_id]
        me = account.tables["users"][user.id]
        return {
            "account": {"id": account.id, "domain": account.domain, "name": account.domain.title(),
                        "owner": {"name": owner["name"], "email": owner["email"]}},
            "user": {"id": user.id, "name": me["name"], "email": me["email"], "role": me["role"],
                     "isOwner": me["isOwner"]},
        }  # fmt: skip

    def _one(self, account: FubAccount, user: FubUser, name: str, row_id: str) -> Row:
        if not row_id.isdecimal():
            raise Refused(404, "Not found.")
        row = account.tables[name].get(int(row_id))
        if row is None or not _visible(account, user, name, row):
            raise Refused(404, "Not found.")
        return row

    # --- lists ------------------------------------------------------------------------------------------------------

    def _list(self, account: FubAccount, user: FubUser, name: str, request: Request) -> dict[str, Any]:
        query = request.query_params
        if name == "textMessages" and not any(query.get(p) for p in TEXT_NEEDS):
            raise Refused(400, f"One of {', '.join(TEXT_NEEDS)} is required.")
        fields = self._fields(name, query.get("fields"))
        sort = query.get("sort", "-id")
        rows = self._matching(account, user, name, sort, request)
        limit = min(_whole(query.get("limit"), 10), 100)
        offset = _whole(query.get("offset"), 0)
        if offset >= WALL:
            raise Refused(400, "Deep pagination is disabled; use nextLink instead.")
        by_id = sort.lstrip("-") == "id"
        if query.get("next"):
            offset = _from_token(query["next"], rows, by_id, descending=sort.startswith("-"))
        page = rows[offset : offset + limit]
        more = offset + limit < len(rows)
        token = _token({"sinceId": page[-1]["id"]} if by_id else {"offset": offset + limit}) if more and page else None
        if self.faults.hit({"repeated_token"}, request.url.path, None) and page:
            token = query.get("next") or token
        broken = self.faults.hit({"invalid_record"}, request.url.path, None) if page else None
        shown = [_shown(row, fields) for row in page]
        if broken:
            shown[0] = shown[0] | {broken.more.get("field", "created"): broken.more.get("value", "the day before")}
        collection = COLLECTIONS[name]
        link = f"https://api.example.invalid/v1/{name}?limit={limit}&&next={token}" if token else None
        return {
            "_metadata": {"collection": collection, "offset": offset, "limit": limit, "total": len(rows),
                          "next": token, "nextLink": link},
            collection: shown,
        }  # fmt: skip

    def _fields(self, name: str, wanted: str | None) -> set[str] | None:
        """None: everything."""
        if name != "people":
            return None
        names = set(wanted.split(",")) if wanted else set()
        unknown = names - PERSON_FIELDS
        if unknown:
            raise Refused(400, f"Unknown field: {sorted(unknown)[0]}")
        if "allFields" in names:
            return None
        return names | {"id"} if names else set(PERSON_FIELDS) - set(_DEFAULT_LEFT_OUT)

    def _matching(
        self, account: FubAccount, user: FubUser, name: str, sort: str, request: Request
    ) -> list[Row]:
        query = request.query_params
        rows = self._all(account, user, name, sort)
        if name == "textMessages" and query.get("personId", "").isdecimal():
            rows = self._texts_of(account, user, int(query["personId"]), rows)
        tests = [test for test in (_test(name, key, value) for key, value in query.items()) if test]
        ignored = self.faults.hit({"ignored_filter"}, request.url.path, None)
        if ignored:
            tests = []
        tests += _hidden(name, query)
        return [row for row in rows if all(test(row) for test in tests)] if tests else rows

    def _all(self, account: FubAccount, user: FubUser, name: str, sort: str) -> list[Row]:
        """All rows this key may see, sorted; kept until the world moves."""
        if self._version != self.world.version:
            self._sorted.clear()
            self._version = self.world.version
        # One entry per key and order; a contact's texts are looked up, not searched.
        cached = (account.id, user.id, name, sort)
        if cached not in self._sorted:
            column = sort.lstrip("-")
            rows = [r for r in account.tables[name].values() if _visible(account, user, name, r)]
            known = rows and column in rows[0]
            rows.sort(
                key=lambda r: (str(r.get(column) or ""), r["id"]) if known and column != "id" else r["id"],
                reverse=sort.startswith("-"),
            )
            self._sorted[cached] = rows
        return self._sorted[cached]

    def _texts_of(self, account: FubAccount, user: FubUser, person: int, rows: list[Row]) -> list[Row]:
        """A contact's texts, looked up: a fan-out asks for thousands of contacts."""
        index = (account.id, user.id, "texts of", person)
        if (account.id, user.id, "texts of", 0) not in self._sorted:
            self._sorted[account.id, user.id, "texts of", 0] = []
            for row in rows:
                self._sorted.setdefault((account.id, user.id, "texts of", row["personId"]), []).append(row)
        return self._sorted.get(index, [])


def _visible(account: FubAccount, user: FubUser, name: str, row: Row) -> bool:
    """An owner's key sees everything; an agent's what is assigned to the agent, silently less."""
    if user.sees_all or name in ("users", "groups", "stages", "pipelines"):
        return True
    if name == "people":
        return row["assignedUserId"] == user.id
    if name == "deals":
        return any(u["id"] == user.id for u in row["users"])
    if name == "appointments":
        return any(v["userId"] == user.id for v in row["invitees"])
    person = account.tables["people"].get(row["personId"])
    return person["assignedUserId"] == user.id if person else row["userId"] == user.id


def _test(name: str, key: str, value: str) -> Callable[[Row], bool] | None:
    """The documented filters; what is not documented for a collection is ignored, as the real one does."""
    stamps = {"updatedAfter": ("updated", 1), "updatedBefore": ("updated", -1), "createdAfter": ("created", 1),
              "createdBefore": ("created", -1), "lastActivityAfter": ("lastActivity", 1),
              "lastActivityBefore": ("lastActivity", -1)}  # fmt: skip
    if key in stamps and name in ("people", "events", "calls"):
        column, sign = stamps[key]
        bound = _instant(value)
        return lambda r: (_instant(r.get(column)) - bound).total_seconds() * sign >= 0
    if key in ("id", "ids"):
        wanted = {int(i) for i in value.split(",") if i.isdecimal()}
        return lambda r: r["id"] in wanted
    if key == "idLessThan" and value.isdecimal():
        return lambda r: r["id"] < int(value)
    if key == "idGreaterThan" and value.isdecimal():
        return lambda r: r["id"] > int(value)
    if key == "personId" and name in ("textMessages", "calls", "events"):
        people = {int(i) for i in value.split(",") if i.isdecimal()}
        return lambda r: r["personId"] in people
    if key == "userId" and name == "deals" and value.isdecimal():
        return lambda r: any(u["id"] == int(value) for u in r["users"])
    if key == "assignedUserId" and name == "people" and value.isdecimal():
        return lambda r: r["assignedUserId"] == int(value)
    return None


def _hidden(name: str, query: Any) -> list[Callable[[Row], bool]]:
    """What a list leaves out unless it is asked for."""
    tests: list[Callable[[Row], bool]] = []
    if name == "people" and query.get("includeTrash") != "true":
        tests.append(lambda r: r["stage"] != "Trash")
    if name == "users" and query.get("includeDeleted") != "true":
        tests.append(lambda r: r["status"] != "Deleted")
    if name == "deals" and query.get("includeArchived") not in ("1", "true"):
        tests.append(lambda r: r["status"] != "Archived")
    if name == "deals" and query.get("includeDeleted") not in ("1", "true"):
        tests.append(lambda r: r["status"] != "Deleted")
    return tests


def _shown(row: Row, fields: set[str] | None) -> Row:
    return row if fields is None else {k: v for k, v in row.items() if k in fields}


def basic_user(header: str | None) -> str | None:
    """The user name of a Basic header."""
    if not header or not header.lower().startswith("basic "):
        return None
    try:
        return base64.b64decode(header[6:], validate=True).decode().partition(":")[0]
    except ValueError:
        return None


def _token(content: dict[str, int]) -> str:
    return base64.urlsafe_b64encode(json.dumps(content, separators=(",", ":")).encode()).decode().rstrip("=")


def _from_token(token: str, rows: list[Row], by_id: bool, *, descending: bool) -> int:
    """Where a token points: behind an id, or (under any other order) at an offset in disguise."""
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


def _instant(text: str | None) -> datetime:
    try:
        then = datetime.fromisoformat(text or "")
    except ValueError:
        raise Refused(400, "Invalid date.") from None
    return then if then.tzinfo else then.replace(tzinfo=UTC)


def _whole(text: str | None, default: int) -> int:
    return int(text) if text and text.isdecimal() else default


def _json(body: Any, status: int, headers: dict[str, str]) -> Response:
    return Response(orjson.dumps(body), status, headers, "application/json")
