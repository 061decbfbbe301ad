"""The HTTP client: one attempt under a total deadline, retries decided in one place, and answers that are understood.

Never follows a redirect and never leaves its hosts, so a key cannot be carried elsewhere. What endpoints exist and how
a source says who is wrong is in `resources.apis`.
"""

from __future__ import annotations

import asyncio
import base64
import importlib.util
import ipaddress
import json
import re
import ssl
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from functools import cache
from typing import Any
from urllib.parse import quote, urlsplit

import httpx
import orjson
import stamina

from resources.errors import (
    BadRequest,
    Forbidden,
    NotFound,
    NotUnderstood,
    RateLimited,
    SourceError,
    SourceUnavailable,
    Unauthorized,
)
from resources.http.budget import Budget, Limit
from resources.http.endpoint import Endpoint
from resources.http.redact import OwnSecrets, clean_text
from resources.http.retry import (
    ATTEMPTS,
    WAIT_INITIAL_S,
    WAIT_MAX_S,
    WEBHOOK_ATTEMPTS,
    retry_after_s,
    worth_another_try,
)
from resources.reading import Priority

USER_AGENT = "v2-assets/0.1 (data synchronisation)"
#: What a 429 without Retry-After costs everybody under the same budget.
PAUSE_WITHOUT_WORD_S = 2.0
#: No honest page is larger; a body that goes on beyond this is cut off as not understood.
LARGEST_BODY = 64 * 1024 * 1024

#: A little more than the calls that a pass makes side by side. Each call looks at every idle connection.
_CONNECTIONS = 10

# httpcore asks for this optional package several times a call. Where it is not installed, each of these imports
# searches the whole path, which took a sixth of a call's time; this makes the same answer quick.
if importlib.util.find_spec("sniffio") is None:
    sys.modules["sniffio"] = None  # type: ignore[assignment]

Params = Sequence[tuple[str, str]]
#: A Date before this program was written is none; so early a watermark could not even be overlapped.
_NO_CLOCK_IS_BEHIND = datetime(2020, 1, 1, tzinfo=UTC)
#: A number of calls or seconds that a header may tell; nobody means more.
_HEADER_NUMBER = re.compile(r"[1-9][0-9]{0,8}")
_BY_STATUS: Mapping[int, type[SourceError]] = {400: BadRequest, 401: Unauthorized, 403: Forbidden, 404: NotFound}


@dataclass(frozen=True, slots=True)
class Answer:
    """A 2xx that is JSON: the document, the headers, and the source's clock when it answered."""

    document: Any
    headers: httpx.Headers
    source_time: datetime


class HttpClient:
    """Calls of one connection. `limits(endpoint)` gives the budgets a call takes from, the account's own last.

    `parse` reads a body that is no plain JSON (ValueError when it cannot); `largest_body` is in bytes. `secrets` are
    those that go out in bodies; those in headers and in `auth` are known. None of them is in an error or in a document,
    though the source repeats it; `secrets.hide` is for whoever makes an error of a 2xx.

    `base_url` is where calls go when `get` names no other; it also says whether proxies of the machine are in the way
    (never towards loopback). Raises Unauthorized for a key that cannot be sent at all.
    """

    def __init__(
        self,
        source: str,
        *,
        base_url: str,
        headers: Mapping[str, str],
        budget: Budget,
        limits: Callable[[Endpoint], Sequence[Limit]],
        auth: tuple[str, str] | None = None,
        message_of: Callable[[Any], str | None] = lambda document: None,
        pause_s: float = PAUSE_WITHOUT_WORD_S,
        parse: Callable[[bytes], Any] | None = None,
        largest_body: int | None = None,
        secrets: Sequence[str] = (),
    ) -> None:
        self._source = source
        self._base_url = base_url
        self._budget = budget
        self._limits = limits
        self._message_of = message_of
        self._pause_s = pause_s
        self._parse = parse or parse_json
        self._largest_body = largest_body
        self.secrets = OwnSecrets(secrets)
        self.secrets.add_headers(headers)
        if auth:
            name, password = auth
            self.secrets.add(base64.b64encode(":".join(auth).encode()).decode())
            self.secrets.add(password)
            self.secrets.add(name, in_data=not password)
        if not all(value.isascii() and value.isprintable() for value in headers.values()):
            # httpx would fail with an error that carries the key.
            raise Unauthorized(
                f"a key for {source} holds characters that no key has",
                hint="enter it again without quotes, blanks or line breaks around it",
                context={"source": source},
            )
        self._http = httpx.AsyncClient(
            headers={"User-Agent": USER_AGENT, "Accept": "application/json", **headers},
            auth=auth,
            follow_redirects=False,
            timeout=httpx.Timeout(30.0, connect=10.0),
            limits=httpx.Limits(max_connections=_CONNECTIONS, max_keepalive_connections=_CONNECTIONS),
            verify=_certificates(),
            trust_env=not _is_loopback(base_url),
        )

    async def close(self) -> None:
        """Closes the connections."""
        await self._http.aclose()

    async def get(
        self,
        endpoint: Endpoint,
        params: Params = (),
        headers: Mapping[str, str] | None = None,
        /,
        *,
        priority: Priority,
        base_url: str | None = None,
        **path: str,
    ) -> Answer:
        """Asks until it is answered or given up. Raises the SourceError that fits; its context names the endpoint.

        `headers` go with this call only.
        """
        return await self._ask("GET", endpoint, params, None, headers, priority, base_url, ATTEMPTS, path)

    async def post(
        self,
        endpoint: Endpoint,
        body: Any,
        params: Params = (),
        *,
        priority: Priority,
        headers: Mapping[str, str] | None = None,
        base_url: str | None = None,
        attempts: int = ATTEMPTS,
        **path: str,
    ) -> Answer:
        """The same for a POST that only reads (a search, a query, a login): it is repeated like a GET.

        `body` is sent as JSON; `headers` go with this call only. `attempts` is for callers who can ask for less.
        """
        return await self._ask("POST", endpoint, params, body, headers, priority, base_url, attempts, path)

    async def change(self, method: str, endpoint: Endpoint, body: Any, *, priority: Priority, **path: str) -> Answer:
        """A call that changes something at the source: asked once, for a second try could do it twice."""
        return await self._ask(method, endpoint, (), body, None, priority, None, 1, path)

    async def _ask(
        self,
        method: str,
        endpoint: Endpoint,
        params: Params,
        document: Any,
        headers: Mapping[str, str] | None,
        priority: Priority,
        base_url: str | None,
        attempts: int,
        path: Mapping[str, str],
    ) -> Answer:
        url = (base_url or self._base_url) + endpoint.path.format(
            **{name: self._segment(endpoint, value) for name, value in path.items()}
        )
        more = {**({} if document is None else {"Content-Type": "application/json"}), **(headers or {})}
        self.secrets.add_headers(more)

        def request() -> httpx.Request:
            content = None if document is None else orjson.dumps(document)
            return self._http.build_request(method, url, params=list(params), content=content, headers=more)

        limits = self._limits(endpoint)
        if priority == "webhook":
            attempts = min(attempts, WEBHOOK_ATTEMPTS)
        started, queued = time.monotonic(), 0.0

        def again(error: Exception) -> bool:
            return worth_another_try(error, time.monotonic() - started - queued)

        async for attempt in stamina.retry_context(
            on=again, attempts=attempts, timeout=None, wait_initial=WAIT_INITIAL_S, wait_max=WAIT_MAX_S
        ):
            with attempt:
                asked = time.monotonic()
                await self._budget.take(limits, priority)
                queued += time.monotonic() - asked
                return await self._once(endpoint, request, limits, attempt.num)
        raise AssertionError("stamina ends with a result or an error")

    def _segment(self, endpoint: Endpoint, value: str) -> str:
        """An id as one segment of a path: what a record says must not lead to another endpoint."""
        if value in ("", ".", "..") or not value.isprintable():
            raise self._error(BadRequest, endpoint, None, "was to be asked for an id that is none", False, 0)
        return quote(value, safe="")

    async def _once(
        self, endpoint: Endpoint, request: Callable[[], httpx.Request], limits: Sequence[Limit], attempt: int
    ) -> Answer:
        try:
            asked = request()
        except (httpx.InvalidURL, ValueError, TypeError):
            # What a record or a page said is to be asked with, and no request can hold it: a lone surrogate, say.
            raise self._error(BadRequest, endpoint, None, "cannot be asked with what it told", False, attempt) from None
        try:
            async with asyncio.timeout(endpoint.deadline_s):
                response, body = await self._read(asked)
        except TimeoutError:
            what = f"gave no complete answer within {endpoint.deadline_s:g} s"
            raise self._error(SourceUnavailable, endpoint, None, what, True, attempt) from None
        except httpx.HTTPError as error:
            # The message of httpx can hold the URL with its query: only the kind goes on.
            what = f"could not be read, the connection broke ({type(error).__name__})"
            raise self._error(SourceUnavailable, endpoint, None, what, True, attempt) from None
        await self._learn(endpoint, response.headers, limits)
        if response.status_code == 204 and endpoint.no_content:
            return Answer({endpoint.lists[0]: []}, response.headers, source_time(response.headers))
        if response.is_success and response.status_code != 204:
            document = self._document(endpoint, response, body, attempt)
            return Answer(document, response.headers, source_time(response.headers))
        raise await self._refusal(endpoint, response, body, limits, attempt)

    async def _read(self, request: httpx.Request) -> tuple[httpx.Response, bytes]:
        response = await self._http.send(request, stream=True)
        try:
            pieces, size = [], 0
            async for piece in response.aiter_bytes():
                size += len(piece)
                if size > (self._largest_body or LARGEST_BODY):
                    raise httpx.DecodingError("the body does not end", request=response.request)
                pieces.append(piece)
            return response, b"".join(pieces)
        finally:
            await response.aclose()

    async def _learn(self, endpoint: Endpoint, headers: httpx.Headers, limits: Sequence[Limit]) -> None:
        """X-RateLimit headers speak of the account's own budget, unless they name another bucket than the one asked."""
        calls, window = headers.get("X-RateLimit-Limit", ""), headers.get("X-RateLimit-Window", "")
        same = headers.get("X-RateLimit-Context", endpoint.context) == endpoint.context
        if _HEADER_NUMBER.fullmatch(calls) and _HEADER_NUMBER.fullmatch(window) and limits and same:
            await self._budget.learn(limits[-1], int(calls), int(window))

    def _document(self, endpoint: Endpoint, response: httpx.Response, body: bytes, attempt: int) -> Any:
        status = response.status_code
        try:
            document = self._parse(body)
            if not endpoint.tells_secret:
                document = self.secrets.hide_in(document, body)
        except ValueError:
            kind = "HTML" if body.lstrip()[:1] == b"<" else f"{len(body)} bytes that are no JSON"
            raise self._error(NotUnderstood, endpoint, status, f"answered with {kind}", True, attempt) from None
        if document is None:
            raise self._error(NotUnderstood, endpoint, status, "answered null", True, attempt)
        return document

    async def _refusal(
        self, endpoint: Endpoint, response: httpx.Response, body: bytes, limits: Sequence[Limit], attempt: int
    ) -> SourceError:
        status, headers = response.status_code, response.headers
        if status == 429:
            pause = retry_after_s(headers.get("Retry-After"), source_time(headers))
            if pause is None:
                pause = _reset_s(headers)
            pause = self._pause_s if pause is None else pause
            # With nothing left of the account's own share it was that; otherwise the source as a whole is short.
            own = headers.get("X-RateLimit-Remaining") == "0"
            await self._budget.punish(limits[-1:] if own else limits, pause)
            return self._error(
                RateLimited, endpoint, status, "asked us to slow down", True, attempt, {"seconds": round(pause)}
            )
        if status == 408 or status >= 500:
            return self._error(SourceUnavailable, endpoint, status, f"answered {status}", True, attempt)
        try:
            said = self._message_of(self.secrets.hide(parse_json(body)))
        except (ValueError, RecursionError):
            said = None
        words = f"answered {status}" + (f": {clean_text(said)}" if isinstance(said, str) and said else "")
        return self._error(_BY_STATUS.get(status, NotUnderstood), endpoint, status, words, False, attempt)

    def _error(
        self,
        kind: type[SourceError],
        endpoint: Endpoint,
        status: int | None,
        what: str,
        retryable: bool,
        attempt: int,
        more: Mapping[str, Any] | None = None,
    ) -> SourceError:
        return kind(
            f"{self._source} {endpoint.name} {what}",
            hint=_HINTS.get(kind),
            retryable=retryable,
            context={
                "source": self._source,
                "endpoint": endpoint.name,
                "status": status,
                "attempt": attempt,
                **(more or {}),
            },
        )


_HINTS: Mapping[type[SourceError], str] = {
    Unauthorized: "the key is refused: ask its owner for a new one and enter it with `v2 onboard`",
    BadRequest: "the source refuses what we ask: look whether its API changed",
    NotUnderstood: "nothing was taken from this answer; if it stays, look whether the source's API changed",
    RateLimited: "every process waits as long as the source asked; the next run goes on from the last stored page",
    SourceUnavailable: "the next run goes on from the last stored page",
}


@cache
def _certificates() -> ssl.SSLContext:
    """Reading the machine's certificates takes tens of milliseconds, and there is a client per user and stream."""
    return httpx.create_ssl_context()


def _is_loopback(url: str) -> bool:
    host = urlsplit(url).hostname or ""
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def _reset_s(headers: httpx.Headers) -> float | None:
    """Seconds until X-RateLimit-Reset (epoch seconds) by the source's own clock, at most two minutes."""
    reset = headers.get("X-RateLimit-Reset", "")
    if not reset.isdecimal() or len(reset) != 10:
        return None
    return min(max(int(reset) - source_time(headers).timestamp(), 1.0), 120.0)


def parse_json(body: bytes) -> Any:
    """The document. Lone surrogates, which orjson refuses, pass: the record's check meets them. Raises ValueError."""
    try:
        return orjson.loads(body)
    except orjson.JSONDecodeError:
        if b"\\ud" not in body.lower():
            raise
    try:
        return json.loads(body, parse_constant=_no_constant)
    except RecursionError:
        raise ValueError("nested too deeply") from None


def _no_constant(name: str) -> Any:
    raise ValueError(f"{name} is no JSON")


def source_time(headers: httpx.Headers) -> datetime:
    """The Date header as an instant in UTC; our own clock where there is none (a cursor then trusts us).

    A clock that is ahead of ours is told as it is: who makes a cursor of it knows the database's clock (see `sync`).
    """
    try:
        then = parsedate_to_datetime(headers.get("Date", ""))
        then = then.astimezone(UTC) if then.tzinfo else then.replace(tzinfo=UTC)
    except (TypeError, ValueError, OverflowError, IndexError):
        return datetime.now(UTC)
    return then if then >= _NO_CLOCK_IS_BEHIND else datetime.now(UTC)
