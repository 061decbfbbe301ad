"""Dagster's storage over kept connections: what it asks once, what it asks again, and a server that lets go of them."""

import time
from collections.abc import Iterator

import pytest
from sqlalchemy import event

from resources.postgres import Database
from v2_assets.dagster_storage import FRESH_S, EventLogStorage, PooledPostgresStorage

NAME = "users"


@pytest.fixture
def storage(dagster: Database) -> Iterator[EventLogStorage]:
    made = PooledPostgresStorage(dagster.url.replace("postgresql://", "postgresql+psycopg2://"))
    assert isinstance(made.event_log_storage, EventLogStorage)
    made.event_log_storage.add_dynamic_partitions(NAME, ["00001"])
    yield made.event_log_storage
    made.event_log_storage._engine.dispose()


def test_a_partition_that_was_just_added_is_seen_at_once(storage: EventLogStorage) -> None:
    assert storage.get_dynamic_partitions(NAME) == ["00001"]
    storage.add_dynamic_partitions(NAME, ["00002"])
    assert storage.has_dynamic_partition(NAME, "00002")
    assert storage.get_existing_dynamic_partitions(NAME, ["00002", "00003"]) == {"00002"}


def test_a_run_holds_the_partitions_that_it_began_with_and_asks_for_them_once(storage: EventLogStorage) -> None:
    storage.hold_partitions()
    asked: list[str] = []
    event.listen(storage._engine, "before_cursor_execute", lambda c, cursor, statement, *rest: asked.append(statement))
    for _ in range(3):
        assert storage.get_dynamic_partitions(NAME) == ["00001"]
        assert storage.has_dynamic_partition(NAME, "00001") and not storage.has_dynamic_partition(NAME, "00002")
        assert storage.get_existing_dynamic_partitions(NAME, ["00001", "00002"]) == {"00001"}
    assert len(asked) == 1


def test_a_table_that_is_not_there_yet_is_looked_for_again(storage: EventLogStorage, dagster: Database) -> None:
    assert not storage.has_table("later")
    with dagster.connect(autocommit=True) as connection:
        connection.execute("create table later ()")
    assert storage.has_table("later")


def test_connections_that_the_server_has_ended_are_opened_again_without_an_error(
    storage: EventLogStorage, dagster: Database
) -> None:
    assert storage.get_dynamic_partitions(NAME) == ["00001"]
    with dagster.connect(autocommit=True) as connection:
        connection.execute(
            "select pg_terminate_backend(pid) from pg_stat_activity"
            " where datname = current_database() and pid <> pg_backend_pid()"
        )
    time.sleep(FRESH_S + 0.1)
    assert storage.get_dynamic_partitions(NAME) == ["00001"]
