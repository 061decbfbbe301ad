"""Per-user recording: every finished user is a materialization, a failed one is named in the step's error.

A run may cover one user or a range of hundreds. When all went well Dagster records each partition itself and we add
the numbers; when some failed, the finished ones are recorded one by one before the step fails, so that nobody's good
work is lost because of somebody else's key.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

import dagster as dg

from resources.errors import V2Error
from v2_assets.automation import USERS_TAG
from v2_assets.partitions import partition_key, user_ids

Metadata = Mapping[str, Any]


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
        """The step's outputs. Raises dagster.Failure naming the failed users, after recording the finished ones."""
        if self.failed:
            for user_id, by_key in self.done.items():
                for key, metadata in by_key.items():
                    self.context.log_event(
                        dg.AssetMaterialization(key, partition=partition_key(user_id), metadata=dict(metadata))
                    )
            raise self._failure()
        for user_id, by_key in self.done.items():
            for key, metadata in by_key.items():
                self.context.add_asset_metadata(dict(metadata), asset_key=key, partition_key=partition_key(user_id))
        for key in self.keys:
            yield dg.MaterializeResult(asset_key=key)

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
            allow_retries=any(error.retryable for error in self.failed.values()),
        )


def users_of(context: dg.AssetExecutionContext) -> list[int]:
    """The users whom this run works for: its partitions, or those of its range that it names."""
    keys = list(context.partition_keys)
    if (named := context.run.tags.get(USERS_TAG)) is not None:
        meant = set(named.split(","))
        keys = [key for key in keys if key in meant]
    return user_ids(keys)
