"""What a pass reads again, from when the next one goes on, and what a record without an id means for the others.

The client is one that hands out the pages it is given and keeps what it was asked; everything behind it is real.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any, cast

import pytest
from hypothesis import given
from hypothesis import strategies as st

from resources.apis.fub.calls import record
from resources.errors import SourceUnavailable
from resources.postgres import Database
from resources.reading import Page, ReadRequest, Record, SourceClient
from v2_assets.staging.state import StreamKey, load_cursor
from v2_assets.staging.streams import REREAD_WITHIN, stream, turn_of
from v2_assets.staging.sync import StreamResult, SyncOptions, sync_stream

BEGINNING = datetime(2026, 2, 1, tzinfo=UTC)
IDS = st.sets(st.text("abcdef0123456789", min_size=1, max_size=12), min_size=1, max_size=60)
STEPS = st.lists(st.integers(1, int(REREAD_WITHIN.total_seconds() / 3)), min_size=1, max_size=40)


@given(IDS, STEPS)
def test_whatever_the_times_of_the_passes_all_have_their_turn_once_in_a_cycle(ids: set[str], steps: list[int]) -> None:
    now, turns = BEGINNING, dict.fromkeys(ids, 0)
    while now < BEGINNING + REREAD_WITHIN:
        step = timedelta(seconds=steps[int((now - BEGINNING).total_seconds()) % len(steps)])
        before, now = now, min(now + step, BEGINNING + REREAD_WITHIN)
        for i in turn_of(ids, before, now):
            turns[i] += 1
    assert set(turns.values()) == {1}


@given(IDS, st.integers(0, 10**7))
def test_after_a_long_silence_all_have_their_turn_and_before_the_first_pass_nobody(ids: set[str], more: int) -> None:
    assert turn_of(ids, BEGINNING, BEGINNING + REREAD_WITHIN + timedelta(seconds=more)) == ids
    assert turn_of(ids, None, BEGINNING) == turn_of(ids, BEGINNING, BEGINNING) == frozenset()
    assert turn_of(ids, BEGINNING, BEGINNING - timedelta(seconds=more)) == frozenset()


class Scripted:
    """A client that gives these pages and remembers the requests."""

    def __init__(self) -> None:
        self.pages: list[Page | Exception] = []
        self.requests: list[ReadRequest] = []

    async def read(self, entity: str, request: ReadRequest) -> AsyncIterator[Page]:
        self.requests.append(request)
        for page in self.pages:
            if isinstance(page, Exception):
                raise page
            yield page

    async def active_keys(self, entity: str, since: datetime, priority: str) -> Sequence[str]:
        return ()


def a_page(*names: str, more: bool = False, time: datetime | None = None) -> Page:
    records = tuple(Record(name, {"id": name}) for name in names)
    return Page(records, {"more": True} if more else None, time or datetime.now(UTC))


@pytest.fixture
def client() -> Scripted:
    return Scripted()


def visit(database: Database, client: Scripted, integration: str = "rezen", **options: Any) -> StreamResult:
    """One visit to the transactions (or the contacts) of a user."""
    entity = "people" if integration == "fub" else "transactions"
    key = StreamKey(integration=integration, entity=entity, account_ref=f"{integration}/1/1", user_id=1)
    told = sync_stream(
        database, cast(SourceClient, client), stream(integration, entity), key, "run", SyncOptions(**options)
    )
    return asyncio.run(told)


def test_a_full_pass_asks_for_every_detail_again_and_an_hourly_one_for_its_share(
    database: Database, client: Scripted
) -> None:
    names = [f"d{n}" for n in range(100)]
    client.pages = [a_page(*names)]
    visit(database, client)
    visit(database, client)
    visit(database, client, full=True)
    assert [request.again for request in client.requests[:2]] == [frozenset(), frozenset()]
    assert client.requests[2].again == set(names)


def test_a_pass_after_some_time_asks_again_for_those_whose_turn_it_is(database: Database, client: Scripted) -> None:
    names = [f"d{n}" for n in range(300)]
    client.pages = [a_page(*names, time=datetime.now(UTC) - REREAD_WITHIN / 3)]
    visit(database, client)
    visit(database, client)
    assert 50 < len(client.requests[1].again) < 150


def test_a_full_pass_that_died_asks_again_for_what_it_had_not_met(database: Database, client: Scripted) -> None:
    client.pages = [a_page("a", "b", "c")]
    visit(database, client)
    client.pages = [a_page("a", more=True), SourceUnavailable("away")]
    with pytest.raises(SourceUnavailable):
        visit(database, client, full=True)
    client.pages = [a_page("b", "c")]
    assert visit(database, client, full=True).resumed
    assert [request.again for request in client.requests[1:]] == [{"a", "b", "c"}, {"b", "c"}]


def test_a_full_pass_does_not_go_on_where_one_stopped_that_left_details_out(
    database: Database, client: Scripted
) -> None:
    client.pages = [a_page("a", "b")]
    visit(database, client)
    client.pages = [a_page("a", more=True), SourceUnavailable("away")]
    with pytest.raises(SourceUnavailable):
        visit(database, client)
    client.pages = [a_page("a", "b")]
    assert not visit(database, client, full=True).resumed
    assert client.requests[-1].again == {"a", "b"}


def test_what_is_gone_refused_or_without_an_id_is_not_asked_for_again(database: Database, client: Scripted) -> None:
    client.pages = [a_page("a", "gone", "refused:x", "unidentified:y")]
    visit(database, client)
    with database.connect() as connection:
        connection.execute("update staging.stage_rezen_transactions set missed_sweeps = 2 where source_id = 'gone'")
    visit(database, client, full=True)
    assert client.requests[-1].again == {"a"}


def test_a_source_whose_clock_is_of_tomorrow_moves_the_watermark_to_our_today(
    database: Database, client: Scripted
) -> None:
    tomorrow = datetime.now(UTC) + timedelta(days=1)
    client.pages = [a_page("1", time=tomorrow)]
    assert (visit(database, client, "fub").window_start or tomorrow) <= datetime.now(UTC)


def test_a_source_whose_clock_is_behind_is_believed(database: Database, client: Scripted) -> None:
    before = datetime.now(UTC) - timedelta(minutes=7)
    client.pages = [a_page("1", time=before)]
    assert visit(database, client, "fub").window_start == before


@pytest.mark.parametrize("dies", [False, True])
def test_while_a_record_has_no_id_nothing_follows_from_the_absence_of_others(
    database: Database, client: Scripted, dies: bool
) -> None:
    """It may be any of those that were not met."""
    client.pages = [Page(tuple(record("people", {"id": n}) for n in (1, 2, 3)), None, datetime.now(UTC))]
    visit(database, client, "fub", full=True)
    broken = Page(tuple(record("people", {"id": n}) for n in (1, None, 3)), {"more": 1}, datetime.now(UTC))
    for _ in range(3):
        client.pages = [broken, SourceUnavailable("away")] if dies else [broken, a_page()]
        if dies:
            with pytest.raises(SourceUnavailable):
                visit(database, client, "fub", full=True)
            client.pages = [a_page()]
        visit(database, client, "fub", full=True)
    with database.connect() as connection:
        missed = connection.execute(
            "select source_id, missed_sweeps from staging.stage_fub_people where source_id !~ ':' order by 1"
        ).fetchall()
        outcomes = connection.execute("select outcome from ops.sweep order by id").fetchall()
    assert missed == [("1", 0), ("2", 0), ("3", 0)]
    assert [outcome for (outcome,) in outcomes][1:] == ["incomplete"] * 3


async def test_a_cursor_of_an_older_version_is_read(database: Database) -> None:
    key = StreamKey(integration="fub", entity="people", account_ref="fub/1/1", user_id=1)
    async with database.aconnect() as connection:
        await connection.execute(
            "insert into ops.sync_state (integration, entity, account_ref, user_id, cursor)"
            """ values ('fub', 'people', 'fub/1/1', 1, '{"current": {"full": true, "pages": 3}}')"""
        )
        cursor = await load_cursor(connection, key)
    assert cursor.current is not None
    assert not cursor.current.everything
