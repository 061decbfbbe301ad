"""What became of each user of a step, recorded in Dagster: only what happened, and nobody by mistake.

A user who was worked for is a materialization of the user's partition. One who failed is told to Dagster as planned and
not materialized, which shows the partition as failed once the run has ended red. Whoever was not worked for (no
connection, a key that was refused before, somebody else at work) leaves no trace: nothing happened.
"""

from __future__ import annotations

import logging
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

import dagster as dg
from dagster._core.definitions.source_asset import SYSTEM_METADATA_KEY_SOURCE_ASSET_OBSERVATION
from dagster._core.events import (
    AssetMaterializationPlannedData,
    DagsterEvent,
    DagsterEventBatchMetadata,
    generate_event_batch_id,
)

from resources.errors import V2Error
from v2_assets.automation import USERS_TAG
from v2_assets.executor import fail_at_the_end
from v2_assets.partitions import partition_key, user_ids

Metadata = Mapping[str, Any]
#: Dagster's own word for an output whose events were reported already; without it, every partition of the run's range
#: would be materialized with the output.
_REPORTED = {SYSTEM_METADATA_KEY_SOURCE_ASSET_OBSERVATION: True}


@dataclass(slots=True)
class Recorder:
    """Collects what each user's work came to, for one or several assets of a step."""

    context: dg.AssetExecutionContext
    keys: tuple[dg.AssetKey, ...]
    done: dict[int, dict[dg.AssetKey, Metadata]] = field(default_factory=dict)
    failed: dict[int, V2Error] = field(default_factory=dict)

    def finished(self, user_id: int, metadata: Mapping[dg.AssetKey, Metadata]) -> None:
        """This user is done; the metadata of each asset goes to the user's partition."""
        self.done[user_id] = dict(metadata)

    def failure(self, user_id: int, error: V2Error) -> None:
        """This user failed; the others go on."""
        self.failed[user_id] = error

    def results(self) -> Iterator[dg.MaterializeResult]:
        """The step's outputs, after everything is recorded; the step itself fails at the run's end if a user did."""
        self._record()
        for key in self.keys:
            yield dg.MaterializeResult(asset_key=key, metadata=_REPORTED)
        if self.failed:
            step = self.context.get_step_execution_context().step.key
            fail_at_the_end(self.context.run.run_id, step, self._failure())

    def _record(self) -> None:
        """The events of one step are one insert."""
        step, batch = self.context.get_step_execution_context(), generate_event_batch_id()
        happened = [
            dg.AssetMaterialization(key, partition=partition_key(user_id), metadata=dict(metadata))
            for user_id, by_key in self.done.items()
            for key, metadata in by_key.items()
        ]
        for number, each in enumerate(happened, 1):
            DagsterEvent.asset_materialization(step, each, DagsterEventBatchMetadata(batch, number == len(happened)))
        report_failed(self.context.instance, self.context.run, step.step.key, self.keys, self.failed)

    def _failure(self) -> dg.Failure:
        lines = [f"user {user_id}: [{error.code}] {error}" for user_id, error in sorted(self.failed.items())]
        return dg.Failure(
            description=f"{len(self.failed)} of {len(self.failed) + len(self.done)} users failed; the others are done"
            " and recorded. " + " | ".join(lines[:20]),
            metadata={
                "failed_users": dg.MetadataValue.json(
                    {str(user_id): error.as_dict() for user_id, error in self.failed.items()}
                ),
                "users_done": len(self.done),
                "what_to_do": "`v2 status` shows each user's streams; the next run goes on from what is stored",
            },
            allow_retries=False,
        )


def report_failed(
    instance: dg.DagsterInstance,
    run: dg.DagsterRun,
    step_key: str,
    keys: tuple[dg.AssetKey, ...],
    users: Mapping[int, object],
) -> None:
    """Says that these users' partitions were to be materialized by a run: with its failure they count as failed.

    Dagster derives the status of a partition from planned and real materializations and the run's end. The planned
    events of whole ranges (`DAGSTER_EMIT_PARTITION_SUBSET_IN_PLANNED_EVENTS`) are left out of that, so they tell of
    nobody; one event for each who failed costs next to nothing.
    """
    for user_id in users:
        for key in keys:
            planned = AssetMaterializationPlannedData(key, partition=partition_key(user_id))
            event = DagsterEvent.build_asset_materialization_planned_event(run.job_name, step_key, planned)
            instance.report_dagster_event(event, run.run_id, logging.DEBUG)


def users_of(context: dg.AssetExecutionContext) -> list[int]:
    """The users whom this run works for: its partitions, or those of its range that it names."""
    keys = list(context.partition_keys)
    if (named := context.run.tags.get(USERS_TAG)) is not None:
        meant = set(named.split(","))
        keys = [key for key in keys if key in meant]
    return user_ids(keys)
