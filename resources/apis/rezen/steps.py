"""Lists that are read step by step: one list per tier (or none), each in numbered pages, counted as it goes.

Used for down-lines, contributions and payments, whose pages are alike. Which steps there are, and what a row becomes,
is said where the lists are (`network`, `money`).
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from resources.apis.paging import Progress
from resources.apis.rezen.calls import SOURCE, rows_of
from resources.http.client import Answer
from resources.http.endpoint import Endpoint
from resources.reading import Page, Priority, ReadRequest, Record


@dataclass(frozen=True, slots=True)
class Step:
    """One list of a pass: what is put into the path and the query, and what its rows are told about it."""

    path: Mapping[str, str] = field(default_factory=dict)
    query: tuple[tuple[str, str], ...] = ()
    context: Mapping[str, Any] = field(default_factory=dict)


Call = Callable[[Endpoint, Sequence[tuple[str, str]], Priority, Mapping[str, str]], Awaitable[Answer]]
MakeRecord = Callable[[Any, Step], Record]


async def read_steps(
    call: Call, endpoint: Endpoint, steps: Sequence[Step], make: MakeRecord, request: ReadRequest
) -> AsyncIterator[Page]:
    """Every list, page by page. Position: {"step", "page", "gap"}: where to go on, and whether a count disagreed.

    A list ends where it says so, or with a page that has nothing new; one that then still claims to have more, or has
    told another number than was met, makes the pass incomplete, so that nothing is deleted. A pass that goes on after
    a dead run has not met the whole of the list it stopped in, so its number is not held against it. Raises
    PagingBroken for a list that is empty against its own word, and for one that never ends.
    """
    position = request.position or {}
    gap = bool(position.get("gap"))
    for number in range(int(position.get("step") or 0), len(steps)):
        step, page = steps[number], 0
        if number == position.get("step"):
            page = int(position.get("page") or 0)
        resumed = page > 0
        progress = Progress(SOURCE, endpoint.name)
        while True:
            query = [*step.query, ("pageNumber", str(page)), ("pageSize", str(endpoint.page_size))]
            answer = await call(endpoint, query, request.priority, step.path)
            rows = rows_of(answer, endpoint)
            total, more = _told(answer.document)
            if not rows and page == 0 and (total or (total is None and more)):
                raise progress.broken("answered with an empty page, and says that there is more")
            records = {record.source_id: record for record in (make(row, step) for row in rows)}
            fresh = progress.page(records, None)
            page += 1
            # A short page proves nothing: the source may have a smaller limit than what was asked for.
            if not fresh or more is False:
                met = total is None or len(progress.ids) == total
                unproven = bool(more) and (total is None or resumed)
                gap = gap or unproven or not (met or resumed)
                break
            following = {"step": number, "page": page, "gap": gap}
            yield Page(tuple(records.values()), following, answer.source_time, total)
        last = number == len(steps) - 1
        following = None if last else {"step": number + 1, "page": 0, "gap": gap}
        yield Page(tuple(records.values()), following, answer.source_time, total, complete=not gap)


def _told(document: Any) -> tuple[int | None, bool | None]:
    """What an answer says about its list: how many there are in all, and whether there is another page."""
    if not isinstance(document, dict):
        return None, None
    total, more = document.get("totalCount"), document.get("hasNext")
    whole = total if isinstance(total, int) and not isinstance(total, bool) else None
    return whole, more if isinstance(more, bool) else None
