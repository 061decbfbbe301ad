"""Reading streams from the real sandbox servers: what is asked, what is kept, and whom a failure touches."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from resources.errors import LeaseBusy, NotUnderstood, SourceUnavailable, Unauthorized
from resources.lease import Lease
from resources.postgres import Database
from resources.processes import wait_until
from sandbox import Sandbox, World, serve
from sandbox.world import Scale
from tests.story import DOMAINS, Story, crm, entities_in_order
from v2_assets.health.signals import look
from v2_assets.staging.users import Outcome, UserOutcome

FILTERED = ("people", "events", "calls")


@pytest.fixture
def sandbox() -> Iterator[Sandbox]:
    with serve(World(7, Scale(people=60, deals=30))) as running:
        running.limits.raised = {"global": 100_000, "events": 100_000, "xano": 100_000}
        yield running


@pytest.fixture
def story(database: Database, sandbox: Sandbox, tmp_path: Path) -> Story:
    return Story.begin(database, sandbox, tmp_path)


def test_everything_at_the_sources_is_in_v2_after_a_first_sync(story: Story) -> None:
    for integration in ("fub", "rezen"):
        story.sync_all(integration)
    story.merge_all(DOMAINS)
    fates = story.fates()
    harmless = {"processed", "duplicate:same_record", "filtered:in_down_line"}
    assert all(set(by_fate) <= harmless for by_fate in fates.values()), fates
    for account in story.sandbox.world.accounts.values():
        names = dict(
            story.query(
                "select fub_people_id_raw, people_name from v2.fub_people p join v2.fub_accounts a"
                " on a.id = p.fub_account_id where a.account_id_raw = %s",
                account.id,
            )
        )
        assert names == {row["id"]: row["name"] for row in account.tables["people"].values()}
    deals = {row[0] for row in story.query("select transaction_id_raw from v2.transaction")}
    assert deals == {d["id"] for d in story.sandbox.world.brokerage.deals.values() if not d["listing"]}


def test_a_sync_with_nothing_changed_writes_nothing_and_asks_one_page_per_filtered_stream(story: Story) -> None:
    story.sync_all("fub")
    story.merge_all([crm])
    story.sync_all("fub")
    story.sandbox.requests.clear()
    told = story.sync_all("fub")
    counts = story.merge_all([crm])
    assert all(r.counts.new == r.counts.changed == 0 for o in told.values() for u in o.values() for r in u.results)
    assert sum(table.written for table in counts.tables.values()) == 0
    for entity in FILTERED:
        pages = [q for q in story.sandbox.requests.queries if f"/{entity}?" in q and "limit=100" in q]
        contacts_with_texts = [q for q in pages if "lastActivityAfter" in q]
        assert len(pages) - len(contacts_with_texts) <= len(story.users), pages


def test_a_step_of_the_world_is_followed_exactly(story: Story) -> None:
    story.sync_all("fub")
    story.merge_all([crm])
    told = story.sandbox.world.step()
    swept = story.sync_all("fub")
    story.merge_all([crm])
    people = {
        row["id"]: row["stage"] for a in story.sandbox.world.accounts.values() for row in a.tables["people"].values()
    }
    late = [i for account in told["fub"].values() for i in account["late"]]
    assert late and all(
        story.query("select count(*) from v2.fub_people where fub_people_id_raw = %s", i) != [(0,)] for i in late
    )
    changed = sum(r.counts.new + r.counts.changed for u in swept["people"].values() for r in u.results)
    assert 0 < changed < len(people)


def test_a_revoked_key_is_put_out_of_use_by_its_sources_own_probe_and_leaves_the_others_complete(story: Story) -> None:
    revoked = story.sandbox.world.users[1]
    story.sandbox.faults.add({"name": "revoked_key", "key": revoked.fub_key})
    outcomes = story.sync("fub", "people")
    states = {user: outcome.outcome for user, outcome in outcomes.items()}
    assert states == {u: ("failed" if u == story.users[1] else "synced") for u in story.users}
    assert isinstance(outcomes[story.users[1]].error, Unauthorized)
    for _ in range(2):
        assert story.query("select count(*) from v2.credentials where state = 'needs_reconnect'") == [(0,)]
        assert story.probe("fub") == {"accepted": 0, "refused": 1, "later": 0}
    again = story.sync("fub", "people")
    assert again[story.users[1]].outcome == "excluded"
    assert story.query("select user_id from v2.credentials where state = 'needs_reconnect'") == [(story.users[1],)]
    assert story.query("select user_id from ops.sync_state where status = 'excluded'") == [(story.users[1],)]
    assert story.query("select code, severity from ops.alert") == [("credential_refused", "warning")]


def test_a_key_that_goes_out_of_use_fails_each_stream_that_was_read_with_it_once(story: Story) -> None:
    story.sync("fub", "groups")
    refused = story.sandbox.world.users[1]
    story.sandbox.faults.add({"name": "revoked_key", "key": refused.fub_key})
    story.sync("fub", "people")
    for _ in range(2):
        story.probe("fub")
    for stream in ("groups", "people", "deals"):
        told = story.sync("fub", stream)[story.users[1]]
        # Of people the failure is known; deals were never read, so nothing of theirs looks better than it is.
        assert told.outcome == ("failed" if stream == "groups" else "excluded")
        assert isinstance(told.error, Unauthorized) == (stream == "groups")
    assert story.sync("fub", "groups")[story.users[1]].outcome == "excluded"


def test_a_source_that_refuses_everybody_for_a_while_puts_nobody_out_of_use(story: Story) -> None:
    for user in story.sandbox.world.users[: len(story.users)]:
        story.sandbox.faults.add({"name": "revoked_key", "key": user.fub_key})
    assert {o.outcome for o in story.sync("fub", "groups").values()} == {"failed"}
    for _ in range(3):
        assert story.probe("fub")["refused"] == len(story.users)
    assert story.query("select distinct state from v2.credentials where platform = 'fub'") == [("ok",)]
    with story.database.connect() as connection:
        found = look(connection, story.settings, ["source_refuses_keys", "stream_failed", "credential_refused"])
    assert set(found["source_refuses_keys"]) == {"fub"}
    assert found["source_refuses_keys"]["fub"].severity == "critical"
    assert found["stream_failed"] == found["credential_refused"] == {}, "one incident, not one for each user"
    story.sandbox.faults.clear()
    assert story.probe("fub")["accepted"] == len(story.users)
    assert {o.outcome for o in story.sync("fub", "groups").values()} == {"synced"}
    assert story.query("select count(*) from ops.credential_probe") == [(0,)]


@pytest.mark.parametrize("fault", ["html_200", "null_body", "errors_200"])
def test_an_answer_that_is_not_understood_fails_the_stream_and_keeps_rows_and_cursor(story: Story, fault: str) -> None:
    story.sync("fub", "groups")
    before = story.query("select source_id, payload from staging.stage_fub_groups order by id")
    cursors = story.query("select cursor from ops.sync_state order by account_ref")
    story.sandbox.faults.add({"name": fault, "path": "/groups"})
    outcomes = story.sync("fub", "groups", story.users[:1])
    assert isinstance(outcomes[story.users[0]].error, NotUnderstood)
    assert story.query("select source_id, payload from staging.stage_fub_groups order by id") == before
    after = story.query("select cursor from ops.sync_state order by account_ref")
    assert [c[0]["watermark"] for c in after] == [c[0]["watermark"] for c in cursors]
    story.sandbox.faults.clear()
    assert story.sync("fub", "groups", story.users[:1])[story.users[0]].outcome == "synced"


@pytest.mark.parametrize("shape", ["members", "teamMembers", "content", "root"])
def test_every_known_roster_shape_gives_the_same_roster(story: Story, shape: str) -> None:
    user = story.users[:1]
    for entity in ("agents", "teams", "team_members"):
        story.sync("rezen", entity, user)
    before = story.query("select source_id from staging.stage_rezen_team_members order by 1")
    story.sandbox.faults.add({"name": "roster_key", "to": shape})
    assert story.sync("rezen", "team_members", user)[user[0]].outcome == "synced"
    assert story.query("select source_id from staging.stage_rezen_team_members order by 1") == before
    assert story.query("select count(*) from staging.stage_rezen_team_members where missing_since is not null") == [
        (0,)
    ]


def test_an_unknown_roster_shape_is_an_error_that_keeps_the_old_roster(story: Story) -> None:
    user = story.users[:1]
    for entity in ("agents", "teams", "team_members"):
        story.sync("rezen", entity, user)
    before = story.query("select source_id, status, missed_sweeps from staging.stage_rezen_team_members order by 1")
    story.sandbox.faults.add({"name": "roster_key", "to": "unknown"})
    outcome = story.sync("rezen", "team_members", user)[user[0]]
    assert isinstance(outcome.error, NotUnderstood)
    assert "list" in outcome.error.message
    assert (
        story.query("select source_id, status, missed_sweeps from staging.stage_rezen_team_members order by 1")
        == before
    )


def test_a_stream_that_somebody_else_reads_is_left_alone(story: Story) -> None:
    key = f"sync:fub/{story.sandbox.world.users[0].fub_account}/{story.users[0]}:groups"
    with Lease.acquire(story.database, key, "somebody else"):
        outcome = story.sync("fub", "groups", story.users[:1])[story.users[0]]
    assert (outcome.outcome, type(outcome.error)) == ("busy", LeaseBusy)
    assert story.sync("fub", "groups", story.users[:1])[story.users[0]].outcome == "synced"


def test_two_users_of_one_account_have_one_contact_in_v2_and_an_agents_key_sees_less(story: Story) -> None:
    for entity in ("accounts", "users", "stages", "people"):
        story.sync("fub", entity)
    story.merge_all([crm])
    owner, agent = story.users[0], story.users[1]
    seen = dict(story.query("select user_id, count(*) from staging.stage_fub_people group by 1"))
    assert seen[agent] < seen[owner]
    in_v2 = story.query("select count(*), count(distinct (fub_account_id, fub_people_id_raw)) from v2.fub_people")
    assert in_v2[0][0] == in_v2[0][1] == sum(len(a.tables["people"]) for a in story.sandbox.world.accounts.values())


def test_the_order_of_streams_is_drawn_from_what_they_take_their_keys_from() -> None:
    order = entities_in_order("rezen")
    assert order.index("agents") < order.index("teams")
    order = entities_in_order("fub")
    assert order.index("people") < order.index("text_messages")


def test_a_visit_that_was_overtaken_while_its_source_kept_it_waiting_is_no_failure(story: Story) -> None:
    story.sandbox.faults.add({"name": "storm_429", "path": "/people", "seconds": 2, "times": 1})
    ended: list[str] = []
    user = story.users[0]
    visit = threading.Thread(target=lambda: ended.append(story.sync("fub", "people", [user])[user].outcome))
    visit.start()
    with story.database.connect(autocommit=True) as connection:
        taken = "update ops.lease set fence = fence + 1, holder = 'another run' where key like 'sync:%:people'"
        assert wait_until(lambda: connection.execute(taken).rowcount == 1, 120)
    visit.join(30)
    assert ended == ["busy"]
    assert story.query("select status, error from ops.sync_state where entity = 'people'") == [("running", None)]
    assert story.query("select count(*) from staging.stage_fub_people") == [(0,)]


def test_of_several_connections_a_failure_is_hidden_by_no_success() -> None:
    outcome = UserOutcome(1)
    failure = SourceUnavailable("away")
    told: tuple[tuple[Outcome, SourceUnavailable | None], ...]
    told = (("excluded", None), ("synced", None), ("failed", failure), ("synced", None), ("busy", None))
    for word, error in told:
        outcome.note(word, error)
    assert (outcome.outcome, outcome.error) == ("failed", failure)
