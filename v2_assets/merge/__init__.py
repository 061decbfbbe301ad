"""Merging staged records into V2: one transaction per table and user, and a ledger that must add up.

What a table's records mean is said in its `.sql` file (a select); what happens to every row of that select is said
here, once, for all tables. No Dagster in this package.
"""

from v2_assets.merge.counts import MergeCounts, TableCounts
from v2_assets.merge.engine import merge
from v2_assets.merge.facts import derive, merge_facts
from v2_assets.merge.recomputed import recompute
from v2_assets.merge.unit import Child, Derived, Fact, History, Recomputed, Unit
from v2_assets.merge.work import merge_work

__all__ = [
    "Child",
    "Derived",
    "Fact",
    "History",
    "MergeCounts",
    "Recomputed",
    "TableCounts",
    "Unit",
    "derive",
    "merge",
    "merge_facts",
    "merge_work",
    "recompute",
]
