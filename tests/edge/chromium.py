"""A real Chromium without a window, driven by its DevTools protocol.

Names are led to ports of loopback by the browser itself, so pages have the origins that they would have outside.
"""

from __future__ import annotations

import contextlib
import json
import shutil
import subprocess
import tempfile
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import httpx
from websockets.sync.client import ClientConnection, connect

from resources.processes import wait_until


class Page:
    """One page. `go` opens an address and waits until it has loaded."""

    def __init__(self, socket: ClientConnection) -> None:
        self._socket, self._number = socket, 0
        self._call("Page.enable")

    def go(self, url: str) -> None:
        """Raises AssertionError when nothing was loaded."""
        answer = self._call("Page.navigate", url=url)
        assert "errorText" not in answer or answer["errorText"] == "net::ERR_ABORTED", answer
        self.wait("document.readyState == 'complete'")

    def wait(self, condition: str) -> None:
        """Until this expression holds in the page; it may be navigating meanwhile."""
        assert wait_until(lambda: self.value(condition) is True, 240, poll_s=0.2), condition

    def value(self, expression: str) -> Any:
        """What an expression comes to in the page, as JSON; promises are waited for."""
        answer = self._call("Runtime.evaluate", expression=expression, awaitPromise=True, returnByValue=True)
        return answer.get("result", {}).get("value")

    def _call(self, method: str, **params: Any) -> dict[str, Any]:
        self._number += 1
        self._socket.send(json.dumps({"id": self._number, "method": method, "params": params}))
        while True:
            answer = json.loads(self._socket.recv(timeout=240))
            if answer.get("id") == self._number:
                return answer.get("result", {})


@contextlib.contextmanager
def browser(names: Mapping[str, int]) -> Iterator[Page]:
    """A browser for which each `name:port` is a port of loopback. Its certificates are believed."""
    program = shutil.which("chromium")
    assert program, "chromium is not installed"
    rules = ", ".join(f"MAP {name} 127.0.0.1:{port}" for name, port in names.items())
    with tempfile.TemporaryDirectory(prefix="v2-chromium-", ignore_cleanup_errors=True) as profile:
        argv = [
            *(program, "--headless=new", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage"),
            *("--no-first-run", "--remote-debugging-port=0", f"--user-data-dir={profile}"),
            *("--ignore-certificate-errors", f"--host-resolver-rules={rules}", "--no-proxy-server", "about:blank"),
        ]
        process = subprocess.Popen(argv, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        try:
            told = Path(profile) / "DevToolsActivePort"
            assert wait_until(lambda: told.is_file() and told.read_text().count("\n") > 0, 120, poll_s=0.1)
            port = told.read_text().split()[0]
            pages = httpx.get(f"http://127.0.0.1:{port}/json/list", trust_env=False, timeout=60).json()
            address = next(page["webSocketDebuggerUrl"] for page in pages if page["type"] == "page")
            with connect(address, max_size=None, open_timeout=60) as socket:
                yield Page(socket)
        finally:
            process.terminate()
            process.wait(30)
