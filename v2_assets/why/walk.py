"""Following one record back through everything that could have stopped it. Reads only."""

from __future__ import annotations

import asyncio
import difflib
from collections.abc import Sequence
from typing import Any, cast

import psycopg
from psycopg import sql
from psycopg.rows import dict_row

from resources.encryption import open_vault
from resources.errors import ConfigError, V2Error
from resources.http.budget import PostgresBudget
from resources.postgres import Database
from resources.reading import RecordReader
from resources.settings import Settings
from v2_assets.clients import client_of
from v2_assets.schema import metadata
from v2_assets.schema.stage import STREAMS, Stream
from v2_assets.users import CONNECTION_COLUMNS, Connection, connections_of
from v2_assets.webhooks.meaning import meaning
from v2_assets.why.trail import Found, Trail, verdict

#: Streams whose records a client can read one by one.
READABLE = {
    *(("fub", entity) for entity in ("people", "deals", "calls", "appointments", "text_messages", "events")),
    ("rezen", "transactions"),
    ("rezen", "listings"),
    ("title", "orders"),
}
#: Events about one record are few; the newest tell.
EVENTS = 20

_CONNECTIONS = f"""
select {CONNECTION_COLUMNS} from v2.credentials where platform = %s and active and deleted_at is null
  and (%s::bigint[] is null or user_id = any(%s)) order by user_id, id
"""  # noqa: S608 - constants
_STAGED = """
select s.user_id, s.account_ref, s.status, s.status_reason as reason, s.status_detail as detail, s.waits_for,
  s.warnings, s.fetched_at as staged_at, s.attempts, s.missed_sweeps, s.v2_id, w.account_ref as copy_of,
  v.id is not null as v2_there, v.deleted_at as v2_deleted_at
from {stage} s left join {stage} w on w.id = s.duplicate_of left join {live} v on v.id = s.v2_id
where s.source_id = %s and (%s::bigint[] is null or s.user_id = any(%s)) order by s.user_id, s.id
"""
_STREAM = """
select status as stream, error ->> 'message' as stream_error, last_sync_at, last_full_at from ops.sync_state
where integration = %s and entity = %s and account_ref = %s
"""
_EVENTS = """
select id, event, body, received_at, state, reason from ops.webhook_inbox
where source = %s and credentials_id = %s and position(convert_to(%s, 'UTF8') in body) > 0 order by id desc limit 500
"""


def records_of(name: str) -> list[Stream]:
    """The streams of a platform/entity, a staging table or a V2 table. Raises ConfigError for any other name."""
    found = [s for s in STREAMS if name in (f"{s.integration}/{s.entity}", s.table, s.primary)]
    if found:
        return found
    tables = {t.name: t for t in metadata.tables.values() if t.schema == "v2"}
    if name in tables:
        raise ConfigError(
            f"v2.{name} has no records of its own: it is filled by those of other tables, or computed.",
            hint=f"its page docs/reference/tables/{name}.md says from what; ask for that",
        )
    known = sorted({f"{s.integration}/{s.entity}" for s in STREAMS} | {s.table for s in STREAMS} | set(tables))
    near = difflib.get_close_matches(name, known, n=3)
    raise ConfigError(
        f"There is no table or stream {name!r}.",
        hint=f"did you mean {', '.join(near)}?" if near else "`v2 tables` lists the tables",
    )


def why(
    database: Database,
    settings: Settings,
    streams: Sequence[Stream],
    source_id: str,
    users: Sequence[int] | None = None,
    *,
    ask: bool = True,
) -> list[Trail]:
    """One trail for each connection (of these users, or of all) through which the record could come, or did.

    `ask`: the source is asked whether it has the record now, where that is one question. Raises DatabaseError.
    """
    found: list[Found] = []
    held: dict[str, Connection] = {}
    chosen = list(users) if users is not None else None
    with database.connect() as connection, connection.cursor(row_factory=dict_row) as cur:
        for stream in streams:
            owners = connection.execute(_CONNECTIONS, [stream.integration, chosen, chosen]).fetchall()
            held |= {each.account_ref: each for each in connections_of(owners)}
            found += _of_stream(cur, stream, source_id, held, chosen)
        for each in found:
            _add_stream_and_events(cur, each, held.get(each.account_ref))
    if ask:
        asyncio.run(_ask(database, settings, [f for f in found if f.account_ref in held], held))
    trails = [verdict(each) for each in found]
    # Whoever has it comes first: where a hundred users could have a record, the others only say that they have not.
    return sorted(trails, key=lambda t: (t.found.status is None, t.found.at_source is not True, not t.found.events))


def _of_stream(
    cur: psycopg.Cursor[dict[str, Any]],
    stream: Stream,
    source_id: str,
    held: dict[str, Connection],
    users: list[int] | None,
) -> list[Found]:
    names = {"stage": sql.Identifier("staging", stream.table), "live": sql.Identifier("v2", stream.primary)}
    fixed: dict[str, Any] = {
        "integration": stream.integration,
        "entity": stream.entity,
        "stage": stream.table,
        "table": stream.primary,
        "source_id": source_id,
    }
    rows = cur.execute(sql.SQL(_STAGED).format(**names), [source_id, users, users]).fetchall()
    found = [
        Found(**fixed, **{**row, "detail": row["detail"] or {}, "warnings": row["warnings"] or []}) for row in rows
    ]
    staged = {each.account_ref for each in found}
    missing = [c for c in held.values() if c.platform == stream.integration and c.account_ref not in staged]
    found += [Found(**fixed, user_id=c.user_id, account_ref=c.account_ref) for c in missing]
    known = {each.user_id for each in found}
    # A user that was named and has no connection is an answer too.
    found += [Found(**fixed, user_id=user, account_ref="") for user in users or () if user not in known]
    return found


def _add_stream_and_events(cur: psycopg.Cursor[dict[str, Any]], f: Found, owner: Connection | None) -> None:
    row = cur.execute(_STREAM, [f.integration, f.entity, f.account_ref]).fetchone()
    for name, value in (row or {}).items():
        setattr(f, name, value)
    if owner is None:
        return
    f.connection = owner.state
    for event in cur.execute(_EVENTS, [f.integration, owner.credentials_id, f.source_id]).fetchall():
        body = bytes(event.pop("body"))
        what = meaning(f.integration, event["event"], body)
        if what.entity == f.entity and f.source_id in what.ids and len(f.events) < EVENTS:
            f.events.append(event)


async def _ask(database: Database, settings: Settings, found: Sequence[Found], held: dict[str, Connection]) -> None:
    vault = open_vault(settings)
    async with database.async_pool(1, 2) as pool:
        for f in found:
            owner = held[f.account_ref]
            if (f.integration, f.entity) not in READABLE or not owner.usable:
                continue
            try:
                async with cast(RecordReader, client_of(owner, settings, vault, PostgresBudget(pool))) as client:
                    answer = await client.read_some(f.entity, [f.source_id], "incremental")
                f.at_source = answer.get(f.source_id) is not None
            except V2Error as error:
                f.source_error = error.message
