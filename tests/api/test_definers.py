"""The functions that see past row-level security, turned against us: what a session of `v2_api` can make them do."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import psycopg
import pytest
from psycopg import sql
from psycopg.conninfo import make_conninfo

from tests.api.conftest import Running
from tests.api.world import ANN, CAT
from v2_assets.api import tokens
from v2_assets.schema.roles import DEFINER

#: Values of every type that such a function takes; names are those of pg_catalog, since the traps have the short ones.
_ARGUMENTS = {
    "text": "'/a'::pg_catalog.text",
    "bigint": "1::pg_catalog.int8",
    "bigint[]": "'{1}'::pg_catalog._int8",
    "text[]": "'{a}'::pg_catalog._text",
    "jsonb": "'[]'::pg_catalog.jsonb",
}
#: A call for each of them; a new function is among them by itself.
_CALLS = """
select p.oid::regprocedure::text, p.proname, array(
  select format_type(t, null) from unnest(p.proargtypes) with ordinality a (t, place) order by place)
from pg_proc p join pg_namespace n on n.oid = p.pronamespace
where p.prosecdef and n.nspname in ('ops', 'v2', 'staging', 'v1', 'public') order by 1
"""
#: Types that stand in the way of Postgres' own, each with a check that tells whose rights it runs with.
_SHADOWED = (
    "text",
    "int8",
    "bytea",
    "jsonb",
    "date",
    "timestamptz",
    "tsquery",
    "numeric",
    "int4",
    "regconfig",
)
_TRAP = """
create function pg_temp.trap(v pg_catalog.text) returns pg_catalog.bool language plpgsql as $$
begin
    if current_user <> session_user then raise exception 'TRAPPED as %', current_user; end if;
    return true;
end $$
"""


@pytest.fixture
def attacker(running: Running) -> Iterator[psycopg.Connection[Any]]:
    """A login of v2_api's, on a database where everybody may make temporary objects, with traps laid out."""
    with running.database.connect() as connection:
        connection.execute("create role api_attacker login password 'x' in role v2_api")
        base = connection.info.dbname
        connection.execute(sql.SQL("grant temporary on database {} to api_attacker").format(sql.Identifier(base)))
        hashed = tokens.hash_of(tokens.create(connection, ANN, ["read", "tasks"])[1])
    url = make_conninfo(running.database.url, user="api_attacker", password="x")
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute(_TRAP)
        for name in _SHADOWED:
            check = "check (pg_temp.trap(value::pg_catalog.text))"
            connection.execute(f"create domain pg_temp.{name} as pg_catalog.{name} {check}".encode())
        connection.execute("select set_config('v2.token', %s::pg_catalog.text, false)", [hashed])
        yield connection
    with running.database.connect() as connection:
        connection.execute("drop owned by api_attacker")
        connection.execute("drop role api_attacker")


def definers(running: Running) -> list[tuple[str, str, list[str]]]:
    with running.database.connect() as connection:
        return [(row[0], row[1], row[2]) for row in connection.execute(_CALLS)]


def test_a_type_of_the_callers_own_is_run_by_no_function_with_rights_that_the_caller_lacks(
    running: Running, attacker: psycopg.Connection[Any]
) -> None:
    found = definers(running)
    assert len(found) > 15
    for _, name, types in found:
        arguments = ", ".join(_ARGUMENTS[kind] for kind in types)
        try:
            attacker.execute(f"select ops.{name}({arguments})".encode())
        except psycopg.Error as error:
            assert "TRAPPED" not in str(error), name


def test_the_trap_is_one_the_functions_as_they_were_ran_into_it(
    running: Running, attacker: psycopg.Connection[Any]
) -> None:
    with running.database.connect() as connection:
        connection.execute(
            "create function ops.api_as_it_was(a pg_catalog.text) returns pg_catalog.text language plpgsql"
            " security definer set search_path = '' as $$ begin return a::text; end $$"
        )
        connection.execute("grant execute on function ops.api_as_it_was to v2_api")
    try:
        with pytest.raises(psycopg.errors.RaiseException, match="TRAPPED"):
            attacker.execute("select ops.api_as_it_was('a'::pg_catalog.text)")
    finally:
        with running.database.connect() as connection:
            connection.execute("drop function ops.api_as_it_was")


def test_every_function_that_sees_past_row_level_security_is_closed_to_the_callers_objects_and_to_the_public(
    running: Running,
) -> None:
    """Walks the catalogue, so it finds one that is added without a thought of it."""
    with running.database.connect() as connection:
        rows = connection.execute(
            "select p.oid::regprocedure::text, p.proconfig, pg_get_userbyid(p.proowner),"
            " has_function_privilege('public', p.oid, 'execute'), l.lanname"
            " from pg_proc p join pg_language l on l.oid = p.prolang join pg_namespace n on n.oid = p.pronamespace"
            " where (p.prosecdef or p.proconfig::text like '%search_path%')"
            " and n.nspname not in ('pg_catalog', 'information_schema')"
        ).fetchall()
        owner = connection.execute(
            "select rolsuper or rolcreaterole or rolcreatedb or rolcanlogin or rolbypassrls or rolreplication"
            " from pg_roles where rolname = %s",
            [DEFINER],
        ).fetchone()
        owned = connection.execute(
            "select relname from pg_class where relowner = %s::regrole::oid", [DEFINER]
        ).fetchall()
    for name, settings, _, public, _ in rows:
        assert settings == ["search_path=pg_catalog, pg_temp"], name
        assert not public, name
    definers_ = {name for name, _, owner_, _, _ in rows if owner_ == DEFINER}
    assert definers_ == {call for call, _, _ in definers(running)}
    assert owner == (False,), "their owner can do nothing but own them"
    assert owned == []


def test_no_statement_is_made_of_texts_in_a_function_that_sees_past_row_level_security(running: Running) -> None:
    with running.database.connect() as connection:
        rows = connection.execute("select proname, lower(prosrc) from pg_proc where prosecdef").fetchall()
    assert [name for name, body in rows if "execute" in body] == []


def test_the_owner_of_the_functions_reads_what_they_need_and_no_key(running: Running) -> None:
    for statement in (
        "select api_key from v2.credentials",
        "select api_secret from v2.credentials",
        "select * from staging.stage_fub_people",
        "select * from ops.webhook_inbox",
        "update ops.api_token set user_id = 1",
        "update v2.fub_people set user_id = 1",
        "insert into ops.api_token (hash, user_id, scopes) values ('\\x01', 1, '{read}')",
        "create table ops.mine ()",
        "grant v2_definer to v2_api",
        "alter table v2.fub_people disable row level security",
    ):
        with psycopg.connect(running.database.url) as connection:
            connection.execute(sql.SQL("set role {}").format(sql.Identifier(DEFINER)))
            with pytest.raises(psycopg.errors.InsufficientPrivilege):
                connection.execute(statement.encode())


@pytest.mark.parametrize(
    ("call", "answer"),
    [
        ("select ops.api_me()", None),
        ("select ops.api_user()", (None,)),
        ("select ops.api_users()", ([],)),
        ("select ops.api_deals()", ([],)),
        ("select ops.api_agents()", ([],)),
        ("select ops.api_named('1')", (None,)),
        ("select ops.api_find_fub_people('a')", ([],)),
        ("select ops.api_switch()", ([],)),
        ("select ops.api_shadow_reason('{transaction}', '{missing}', null, '{}')", (None,)),
        ("select ops.api_tasks()", None),
        ("select ops.api_v1_deal(1)", (None,)),
    ],
)
def test_without_a_token_the_functions_tell_nothing(running: Running, call: str, answer: Any) -> None:
    with running.database.connect() as connection:
        connection.execute(
            "insert into ops.switch_decision (endpoint, user_id, action, share, who, reason)"
            " values (null, %s, 'hold', null, 'x', 'y')",
            [CAT],
        )
        connection.execute("set local role v2_api")
        assert connection.execute(call.encode()).fetchone() == answer
        connection.execute("rollback")


@pytest.mark.parametrize(
    "call",
    [
        "select ops.api_shadow_keep('/transactions/all', 'compared', '[]')",
        "select ops.api_used()",
        "select ops.api_task_begin('a', 'b', 'c')",
        "select ops.api_task_end('a', 'b')",
        "select ops.api_onboard_again(1, 'fub')",
        "select ops.onboard_again(1)",
    ],
)
@pytest.mark.parametrize("token", ["", "00" * 32])
def test_without_a_token_the_functions_write_nothing(running: Running, call: str, token: str) -> None:
    count = (
        "select (select count(*) from ops.shadow_count) + (select count(*) from ops.api_task)"
        " + (select count(*) from ops.onboarding_job), (select max(last_used_at) from ops.api_token)"
    )
    with running.database.connect() as connection:
        before = connection.execute(count).fetchone()
        connection.execute("select set_config('v2.token', %s, true)", [token])
        try:
            with connection.transaction():
                connection.execute("set local role v2_api")
                connection.execute(call.encode())
                connection.execute("reset role")
        except (psycopg.errors.InsufficientPrivilege, psycopg.errors.RaiseException):
            pass
        assert connection.execute(count).fetchone() == before


def test_the_switch_tells_a_caller_of_endpoints_and_of_nobody_but_the_caller(running: Running) -> None:
    with running.database.connect() as connection:
        for subject in (("/transactions/all", None, "set", 10), (None, ANN, "hold", None), (None, CAT, "hold", None)):
            connection.execute(
                "insert into ops.switch_decision (endpoint, user_id, action, share, who, reason)"
                " values (%s, %s, %s, %s, 'x', 'y')",
                subject,
            )
        connection.execute("select set_config('v2.token', %s, true)", [tokens.hash_of(running.tokens[ANN])])
        connection.execute("set local role v2_api")
        told = connection.execute("select ops.api_switch()").fetchall()[0][0]
        connection.execute("rollback")
    assert sorted(told, key=str) == [["/transactions/all", None, "set", 10.0], [None, ANN, "hold", None]]


def test_what_is_counted_about_the_switch_is_an_endpoints_and_holds_no_markup(running: Running) -> None:
    with running.database.connect() as connection:
        connection.execute("select set_config('v2.token', %s, true)", [tokens.hash_of(running.tokens[ANN])])
        keep = "select ops.api_shadow_keep(%s, 'compared', %s::jsonb)"
        with connection.transaction():
            connection.execute("set local role v2_api")
            connection.execute(keep, ["/fub/calls", '[["value", "<script>alert(1)</script>", "unknown"]]'])
            connection.execute("reset role")
        assert connection.execute("select field from ops.shadow_difference").fetchall() == [
            ("?script?alert?1???script?",)
        ]
        for endpoint in ("<b>", "", "/a b", "/" + "a" * 51):
            with pytest.raises(psycopg.errors.InvalidParameterValue), connection.transaction():
                connection.execute(keep, [endpoint, "[]"])
        connection.execute("rollback")
