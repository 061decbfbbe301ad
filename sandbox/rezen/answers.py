"""How reZEN answers: JSON, and refusals in the shapes that were seen."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import orjson
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from sandbox.faults import Faults, encode_surrogates
from sandbox.world import World

#: (request, the asking agent's id) → the document.
Answer = Callable[[Request, str], Any]


class Refused(Exception):
    """An answer that is no success. The body is flat, or wrapped in the server's error class, or absent."""

    def __init__(self, status: int, message: str | None, *, wrapped: bool = False, code: str = "NOT_FOUND") -> None:
        super().__init__(message or "")
        self.status = status
        body: Any = {"status": status, "message": message}
        if wrapped:
            body = {
                "com.real.commons.apierror.ApiError": {"status": code, "message": message, "timestamp": 1760000000000}
            }
        self.body = b"" if message is None else orjson.dumps(body)


def not_found(what: str) -> Refused:
    """The wrapped 404."""
    return Refused(404, what, wrapped=True)


class Service:
    """What the services share: whose key it is, and the writing of answers."""

    def __init__(self, world: World, faults: Faults) -> None:
        self.world, self.faults = world, faults

    def route(self, path: str, answer: Answer) -> Route:
        """A route that asks for a key."""

        async def handle(request: Request) -> Response:
            try:
                document = answer(request, self._who(request))
            except Refused as refused:
                return Response(refused.body, refused.status, media_type="application/json")
            return Response(encode_surrogates(orjson.dumps(document)), media_type="application/json")

        return Route(path, handle, methods=["GET"])

    def _who(self, request: Request) -> str:
        if request.headers.get("authorization"):
            raise Refused(403, None)  # a key that was sent as Bearer
        agent = self.world.brokerage.keys.get(request.headers.get("x-api-key", ""))
        if agent is None:
            raise Refused(401, "Unauthorized")
        return agent

    def fault(self, request: Request, me: str, *names: str) -> Any:
        """The active fault of these names that this request meets."""
        return self.faults.hit(names, request.url.path, request.headers.get("x-api-key"), me)
