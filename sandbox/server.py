"""One process for all stand-ins: host check, faults, a log of requests, the systems' routes, and the admin's own.

Start it with `python -m sandbox`, or in a test with `serve(world)`. It listens on loopback only.
"""

from __future__ import annotations

import re
import socket
import threading
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import uvicorn
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Mount
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from sandbox.admin import Admin
from sandbox.faults import INSTEAD, ON_THE_WAY, Faults, answer_instead, damage
from sandbox.fub import FubServer, basic_user
from sandbox.limits import Limits
from sandbox.rezen import RezenServer
from sandbox.world import World

#: Ids in paths, so that the log counts kinds of requests.
_IDS = re.compile(r"/(?:[0-9a-f]{8}-[0-9a-f-]{27}|\d+)(?=/|$)")


@dataclass(slots=True)
class RequestLog:
    """What was asked, by (method, path with {id}, status, key)."""

    counts: Counter[tuple[str, str, int, str]] = field(default_factory=Counter)
    queries: list[str] = field(default_factory=list)

    def note(self, method: str, path: str, query: str, status: int, key: str) -> None:
        """Counts one answered request; the latest thousand paths with queries are kept."""
        self.counts[method, _IDS.sub("/{id}", path), status, key] += 1
        self.queries.append(f"{path}?{query}" if query else path)
        del self.queries[:-1000]

    def clear(self) -> None:
        """Forgets everything."""
        self.counts.clear()
        self.queries.clear()

    def total(self, pattern: str, *, status: int | None = None, key: str | None = None) -> int:
        """Requests whose path matches, of one status or key only if given."""
        return sum(
            number
            for (_, path, code, who), number in self.counts.items()
            if re.search(pattern, path) and status in (None, code) and key in (None, who)
        )


class Front:
    """What every request passes: the host check, the faults, the log."""

    def __init__(self, app: ASGIApp, faults: Faults, log: RequestLog) -> None:
        self.app, self.faults, self.log = app, faults, log

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            return
        request = Request(scope)
        path = request.url.path
        if path.startswith("/_world"):
            await self.app(scope, receive, send)
            return
        key = basic_user(request.headers.get("authorization")) or request.headers.get("x-api-key") or ""
        if request.headers.get("host", "").partition(":")[0] not in ("127.0.0.1", "localhost"):
            self.log.note(request.method, path, request.url.query, 421, key)
            await Response("<html>Misdirected Request</html>", 421, media_type="text/html")(scope, receive, send)
            return
        status = 0

        async def watched(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
            await send(message)

        try:
            instead = self.faults.hit(INSTEAD, path, key)
            on_the_way = None if instead else self.faults.hit(ON_THE_WAY, path, key)
            if instead:
                await (await answer_instead(instead))(scope, receive, watched)
            elif on_the_way:
                await damage(on_the_way, await _whole(self.app, scope, receive), scope, receive, watched)
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


class Sandbox:
    """The running stand-ins. `fub_url` and `rezen_url` are what the clients' base URLs are to be set to."""

    def __init__(self, world: World, *, home: Path | None = None) -> None:
        self.world, self.limits, self.faults, self.requests = world, Limits(), Faults(), RequestLog()
        self.port = 0
        self.admin = Admin(self, home)
        routes: list[BaseRoute] = [
            Mount("/fub/v1", routes=FubServer(world, self.limits, self.faults).routes()),
            Mount("/rezen", routes=RezenServer(world, self.faults).mounts()),
            Mount("/_world", routes=self.admin.routes()),
        ]
        self.app = Front(Starlette(routes=routes), self.faults, self.requests)

    @property
    def url(self) -> str:
        """Where the server is."""
        return f"http://127.0.0.1:{self.port}"

    @property
    def fub_url(self) -> str:
        """For V2_FUB_BASE_URL."""
        return f"{self.url}/fub/v1"

    @property
    def rezen_url(self) -> str:
        """For V2_REZEN_BASE_URL; {service} stays for the client to fill in."""
        return f"{self.url}/rezen/{{service}}/api/v1"


def server_of(sandbox: Sandbox, port: int) -> tuple[uvicorn.Server, socket.socket]:
    """A server bound to loopback; port 0 takes a free one."""
    listener = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    listener.bind(("127.0.0.1", port))
    sandbox.port = listener.getsockname()[1]
    config = uvicorn.Config(sandbox.app, log_level="warning", access_log=False, lifespan="off")
    return uvicorn.Server(config), listener


@contextmanager
def serve(world: World | None = None, *, port: int = 0) -> Iterator[Sandbox]:
    """Runs the stand-ins in a thread for the length of a block."""
    sandbox = Sandbox(world or World())
    server, listener = server_of(sandbox, port)
    thread = threading.Thread(target=server.run, args=([listener],), daemon=True)
    thread.start()
    while not server.started and thread.is_alive():
        time.sleep(0.005)
    try:
        yield sandbox
    finally:
        server.should_exit = True
        thread.join(10)
        listener.close()
