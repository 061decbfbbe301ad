"""A tick watches until there is work, and knows work of each kind."""

from __future__ import annotations

from typing import Any

import psycopg
import pytest

from resources.postgres import Database
from sensors import watching
from sensors.onboarding import work_waits
from sensors.watching import watch


def test_a_watch_ends_with_the_first_look_that_finds_something(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(watching, "WATCH_S", 3600.0)
    looks: list[int] = []

    def due(connection: psycopg.Connection[Any]) -> bool:
        looks.append(connection.info.backend_pid)
        return len(looks) == 3

    watch(database, due, 0.01)
    assert len(looks) == 3 and len(set(looks)) == 1, "over one connection"


def test_a_watch_that_finds_nothing_ends_too(database: Database) -> None:
    watch(database, lambda _: False, 0.01)


_USER = """insert into v2."user" (id, email) overriding system value values (901, 'a@example.test')"""
_KEY = (
    "insert into v2.credentials (id, user_id, platform, api_key, state, verified, verified_at) overriding system value"
    " select 801, 901, 'fub', 'x', state, state = 'ok', case state when 'ok' then now() end"
    " from (select %s::text state) given"
)
_JOB = (
    "insert into ops.onboarding_job (user_id, integration, credentials_id, status, ended_at)"
    " select 901, 'fub', 801, status, case when status not in ('New', 'Started') then now() end"
    " from (select %s::text status) given"
)


@pytest.mark.parametrize(
    ("key", "job", "waits"),
    [
        ("new", None, True),
        ("ok", None, True),
        ("ok", "New", True),
        ("ok", "Started", True),
        ("ok", "Complete", False),
        ("paused", "Error", False),
        ("needs_reconnect", "Complete", False),
    ],
)
def test_a_key_without_an_answer_or_a_job_and_an_open_job_are_work(
    database: Database, key: str, job: str | None, waits: bool
) -> None:
    with database.connect() as connection:
        assert not work_waits(connection)
        connection.execute(_USER)
        connection.execute(_KEY, [key])
        if job:
            connection.execute(_JOB, [job])
        assert work_waits(connection) == waits


def test_a_doubted_key_is_work_when_its_turn_has_come(database: Database) -> None:
    with database.connect() as connection:
        connection.execute(_USER)
        connection.execute(_KEY, ["ok"])
        connection.execute(_JOB, ["Complete"])
        connection.execute("insert into ops.credential_probe (credentials_id, next_at) values (801, now() + '1 hour')")
        assert not work_waits(connection)
        connection.execute("update ops.credential_probe set next_at = now()")
        assert work_waits(connection)
