"""The SkySlope client against the sandbox: every file of the account, and what the traps must not do."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import pytest
from pydantic import SecretStr

from resources.apis import ENTITIES
from resources.apis.skyslope import SkySlopeClient
from resources.apis.skyslope import session as sessions
from resources.errors import NotUnderstood, RateLimited, Unauthorized
from resources.reading import Page, ReadRequest
from sandbox import Sandbox
from sandbox.world.files import CLIENT
from tests.apis.clients import ids_of, pages_of, records_of, true_ids
from tests.http.loopback import OpenBudget


@pytest.fixture(autouse=True)
def _no_session_from_before() -> Iterator[None]:
    sessions._sessions.clear()
    yield


def client_of(sandbox: Sandbox, user: int = 0, *, secret: str | None = None) -> SkySlopeClient:
    key = sandbox.world.users[user].connections["skyslope"]
    return SkySlopeClient(
        client_id=CLIENT[0],
        client_secret=SecretStr(CLIENT[1]),
        access_key=SecretStr(key.api_key),
        access_secret=SecretStr(secret or key.api_secret),
        account_id=key.account_id,
        base_url=sandbox.skyslope_url,
        budget=OpenBudget(),
    )


async def read(sandbox: Sandbox, entity: str, user: int = 0, **more: object) -> list[Page]:
    async with client_of(sandbox, user) as client:
        return await pages_of(client.read(entity, ReadRequest(**more)))  # type: ignore[arg-type]


def logins(sandbox: Sandbox) -> int:
    return sum(n for (_, path, _, _), n in sandbox.requests.counts.items() if path.endswith("/auth/login"))


@pytest.mark.parametrize("entity", ENTITIES["skyslope"])
async def test_a_full_pass_meets_exactly_what_the_account_has(sandbox: Sandbox, entity: str) -> None:
    pages = await read(sandbox, entity)
    key = sandbox.world.users[0].connections["skyslope"].api_key
    assert set(ids_of(pages)) == true_ids(sandbox, "skyslope", entity, key)
    # Windows overlap by a day, so a file of their edge comes with both; within a window nothing comes twice.
    assert all(max(Counter(ids_of([page])).values(), default=1) == 1 for page in pages)
    assert pages[-1].position is None and pages[-1].complete
    assert not [record.problem for record in records_of(pages) if record.problem]


async def test_a_dead_pass_goes_on_behind_its_last_window(sandbox: Sandbox) -> None:
    whole = await read(sandbox, "transactions")
    stored = {r.source_id: r.source_updated_at for r in records_of(whole[:-2])}
    rest = await read(sandbox, "transactions", position=whole[-3].position, known=stored)
    assert set(ids_of(rest)) | set(stored) == set(ids_of(whole))
    assert set(rest[-1].seen) == set(ids_of(whole))


async def test_a_changes_pass_asks_with_dates_and_takes_the_replicas_time_for_the_next(sandbox: Sandbox) -> None:
    since = datetime.now(UTC) - timedelta(days=100)
    (page,) = await read(sandbox, "transactions", since=since)
    account = sandbox.world.files.accounts["coastal-realty"]
    expected = {g for g, f in account.sales.items() if f["_changed"] >= since and not f["_left_out"]}
    assert {r.source_id for r in page.records} == expected
    assert page.source_time < datetime.now(UTC) - timedelta(seconds=1)


@pytest.mark.parametrize("form", ["wrapped", "loose", "control"])
async def test_a_bulk_answer_is_read_in_every_form_that_was_seen(sandbox: Sandbox, form: str) -> None:
    since = datetime.now(UTC) - timedelta(days=300)
    usual = await read(sandbox, "transactions", since=since)
    sandbox.faults.add({"name": "bulk_form", "to": form})
    odd = await read(sandbox, "transactions", since=since)
    assert [(r.source_id, r.payload) for r in records_of(odd)] == [(r.source_id, r.payload) for r in records_of(usual)]


async def test_an_older_version_of_a_file_beside_its_newest_changes_nothing(sandbox: Sandbox) -> None:
    since = datetime.now(UTC) - timedelta(days=300)
    with_repeats = await read(sandbox, "transactions", since=since)
    sandbox.faults.add({"name": "no_repeats"})
    without = await read(sandbox, "transactions", since=since)
    assert [r.payload for r in records_of(with_repeats)] == [r.payload for r in records_of(without)]


async def test_totals_that_disagree_make_the_pass_incomplete_and_an_unknown_kind_is_kept_with_its_reason(
    sandbox: Sandbox,
) -> None:
    sandbox.faults.add({"name": "counts_off"})
    assert not (await read(sandbox, "listings"))[-1].complete
    sandbox.faults.clear()
    sandbox.faults.add({"name": "unknown_kind"})
    pages = await read(sandbox, "listings", since=datetime.now(UTC) - timedelta(days=1))
    assert [r.problem.reason for r in records_of(pages) if r.problem] == ["unknown_kind"]


@pytest.mark.parametrize("entity", ENTITIES["skyslope"])
async def test_a_null_value_is_an_error_and_never_nothing(sandbox: Sandbox, entity: str) -> None:
    sandbox.faults.add({"name": "null_value"})
    with pytest.raises(NotUnderstood):
        await read(sandbox, entity)


async def test_clients_of_one_key_share_one_session_and_log_in_once_more_when_it_ends(sandbox: Sandbox) -> None:
    await read(sandbox, "offices")
    await read(sandbox, "users")
    assert logins(sandbox) == 1
    sandbox.faults.add({"name": "session_ends", "times": 1})
    await read(sandbox, "offices")
    assert logins(sandbox) == 2
    sandbox.faults.add({"name": "session_ends"})
    with pytest.raises(Unauthorized):
        await read(sandbox, "offices")
    assert logins(sandbox) == 3, "a second refusal is no loop"


async def test_a_wrong_secret_is_refused_and_appears_in_no_error(sandbox: Sandbox) -> None:
    async with client_of(sandbox, secret="a-wrong-secret") as client:
        with pytest.raises(Unauthorized) as caught:
            await client.identity()
    told = f"{caught.value!r} {caught.value.context} {caught.value.hint}"
    key = sandbox.world.users[0].connections["skyslope"]
    assert not any(part in told for part in ("a-wrong-secret", CLIENT[1], key.api_key, key.api_secret))


async def test_a_429_is_raised_when_it_stays_and_passes_when_it_goes(sandbox: Sandbox) -> None:
    sandbox.faults.add({"name": "storm_429", "path": ".*/api/offices", "times": 1})
    assert len(ids_of(await read(sandbox, "offices"))) == 1
    sandbox.faults.add({"name": "storm_429", "path": ".*/api/offices"})
    with pytest.raises(RateLimited):
        await read(sandbox, "offices")
