"""Golden cases: staged records in, V2 rows out, one JSON file per fact about a table.

A case says why it exists, who the users are, what is staged, and what V2 must then hold: for each table named exactly
the rows listed, each given by the columns that matter. `then` stages and merges more. Every case is merged once more
with nothing new, which must write nothing.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
from psycopg import sql
from psycopg.rows import dict_row

from resources.postgres import Database
from tests.merge.stage import V2, Staged, enter_users, fates, merge_everything, store, work_of, written
from tests.story import ALL_WORK, DOMAINS
from v2_assets.merge import Unit

GOLDEN = Path(__file__).parent.parent / "golden"
CASES = sorted(GOLDEN.glob("*/*.json"))


@pytest.mark.parametrize("path", CASES, ids=[f"{p.parent.name}/{p.stem}" for p in CASES])
def test_staged_records_become_the_rows_that_the_case_lists(path: Path, database: Database) -> None:
    case = json.loads(path.read_text(encoding="utf-8"))
    assert case["why"].endswith("."), "a case says why it exists, in a sentence"
    with database.connect() as connection:
        users = enter_users(connection, case["users"])
    steps = (case, *case.get("then", ()))
    # "all": tables computed from those of several domains.
    work = None if case.get("all") else work_of(row["stage"] for step in steps for row in step["staged"])
    for step in steps:
        store(database, [Staged.parse(row) for row in step["staged"]])
        merge_everything(database, users, work)
        if "expect" in step:
            compare(database, step["expect"])
    again = merge_everything(database, users, work)
    assert (again.read, written(again)) == (0, {}), "a merge with nothing new wrote something"


def compare(database: Database, expect: Mapping[str, Any], *, ended: bool = True) -> None:
    """Fails where V2, the fates or staging differ; `ended=False` lets deleted rows be there that the case lacks."""
    with database.connect() as connection:
        v2 = V2(connection)
        for table, wanted in expect.get("v2", {}).items():
            found = v2.rows(table)
            left = list(found)
            for row in wanted:
                match = next((f for f in left if all(f[name] == value for name, value in row.items())), None)
                assert match is not None, f"v2.{table} has no row like {row}; it has\n" + _lines(found, row)
                left.remove(match)
            left = [row for row in left if ended or not row["deleted_at"]]
            assert not left, f"v2.{table} has more rows than the case lists:\n" + _lines(left, {})
        told = fates(connection)
        for stage, wanted in expect.get("fates", {}).items():
            assert told.get(stage, {}) == wanted, f"fates of {stage}"
        for row in expect.get("staged", ()):
            _staged_row_is(connection, row)


def _staged_row_is(connection: Any, wanted: Mapping[str, Any]) -> None:
    with connection.cursor(row_factory=dict_row) as cur:
        cur.execute(
            sql.SQL("select * from {} where source_id = %s and user_id = %s").format(
                sql.Identifier("staging", wanted["stage"])
            ),
            [wanted["source_id"], wanted.get("user_id", 1)],
        )
        found = cur.fetchone()
    assert found is not None, f"nothing staged like {wanted}"
    for name, value in wanted.items():
        if name != "stage":
            assert found[name] == value, f"{wanted['stage']} {wanted['source_id']}: {name}"


def _lines(rows: list[dict[str, Any]], like: Mapping[str, Any]) -> str:
    return "\n".join(str({k: v for k, v in row.items() if not like or k in like}) for row in rows) or "no rows"


def merged_tables() -> set[str]:
    """V2 tables that a merge writes, children and histories too."""
    tables = set()
    for work in ALL_WORK:
        tables.add(work.table)
        if isinstance(work, Unit):
            tables |= {part.table for part in (*work.history, *work.children)}
    return tables


@pytest.mark.parametrize("table", sorted(merged_tables()))
def test_every_table_that_is_merged_has_a_golden_case(table: str) -> None:
    named = {name for path in CASES for name in json.loads(path.read_text(encoding="utf-8"))["expect"]["v2"]}
    later = {
        name
        for path in CASES
        for step in json.loads(path.read_text(encoding="utf-8")).get("then", ())
        for name in step.get("expect", {}).get("v2", {})
    }
    assert table in named | later, f"no case under tests/golden expects rows of v2.{table}"


def test_every_select_opens_with_its_grain_and_the_one_rule_worth_knowing() -> None:
    for domain in DOMAINS:
        for work in (w for works in domain.WORK for w in works):
            parts = (work, *work.history, *work.children) if isinstance(work, Unit) else (work,)
            for part in parts:
                first, second, third = part.sql.splitlines()[:3]
                assert first.startswith("-- ") and second.startswith("-- "), part.file
                assert not third.startswith("--"), part.file
