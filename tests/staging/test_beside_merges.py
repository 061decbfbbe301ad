"""Pages, sweeps and merges that touch the same staged rows at once: they wait for each other, and never in a circle.

Somebody else holds the row in the middle until both wait, so each has locked what it locks first.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from time import sleep

import pytest

from resources.postgres import Database
from resources.processes import wait_until
from resources.reading import Page, Record
from tests.merge.stage import NOON, Staged, all_is_due, enter_users, store
from v2_assets.merge import Unit, merge_work
from v2_assets.merge.session import begin
from v2_assets.people import units as people
from v2_assets.staging.state import StreamKey
from v2_assets.staging.store import store_page
from v2_assets.staging.sweep import apply_sweep, begin_sweep, end_sweep

TEAMS, SEATS = "stage_rezen_teams", "stage_rezen_team_members"
KEY = StreamKey(integration="rezen", entity="teams", account_ref="rezen/a-1/1", user_id=1)
_WAITING = "select count(*) = %s from pg_locks where not granted and pid <> pg_backend_pid()"


@pytest.fixture
def base(database: Database) -> Database:
    with database.connect() as connection:
        account = {"platform": "rezen", "account_id": "a-1", "external_user_id": "a-1"}
        enter_users(connection, [{"id": 1, "credentials": [account]}])
    return database


def record(name: str, minute: int = 0) -> Record:
    return Record(name, {"id": name, "name": f"{name} at {minute}"}, NOON + timedelta(minutes=minute))


def read(database: Database, *records: Record) -> None:
    async def one_page() -> None:
        async with database.aconnect() as connection, connection.transaction():
            await store_page(connection, TEAMS, KEY, Page(records, None, NOON), "run", None)

    asyncio.run(one_page())


def sweep_and_meet_nothing(database: Database) -> None:
    async def one_sweep() -> None:
        async with database.aconnect(autocommit=True) as connection:
            async with connection.transaction():
                sweep = await begin_sweep(connection, KEY)
                await end_sweep(connection, KEY, sweep, None, whole=True)
            await apply_sweep(connection, TEAMS, "team", KEY, sweep, 1.0, accepted=True)

    asyncio.run(one_sweep())


def merge(database: Database, unit: Unit, user: int = 1) -> None:
    with database.connect(autocommit=True) as connection:
        merge_work(connection, [unit], user, "run")


def waiting(database: Database, number: int) -> bool:
    """Whether so many sessions wait for a lock."""
    with database.connect() as connection:
        return bool((connection.execute(_WAITING, [number]).fetchone() or (False,))[0])


def together(base: Database, held: str, middle: str, *works: Callable[[], None]) -> None:
    """Starts one after the other while the row in the middle is held; both must end, whoever goes first."""

    with ThreadPoolExecutor() as pool:
        with base.connect() as holder:
            holder.execute(
                f"select from staging.{held} where source_id = %s order by id limit 1 for update".encode(), [middle]
            )
            begun = []
            for number, work in enumerate(works, 1):
                begun.append(pool.submit(work))
                assert wait_until(lambda number=number: waiting(base, number), 60)
        for each in begun:
            each.result()


def test_a_page_beside_a_merge_of_its_stream(base: Database) -> None:
    read(base, record("t-1"), record("t-2"), record("t-3"))
    together(
        base,
        TEAMS,
        "t-2",
        lambda: merge(base, people.TEAM),
        lambda: read(base, record("t-3", 1), record("t-1", 1)),
    )


def test_a_sweep_beside_a_merge_of_its_stream(base: Database) -> None:
    read(base, record("t-3"), record("t-2"), record("t-1"))
    together(base, TEAMS, "t-2", lambda: merge(base, people.TEAM), lambda: sweep_and_meet_nothing(base))


def test_a_merge_that_takes_records_over_beside_a_page_of_who_held_them(base: Database) -> None:
    read(base, record("t-1"), record("t-2"), record("t-3"))
    merge(base, people.TEAM)
    with base.connect() as connection:
        enter_users(connection, [{"id": 2}])
    store(base, [Staged(TEAMS, name, {"id": name, "name": name}, 2, "rezen/a-2/2", NOON + timedelta(minutes=1))
                 for name in ("t-3", "t-2", "t-1")])  # fmt: skip
    together(
        base,
        TEAMS,
        "t-2",
        lambda: merge(base, people.TEAM, user=2),
        lambda: read(base, record("t-3", 2), record("t-1", 2)),
    )


def test_a_parent_that_frees_its_children_beside_their_own_merge(base: Database) -> None:
    seats = [
        Staged(
            SEATS,
            f"t-1:a-{n}",
            {"_v2": {"team_id": "t-1"}, "agent": {"id": f"a-{n}"}, "roles": ["MEMBER"]},
            1,
            "rezen/a-1/1",
        )
        for n in (3, 2, 1)
    ]
    store(base, seats)
    merge(base, people.TEAM_MEMBERS)
    all_is_due(base, [SEATS])
    read(base, record("t-1"))
    together(base, SEATS, "t-1:a-2", lambda: merge(base, people.TEAM_MEMBERS), lambda: merge(base, people.TEAM))


def test_a_sweep_that_ends_rows_and_a_merge_wait_for_a_long_merge_before_them(base: Database) -> None:
    """Longer than for another lock: 30 s, and here a tenth of a second."""
    read(base, record("t-1"), record("t-2"))
    merge(base, people.TEAM)
    read(base, record("t-3"))
    hasty = Database(base.url, lock_timeout_s=0.1)
    with ThreadPoolExecutor() as pool:
        with base.connect() as other, other.cursor() as cur:
            begin(cur, "team")
            begun = [pool.submit(sweep_and_meet_nothing, hasty), pool.submit(merge, hasty, people.TEAM)]
            assert wait_until(lambda: waiting(base, 2), 60)
            sleep(0.5)
        for each in begun:
            each.result()
