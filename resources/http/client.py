"""The HTTP client: one attempt under a total deadline, retries decided in one place, and answers that are understood.

Never follows a redirect and never leaves its hosts, so a key cannot be carried elsewhere. What endpoints exist and how
a source says who is wrong is in `resources.apis`.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Any

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
from resources.http.redact import clean_text
from resources.http.retry import ATTEMPTS, WAIT_INITIAL_S, WAIT_MAX_S, retry_after_s, worth_another_try
from resources.reading import Priority

USER_AGENT = "v2-assets/0.1 (data synchronisation)"
#: What a 429 without Retry-After costs everybody under the same budget.
_PAUSE_WITHOUT_WORD_S = 2.0
#: No honest page is larger; a body that goes on beyond this is cut off as not understood.
LARGEST_BODY = 64 * 1024 * 1024

Params = Sequence[tuple[str, str]]
_BY_STATUS: Mapping[int, type[SourceError]] = {400: BadRequest, 401: Unauthorized, 403: Forbidden, 404: NotFound}


@dataclass(frozen=True, slots=True)
class Answer:
    """A 2xx that is JSON: the document, the headers, and the source's clock when it answered."""

    document: Any
    headers: httpx.Headers
    source_time: datetime


class HttpClient:
    """Calls of one connection. `limits(endpoint)` gives the budgets a call takes from, narrowest last."""

    def __init__(
        self,
        source: str,
        *,
        headers: Mapping[str, str],
        budget: Budget,
        limits: Callable[[Endpoint], Sequence[Limit]],
        auth: tuple[str, str] | None = None,
        message_of: Callable[[Any], str | None] = lambda document: None,
    ) -> None:
        self._source = source
        self._budget = budget
        self._limits = limits
        self._message_of = message_of
        self._http = httpx.AsyncClient(
            headers={"User-Agent": USER_AGENT, "Accept": "application/json", **headers},
            auth=auth,
            follow_redirects=False,
            timeout=httpx.Timeout(30.0, connect=10.0),
            limits=httpx.Limits(max_connections=16, max_keepalive_connections=16),
        )

    async def close(self) -> None:
        """Closes the connections."""
        await self._http.aclose()

    async def get(
        self, endpoint: Endpoint, base_url: str, params: Params = (), *, priority: Priority, **path: str
    ) -> Answer:
        """Asks until it is answered or given up. Raises the SourceError that fits; its context names the endpoint."""
        url = base_url + endpoint.path.format(**path)
        async for attempt in stamina.retry_context(
            on=worth_another_try, attempts=ATTEMPTS, timeout=None, wait_initial=WAIT_INITIAL_S, wait_max=WAIT_MAX_S
        ):
            with attempt:
                limits = self._limits(endpoint)
                await self._budget.take(limits, priority)
                return await self._once(endpoint, url, params, limits)
        raise AssertionError("stamina ends with a result or an error")

    async def _once(self, endpoint: Endpoint, url: str, params: Params, limits: Sequence[Limit]) -> Answer:
        try:
            async with asyncio.timeout(endpoint.deadline_s):
                response, body = await self._read(url, params)
        except TimeoutError:
            raise self._unavailable(endpoint, f"no complete answer within {endpoint.deadline_s:.0f} s") from None
        except httpx.HTTPError as error:
            # The message of httpx can hold the URL with its query: only the kind goes on.
            raise self._unavailable(endpoint, f"the connection broke ({type(error).__name__})") from None
        await self._learn(response.headers, limits)
        if response.is_success and response.status_code != 204:
            return Answer(self._document(endpoint, response, body), response.headers, source_time(response.headers))
        raise await self._refusal(endpoint, response, body, limits)

    async def _read(self, url: str, params: Params) -> tuple[httpx.Response, bytes]:
        async with self._http.stream("GET", url, params=list(params)) as response:
            pieces, size = [], 0
            async for piece in response.aiter_bytes():
                size += len(piece)
                if size > LARGEST_BODY:
                    raise httpx.DecodingError("the body does not end", request=response.request)
                pieces.append(piece)
            return response, b"".join(pieces)

    async def _learn(self, headers: httpx.Headers, limits: Sequence[Limit]) -> None:
        """X-RateLimit headers speak of the narrowest budget (FUB: the account's)."""
        calls, window = headers.get("X-RateLimit-Limit", ""), headers.get("X-RateLimit-Window", "")
        if calls.isdecimal() and window.isdecimal() and limits:
            await self._budget.learn(limits[-1], int(calls), int(window))

    def _document(self, endpoint: Endpoint, response: httpx.Response, body: bytes) -> Any:
        try:
            document = parse_json(body)
        except ValueError:
            kind = "HTML" if body.lstrip()[:1] == b"<" else f"{len(body)} bytes that are no JSON"
            raise self._error(NotUnderstood, endpoint, response.status_code, f"answered with {kind}", True) from None
        if document is None:
            raise self._error(NotUnderstood, endpoint, response.status_code, "answered null", True)
        return document

    async def _refusal(
        self, endpoint: Endpoint, response: httpx.Response, body: bytes, limits: Sequence[Limit]
    ) -> SourceError:
        status = response.status_code
        if status == 429:
            pause = retry_after_s(response.headers.get("Retry-After"))
            await self._budget.punish(limits, _PAUSE_WITHOUT_WORD_S if pause is None else pause)
            return self._error(RateLimited, endpoint, status, "asked us to slow down", True)
        if status == 408 or status >= 500:
            return self._error(SourceUnavailable, endpoint, status, f"answered {status}", True)
        try:
            said = self._message_of(parse_json(body))
        except ValueError:
            said = None
        words = f"answered {status}" + (f": {clean_text(said)}" if said else "")
        return self._error(_BY_STATUS.get(status, NotUnderstood), endpoint, status, words, False)

    def _unavailable(self, endpoint: Endpoint, what: str) -> SourceError:
        return self._error(SourceUnavailable, endpoint, None, what, True)

    def _error(
        self, kind: type[SourceError], endpoint: Endpoint, status: int | None, what: str, retryable: bool
    ) -> SourceError:
        return kind(
            f"{self._source} {endpoint.name} {what}",
            hint=_HINTS.get(kind),
            retryable=retryable,
            context={"source": self._source, "endpoint": endpoint.name, "status": status},
        )


_HINTS: Mapping[type[SourceError], str] = {
    Unauthorized: "the key is refused: ask its owner for a new one and enter it with `v2 onboard`",
    BadRequest: "the source refuses what we ask: look whether its API changed",
    NotUnderstood: "nothing was taken from this answer; if it stays, look whether the source's API changed",
    RateLimited: "every process waits as long as the source asked; the next run goes on from the last stored page",
    SourceUnavailable: "the next run goes on from the last stored page",
}


def parse_json(body: bytes) -> Any:
    """The document. Lone surrogates, which orjson refuses, pass: the record's check meets them. Raises ValueError."""
    try:
        return orjson.loads(body)
    except orjson.JSONDecodeError:
        if b"\\ud" not in body.lower():
            raise
    return json.loads(body)


def source_time(headers: httpx.Headers) -> datetime:
    """The Date header as an instant; our own clock where there is none (a cursor then trusts us)."""
    try:
        then = parsedate_to_datetime(headers.get("Date", ""))
    except (TypeError, ValueError):
        return datetime.now(UTC)
    return then if then.tzinfo else then.replace(tzinfo=UTC)
