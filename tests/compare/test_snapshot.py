"""V1 is taken whole, by any way in, or the table of before stays; what fits no type is counted."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import pytest

from resources.apis.xano.copies import FolderClient, PostgresCopyClient
from resources.apis.xano.tables import TABLES
from resources.errors import BadRequest, LeaseBusy, SourceUnavailable
from resources.lease import Lease
from resources.postgres import Database
from sandbox import Scale, World, serve
from tests.compare.memory import Memory
from tests.imports.v1_copies import write_files, write_tables
from tests.story import Story
from v2_assets.compare.snapshot import Taken, chosen, take
from v2_assets.imports.v1 import through_api


def taken(database: Database, source: Any, tables: tuple[str, ...], where: str = "memory", **more: Any) -> list[Taken]:
    return asyncio.run(take(database, source, tables, where, **more))


def rows(database: Database, text: str) -> list[Any]:
    with database.connect() as connection:
        return connection.execute(text.encode()).fetchall()


def test_every_way_into_v1_gives_the_same_tables_and_no_private_column(database: Database, tmp_path: Path) -> None:
    with serve(World(5, Scale(people=10, deals=20))) as sandbox:
        sandbox.limits.raised = {"xano": 10**6}
        story = Story.begin(database, sandbox, tmp_path / "home", users=2)
        v1 = sandbox.world.v1

        async def by_api() -> list[Taken]:
            async with through_api(database, story.settings, story.users[0])() as client:
                return await take(database, client, chosen(None), "Xano")

        told = {each.table: each for each in asyncio.run(by_api())}
    assert {name: told[name].rows for name in v1.tables} == {name: len(each) for name, each in v1.tables.items()}
    assert {each.table for each in told.values() if each.outcome == "absent"} == set(told) - set(v1.tables)
    assert not any(each.refused for each in told.values())
    write_files(v1, tmp_path / "files")
    write_tables(v1, database.url, "copy of v1")
    seen = {name: rows(database, f'select * from v1."{name}" order by id') for name in TABLES}
    assert "password" not in str(
        rows(database, "select column_name from information_schema.columns where table_schema = 'v1'")
    )
    for client in (FolderClient(tmp_path / "files"), PostgresCopyClient(database.url, "copy of v1")):
        taken(database, client, tuple(TABLES), "copy")
        assert {name: rows(database, f'select * from v1."{name}" order by id') for name in TABLES} == seen


def test_a_reading_that_died_goes_on_where_it_was_and_the_table_of_before_stays_until_then(database: Database) -> None:
    first = [{"id": n, "tag": "old", "transaction_id": 1} for n in range(1, 4)]
    taken(database, Memory({"transaction_tags": first}), ("transaction_tags",))
    second = [{"id": n, "tag": "new", "transaction_id": 1} for n in range(1, 26)]
    with pytest.raises(SourceUnavailable):
        taken(database, Memory({"transaction_tags": second}, page=10, breaks=2), ("transaction_tags",))
    assert rows(database, "select tag, count(*) from v1.transaction_tags group by 1") == [("old", 3)]
    again = Memory({"transaction_tags": second}, page=10)
    [result] = taken(database, again, ("transaction_tags",))
    assert (result.resumed, result.rows, again.told) == (True, 25, 1)
    assert rows(database, "select tag, count(*), count(distinct id) from v1.transaction_tags group by 1") == [
        ("new", 25, 25)
    ]


def test_a_reading_of_another_source_begins_anew(database: Database) -> None:
    source = Memory({"mentor": [{"id": n} for n in range(1, 26)]}, page=10, breaks=1)
    with pytest.raises(SourceUnavailable):
        taken(database, source, ("mentor",))
    [result] = taken(database, Memory({"mentor": [{"id": 1}]}), ("mentor",), "another")
    assert (result.resumed, result.rows) == (False, 1)


def test_what_fits_no_type_is_null_and_counted_by_column_and_what_is_no_row_is_counted(database: Database) -> None:
    deals = [
        {"id": 1, "sale_price": "much", "closing_date": "soon", "closed": "maybe", "updated_at": "then"},
        {"id": 2, "sale_price": "1,200.50", "closing_date": "2026-02-27", "closed": "yes", "status": "a\x00b"},
        {"status": "nobody"},
        "no row",
    ]
    [result] = taken(database, Memory({"transaction": deals}), ("transaction",))
    assert result.refused == {"sale_price": 1, "closing_date": 1, "closed": 1, "updated_at": 1, "row": 2}
    found = rows(
        database, "select id, sale_price::text, closing_date::text, closed, status from v1.transaction order by id"
    )
    assert found == [("1", None, None, None, None), ("2", "1200.5", "2026-02-27", True, "ab")]
    assert rows(database, "select refused ->> 'row' from ops.v1_snapshot where table_name = 'transaction'") == [("2",)]


def test_an_id_that_comes_twice_is_refused_and_the_table_of_before_stays(database: Database) -> None:
    taken(database, Memory({"mentor": [{"id": 1}]}), ("mentor",))
    with pytest.raises(BadRequest, match="mentor has an id twice"):
        taken(database, Memory({"mentor": [{"id": 2}, {"id": 2}]}), ("mentor",))
    assert rows(database, "select id from v1.mentor") == [("1",)]


def test_a_table_is_read_by_one_reader_at_a_time(database: Database) -> None:
    with Lease.acquire(database, "v1/mentor", "another"), pytest.raises(LeaseBusy):
        taken(database, Memory({"mentor": [{"id": 1}]}), ("mentor",))
    assert rows(database, "select to_regclass('v1.mentor') is null") == [(True,)]


def test_a_table_that_v1_does_not_have_is_absent_and_what_was_of_it_is_gone(database: Database) -> None:
    taken(database, Memory({"mentor": [{"id": 1}]}), ("mentor",))
    taken(database, Memory({}), ("mentor",), whole=False)
    assert rows(database, "select id from v1.mentor") == [("1",)], "a folder without the table took it away"
    [result] = taken(database, Memory({}), ("mentor",))
    assert result.outcome == "absent"
    assert rows(database, "select to_regclass('v1.mentor') is null") == [(True,)]


def test_a_table_that_is_not_compared_is_refused() -> None:
    with pytest.raises(BadRequest, match="no table nonsense"):
        chosen(["nonsense"])
