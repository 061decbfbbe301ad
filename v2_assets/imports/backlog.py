"""The staged backlog of V1 and the old V2: raw records that were read from reZEN and never merged.

Each becomes a row of reZEN's own staging, as if it had been read by the user whose it was, and is merged like any
other; what is staged newer stays. Nobody is asked anything at reZEN.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import orjson
import psycopg
from psycopg import sql

from resources.apis.rezen.calls import record
from resources.apis.xano import RowSource
from resources.errors import BadRequest, NotFound
from resources.lease import Lease
from resources.postgres import Database
from resources.reading import Page, Record
from v2_assets.staging.state import Cursor, Pass, StreamKey, finish, load_cursor, save_cursor
from v2_assets.staging.store import StoreCounts, store_page

#: reZEN's entity → what the backlog's table may be called, in plain form.
BACKLOGS: Mapping[str, tuple[str, ...]] = {
    "transactions": ("stage_transactions_rezen", "stage_transaction_rezen", "stage_rezen_transactions"),
    "listings": ("stage_listing_rezen", "stage_listings_rezen", "stage_rezen_listings"),
}
#: Columns that may hold the record, and those that may say whose it was.
_PAYLOADS = ("payload", "raw", "data", "json", "body", "transaction", "listing")
_USERS, _AGENTS = ("user_id", "ad_user_id"), ("agent_id_raw", "yenta_id", "agent_yenta_id")


@dataclass(slots=True)
class BacklogImport:
    """One backlog: rows read, records by what storing them did, rows without a record, records of nobody known."""

    entity: str
    outcome: str = "imported"
    rows: int = 0
    counts: StoreCounts | None = None
    without_record: int = 0
    without_owner: int = 0

    def as_dict(self) -> dict[str, Any]:
        """For the command's answer."""
        counts = self.counts.as_dict() if self.counts else {}
        return {
            "entity": self.entity,
            "outcome": self.outcome,
            "rows": self.rows,
            "without_record": self.without_record,
            "without_owner": self.without_owner,
            **counts,
        }


def chosen_backlogs(names: Sequence[str] | None) -> tuple[str, ...]:
    """The backlogs meant. Raises BadRequest naming what is none."""
    unknown = sorted(set(names or ()) - set(BACKLOGS))
    if unknown:
        raise BadRequest(f"there is no backlog of {', '.join(unknown)}", hint=f"there are: {', '.join(BACKLOGS)}")
    return tuple(entity for entity in BACKLOGS if not names or entity in names)


def users_of(database: Database, run_id: str) -> list[int]:
    """The users whose staging a run filled: those who have something to merge."""
    users: set[int] = set()
    with database.connect() as connection:
        for entity in BACKLOGS:
            table = sql.Identifier("staging", f"stage_rezen_{entity}")
            query = sql.SQL("select distinct user_id from {} where run_id = %s and status = 'pending'").format(table)
            users |= {int(row[0]) for row in connection.execute(query, [run_id]).fetchall()}
    return sorted(users)


async def stage_backlog(
    database: Database,
    source: RowSource,
    entity: str,
    user_id: int,
    account: str,
    run_id: str,
    progress: Callable[[str], None] = lambda line: None,
) -> BacklogImport:
    """Stages one backlog, page by page with its place in one transaction. Raises what the way in raises."""
    told = BacklogImport(entity, counts=StoreCounts())
    key = StreamKey(integration="xano", entity=f"backlog_{entity}", account_ref=account, user_id=user_id)
    async with database.aconnect(autocommit=True) as connection, Lease.aacquire(database, key.lease, run_id) as lease:
        owners = await _owners(connection)
        cursor = await load_cursor(connection, key)
        current = cursor.current or Pass(full=True)
        try:
            async for page in source.rows(entity, BACKLOGS[entity], current.position, "incremental"):
                async with connection.transaction(), connection.cursor() as cur:
                    await lease.acheck(cur)
                    await _store(connection, told, page.rows, owners, entity, user_id, page.source_time, run_id)
                    current = current.model_copy(
                        update={"position": page.position, "records": current.records + len(page.rows)}
                    )
                    open_pass = current if page.position is not None else None
                    await save_cursor(connection, key, Cursor(current=open_pass), run_id)
                    if open_pass is None:
                        await finish(connection, key, full=True, records=current.records)
                progress(f"{entity}: {current.records} rows")
        except NotFound:
            told.outcome = "not there"
    return told


async def _owners(connection: psycopg.AsyncConnection[Any]) -> dict[str, tuple[int, str]]:
    """Whose a record is, by V1's number of the user and by the agent: the user, and the connection to reZEN."""
    result = await connection.execute(
        "select c.external_user_id, c.user_id, c.account_id, array_agg(i.external_id) filter (where i.id is not null)"
        " from v2.credentials c left join v2.user_identity i on i.user_id = c.user_id and i.deleted_at is null"
        " and i.platform = 'v1' and i.kind = 'user'"
        " where c.platform = 'rezen' and c.verified and c.deleted_at is null group by c.id order by c.id desc"
    )
    owners: dict[str, tuple[int, str]] = {}
    for agent, user, account_id, numbers in await result.fetchall():
        place = (int(user), f"rezen/{account_id}/{user}")
        if agent:
            owners[f"agent/{agent}"] = place
        for number in numbers or ():
            owners[f"user/{number}"] = place
    return owners


async def _store(
    connection: psycopg.AsyncConnection[Any],
    told: BacklogImport,
    rows: list[Any],
    owners: Mapping[str, tuple[int, str]],
    entity: str,
    user_id: int,
    source_time: Any,
    run_id: str,
) -> None:
    by_owner: dict[tuple[int, str], list[Record]] = defaultdict(list)
    for row in rows:
        told.rows += 1
        document = _document(row)
        if document is None:
            told.without_record += 1
            continue
        owner = _owner(row, owners)
        told.without_owner += owner is None
        by_owner[owner or (user_id, f"rezen/backlog/{user_id}")].append(record(entity, document))
    for (owner_id, account), records in sorted(by_owner.items()):
        key = StreamKey(integration="rezen", entity=entity, account_ref=account, user_id=owner_id)
        page = Page(tuple(records), None, source_time)
        if told.counts is None:
            told.counts = StoreCounts()
        told.counts.add(await store_page(connection, f"stage_rezen_{entity}", key, page, run_id, None))


def _document(row: Any) -> dict[str, Any] | None:
    """The record within a row of the backlog, nested or as text; None for a row that holds none."""
    if not isinstance(row, dict):
        return None
    for name in _PAYLOADS:
        value = row.get(name)
        if isinstance(value, str) and value.strip().startswith("{"):
            try:
                value = orjson.loads(value)
            except orjson.JSONDecodeError:
                continue
        if isinstance(value, dict) and value:
            return value
    return None


def _owner(row: dict[str, Any], owners: Mapping[str, tuple[int, str]]) -> tuple[int, str] | None:
    for kind, names in (("agent", _AGENTS), ("user", _USERS)):
        for name in names:
            if (found := owners.get(f"{kind}/{row.get(name)}")) is not None:
                return found
    return None
