"""The edge as it is deployed: nginx from Debian with our file, and behind it the real web server with Dagster in it.

Run by `make test-edge`, not by `make test`: these files are named attack_*, because they need nginx.
"""

from __future__ import annotations

import contextlib
import os
import re
import shutil
import socket
import subprocess
import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from types import MappingProxyType
from typing import Any

import httpx
import pytest

from resources.processes import free_port, wait_until
from sandbox.sinks import serving
from tests.certificates import self_signed

ROOT = Path(__file__).parents[2]
UI, HOOKS, API = "v2.example.com", "hooks.example.com", "api.example.com"
PERSON = ("anna", "a-good-password")
UI_KEY = "the-key-of-the-proxy"
LIMITS = "{ instance { concurrencyLimits { concurrencyKey } } }"


@dataclass
class Dagster:
    """A web server with Dagster in it, over an empty workspace."""

    port: int
    headers: dict[str, str] = field(default_factory=dict)

    def limits(self) -> list[str]:
        """The concurrency limits that are set: what the attacks try to set."""
        url = f"http://127.0.0.1:{self.port}/graphql"
        answer = httpx.post(url, json={"query": LIMITS}, headers=self.headers, timeout=60, trust_env=False).json()
        return [each["concurrencyKey"] for each in answer["data"]["instance"]["concurrencyLimits"]]


@contextlib.contextmanager
def running(argv: list[str], port: int, log: Path, **environment: str) -> Iterator[None]:
    """A process that listens on this port for as long as the block lasts."""

    def listens() -> bool:
        with socket.socket() as probe:
            return probe.connect_ex(("127.0.0.1", port)) == 0

    with log.open("wb") as output:
        process = subprocess.Popen(argv, env=os.environ | environment, cwd=log.parent, stdout=output, stderr=output)
        try:
            assert wait_until(lambda: listens() or process.poll() is not None, 180, poll_s=0.1)
            assert process.poll() is None, log.read_text()
            yield
        finally:
            process.terminate()
            process.wait(30)


@contextlib.contextmanager
def dagster(home: Path, argv: list[str], port: int, **environment: str) -> Iterator[None]:
    """Dagster over an empty workspace, served by this command."""
    (home / "dagster.yaml").write_text("telemetry: {enabled: false}\n")
    (home / "workspace.yaml").write_text("load_from: []\n")
    told = {"DAGSTER_HOME": str(home), "DAGSTER_DISABLE_TELEMETRY": "1", "PYTHONPATH": str(ROOT)}
    with running(argv, port, home / "log", **told, **environment):
        yield


@pytest.fixture(scope="session")
def behind(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Dagster]:
    """The web server of an installation: it knows the proxy by a key."""
    home, port = tmp_path_factory.mktemp("behind"), free_port()
    told = {"V2_UI_PORT": str(port), "V2_UI_KEY": UI_KEY, "V2_PUBLIC_URL": f"https://{UI}"}
    with dagster(home, [sys.executable, "-m", "v2_assets.webserver"], port, **told):
        yield Dagster(port, {"X-V2-Key": UI_KEY})


@dataclass
class Upstream:
    """Stands in the place of the receiver, the monitor and the endpoints: notes what nginx hands on."""

    port: int = 0
    met: list[tuple[str, str, dict[str, str]]] = field(default_factory=list)


@contextlib.contextmanager
def upstream() -> Iterator[Upstream]:
    noted = Upstream()

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.rfile.read(int(self.headers.get("Content-Length", 0)))
            noted.met.append((self.command, self.path, {name.lower(): value for name, value in self.headers.items()}))
            self.send_response(200)
            self.send_header("Content-Length", "2")
            self.end_headers()
            self.wfile.write(b"ok")

        def do_POST(self) -> None:
            self.do_GET()

        def log_message(self, format: str, *args: Any) -> None:
            pass

    with serving(ThreadingHTTPServer(("127.0.0.1", 0), Handler)) as noted.port:
        yield noted


@dataclass
class Edge:
    """nginx with our file, on ports of its own."""

    tls: int
    plain: int
    folder: Path
    others: Upstream

    def client(self, name: str, **more: Any) -> httpx.Client:
        """A client that speaks to this name of the proxy."""
        headers = {"Host": name, **more.pop("headers", {})}
        return httpx.Client(
            base_url=f"https://127.0.0.1:{self.tls}",
            verify=False,
            trust_env=False,
            timeout=60,
            headers=headers,
            transport=_Named(name),
            **more,
        )

    def logs(self, *until: str) -> str:
        """What nginx wrote down, once all of these are in it: it writes a request's line after the answer is out."""

        def text() -> str:
            return "".join(path.read_text() for path in (self.folder / "log").iterdir())

        assert wait_until(lambda: all(each in text() for each in until), 30, poll_s=0.05), text()
        return text()


class _Named(httpx.HTTPTransport):
    """Asks nginx for a name by TLS, too."""

    def __init__(self, name: str) -> None:
        super().__init__(verify=False, trust_env=False)
        self._name = name

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        request.extensions["sni_hostname"] = self._name
        return super().handle_request(request)


@contextlib.contextmanager
def nginx(
    folder: Path, ui: int, others: Upstream, api: int, changed: Mapping[str, str] = MappingProxyType({})
) -> Iterator[Edge]:
    """Our file in a real nginx; `ui` and `api` are the ports of what stands behind, `changed` what else is changed."""
    for name in ("tls", "log", "temp"):
        (folder / name).mkdir()
    self_signed(folder / "tls/fullchain.pem", folder / "tls/privkey.pem", UI, HOOKS, API)
    (folder / "people").write_text(f"{PERSON[0]}:{{PLAIN}}{PERSON[1]}\n")
    (folder / "ui-key.conf").write_text(f'proxy_set_header X-V2-Key "{UI_KEY}";\n')
    tls, plain = free_port(), free_port()
    text = (ROOT / "deploy/nginx/v2.conf").read_text(encoding="utf-8")
    text = re.sub(r"^ *listen \[::\].*\n", "", text, flags=re.MULTILINE)
    for port, ours in ((443, tls), (80, plain)):
        text = re.sub(rf"listen {port}\b", f"listen 127.0.0.1:{ours}", text)
    for port, ours in ((3000, ui), (3010, others.port), (3020, others.port), (3030, api)):
        text = text.replace(f"http://127.0.0.1:{port}", f"http://127.0.0.1:{ours}")
    text = text.replace("/etc/nginx/v2", str(folder)).replace("/var/log/nginx", str(folder / "log"))
    for ours, other in changed.items():
        assert ours in text
        text = text.replace(ours, other)
    kinds = ("client_body", "proxy", "fastcgi", "uwsgi", "scgi")
    temp = "".join(f"{kind}_temp_path {folder}/temp/{kind};\n" for kind in kinds)
    user = "user root;\n" if os.getuid() == 0 else ""
    (folder / "nginx.conf").write_text(
        f"{user}pid {folder}/pid;\nerror_log {folder}/log/error.log;\ndaemon off;\nworker_processes 1;\n"
        f"events {{}}\nhttp {{\n{temp}{text}}}\n"
    )
    program = shutil.which("nginx") or "/usr/sbin/nginx"
    argv = [program, "-e", str(folder / "log/start.log"), "-p", str(folder), "-c", str(folder / "nginx.conf")]
    with running(argv, tls, folder / "output"):
        yield Edge(tls, plain, folder, others)


@pytest.fixture(scope="session")
def edge(behind: Dagster, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Edge]:
    with upstream() as others, nginx(tmp_path_factory.mktemp("nginx"), behind.port, others, others.port) as made:
        yield made
