"""What every request passes before a system sees it: the host check, the faults, the log."""

from __future__ import annotations

import re
from collections import Counter, deque
from collections.abc import Callable
from dataclasses import dataclass, field

from starlette.requests import Request
from starlette.responses import Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from sandbox.faults import INSTEAD, ON_THE_WAY, Faults, answer_instead, damage
from sandbox.fub import basic_user

#: Ids in paths, so that the log counts kinds of requests.
_IDS = re.compile(r"/(?:[0-9a-f]{8}-[0-9a-f-]{27}|\d+)(?=/|$)")
_LATEST = 1000
_MISDIRECTED = """<!DOCTYPE HTML PUBLIC "-//W3C//DTD HTML 4.01 Transitional//EN">
<HTML><HEAD><TITLE>ERROR: The request could not be satisfied</TITLE></HEAD><BODY><H1>421 ERROR</H1>
<H2>The request could not be satisfied.</H2>The distribution does not serve this host.</BODY></HTML>
"""


@dataclass(slots=True)
class RequestLog:
    """What was asked, by (method, path with {id}, status, key). `queries` are the latest paths with their queries."""

    counts: Counter[tuple[str, str, int, str]] = field(default_factory=Counter)
    queries: deque[str] = field(default_factory=lambda: deque(maxlen=_LATEST))

    def note(self, method: str, path: str, query: str, status: int, key: str) -> None:
        """Counts one answered request; status 0 is one that got no answer."""
        self.counts[method, _IDS.sub("/{id}", path), status, key] += 1
        self.queries.append(f"{path}?{query}" if query else path)

    def clear(self) -> None:
        """Forgets everything."""
        self.counts.clear()
        self.queries.clear()

    def total(self, pattern: str = "", *, status: int | None = None, key: str | None = None) -> int:
        """Requests whose path matches, of one status or key only if given."""
        return sum(
            number
            for (_, path, code, who), number in self.counts.items()
            if re.search(pattern, path) and status in (None, code) and key in (None, who)
        )


class Front:
    """The ASGI app around the systems. `hosts` are the values of Host that are served."""

    def __init__(
        self,
        app: ASGIApp,
        faults: Faults,
        log: RequestLog,
        hosts: Callable[[], frozenset[str]],
        account_of: Callable[[str], str | None],
    ) -> None:
        self.app, self.faults, self.log, self.hosts, self.account_of = app, faults, log, hosts, account_of

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            return
        request = Request(scope)
        path = request.url.path
        if request.headers.get("host", "") not in self.hosts():
            headers = {"Server": "CloudFront", "X-Cache": "Error from cloudfront"}
            self.log.note(request.method, path, request.url.query, 421, "")
            await Response(_MISDIRECTED, 421, headers, "text/html")(scope, receive, send)
            return
        if path.startswith("/_world"):
            await self.app(scope, receive, send)
            return
        key = basic_user(request.headers.get("authorization")) or request.headers.get("x-api-key") or ""
        status = 0

        async def watched(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
            await send(message)

        try:
            account = self.account_of(key) if self.faults.active else None
            instead = self.faults.hit(INSTEAD, path, key, account)
            on_the_way = None if instead else self.faults.hit(ON_THE_WAY, path, key, account)
            if instead:
                await answer_instead(instead, path, scope, receive, watched)
            elif on_the_way:
                await damage(on_the_way, await _whole(self.app, scope, receive), watched)
            else:
                await self.app(scope, receive, watched)
        finally:
            self.log.note(request.method, path, request.url.query, status, key)


async def _whole(app: ASGIApp, scope: Scope, receive: Receive) -> Response:
    """The answer as it would have been."""
    parts: list[bytes] = []
    response = Response()

    async def collect(message: Message) -> None:
        if message["type"] == "http.response.start":
            response.status_code = message["status"]
            response.raw_headers = list(message["headers"])
        else:
            parts.append(message.get("body", b""))

    await app(scope, receive, collect)
    response.body = b"".join(parts)
    return response
