"""The logins of deploy/postgres/setup.sql, on a server of their own: each may do its work and no more."""

from __future__ import annotations

import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from resources.embedded import EmbeddedPostgres
from resources.embedded.cluster import programs_folder, server_environment
from resources.errors import DatabaseError
from resources.postgres import Database
from v2_assets.schema import migrate

SETUP = Path(__file__).parents[2] / "deploy/postgres/setup.sql"
LOGINS = ("owner", "app", "hook", "people")


@pytest.fixture(scope="module")
def logins() -> Iterator[dict[str, Database]]:
    """The database v2 as each login sees it; `dagster` is v2_app's other one."""
    home = Path(tempfile.mkdtemp(prefix="v2-setup-"))
    home.chmod(0o711)
    server = EmbeddedPostgres(home, fsync=False)
    try:
        server.hold()
        admin = server.url("postgres")
        with Database(admin).connect(autocommit=True) as connection:
            connection.execute("drop database v2")
        psql = [str(programs_folder() / "psql"), "-q", "-d", admin]
        psql += [word for name in LOGINS for word in ("-v", f"{name}_password=p'w {name}")]
        subprocess.run([*psql, "-f", str(SETUP)], check=True, env=server_environment())
        place = admin.rpartition("@")[2].partition("/")[0]
        urls = {name: f"postgresql://v2_{name}:p%27w%20{name}@{place}/v2" for name in LOGINS}
        migrate.upgrade(urls["owner"])
        urls["dagster"] = urls["app"].removesuffix("v2") + "dagster"
        yield {name: Database(url) for name, url in urls.items()}
    finally:
        server.stop()
        shutil.rmtree(home, ignore_errors=True)


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


def test_people_read_the_product_and_no_key_and_no_payload(logins: dict[str, Database]) -> None:
    with logins["people"].connect() as connection:
        connection.execute("select * from v2.fub_people")
    for statement in (
        "select * from v2.credentials",
        "select * from staging.stage_fub_people",
        "delete from v2.fub_people",
    ):
        assert refused(logins["people"], statement), statement
