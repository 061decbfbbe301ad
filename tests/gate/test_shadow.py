"""Shadow reading from end to end: the sandbox's V1 and our endpoints over HTTP, counted and explained in a database."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import httpx
import orjson
import pytest

from resources.postgres import Database
from sandbox import Sandbox, Scale, World, serve
from tests.api.conftest import generous, served
from tests.gate.compared import comparison, difference, user
from v2_assets.api import tokens
from v2_assets.api.catalogue import CATALOGUE, ENDPOINTS
from v2_assets.api.shadow.wired import comparer_of, shadowed, together
from v2_assets.gate.look import look
from v2_assets.gate.rules import Verdict
from v2_assets.gate.switch import set_share, stop
from v2_assets.schema import metadata

PATH = "/contributions"


@pytest.fixture(scope="module")
def sandbox() -> Any:
    with serve(World(7, Scale(people=3, deals=3))) as running:
        yield running


def fill(database: Database, sandbox: Sandbox) -> tuple[str, str]:
    """V2 knows what V1's first user sees of contributions. Returns V1's token and ours."""
    theirs, number = next(iter(sandbox.world.v1.logins.items()))
    rows = [row for row in sandbox.world.v1.tables["contribution"].values() if row["user_id"] == number]
    assert len(rows) == 2
    with database.connect() as connection:
        user(connection, 901)
        connection.execute("insert into v2.agent (agent_id_raw, source) values ('mine', 'v1'), ('other', 'v1')")
        for row in rows:
            connection.execute(
                "insert into v2.contribution (contribution_id_raw, amount, currency, contribution_type, status,"
                " contribution_date, tier, missed, user_id, agent_id, contributing_agent_id, receiving_agent_id,"
                " source)"
                " select %s, %s, %s, %s, %s, %s, %s, %s, 901, mine.id, other.id, mine.id, 'rezen'"
                " from v2.agent mine, v2.agent other"
                " where mine.agent_id_raw = 'mine' and other.agent_id_raw = 'other'",
                [row["contribution_id_raw"], row["amount"], row["currency"], row["contribution_type"], row["status"],
                 row["contribution_date"], row["tier"], row["missed"]],
            )  # fmt: skip
        return theirs, tokens.create(connection, 901, ["read"])[1]


@asynccontextmanager
async def frontend(database: Database, sandbox: Sandbox) -> AsyncIterator[tuple[httpx.AsyncClient, Any]]:
    """A frontend that talks to the platform in V1's place, signed in at both."""
    theirs, ours = fill(database, sandbox)
    with served(database, generous()) as (api, _):
        app = shadowed(api, generous(shadow_v1_url=sandbox.v1_url, shadow_timeout_seconds=30))
        app.decide_s = 30
        headers = {"Authorization": f"Bearer {theirs}", "X-V2-Token": ours}
        transport = httpx.ASGITransport(app)
        async with app.v1, httpx.AsyncClient(transport=transport, base_url="http://here", headers=headers) as client:
            yield client, app
            await app.end()


def told(database: Database) -> tuple[list[Any], list[Any]]:
    """The counts, and the differences without their times."""
    with database.connect() as connection:
        return (
            connection.execute("select endpoint, requests, same, failed from ops.shadow_count").fetchall(),
            connection.execute(
                "select kind, field, reason, times from ops.shadow_difference order by 1, 2, 3"
            ).fetchall(),
        )


async def test_the_frontend_gets_v1s_answer_and_what_differs_in_ours_is_counted_and_explained(
    database: Database, sandbox: Sandbox
) -> None:
    async with frontend(database, sandbox) as (client, app):
        answer = await client.get(PATH)
        alone = await app.v1.get(PATH, headers={"Authorization": client.headers["Authorization"]})
        assert answer.status_code == 200 and answer.json() == alone.json() and answer.json()["itemsTotal"] == 2
        await app.end()
        assert told(database) == ([(PATH, 1, 1, 0)], []), "the same facts under other numbers are the same answer"

        with database.connect() as connection:
            connection.execute("update v2.contribution set amount = amount + 1 where tier = 1")
        await client.get(PATH)
        await app.end()
        assert told(database) == ([(PATH, 2, 1, 0)], [("value", "amount", "unknown", 1)])

        with database.connect() as connection:
            run = comparison(
                connection,
                tables={"contribution": (2, 2)},
                counts=(("contribution", 901, "changed", "newer_at_source", 1),),
            )
        await client.get(PATH)
        await app.end()
        assert ("value", "amount", "newer_at_source", 1) in told(database)[1], "all that differ have this reason"

        raw = answer.json()["items"][1]["contribution_id_raw"]
        with database.connect() as connection:
            keys = {"contribution_id_raw": raw}
            difference(
                connection, run, "contribution", "changed", "v1_wrong", user_id=901, keys=keys,
                cells={"amount": [12.5, 13.5]},
            )  # fmt: skip
        await client.get(PATH)
        await app.end()
        assert ("value", "amount", "v1_wrong", 1) in told(database)[1], "and this row has its own"
        with database.connect() as connection:
            gate = look(connection, generous(gate_shadow_requests=4))
            connection.execute("delete from ops.shadow_difference where reason = 'unknown'")
            later = look(connection, generous(gate_shadow_requests=4))
        assert "shadow_same" in [failure.rule for failure in gate.endpoints[PATH].failures]
        assert not [f for f in later.endpoints[PATH].failures if f.rule.startswith("shadow")]


async def test_the_switch_gives_a_user_v2s_answer_and_takes_it_away_again(database: Database, sandbox: Sandbox) -> None:
    async with frontend(database, sandbox) as (client, app):
        known = app.switch

        async def of_v2() -> bool:
            known._seen.clear()  # what is believed for some seconds
            answer = (await client.get(PATH)).json()
            return "nextCursor" in answer

        assert not await of_v2()
        with database.connect() as connection:
            set_share(connection, [PATH], 100, who="ada", verdicts=[Verdict("endpoint", PATH)], users=[901])
        assert await of_v2()
        with database.connect() as connection:
            stop(connection, [PATH], who="ada")
        assert not await of_v2()
        await app.end()
    assert told(database) == ([(PATH, 3, 3, 0)], [])


DEAL = "/transactions/details"


async def test_a_deal_is_compared_with_the_same_deal_whatever_number_each_system_has_for_it(
    database: Database, sandbox: Sandbox
) -> None:
    login = next(iter(sandbox.world.v1.logins.values()))
    mine = [row for row in sandbox.world.v1.tables["transaction"].values() if row["user_id"] == login]
    deal, lost = mine[:2]
    async with frontend(database, sandbox) as (client, app):
        with database.connect() as connection:
            (ours,) = connection.execute(
                "insert into v2.transaction (transaction_id_raw, status, closed, user_id, source)"
                " values (%s, 'Open', false, 901, 'rezen') returning id",
                [deal["transaction_id_raw"]],
            ).fetchall()[0]
            connection.execute(  # what V1's number would mean if it were taken for V2's
                "insert into v2.transaction (id, transaction_id_raw, user_id, source) overriding system value"
                " values (%s, 'another', 901, 'rezen')",
                [deal["id"]],
            )
        answer = await client.get(DEAL, params={"id": deal["id"]})
        assert answer.json()["transaction_id_raw"] == deal["transaction_id_raw"]
        await client.get(DEAL, params={"id": lost["id"]})
        await app.end()
        counts, found = told(database)
        assert [(path, requests) for path, requests, *_ in counts] == [(DEAL, 2)]
        kinds = {(kind, field) for kind, field, *_ in found}
        assert ("row only in V1", "") in kinds and ("value", "status") in kinds
        assert ("value", "transaction_id_raw") not in kinds and ("status", "") not in kinds

        with database.connect() as connection:
            verdicts = [Verdict("endpoint", path) for path in together(DEAL)]
            set_share(connection, [DEAL], 100, who="ada", verdicts=verdicts, users=[901])
        app.switch._seen.clear()
        assert (await client.get(DEAL, params={"id": deal["id"]})).json()["id"] == deal["id"], "its list is V1's"
        with database.connect() as connection:
            set_share(connection, together(DEAL), 100, who="ada", verdicts=verdicts, users=[901])
            connection.execute("create schema if not exists v1")
            connection.execute(
                "create table v1.transaction as select %s::bigint as id, %s as transaction_id_raw,"
                " null::timestamptz as updated_at",
                [deal["id"], deal["transaction_id_raw"]],
            )
            connection.execute("grant select on v1.transaction to v2_definer")  # as the snapshot does
        app.switch._seen.clear()
        assert (await client.get(DEAL, params={"id": ours})).json()["id"] == ours
        await app.end()
        assert told(database)[0][0][1] == 4, "compared with V1's, which has another number for it"
        assert sandbox.requests.queries[-1].endswith(f"{DEAL}?id={deal['id']}")


async def test_a_token_that_is_revoked_is_v1s_alone(database: Database, sandbox: Sandbox) -> None:
    async with frontend(database, sandbox) as (client, app):
        with database.connect() as connection:
            tokens.revoke(connection, 1)
        assert (await client.get(PATH)).json()["itemsTotal"] == 2
        await app.end()
    assert told(database) == ([], [])


def test_what_a_declaration_says_of_v1_is_how_answers_are_compared() -> None:
    """V1's other names are V2's, and what V2 gave up is not missed."""
    told = {
        "table": "fub_people",
        "columns": {"people_name": "fullName", "stage_id": "id"},
        "left_out": {"old": "unused"},
    }
    with pytest.MonkeyPatch.context() as patch:
        patch.setitem(metadata.tables["v2.fub_people"].info, "v1", told)
        comparer = comparer_of(ENDPOINTS["/leads/fub_people"])
    theirs, ours = {"fub_people_id_raw": 7, "fullName": "Ada", "id": 1, "old": 3}, {"fub_people_id_raw": 7, "id": 9}
    found = comparer.differences((200, orjson.dumps([theirs])), (200, orjson.dumps([ours | {"people_name": "Ada"}])))
    assert found == []
    found = comparer.differences((200, orjson.dumps([theirs])), (200, orjson.dumps([ours | {"people_name": "Bob"}])))
    assert [(each.kind, each.field) for each in found] == [("value", "people_name")]


@pytest.mark.parametrize("endpoint", CATALOGUE, ids=lambda each: each.path)
def test_every_endpoint_has_a_way_to_be_compared(endpoint: Any) -> None:
    comparer = comparer_of(endpoint)
    assert endpoint.kind in ("count", "figures") or comparer.keyed_by(), (
        "rows that nothing tells apart are compared in vain"
    )
    assert comparer.differences((200, b'{"items": []}'), (200, b'{"items": []}')) is not None
