"""The client for V1: whose token it is, and passes over its tables in the order of ids.

Rows are read behind the last id that is stored, never by page number, so rows that come or go while we read are neither
skipped nor met twice, and a dead run goes on where it was. What the instance answers is checked against what was asked:
a filter that was ignored, an order that was not kept or a list that is not there ends the pass with an error.
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import datetime
from typing import Any

from pydantic import SecretStr

from resources.apis.paging import MOST_PAGES
from resources.apis.records import count_of, positive_id, text_id
from resources.apis.xano import endpoints as api
from resources.apis.xano.raw import RawPage, pages_of
from resources.apis.xano.tables import TABLES
from resources.apis.xano.workspace import SOURCE, XanoCalls
from resources.errors import NotUnderstood, PagingBroken, SourceUnavailable
from resources.http.budget import Budget
from resources.http.client import Answer
from resources.http.retry import ATTEMPTS
from resources.reading import Identity, Page, Plan, Priority, ReadRequest

#: Tries with a page size that is not the smallest: waiting long for what a smaller page would give is no use.
_TRIES_OF_A_LARGE_PAGE = 2


class XanoClient:
    """One connection to V1. See resources.reading.SourceClient for the contract; entities are V1's tables.

    `base_url` ends with /api:meta. Limits are calls in `limit_window_s` seconds for the whole instance.
    """

    def __init__(
        self,
        *,
        token: SecretStr,
        workspace_id: str | None,
        base_url: str,
        budget: Budget,
        limit_calls: int = api.CALLS,
        limit_window_s: int = api.WINDOW_S,
        workspace_name: str | None = None,
        least_tables: int = 0,
    ) -> None:
        self._calls = XanoCalls(
            token=token,
            workspace_id=workspace_id,
            base_url=base_url,
            budget=budget,
            limit_calls=limit_calls,
            limit_window_s=limit_window_s,
            workspace_name=workspace_name,
            least_tables=least_tables,
        )
        self._size = 0

    async def __aenter__(self) -> XanoClient:
        return self

    async def __aexit__(self, *exc: object) -> None:
        await self._calls.close()

    async def identity(self) -> Identity:
        """The token's owner and the workspace. Raises Unauthorized, or ConfigError for another workspace."""
        return await self._calls.identity()

    async def honours_since(self, entity: str) -> bool:
        """Never: `updated_at` is there only where somebody added it, and then set only where code sets it."""
        return False

    async def active_keys(self, entity: str, since: datetime, priority: Priority) -> tuple[str, ...] | None:
        """Xano does not tell."""
        return None

    def read(self, entity: str, request: ReadRequest) -> AsyncIterator[Page]:
        """Every row of one table. Position: {"after": the last id, "met": rows so far, "total": rows at the start}."""
        return pages_of(self, entity, request)

    async def rows(
        self, entity: str, names: tuple[str, ...], position: dict[str, Any] | None, priority: Priority
    ) -> AsyncIterator[RawPage]:
        """The rows of the table that has one of these names, as they come. Positions are those of `read`."""
        table = await self._calls.table_id(entity, names, priority)
        position = position or {}
        after, met, total = position.get("after"), int(position.get("met") or 0), position.get("total")
        for _ in range(MOST_PAGES):
            answer, rows, document = await self._page(table, entity, after, priority)
            total = count_of(document.get("itemsTotal")) if total is None else total
            met += len(rows)
            if not rows or _was_last(document, len(rows)):
                complete = await self._all_met(table, met, total, priority)
                yield RawPage(rows, None, answer.source_time, total=total, complete=complete)
                return
            after = rows[-1]["id"]
            yield RawPage(rows, {"after": after, "met": met, "total": total}, answer.source_time, total=total)
        raise _broken(entity, f"has more than {MOST_PAGES} pages")

    async def plan(self, entity: str, request: ReadRequest) -> Plan:
        """The rows to come, and the columns that are there and not read."""
        table = await self._calls.table_id(entity, TABLES[entity].names, request.priority)
        total = await self._count(table, request.priority)
        place = await self._calls.workspace(request.priority)
        answer = await self._calls.get(api.SCHEMA, request.priority, workspace=place.id, table=table)
        rows = answer.document.get("schema") if isinstance(answer.document, dict) else answer.document
        names = sorted(str(row["name"]) for row in rows or () if isinstance(row, dict) and row.get("name"))
        left_out = [name for name in names if name not in TABLES[entity].columns]
        lines = (
            f"POST table/{table}/content/search  ({total} rows behind one another, {api.PAGE_SIZES[0]} at a time)",
        )
        return Plan((*lines, f"columns left out: {', '.join(left_out) or 'none'}"), total)

    async def count(self, entity: str) -> int | None:
        """itemsTotal of the table now."""
        return await self._count(await self._calls.table_id(entity, TABLES[entity].names, "incremental"), "incremental")

    async def keys(self, entity: str, request: ReadRequest) -> AsyncIterator[tuple[str, ...]]:
        """Every id now; Xano gives whole rows only."""
        async for page in self.read(entity, request):
            yield tuple(record.source_id for record in page.records)

    async def _page(
        self, table: str, entity: str, after: Any, priority: Priority
    ) -> tuple[Answer, list[dict[str, Any]], dict[str, Any]]:
        """The rows behind `after`, in a page as large as the instance can give. Raises what stays wrong."""
        for again in (True, False):
            answer, document = await self._sized(table, after, priority)
            rows = document["items"]
            if rows or not document.get("itemsTotal"):
                _check(entity, rows, after)
                return answer, rows, document
            if not again:  # it counts rows and gives none
                break
        raise NotUnderstood(
            f"{SOURCE} {entity} answered a page without rows and counts {document['itemsTotal']} of them",
            hint="nothing was taken from this answer; the next run goes on from the last stored page",
            retryable=True,
            context={"source": SOURCE, "entity": entity},
        )

    async def _sized(self, table: str, after: Any, priority: Priority) -> tuple[Answer, dict[str, Any]]:
        while True:
            size = api.PAGE_SIZES[self._size]
            smallest = self._size == len(api.PAGE_SIZES) - 1
            body = {
                "page": 1,
                "per_page": size,
                "sort": [{"id": "asc"}],
                # Always the array form: of an object with several keys it is told both that all and that any must hold.
                "search": [] if after is None else [{"id|>": after}],
            }
            try:
                return await self._calls.search(
                    table, body, priority, attempts=ATTEMPTS if smallest else _TRIES_OF_A_LARGE_PAGE
                )
            except SourceUnavailable:
                if smallest:
                    raise
                self._size += 1

    async def _count(self, table: str, priority: Priority) -> int | None:
        body = {"page": 1, "per_page": 1, "sort": [{"id": "asc"}], "search": []}
        _, document = await self._calls.search(table, body, priority)
        return count_of(document.get("itemsTotal"))

    async def _all_met(self, table: str, met: int, total: Any, priority: Priority) -> bool:
        """Whether the pass met what the table had: fewer than at the start only if rows went away meanwhile."""
        if not isinstance(total, int) or met >= total:
            return True
        now = await self._count(table, priority)
        return now is not None and met >= now


def _was_last(document: dict[str, Any], rows: int) -> bool:
    """A page is the last one if it says so; a short page alone may come from an instance that caps the page size."""
    if "nextPage" in document:
        return document["nextPage"] is None
    total = document.get("itemsTotal")
    return isinstance(total, int) and total <= rows


def _check(entity: str, rows: list[Any], after: Any) -> None:
    """The rows must be what was asked for: behind the last id and in the order of ids."""
    last: Any = after
    for row in rows:
        own: Any = row.get("id") if isinstance(row, dict) else None
        if positive_id(own) is None and text_id(own) is None:
            raise NotUnderstood(
                f"{SOURCE} {entity} has a row without an id",
                hint="nothing was taken from this page: the rows behind it could not be asked for",
                context={"source": SOURCE, "entity": entity},
            )
        if last is not None and (type(own) is not type(last) or own <= last):
            raise _broken(entity, "gave rows that were not asked for: the filter by id or the order was ignored")
        last = own


def _broken(entity: str, what: str) -> PagingBroken:
    return PagingBroken(
        f"{SOURCE} {entity} {what}",
        hint="the pass is not complete, so nothing is deleted; what was read is stored",
        context={"source": SOURCE, "entity": entity},
    )
