"""keymaker: the list of a person's keys, behind a load balancer that dislikes unnamed callers."""

from __future__ import annotations

from typing import Any

from starlette.requests import Request
from starlette.routing import Route

from sandbox.rezen.answers import Refused, Service

_ODD_AGENTS = ("python-", "curl/", "go-http-client")


class Keymaker(Service):
    """The service of sign-in and keys; a sync needs none of it."""

    def routes(self) -> list[Route]:
        """Everything under /keymaker/api/v1."""
        return [self.route("/api-keys", self._keys)]

    def _keys(self, request: Request, me: str) -> list[dict[str, Any]]:
        caller = request.headers.get("user-agent", "").casefold()
        if not caller or caller.startswith(_ODD_AGENTS):
            raise Refused(403, None)
        return [
            {"id": me, "name": "sync", "keyPrefix": key[:8], "createdAt": 1717171717000, "lastUsedAt": None,
             "expiresAt": None}
            for key, agent in self.world.brokerage.keys.items()
            if agent == me
        ]  # fmt: skip
