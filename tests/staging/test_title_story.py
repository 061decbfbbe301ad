"""Title orders from the sandbox to V2: first sync, what closes and vanishes later, and what a fault must keep."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from resources.errors import NotUnderstood, Unauthorized
from resources.postgres import Database
from sandbox import Sandbox, World, serve
from sandbox.world import Row, Scale
from tests.story import Story
from v2_assets.deals import units as deals
from v2_assets.identity import units as identity
from v2_assets.people import units as people
from v2_assets.reconcile import reconcile
from v2_assets.reference import units as reference
from v2_assets.title import units as title

NEEDED = [reference, identity, people, deals, title]
ALONE = [reference, title]
DEALS = ("agents", "teams", "team_members", "transactions", "listings")
STATUS = {"Open": "Open", "Closed": "Closed", "Cancelled": "Canceled"}


@pytest.fixture
def sandbox() -> Iterator[Sandbox]:
    with serve(World(11, Scale(people=40, deals=110))) as running:
        running.limits.raised = {"global": 100_000, "events": 100_000, "xano": 100_000}
        yield running


@pytest.fixture
def story(database: Database, sandbox: Sandbox, tmp_path: Path) -> Story:
    return Story.begin(database, sandbox, tmp_path, users=4)


def true_orders(story: Story) -> dict[str, Row]:
    return {i: o for each in story.sandbox.world.title.organisations.values() for i, o in each.orders.items()}


def orders_in_v2(story: Story, column: str = "status") -> dict[str, Any]:
    return dict(story.query(f"select order_id_raw, {column} from v2.title_orders where deleted_at is null"))


def test_orders_in_v2_are_those_of_the_world_and_find_their_deals_also_when_those_come_later(story: Story) -> None:
    told = story.sync_all("title")
    assert {o.outcome for o in told["orders"].values()} == {"synced"}
    story.merge_all(NEEDED)
    truth = true_orders(story)
    assert orders_in_v2(story) == {i: STATUS[o["status"]] for i, o in truth.items()}
    assert set(orders_in_v2(story, "match_rule").values()) == {"none"}
    assert orders_in_v2(story, "property_count") == {i: len(o["properties"]) for i, o in truth.items()}
    members = [u for each in story.sandbox.world.title.organisations.values() for u in each.users]
    assert story.query("select count(*), count(user_id) from v2.title_users") == [(len(members), 4)]
    assert story.query("select count(*) from v2.user_identity where kind = 'title_user'") == [(4,)]
    for entity in DEALS:
        story.sync("rezen", entity)
    story.merge_all(NEEDED)
    found = story.query(
        "select o.order_id_raw, t.transaction_id_raw from v2.title_orders o"
        " left join v2.transaction t on t.id = o.transaction_id"
    )
    assert dict(found) == {i: o["_deal"] for i, o in truth.items()}
    report = reconcile(story.database, story.settings, integrations=["title"])
    assert report.clean, report.missing
    assert {line.entity: line.at_source for line in report.lines if line.user_id == story.users[2]}["orders"] == len(
        story.sandbox.world.title.organisations["harbor-closings"].orders
    )
    again = story.merge_all([title])
    assert (again.read, sum(table.written for table in again.tables.values())) == (0, 0)


def test_what_happens_later_is_followed_without_reading_everything(story: Story) -> None:
    story.sync_all("title")
    story.merge_all(ALONE)
    told = story.sandbox.world.step()["title"]
    story.sandbox.requests.clear()
    swept = story.sync("title", "orders")
    story.merge_all(ALONE)
    assert all(r.since is not None for o in swept.values() for r in o.results)
    truth = true_orders(story)
    assert orders_in_v2(story) == {i: STATUS[o["status"]] for i, o in truth.items()}
    undone = story.query(
        "select o.order_id_raw from v2.title_event_history h join v2.title_orders o on o.id = h.order_id"
        " where h.old_complete and not h.new_complete"
    )
    assert {i for (i,) in undone} == set(told["undone"])
    # Nothing has changed since, so nothing is written.
    quiet = story.sync("title", "orders")
    assert all(r.counts.new == r.counts.changed == 0 for o in quiet.values() for r in o.results)


def test_an_order_that_is_gone_is_deleted_after_two_full_passes_and_not_before(story: Story) -> None:
    story.sync("title", "orders")
    story.merge_all(ALONE)
    organisation = story.sandbox.world.title.organisations["harbor-closings"]
    gone = next(i for i, o in organisation.orders.items() if o["status"] == "Open")
    kept = organisation.orders.pop(gone)
    story.sync("title", "orders")
    assert gone in orders_in_v2(story)
    for there in (True, False):
        story.sync("title", "orders", full=True)
        story.merge_all(ALONE)
        assert (gone in orders_in_v2(story)) is there
    organisation.orders[gone] = kept
    story.sync("title", "orders", full=True)
    story.merge_all(ALONE)
    assert gone in orders_in_v2(story)


def test_a_null_list_keeps_every_order_and_a_missing_field_keeps_its_value(story: Story) -> None:
    story.sync("title", "orders")
    story.merge_all(ALONE)
    before = orders_in_v2(story, "loan_amount")
    for name, error in (("null_list", NotUnderstood), ("missing_capability", NotUnderstood)):
        story.sandbox.faults.add({"name": name})
        outcome = story.sync("title", "orders", story.users[:1], full=True)[story.users[0]]
        assert isinstance(outcome.error, error)
        story.sandbox.faults.clear()
    story.sandbox.faults.add({"name": "partial_data", "times": 1})
    assert story.sync("title", "orders", story.users[:1], full=True)[story.users[0]].outcome == "synced"
    story.merge_all(ALONE)
    assert orders_in_v2(story, "loan_amount") == before
    assert story.query("select count(*) from staging.stage_title_orders where missing_since is not null") == [(0,)]


def test_a_wrong_pair_touches_its_own_user_only(story: Story) -> None:
    name = story.sandbox.world.users[0].connections["title"].api_key
    story.sandbox.world.title.keys[name] = ("changed", "northern-title")
    outcomes = story.sync("title", "users")
    assert isinstance(outcomes[story.users[0]].error, Unauthorized)
    assert {outcomes[u].outcome for u in story.users[1:4]} == {"synced"}
    for _ in range(2):
        story.probe("title")
    assert story.query("select user_id, state from v2.credentials where state <> 'ok'") == [
        (story.users[0], "needs_reconnect")
    ]
