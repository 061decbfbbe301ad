"""Which users runs are working on at this moment, as Dagster's own records say."""

from __future__ import annotations

from collections.abc import Sequence

import dagster as dg

from sensors.ranges import keys_of_run, places_of
from v2_assets.automation import KIND_TAG

ACTIVE = [
    dg.DagsterRunStatus.QUEUED,
    dg.DagsterRunStatus.NOT_STARTED,
    dg.DagsterRunStatus.STARTING,
    dg.DagsterRunStatus.STARTED,
]


def busy_keys(
    instance: dg.DagsterInstance, keys: Sequence[str], *, tags: dict[str, str] | None = None, but: str | None = None
) -> set[str]:
    """Partitions that a queued or running run works for (all, or those with these tags; `but` not this kind)."""
    busy: set[str] = set()
    places = places_of(keys)
    for run in instance.get_runs(dg.RunsFilter(statuses=ACTIVE, tags=tags or {})):
        if but is None or run.tags.get(KIND_TAG) != but:
            busy |= keys_of_run(keys, run.tags, places)
    return busy
