"""Every standing check is made to fail, on a real database."""

from __future__ import annotations

from typing import Any

import psycopg
from psycopg import sql
from sqlalchemy import ARRAY, BigInteger, Boolean, Date, DateTime, Numeric, SmallInteger, Table
from sqlalchemy.dialects.postgresql import JSONB

from resources.postgres import Database
from tests.story import ALL_WORK
from v2_assets.checks.rules import Rule, judge, rules
from v2_assets.merge import Unit
from v2_assets.merge.statements import SOURCE_OF
from v2_assets.schema import metadata
from v2_assets.schema.stage import STREAMS

STREAM_OF = {stream.table: stream for stream in STREAMS}
UNITS = [each for each in ALL_WORK if isinstance(each, Unit)]
_VALUES: tuple[tuple[type, Any], ...] = (
    (ARRAY, []),
    (JSONB, "{}"),
    (Boolean, False),
    (Date, "2031-01-01"),
    (DateTime, "2031-01-01T00:00:00Z"),
    (SmallInteger, 1),
    (BigInteger, 1),
    (Numeric, 1),
)


def insert(connection: psycopg.Connection[Any], table: Table, **given: Any) -> int:
    """A row with something in every required column. The caller's transaction must end in a rollback."""
    for law in [c.name for c in table.constraints if type(c).__name__ == "CheckConstraint"]:
        connection.execute(
            sql.SQL("alter table {} drop constraint if exists {}").format(
                sql.Identifier(str(table.schema), table.name), sql.Identifier(str(law))
            )
        )
    values = dict(given)
    for column in table.columns:
        if column.nullable or column.server_default is not None or column.identity or column.name in values:
            continue
        values[column.name] = next((v for kind, v in _VALUES if isinstance(column.type, kind)), f"x-{column.name}")
    row = connection.execute(
        sql.SQL("insert into {} ({}) values ({}) returning id").format(
            sql.Identifier(str(table.schema), table.name),
            sql.SQL(", ").join(map(sql.Identifier, values)),
            sql.SQL(", ").join([sql.Placeholder()] * len(values)),
        ),
        list(values.values()),
    ).fetchone()
    assert row
    return int(row[0])


def staged(connection: psycopg.Connection[Any], table: str, **given: Any) -> int:
    values = {"payload_hash": b"", "status": "processed", **given}
    return insert(connection, metadata.tables[f"staging.{table}"], **values)


def orphan(connection: psycopg.Connection[Any], table: Table) -> None:
    """A row whose first parent does not exist, as a restore without its foreign keys leaves it."""
    connection.execute("set local session_replication_role = replica")
    key = next(key for column in table.columns for key in column.foreign_keys)
    missing = "none" if key.column.name != "id" else -1
    insert(connection, table, source="x", **{key.parent.name: missing})
    connection.execute("set local session_replication_role = origin")


def break_it(connection: psycopg.Connection[Any], rule: Rule) -> None:
    """Makes one row that breaks the rule."""
    if rule.name == "fates_point_somewhere":
        staged(connection, rule.table, v2_id=-1)
    elif rule.name == "nothing_waits_too_long":
        staged(connection, rule.table, status="deferred", fetched_at="2021-01-01T00:00:00Z")
    elif rule.name == "what_is_gone_is_deleted":
        stream = STREAM_OF[rule.table]
        living = insert(connection, metadata.tables[f"v2.{stream.primary}"], source="x")
        staged(connection, rule.table, v2_id=living, missed_sweeps=2)
    elif rule.name == "what_lives_is_not_deleted":
        deleted = metadata.tables[f"v2.{STREAM_OF[rule.table].primary}"]
        row = insert(connection, deleted, source="x", deleted_at="2031-01-02T00:00:00Z")
        staged(connection, rule.table, v2_id=row, status="rejected", processed_at="2031-01-01T00:00:00Z")
    elif rule.name == "nothing_is_parked":
        connection.execute(
            "insert into ops.parked_key (table_name, work, owner_id, reason) values (%s, 'x', 1, '{}')", [rule.table]
        )
    elif rule.name == "comes_from_staging":
        source = next(SOURCE_OF[unit.stage] for unit in UNITS if unit.table == rule.table)
        insert(connection, metadata.tables[f"v2.{rule.table}"], source=source)
    elif rule.name == "sponsors_make_no_circle":
        pair = insert(connection, metadata.tables["v2.network_hierarchy"], source="x", descendant_agent_id=2)
        connection.execute(
            "insert into v2.agent_hierarchy (agent_id, sponsor_agent_id, source)"
            " select ancestor_agent_id, descendant_agent_id, 'x' from v2.network_hierarchy where id = %s",
            [pair],
        )
    elif rule.name == "has_rows":
        connection.execute(sql.SQL("truncate {} cascade").format(sql.Identifier("v2", rule.table)))
        sources = metadata.tables[f"v2.{rule.table}"].info["sources"]
        connection.execute(
            "insert into ops.sync_state (integration, entity, account_ref, user_id, last_full_at)"
            " values (%s, 'x', 'x', 1, now() - interval '25 hours')",
            [sources[0].replace("v1", "xano")],
        )
    elif rule.name == "parents_exist":
        orphan(connection, metadata.tables[f"v2.{rule.table}"])
    elif rule.name == "ledger_adds_up":
        connection.execute(
            "insert into ops.merge_run (table_name, counts) values (%s, %s)",
            [rule.table, '{"read": 3, "processed": 1, "deferred": 1}'],
        )
    else:
        parent = rule.name.removeprefix("ends_with_its_")
        unit, child = next((u, c) for u in UNITS if u.table == parent for c in u.children if c.table == rule.table)
        gone = insert(
            connection,
            metadata.tables[f"v2.{parent}"],
            source=SOURCE_OF[unit.stage],
            deleted_at="2031-01-01T00:00:00Z",
        )
        insert(connection, metadata.tables[f"v2.{rule.table}"], source="x", **{child.parent: gone})


def test_every_rule_is_broken_by_a_row_that_breaks_it(database: Database) -> None:
    with database.connect() as connection:
        for rule in rules():
            with connection.transaction(force_rollback=True):
                assert judge(connection, rule).number == 0, rule
                break_it(connection, rule)
                assert judge(connection, rule).number == 1, (rule.table, rule.name)


def test_every_staging_table_and_every_v2_table_has_a_rule() -> None:
    ruled = {rule.table for rule in rules()}
    assert {stream.table for stream in STREAMS} <= ruled
    expected = {t.name for t in metadata.sorted_tables if t.schema == "v2" and not t.info["may_be_empty"]}
    assert expected <= ruled
