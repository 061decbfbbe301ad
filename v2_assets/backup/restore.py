"""Bringing a backup back: checked before anything is touched, and compared to the row afterwards.

What the databases hold is set aside under other names while the backup is read, and only dropped when its rows are
all there; if anything fails it is put back. So it needs room for both.
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psycopg
from psycopg import sql

from resources.embedded import DatabaseUrls
from resources.encryption import open_vault
from resources.errors import ConfigError
from resources.postgres import Database
from resources.settings import Settings
from v2_assets.backup.manifest import PARTS, BackupError, Manifest, read_manifest, row_counts
from v2_assets.backup.programs import find, run
from v2_assets.schema import migrate
from v2_assets.schema.roles import CREATE, DEFINER, ROLES

JOBS = 2
_ASIDE = "_before_restore"


@dataclass(slots=True)
class Restored:
    """What is there now. `unreadable`: credentials that the key here does not open."""

    manifest: Manifest
    tables: int
    rows: int
    migrated: list[str]
    credentials: int = 0
    unreadable: int = 0


def restore(
    settings: Settings, urls: DatabaseUrls, folder: Path, *, replace: bool, say: Callable[[str], None] = print
) -> Restored:
    """Brings the backup in `folder` into the settings' databases, then up to this code's schema.

    `replace` allows that they hold something, which is lost. Nobody else may be connected. Raises BackupError when the
    backup is damaged, newer than this code or this server, or when its rows are not all there afterwards; then the
    databases hold what they held before.
    """
    manifest = read_manifest(folder)
    _check_fit(manifest, urls)
    parts = (("v2", urls.v2), ("dagster", urls.dagster))
    for part, url in parts:
        with Database(url).connect() as connection:
            _put_back(connection, part)  # what a restore that was killed left
    for part, url in parts:
        with Database(url).connect() as connection:
            _refuse_company(connection)
            if not replace and any(row_counts(connection, part).values()):
                raise BackupError(
                    f"The database of {part} at {Database(url).location} is not empty.",
                    hint="restore into an empty one, or say --replace: what it holds is lost then",
                )
    with contextlib.ExitStack() as undo:
        for part, url in parts:
            undo.enter_context(_set_aside(part, url))
        for part, url in parts:
            say(f"reading {part}")
            _load(part, url, folder, manifest)
        for part, url in parts:
            with Database(url).connect() as connection:
                _drop_aside(connection, part)
    pending = migrate.pending(urls.v2)
    migrate.upgrade(urls.v2)  # grants too: a dump has none
    told = Restored(
        manifest,
        tables=sum(len(tables) for tables in manifest.rows.values()),
        rows=sum(sum(tables.values()) for tables in manifest.rows.values()),
        migrated=pending,
    )
    _try_key(settings, urls, told)
    return told


def _check_fit(manifest: Manifest, urls: DatabaseUrls) -> None:
    unknown = sorted(set(manifest.revisions) - migrate.known())
    if unknown:
        raise BackupError(
            f"This backup is newer than this code: it has revision {', '.join(unknown)}.",
            hint="install the version that made it, or a newer one; nothing was changed",
        )
    with Database(urls.v2).connect() as connection:
        server = connection.info.server_version // 10_000
    if server < manifest.postgres:
        raise BackupError(
            f"This backup comes from PostgreSQL {manifest.postgres}, and the server here is {server}.",
            hint=f"restore it on PostgreSQL {manifest.postgres} or newer; nothing was changed",
        )


def _refuse_company(connection: psycopg.Connection[Any]) -> None:
    others = connection.execute(
        "select coalesce(nullif(application_name, ''), usename, '?'), count(*) from pg_stat_activity"
        " where datname = current_database() and pid <> pg_backend_pid() and backend_type = 'client backend'"
        " group by 1 order by 1"
    ).fetchall()
    if others:
        raise BackupError(
            f"Somebody is at work in the database: {', '.join(f'{name} ({number})' for name, number in others)}.",
            hint="stop the platform first: `v2 down`, or systemctl stop v2.target",
            retryable=True,
        )


@contextlib.contextmanager
def _set_aside(part: str, url: str) -> Iterator[None]:
    """What the part holds has other names for the length of the block, and its own again if the block fails."""
    with Database(url).connect() as connection:
        for schema in PARTS[part]:
            if _exists(connection, schema):
                _execute(connection, "alter schema {} rename to {}", schema, schema + _ASIDE)
        if part == "v2":
            _make_roles(connection)
    try:
        yield
    except BaseException:
        with Database(url).connect() as connection:
            _put_back(connection, part)
        raise


def _make_roles(connection: psycopg.Connection[Any]) -> None:
    """The policies of a dump's tables name roles, which belong to the server and are in no dump."""
    may_create = "select rolsuper or rolcreaterole from pg_roles where rolname = current_user"
    if (connection.execute(may_create).fetchone() or (False,))[0]:
        for role in (*ROLES, DEFINER):
            connection.execute(CREATE.format(role=role).encode())


def _put_back(connection: psycopg.Connection[Any], part: str) -> None:
    if not any(_exists(connection, schema + _ASIDE) for schema in PARTS[part]):
        return
    for schema in PARTS[part]:
        _execute(connection, "drop schema if exists {} cascade", schema)
        if _exists(connection, schema + _ASIDE):
            _execute(connection, "alter schema {} rename to {}", schema + _ASIDE, schema)


def _drop_aside(connection: psycopg.Connection[Any], part: str) -> None:
    for schema in PARTS[part]:
        _execute(connection, "drop schema if exists {} cascade", schema + _ASIDE)


def _load(part: str, url: str, folder: Path, manifest: Manifest) -> None:
    with Database(url).connect() as connection:
        server = connection.info.server_version // 10_000
    options = ("--format=directory", "--exit-on-error", "--no-owner", "--no-privileges", f"--jobs={JOBS}")
    database = Database(url).name
    run(
        find("pg_restore", server),
        [*options, f"--dbname={database}", str(folder / part)],
        url,
        f"the restore of {part}",
    )
    with Database(url).connect() as connection:
        found = row_counts(connection, part)
    expected = manifest.rows[part]
    if found != expected:
        wrong = sorted(name for name in found | expected if found.get(name) != expected.get(name))
        raise BackupError(
            f"After the restore {len(wrong)} tables of {part} do not have the rows they had: {', '.join(wrong[:5])}.",
            hint="nothing was changed: the databases hold what they held before",
        )


def _try_key(settings: Settings, urls: DatabaseUrls, told: Restored) -> None:
    vault = open_vault(settings)
    with Database(urls.v2).connect() as connection:
        rows = connection.execute("select api_key, api_secret from v2.credentials where deleted_at is null").fetchall()
    told.credentials = len(rows)
    for row in rows:
        try:
            for value in filter(None, row):
                vault.decrypt(value)
        except ConfigError:
            told.unreadable += 1


def _exists(connection: psycopg.Connection[Any], schema: str) -> bool:
    return connection.execute("select 1 from pg_namespace where nspname = %s", [schema]).fetchone() is not None


def _execute(connection: psycopg.Connection[Any], statement: str, *names: str) -> None:
    connection.execute(sql.SQL(statement).format(*map(sql.Identifier, names)))  # type: ignore[arg-type]
