"""The steps of an onboarding: which there are, in words for people, and how they stand, drawn from the streams.

The order here is the one in which people are told; the order of work is the asset graph. Nothing is written down twice:
a step is how the streams under it stand in `ops.sync_state`, and a run that dies leaves the truth behind.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal

import psycopg
from psycopg import sql

from v2_assets.schema.stage import STREAMS
from v2_assets.staging.streams import READINGS, stream

Status = Literal["waiting", "running", "recent", "done", "skipped", "failed", "blocked"]
#: The step behind all: everything that was read has its place in V2, or the reason why not.
COMPLETION = "completion"


@dataclass(frozen=True, slots=True)
class Step:
    """Streams that are one thing to people. `nothing`: why there may be none of it, which is then no failure."""

    name: str
    entities: tuple[str, ...]
    nothing: str | None = None


STEPS: dict[str, tuple[Step, ...]] = {
    "fub": (
        Step("users, groups, stages", ("accounts", "users", "groups", "stages", "pipelines")),
        Step("people", ("people",)),
        Step("deals, calls, events, appointments", ("deals", "calls", "events", "appointments")),
        Step("texts", ("text_messages",)),
    ),
    "rezen": (
        Step("agent data", ("agents",)),
        Step("team roster", ("teams", "team_members"), nothing="no team account: the agent is on no team"),
        Step("listings", ("listings",)),
        Step("transactions", ("transactions",)),
        Step("sponsor tree and down-line", ("sponsor_tree", "network_downline", "network_frontline")),
        Step("contributions", ("contributions", "pending_contributions")),
        Step("cap data", ("cap_data",)),
        Step("equity", ("equity",)),
        Step("rev-share payments", ("revshare_payments",)),
    ),
    "skyslope": (
        Step("users", ("offices", "users")),
        Step("listings", ("listings",)),
        Step("transactions", ("transactions",)),
    ),
    "title": (
        Step("agencies, users", ("agencies", "users")),
        Step("orders", ("orders",)),
    ),
    "xano": (Step("tables of V1", tuple(s.entity for s in STREAMS if s.integration == "xano")),),
}


@dataclass(frozen=True, slots=True)
class StreamState:
    """How one stream of a connection stands for one attempt; times are the database's."""

    entity: str
    status: Status
    started_at: datetime | None = None
    ended_at: datetime | None = None
    error: Mapping[str, Any] | None = None
    records: int = 0

    @property
    def retryable(self) -> bool:
        """Whether the same call may succeed later without anybody changing anything."""
        return bool(self.error and self.error.get("retryable"))


_STATES = """
select entity, status, last_started_at, last_sync_at, error, cursor ->> 'history' is not null, updated_at
from ops.sync_state where integration = %s and account_ref = %s
"""


def entities_of(integration: str) -> tuple[str, ...]:
    """Every stream of an integration."""
    return tuple(s.entity for s in STREAMS if s.integration == integration)


def with_dependents(integration: str, entities: Iterable[str]) -> set[str]:
    """These streams, and those whose keys come from them."""
    wanted = set(entities)
    while (
        more := {entity for entity in entities_of(integration) if set(READINGS[integration, entity].after) & wanted}
        - wanted
    ):
        wanted |= more
    return wanted


def stream_states(
    connection: psycopg.Connection[Any],
    integration: str,
    account_ref: str,
    since: datetime,
    entities: Sequence[str] | None = None,
) -> dict[str, StreamState]:
    """Every stream of the connection, as an attempt since then sees it.

    What the attempt does not read (`entities`) counts as it stands.
    """
    rows = {row[0]: row for row in connection.execute(_STATES, [integration, account_ref]).fetchall()}
    counts = _records(connection, integration, account_ref)
    found: dict[str, StreamState] = {}
    for entity in entities_of(integration):
        nothing = (entity, None, None, None, None, False, None)
        _, status, started, synced, error, owed, touched = rows.get(entity, nothing)
        now = touched is not None and touched >= since
        mine = entities is None or entity in entities
        fresh = synced is not None and (synced >= since or not mine)
        failed = status in ("failed", "excluded") and (now or not mine)
        word: Status = "waiting"
        if fresh and not owed:
            word = "done"
        elif failed:
            word = "failed"
        elif fresh:
            word = "recent"
        elif status == "running" and now:
            word = "running"
        found[entity] = StreamState(
            entity,
            word,
            started if started and started >= since else None,
            synced if fresh else None,
            error if word == "failed" else None,
            counts.get(entity, 0),
        )
    for entity, state in list(found.items()):
        if state.status == "waiting" and _blocked(integration, entity, found):
            found[entity] = StreamState(entity, "blocked", records=state.records)
    return found


def _blocked(integration: str, entity: str, states: Mapping[str, StreamState]) -> bool:
    """Whether a stream that it takes its keys from has failed, or waits for one that has."""
    return any(
        states[parent].status in ("failed", "blocked")
        or (states[parent].status == "waiting" and _blocked(integration, parent, states))
        for parent in READINGS[integration, entity].after
    )


def _records(connection: psycopg.Connection[Any], integration: str, account_ref: str) -> dict[str, int]:
    query = sql.SQL(" union all ").join(
        sql.SQL("select {}, count(*) from {} where account_ref = %(account)s").format(
            sql.Literal(entity), sql.Identifier("staging", stream(integration, entity).table)
        )
        for entity in entities_of(integration)
    )
    return dict(connection.execute(query, {"account": account_ref}).fetchall())


def pending(connection: psycopg.Connection[Any], integration: str, account_ref: str) -> int:
    """Records of the connection that are staged and have not been merged yet."""
    query = sql.SQL(" + ").join(
        sql.SQL("(select count(*) from {} where account_ref = %(account)s and status = 'pending')").format(
            sql.Identifier("staging", stream(integration, entity).table)
        )
        for entity in entities_of(integration)
    )
    row = connection.execute(sql.SQL("select {}").format(query), {"account": account_ref}).fetchone()
    return int(row[0]) if row else 0


def draw(
    integration: str,
    states: Mapping[str, StreamState],
    before: Sequence[Mapping[str, Any]],
    *,
    ended: bool,
    now: datetime,
) -> list[dict[str, Any]]:
    """The steps as documents: step, status, started_at, ended_at, records, and error or reason where there is one.

    Times that were told `before` stay; a later sweep does not move them. The last is the completion, which is done
    when the job has `ended` well.
    """
    known = {step["step"]: step for step in before}
    steps = [_drawn(step, [states[e] for e in step.entities], known.get(step.name, {})) for step in STEPS[integration]]
    open_ = any(step["status"] in ("waiting", "running", "recent") for step in steps)
    bad = any(step["status"] in ("failed", "blocked") for step in steps)
    status = "waiting" if open_ else "running" if not ended else "failed" if bad else "done"
    last = dict(known.get(COMPLETION, {})) | {"step": COMPLETION, "status": status}
    if status != "waiting":
        last["started_at"] = last.get("started_at") or now.isoformat(timespec="seconds")
    if status in ("done", "failed"):
        last["ended_at"] = last.get("ended_at") or now.isoformat(timespec="seconds")
    if status == "failed":
        last["reason"] = "not every step could be read"
    return [*steps, last]


def _drawn(step: Step, streams: Sequence[StreamState], before: Mapping[str, Any]) -> dict[str, Any]:
    status = _status(step, streams)
    started = [s.started_at for s in streams if s.started_at]
    told: dict[str, Any] = {
        "step": step.name,
        "status": status,
        "started_at": before.get("started_at") or _text(min(started, default=None)),
        "ended_at": None,
        "records": sum(s.records for s in streams),
    }
    if status in ("done", "skipped", "failed"):
        ended = [s.ended_at for s in streams if s.ended_at]
        same = before.get("status") == status and before.get("ended_at")
        told["ended_at"] = same or _text(max([*ended, *started], default=None))
    if status == "skipped":
        told["reason"] = step.nothing
    if status == "blocked":
        told["reason"] = "what it is read by could not be read"
    if failed := [s for s in streams if s.status == "failed" and s.error]:
        kept = {k: v for k, v in (failed[0].error or {}).items() if k in ("code", "message", "hint", "retryable")}
        told["error"] = {"stream": failed[0].entity, **kept}
    return told


def _status(step: Step, streams: Sequence[StreamState]) -> Status:
    words = {s.status for s in streams}
    if words == {"done"}:
        return "skipped" if step.nothing and not sum(s.records for s in streams) else "done"
    for word in ("failed", "running"):
        if word in words:
            return word
    if words <= {"done", "recent"}:
        return "recent"
    if words <= {"done", "blocked"}:
        return "blocked"
    return "waiting" if words <= {"waiting", "blocked"} else "running"


def _text(instant: datetime | None) -> str | None:
    return instant.isoformat(timespec="seconds") if instant else None
