"""`v2 import csv` as a person uses it: suggest, check, import, correct, import again."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import psycopg
import pytest

from resources.postgres import Database
from tests.cli.test_bad_input import v2
from tests.merge.stage import enter_users

GOOD = 'L-1,Closed,"17 Cedar Row, Portland, OR 97201","$412,500.00",2031-02-27\n'
BROKEN = 'L-2,Pending,"18 Cedar Row, Portland, OR 97201",about four hundred,2031-03-01\n'
HEADER = "transaction id,status,address,sale price,closing date\n"


@pytest.fixture
def folder(database: Database, tmp_path: Path) -> Path:
    with database.connect() as connection:
        enter_users(connection, [{"id": 1}])
    (tmp_path / "deals.csv").write_text(HEADER + GOOD + BROKEN, encoding="utf-8")
    return tmp_path


def ask(database: Database, folder: Path, *words: str) -> tuple[int, dict[str, Any]]:
    code, told, _ = v2(
        *("import", "csv", "deals.csv", "--user", "1", *words),
        cwd=folder,
        V2_DATABASE_URL=database.url,
        V2_DAGSTER_DATABASE_URL=database.url,
    )
    return code, told


def deals(database: Database) -> list[tuple[Any, ...]]:
    with psycopg.connect(database.url) as connection:
        return connection.execute(
            "select status, sale_price::text, source, updated_at from v2.transaction order by transaction_id_raw"
        ).fetchall()


def test_a_file_is_looked_at_then_imported_then_corrected(database: Database, folder: Path) -> None:
    code, told = ask(database, folder, "--preview", "5")
    assert code == 0, told
    (folder / "mapping.toml").write_text(told["data"]["mapping"], encoding="utf-8")
    code, told = ask(database, folder, "--mapping", "mapping.toml", "--dry-run")
    assert (code, told["data"]["rows"], told["data"]["good"], told["data"]["broken"]) == (0, 2, 1, 1)
    problem = told["data"]["problems"][0]
    assert "line 3" in problem["where"] and "sale price" in problem["where"], problem
    assert not deals(database), "looking stores nothing"

    code, told = ask(database, folder, "--mapping", "mapping.toml")
    assert (code, told["data"]["fates"]) == (0, {"processed": 1, "rejected:invalid_record": 1}), told
    first = deals(database)
    assert [row[:3] for row in first] == [("Closed", "412500.00", "csv")]
    ask(database, folder, "--mapping", "mapping.toml")
    assert deals(database) == first, "the same file again writes nothing"

    corrected = BROKEN.replace("about four hundred", "400000")
    (folder / "deals.csv").write_text(HEADER + GOOD + corrected, encoding="utf-8")
    code, told = ask(database, folder, "--mapping", "mapping.toml")
    assert (code, told["data"]["fates"]) == (0, {"processed": 2}), told
    assert [row[1] for row in deals(database)] == ["412500.00", "400000.00"]


@pytest.mark.parametrize(
    ("words", "code"),
    [
        ((), "mapping_refused"),
        (("--mapping", "nowhere.toml"), "mapping_refused"),
    ],
)
def test_an_import_without_a_mapping_says_how_to_get_one(
    database: Database, folder: Path, words: tuple[str, ...], code: str
) -> None:
    status, told = ask(database, folder, *words)
    assert (status, told["error"]["code"]) == (1, code)
    assert told["error"]["hint"] and not deals(database)
