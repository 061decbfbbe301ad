"""The data endpoints' way past the framework: from the path to the function at once.

FastAPI has the same functions under the same paths, writes their OpenAPI, and answers whatever is no GET of theirs. Its
routing, its look for dependencies and its layers around each were a quarter of the CPU that a page took.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping

from starlette.requests import Request
from starlette.responses import Response
from starlette.types import ASGIApp, Receive, Scope, Send

from resources.errors import DatabaseError
from v2_assets.api.errors import ApiError
from v2_assets.api.failures import of_failure

Answer = Callable[[Request], Awaitable[Response]]


class Shortcut:
    """ASGI middleware, the innermost: inside it stands the framework's routing."""

    def __init__(self, app: ASGIApp, answers: Mapping[str, Answer]) -> None:
        self._app, self._answers = app, answers

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        reads = scope["type"] == "http" and scope["method"] == "GET"
        answer = self._answers.get(scope["path"]) if reads else None
        if answer is None:
            await self._app(scope, receive, send)
            return
        request = Request(scope, receive)
        try:
            response = await answer(request)
        except (ApiError, DatabaseError) as error:
            response = await of_failure(request, error)
        await response(scope, receive, send)
