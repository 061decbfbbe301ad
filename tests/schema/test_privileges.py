"""Least privilege, tried: what docs/reference/privileges.md says each role may do, and everything else refused."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import psycopg
import pytest
from psycopg import sql
from psycopg.conninfo import make_conninfo

from v2_assets.schema import metadata
from v2_assets.schema.privileges import PAGE, PUBLIC, page, read
from v2_assets.schema.roles import ROLES

#: (right, statement) on a table.
_TRIES = {
    "select": "select from {table} limit 0",
    "insert": "insert into {table} default values",
    "update": "update {table} set {column} = default where false",
    "delete": "delete from {table} where false",
    "truncate": "truncate {table}",
    "references": "create table v1.t (c {type} references {table})",
    "trigger": "create trigger t after insert on {table} execute function ops.note_changed_keys()",
}
#: What none of these roles may do, whatever their tables.
_FORBIDDEN = (
    "create schema mine",
    "create table v2.mine ()",
    "create table ops.mine ()",
    "create table staging.mine ()",
    "create table public.mine ()",
    "create function ops.mine() returns int language sql as 'select 1'",
    "create function public.mine() returns int language sql as 'select 1'",
    "create extension file_fdw",
    "create role mine",
    "alter role v2_writer superuser",
    "grant v2_writer to v2_api",
    "set role v2_definer",
    "select pg_read_file('/etc/passwd')",
    "select pg_ls_dir('/')",
    "select lo_import('/etc/passwd')",
    "copy (select 1) to program 'id'",
    "copy (select 1) to '/tmp/mine'",
    "select * from pg_authid",
    "set session_replication_role = replica",
    "select pg_reload_conf()",
    "create publication mine for all tables",
    "create event trigger mine on ddl_command_start execute function ops.note_changed_keys()",
    "alter table v2.fub_people disable row level security",
    "alter policy v2_api on v2.fub_people using (true)",
    "create policy mine on v2.fub_people using (true)",
    "alter function ops.api_users() owner to v2_api",
    "drop table v2.fub_people",
    "comment on table v2.fub_people is ''",
)


@pytest.fixture(scope="module")
def as_role(shared_url: str) -> Iterator[dict[str, psycopg.Connection[Any]]]:
    """A session of a login that is a member of one role and of nothing else; `public` of none."""
    opened: dict[str, psycopg.Connection[Any]] = {}
    with psycopg.connect(shared_url, autocommit=True) as admin:
        # A database made from a template has the rights of its own that every database has.
        name = sql.Identifier(admin.info.dbname)
        admin.execute(sql.SQL("revoke temporary on database {} from public").format(name))
        admin.execute(sql.SQL("grant temporary on database {} to v2_writer").format(name))
        admin.execute(sql.SQL("grant connect on database {} to public").format(name))
        for role in (*ROLES, PUBLIC):
            login = f"only_{role}"
            admin.execute(sql.SQL("create role {} login password 'x'").format(sql.Identifier(login)))
            if role != PUBLIC:
                admin.execute(sql.SQL("grant {} to {}").format(sql.Identifier(role), sql.Identifier(login)))
            opened[role] = psycopg.connect(make_conninfo(shared_url, user=login, password="x"))
        yield opened
        for role, connection in opened.items():
            connection.close()
            admin.execute(sql.SQL("drop role {}").format(sql.Identifier(f"only_{role}")))


def refused(connection: psycopg.Connection[Any], statement: sql.SQL | sql.Composed) -> bool:
    try:
        with connection.transaction(force_rollback=True):
            connection.execute(statement)
    except psycopg.errors.InsufficientPrivilege:
        return True
    except psycopg.Error:
        return False
    return False


def test_the_page_of_privileges_is_what_the_catalogue_says(migrated_url: str) -> None:
    with psycopg.connect(migrated_url) as connection:
        assert PAGE.read_text(encoding="utf-8") == page(connection), "run python -m v2_assets.schema.privileges"


@pytest.mark.parametrize("role", [*ROLES, PUBLIC])
def test_a_role_is_refused_on_every_table_whatever_the_page_does_not_give_it(
    shared_url: str, as_role: dict[str, psycopg.Connection[Any]], role: str
) -> None:
    with psycopg.connect(shared_url) as admin:
        given = read(admin)[role]
    tried = 0
    for table in metadata.tables.values():
        for right, statement in _TRIES.items():
            may = {name.partition(" (")[0] for kind in ("table", "column") for name in given.get((kind, right), [])}
            if table.fullname in may:
                continue
            column = next(iter(table.columns))
            made = sql.SQL(statement).format(  # type: ignore[arg-type]
                table=sql.Identifier(table.schema or "", table.name),
                column=sql.Identifier(column.name),
                type=sql.SQL("bigint"),
            )
            assert refused(as_role[role], made), f"{role}: {right} {table.fullname}"
            tried += 1
    assert tried > 100


@pytest.mark.parametrize("role", [*ROLES, PUBLIC])
def test_no_role_can_reach_around_its_tables(as_role: dict[str, psycopg.Connection[Any]], role: str) -> None:
    for statement in _FORBIDDEN:
        assert refused(as_role[role], sql.SQL(statement)), f"{role}: {statement}"  # type: ignore[arg-type]
    temporary = refused(as_role[role], sql.SQL("create temporary table mine ()"))
    assert temporary == (role != "v2_writer"), "a temporary object can stand in the way of ours"
    for other in set(ROLES) - {role}:
        assert refused(as_role[role], sql.SQL("set role {}").format(sql.Identifier(other)))


def test_who_is_a_member_of_no_role_cannot_connect(migrated_url: str) -> None:
    with psycopg.connect(migrated_url, autocommit=True) as admin:
        admin.execute("create role stranger login password 'x'")
    try:
        with pytest.raises(psycopg.OperationalError, match="permission denied for database"):
            psycopg.connect(make_conninfo(migrated_url, user="stranger", password="x")).close()
    finally:
        with psycopg.connect(migrated_url, autocommit=True) as admin:
            admin.execute("drop role stranger")
