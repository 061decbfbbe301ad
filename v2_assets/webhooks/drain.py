"""Draining the inbox: events become records to read, each record is read once, and stored like a page of a sweep.

Whatever order events come in, and however often, the record is read as it is now, so the newest state wins. An event
is marked in the transaction that stores its records; a tick that dies repeats, and repeating changes nothing.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import cast
from uuid import uuid4

import psycopg

from resources.encryption import Vault, open_vault
from resources.errors import (
    ConfigError,
    Disconnected,
    LeaseBusy,
    LeaseLost,
    SourceUnavailable,
    Unauthorized,
    Unexpected,
    V2Error,
)
from resources.http.budget import Budget, PostgresBudget
from resources.lease import Lease
from resources.postgres import Database
from resources.reading import Page, Record, RecordReader
from resources.settings import Settings
from resources.webhooks import SOURCES
from v2_assets.clients import client_of
from v2_assets.connections.states import doubt
from v2_assets.schema.stage import Stream
from v2_assets.staging.gone import end_records, wait_for_merges
from v2_assets.staging.state import StreamKey, must_be_connected
from v2_assets.staging.store import store_page
from v2_assets.staging.streams import stream
from v2_assets.staging.sync import SyncOptions
from v2_assets.staging.users import sync_users
from v2_assets.users import Connection, load_user
from v2_assets.webhooks import inbox
from v2_assets.webhooks.inbox import Event
from v2_assets.webhooks.meaning import Meaning, meaning

#: Connections of one source read side by side; each holds two database connections while it stores.
AT_ONCE = 4
#: Records of one stream of one connection in a tick, so that they are read well before the deadline: some three calls
#: of a hundred at Follow Up Boss, a call for each elsewhere. The rest a tick later.
RECORDS_AT_ONCE = {"fub": 300}
RECORDS_ONE_BY_ONE = 40
#: One connection that is slow must not hold the others up for longer.
DEADLINE_S = 25.0
#: What has not begun by then waits for the next tick, so that what was read is merged.
TICK_S = 10.0
#: A source is away for this tick when so many of its connections found it so: one may be alone in its trouble.
AWAY_FOR = 2
#: Errors of a whole connection: which record was asked for makes no difference.
_OF_THE_CONNECTION = (Unauthorized, Disconnected, ConfigError, LeaseLost)


@dataclass(slots=True)
class Drained:
    """What a tick did: events by outcome, and the users with new rows by staging table."""

    events: dict[str, int] = field(default_factory=dict)
    touched: dict[str, set[int]] = field(default_factory=dict)

    def count(self, outcome: str, number: int) -> None:
        """Adds events of an outcome."""
        if number:
            self.events[outcome] = self.events.get(outcome, 0) + number


@dataclass(slots=True)
class _Group:
    """All that is to be read of one stream through one connection: ids with the events that told of them.

    `behind`: events of the same stream that have to wait for the next tick.
    """

    owner: Connection
    stream: Stream
    events: dict[int, Event] = field(default_factory=dict)
    ids: dict[str, list[int]] = field(default_factory=dict)
    deleted: set[str] = field(default_factory=set)
    whole: bool = False
    behind: list[int] = field(default_factory=list)

    @property
    def key(self) -> StreamKey:
        return StreamKey(
            integration=self.stream.integration,
            entity=self.stream.entity,
            account_ref=self.owner.account_ref,
            user_id=self.owner.user_id,
        )

    def halves(self) -> list[_Group]:
        """The same work in two parts; none when it is one event, or one list that is read whole."""
        if self.whole or len(self.events) < 2:
            return []
        events = list(self.events.items())
        middle = len(events) // 2
        return [self._only(dict(part)) for part in (events[:middle], events[middle:])]

    def _only(self, events: dict[int, Event]) -> _Group:
        told = {source_id: [i for i in by if i in events] for source_id, by in self.ids.items()}
        ids = {source_id: by for source_id, by in told.items() if by}
        return _Group(self.owner, self.stream, events, ids, self.deleted & set(ids))


async def drain(database: Database, settings: Settings) -> Drained:
    """Handles what waits. Never raises for one source's, user's, record's or event's sake.

    What failed is recorded with its events alone, which stay, and are tried later; the others go on.
    """
    told, vault, run_id = Drained(), open_vault(settings), f"webhook-{uuid4()}"
    async with database.aconnect(autocommit=True) as connection:
        events = await inbox.waiting(connection)
        if not events:
            return told
        groups = await _sorted_out(connection, events, told)
    slots = {source: asyncio.Semaphore(AT_ONCE) for source in SOURCES}
    away: dict[str, dict[int, V2Error]] = {source: {} for source in SOURCES}
    over = time.monotonic() + TICK_S
    async with database.async_pool(2, 2) as pool:
        budget = PostgresBudget(pool)

        async def one(group: _Group) -> None:
            source = group.owner.platform
            async with slots[source]:
                if time.monotonic() > over:
                    told.count("next_tick", len(group.events))
                elif len(away[source]) >= AWAY_FOR or group.owner.credentials_id in away[source]:
                    await _later(database, group, next(iter(away[source].values())), told)
                elif error := await _handle(database, settings, vault, budget, group, run_id, told, over):
                    away[source][group.owner.credentials_id] = error

        await asyncio.gather(*(one(group) for group in groups))
    return told


async def _sorted_out(connection: psycopg.AsyncConnection, events: list[Event], told: Drained) -> Iterable[_Group]:
    """Puts aside what cannot or need not be read; groups the rest."""
    owners = await inbox.owners(connection, events)
    groups: dict[tuple[int, str], _Group] = {}
    finished: dict[int, str] = {}
    parked: dict[int, str] = {}
    for event in events:
        try:
            what = meaning(event.source, event.event, event.body)
        except Exception as error:  # of this event alone, whatever is in it
            parked[event.id] = "failed"
            await inbox.again(connection, [event.id], Unexpected.of(error).as_dict())
            continue
        owner = owners.get(event.credentials_id)
        if what.kind == "nothing":
            finished[event.id] = "not_kept"
        elif what.kind == "unknown":
            parked[event.id] = "unknown_event"
        elif owner is None:
            parked[event.id] = "unknown_user"
        elif not owner.usable:
            parked[event.id] = "no_connection"
        else:
            _add(groups, owner, event, what)
    await inbox.done(connection, finished)
    await inbox.park(connection, parked)
    for reason in (*finished.values(), *parked.values()):
        told.count(reason, 1)
    return groups.values()


def _add(groups: dict[tuple[int, str], _Group], owner: Connection, event: Event, what: Meaning) -> None:
    key = (owner.credentials_id, what.entity)
    group = groups.setdefault(key, _Group(owner, stream(owner.platform, what.entity)))
    if len(group.ids) >= RECORDS_AT_ONCE.get(owner.platform, RECORDS_ONE_BY_ONE):
        group.behind.append(event.id)
        return
    group.events[event.id] = event
    group.whole = group.whole or what.kind == "list"
    for source_id in what.ids:
        group.ids.setdefault(source_id, []).append(event.id)
        if what.deleted:
            group.deleted.add(source_id)


async def _handle(
    database: Database,
    settings: Settings,
    vault: Vault,
    budget: Budget,
    group: _Group,
    run_id: str,
    told: Drained,
    over: float,
) -> SourceUnavailable | None:
    """Reads and stores one group. Returns the error of a source that is away for this connection.

    What fails for good is tried in halves as long as the tick lasts, so that it is recorded with the one event it
    belongs to.
    """
    try:
        async with asyncio.timeout(DEADLINE_S):
            if group.whole:
                outcomes = await _read_list(database, settings, group, run_id)
            else:
                outcomes = await _read_records(database, settings, vault, budget, group, run_id)
    except LeaseBusy:
        async with database.aconnect() as connection:
            await inbox.step_aside(connection, [*group.events, *group.behind])
        told.count("busy", len(group.events) + len(group.behind))
        return None
    except Exception as error:  # anything: it is recorded, and the other groups go on
        failure = _understood(error, group)
        of_one = not failure.retryable and not isinstance(failure, _OF_THE_CONNECTION)
        halves = group.halves() if of_one and time.monotonic() < over else []
        if halves:
            ended = [await _handle(database, settings, vault, budget, half, run_id, told, over) for half in halves]
            return ended[0] or ended[1]
        await _later(database, group, failure, told)
        return error if isinstance(error, SourceUnavailable) else None
    async with database.aconnect() as connection:
        await inbox.source_answers(connection, group.owner.credentials_id)
    for outcome in outcomes.values():
        told.count(outcome, 1)
    if {"stored", "deleted"} & set(outcomes.values()):
        told.touched.setdefault(group.stream.table, set()).add(group.owner.user_id)
    return None


async def _later(database: Database, group: _Group, error: V2Error, told: Drained) -> None:
    """Backoff; what a source answers and we do not understand is put aside in the end.

    An absent source never ends so, nor a key that is refused: its connection will be out of use, or work again.
    """
    passes = error.retryable or isinstance(error, Unauthorized)
    hopeless = set() if passes else {e.id for e in group.events.values() if e.attempts >= inbox.TRIES_WHEN_BROKEN}
    async with database.aconnect() as connection:
        if isinstance(error, Unauthorized):
            await doubt(connection, group.owner.credentials_id)
        await inbox.again(connection, list(group.events), error.as_dict())
        await inbox.park(connection, dict.fromkeys(hopeless, "failed"))
    told.count("later", len(group.events) - len(hopeless))
    told.count("failed", len(hopeless))


async def _read_records(
    database: Database, settings: Settings, vault: Vault, budget: Budget, group: _Group, run_id: str
) -> dict[int, str]:
    """Reads each record once and stores what is there. Returns what became of each event."""
    key, ids = group.key, list(group.ids)
    async with Lease.aacquire(database, key.lease, run_id) as lease:
        async with cast(RecordReader, client_of(group.owner, settings, vault, budget)) as client:
            found = await client.read_some(group.stream.entity, ids, "webhook")
        gone = [i for i in ids if i in found and found[i] is None and i in group.deleted]
        outcomes = _outcomes(group, found)
        async with database.aconnect() as connection, connection.cursor() as cur:
            await lease.acheck(cur)
            await must_be_connected(connection, group.owner.credentials_id)
            if gone:
                await wait_for_merges(connection, group.stream.primary)
            records = tuple(record for record in found.values() if record is not None)
            await store_page(connection, group.stream.table, key, Page(records, None, datetime.now(UTC)), run_id, None)
            if gone:
                account = f"{group.owner.platform}/{group.owner.account_id}/"
                await end_records(connection, group.stream.table, group.stream.primary, account, gone)
            await inbox.done(connection, {i: o for i, o in outcomes.items() if o != "later"})
            absent = [i for i, o in outcomes.items() if o == "later"]
            if absent:
                await inbox.again(connection, absent, {"code": "absent", "message": "the record is not there (yet)"})
    return outcomes


def _outcomes(group: _Group, found: Mapping[str, Record | None]) -> dict[int, str]:
    outcomes: dict[int, str] = dict.fromkeys(group.events, "stored")
    for source_id, told_by in group.ids.items():
        if found.get(source_id) is not None:
            continue
        for event_id in told_by:
            if source_id in group.deleted and source_id in found:  # left out: refused, which deletes nothing
                outcomes[event_id] = "deleted"
            elif group.events[event_id].attempts >= inbox.TRIES_WHEN_ABSENT:
                outcomes[event_id] = "not_visible"  # a 404 alone proves no deletion: the sweeps decide
            else:
                outcomes[event_id] = "later"
    return outcomes


async def _read_list(database: Database, settings: Settings, group: _Group, run_id: str) -> dict[int, str]:
    """A small list is read whole, as a sweep does it."""
    user_id = group.owner.user_id

    def load():
        with database.connect() as connection:
            return {user_id: load_user(connection, user_id)}

    contexts = await asyncio.to_thread(load)
    options = SyncOptions(full=True)  # with a sweep's patience: a stream that fails is told to people
    outcome = (await sync_users(database, settings, group.stream, contexts, run_id, options))[user_id]
    if outcome.error:
        raise outcome.error
    outcomes = dict.fromkeys(group.events, "stored")
    async with database.aconnect() as connection:
        await inbox.done(connection, outcomes)
    return outcomes


def _understood(error: Exception, group: _Group) -> V2Error:
    """Every error as one of ours."""
    if isinstance(error, V2Error):
        return error
    if isinstance(error, TimeoutError | OSError):
        what = "gave no answer in time" if isinstance(error, TimeoutError) else f"broke off ({type(error).__name__})"
        return SourceUnavailable(f"reading again after a webhook {what}", retryable=True)
    return Unexpected.of(error)
