"""No user ever sees another's row: through the endpoints, and with the application left out."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import orjson
import psycopg
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from psycopg import sql

from resources.errors import DatabaseError
from resources.postgres import Database
from tests.api.conftest import Running, as_api
from tests.api.world import ADMIN, ANN, CAT, GUEST, LONE, OTHER_ADMIN, STRANGER, USERS, only_of
from v2_assets.api import pages, tokens
from v2_assets.api.asked import Asked
from v2_assets.api.catalogue import CATALOGUE, ENDPOINTS
from v2_assets.api.endpoint import RANGED, Endpoint, type_of
from v2_assets.api.store import Store
from v2_assets.schema import metadata
from v2_assets.schema.visibility import RULES

LISTS = [endpoint for endpoint in CATALOGUE if endpoint.kind == "rows"]
FIGURES = [e for e in CATALOGUE if e.kind == "figures" and not e.reads[0].startswith("ops.")]


def expected(running: Running, user: int, endpoint: Endpoint) -> set[int]:
    """What is the user's, and fulfils what every row of the endpoint fulfils."""
    with running.database.connect() as connection:
        rows = connection.execute(
            f"select id from v2.{endpoint.table} where {endpoint.condition or 'true'} and deleted_at is null".encode()
        )
        return {row[0] for row in rows} & running.world.may_see(user, endpoint.table or "")


@pytest.mark.parametrize("endpoint", LISTS, ids=lambda e: e.path)
def test_the_pages_of_a_list_hold_the_users_rows_and_the_teams_and_no_others(
    running: Running, endpoint: Endpoint
) -> None:
    for user in USERS:
        ids = [item["id"] for item in running.walked(user, endpoint.path)]
        assert len(ids) == len(set(ids))
        assert set(ids) == expected(running, user, endpoint), user


@pytest.fixture(scope="module")
def values(running: Running) -> dict[tuple[str, str], list[Any]]:
    """Values that there are, of every column that can be filtered by."""
    found: dict[tuple[str, str], list[Any]] = {}
    with running.database.connect() as connection:
        for endpoint in LISTS:
            for column in endpoint.filters:
                rows = connection.execute(
                    sql.SQL("select distinct {0} from v2.{1} where {0} is not null limit 8").format(
                        sql.Identifier(column), sql.Identifier(endpoint.table or "")
                    )
                ).fetchall()
                found[endpoint.table or "", column] = [row[0] for row in rows]
    return found


@settings(max_examples=120)
@given(data=st.data())
def test_no_filter_search_sort_or_page_shows_a_user_anothers_row(
    running: Running, values: dict[tuple[str, str], list[Any]], data: st.DataObject
) -> None:
    endpoint = data.draw(st.sampled_from(LISTS))
    user = data.draw(st.sampled_from(USERS))
    asked: dict[str, Any] = {"per_page": data.draw(st.integers(1, 50)), "page": data.draw(st.integers(1, 3))}
    asked["sort"] = data.draw(st.sampled_from(endpoint.sorts)).removeprefix("-")
    filled = [column for column in endpoint.filters if values[endpoint.table or "", column]]
    for column in data.draw(st.lists(st.sampled_from(filled), max_size=2)):
        value = data.draw(st.sampled_from(values[endpoint.table or "", column]))
        ranged = type_of(endpoint.table or "", column) in RANGED
        asked[f"{column}_{data.draw(st.sampled_from(['from', 'to']))}" if ranged else column] = (
            value.isoformat() if hasattr(value, "isoformat") else value
        )
    if endpoint.search and data.draw(st.booleans()):
        asked["search"] = data.draw(st.sampled_from(["a", "%", "_", "'", "Active", "\\", "agent", "x' or '1'='1"]))
    answer = running.get(endpoint.path, user, params=asked)
    assert answer.status_code == 200, answer.text
    page = answer.json()
    assert {item["id"] for item in page["items"]} <= running.world.may_see(user, endpoint.table or "")
    # Nor does a count tell of rows that are not shown.
    if page["itemsTotal"] is not None:
        assert page["itemsTotal"] <= len(running.world.may_see(user, endpoint.table or ""))


@pytest.mark.parametrize("endpoint", FIGURES, ids=lambda e: e.path)
def test_figures_are_those_of_a_database_that_holds_the_users_rows_alone(running: Running, endpoint: Endpoint) -> None:
    period = {"since": "2000-01-01", "until": "2050-01-01"} if endpoint.also else {}
    statement = pages.figures(endpoint, Asked(values=dict(period))).statement.decode()
    for user in USERS:
        with running.database.connect() as connection:
            schema = only_of(connection, running.world, user, endpoint.reads)
            items, rows = connection.execute(statement.replace("v2.", f"{schema}.").encode(), period).fetchall()[0]
        wanted = orjson.loads(f"[{items or ''}]")
        assert len(wanted) == rows
        assert running.items(user, endpoint.path, **period) == wanted, user


def test_counts_are_of_the_users_rows(running: Running) -> None:
    for endpoint in (e for e in CATALOGUE if e.kind == "count"):
        for user in USERS:
            assert running.get(endpoint.path, user).json()["count"] == len(expected(running, user, endpoint))


def test_a_deal_and_what_belongs_to_it_is_shown_to_those_who_may_see_it_and_unknown_to_others(running: Running) -> None:
    for user in (ANN, LONE, OTHER_ADMIN):
        mine = running.world.may_see(user, "transaction")
        for deal in sorted(running.world.owners["transaction"]):
            answer = running.get(f"/transactions/details?id={deal}", user)
            assert answer.status_code == (200 if deal in mine else 404)
            if deal in mine:
                found = {
                    p["transaction_id"] for name in ("participants", "tags", "history") for p in answer.json()[name]
                }
                assert found <= {deal}


def test_a_name_is_looked_up_for_the_down_line_and_the_team_but_for_nobody_else(running: Running) -> None:
    with running.database.connect() as connection:
        known = {
            user: {
                row[0]
                for row in connection.execute(
                    "select downline_agent_id from v2.network_member where id = any(%s)",
                    [list(running.world.may_see(user, "network_member"))],
                )
            }
            | running.world.may_see(user, "agent")
            for user in USERS
        }
    for user in USERS:
        items = running.items(user, "/leaderboard/transactions", per_page=200)
        assert items
        for item in items:
            agent = item["transaction_owner_agent_id"]
            assert (item["agent_name"] is not None) == (agent in known[user])


def test_users_who_share_connections_at_the_same_time_see_their_own_rows_each(running: Running) -> None:
    users = [user for user in USERS for _ in range(6)]
    with ThreadPoolExecutor(12) as threads:
        found = threads.map(lambda user: running.items(user, "/leads/fub_people", per_page=200), users)
        for user, items in zip(users, found, strict=True):
            assert {item["id"] for item in items} == running.world.may_see(user, "fub_people")


async def test_a_question_cannot_write_and_leaves_neither_its_token_nor_a_setting_on_the_connection(
    running: Running,
) -> None:
    store = Store(Database(as_api(running.database.url)), 1, 1.0)
    hashed = tokens.hash_of(running.tokens[ANN]) or ""
    async with store.opened():
        caller, (count,) = await store.ask(hashed, "read", pages.total(ENDPOINTS["/listings/count"], Asked()))
        assert (caller.user_id, count) == (ANN, len(running.world.may_see(ANN, "listing")))
        async with store._connection() as connection:
            kept = await connection.execute(
                "select current_setting('v2.token', true), current_setting('transaction_read_only'), count(*)"
                " from v2.listing"
            )
            assert await kept.fetchone() == ("", "off", 0)
        writing = pages.Question(b"select ops.api_shadow_keep('/listings/count', 'failed', '[]')", {})
        with pytest.raises(DatabaseError, match="25006"):
            await store.ask(hashed, "read", writing)


# --- the application left out ---------------------------------------------------------------------------------------


@pytest.fixture
def direct(running: Running) -> Iterator[psycopg.Connection[Any]]:
    """What somebody has who took over the application: its login."""
    with psycopg.connect(as_api(running.database.url)) as connection:
        yield connection
        connection.rollback()


def seen(connection: psycopg.Connection[Any], table: str, where: str = "true") -> set[int]:
    return {row[0] for row in connection.execute(f"select id from v2.{table} where {where}".encode())}


@pytest.fixture(scope="module")
def login(running: Running) -> Iterator[str]:
    """A login that is a member of v2_api and of nothing else, as the platform makes it."""
    with running.database.connect() as connection:
        connection.execute("create role api_test_login login password 'x' in role v2_api")
    yield psycopg.conninfo.make_conninfo(running.database.url, user="api_test_login", password="x")
    with running.database.connect() as connection:
        connection.execute("drop role api_test_login")


V2_RULES = [table for table in RULES if not table.startswith("ops.")]


def as_user(connection: psycopg.Connection[Any], running: Running, user: int) -> None:
    connection.execute("select set_config('v2.token', %s, true)", [tokens.hash_of(running.tokens[user])])


@pytest.mark.parametrize("table", V2_RULES)
def test_postgres_itself_shows_a_user_the_own_rows_and_the_teams_and_no_others(
    running: Running, direct: psycopg.Connection[Any], table: str
) -> None:
    for user in USERS:
        as_user(direct, running, user)
        assert seen(direct, table) == running.world.may_see(user, table), user


@pytest.mark.parametrize("table", V2_RULES)
def test_without_a_token_postgres_shows_nothing(direct: psycopg.Connection[Any], table: str) -> None:
    assert seen(direct, table) == set()
    # Other names for a context, as an application might have used them.
    for name in ("v2.user_id", "app.user_id", "v2.user", "request.jwt.claims"):
        direct.execute("select set_config(%s, %s, true)", [name, str(ADMIN)])
    direct.execute("select set_config('v2.token', '', true)")
    assert seen(direct, table) == set()
    direct.execute("select set_config('v2.token', %s, true)", ["00" * 32])
    assert seen(direct, table) == set()


@pytest.mark.parametrize(
    "where",
    [
        f"user_id = {CAT}",
        f"user_id = {ANN} or user_id = {CAT}",
        "true or user_id is null",
        f"user_id in (select id from unnest(array[{ADMIN}, {ANN}, {CAT}]) id)",
        f"user_id = (select {CAT} where set_config('v2.user_id', '{CAT}', true) is not null)",
        f"id in (select id from v2.fub_people where user_id <> {ANN})",
    ],
)
def test_a_forged_filter_finds_nothing_of_others(running: Running, direct: psycopg.Connection[Any], where: str) -> None:
    as_user(direct, running, ANN)
    assert seen(direct, "fub_people", where) <= running.world.may_see(ANN, "fub_people")


def test_a_condition_that_leaks_what_it_is_shown_is_shown_no_row_of_others(
    running: Running, direct: psycopg.Connection[Any]
) -> None:
    """A cheap function of the attacker's own would be asked first, were it not for the barrier."""
    direct.execute("create function pg_temp.spy(bigint) returns boolean cost 0.0001 language plpgsql as"
                   " $$ begin raise notice 'saw %', $1; return true; end $$")  # fmt: skip
    told: list[str] = []
    direct.add_notice_handler(lambda notice: told.append(notice.message_primary or ""))
    as_user(direct, running, ANN)
    direct.execute("select count(*) from v2.fub_people where pg_temp.spy(id)")
    assert {int(text.split()[1]) for text in told} == running.world.may_see(ANN, "fub_people")


def test_v1s_number_of_a_deal_is_told_only_to_those_who_see_the_deal(
    running: Running, direct: psycopg.Connection[Any]
) -> None:
    deals = sorted(running.world.owners["transaction"])
    as_user(direct, running, ANN)
    numbers = "select d from unnest(%s::bigint[]) d where ops.api_v1_deal(d) is not null"
    assert direct.execute(numbers, [deals]).fetchall() == [], "before the first comparison nobody knows them"
    with running.database.connect() as connection:
        connection.execute("create schema if not exists v1")
        connection.execute(
            "create table v1.transaction as select id + 1000 as id, transaction_id_raw, now() as updated_at"
            " from v2.transaction"
        )
        connection.execute("grant select on v1.transaction to v2_definer")  # as the snapshot does
    direct.rollback()
    as_user(direct, running, ANN)
    try:
        told = {row[0] for row in direct.execute(numbers, [deals])}
        assert told == running.world.may_see(ANN, "transaction")
        assert direct.execute("select ops.api_v1_deal(%s)", [min(told)]).fetchone() == (min(told) + 1000,)
    finally:
        direct.rollback()
        with running.database.connect() as connection:
            connection.execute("drop table v1.transaction")


@pytest.mark.parametrize(
    "statement",
    [
        "select * from ops.api_token",
        "update ops.api_token set user_id = 1",
        "select * from v2.credentials",
        'select * from v2."user"',
        "select * from staging.stage_fub_people",
        "delete from v2.fub_people",
        "update v2.fub_people set user_id = 2",
        "alter table v2.fub_people disable row level security",
        "set row_security = off; select * from v2.fub_people",
        "select ops.onboard_again(1)",
        "set role v2_writer",
    ],
)
def test_the_role_can_reach_neither_tokens_nor_keys_nor_a_way_around(login: str, statement: str) -> None:
    with psycopg.connect(login) as connection, pytest.raises(psycopg.errors.InsufficientPrivilege):
        connection.execute(statement.encode())


def test_every_table_without_a_rule_is_closed_to_the_endpoints(direct: psycopg.Connection[Any]) -> None:
    open_ones = {
        row[0]
        for row in direct.execute(
            "select c.relnamespace::regnamespace || '.' || c.relname from pg_class c"
            " where c.relkind in ('r', 'p', 'v', 'm') and has_table_privilege('v2_api', c.oid, 'select')"
            " and c.relnamespace::regnamespace::text in ('v2', 'ops', 'staging', 'v1')"
        )
    }
    assert open_ones == {table if "." in table else f"v2.{table}" for table in RULES}
    assert len(open_ones) < len(metadata.tables)
    without_security = direct.execute(
        "select relname from pg_class where not relrowsecurity and oid = any(%s::regclass[])",
        [[f'"{t.split(".")[0]}"."{t.split(".")[1]}"' for t in open_ones]],
    ).fetchall()
    assert without_security == []


def test_a_rule_that_changed_is_brought_to_the_database_and_one_that_went_closes_the_table(
    database_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    from v2_assets.schema import migrate, visibility

    def policy() -> str:
        with psycopg.connect(database_url) as connection:
            row = connection.execute(
                "select qual from pg_policies where tablename = 'income' and policyname = 'v2_api'"
            ).fetchone()
            return row[0] if row else ""

    assert "api_agents" in policy()
    rules = {**visibility.RULES, "income": (visibility.Own("user_id", "users"),)}
    del rules["team"]
    monkeypatch.setattr(visibility, "RULES", rules)
    migrate.upgrade(database_url)
    assert "api_agents" not in policy()
    with psycopg.connect(as_api(database_url)) as connection, pytest.raises(psycopg.errors.InsufficientPrivilege):
        connection.execute("select * from v2.team")


def test_the_pipelines_and_the_reports_still_see_every_row(running: Running) -> None:
    for role in ("v2_writer", "v2_reader"):
        with psycopg.connect(running.database.url) as connection:
            connection.execute(sql.SQL("set role {}").format(sql.Identifier(role)))
            assert seen(connection, "fub_people") == set(running.world.owners["fub_people"])


def test_who_stops_being_admin_or_active_stops_seeing_at_once(running: Running) -> None:
    path = "/leads/fub_people?per_page=200"
    with running.database.connect() as connection:
        connection.execute("update v2.user_roles set is_account_admin = false where user_id = %s", [OTHER_ADMIN])
    try:
        ids = {item["id"] for item in running.get(path, OTHER_ADMIN).json()["items"]}
        assert ids == {r for r, o in running.world.owners["fub_people"].items() if OTHER_ADMIN in o.users}
    finally:
        with running.database.connect() as connection:
            connection.execute("update v2.user_roles set is_account_admin = true where user_id = %s", [OTHER_ADMIN])
    with running.database.connect() as connection:
        connection.execute('update v2."user" set active = false where id = %s', [LONE])
    try:
        assert running.get(path, LONE).status_code == 401
    finally:
        with running.database.connect() as connection:
            connection.execute('update v2."user" set active = true where id = %s', [LONE])


def test_a_seat_on_the_roster_does_not_hand_over_the_rows_of_a_user_of_another_team(running: Running) -> None:
    assert 1000 + GUEST not in running.world.may_see(ADMIN, "agent")
    assert 1000 + STRANGER in running.world.may_see(ADMIN, "agent")
    items = running.get("/team_management/agents_all", ADMIN).json()["items"]
    assert {item["id"] for item in items} == running.world.may_see(ADMIN, "agent")
    assert ENDPOINTS["/team_management/agents_all"].table == "agent"
