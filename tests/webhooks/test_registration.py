"""Webhooks at Follow Up Boss are registered once each, switched on again, and leftovers of ours are removed."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from pathlib import Path

import pytest

from resources.errors import ConfigError
from resources.postgres import Database
from sandbox import Scale, World, serve
from sandbox.hooks import FubHook
from tests.story import Story
from v2_assets.webhooks.meaning import FUB_WANTED
from v2_assets.webhooks.registration import Audit, audit, connections, due

BASE = "http://127.0.0.1:9"


@pytest.fixture
def story(database: Database, tmp_path: Path) -> Iterator[Story]:
    with serve(World(scale=Scale(people=20, deals=10))) as sandbox:
        sandbox.limits.raised = {"global": 100_000}
        begun = Story.begin(database, sandbox, tmp_path, users=2)
        begun.settings = begun.settings.model_copy(update={"receiver_public_url": BASE})
        yield begun


def audited(story: Story) -> list[Audit]:
    with story.database.connect() as connection:
        found = connections(connection, ["fub"], None)
    return asyncio.run(audit(story.database, story.settings, found))


def test_the_owners_key_registers_every_event_once_and_an_agents_key_nothing(story: Story) -> None:
    assert len(asyncio.run(due(story.database))) == 2
    owner, agent = audited(story)
    assert (owner.outcome, sorted(owner.created)) == ("ok", sorted(FUB_WANTED))
    assert (agent.outcome, agent.created) == ("not_owner", [])
    hooks = story.sandbox.hooks.fub.values()
    assert sorted(h.event for h in hooks) == sorted(FUB_WANTED)
    assert {h.url.startswith(f"{BASE}/hooks/fub/") for h in hooks} == {True}
    again, _ = audited(story)
    assert (again.created, again.enabled, again.removed, again.active) == ([], [], [], len(FUB_WANTED))
    assert asyncio.run(due(story.database)) == [], "looked at today"


def test_what_was_switched_off_is_on_again_and_told_and_leftovers_of_ours_alone_are_removed(story: Story) -> None:
    audited(story)
    hooks = story.sandbox.hooks.fub
    off, *_ = hooks.values()
    off.status = "Disabled"
    account = off.account
    hooks[1] = FubHook(1, account, off.system, "dealsUpdated", f"{BASE}/hooks/fub/3.of-an-older-key")
    hooks[2] = FubHook(2, account, off.system, "peopleUpdated", "https://other.example/hooks/fub/1.x")
    owner, _ = audited(story)
    assert (owner.enabled, owner.removed, owner.created) == ([off.event], ["dealsUpdated"], [])
    assert off.status == "Active" and 1 not in hooks and 2 in hooks
    assert [row[0] for row in story.query("select code from ops.alert")] == ["webhook_disabled"]


def test_a_refused_key_fails_alone_and_is_asked_again_in_an_hour(story: Story) -> None:
    story.sandbox.faults.add({"name": "revoked_key", "key": story.sandbox.world.users[0].fub_key})
    first, second = audited(story)
    assert (first.outcome, second.outcome) == ("failed", "not_owner")
    with story.database.connect() as connection:
        connection.execute("update ops.webhook_registration set audited_at = now() - interval '61 minutes'")
    assert [c.user_id for c in asyncio.run(due(story.database))] == [story.users[0]]


def test_without_a_public_address_nothing_is_registered_and_the_error_says_what_to_set(story: Story) -> None:
    story.settings = story.settings.model_copy(update={"receiver_public_url": None})
    with pytest.raises(ConfigError) as failure:
        audited(story)
    assert "V2_RECEIVER_PUBLIC_URL" in str(failure.value.hint)
