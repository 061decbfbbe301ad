"""What a caller can be told instead of an answer. Each has a status; none repeats SQL, addresses or row values."""

from __future__ import annotations

from typing import ClassVar

from resources.errors import DatabaseError, V2Error


class ApiError(V2Error):
    """An answer that is not the one asked for."""

    status: ClassVar[int] = 500
    #: Seconds after which to come again, for the header Retry-After.
    retry_after: int | None = None


class NoToken(ApiError):
    """No token, or one that is nobody's (any more)."""

    code = "no_token"
    status = 401


class OutOfScope(ApiError):
    """The token is good, but not for this."""

    code = "out_of_scope"
    status = 403


class Unknown(ApiError):
    """There is no such thing, or it is not the caller's: the two are not told apart."""

    code = "unknown"
    status = 404


class Conflict(ApiError):
    """The same name was used for another request."""

    code = "conflict"
    status = 409


class BadRequest(ApiError):
    """A parameter is unknown or cannot be read; `context` names them."""

    code = "bad_request"
    status = 422


class TooMany(ApiError):
    """More requests than the token may make."""

    code = "too_many_requests"
    status = 429
    retryable = True


class TooLarge(ApiError):
    """A body that no request needs."""

    code = "too_large"
    status = 413


class Away(ApiError):
    """The database (or the web server, for tasks) does not answer."""

    code = "away"
    status = 503
    retryable = True
    retry_after = 5


class TooSlow(ApiError):
    """The question takes longer than a reader may wait."""

    code = "too_slow"
    status = 503


def of_database(error: DatabaseError) -> ApiError:
    """A database's failure as a caller may hear it."""
    state = error.context.get("sqlstate") or ""
    if state == "57014":
        return TooSlow(
            "The answer took too long.",
            hint="narrow it with filters, leave out totals=exact, or go on with the cursor instead of page numbers",
        )
    if state.startswith("22"):  # only a value of the caller's can be one that Postgres does not take
        return BadRequest("A value cannot be read.", hint="take cursors as they came, and see /openapi.json for types")
    return Away("The database does not answer.", hint="come again in a few seconds")
