"""Where a stream stands: its watermark, the pass that is under way, and the history that is still to be read.

A cursor moves only in the transaction that stores a page. The watermark moves only when a pass is complete, and then
to the *start* of that pass by the source's clock, because what changed while we read may have been missed. The history
of a stream whose first pass read only what is recent is a pass of its own with a place of its own, so that the two
never wait for each other.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

import psycopg
from psycopg.types.json import Jsonb
from pydantic import AwareDatetime, BaseModel, ConfigDict

from resources.errors import Disconnected


class Pass(BaseModel):
    """A pass: what it reads, since when, and where it stands.

    `began_at` is the database's clock, as `fetched_at` is; `started_at` is the source's, as far as it is not ahead of
    that: a Date of tomorrow would leave out all that changes until then. A history that is owed and not begun has
    neither. `everything`: details that did not change are fetched too. `unnamed`: a record without an id was met.
    """

    model_config = ConfigDict(frozen=True)

    full: bool
    everything: bool = False
    unnamed: bool = False
    since: AwareDatetime | None = None
    began_at: AwareDatetime | None = None
    started_at: AwareDatetime | None = None
    position: dict[str, Any] | None = None
    sweep_id: int | None = None
    pages: int = 0
    records: int = 0


class Cursor(BaseModel):
    """What ops.sync_state.cursor holds.

    `current` reads forward and is None between passes. `history` is a full pass, read in pieces behind it; None when
    nothing is owed.
    """

    model_config = ConfigDict(frozen=True)

    watermark: AwareDatetime | None = None
    current: Pass | None = None
    history: Pass | None = None


class StreamKey(BaseModel):
    """One stream of one connection: the grain of ops.sync_state and of the lease."""

    model_config = ConfigDict(frozen=True)

    integration: str
    entity: str
    account_ref: str
    user_id: int

    @property
    def lease(self) -> str:
        """The lease's key: one sync per account and entity at a time."""
        return f"sync:{self.account_ref}:{self.entity}"


_WHERE = "integration = %(integration)s and entity = %(entity)s and account_ref = %(account_ref)s"


async def load_cursor(connection: psycopg.AsyncConnection[Any], key: StreamKey) -> Cursor:
    """The stored cursor; an empty one for a stream that was never read."""
    result = await connection.execute(f"select cursor from ops.sync_state where {_WHERE}", key.model_dump())
    row = await result.fetchone()
    return Cursor.model_validate(row[0]) if row else Cursor()


async def save_cursor(connection: psycopg.AsyncConnection[Any], key: StreamKey, cursor: Cursor, run_id: str) -> None:
    """Stores the cursor, in the caller's transaction, and marks the stream as running."""
    await connection.execute(
        "insert into ops.sync_state as s (integration, entity, account_ref, user_id, cursor, status, last_started_at,"
        " run_id, updated_at) values (%(integration)s, %(entity)s, %(account_ref)s, %(user_id)s, %(cursor)s,"
        " 'running', now(), %(run_id)s, now()) on conflict (integration, entity, account_ref) do update set"
        " cursor = excluded.cursor, status = 'running', run_id = excluded.run_id, updated_at = now(),"
        " last_started_at = case when s.status = 'running' and s.run_id = excluded.run_id then s.last_started_at"
        " else now() end",
        {**key.model_dump(), "cursor": Jsonb(cursor.model_dump(mode="json")), "run_id": run_id},
    )


async def owed(connection: psycopg.AsyncConnection[Any], account_ref: str, entities: Sequence[str]) -> bool:
    """Whether any of these streams of the account has history that is still to be read."""
    result = await connection.execute(
        "select exists (select from ops.sync_state where account_ref = %s and entity = any(%s)"
        " and cursor ->> 'history' is not null)",
        [account_ref, list(entities)],
    )
    return bool((await result.fetchone() or (False,))[0])


async def must_be_connected(connection: psycopg.AsyncConnection[Any], credentials_id: int) -> None:
    """In the transaction that stores: the connection is still there, and stays until the commit.

    Who takes it away waits for this transaction, and removes what it stored. Raises Disconnected.
    """
    result = await connection.execute(
        "select from v2.credentials where id = %s and active and deleted_at is null for share", [credentials_id]
    )
    if await result.fetchone() is None:
        raise Disconnected(
            f"connection {credentials_id} was taken away while it was read",
            hint="nothing of the current page was stored; `v2 onboard` connects the user again",
            context={"credentials_id": credentials_id},
        )


async def finish(
    connection: psycopg.AsyncConnection[Any],
    key: StreamKey,
    *,
    full: bool,
    records: int,
    error: dict[str, Any] | None = None,
) -> None:
    """Marks a pass as ended, in the transaction that stored its last page.

    `full`: it read everything, and that is proved. `error`: what it cannot prove; without one that of the stream's
    newest sweep stands, until a sweep is applied.
    """
    await connection.execute(
        f"update ops.sync_state set status = 'idle', last_sync_at = now(), records = %(records)s, updated_at = now(),"
        f" error = coalesce(%(error)s, (select w.error from ops.sweep w where {_WHERE} and w.completed_at is not null"
        f" order by w.id desc limit 1)), last_full_at = case when %(full)s then now() else last_full_at end"
        f" where {_WHERE}",
        {**key.model_dump(), "full": full, "records": records, "error": Jsonb(error) if error else None},
    )


async def pause(connection: psycopg.AsyncConnection[Any], key: StreamKey) -> None:
    """Nobody works on the stream for now; its cursor says where the next one goes on."""
    await connection.execute(
        f"update ops.sync_state set status = 'idle', updated_at = now() where {_WHERE} and status = 'running'",
        key.model_dump(),
    )


async def fail(connection: psycopg.AsyncConnection[Any], key: StreamKey, error: dict[str, Any], run_id: str) -> None:
    """Records why a stream stopped; its cursor stays where it was."""
    await connection.execute(
        "insert into ops.sync_state (integration, entity, account_ref, user_id, status, error, last_started_at, run_id,"
        " updated_at) values (%(integration)s, %(entity)s, %(account_ref)s, %(user_id)s, 'failed', %(error)s, now(),"
        " %(run_id)s, now()) on conflict (integration, entity, account_ref) do update set status = excluded.status,"
        " error = excluded.error, run_id = excluded.run_id, updated_at = now()",
        {
            **key.model_dump(),
            "error": Jsonb(error),
            "run_id": run_id,
        },
    )


async def leave_out(connection: psycopg.AsyncConnection[Any], key: StreamKey) -> bool:
    """Says that nothing is read with this connection's key any more. Returns whether that is news of a stream."""
    result = await connection.execute(
        f"update ops.sync_state set status = 'excluded', updated_at = now() where {_WHERE} and status <> 'excluded'",
        key.model_dump(),
    )
    return result.rowcount > 0


def overlap_start(watermark: datetime, minutes: int) -> datetime:
    """The start of an incremental window: late and tied records are read again rather than lost."""
    return watermark - timedelta(minutes=minutes)
