"""How many rows met which fate: the numbers of the ledger and of every materialization."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, ClassVar

from resources.errors import LedgerBroken


@dataclass(slots=True)
class TableCounts:
    """Rows of one V2 table that a merge inserted, changed, left untouched or marked deleted; staged rows it freed."""

    inserted: int = 0
    updated: int = 0
    unchanged: int = 0
    removed: int = 0
    released: int = 0

    @property
    def written(self) -> int:
        """Rows that were really written."""
        return self.inserted + self.updated + self.removed

    def add(self, other: TableCounts) -> None:
        """Adds another merge's counts to these."""
        self.inserted += other.inserted
        self.updated += other.updated
        self.unchanged += other.unchanged
        self.removed += other.removed
        self.released += other.released


@dataclass(slots=True)
class MergeCounts:
    """Staged rows by fate, what became of the V2 tables of the unit, and keys of computed tables set aside."""

    read: int = 0
    processed: int = 0
    duplicate: int = 0
    rejected: int = 0
    deferred: int = 0
    filtered: int = 0
    parked: int = 0
    tables: dict[str, TableCounts] = field(default_factory=dict)

    FATES: ClassVar[tuple[str, ...]] = ("processed", "duplicate", "rejected", "deferred", "filtered")

    @property
    def released(self) -> int:
        """Staged rows that became pending because a parent of theirs was inserted."""
        return sum(counts.released for counts in self.tables.values())

    def table(self, name: str) -> TableCounts:
        """The counts of one V2 table, created on first use."""
        return self.tables.setdefault(name, TableCounts())

    def add(self, other: MergeCounts) -> None:
        """Adds another merge's counts to these."""
        self.read += other.read
        for fate in self.FATES:
            setattr(self, fate, getattr(self, fate) + getattr(other, fate))
        self.parked += other.parked
        for name, counts in other.tables.items():
            self.table(name).add(counts)

    def must_add_up(self, table: str) -> None:
        """The conservation law for one batch: every row read has exactly one fate. Raises LedgerBroken."""
        told = sum(getattr(self, fate) for fate in self.FATES)
        if told != self.read:
            raise LedgerBroken(
                f"merging into v2.{table} read {self.read} staged rows but accounted for {told}; nothing was written",
                hint=f"the select of {table} must return exactly one row per batch row",
                context={"table": table, "read": self.read, **self.by_fate()},
            )

    def by_fate(self) -> dict[str, int]:
        """Fates and their counts."""
        return {fate: getattr(self, fate) for fate in self.FATES}

    def as_dict(self) -> Mapping[str, Any]:
        """JSON form for ops.merge_run and metadata."""
        return {
            "read": self.read,
            **self.by_fate(),
            "released": self.released,
            "parked": self.parked,
            "tables": {
                name: {
                    "inserted": c.inserted,
                    "updated": c.updated,
                    "unchanged": c.unchanged,
                    "removed": c.removed,
                }
                for name, c in self.tables.items()
            },
        }
