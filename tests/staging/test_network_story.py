"""Network and what it pays from the sandbox to V2: the first sync, what moves on, and what is the user's own."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from resources.postgres import Database
from sandbox import Sandbox, World, serve
from sandbox.world import Scale
from tests.story import Story
from v2_assets.deals import units as deals
from v2_assets.identity import units as identity
from v2_assets.money import units as money
from v2_assets.network import units as network
from v2_assets.people import units as people
from v2_assets.reference import units as reference

NEEDED = [reference, identity, people, deals, network, money]
STREAMS = ("agents", "sponsor_tree", "network_downline", "network_frontline")
PAID = ("contributions", "pending_contributions", "revshare_payments", "equity")


@pytest.fixture
def sandbox() -> Iterator[Sandbox]:
    with serve(World(11, Scale(people=20, deals=40))) as running:
        running.limits.raised = {"global": 100_000, "events": 100_000, "xano": 100_000}
        yield running


@pytest.fixture
def story(database: Database, sandbox: Sandbox, tmp_path: Path) -> Story:
    return Story.begin(database, sandbox, tmp_path, users=3)


def follow(story: Story, *entities: str, times: int = 1) -> None:
    for _ in range(times):
        for entity in entities:
            for outcome in story.sync("rezen", entity, full=True).values():
                assert outcome.error is None
    story.merge_all(NEEDED)


def agents(story: Story) -> list[str]:
    return [user.agent_id for user in story.sandbox.world.users[:3]]


def true_members(story: Story) -> dict[str, str]:
    world = story.sandbox.world.network
    return {
        f"{agent}-{member}-{tier}": world.members[member]["status"].title()
        for agent in agents(story)
        for tier, member in world.tiers(agent)
    }


def true_ids(story: Story, what: str) -> set[str]:
    return {i for agent in agents(story) for i in getattr(story.sandbox.world.money.of[agent], what)}


def living(story: Story, table: str, *columns: str) -> set[Any]:
    rows = story.query(f"select {', '.join(columns)} from v2.{table} where deleted_at is null")
    return {row if len(columns) > 1 else row[0] for row in rows}


def test_the_network_in_v2_is_the_worlds_and_follows_it_but_keeps_what_is_the_users_own(story: Story) -> None:
    follow(story, *STREAMS)
    assert dict(living(story, "network_member", "network_id_raw", "status")) == true_members(story)
    above = dict(story.query("select agent_id_raw, id from v2.agent"))
    world, pairs = story.sandbox.world, living(story, "network_hierarchy", "ancestor_agent_id", "descendant_agent_id")
    for agent in agents(story):
        for _, member in world.network.tiers(agent):
            assert ((above[agent], above[member]) in pairs) != ((above[member], above[agent]) in pairs)
    circled = world.brokerage.sponsors[agents(story)[0]][0]["id"]
    assert f"{agents(story)[0]}-{circled}-2" in true_members(story), "who sponsors the agent is in its down-line too"

    kept = next(iter(true_members(story)))
    with story.database.connect() as connection:
        connection.execute(
            "update v2.network_member set contact_frequency = 'Monthly', last_contacted_date = '2031-01-01'"
            " where network_id_raw = %s",
            [kept],
        )
    before = set(true_members(story))
    world.step()
    world.network.below[agents(story)[0]].remove(world.network.below[agents(story)[0]][2])
    follow(story, *STREAMS, times=2)  # what left is deleted when two sweeps in a row missed it
    truth = true_members(story)
    assert dict(living(story, "network_member", "network_id_raw", "status")) == truth
    gone = story.query("select network_id_raw, left_network from v2.network_member where deleted_at is not null")
    assert dict(gone) == dict.fromkeys(before - set(truth), True)
    assert story.query("select contact_frequency from v2.network_member where network_id_raw = %s", kept) == [
        ("Monthly",)
    ]
    told = story.query("select network_id_raw from v2.network_change_log where type = 'New to Network'")
    assert {row[0] for row in told} == before | set(truth)
    again = story.merge_all(NEEDED)
    assert (again.read, sum(table.written for table in again.tables.values())) == (0, 0)


def test_what_the_network_pays_is_the_worlds_and_what_settles_is_no_longer_pending(story: Story) -> None:
    follow(story, "agents", *PAID)
    for table, column, what in (
        ("contribution", "contribution_id_raw", "contributions"),
        ("contributions_pending", "contribution_id_raw", "pending"),
        ("revshare_payment", "payment_id_raw", "payments"),
    ):
        assert living(story, table, column) == true_ids(story, what)
    entries = sum(len(story.sandbox.world.money.of[agent].equity) for agent in agents(story))
    assert story.query("select count(*) from v2.equity_transactions") == [(entries,)]
    twins = story.query("select count(*) from v2.contribution where duplicate_of_id is not null")
    assert twins == [(3,)], "one of each user is told under two ids"
    assert living(story, "contribution", "currency") == {"USD", "CAD"}

    waiting = true_ids(story, "pending")
    story.sandbox.world.step()
    settled = waiting - true_ids(story, "pending")
    assert settled
    follow(story, *PAID)
    assert living(story, "contributions_pending", "contribution_id_raw") == true_ids(story, "pending")
    assert settled <= living(story, "contribution", "contribution_id_raw")
    for entity in ("teams", "team_members", "transactions"):
        story.sync("rezen", entity)
    story.merge_all(NEEDED)
    found = story.query("select count(transaction_id) from v2.contribution")
    assert found[0][0] > 0, "deals that came later were found"
