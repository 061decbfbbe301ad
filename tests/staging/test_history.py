"""The newest first: a first pass reads what is recent, the history follows in pieces; neither waits for the other."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest

from resources.errors import Disconnected
from resources.postgres import Database
from sandbox import Sandbox, World, serve
from sandbox.world import Scale
from tests.story import DOMAINS, Story, entities_in_order
from v2_assets.reconcile import reconcile
from v2_assets.staging.state import Cursor
from v2_assets.staging.streams import stream
from v2_assets.staging.sync import SyncOptions
from v2_assets.staging.users import UserOutcome, sync_users
from v2_assets.users import load_users

WEEK = 7


@pytest.fixture
def sandbox() -> Iterator[Sandbox]:
    with serve(World(7, Scale(people=1200, deals=60, texts_per_person=1))) as running:
        running.limits.raised = {"global": 100_000, "events": 100_000, "xano": 100_000}
        yield running


@pytest.fixture
def story(database: Database, sandbox: Sandbox, tmp_path: Path) -> Story:
    made = Story.begin(database, sandbox, tmp_path, users=1)
    # A visit reads one page of history, so that there are pieces in so small a world.
    made.settings = made.settings.model_copy(update={"history_seconds": 0, "onboarding_history_seconds": 0})
    return made


def visit(story: Story, integration: str, entity: str, **how: Any) -> UserOutcome:
    return story.sync(integration, entity, **how)[story.users[0]]


def cursor(story: Story, entity: str) -> Cursor:
    [(stored,)] = story.query("select cursor from ops.sync_state where entity = %s", entity)
    return Cursor.model_validate(stored)


def staged(story: Story, table: str) -> set[str]:
    return {row[0] for row in story.query(f"select source_id from staging.{table}")}


def people(story: Story, days: int | None = None) -> set[str]:
    """Ids of the contacts that the user's key sees at the source, of some days back or all."""
    limits: dict[str, str] = {"includeTrash": "true", "includeUnclaimed": "true", "limit": "100", "fields": "id"}
    if days is not None:
        limits["updatedAfter"] = f"{datetime.now(UTC) - timedelta(days=days):%Y-%m-%dT%H:%M:%SZ}"
    found: set[str] = set()
    token: dict[str, str] = {}
    while True:
        answer = httpx.get(
            f"{story.sandbox.fub_url}/people",
            params=limits | token,
            auth=(story.sandbox.world.users[0].fub_key, ""),
            headers={"X-System": "v2-assets", "X-System-Key": "sandbox-system-key"},
            trust_env=False,
        ).json()
        found |= {str(row["id"]) for row in answer["people"]}
        if not answer["_metadata"].get("next"):
            return found
        token = {"next": answer["_metadata"]["next"]}


def read_history(story: Story, integration: str, entity: str) -> int:
    """Visits until nothing is owed. Returns how many there were."""
    for number in range(1, 100):
        outcome = visit(story, integration, entity)
        assert outcome.error is None
        if not outcome.results[0].owed:
            return number
    raise AssertionError("the history does not end")


def test_a_first_pass_brings_this_week_and_the_rest_follows_page_by_page(story: Story) -> None:
    recent, everybody = people(story, WEEK), people(story)
    assert 0 < len(recent) < len(everybody) / 2, "the world has old contacts and new ones"
    first = visit(story, "fub", "people", recent_days=WEEK).results[0]
    assert (first.since is not None, first.owed) == (True, True)
    assert staged(story, "stage_fub_people") == recent
    assert read_history(story, "fub", "people") == len(everybody) // 100 + (len(everybody) % 100 > 0)
    assert staged(story, "stage_fub_people") == everybody
    assert cursor(story, "people").history is None
    assert story.query("select last_full_at is not null, status from ops.sync_state") == [(True, "idle")]
    assert story.query("select outcome, seen, expected from ops.sweep") == [("applied", len(everybody), len(everybody))]


def test_what_changes_while_the_history_is_read_comes_with_the_next_visit_and_before_it(story: Story) -> None:
    visit(story, "fub", "people", recent_days=WEEK)
    visit(story, "fub", "people")
    before = people(story)
    story.sandbox.world.step()
    outcome = visit(story, "fub", "people")
    assert outcome.results[0].owed, "the history is not over"
    assert people(story) - before and people(story) - before <= staged(story, "stage_fub_people")
    assert people(story, 1) <= staged(story, "stage_fub_people")
    read_history(story, "fub", "people")
    assert people(story) <= staged(story, "stage_fub_people")
    missed = {r[0] for r in story.query("select source_id from staging.stage_fub_people where missed_sweeps > 0")}
    assert not missed & people(story), "what came in behind the history's back does not count as absent"


def test_a_broken_answer_in_the_history_loses_nothing_and_asks_for_no_page_again(story: Story) -> None:
    visit(story, "fub", "people", recent_days=WEEK)
    visit(story, "fub", "people")
    before = cursor(story, "people").history
    story.sandbox.faults.add({"name": "html_200", "path": "/people"})
    assert visit(story, "fub", "people").outcome == "failed"
    story.sandbox.faults.clear()
    assert cursor(story, "people").history == before and before is not None and before.pages == 1
    story.sandbox.requests.clear()
    visit(story, "fub", "people")
    asked = [q for q in story.sandbox.requests.queries if "/people?" in q and "updatedAfter" not in q]
    assert [("next=" in q) for q in asked if "limit=100" in q] == [True]
    read_history(story, "fub", "people")
    assert staged(story, "stage_fub_people") == people(story)


def test_a_full_pass_reads_what_was_owed(story: Story) -> None:
    visit(story, "fub", "people", recent_days=WEEK)
    visit(story, "fub", "people")
    outcome = visit(story, "fub", "people", full=True).results[0]
    assert (outcome.since, outcome.owed) == (None, False)
    assert staged(story, "stage_fub_people") == people(story)


def test_texts_wait_for_the_history_of_contacts_and_their_own_pass_is_not_repeated(story: Story) -> None:
    for entity in ("people", "text_messages"):
        visit(story, "fub", entity, recent_days=WEEK)
    visit(story, "fub", "people")
    story.sandbox.requests.clear()
    outcome = visit(story, "fub", "text_messages").results[0]
    history = cursor(story, "text_messages").history
    assert outcome.owed and history is not None and history.began_at is None
    contacts = [q for q in story.sandbox.requests.queries if "/textMessages?" in q]
    assert len(contacts) < len(people(story)) / 2, "the contacts that the history brought are not asked for yet"
    read_history(story, "fub", "people")
    story.sandbox.requests.clear()
    read_history(story, "fub", "text_messages")
    asked = [q for q in story.sandbox.requests.queries if "/textMessages?" in q]
    assert len(asked) < 1.5 * len(people(story)), "every contact once, and the active ones with each visit"
    account = story.sandbox.world.accounts[story.sandbox.world.users[0].fub_account]
    assert staged(story, "stage_fub_text_messages") == {str(i) for i in account.tables["textMessages"]}


def test_details_of_deals_are_asked_first_where_something_happened_this_week(story: Story) -> None:
    story.sandbox.world.step()
    visit(story, "rezen", "agents")
    story.sandbox.requests.clear()
    first = visit(story, "rezen", "transactions", recent_days=WEEK).results[0]
    recent = staged(story, "stage_rezen_transactions")
    assert first.owed and recent
    visit_of_the_rest = read_history(story, "rezen", "transactions")
    everything = staged(story, "stage_rezen_transactions")
    assert recent < everything and visit_of_the_rest >= 1
    details = [q for q in story.sandbox.requests.queries if "/transactions/" in q and "participant" not in q]
    assert len(details) == len(set(details)) == len(everything), "each deal was asked for once"
    assert visit(story, "rezen", "transactions").results[0].since is None, "from here on every pass is whole"


@pytest.mark.parametrize("integration", ["fub", "rezen", "skyslope", "title"])
def test_recent_and_history_together_are_everything(story: Story, integration: str) -> None:
    for entity in entities_in_order(integration):
        assert visit(story, integration, entity, recent_days=WEEK).error is None
    story.merge_all(DOMAINS)
    half = reconcile(story.database, story.settings, None, [integration], False)
    assert half.clean, [line.model_dump() for line in half.lines]
    owed = {reason for line in half.lines for reason in line.reasons}
    assert "not_read_yet" in owed
    for entity in entities_in_order(integration):
        read_history(story, integration, entity)
    story.merge_all(DOMAINS)
    report = reconcile(story.database, story.settings, None, [integration], False)
    assert report.clean and not any("not_read_yet" in line.reasons for line in report.lines)


def test_a_connection_that_is_taken_away_stops_its_pass_at_the_next_page(story: Story) -> None:
    visit(story, "fub", "people", recent_days=WEEK)
    before = staged(story, "stage_fub_people")
    with story.database.connect() as connection:
        contexts = load_users(connection, story.users)  # as a run does that began before
        connection.execute("update v2.credentials set active = false")
    told = asyncio.run(
        sync_users(story.database, story.settings, stream("fub", "people"), contexts, "late", SyncOptions())
    )
    assert told[story.users[0]].outcome == "excluded"
    assert staged(story, "stage_fub_people") == before
    assert story.query("select count(*) from ops.error_log where code = %s", Disconnected.code) == [(0,)]
