"""Leases between real processes: busy, released, killed, overtaken while asleep."""

from __future__ import annotations

import asyncio
import os
import signal
import subprocess
import sys
from pathlib import Path

import psycopg
import pytest

from resources.errors import LeaseBusy, LeaseLost
from resources.lease import Lease
from resources.postgres import Database
from resources.processes import wait_until

ROOT = Path(__file__).parents[2]
KEY = "sync:fub/77/3:people"

# Takes the lease, then writes one row a line it is sent; each write checks the lease in its own transaction.
WORKER = """
import sys
from resources.errors import LeaseBusy, LeaseLost
from resources.lease import Lease
from resources.postgres import Database
db = Database(sys.argv[1])
try:
    lease = Lease.acquire(db, sys.argv[2], sys.argv[3], ttl_s=float(sys.argv[4]))
except LeaseBusy:
    sys.exit("busy")
with lease:
    print(lease.fence, flush=True)
    for line in sys.stdin:
        try:
            with db.connect() as conn, conn.cursor() as cur:
                lease.check(cur)
                cur.execute("insert into written (holder) values (%s)", (sys.argv[3],))
            print("stored", flush=True)
        except LeaseLost as error:
            print(error.code, flush=True)
"""


class Worker:
    def __init__(self, url: str, holder: str, *, ttl_s: float = 60) -> None:
        self.process = subprocess.Popen(
            [sys.executable, "-c", WORKER, url, KEY, holder, str(ttl_s)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            cwd=ROOT,
            env=os.environ | {"PYTHONPATH": str(ROOT)},
        )

    def line(self) -> str:
        assert self.process.stdout is not None
        return self.process.stdout.readline().strip()

    def ask_to_write(self) -> None:
        assert self.process.stdin is not None
        self.process.stdin.write("\n")
        self.process.stdin.flush()

    def end(self) -> tuple[int, str]:
        errors = self.process.communicate(timeout=30)[1]
        return self.process.returncode, errors.strip()


@pytest.fixture
def db(database: Database) -> Database:
    with database.connect() as conn:
        conn.execute("create table written (holder text)")
    return database


def written(db: Database) -> list[str]:
    with db.connect() as conn:
        return [row[0] for row in conn.execute("select holder from written")]


def test_a_second_worker_is_told_who_is_at_work(db: Database) -> None:
    with Lease.acquire(db, KEY, "run-1"), pytest.raises(LeaseBusy, match=f"{KEY} is being worked on by run-1"):
        Lease.acquire(db, KEY, "run-2")


def test_different_keys_do_not_hinder_each_other(db: Database) -> None:
    with Lease.acquire(db, KEY, "run-1"), Lease.acquire(db, "sync:fub/77/3:deals", "run-2") as other:
        assert other.fence == 1


def test_a_released_lease_is_free_and_each_takeover_raises_the_fence(db: Database) -> None:
    for fence in (1, 2, 3):
        with Lease.acquire(db, KEY, f"run-{fence}") as lease:
            assert lease.fence == fence


def test_a_refused_worker_leaves_no_connection_behind(db: Database) -> None:
    with Lease.acquire(db, KEY, "run-1"), db.connect(autocommit=True) as conn:
        count = "select count(*) from pg_stat_activity where datname = current_database()"
        before = conn.execute(count).fetchone()
        for _ in range(3):
            with pytest.raises(LeaseBusy):
                Lease.acquire(db, KEY, "run-2")
        assert wait_until(lambda: conn.execute(count).fetchone() == before, 120)


def test_kill_9_of_the_holder_frees_the_lease_long_before_its_time_is_up(db: Database) -> None:
    worker = Worker(db.url, "run-1", ttl_s=3600)
    assert worker.line() == "1"
    with pytest.raises(LeaseBusy):
        Lease.acquire(db, KEY, "run-2")
    worker.process.kill()
    worker.end()
    taken: list[Lease] = []

    def take() -> bool:
        try:
            taken.append(Lease.acquire(db, KEY, "run-2"))
        except LeaseBusy:
            return False
        return True

    assert wait_until(take, 120)
    assert taken[0].fence == 2
    taken[0].release()


def test_a_worker_that_was_overtaken_while_it_slept_cannot_commit(db: Database) -> None:
    zombie = Worker(db.url, "zombie", ttl_s=0.2)
    assert zombie.line() == "1"
    zombie.ask_to_write()
    assert zombie.line() == "stored"
    zombie.process.send_signal(signal.SIGSTOP)
    with db.connect(autocommit=True) as conn:
        late = "select expires_at < clock_timestamp() from ops.lease where key = %s"
        assert wait_until(lambda: conn.execute(late, (KEY,)).fetchone() == (True,), 120)

    fresh = Worker(db.url, "fresh")
    assert fresh.line() == "2"
    fresh.ask_to_write()
    assert fresh.line() == "stored"

    zombie.ask_to_write()
    zombie.process.send_signal(signal.SIGCONT)
    assert zombie.line() == "lease_lost"
    assert zombie.end()[0] == 0
    fresh.ask_to_write()
    assert fresh.line() == "stored"  # the zombie's release did not touch the new holder's lease
    assert fresh.end()[0] == 0
    assert written(db) == ["zombie", "fresh", "fresh"]


def test_of_many_workers_at_once_exactly_one_gets_it(db: Database) -> None:
    workers = [Worker(db.url, f"run-{n}") for n in range(4)]
    winners = [worker for worker in workers if worker.line() == "1"]
    assert len(winners) == 1
    ends = [worker.end() for worker in workers if worker not in winners]
    assert ends == [(1, "busy")] * 3
    winners[0].end()


def test_a_holder_whose_connection_was_cut_keeps_its_lease_if_nobody_took_it(db: Database) -> None:
    with Lease.acquire(db, KEY, "run-1") as lease:
        with psycopg.connect(db.url, autocommit=True) as conn:
            conn.execute("select pg_terminate_backend(backend_pid) from ops.lease")
        with db.connect() as conn, conn.cursor() as cur:
            lease.check(cur)
        with pytest.raises(LeaseBusy):
            Lease.acquire(db, KEY, "run-2")
    with Lease.acquire(db, KEY, "run-3") as after:
        assert after.fence == 2


def test_a_lease_that_was_given_back_allows_no_more_writes(db: Database) -> None:
    lease = Lease.acquire(db, KEY, "run-1")
    lease.release()
    with pytest.raises(LeaseLost), db.connect() as conn, conn.cursor() as cur:
        lease.check(cur)


def test_releasing_without_a_server_does_not_fail(db: Database) -> None:
    lease = Lease.acquire(db, KEY, "run-1")
    with psycopg.connect(db.url, autocommit=True) as conn:
        conn.execute("select pg_terminate_backend(backend_pid) from ops.lease")
    lease.release()
    with Lease.acquire(db, KEY, "run-2"):
        pass


async def test_asyncio_code_checks_and_gives_back_even_when_cancelled(db: Database) -> None:
    started = asyncio.Event()

    async def work() -> None:
        async with Lease.aacquire(db, KEY, "run-1") as lease:
            async with db.aconnect() as conn, conn.cursor() as cur:
                await lease.acheck(cur)
            started.set()
            await asyncio.sleep(600)

    task = asyncio.create_task(work())
    await started.wait()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    async with Lease.aacquire(db, KEY, "run-2") as lease:
        assert lease.fence == 2


async def test_asyncio_code_notices_a_takeover(db: Database) -> None:
    async with Lease.aacquire(db, KEY, "run-1", ttl_s=0) as slow, Lease.aacquire(db, KEY, "run-2"):
        with pytest.raises(LeaseLost):
            async with db.aconnect() as conn, conn.cursor() as cur:
                await slow.acheck(cur)


async def test_asyncio_code_that_waits_longer_than_the_time_limit_keeps_its_lease(db: Database) -> None:
    async with Lease.aacquire(db, KEY, "run-1", ttl_s=2) as slow:
        await asyncio.sleep(5)  # one answer of a source
        with pytest.raises(LeaseBusy, match="run-1"):
            await asyncio.to_thread(Lease.acquire, db, KEY, "run-2")
        async with db.aconnect() as conn, conn.cursor() as cur:
            await slow.acheck(cur)
