"""How much a sender may fill: a daily quota for each connection, and the bytes that are held in memory at once.

Both are of this process and begin anew when it starts. What is refused is no loss: the sender is told to come again,
and the sweeps read every record anyway.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

_DAY_S = 86_400.0
#: What a row of the inbox costs beside its body.
ROW_BYTES = 500


class Overloaded(Exception):
    """Too much waits already."""


class Quota:
    """Bytes a day for each connection, in one go or spread; what was used comes back evenly over the day.

    quota = Quota(20_000_000)
    quota.take(7, 1_500)        # False when connection 7 has used up what it had
    """

    def __init__(self, bytes_a_day: int, clock: Callable[[], float] = time.monotonic) -> None:
        self._most = float(bytes_a_day)
        self._clock = clock
        self._used: dict[int, tuple[float, float]] = {}  # of addresses that we made, so there are not many

    def take(self, credentials_id: int, size: int) -> bool:
        """Takes an event of this size (bytes of its body), or says that it is too much and takes nothing."""
        now = self._clock()
        used, at = self._used.get(credentials_id, (0.0, now))
        used = max(0.0, used - (now - at) * self._most / _DAY_S) + size + ROW_BYTES
        if used > self._most:
            return False
        self._used[credentials_id] = (used, now)
        return True


class Room:
    """Bytes of bodies that are held at once, from their first byte to their answer."""

    def __init__(self, most: int) -> None:
        self._left = most

    @contextmanager
    def held(self, size: int) -> Iterator[None]:
        """Room for a body of this size while the block lasts. Raises Overloaded when there is none."""
        if size > self._left:
            raise Overloaded
        self._left -= size
        try:
            yield
        finally:
            self._left += size
