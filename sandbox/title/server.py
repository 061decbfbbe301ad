"""The one GraphQL address: who asks, what is refused, and the traps of the partner surface.

Queries are run by graphql-core against partner.graphql, so that a document with a field that is not there fails here
as it would at the source. What is true is in `sandbox.world.title`.
"""

from __future__ import annotations

import base64
import binascii
from collections.abc import Callable
from importlib import resources
from typing import Any

import orjson
from graphql import GraphQLError, GraphQLResolveInfo, GraphQLSchema, build_schema, graphql_sync
from starlette.requests import Request
from starlette.responses import HTMLResponse, Response
from starlette.routing import Route

from sandbox.faults import Fault, Faults, broken
from sandbox.world import Row, World
from sandbox.world.title import MILESTONES, Organisation, stage_of

#: No page is larger, whatever is asked for.
MOST = 100
_TRAPS = ("partial_data", "null_list", "ignored_offset", "missing_capability", "shifting_pages", "invalid_record")


class _Refused(Exception):
    """No access: status, message and code as the source words them."""

    def __init__(self, status: int, message: str, code: str) -> None:
        super().__init__(message)
        self.status = status
        self.body = {"errors": [{"message": message, "extensions": {"code": code}}]}


class TitleServer:
    """The routes below /title."""

    def __init__(self, world: World, faults: Faults) -> None:
        self.world, self.faults = world, faults
        self.schema = _schema()

    def routes(self) -> list[Route]:
        """The address of the surface, and HTML for every other path."""
        return [
            Route("/api/partner/graphql", self._graphql, methods=["POST"]),
            Route("/{rest:path}", _nothing, methods=["GET", "POST"]),
        ]

    async def _graphql(self, request: Request) -> Response:
        try:
            name, organisation = self._who(request)
        except _Refused as refused:
            return _json(refused.body, refused.status)
        try:
            wanted = orjson.loads(await request.body())
            query, variables = str(wanted["query"]), wanted.get("variables") or {}
        except (ValueError, TypeError, KeyError):
            return _json({"errors": [{"message": "a query is needed", "extensions": {"code": "BAD_REQUEST"}}]}, 400)
        path = request.url.path
        asked = _Asked(self.world, organisation, lambda *names: self.faults.hit(names, path, name, organisation.name))
        told = graphql_sync(self.schema, query, root_value=asked, variable_values=variables)
        answer: dict[str, Any] = {"data": told.data}
        if told.errors:
            answer["errors"] = [error.formatted for error in told.errors]
        return _json(answer)

    def _who(self, request: Request) -> tuple[str, Organisation]:
        header = request.headers.get("authorization")
        if not header:
            raise _Refused(401, "Authorization header is missing", "UNAUTHORIZED")
        scheme, _, text = header.partition(" ")
        try:
            name, _, password = base64.b64decode(text, validate=True).decode().partition(":")
        except (binascii.Error, UnicodeDecodeError):
            scheme, name, password = "", "", ""
        if scheme.lower() != "basic":
            raise _Refused(401, "Authorization header is not properly formatted", "UNAUTHORIZED")
        known = self.world.title.keys.get(name)
        if known is None or known[0] != password:
            raise _Refused(403, "User is not authenticated", "FORBIDDEN")
        return name, self.world.title.organisations[known[1]]


class _Asked:
    """The roots of one query, for one organisation."""

    def __init__(self, world: World, organisation: Organisation, fault: Callable[..., Fault | None]) -> None:
        self.world, self.organisation, self._fault = world, organisation, fault

    def orders(self, info: GraphQLResolveInfo, input: Row | None = None) -> Row:
        wanted = input or {}
        trap = self._fault(*_TRAPS)
        name = trap.name if trap else None
        if name == "null_list":
            return {"orders": None}
        rows = [
            order
            for order in self.organisation.orders.values()
            if wanted.get("status") in (None, order["status"])
        ]  # fmt: skip
        offset = 0 if name == "ignored_offset" else wanted.get("offset") or 0
        if name == "shifting_pages" and offset:
            offset -= 1  # an order was put in front since the page before
        size = min(wanted.get("limit") or 25, MOST)
        page = [shown(order) for order in rows[offset : offset + size]]
        if trap and name in ("partial_data", "missing_capability"):
            for number, order in enumerate(page):
                if number == 0 or name == "missing_capability":
                    order["loan_amount"] = _no_capability
        if trap and name == "invalid_record" and page:
            page[0] = broken(page[0], trap)
        return {"orders": page}

    def order(self, info: GraphQLResolveInfo, _id: str) -> Row | None:
        found = self.organisation.orders.get(_id)
        if found is None:
            return None
        trap = self._fault("partial_data", "missing_capability")
        return shown(found) | ({"loan_amount": _no_capability} if trap else {})

    def usersInOrganization(self, info: GraphQLResolveInfo, input: Row | None = None) -> Row:  # noqa: N802
        wanted = input or {}
        if self._fault("null_list"):
            return {"users": None}
        offset = wanted.get("offset") or 0
        return {"users": self.organisation.users[offset : offset + min(wanted.get("limit") or 25, MOST)]}

    def availableSettlementAgencies(self, info: GraphQLResolveInfo, input: Row) -> Row:  # noqa: N802
        if all(user["user_id"] != input["ordering_user_id"] for user in self.organisation.users):
            raise GraphQLError("no such user in this organisation", extensions={"code": "NOT_FOUND"})
        return {"settlement_agencies": [a for a in self.world.title.agencies if input["state"] in a["_states"]]}


def shown(order: Row) -> Row:
    """An order as the surface shows it; steps that were never touched are null or not done."""
    progress: Row = {"current_stage": stage_of(order), "current_stage_key": stage_of(order).lower().replace("-", "_")}
    for number, name in enumerate(MILESTONES):
        untouched = None if number % 7 == 6 else {"complete": False, "completion_date": None}
        progress[name] = order["milestones"].get(name, untouched)
    told = {name: value for name, value in order.items() if not name.startswith("_") and name != "milestones"}
    return {"_id": order["_id"], **told, "progress": progress}


def _no_capability(info: GraphQLResolveInfo) -> Any:
    raise GraphQLError("Field 'loan_amount' needs a capability you do not have", extensions={"code": "CAPABILITY"})


def _schema() -> GraphQLSchema:
    text = (resources.files("sandbox.title") / "partner.graphql").read_text(encoding="utf-8")
    return build_schema(text.replace("MILESTONES", "\n  ".join(f"{name}: Milestone" for name in MILESTONES)))


def _json(document: Any, status: int = 200) -> Response:
    return Response(orjson.dumps(document), status, media_type="application/json")


async def _nothing(request: Request) -> Response:
    return HTMLResponse("<html><body>Cannot POST</body></html>", 404)
