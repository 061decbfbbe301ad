"""The standing checks hold after a real sync of everything, and Dagster shows and tells of one that does not."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from resources.postgres import Database
from sandbox import World, serve
from sandbox.world import Scale
from tests.dagster.instances import instance_with_switches
from tests.story import DOMAINS, Story, entities_in_order
from v2_assets.checks.assets import standing_checks
from v2_assets.checks.rules import judge, rules
from v2_assets.definitions import build_defs
from v2_assets.health.signals import look
from v2_assets.platform_resource import PlatformResource
from v2_assets.schema.stage import STREAMS

_QUIET = {"loggers": {"console": {"config": {"log_level": "CRITICAL"}}}}


@pytest.fixture
def synced(database: Database, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Story]:
    with serve(World(7, Scale(people=40, deals=40))) as sandbox:
        sandbox.limits.raised = {"global": 100_000, "events": 100_000, "xano": 100_000}
        story = Story.begin(database, sandbox, tmp_path)
        for integration in dict.fromkeys(s.integration for s in STREAMS if s.integration != "csv"):
            if entities_in_order(integration):
                story.sync_all(integration)
        story.merge_all(list(DOMAINS))
        story.merge_all(list(DOMAINS))
        monkeypatch.setenv("V2_HOME", str(tmp_path))
        monkeypatch.setenv("V2_DATABASE_URL", database.url)
        yield story


def test_nothing_is_broken_after_a_sync_of_everything(synced: Story) -> None:
    with synced.database.connect() as connection:
        broken = {(r.table, r.name): judge(connection, r).number for r in rules() if r.severity == "ERROR"}
        gaps = look(connection, synced.settings)["row_gap"]
    assert {key: number for key, number in broken.items() if number} == {}
    assert gaps == {}, "what the sources count is in V2"
    told = synced.query("select count(expected), count(*) from ops.sweep")
    assert told[0][0] > told[0][1] / 4, "many sources tell their count"


def test_a_broken_rule_fails_its_check_in_dagster_and_is_one_alert(synced: Story, tmp_path: Path) -> None:
    with synced.database.connect() as connection:
        connection.execute("delete from staging.stage_rezen_cap_data where user_id = %s", [synced.users[0]])
    with instance_with_switches(tmp_path) as instance:
        job = build_defs(platform=PlatformResource()).resolve_job_def(standing_checks.name)
        for _ in range(2):
            result = job.execute_in_process(instance=instance, run_config=_QUIET)
            assert result.success, "a broken rule is a verdict about the data, not a failure of the run"
            failed = [e for e in result.get_asset_check_evaluations() if not e.passed and e.severity.value == "ERROR"]
            assert [(e.asset_key.to_user_string(), e.check_name) for e in failed] == [
                ("agent_cap_data", "comes_from_staging")
            ]
    assert synced.query("select severity, subject from ops.alert where code = 'check_failed' order by id") == [
        ("info", "network_hierarchy: sponsors_make_no_circle is broken"),
        ("critical", "agent_cap_data: comes_from_staging is broken"),
    ]
