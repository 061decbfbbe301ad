"""One process for all stand-ins, on loopback only: `python -m sandbox`, or `serve(world)` in a test."""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import uvicorn
from starlette.applications import Starlette
from starlette.routing import BaseRoute, Mount

from sandbox.admin import Admin
from sandbox.faults import Faults
from sandbox.front import Front, RequestLog
from sandbox.fub import FubServer
from sandbox.hooks import Hooks
from sandbox.limits import Limits
from sandbox.rezen import RezenServer
from sandbox.skyslope import SkySlopeServer
from sandbox.title import TitleServer
from sandbox.world import World
from sandbox.xano import FrontendServer, XanoServer

HOST = "127.0.0.1"


class Sandbox:
    """The running stand-ins. `fub_url` and `rezen_url` are what the clients' base URLs are to be set to."""

    def __init__(self, world: World, *, home: Path | None = None) -> None:
        self.world, self.limits, self.faults, self.requests = world, Limits(), Faults(), RequestLog()
        self.hooks = Hooks(world)
        self.port = 0
        self.admin = Admin(self, home)
        routes: list[BaseRoute] = [
            Mount("/fub/v1", routes=FubServer(world, self.limits, self.faults, self.hooks).routes()),
            Mount("/rezen", routes=RezenServer(world, self.faults).mounts()),
            Mount("/skyslope", routes=SkySlopeServer(world, self.faults).routes()),
            Mount("/title", routes=TitleServer(world, self.faults).routes()),
            Mount("/xano/api:frontend", routes=FrontendServer(world).routes()),
            Mount("/xano/api:meta", routes=XanoServer(world, self.limits, self.faults).routes()),
            Mount("/_world", routes=self.admin.routes()),
        ]
        self.app = Front(Starlette(routes=routes), self.faults, self.requests, self._hosts, self.account_of)

    @property
    def url(self) -> str:
        """Where the server is."""
        return f"http://{HOST}:{self.port}"

    @property
    def fub_url(self) -> str:
        """For V2_FUB_BASE_URL."""
        return f"{self.url}/fub/v1"

    @property
    def rezen_url(self) -> str:
        """For V2_REZEN_BASE_URL; {service} stays for the client to fill in."""
        return f"{self.url}/rezen/{{service}}/api/v1"

    @property
    def skyslope_url(self) -> str:
        """For V2_SKYSLOPE_BASE_URL."""
        return f"{self.url}/skyslope"

    @property
    def title_url(self) -> str:
        """For V2_TITLE_BASE_URL."""
        return f"{self.url}/title/api/partner/graphql"

    @property
    def xano_url(self) -> str:
        """For V2_XANO_BASE_URL."""
        return f"{self.url}/xano/api:meta"

    @property
    def v1_url(self) -> str:
        """For V2_SHADOW_V1_URL."""
        return f"{self.url}/xano/api:frontend"

    def account_of(self, key: str) -> str | None:
        """The CRM account or the agent that a key belongs to."""
        for account in self.world.accounts.values():
            if key in account.keys:
                return str(account.id)
        if key in self.world.files.keys:
            return self.world.files.keys[key][1]
        if key in self.world.title.keys:
            return self.world.title.keys[key][1]
        return self.world.brokerage.keys.get(key)

    def _hosts(self) -> frozenset[str]:
        return frozenset({f"{HOST}:{self.port}", f"localhost:{self.port}"})


def server_of(sandbox: Sandbox, port: int) -> tuple[uvicorn.Server, socket.socket]:
    """A server bound to loopback; port 0 takes a free one."""
    listener = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    listener.bind((HOST, port))
    listener.listen(2048)  # from here on a request waits for the server in place of being refused
    sandbox.port = listener.getsockname()[1]
    # Answers that a fault cuts short are errors to the server: it closes the line, which is what is wanted, and would
    # tell of it. A fault that stalls must not keep the process alive.
    config = uvicorn.Config(
        sandbox.app, log_level="critical", access_log=False, lifespan="off", timeout_graceful_shutdown=1
    )
    return uvicorn.Server(config), listener


@contextmanager
def serve(world: World | None = None, *, port: int = 0, home: Path | None = None) -> Iterator[Sandbox]:
    """Runs the stand-ins in a thread for the length of a block."""
    sandbox = Sandbox(world or World(), home=home)
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
