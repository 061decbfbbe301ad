"""The one exception tree of the platform.

Every error says what was attempted, what came back, whether a rerun can help, and what to do. `code` is stable: people
search for it in the manual, alerts group by it, and the `v2` command prints it. Nothing here knows a source's details:
those live in the `context` mapping, which must never hold a secret or personal data.
"""

from __future__ import annotations

import traceback
from collections.abc import Mapping
from pathlib import PurePath
from typing import Any, ClassVar

from resources.storable import storable

#: Of a traceback its last places, which tell where it broke.
_PLACES = 12


class V2Error(Exception):
    """Root of all errors the platform raises on purpose.

    `message` is one sentence for a person, `hint` the next thing to do, `retryable` whether the same call may
    succeed later without anybody changing anything, `context` machine-readable facts (ids, statuses, counts).
    """

    code: ClassVar[str] = "internal"
    retryable: bool = False

    def __init__(
        self,
        message: str,
        *,
        hint: str | None = None,
        retryable: bool | None = None,
        context: Mapping[str, Any] | None = None,
    ) -> None:
        # Errors are stored, and what they tell may be a source's own words: a NUL in them would lose the error itself.
        self.message = storable(message)[0]
        super().__init__(self.message)
        self.hint = hint
        if retryable is not None:
            self.retryable = retryable
        self.context = storable(dict(context or {}))[0]

    def as_dict(self) -> dict[str, Any]:
        """The error half of a `Result`: {code, message, hint, retryable, context}."""
        return {
            "code": self.code,
            "message": self.message,
            "hint": self.hint,
            "retryable": self.retryable,
            "context": self.context,
        }

    def __str__(self) -> str:
        return f"{self.message} ({self.hint})" if self.hint else self.message


class ConfigError(V2Error):
    """A setting is missing or unreadable."""

    code = "config"


class UnknownUser(V2Error):
    """An id, e-mail or `ad_user_id` that resolves to nobody."""

    code = "unknown_user"


class MissingCredential(V2Error):
    """The user has no usable connection to the platform that was asked for."""

    code = "missing_credential"


class Disconnected(V2Error):
    """The connection was taken away while it was at work."""

    code = "disconnected"


class DatabaseError(V2Error):
    """Postgres cannot be reached, or refused."""

    code = "database"
    retryable = True


class MigrationBehind(V2Error):
    """The database's schema is older (or newer) than this code."""

    code = "migration_behind"


class LeaseBusy(V2Error):
    """Somebody else is working on the same (account, entity)."""

    code = "lease_busy"
    retryable = True


class LeaseLost(V2Error):
    """Our lease was taken over while we worked: nothing more may be written under it."""

    code = "lease_lost"
    retryable = True


class SweepShrunk(V2Error):
    """A complete sweep saw far fewer records than are known, or none: nothing is deleted, a person has to look."""

    code = "sweep_shrunk"


class SweepIncomplete(V2Error):
    """A full pass did not meet all that its source has: nothing follows from what it did not meet."""

    code = "sweep_incomplete"
    retryable = True


class LedgerBroken(V2Error):
    """A merge's counts do not add up; its transaction was rolled back."""

    code = "ledger_broken"


class Unexpected(V2Error):
    """Something nobody foresaw: a defect, here or in what we use. It never holds the text of the exception, which may
    quote a record or a secret, but its type and where it came from."""

    code = "unexpected"

    @classmethod
    def of(cls, error: BaseException) -> Unexpected:
        """What may be told of an exception: the types of it and of its causes, and its places in the code."""
        types, places = [], []
        cause: BaseException | None = error
        while cause is not None and len(types) < 5:
            types.append(type(cause).__name__)
            frames = traceback.extract_tb(cause.__traceback__)[-_PLACES:]
            places.append([f"{'/'.join(PurePath(f.filename).parts[-3:])}:{f.lineno} {f.name}" for f in frames])
            cause = cause.__cause__ or cause.__context__
        return cls(
            f"an unexpected {types[0]}",
            hint="this is a defect: its place in the code is in ops.error_log, under context",
            context={"types": types, "places": places},
        )


class SourceError(V2Error):
    """An external system did not answer as it should. `context` holds source, endpoint, status."""

    code = "source"


class Unauthorized(SourceError):
    """The credential is refused for good (401, or 403 after the source's own probe)."""

    code = "unauthorized"


class Forbidden(SourceError):
    """The credential is good but may not see this object."""

    code = "forbidden"


class NotFound(SourceError):
    """The object does not exist, or not for this credential."""

    code = "not_found"


class BadRequest(SourceError):
    """The source refused our parameters: a bug here or a change there."""

    code = "bad_request"


class RateLimited(SourceError):
    """429 for longer than we may wait."""

    code = "rate_limited"
    retryable = True


class SourceUnavailable(SourceError):
    """Network failure, time-out or 5xx that outlasted the retries."""

    code = "source_unavailable"
    retryable = True


class NotUnderstood(SourceError):
    """A 2xx whose body is not what the endpoint promises (HTML, null, `errors`, no known list key)."""

    code = "not_understood"


class PagingBroken(SourceError):
    """A repeated token, or a cap reached: going on would loop or lose records."""

    code = "paging_broken"
