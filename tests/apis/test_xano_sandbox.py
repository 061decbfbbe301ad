"""The client of V1 against the stand-in: everything in the order of ids, one workspace, listed columns only."""

from __future__ import annotations

import pytest
from pydantic import SecretStr

from resources.apis.xano import ENTITIES, TABLES, XanoClient
from resources.errors import ConfigError, NotFound, NotUnderstood, PagingBroken, SourceUnavailable, Unauthorized
from resources.reading import ReadRequest
from sandbox import Sandbox
from tests.apis.clients import ids_of, pages_of, records_of, true_ids
from tests.http.loopback import OpenBudget

ALL = ReadRequest()


@pytest.fixture(autouse=True)
def _nothing_is_limited(sandbox: Sandbox) -> None:
    sandbox.limits.raised["xano"] = 10**6


def client(sandbox: Sandbox, **more) -> XanoClient:
    told = {"token": SecretStr(sandbox.world.v1.token), "workspace_id": "1", "base_url": sandbox.xano_url, **more}
    return XanoClient(budget=told.pop("budget", OpenBudget()), **told)


def fault(sandbox: Sandbox, name: str, **more) -> None:
    sandbox.faults.add({"name": name, "path": "/content/search", **more})


async def test_a_token_tells_its_owner_and_the_workspace_that_it_was_proved_to_be(sandbox: Sandbox) -> None:
    async with client(sandbox) as xano:
        identity = await xano.identity()
    assert (identity.account_id, identity.external_user_id) == ("1", "7")
    assert identity.raw == {"workspace": "V1", "tables": len(sandbox.world.v1.titles)}
    assert sandbox.requests.total("/table$") == 1, "all tables fit a page of the list"


@pytest.mark.parametrize("entity", ENTITIES)
async def test_every_table_is_read_whole_with_listed_columns_only(sandbox: Sandbox, entity: str) -> None:
    async with client(sandbox) as xano:
        pages = await pages_of(xano.read(entity, ALL))
    assert set(ids_of(pages)) == true_ids(sandbox, "xano", entity, sandbox.world.v1.token)
    assert len(ids_of(pages)) == len(set(ids_of(pages)))
    assert pages[-1].position is None and pages[-1].complete
    for record in records_of(pages):
        assert record.problem is None
        assert set(record.payload) <= set(TABLES[entity].columns)


async def test_passwords_and_private_columns_never_leave_the_client(sandbox: Sandbox) -> None:
    async with client(sandbox) as xano:
        users = records_of(await pages_of(xano.read("user", ALL)))
        agents = records_of(await pages_of(xano.read("agent", ALL)))
    assert not {"password", "magic_link", "api_key", "google_oauth"} & {k for r in [*users, *agents] for k in r.payload}


async def test_a_pass_goes_on_behind_the_last_stored_id(sandbox: Sandbox) -> None:
    async with client(sandbox) as xano:
        everything = ids_of(await pages_of(xano.read("participant", ALL)))
        middle = everything[len(everything) // 2]
        position = {"after": int(middle), "met": len(everything) // 2 + 1, "total": len(everything)}
        rest = await pages_of(xano.read("participant", ReadRequest(position=position)))
    assert ids_of(rest) == everything[len(everything) // 2 + 1 :]
    assert rest[-1].complete


async def test_an_overloaded_instance_is_asked_for_smaller_pages(sandbox: Sandbox) -> None:
    fault(sandbox, "wide_rows")
    async with client(sandbox) as xano:
        pages = await pages_of(xano.read("participant", ALL))
    assert max(len(page.records) for page in pages) == 100
    assert set(ids_of(pages)) == true_ids(sandbox, "xano", "participant", sandbox.world.v1.token)


async def test_an_instance_that_stays_down_ends_the_pass(sandbox: Sandbox) -> None:
    fault(sandbox, "error_5xx", status=502)
    async with client(sandbox) as xano:
        with pytest.raises(SourceUnavailable):
            await pages_of(xano.read("user", ALL))


async def test_a_filter_that_is_ignored_is_noticed_and_not_believed(sandbox: Sandbox) -> None:
    async with client(sandbox) as xano:
        fault(sandbox, "ignored_filter")
        with pytest.raises(PagingBroken, match="not asked for"):
            await pages_of(xano.read("user", ReadRequest(position={"after": 10**6})))


@pytest.mark.parametrize("name", ["null_list", "empty_page", "false_body", "null_body", "html_200", "errors_200"])
async def test_what_is_no_list_is_an_error_and_never_an_empty_table(sandbox: Sandbox, name: str) -> None:
    async with client(sandbox) as xano:
        await xano.identity()
        fault(sandbox, name)
        with pytest.raises(NotUnderstood):
            await pages_of(xano.read("user", ALL))


async def test_one_page_without_rows_that_counts_some_is_asked_again(sandbox: Sandbox) -> None:
    fault(sandbox, "empty_page", times=1)
    async with client(sandbox) as xano:
        assert ids_of(await pages_of(xano.read("user", ALL)))


async def test_a_refused_token_is_refused_at_once(sandbox: Sandbox) -> None:
    async with client(sandbox, token=SecretStr("wrong")) as xano:
        with pytest.raises(Unauthorized):
            await pages_of(xano.read("user", ALL))
    assert sandbox.requests.total("/content") == 0


async def test_another_workspace_than_the_expected_one_is_not_read(sandbox: Sandbox) -> None:
    for more, says in (
        ({"workspace_id": "5"}, "5 is none of them"),
        ({"workspace_id": None}, "was not said"),
        ({"workspace_name": "V2"}, "not 'V2'"),
        ({"least_tables": 10_000}, "at least 10000"),
    ):
        async with client(sandbox, **more) as xano:
            with pytest.raises(ConfigError, match=says):
                await pages_of(xano.read("user", ALL))
    assert sandbox.requests.total("/content") == 0
    sandbox.faults.add({"name": "another_workspace", "path": "workspace"})
    async with client(sandbox, workspace_name="V1") as xano:
        with pytest.raises(ConfigError, match="called 'V2'"):
            await xano.identity()


async def test_a_table_that_is_not_there_or_twice_is_named(sandbox: Sandbox) -> None:
    titles = sandbox.world.v1.titles
    number = next(n for n, title in titles.items() if title == "mentor")
    try:
        titles[number] = "trainer"
        async with client(sandbox) as xano:
            await xano.identity()
            with pytest.raises(NotFound, match=r"no table for mentor \(looked for mentor, mentors\)"):
                await pages_of(xano.read("mentor", ALL))
        titles[number], titles[999] = "mentor", "Mentor "
        async with client(sandbox) as xano:
            await xano.identity()
            with pytest.raises(NotFound, match="2 tables called 'mentor'"):
                await pages_of(xano.read("mentor", ALL))
    finally:
        titles[number] = "mentor"
        titles.pop(999, None)
        async with client(sandbox) as xano:
            await xano.identity()


async def test_a_table_that_was_made_anew_is_found_under_its_new_id_in_the_next_pass(sandbox: Sandbox) -> None:
    v1 = sandbox.world.v1
    number = next(n for n, title in v1.titles.items() if title == "mentor")
    async with client(sandbox) as xano:
        await xano.identity()
        v1.titles[777], v1.ids[777] = v1.titles.pop(number), v1.ids.pop(number)
        try:
            with pytest.raises(NotFound):
                await pages_of(xano.read("mentor", ALL))
            assert ids_of(await pages_of(xano.read("mentor", ALL)))
        finally:
            v1.titles[number], v1.ids[number] = v1.titles.pop(777), v1.ids.pop(777)
            await xano.identity()


async def test_rows_that_break_their_contract_are_handed_on_with_the_reason(sandbox: Sandbox) -> None:
    fault(sandbox, "invalid_record", field="active", value="perhaps", times=1)
    async with client(sandbox) as xano:
        records = records_of(await pages_of(xano.read("user", ALL)))
    problems = [record.problem for record in records if record.problem]
    assert [(p.reason, p.field) for p in problems] == [("invalid_record", "active")]
    assert len(records) == len(sandbox.world.v1.tables["user"])


async def test_a_plan_tells_the_rows_to_come_and_the_columns_that_are_left_out(sandbox: Sandbox) -> None:
    async with client(sandbox) as xano:
        plan = await xano.plan("user", ALL)
        assert await xano.count("user") == plan.expected == len(sandbox.world.v1.tables["user"])
    assert plan.requests[1] == "columns left out: magic_link, password"


async def test_every_call_asks_for_live_data_and_takes_from_the_instance_budget(sandbox: Sandbox) -> None:
    budget = OpenBudget()
    async with client(sandbox, budget=budget) as xano:
        await pages_of(xano.read("user", ALL))
    assert {key for keys, _ in budget.taken for key in keys} == {f"xano:127.0.0.1:{sandbox.port}"}


async def test_too_many_calls_stop_everybody_for_the_whole_window(sandbox: Sandbox) -> None:
    budget = OpenBudget()
    fault(sandbox, "storm_429", retry_after="none", times=1)
    async with client(sandbox, budget=budget) as xano:
        assert ids_of(await pages_of(xano.read("user", ALL)))
    assert [seconds for _, seconds in budget.punished] == [20.0]
