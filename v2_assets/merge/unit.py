"""What a merge is made of: which staging table, which V2 tables, which select files.

Frozen data without behaviour; the engine reads it. A unit is merged as a whole: a staged record is in its table *and*
in that table's children, or in none of them.
"""

from __future__ import annotations

from dataclasses import dataclass
from importlib import resources

from v2_assets.schema import metadata


@dataclass(frozen=True, slots=True)
class _Select:
    """A V2 table and the select file that fills it, in the package of the table's domain."""

    table: str
    package: str
    file: str

    def __post_init__(self) -> None:
        if f"v2.{self.table}" not in metadata.tables:
            raise ValueError(f"no declaration for table v2.{self.table}")

    @property
    def sql(self) -> str:
        """The select's text."""
        return (resources.files(self.package) / self.file).read_text(encoding="utf-8")


@dataclass(frozen=True, slots=True)
class History(_Select):
    """A table that keeps what changed: its select sees `merging` (the new) and the live table (the old)."""


@dataclass(frozen=True, slots=True)
class Child(_Select):
    """A set of rows that belongs to each merged record; `parent` is the column that points to it.

    The select may ask for it as `%(parent)s` (and writes any other per-cent sign twice).
    """

    parent: str


@dataclass(frozen=True, slots=True)
class Unit(_Select):
    """One staging stream merged into its primary table, that table's history and its children."""

    stage: str
    history: tuple[History, ...] = ()
    children: tuple[Child, ...] = ()


@dataclass(frozen=True, slots=True)
class Fact(_Select):
    """A record of another grain that staged records mention (an address, an office, a stub agent)."""

    stage: str


@dataclass(frozen=True, slots=True)
class Derived(_Select):
    """A table computed from other V2 tables for one user (`%(user_id)s`)."""


@dataclass(frozen=True, slots=True)
class Recomputed(Derived):
    """A table computed only for the keys that `ops.changed_key` names under `queue`; the select sees them as `changed`.

    `changed` has `owner_id` and `period`, as the triggers noted them. Rows of a changed key that the select does not
    return are removed; `owner` and `period` are the columns that hold the key, and without `owner` nothing is removed.
    """

    queue: str
    owner: str | None = None
    period: str | None = None
