"""V1 on another server: only rows of unequal buckets are moved, and the result is that of reading it whole."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

import pytest
from hypothesis import given, settings
from psycopg import sql
from psycopg.types.json import Jsonb

from resources.apis.xano.copies import PostgresCopyClient
from resources.postgres import Database
from tests.compare.test_diff import PEOPLE, THEN, as_v1, as_v2, entered, naive, only
from v2_assets.compare.engine import compare
from v2_assets.compare.snapshot import Taken, take

_TYPES = {
    "id": "bigint", "fub_account_id": "bigint", "fub_people_id_raw": "bigint", "price": "numeric(14,4)",
    "contacted": "boolean", "fub_created_at": "timestamptz", "tags": "jsonb", "custom_fields": "json",
    "user_id": "bigint",
}  # fmt: skip


@pytest.fixture(scope="module")
def two(postgres_server: Any, migrated_template: str) -> Iterator[tuple[Database, Database]]:
    names = [postgres_server.create(template=migrated_template), postgres_server.create()]
    yield Database(postgres_server.url(names[0])), Database(postgres_server.url(names[1]))
    for name in names:
        postgres_server.drop(name)


def put(remote: Database, tables: Mapping[str, Iterable[Mapping[str, Any]]]) -> None:
    """V1 as somebody restored it on a server of its own."""
    with remote.connect() as connection:
        connection.execute("drop schema if exists old cascade; create schema old")
        for table, rows in tables.items():
            listed = list(rows)
            names = list(dict.fromkeys(["id", *(name for row in listed for name in row)]))
            kinds = ", ".join(f"{name} {_TYPES.get(name, 'text')}" for name in names)
            connection.execute(f'create table old."{table}" ({kinds})'.encode())
            for row in listed:
                connection.execute(
                    sql.SQL("insert into {} ({}) values ({})").format(
                        sql.Identifier("old", table),
                        sql.SQL(", ").join(map(sql.Identifier, row)),
                        sql.SQL(", ").join([sql.SQL("%s")] * len(row)),
                    ),
                    [_value(name, value) for name, value in row.items()],
                )


def _value(name: str, value: Any) -> Any:
    if name in ("tags", "custom_fields"):
        return None if value is None else Jsonb(value)
    if name == "fub_created_at" and value is not None:
        return THEN.fromtimestamp(value / 1000, THEN.tzinfo)
    return value


def read(database: Database, remote: Database, *, again: bool = False) -> Taken:
    client = PostgresCopyClient(remote.url, "old")
    tables = ("user", "fub_accounts", "fub_people")
    told = asyncio.run(take(database, client, tables, "Postgres copy", again=again))
    absent = {"team", "agent", "fub_users", "fub_stages"}
    asyncio.run(take(database, client, tuple(absent), "Postgres copy"))
    return told[-1]


def rows(database: Database) -> list[Any]:
    with database.connect() as connection:
        return connection.execute("select * from v1.fub_people order by id").fetchall()


def around(people: Any) -> dict[str, Any]:
    return {
        "user": [{"id": 900, "email": "ada@example.test"}, {"id": 901, "email": "bo@example.test"}],
        "fub_accounts": [{"id": 70, "account_id_raw": 51}, {"id": 71, "account_id_raw": 52}],
        "fub_people": as_v1(people),
    }


@settings(max_examples=4)
@given(before=PEOPLE, now=PEOPLE, here=PEOPLE)
def test_reading_unequal_buckets_gives_what_reading_all_gives_and_the_same_diff(
    two: tuple[Database, Database], before: Any, now: Any, here: Any
) -> None:
    database, remote = two
    with database.connect() as connection:
        connection.execute('truncate v2."user", v2.fub_accounts, v2.fub_people, ops.v1_snapshot cascade')
    crm = entered(database)
    with database.connect() as connection:
        values = as_v2(crm, here, set())
        for row in values:
            names = sql.SQL(", ").join(map(sql.Identifier, row))
            connection.execute(
                sql.SQL("insert into v2.fub_people ({}) values ({})").format(
                    names, sql.SQL(", ").join([sql.SQL("%s")] * len(row))
                ),
                [
                    Jsonb(value) if name == "custom_fields" and value is not None else value
                    for name, value in row.items()
                ],
            )
    put(remote, around(before))
    read(database, remote)
    put(remote, around(now))
    read(database, remote)
    by_buckets, found = rows(database), only(compare(database, tables=["fub_people"]), "fub_people")
    read(database, remote, again=True)
    whole, again = rows(database), only(compare(database, tables=["fub_people"]), "fub_people")
    assert by_buckets == whole
    kinds, columns = naive(now, here, set())
    for each in (found, again):
        assert (each.missing, each.extra, each.changed, each.same) == (
            kinds["missing"], kinds["extra"], kinds["changed"], kinds["same"],
        )  # fmt: skip
        assert each.changed_columns == dict(columns)


def test_rows_that_are_alike_are_not_moved_again(two: tuple[Database, Database]) -> None:
    database, remote = two
    with database.connect() as connection:
        connection.execute("truncate ops.v1_snapshot")
    tags = [{"id": n, "transaction_id": "7", "tag": f"tag {n}"} for n in range(1, 501)]
    put(remote, {"transaction_tags": tags})
    client = PostgresCopyClient(remote.url, "old")

    def again() -> Taken:
        return asyncio.run(take(database, client, ("transaction_tags",), "Postgres copy"))[0]

    assert (again().kept, again().kept) == (0, 500)
    with remote.connect() as connection:
        connection.execute("update old.transaction_tags set tag = 'tag 7 ' where id = 7")
        connection.execute("delete from old.transaction_tags where id = 8")
    told = again()
    assert (told.rows, 480 < told.kept < 499) == (499, True)
    with database.connect() as connection:
        found = connection.execute("select tag from v1.transaction_tags where id in ('7', '8')").fetchall()
    assert found == [("tag 7 ",)]
