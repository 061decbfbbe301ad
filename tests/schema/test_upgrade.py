"""The release before, with what it had read and merged, is upgraded: nothing is lost, and this code agrees with it.

`release_0024.sql.xz` is what `pg_dump --inserts` wrote of the database v2 when the release of revision 0024 had read
three people of a small sandbox (made-up data), without the commands of psql. A release leaves the next such file.
"""

from __future__ import annotations

import hashlib
import lzma
from pathlib import Path

import psycopg
import pytest
from psycopg import sql

import v2_assets.schema.migrations
from resources.postgres import Database
from tests.merge.stage import merge_everything
from tests.schema.test_migrations import catalog
from v2_assets.schema import metadata, migrate
from v2_assets.schema.stage import STREAMS

DUMP = Path(__file__).parent / "release_0024.sql.xz"
REVISIONS = Path(v2_assets.schema.migrations.__path__[0]) / "versions"
PINS = REVISIONS / "pinned.sha256"
#: Written by what only looked, and not by a merge.
_WHEN = {"updated_at", "created_at", "last_synced_at"}


@pytest.fixture
def before(empty_database: str, migrated_template: str) -> Database:
    """The release before, populated. The roles that its policies name are the server's: the template made them."""
    with psycopg.connect(empty_database) as connection:
        connection.execute(lzma.decompress(DUMP.read_bytes()))
    return Database(empty_database)


def columns_of(database: Database) -> dict[str, list[str]]:
    """The product's tables of this database, with the columns that this code has, too."""
    query = "select table_name, column_name from information_schema.columns where table_schema = 'v2' order by 1, 2"
    with database.connect() as connection:
        found: dict[str, list[str]] = {}
        for table, column in connection.execute(query).fetchall():
            if column in metadata.tables[f"v2.{table}"].c and column not in _WHEN:
                found.setdefault(table, []).append(column)
    return found


def contents(database: Database, columns: dict[str, list[str]]) -> dict[str, list[tuple[object, ...]]]:
    """Every row of these tables, in the order of their texts."""
    found = {}
    with database.connect() as connection:
        for table, names in columns.items():
            texts = sql.SQL(", ").join(sql.SQL("{}::text").format(sql.Identifier(name)) for name in names)
            query = sql.SQL("select {} from {}").format(texts, sql.Identifier("v2", table))
            found[table] = sorted(connection.execute(query).fetchall(), key=repr)
    return found


def test_a_revision_that_was_applied_somewhere_is_never_edited() -> None:
    """A database that has it never runs it again, so it would lack what was added. Repair it with the next revision.

    A new one is pinned in the folder of the revisions: sha256sum 0034_* >> pinned.sha256
    """
    pinned = dict(reversed(line.split()) for line in PINS.read_text(encoding="ascii").splitlines())
    found = {
        path.name: hashlib.sha256(path.read_bytes()).hexdigest()
        for path in sorted(REVISIONS.iterdir())
        if path.suffix in (".py", ".sql")
    }
    assert found == pinned


def test_the_release_before_is_upgraded_with_all_that_it_had(before: Database, database: Database) -> None:
    assert migrate.applied(before.url) == {"0024_v1_numbers"}
    columns = columns_of(before)
    had = contents(before, columns)
    assert sum(map(len, had.values())) > 2000 and sum(map(bool, had.values())) > 40, "the release had read something"
    migrate.upgrade(before.url)
    migrate.check(before.url)
    assert contents(before, columns) == had
    with before.connect() as upgraded, database.connect() as fresh:
        assert catalog(upgraded) == catalog(fresh)


def living(database: Database) -> set[tuple[str, int]]:
    """Table and id of every row of the product's that is not deleted."""
    found: set[tuple[str, int]] = set()
    with database.connect() as connection:
        for table in (
            t for t in metadata.tables.values() if t.schema == "v2" and {"id", "deleted_at"} <= set(t.c.keys())
        ):
            query = sql.SQL("select id from {} where deleted_at is null").format(sql.Identifier("v2", table.name))
            found |= {(table.name, row[0]) for row in connection.execute(query).fetchall()}
    return found


def test_what_the_release_before_had_merged_is_merged_again_by_this_code_and_nothing_is_lost(before: Database) -> None:
    migrate.upgrade(before.url)
    had, due = living(before), 0
    with before.connect() as connection:
        users = [row[0] for row in connection.execute('select id from v2."user" order by id').fetchall()]
        for stream in STREAMS:
            query = sql.SQL("update {} set status = 'pending' where status = 'processed'")
            due += connection.execute(query.format(sql.Identifier("staging", stream.table))).rowcount
    counts = merge_everything(before, users)
    assert due > 500 and counts.read == due and not counts.rejected + counts.deferred + counts.parked
    assert len(had) > 1000 and had <= living(before)


def test_what_an_unknown_word_had_kept_out_comes_in_with_the_upgrade(before: Database) -> None:
    """Until 0034 such a word rejected its record, and what hung on that record waited."""
    with before.connect() as connection:
        kept_out = connection.execute(
            "update staging.stage_fub_users set status = 'rejected', status_reason = 'unknown_code', v2_id = null,"
            ' payload = payload || \'{"role": "ISA"}\', status_detail = \'{"field": "role"}\''
            " where id = (select min(id) from staging.stage_fub_users where status = 'processed') returning user_id, id"
        ).fetchone()
    assert kept_out
    migrate.upgrade(before.url)
    merge_everything(before, [kept_out[0]])
    with before.connect() as connection:
        row = connection.execute(
            "select status, warnings -> 0 ->> 'found', v2_id is not null from staging.stage_fub_users where id = %s",
            [kept_out[1]],
        ).fetchone()
    assert row == ("processed", "ISA", True)
