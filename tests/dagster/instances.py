"""Dagster for tests: an instance in memory that knows the state of schedules and sensors, and a tick by hand."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import dagster as dg
from dagster._core.storage.schedules import SqliteScheduleStorage

from v2_assets.platform_resource import PlatformResource


@contextmanager
def instance_with_switches(folder: Path) -> Iterator[dg.DagsterInstance]:
    """Runs and events in memory; the switches of schedules and sensors in a file of this folder."""
    with dg.DagsterInstance.ephemeral() as instance:
        instance._schedule_storage = SqliteScheduleStorage.from_local(str(folder))
        yield instance


def skipped(sensor: dg.SensorDefinition) -> str:
    """What a tick says of a sensor that starts no run."""
    with dg.build_sensor_context(resources={"platform": PlatformResource()}) as context:
        return sensor.evaluate_tick(context).skip_message or ""
