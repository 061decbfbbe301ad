"""Sales and listings: what changed in one bulk answer, or everything in windows of it and the folder lists behind.

A full pass asks for the files by the time of their creation, window by window, newest first, so that no answer is too
large and a dead run goes on before the last window. The bulk may leave files out, so the folder lists are walked then,
and what only they have is asked for one by one. Bulk answers come from a replica: its time is the cursor, never ours.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterable
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from typing import Any

from resources.apis.paging import Progress, each_alone, find_list
from resources.apis.records import count_of, iso_instant, record_of, text_id
from resources.apis.skyslope import endpoints as api
from resources.apis.skyslope.bulk import rows_of_bulk
from resources.apis.skyslope.calls import SOURCE, SkySlopeCalls
from resources.apis.skyslope.models import MODELS
from resources.errors import NotUnderstood, SourceError
from resources.reading import Page, Priority, Problem, ReadRequest, Record

#: Nothing in SkySlope is older. The first window reaches to 2015, then there is one a year.
BEGINNING = datetime(1990, 1, 1, tzinfo=UTC)
FIRST_YEAR = 2015
#: The zone of bulk dates is not told, so windows overlap by a day; a file met twice is stored once.
OVERLAP = timedelta(days=1)
DETAILS_AT_ONCE = 4
#: Files read one by one until they are stored, so that a dead run goes on behind them.
DETAILS_A_PAGE = 40


async def read_files(calls: SkySlopeCalls, entity: str, request: ReadRequest) -> AsyncIterator[Page]:
    """A pass over one kind of file.

    Position of a full pass: {"left": windows to read, "whole": control totals agreed so far}. A window that begins in
    the meantime (a year ends) is not read: what is in it comes as a change.
    """
    # Asked before anything is read: what changes meanwhile is newer than this, and comes again.
    replica = await calls.replica_time(request.priority)
    if request.since is not None:
        records, agreed = await _bulk(calls, entity, "modified", request.since, None, request.priority)
        # The bulk may leave files out, and then nothing tells that one changed: so a share of the others is read again.
        others = sorted(request.again - {record.source_id for record in records})
        records += await _details(calls, entity, others, request)
        yield Page(tuple(records), None, replica, len(records), complete=agreed)
        return
    position = request.position or {}
    whole, windows = bool(position.get("whole", True)), windows_until(datetime.now(UTC))
    met: set[str] = set()
    for number in reversed(range(int(position.get("left", len(windows))))):
        records, agreed = await _bulk(calls, entity, "created", *windows[number], request.priority)
        whole = whole and agreed
        met |= {record.source_id for record in records}
        yield Page(tuple(records), {"left": number, "whole": whole}, replica)
    listed = [guid async for guids in folder_ids(calls, entity, request.priority) for guid in guids]
    seen = tuple(sorted(guid for guid in set(listed) if guid))
    whole = whole and None not in listed
    # Everything is read again, known or not; a pass that goes on leaves out what it had met.
    done = met | (request.known.keys() - request.again if request.position else set())
    missing = [guid for guid in seen if guid not in done]
    for start in range(0, len(missing), DETAILS_A_PAGE):
        found = await _details(calls, entity, missing[start : start + DETAILS_A_PAGE], request)
        yield Page(tuple(found), {"left": 0, "whole": whole}, replica)
    yield Page((), None, replica, len(seen), seen=seen, complete=whole)


def windows_until(now: datetime) -> list[tuple[datetime, datetime]]:
    """Windows of creation times from the beginning to tomorrow, each with a day of the one before."""
    years = [datetime(year, 1, 1, tzinfo=UTC) for year in range(FIRST_YEAR, now.year + 1)]
    edges = [BEGINNING, *years, now + OVERLAP]
    return [(start - OVERLAP, end) for start, end in pairwise(edges)]


async def folder_ids(calls: SkySlopeCalls, entity: str, priority: Priority) -> AsyncIterator[tuple[str | None, ...]]:
    """Every id that the folder lists have, page by page; None for a row without one.

    A window with too many pages is split in two. Raises PagingBroken for a list that goes on without anything new.
    """
    windows = [(BEGINNING, datetime.now(UTC) + timedelta(days=3650))]
    while windows:
        start, end = windows.pop()
        progress = Progress(SOURCE, api.FOLDERS[entity].name)
        number = 1
        while True:
            ids, more = await _folder(calls, entity, start, end, number, priority)
            if ids:
                yield ids
            if not more:
                break
            if not progress.page((guid or f"row {number}/{n}" for n, guid in enumerate(ids)), None):
                raise progress.broken("has nothing new on a page, and says that there is more")
            number += 1
            if number >= api.LAST_PAGE:
                middle = start + (end - start) / 2
                if middle - start < timedelta(seconds=2):
                    raise progress.broken("has more files in one second than it can list")
                windows += [(middle, end), (start, middle)]
                break


async def _folder(
    calls: SkySlopeCalls, entity: str, start: datetime, end: datetime, number: int, priority: Priority
) -> tuple[tuple[str | None, ...], bool]:
    """The ids of one folder page, and whether its links name a next one."""
    endpoint, (_, _, name) = api.FOLDERS[entity], api.KINDS[entity]
    query = [
        ("earliestDate", str(int(start.timestamp()))),
        ("latestDate", str(int(end.timestamp()))),
        ("pageNumber", str(number)),
    ]
    document = (await calls.get(endpoint, query, priority=priority)).document
    value = value_of(document, endpoint.name)
    # An empty value is no rows; a value that holds something else is another answer.
    rows = find_list(value, endpoint, SOURCE) if value else []
    links = document.get("links")
    relations = [link.get("rel") for link in links if isinstance(link, dict)] if isinstance(links, list) else []
    return tuple(guid_of(row, name) for row in rows), "next" in relations


async def _details(calls: SkySlopeCalls, entity: str, guids: list[str], request: ReadRequest) -> list[Record]:
    """Files in full, one by one. One that is not shown is a record with a problem, unless it is staged already."""

    async def one(guid: str) -> Record:
        return await detail(calls, entity, guid, request.priority)

    records = []
    for guid, found in zip(guids, await each_alone(one, guids, DETAILS_AT_ONCE), strict=True):
        if isinstance(found, Record):
            records.append(found)
        elif guid not in request.known:
            records.append(_not_shown(entity, guid, found))
    return records


def _not_shown(entity: str, guid: str, error: SourceError) -> Record:
    told = {"forbidden": "refused (403)", "not_found": "listed without detail (404)"}
    why = Problem("not_visible_to_key", None, told.get(error.code, f"listed, and its detail is {error.code}"))
    return file_record(entity, {api.KINDS[entity][2]: guid}, why)


async def detail(calls: SkySlopeCalls, entity: str, guid: str, priority: Priority) -> Record:
    """One file in full. Raises NotFound or Forbidden for one that is not shown, NotUnderstood for another's."""
    kind, _, _ = api.KINDS[entity]
    answer = await calls.get(api.DETAILS[entity], priority=priority, guid=guid)
    held = value_of(answer.document, api.DETAILS[entity].name).get(kind)
    if not isinstance(held, dict):
        raise NotUnderstood(
            f"{SOURCE} {api.DETAILS[entity].name} answered without a {kind}",
            context={"source": SOURCE, "endpoint": api.DETAILS[entity].name},
        )
    found = file_record(entity, held)
    if found.source_id != guid:
        raise NotUnderstood(
            f"{SOURCE} {api.DETAILS[entity].name} answered with another file than the one asked for",
            context={"source": SOURCE, "endpoint": api.DETAILS[entity].name},
        )
    return found


async def _bulk(
    calls: SkySlopeCalls, entity: str, what: str, after: datetime, before: datetime | None, priority: Priority
) -> tuple[list[Record], bool]:
    """The files of a window, newest version of each, and whether the answer's own totals agree."""
    kind, _, _ = api.KINDS[entity]
    query = [("type", kind), (f"{what}After", _written(after))]
    if before is not None:
        query.append((f"{what}Before", _written(before)))
    rows = rows_of_bulk((await calls.bulk(query, priority)).document)
    if rows is None:
        raise NotUnderstood(
            f"{SOURCE} {api.BULK.name} answered without a list of files",
            hint="nothing was changed; look whether the source's answer has a new form",
            context={"source": SOURCE, "endpoint": api.BULK.name},
        )
    return files_of(entity, rows)


def files_of(entity: str, rows: Iterable[Any]) -> tuple[list[Record], bool]:
    """Rows of a bulk answer as records: one per file, the newest version, and whether a summary row agrees.

    A row of an unknown kind is kept with a problem; rows of the other known kind belong to the other stream.
    """
    kind, plural, _ = api.KINDS[entity]
    newest: dict[str, Record] = {}
    total: int | None = None
    for row in rows:
        told = row.get("objectType") if isinstance(row, dict) else None
        if isinstance(row, dict) and told == "summary":
            total = count_of(row.get(f"numberOf{plural.capitalize()}"))
        elif isinstance(row, dict) and told in (kind, None):
            record = file_record(entity, row)
            before = newest.get(record.source_id)
            if before is None or (record.source_updated_at or BEGINNING) >= (before.source_updated_at or BEGINNING):
                newest[record.source_id] = record
        elif told not in [known for known, _, _ in api.KINDS.values()]:
            record = record_of(
                row,
                MODELS[entity],
                source_id=lambda _: None,
                updated=lambda _: None,
                because=Problem("unknown_kind", "objectType", type(told).__name__),
            )
            newest[record.source_id] = record
    files = [record for record in newest.values() if not record.source_id.startswith("unidentified:")]
    return list(newest.values()), total is None or total == len(files)


def file_record(entity: str, row: dict[str, Any], because: Problem | None = None) -> Record:
    """One file; its id is the guid in lower case."""
    return record_of(
        row,
        MODELS[entity],
        source_id=lambda found: guid_of(found, api.KINDS[entity][2]),
        updated=lambda found: iso_instant(found.get("modifiedOn")),
        because=because,
    )


def guid_of(row: Any, *names: str) -> str | None:
    """The guid under the first of these names that has one, in lower case: sources differ in the case they write."""
    held = (text_id(row.get(name)) for name in names) if isinstance(row, dict) else ()
    return next((guid.strip().lower() for guid in held if guid), None)


def value_of(document: Any, endpoint: str) -> dict[str, Any]:
    """What an answer's envelope holds. Raises NotUnderstood when it is missing or null: that is not "nothing there"."""
    held = {k.lower(): v for k, v in document.items()}.get("value") if isinstance(document, dict) else None
    if not isinstance(held, dict):
        raise NotUnderstood(
            f"{SOURCE} {endpoint} answered without a value",
            hint="a null is no empty list: nothing was changed",
            context={"source": SOURCE, "endpoint": endpoint, "found": type(held).__name__},
        )
    return held


def _written(then: datetime) -> str:
    return then.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
