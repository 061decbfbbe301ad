"""Dagster's Postgres storage with connections that are kept.

dagster-postgres opens a new connection for every operation, about nine hundred in a run of thirty steps; on two cores
that was half of a run's time. Here the three storages of a process share one pool. A connection is tested when it is
taken, so a restarted server costs a reconnect and no error. Named in dagster.yaml; nothing else knows it.
"""

from __future__ import annotations

from typing import Any

from dagster._serdes import ConfigurableClassData
from dagster_postgres import DagsterPostgresStorage
from dagster_postgres.utils import create_pg_engine, pg_url_from_config

#: Steady connections of a process, and how many more its threads may open for a moment.
KEPT, MORE = 2, 20
#: Seconds after which a connection is replaced, so that a server's time limit never meets it.
LIFETIME_S = 600


class PooledPostgresStorage(DagsterPostgresStorage):
    """DagsterPostgresStorage over one pool. Configured by `postgres_url`."""

    def __init__(
        self, postgres_url: str, should_autocreate_tables: bool = True, inst_data: ConfigurableClassData | None = None
    ) -> None:
        super().__init__(postgres_url, should_autocreate_tables, inst_data)
        engine = create_pg_engine(
            postgres_url,
            isolation_level="AUTOCOMMIT",
            pool_size=KEPT,
            max_overflow=MORE,
            pool_recycle=LIFETIME_S,
            pool_pre_ping=True,
        )
        # Where each of them keeps its engine is its own matter; there is no argument for it in this release.
        for storage in (self._run_storage, self._event_log_storage, self._schedule_storage):
            storage._engine = engine

    @classmethod
    def from_config_value(cls, inst_data: ConfigurableClassData | None, config_value: Any) -> PooledPostgresStorage:
        """Called by Dagster with what dagster.yaml says."""
        return cls(
            pg_url_from_config(config_value), config_value.get("should_autocreate_tables", True), inst_data=inst_data
        )
