"""The Metadata API as far as it only reads: identity, workspaces, tables, schemas, rows by page and by search.

It gives away every column, private ones included, and knows no time filter; what is true is in `sandbox.world.v1`.
"""

from __future__ import annotations

import time
from collections import deque
from typing import Any

import orjson
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from sandbox.faults import Faults, broken, encode_surrogates
from sandbox.limits import Limits
from sandbox.world import Row, World
from sandbox.world.v1 import V1

CALLS, WINDOW_S = 10, 20
#: The largest page it gives; who asks for more gets this many.
MOST = 1000
#: Rows of a page above which an overloaded instance gives up, while the fault `wide_rows` is on.
_TOO_WIDE = 150


class _Refused(Exception):
    def __init__(self, status: int, code: str, message: str) -> None:
        super().__init__(message)
        self.status, self.body = status, {"code": code, "message": message, "payload": ""}


class XanoServer:
    """The routes below /xano/api:meta."""

    def __init__(self, world: World, limits: Limits, faults: Faults) -> None:
        self.world, self.limits, self.faults = world, limits, faults
        self._arrivals: deque[float] = deque()

    def routes(self) -> list[Route]:
        """What a reader asks. Everything that writes is not here and so a 404."""
        content = "/workspace/{workspace:int}/table/{table:int}/content"
        known = {
            ("GET", "/auth/me"): self._me,
            ("GET", "/workspace"): self._workspaces,
            ("GET", "/workspace/{workspace:int}/table"): self._tables,
            ("GET", "/workspace/{workspace:int}/table/{table:int}/schema"): self._schema,
            ("GET", content): self._browse,
            ("POST", f"{content}/search"): self._search,
        }
        routes = [Route(path, self._guarded(answer), methods=[method]) for (method, path), answer in known.items()]
        return [*routes, Route("/{rest:path}", self._guarded(_nothing), methods=["GET", "POST", "PUT", "DELETE"])]

    def _guarded(self, answer: Any) -> Any:
        async def handle(request: Request) -> Response:
            try:
                self._admit(request)
                body = orjson.loads(await request.body() or b"{}") if request.method == "POST" else {}
                document = answer(request, body)
            except _Refused as refused:
                return _json(refused.body, refused.status)
            except orjson.JSONDecodeError:
                return _json({"code": "ERROR_CODE_INPUT_ERROR", "message": "Invalid JSON", "payload": ""}, 400)
            return _json(document)

        return handle

    def _admit(self, request: Request) -> None:
        """The plan's limit first: it counts refused tokens too."""
        now, most = time.monotonic(), self.limits.raised.get("xano", CALLS)
        while self._arrivals and self._arrivals[0] <= now - WINDOW_S:
            self._arrivals.popleft()
        if len(self._arrivals) >= most:
            raise _Refused(429, "ERROR_CODE_TOO_MANY_REQUESTS", "The limit of this plan is reached.")
        self._arrivals.append(now)
        if request.headers.get("authorization") != f"Bearer {self._v1.token}":
            raise _Refused(401, "ERROR_CODE_UNAUTHORIZED", "Unauthorized")
        if request.headers.get("x-data-source", "live") != "live":
            raise _Refused(404, "ERROR_CODE_NOT_FOUND", "There is no such data source.")

    @property
    def _v1(self) -> V1:
        return self.world.v1

    def _fault(self, request: Request, *names: str) -> Any:
        return self.faults.hit(names, request.url.path, None, None)

    def _me(self, request: Request, body: Row) -> Row:
        return {"id": self._v1.owner, "name": "Owner", "email": self.world.users[0].email, "extras": {}}

    def _workspaces(self, request: Request, body: Row) -> list[Row]:
        name = "V2" if self._fault(request, "another_workspace") else self._v1.name
        return [{"id": self._v1.workspace, "name": name}, {"id": 9, "name": "Scratch"}]

    def _tables(self, request: Request, body: Row) -> Any:
        self._place(request)
        page, size = int(request.query_params.get("page", 1)), int(request.query_params.get("per_page", 50))
        rows = [{"id": number, "name": title, "auth": False, "created_at": "2020-01-02 03:04:05+0000"}
                for number, title in sorted(self._v1.titles.items())]  # fmt: skip
        part = rows[(page - 1) * size : page * size]
        more = page * size < len(rows)
        return {"items": part, "curPage": page, "nextPage": page + 1 if more else None, "prevPage": page - 1 or None}

    def _schema(self, request: Request, body: Row) -> list[Row]:
        names = dict.fromkeys(name for row in self._rows(request).values() for name in row)
        return [{"name": name, "type": "text", "nullable": True, "access": "public"} for name in names]

    def _browse(self, request: Request, body: Row) -> Row:
        rows = list(self._rows(request).values())
        page, size = int(request.query_params.get("page", 1)), int(request.query_params.get("per_page", 50))
        return page_of(rows, page, size)

    def _search(self, request: Request, body: Row) -> Any:
        if self._fault(request, "false_body"):
            return False
        rows, size = list(self._rows(request).values()), min(int(body.get("per_page", 50)), MOST)
        if (self._fault(request, "wide_rows")) and size > _TOO_WIDE:
            raise _Refused(502, "", "Bad gateway")
        if not self._fault(request, "ignored_filter"):
            for condition in body.get("search") or []:
                rows = [row for row in rows if _fits(row, condition)]
        for sort in reversed(body.get("sort") or []):
            ((column, direction),) = sort.items()
            rows.sort(key=lambda row, c=column: row[c], reverse=direction == "desc")
        document = page_of(rows, int(body.get("page", 1)), size)
        if self._fault(request, "null_list"):
            document["items"] = None
        elif self._fault(request, "empty_page"):
            document["items"] = []
        elif document["items"] and (fault := self._fault(request, "invalid_record", "unreadable_date")):
            document["items"] = [broken(document["items"][0], fault), *document["items"][1:]]
        return document

    def _place(self, request: Request) -> None:
        if request.path_params["workspace"] != self._v1.workspace:
            raise _Refused(404, "ERROR_CODE_NOT_FOUND", "Workspace not found")

    def _rows(self, request: Request) -> dict[int, Row]:
        self._place(request)
        table = self._v1.ids.get(request.path_params["table"])
        if table is None:
            raise _Refused(404, "ERROR_CODE_NOT_FOUND", "Table not found")
        return self._v1.tables.get(table, {})


def _fits(row: Row, condition: Row) -> bool:
    ((key, value),) = condition.items()
    column, _, operator = key.partition("|")
    if column not in row or operator not in ("", ">", ">=", "<", "<=", "!="):
        raise _Refused(400, "ERROR_CODE_INPUT_ERROR", f"Unknown condition {key}")
    own = row[column]
    ways = {
        "": own == value, ">": own > value, ">=": own >= value, "<": own < value, "<=": own <= value,
        "!=": own != value,
    }  # fmt: skip
    return ways[operator]


def page_of(rows: list[Row], page: int, size: int) -> Row:
    """A page of rows in the shape in which Xano pages."""
    part = rows[(page - 1) * size : page * size]
    more = page * size < len(rows)
    return {
        "itemsReceived": len(part),
        "curPage": page,
        "nextPage": page + 1 if more else None,
        "prevPage": page - 1 or None,
        "offset": (page - 1) * size,
        "perPage": size,
        "itemsTotal": len(rows),
        "pageTotal": -(-len(rows) // size),
        "items": part,
    }


def _nothing(request: Request, body: Row) -> Any:
    raise _Refused(404, "ERROR_CODE_NOT_FOUND", "Not found")


def _json(document: Any, status: int = 200) -> Response:
    return Response(encode_surrogates(orjson.dumps(document)), status, media_type="application/json")
