"""Rate limits as the CRM enforces them: a sliding window for each account and context, and one over all accounts."""

from __future__ import annotations

import math
import time
from collections import defaultdict, deque
from collections.abc import Callable
from dataclasses import dataclass, field

WINDOW_S = 10
#: Documented calls per window: with a registered system key, and without one.
DOCUMENTED = {"global": (250, 125), "events": (20, 10), "notes": (10, 10)}


@dataclass(slots=True)
class Limits:
    """Counts arrivals.

    `raised` replaces the documented number of a context; its name `system` sets one over all accounts, which is off
    unless given.
    """

    raised: dict[str, int] = field(default_factory=dict)
    clock: Callable[[], float] = time.monotonic
    _arrivals: dict[tuple[int, str], deque[float]] = field(default_factory=lambda: defaultdict(deque))

    def allowed(self, context: str, registered: bool) -> int:
        """Calls in any ten seconds."""
        with_key, without = DOCUMENTED[context]
        return self.raised.get(context, with_key if registered else without)

    def arrive(
        self, account: int, context: str, registered: bool, lowered: int | None = None
    ) -> tuple[dict[str, str], int | None]:
        """Counts a call. Returns the headers, and the seconds to wait when the call is refused (None: it may pass).

        A refused call is not counted: the documents say that it was not processed. `lowered` undercuts the number.
        """
        now = self.clock()
        allowed = self.allowed(context, registered)
        if lowered is not None:
            allowed = min(allowed, lowered)
        windows = [(self._window(account, context, now), allowed)]
        if "system" in self.raised:
            windows.append((self._window(0, "system", now), self.raised["system"]))
        # The call may pass when the window has room for it: so many of the oldest must leave first.
        waits = [seen[len(seen) - most] + WINDOW_S - now for seen, most in windows if len(seen) >= most > 0]
        if any(most <= 0 for _, most in windows):
            waits.append(WINDOW_S)
        if not waits:
            for seen, _ in windows:
                seen.append(now)
        headers = {
            "X-RateLimit-Limit": str(allowed),
            "X-RateLimit-Remaining": str(max(0, allowed - len(windows[0][0]))),
            "X-RateLimit-Window": str(WINDOW_S),
            "X-RateLimit-Context": context,
        }
        if not waits:
            return headers, None
        wait = max(1, math.ceil(max(waits)))
        return headers | {"Retry-After": str(wait)}, wait

    def _window(self, account: int, context: str, now: float) -> deque[float]:
        seen = self._arrivals[account, context]
        while seen and seen[0] <= now - WINDOW_S:
            seen.popleft()
        return seen
