"""Bringing a database up to this code: revisions, seeds, roles, row-level security.

Here: `upgrade`, `pending`, `check`. Not here: the tables (beside this module) or a server (`resources.embedded`).
There is no downgrade: a mistake is repaired by the next revision.
"""

from __future__ import annotations

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from alembic import command
from alembic.config import Config
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, StaticPool, create_engine
from sqlalchemy.exc import DBAPIError

from resources.errors import MigrationBehind
from resources.postgres import Database
from resources.settings import load_settings
from v2_assets.schema.migrations.options import VERSION_SCHEMA, VERSION_TABLE
from v2_assets.schema.roles import grant_roles, own_functions
from v2_assets.schema.seeds import plant_seeds
from v2_assets.schema.visibility import enact
from v2_assets.schema.vocabulary import SCHEMAS

log = logging.getLogger(__name__)

_LOCK = 0x7632736368  # "v2sch": one upgrade at a time per database, whoever starts it


def _config() -> Config:
    config = Config()
    config.set_main_option("script_location", str(Path(__file__).parent / "migrations"))
    config.set_main_option("path_separator", "os")
    return config


@contextmanager
def _connection(url: str) -> Iterator[Connection]:
    """One transaction on the database at `url`. Raises DatabaseError; its text holds no password and no row value."""
    database = Database(url, application_name="v2 migrate", statement_timeout_s=3600, lock_timeout_s=300)
    with database.connect() as raw:
        engine = create_engine("postgresql+psycopg://", creator=lambda: raw, poolclass=StaticPool)
        try:
            with engine.begin() as connection:
                # A login named v2 would have schema v2 as its default, and Alembic treats a default schema apart.
                connection.exec_driver_sql("set local search_path to public")
                yield connection
        except DBAPIError as error:
            raise (error.orig or error) from None  # Database turns the driver's error into ours


def _applied(connection: Connection) -> set[str]:
    exists = connection.exec_driver_sql(
        "select to_regclass(%s) is not null", (f"{VERSION_SCHEMA}.{VERSION_TABLE}",)
    ).scalar_one()
    if not exists:
        return set()
    rows = connection.exec_driver_sql(f"select version_num from {VERSION_SCHEMA}.{VERSION_TABLE}")  # noqa: S608 - constants
    return {row[0] for row in rows}


def upgrade(url: str) -> None:
    """Apply every missing revision, then seeds, roles and row-level security; all or nothing, and harmless to repeat.

    Two starters do not race: the second waits on an advisory lock and finds nothing to do. Raises DatabaseError when
    the server cannot be reached, MigrationBehind when the database is newer than this code.
    """
    with _connection(url) as connection:
        connection.exec_driver_sql("select pg_advisory_xact_lock(%s)", (_LOCK,))
        if _is_newer(_applied(connection)):
            return
        for schema in SCHEMAS:
            connection.exec_driver_sql(f'create schema if not exists "{schema}"')
        config = _config()
        config.attributes["connection"] = connection
        command.upgrade(config, "head")
        plant_seeds(connection)
        notes = grant_roles(connection)
        enact(connection)
        own_functions(connection)
        for note in notes:
            log.warning(note)


def known() -> set[str]:
    """The revisions this code has."""
    return {revision.revision for revision in ScriptDirectory.from_config(_config()).walk_revisions()}


def applied(url: str) -> set[str]:
    """The newest revisions of the database; empty when it has none. Raises DatabaseError."""
    with _connection(url) as connection:
        return _applied(connection)


def pending(url: str) -> list[str]:
    """Revisions this code has and the database has not, oldest first, as "id: what it does".

    Raises DatabaseError when the server cannot be reached, MigrationBehind when the database is newer than this code.
    """
    with _connection(url) as connection:
        applied = _applied(connection)
    if _is_newer(applied):
        return []
    script = ScriptDirectory.from_config(_config())
    done = {revision.revision for head in applied for revision in script.iterate_revisions(head, "base")}
    waiting = [revision for revision in script.walk_revisions() if revision.revision not in done]
    return [f"{revision.revision}: {revision.doc}" for revision in reversed(waiting)]


def check(url: str) -> None:
    """Raise MigrationBehind, naming the missing revisions and the command, unless the database is up to date."""
    waiting = pending(url)
    if waiting:
        raise MigrationBehind(
            f"The database lacks {len(waiting)} revision(s) of the schema: {'; '.join(waiting)}",
            hint="run `v2 migrate` (or `v2 up`, which migrates first)",
            context={"pending": [line.split(":", 1)[0] for line in waiting]},
        )


def _is_newer(applied: set[str]) -> bool:
    """Whether the database has revisions that this code has not. Raises MigrationBehind unless that is allowed."""
    unknown = sorted(applied - known())
    if unknown and not load_settings().allow_newer_schema:
        raise MigrationBehind(
            f"The database is newer than this code: it has revision {', '.join(unknown)}",
            hint="update this installation, or set V2_ALLOW_NEWER_SCHEMA=true if it is the release before (upgrades in"
            " the manual); nothing was changed",
            context={"unknown": unknown},
        )
    return bool(unknown)
