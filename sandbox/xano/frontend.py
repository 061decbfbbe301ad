"""The endpoints with which V1 served its frontend: the same paths as V2's, V1's own rows, numbers and forms.

A user signs in with a token of V1 and sees the own rows. What V1 answers for tables that it has not is a 404.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable
from typing import Any

import orjson
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from sandbox.world import Row, World
from sandbox.world.v1 import V1
from sandbox.xano.server import page_of

PER_PAGE, MOST = 50, 1000
#: Columns that V1's endpoints never gave away, though its tables have them.
_PRIVATE = frozenset({"password", "magic_link", "api_key", "google_oauth", "bank_account_number"})
#: Endpoints that list a table's rows that belong to a user.
_LISTED = {
    "/transactions/all": "transaction",
    "/listings/all": "listing",
    "/transactions/participants": "participant",
    "/contributions": "contribution",
    "/leads/fub_people": "fub_people",
    "/team_management/details": "team",
    "/team_management/directors": "director",
    "/team_management/leaders": "leader",
    "/team_management/mentors": "mentor",
}


class FrontendServer:
    """The routes below /xano/api:frontend."""

    def __init__(self, world: World) -> None:
        self.world = world

    def routes(self) -> list[Route]:
        """One for each endpoint that V1 had."""
        listed = [Route(path, self._signed_in(self._list(table))) for path, table in _LISTED.items()]
        return [
            *listed,
            Route("/listings/count", self._signed_in(self._count("listing"))),
            Route("/transactions/metrics", self._signed_in(self._metrics)),
            Route("/transactions/details", self._signed_in(self._deal)),
        ]

    @property
    def _v1(self) -> V1:
        return self.world.v1

    def _signed_in(self, answer: Callable[[Request, int], Any]) -> Any:
        async def handle(request: Request) -> Response:
            token = request.headers.get("authorization", "").removeprefix("Bearer ")
            user = self._v1.logins.get(token)
            if user is None:
                return _json({"code": "ERROR_CODE_UNAUTHORIZED", "message": "Unauthorized"}, 401)
            document = answer(request, user)
            if document is None:
                return _json({"code": "ERROR_CODE_NOT_FOUND", "message": "Not Found."}, 404)
            return _json(document)

        return handle

    def _list(self, table: str) -> Callable[[Request, int], Any]:
        def answer(request: Request, user: int) -> Any:
            if table not in self._v1.tables:
                return None
            rows = sorted(self._visible(table, user), key=lambda row: row["id"], reverse=True)
            page = int(request.query_params.get("page", 1))
            size = min(int(request.query_params.get("per_page", PER_PAGE)), MOST)
            return page_of([_public(row) for row in rows], page, size)

        return answer

    def _count(self, table: str) -> Callable[[Request, int], Any]:
        return lambda request, user: {"count": len(list(self._visible(table, user)))}

    def _metrics(self, request: Request, user: int) -> Any:
        groups: dict[tuple[str, str], dict[str, Any]] = defaultdict(
            lambda: {"transactions": 0, "volume": 0.0, "gross_commission": 0.0}
        )
        for row in self._visible("transaction", user):
            group = groups[row["status"], row["currency"]]
            group["transactions"] += 1
            group["volume"] += row["sale_price"] or 0
            group["gross_commission"] += row["gross_commission"] or 0
        return [{"status": status, "currency": currency, **group} for (status, currency), group in groups.items()]

    def _deal(self, request: Request, user: int) -> Any:
        """One deal by V1's number, with who takes part in it and its tags."""
        wanted = request.query_params.get("id")
        deal = next((row for row in self._visible("transaction", user) if str(row["id"]) == wanted), None)
        if deal is None:
            return None
        parts = {"participants": "participant", "tags": "transaction_tags"}
        return _public(deal) | {
            name: [_public(row) for row in self._v1.tables[table].values() if row["transaction_id"] == deal["id"]]
            for name, table in parts.items()
        }

    def _visible(self, table: str, user: int) -> Iterable[Row]:
        """A user's own rows, and those of the own agent."""
        rows = self._v1.tables.get(table, {}).values()
        agent, team = (self._v1.tables["user"][user][name] for name in ("agent_id", "team_id"))
        if table == "participant":
            deals = {deal["id"] for deal in self._visible("transaction", user)}
            return [row for row in rows if row["transaction_id"] in deals]
        if table == "team":
            return [row for row in rows if row["id"] == team]
        if table in ("director", "leader", "mentor"):
            return [row for row in rows if row["team_id"] == team]
        return [row for row in rows if row.get("user_id") == user or (agent and row.get(_OWNER[table]) == agent)]


#: Which column of a table names the agent whose it is.
_OWNER = defaultdict(lambda: "agent_id", transaction="transaction_owner_agent_id", listing="transaction_owner_agent_id")


def _public(row: Row) -> Row:
    return {name: value for name, value in row.items() if name not in _PRIVATE}


def _json(document: Any, status: int = 200) -> Response:
    return Response(orjson.dumps(document), status, media_type="application/json")
