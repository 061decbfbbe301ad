"""Whatever the order in which a case's records arrive, V2 ends the same: parents before children or behind them."""

from __future__ import annotations

import json
import random
from collections.abc import Iterable
from pathlib import Path

import pytest
from psycopg import sql

from resources.postgres import Database
from tests.merge.stage import Staged, enter_users, merge_everything, store, work_of, written
from tests.merge.test_golden import CASES, compare

#: Cases in which the order of arrival is the point, with the reason.
ORDER_IS_THE_POINT: dict[str, str] = {
    "metrics_snapshots/counts_of_a_day": "the first run of a day takes its counts, of what was there then",
}


def _name(path: Path) -> str:
    return f"{path.parent.name}/{path.stem}"


CHOSEN = [
    path
    for path in CASES
    if "then" not in json.loads(path.read_text(encoding="utf-8")) and _name(path) not in ORDER_IS_THE_POINT
]


@pytest.mark.parametrize("path", CHOSEN, ids=_name)
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
        _all_is_due(database, stages)
        if not written(merge_everything(database, users, work)):
            break
    else:
        pytest.fail("merges go on writing though nothing comes")
    # What was true of the part that came first is kept, as deleted.
    compare(database, {"v2": case["expect"].get("v2", {})}, ended=False)


def _all_is_due(database: Database, stages: Iterable[str]) -> None:
    """What waits for a parent is tried at the next merge instead of after its pause."""
    with database.connect() as connection:
        for stage in sorted(stages):
            connection.execute(
                sql.SQL("update {} set next_attempt_at = now() where status = 'deferred'").format(
                    sql.Identifier("staging", stage)
                )
            )


def test_a_case_whose_order_matters_is_a_case() -> None:
    assert set(ORDER_IS_THE_POINT) <= {_name(path) for path in CASES}
