"""kill -9 in the middle of a backfill: the next process goes on from the last stored page, and nothing is lost."""

from __future__ import annotations

import os
import random
import signal
import subprocess
import sys
import time
from pathlib import Path

from resources.postgres import Database
from sandbox import Sandbox, World, serve
from sandbox.facts import facts
from sandbox.world import Scale
from tests.story import Story, crm

PAGES = 50
KILLS = 10


def child(story: Story, home: Path) -> subprocess.Popen[bytes]:
    arguments = [story.database.url, story.sandbox.fub_url, str(home), str(story.users[0])]
    root = Path(__file__).parents[2]
    return subprocess.Popen([sys.executable, "-m", "tests.resume.child", *arguments], cwd=root, env={**os.environ})


def pages_asked(sandbox: Sandbox) -> int:
    """Pages of the pass itself; the probe of a filter asks for one record and is none."""
    return sum(1 for q in sandbox.requests.queries if "/people?" in q and "limit=100" in q)


def test_ten_kills_in_a_backfill_of_fifty_pages_lose_nothing_and_repeat_at_most_a_page_each(
    database: Database, tmp_path: Path
) -> None:
    dice = random.Random(20)
    scale = Scale(people=2 * PAGES * 100, deals=2, calls_per_person=0, texts_per_person=0, events_per_person=0)
    with serve(World(7, scale)) as sandbox:
        sandbox.limits.raised = {"global": 100_000, "events": 100_000, "xano": 100_000}
        story = Story.begin(database, sandbox, tmp_path, users=1)
        story.sync("fub", "accounts")
        for kill in range(KILLS):
            sandbox.requests.clear()
            process = child(story, tmp_path)
            wanted = dice.randint(2, 4)
            while process.poll() is None and pages_asked(sandbox) < wanted:
                time.sleep(0.002)
            time.sleep(dice.random() * 0.03)
            process.send_signal(signal.SIGKILL)
            process.wait(10)
            first = next((q for q in sandbox.requests.queries if "/people?" in q and "limit=100" in q), "")
            assert kill == 0 or "next=" in first, "the run began again at the first page"
        stored = story.query("select count(*) from staging.stage_fub_people")[0][0]
        assert 0 < stored < PAGES * 100, "the kills were to come in the middle"
        sandbox.requests.clear()
        assert child(story, tmp_path).wait(120) == 0
        assert pages_asked(sandbox) <= PAGES - stored // 100 + 1, "pages that were stored were asked for again"
        for entity in ("users", "stages"):
            story.sync("fub", entity)
        story.merge_all([crm])

        seen = facts(sandbox.world, "fub", "people", sandbox.world.users[0].fub_key) or {}
        people = sandbox.world.accounts[sandbox.world.users[0].fub_account].tables["people"]
        world = {int(i): people[int(i)]["name"] for i in seen}
        staged = story.query("select source_id::bigint, count(*) from staging.stage_fub_people group by 1")
        assert dict(staged) == dict.fromkeys(world, 1)
        assert dict(story.query("select fub_people_id_raw, people_name from v2.fub_people")) == world
