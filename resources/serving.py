"""Serving on loopback until SIGTERM: what the receiver, the read endpoints and the monitor have in common as processes.

    if __name__ == "__main__":
        run(lambda: loopback(app, port).run())

A reverse proxy with HTTPS stands in front of whatever faces the outside.
"""

from __future__ import annotations

import asyncio
import os
import resource
import socket
import sys
from collections.abc import Callable
from typing import Any

import uvicorn
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from resources import logs
from resources.errors import V2Error
from resources.settings import load_settings

HOST = "127.0.0.1"
#: Where a process says that it lives, which a restart would change, and that it can do its work, which one would not.
HEALTH, READY = "/health", "/ready"
#: How long a client may take to say what it wants. nginx sends a request when it has its head.
HEAD_S = 10.0
#: The first descriptor that systemd hands to a service it has opened sockets for (sd_listen_fds(3)).
_FIRST = 3


async def alive(request: Request) -> Response:
    """The answer at HEALTH: whoever gets it talks to a process that serves."""
    return JSONResponse({"ok": True})


def readiness(*, database: bool) -> Response:
    """The answer at READY: 200, or 503 while the database is away."""
    return JSONResponse({"database": "ok" if database else "away"}, 200 if database else 503)


class _Prompt(HttpToolsProtocol):
    """Closes a connection whose request does not come: half of one holds a file descriptor for nothing."""

    _late: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        super().connection_made(transport)
        self._expect_head()

    def on_message_begin(self) -> None:
        self._expect_head()
        super().on_message_begin()

    def on_headers_complete(self) -> None:
        self._forget()
        super().on_headers_complete()

    def connection_lost(self, exc: Exception | None) -> None:
        self._forget()
        super().connection_lost(exc)

    def _expect_head(self) -> None:
        self._forget()
        self._late = self.loop.call_later(HEAD_S, self.transport.close)

    def _forget(self) -> None:
        if self._late is not None:
            self._late.cancel()
            self._late = None


class _Server(uvicorn.Server):
    """Serves on the socket that a service manager has opened, if there is one, else on one of its own.

    A manager's socket stays open while this process restarts: who asks meanwhile waits and is answered.
    """

    def run(self, sockets: list[socket.socket] | None = None) -> None:
        if os.environ.get("LISTEN_PID") == str(os.getpid()):
            number = int(os.environ.get("LISTEN_FDS", "0"))
            sockets = [socket.socket(fileno=_FIRST + place) for place in range(number)]
        super().run(sockets)


def loopback(app: Any, port: int) -> uvicorn.Server:
    """The server of an ASGI app on this port. What is logged goes where `logs.start` says; requests are not."""
    return _Server(
        uvicorn.Config(
            app,
            host=HOST,
            port=port,
            http=_Prompt,
            log_level="warning",
            log_config=None,
            access_log=False,
            backlog=4096,
            timeout_keep_alive=30,
            timeout_graceful_shutdown=10,
            server_header=False,
        )
    )


def run(main: Callable[[], None]) -> None:
    """Runs a process to its end, with its log in the format of the settings; of a V2Error only its words are shown."""
    try:
        _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
        resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))  # a descriptor for every client, not 1,024
        logs.start(load_settings().log_format)
        main()
    except V2Error as error:
        sys.exit(f"error [{error.code}]: {error.message}" + (f"\n  → {error.hint}" if error.hint else ""))
