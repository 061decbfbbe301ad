"""Sets of users as ranges of partitions: how a run over many users is asked for, and which users a run works for.

A run per user costs about four seconds to start; a run over a range costs that once. Dagster has no tag for an
arbitrary set of keys, so a run covers the range from its first user to its last, and where not everybody between them
is meant, a tag of ours names who is. So scattered users share runs as neighbours do, and a gap costs nothing.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from v2_assets.automation import USERS_TAG

PARTITION_TAG = "dagster/partition"
RANGE_START_TAG = "dagster/asset_partition_range_start"
RANGE_END_TAG = "dagster/asset_partition_range_end"


def places_of(keys: Sequence[str]) -> dict[str, int]:
    """Where each partition stands among all; made once, because looking each one up in the list is quadratic."""
    return {key: place for place, key in enumerate(keys)}


def covering(keys: Sequence[str], wanted: Iterable[str], longest: int) -> list[tuple[str, ...]]:
    """Ranges of neighbours in `keys` (all partitions in their order) that hold every wanted one, in as few as can be.

    Each begins and ends with a wanted key, holds those between, and has at most `longest` keys.
    """
    place_of = places_of(keys)
    ranges: list[list[int]] = []
    for place in sorted({place_of[key] for key in wanted if key in place_of}):
        if ranges and place - ranges[-1][0] < longest:
            ranges[-1][1] = place
        else:
            ranges.append([place, place])
    return [tuple(keys[first : last + 1]) for first, last in ranges]


def tags_for(piece: Sequence[str], wanted: Iterable[str] | None = None) -> dict[str, str]:
    """Run tags that make one run cover these neighbouring partitions, and work for the wanted ones (default: all)."""
    if len(piece) == 1:
        return {PARTITION_TAG: piece[0]}
    tags = {RANGE_START_TAG: piece[0], RANGE_END_TAG: piece[-1]}
    meant = set(piece) if wanted is None else set(wanted)
    if not meant.issuperset(piece):
        tags[USERS_TAG] = ",".join(key for key in piece if key in meant)
    return tags


def keys_of_run(keys: Sequence[str], tags: Mapping[str, str], places: Mapping[str, int] | None = None) -> set[str]:
    """The partitions that a run with these tags works for; ends that no longer exist cover nothing.

    `places`: those of `keys`, for whoever asks about many runs.
    """
    if PARTITION_TAG in tags:
        return {tags[PARTITION_TAG]}
    places = places_of(keys) if places is None else places
    start, end = places.get(tags.get(RANGE_START_TAG, "")), places.get(tags.get(RANGE_END_TAG, ""))
    if start is None or end is None:
        return set()
    covered = keys[start : end + 1]
    return set(covered).intersection(tags[USERS_TAG].split(",")) if USERS_TAG in tags else set(covered)
