"""Servers on loopback, as a service manager runs them."""

from __future__ import annotations

import socket
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[2]
SERVE = """
from starlette.applications import Starlette
from starlette.responses import PlainTextResponse
from starlette.routing import Route

from resources.serving import loopback

app = Starlette(routes=[Route("/", lambda request: PlainTextResponse("here"))])
loopback(app, 1).run()  # nobody may listen on port 1: only what is handed over is served
"""


def test_who_asks_while_a_server_restarts_on_its_managers_socket_is_answered_afterwards() -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener, socket.socket() as asker:
        asker.settimeout(120)
        asker.connect(listener.getsockname())  # nobody serves yet
        asker.sendall(b"GET / HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\n\r\n")
        # As systemd does it: descriptor 3, and the pid that it is meant for.
        hand_over = f'LISTEN_PID=$$ LISTEN_FDS=1 exec "$0" -c "$1" 3<&{listener.fileno()}'
        server = subprocess.Popen(
            ["bash", "-c", hand_over, sys.executable, SERVE], cwd=ROOT, pass_fds=[listener.fileno()]
        )
        try:
            answer = b"".join(iter(lambda: asker.recv(4096), b""))
        finally:
            server.terminate()
            server.wait(60)
    assert answer.startswith(b"HTTP/1.1 200") and answer.endswith(b"here")
