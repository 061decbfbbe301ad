"""What the tables of this domain are merged from, and which tables their selects look up."""

from __future__ import annotations

from v2_assets.merge import Derived, Fact, Unit

WORK: tuple[tuple[Unit | Fact | Derived, ...], ...] = ()
PARENTS: dict[str, tuple[str, ...]] = {}
