"""Where a walk over a Follow Up Boss list is, and what it has met so far: what is stored as its position."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from typing import Any

from resources.reading import Record


@dataclass(frozen=True, slots=True)
class Place:
    """A point in a list. Either nothing, a token, an offset, or an upper bound of ids (with a token below it).

    `met` counts records of the whole pass, `total` is the source's count at its beginning. Under an upper bound the
    source counts only what is below it, so `base` keeps how many had been met when the bound was set.
    """

    next: str | None = None
    offset: int = 0
    id_less_than: int | None = None
    last_id: int | None = None
    met: int = 0
    base: int = 0
    total: int | None = None
    said: int | None = None

    @classmethod
    def of(cls, position: Mapping[str, Any]) -> Place:
        """From a stored position; what this version does not know in it is left out."""
        return cls(**{name: position[name] for name in cls.__dataclass_fields__ if position.get(name) is not None})

    def as_position(self) -> dict[str, Any]:
        """For the cursor."""
        return {name: value for name, value in asdict(self).items() if value}

    @property
    def params(self) -> list[tuple[str, str]]:
        """What the next request adds to the list's own parameters."""
        pairs = (("idLessThan", self.id_less_than), ("next", self.next), ("offset", self.offset or None))
        return [(name, str(value)) for name, value in pairs if value is not None]

    @property
    def by_key(self) -> bool:
        """Whether the last page was asked for by token or id, so that an offset means nothing."""
        return self.next is not None or self.id_less_than is not None

    @property
    def expected(self) -> int:
        """How many there are by the source's own counts. They move while a list is read: the smaller one holds."""
        return min((count for count in (self.total, self.said) if count is not None), default=0)

    def met_page(self, records: Sequence[Record], fresh: int, total: int | None) -> Place:
        """After a page: `fresh` of its records were new, and the source counted `total` for this request.

        A count below what was met already contradicts itself (samples show totals of 0 above rows, and below them):
        it is not believed, and what was counted before holds.
        """
        ids = [int(r.source_id) for r in records if r.source_id.isdecimal()]
        met = self.met + fresh
        said = self.said if total is None or self.base + total < met else self.base + total
        return replace(
            self,
            met=met,
            last_id=min(ids, default=self.last_id),
            said=said,
            total=said if self.total is None else self.total,
        )

    def goes_on(self, rows: int, page_size: int) -> bool:
        """Whether there is more behind a page without a token: by the count; where that says nothing, it is asked for.

        A short page proves nothing, for the server's largest page is not known. A list that gave tokens so far says by
        their absence that it ends, unless the page is full and the count higher.
        """
        if not self.said:
            return not self.by_key
        return self.met < self.said and (rows >= page_size or not self.by_key)

    def by_token(self, token: str) -> Place:
        """A page on."""
        return replace(self, next=token, offset=0)

    def below_last(self) -> Place:
        """Below the last id that was met."""
        return replace(self, next=None, offset=0, id_less_than=self.last_id, base=self.met)
