"""What was found out about one record of one connection, and what follows from it. Pure; reads nothing."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from pydantic import BaseModel, Field

from v2_assets.schema.stage import STREAMS

#: What a rejected record needs before it is tried again.
_FIRST = {
    "unknown_code": "teach the word (`v2 codes`, docs/howto/unknown-words.md), or, if a release knows it by now, ",
    "invalid_record": "correct the record at its source, or its model in resources/apis, then ",
    "merge_error": "look at the constraint that is named, then ",
    "missing_key": "give the record at its source what V2 knows it by, then ",
}


class Found(BaseModel):
    """One record as one connection sees it. None or empty means: there is no such thing."""

    integration: str
    entity: str
    stage: str
    table: str
    source_id: str
    user_id: int
    account_ref: str
    connection: str | None = None
    stream: str | None = None
    stream_error: str | None = None
    last_sync_at: datetime | None = None
    last_full_at: datetime | None = None
    status: str | None = None
    reason: str | None = None
    detail: dict[str, Any] = Field(default_factory=dict)
    waits_for: str | None = None
    warnings: list[dict[str, str]] = Field(default_factory=list)
    staged_at: datetime | None = None
    attempts: int | None = None
    missed_sweeps: int = 0
    copy_of: str | None = None
    v2_id: int | None = None
    v2_there: bool = False
    v2_deleted_at: datetime | None = None
    events: list[dict[str, Any]] = Field(default_factory=list)
    at_source: bool | None = None
    source_error: str | None = None


class Trail(BaseModel):
    """What was found, the answer in a sentence, and the command that helps (empty: nothing has to be done)."""

    found: Found
    answer: str
    do: str = ""


def verdict(f: Found) -> Trail:
    """The answer, nearest to V2 first: what stands in the record's way is the last place that it reached."""
    answer, do = _staged(f) if f.status else _not_staged(f)
    return Trail(found=f, answer=answer, do=do)


def _staged(f: Found) -> tuple[str, str]:
    sync = f"v2 sync --user {f.user_id} --integration {f.integration} --entity {f.entity} --full"
    match f.status:
        case "processed" if f.v2_there and f.v2_deleted_at is None:
            return f"It is in V2: row {f.v2_id} of v2.{f.table}.", ""
        case "processed" if f.v2_there:
            why = "its source says, or two full sweeps saw, that it is gone" if f.missed_sweeps else "it was deleted"
            answer = f"It was in V2 (row {f.v2_id} of v2.{f.table}) until {_at(f.v2_deleted_at)}: {why}."
            return (f"{answer} But the source has it now.", sync) if f.at_source else (answer, "")
        case "processed":
            return f"Its row {f.v2_id} of v2.{f.table} is not there: the ledger is broken.", sync
        case "duplicate":
            return f"It is in V2 through another copy of it, staged under {f.copy_of}.", ""
        case "pending":
            return (
                f"It was staged at {_at(f.staged_at)} and waits for its merge, which the backlog sensor starts.",
                f"v2 merge --user {f.user_id}",
            )
        case "deferred":
            return (
                f"It waits for its parent {f.waits_for}, which is not in V2 ({f.reason}). It is merged by itself when"
                f" the parent comes; it was tried {f.attempts} times.",
                _parent(f),
            )
        case "rejected":
            told = ", ".join(f"{name} {value}" for name, value in f.detail.items() if value is not None)
            retry = f"v2 retry --table {f.stage} --reason {f.reason} --user {f.user_id}"
            return f"It is rejected: {f.reason}{f' ({told})' if told else ''}.", _FIRST.get(f.reason or "", "") + retry
        case _:
            return f"It is left out on purpose, by the rule {f.reason}.", ""


def _not_staged(f: Found) -> tuple[str, str]:
    onboard = f"v2 onboard --user {f.user_id} --platform {f.integration}"
    if f.connection is None:
        return f"User {f.user_id} has no connection to {f.integration}.", onboard
    if f.connection != "ok":
        return f"It was never read, and the key is {f.connection}: nothing is read with it.", onboard
    waiting = next((event for event in f.events if event["state"] != "done"), None)
    if waiting:
        state = f"{waiting['state']}{' (' + waiting['reason'] + ')' if waiting['reason'] else ''}"
        return (
            f"A webhook told of it at {_at(waiting['received_at'])}, and the event is {state}.",
            f"v2 webhooks replay --event {waiting['id']}",
        )
    if f.stream is None:
        return "It was never read: this stream was never read for this user.", _sync(f)
    if f.stream in ("failed", "excluded"):
        return f"It was never read: the stream is {f.stream} ({f.stream_error}).", _sync(f)
    if f.at_source:
        return "The source has it, and it was never read.", _sync(f) + " --full"
    if f.at_source is False:
        return (
            "The source does not show it to this user's key: it is not there, or it is somebody else's.",
            "",
        )
    return f"It was never read; the last sync was at {_at(f.last_sync_at)}.", _sync(f) + " --full"


def _sync(f: Found) -> str:
    return f"v2 sync --user {f.user_id} --integration {f.integration} --entity {f.entity}"


def _parent(f: Found) -> str:
    """`waits_for` is table/natural key, and that of a living source's record ends in its id there."""
    table, _, key = (f.waits_for or "").partition("/")
    if key.startswith("v1") or table not in {stream.primary for stream in STREAMS}:
        return ""
    return f"v2 why {table} {key.rpartition('/')[2]} --user {f.user_id}"


def _at(when: datetime | None) -> str:
    return f"{when:%Y-%m-%d %H:%M} UTC" if when else "no time that is known"
