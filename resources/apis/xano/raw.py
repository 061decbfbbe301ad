"""What the three ways into V1 have in common: rows of a table by pages, and how they become records.

The API (`client`), a folder of files and a copy in Postgres (`copies`) each give rows; from here on they are the same.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any, Protocol

from resources.apis.xano.rows import record_of_row
from resources.apis.xano.tables import TABLES
from resources.reading import Page, Priority, Problem, ReadRequest, Record


@dataclass(frozen=True, slots=True)
class RawPage:
    """Rows as they are stored at the source. `broken` says of some, by their place, why they are no rows."""

    rows: list[Any]
    position: dict[str, Any] | None
    source_time: datetime
    total: int | None = None
    complete: bool = True
    broken: Mapping[int, str] = field(default_factory=dict)


class RowSource(Protocol):
    """A way into V1."""

    def rows(
        self, entity: str, names: tuple[str, ...], position: dict[str, Any] | None, priority: Priority
    ) -> AsyncIterator[RawPage]:
        """Pages of the table that has one of these plain names. Raises NotFound if there is none, or more than one."""
        ...


async def pages_of(source: RowSource, entity: str, request: ReadRequest) -> AsyncIterator[Page]:
    """The rows of one of V1's tables as records, with their listed columns only."""
    async for raw in source.rows(entity, TABLES[entity].names, request.position, request.priority):
        records = tuple(_record(entity, row, raw.broken.get(n)) for n, row in enumerate(raw.rows))
        yield Page(records, raw.position, raw.source_time, total=raw.total, complete=raw.complete)


def _record(entity: str, row: Any, broken: str | None) -> Record:
    record = record_of_row(entity, row)
    return replace(record, problem=Problem("invalid_record", None, broken)) if broken else record
