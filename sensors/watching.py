"""Ticks that watch: one that finds nothing to do waits for it, so that what comes is taken at once.

Dagster asks a sensor every five seconds at most, and each tick writes to its tables, at rest as well. One that watches
for a while takes work within the second that it comes, and a third of the ticks are left.
"""

import time
from collections.abc import Callable
from typing import Any

import psycopg

from resources.postgres import Database

#: A daemon that is told to end waits for its ticks.
WATCH_S = 14.0


def watch(database: Database, due: Callable[[psycopg.Connection[Any]], bool], look_every_s: float) -> None:
    """Returns when something is due, or at the end of the watch. Raises DatabaseError."""
    deadline = time.monotonic() + WATCH_S
    with database.connect(autocommit=True) as connection:
        while not due(connection) and time.monotonic() < deadline:
            time.sleep(look_every_s)
