"""The shared budget on a real Postgres. Waits are noted in place of being slept: nothing depends on the clock."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from psycopg_pool import AsyncConnectionPool

from resources.errors import RateLimited
from resources.http.budget import LONGEST_SHARED_PAUSE_S, LONGEST_WAIT_S, Limit, PostgresBudget
from resources.postgres import Database


@given(st.integers(1, 100_000), st.integers(1, 3600))
def test_no_window_can_hold_more_calls_than_the_limit(calls: int, window_s: int) -> None:
    limit = Limit("k", calls, window_s)
    # In any window: what may leave at once, and what the rate adds. Whole calls only.
    assert int(limit.burst + 1 + limit.rate * window_s * (1 - 1e-12)) <= max(calls, 1)
    assert limit.rate > 0


@pytest.mark.parametrize("calls", [125, 250, 750])
def test_a_steady_backfill_gets_nine_tenths_of_what_is_documented(calls: int) -> None:
    limit = Limit("k", calls, 10)
    assert limit.rate * 10 >= 0.9 * calls
    assert limit.burst + 1 + limit.rate * 10 <= 0.98 * calls


@pytest.fixture
async def pool(database: Database) -> AsyncIterator[AsyncConnectionPool[Any]]:
    async with database.async_pool(3, 3) as pool:
        yield pool


class Waits(list[float]):
    """Notes waits in place of sleeping them."""

    async def __call__(self, seconds: float) -> None:
        self.append(seconds)


async def row(pool: AsyncConnectionPool[Any], key: str) -> dict[str, Any]:
    async with pool.connection() as connection:
        cursor = await connection.execute(
            "select rate, full_rate, burst, limit_, window_s, extract(epoch from blocked_until - now())::float8,"
            " extract(epoch from tat - now())::float8 from ops.api_budget where key = %s",
            [key],
        )
        values = await cursor.fetchone()
    assert values
    return dict(zip(("rate", "full_rate", "burst", "limit", "window", "blocked", "ahead"), values, strict=True))


async def test_the_first_call_makes_the_row_from_the_documented_limit(pool: Any) -> None:
    await PostgresBudget(pool).take([Limit("k", 250)], "incremental")
    found = await row(pool, "k")
    assert (found["limit"], found["window"], found["burst"]) == (250, 10, 5)
    assert found["rate"] == found["full_rate"] == Limit("k", 250).rate


async def test_calls_beyond_the_burst_wait_one_slot_each_whoever_asks(pool: Any) -> None:
    # One call in ten minutes or so: no slot comes free while the test runs.
    limit = Limit("k", 100, 60_000)
    slept = Waits()
    budgets = [PostgresBudget(pool, sleep=slept), PostgresBudget(pool, sleep=slept)]
    await asyncio.gather(*(budgets[i % 2].take([limit], "incremental") for i in range(9)))
    slot = 1 / limit.rate
    waits = sorted(round(wait / slot) for wait in slept)
    assert limit.burst == 2
    assert waits == [1, 2, 3, 4, 5, 6]  # three went at once: the burst and one


async def test_a_call_takes_from_every_budget_and_waits_for_the_slowest(pool: Any) -> None:
    wide, narrow = Limit("wide", 10_000, 10), Limit("narrow", 2, 10_000)
    slept = Waits()
    budget = PostgresBudget(pool, sleep=slept)
    for _ in range(2):
        await budget.take([wide, narrow], "incremental")
    assert len(slept) == 1
    assert slept[0] == pytest.approx(1 / narrow.rate, rel=0.01)
    assert (await row(pool, "wide"))["ahead"] < 10  # not held up for the account's sake


async def test_calls_that_ask_at_once_share_a_statement(pool: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    budget, sizes = PostgresBudget(pool), list[int]()
    grant = budget._grant

    async def counted(keys: Any, backfill: bool, slots: Any) -> None:
        sizes.append(len(slots))
        await grant(keys, backfill, slots)

    monkeypatch.setattr(budget, "_grant", counted)
    await budget.take([Limit("k", 100_000)], "incremental")
    await asyncio.gather(*(budget.take([Limit("k", 100_000)], "incremental") for _ in range(20)))
    assert sum(sizes) == 21
    assert len(sizes) == 3  # the first alone, one that leads, and those who came meanwhile


async def test_a_caller_who_gives_up_while_asking_for_others_leaves_them_their_turn(
    pool: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    budget, limit, asked = PostgresBudget(pool), Limit("k", 100_000), list[int]()
    grant, second = budget._grant, asyncio.Event()

    async def slow(keys: Any, backfill: bool, slots: Any) -> None:
        asked.append(len(slots))
        if len(asked) == 2:
            second.set()
            await asyncio.sleep(3600)
        await grant(keys, backfill, slots)

    await budget._ensure(limit)
    monkeypatch.setattr(budget, "_grant", slow)
    calls = [asyncio.ensure_future(budget.take([limit], "incremental")) for _ in range(5)]
    await second.wait()
    calls[1].cancel()  # it asks for itself and the three that came with it
    results = await asyncio.gather(*calls, return_exceptions=True)
    assert isinstance(results[1], asyncio.CancelledError)
    assert [results[0], *results[2:]] == [None] * 4
    assert asked == [1, 4, 3]


async def open_the_door(pool: AsyncConnectionPool[Any]) -> None:
    async with pool.connection() as connection:
        await connection.execute("update ops.api_budget set blocked_until = null")


async def test_a_429_closes_the_door_for_every_process_and_slows_them_once(pool: Any) -> None:
    waits: list[float] = []

    async def sleep(seconds: float) -> None:
        waits.append(seconds)
        await open_the_door(pool)

    limit, mine, other = Limit("k", 250), PostgresBudget(pool), PostgresBudget(pool, sleep=sleep)
    await mine.take([limit], "incremental")
    for _ in range(4):  # as many answers as were on their way
        await mine.punish([limit], 60)
    assert (await row(pool, "k"))["rate"] == pytest.approx(0.7 * limit.rate)
    await other.take([limit], "webhook")
    assert len(waits) == 1
    assert 50 < waits[0] <= 61


async def test_a_door_that_closed_while_a_call_slept_is_noticed(pool: Any) -> None:
    waits: list[float] = []
    limit = Limit("k", 2, 1000)

    async def sleep(seconds: float) -> None:
        waits.append(seconds)
        if len(waits) == 1:
            await PostgresBudget(pool).punish([limit], 90)
        else:
            await open_the_door(pool)

    budget = PostgresBudget(pool, sleep=sleep)
    for _ in range(2):
        await budget.take([limit], "incremental")
    assert len(waits) == 2


async def test_a_pause_longer_than_anybody_waits_is_an_error_that_a_later_run_survives(pool: Any) -> None:
    limit, budget = Limit("k", 250), PostgresBudget(pool)
    await budget.take([limit], "incremental")
    await budget.punish([limit], 3600)
    with pytest.raises(RateLimited) as caught:
        await PostgresBudget(pool).take([limit], "incremental")
    assert caught.value.retryable
    assert caught.value.context["budgets"] == ["k"]


async def test_one_accounts_long_pause_costs_the_others_of_the_system_a_minute(pool: Any) -> None:
    waits: list[float] = []

    async def sleep(seconds: float) -> None:
        waits.append(seconds)
        await open_the_door(pool)

    budget = PostgresBudget(pool, sleep=sleep)
    system, one, two = Limit("system", 750, ours=True), Limit("one", 250), Limit("two", 250)
    await budget.take([system, one], "incremental")
    await budget.punish([system, one], 900)
    with pytest.raises(RateLimited):
        await budget.take([system, one], "incremental")
    assert (await row(pool, "one"))["blocked"] > 800
    await budget.take([system, two], "incremental")  # waits, and its run goes on
    assert len(waits) == 1
    assert LONGEST_SHARED_PAUSE_S - 10 < waits[0] <= LONGEST_SHARED_PAUSE_S + 1 < LONGEST_WAIT_S


async def test_a_limit_that_has_never_been_used_can_be_corrected(pool: Any) -> None:
    # Its time of arrival lies infinitely far back, and before PostgreSQL 17 nothing can be subtracted from that.
    limit, budget = Limit("k", 250), PostgresBudget(pool)
    await budget._ensure(limit)
    await budget.learn(limit, 125, 10)
    await budget.take([limit], "incremental")
    assert (await row(pool, "k"))["limit"] == 125


async def test_a_storm_of_429s_slows_to_a_tenth_and_no_further(pool: Any) -> None:
    limit, budget = Limit("k", 250), PostgresBudget(pool)
    await budget.take([limit], "incremental")
    for _ in range(20):
        await budget.punish([limit], 0)
        await open_the_door(pool)
    assert (await row(pool, "k"))["rate"] == pytest.approx(0.1 * limit.rate)


async def test_who_comes_after_a_storm_does_not_wait_at_its_pace(pool: Any) -> None:
    limit = Limit("k", 100, 6_000)
    budget = PostgresBudget(pool, sleep=Waits())
    await budget.take([limit], "incremental")
    for _ in range(20):
        await budget.punish([limit], 0)
        await open_the_door(pool)
    for _ in range(10):
        await budget.take([limit], "incremental")
    slow = await row(pool, "k")
    async with pool.connection() as connection:  # a window without a 429
        await connection.execute("update ops.api_budget set cleaned_at = cleaned_at - interval '6001 s'")
    await budget.take([limit], "incremental")
    after = await row(pool, "k")
    queued = (slow["ahead"] * slow["rate"] + 1) / after["rate"]
    assert after["rate"] > slow["rate"]
    assert after["ahead"] == pytest.approx(queued, rel=0.01)
    await PostgresBudget(pool).learn(limit, 1000, 6_000)
    assert (await row(pool, "k"))["ahead"] == pytest.approx(
        queued * after["rate"] / Limit("k", 1000, 6_000).rate, rel=0.01
    )


async def test_the_rate_comes_back_by_a_twentieth_of_the_limit_for_each_clean_window(pool: Any) -> None:
    limit, budget = Limit("k", 250), PostgresBudget(pool)
    await budget.take([limit], "incremental")
    await budget.punish([limit], 0)
    rates = []
    for _ in range(9):
        async with pool.connection() as connection:
            await connection.execute(
                "update ops.api_budget set cleaned_at = cleaned_at - interval '11 s', blocked_until = null, tat = now()"
            )
        await budget.take([limit], "incremental")
        rates.append((await row(pool, "k"))["rate"])
    assert rates[0] == pytest.approx(0.7 * limit.rate + 0.05 * 25)
    assert rates == sorted(rates)
    assert rates[-1] == limit.rate


async def test_what_the_source_says_of_its_limit_replaces_what_is_documented_and_is_kept(pool: Any) -> None:
    limit, budget = Limit("k", 250), PostgresBudget(pool)
    await budget.take([limit], "incremental")
    await budget.learn(limit, 125, 10)
    assert (await row(pool, "k"))["limit"] == 125
    await PostgresBudget(pool).take([limit], "incremental")  # another process begins with the documented number
    found = await row(pool, "k")
    assert (found["limit"], found["full_rate"]) == (125, Limit("k", 125).rate)


async def test_a_process_that_met_an_old_row_learns_the_new_limit_again(pool: Any) -> None:
    limit, budget = Limit("k", 250), PostgresBudget(pool)
    await budget.take([limit], "incremental")
    await budget.learn(limit, 125, 10)
    second = PostgresBudget(pool)
    await second.take([limit], "incremental")
    await second.learn(limit, 250, 10)
    assert (await row(pool, "k"))["limit"] == 250


@pytest.mark.parametrize(("calls", "window"), [(0, 10), (250, 0), (-1, 10)])
async def test_a_limit_that_makes_no_sense_is_not_learned(pool: Any, calls: int, window: int) -> None:
    limit, budget = Limit("k", 250), PostgresBudget(pool)
    await budget.take([limit], "incremental")
    await budget.learn(limit, calls, window)
    assert (await row(pool, "k"))["limit"] == 250


async def test_a_changed_setting_replaces_the_stored_limit(pool: Any) -> None:
    await PostgresBudget(pool).take([Limit("s", 750, ours=True)], "incremental")
    await PostgresBudget(pool).take([Limit("s", 1500, ours=True)], "incremental")
    found = await row(pool, "s")
    assert (found["limit"], found["rate"]) == (1500, Limit("s", 1500).rate)


async def price(pool: Any, *, first: str, then: str) -> float:
    """By how many slots one call moves the budget on."""
    limit, budget = Limit("k", 100, 10_000), PostgresBudget(pool, sleep=Waits())
    await budget.take([limit], first)  # type: ignore[arg-type]
    async with pool.connection() as connection:
        await connection.execute("update ops.api_budget set tat = now() + interval '1 hour'")
        await connection.commit()
        await budget.take([limit], then)  # type: ignore[arg-type]
        moved = await (await connection.execute("select tat - now() from ops.api_budget")).fetchone()
    assert moved
    return (moved[0].total_seconds() - 3600) * limit.rate


async def test_a_backfill_alone_has_the_whole_rate(pool: Any) -> None:
    assert await price(pool, first="backfill", then="backfill") == pytest.approx(1, abs=0.05)


async def test_a_backfill_beside_others_pays_for_a_share(pool: Any) -> None:
    assert await price(pool, first="incremental", then="backfill") == pytest.approx(1 / 0.7, abs=0.05)


async def test_others_pay_the_plain_price_beside_a_backfill(pool: Any) -> None:
    assert await price(pool, first="backfill", then="webhook") == pytest.approx(1, abs=0.05)
