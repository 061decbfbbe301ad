"""Deals and listings of one agent: thin lists by lifecycle group, details only where a stamp changed, counts compared.

No filter by time is known to work, so every pass walks the lists; they are short and by creation, newest first, which
does not move while they are read: a new deal only repeats a row. A pass since an instant walks them too, and asks for
the details of what changed since then. What the counts do not confirm is never taken for complete.
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import UTC, datetime
from typing import Any

from resources.apis.paging import Progress, each_alone
from resources.apis.records import count_of, epoch_or_iso, text_id
from resources.apis.rezen import endpoints as api
from resources.apis.rezen.calls import SOURCE, RezenCalls, record, rows_of
from resources.errors import NotFound, SourceError
from resources.http.client import Answer
from resources.reading import Page, Priority, Problem, ReadRequest, Record

DETAILS_AT_ONCE = 8
#: How `listing` may be written: as its model reads it.
_TRUTHS: dict[bool | int | str, bool] = {True: True, False: False, "true": True, "false": False}


async def read_deals(calls: RezenCalls, entity: str, request: ReadRequest) -> AsyncIterator[Page]:
    """All groups, in the order in which deals move through them; the last page carries the comparison of counts.

    Position: {"group", "page", "met": records by group, "totals": the lists' own counts}.
    """
    agent = await calls.agent_id(request.priority)
    position = request.position or {}
    start = api.GROUPS.index(position["group"]) if position.get("group") in api.GROUPS else 0
    met: dict[str, int] = dict(position.get("met") or {})
    totals: dict[str, int] = dict(position.get("totals") or {})
    emitted: set[str] = set()
    for number, group in enumerate(api.GROUPS[start:], start):
        first = int(position.get("page") or 0) if number == start else 0
        met.setdefault(group, 0)
        async for rows, fresh, answer in _group(calls, entity, agent, group, first, request.priority):
            first, met[group] = first + 1, met[group] + fresh
            total = _number(answer.document, "totalCount")
            if total is not None:
                totals[group] = total
            new = [row for row in rows if _id(row) is None or _id(row) not in emitted]
            emitted |= {i for i in map(_id, rows) if i}
            records, seen = await _details(calls, entity, new, request)
            next_position = {"group": group, "page": first, "met": {**met}, "totals": {**totals}}
            yield Page(records, next_position, answer.source_time, seen=seen)
    counts = await group_counts(calls, entity, agent, request.priority)
    expected = {**totals, **(counts or {})}
    yield Page(
        (),
        None,
        datetime.now(UTC),
        sum(expected.values()) if expected else None,
        complete=all(met.get(group) == number for group, number in expected.items()),
    )


async def read_deal(calls: RezenCalls, entity: str, deal_id: str, priority: Priority) -> Record | None:
    """One deal; None if there is none, or if it belongs to the other stream."""
    try:
        return await _detail(calls, entity, {"id": deal_id}, priority)
    except NotFound:
        return None


async def deal_ids(calls: RezenCalls, entity: str, priority: Priority) -> AsyncIterator[tuple[str, ...]]:
    """Every id now, from the lists alone."""
    agent = await calls.agent_id(priority)
    for group in api.GROUPS:
        async for rows, _, _ in _group(calls, entity, agent, group, 0, priority):
            yield tuple(i for i in map(_id, rows) if i)


async def group_counts(calls: RezenCalls, entity: str, agent: str, priority: Priority) -> dict[str, int] | None:
    """lifecycle-group-counts of the groups that are read; None if it is not there or of an unknown shape."""
    try:
        answer = await calls.arrakis(api.COUNTS[entity], priority=priority, agent=agent)
    except NotFound:
        return None
    return _counts_of(answer.document)


async def _group(
    calls: RezenCalls, entity: str, agent: str, group: str, first: int, priority: Priority
) -> AsyncIterator[tuple[list[Any], int, Answer]]:
    """Pages of one group: the rows of this entity, and how many new rows of either kind the page had."""
    endpoint, number = api.LISTS[entity], first
    progress = Progress(SOURCE, endpoint.name)
    while True:
        query = [
            ("pageNumber", str(number)),
            ("pageSize", str(endpoint.page_size)),
            ("sortBy", "CREATED_AT"),
            ("sortDirection", "DESC"),
        ]
        answer = await calls.arrakis(endpoint, query, priority=priority, agent=agent, group=group)
        rows = rows_of(answer, endpoint)
        total, known = _number(answer.document, "totalCount"), len(progress.ids)
        if not rows and number == 0 and total:
            raise progress.broken("answered with an empty page, and says that there is more")
        if not progress.page((_id(row) or f"row {number}/{i}" for i, row in enumerate(rows)), None):
            return
        # Deals and listings are one kind of object: a row of the other stream is left to it.
        mine = [row for row in rows if not isinstance(row, dict) or not _of_the_other(row, entity)]
        yield mine, len(progress.ids) - known, answer
        more = answer.document.get("hasNext") if isinstance(answer.document, dict) else None
        # Without hasNext the list ends at an empty page, or where its own count says so.
        if more is False or (more is None and total is not None and first == 0 and len(progress.ids) >= total):
            return
        number += 1


async def _details(
    calls: RezenCalls, entity: str, rows: list[Any], request: ReadRequest
) -> tuple[tuple[Record, ...], tuple[str, ...]]:
    """Details of the rows whose stamp differs from what is staged, and is not too old; the others are only seen.

    Those in `again` are asked for whatever their stamps say.
    """
    seen = {i for row in rows if (i := _id(row)) and i not in request.again and _unchanged(i, row, request)}
    wanted = [row for row in rows if (i := _id(row)) and i not in seen]
    changed = [row for row in wanted if row["id"] in request.again or not _older(row, request)]
    records = [record(entity, row) for row in rows if _id(row) is None]

    async def one(row: dict[str, Any]) -> Record | None:
        return await _detail(calls, entity, row, request.priority)

    for row, found in zip(changed, await each_alone(one, changed, DETAILS_AT_ONCE), strict=True):
        if isinstance(found, Record):
            records.append(found)
        elif found is None:
            continue
        elif row["id"] in request.known:
            seen.add(row["id"])  # what is staged stays; a refusal is no proof that the deal is gone
        else:
            records.append(_with_problem(entity, row, Problem("not_visible_to_key", None, _why(found))))
    return tuple(records), tuple(sorted(seen))


def _why(error: SourceError) -> str:
    told = {"forbidden": "its detail is refused (403)", "not_found": "listed without detail (404)"}
    return told.get(error.code, f"listed, and its detail is {error.code}")


async def _detail(calls: RezenCalls, entity: str, row: dict[str, Any], priority: Priority) -> Record | None:
    """The whole deal; None if it belongs to the other stream. A broken answer is a record with a problem."""
    document = (await calls.arrakis(api.DETAIL, priority=priority, id=row["id"])).document
    if not isinstance(document, dict) or text_id(document.get("id")) is None:
        broken = Problem("invalid_record", "id", f"{type(document).__name__}: no id")
        return _with_problem(entity, document if isinstance(document, dict) else row, broken, row["id"])
    if document["id"] != row["id"]:
        return _with_problem(entity, row, Problem("invalid_record", "id", "another deal than the one asked for"))
    return None if _of_the_other(document, entity) else record(entity, document)


def _with_problem(entity: str, row: dict[str, Any], problem: Problem, source_id: str | None = None) -> Record:
    return record(entity, row, lambda _: source_id or row["id"], because=problem)


def _of_the_other(row: dict[str, Any], entity: str) -> bool:
    """Whether a row says that it belongs to the other stream; what says neither is kept by both, not left by both."""
    told = row.get("listing")
    said = _TRUTHS.get(told) if isinstance(told, bool | int | str) else None
    return said is not None and said != (entity == "listings")


def _unchanged(deal_id: str, row: dict[str, Any], request: ReadRequest) -> bool:
    stamp = epoch_or_iso(row.get("updatedAt"))
    return stamp is not None and request.known.get(deal_id) == stamp


def _older(row: dict[str, Any], request: ReadRequest) -> bool:
    stamp = epoch_or_iso(row.get("updatedAt"))
    return request.since is not None and stamp is not None and stamp < request.since


def _id(row: Any) -> str | None:
    return text_id(row.get("id")) if isinstance(row, dict) else None


def _number(document: Any, name: str) -> int | None:
    return count_of(document.get(name)) if isinstance(document, dict) else None


def _counts_of(document: Any) -> dict[str, int] | None:
    """Counts by group from a map or a list of pairs; None when the shape is unknown (then nothing is concluded)."""
    if isinstance(document, dict):
        inner = (document.get(key) for key in ("counts", "lifecycleGroupCounts"))
        document = next((held for held in inner if isinstance(held, dict | list)), document)
    if isinstance(document, dict):
        known = {group: _number(document, group) for group in api.GROUPS}
        return {group: number for group, number in known.items() if number is not None} or None
    if isinstance(document, list):
        pairs: dict[str, int] = {}
        for row in document:
            if isinstance(row, dict):
                name = row.get("lifecycleGroup") or row.get("group") or row.get("name")
                number = _number(row, "count")
                if isinstance(name, str) and number is not None:
                    pairs[name] = number
        return {group: pairs[group] for group in api.GROUPS if group in pairs} or None
    return None
