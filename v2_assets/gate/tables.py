"""What a table rests on: the streams of the sources that fill it, and the tables that a computed one comes from.

Read from the same units and parents that make the asset graph; nothing is listed here a second time.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import cache

from v2_assets.merge import Fact, Unit
from v2_assets.order import ALL_WORK, DOMAINS
from v2_assets.schema import STREAMS, metadata

#: V1 itself, and files: neither tells how fresh a table is.
_NO_LIVING_SOURCE = ("xano", "csv")


@cache
def streams_of(table: str) -> frozenset[tuple[str, str]]:
    """(integration, entity) of the living streams whose records fill the table, or those that it is computed from."""
    stages = {unit.stage for unit in ALL_WORK if isinstance(unit, Unit | Fact) and table in _filled(unit)}
    found = {(s.integration, s.entity) for s in STREAMS if s.table in stages and s.integration not in _NO_LIVING_SOURCE}
    if not found and metadata.tables[f"v2.{table}"].info["derived"]:
        found = {stream for parent in _inputs(table) for stream in streams_of(parent)}
    return frozenset(found)


def judged_by(table: str, status: Mapping[str, str]) -> frozenset[str]:
    """The tables whose comparison speaks for this one; `status` is what the newest comparison says of each.

    A table that V1 has too speaks for itself. For a computed one that V1 lacks, its inputs do; any other that V1 lacks
    has nothing to be compared with. A table that no comparison names speaks for itself, and so is not ready.
    """
    computed = metadata.tables[f"v2.{table}"].info["derived"]
    if status.get(table, "not_in_v1" if computed else "unknown") != "not_in_v1":
        return frozenset({table})
    return (
        frozenset(name for parent in _inputs(table) for name in judged_by(parent, status)) if computed else frozenset()
    )


def _filled(unit: Unit | Fact) -> tuple[str, ...]:
    parts = (*unit.history, *unit.children) if isinstance(unit, Unit) else ()
    return (unit.table, *(part.table for part in parts))


def _inputs(table: str) -> Iterator[str]:
    for domain in DOMAINS:
        yield from (parent for parent in domain.PARENTS.get(table, ()) if parent != table)
