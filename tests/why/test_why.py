"""Where a record got stuck is told, with the command that helps; each stop on its way is made to happen."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from resources.encryption import open_vault
from resources.errors import ConfigError
from resources.postgres import Database
from sandbox import Sandbox, World, serve
from sandbox.world import Scale
from tests.story import Story, crm
from v2_assets.why import Trail, records_of, why


@pytest.fixture(scope="module")
def sandbox() -> Iterator[Sandbox]:
    with serve(World(7, Scale(people=20, deals=20))) as running:
        yield running


@pytest.fixture
def story(database: Database, sandbox: Sandbox, tmp_path: Path) -> Story:
    return Story.begin(database, sandbox, tmp_path, users=1)


def ask(story: Story, what: str, source_id: str, *, users: list[int] | None = None, source: bool = True) -> Trail:
    """The first trail."""
    found = why(story.database, story.settings, records_of(what), source_id, users, ask=source)
    assert found, "nobody could have it"
    return found[0]


def a_person(story: Story) -> str:
    return story.query("select source_id from staging.stage_fub_people where status = 'processed' order by id limit 1")[
        0
    ][0]


def change(story: Story, text: str, *parameters: Any) -> None:
    with story.database.connect() as connection:
        connection.execute(text.encode(), parameters)


def test_one_contact_is_followed_through_every_stop_on_its_way(story: Story) -> None:
    # Nothing was read yet: which of the sandbox's contacts this key sees is learned by reading, below.
    unread = ask(story, "fub/people", "1", source=False)
    assert "never read for this user" in unread.answer
    assert unread.do == f"v2 sync --user {story.users[0]} --integration fub --entity people"

    story.sync_all("fub")
    source_id = story.query("select source_id from staging.stage_fub_people order by id limit 1")[0][0]
    waiting = ask(story, "fub_people", source_id, source=False)
    assert "waits for its merge" in waiting.answer and waiting.do == f"v2 merge --user {story.users[0]}"

    story.merge_all([crm])
    source_id = a_person(story)
    there = ask(story, "fub_people", source_id)
    assert there.answer.startswith("It is in V2: row") and not there.do
    assert there.found.at_source is True

    change(story, "update v2.fub_people set deleted_at = now()")
    gone = ask(story, "fub_people", source_id)
    assert "the source has it now" in gone.answer and gone.do.endswith("--full")

    change(
        story,
        "update staging.stage_fub_people set status = 'rejected', status_reason = 'unknown_code', v2_id = null,"
        ' status_detail = \'{"field": "stage"}\' where source_id = %s',
        source_id,
    )
    refused = ask(story, "stage_fub_people", source_id)
    assert "rejected: unknown_code (field stage)" in refused.answer
    assert f"v2 retry --table stage_fub_people --reason unknown_code --user {story.users[0]}" in refused.do

    change(
        story,
        "update staging.stage_fub_people set status = 'deferred', status_reason = 'missing_parent',"
        " waits_for = 'fub_users/7/4711' where source_id = %s",
        source_id,
    )
    late = ask(story, "stage_fub_people", source_id)
    assert "waits for its parent fub_users/7/4711" in late.answer
    assert late.do == f"v2 why fub_users 4711 --user {story.users[0]}"

    change(story, "delete from staging.stage_fub_people where source_id = %s", source_id)
    lost = ask(story, "fub_people", source_id)
    assert lost.answer == "The source has it, and it was never read." and lost.do.endswith("--full")

    change(
        story,
        "insert into ops.webhook_inbox (source, event_key, credentials_id, event, body, state, reason, handled_at)"
        " select 'fub', 'e', id, 'peopleUpdated', %s, 'parked', 'failed', now() from v2.credentials"
        " where platform = 'fub'",
        json.dumps({"resourceIds": [int(source_id)]}).encode(),
    )
    told = ask(story, "fub_people", source_id)
    assert "the event is parked (failed)" in told.answer and told.do.startswith("v2 webhooks replay --event ")
    assert ask(story, "fub_people", source_id[:-1] or "0").found.events == [], "another record's event"


def test_a_record_that_the_key_does_not_see_is_told_apart_from_one_that_was_lost(story: Story) -> None:
    story.sync_all("fub")
    hidden = ask(story, "fub_people", "999999999")
    assert "does not show it to this user's key" in hidden.answer and not hidden.do


def test_a_key_that_is_refused_and_a_user_without_one_are_the_reason(story: Story) -> None:
    change(story, "update v2.credentials set state = 'needs_reconnect' where platform = 'fub'")
    refused = ask(story, "fub/people", "1")
    assert "needs_reconnect" in refused.answer
    assert refused.do == f"v2 onboard --user {story.users[0]} --platform fub"
    change(story, "update v2.credentials set deleted_at = now()")
    none = ask(story, "fub/people", "1", users=story.users)
    assert "has no connection to fub" in none.answer


def test_a_stream_that_fails_is_the_reason(story: Story, sandbox: Sandbox) -> None:
    story.sync_all("fub")
    change(
        story,
        "update ops.sync_state set status = 'failed', error = '{\"message\": \"the source is down\"}'"
        " where entity = 'people'",
    )
    failed = ask(story, "fub/people", "999999999", source=False)
    assert "the stream is failed (the source is down)" in failed.answer


def test_a_source_that_cannot_be_asked_is_not_taken_for_an_empty_one(story: Story) -> None:
    story.sync_all("fub")
    key = open_vault(story.settings).encrypt("a key that the source refuses")
    change(story, "update v2.credentials set api_key = %s", key)
    trail = ask(story, "fub/people", "999999999")
    assert trail.found.at_source is None and trail.found.source_error
    assert "does not show" not in trail.answer


def test_a_name_that_has_no_records_says_what_to_ask_for() -> None:
    with pytest.raises(ConfigError, match="no records of its own"):
        records_of("agg_leaderboard")
    with pytest.raises(ConfigError, match="no table or stream") as caught:
        records_of("fub/peopel")
    assert "fub/people" in str(caught.value.hint)
