"""Rate limits as the CRM enforces them: a sliding window for each account and context, told in headers."""

from __future__ import annotations

import math
import time
from collections import defaultdict, deque
from dataclasses import dataclass, field

WINDOW_S = 10
#: Documented calls per window: with a registered system key, and without one.
DOCUMENTED = {"global": (250, 125), "events": (20, 10), "notes": (10, 10)}


@dataclass(slots=True)
class Limits:
    """Counts arrivals. `raised` replaces the documented number of a context (None: documented)."""

    raised: dict[str, int] = field(default_factory=dict)
    _arrivals: dict[tuple[int, str], deque[float]] = field(default_factory=lambda: defaultdict(deque))

    def allowed(self, context: str, registered: bool) -> int:
        """Calls in any ten seconds."""
        with_key, without = DOCUMENTED[context]
        return self.raised.get(context, with_key if registered else without)

    def arrive(self, account: int, context: str, registered: bool) -> tuple[dict[str, str], int | None]:
        """Counts a call. Returns the headers, and the seconds to wait when the call is refused (None: it may pass)."""
        now = time.monotonic()
        seen = self._arrivals[account, context]
        while seen and seen[0] <= now - WINDOW_S:
            seen.popleft()
        allowed = self.allowed(context, registered)
        wait = None
        if len(seen) >= allowed:
            wait = max(1, math.ceil(seen[0] + WINDOW_S - now))
        else:
            seen.append(now)
        headers = {
            "X-RateLimit-Limit": str(allowed),
            "X-RateLimit-Remaining": str(max(0, allowed - len(seen))),
            "X-RateLimit-Window": str(WINDOW_S),
            "X-RateLimit-Context": context,
        }
        if wait is not None:
            headers["Retry-After"] = str(wait)
        return headers, wait
