"""The daily comparison of V1 and V2: what it shows, and when it does not run."""

from __future__ import annotations

from pathlib import Path

import dagster as dg
import pytest

from resources.postgres import Database
from sandbox import Scale, World, serve
from tests.story import Story
from v2_assets.compare.assets import compare_schedule, v1_comparison
from v2_assets.platform_resource import PlatformResource


def test_the_asset_reads_v1_compares_and_shows_counts_by_reason(
    database: Database, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with serve(World(5, Scale(people=10, deals=20))) as sandbox:
        sandbox.limits.raised = {"xano": 10**6}
        for name, value in Story.begin(database, sandbox, tmp_path, users=2).environment().items():
            monkeypatch.setenv(name, value)
        made = _materialized()
    assert "| title_disbursements |" in str(made.metadata["differences"].value)
    assert made.metadata["missing"].value
    # What was read a moment ago is not read again: V1 is gone by now.
    assert _materialized().metadata["missing"].value == made.metadata["missing"].value


def _materialized() -> dg.AssetMaterialization:
    result = dg.materialize([v1_comparison], resources={"platform": PlatformResource()})
    assert result.success
    [made] = result.asset_materializations_for_node("v1_comparison")
    return made


def test_the_schedule_says_why_it_does_not_run_while_there_is_no_v1(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("V2_DATABASE_URL", database.url)
    context = dg.build_schedule_context(resources={"platform": PlatformResource()})
    told = compare_schedule(context)
    assert isinstance(told, dg.SkipReason)
    assert "connection to V1" in str(told.skip_message)
    with database.connect() as connection:
        connection.execute(
            "insert into ops.v1_snapshot (table_name, status, source, taken_at, rows)"
            " values ('user', 'complete', 'a folder', now(), 0)"
        )
    assert isinstance(compare_schedule(context), dg.RunRequest)
