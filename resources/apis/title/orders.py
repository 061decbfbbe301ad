"""Passes over title orders: everything, or what is open and what was lately; one order by its id.

No surface tells what changed since when, so a pass that is not full reads the open orders and then asks by id for what
staging holds as open or lately closed and what the list did not show: an order that was closed or cancelled leaves the
open list without a word. How a page is asked for and what counts as an answer is in `graphql`.
"""

from __future__ import annotations

import json
import re
from collections.abc import AsyncIterator, Iterable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from typing import Any

from resources.apis.records import record_of, refused
from resources.apis.title.graphql import SOURCE, GraphQl, kept_back, not_understood, rows_of
from resources.apis.title.models import MODELS
from resources.apis.title.surfaces import document
from resources.errors import PagingBroken
from resources.reading import Page, Priority, ReadRequest, Record

#: Orders of a page, and orders asked by id in one query: depth and size limits are not published, so both are small.
PAGE = 50
BY_ID = 5
#: A list that goes on for ever is broken.
_MOST_PAGES = 20_000
_ID = re.compile(r"[A-Za-z0-9_-]{1,64}")


@dataclass(slots=True)
class _Scan:
    """What one walk over a list has met. `drifted`: an order came twice, so another may have been passed over.

    `proven`: a row came without an error, so that the credentials may see what is asked of an order.
    """

    met: set[str] = field(default_factory=set)
    drifted: bool = False
    gap: bool = False
    proven: bool = False


class Orders:
    """Passes over the orders of one pair of credentials."""

    def __init__(self, calls: GraphQl, *, surface: str, environment: str, closed_days: int) -> None:
        self._calls, self._surface, self._closed_days = calls, surface, closed_days
        self._context = {"environment": environment, "surface": surface}

    async def read(self, request: ReadRequest) -> AsyncIterator[Page]:
        """Pages of a pass. Position: {"pages"}, only to say that the pass is not over.

        A pass that was cut starts over: its offsets mean nothing any more, and what is stored stays stored.
        """
        name = "orders" if request.since is None else "open_orders"
        scan, count = _Scan(), 0
        time = datetime.now(UTC)
        # A second walk finds what moved behind our back during the first; if things moved again, it is said.
        for _attempt in (1, 2):
            scan.drifted = False
            async for page in self._walk(name, scan, request.priority):
                count += 1
                time = page.source_time
                yield Page(page.records, {"pages": count}, time, seen=page.seen)
            if not scan.drifted:
                break
        wanted = self._to_ask(request, scan.met)
        for start in range(0, len(wanted), BY_ID):
            page, gap = await self.by_ids(wanted[start : start + BY_ID], request.priority)
            scan.gap = scan.gap or gap
            count += 1
            time = page.source_time
            yield Page(page.records, {"pages": count}, time, seen=page.seen)
        yield Page((), None, time, complete=not (scan.drifted or scan.gap))

    async def by_ids(self, ids: Sequence[str], priority: Priority) -> tuple[Page, bool]:
        """These orders in one query, and whether any of them was kept back: by an error, or by another's answer.

        An order that is null without an error is not visible now; that is no word about its being deleted.
        """
        selection = document(self._surface, "order")
        lines = [f"o{n}: order(_id: {json.dumps(i)}) {selection}" for n, i in enumerate(ids)]
        reply = await self._calls.ask("order", "query Order {\n" + "\n".join(lines) + "\n}", priority=priority)
        if any(not e.path for e in reply.errors):
            raise not_understood("order", "answered with an error for everything", reply.errors)
        if not any(f"o{number}" in reply.data for number in range(len(ids))):
            raise not_understood("order", "answered without any order that was asked for", reply.errors)
        records, seen = [], []
        for number, identity in enumerate(ids):
            alias = f"o{number}"
            errors, row = reply.errors_at(alias), reply.data.get(alias)
            named = order_id(row.get("_id")) if isinstance(row, dict) else None
            if errors or alias not in reply.data or (row is not None and named != identity):
                why = kept_back(errors[0]) if errors else "answered with something else than this order"
                records.append(_refused(identity, why))
                seen.append(identity)
            elif row is not None:
                records.append(self.record(row))
        return Page(tuple(records), None, reply.source_time, seen=tuple(seen)), bool(seen)

    async def ids(self, priority: Priority) -> AsyncIterator[tuple[str, ...]]:
        """Every order's id now. The whole list is read: a shorter selection would save little and be another query."""
        scan = _Scan()
        async for page in self._walk("orders", scan, priority):
            yield (*(r.source_id for r in page.records), *page.seen)

    def record(self, row: Any) -> Record:
        """One order. The source tells no stamp of change; the hash of what it told decides."""
        return record_of(
            row, MODELS["orders"], source_id=lambda r: order_id(r.get("_id")), updated=lambda r: None,
            context=self._context,
        )  # fmt: skip

    async def _walk(self, name: str, scan: _Scan, priority: Priority) -> AsyncIterator[Page]:
        """A list from offset 0 to its first empty page: a short page does not prove the end.

        Raises PagingBroken when the server does not heed the offset.
        """
        query = document(self._surface, name)
        offset, inside, firsts = 0, set[str](), set[str | tuple[str | None, ...]]()
        for _ in range(_MOST_PAGES):
            reply = await self._calls.ask(name, query, {"limit": PAGE, "offset": offset}, priority=priority)
            rows, broken = rows_of(name, reply, "orders", "orders", proven=scan.proven)
            if not rows:
                return
            scan.proven = scan.proven or len(broken) < len(rows)
            ids = [order_id(row.get("_id")) if isinstance(row, dict) else None for row in rows]
            named = {i for i in ids if i}
            # A first row that cannot be read is no proof of anything; then the page as a whole is compared.
            first = ids[0] or tuple(ids)
            if first in firsts:
                raise ignores_offset(name, offset)
            firsts.add(first)
            scan.drifted = scan.drifted or len(named) < len([i for i in ids if i]) or bool(named & inside)
            scan.gap = scan.gap or bool(broken)
            new = [n for n, i in enumerate(ids) if i is None or i not in scan.met]
            inside |= named
            scan.met |= named
            records = [self.record(rows[n]) for n in new if n not in broken]
            # Of a row with an error nothing is stored but that it is there, and why it is kept back.
            kept = {i: broken[n] for n in new if n in broken and (i := ids[n])}
            records += [_refused(i, kept_back(error)) for i, error in kept.items()]
            yield Page(tuple(records), None, reply.source_time, seen=tuple(kept))
            offset += len(rows)
        raise ignores_offset(name, offset)

    def _to_ask(self, request: ReadRequest, met: set[str]) -> list[str]:
        """Ids to ask one by one. After a full pass: what is known and was not met, before it counts as gone.

        Otherwise the keys: orders that staging holds as open, and those that closed or changed lately (see `key_of`);
        and of the others those whose turn it is.
        """
        if request.since is None:
            return sorted(i for i in request.known if i not in met and order_id(i))
        oldest = request.since.date() - timedelta(days=self._closed_days)
        lately = (i for i, day in map(key_of, request.keys) if day is None or day >= oldest)
        wanted = dict.fromkeys([*lately, *sorted(request.again)])
        return [i for i in wanted if i not in met and order_id(i)]


def _refused(identity: str, why: str) -> Record:
    return refused(identity, {"order": identity}, why)


def key_of(key: str) -> tuple[str, date | None]:
    """A key of the orders' keys_sql: `<id>/open`, or `<id>/<day of the last news of it>`."""
    identity, _, day = key.partition("/")
    try:
        return identity, date.fromisoformat(day)
    except ValueError:
        return identity, None


def order_id(value: Any) -> str | None:
    """An id as Qualia writes them; upper and lower case differ."""
    return value if isinstance(value, str) and _ID.fullmatch(value) else None


def expected(keys: Iterable[str]) -> int:
    """How many ids these keys name, for a plan."""
    return len({key_of(key)[0] for key in keys})


def ignores_offset(name: str, offset: int) -> PagingBroken:
    return PagingBroken(
        f"{SOURCE} {name} gave the same orders again at offset {offset}: it does not heed the offset",
        hint="look whether the surface pages in another way now; nothing was taken for complete",
        context={"source": SOURCE, "endpoint": name, "offset": offset},
    )
