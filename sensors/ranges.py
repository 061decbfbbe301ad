"""Users as contiguous ranges of partitions: how a run over many users is asked for, and which users a run covers.

A run per user costs about four seconds to start; a run over a range costs that once. Dagster has no tag for an
arbitrary set of keys, so a set becomes as few contiguous ranges as it has gaps.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

PARTITION_TAG = "dagster/partition"
RANGE_START_TAG = "dagster/asset_partition_range_start"
RANGE_END_TAG = "dagster/asset_partition_range_end"


def contiguous(keys: Sequence[str], wanted: Iterable[str], longest: int) -> list[tuple[str, ...]]:
    """The wanted keys as runs of neighbours in `keys` (all partitions in their order), none over `longest` keys."""
    want = set(wanted)
    ranges: list[list[str]] = []
    previous_taken = False
    for key in keys:
        if key in want:
            if previous_taken and len(ranges[-1]) < longest:
                ranges[-1].append(key)
            else:
                ranges.append([key])
        previous_taken = key in want
    return [tuple(r) for r in ranges]


def covering(keys: Sequence[str], wanted: Iterable[str], longest: int) -> list[tuple[str, ...]]:
    """Ranges from the first wanted key to the last, gaps included, cut at `longest` keys; empty ones are left out.

    For work that costs nothing for those who need none (a sweep), one run over a gap beats two runs.
    """
    want = set(wanted)
    places = [i for i, key in enumerate(keys) if key in want]
    if not places:
        return []
    span = keys[places[0] : places[-1] + 1]
    pieces = [tuple(span[i : i + longest]) for i in range(0, len(span), longest)]
    return [piece for piece in pieces if want.intersection(piece)]


def tags_for(keys: Sequence[str]) -> dict[str, str]:
    """Run tags that make one run cover these neighbouring partitions."""
    if len(keys) == 1:
        return {PARTITION_TAG: keys[0]}
    return {RANGE_START_TAG: keys[0], RANGE_END_TAG: keys[-1]}


def keys_of_run(keys: Sequence[str], tags: Mapping[str, str]) -> set[str]:
    """The partitions that a run with these tags covers; ends that no longer exist cover nothing."""
    if PARTITION_TAG in tags:
        return {tags[PARTITION_TAG]}
    start, end = tags.get(RANGE_START_TAG), tags.get(RANGE_END_TAG)
    if start in keys and end in keys:
        return set(keys[keys.index(start) : keys.index(end) + 1])
    return set()
