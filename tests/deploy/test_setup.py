"""The logins of deploy/postgres/setup.sql, on a server of their own: each may do its work and no more.

The file is run by a superuser and by an administrator who is none, and again each time, since it may be.
"""

from __future__ import annotations

import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from resources.embedded.cluster import programs_folder, server_environment
from resources.errors import DatabaseError
from resources.postgres import Database
from tests.conftest import new_server
from v2_assets.schema import migrate

SETUP = Path(__file__).parents[2] / "deploy/postgres/setup.sql"
LOGINS = ("owner", "app", "hook", "front", "people")


@pytest.fixture(scope="module", params=["superuser", "no superuser"])
def logins(request: pytest.FixtureRequest) -> Iterator[dict[str, Database]]:
    """The database v2 as each login sees it; `dagster` is v2_app's other one."""
    with new_server() as server:
        admin = server.url("postgres")
        with Database(admin).connect(autocommit=True) as connection:
            connection.execute("drop database v2")
            if request.param == "no superuser":  # as the administrator of a managed server is
                connection.execute("create role boss login createrole createdb password 'b'")
        place = admin.rpartition("@")[2].partition("/")[0]
        by = admin if request.param == "superuser" else f"postgresql://boss:b@{place}/postgres"
        set_up(by, "forgotten")
        set_up(by, "p'w")
        urls = {name: f"postgresql://v2_{name}:p%27w%20{name}@{place}/v2" for name in LOGINS}
        migrate.upgrade(urls["owner"])
        set_up(by, "p'w")
        urls["dagster"] = urls["app"].removesuffix("v2") + "dagster"
        yield {name: Database(url) for name, url in urls.items()}


def set_up(administrator: str, password: str) -> None:
    """Runs the file as this login; each login's password begins with `password`."""
    psql = [str(programs_folder() / "psql"), "-q", "-d", administrator]
    psql += [word for name in LOGINS for word in ("-v", f"{name}_password={password} {name}")]
    subprocess.run([*psql, "-f", str(SETUP)], check=True, env=server_environment())


def refused(database: Database, statement: str) -> bool:
    try:
        with database.connect() as connection:
            connection.execute(statement.encode())
    except DatabaseError as error:
        return error.context.get("sqlstate") == "42501"
    return False


def test_the_platforms_login_reads_and_writes_every_table_and_owns_dagsters_database(
    logins: dict[str, Database],
) -> None:
    with logins["app"].connect() as connection:
        lacking = connection.execute(
            "select schemaname || '.' || tablename from pg_tables where schemaname in ('staging', 'v2', 'ops')"
            " and tablename <> 'alembic_version' and not has_table_privilege("
            " format('%I.%I', schemaname, tablename), 'select, insert, update, delete')"
        ).fetchall()
    assert not lacking
    migrate.check(logins["app"].url)
    assert refused(logins["app"], "create table v2.mine ()")
    with logins["dagster"].connect() as connection:
        connection.execute("create table mine ()")


def test_the_receivers_login_adds_to_the_inbox_and_reads_nothing(logins: dict[str, Database]) -> None:
    with logins["hook"].connect() as connection:
        connection.execute(
            "insert into ops.webhook_inbox (source, event_key, credentials_id, event, body)"
            " values ('fub', 'k', 1, 'e', '')"
        )
    for table in ("ops.webhook_inbox", "v2.credentials", "v2.fub_people", "staging.stage_fub_people"):
        assert refused(logins["hook"], f"select * from {table}"), table


def test_the_endpoints_login_sees_no_key_and_no_payload_and_changes_nothing(logins: dict[str, Database]) -> None:
    for table in ("v2.credentials", "staging.stage_fub_people", "ops.webhook_inbox"):
        assert refused(logins["front"], f"select * from {table}"), table
    assert refused(logins["front"], "delete from v2.fub_people")


def test_people_read_the_product_and_no_key_and_no_payload(logins: dict[str, Database]) -> None:
    with logins["people"].connect() as connection:
        connection.execute("select * from v2.fub_people")
    for statement in (
        "select * from v2.credentials",
        "select * from staging.stage_fub_people",
        "delete from v2.fub_people",
    ):
        assert refused(logins["people"], statement), statement
