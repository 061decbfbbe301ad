"""Shadow reading: V1's answer is served, V2's is asked for beside it, and the two are compared after the fact.

An ASGI app around the read endpoints, under the same paths. A request comes as the frontend sends it to V1, and with
the user's V2 token in `X-V2-Token`. It goes to V1 as it came; only when V1's answer has been sent is V2 asked, in the
background, with a time-out, for a sample of the requests, and for never more than a few at once. Whom the switch gives
V2 gets V2's answer, and V1's when V2 has none in time. Where a request names a record by the number that one system has
for it, the other is asked by its own. Without a token of ours a request is V1's alone; with one in V1's place, as
`Authorization`, it is V2's alone.
"""

from __future__ import annotations

import asyncio
import logging
import random
from collections.abc import Awaitable, Callable, Iterable, Mapping
from dataclasses import dataclass, field
from http.cookiejar import CookieJar, DefaultCookiePolicy
from typing import Literal, Protocol
from urllib.parse import urlencode

import httpx
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.types import ASGIApp, Receive, Scope, Send

from resources.errors import V2Error
from v2_assets.api.endpoint import Endpoint
from v2_assets.api.tokens import holds

log = logging.getLogger(__name__)

TOKEN = "x-v2-token"  # noqa: S105 - the name of a header
#: Headers of one hop (RFC 9110, 7.6.1), or about a body that we have unpacked. `Connection` may name more.
_HOP = frozenset({
    "connection", "proxy-connection", "keep-alive", "te", "trailer", "transfer-encoding", "upgrade",
    "proxy-authorization", "proxy-authenticate", "content-encoding", "content-length", "host", TOKEN,
})  # fmt: skip

#: A number that no row has.
NOBODY = 0

Answer = tuple[int, bytes]
Outcome = Literal["compared", "failed", "skipped"]


class Switch(Protocol):
    """Who a token is, and whom V2 serves."""

    async def user_of(self, token: str) -> int | None:
        """The user, or None for a token that is none."""
        ...

    async def serves_v2(self, token: str, endpoint: str) -> bool:
        """Whether the token's user gets this endpoint from V2."""
        ...


class Numbers(Protocol):
    """What each system calls a record."""

    async def of_v2(self, endpoint: Endpoint, token: str, v1: Answer) -> int | None:
        """V2's number of the record that V1 answered with; None if V2 has none, or V1 had none."""
        ...

    async def of_v1(self, endpoint: Endpoint, token: str, number: str) -> int | None:
        """V1's number of the record that has this one in V2; None if V1 is not known to have it."""
        ...


class Notes(Protocol):
    """Where it is kept what was seen."""

    async def differences(
        self, endpoint: Endpoint, token: str, v1: Answer, v2: Answer
    ) -> Iterable[tuple[str, str, str]]:
        """(kind, field, reason) of each difference between two answers."""
        ...

    async def keep(
        self, endpoint: str, token: str, outcome: Outcome, differences: Iterable[tuple[str, str, str]] = ()
    ) -> None:
        """Adds one request to the counts."""
        ...


@dataclass(slots=True)
class Shadow:
    """The app. `sample`: share of requests, 0 to 1, that are compared; `at_once`: comparisons that may run together.

    `timeout_s`: how long V2 may take; `decide_s`: how long finding out who serves a request may take.
    """

    inner: ASGIApp
    endpoints: Mapping[str, Endpoint]
    v1: httpx.AsyncClient
    switch: Switch
    numbers: Numbers
    notes: Notes
    sample: float = 1.0
    timeout_s: float = 5.0
    decide_s: float = 0.5
    at_once: int = 8
    largest_body: int = 4_000_000
    dice: Callable[[], float] = random.random
    _running: set[asyncio.Task[None]] = field(default_factory=set)

    def __post_init__(self) -> None:
        # One client asks for all callers. A jar would send one's session of V1 along with another's request.
        self.v1.cookies = CookieJar(DefaultCookiePolicy(allowed_domains=()))

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Data endpoints are shadowed; everything else goes to the app inside."""
        endpoint = self.endpoints.get(scope.get("path", "")) if scope["type"] == "http" else None
        request = Request(scope, receive) if endpoint else None
        if endpoint is None or request is None or request.method != "GET" or _for_v2(request):
            await self.inner(scope, receive, send)
            return
        token = request.headers.get(TOKEN, "")
        known, switched = await self._who(token, endpoint)
        if not known:
            await (await self._of_v1(request, request.url.query))(scope, receive, send)
        elif switched:
            await self._switched(request, endpoint, token, send)
        else:
            await self._shadowed(request, endpoint, token, send)

    async def end(self) -> None:
        """Waits for the comparisons that run."""
        await asyncio.gather(*self._running, return_exceptions=True)

    async def _who(self, token: str, endpoint: Endpoint) -> tuple[bool, bool]:
        """Whether it is a user of ours, and whether V2 serves them. What cannot be known quickly is V1's."""
        if not token:
            return False, False
        try:
            async with asyncio.timeout(self.decide_s):
                known = await self.switch.user_of(token) is not None
                return known, known and await self.switch.serves_v2(token, endpoint.path)
        except Exception as error:  # a database that is away must not keep V1 from answering
            log.warning("it is not known who serves %s: %s", endpoint.path, type(error).__name__)
            return False, False

    async def _switched(self, request: Request, endpoint: Endpoint, token: str, send: Send) -> None:
        """V2's answer, or V1's when V2 fails. V1 is asked afterwards, so that shadow reading goes on."""
        ours = await self._of_v2(request, request.url.query, token)
        if ours is None:
            instead = await self._twin(request, endpoint, token) or _unknown_at_v1()
            await instead(request.scope, request.receive, send)
            self._later(endpoint, token, lambda: self.notes.keep(endpoint.path, token, "failed"))
            return
        await ours(request.scope, request.receive, send)

        async def compare() -> None:
            theirs = await self._twin(request, endpoint, token)
            if theirs is None:
                await self.notes.keep(endpoint.path, token, "skipped")
            else:
                await self._keep(endpoint, token, theirs, ours)

        self._later(endpoint, token, compare)

    async def _shadowed(self, request: Request, endpoint: Endpoint, token: str, send: Send) -> None:
        """V1's answer; V2 is asked afterwards."""
        theirs = await self._of_v1(request, request.url.query)
        await theirs(request.scope, request.receive, send)

        async def compare() -> None:
            query = request.url.query
            if endpoint.kind == "record":
                number = await self.numbers.of_v2(endpoint, token, (theirs.status_code, bytes(theirs.body)))
                query = _asking_for(request, number or NOBODY)
            ours = await self._of_v2(request, query, token)
            if ours is None:
                await self.notes.keep(endpoint.path, token, "failed")
            else:
                await self._keep(endpoint, token, theirs, ours)

        self._later(endpoint, token, compare)

    async def _twin(self, request: Request, endpoint: Endpoint, token: str) -> Response | None:
        """V1's answer to what V2 was asked; None where it is not known what V1 calls the record."""
        if endpoint.kind != "record":
            return await self._of_v1(request, request.url.query)
        try:
            number = await self.numbers.of_v1(endpoint, token, request.query_params.get("id", ""))
        except V2Error as error:
            log.warning("it is not known what V1 calls a record of %s: %s", endpoint.path, error.code)
            return None
        return None if number is None else await self._of_v1(request, _asking_for(request, number))

    async def _keep(self, endpoint: Endpoint, token: str, theirs: Response, ours: Response) -> None:
        if theirs.status_code >= 500:
            return  # V1 itself failed: there is nothing to compare with
        v1, v2 = ((answer.status_code, bytes(answer.body)) for answer in (theirs, ours))
        if max(len(v1[1]), len(v2[1])) > self.largest_body:
            await self.notes.keep(endpoint.path, token, "skipped")
        else:
            found = await self.notes.differences(endpoint, token, v1, v2)
            await self.notes.keep(endpoint.path, token, "compared", found)

    def _later(self, endpoint: Endpoint, token: str, compare: Callable[[], Awaitable[None]]) -> None:
        """Compares after the answer, if the request is of the sample and not too many are compared already."""
        if self.dice() >= self.sample or len(self._running) >= 4 * self.at_once:
            return
        busy = len(self._running) >= self.at_once

        async def guarded() -> None:
            try:
                await (self.notes.keep(endpoint.path, token, "skipped") if busy else compare())
            except Exception as error:  # whatever it is, the frontend has its answer
                log.warning("%s could not be compared: %s", endpoint.path, type(error).__name__)

        task = asyncio.create_task(guarded())
        self._running.add(task)
        task.add_done_callback(self._running.discard)

    async def _of_v1(self, request: Request, query: str) -> Response:
        """The request to V1, with its headers as they came. An answer that cannot be had is a 502."""
        named = _named(request.headers.getlist("connection"))
        headers = [(name, value) for name, value in request.headers.items() if name not in _HOP | named]
        url = httpx.URL(request.url.path, query=query.encode())
        try:
            answer = await self.v1.get(url, headers=headers)
        except httpx.HTTPError as error:
            log.warning("V1 does not answer %s: %s", request.url.path, type(error).__name__)
            return JSONResponse({"code": "v1_unavailable", "message": "V1 does not answer."}, 502)
        return _passed_on(answer)

    async def _of_v2(self, request: Request, query: str, token: str) -> Response | None:
        """V2's answer, or None when it fails or takes too long."""
        transport = httpx.ASGITransport(self.inner)
        url = httpx.URL("http://v2").copy_with(path=request.url.path, query=query.encode())
        try:
            async with httpx.AsyncClient(transport=transport) as client, asyncio.timeout(self.timeout_s):
                answer = await client.get(url, headers={"authorization": f"Bearer {token}"})
        except Exception as error:  # the app inside may fail in any way; V1 has the answer
            log.warning("V2 does not answer %s: %s", request.url.path, type(error).__name__)
            return None
        return _passed_on(answer) if answer.status_code < 500 else None


def _for_v2(request: Request) -> bool:
    """Whether the caller signs in with a token of ours in V1's place: who does so means V2."""
    return holds(request.headers.getlist("authorization"))


def _asking_for(request: Request, number: int) -> str:
    """The request's query with another number of the record."""
    others = [(name, value) for name, value in request.query_params.multi_items() if name != "id"]
    return urlencode([("id", number), *others])


def _unknown_at_v1() -> Response:
    told = {"code": "unavailable", "message": "V2 does not answer, and what V1 calls this record is not known."}
    return JSONResponse(told, 503)


def _passed_on(answer: httpx.Response) -> Response:
    response = Response(answer.content, answer.status_code)
    hop = _HOP | _named(answer.headers.get_list("connection"))
    # Each as it came: two cookies in one header would be one, with a comma in it.
    response.raw_headers += [(name, value) for name, value in answer.headers.raw if name.decode().lower() not in hop]
    return response


def _named(connection: Iterable[str]) -> frozenset[str]:
    """The headers that a `Connection` names: they are of this hop, too."""
    return frozenset(name.strip().lower() for value in connection for name in value.split(","))
