"""V1 comes in three ways and is the same V1: the same staged rows, the same V2, the same ledger."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from resources.apis.xano.copies import FolderClient, PostgresCopyClient
from resources.errors import BadRequest, MissingCredential, NotFound, SourceUnavailable, Unauthorized
from resources.reading import ReadRequest
from sandbox import Sandbox, Scale, World, serve
from tests.imports.v1_copies import write_files, write_tables
from tests.merge.stage import V2, written
from tests.story import Story
from v2_assets.imports.v1 import TABLES, V1Incomplete, chosen_tables, merge_v1, stage_v1, through_api


@pytest.fixture(scope="module")
def sandbox() -> Iterator[Sandbox]:
    with serve(World(5, Scale(people=40, deals=80))) as running:
        running.limits.raised = {"xano": 10**6, "global": 10**6, "events": 10**6}
        yield running


@pytest.fixture
def story(database: Any, sandbox: Sandbox, tmp_path: Path) -> Iterator[Story]:
    sandbox.requests.clear()
    yield Story.begin(database, sandbox, tmp_path / "home", users=2)
    sandbox.faults.clear()


def stage(story: Story, opener: Any, tables: tuple[str, ...] = TABLES, **more: Any) -> dict[str, Any]:
    told = asyncio.run(stage_v1(story.database, story.settings, story.users[0], opener, tables, "run", **more))
    return {result.table: result for result in told}


def api(story: Story) -> Any:
    return through_api(story.database, story.settings, story.users[0])


def test_files_and_a_postgres_copy_bring_what_the_api_brought_and_nothing_else(story: Story, tmp_path: Path) -> None:
    v1 = story.sandbox.world.v1
    told = stage(story, api(story))
    assert {name: result.new for name, result in told.items()} == {name: len(v1.tables[name]) for name in TABLES}
    assert not any(result.rejected for result in told.values())
    write_files(v1, tmp_path / "files")
    write_tables(v1, story.database.url, "copy of v1")
    for client in (FolderClient(tmp_path / "files"), PostgresCopyClient(story.database.url, "copy of v1")):
        again = stage(story, lambda c=client: c)
        assert {name: (r.new, r.changed, r.rejected) for name, r in again.items()} == dict.fromkeys(TABLES, (0, 0, 0))
        assert {name: r.fetched for name, r in again.items()} == {name: len(v1.tables[name]) for name in TABLES}


def test_v1_alone_becomes_v2_whole_and_a_second_import_writes_nothing(story: Story) -> None:
    v1, admin = story.sandbox.world.v1, story.users[0]
    stage(story, api(story))
    merge_v1(story.database, admin)
    fates = story.fates()
    assert {table: set(found) for table, found in fates.items()} == {
        f"stage_xano_{name}": {"processed"} for name in TABLES
    }
    with story.database.connect() as connection:
        v2 = V2(connection)
    for table in TABLES:
        if table in ("user", "agent", "team", "title_orders", "title_agencies", "title_users"):
            continue
        assert len(v2.rows(table)) == len(v1.tables[table]), table
    assert {row["source"] for row in v2.rows("transaction")} == {"v1"}
    assert len(v2.rows("user")) == len(v1.tables["user"])
    people = {row["email"]: row for row in v2.rows("user")}
    assert people["gone@example.test"]["agent_id"] == "v1-agent-1"
    assert people["user2@example.test"]["source"] == "product", "the product's own row stays its own"
    again = merge_v1(story.database, admin)
    assert (again.read, written(again)) == (0, {})
    told = stage(story, api(story))
    assert not any(result.new or result.changed for result in told.values())
    again = merge_v1(story.database, admin)
    assert (again.read, written(again)) == (0, {})


def test_what_a_living_source_tells_is_left_to_it(story: Story) -> None:
    story.sync_all("rezen")
    for user in (*story.users, *story.users):  # what the second one's records told is news for the first
        merge_v1(story.database, user)
    with story.database.connect() as connection:
        before = V2(connection).rows("transaction")
    stage(story, api(story))
    merge_v1(story.database, story.users[0])
    with story.database.connect() as connection:
        after = V2(connection)
    living = {row["transaction_id_raw"] for row in before}
    rows = after.rows("transaction")
    # A team that no key here may read is known through V1, and the deals that name it point to it.
    teams = ("team_id", "team_owner_agent_id")
    kept = [{k: v for k, v in row.items() if k not in teams} for row in rows if row["source"] == "rezen"]
    assert kept == [{k: v for k, v in row.items() if k not in teams} for row in before]
    assert not living & {row["transaction_id_raw"] for row in rows if row["source"] == "v1"}
    fates = story.fates()["stage_xano_transaction"]
    known = [r for r in story.sandbox.world.v1.tables["transaction"].values() if r["transaction_id_raw"] in living]
    assert known and fates["filtered:living_source"] == len(known)
    profile = next(row for row in after.rows("agent") if row["agent_id_raw"] == story.sandbox.world.users[0].agent_id)
    assert (profile["source"], profile["email"]) == ("rezen", "user1@example.test")
    tagged = {row["transaction_id"].split("/")[0] for row in after.rows("transaction_tags")}
    assert "rezen" in tagged, "tags go to the deal that the living source tells"


def test_an_import_that_died_goes_on_behind_its_last_page(story: Story, monkeypatch: pytest.MonkeyPatch) -> None:
    from resources.apis.xano import client

    monkeypatch.setattr(client.api, "PAGE_SIZES", (40, 20))
    story.sandbox.faults.add({"name": "revoked_key", "path": "/content/search", "skip": 2})
    with pytest.raises(Unauthorized):
        stage(story, api(story), ("participant",))
    story.sandbox.faults.clear()
    story.sandbox.requests.clear()
    told = stage(story, api(story), ("participant",))["participant"]
    rows = len(story.sandbox.world.v1.tables["participant"])
    assert (told.resumed, told.new) == (True, rows - 80)
    assert story.query("select count(*) from staging.stage_xano_participant") == [(rows,)]


def test_a_dead_import_of_files_and_of_a_copy_goes_on_too(story: Story, tmp_path: Path, monkeypatch: Any) -> None:
    from resources.apis.xano import copies

    v1 = story.sandbox.world.v1
    monkeypatch.setattr(copies, "PAGE_ROWS", 30)
    write_files(v1, tmp_path)
    write_tables(v1, story.database.url, "v1_copy")
    for client in (FolderClient(tmp_path), PostgresCopyClient(story.database.url, "v1_copy")):
        whole = asyncio.run(_ids(client, None))
        for position in asyncio.run(_positions(client)):
            rest = asyncio.run(_ids(client, position))
            assert whole[-len(rest) :] == rest and len(rest) < len(whole)


async def _ids(client: Any, position: Any) -> list[str]:
    from resources.reading import ReadRequest

    return [
        r.source_id async for page in client.read("participant", ReadRequest(position=position)) for r in page.records
    ]


async def _positions(client: Any) -> list[Any]:
    return [page.position async for page in client.read("participant", ReadRequest()) if page.position]


def test_one_broken_row_of_a_file_is_kept_with_its_line_and_stops_nothing(story: Story, tmp_path: Path) -> None:
    lines = ["id,name,team_name,active", "1,x,North,true", "2,x", "3,x,South,perhaps", '4,x,"Two\nlines",f']
    (tmp_path / "Team.csv").write_text("\n".join(lines), encoding="utf-8")
    stage(story, lambda: FolderClient(tmp_path), ("team",), named=True)
    rows = story.query("select source_id, status, status_detail ->> 'found' from staging.stage_xano_team order by 1")
    assert rows == [
        ("1", "pending", None),
        ("2", "rejected", "line 3 has 2 fields, the header has 4"),
        ("3", "rejected", "str: bool_type"),
        ("4", "pending", None),
    ]


def test_files_that_are_no_table_are_named(story: Story, tmp_path: Path) -> None:
    for text, says in (
        (b"", "no header"),
        (b"name\nx", "no header"),
        (b"id,id\n1,1", "column twice"),
        (b"id,team_name\n1,\xff", "UnicodeDecodeError"),
        (b'id,team_name\n1,"x', "behind line"),
    ):
        (tmp_path / "team.csv").write_bytes(text)
        with pytest.raises(BadRequest, match=says):
            stage(story, lambda: FolderClient(tmp_path), ("team",))
    (tmp_path / "team.csv").unlink()
    (tmp_path / "team.parquet").write_bytes(b"PAR1 not really")
    with pytest.raises(BadRequest, match="cannot be read"):
        stage(story, lambda: FolderClient(tmp_path), ("team",))


def test_a_table_that_is_not_there_is_told_and_an_error_only_when_it_was_named(story: Story, tmp_path: Path) -> None:
    (tmp_path / "team.csv").write_text("id,team_name\n1,North\n", encoding="utf-8")
    told = stage(story, lambda: FolderClient(tmp_path), ("team", "mentor"))
    assert [result.outcome for result in told.values()] == ["imported", "not there"]
    with pytest.raises(V1Incomplete, match="mentor"):
        stage(story, lambda: FolderClient(tmp_path), ("team", "mentor"), named=True)
    (tmp_path / "teams.CSV").write_text("id\n", encoding="utf-8")
    (tmp_path / "Team.csv").write_text("id\n", encoding="utf-8")
    with pytest.raises(NotFound, match="2 files"):
        stage(story, lambda: FolderClient(tmp_path), ("team",), named=True)


def test_names_of_tables_and_ways_in_that_do_not_exist_are_refused(story: Story) -> None:
    assert chosen_tables(["user", "agent"]) == ("user", "agent")
    with pytest.raises(BadRequest, match="no table people"):
        chosen_tables(["people", "user"])
    with pytest.raises(MissingCredential, match="no verified connection to V1"):
        through_api(story.database, story.settings, story.users[1])
    with pytest.raises(BadRequest, match="no such folder"):
        FolderClient(Path("nowhere"))
    with pytest.raises(SourceUnavailable, match="could not be read"):
        stage(story, lambda: PostgresCopyClient("postgresql://nobody@127.0.0.1:1/none"), ("user",))
