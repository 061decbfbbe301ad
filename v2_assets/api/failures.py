"""How failures are told: always a Result document; never a trace, a statement, an address or a value that was sent."""

from __future__ import annotations

import asyncio
import logging
from typing import Any

from fastapi import FastAPI, Request, Response
from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException

from resources.errors import DatabaseError, V2Error
from v2_assets.api.errors import ApiError, BadRequest, TooMany, of_database
from v2_assets.result import Result

_log = logging.getLogger("v2.api")
#: Who comes again at once, refused or not, costs a core by that alone; so nobody is refused at once.
REFUSED_AFTER_S = 0.25

FAILURES: dict[int | str, dict[str, Any]] = {
    400: {"description": "no HTTP, or an address that is too long", "content": {"text/plain": {}}},
    **{
        status: {"model": Result[None], "description": description}
        for status, description in (
            (401, "no token, or one that is nobody's"),
            (403, "the token is not for this"),
            (404, "no such thing, or not the caller's"),
            (409, "the Idempotency-Key was used for something else, or there is nothing to start"),
            (422, "a parameter is unknown or cannot be read; error.context.parameters names it"),
            (429, "more requests than the token may make; see Retry-After"),
            (503, "the database is away, or the answer took too long"),
        )
    },
}
"""The answers that every endpoint can give in place of its own."""


def tell_failures(app: FastAPI) -> None:
    """Adds the handlers."""
    app.add_exception_handler(ApiError, of_failure)
    app.add_exception_handler(DatabaseError, of_failure)
    app.add_exception_handler(RequestValidationError, _unreadable)
    app.add_exception_handler(HTTPException, _http_error)
    app.add_exception_handler(Exception, _bug)


def told(request: Request, status: int, error: V2Error, headers: dict[str, str] | None = None) -> Response:
    """The Result document of a failure."""
    result: Result[None] = Result.failure(request.url.path, error)
    return Response(result.model_dump_json(), status, headers, media_type="application/json")


async def of_failure(request: Request, error: Exception) -> Response:
    """What a caller is told of an ApiError or a DatabaseError."""
    if isinstance(error, DatabaseError):
        _log.warning("%s: %s (request %s)", request.url.path, error.message, request.state.request_id)
        error = of_database(error)
    assert isinstance(error, ApiError)  # noqa: S101 - what it is registered for
    headers = {}
    if error.retry_after is not None:
        headers["Retry-After"] = str(error.retry_after)
    if error.status == TooMany.status:
        await asyncio.sleep(REFUSED_AFTER_S)
    if error.status == 401:
        headers["WWW-Authenticate"] = "Bearer"
    return told(request, error.status, error, headers)


async def _unreadable(request: Request, error: Exception) -> Response:
    """What of a path, a header or a body is wrong (parameters of a query are `asked`'s)."""
    assert isinstance(error, RequestValidationError)  # noqa: S101 - what it is registered for
    lines, names = [], []
    for problem in error.errors():
        names.append(str(problem["loc"][-1]))
        lines.append(f"{names[-1]}: {problem['msg'][0].lower()}{problem['msg'][1:]}")
    context = {"parameters": list(dict.fromkeys(names))}
    return await of_failure(request, BadRequest("; ".join(lines), hint="see /docs", context=context))


async def _http_error(request: Request, error: Exception) -> Response:
    """Of the router: no such path, another method, or a body that is no JSON."""
    assert isinstance(error, HTTPException)  # noqa: S101 - what it is registered for
    if error.status_code == 400:  # FastAPI's word for a body that is no JSON
        failure = BadRequest("The body cannot be read.", hint="send JSON, in UTF-8", context={"parameters": ["body"]})
        return await of_failure(request, failure)
    failure = V2Error(str(error.detail), hint="see /docs for the endpoints there are")
    failure.code = "unknown" if error.status_code == 404 else "not_allowed"  # type: ignore[misc]
    return told(request, error.status_code, failure, dict(error.headers or {}))


async def _bug(request: Request, error: Exception) -> Response:
    """Starlette raises it again after this, so it stands in the log with its trace."""
    request_id = request.state.request_id
    failure = V2Error("Something went wrong here.", hint="tell us the request id", context={"request_id": request_id})
    return told(request, 500, failure)
