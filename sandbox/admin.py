"""The sandbox's own door, under /_world: who has which key, what is true, what was asked, faults, time.

Not part of any real system. `home` keeps what was done, so that a restart comes back to the same world.
"""

from __future__ import annotations

import json
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from sandbox import step as steps
from sandbox.faults import UnknownFault
from sandbox.fub import _visible
from sandbox.world import Scale, World

if TYPE_CHECKING:
    from sandbox.server import Sandbox

STATE_FILE = "sandbox.json"
#: The platform's names of collections, by the real systems' names.
FUB_ENTITIES = {
    "users": "users", "groups": "groups", "stages": "stages", "pipelines": "pipelines", "people": "people",
    "deals": "deals", "events": "events", "calls": "calls", "appointments": "appointments",
    "text_messages": "textMessages",
}  # fmt: skip


class Admin:
    """The admin routes of a sandbox."""

    def __init__(self, sandbox: Sandbox, home: Path | None) -> None:
        self.sandbox, self.home = sandbox, home
        self.steps: list[str] = []

    def routes(self) -> list[Route]:
        """Everything under /_world."""
        return [
            Route("/health", self._health),
            Route("/credentials", self._credentials),
            Route("/facts/{system}/{entity}", self._facts),
            Route("/requests", self._requests, methods=["GET", "DELETE"]),
            Route("/step", self._step, methods=["POST"]),
            Route("/fault", self._fault, methods=["GET", "POST", "DELETE"]),
            Route("/limits", self._limits, methods=["POST"]),
        ]

    async def _health(self, request: Request) -> Response:
        world = self.sandbox.world
        return JSONResponse({"now": world.now.isoformat(), "version": world.version, "seed": world.seed})

    async def _credentials(self, request: Request) -> Response:
        return JSONResponse(
            {
                "users": [
                    {
                        "email": user.email,
                        "name": user.name,
                        "fub": {"api_key": user.fub_key, "account_id": str(user.fub_account)},
                        "rezen": {"api_key": user.rezen_key, "account_id": user.agent_id},
                    }
                    for user in self.sandbox.world.users
                ],
                "fub_base_url": self.sandbox.fub_url,
                "rezen_base_url": self.sandbox.rezen_url,
                "fub_system_key": "sandbox-system-key",
            }
        )

    async def _facts(self, request: Request) -> Response:
        key = request.query_params.get("key", "")
        found = facts(self.sandbox.world, request.path_params["system"], request.path_params["entity"], key)
        if found is None:
            return JSONResponse({"error": "no such system, entity or key"}, 404)
        return JSONResponse({"ids": found})

    async def _requests(self, request: Request) -> Response:
        log = self.sandbox.requests
        if request.method == "DELETE":
            log.clear()
        rows = [
            {"method": method, "path": path, "status": status, "key": key[-4:], "count": number}
            for (method, path, status, key), number in sorted(log.counts.items())
        ]
        return JSONResponse({"requests": rows, "latest": log.queries[-200:]})

    async def _step(self, request: Request) -> Response:
        told = await run_in_threadpool(steps.step, self.sandbox.world)
        self.steps.append(told["at"])
        self._save()
        return JSONResponse(told)

    async def _fault(self, request: Request) -> Response:
        faults = self.sandbox.faults
        if request.method == "POST":
            try:
                faults.add(await request.json())
            except (UnknownFault, ValueError) as error:
                return JSONResponse({"error": str(error)}, 400)
        elif request.method == "DELETE":
            faults.clear(request.query_params.get("name"))
        return JSONResponse({"active": [{"name": f.name, "path": f.path, "times": f.times, **f.more}
                                        for f in faults.active]})  # fmt: skip

    async def _limits(self, request: Request) -> Response:
        self.sandbox.limits.raised = {str(k): int(v) for k, v in (await request.json()).items()}
        return JSONResponse(self.sandbox.limits.raised)

    def _save(self) -> None:
        if self.home is None:
            return
        world = self.sandbox.world
        state = {
            "seed": world.seed,
            "start": world.start.isoformat(),
            "people": world.scale.people,
            "deals": world.scale.deals,
            "steps": self.steps,
        }
        self.home.mkdir(parents=True, exist_ok=True)
        (self.home / STATE_FILE).write_text(json.dumps(state, indent=1), encoding="utf-8")


def open_world(home: Path, seed: int, scale: Scale) -> tuple[World, list[str]]:
    """The world this home had when it was last stopped (its steps are taken again), or a new one."""
    file = home / STATE_FILE
    if not file.exists():
        return World(seed, scale), []
    state = json.loads(file.read_text(encoding="utf-8"))
    kept = Scale(people=state["people"], deals=state["deals"])
    world = World(state["seed"], kept, datetime.fromisoformat(state["start"]))
    for at in state["steps"]:
        steps.step(world, datetime.fromisoformat(at))
    return world, list(state["steps"])


def facts(world: World, system: str, entity: str, key: str) -> dict[str, Any] | None:
    """What is true for a key: id → stamp (or null where the source has none). None for an unknown question."""
    if system == "fub" and entity in FUB_ENTITIES:
        for account in world.accounts.values():
            user = account.keys.get(key)
            if user:
                name = FUB_ENTITIES[entity]
                rows = account.tables[name].values()
                return {str(r["id"]): r.get("updated") for r in rows if _visible(account, user, name, r)}
    agent = world.brokerage.keys.get(key)
    if system != "rezen" or agent is None:
        return None
    brokerage = world.brokerage
    mine = [t for t, roster in brokerage.rosters.items() if any(_of(seat) == agent for seat in roster)]
    answers: dict[str, dict[str, Any]] = {
        # The profile shows the agent's teams, which change without its stamp.
        "agents": {agent: None},
        "teams": {t: brokerage.teams[t]["updatedAt"] for t in mine},
        "team_members": {f"{t}:{_of(seat)}": None for t in mine for seat in brokerage.rosters[t]},
        "sponsor_tree": {f"{agent}:{s['id']}": None for s in brokerage.sponsors.get(agent, [])},
        "cap_data": {agent: None},
    }
    for name, listing in (("transactions", False), ("listings", True)):
        answers[name] = {
            deal_id: deal["updatedAt"]
            for deal_id, deal in brokerage.deals.items()
            if deal["listing"] is listing and agent in brokerage.viewers[deal_id]
        }
    return answers.get(entity)


def _of(seat: dict[str, Any]) -> str:
    return seat["agent"]["id"] if "agent" in seat else seat["yentaId"]
