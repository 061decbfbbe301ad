"""Serving on loopback until SIGTERM: what the receiver, the read endpoints and the monitor have in common as processes.

    if __name__ == "__main__":
        run(lambda: loopback(app, port).run())

A reverse proxy with HTTPS stands in front of whatever faces the outside.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from typing import Any

import uvicorn

from resources import logs
from resources.errors import V2Error
from resources.settings import load_settings

HOST = "127.0.0.1"


def loopback(app: Any, port: int) -> uvicorn.Server:
    """The server of an ASGI app on this port. What is logged goes where `logs.start` says; requests are not."""
    return uvicorn.Server(
        uvicorn.Config(
            app,
            host=HOST,
            port=port,
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
        logs.start(load_settings().log_format)
        main()
    except V2Error as error:
        sys.exit(f"error [{error.code}]: {error.message}" + (f"\n  → {error.hint}" if error.hint else ""))
