"""Where a stream stands: its watermark, and the pass that is under way.

The cursor moves only in the transaction that stores a page. The watermark moves only when a pass is complete, and then
to the *start* of that pass by the source's clock, because what changed while we read may have been missed.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

import psycopg
from psycopg.types.json import Jsonb
from pydantic import AwareDatetime, BaseModel, ConfigDict


class Pass(BaseModel):
    """A pass that has begun: what it reads, since when, and where it stands."""

    model_config = ConfigDict(frozen=True)

    full: bool
    since: AwareDatetime | None = None
    started_at: AwareDatetime | None = None
    position: dict[str, Any] | None = None
    sweep_id: int | None = None
    pages: int = 0
    records: int = 0


class Cursor(BaseModel):
    """What ops.sync_state.cursor holds. `current` is None between passes."""

    model_config = ConfigDict(frozen=True)

    watermark: AwareDatetime | None = None
    current: Pass | None = None


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


async def finish(connection: psycopg.AsyncConnection[Any], key: StreamKey, *, full: bool, records: int) -> None:
    """Marks a pass as complete, in the transaction that stored its last page."""
    await connection.execute(
        f"update ops.sync_state set status = 'idle', last_sync_at = now(), error = null, records = %(records)s,"
        f" last_full_at = case when %(full)s then now() else last_full_at end, updated_at = now() where {_WHERE}",
        {**key.model_dump(), "full": full, "records": records},
    )


async def fail(
    connection: psycopg.AsyncConnection[Any], key: StreamKey, error: dict[str, Any], run_id: str, *, excluded: bool
) -> None:
    """Records why a stream stopped; its cursor stays where it was."""
    await connection.execute(
        "insert into ops.sync_state (integration, entity, account_ref, user_id, status, error, last_started_at, run_id,"
        " updated_at) values (%(integration)s, %(entity)s, %(account_ref)s, %(user_id)s, %(status)s, %(error)s, now(),"
        " %(run_id)s, now()) on conflict (integration, entity, account_ref) do update set status = excluded.status,"
        " error = excluded.error, run_id = excluded.run_id, updated_at = now()",
        {
            **key.model_dump(),
            "status": "excluded" if excluded else "failed",
            "error": Jsonb(error),
            "run_id": run_id,
        },
    )


def overlap_start(watermark: datetime, minutes: int) -> datetime:
    """The start of an incremental window: late and tied records are read again rather than lost."""
    return watermark - timedelta(minutes=minutes)
