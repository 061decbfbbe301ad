"""A piece of work as a whole: what a V2 asset does for one user, and in which order."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import psycopg

from v2_assets.merge.counts import MergeCounts
from v2_assets.merge.engine import merge
from v2_assets.merge.facts import derive, merge_facts
from v2_assets.merge.recomputed import recompute
from v2_assets.merge.unit import Derived, Fact, Recomputed, Unit


def merge_work(
    connection: psycopg.Connection[Any], work: Sequence[Unit | Fact | Derived], user_id: int, run_id: str
) -> MergeCounts:
    """Facts first, then units, then derived tables, on one connection that must be in autocommit.

    Raises what they raise; what was committed before stays, the rest is still pending.
    """
    total = MergeCounts()
    if facts := tuple(w for w in work if isinstance(w, Fact)):
        total.add(merge_facts(connection, facts, user_id))
    for unit in (w for w in work if isinstance(w, Unit)):
        total.add(merge(connection, unit, user_id, run_id))
    for derived in (w for w in work if isinstance(w, Derived)):
        if isinstance(derived, Recomputed):
            total.add(recompute(connection, derived))
        else:
            total.add(derive(connection, derived, user_id))
    return total
