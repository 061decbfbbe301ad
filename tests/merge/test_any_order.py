"""Whatever the order in which a case's records arrive, V2 ends the same: parents before children or behind them.

Of a case that goes on in steps, the first is taken: later versions of a record come later.
"""

from __future__ import annotations

import json
import random
from pathlib import Path
from typing import Any

import pytest

from resources.postgres import Database
from tests.merge.stage import Staged, all_is_due, enter_users, merge_everything, store, work_of, written
from tests.merge.test_golden import CASES, compare, merged_tables
from tests.story import ALL_WORK
from v2_assets.merge import Unit

#: Cases in which the order of arrival is the point: for which tables, and why.
ORDER_IS_THE_POINT: dict[str, tuple[set[str], str]] = {
    "metrics_snapshots/counts_of_a_day": (
        {"metrics_snapshots"},
        "the first run of a day takes the counts of that moment",
    ),
    "title_orders/a_sandbox_never_replaces_production": (
        {"title_orders"},
        "orders carry no stamp, so what came last is the newest version",
    ),
    "transaction_tags/from_v1": (
        {"transaction", "transaction_financials", "participant", "transaction_participants"},
        "V1's copy of a deal is kept and linked to reZEN's where it came first, and passed over where it came second",
    ),
}


def _name(path: Path) -> str:
    return f"{path.parent.name}/{path.stem}"


def _expected(path: Path) -> dict[str, Any]:
    expected = json.loads(path.read_text(encoding="utf-8"))["expect"].get("v2", {})
    left_out, _ = ORDER_IS_THE_POINT.get(_name(path), (set(), ""))
    return {table: rows for table, rows in expected.items() if table not in left_out}


@pytest.mark.parametrize("path", CASES, ids=_name)
def test_records_that_arrive_in_another_order_become_the_same_rows(path: Path, database: Database) -> None:
    case = json.loads(path.read_text(encoding="utf-8"))
    with database.connect() as connection:
        users = enter_users(connection, case["users"])
    records = [Staged.parse(row) for row in case["staged"]]
    random.Random(_name(path)).shuffle(records)
    stages = {record.stage for record in records}
    work = None if case.get("all") else work_of(stages)
    size = -(-len(records) // 3) or 1
    for start in range(0, len(records), size):
        store(database, records[start : start + size])
        merge_everything(database, users, work)
    for _ in range(6):  # as deep as parents stand above one another
        all_is_due(database, stages)
        if not written(merge_everything(database, users, work)):
            break
    else:
        pytest.fail("merges go on writing though nothing comes")
    # What was true of the part that came first is kept, as deleted.
    compare(database, {"v2": _expected(path)}, ended=False)


def test_every_table_that_is_merged_is_met_in_another_order() -> None:
    met = {table for path in CASES for table in _expected(path)}
    histories = {part.table for unit in _units() for part in unit.history}
    assert merged_tables() - met - histories == {"metrics_snapshots"}
    assert set(ORDER_IS_THE_POINT) <= {_name(path) for path in CASES}


def _units() -> list[Unit]:
    return [each for each in ALL_WORK if isinstance(each, Unit)]
