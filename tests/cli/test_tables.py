"""`v2 tables`: the product's tables as an operator sees them."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.cli.test_bad_input import sandbox, story, v2
from tests.story import DOMAINS, Story
from v2_assets.schema import metadata

__all__ = ["sandbox", "story"]


def test_every_table_is_listed_with_its_sources_rows_last_materialization_and_triggers(
    story: Story, tmp_path: Path
) -> None:
    story.sync_all("rezen")
    story.merge_all(list(DOMAINS))
    code, document, _ = v2("tables", cwd=tmp_path, **story.environment())
    assert code == 0, document
    told = {row["table"]: row for row in document["data"]}
    assert set(told) == {table.name for table in metadata.tables.values() if table.schema == "v2"}
    deals = told["transaction"]
    assert deals["rows"] == story.query("select count(*) from v2.transaction")[0][0] > 0
    assert {"rezen_sweep (7 * * * *)", "backlog", "onboarding"} <= set(deals["triggers"])
    assert deals["last_materialized"] is None, "merged by this test, not by a run"
    assert "rezen" in deals["sources"]


def test_a_run_of_the_command_is_named_as_what_materialized_a_table(story: Story, tmp_path: Path) -> None:
    code, document, _ = v2("sync", "--user", "1", "--integration", "rezen", cwd=tmp_path, **story.environment())
    assert code == 0, document
    _, document, _ = v2("tables", "--domain", "people", cwd=tmp_path, **story.environment())
    agent = next(row for row in document["data"] if row["table"] == "agent")
    assert agent["last_materialized"] and agent["last_started_by"] == "by hand"


@pytest.mark.parametrize("domain", ["nowhere", ""])
def test_an_unknown_domain_is_named_with_those_that_exist(story: Story, tmp_path: Path, domain: str) -> None:
    code, document, _ = v2("tables", "--domain", domain, cwd=tmp_path, **story.environment())
    assert code == 2 and "deals" in document["error"]["message"]


def test_triggers_say_what_starts_an_asset_when_it_did_and_when_it_will(story: Story, tmp_path: Path) -> None:
    code, document, _ = v2("triggers", "--asset", "fub_people", cwd=tmp_path, **story.environment())
    assert code == 0, document
    (asset,) = document["data"]["assets"]
    assert {"fub_sweep", "fub_full_sweep", "backlog", "inbox", "onboarding"} <= set(asset["started_by"])
    assert asset["next"] and asset["last"] is None
    held = {each["name"]: each for each in document["data"]["triggers"]}
    assert set(held) == set(asset["started_by"]) and held["backlog"]["when"] == "every 30 s"
    code, document, _ = v2("triggers", "--asset", "nothing", cwd=tmp_path, **story.environment())
    assert code == 2 and "v2 triggers" in document["error"]["message"]
