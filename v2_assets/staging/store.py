"""Storing one page: rows, the sweep's keys and the cursor in one transaction.

A record that is already staged with the same content is left alone, so a page that is delivered twice writes nothing.
An older version never overwrites a newer one. A record that its model refused is stored `rejected`, raw, with the
reason: it never stops the page.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from dataclasses import asdict, dataclass
from typing import Any

import orjson
import psycopg
from psycopg import sql
from psycopg.types.json import Jsonb

from resources.reading import Page, Record
from v2_assets.staging.state import StreamKey


@dataclass(slots=True)
class StoreCounts:
    """Records of a pass by what storing them did."""

    pages: int = 0
    fetched: int = 0
    new: int = 0
    changed: int = 0
    rejected: int = 0
    warned: int = 0

    @property
    def unchanged(self) -> int:
        """Fetched but already staged like that (or staged newer)."""
        return self.fetched - self.new - self.changed

    def add(self, other: StoreCounts) -> None:
        """Adds another page's counts to these."""
        self.pages += other.pages
        self.fetched += other.fetched
        self.new += other.new
        self.changed += other.changed
        self.rejected += other.rejected
        self.warned += other.warned

    def as_dict(self) -> dict[str, int]:
        """For metadata and records."""
        return {
            "pages": self.pages,
            "fetched": self.fetched,
            "new": self.new,
            "changed": self.changed,
            "unchanged": self.unchanged,
            "rejected": self.rejected,
            "warned": self.warned,
        }


def payload_hash(payload: dict[str, Any]) -> bytes:
    """16 bytes over the canonical JSON (sorted keys): decides "changed?" without comparing documents."""
    return hashlib.blake2b(orjson.dumps(payload, option=orjson.OPT_SORT_KEYS), digest_size=16).digest()


def newest_of_each(records: Iterable[Record]) -> list[Record]:
    """One record per source_id: the newest, and among equals the last that came (a page may carry an id twice)."""
    chosen: dict[str, Record] = {}
    for record in records:
        held = chosen.get(record.source_id)
        if held is None or _not_older(record, held):
            chosen[record.source_id] = record
    return list(chosen.values())


def _not_older(record: Record, held: Record) -> bool:
    if record.source_updated_at is None or held.source_updated_at is None:
        return True
    return record.source_updated_at >= held.source_updated_at


async def store_page(
    connection: psycopg.AsyncConnection[Any], table: str, key: StreamKey, page: Page, run_id: str, sweep_id: int | None
) -> StoreCounts:
    """Stores a page's records (not the cursor: the caller does that in the same transaction)."""
    records = newest_of_each(page.records)
    counts = StoreCounts(pages=1, fetched=len(records))
    if records:
        await connection.execute("drop table if exists pg_temp.arriving")
        await connection.execute(
            "create temp table arriving (source_id text, payload jsonb, payload_hash bytea,"
            " source_updated_at timestamptz, problem jsonb, warnings jsonb) on commit drop"
        )
        async with connection.cursor() as cur, cur.copy("copy arriving from stdin") as copy:
            for record in records:
                await copy.write_row(_row(record))
        result = await connection.execute(
            _UPSERT.format(table=sql.Identifier("staging", table)),
            {"user_id": key.user_id, "account_ref": key.account_ref, "run_id": run_id},
        )
        for inserted, rejected, warned, number in await result.fetchall():
            if inserted:
                counts.new += number
            else:
                counts.changed += number
            if rejected:
                counts.rejected += number
            if warned:
                counts.warned += number
    if sweep_id is not None:
        await connection.execute(
            "insert into ops.sweep_key (sweep_id, source_id) select %s, unnest(%s::text[]) on conflict do nothing",
            [sweep_id, [*(r.source_id for r in records), *page.seen]],
        )
    return counts


def _row(record: Record) -> tuple[Any, ...]:
    problem = record.problem
    return (
        record.source_id,
        orjson.dumps(record.payload).decode(),
        payload_hash(record.payload),
        record.source_updated_at,
        Jsonb({"reason": problem.reason, "field": problem.field, "found": problem.found}) if problem else None,
        Jsonb([asdict(warning) for warning in record.warnings]) if record.warnings else None,
    )


#: Staged rows are locked in the order of their ids, as merges do, so that nobody waits for somebody who waits for him.
#: `missing_since` is cleared when a record is met again; one that had been deleted in V2 becomes pending, so that its
#: table's merge brings it back.
_UPSERT = sql.SQL(
    "with put as ("
    " insert into {table} as s (user_id, account_ref, source_id, payload, payload_hash, source_updated_at, fetched_at,"
    "  run_id, status, status_reason, status_detail, processed_at, warnings)"
    " select %(user_id)s, %(account_ref)s, a.source_id, a.payload, a.payload_hash, a.source_updated_at, now(),"
    "  %(run_id)s, case when a.problem is null then 'pending' else 'rejected' end, a.problem ->> 'reason',"
    "  a.problem - 'reason', case when a.problem is not null then now() end, a.warnings from arriving a"
    "  left join {table} held on held.account_ref = %(account_ref)s and held.source_id = a.source_id order by held.id"
    " on conflict (account_ref, source_id) do update set user_id = excluded.user_id, payload = excluded.payload,"
    "  payload_hash = excluded.payload_hash, source_updated_at = excluded.source_updated_at,"
    "  fetched_at = excluded.fetched_at, run_id = excluded.run_id, status = excluded.status,"
    "  status_reason = excluded.status_reason, status_detail = excluded.status_detail,"
    "  processed_at = excluded.processed_at, warnings = excluded.warnings, waits_for = null, duplicate_of = null,"
    "  next_attempt_at = null,"
    "  attempts = 0, missing_since = null, missed_sweeps = 0"
    " where (s.payload_hash <> excluded.payload_hash or s.missing_since is not null)"
    "  and (s.source_updated_at is null or excluded.source_updated_at is null"
    "   or excluded.source_updated_at >= s.source_updated_at)"
    " returning (xmax = 0) as inserted, status = 'rejected' as rejected, warnings is not null as warned)"
    " select inserted, rejected, warned, count(*)::int from put group by 1, 2, 3"
)
