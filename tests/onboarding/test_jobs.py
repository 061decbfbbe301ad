"""The state machine of onboarding on a real database and the sandbox, with runs as plain calls. With Dagster's runs and
sensors it is in tests/dagster/test_onboarding.py.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import psycopg
import pytest
import stamina

from resources.postgres import Database
from sandbox import Sandbox, World, serve
from sandbox.world import Scale
from sandbox.world.model import agent_of
from tests.story import Story, entities_in_order, work_in_order
from v2_assets.jobs import SYNC_JOBS
from v2_assets.merge import Fact, Unit
from v2_assets.onboarding.jobs import again, ask, follow, open_jobs, to_start, wanted_run, write_jobs
from v2_assets.onboarding.steps import STEPS, with_dependents
from v2_assets.schema.stage import STREAMS
from v2_assets.staging.streams import READINGS
from v2_assets.tables import merge_user

Connection = psycopg.Connection[Any]


@pytest.fixture
def sandbox() -> Iterator[Sandbox]:
    with serve(World(7, Scale(people=40, deals=12))) as running:
        running.limits.raised = {"global": 100_000, "events": 100_000, "xano": 100_000}
        yield running


@pytest.fixture
def story(database: Database, sandbox: Sandbox, tmp_path: Path) -> Story:
    return Story.begin(database, sandbox, tmp_path)


@pytest.fixture(autouse=True)
def _no_second_tries() -> Iterator[None]:
    """A call that fails is not made again, so that a failure is one at once."""
    with stamina.set_testing(True, attempts=1):
        yield


@pytest.fixture
def db(story: Story) -> Iterator[Connection]:
    with story.database.connect(autocommit=True) as connection:
        yield connection


def turn(story: Story, db: Connection, *, merge: bool = True) -> list[tuple[tuple[str, ...], bool]]:
    """A tick, the runs it asks for, and the tick behind. Returns streams and kind of each run."""
    for job in write_jobs(db, list(SYNC_JOBS)):
        if wanted := wanted_run(db, job):
            ask(db, [job.id], wanted[0], recent=wanted[1])
    asked = to_start(db)
    for run in asked:
        failed: set[str] = set()
        for entity in entities_in_order(run.integration):
            if entity not in run.entities or failed & set(READINGS[run.integration, entity].after):
                continue  # as Dagster does: what is below a failed step is not begun
            told = story.sync(run.integration, entity, list(run.users), recent_days=7 if run.recent else None)
            failed |= {entity for outcome in told.values() if outcome.outcome == "failed"}
    if merge:
        merge_pending(story, db)
    runs = {run.key for run in asked}
    for job in open_jobs(db):
        follow(db, job, ("run", "success") if job.asked and job.asked["key"] in runs else None)
    return [(run.entities, run.recent) for run in asked]


def merge_pending(story: Story, db: Connection) -> None:
    """What a run's merges do, for the tables and users that have something."""
    waiting = {
        (s.table, row[0])
        for s in STREAMS
        for row in db.execute(f"select distinct user_id from staging.{s.table} where status = 'pending'".encode())
    }
    for work in work_in_order():
        stages = {each.stage for each in work if isinstance(each, Unit | Fact)}
        for user in sorted({user for table, user in waiting if table in stages}):
            merge_user(story.database, work, user, "run")


def onboard(story: Story, db: Connection) -> list[tuple[tuple[str, ...], bool]]:
    """Turns until nothing is asked for."""
    told: list[tuple[tuple[str, ...], bool]] = []
    for _ in range(12):
        if not (asked := turn(story, db)):
            return told
        told += asked
    raise AssertionError("the onboarding does not end")


def test_every_stream_that_is_read_with_a_key_is_in_one_step() -> None:
    assert set(STEPS) == set(SYNC_JOBS)
    for integration, declared in STEPS.items():
        entities = [entity for step in declared for entity in step.entities]
        assert sorted(entities) == sorted(s.entity for s in STREAMS if s.integration == integration), integration
    assert [step.name for step in STEPS["rezen"]] == [
        "agent data", "team roster", "listings", "transactions", "sponsor tree and down-line", "contributions",
        "cap data", "equity", "rev-share payments",
    ]  # fmt: skip


def test_what_is_read_by_the_keys_of_a_stream_is_read_again_with_it() -> None:
    assert with_dependents("fub", ["people"]) == {"people", "text_messages"}
    assert with_dependents("rezen", ["agents"]) >= {"agents", "teams", "team_members", "cap_data"}


@pytest.mark.parametrize(
    ("platform", "seconds", "runs"),
    [
        ("fub", 0, [True, False]),  # one run for what is recent, one for the history
        ("fub", 60, [True]),  # the account is small enough for both
        ("skyslope", 60, [True]),
        ("title", 60, [True, False]),  # orders are read in one piece, so their history is never begun beside the recent
    ],
)
def test_a_new_user_ends_complete_with_every_step_done(
    story: Story, db: Connection, platform: str, seconds: int, runs: list[bool]
) -> None:
    story.settings = story.settings.model_copy(update={"onboarding_history_seconds": seconds})
    user = story.users[0]
    story.only(platform, user)
    told = onboard(story, db)
    assert [recent for _, recent in told] == runs
    assert story.jobs() == [(user, "Complete")]
    found = story.steps(user)
    assert [step["status"] for step in found.values()] == ["done"] * (len(STEPS[platform]) + 1)
    assert sum(step.get("records", 0) for step in found.values()) > 0
    assert story.notified() == [("ONBOARDING_COMPLETE", 1), ("ONBOARDING_STARTED", 1)]


def test_an_agent_without_a_team_has_no_roster_and_that_is_no_failure(story: Story, db: Connection) -> None:
    brokerage = story.sandbox.world.brokerage
    user, agent = story.users[0], story.sandbox.world.users[0].agent_id
    for roster in brokerage.rosters.values():
        roster[:] = [seat for seat in roster if agent_of(seat) != agent]
    assert not brokerage.teams_of(agent)
    story.only("rezen", user)
    onboard(story, db)
    roster = story.steps(user)["team roster"]
    assert (roster["status"], "no team" in roster["reason"]) == ("skipped", True)
    assert story.jobs() == [(user, "Complete")]


def test_a_failure_that_may_pass_is_tried_again_and_then_left_to_the_sweeps(
    story: Story, db: Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("v2_assets.onboarding.jobs.PAUSE", timedelta(0))
    user = story.users[0]
    story.only("title", user)
    story.sandbox.faults.add({"name": "error_5xx", "path": "/title"})
    told = turn(story, db)
    assert story.jobs() == [(user, "Started")], "it may pass, so the job goes on"
    story.sandbox.faults.clear()
    told += onboard(story, db)
    assert story.jobs() == [(user, "Complete")]
    assert len(told) == 3


def test_a_failure_that_will_not_pass_ends_the_job_when_the_rest_is_in(story: Story, db: Connection) -> None:
    user = story.users[0]
    story.only("fub", user)
    story.sandbox.faults.add({"name": "forbidden_empty", "path": "/people"})
    onboard(story, db)
    assert story.jobs() == [(user, "Partial")]
    found = story.steps(user)
    assert (found["people"]["status"], found["people"]["error"]["code"]) == ("failed", "forbidden")
    assert (found["texts"]["status"], found["completion"]["status"]) == ("blocked", "failed")
    assert found["deals, calls, events, appointments"]["status"] == "done"
    assert story.query("select error ->> 'code' from ops.onboarding_job") == [("forbidden",)]
    assert story.notified() == [("ONBOARDING_ERROR", 1), ("ONBOARDING_STARTED", 1)]


def test_runs_that_bring_nothing_end_the_job_after_a_few(
    story: Story, db: Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("v2_assets.onboarding.jobs.PAUSE", timedelta(0))
    story.only("skyslope", story.users[0])
    keys = set()
    for _ in range(3):
        [job] = write_jobs(db, ["skyslope"])
        wanted = wanted_run(db, job)
        assert wanted
        ask(db, [job.id], wanted[0], recent=wanted[1])
        [run] = to_start(db)
        keys.add(run.key)
        [job] = open_jobs(db)
        follow(db, job, ("lost", "failure"))
    assert len(keys) == 3
    assert story.jobs() == [(story.users[0], "Error")]
    assert story.query("select error ->> 'code' from ops.onboarding_job") == [("run_failed",)]


def test_a_neighbours_refused_key_costs_the_others_nothing(story: Story, db: Connection) -> None:
    guilty, others = story.users[1], [user for user in story.users if user != story.users[1]]
    story.only("fub", *story.users)
    story.sandbox.faults.add({"name": "revoked_key", "key": story.sandbox.world.users[1].fub_key})
    onboard(story, db)
    assert dict(story.jobs()) == {guilty: "Error"} | dict.fromkeys(others, "Complete")
    assert story.notified() == [("ONBOARDING_COMPLETE", 4), ("ONBOARDING_ERROR", 1), ("ONBOARDING_STARTED", 5)]


def test_a_sensor_that_dies_between_steps_tells_nothing_twice_and_asks_for_nothing_twice(
    story: Story, db: Connection
) -> None:
    story.only("skyslope", story.users[0])
    [job] = write_jobs(db, ["skyslope"])
    wanted = wanted_run(db, job)
    assert wanted
    ask(db, [job.id], wanted[0], recent=wanted[1])
    first = to_start(db)
    assert write_jobs(db, ["skyslope"]) and to_start(db) == first, "the tick died before it asked: it asks for the same"
    [seen] = open_jobs(db)
    for _ in range(2):  # the second tick has not seen what the first one wrote
        follow(db, seen, ("run", "running"))
    assert story.notified() == [("ONBOARDING_STARTED", 1)]
    assert to_start(db) == [], "the run is seen"


def test_a_job_whose_merges_are_behind_waits_for_them_and_says_so_when_they_do_not_come(
    story: Story, db: Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    story.only("skyslope", story.users[0])
    while turn(story, db, merge=False):
        pass
    assert [status for _, status in story.jobs()] == ["Started"]
    assert story.steps(story.users[0])["completion"]["status"] == "running"
    monkeypatch.setattr("v2_assets.onboarding.jobs.MERGE_PATIENCE", timedelta(0))
    turn(story, db, merge=False)
    assert [status for _, status in story.jobs()] == ["Partial"]
    assert story.query("select error ->> 'code' from ops.onboarding_job") == [("not_merged",)]


def test_a_connection_that_goes_away_ends_its_job(story: Story, db: Connection) -> None:
    story.settings = story.settings.model_copy(update={"onboarding_history_seconds": 0})
    story.only("skyslope", story.users[0])
    turn(story, db)
    db.execute("update v2.credentials set active = false")
    turn(story, db)
    assert [status for _, status in story.jobs()] == ["Partial"]


def test_another_attempt_reads_everything_again_and_a_retry_of_what_is_complete_nothing(
    story: Story, db: Connection
) -> None:
    story.only("skyslope", story.users[0])
    onboard(story, db)
    [(credentials,)] = story.query("select credentials_id from ops.onboarding_job")
    assert again(db, credentials, failed_only=True) is None
    assert again(db, credentials, failed_only=False) == ("offices", "users", "listings", "transactions")
    assert again(db, credentials, failed_only=False) is None, "one is at work"
    onboard(story, db)
    assert [status for _, status in story.jobs()] == ["Complete", "Complete"]
