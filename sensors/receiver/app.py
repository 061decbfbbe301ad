"""The HTTP side: which address, which proof, how large, and what is answered.

200 stored (or stored before) · 400 no event · 401 no proof · 404 no address of ours · 405 · 413 too large · 429 more
than the connection's quota · 503 the database is away or too much waits: come again. Never 406 or 410: Follow Up Boss
would remove the webhook for good.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager, suppress

from starlette.applications import Starlette
from starlette.requests import ClientDisconnect, Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route
from starlette.types import Receive, Scope, Send

from resources.encryption import secret_keys
from resources.errors import DatabaseError
from resources.http.redact import HIDDEN
from resources.postgres import Database
from resources.serving import HEALTH, READY, alive, readiness
from resources.settings import Settings
from resources.webhooks import SOURCES, Addresses, basic_pair, signed_by_fub
from sensors.receiver.bounds import Overloaded, Quota, Room
from sensors.receiver.events import Arrival, Malformed, arrival, over_quota
from sensors.receiver.store import Store

_log = logging.getLogger("v2.receiver")
_HOOKS = "/hooks/"
#: A sender that drips its body must not hold a place for ever.
BODY_DEADLINE_S = 10.0
#: Bodies in memory at once: what is on its way, what waits and what is being stored. An event has some 2 KB.
MOST_BYTES = 64_000_000


class _TooLarge(Exception):
    pass


class Receiver:
    """The application of one installation, which a server serves.

    Events are answered before Starlette's routing and middleware, which were half of the time of a burst.
    """

    def __init__(self, settings: Settings, database: Database) -> None:
        self._addresses = Addresses(secret_keys(settings))
        self._fub_keys = _values(settings)
        self._largest = settings.receiver_largest_body
        self._quota = Quota(settings.receiver_megabytes_per_day * 1_000_000)
        self._noticed: dict[int, str] = {}
        self._room = Room(max(MOST_BYTES, self._largest))
        self._store = Store(database)
        self._pages = Starlette(routes=[Route(HEALTH, alive), Route(READY, self._ready)], lifespan=self._lifespan)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """One request, or the server's life."""
        if scope["type"] == "http" and scope["path"].startswith(_HOOKS):
            response = await self._hook(Request(scope, receive))
            await response(scope, receive, send)
        else:
            await self._pages(scope, receive, send)

    @asynccontextmanager
    async def _lifespan(self, app: Starlette) -> AsyncIterator[None]:
        writer = asyncio.create_task(self._store.run())
        yield
        writer.cancel()
        with suppress(asyncio.CancelledError):
            await writer

    async def _ready(self, request: Request) -> Response:
        return readiness(database=await self._store.alive())

    async def _hook(self, request: Request) -> Response:
        if request.method != "POST":
            return _told(405, "events are posted", {"Allow": "POST"})
        source, _, mark = request.scope["path"].removeprefix(_HOOKS).partition("/")
        if source == "title" and not mark:
            return await self._title(request)
        credentials_id = self._addresses.owner(source, mark) if source in SOURCES and source != "title" else None
        if credentials_id is None:
            return _told(404, "no such address")
        return await self._take(request, source, credentials_id, mark.partition(".")[2])

    async def _title(self, request: Request) -> Response:
        pair = basic_pair(request.headers.get("authorization"))
        credentials_id = self._addresses.owner("title", ".".join(pair)) if pair else None
        if pair is None or credentials_id is None:
            return _told(401, "name and password are needed", {"WWW-Authenticate": 'Basic realm="webhooks"'})
        return await self._take(request, "title", credentials_id, pair[1])

    async def _take(self, request: Request, source: str, credentials_id: int, secret: str) -> Response:
        told = request.headers.get("content-length", "")
        size = int(told) if told.isascii() and told.isdecimal() else self._largest
        if size > self._largest:
            return self._too_large()
        try:
            with self._room.held(size):
                return await self._stored(request, source, credentials_id, secret)
        except _TooLarge:
            return self._too_large()
        except (DatabaseError, Overloaded) as error:
            _log.warning(
                "an event of %s was not stored (%s); its sender is to come again", source, type(error).__name__
            )
            return _told(503, "come again", {"Retry-After": "5"})

    async def _stored(self, request: Request, source: str, credentials_id: int, secret: str) -> Response:
        """`secret` is what the sender showed, and is not stored. Raises _TooLarge, DatabaseError, Overloaded."""
        try:
            async with asyncio.timeout(BODY_DEADLINE_S):
                body = await self._body(request)
        except (ClientDisconnect, TimeoutError):
            return _told(400, "the body did not come")
        if source == "fub" and not signed_by_fub(self._fub_keys, body, request.headers.get("fub-signature")):
            return _told(401, "the signature does not fit")
        try:
            event = arrival(source, credentials_id, body.replace(secret.encode(), HIDDEN.encode()))
        except Malformed as error:
            return _told(400, str(error))
        if not self._quota.take(credentials_id, len(body)):
            return await self._too_much(over_quota(source, credentials_id))
        await self._store.put(event)
        return Response(status_code=200)

    def _too_large(self) -> Response:
        return _told(413, f"a body has at most {self._largest} bytes", {"Connection": "close"})

    async def _too_much(self, notice: Arrival) -> Response:
        """What is over the quota is not stored; that it was sent is, once a day, so that people are told."""
        if self._noticed.get(notice.credentials_id) != notice.key:
            await self._store.put(notice)
            self._noticed[notice.credentials_id] = notice.key
            _log.warning("connection %s of %s sends more than its quota", notice.credentials_id, notice.source)
        return _told(429, "more than a connection may send", {"Retry-After": "3600"})

    async def _body(self, request: Request) -> bytes:
        pieces, size = [], 0
        async for piece in request.stream():
            size += len(piece)
            if size > self._largest:
                raise _TooLarge
            pieces.append(piece)
        return b"".join(pieces)


def _values(settings: Settings) -> Sequence[str]:
    keys = (settings.fub_system_key, settings.fub_system_key_previous)
    return [key.get_secret_value() for key in keys if key is not None]


def _told(status: int, text: str, headers: dict[str, str] | None = None) -> Response:
    return JSONResponse({"error": text}, status, headers)
