"""/webhooks of the CRM: only the account owner's key, only with a registered system, two per event at most."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

from starlette.requests import Request
from starlette.routing import Route

from sandbox.fub.refused import Refused
from sandbox.hooks import SYSTEM_KEY, FubHook, Hooks
from sandbox.world import FubAccount, FubUser

MOST_PER_EVENT = 2
_FAMILIES = (
    *("people", "notes", "emails", "tasks", "appointments", "textMessages", "calls", "deals", "stage", "pipeline"),
    *("pipelineStage", "customFields", "dealCustomFields", "peopleRelationship", "threadedReply"),
)
EVENTS = frozenset(
    {f"{family}{change}" for family in _FAMILIES for change in ("Created", "Updated", "Deleted")}
    | {"peopleTagsCreated", "peopleStageUpdated", "eventsCreated", "reactionCreated", "reactionDeleted"}
    | {f"emEvents{what}" for what in ("Opened", "Clicked", "Unsubscribed")}
)
Who = Callable[[Request], tuple[FubAccount, FubUser]]
Wrap = Callable[[Callable[[FubAccount, FubUser, Request, bytes], Any]], Callable[[Request], Any]]


class Webhooks:
    """The answers; what is registered is in `Hooks`."""

    def __init__(self, hooks: Hooks) -> None:
        self.hooks = hooks

    def routes(self, wrap: Wrap) -> list[Route]:
        """/webhooks and /webhooks/{id}."""
        return [
            Route("/webhooks", wrap(self._all), methods=["GET", "POST"]),
            Route("/webhooks/{id:int}", wrap(self._one), methods=["GET", "PUT", "DELETE"]),
        ]

    def _all(self, account: FubAccount, user: FubUser, request: Request, body: bytes) -> Any:
        mine = self._mine(account, user, request)
        if request.method == "GET":
            query = request.query_params
            rows = [
                h for h in mine if query.get("event") in (None, h.event) and query.get("status") in (None, h.status)
            ]
            offset, limit = int(query.get("offset", 0)), min(int(query.get("limit", 10)), 100)
            page = [_shown(h) for h in rows[offset : offset + limit]]
            metadata = {"collection": "webhooks", "offset": offset, "limit": limit, "total": len(rows)}
            return {"_metadata": metadata, "webhooks": page}
        wanted = _document(body)
        event, url = wanted.get("event"), str(wanted.get("url", ""))
        if event not in EVENTS:
            raise Refused(400, "Unknown event.")
        if not url.startswith(("https://", "http://127.0.0.1:")):
            raise Refused(400, "The url must be https.")
        if sum(h.event == event for h in mine) >= MOST_PER_EVENT:
            raise Refused(400, "Only two webhooks per event are allowed.")
        hook = FubHook(account.next_id("webhooks") + account.id * 1000, account.id, _system(request), event, url)
        self.hooks.fub[hook.id] = hook
        return _shown(hook)

    def _one(self, account: FubAccount, user: FubUser, request: Request, body: bytes) -> Any:
        hook = next((h for h in self._mine(account, user, request) if h.id == request.path_params["id"]), None)
        if hook is None:
            raise Refused(404, "Not found.")
        if request.method == "DELETE":
            del self.hooks.fub[hook.id]
            return {}
        if request.method == "PUT":
            wanted = _document(body)
            status = wanted.get("status", hook.status)
            if status not in ("Active", "Disabled"):
                raise Refused(400, "Unknown status.")
            hook.status, hook.url = status, str(wanted.get("url", hook.url))
        return _shown(hook)

    def _mine(self, account: FubAccount, user: FubUser, request: Request) -> list[FubHook]:
        if request.headers.get("x-system-key") != SYSTEM_KEY:
            raise Refused(403, "Your system is not registered.")
        if user.id != account.owner_id:
            raise Refused(403, "Only the account owner may manage webhooks.")
        system = _system(request)
        return [h for h in self.hooks.fub.values() if (h.account, h.system) == (account.id, system)]


def _system(request: Request) -> str:
    return request.headers.get("x-system", "")


def _document(body: bytes) -> dict[str, Any]:
    try:
        document = json.loads(body)
    except ValueError:
        document = None
    if not isinstance(document, dict):
        raise Refused(400, "A JSON object is needed.")
    return document


def _shown(hook: FubHook) -> dict[str, Any]:
    return {"id": hook.id, "status": hook.status, "event": hook.event, "url": hook.url}
