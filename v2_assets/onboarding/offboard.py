"""Taking a connection away: its key at once, and what it brought if that is wanted.

The first statement ends the connection, and every page that is stored asks for it in its own transaction
(`staging.state.must_be_connected`), so nothing can come in behind. Foreign keys are checked at the commit: there is no
order to keep, and no row is left that points to nothing.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import psycopg
from psycopg import sql
from psycopg.types.json import Jsonb

from v2_assets.connections.states import taken_away
from v2_assets.incidents import recover_now
from v2_assets.schema import metadata
from v2_assets.schema.ownership import OWNERS
from v2_assets.schema.stage import STREAMS
from v2_assets.users import CONNECTION_COLUMNS, Connection, connections_of

_CONNECTIONS = f"""
select {CONNECTION_COLUMNS} from v2.credentials
where user_id = %s and (%s::text is null or platform = %s) and deleted_at is null order by id
"""  # noqa: S608 - constants
#: Rows that are mentioned by records and belong to nobody: they go when nothing mentions them any more.
_MENTIONED = ("address", "agent", "office")
_CREDENTIAL_CODES = ("credential_refused", "credential_not_verified")


def connections(connection: psycopg.Connection[Any], user_id: int, platform: str | None) -> list[Connection]:
    """The user's connections that are there, active or not."""
    return connections_of(connection.execute(_CONNECTIONS, [user_id, platform, platform]).fetchall())


def disconnect(connection: psycopg.Connection[Any], held: Connection) -> None:
    """Ends a connection: no key, no job, no incident. In the caller's transaction; waits for a page that is stored."""
    taken_away(connection, held.credentials_id)
    connection.execute(
        "update ops.onboarding_job set status = 'Error', ended_at = now(), asked = null, error = %s"
        " where credentials_id = %s and status in ('New', 'Started')",
        [Jsonb({"code": "disconnected", "message": "the user was off-boarded"}), held.credentials_id],
    )
    connection.execute(
        "update ops.sync_state set status = 'idle', error = null, updated_at = now() where account_ref = %s",
        [held.account_ref],
    )
    for code in _CREDENTIAL_CODES:
        recover_now(connection, code=code, key=f"{held.platform}/{held.credentials_id}")


def remove_data(connection: psycopg.Connection[Any], held: Connection) -> dict[str, int]:
    """Removes what was staged through a connection, and the V2 rows that only it brought. Returns rows by table.

    A record that another connection has staged as well stays, and is merged from that copy. In the caller's
    transaction, which must have disconnected it.
    """
    removed: dict[str, int] = {}
    account = {"account": held.account_ref}
    doomed: dict[str, set[int]] = {}
    for stream in (s for s in STREAMS if s.integration == held.platform):
        stage = sql.Identifier("staging", stream.table)
        # Merges lock the rows of their batch: what is being merged is waited for.
        connection.execute(sql.SQL("select from {} where account_ref = %(account)s for update").format(stage), account)
        held_rows = connection.execute(
            sql.SQL("select v2_id from {} where account_ref = %(account)s and v2_id is not null").format(stage), account
        ).fetchall()
        connection.execute(
            sql.SQL(
                "update {0} other set status = 'pending', status_reason = null, duplicate_of = null from {0} gone"
                " where gone.account_ref = %(account)s and other.duplicate_of = gone.id"
                " and other.account_ref <> %(account)s"
            ).format(stage),
            account,
        )
        # Copies of the account itself go with it, whomever they point to.
        number = connection.execute(
            sql.SQL("delete from {} where account_ref = %(account)s").format(stage), account
        ).rowcount
        if number:
            removed[f"staging.{stream.table}"] = number
        doomed.setdefault(stream.primary, set()).update(row[0] for row in held_rows)
    for table, ids in doomed.items():
        _remove(connection, table, ids - _held(connection, table, ids), removed)
    if held.platform in ("fub", "rezen"):
        number = connection.execute(
            "delete from v2.user_identity where user_id = %s and platform = %s and source = %s",
            [held.user_id, held.platform, held.platform],
        ).rowcount
        removed["v2.user_identity"] = removed.get("v2.user_identity", 0) + number
    for table in _MENTIONED:
        _sweep_up(connection, table, held.platform, removed)
    for statement in (
        "delete from ops.sync_state where account_ref = %(account)s",
        "delete from ops.sweep where account_ref = %(account)s",
        "delete from ops.lease where starts_with(key, 'sync:' || %(account)s || ':')",
    ):
        connection.execute(statement, account)
    for statement in (
        "delete from ops.webhook_inbox where credentials_id = %s",
        "delete from ops.webhook_registration where credentials_id = %s",
    ):
        connection.execute(statement, [held.credentials_id])
    return {name: number for name, number in removed.items() if number}


def _held(connection: psycopg.Connection[Any], table: str, ids: set[int]) -> set[int]:
    """Those of these V2 rows that a staged record still stands behind."""
    kept: set[int] = set()
    for stream in (s for s in STREAMS if s.primary == table):
        rows = connection.execute(
            sql.SQL("select v2_id from {} where v2_id = any(%s)").format(sql.Identifier("staging", stream.table)),
            [list(ids)],
        ).fetchall()
        kept |= {row[0] for row in rows}
    return kept


def _pointing(table: str) -> Iterator[tuple[str, str, str, bool]]:
    """(schema, table, column, must it have a value) of everything that points to a V2 table."""
    for other in metadata.sorted_tables:
        for key in other.foreign_keys:
            if key.column.table.fullname == f"v2.{table}":
                yield other.schema or "", other.name, key.parent.name, not key.parent.nullable


def _remove(connection: psycopg.Connection[Any], table: str, ids: set[int], removed: dict[str, int]) -> None:
    """Deletes rows; what belongs to them goes along, what only mentions them forgets them."""
    if not ids:
        return
    for schema, child, column, required in _pointing(table):
        name, col = sql.Identifier(schema, child), sql.Identifier(column)
        rows = connection.execute(
            sql.SQL("select id from {} where {} = any(%s)").format(name, col), [list(ids)]
        ).fetchall()
        below = {row[0] for row in rows} - (ids if child == table else set())
        if not below:
            continue
        owned = required or column in OWNERS.get(child, ())
        gone = below if required else below - _held(connection, child, below) if owned else set[int]()
        forgetting = below - gone
        if forgetting:
            connection.execute(
                sql.SQL("update {} set {} = null where id = any(%s)").format(name, col), [list(forgetting)]
            )
        if gone:
            _release(connection, child, gone)
            _remove(connection, child, gone, removed)
    number = connection.execute(
        sql.SQL("delete from {} where id = any(%s)").format(sql.Identifier("v2", table)), [list(ids)]
    ).rowcount
    removed[f"v2.{table}"] = removed.get(f"v2.{table}", 0) + number


def _release(connection: psycopg.Connection[Any], table: str, ids: set[int]) -> None:
    """Somebody else's records of rows that cannot stay alone are merged again, and wait for their parent."""
    for stream in (s for s in STREAMS if s.primary == table):
        connection.execute(
            sql.SQL(
                "update {} set v2_id = null,"
                " status = case when status in ('processed', 'duplicate') then 'pending' else status end,"
                " status_reason = case when status in ('processed', 'duplicate') then null else status_reason end"
                " where v2_id = any(%s)"
            ).format(sql.Identifier("staging", stream.table)),
            [list(ids)],
        )


def _sweep_up(connection: psycopg.Connection[Any], table: str, source: str, removed: dict[str, int]) -> None:
    """Deletes the rows of a source that nothing points to and no record stands behind."""
    unused = [
        sql.SQL("not exists (select from {} x where x.{} = t.id)").format(
            sql.Identifier(schema, child), sql.Identifier(column)
        )
        for schema, child, column, _ in _pointing(table)
    ]
    unused += [
        sql.SQL("not exists (select from {} s where s.v2_id = t.id)").format(sql.Identifier("staging", stream.table))
        for stream in STREAMS
        if stream.primary == table
    ]
    number = connection.execute(
        sql.SQL("delete from {} t where t.source = %s and {}").format(
            sql.Identifier("v2", table), sql.SQL(" and ").join(unused)
        ),
        [source],
    ).rowcount
    removed[f"v2.{table}"] = removed.get(f"v2.{table}", 0) + number
