"""The words for why V1 and V2 differ, and which of them excuse a difference. Pure data.

A missing row is one that V1 has and V2 lacks, an extra row the reverse, a changed row one that both have with other
values. Every difference gets exactly one reason; what nothing explains is `unknown`, and unknown is red.
"""

from __future__ import annotations

from typing import Literal, get_args

Kind = Literal["missing", "extra", "changed"]

Missing = Literal[
    "never_fetched",  # the source was not read, or not so far
    "pending",  # staged, and not merged yet
    "deferred",  # staged, waits for the parent named
    "rejected",  # staged, breaks the rule named
    "filtered",  # staged, and left out by the rule named
    "duplicate",  # the same record as another row, which is in V2
    "deleted_at_source",  # the source has it no more
    "not_visible_to_key",  # the source has it, but shows it to none of our keys
    "known_difference",  # a reviewed one, by name
    "v1_wrong",  # V1's row contradicts itself: no key, a key twice, a parent that is not there
    "in_flight",  # it moved after V1's rows were taken
    "bug",  # its source told it, and V2 does not hold it
    "unknown",
]
Extra = Literal["newer_at_source", "never_in_v1", "known_difference", "in_flight", "bug", "unknown"]
Changed = Literal["newer_at_source", "v1_wrong", "known_difference", "in_flight", "bug", "unknown"]

KINDS: tuple[str, ...] = get_args(Kind)
REASONS: dict[str, tuple[str, ...]] = {
    "missing": get_args(Missing),
    "extra": get_args(Extra),
    "changed": get_args(Changed),
}
#: What a row of V1 may lack a twin for without anybody having lost it, and what may differ without anybody being wrong.
EXPLAINED: frozenset[str] = frozenset(
    {
        "duplicate",
        "filtered",
        "deleted_at_source",
        "known_difference",
        "v1_wrong",
        "newer_at_source",
        "never_in_v1",
        "in_flight",
    }
)
#: Explained, and still our work: somebody has to do something before the row is in V2.
OPEN: frozenset[str] = frozenset({"never_fetched", "pending", "deferred", "rejected", "not_visible_to_key"})
#: Nothing explains it, or the explanation is a fault of ours.
RED: frozenset[str] = frozenset({"unknown", "bug"})
