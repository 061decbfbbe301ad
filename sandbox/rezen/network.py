"""yenta's network: down-lines tier by tier in numbered pages, and the front line. Only for the agent's own key."""

from __future__ import annotations

from starlette.requests import Request
from starlette.routing import Route

from sandbox.rezen.answers import Refused, Service
from sandbox.world import Row
from sandbox.world.network import TIERS, shown

MOST = 1000


def page_of(request: Request, key: str, rows: list[Row], *, usual: int = 20, most: int = MOST) -> Row:
    """One numbered page, with the list's own count."""
    query = request.query_params
    number, size = int(query.get("pageNumber", "0")), min(int(query.get("pageSize", str(usual))), most)
    return {
        key: rows[number * size : (number + 1) * size],
        "pageNumber": number,
        "pageSize": size,
        "hasNext": (number + 1) * size < len(rows),
        "totalCount": len(rows),
    }


class NetworkService(Service):
    """The part of yenta that knows who is below whom."""

    def routes(self) -> list[Route]:
        """Routes to stand among yenta's."""
        return [
            self.route("/agents/{id}/down-line/{tier}", self._down_line),
            self.route("/agents/{id}/front-line-agents-info", self._front_line),
        ]

    def _own(self, request: Request, me: str) -> str:
        if request.path_params["id"] != me:
            raise Refused(403, "Not allowed for this agent")
        return me

    def _down_line(self, request: Request, me: str) -> Row:
        agent, tier = self._own(request, me), request.path_params["tier"]
        if not tier.isdecimal() or not 1 <= int(tier) <= TIERS:
            raise Refused(400, f"There is no tier {tier}", wrapped=True, code="BAD_REQUEST")
        network, wanted = self.world.network, set(request.query_params.getlist("statusIn")) or {"ACTIVE"}
        rows = [
            shown(network, member)
            for at, member in network.tiers(agent)
            if at == int(tier) and network.members[member]["status"] in wanted
        ]
        return page_of(request, "downLineAgents", rows)

    def _front_line(self, request: Request, me: str) -> Row:
        network = self.world.network
        return {
            "frontLineAgentInfos": [
                {**shown(network, member), "avatar": None}
                for tier, member in network.tiers(self._own(request, me))
                if tier == 1
            ]
        }
