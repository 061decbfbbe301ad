"""reZEN, as public clients describe it: yenta for people and teams, arrakis for deals; a key sees what its agent sees."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import orjson
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Mount, Route

from sandbox.faults import Faults
from sandbox.world import Row, World

GROUPS = ("OPEN", "CLOSED", "TERMINATED")
_THIN = (
    "id", "code", "listing", "closed", "terminated", "transactionType", "lifecycleState", "address", "price",
    "createdAt", "updatedAt",
)  # fmt: skip


class Refused(Exception):
    """An answer that is no success, in one of the two shapes that were seen."""

    def __init__(self, status: int, message: str | None, *, wrapped: bool = False) -> None:
        super().__init__(message or "")
        self.status = status
        body: Any = {"status": status, "message": message}
        if wrapped:
            body = {"com.real.commons.apierror.ApiError": {"status": "NOT_FOUND", "message": message}}
        self.body = b"" if message is None else orjson.dumps(body)


class RezenServer:
    """The routes of both services."""

    def __init__(self, world: World, faults: Faults) -> None:
        self.world, self.faults = world, faults
        self._lists: dict[tuple[Any, ...], list[Row]] = {}
        self._version = -1

    def mounts(self) -> list[Mount]:
        """/yenta/api/v1 and /arrakis/api/v1; a path of one is unknown to the other."""
        def route(path: str, answer: Callable[[Request, str], Any]) -> Route:
            return Route(path, self._handler(answer), methods=["GET"])

        yenta = [
            route("/users/me", lambda r, me: self._me(me)),
            route("/agents/me", lambda r, me: self._agent(me, full=True)),
            route("/agents/ids", self._agents),
            route("/agents/{id}", lambda r, me: self._agent(r.path_params["id"], full=True)),
            route("/agents/{id}/sponsor-tree", self._sponsors),
            route("/agents/{id}/cap-info", self._cap),
            route("/agents", self._by_email),
            route("/teams/{id}", self._team),
            route("/teams/{id}/members", self._members),
            route("/teams/{id}/without-agents", lambda r, me: dict(self._named_team(r))),
        ]
        arrakis = [
            route("/transactions/participant/{id}/{kind}/lifecycle-group-counts", self._counts),
            route("/transactions/participant/{id}/{kind}/{group}", self._group),
            route("/transactions/{id}", self._deal),
        ]
        return [Mount("/yenta/api/v1", routes=yenta), Mount("/arrakis/api/v1", routes=arrakis)]

    def _handler(self, answer: Callable[[Request, str], Any]) -> Callable[[Request], Any]:
        async def handle(request: Request) -> Response:
            try:
                return _json(answer(request, self._who(request)))
            except Refused as refused:
                return Response(refused.body, refused.status, media_type="application/json")

        return handle

    def _who(self, request: Request) -> str:
        if request.headers.get("authorization"):
            raise Refused(403, None)  # a key sent as Bearer
        agent = self.world.brokerage.keys.get(request.headers.get("x-api-key", ""))
        if agent is None:
            raise Refused(401, "Unauthorized")
        return agent

    # --- yenta ------------------------------------------------------------------------------------------------------

    def _me(self, me: str) -> Row:
        agent = self.world.brokerage.agents[me]
        return {"id": me, "type": "AGENT", "displayName": agent["fullName"], "emailAddress": agent["emailAddress"]}

    def _agent(self, agent_id: str, *, full: bool) -> Row:
        agent = self.world.brokerage.agents.get(agent_id)
        if agent is None:
            raise Refused(404, "No agent with that id", wrapped=True)
        if not full:
            return agent
        teams = [
            {"teamId": team["id"], "teamName": team["name"], "teamType": team["type"]}
            for team in self.world.brokerage.teams.values()
            if any(_agent_of(seat) == agent_id for seat in self.world.brokerage.rosters[team["id"]])
        ]
        return {**agent, "teams": teams, "offices": []}

    def _agents(self, request: Request, me: str) -> Row:
        wanted = request.query_params.getlist("agentIds")
        if len(wanted) > 20:
            raise Refused(400, "At most 20 ids")
        return {"agents": [self.world.brokerage.agents[i] for i in wanted if i in self.world.brokerage.agents]}

    def _by_email(self, request: Request, me: str) -> list[Row]:
        email = request.query_params.get("emailAddress", "").lower()
        if not email:
            raise Refused(400, "emailAddress is required")
        return [a for a in self.world.brokerage.agents.values() if a["emailAddress"].lower() == email]

    def _named_team(self, request: Request) -> Row:
        team = self.world.brokerage.teams.get(request.path_params["id"])
        if team is None:
            raise Refused(404, "No team with that id", wrapped=True)
        return team

    def _team(self, request: Request, me: str) -> Row | list[Row]:
        team = self._named_team(request)
        roster = self.world.brokerage.rosters[team["id"]]
        fault = self.faults.hit({"roster_key"}, request.url.path, None)
        key = fault.more.get("to", "teamMembers") if fault else "agents"
        if key == "root":
            return roster
        return {**team, ("people" if key == "unknown" else key): roster}

    def _members(self, request: Request, me: str) -> Row:
        return {"members": self.world.brokerage.rosters[self._named_team(request)["id"]]}

    def _sponsors(self, request: Request, me: str) -> Row:
        agent = request.path_params["id"]
        return {"flattenedSponsors": self.world.brokerage.sponsors.get(agent, []), "teams": []}

    def _cap(self, request: Request, me: str) -> Row:
        cap = self.world.brokerage.caps.get(request.path_params["id"])
        if cap is None:
            raise Refused(404, "No cap info", wrapped=True)
        return cap

    # --- arrakis ----------------------------------------------------------------------------------------------------

    def _visible(self, me: str, request: Request) -> tuple[str, bool]:
        if request.path_params["id"] != me:
            raise Refused(403, "Not allowed for this agent")
        kind = request.path_params["kind"]
        if kind not in ("transactions", "listing-transactions"):
            raise Refused(404, "Not found", wrapped=True)
        return me, kind == "listing-transactions"

    def _of(self, agent: str, listing: bool, group: str, sort: str, descending: bool) -> list[Row]:
        brokerage = self.world.brokerage
        if self._version != self.world.version:
            self._lists.clear()
            self._version = self.world.version
        key = (agent, listing, group, sort, descending)
        if key not in self._lists:
            rows = [
                deal
                for deal in brokerage.deals.values()
                if deal["listing"] is listing and deal["_group"] == group and agent in brokerage.viewers[deal["id"]]
            ]
            column = "updatedAt" if sort == "UPDATED_AT" else "createdAt"
            self._lists[key] = sorted(rows, key=lambda d: (d[column], d["id"]), reverse=descending)
        return self._lists[key]

    def _counts(self, request: Request, me: str) -> Row:
        agent, listing = self._visible(me, request)
        return {group: len(self._of(agent, listing, group, "CREATED_AT", False)) for group in GROUPS}

    def _group(self, request: Request, me: str) -> Row:
        agent, listing = self._visible(me, request)
        query, group = request.query_params, request.path_params["group"]
        if not query.get("pageNumber", "").isdecimal() or not query.get("pageSize", "").isdecimal():
            raise Refused(400, "pageNumber and pageSize are required")
        if group not in GROUPS:
            raise Refused(400, f"Unknown lifecycle group {group}")
        number, size = int(query["pageNumber"]), min(max(int(query["pageSize"]), 1), 500)
        rows = self._of(agent, listing, group, query.get("sortBy", "CREATED_AT"), query.get("sortDirection") == "DESC")
        page = rows[number * size : (number + 1) * size]
        return {
            "transactions": [{k: row[k] for k in _THIN} for row in page],
            "pageNumber": number,
            "pageSize": size,
            "hasNext": (number + 1) * size < len(rows),
            "totalCount": len(rows),
        }

    def _deal(self, request: Request, me: str) -> Row:
        brokerage = self.world.brokerage
        deal = brokerage.deals.get(request.path_params["id"])
        if deal is None:
            raise Refused(404, "No transaction with that id", wrapped=True)
        if me not in brokerage.viewers[deal["id"]]:
            raise Refused(403, "Not allowed for this agent")
        shown = {k: v for k, v in deal.items() if not k.startswith("_")}
        # What a deal pays depends on who asks.
        net = deal["_net"] if me == deal["_owner"] else round(deal["_net"] * 0.1, 2)
        shown["myNetPayout"] = {"amount": net, "currency": deal["currency"]}
        broken = self.faults.hit({"invalid_record"}, request.url.path, None)
        if broken:
            shown[broken.more.get("field", "updatedAt")] = broken.more.get("value", "yesterday")
        return shown


def _agent_of(seat: Row) -> str:
    return seat["agent"]["id"] if "agent" in seat else seat["yentaId"]


def _json(body: Any) -> Response:
    return Response(orjson.dumps(body), media_type="application/json")
