"""What stands before Dagster's web server: who may ask, from which page, and in which way.

Dagster takes a mutation from whoever can send a request, also by GET and as a form, so any page in the browser of
somebody who reaches the UI could start and wipe. The guard lets through what the UI itself sends, and programs that
show what they know:

- the proxy shows `V2_UI_KEY` (`X-V2-Key`), where one is set; without one every account of this machine may ask;
- the read endpoints show `V2_API_TASKS_KEY` (`X-V2-Tasks-Key`), and may then only start and follow tasks.

Not here: the server itself (`__main__`), TLS and passwords of people (`deploy/nginx/v2.conf`).
"""

from __future__ import annotations

import hmac
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from urllib.parse import SplitResult, urlsplit

from starlette.datastructures import Headers
from starlette.responses import JSONResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send
from starlette.websockets import WebSocket

KEY_HEADER, TASKS_HEADER = "x-v2-key", "x-v2-tasks-key"
LOOPBACK = frozenset({"127.0.0.1", "localhost", "::1"})
GRAPHQL = "/graphql"
#: Says which version runs, and nothing else: for whoever asks whether the server lives.
ALIVE = "/server_info"
#: What the tasks endpoints send has a few hundred bytes.
LARGEST_TASK = 100_000


class Refused(Exception):
    """A request that does not get through: the status, and why in one sentence."""

    def __init__(self, status: int, why: str) -> None:
        super().__init__(why)
        self.status, self.why = status, why


@dataclass(frozen=True, slots=True)
class Guard:
    """The app in front of `app`. `hosts`: the names under which the UI is asked for, without ports.

    `is_task(body)` says whether the body of a GraphQL request is one that the tasks endpoints send.
    """

    app: ASGIApp
    hosts: frozenset[str]
    is_task: Callable[[bytes], bool]
    key: str | None = None
    tasks_key: str | None = None

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """One request, websocket, or the server's life."""
        if scope["type"] not in ("http", "websocket"):
            await self.app(scope, receive, send)
            return
        try:
            headers = Headers(scope=scope)
            if TASKS_HEADER in headers:
                receive = await self._task(scope, headers, receive)
            else:
                self._check(scope, headers)
        except Refused as refused:
            if scope["type"] == "websocket":
                await WebSocket(scope, receive, send).close(code=1008, reason=refused.why)
            else:
                await JSONResponse({"error": refused.why}, refused.status)(scope, receive, send)
            return
        await self.app(scope, receive, send)

    def _check(self, scope: Scope, headers: Headers) -> None:
        """Raises Refused for what the UI does not send."""
        method, path = scope.get("method", "GET"), scope["path"]
        reads = method in ("GET", "HEAD")
        self._check_host(headers)
        if self.key and not (reads and path == ALIVE) and not shows(headers, KEY_HEADER, self.key):
            raise Refused(403, "the UI is asked for through the proxy, which knows V2_UI_KEY")
        if scope["type"] == "websocket" or not reads or path == GRAPHQL:
            check_same_page(headers)
        elif headers.get("sec-fetch-site", "none") not in ("none", "same-origin") and not _is_followed_link(headers):
            raise Refused(403, "a page of another site may link here, and nothing else")
        if scope["type"] == "websocket":
            return
        if path == GRAPHQL and method != "POST":
            raise Refused(405, "GraphQL is asked by POST")
        if not reads and essence(headers) != "application/json":
            raise Refused(415, "what changes something is sent as application/json")

    def _check_host(self, headers: Headers) -> None:
        """Who asks for a name that is not ours was led here by it (DNS rebinding)."""
        names = headers.getlist("host")
        if len(names) != 1 or host_of(f"//{names[0]}") not in self.hosts:
            raise Refused(421, "nothing is served under this name; see V2_PUBLIC_URL")

    async def _task(self, scope: Scope, headers: Headers, receive: Receive) -> Receive:
        """The request's body again, once it is known for a task. Raises Refused."""
        if not self.tasks_key or not shows(headers, TASKS_HEADER, self.tasks_key):
            raise Refused(403, "the key for tasks does not fit; see V2_API_TASKS_KEY")
        self._check_host(headers)
        if scope["type"] != "http" or (scope["method"], scope["path"]) != ("POST", GRAPHQL):
            raise Refused(403, "the key for tasks is for tasks")
        if scope["query_string"] or essence(headers) != "application/json":
            raise Refused(403, "the key for tasks is for tasks")
        body = b""
        while True:
            message = await receive()
            if message["type"] != "http.request":
                raise Refused(400, "the body did not come")
            body += message.get("body", b"")
            if len(body) > LARGEST_TASK:
                raise Refused(413, "no task is that large")
            if not message.get("more_body"):
                break
        if not self.is_task(body):
            raise Refused(403, "the key for tasks is for tasks")
        return _again(body, receive)


def check_same_page(headers: Headers) -> None:
    """Raises Refused unless a page of ours asks, or something that is no browser."""
    if headers.get("sec-fetch-site", "same-origin") not in ("same-origin", "none"):
        raise Refused(403, "a page of another site may not ask")
    for origin in headers.getlist("origin"):
        told, ours = urlsplit_or_none(origin), urlsplit_or_none(f"//{headers['host']}")
        same = told and ours and told.hostname == ours.hostname and (ours.port is None or told.port == ours.port)
        if not same:
            raise Refused(403, "a page of another site may not ask")


def essence(headers: Headers) -> str:
    """The content type without its parameters. A browser sends `text/plain; application/json` without asking first."""
    return headers.get("content-type", "").partition(";")[0].strip().lower()


def hosts_of(urls: Iterable[str]) -> frozenset[str]:
    """The names under which the UI is asked for: those of loopback, and those in these addresses."""
    return LOOPBACK | {name for url in urls if (name := host_of(url))}


def host_of(url: str) -> str | None:
    """The host of a URL, in lower case and without its port; None where there is none."""
    parts = urlsplit_or_none(url)
    return parts.hostname if parts else None


def urlsplit_or_none(url: str) -> SplitResult | None:
    """The parts of a URL; None for what is none, or has something else than a host and a port."""
    try:
        parts = urlsplit(url)
        _ = parts.port
    except ValueError:
        return None
    return parts if parts.hostname and not parts.username and parts.path in ("", "/") else None


def _is_followed_link(headers: Headers) -> bool:
    return headers.get("sec-fetch-mode") == "navigate" and headers.get("sec-fetch-dest") == "document"


def shows(headers: Headers, name: str, expected: str) -> bool:
    """Whether a request shows this key in the header of this name."""
    return hmac.compare_digest(headers.get(name, "").encode(), expected.encode())


def _again(body: bytes, receive: Receive) -> Receive:
    sent = False

    async def replay() -> Message:
        nonlocal sent
        if sent:
            return await receive()
        sent = True
        return {"type": "http.request", "body": body, "more_body": False}

    return replay
