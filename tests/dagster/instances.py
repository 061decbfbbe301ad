"""Dagster for tests: an instance in memory that knows the state of schedules and sensors, one on Postgres, a tick."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import dagster as dg
from dagster._core.storage.schedules import SqliteScheduleStorage

from resources.postgres import Database
from v2_assets.dagster_storage import PooledPostgresStorage
from v2_assets.platform_resource import PlatformResource
from v2_assets.run_launcher import ForkingRunLauncher


@contextmanager
def instance_with_switches(folder: Path) -> Iterator[dg.DagsterInstance]:
    """Runs and events in memory; the switches of schedules and sensors in a file of this folder."""
    with dg.DagsterInstance.ephemeral() as instance:
        instance._schedule_storage = SqliteScheduleStorage.from_local(str(folder))
        yield instance


@contextmanager
def instance_on(database: Database, folder: Path) -> Iterator[dg.DagsterInstance]:
    """The platform's own storage and run launcher, in this database."""
    folder.mkdir(exist_ok=True)
    url = database.url.replace("postgresql://", "postgresql+psycopg2://", 1)
    storage = {
        "module": PooledPostgresStorage.__module__,
        "class": PooledPostgresStorage.__name__,
        "config": {"postgres_url": url},
    }
    launcher = {"module": ForkingRunLauncher.__module__, "class": ForkingRunLauncher.__name__}
    overrides = {"storage": {"custom": storage}, "run_launcher": launcher, "telemetry": {"enabled": False}}
    with dg.DagsterInstance.local_temp(str(folder), overrides=overrides) as instance:
        yield instance


def skipped(sensor: dg.SensorDefinition) -> str:
    """What a tick says of a sensor that starts no run."""
    with dg.build_sensor_context(resources={"platform": PlatformResource()}) as context:
        return sensor.evaluate_tick(context).skip_message or ""
