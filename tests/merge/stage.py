"""Merges without sources: enter users, put records into staging, merge everything, and read V2 by natural keys.

Shared by golden cases and property tests. Rows are compared without surrogate ids: a foreign key is shown as the
natural key of the row it points to ("t-1", "rezen/tx-1"), except that a user is shown by id, which cases choose.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

import psycopg
from psycopg import sql
from psycopg.rows import dict_row

from resources.postgres import Database
from resources.reading import Page, Record
from tests.story import DOMAINS, Work, work_in_order
from v2_assets.crm import units as crm
from v2_assets.deals import units as deals
from v2_assets.identity import units as identity
from v2_assets.merge import MergeCounts, merge_work
from v2_assets.money import units as money
from v2_assets.network import units as network
from v2_assets.people import units as people
from v2_assets.reference import units as reference
from v2_assets.schema import metadata
from v2_assets.schema.stage import STREAMS
from v2_assets.staging.state import StreamKey
from v2_assets.staging.store import store_page
from v2_assets.title import units as title

NOON = datetime(2031, 3, 1, 12, tzinfo=UTC)
STREAM_OF = {stream.table: stream for stream in STREAMS}
#: Filled by people or by the migrations; a fresh start keeps them.
KEPT = ("state_province", "contribution_tiers", "user", "credentials")
#: Streams that the network and what it pays are made from.
_OF_NETWORK = {
    *("network_downline", "network_frontline"),
    *("contributions", "pending_contributions", "revshare_payments", "equity"),
}
_TABLES = [table for table in metadata.tables.values() if table.schema == "v2"]


@dataclass(frozen=True)
class Staged:
    """One record as one user's connection read it."""

    stage: str
    source_id: str
    payload: Mapping[str, Any]
    user_id: int = 1
    account_ref: str = ""
    source_updated_at: datetime | None = None

    @classmethod
    def parse(cls, row: Mapping[str, Any]) -> Staged:
        """From a golden case; the stamp may be ISO text."""
        stamp = row.get("source_updated_at")
        return cls(**{**row, "source_updated_at": datetime.fromisoformat(stamp) if stamp else None})


def enter_users(connection: psycopg.Connection[Any], users: Iterable[Mapping[str, Any]]) -> list[int]:
    """Users with the ids given, and their verified connections."""
    ids = []
    for user in users:
        ids.append(user["id"])
        connection.execute(
            'insert into v2."user" (id, email) values (%s, %s)',
            [user["id"], user.get("email", f"user{user['id']}@example.test")],
        )
        for one in user.get("credentials", ()):
            connection.execute(
                "insert into v2.credentials (user_id, platform, account_id, external_user_id, state, verified,"
                " verified_at) values (%s, %s, %s, %s, 'ok', true, now())",
                [user["id"], one["platform"], one["account_id"], one["external_user_id"]],
            )
    return ids


def store(database: Database, records: Sequence[Staged]) -> None:
    """Stores records the way a sync does, each as a page of its own, in the order given."""

    async def all_of_them() -> None:
        async with database.aconnect() as connection:
            for record in records:
                stream = STREAM_OF[record.stage]
                key = StreamKey(
                    integration=stream.integration,
                    entity=stream.entity,
                    account_ref=record.account_ref or f"{stream.integration}/account/{record.user_id}",
                    user_id=record.user_id,
                )
                one = Record(record.source_id, dict(record.payload), record.source_updated_at)
                async with connection.transaction():
                    await store_page(connection, record.stage, key, Page((one,), None, NOON), "run", None)

    asyncio.run(all_of_them())


def merge_everything(database: Database, users: Sequence[int], work: Sequence[Work] | None = None) -> MergeCounts:
    """Every table (or only this work) for every user, parents first, as a run does it."""
    total = MergeCounts()
    pieces = [(each, user) for each in work or work_in_order(DOMAINS) for user in users]
    with database.connect(autocommit=True) as connection:
        for each, user in pieces:
            total.add(merge_work(connection, each, user, "run"))
    return total


def all_is_due(database: Database, stages: Iterable[str]) -> None:
    """What waits for a parent is tried at the next merge instead of after its pause."""
    with database.connect() as connection:
        for stage in sorted(stages):
            connection.execute(
                sql.SQL("update {} set next_attempt_at = now() where status = 'deferred'").format(
                    sql.Identifier("staging", stage)
                )
            )


def a_day_passes(database: Database, *stages: str) -> None:
    """What sweeps have missed so far, they missed a day earlier."""
    with database.connect() as connection:
        for stage in stages:
            connection.execute(
                sql.SQL("update {} set missing_since = missing_since - interval '1 day'").format(
                    sql.Identifier("staging", stage)
                )
            )


def work_of(stages: Iterable[str]) -> list[Work]:
    """The work of the integrations that these staging tables belong to; the others have nothing to do."""
    stages = set(stages)
    wanted = {STREAM_OF[stage].integration for stage in stages}
    if "xano" in wanted:  # V1 fills tables of every domain
        return work_in_order(DOMAINS)
    domains = [reference, identity, people, deals] if {"rezen", "skyslope", "csv"} & wanted else [identity]
    if _OF_NETWORK & {STREAM_OF[stage].entity for stage in stages}:
        domains += [network, money]
    if "title" in wanted:
        domains = [reference, *(d for d in domains if d is not reference), title]
    return work_in_order([*domains, crm] if "fub" in wanted else domains)


def written(counts: MergeCounts) -> dict[str, int]:
    """V2 tables in which rows were really written, and how many."""
    return {name: c.written for name, c in counts.tables.items() if c.written}


def start_over(connection: psycopg.Connection[Any]) -> None:
    """Empties staging and V2 except what people entered and what is seeded."""
    connection.execute('update v2."user" set agent_id = null, team_id = null, brokerage_id = null')
    tables = [sql.Identifier("v2", t.name) for t in _TABLES if t.name not in KEPT]
    # Referencing tables would be emptied with them, the kept ones too, so the laws rest for a moment.
    connection.execute("set session_replication_role = replica")
    for table in (*tables, *(sql.Identifier("staging", s.table) for s in STREAMS)):
        connection.execute(sql.SQL("delete from {}").format(table))
    connection.execute("set session_replication_role = origin")
    connection.execute("delete from ops.merge_run")


def fates(connection: psycopg.Connection[Any]) -> dict[str, dict[str, int]]:
    """Staged rows by table and fate, e.g. {"stage_rezen_teams": {"processed": 1, "rejected:unknown_code": 1}}."""
    told: dict[str, dict[str, int]] = {}
    for stream in STREAMS:
        rows = connection.execute(
            sql.SQL("select concat_ws(':', status, status_reason), count(*) from {} group by 1").format(
                sql.Identifier("staging", stream.table)
            )
        ).fetchall()
        if rows:
            told[stream.table] = dict(rows)
    return told


class V2:
    """All rows of V2 at one moment, foreign keys replaced by natural keys."""

    def __init__(self, connection: psycopg.Connection[Any]) -> None:
        self._rows: dict[str, dict[int, dict[str, Any]]] = {}
        with connection.cursor(row_factory=dict_row) as cur:
            for table in _TABLES:
                cur.execute(sql.SQL("select * from {}").format(sql.Identifier("v2", table.name)))
                self._rows[table.name] = {row["id"]: row for row in cur.fetchall()}

    def rows(self, table: str) -> list[dict[str, Any]]:
        """The table's rows, ordered by natural key, values in JSON terms."""
        return sorted((self._plain(table, row) for row in self._rows[table].values()), key=repr)

    def state(self, leaving_out: Iterable[str] = ()) -> dict[str, list[dict[str, Any]]]:
        """Every table that has rows."""
        out = set(leaving_out)
        return {t.name: self.rows(t.name) for t in _TABLES if self._rows[t.name] and t.name not in out}

    def key(self, table: str, row_id: int) -> Any:
        """The natural key of a row as one text; a user's is its id."""
        if table == "user":
            return row_id
        row = self._rows[table][row_id]
        parts = [self._value(table, name, row[name]) for name in metadata.tables[f"v2.{table}"].info["natural_key"]]
        return "/".join("" if part is None else str(part) for part in parts)

    def _plain(self, table: str, row: Mapping[str, Any]) -> dict[str, Any]:
        shown = {n: self._value(table, n, v) for n, v in row.items() if n not in ("id", "created_at", "updated_at")}
        shown["deleted_at"] = row["deleted_at"] is not None
        return shown

    def _value(self, table: str, name: str, value: Any) -> Any:
        for key in metadata.tables[f"v2.{table}"].columns[name].foreign_keys:
            target, column = key.target_fullname.rsplit(".", 1)
            if column == "id" and value is not None:
                return self.key(target.removeprefix("v2."), value)
        return _json(value)


def _json(value: Any) -> Any:
    if isinstance(value, Decimal):
        return int(value) if value == value.to_integral_value() else float(value)
    if isinstance(value, datetime):
        return value.astimezone(UTC).isoformat().replace("+00:00", "Z")
    if isinstance(value, date):
        return value.isoformat()
    return value
