"""An instance of Dagster that lives in memory and yet knows the state of schedules and sensors."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import dagster as dg
from dagster._core.storage.schedules import SqliteScheduleStorage


@contextmanager
def instance_with_switches(folder: Path) -> Iterator[dg.DagsterInstance]:
    """Runs and events in memory; the switches of schedules and sensors in a file of this folder."""
    with dg.DagsterInstance.ephemeral() as instance:
        instance._schedule_storage = SqliteScheduleStorage.from_local(str(folder))
        yield instance
