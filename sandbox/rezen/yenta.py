"""yenta: users, agents, teams with their rosters, sponsor trees, caps. Profiles and rosters are open to every key."""

from __future__ import annotations

from typing import Any

from starlette.requests import Request
from starlette.routing import Route

from sandbox.rezen.answers import Refused, Service, not_found
from sandbox.world import Row
from sandbox.world.model import agent_of

MOST_IDS = 20


class Yenta(Service):
    """The service of people and teams."""

    def routes(self) -> list[Route]:
        """Everything under /yenta/api/v1."""
        return [
            self.route("/users/me", self._me),
            self.route("/agents/me", lambda r, me: self._profile(me)),
            self.route("/agents/ids", self._by_ids),
            self.route("/agents/{id}", lambda r, me: self._profile(r.path_params["id"])),
            self.route("/agents/{id}/sponsor-tree", self._sponsors),
            self.route("/agents/{id}/cap-info", self._cap),
            self.route("/agents", self._by_email),
            self.route("/teams/{id}", self._team),
            self.route("/teams/{id}/members", self._members),
            self.route("/teams/{id}/without-agents", lambda r, me: self._named(r)),
        ]

    def _me(self, request: Request, me: str) -> Row:
        agent = self.world.brokerage.agents[me]
        return {
            "id": me,
            "type": "AGENT",
            "displayName": agent["fullName"],
            "emailAddress": agent["emailAddress"],
            "keyMakerId": agent["keyMakerId"],
        }

    def _agent(self, agent_id: str) -> Row:
        agent = self.world.brokerage.agents.get(agent_id)
        if agent is None:
            raise not_found("No agent with that id")
        return agent

    def _profile(self, agent_id: str) -> Row:
        """An agent with teams, offices and areas, which only single answers carry."""
        agent = self._agent(agent_id)
        teams = []
        for team in self.world.brokerage.teams_of(agent_id):
            seat = next(s for s in self.world.brokerage.rosters[team["id"]] if agent_of(s) == agent_id)
            teams.append(
                {
                    "teamId": team["id"],
                    "teamName": team["name"],
                    "teamType": team["type"],
                    "teamRoles": seat["roles"],
                    "isLeader": "LEADER" in seat["roles"],
                    "isAdmin": "ADMIN" in seat["roles"],
                }
            )
        area = "ONTARIO" if agent["agentAccountCountry"] == "CANADA" else "UTAH"
        return {**agent, "teams": teams, "offices": [], "administrativeAreas": [{"stateOrProvince": area}]}

    def _by_ids(self, request: Request, me: str) -> Row:
        wanted = request.query_params.getlist("agentIds")
        if len(wanted) > MOST_IDS:
            raise Refused(400, f"At most {MOST_IDS} agentIds")
        agents = self.world.brokerage.agents
        return {"agents": [agents[agent] for agent in wanted if agent in agents]}

    def _by_email(self, request: Request, me: str) -> list[Row]:
        email = request.query_params.get("emailAddress", "").casefold()
        if not email:
            raise Refused(400, "emailAddress is required")
        return [a for a in self.world.brokerage.agents.values() if a["emailAddress"].casefold() == email]

    # --- teams ------------------------------------------------------------------------------------------------------

    def _named(self, request: Request) -> Row:
        team = self.world.brokerage.teams.get(request.path_params["id"])
        if team is None:
            raise not_found("No team with that id")
        return team

    def _roster_key(self, request: Request, me: str, usual: str) -> str:
        fault = self.fault(request, me, "roster_key")
        key = fault.more.get("to", "teamMembers") if fault else usual
        return "people" if key == "unknown" else key

    def _team(self, request: Request, me: str) -> Any:
        team = self._named(request)
        roster, key = self.world.brokerage.rosters[team["id"]], self._roster_key(request, me, "agents")
        return roster if key == "root" else {**team, key: roster}

    def _members(self, request: Request, me: str) -> Any:
        roster, key = self.world.brokerage.rosters[self._named(request)["id"]], self._roster_key(request, me, "members")
        return roster if key == "root" else {key: roster}

    # --- network and caps -------------------------------------------------------------------------------------------

    def _sponsors(self, request: Request, me: str) -> Row:
        """The chain above an agent; the teams come along with their rosters, as they did at the real one."""
        brokerage, agent = self.world.brokerage, self._agent(request.path_params["id"])["id"]
        teams = [{**team, "agents": brokerage.rosters[team["id"]]} for team in brokerage.teams_of(agent)]
        return {"flattenedSponsors": brokerage.sponsors.get(agent, []), "teams": teams}

    def _cap(self, request: Request, me: str) -> Row:
        cap = self.world.brokerage.caps.get(self._agent(request.path_params["id"])["id"])
        if cap is None:
            raise not_found("No cap info")
        return cap
