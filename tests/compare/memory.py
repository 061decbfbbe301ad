"""A way into V1 for tests: rows as Python has them, in pages, with a place where it breaks."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterable, Mapping
from datetime import UTC, datetime
from typing import Any

from resources.apis.xano.raw import RawPage
from resources.errors import NotFound, SourceUnavailable
from resources.reading import Priority


class Memory:
    """V1's tables as lists of rows. `breaks` is how many pages come before the source goes away."""

    def __init__(self, tables: Mapping[str, Iterable[Any]], page: int = 100, breaks: int | None = None) -> None:
        self.tables = {name: list(rows) for name, rows in tables.items()}
        self.page, self.breaks = page, breaks
        self.told = 0

    async def rows(
        self, entity: str, names: tuple[str, ...], position: dict[str, Any] | None, priority: Priority
    ) -> AsyncIterator[RawPage]:
        """See RowSource."""
        if entity not in self.tables:
            raise NotFound(f"no table {entity}")
        rows, done = self.tables[entity], int((position or {}).get("done", 0))
        while True:
            if self.breaks is not None and self.told >= self.breaks:
                raise SourceUnavailable("V1 went away")
            self.told += 1
            page = rows[done : done + self.page]
            done += len(page)
            yield RawPage(page, {"done": done} if done < len(rows) else None, datetime.now(UTC))
            if done >= len(rows):
                return
