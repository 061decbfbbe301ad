"""Storing pages: what a page writes, what it leaves alone, and what can never happen to a row."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from resources.apis.fub.calls import record as fub_record
from resources.postgres import Database
from resources.reading import Page, Problem, Record
from v2_assets.staging.state import StreamKey
from v2_assets.staging.store import newest_of_each, payload_hash, store_page
from v2_assets.staging.warned import warned

NOON = datetime(2031, 3, 1, 12, tzinfo=UTC)
KEY = StreamKey(integration="fub", entity="people", account_ref="fub/77/1", user_id=1)


def page(*records: Record) -> Page:
    return Page(records=records, position=None, source_time=NOON)


def person(number: int, minute: int = 0, **payload: Any) -> Record:
    return Record(str(number), {"id": number, **payload}, NOON + timedelta(minutes=minute))


async def stored(database: Database, given_page: Page, key: StreamKey = KEY) -> Any:
    async with database.aconnect() as connection, connection.transaction():
        return await store_page(connection, "stage_fub_people", key, given_page, "run-1", None)


def rows(database: Database, columns: str = "source_id, status, payload ->> 'name'") -> list[Any]:
    with database.connect() as connection:
        return connection.execute(f"select {columns} from staging.stage_fub_people order by source_id").fetchall()


async def test_a_new_page_is_pending_and_a_second_delivery_writes_nothing(database: Database) -> None:
    first = await stored(database, page(person(1, name="Ada"), person(2, name="Bo")))
    before = rows(database, "source_id, xmin, ctid")
    second = await stored(database, page(person(1, name="Ada"), person(2, name="Bo")))
    assert (first.new, first.changed, second.new, second.changed, second.unchanged) == (2, 0, 0, 0, 2)
    assert rows(database, "source_id, xmin, ctid") == before
    assert [r[1] for r in rows(database)] == ["pending", "pending"]


async def test_a_changed_record_becomes_pending_again(database: Database) -> None:
    await stored(database, page(person(1, name="Ada")))
    with database.connect() as connection:
        connection.execute(
            "update staging.stage_fub_people set status = 'processed', v2_id = 5, processed_at = now(), attempts = 1"
        )
    counts = await stored(database, page(person(1, minute=1, name="Ada L.")))
    assert counts.changed == 1
    assert rows(database) == [("1", "pending", "Ada L.")]


async def test_an_older_version_never_overwrites_a_newer_one(database: Database) -> None:
    await stored(database, page(person(1, minute=5, name="new")))
    counts = await stored(database, page(person(1, minute=4, name="old")))
    assert counts.changed == 0
    assert rows(database) == [("1", "pending", "new")]


async def test_a_record_with_the_same_stamp_and_other_content_is_taken(database: Database) -> None:
    await stored(database, page(person(1, name="one second")))
    await stored(database, page(person(1, name="the same second")))
    assert rows(database)[0][2] == "the same second"


async def test_a_broken_record_is_kept_rejected_with_its_reason_and_the_others_go_on(database: Database) -> None:
    broken = Record("9", {"id": 9, "created": "soon"}, None, Problem("invalid_record", "created", "str"))
    counts = await stored(database, page(person(1, name="Ada"), broken))
    assert (counts.new, counts.rejected) == (2, 1)
    assert rows(database, "source_id, status, status_reason, status_detail ->> 'field'") == [
        ("1", "pending", None, None),
        ("9", "rejected", "invalid_record", "created"),
    ]


async def test_what_could_not_be_read_is_kept_counted_and_listed_until_the_source_has_mended_it(
    database: Database,
) -> None:
    odd = [fub_record("people", {"id": n, "claimed": 2, "phones": [{}, {"isPrimary": "?"}]}) for n in (1, 2)]
    counts = await stored(database, page(*odd, person(3, name="Ada")))
    assert (counts.new, counts.rejected, counts.warned) == (3, 0, 2)
    assert rows(database, "source_id, status, warnings -> 0 ->> 'field'") == [
        ("1", "pending", "claimed"),
        ("2", "pending", "claimed"),
        ("3", "pending", None),
    ]

    def told(*, users: list[int] | None = None) -> list[tuple[str, str, int, str]]:
        with database.connect() as connection:
            found = warned(connection, ["stage_fub_people"], users)
        return [(w.code, w.field, w.records, w.example) for w in found]

    assert told() == [("unreadable", "claimed", 2, "1"), ("unreadable", "phones[].isPrimary", 2, "1")]
    assert told(users=[7]) == []
    await stored(database, page(fub_record("people", {"id": 1, "claimed": 1})))
    assert told() == [("unreadable", "claimed", 1, "2"), ("unreadable", "phones[].isPrimary", 1, "2")]


async def test_a_broken_record_that_is_mended_at_the_source_becomes_pending(database: Database) -> None:
    broken = Record("9", {"id": 9, "created": "soon"}, None, Problem("invalid_record", "created", "str"))
    await stored(database, page(broken))
    await stored(database, page(person(9, name="mended")))
    assert rows(database, "status, status_reason") == [("pending", None)]


async def test_one_id_twice_in_a_page_is_stored_once_and_the_newest_wins(database: Database) -> None:
    counts = await stored(database, page(person(1, minute=2, name="newer"), person(1, minute=1, name="older")))
    assert counts.fetched == 1
    assert rows(database)[0][2] == "newer"


async def test_two_accounts_keep_their_own_copies(database: Database) -> None:
    other = KEY.model_copy(update={"account_ref": "fub/77/2", "user_id": 2})
    await stored(database, page(person(1, name="as one sees it")))
    await stored(database, page(person(1, name="as the other sees it")), other)
    assert len(rows(database)) == 2


async def test_a_transaction_that_is_rolled_back_leaves_nothing(database: Database) -> None:
    with pytest.raises(RuntimeError):
        async with database.aconnect() as connection, connection.transaction():
            await store_page(connection, "stage_fub_people", KEY, page(person(1)), "run-1", None)
            raise RuntimeError("the process dies here")
    assert rows(database) == []


@given(st.lists(st.tuples(st.integers(1, 4), st.integers(0, 5), st.text(max_size=3)), max_size=12))
def test_of_each_id_the_newest_version_is_chosen(versions: list[tuple[int, int, str]]) -> None:
    records = [person(number, minute, name=name) for number, minute, name in versions]
    chosen = {r.source_id: r for r in newest_of_each(records)}
    for record in records:
        kept = chosen[record.source_id]
        assert kept.source_updated_at and record.source_updated_at
        assert kept.source_updated_at >= record.source_updated_at


@given(st.dictionaries(st.text(max_size=4), st.integers() | st.text(max_size=4) | st.none(), max_size=5))
def test_the_hash_does_not_depend_on_the_order_of_keys(payload: dict[str, Any]) -> None:
    # Integers beyond 64 bits are no JSON numbers for orjson; the sources have none.
    payload = {k: v for k, v in payload.items() if not isinstance(v, int) or abs(v) < 2**63}
    assert payload_hash(payload) == payload_hash(dict(reversed(payload.items())))
