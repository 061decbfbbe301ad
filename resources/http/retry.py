"""The one decision whether a call is made again, and how long to wait before it."""

from __future__ import annotations

from datetime import UTC, datetime
from email.utils import parsedate_to_datetime

from resources.errors import SourceError

#: Tries of one call. With waits from 0.2 to 10 s this is about half a minute of patience with a source.
ATTEMPTS = 6
WAIT_INITIAL_S = 0.2
WAIT_MAX_S = 10.0
#: A source that asks for more patience than this is taken as unavailable; the next run comes anyway.
LONGEST_RETRY_AFTER_S = 120.0


def worth_another_try(error: Exception) -> bool:
    """Network errors, time-outs, 408, 429, 5xx and unreadable bodies pass; what was refused for good does not."""
    return isinstance(error, SourceError) and error.retryable


def retry_after_s(header: str | None, now: datetime | None = None) -> float | None:
    """Seconds that a Retry-After header asks for: seconds or an HTTP date (RFC 9110 10.2.3), or None.

    Never negative, and never more than two minutes.
    """
    if not header:
        return None
    text = header.strip()
    if text.isdecimal():
        seconds = float(text[:9])
    else:
        try:
            then = parsedate_to_datetime(text)
        except (TypeError, ValueError):
            return None
        if then.tzinfo is None:
            then = then.replace(tzinfo=UTC)
        seconds = (then - (now or datetime.now(UTC))).total_seconds()
    return min(max(seconds, 0.0), LONGEST_RETRY_AFTER_S)
