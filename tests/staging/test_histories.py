"""Histories of records that several users see, in any order, with deaths anywhere: each V2 row lives exactly as long.

The source is a few contacts and calls of two accounts, each seen by some users. Users read them, sweep them, lose them
and get them back; versions come that cannot be merged; webhooks tell of deletions; merges run for one user at a time.
The model beside it says what must live. Everything but the HTTP is the real thing.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any
from unittest.mock import patch

import psycopg
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule, run_state_machine_as_test

from resources.postgres import Database
from resources.reading import Page, Problem, Record
from tests.merge.arrival import RARELY
from tests.merge.stage import enter_users
from v2_assets.checks.rules import judge, rules
from v2_assets.crm.units import FUB_CALLS, FUB_PEOPLE
from v2_assets.merge import Unit, engine, statements
from v2_assets.staging import sweep as sweeps
from v2_assets.staging.gone import end_records, wait_for_merges
from v2_assets.staging.state import StreamKey
from v2_assets.staging.store import store_page
from v2_assets.staging.streams import stream as stream_of
from v2_assets.staging.sweep import apply_sweep, begin_sweep, end_sweep, owed_sweeps

START = datetime(2031, 1, 1, tzinfo=UTC)
#: Users 1 and 2 share an account; 3 has one of its own, with the same numbers in it.
ACCOUNT = {1: 77, 2: 77, 3: 88}
UNITS = {"people": FUB_PEOPLE[0], "calls": FUB_CALLS[0]}
#: Kind and number of each record of each account. Number 9 is always there: that all is lost is a person's matter.
RECORDS = (("people", 1), ("people", 2), ("calls", 1), ("calls", 2))
#: What a version can be: mergeable, refused by its model, or waiting for a stage that never comes.
KINDS = ("good", "good", "broken", "waiting")
DEATHS = (None, None, "reading", "ended", "marked", "settling")
_WATCHED = [
    r for r in rules() if r.severity == "ERROR" and r.table in ("stage_fub_people", "stage_fub_calls", "fub_people")
]


_OF_STAGING = ("fetched_at", "processed_at", "missing_since")
_AGES = {
    "staging.stage_fub_people": _OF_STAGING,
    "staging.stage_fub_calls": _OF_STAGING,
    "v2.fub_people": ("deleted_at",),
    "v2.fub_calls": ("deleted_at",),
    "ops.sweep": ("started_at", "completed_at"),
}


class Death(BaseException):
    """The process is gone at this point; what it had not committed is undone."""


@dataclass
class Copy:
    """What one user holds of a record."""

    version: int
    kind: str
    stored: int = 0  # when it came, in the order of all that happened
    merging: bool = False  # waits for a merge
    linked: bool = False  # knows its V2 row
    missed: int = 0
    since: tuple[int, int] | None = None  # day and order of the sweep that missed it first, or of the word


@dataclass
class Thing:
    """A record at its source, what the users hold of it, and whether its V2 row has ended."""

    version: int = 1
    kind: str = "good"
    exists: bool = True
    seen_by: set[int] = field(default_factory=set)
    copies: dict[int, Copy] = field(default_factory=dict)
    merged: bool = False
    ended: bool = False
    uncertain: bool = False  # ended, and back in a version that cannot be merged

    def living(self) -> list[Copy]:
        return [copy for copy in self.copies.values() if copy.missed < 2 and copy.linked]


class Bench:
    """The connections that all histories of a test use, and a loop for the one that is asynchronous."""

    def __init__(self, database: Database) -> None:
        self.database = database
        self.loop = asyncio.new_event_loop()
        self._async = database.aconnect(autocommit=True)
        self.aconnection = self.loop.run_until_complete(self._async.__aenter__())
        self._sync = database.connect(autocommit=True)
        self.connection: psycopg.Connection[Any] = self._sync.__enter__()
        enter_users(self.connection, [{"id": user} for user in ACCOUNT])
        for account in set(ACCOUNT.values()):
            self.connection.execute(
                "insert into v2.fub_accounts (account_id_raw, source) values (%s, 'fub')", [account]
            )

    def close(self) -> None:
        self.loop.run_until_complete(self._async.__aexit__(None, None, None))
        self._sync.__exit__(None, None, None)
        self.loop.close()

    def start_over(self) -> None:
        for table in ("staging.stage_fub_people", "staging.stage_fub_calls", "v2.fub_calls", "v2.fub_people"):
            self.connection.execute(f"delete from {table}".encode())
        self.connection.execute("delete from ops.sweep")
        self.connection.execute("delete from ops.merge_run")


USERS = st.sampled_from(sorted(ACCOUNT))
STREAMS = st.sampled_from(sorted(UNITS))
THINGS = st.sampled_from(RECORDS)


class Histories(RuleBasedStateMachine):
    """The source, the users and the platform; `things` is the model."""

    bench: Bench

    @initialize(data=st.data())
    def begin(self, data: st.DataObject) -> None:
        self.bench.start_over()
        self.day = self.order = 0
        self.things: dict[tuple[str, int, int], Thing] = {}
        self.owed: dict[tuple[int, str], tuple[int, int, set[int]]] = {}
        for kind, number in RECORDS:
            for account in set(ACCOUNT.values()):
                users = {user for user, of in ACCOUNT.items() if of == account}
                self.things[kind, number, account] = Thing(seen_by=data.draw(st.sets(st.sampled_from(sorted(users)))))

    # What happens at the source

    @rule(which=THINGS, account=st.sampled_from([77, 77, 88]), kind=st.sampled_from(KINDS))
    def a_new_version(self, which: tuple[str, int], account: int, kind: str) -> None:
        thing = self.things[(*which, account)]
        thing.version += 1
        thing.kind = kind if which[0] == "people" or kind != "waiting" else "broken"

    @rule(which=THINGS, user=USERS)
    def a_user_sees_it_or_does_not(self, which: tuple[str, int], user: int) -> None:
        self.things[(*which, ACCOUNT[user])].seen_by ^= {user}

    @rule(which=THINGS, account=st.sampled_from([77, 88]))
    def it_is_deleted_or_restored(self, which: tuple[str, int], account: int) -> None:
        thing = self.things[(*which, account)]
        thing.exists = not thing.exists

    @rule(number=st.sampled_from([1, 2]))
    def it_is_given_to_the_other_user(self, number: int) -> None:
        """A lead is reassigned: its contact and its calls are the other one's from now on."""
        for kind in UNITS:
            thing = self.things[kind, number, 77]
            thing.seen_by = {2} if 1 in thing.seen_by else {1}
            thing.version += 1

    @rule()
    def a_day_passes(self) -> None:
        self.day += 1
        for table, columns in _AGES.items():
            changes = ", ".join(f"{column} = {column} - interval '1 day'" for column in columns)
            self.bench.connection.execute(f"update {table} set {changes}".encode())

    # What the platform does

    @rule(user=USERS, stream=STREAMS, only=st.sets(st.sampled_from([1, 2]), min_size=1))
    def an_incremental_pass(self, user: int, stream: str, only: set[int]) -> None:
        self._read(user, stream, self._seen(user, stream) & only, None)

    @rule(user=USERS, stream=STREAMS, lightly=st.booleans(), death=st.sampled_from(DEATHS))
    def a_full_sweep(self, user: int, stream: str, lightly: bool, death: str | None) -> None:
        """`lightly`: what is unchanged is only named. A sweep that an earlier run owes is applied first."""
        for sweep_id in self._do(owed_sweeps(self.bench.aconnection, self._key(user, stream))):
            began, order, met = self.owed.pop((user, stream))
            self._apply(user, stream, sweep_id, None)
            self._missed(user, stream, began, order, met)
            self._settled(user, stream, order, met)
        sweep_id = self._do(begin_sweep(self.bench.aconnection, self._key(user, stream)))
        self.order += 1
        order, met = self.order, self._seen(user, stream)
        known = {n for n in met if lightly and self._is_known(user, stream, n)}
        self._read(user, stream, met - known, sweep_id, known)
        if death == "reading":
            return
        self._do(end_sweep(self.bench.aconnection, self._key(user, stream), sweep_id, None, whole=True))
        if death == "ended":
            self.owed[user, stream] = (self.day, order, met)
            return
        self._apply(user, stream, sweep_id, death)
        self._missed(user, stream, self.day, order, met)
        if death:
            self.owed[user, stream] = (self.day, order, met)
        else:
            self._settled(user, stream, order, met)

    @rule(user=USERS, which=THINGS)
    def a_webhook(self, user: int, which: tuple[str, int]) -> None:
        """Of a record that is there it is read; of one that is deleted, its source's word ends every copy."""
        stream, number = which
        thing = self.things[stream, number, ACCOUNT[user]]
        if thing.exists and user in thing.seen_by:
            self._read(user, stream, {number}, None)
        elif not thing.exists:
            self._do(self._end(stream, ACCOUNT[user], number))
            self.order += 1
            for copy in thing.copies.values():
                copy.missed, copy.since = 2, (self.day, self.order)
            self._maybe_ended(thing)

    @rule(user=USERS, dies=st.booleans())
    def a_merge(self, user: int, dies: bool) -> None:
        for stream, unit in UNITS.items():
            if dies:
                with self._dying(engine, "_write_fates"), _until_death():
                    engine.merge(self.bench.connection, unit, user, "run")
            else:
                engine.merge(self.bench.connection, unit, user, "run")
                self._merged(user, stream)

    @rule()
    def a_usual_day(self) -> None:
        """Everybody sweeps everything, and all is merged."""
        self.a_day_passes()
        for stream in UNITS:
            for user in ACCOUNT:
                self.a_full_sweep(user, stream, False, None)
        self._merge_all()

    # What must hold

    @invariant()
    def no_rule_is_broken(self) -> None:
        for each in _WATCHED:
            if not (self.owed and each.name == "what_is_gone_is_deleted"):
                verdict = judge(self.bench.connection, each)
                assert verdict.number == 0, (each.table, each.name, verdict.ids)

    @rule()
    def all_that_should_live_lives(self) -> None:
        """When everything that waits is merged, the rows alive are those of the model."""
        if self.owed:
            return
        self._merge_all()
        told = self._rows()
        for (kind, number, account), thing in self.things.items():
            parent = self.things["people", number, account]
            lives = thing.merged and not thing.ended and (kind == "people" or not parent.ended)
            unsure = thing.uncertain or (kind == "calls" and parent.uncertain)
            if unsure:
                continue
            row = told.get((kind, number, account))
            assert (row is not None and row[0]) == lives, (kind, number, account, thing, told)

    def teardown(self) -> None:
        """After two usual days V2 is what its sources say and nothing waits, and a third one changes nothing."""
        if not hasattr(self, "things"):
            return
        for _ in range(2):
            self.a_usual_day()
        told = self._rows()
        self.a_usual_day()
        assert self._rows() == told
        self.all_that_should_live_lives()
        self.no_rule_is_broken()
        told = self._rows()
        for (kind, number, account), thing in self.things.items():
            seen = thing.exists and bool(thing.seen_by)
            parent = self.things["people", number, account]
            row = told.get((kind, number, account))
            if not seen:
                assert row is None or not row[0], (kind, number, account, "is gone at its source, and lives in V2")
            elif thing.kind == "good" and (kind == "people" or (parent.merged and not parent.ended)):
                assert row == (True, f"v{thing.version}"), (kind, number, account, thing, row)
        waiting = self.bench.connection.execute(
            "select source_id, status, status_reason from staging.stage_fub_people where status = 'pending'"
            " union all select source_id, status, status_reason from staging.stage_fub_calls where status = 'pending'"
        ).fetchall()
        assert waiting == []

    # The real thing

    def _do(self, work: Any) -> Any:
        return self.bench.loop.run_until_complete(work)

    def _key(self, user: int, stream: str) -> StreamKey:
        return StreamKey(integration="fub", entity=stream, account_ref=f"fub/{ACCOUNT[user]}/{user}", user_id=user)

    def _record(self, user: int, stream: str, number: int) -> Record:
        thing = self.things.get((stream, number, ACCOUNT[user]), Thing())
        payload: dict[str, Any] = {"id": number, "name": f"v{thing.version}", "kind": thing.kind}
        if stream == "calls":
            payload["personId"] = number
        if thing.kind == "waiting":
            payload["stageId"] = 4711
        problem = Problem("invalid_record", "price", "text") if thing.kind == "broken" else None
        return Record(str(number), payload, START + timedelta(hours=thing.version), problem)

    async def _store(self, user: int, stream: str, page: Page, sweep_id: int | None) -> None:
        async with self.bench.aconnection.transaction():
            await store_page(
                self.bench.aconnection, f"stage_fub_{stream}", self._key(user, stream), page, "run", sweep_id
            )

    async def _end(self, stream: str, account: int, number: int) -> None:
        connection, unit = self.bench.aconnection, UNITS[stream]
        async with connection.transaction():
            await wait_for_merges(connection, unit.table)
            await end_records(connection, unit.stage, unit.table, f"fub/{account}/", [str(number)])

    def _apply(self, user: int, stream: str, sweep_id: int, death: str | None) -> None:
        unit: Unit = UNITS[stream]
        work = apply_sweep(self.bench.aconnection, unit.stage, unit.table, self._key(user, stream), sweep_id, 0.2)
        with self._dying(sweeps, "settle", after=death == "settling", dies=death is not None), _until_death():
            self._do(work)

    @contextmanager
    def _dying(self, module: Any, name: str, *, after: bool = False, dies: bool = True) -> Iterator[None]:
        """The process dies before (or after) this function, in its transaction."""
        real = getattr(module, name)

        def sync(*arguments: Any) -> Any:
            raise Death

        async def dying(*arguments: Any) -> Any:
            if after:
                await real(*arguments)
            raise Death

        with patch.object(module, name, (dying if asyncio.iscoroutinefunction(real) else sync) if dies else real):
            yield

    def _rows(self) -> dict[tuple[str, int, int], tuple[bool, str]]:
        rows = self.bench.connection.execute(
            "select 'people', p.fub_people_id_raw, a.account_id_raw, p.deleted_at is null, p.people_name"
            " from v2.fub_people p join v2.fub_accounts a on a.id = p.fub_account_id union all"
            " select 'calls', c.call_id, a.account_id_raw, c.deleted_at is null, c.name"
            " from v2.fub_calls c join v2.fub_accounts a on a.id = c.fub_account_id"
        ).fetchall()
        return {(kind, number, account): (alive, name) for kind, number, account, alive, name in rows}

    def _merge_all(self) -> None:
        for _ in range(2):  # what comes back with its contact is merged behind it
            for user in ACCOUNT:
                self.a_merge(user, dies=False)

    # The model

    def _seen(self, user: int, stream: str) -> set[int]:
        return {
            number
            for (kind, number, account), thing in self.things.items()
            if (kind, account) == (stream, ACCOUNT[user]) and thing.exists and user in thing.seen_by
        }

    def _of(self, user: int, stream: str) -> Iterator[tuple[int, Thing, Copy]]:
        for (kind, number, account), thing in self.things.items():
            if (kind, account) == (stream, ACCOUNT[user]) and user in thing.copies:
                yield number, thing, thing.copies[user]

    def _is_known(self, user: int, stream: str, number: int) -> bool:
        thing = self.things[stream, number, ACCOUNT[user]]
        return user in thing.copies and thing.copies[user].version == thing.version

    def _read(
        self, user: int, stream: str, numbers: set[int], sweep_id: int | None, known: Sequence[int] | set[int] = ()
    ) -> None:
        records = tuple(self._record(user, stream, n) for n in (*sorted(numbers), 9))
        page = Page(records, None, START, seen=tuple(str(n) for n in known))
        self._do(self._store(user, stream, page, sweep_id))
        self.order += 1
        for number in numbers:
            thing = self.things[stream, number, ACCOUNT[user]]
            held = thing.copies.get(user)
            if held is None or held.version < thing.version or held.since is not None:
                linked = held.linked if held else False
                good = thing.kind != "broken"
                thing.copies[user] = Copy(thing.version, thing.kind, self.order, merging=good, linked=linked)
                if thing.ended and thing.kind != "good":
                    thing.uncertain = True

    def _missed(self, user: int, stream: str, began: int, order: int, met: set[int]) -> None:
        for number, _, copy in self._of(user, stream):
            if number in met or copy.missed == 2 or copy.stored > order:
                continue
            if copy.since is None:
                copy.missed, copy.since = 1, (began, order)
            elif began > copy.since[0]:
                copy.missed = 2

    def _settled(self, user: int, stream: str, order: int, met: set[int]) -> None:
        for number, thing, copy in self._of(user, stream):
            if number in met and copy.since is not None and copy.since[1] < order:
                copy.merging = copy.merging or (copy.missed == 2 and copy.kind == "good")
                copy.missed, copy.since = 0, None
                if thing.ended and copy.kind != "good":
                    thing.uncertain = True
        for _, thing, copy in self._of(user, stream):
            if copy.missed == 2:
                self._maybe_ended(thing)

    def _maybe_ended(self, thing: Thing) -> None:
        if thing.merged and not thing.living():
            thing.ended, thing.uncertain = True, False
        for copy in thing.copies.values():
            # Somebody else's copy takes over.
            copy.merging = copy.merging or (copy.missed < 2 and copy.linked and copy.kind == "good")

    def _merged(self, user: int, stream: str) -> None:
        for number, thing, copy in self._of(user, stream):
            parent = self.things["people", number, ACCOUNT[user]]
            if not copy.merging or copy.kind != "good" or (stream == "calls" and not parent.merged):
                continue
            copy.merging, copy.linked = False, True
            if copy.missed < 2:
                thing.merged, thing.ended, thing.uncertain = True, False, False
            elif not thing.merged:
                thing.merged, thing.ended = True, True


@contextmanager
def _until_death() -> Iterator[None]:
    try:
        yield
    except Death:
        pass


def histories(database: Database, number: int, steps: int = 20) -> None:
    """Plays so many histories on a database of their own."""
    bench = Bench(database)
    try:
        machine = type("HistoriesHere", (Histories,), {"bench": bench})
        # Only these streams are played; to look for waiters in all would be most of the work.
        with patch.object(statements, "STREAMS", [stream_of("fub", entity) for entity in UNITS]):
            run_state_machine_as_test(
                machine, settings=settings(RARELY, max_examples=number, stateful_step_count=steps)
            )
    finally:
        bench.close()


def test_a_row_lives_exactly_as_long_as_somebody_sees_its_record(database: Database) -> None:
    histories(database, 20)
