"""The sandbox's own door, under /_world: who has which key, what is true, what was asked, faults, limits, time.

Not part of any real system. Everything runs on the server's loop, so that no request sees a world half moved.
"""

from __future__ import annotations

from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from sandbox.facts import facts
from sandbox.faults import NAMES, UnknownFault
from sandbox.fub import SYSTEM_KEY
from sandbox.state import Deeds, do, save

if TYPE_CHECKING:
    from sandbox.server import Sandbox


class Admin:
    """The admin routes of a sandbox. With a home, what is done here outlives a restart."""

    def __init__(self, sandbox: Sandbox, home: Path | None) -> None:
        self.sandbox, self.home = sandbox, home
        self.deeds = Deeds()

    def resume(self, deeds: Deeds) -> None:
        """Takes up what an earlier process left: faults and limits. (The world has done its deeds already.)"""
        self.deeds = deeds
        self.sandbox.limits.raised = dict(deeds.limits)
        for fault in deeds.faults:
            self.sandbox.faults.add(fault)
        self.keep()

    def keep(self) -> None:
        """Writes the state, if there is a home."""
        self.deeds.faults = [fault.told() for fault in self.sandbox.faults.active]
        self.deeds.limits = self.sandbox.limits.raised
        if self.home is not None:
            save(self.home, self.sandbox.world, self.deeds)

    def routes(self) -> list[Route]:
        """Everything under /_world."""
        return [
            Route("/health", self._health),
            Route("/credentials", self._credentials),
            Route("/facts/{system}/{entity}", self._facts),
            Route("/requests", self._requests, methods=["GET", "DELETE"]),
            Route("/requests/reset", self._requests, methods=["POST"]),
            Route("/step", self._step, methods=["POST"]),
            Route("/reassign", self._reassign, methods=["POST"]),
            Route("/touch", self._touch, methods=["POST"]),
            Route("/rotate", self._rotate, methods=["POST"]),
            Route("/merge", self._merge, methods=["POST"]),
            Route("/hooks", self._hooks, methods=["GET", "POST"]),
            Route("/hooks/log", self._hooks_log),
            Route("/hooks/register", self._register, methods=["POST"]),
            Route("/hooks/send", self._send, methods=["POST"]),
            Route("/fault", self._fault, methods=["GET", "POST", "DELETE"]),
            Route("/limits", self._limits, methods=["GET", "POST"]),
        ]

    async def _health(self, request: Request) -> Response:
        world = self.sandbox.world
        return JSONResponse({"now": world.now.isoformat(), "version": world.version, "seed": world.seed})

    async def _credentials(self, request: Request) -> Response:
        users = [
            {
                "email": user.email,
                "name": user.name,
                "fub": {"api_key": user.fub_key, "account_id": str(user.fub_account), "user_id": str(user.fub_user)},
                "rezen": {"api_key": user.rezen_key, "account_id": user.agent_id, "user_id": user.agent_id},
                **{name: asdict(key) for name, key in user.connections.items()},
            }
            for user in self.sandbox.world.users
        ]
        return JSONResponse(
            {
                "users": users,
                "fub_base_url": self.sandbox.fub_url,
                "rezen_base_url": self.sandbox.rezen_url,
                "skyslope_base_url": self.sandbox.skyslope_url,
                "title_base_url": self.sandbox.title_url,
                "fub_system_key": SYSTEM_KEY,
                "xano_base_url": self.sandbox.xano_url,
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
        if request.method in ("DELETE", "POST"):
            log.clear()
        rows = [
            {"method": method, "path": path, "status": status, "account": self.sandbox.account_of(key),
             "key": key[-4:], "count": number}
            for (method, path, status, key), number in sorted(log.counts.items())
        ]  # fmt: skip
        return JSONResponse({"requests": rows, "latest": list(log.queries)[-200:]})

    async def _step(self, request: Request) -> Response:
        return self._do({"step": datetime.now(UTC).replace(microsecond=0).isoformat()})

    async def _reassign(self, request: Request) -> Response:
        wanted = await request.json()
        try:
            ids = [int(wanted[name]) for name in ("account", "person", "user")]
            return self._do({"reassign": [*ids, datetime.now(UTC).replace(microsecond=0).isoformat()]})
        except (KeyError, ValueError, TypeError) as error:
            return JSONResponse({"error": f"account, person and user are ids that exist: {error!r}"}, 400)

    async def _touch(self, request: Request) -> Response:
        """{system, entity, account?, id?}: changes one record now; without an id one of the account's is taken."""
        wanted = await request.json()
        try:
            system, entity = str(wanted["system"]), str(wanted["entity"])
            account, record = str(wanted.get("account", "")), str(wanted.get("id", ""))
            world = self.sandbox.world
            if system == "fub":
                account = account or str(world.users[0].fub_account)
                rows = world.accounts[int(account)].tables[entity]
                record = record or str(next(i for i, row in rows.items() if row.get("claimed", True)))
            elif not record:
                seen = world.brokerage.viewers
                record = next(
                    i
                    for i, deal in world.brokerage.deals.items()
                    if not deal["listing"] and isinstance(deal["price"], dict) and account in (*seen[i], "")
                )
            return self._do(
                {"touch": [system, entity, account, record, datetime.now(UTC).isoformat(timespec="seconds")]}
            )
        except (KeyError, ValueError, TypeError, StopIteration) as error:
            return JSONResponse({"error": f"system, entity, account and id name a record that exists: {error!r}"}, 400)

    async def _rotate(self, request: Request) -> Response:
        """{system, key}: the key is made anew; the answer has the new one, and the old one is refused from now on."""
        wanted = await request.json()
        try:
            return self._do({"rotate": [str(wanted["system"]), str(wanted["key"])]})
        except (KeyError, TypeError, StopIteration) as error:
            return JSONResponse({"error": f"system and key name a key that exists: {error!r}"}, 400)

    async def _merge(self, request: Request) -> Response:
        """{account, winner, loser}: two contacts become one; without ids two of the account's are taken."""
        wanted = await request.json()
        try:
            account = int(wanted["account"])
            people = self.sandbox.world.accounts[account].tables["people"]
            some = list(people)[-2:]
            ids = [int(wanted.get(name, some[number])) for number, name in enumerate(("winner", "loser"))]
            at = datetime.now(UTC).replace(microsecond=0).isoformat()
            return self._do({"merge": [account, *ids, at]})
        except (KeyError, ValueError, TypeError, IndexError) as error:
            return JSONResponse({"error": f"account, winner and loser are ids that exist: {error!r}"}, 400)

    async def _hooks_log(self, request: Request) -> Response:
        """Every event that was made: when, of what, and whether it was lost on the way."""
        return JSONResponse({"events": list(self.sandbox.hooks.log)})

    async def _hooks(self, request: Request) -> Response:
        """How webhooks go: on, and the shares of loss, repeat, disorder; delay_s; retry_scale."""
        ways = self.sandbox.hooks.ways
        if request.method == "POST":
            try:
                for name, value in (await request.json()).items():
                    setattr(ways, name, type(getattr(ways, name))(value))
            except (AttributeError, ValueError, TypeError) as error:
                return JSONResponse({"error": f"on, loss, repeat, disorder, delay_s, retry_scale: {error}"}, 400)
        return JSONResponse(self.sandbox.hooks.told())

    async def _register(self, request: Request) -> Response:
        """{system: rezen | title, account, url, user?, password?}; FUB is registered by its own API."""
        wanted = await request.json()
        try:
            self.sandbox.hooks.register(**{k: str(v) for k, v in wanted.items()})
        except (KeyError, TypeError) as error:
            return JSONResponse({"error": f"system, account and url are needed: {error!r}"}, 400)
        return JSONResponse(self.sandbox.hooks.told())

    async def _send(self, request: Request) -> Response:
        """{account, event, table, ids}: an event of the CRM that nothing happened for, e.g. of an unknown name."""
        wanted = await request.json()
        try:
            ids = [int(i) for i in wanted["ids"]]
            event, told_as = str(wanted["event"]), str(wanted.get("registered_as", wanted["event"]))
            self.sandbox.hooks.send(
                self.sandbox.hooks.fub_event(int(wanted["account"]), told_as, wanted["table"], ids, named=event)
            )
        except (KeyError, ValueError, TypeError) as error:
            return JSONResponse({"error": f"account, event, table and ids are needed: {error!r}"}, 400)
        return JSONResponse(self.sandbox.hooks.told())

    def _do(self, deed: dict[str, Any]) -> Response:
        before = self.sandbox.hooks.picture()
        told = do(self.sandbox.world, deed)
        self.sandbox.hooks.changed_since(before)
        self.deeds.done.append(deed)
        self.keep()
        return JSONResponse(told)

    async def _fault(self, request: Request) -> Response:
        faults = self.sandbox.faults
        if request.method == "POST":
            try:
                faults.add(await request.json())
            except (UnknownFault, ValueError, TypeError) as error:
                return JSONResponse({"error": str(error)}, 400)
        elif request.method == "DELETE":
            faults.clear(request.query_params.get("name"))
        self.keep()
        return JSONResponse({"active": [fault.told() for fault in faults.active], "names": NAMES})

    async def _limits(self, request: Request) -> Response:
        if request.method == "POST":
            try:
                raised = {str(k): int(v) for k, v in (await request.json()).items() if v is not None}
            except (ValueError, TypeError, AttributeError):
                return JSONResponse({"error": "an object of context → calls in 10 s is needed"}, 400)
            self.sandbox.limits.raised = raised
            self.keep()
        return JSONResponse(self.sandbox.limits.raised)
