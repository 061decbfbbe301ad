"""However large the tables are, a question reads the caller's rows and not the others': no filter and no sort scans."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import psycopg
import pytest

from tests.api.crowd import bound, fill, pretend, questions, read_by
from tests.conftest import PostgresServer
from v2_assets.api import pages, tokens
from v2_assets.api.asked import Asked, Parameters, cursor_of
from v2_assets.api.catalogue import CATALOGUE
from v2_assets.api.endpoint import Endpoint

USERS, EACH, TIMES = 200, 20, 500
CALLER = 77
#: What is the caller's, to filter by.
MINE = {"id": str((CALLER - 1) * EACH + 1), "user_id": str(CALLER), "agent_id": str(1000 + CALLER)}


@pytest.fixture(scope="module")
def crowd(postgres_server: PostgresServer, migrated_template: str) -> Iterator[psycopg.Connection[Any]]:
    """200 users with 20 rows each in every table, planned for as if it were 2 million; and a token of one of them."""
    name = postgres_server.create(template=migrated_template)
    with psycopg.connect(postgres_server.url(name)) as connection:
        connection.execute("set statement_timeout = 0")
        fill(connection, USERS, EACH)
        connection.commit()
        pretend(connection, TIMES)
        connection.commit()
        hashed = tokens.hash_of(tokens.create(connection, CALLER, ["read"])[1])
        connection.commit()
        connection.execute("select set_config('v2.token', %s, false)", [hashed])
        connection.commit()
        yield connection
    postgres_server.drop(name)


def reads(connection: psycopg.Connection[Any], question: pages.Question, mode: str) -> dict[str, int]:
    with connection.transaction(force_rollback=True):
        connection.execute(f"set local plan_cache_mode = {mode}".encode())
        connection.execute("set local role v2_api")
        return read_by(connection, lambda: connection.execute(question.statement, question.values, prepare=True))


@pytest.mark.parametrize("endpoint", CATALOGUE, ids=lambda endpoint: endpoint.path)
def test_a_question_reads_no_more_than_the_callers_own_rows(crowd: psycopg.Connection[Any], endpoint: Endpoint) -> None:
    parameters, ask = Parameters(endpoint), pages.QUESTIONS[endpoint.kind]
    for given in questions(endpoint, MINE):
        for mode in ("force_custom_plan", "force_generic_plan"):
            found = reads(crowd, ask(endpoint, parameters.read(given)), mode)
            scanned = {table: rows for table, rows in found.items() if rows > bound(EACH)}
            assert not scanned, f"{endpoint.path} {given} ({mode}) of {USERS * EACH} rows of {USERS} users"


@pytest.mark.parametrize("endpoint", [e for e in CATALOGUE if e.kind == "rows"], ids=lambda endpoint: endpoint.path)
def test_a_page_behind_a_cursor_reads_no_more_either(crowd: psycopg.Connection[Any], endpoint: Endpoint) -> None:
    parameters = Parameters(endpoint)
    with crowd.transaction(force_rollback=True):
        crowd.execute("set local role v2_api")
        first = crowd.execute(*_of(pages.page(endpoint, Asked(sort=endpoint.sorts[0], per_page=5)))).fetchone()
    assert first is not None
    if first[3] is None:
        return  # no second page
    cursor = cursor_of(endpoint.sorts[0], first[2], first[3])
    asked = parameters.read([("cursor", cursor), ("sort", endpoint.sorts[0]), ("per_page", "5")])
    for mode in ("force_custom_plan", "force_generic_plan"):
        found = reads(crowd, pages.page(endpoint, asked), mode)
        assert {t: n for t, n in found.items() if n > bound(EACH)} == {}, mode


def _of(question: pages.Question) -> tuple[bytes, dict[str, Any]]:
    return question.statement, question.values


def test_a_scan_of_others_rows_would_be_seen(crowd: psycopg.Connection[Any]) -> None:
    """The measure itself: a function that looks through a table is found out, whoever owns it."""
    with crowd.transaction(force_rollback=True):
        found = read_by(crowd, lambda: crowd.execute("select count(*) from v2.fub_events where message ilike '%a%'"))
        assert found["v2.fub_events"] > bound(EACH)
        crowd.execute(
            "create function ops.scans() returns bigint language plpgsql as"
            " $$ begin return (select count(*) from v2.fub_calls where note ilike '%a%'); end $$"
        )
        assert read_by(crowd, lambda: crowd.execute("select ops.scans()"))["v2.fub_calls"] > bound(EACH)


def test_an_event_is_its_contacts_users_whoever_writes_either(crowd: psycopg.Connection[Any]) -> None:
    with crowd.transaction(force_rollback=True):
        contact, event = (CALLER - 1) * EACH + 1, "select user_id from v2.fub_events where id = %s"
        (number,) = crowd.execute(
            "insert into v2.fub_events (fub_account_id, fub_events_id, fub_people_id, user_id, source)"
            " values (1, 99999999, %s, 3, 'crowd') returning id", [contact],
        ).fetchall()[0]  # fmt: skip
        assert crowd.execute(event, [number]).fetchone() == (CALLER,)
        crowd.execute("update v2.fub_people set user_id = 5 where id = %s", [contact])
        assert crowd.execute(event, [number]).fetchone() == (5,)
        crowd.execute("update v2.fub_events set fub_people_id = null where id = %s", [number])
        assert crowd.execute(event, [number]).fetchone() == (None,)
        (wrong,) = crowd.execute(
            "select count(*) from v2.fub_events e left join v2.fub_people p on p.id = e.fub_people_id"
            " where e.user_id is distinct from p.user_id"
        ).fetchall()[0]
        assert wrong == 0
