"""The one decision whether a call is made again, and how long to wait before it."""

from __future__ import annotations

from datetime import UTC, datetime
from email.utils import parsedate_to_datetime

from resources.errors import RateLimited, SourceError
from resources.http.budget import LONGEST_WAIT_S

#: Tries of one call. With waits from 0.2 to 10 s this is about half a minute of patience with a source.
ATTEMPTS = 6
#: Who reads for a webhook comes again by itself, ever later; patience here would only hold up the other events.
WEBHOOK_ATTEMPTS = 2
WAIT_INITIAL_S = 0.2
WAIT_MAX_S = 10.0
#: No further try begins once so much time went to a call, its tries and the waits between them. Waiting for a shared
#: budget is not counted: that is our own queue, not the source's fault.
PATIENCE_S = 150.0
#: A longer pause is asked for again after so long: one call that is refused costs less than a day that nobody meant.
#: Some services write milliseconds here (60000 is a minute), and windows of our sources are seconds.
LONGEST_RETRY_AFTER_S = 900.0


def worth_another_try(error: Exception, spent_s: float = 0.0) -> bool:
    """Network errors, time-outs, 408, 429, 5xx and unreadable bodies pass; what was refused for good does not.

    Nothing is tried again once patience is spent, nor within a pause that is longer than anybody waits for.
    """
    if not isinstance(error, SourceError) or not error.retryable or spent_s >= PATIENCE_S:
        return False
    return not (isinstance(error, RateLimited) and error.context.get("seconds", 0) > LONGEST_WAIT_S)


def retry_after_s(header: str | None, now: datetime | None = None) -> float | None:
    """Seconds that a Retry-After header asks for: seconds or an HTTP date (RFC 9110 10.2.3), or None.

    `now` is the source's own clock, so that a date means what the source meant. Never negative,
    and never more than LONGEST_RETRY_AFTER_S.
    """
    if not header:
        return None
    text = header.strip()
    if text.isascii() and text.isdecimal():
        seconds = float(text[:9])
    else:
        try:
            then = parsedate_to_datetime(text)
            if then.tzinfo is None:
                then = then.replace(tzinfo=UTC)
            seconds = (then - (now or datetime.now(UTC))).total_seconds()
        except (TypeError, ValueError, OverflowError):
            return None
    return min(max(seconds, 0.0), LONGEST_RETRY_AFTER_S)
