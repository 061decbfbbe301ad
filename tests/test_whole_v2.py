"""The whole V2 from all its sources: complete after a first reading, after each step of the world, after sweeps."""

from __future__ import annotations

from pathlib import Path

import pytest

from resources.postgres import Database
from sandbox import World, serve
from sandbox.world import Scale
from sensors.backlog import backlog
from tests.story import DOMAINS, Story
from v2_assets.checks.rules import judge, rules
from v2_assets.reconcile import reconcile
from v2_assets.schema import metadata

SWEPT = ("fub", "rezen", "skyslope", "title")


def read_and_merge(story: Story, *integrations: str, full: bool = False) -> None:
    for integration in integrations:
        story.sync_all(integration, full=full)
    story.merge_all(list(DOMAINS))
    if backlog(story.database):  # what a first merge set free is merged by the backlog sensor's
        story.merge_all(list(DOMAINS))


def nothing_is_missing(story: Story) -> None:
    report = reconcile(story.database, story.settings, None, None, False)
    assert report.clean, [line.model_dump() for line in report.lines if not line.clean]
    with story.database.connect() as connection:
        broken = {(r.table, r.name): judge(connection, r) for r in rules() if r.severity == "ERROR"}
    assert {rule: verdict for rule, verdict in broken.items() if verdict.number} == {}


@pytest.mark.timeout(600)
def test_everything_is_in_v2_after_onboarding_after_three_steps_and_after_full_sweeps(
    database: Database, tmp_path: Path
) -> None:
    with serve(World(7, Scale(people=40, deals=50))) as sandbox:
        sandbox.limits.raised = {"global": 100_000, "events": 100_000, "xano": 100_000}
        story = Story.begin(database, sandbox, tmp_path, users=3)
        # In so small a world a deleted contact takes more than a fifth of somebody's events along.
        story.settings = story.settings.model_copy(update={"sweep_shrink_floor": 1.0})
        read_and_merge(story, *SWEPT, "xano")
        nothing_is_missing(story)
        for _ in range(3):
            sandbox.world.step()
            read_and_merge(story, *SWEPT)
            nothing_is_missing(story)
        for _ in range(2):
            read_and_merge(story, *SWEPT, "xano", full=True)
        nothing_is_missing(story)
        tables = [t for t in metadata.sorted_tables if t.schema == "v2" and not t.info["may_be_empty"]]
        empty = [t.name for t in tables if story.query(f'select count(*) from v2."{t.name}"') == [(0,)]]
        assert empty == []
