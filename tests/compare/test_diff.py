"""The diff finds what differs and nothing else: against a naive comparison in Python, and rule by rule."""

from __future__ import annotations

import asyncio
import json
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from resources.errors import BadRequest
from resources.postgres import Database
from tests.compare.memory import Memory
from v2_assets.compare.between import between
from v2_assets.compare.engine import SAMPLES, CompareFailed, ComparisonResult, Scope, TableResult, compare, load
from v2_assets.compare.mapping import mappings
from v2_assets.compare.sides import LOST
from v2_assets.compare.snapshot import take
from v2_assets.compare.source import v1_tables_for

ACCOUNTS, USERS = (51, 52), ("ada@example.test", "bo@example.test")
THEN = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)


@pytest.fixture(scope="module")
def shared(postgres_server: Any, migrated_template: str) -> Iterator[Database]:
    name = postgres_server.create(template=migrated_template)
    yield Database(postgres_server.url(name))
    postgres_server.drop(name)


def bring(database: Database, **tables: Iterable[Any]) -> None:
    """V1's tables as given; those that comparing them needs too are there and empty."""
    everything: dict[str, Iterable[Any]] = dict.fromkeys(v1_tables_for(set(tables) & set(mappings())), ())
    asyncio.run(take(database, Memory({**everything, **tables}), [*{**everything, **tables}], "memory"))


def write(database: Database, table: str, rows: Iterable[Mapping[str, Any]]) -> list[int]:
    """Rows of a V2 table; returns their ids."""
    ids = []
    with database.connect() as connection:
        for row in rows:
            names = ", ".join(f'"{name}"' for name in row)
            text = f'insert into v2."{table}" ({names}) values ({", ".join(["%s"] * len(row))}) returning id'
            values = [json.dumps(value) if isinstance(value, dict) else value for value in row.values()]
            ids.append(connection.execute(text.encode(), values).fetchall()[0][0])
    return ids


def only(result: ComparisonResult, table: str) -> TableResult:
    return next(each for each in result.tables if each.table == table)


def samples(database: Database, number: int, table: str) -> list[dict[str, Any]]:
    with database.connect() as connection:
        rows = connection.execute(
            "select kind, keys, v1_id, v2_id, user_id, cells, reason from ops.comparison_diff"
            " where run_id = %s and table_name = %s order by id",
            [number, table],
        ).fetchall()
    return [
        dict(zip(("kind", "keys", "v1_id", "v2_id", "user_id", "cells", "reason"), row, strict=True)) for row in rows
    ]


@dataclass
class Crm:
    """Two accounts and two users that both sides have, under other numbers in V1."""

    database: Database
    accounts: list[int]
    users: list[int]

    def v1(self, people: Iterable[Mapping[str, Any]], **more: Iterable[Any]) -> None:
        bring(
            self.database,
            user=[{"id": 900 + n, "email": email.upper()} for n, email in enumerate(USERS)],
            fub_accounts=[{"id": 70 + n, "account_id_raw": raw} for n, raw in enumerate(ACCOUNTS)],
            fub_people=people,
            **more,
        )


@pytest.fixture
def crm(database: Database) -> Crm:
    return entered(database)


def entered(database: Database) -> Crm:
    users = write(database, "user", [{"email": email} for email in USERS])
    accounts = write(database, "fub_accounts", [{"account_id_raw": raw, "source": "fub"} for raw in ACCOUNTS])
    return Crm(database, accounts, users)


# One contact as both sides understand it: account (0, 1), number, and compared values.
VALUES = st.fixed_dictionaries(
    {
        "people_name": st.sampled_from([None, "Ann", "ann", "Bo "]),
        "price": st.sampled_from([None, "0", "10.50", "10.51", "10.504"]),
        "contacted": st.sampled_from([None, True, False]),
        "fub_created_at": st.sampled_from([None, 0, 1, 2, 900]),
        "tags": st.sampled_from([None, [], ["a"], ["a", "b"], ["b", "a"]]),
        "custom_fields": st.sampled_from([None, {}, {"x": 1}, {"x": 2}]),
        "user": st.sampled_from([None, 0, 1]),
    }
)
PEOPLE = st.dictionaries(st.tuples(st.integers(0, 1), st.integers(1, 6)), VALUES, max_size=7)


def same_value(name: str, a: Any, b: Any) -> bool:
    """The rules, said once more and plainly."""
    if name == "tags":
        return set(a or ()) == set(b or ())
    if name == "custom_fields":
        return (a or None) == (b or None)
    if a is None or b is None:
        return a is b
    if name == "price":
        return abs(Decimal(a) - Decimal(b)) <= Decimal("0.005")
    if name == "fub_created_at":
        return abs(a - b) <= 1
    return a == b


def naive(left: Mapping[Any, Any], right: Mapping[Any, Any], gone: set[Any]) -> tuple[Counter[str], Counter[str]]:
    kinds: Counter[str] = Counter()
    columns: Counter[str] = Counter()
    for key in left.keys() | right.keys():
        living = key in right and key not in gone
        if key not in left:
            kinds["extra"] += living
        elif not living:
            kinds["missing"] += 1
        else:
            differing = [name for name in left[key] if not same_value(name, left[key][name], right[key][name])]
            kinds["changed" if differing else "same"] += 1
            columns.update("user_id" if name == "user" else name for name in differing)
    return kinds, columns


def as_v1(people: Mapping[Any, Any]) -> list[dict[str, Any]]:
    return [
        {
            "id": n + 1,
            "fub_account_id": 70 + account,
            "fub_people_id_raw": number,
            **{k: v for k, v in values.items() if k != "user"},
            "user_id": 0 if values["user"] is None else 900 + values["user"],
            "fub_created_at": None if values["fub_created_at"] is None else moment(values["fub_created_at"]),
        }
        for n, ((account, number), values) in enumerate(people.items())
    ]


def moment(seconds: int) -> int:
    return round((THEN + timedelta(seconds=seconds)).timestamp() * 1000)


def as_v2(crm: Crm, people: Mapping[Any, Any], gone: set[Any]) -> list[dict[str, Any]]:
    return [
        {
            "fub_account_id": crm.accounts[account],
            "fub_people_id_raw": number,
            **{k: v for k, v in values.items() if k != "user"},
            "user_id": None if values["user"] is None else crm.users[values["user"]],
            "fub_created_at": None
            if values["fub_created_at"] is None
            else THEN + timedelta(seconds=values["fub_created_at"]),
            "source": "fub",
            "deleted_at": THEN if (account, number) in gone else None,
        }
        for (account, number), values in people.items()
    ]


@settings(max_examples=12)
@given(shared_rows=PEOPLE, only_left=PEOPLE, only_right=PEOPLE, data=st.data())
def test_the_diff_is_what_a_naive_comparison_finds(
    shared: Database, shared_rows: Any, only_left: Any, only_right: Any, data: Any
) -> None:
    left, right = {**only_left, **shared_rows}, {**only_right, **shared_rows}
    gone = data.draw(st.sets(st.sampled_from(sorted(right)))) if right else set()
    with shared.connect() as connection:
        connection.execute('truncate v2."user", v2.fub_accounts, v2.fub_people cascade')
    crm = entered(shared)
    crm.v1(as_v1(left))
    write(shared, "fub_people", as_v2(crm, right, gone))
    found = only(compare(shared, tables=["fub_people"]), "fub_people")
    kinds, columns = naive(left, right, gone)
    assert (found.missing, found.extra, found.changed, found.same) == (
        kinds["missing"], kinds["extra"], kinds["changed"], kinds["same"],
    )  # fmt: skip
    assert found.changed_columns == dict(columns)
    assert (found.rows_v1, found.rows_v2) == (len(left), len(right) - len(gone))


def person(number: int, **values: Any) -> dict[str, Any]:
    return {"id": number, "fub_account_id": 70, "fub_people_id_raw": number, **values}


def here(crm: Crm, number: int, **values: Any) -> dict[str, Any]:
    return {"fub_account_id": crm.accounts[0], "fub_people_id_raw": number, "source": "fub", **values}


def test_a_key_that_v1_has_twice_is_told_and_compared_once_by_its_newest_row(crm: Crm) -> None:
    old, new = person(1, people_name="Old", updated_at=moment(0)), person(1, people_name="New", updated_at=moment(9))
    alone = [{**person(5), "id": 6}, {**person(5), "id": 7}]
    crm.v1([{**old, "id": 3}, {**new, "id": 2}, person(4), *alone])
    write(crm.database, "fub_people", [here(crm, 1, people_name="New"), here(crm, 4)])
    found = only(compare(crm.database, tables=["fub_people"]), "fub_people")
    assert found.schema_differences["duplicate_keys"] == {"keys": 2, "rows": 2}
    assert (found.rows_v1, found.same, found.missing, found.changed) == (5, 2, 3, 0)
    assert found.reasons == {"v1_wrong": 2, "never_fetched": 1}


def test_a_pointer_is_compared_by_the_row_it_means_and_a_lost_one_is_no_null(crm: Crm) -> None:
    crm.v1([person(1, user_id=900), person(2, user_id=901), person(3, user_id=555), person(4, user_id=0)])
    rows = [here(crm, 1, user_id=crm.users[0]), here(crm, 2, user_id=crm.users[0]), here(crm, 3), here(crm, 4)]
    write(crm.database, "fub_people", rows)
    result = compare(crm.database, tables=["fub_people"])
    cells = {row["keys"]["fub_people_id_raw"]: row["cells"] for row in samples(crm.database, result.id, "fub_people")}
    assert cells == {2: {"user_id": [crm.users[1], crm.users[0]]}, 3: {"user_id": [LOST, None]}}


def test_what_v2_finds_out_where_v1_left_it_empty_is_no_difference(database: Database) -> None:
    told = {"transaction_id": 5, "listing_id": 0}
    bring(
        database,
        user=[{"id": 9, "email": "ada@example.test"}],
        transaction=[{"id": 5, "transaction_id_raw": "t"}],
        participant=[{"id": 1, "user_id": 0, **told}, {"id": 2, "user_id": 9, **told}],
    )
    users = write(database, "user", [{"email": email} for email in USERS])
    [deal] = write(database, "transaction", [{"transaction_id_raw": "t", "source": "v1"}])
    people = [
        {"participant_id_raw": f"v1:{n}", "transaction_id": deal, "source": "v1", "user_id": users[1]} for n in (1, 2)
    ]
    write(database, "participant", people)
    result = compare(database, tables=["participant"])
    [changed] = samples(database, result.id, "participant")
    assert (changed["v1_id"], changed["cells"]) == ("2", {"user_id": [users[0], users[1]]})


def test_a_row_whose_parent_v2_lacks_is_missing_whatever_else_is_there(crm: Crm) -> None:
    lost = person(1, created_at=moment(0))
    crm.v1([{**lost, "fub_account_id": 999}, {**lost, "id": 2, "fub_account_id": 998}])
    write(crm.database, "fub_people", [here(crm, 1)])
    found = only(compare(crm.database, tables=["fub_people"]), "fub_people")
    assert (found.missing, found.extra, found.rows_v1) == (2, 1, 2)
    assert found.reasons["v1_wrong"] == 2, "V1 has no such account either"
    assert "duplicate_keys" not in found.schema_differences


def test_a_deleted_row_of_v2_is_not_there_and_is_named_to_whoever_explains(crm: Crm) -> None:
    crm.v1([person(1)])
    ids = write(crm.database, "fub_people", [here(crm, 1, deleted_at=THEN), here(crm, 2, deleted_at=THEN)])
    result = compare(crm.database, tables=["fub_people"])
    assert [(row["kind"], row["v2_id"]) for row in samples(crm.database, result.id, "fub_people")] == [
        ("missing", ids[0])
    ]
    assert only(result, "fub_people").rows_v2 == 0


def test_rows_that_moved_after_the_snapshot_are_in_flight_and_count_in_no_column(crm: Crm) -> None:
    crm.v1([person(1, people_name="Then"), person(2, people_name="Then")])
    later = datetime.now(UTC) + timedelta(hours=1)
    rows = [here(crm, 1, people_name="Now", source_updated_at=later), here(crm, 3, source_updated_at=later)]
    write(crm.database, "fub_people", [*rows, here(crm, 2, people_name="Other")])
    found = only(compare(crm.database, tables=["fub_people"]), "fub_people")
    assert found.reasons["in_flight"] == 2
    assert found.changed_columns == {"people_name": 1}


def test_codes_forms_and_splits_bring_v1s_words_into_v2s(database: Database) -> None:
    deal = {"id": 5, "transaction_id_raw": "", "status": "UNDER CONTRACT?", "transaction_type": "RESIDENTIAL_SALE"}
    known = {"id": 6, "transaction_id_raw": "t6", "status": "closed", "sale_price": 10.004, "currency": "usd"}
    bring(database, transaction=[deal, known])
    mine = {"transaction_id_raw": "v1:5", "status": "Pending", "transaction_type": "Sale", "source": "v1"}
    living = {"transaction_id_raw": "t6", "status": "Closed", "sale_price": 10, "currency": "USD", "source": "rezen"}
    ids = write(database, "transaction", [mine, {**living, "source": "v1", "status": "Pending"}, living])
    money = {"transaction_id": ids[2], "sale_price": 11, "currency": "USD", "source": "rezen"}
    write(database, "transaction_financials", [money])
    result = compare(database, tables=["transaction", "transaction_financials"])
    [changed] = samples(database, result.id, "transaction")
    assert (changed["keys"], changed["cells"]) == (
        {"transaction_id_raw": "v1:5"}, {"status": ["UNDER CONTRACT?", "Pending"]},
    )  # fmt: skip
    split = samples(database, result.id, "transaction_financials")
    told = {row["v1_id"]: (row["kind"], row["cells"]) for row in split}
    assert told == {"5": ("missing", {}), "6": ("changed", {"sale_price": [10.004, 11]})}


def test_one_v2_table_out_of_several_of_v1_is_compared_as_their_union(database: Database) -> None:
    line = "1 Elm St, Provo, UT 84601"
    bring(database, listing=[{"id": 1, "address": line}], transaction=[{"id": 1, "address": line}],
          title_orders=[{"id": 3, "property_address": "2 Elm St, Provo, UT 84601"}, {"id": 4}])  # fmt: skip
    with database.connect() as connection:
        key = connection.execute("select ops.address_key(%s)", [line]).fetchall()[0][0]
    write(database, "address", [{"address_key": key, "source": "rezen"}])
    found = only(compare(database, tables=["address"]), "address")
    assert (found.rows_v1, found.rows_v2, found.missing, found.same) == (2, 1, 1, 1)


def test_a_scope_looks_at_some_users_or_at_a_share_of_the_keys(crm: Crm) -> None:
    crm.v1([person(n, user_id=900 + n % 2) for n in range(1, 201)])
    write(crm.database, "fub_people", [here(crm, n, user_id=crm.users[n % 2]) for n in range(1, 101)])
    one = only(compare(crm.database, tables=["fub_people"], scope=Scope(users=(crm.users[0],))), "fub_people")
    assert (one.rows_v1, one.rows_v2, one.missing, one.same) == (100, 50, 50, 50)
    few = [only(compare(crm.database, tables=["fub_people"], scope=Scope(sample=10)), "fub_people") for _ in range(2)]
    assert 0 < (few[0].rows_v1 or 0) < 60
    assert (few[0].rows_v1, few[0].missing, few[0].same) == (few[1].rows_v1, few[1].missing, few[1].same)


def test_samples_are_capped_and_counts_are_not(crm: Crm) -> None:
    crm.v1([person(n) for n in range(1, SAMPLES + 51)])
    result = compare(crm.database, tables=["fub_people"])
    assert only(result, "fub_people").missing == SAMPLES + 50
    assert len(samples(crm.database, result.id, "fub_people")) == SAMPLES


def test_two_comparisons_tell_what_is_new_gone_and_still_there(crm: Crm) -> None:
    crm.v1([person(1), person(2)])
    first = compare(crm.database, tables=["fub_people"])
    write(crm.database, "fub_people", [here(crm, 1), here(crm, 3)])
    second = compare(crm.database, tables=["fub_people"])
    told = {
        change.kind: (change.new, change.gone, change.still) for change in between(crm.database, first.id, second.id)
    }
    assert told == {"missing": (0, 1, 1), "extra": (1, 0, 0)}
    assert load(crm.database).id == second.id
    with pytest.raises(BadRequest, match="no finished comparison 999"):
        between(crm.database, 999, second.id)


def test_a_table_that_was_never_read_is_an_error_that_names_it_and_the_others_are_compared(crm: Crm) -> None:
    crm.v1([person(1)])
    with crm.database.connect() as connection:
        connection.execute("delete from ops.v1_snapshot where table_name = 'fub_people'")
    with pytest.raises(CompareFailed, match="fub_people"):
        compare(crm.database, tables=["fub_people", "fub_accounts"])
    result = load(crm.database)
    assert result.status == "failed"
    assert {each.table: each.status for each in result.tables} == {"fub_people": "failed", "fub_accounts": "compared"}
    assert (only(result, "fub_people").error or {})["code"] == "snapshot_missing"


def test_a_table_that_v2_does_not_have_is_refused(database: Database) -> None:
    with pytest.raises(BadRequest, match="no_such"):
        compare(database, tables=["no_such"])
