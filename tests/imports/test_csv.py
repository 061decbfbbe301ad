"""Files of users: read in every spelling, merged through the ledger, and never worse for coming twice."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from resources.postgres import Database
from tests.merge.stage import V2, enter_users
from v2_assets.deals import units as deals
from v2_assets.imports.csv import FileImport, FileRefused, check_file, fates_of, opened, stage_file
from v2_assets.imports.mapping import FileMapping, MappingRefused, as_toml, load_mapping, suggested
from v2_assets.merge import merge_work
from v2_assets.reference import units as reference

MAPPING = """
name = "sheet"
id = "Deal No"
currency = "USD"
[columns]
"Address" = "address"
"City" = "address"
"Status" = "status"
"Close Date" = "closing_date"
"Price" = "sale_price"
"Buyer" = "buyer"
"Agent E-Mail" = "transaction_owner_email"
[words.status]
"Sold" = "Closed"
"""
HEADER = "Deal No,Address,City,Status,Close Date,Price,Buyer,Agent E-Mail\n"
GOOD = 'A-1,12 Oak St,"Austin, TX 78701",Sold,03/04/2031,"$412,500.00",Ida  Blom,Ann@Example.test\n'
SECOND = 'A-2,7 Elm Ave,"Austin, TX 78701",Pending,2031-05-06,300000,,\n'


def mapping_of(tmp_path: Path, text: str = MAPPING) -> FileMapping:
    path = tmp_path / "mapping.toml"
    path.write_text(text, encoding="utf-8")
    return load_mapping(path)


def bring(database: Database, tmp_path: Path, text: str) -> FileImport:
    path = tmp_path / "deals.csv"
    path.write_text(text, encoding="utf-8")
    told = asyncio.run(stage_file(database, path, mapping_of(tmp_path), 1, "run"))
    with database.connect(autocommit=True) as connection:
        merge_work(connection, reference.ADDRESS, 1, "run")
        for unit in (deals.FROM_CSV,):
            merge_work(connection, (unit,), 1, "run")
    return told


def state(database: Database) -> dict[str, list[dict]]:
    with database.connect() as connection:
        return V2(connection).state()


@pytest.fixture
def one_user(database: Database) -> Database:
    with database.connect() as connection:
        enter_users(connection, [{"id": 1}])
    return database


def test_a_row_becomes_a_deal_with_its_address_and_its_people(one_user: Database, tmp_path: Path) -> None:
    told = bring(one_user, tmp_path, HEADER + GOOD)
    assert (told.good, told.broken, told.stored and told.stored["new"]) == (1, 0, 1)
    rows = state(one_user)
    (deal,) = rows["transaction"]
    assert deal["source"] == "csv"
    assert deal["transaction_id_raw"] == "sheet/1/A-1"
    assert (deal["status"], deal["closed"], deal["sale_price"], deal["currency"]) == ("Closed", True, 412500, "USD")
    assert (deal["closing_date"], deal["transaction_owner_email"]) == ("2031-03-04", "ann@example.test")
    assert deal["address_id"] == rows["address"][0]["address_key"]
    (buyer,) = rows["participant"]
    assert (buyer["role"], buyer["first_name"], buyer["last_name"]) == ("Buyer", "Ida", "Blom")
    assert len(rows["transaction_participants"]) == 1


def test_the_same_file_again_changes_nothing_and_a_corrected_one_updates(one_user: Database, tmp_path: Path) -> None:
    bring(one_user, tmp_path, HEADER + GOOD + SECOND)
    before = state(one_user)
    again = bring(one_user, tmp_path, HEADER + GOOD + SECOND)
    assert again.stored is not None
    assert (again.stored["new"], again.stored["changed"], state(one_user)) == (0, 0, before)
    bring(one_user, tmp_path, HEADER + GOOD.replace("412,500", "415,000"))
    prices = {row["transaction_id_raw"]: row["sale_price"] for row in state(one_user)["transaction"]}
    assert prices == {"sheet/1/A-1": 415000, "sheet/1/A-2": 300000}, "what a file leaves out is not deleted"


def test_broken_rows_say_line_and_column_and_recover_by_a_corrected_file(one_user: Database, tmp_path: Path) -> None:
    broken = GOOD.replace("03/04/2031", "soon")
    told = bring(one_user, tmp_path, HEADER + SECOND + broken + "A-3,short\n" + GOOD.replace("A-1", ""))
    assert [p["where"] for p in told.problems] == ["line 3, column Close Date", "line 4", "line 5, column Deal No"]
    assert "soon" not in str(told.problems), "an answer shows no values"
    assert fates_of(one_user, 1, "sheet") == {
        "processed": 1,
        "rejected:invalid_record": 2,
        "rejected:missing_key": 1,
    }
    bring(one_user, tmp_path, HEADER + SECOND + GOOD)
    assert fates_of(one_user, 1, "sheet") == {"processed": 2, "filtered:replaced": 2}


def test_a_row_that_comes_twice_is_a_duplicate_and_one_id_with_two_contents_is_refused(
    one_user: Database, tmp_path: Path
) -> None:
    told = bring(one_user, tmp_path, HEADER + GOOD + GOOD + GOOD.replace("412", "413"))
    assert (told.identical, told.broken) == (1, 1)
    assert fates_of(one_user, 1, "sheet") == {"duplicate:same_record": 1, "processed": 1, "rejected:repeated_key": 1}
    assert len(state(one_user)["transaction"]) == 1


def test_an_unknown_word_is_rejected_and_recovers_once_it_is_known(one_user: Database, tmp_path: Path) -> None:
    bring(one_user, tmp_path, HEADER + GOOD.replace("Sold", "In limbo"))
    assert fates_of(one_user, 1, "sheet") == {"rejected:unknown_code": 1}
    with one_user.connect() as connection:
        connection.execute("insert into ops.code_map values ('transaction_status', 'csv', 'IN_LIMBO', 'Pending')")
        connection.execute("update staging.stage_csv_import set status = 'pending', status_reason = null")
    with one_user.connect(autocommit=True) as connection:
        merge_work(connection, (deals.FROM_CSV,), 1, "run")
    assert fates_of(one_user, 1, "sheet") == {"processed": 1}


def test_without_an_id_a_deal_is_known_by_address_day_and_price(tmp_path: Path) -> None:
    mapping = mapping_of(tmp_path, MAPPING.replace('id = "Deal No"', ""))
    path = tmp_path / "deals.csv"
    path.write_text(HEADER + GOOD + GOOD.replace("A-1", "B-1") + ",,,Sold,,,,\n", encoding="utf-8")
    told = check_file(path, mapping, 1)
    assert (told.good, told.identical, told.broken) == (2, 1, 1)
    assert told.problems[0]["reason"] == "missing_key"


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "cp1252"])
@pytest.mark.parametrize("delimiter", [",", ";", "\t", "|"])
def test_encodings_and_delimiters_are_found(tmp_path: Path, encoding: str, delimiter: str) -> None:
    path = tmp_path / "deals.csv"
    path.write_bytes(f'Käufer{delimiter}Preis\r\n"Zoë\r\nBlöm"{delimiter}1\r\n\r\nx{delimiter}2\r\n'.encode(encoding))
    with opened(path) as (header, rows):
        assert header == ["Käufer", "Preis"]
        assert list(rows) == [(2, ["Zoë\r\nBlöm", "1"]), (5, ["x", "2"])]


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"", "empty"),
        (b"\r\n\r\n", "no header"),
        (b"a,b,a\n1,2,3\n", "twice: a"),
        (b"a,b\n\x00\x01,2\n", "not text"),
        (b"a,b\n\x81\x8d,2\n", "neither UTF-8 nor Windows"),
        (b'a,b\n1,"open\n', "line 2"),
    ],
)
def test_a_file_that_cannot_be_read_is_refused_with_the_reason(tmp_path: Path, content: bytes, said: str) -> None:
    path = tmp_path / "deals.csv"
    path.write_bytes(content)
    with pytest.raises(FileRefused, match=said), opened(path) as (_, rows):
        list(rows)


def test_a_file_without_rows_is_refused(one_user: Database, tmp_path: Path) -> None:
    with pytest.raises(FileRefused, match="no rows"):
        bring(one_user, tmp_path, HEADER)


def test_a_column_that_the_file_lacks_is_named(tmp_path: Path) -> None:
    path = tmp_path / "deals.csv"
    path.write_text("Deal No,Address\nA-1,x\n", encoding="utf-8")
    with pytest.raises(MappingRefused, match="City, Status, Close Date"):
        check_file(path, mapping_of(tmp_path), 1)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("[columns", "not TOML"),
        ('[columns]\n"A" = "salary"', "do not exist: salary"),
        ('[columns]\n"A" = "status"\n"B" = "status"', "two columns fill status"),
        ("[columns]", "names no column"),
        ('colour = 1\n[columns]\n"A" = "status"', "colour"),
    ],
)
def test_a_mapping_that_is_wrong_says_where(tmp_path: Path, text: str, said: str) -> None:
    with pytest.raises(MappingRefused, match=said):
        mapping_of(tmp_path, text)


def test_a_suggestion_can_be_saved_and_read_back(tmp_path: Path) -> None:
    wanted = suggested(["Deal #", "MLS #", "Property Address", "Close Date", 'Sale "Price"', "Shoe size"])
    assert {how.field for how in wanted.columns.values()} == {"mls_num", "address", "closing_date", "sale_price"} - {
        name for name in ("mls_num",) if "MLS #" not in wanted.columns
    }
    assert mapping_of(tmp_path, as_toml(wanted)) == wanted
