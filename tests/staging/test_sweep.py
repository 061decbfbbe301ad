"""Deletion by absence: slowly, never on weak evidence, and never in somebody else's name."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from resources.errors import SweepShrunk
from resources.postgres import Database
from resources.reading import Page, Record
from tests.merge.stage import a_day_passes
from v2_assets.staging.state import StreamKey
from v2_assets.staging.store import store_page
from v2_assets.staging.sweep import SweepCounts, apply_sweep, begin_sweep

NOON = datetime(2031, 3, 1, 12, tzinfo=UTC)
KEY = StreamKey(integration="fub", entity="groups", account_ref="fub/77/1", user_id=1)
OTHER = KEY.model_copy(update={"account_ref": "fub/77/2", "user_id": 2})


async def sweep(
    database: Database, *ids: int, key: StreamKey = KEY, accepted: bool = False, later: bool = True
) -> SweepCounts:
    """A complete pass that meets these ids, applied; as a rule a day after the last one."""
    records = tuple(Record(str(i), {"id": i}, None) for i in ids)
    if later:
        a_day_passes(database, "stage_fub_groups")
    async with database.aconnect(autocommit=True) as connection:
        async with connection.transaction():
            sweep_id = await begin_sweep(connection, key)
            page = Page(records=records, position=None, source_time=NOON)
            await store_page(connection, "stage_fub_groups", key, page, "run", sweep_id)
        return await apply_sweep(connection, "stage_fub_groups", "fub_groups", key, sweep_id, 0.2, accepted=accepted)


def merge_all(database: Database) -> None:
    """What the merge of fub_groups would leave behind, by hand: one V2 row per staged record."""
    with database.connect() as connection:
        connection.execute(
            "insert into v2.fub_accounts (account_id_raw, source) values (77, 'fub') on conflict do nothing"
        )
        connection.execute(
            "insert into v2.fub_groups (fub_account_id, fub_group_id_raw, source)"
            " select a.id, s.source_id::bigint, 'fub'"
            " from staging.stage_fub_groups s, v2.fub_accounts a on conflict do nothing"
        )
        connection.execute(
            "update staging.stage_fub_groups s set status = 'processed', processed_at = now(), v2_id = g.id"
            " from v2.fub_groups g where g.fub_group_id_raw = s.source_id::bigint and s.account_ref = 'fub/77/1'"
        )
        connection.execute(
            "update staging.stage_fub_groups d set status = 'duplicate', duplicate_of = w.id,"
            " status_reason = 'same_record', v2_id = w.v2_id from staging.stage_fub_groups w"
            " where w.source_id = d.source_id and w.account_ref = 'fub/77/1'"
            " and d.account_ref = 'fub/77/2'"
        )


def alive(database: Database) -> list[int]:
    with database.connect() as connection:
        rows = connection.execute("select fub_group_id_raw from v2.fub_groups where deleted_at is null order by 1")
        return [row[0] for row in rows.fetchall()]


async def test_absence_from_one_sweep_deletes_nothing_and_from_a_second_one_deletes_softly(database: Database) -> None:
    await sweep(database, 1, 2, 3)
    merge_all(database)
    assert await sweep(database, 1, 2) == SweepCounts(known=3, missing=1, deleted=0)
    assert alive(database) == [1, 2, 3]
    assert await sweep(database, 1, 2) == SweepCounts(known=3, missing=1, deleted=1)
    assert alive(database) == [1, 2]


async def test_a_record_that_is_back_after_one_absence_starts_from_the_beginning(database: Database) -> None:
    await sweep(database, 1, 2)
    merge_all(database)
    await sweep(database, 1)
    await sweep(database, 1, 2)
    await sweep(database, 1)
    assert alive(database) == [1, 2]


async def test_a_deleted_record_that_is_back_becomes_pending(database: Database) -> None:
    await sweep(database, 1, 2)
    merge_all(database)
    await sweep(database, 1)
    await sweep(database, 1)
    assert alive(database) == [1]
    await sweep(database, 1, 2)
    with database.connect() as connection:
        statuses = connection.execute("select source_id, status from staging.stage_fub_groups order by 1").fetchall()
    assert statuses == [("1", "processed"), ("2", "pending")]


async def test_a_sweep_that_shrinks_too_much_changes_nothing_and_says_so(database: Database) -> None:
    await sweep(database, *range(100))
    merge_all(database)
    with pytest.raises(SweepShrunk) as caught:
        await sweep(database, *range(60))
    assert caught.value.context["missing"] == 40
    with database.connect() as connection:
        marked = connection.execute("select count(*) from staging.stage_fub_groups where missed_sweeps > 0").fetchone()
    assert marked == (0,)
    assert len(alive(database)) == 100


async def test_what_another_account_still_sees_is_not_deleted_and_its_copy_takes_over(database: Database) -> None:
    await sweep(database, 1, 2)
    await sweep(database, 1, 2, key=OTHER)
    merge_all(database)
    await sweep(database, 1)
    await sweep(database, 1)
    assert alive(database) == [1, 2]
    with database.connect() as connection:
        copy = connection.execute(
            "select status from staging.stage_fub_groups where account_ref = 'fub/77/2' and source_id = '2'"
        ).fetchone()
    assert copy == ("pending",)


async def test_a_sweep_of_one_account_leaves_the_other_alone(database: Database) -> None:
    await sweep(database, 1, 2)
    await sweep(database, 3, key=OTHER)
    await sweep(database, 1, 2)
    with database.connect() as connection:
        row = connection.execute("select count(*) from staging.stage_fub_groups where missed_sweeps > 0").fetchone()
    assert row == (0,)


async def test_two_sweeps_of_one_day_are_one_witness(database: Database) -> None:
    await sweep(database, 1, 2)
    merge_all(database)
    for _ in range(3):
        assert (await sweep(database, 1, later=False)).deleted == 0
    assert alive(database) == [1, 2]
    assert (await sweep(database, 1)).deleted == 1


@pytest.mark.parametrize("hours", [0, 23.9])
async def test_a_second_witness_begins_a_day_after_the_first_one(database: Database, hours: float) -> None:
    await sweep(database, 1, 2)
    merge_all(database)
    await sweep(database, 1, later=False)
    with database.connect() as connection:
        connection.execute(
            "update staging.stage_fub_groups set missing_since = missing_since - %s * interval '1 hour'", [hours]
        )
    assert (await sweep(database, 1, later=False)).deleted == 0
    with database.connect() as connection:
        connection.execute("update staging.stage_fub_groups set missing_since = missing_since - interval '24 hours'")
    assert (await sweep(database, 1, later=False)).deleted == 1


@pytest.mark.parametrize("number", [1, 2, 19])
async def test_that_all_is_lost_is_believed_only_by_a_person(database: Database, number: int) -> None:
    await sweep(database, *range(number))
    merge_all(database)
    for _ in range(3):
        with pytest.raises(SweepShrunk) as caught:
            await sweep(database)
        assert (caught.value.context["known"], caught.value.context["missing"]) == (number, number)
    assert len(alive(database)) == number
    assert (await sweep(database, accepted=True)).deleted == number
    assert alive(database) == []
    assert (await sweep(database)).deleted == 0, "nothing is left that could be lost"


async def test_a_stream_that_never_had_records_may_stay_empty(database: Database) -> None:
    assert await sweep(database) == SweepCounts(known=0, missing=0, deleted=0)


async def test_a_sweep_that_is_applied_twice_is_one_witness(database: Database) -> None:
    await sweep(database, 1, 2)
    merge_all(database)
    async with database.aconnect(autocommit=True) as connection:
        sweep_id = await begin_sweep(connection, KEY)
        page = Page((Record("1", {"id": 1}, None),), None, NOON)
        for _ in range(2):  # as a run does that died before it was noted
            async with connection.transaction():
                await store_page(connection, "stage_fub_groups", KEY, page, "run", sweep_id)
            await apply_sweep(connection, "stage_fub_groups", "fub_groups", KEY, sweep_id, 0.2, apart=timedelta(0))
    assert alive(database) == [1, 2]
