"""The application: a route per endpoint of the catalogue and per task.

Here: routes, admission, the envelope of answers. Not here: SQL (`pages`), the database (`store`), parameters (`asked`),
how failures are told (`failures`).
"""

from __future__ import annotations

import asyncio
import hashlib
import logging
import math
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import orjson
from fastapi import FastAPI, Request, Response
from starlette.background import BackgroundTask
from starlette.middleware.gzip import GZipMiddleware

from resources.errors import V2Error
from resources.postgres import Database
from resources.serving import HEALTH, READY, alive, readiness
from resources.settings import Settings
from v2_assets.api import pages
from v2_assets.api.asked import Asked, Parameters, cursor_of
from v2_assets.api.bodies import Bodies
from v2_assets.api.catalogue import CATALOGUE
from v2_assets.api.endpoint import Endpoint
from v2_assets.api.errors import NoToken, TooMany, Unknown
from v2_assets.api.failures import FAILURES, tell_failures
from v2_assets.api.limit import Limiter
from v2_assets.api.models import answer_model
from v2_assets.api.request_id import RequestIds
from v2_assets.api.shortcut import Answer, Shortcut
from v2_assets.api.store import Store
from v2_assets.api.tasks import Tasks
from v2_assets.api.tokens import sent
from v2_assets.api.unchanging import PAGE_HEADERS, Unchanging, drawn
from v2_assets.launching import WebServer

_log = logging.getLogger("v2.api")
#: Starlette's default, 9, takes several times as long for a few per cent fewer bytes.
GZIP_LEVEL = 4
GZIP_FROM_BYTES = 1000
#: For so long `/health` believes what the database answered.
ALIVE_FOR_S = 1.0


class Api:
    """The application of one installation; `app` is what a server serves."""

    def __init__(self, settings: Settings, database: Database) -> None:
        self.store = Store(database, settings.api_connections, settings.api_time_percent / 100)
        self._limiter = Limiter(settings.api_requests_per_minute, settings.api_burst)
        self._noted: dict[str, int] = {}
        self._asking, self._alive, self._alive_until = asyncio.Lock(), False, 0.0
        self.app = FastAPI(
            title="V2",
            version="1",
            description="The product's data, as the holder of the token may see it.",
            lifespan=self._lifespan,
            # FastAPI's own page runs scripts of a CDN.
            docs_url=None,
            redoc_url=None,
            # A slash too many leads nowhere: a redirect would name the caller's Host, and http.
            redirect_slashes=False,
        )
        answers = {endpoint.path: self._add(endpoint) for endpoint in CATALOGUE}
        self.app.include_router(
            Tasks(self.store, WebServer(settings.ui_port, tasks_key=settings.api_tasks_key), self.admit).router
        )
        self.app.add_api_route(HEALTH, alive, include_in_schema=False)
        self.app.add_api_route(READY, self._ready, include_in_schema=False)
        self.app.openapi = self._openapi
        tell_failures(self.app)
        described = Unchanging(lambda: orjson.dumps(self._openapi()), "application/json")
        page = Unchanging(lambda: drawn(self._openapi()), "text/html", PAGE_HEADERS)
        self.app.add_middleware(Shortcut, answers=answers | {"/openapi.json": described, "/docs": page})
        self.app.add_middleware(GZipMiddleware, minimum_size=GZIP_FROM_BYTES, compresslevel=GZIP_LEVEL)
        self.app.add_middleware(Bodies)
        self.app.add_middleware(RequestIds)

    @asynccontextmanager
    async def _lifespan(self, app: FastAPI) -> AsyncIterator[None]:
        async with self.store.opened():
            yield

    def _openapi(self) -> dict[str, Any]:
        """Written when it is first asked for: that takes as long as all the rest of the application's start."""
        made = FastAPI.openapi(self.app)
        made["components"]["securitySchemes"] = {
            "token": {"type": "http", "scheme": "bearer", "description": "A token of `v2 token create`."}
        }
        return made

    async def _ready(self) -> Response:
        """Open to everybody, so the database is asked by one request at a time, and not again for a moment."""
        async with self._asking:
            if self._alive_until <= time.monotonic():
                self._alive = await self.store.alive()
                self._alive_until = time.monotonic() + ALIVE_FOR_S
        return readiness(database=self._alive)

    def admit(self, request: Request) -> str:
        """The hash of the token that a request carries. Raises NoToken, TooMany.

        Tokens that have not been seen to be good count together, for where they come from: a made-up one costs nothing.
        """
        token_hash = sent(request.headers.getlist("authorization"))
        if token_hash is None:
            raise NoToken("A token is needed.", hint="send Authorization: Bearer <token of `v2 token create`>")
        origin = request.client.host if request.client else ""
        wait = self._limiter.take(token_hash if self.store.knows(token_hash) else f"from {origin}")
        if wait:
            error = TooMany("The token asks too often.", hint="come again after Retry-After seconds")
            error.retry_after = math.ceil(wait)
            raise error
        return token_hash

    def _noting(self, token_hash: str) -> BackgroundTask | None:
        """Once a minute: writing down, after the answer, that the token was used."""
        minute = int(time.time() // 60)
        if self._noted.get(token_hash) == minute:
            return None
        self._noted = {key: at for key, at in self._noted.items() if at == minute} | {token_hash: minute}
        return BackgroundTask(self._note_use, token_hash)

    async def _note_use(self, token_hash: str) -> None:
        try:
            await self.store.call(token_hash, None, "select ops.api_used()")
        except V2Error as error:  # no failure of the answer
            _log.warning("the use of a token was not noted (%s)", error.code)

    def _add(self, endpoint: Endpoint) -> Answer:
        parameters = Parameters(endpoint)

        async def answer(request: Request) -> Response:
            token_hash = self.admit(request)
            body = await self._body(token_hash, endpoint, parameters.read(request.query_params.multi_items()))
            return _unchanged_or(request, body, self._noting(token_hash))

        self.app.add_api_route(
            endpoint.path,
            answer,
            response_model=answer_model(endpoint),
            responses={304: {"description": "what If-None-Match names is still right"}, **FAILURES},
            summary=endpoint.what,
            operation_id=endpoint.name,
            tags=[endpoint.path.split("/")[1]],
            openapi_extra={"parameters": parameters.openapi(), "security": [{"token": []}]},
        )
        return answer

    async def _body(self, token_hash: str, endpoint: Endpoint, a: Asked) -> bytes:
        """The answer as JSON, most of it as Postgres wrote it."""
        _, found = await self.store.ask(token_hash, endpoint.scope, pages.QUESTIONS[endpoint.kind](endpoint, a))
        if endpoint.kind == "rows":
            items, rows, *rest = found
            return _listed(items, min(rows, a.per_page), _paging(a, rows > a.per_page, *rest))
        if endpoint.kind == "figures":
            return _listed(found[0], found[1], {})
        if endpoint.kind == "count":
            return orjson.dumps({"count": found[0]})
        if found[0] is None:
            raise Unknown("There is no such row among yours.", context={"id": a.values["id"]})
        return found[0].encode()


def _paging(a: Asked, more: bool, last_value: str | None, last_id: int | None, total: int | None) -> dict[str, Any]:
    numbered = a.after is None
    return {
        "curPage": a.page if numbered else None,
        "nextPage": a.page + 1 if numbered and more else None,
        "prevPage": a.page - 1 if numbered and a.page > 1 else None,
        "offset": a.offset if numbered else None,
        "perPage": a.per_page,
        "itemsTotal": total,
        "pageTotal": None if total is None else -(-total // a.per_page),
        "nextCursor": cursor_of(a.sort, last_value, last_id) if more and last_id is not None else None,
    }


def _listed(items: str | None, received: int, paging: dict[str, Any]) -> bytes:
    end = orjson.dumps({"itemsReceived": received, **paging})[1:]
    return b"".join((b'{"items":[', (items or "").encode(), b"],", end))


def _unchanged_or(request: Request, body: bytes, background: BackgroundTask | None) -> Response:
    """The answer, or 304 where the caller has it already. The mark is weak: gzip makes other bytes of the same."""
    etag = f'W/"{hashlib.blake2b(body, digest_size=16).hexdigest()}"'
    headers = {"ETag": etag, "Cache-Control": "private, no-cache", "Vary": "Authorization"}
    known = request.headers.get("if-none-match", "")
    if known == "*" or etag.removeprefix("W/") in {tag.strip().removeprefix("W/") for tag in known.split(",")}:
        return Response(None, 304, headers, background=background)
    return Response(body, 200, headers, media_type="application/json", background=background)
