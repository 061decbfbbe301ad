"""Bodies of requests: few bytes, and soon. The largest that an endpoint takes names a user in a line of JSON.

A body is read before its token can be looked up, so without a bound anybody could fill the memory.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from v2_assets.api.errors import TooLarge
from v2_assets.api.failures import of_failure

LARGEST_BODY = 65_536
#: How long a sender may take for all of it.
PATIENCE_S = 10.0


class Bodies:
    """ASGI middleware. A body that is announced or turns out larger is answered with 413, one that is late with 408."""

    def __init__(self, app: ASGIApp, largest: int = LARGEST_BODY, patience_s: float = PATIENCE_S) -> None:
        self._app, self._largest, self._patience_s = app, largest, patience_s

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        request = Request(scope)
        announced = request.headers.get("content-length", "0")
        if announced.isdecimal() and int(announced) > self._largest:
            error = TooLarge(f"A body has at most {self._largest} bytes.")
            response = await of_failure(request, error)
            response.headers["Connection"] = "close"  # the rest of it is not waited for
            await response(scope, receive, send)
            return
        await self._app(scope, self._bounded(receive), send)

    def _bounded(self, receive: Receive) -> Callable[[], Awaitable[Message]]:
        until = asyncio.get_running_loop().time() + self._patience_s
        size, whole = 0, False

        async def bounded() -> Message:
            nonlocal size, whole
            if whole:
                return await receive()
            try:
                async with asyncio.timeout_at(until):
                    message = await receive()
            except TimeoutError:
                raise HTTPException(408, "The body did not come in time.") from None
            size += len(message.get("body", b""))
            if size > self._largest:
                raise HTTPException(413, f"A body has at most {self._largest} bytes.")
            whole = not message.get("more_body", False)
            return message

        return bounded
