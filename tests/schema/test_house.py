"""What every V2 table must have: a select, a golden case, a standing check, a page. It names what is missing."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from v2_assets.checks.rules import rules
from v2_assets.merge import Unit
from v2_assets.order import ALL_WORK
from v2_assets.schema import metadata

ROOT = Path(__file__).parents[2]
#: Entered by the product or planted by the migrations: nothing merges them.
NOT_MERGED = {"credentials", "state_province", "contribution_tiers"}
TABLES = sorted(t.name for t in metadata.tables.values() if t.schema == "v2")


def filled() -> set[str]:
    """Tables that some piece of work fills."""
    parts = [part for unit in ALL_WORK if isinstance(unit, Unit) for part in (*unit.history, *unit.children)]
    return {each.table for each in (*ALL_WORK, *parts)}


def in_golden_cases() -> set[str]:
    """Tables whose rows some golden case lists."""
    told: set[str] = set()
    for path in (ROOT / "tests/golden").glob("*/*.json"):
        case = json.loads(path.read_text(encoding="utf-8"))
        for step in (case, *case.get("then", ())):
            told |= set(step.get("expect", {}).get("v2", {}))
    return told


@pytest.mark.parametrize("table", TABLES)
def test_a_table_has_everything_that_a_table_of_this_house_has(table: str) -> None:
    missing = []
    if table not in NOT_MERGED:
        if table not in filled():
            missing.append("a select that fills it")
        if table not in in_golden_cases():
            missing.append("a golden case that lists its rows")
    if not metadata.tables[f"v2.{table}"].info["may_be_empty"] and table not in {rule.table for rule in rules()}:
        missing.append("a standing check")
    if not (ROOT / f"docs/reference/tables/{table}.md").exists():
        missing.append("a page of the reference")
    assert missing == [], f"v2.{table} lacks {', '.join(missing)}"
