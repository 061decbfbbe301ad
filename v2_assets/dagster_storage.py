"""Dagster's Postgres storage with connections that are kept, and answers that are kept where they cannot change.

dagster-postgres opens a new connection for every operation, about nine hundred in a run of thirty steps; on two cores
that was half of a run's time. Here the three storages of a process share one pool. A connection that was idle is tested
when it is taken, so a restarted server costs a reconnect and no error. Half of the operations that then remained asked
in every step whether Dagster's own tables exist, and which partitions there are, or told listeners that are no more:
the first is asked once, the second once in a run, the third left out. Named in dagster.yaml; the run launcher knows it.
"""

from __future__ import annotations

import os
import time
from collections.abc import Sequence
from collections.abc import Set as AbstractSet
from functools import cache
from typing import Any

from dagster import DagsterInstance
from dagster._core.events import ASSET_CHECK_EVENTS, ASSET_EVENTS
from dagster._core.events.log import EventLogEntry
from dagster._core.storage.event_log.schema import SqlEventLogStorageTable
from dagster._serdes import ConfigurableClassData
from dagster_postgres import DagsterPostgresStorage, PostgresEventLogStorage
from dagster_postgres.utils import create_pg_engine, pg_url_from_config
from sqlalchemy import Engine, event, exc

from resources.errors import ConfigError
from resources.postgres import Database

#: Steady connections of a process, and how many more its threads may open for a moment.
KEPT, MORE = 2, 20
#: Seconds after which a connection is replaced, so that a server's time limit never meets it.
LIFETIME_S = 600
#: A connection that was used so short a time ago is taken as it is.
FRESH_S = 0.5
#: A commit of Dagster's own does not wait for the disk, which was another third of a run's time. A server that crashes
#: may lose the last half second of it: runs whose last word is missing are seen by run monitoring, and sensors ask
#: again. V2's own commits wait.
UNSYNCED = "set synchronous_commit = off"


class EventLogStorage(PostgresEventLogStorage):
    """PostgresEventLogStorage that asks once whether a table exists, and once for partitions when they are held."""

    def __init__(self, postgres_url: str) -> None:
        super().__init__(postgres_url, should_autocreate_tables=False)
        self._tables: set[str] = set()
        self._held: dict[str, list[str]] | None = None

    def hold_partitions(self) -> None:
        """From now on the partitions are those of their first reading: for a process that lives for one run."""
        self._held = {}

    def store_event(self, event: EventLogEntry) -> None:
        """As dagster-postgres does, without the NOTIFY that nobody listens to any more: half of what storing takes."""
        statement = self.prepare_insert_event(event).returning(SqlEventLogStorageTable.c.id)
        with self._connect() as connection:
            number = int(connection.execute(statement).scalar_one())
        told = event.dagster_event
        if told and told.event_type in ASSET_EVENTS and told.asset_key:
            with self.index_transaction() as connection:
                self._store_asset_event_tags(connection, [event], [number])
                self._store_asset_event(connection, event, number)
        if told and told.event_type in ASSET_CHECK_EVENTS:
            self.store_asset_check_event(event, number)

    def has_table(self, table_name: str) -> bool:
        """Tables are created and stay."""
        if table_name not in self._tables and super().has_table(table_name):
            self._tables.add(table_name)
        return table_name in self._tables

    def get_dynamic_partitions(self, partitions_def_name: str) -> Sequence[str]:
        """Every key, in the order of their creation."""
        if self._held is None:
            return super().get_dynamic_partitions(partitions_def_name)
        if partitions_def_name not in self._held:
            self._held[partitions_def_name] = list(super().get_dynamic_partitions(partitions_def_name))
        return self._held[partitions_def_name]

    def has_dynamic_partition(self, partitions_def_name: str, partition_key: str) -> bool:
        """Whether there is this one."""
        if self._held is None:
            return super().has_dynamic_partition(partitions_def_name, partition_key)
        return partition_key in self.get_dynamic_partitions(partitions_def_name)

    def get_existing_dynamic_partitions(
        self, partitions_def_name: str, partition_keys: Sequence[str]
    ) -> AbstractSet[str]:
        """Those of these that there are."""
        if self._held is None:
            return super().get_existing_dynamic_partitions(partitions_def_name, partition_keys)
        return set(self.get_dynamic_partitions(partitions_def_name)) & set(partition_keys)


class PooledPostgresStorage(DagsterPostgresStorage):
    """DagsterPostgresStorage over one pool. Configured by `postgres_url`."""

    def __init__(
        self, postgres_url: str, should_autocreate_tables: bool = True, inst_data: ConfigurableClassData | None = None
    ) -> None:
        super().__init__(postgres_url, should_autocreate_tables, inst_data)
        self._event_log_storage = EventLogStorage(postgres_url)
        # Where each of them keeps its engine is its own matter; there is no argument for it in this release.
        for storage in (self._run_storage, self._event_log_storage, self._schedule_storage):
            storage._engine = _engine(postgres_url)

    @classmethod
    def from_config_value(cls, inst_data: ConfigurableClassData | None, config_value: Any) -> PooledPostgresStorage:
        """Called by Dagster with what dagster.yaml says."""
        return cls(
            pg_url_from_config(config_value), config_value.get("should_autocreate_tables", True), inst_data=inst_data
        )


@cache
def _engine(postgres_url: str) -> Engine:
    """The process's one engine for this database: Dagster makes an instance for many a request, and closes none."""
    engine = create_pg_engine(
        postgres_url,
        isolation_level="AUTOCOMMIT",
        pool_size=KEPT,
        max_overflow=MORE,
        pool_recycle=LIFETIME_S,
        connect_args={"application_name": "v2 dagster"},
    )
    # Said to each session and not in its options, which a pooler in between refuses.
    event.listen(engine, "connect", _unsynced)
    _test_when_idle(engine)
    # The connections of a process are not its children's: two would speak on one line.
    os.register_at_fork(after_in_child=lambda: engine.dispose(close=False))
    return engine


def _unsynced(connection: Any, record: Any) -> None:
    with connection.cursor() as cursor:
        cursor.execute(UNSYNCED)


def database_of(instance: DagsterInstance) -> Database:
    """Where Dagster's own tables are. Raises ConfigError when its storage is not this module's."""
    storage = instance.event_log_storage
    if not isinstance(storage, EventLogStorage):
        raise ConfigError(
            "Dagster's storage is not the one of dagster.yaml.", hint="set DAGSTER_HOME to the folder that `v2 up` made"
        )
    return Database(
        storage.postgres_url.replace("postgresql+psycopg2://", "postgresql://", 1), application_name="v2 run"
    )


def _test_when_idle(engine: Engine) -> None:
    """SQLAlchemy's own test (`pool_pre_ping`) doubles the operations of a step, most of which follow at once."""

    @event.listens_for(engine, "checkin")
    def note(connection: Any, record: Any) -> None:
        record.info["used_at"] = time.monotonic()

    @event.listens_for(engine, "checkout")
    def test(connection: Any, record: Any, proxy: Any) -> None:
        if time.monotonic() - record.info.get("used_at", time.monotonic()) < FRESH_S:
            return
        try:
            engine.dialect.do_ping(connection)
        except engine.dialect.loaded_dbapi.Error as error:
            # The pool takes this as the word for a lost connection, and opens another one.
            raise exc.DisconnectionError from error
