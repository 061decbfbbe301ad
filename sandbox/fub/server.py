"""The CRM's routes: who asks, how often, and what is answered."""

from __future__ import annotations

import base64
from collections.abc import Callable
from typing import Any

import orjson
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from sandbox.faults import Faults, broken, encode_surrogates
from sandbox.fub.lists import COLLECTIONS, Lists, fields_of, show
from sandbox.fub.refused import Refused
from sandbox.fub.visible import visible
from sandbox.fub.webhooks import Webhooks
from sandbox.hooks import SYSTEM_KEY, Hooks
from sandbox.limits import DOCUMENTED, Limits
from sandbox.world import FubAccount, FubUser, Row, World

#: What a list tells and a single record does not.
_ONLY_IN_LISTS = {"events": ("pageTitle", "pageUrl", "pageDuration")}


class FubServer:
    """The routes of one installation."""

    def __init__(self, world: World, limits: Limits, faults: Faults, hooks: Hooks | None = None) -> None:
        self.world, self.limits, self.faults = world, limits, faults
        self.lists = Lists(world, faults)
        self.webhooks = Webhooks(hooks or Hooks(world))

    def routes(self) -> list[Route]:
        """Everything under /fub/v1."""
        own = {
            "/identity": self._identity,
            "/me": self._me,
            "/rateLimit/limits": self._limits,
        }
        routes = [Route(path, self._handler("", answer), methods=["GET"]) for path, answer in own.items()]
        for name in COLLECTIONS:
            routes.append(Route(f"/{name}", self._handler(name, self._list(name)), methods=["GET"]))
            routes.append(Route(f"/{name}/{{id}}", self._handler(name, self._one(name)), methods=["GET"]))
        routes += self.webhooks.routes(self._webhooks)
        return [*routes, Route("/{rest:path}", self._handler("", self._nothing))]

    def _handler(self, name: str, answer: Callable[[FubAccount, FubUser, Request], Any]) -> Callable[[Request], Any]:
        context = name if name in DOCUMENTED else "global"

        async def handle(request: Request) -> Response:
            headers: dict[str, str] = {}
            try:
                account, user = self._who(request)
                headers = {"FUB-Account-ID": str(account.id), "FUB-User-ID": str(user.id)}
                headers |= self._arrive(request, account, user, context)
                body = answer(account, user, request)
            except Refused as refused:
                return _json({refused.key: refused.message}, refused.status, headers | refused.headers)
            return _json(body, 200, headers)

        return handle

    def _webhooks(self, answer: Callable[[FubAccount, FubUser, Request, bytes], Any]) -> Callable[[Request], Any]:
        async def handle(request: Request) -> Response:
            body = await request.body()
            told = self._handler("", lambda account, user, asked: answer(account, user, asked, body))
            return await told(request)

        return handle

    def _who(self, request: Request) -> tuple[FubAccount, FubUser]:
        key = basic_user(request.headers.get("authorization"))
        for account in self.world.accounts.values():
            user = account.keys.get(key or "")
            if user:
                return account, user
        raise Refused(401, "Invalid API key.", {"WWW-Authenticate": 'Basic realm="Follow Up Boss API"'})

    def _arrive(self, request: Request, account: FubAccount, user: FubUser, context: str) -> dict[str, str]:
        lowered = self.faults.hit({"lowered_limit"}, request.url.path, user.key, str(account.id))
        most = int(lowered.more.get("limit", 100)) if lowered else None
        headers, wait = self.limits.arrive(account.id, context, registered(request), most)
        if wait is not None:
            raise Refused(429, "You have made too many requests. Please try again later.", headers)
        return headers

    # --- answers ----------------------------------------------------------------------------------------------------

    def _identity(self, account: FubAccount, user: FubUser, request: Request) -> dict[str, Any]:
        owner, me = account.tables["users"][account.owner_id], account.tables["users"][user.id]
        return {
            "account": {"id": account.id, "domain": account.domain, "name": account.domain.title(),
                        "owner": {"name": owner["name"], "email": owner["email"]}},
            "user": {"id": user.id, "name": me["name"], "email": me["email"], "role": me["role"],
                     "isOwner": me["isOwner"], "isAdmin": me["isOwner"], "isLender": False},
        }  # fmt: skip

    def _me(self, account: FubAccount, user: FubUser, request: Request) -> Row:
        return account.tables["users"][user.id] | {"apiKey": user.key}

    def _limits(self, account: FubAccount, user: FubUser, request: Request) -> Row:
        if not registered(request):
            raise Refused(403, "Your system is not registered.", key="error")
        return {
            "system": request.headers["x-system"],
            "current_limits": {
                "across_all_accounts": {"default": self.limits.raised.get("system", 750)},
                "per_account": {"default": self.limits.allowed("global", True)},
            },
        }

    def _list(self, name: str) -> Callable[[FubAccount, FubUser, Request], Any]:
        return lambda account, user, request: self.lists.page(
            account, user, name, request.query_params, request.url.path
        )

    def _one(self, name: str) -> Callable[[FubAccount, FubUser, Request], Any]:
        def answer(account: FubAccount, user: FubUser, request: Request) -> Any:
            asked = request.path_params["id"]
            if not asked.isdecimal():
                if name == "people":
                    # A client that asked for /people/undefined was given a list.
                    return self.lists.page(account, user, name, request.query_params, request.url.path)
                raise Refused(404, "Not found.")
            row = account.tables[name].get(int(asked))
            if row is None or not visible(account, user, name, row):
                raise Refused(404, "Not found.")
            row = show(row, fields_of(name, request.query_params.get("fields"), account))
            row = {k: v for k, v in row.items() if k not in _ONLY_IN_LISTS.get(name, ())}
            damage = self.faults.hit({"invalid_record", "unreadable_date"}, request.url.path, user.key, str(account.id))
            return broken(row, damage) if damage else row

        return answer

    def _nothing(self, account: FubAccount, user: FubUser, request: Request) -> Any:
        raise Refused(404, "The requested resource does not exist.")


def registered(request: Request) -> bool:
    """Whether the caller names a system and its key; others get the lower limits."""
    return bool(request.headers.get("x-system")) and request.headers.get("x-system-key") == SYSTEM_KEY


def basic_user(header: str | None) -> str | None:
    """The user name of a Basic header."""
    if not header or not header.lower().startswith("basic "):
        return None
    try:
        return base64.b64decode(header[6:], validate=True).decode().partition(":")[0]
    except ValueError:
        return None


def _json(body: Any, status: int, headers: dict[str, str]) -> Response:
    return Response(encode_surrogates(orjson.dumps(body)), status, headers, "application/json")
