"""What the clients of all sources share: finding the list in an answer, knowing when it ends, calls side by side.

Turning a row of such a list into a record is in `records`.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any, TypeVar

from resources.errors import (
    BadRequest,
    Forbidden,
    NotFound,
    NotUnderstood,
    PagingBroken,
    SourceError,
    SourceUnavailable,
)
from resources.http.endpoint import Endpoint
from resources.reading import Record

T = TypeVar("T")
R = TypeVar("R")

#: A list that is longer than this many pages is reported, never silently cut.
MOST_PAGES = 20_000
#: What may be wrong with one record while its neighbours are answered: it is not there, not for this key, or the source
#: stumbles over it. A refused key and a limit concern everybody.
_OF_ONE = (NotFound, Forbidden, BadRequest, NotUnderstood, SourceUnavailable)
#: The share of records asked for together over which a source may stumble; more is the source's own trouble.
_MAY_STUMBLE = 0.1


def find_list(document: Any, endpoint: Endpoint, source: str, named: str | None = None) -> list[Any]:
    """The records of an answer, under any of the endpoint's known keys (in any case). Raises NotUnderstood for none.

    `named` is what the answer itself calls its list. An empty list is a list; an absent one is an error, so that a
    renamed key can never look like "nothing there".
    """
    if isinstance(document, list) and endpoint.root_list:
        return document
    if isinstance(document, dict):
        by_name = {key.lower(): value for key, value in document.items()}
        lists = [by_name.get(key.lower()) for key in (*([named] if named else []), *endpoint.lists)]
        found = [value for value in lists if isinstance(value, list)]
        if found:
            # A source that renames its list may leave the old one behind, empty.
            return next(filter(None, found), found[0])
    shape = sorted(document)[:12] if isinstance(document, dict) else type(document).__name__
    raise NotUnderstood(
        f"{source} {endpoint.name} answered without any list this program knows ({', '.join(endpoint.lists)})",
        hint="nothing was changed; look whether the source renamed the list, and add the new name to its endpoint",
        context={"source": source, "endpoint": endpoint.name, "found": shape},
    )


@dataclass(slots=True)
class Progress:
    """Notices a list that does not end: a position seen before, a page without a new id, too many pages."""

    source: str
    endpoint: str
    positions: set[str] = field(default_factory=set)
    ids: set[str] = field(default_factory=set)
    pages: int = 0

    def page(self, ids: Iterable[str], position: str | None) -> bool:
        """Counts a page. False when it had no new id (the list has ended). Raises PagingBroken for a loop or a cap."""
        self.pages += 1
        fresh = set(ids) - self.ids
        self.ids |= fresh
        if position is not None and position in self.positions:
            raise self.broken("gave a page token that it had given before")
        if position is not None:
            self.positions.add(position)
        if self.pages > MOST_PAGES:
            raise self.broken(f"has more than {MOST_PAGES} pages")
        return bool(fresh)

    def broken(self, what: str) -> PagingBroken:
        """The error for a list that cannot be followed to its end."""
        return PagingBroken(
            f"{self.source} {self.endpoint} {what}",
            hint="the pass is not complete, so nothing is deleted; what was read is stored",
            context={"source": self.source, "endpoint": self.endpoint, "pages": self.pages},
        )


async def side_by_side(work: Callable[[T], Awaitable[R]], items: Sequence[T], at_once: int) -> list[R]:
    """Results in the order of the items. The first failure stops the others and is raised as it is."""
    slots = asyncio.Semaphore(at_once)

    async def one(item: T) -> R:
        async with slots:
            return await work(item)

    tasks = [asyncio.ensure_future(one(item)) for item in items]
    try:
        return list(await asyncio.gather(*tasks))
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


async def each_alone(work: Callable[[T], Awaitable[R]], items: Sequence[T], at_once: int) -> list[R | SourceError]:
    """What each of these records came to: its answer, or the error that is about it alone.

    A record that is not there or not for this key says nothing about the others. Neither does one that the source
    cannot give, as long as others are answered and such are few; otherwise the first of these errors is raised.
    """

    async def one(item: T) -> R | SourceError:
        try:
            return await work(item)
        except _OF_ONE as error:
            return error

    found = await side_by_side(one, items, at_once)
    errors = [each for each in found if isinstance(each, SourceError)]
    stumbled = [each for each in errors if not isinstance(each, NotFound | Forbidden)]
    if stumbled and (len(errors) == len(items) or len(stumbled) > max(1, len(items) * _MAY_STUMBLE)):
        raise stumbled[0]
    return found


async def read_alone(
    read: Callable[[str], Awaitable[Record | None]], ids: Sequence[str], at_once: int
) -> dict[str, Record | None]:
    """Records by id, one call each; one that is refused, or that the source cannot give, is left out (`each_alone`)."""
    found = await each_alone(read, ids, at_once)
    return {i: each for i, each in zip(ids, found, strict=True) if not isinstance(each, SourceError)}
