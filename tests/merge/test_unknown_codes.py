"""A word that no code table knows stops its own record, loudly; once it is known, retrying merges it from staging."""

from __future__ import annotations

import copy
import json
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from psycopg import sql

from resources.postgres import Database
from tests.merge.stage import Staged, enter_users, merge_everything, store, work_of
from v2_assets.cli.runs import retry

GOLDEN = Path(__file__).parent.parent / "golden"
WORD = "NEVER_SEEN_BEFORE"
#: (golden case, staging table, where in its record the word goes, code set, source of the code)
USES: tuple[tuple[str, str, tuple[str, ...], str, str], ...] = (
    ("transaction/a_settled_sale", "stage_rezen_transactions", ("lifecycleState",), "lifecycle_state", "rezen"),
    ("transaction/a_settled_sale", "stage_rezen_transactions", ("status",), "transaction_status", "rezen"),
    ("transaction/a_settled_sale", "stage_rezen_transactions", ("transactionType",), "transaction_type", "rezen"),
    ("transaction/a_settled_sale", "stage_rezen_transactions", ("representationType",), "representation", "rezen"),
    ("transaction/a_settled_sale", "stage_rezen_transactions", ("propertyType",), "property_type", "rezen"),
    ("transaction/from_a_file", "stage_csv_import", ("status",), "transaction_status", "csv"),
    ("transaction/from_a_file", "stage_csv_import", ("transaction_type",), "transaction_type", "csv"),
    ("transaction/from_a_file", "stage_csv_import", ("property_type",), "property_type", "csv"),
    ("transaction/from_a_file", "stage_csv_import", ("representation",), "representation", "csv"),
)


def _with_the_word(rows: list[dict[str, Any]], stage: str, path: tuple[str, ...]) -> list[dict[str, Any]]:
    rows = copy.deepcopy(rows)
    payload = next(row["payload"] for row in rows if row["stage"] == stage)
    for step in path[:-1]:
        payload = payload[step]
    payload[path[-1]] = WORD
    return rows


@pytest.mark.parametrize(
    ("case", "stage", "path", "code_set", "source"), USES, ids=[f"{use[4]} {use[3]}" for use in USES]
)
def test_an_unknown_word_is_rejected_and_merged_by_a_retry_once_it_is_known(
    database: Database, case: str, stage: str, path: tuple[str, ...], code_set: str, source: str
) -> None:
    told = json.loads((GOLDEN / f"{case}.json").read_text(encoding="utf-8"))
    with database.connect() as connection:
        users = enter_users(connection, told["users"])
    work = work_of(row["stage"] for row in told["staged"])
    store(database, [Staged.parse(row) for row in _with_the_word(told["staged"], stage, path)])
    merge_everything(database, users, work)
    with database.connect() as connection:
        rows = connection.execute(
            sql.SQL(
                "select status_detail ->> 'code_set', status_detail ->> 'value' from {}"
                " where status = 'rejected' and status_reason = 'unknown_code'"
            ).format(sql.Identifier("staging", stage))
        ).fetchall()
        assert rows == [(code_set, WORD)]
        value = connection.execute(
            "select min(value) from ops.code_map where code_set = %s and source = %s", [code_set, source]
        ).fetchone()
        assert value is not None
        connection.execute("insert into ops.code_map values (%s, %s, %s, %s)", [code_set, source, WORD, value[0]])
    released = retry(SimpleNamespace(database=database), stage, "unknown_code", None)  # type: ignore[arg-type]
    assert (released["released"], released["still"]) == (1, 0)
    merge_everything(database, users, work)
    with database.connect() as connection:
        left = connection.execute(
            sql.SQL("select count(*) from {} where status_reason = 'unknown_code'").format(
                sql.Identifier("staging", stage)
            )
        ).fetchone()
    assert left == (0,)
