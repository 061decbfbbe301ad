"""Migrations give exactly what is declared, once, whoever starts them."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import psycopg
import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from psycopg import sql
from psycopg.conninfo import make_conninfo
from sqlalchemy import NullPool, create_engine

from resources.errors import DatabaseError, MigrationBehind
from v2_assets.schema import SCHEMAS, metadata, migrate, roles
from v2_assets.schema.migrations.options import OPTIONS

# What a database's catalog says about our schemas. Not the order of columns: what a later revision adds stands last.
CATALOG = {
    "columns": """
        select n.nspname, c.relname, a.attname, format_type(a.atttypid, a.atttypmod), a.attnotnull, a.attidentity,
               pg_get_expr(d.adbin, d.adrelid), col_description(c.oid, a.attnum)
        from pg_attribute a join pg_class c on c.oid = a.attrelid join pg_namespace n on n.oid = c.relnamespace
        left join pg_attrdef d on d.adrelid = c.oid and d.adnum = a.attnum
        where n.nspname in ('staging', 'v2', 'ops', 'v1') and c.relkind = 'r' and a.attnum > 0 and not a.attisdropped
          and c.relname <> 'alembic_version'
        order by 1, 2, a.attnum""",
    "constraints": """
        select n.nspname, c.relname, k.conname, pg_get_constraintdef(k.oid)
        from pg_constraint k join pg_class c on c.oid = k.conrelid join pg_namespace n on n.oid = c.relnamespace
        where n.nspname in ('staging', 'v2', 'ops', 'v1') and c.relname <> 'alembic_version' order by 1, 2, 3""",
    "indexes": """
        select schemaname, tablename, indexname, indexdef from pg_indexes
        where schemaname in ('staging', 'v2', 'ops', 'v1') and tablename <> 'alembic_version' order by 1, 2, 3""",
    "comments": """
        select n.nspname, c.relname, obj_description(c.oid)
        from pg_class c join pg_namespace n on n.oid = c.relnamespace
        where n.nspname in ('staging', 'v2', 'ops', 'v1') and c.relkind = 'r' and c.relname <> 'alembic_version'
        order by 1, 2""",
}


def catalog(connection: psycopg.Connection) -> dict[str, list[tuple]]:
    return {part: connection.execute(query).fetchall() for part, query in CATALOG.items()}


def engine_of(url: str):
    return create_engine(
        "postgresql+psycopg://",
        creator=lambda: psycopg.connect(url, options="-c search_path=public"),
        poolclass=NullPool,
    )


def test_alembic_finds_no_difference_between_declarations_and_migrations(database_url: str) -> None:
    with engine_of(database_url).connect() as connection:
        context = MigrationContext.configure(
            connection, opts={key: value for key, value in OPTIONS.items() if key != "target_metadata"}
        )
        assert compare_metadata(context, metadata) == []


def test_a_database_made_from_the_declarations_has_the_same_catalog_as_a_migrated_one(
    database_url: str, empty_database: str
) -> None:
    with engine_of(empty_database).begin() as connection:
        for schema in SCHEMAS:
            connection.exec_driver_sql(f"create schema {schema}")
        metadata.create_all(connection)
    with psycopg.connect(empty_database) as declared, psycopg.connect(database_url) as migrated:
        wanted, found = catalog(declared), catalog(migrated)
    for part, rows in wanted.items():
        assert set(found[part]) ^ set(rows) == set(), part
        assert len(rows) > 50, part


def test_a_second_upgrade_writes_nothing(database_url: str) -> None:
    def picture() -> object:
        with psycopg.connect(database_url) as connection:
            seeds = connection.execute(
                "select xmin::text, ctid::text, abbreviation from v2.state_province union all"
                " select xmin::text, ctid::text, code_set || source || raw from ops.code_map order by 1, 2, 3"
            ).fetchall()
            return catalog(connection), seeds

    before = picture()
    migrate.upgrade(database_url)
    assert picture() == before


def test_seeds_that_were_bent_are_set_right_and_own_codes_are_kept(database_url: str) -> None:
    with psycopg.connect(database_url) as connection:
        connection.execute("update v2.state_province set name = 'Utopia' where abbreviation = 'UT'")
        connection.execute("delete from ops.code_map where code_set = 'team_role'")
        connection.execute("insert into ops.code_map values ('team_type', 'rezen', 'GALACTIC', 'Galactic')")
    migrate.upgrade(database_url)
    with psycopg.connect(database_url) as connection:
        state = connection.execute("select name from v2.state_province where abbreviation = 'UT'").fetchone()
        roles_back = connection.execute("select count(*) from ops.code_map where code_set = 'team_role'").fetchone()
        own = connection.execute("select value from ops.code_map where raw = 'GALACTIC'").fetchone()
    assert (state, roles_back, own) == (("Utah",), (3,), ("Galactic",))


def test_starters_at_the_same_time_do_not_race(empty_database: str) -> None:
    with ThreadPoolExecutor(4) as pool:
        for done in [pool.submit(migrate.upgrade, empty_database) for _ in range(4)]:
            done.result()
    assert migrate.pending(empty_database) == []


def test_an_empty_database_lacks_every_revision_and_is_not_touched_by_asking(empty_database: str) -> None:
    waiting = migrate.pending(empty_database)
    assert [line.split(":")[0] for line in waiting][:2] == ["0001_foundation", "0002_functions"]
    with psycopg.connect(empty_database) as connection:
        assert catalog(connection)["comments"] == []


def test_a_database_that_is_behind_is_an_error_naming_the_revisions_and_the_command(database_url: str) -> None:
    migrate.check(database_url)
    with psycopg.connect(database_url) as connection:
        connection.execute("update ops.alembic_version set version_num = '0001_foundation'")
    with pytest.raises(MigrationBehind) as caught:
        migrate.check(database_url)
    assert "0002_functions" in caught.value.message
    assert "0001_foundation" not in caught.value.message
    assert "v2 migrate" in str(caught.value)


def test_a_database_that_is_newer_than_the_code_is_refused_and_left_alone(database_url: str) -> None:
    with psycopg.connect(database_url) as connection:
        connection.execute("update ops.alembic_version set version_num = '9999_future'")
    for call in (migrate.check, migrate.pending, migrate.upgrade):
        with pytest.raises(MigrationBehind, match="9999_future"):
            call(database_url)


def test_the_release_before_runs_on_a_newer_schema_when_that_is_said(
    database_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    with psycopg.connect(database_url) as conn:
        conn.execute("update ops.alembic_version set version_num = '9999'")
        conn.execute("alter table v2.fub_people add column expanded text")
    monkeypatch.setenv("V2_ALLOW_NEWER_SCHEMA", "true")
    migrate.check(database_url)
    migrate.upgrade(database_url)
    with psycopg.connect(database_url) as conn:
        assert conn.execute("select version_num from ops.alembic_version").fetchall() == [("9999",)]
        conn.execute("select expanded from v2.fub_people")


def test_an_upgrade_that_fails_leaves_nothing_behind(empty_database: str) -> None:
    with psycopg.connect(empty_database) as connection:
        connection.execute("create schema ops")
        connection.execute("create table ops.sync_state (stranger int)")
    with pytest.raises(DatabaseError):
        migrate.upgrade(empty_database)
    with psycopg.connect(empty_database) as connection:
        assert [row[:2] for row in catalog(connection)["comments"]] == [("ops", "sync_state")]


def test_a_database_that_does_not_exist_is_an_error_without_the_password(database_url: str) -> None:
    url = make_conninfo(database_url, dbname="nowhere")
    password = psycopg.conninfo.conninfo_to_dict(url).get("password", "")
    with pytest.raises(DatabaseError) as caught:
        migrate.upgrade(url)
    assert "nowhere" in str(caught.value)
    assert password
    assert str(password) not in str(caught.value)


def test_a_login_that_may_not_create_roles_gets_tables_and_a_note(
    empty_database: str, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(roles, "ROLES", ("v2_role_nobody_made",))
    with psycopg.connect(empty_database) as connection:
        connection.execute("create role plain_owner login password 'plain'")
        name = connection.info.dbname
        connection.execute(sql.SQL("alter database {} owner to plain_owner").format(sql.Identifier(name)))
    try:
        migrate.upgrade(make_conninfo(empty_database, user="plain_owner", password="plain"))
        assert "v2_role_nobody_made" in caplog.text
        assert migrate.pending(empty_database) == []
    finally:
        with psycopg.connect(empty_database) as connection:
            owner = connection.execute("select current_user").fetchone()
            assert owner is not None
            connection.execute(sql.SQL("reassign owned by plain_owner to {}").format(sql.Identifier(owner[0])))
            connection.execute("drop owned by plain_owner")
            connection.execute("drop role plain_owner")


@pytest.mark.parametrize(
    ("role", "statement", "allowed"),
    [
        ("v2_writer", "delete from staging.stage_fub_people", True),
        ("v2_writer", "update v2.agent set title = ''", True),
        ("v2_writer", "drop table v2.agent", False),
        ("v2_reader", "select * from v2.agent", True),
        ("v2_reader", "select * from v2.credentials", False),
        ("v2_reader", "select * from staging.stage_fub_people", False),
        ("v2_reader", "delete from v2.agent", False),
        ("v2_api", "select * from v2.agent", True),
        ("v2_api", "select * from v2.credentials", False),
        ("v2_api", "select * from ops.api_token", False),
        ("v2_api", "delete from v2.agent", False),
        ("v2_receiver", "select * from ops.sync_state", False),
    ],
)
def test_a_role_may_do_what_it_is_for_and_nothing_else(
    shared_url: str, role: str, statement: str, allowed: bool
) -> None:
    with psycopg.connect(shared_url) as connection:
        connection.execute(sql.SQL("set role {}").format(sql.Identifier(role)))
        if allowed:
            connection.execute(statement)  # type: ignore[arg-type]
        else:
            with pytest.raises(psycopg.errors.InsufficientPrivilege):
                connection.execute(statement)  # type: ignore[arg-type]
        connection.rollback()
