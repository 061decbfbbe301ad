"""A run's worker lives as long as its session in Postgres: the worker holds it here, and others look here.

The session holds an advisory lock on the run's id from before the run's first step to the end of the process, in the
database of Dagster's own tables. It ends with the process, however that ends, and whoever can read that database sees
it: no host name, no process number, no beats that a busy machine delays. So one look serves every run launcher, on one
machine or many. A worker that has lost its session (the server was restarted) takes it again, so an absence counts
only after GRACE_S. The lock also keeps a second worker of the same run from starting (docs/decisions, 8).

Advisory locks belong to a session: a pooler in between must be one that pools sessions, or be left out.
"""

from __future__ import annotations

import logging
import signal
import threading
import time
from concurrent.futures import Future
from dataclasses import dataclass, field
from typing import Any

import psycopg

from resources.errors import DatabaseError
from resources.postgres import Database

#: How long a session may be away before its worker counts as dead. A restarted Postgres had it back within 2 s.
GRACE_S = 10.0
#: The pause before another try for the session, and between two looks for another worker's end.
_AGAIN_S = 0.5
#: How often a quiet line is asked whether it is still there.
_ASK_EVERY_S = 5.0
_CHANNEL = "v2_run_interrupt"
# A worker's host that lost its power says nothing: without these Postgres would keep its session for two hours.
_NOTICE_A_DEAD_HOST = (
    f"set tcp_keepalives_idle = 10; set tcp_keepalives_interval = 5; set tcp_keepalives_count = 3; listen {_CHANNEL}"
)
_TAKE = "select pg_try_advisory_lock(hashtextextended('run ' || %s, 0))"
# A lock on a bigint is shown in halves (objsubid 1), of this database only.
_HELD = """
select exists (
  select from pg_locks, hashtextextended('run ' || %s, 0) as key
  where locktype = 'advisory' and granted and objsubid = 1
    and database = (select oid from pg_database where datname = current_database())
    and classid::bigint = (key >> 32) & 4294967295 and objid::bigint = key & 4294967295
)
"""
log = logging.getLogger(__name__)


def hold(database: Database, run_id: str) -> bool:
    """Takes the run's session for the rest of this process; a notice to interrupt the run becomes a SIGINT here.

    Waits for a database that is away. False when another worker of this very run lives: this one has nothing to do.
    """
    keeper = _Keeper(database, run_id)
    keeper.start()
    return keeper.first.result()


def held(database: Database, run_id: str) -> bool:
    """Whether the run's worker has its session now. Raises DatabaseError."""
    with database.connect(autocommit=True) as connection:
        return _held(connection, run_id)


def wait_for_end(database: Database, run_id: str) -> None:
    """Returns when no worker of that run lives. For a retry: the worker that it replaces may be in its last page."""
    while held(database, run_id):
        time.sleep(_AGAIN_S)


def interrupt(database: Database, run_id: str) -> bool:
    """Asks the run's worker, wherever it is, to end as if by SIGINT. False when nobody has the run's session."""
    with database.connect(autocommit=True) as connection:
        if not _held(connection, run_id):
            return False
        connection.execute("select pg_notify(%s, %s)", [_CHANNEL, run_id])
    return True


@dataclass(slots=True)
class Presence:
    """Looks at sessions for one who asks again and again, and knows since when one is away."""

    database: Database
    _away: dict[str, float] = field(default_factory=dict)

    def lives(self, run_id: str) -> bool:
        """False once the session was away at every look for GRACE_S. Raises DatabaseError."""
        if held(self.database, run_id):
            self._away.pop(run_id, None)
            return True
        return time.monotonic() - self._away.setdefault(run_id, time.monotonic()) < GRACE_S


def _held(connection: psycopg.Connection[Any], run_id: str) -> bool:
    return connection.execute(_HELD, [run_id]).fetchone() == (True,)


class _Keeper(threading.Thread):
    """Holds the session until the process ends, through restarts of the server."""

    def __init__(self, database: Database, run_id: str) -> None:
        super().__init__(name="run session", daemon=True)
        self.first: Future[bool] = Future()
        self._database, self._run_id = database, run_id

    def run(self) -> None:
        while True:
            try:
                with self._database.connect(autocommit=True) as connection:
                    connection.execute(_NOTICE_A_DEAD_HOST)
                    if self._take(connection):
                        self._keep(connection)
                    return  # another worker has it: `hold` says so
            except DatabaseError as error:
                log.warning("the run's session is lost and is taken again: %s", error.message)
            time.sleep(_AGAIN_S)

    def _take(self, connection: psycopg.Connection[Any]) -> bool:
        while connection.execute(_TAKE, [self._run_id]).fetchone() != (True,):
            if not self.first.done():
                self.first.set_result(False)
                return False
            time.sleep(_AGAIN_S)  # it is our own former session, whose end the server has not noticed yet
        if not self.first.done():
            self.first.set_result(True)
        return True

    def _keep(self, connection: psycopg.Connection[Any]) -> None:
        while True:
            for note in connection.notifies(timeout=_ASK_EVERY_S):
                if note.payload == self._run_id:
                    signal.pthread_kill(threading.main_thread().ident or 0, signal.SIGINT)
            connection.execute("select 1")
