"""A crowd: many users with rows in every table that the endpoints read, and a count of what a question looks at.

`fill` makes it, in SQL and by the declarations alone, so a new table is in it. `read_by` says how many rows of which
tables Postgres looked at, inside functions too. Tests use a small crowd whose tables pass for large ones (`pretend`);
`bench/own_rows.py` uses millions of rows.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from typing import Any

import psycopg
from psycopg import sql
from sqlalchemy import Column, Table

from v2_assets.api.asked import Parameters
from v2_assets.api.endpoint import RANGED, Endpoint, Type, type_of
from v2_assets.schema.describe import table_named, type_name
from v2_assets.schema.visibility import RULES

TEAMS, ACCOUNTS = 25, 16
#: Filled before the tables that point to them.
_FIRST = ("transaction", "listing", "fub_people", "participant")
_LEFT_TO_IT = {"created_at", "updated_at", "deleted_at", "source_updated_at"}
#: `g` counts rows, `u` is whose the row is, `n` counts the rows of one user.
_POINTERS = {
    "user_id": "u",
    "ad_user_id": "u",
    "agent_id": "1000 + u",
    "receiving_agent_id": "1000 + u",
    "transaction_owner_agent_id": "1000 + u",
    "team_id": f"1 + u % {TEAMS}",
    "transaction_id": "g",
    "listing_id": "g",
    "participant_id": "g",
    "fub_people_id": "g",
    "invited_person_id": "g",
    "fub_account_id": f"1 + u % {ACCOUNTS}",
}
_VALUES = {
    "text": "'word ' || g % 7",
    "bigint": "g % 10",
    "smallint": "1 + g % 5",
    "boolean": "g % 2 = 0",
    "date": "date '2026-01-01' + (g % 300)::int",
    "timestamptz": "timestamptz '2026-01-01' + g % 500000 * interval '1 minute'",
    "text[]": "'{a}'",
    "jsonb": "'{}'",
}
_KEYS = {
    "text": "'{column} ' || g",
    "date": "date '1990-01-01' + n::int",
    "timestamptz": "timestamptz '1990-01-01' + n * interval '1 minute'",
    "smallint": "1 + n % 5",
}


def with_many_rows() -> list[str]:
    """The tables of which a user has as many rows as wanted; of the others there is one by their key."""
    tables = [name for name in RULES if name not in ("agent", "team") and not name.startswith("ops.")]
    return [n for n in tables if not set(table_named(n).info["natural_key"]) <= {"user_id", "agent_id", "team_id"}]


def fill(connection: psycopg.Connection[Any], users: int, each: int) -> dict[str, int]:
    """`users` users, each with `each` rows of every table. Returns the rows of one user, by table."""
    for statement in (
        "insert into v2.team (id, team_id_raw, source) overriding system value"
        f" select t, 'team ' || t, 'crowd' from generate_series(1, {TEAMS}) t",
        "insert into v2.\"user\" (id, email, team_id, agent_id) select u, 'user' || u || '@example.com',"
        f" 1 + u % {TEAMS}, null from generate_series(1, {users}) u",
        'insert into v2.user_roles (user_id, is_account_admin, team_id) select id, false, team_id from v2."user"',
        "insert into v2.agent (id, agent_id_raw, display_name, user_id, source) overriding system value"
        f" select 1000 + u, 'agent ' || u, 'Agent ' || u, u, 'crowd' from generate_series(1, {users}) u",
        "insert into v2.fub_accounts (id, account_id_raw, source) overriding system value"
        f" select a, a, 'crowd' from generate_series(1, {ACCOUNTS}) a",
    ):
        connection.execute(statement.encode())
    rows = {"agent": 1, "team": 1}
    ruled = [name for name in RULES if name not in rows and not name.startswith("ops.")]
    many = set(with_many_rows())
    for name in sorted(ruled, key=lambda name: _FIRST.index(name) if name in _FIRST else len(_FIRST)):
        rows[name] = each if name in many else 1
        connection.execute(_insert(table_named(name), users, rows[name]))
    for name in ("ops.sync_state", "ops.onboarding_job"):
        rows[name] = 0
    return rows


def _insert(table: Table, users: int, each: int) -> bytes:
    columns = [c for c in table.columns if c.name not in _LEFT_TO_IT and (c.name != "id" or table.name in _FIRST)]
    filled = {c.name: _value(table, c) for c in columns}
    kept = {name: value for name, value in filled.items() if value != "null"}
    identity = "overriding system value" if "id" in kept else ""
    names = ", ".join('"' + name + '"' for name in kept)
    return (
        f"insert into v2.{table.name} ({names}) {identity}"
        f" select {', '.join(kept.values())} from generate_series(1, {users * each}) g"
        f" cross join lateral (select 1 + (g - 1) / {each} as u, (g - 1) % {each} as n) x"
    ).encode()  # fmt: skip


def _value(table: Table, column: Column[Any]) -> str:
    if column.name == "id":
        return "g"
    if column.name == "source":
        return "'crowd'"
    if column.name in _POINTERS and (column.foreign_keys or column.name in table.info["natural_key"]):
        return _POINTERS[column.name]
    if column.foreign_keys:
        return "null"
    kind = type_name(column)
    if column.name == "people_name":
        return "'name' || u"  # what is sought by words is the caller's alone
    if column.name in table.info["natural_key"]:
        return {"period_year": "2026"}.get(column.name) or _KEYS.get(kind, "g").format(column=column.name)
    return _VALUES.get(kind, "g % 1000")


def pretend(connection: psycopg.Connection[Any], rows: int) -> None:
    """Postgres plans from now on as if every table had so many times the rows; no autovacuum finds the truth."""
    connection.execute("analyze")
    for name in RULES:
        table = sql.Identifier(*table_named(name).fullname.split("."))
        connection.execute(sql.SQL("alter table {} set (autovacuum_enabled = false)").format(table))
    connection.execute(
        "update pg_class set reltuples = greatest(reltuples, 1) * %s where relkind = 'r' and reltuples >= 100"
        " and relnamespace = 'v2'::regnamespace",
        [rows],
    )


_READ = """
select c.relnamespace::regnamespace || '.' || c.relname, greatest(
    pg_stat_get_xact_tuples_returned(c.oid), pg_stat_get_xact_tuples_fetched(c.oid),
    coalesce((select sum(pg_stat_get_xact_tuples_returned(i.indexrelid)) from pg_index i where i.indrelid = c.oid), 0))
from pg_class c where c.relkind = 'r' and c.relnamespace in ('v2'::regnamespace, 'ops'::regnamespace)
"""


def read_by(connection: psycopg.Connection[Any], ask: Callable[[], object]) -> dict[str, int]:
    """How many rows, or entries of indexes, of each table the call of `ask` looked at in the transaction at hand."""
    before = dict(connection.execute(_READ).fetchall())
    ask()
    return {name: int(n - before[name]) for name, n in connection.execute(_READ) if n > before[name]}


_SAMPLES: dict[Type, str] = {
    "text": "word 3",
    "whole": "3",
    "flag": "true",
    "number": "500",
    "day": "2026-03-01",
    "instant": "2026-03-01T00:00:00Z",
}


def questions(endpoint: Endpoint, mine: dict[str, str]) -> Iterator[list[tuple[str, str]]]:
    """Every filter, sort, search and way of paging of an endpoint, one at a time. `mine`: ids that are the caller's."""
    if endpoint.kind == "record":
        yield [("id", mine.get("id", "1"))]
        return
    yield []
    for name in endpoint.filters:
        kind = type_of(endpoint.table or "", name)
        value = mine.get(name, _SAMPLES[kind])
        if kind in RANGED:
            yield from ([(f"{name}_{end}", value)] for end in ("from", "to"))
        else:
            yield [(name, value)]
    for text in (f"name{mine['user_id']}" if endpoint.finder else "word", "zz"):
        if endpoint.search:
            yield [("search", text)]
    if endpoint.also:
        yield [("since", "2000-01-01"), ("until", "2050-01-01")]
    if endpoint.kind != "rows":
        return
    yield [("totals", "exact")]
    known = {parameter["name"] for parameter in Parameters(endpoint).openapi()}
    assert {"sort", "per_page", "page"} <= known
    for sort in dict.fromkeys(sign + name.removeprefix("-") for name in endpoint.sorts for sign in ("", "-")):
        yield [("sort", sort), ("per_page", "5")]
        yield [("sort", sort), ("per_page", "5"), ("page", "2"), ("totals", "none")]


def bound(own: int, limit: int = 200) -> int:
    """Rows that a question may look at in a table of which so many are the caller's: each a few times, and a page."""
    return math.ceil(own * 8) + limit
