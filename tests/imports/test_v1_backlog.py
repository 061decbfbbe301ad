"""The staged backlog of the old systems drains through reZEN's own staging and merge, asking nobody anything."""

from __future__ import annotations

import asyncio
import csv
import json
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any

import pytest

from resources.apis.xano import copies
from resources.apis.xano.copies import FolderClient
from resources.apis.xano.raw import RawPage
from resources.errors import BadRequest
from sandbox import Sandbox, Scale, World, serve
from tests.story import Story
from v2_assets.imports.backlog import BacklogImport, chosen_backlogs, stage_backlog, users_of
from v2_assets.imports.v1 import account_ref, merge_v1, stage_v1, through_api


@pytest.fixture(scope="module")
def sandbox() -> Iterator[Sandbox]:
    with serve(World(5, Scale(people=40, deals=80))) as running:
        running.limits.raised = {"xano": 10**6, "global": 10**6, "events": 10**6}
        yield running


@pytest.fixture
def story(database: Any, sandbox: Sandbox, tmp_path: Path) -> Story:
    return Story.begin(database, sandbox, tmp_path / "home", users=2)


def backlog_file(folder: Path, name: str, rows: list[tuple[Any, Any]]) -> None:
    folder.mkdir(exist_ok=True)
    with (folder / f"{name}.csv").open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(("id", "user_id", "is_processed", "payload"))
        for number, (user, payload) in enumerate(rows, 1):
            writer.writerow((number, user, "false", json.dumps(payload) if isinstance(payload, dict) else payload))


def stage(story: Story, folder: Path, entity: str = "transactions", run: str = "run") -> BacklogImport:
    admin = story.users[0]
    account = account_ref(story.database, admin)
    return asyncio.run(stage_backlog(story.database, FolderClient(folder), entity, admin, account, run))


def deals(story: Story, *, listing: bool) -> list[dict[str, Any]]:
    told = story.sandbox.world.brokerage.deals.values()
    return [{k: v for k, v in deal.items() if k[0] != "_"} for deal in told if deal["listing"] is listing]


def test_a_backlog_drains_into_v2_as_if_its_owners_had_read_it(story: Story, tmp_path: Path) -> None:
    opener = through_api(story.database, story.settings, story.users[0])
    asyncio.run(stage_v1(story.database, story.settings, story.users[0], opener, ("user", "agent"), "run"))
    merge_v1(story.database, story.users[0])
    v1 = story.sandbox.world.v1
    numbers = list(v1.tables["user"])[:2]
    sales, listings = deals(story, listing=False), deals(story, listing=True)
    rows: list[tuple[Any, Any]] = [(numbers[i % 2] if i % 3 else 9999, deal) for i, deal in enumerate(sales)]
    backlog_file(tmp_path / "copy", "stage_transactions_rezen", [*rows, (numbers[0], ""), (numbers[0], "{broken")])
    backlog_file(tmp_path / "copy", "Stage Listing reZEN", [(numbers[0], deal) for deal in listings])
    told = stage(story, tmp_path / "copy")
    unknown = sum(i % 3 == 0 for i in range(len(sales)))
    assert (told.rows, told.without_record, told.without_owner) == (len(sales) + 2, 2, unknown)
    assert told.counts and told.counts.new == len(sales)
    assert stage(story, tmp_path / "copy", "listings").rows == len(listings)
    accounts = [f"rezen/{u.agent_id}/{n}" for u, n in zip(story.sandbox.world.users, story.users, strict=False)]
    found = story.query("select distinct account_ref from staging.stage_rezen_transactions")
    assert {row[0] for row in found} == {*accounts, f"rezen/backlog/{story.users[0]}"}
    assert users_of(story.database, "run") == sorted(story.users)
    for user in users_of(story.database, "run"):
        merge_v1(story.database, user)
    assert set(story.fates()["stage_rezen_transactions"]) == {"processed"}
    assert set(story.fates()["stage_rezen_listings"]) == {"processed"}
    assert story.query("select count(*) from v2.transaction where source = 'rezen'") == [(len(sales),)]
    again = stage(story, tmp_path / "copy", run="again")
    assert again.counts and (again.counts.new, again.counts.changed) == (0, 0)
    assert users_of(story.database, "again") == []


def test_what_was_read_newer_is_kept(story: Story, tmp_path: Path) -> None:
    deal = deals(story, listing=False)[0]
    backlog_file(tmp_path / "copy", "stage_transactions_rezen", [(1, deal)])
    stage(story, tmp_path / "copy")
    older = {**deal, "updatedAt": deal["updatedAt"] - 1000, "price": None}
    backlog_file(tmp_path / "copy", "stage_transactions_rezen", [(1, older)])
    told = stage(story, tmp_path / "copy")
    assert told.counts and told.counts.changed == 0
    assert story.query("select payload -> 'updatedAt' from staging.stage_rezen_transactions") == [(deal["updatedAt"],)]


def test_a_backlog_that_was_cut_off_goes_on_behind_its_last_page(
    story: Story, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(copies, "PAGE_ROWS", 5)
    sales = deals(story, listing=False)[:18]
    backlog_file(tmp_path / "copy", "stage_transactions_rezen", [(1, deal) for deal in sales])
    client, seen = FolderClient(tmp_path / "copy"), []

    class Cut:
        async def rows(self, entity: str, names: Any, position: Any, priority: Any) -> AsyncIterator[RawPage]:
            async for page in client.rows(entity, names, position, priority):
                seen.append(page)
                if len(seen) == 3:
                    raise BadRequest("the line went dead")
                yield page

    admin = story.users[0]
    with pytest.raises(BadRequest):
        asyncio.run(
            stage_backlog(story.database, Cut(), "transactions", admin, account_ref(story.database, admin), "run")
        )
    assert story.query("select count(*) from staging.stage_rezen_transactions") == [(10,)]
    told = stage(story, tmp_path / "copy")
    assert (told.rows, told.counts and told.counts.new) == (8, 8)


def test_backlogs_that_do_not_exist_are_named(story: Story, tmp_path: Path) -> None:
    assert chosen_backlogs(None) == ("transactions", "listings")
    with pytest.raises(BadRequest, match="no backlog of people"):
        chosen_backlogs(["people"])
    assert stage(story, tmp_path).outcome == "not there"
