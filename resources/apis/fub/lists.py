"""Passes over one Follow Up Boss collection: whole, or what changed, without trusting what the server does not prove.

Whole lists go by `next` token, which under the default order (id descending) is a keyset. Where a list gives no token
they go by offset, below the documented wall. A time filter is believed only as far as its answers show that it works.
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

from resources.apis.fub import endpoints as api
from resources.apis.fub.calls import SOURCE, FubCalls, Params, metadata, record, token_of, total_of
from resources.apis.fub.place import Place
from resources.apis.paging import Progress
from resources.apis.records import iso_instant
from resources.errors import BadRequest
from resources.reading import Page, Priority, ReadRequest

#: Stamps have whole seconds, so a bound may be met a second early.
_GRAIN = timedelta(seconds=1)
_LONG_AGO = "1990-01-01T00:00:00Z"


class FubLists:
    """Passes over collections with one key."""

    def __init__(self, calls: FubCalls) -> None:
        self._calls = calls
        self._proven: dict[tuple[str, str], bool] = {}

    async def read(self, entity: str, request: ReadRequest) -> AsyncIterator[Page]:
        """Pages of a pass. Position: a Place, and the "way" it is on (a filter's name, or "whole")."""
        listed = api.LISTS[entity]
        way = (request.position or {}).get("way")
        if request.since and listed.filters and way != "whole":
            async for page in self._changed(entity, listed, request):
                yield page
        else:
            async for page in self.walk(entity, listed, listed.params, request, way="whole"):
                yield page

    # --- what changed -----------------------------------------------------------------------------------------------

    async def _changed(self, entity: str, listed: api.ListEndpoint, request: ReadRequest) -> AsyncIterator[Page]:
        """By the first filter that works; else newest first; else everything."""
        way = (request.position or {}).get("way")
        names = list(listed.filters)
        for name in names[names.index(way) :] if way in names else names:
            works = self._proven.get((entity, name), True)
            params = [*listed.params, (name, _written(request.since))]
            walk = self.walk(entity, listed, params, request if way == name else _from_the_start(request), way=name)
            async for page in walk:
                works = works and await self._believable(entity, listed, name, page, request)
                if not works:
                    break
                yield page
            else:
                return
            self._proven[entity, name] = False
        async for page in self._newest_first(entity, listed, request):
            yield page

    async def _believable(
        self, entity: str, listed: api.ListEndpoint, name: str, page: Page, request: ReadRequest
    ) -> bool:
        """Whether a page shows that the filter was applied: nothing older than asked, and not empty for no reason."""
        if self._proven.get((entity, name)):
            return True
        since = request.since or datetime.min.replace(tzinfo=UTC)
        stamps = [iso_instant(r.payload.get(api.STAMP_OF[name])) for r in page.records]
        if any(stamp is not None and stamp < since - _GRAIN for stamp in stamps):
            return False
        if stamps and None not in stamps:
            return True
        return await self.honours(entity, listed, name, request.priority)

    async def honours(self, entity: str, listed: api.ListEndpoint, name: str, priority: Priority) -> bool:
        """The probe, once per client: a date in the future must leave nothing, one long ago must leave something.

        An ignored filter gives everything for the first; a broken one gives nothing for the second.
        """
        known = self._proven.get((entity, name))
        if known is not None:
            return known
        far = _written(datetime.now(UTC) + timedelta(days=3650))
        works = (
            await self._calls.total(listed, [*listed.params, (name, far)], priority=priority) == 0
            and (
                await self._calls.total(listed, [*listed.params, (name, _LONG_AGO)], priority=priority) > 0
                or await self._calls.total(listed, listed.params, priority=priority) == 0
            )
        )  # fmt: skip
        self._proven[entity, name] = works
        return works

    async def _newest_first(self, entity: str, listed: api.ListEndpoint, request: ReadRequest) -> AsyncIterator[Page]:
        """Newest changes first, until a whole page is older than wanted; everything, if the order is not kept.

        Under this order a list shifts while it is read, so a dead walk starts again. How many rows a page has is the
        server's matter, so the next one begins behind those that came.
        """
        endpoint, progress, oldest = listed.endpoint, Progress(SOURCE, listed.endpoint.name), None
        offset = 0
        while offset < api.OFFSET_WALL:
            query = [*listed.params, ("sort", "-updated"), ("limit", str(endpoint.page_size)), ("offset", str(offset))]
            rows, answer = await self._calls.rows(endpoint, query, priority=request.priority)
            records = tuple(record(entity, row) for row in rows)
            stamps = [r.source_updated_at for r in records]
            if not _falling(oldest, stamps):
                break
            newest, oldest = (stamps[0], stamps[-1]) if stamps else (None, oldest)
            fresh = progress.page((r.source_id for r in records), None)
            reached = newest is not None and request.since is not None and newest < request.since - _GRAIN
            offset += len(rows)
            ended = reached or not fresh
            yield Page(records, None if ended else {"restart": True}, answer.source_time)
            if ended:
                return
        async for page in self.walk(entity, listed, listed.params, _from_the_start(request), way="whole"):
            yield page

    # --- everything -------------------------------------------------------------------------------------------------

    async def walk(
        self, entity: str, listed: api.ListEndpoint, params: Params, request: ReadRequest, *, way: str
    ) -> AsyncIterator[Page]:
        """All pages for these parameters, from the request's position. The last page says whether counts agree."""
        endpoint, progress = listed.endpoint, Progress(SOURCE, listed.endpoint.name)
        at = Place.of(request.position or {})
        fell_back = False
        while True:
            query = [*params, ("limit", str(endpoint.page_size)), *at.params]
            try:
                rows, answer = await self._calls.rows(endpoint, query, priority=request.priority)
            except BadRequest:
                # A token was refused, or an offset is too deep: on below the last id, if the server can.
                if fell_back or not at.params:
                    raise
                below = await self._below(listed, at, request.priority)
                if below is None and progress.pages:
                    raise  # the next run starts over: its first token will be refused as well
                at, fell_back = below or Place(), True
                continue
            fell_back = False
            records = tuple(record(entity, row) for row in rows)
            token, known = token_of(answer.document), len(progress.ids)
            fresh = progress.page((r.source_id for r in records), token)
            at = at.met_page(records, len(progress.ids) - known, total_of(answer.document))
            if not rows and (token or (at.met == 0 and at.expected > 0)):
                raise progress.broken("answered with an empty page, and says that there is more")
            full = _page_size(answer.document, endpoint.page_size)
            if rows and not fresh and (at.met < at.expected or len(rows) >= full):
                raise progress.broken("gave a page again that it had given before, and has more")
            records = records if fresh else ()
            following: Place | None = None
            if fresh and token:
                following = at.by_token(token)
            elif fresh and at.goes_on(len(rows), full):
                following = await self._without_token(listed, at, len(rows), progress, request.priority)
            if following is None:
                yield Page(records, None, answer.source_time, at.total, complete=at.met >= at.expected)
                return
            at = following
            yield Page(records, {"way": way, **at.as_position()}, answer.source_time, at.total)

    async def _without_token(
        self, listed: api.ListEndpoint, at: Place, rows: int, progress: Progress, priority: Priority
    ) -> Place:
        """Where a list goes on that gives no token: by offset up to the wall, by id beyond it."""
        offset = at.offset + rows
        if offset < api.OFFSET_WALL and not at.by_key:
            return replace(at, offset=offset)
        below = await self._below(listed, at, priority)
        if below is None:
            raise progress.broken("has more than its tokens and offsets reach")
        return below

    async def _below(self, listed: api.ListEndpoint, at: Place, priority: Priority) -> Place | None:
        """By the documented filter by id, if the server applies it to this list (no id is below 1)."""
        if at.last_id is None:
            return None
        left = await self._calls.total(listed, [*listed.params, ("idLessThan", "1")], priority=priority)
        return None if left else at.below_last()


def _from_the_start(request: ReadRequest) -> ReadRequest:
    return ReadRequest(since=request.since, priority=request.priority)


def _written(instant: datetime | None) -> str:
    return (instant or datetime.min.replace(tzinfo=UTC)).astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def _page_size(document: Any, asked: int) -> int:
    """How many rows make a full page: a server that clamps the limit says so."""
    said = metadata(document).get("limit")
    return said if isinstance(said, int) and 0 < said < asked else asked


def _falling(before: datetime | None, stamps: list[datetime | None]) -> bool:
    """Whether the stamps never rise, so that the server did sort."""
    last = before
    for stamp in stamps:
        if stamp is None or (last is not None and stamp > last):
            return False
        last = stamp
    return True
