"""Connections, retries, COPY and errors on a real server."""

from __future__ import annotations

import contextlib
import math
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

import psycopg
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from resources.errors import ConfigError, DatabaseError
from resources.postgres import Database, JsonText, acopy_rows, copy_rows, load_sql
from resources.processes import free_port


def kill_backend(url: str, pid: int) -> None:
    with psycopg.connect(url, autocommit=True) as conn:
        conn.execute("select pg_terminate_backend(%s)", (pid,))


def test_a_block_that_ends_well_is_committed_and_one_that_fails_is_not(empty_database: str) -> None:
    db = Database(empty_database)
    with db.connect() as conn:
        conn.execute("create table t (n int)")
        conn.execute("insert into t values (1)")
    with contextlib.suppress(RuntimeError), db.connect() as conn:
        conn.execute("insert into t values (2)")
        raise RuntimeError
    with db.connect() as conn:
        assert conn.execute("select n from t").fetchall() == [(1,)]


def test_repr_shows_where_but_no_password(empty_database: str) -> None:
    db = Database(empty_database)
    password = empty_database.split(":")[2].split("@")[0]
    assert password not in repr(db)
    assert db.location in repr(db)


def test_a_wrong_password_is_refused_at_once_and_named(empty_database: str) -> None:
    scheme, rest = empty_database.split("://")
    db = Database(f"{scheme}://v2:wrong-one@{rest.split('@')[1]}", connect_deadline_s=60)
    with pytest.raises(DatabaseError, match="user or password are refused") as failure, db.connect():
        pass
    assert not failure.value.retryable
    assert "wrong-one" not in str(failure.value)


def test_a_missing_database_is_refused_at_once_and_named(empty_database: str) -> None:
    db = Database(empty_database + "_gone", connect_deadline_s=60)
    with pytest.raises(DatabaseError, match="that database does not exist") as failure, db.connect():
        pass
    assert not failure.value.retryable


def test_a_server_that_does_not_answer_is_waited_for_and_then_named() -> None:
    port = free_port()
    db = Database(f"postgresql://v2:secret@127.0.0.1:{port}/v2", connect_deadline_s=0.5)
    said = rf"127.0.0.1:{port}/v2 refused the connection: nobody answers"
    with pytest.raises(DatabaseError, match=said) as failure, db.connect():
        pass
    assert failure.value.retryable
    assert "secret" not in str(failure.value)


def test_an_unreadable_url_is_a_config_error_that_does_not_repeat_it() -> None:
    with pytest.raises(ConfigError) as failure:
        Database("postgresql://v2:se cret@[host/v2")
    assert "cret" not in str(failure.value)


def test_a_transaction_whose_connection_dies_is_run_again(empty_database: str) -> None:
    db = Database(empty_database)
    with db.connect() as conn:
        conn.execute("create table t (n int primary key)")
    runs: list[int] = []

    def work(conn: psycopg.Connection) -> str:
        runs.append(conn.info.backend_pid)
        conn.execute("insert into t values (1) on conflict do nothing")
        if len(runs) == 1:
            kill_backend(empty_database, conn.info.backend_pid)
        conn.execute("select 1")
        return "done"

    assert db.transaction_with_retry(work) == "done"
    assert len(runs) == 2
    with db.connect() as conn:
        assert conn.execute("select count(*) from t").fetchone() == (1,)


async def test_an_async_transaction_whose_connection_dies_is_run_again(empty_database: str) -> None:
    db = Database(empty_database)
    runs: list[int] = []

    async def work(conn: psycopg.AsyncConnection) -> int:
        runs.append(conn.info.backend_pid)
        if len(runs) == 1:
            kill_backend(empty_database, conn.info.backend_pid)
        await conn.execute("select 1")
        return len(runs)

    assert await db.atransaction_with_retry(work) == 2


def test_a_transaction_that_keeps_dying_is_given_up_after_the_attempts(empty_database: str) -> None:
    runs: list[int] = []

    def work(conn: psycopg.Connection) -> None:
        runs.append(1)
        kill_backend(empty_database, conn.info.backend_pid)
        conn.execute("select 1")

    with pytest.raises(DatabaseError) as failure:
        Database(empty_database).transaction_with_retry(work, attempts=2)
    assert failure.value.retryable
    assert len(runs) == 2


def test_an_error_that_a_second_run_cannot_help_is_not_run_again(empty_database: str) -> None:
    runs: list[int] = []

    def work(conn: psycopg.Connection) -> None:
        runs.append(1)
        conn.execute("select * from nowhere")

    with pytest.raises(DatabaseError, match="UndefinedTable 42P01"):
        Database(empty_database).transaction_with_retry(work)
    assert runs == [1]


def test_errors_name_the_rule_and_never_the_values(empty_database: str) -> None:
    db = Database(empty_database)
    with db.connect() as conn:
        conn.execute("create table person (email text primary key, age int check (age > 0))")
        conn.execute("insert into person values ('jane@example.org', 1)")
    for statement in (
        "insert into person values ('jane@example.org', 1)",
        "insert into person values ('jane@example.org', -9876543)",
        "select 'jane@example.org'::int",
        "select 'jane@example.org'::timestamptz",
        "select to_date('jane@example.org', 'YYYY')",
        "do $$ begin raise exception 'no jane@example.org: 9876543'; end $$",
    ):
        with pytest.raises(DatabaseError) as failure, db.connect() as conn:
            conn.execute(statement.encode())
        text = f"{failure.value} {failure.value.context}"
        assert "jane" not in text
        assert "9876543" not in text
        assert failure.value.__suppress_context__
    with pytest.raises(DatabaseError, match="person_pkey"), db.connect() as conn:
        conn.execute("insert into person values ('jane@example.org', 1)")


def test_waiting_for_a_lock_ends_and_may_be_tried_again(empty_database: str) -> None:
    patient, hasty = Database(empty_database), Database(empty_database, lock_timeout_s=0.1)
    with patient.connect() as first:
        first.execute("create table t (n int)")
        first.commit()
        first.execute("lock table t")
        with pytest.raises(DatabaseError) as failure, hasty.connect() as second:
            second.execute("select * from t")
        assert failure.value.retryable


async def test_a_pool_replaces_connections_that_died(empty_database: str) -> None:
    async with Database(empty_database).async_pool(1, 2) as pool:
        async with pool.connection() as conn:
            first = conn.info.backend_pid
        kill_backend(empty_database, first)
        async with pool.connection() as conn:
            assert conn.info.backend_pid != first
            await conn.execute("select 1")


async def test_a_pool_on_a_missing_database_says_so(empty_database: str) -> None:
    with pytest.raises(DatabaseError, match="does not exist"):
        async with Database(empty_database + "_gone").async_pool():
            pass


async def test_errors_in_a_pool_are_translated(empty_database: str) -> None:
    async with Database(empty_database).async_pool(1, 1) as pool:
        with pytest.raises(DatabaseError, match="InvalidTextRepresentation"):
            async with pool.connection() as conn:
                await conn.execute("select 'secret'::int")


TEXT = st.text(st.characters(exclude_categories=("Cs",), exclude_characters="\0"), max_size=20)
SCALARS = st.none() | TEXT


def composed(inner: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    return st.lists(inner, max_size=3) | st.dictionaries(TEXT, inner, max_size=3)


JSON = composed(st.recursive(st.booleans() | st.integers(-(2**53), 2**53) | SCALARS, composed, max_leaves=6))


@settings(max_examples=40)
@given(rows=st.lists(st.tuples(SCALARS, JSON, st.binary(max_size=20), st.integers(-(2**63), 2**63 - 1)), max_size=5))
def test_whatever_is_copied_in_comes_out_the_same(empty_database: str, rows: list[tuple[Any, ...]]) -> None:
    with psycopg.connect(empty_database) as conn, conn.cursor() as cur:
        cur.execute("create temp table t (n int generated always as identity, a text, b jsonb, c bytea, d bigint)")
        assert copy_rows(cur, "t", ("a", "b", "c", "d"), rows) == len(rows)
        assert cur.execute("select a, b, c, d from t order by n").fetchall() == rows


def test_copy_writes_every_kind_of_value(empty_database: str) -> None:
    at = datetime(2026, 1, 2, 3, 4, 5, 678, UTC)
    row = (True, 1.5, Decimal("2.50"), at, at.date(), UUID(int=7), JsonText(b'{"a": "b\\\\c"}'), math.inf)
    with psycopg.connect(empty_database) as conn, conn.cursor() as cur:
        cur.execute("create schema s")
        cur.execute("create table s.t (a bool, b float8, c numeric, d timestamptz, e date, f uuid, g jsonb, h float8)")
        copy_rows(cur, "s.t", tuple("abcdefgh"), [row])
        assert cur.execute("select * from s.t").fetchone() == (*row[:6], {"a": "b\\c"}, math.inf)


async def test_async_copy_sends_large_batches_in_several_writes(empty_database: str) -> None:
    async with Database(empty_database).aconnect() as conn, conn.cursor() as cur:
        await cur.execute("create temp table t (a int, b text)")
        assert await acopy_rows(cur, "t", ("a", "b"), ((n, "x" * 1000) for n in range(1000))) == 1000
        await cur.execute("select count(*), sum(length(b)) from t")
        assert await cur.fetchone() == (1000, 1_000_000)


def test_a_row_of_the_wrong_width_is_an_error_and_nothing_is_stored(empty_database: str) -> None:
    with psycopg.connect(empty_database, autocommit=True) as conn, conn.cursor() as cur:
        cur.execute("create temp table t (a int, b text)")
        with pytest.raises(ValueError, match="1 values for 2 columns"):
            copy_rows(cur, "t", ("a", "b"), [(1, "x"), (2,)])
        assert cur.execute("select count(*) from t").fetchone() == (0,)


def test_sql_is_read_from_the_file_beside_the_module(tmp_path: Any, empty_database: str) -> None:
    (tmp_path / "one.sql").write_text("-- one row\nselect '{}'::jsonb as empty, %(n)s + 1 as more;\n")
    statement = load_sql(str(tmp_path / "module.py"), "one.sql")
    with Database(empty_database).connect() as conn:
        assert conn.execute(statement, {"n": 1}).fetchone() == ({}, 2)
