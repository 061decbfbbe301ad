"""What a source's answers do to the state of a key, and what never does anything to it."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import psycopg
import pytest
from hypothesis import given
from hypothesis import strategies as st

from resources.errors import ConfigError, Unauthorized
from resources.postgres import Database
from resources.reading import Identity
from v2_assets.connections import states
from v2_assets.users import Connection

ROOT = Path(__file__).parents[2]
MINUTES = timedelta(minutes=5)
NO = Unauthorized("answered 401")


@pytest.fixture
async def connection(database: Database) -> AsyncIterator[psycopg.AsyncConnection[Any]]:
    async with database.aconnect() as connection:
        yield connection


async def enter(
    connection: psycopg.AsyncConnection[Any], state: str, account: str | None = "1", platform: str = "fub"
) -> Connection:
    result = await connection.execute(
        'with u as (insert into v2."user" (email, full_name)'
        " values (gen_random_uuid() || '@x.test', 'U') returning id)"
        " insert into v2.credentials (user_id, platform, account_id, api_key, state, verified, verified_at)"
        " select id, %s, %s, 'cipher', %s, %s, now() from u returning id, user_id",
        [platform, account, state, state == "ok"],
    )
    row = await result.fetchone()
    assert row
    return Connection(
        credentials_id=row[0], user_id=row[1], platform=platform, account_id=account or "", external_user_id=None,
        state=state, api_key="cipher",
    )  # fmt: skip


async def now(connection: psycopg.AsyncConnection[Any], held: Connection) -> tuple[str, int | None, int | None]:
    """State, refusals, and minutes until the source is asked again."""
    result = await connection.execute(
        "select c.state, p.refusals, round(extract(epoch from p.next_at - now()) / 60)::int from v2.credentials c"
        " left join ops.credential_probe p on p.credentials_id = c.id where c.id = %s",
        [held.credentials_id],
    )
    row = await result.fetchone()
    assert row
    return row


async def others(connection: psycopg.AsyncConnection[Any], number: int) -> None:
    for account in range(number):
        await enter(connection, "ok", f"other-{account}")


async def refuse(connection: psycopg.AsyncConnection[Any], held: Connection) -> None:
    state = (await now(connection, held))[0]
    await states.refused(connection, held.model_copy(update={"state": state}), NO, MINUTES)


async def test_a_refused_call_asks_for_a_probe_at_once_and_changes_nothing(connection: Any) -> None:
    held = await enter(connection, "ok")
    await states.doubt(connection, held.credentials_id)
    assert await now(connection, held) == ("ok", 0, 0)
    assert [c.credentials_id for c in await states.due(connection, ["fub"], 20)] == [held.credentials_id]


async def test_two_refusals_minutes_apart_put_a_key_out_of_use_and_it_is_asked_about_each_hour_for_a_day(
    connection: Any,
) -> None:
    await others(connection, 5)
    held = await enter(connection, "ok")
    await states.doubt(connection, held.credentials_id)
    await refuse(connection, held)
    assert await now(connection, held) == ("ok", 1, 5)
    await refuse(connection, held)
    assert await now(connection, held) == ("needs_reconnect", 2, 60)
    codes = await (await connection.execute("select code, severity from ops.alert")).fetchall()
    assert codes == [("credential_refused", "warning")]
    await refuse(connection, held)
    assert await now(connection, held) == ("needs_reconnect", 3, 60)
    await connection.execute("update ops.credential_probe set since = now() - interval '25 hours'")
    await refuse(connection, held)
    assert await now(connection, held) == ("needs_reconnect", 4, None)
    assert await states.due(connection, ["fub"], 20) == []


async def test_an_acceptance_brings_a_key_back_into_use_whatever_was_said_before(connection: Any) -> None:
    await others(connection, 5)
    held = await enter(connection, "ok")
    for _ in range(2):
        await refuse(connection, held)
    await states.accepted(connection, held, Identity("1", "7", None, True, {}))
    assert await now(connection, held) == ("ok", None, None)


async def test_a_new_key_is_refused_by_the_first_answer_since_somebody_waits_for_it(connection: Any) -> None:
    await others(connection, 5)
    held = await enter(connection, "new", None)
    await refuse(connection, held)
    assert await now(connection, held) == ("needs_reconnect", 1, 60)
    kinds = await (await connection.execute("select kind from ops.notification")).fetchall()
    assert kinds == [("ONBOARDING_ERROR",)]


@pytest.mark.parametrize(("accounts", "of", "trouble"), [(4, 20, True), (3, 20, False), (2, 2, True), (1, 1, False)])
async def test_more_than_a_few_accounts_at_once_are_the_sources_trouble_and_nobody_is_put_out_of_use(
    connection: Any, accounts: int, of: int, trouble: bool
) -> None:
    await others(connection, of - accounts)
    held = [await enter(connection, "ok", f"a{number}") for number in range(accounts)]
    for _ in range(3):
        for each in held:
            await refuse(connection, each)
    found = {(await now(connection, each))[0] for each in held}
    assert found == ({"ok"} if trouble else {"needs_reconnect"})
    rows = await (await connection.execute(states.IN_TROUBLE)).fetchall()
    assert bool(rows) == trouble
    alerts = await (await connection.execute("select count(*) from ops.alert")).fetchone()
    assert alerts == (0 if trouble else accounts,)


async def test_many_keys_of_one_account_that_ended_are_not_the_source(connection: Any) -> None:
    await others(connection, 5)
    held = [await enter(connection, "ok", "closed") for _ in range(9)]
    for _ in range(2):
        for each in held:
            await refuse(connection, each)
    assert {(await now(connection, each))[0] for each in held} == {"needs_reconnect"}


async def test_what_is_ours_refuses_no_key_and_a_person_hears_of_it_once(connection: Any) -> None:
    held = await enter(connection, "new", None)
    for _ in range(3):
        await states.not_known(connection, held, ConfigError("cannot be decrypted"))
    await states.not_known(connection, held, None)
    assert (await now(connection, held))[:2] == ("new", 0)
    alerts = await (await connection.execute("select code from ops.alert")).fetchall()
    assert alerts == [("credential_not_verified",)]


async def test_what_a_source_said_of_one_key_says_nothing_of_another_that_came_meanwhile(connection: Any) -> None:
    held = await enter(connection, "new")
    await connection.execute("update v2.credentials set api_key = 'another' where id = %s", [held.credentials_id])
    await states.refused(connection, held, NO, MINUTES)
    await states.accepted(connection, held, Identity("1", "7", None, True, {}))
    assert await now(connection, held) == ("new", None, None)


async def test_keys_that_are_left_for_later_let_others_go_first(connection: Any) -> None:
    stuck = [await enter(connection, "new", f"stuck-{number}") for number in range(3)]
    for each in stuck:
        await states.not_known(connection, each, None)
    await connection.execute("update ops.credential_probe set next_at = now()")
    fresh = await enter(connection, "new", "fresh")
    assert [c.credentials_id for c in await states.due(connection, ["fub"], 1)] == [fresh.credentials_id]


ANSWERS = st.lists(st.tuples(st.integers(0, 2), st.sampled_from(["doubt", "no", "yes", "unknown"])), max_size=12)


@given(ANSWERS)
async def test_in_any_history_a_key_in_use_was_refused_twice_before_it_goes_and_an_acceptance_ends_every_doubt(
    database: Database, history: list[tuple[int, str]]
) -> None:
    async with database.aconnect() as connection:
        await others(connection, 5)
        held = [await enter(connection, "ok", f"a{number}") for number in range(3)]
        refusals, gone = dict.fromkeys(range(3), 0), set[int]()
        for number, answer in history:
            each = held[number]
            if answer == "doubt":
                await states.doubt(connection, each.credentials_id)
            elif answer == "unknown":
                await states.not_known(connection, each, None)
            elif answer == "yes":
                await states.accepted(connection, each, Identity(each.account_id, "7", None, True, {}))
                refusals[number] = 0
                gone.discard(number)
            else:
                await refuse(connection, each)
                refusals[number] += 1
            if refusals[number] >= 2:
                gone.add(number)
            expected = "needs_reconnect" if number in gone else "ok"
            assert (await now(connection, each))[0] == expected, history
        await connection.rollback()


def test_nobody_else_changes_the_state_of_a_key() -> None:
    allowed = {
        "v2_assets/connections/states.py",
        "v2_assets/onboarding/gone.py",  # connections of a deleted user rest, and come back as they were
        "v2_assets/keys.py",  # the same secret under another cipher
    }
    stories = {"v2_assets/cli/gap.py"}  # a demo plays what a person does in the database
    writes = {
        str(path.relative_to(ROOT))
        for folder in ("v2_assets", "sensors", "resources")
        for path in (ROOT / folder).rglob("*.py")
        if re.search(r"update\s+v2\.credentials", path.read_text(encoding="utf-8"))
    }
    assert writes == allowed | stories
