"""Lists that are read step by step: one list per tier (or none), each in numbered pages, counted as it goes.

Used for down-lines, contributions and payments, whose pages are alike. Which steps there are, and what a row becomes,
is said where the lists are (`network`, `money`).

What tells the steps apart is a filter, and a server may ignore it: then every step is answered with the same list, and
the last one would decide that all contributions were missed, or that everybody stands in the fifth tier. So a list that
is the same as an earlier step's is not believed: its rows stay what they were told to be first.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from resources.apis.paging import Progress
from resources.apis.records import count_of, text_id
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


@dataclass(frozen=True, slots=True)
class Head:
    """The beginning of a step's list: its first ids, and how many the source counts in all.

    Kept in the position, so that a pass which goes on after a dead run compares with what came before.
    """

    ids: tuple[str, ...]
    total: int | None

    def repeats(self, other: Head) -> bool:
        """Whether two lists are one: most of their first ids are the same, and the counts do not contradict that.

        A row that came or went between two calls must not hide it, and one list that is a part of another (all of a
        tier, and what was missed of it) is not the same.
        """
        longer = max(len(self.ids), len(other.ids))
        same = longer > 0 and len(set(self.ids) & set(other.ids)) >= longer * _SAME
        if self.total is None or other.total is None:
            return same
        return same and abs(self.total - other.total) <= max(1, max(self.total, other.total) * (1 - _SAME))


#: First ids of a list that are kept, and the share of them that makes two lists one.
_HEAD = 10
_SAME = 0.75

Call = Callable[[Endpoint, Sequence[tuple[str, str]], Priority, Mapping[str, str]], Awaitable[Answer]]
MakeRecord = Callable[[Any, Step], Record]


async def read_steps(
    call: Call, endpoint: Endpoint, steps: Sequence[Step], make: MakeRecord, request: ReadRequest
) -> AsyncIterator[Page]:
    """Every list, page by page. Position: {"step", "page", "gap", "heads"}: where to go on, whether a count disagreed,
    and how the lists so far began.

    A list that repeats an earlier step's is left as it is told there, and makes the pass incomplete.
    A list ends where it says so, or with a page that has nothing new; one that then still claims to have more, or has
    told another number than was met, makes the pass incomplete, so that nothing is deleted. A pass that goes on after
    a dead run has not met the whole of the list it stopped in, so its number is not held against it. Raises
    PagingBroken for a list that is empty against its own word, and for one that never ends.
    """
    position = request.position or {}
    gap = bool(position.get("gap"))
    heads = [Head(tuple(ids), total) for total, *ids in position.get("heads") or ()]
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
            if page == 0 and len(steps) > 1:
                head = Head(tuple(i for row in rows[:_HEAD] if (i := _own_id(row))), total)
                if any(head.repeats(earlier) for earlier in heads):
                    gap, records = True, {}
                    break
                heads.append(head)
            page += 1
            # A short page proves nothing: the source may have a smaller limit than what was asked for.
            if not fresh or more is False:
                met = total is None or len(progress.ids) == total
                unproven = bool(more) and (total is None or resumed)
                gap = gap or unproven or not (met or resumed)
                break
            following = {"step": number, "page": page, "gap": gap, "heads": _kept(heads)}
            yield Page(tuple(records.values()), following, answer.source_time, total)
        last = number == len(steps) - 1
        following = None if last else {"step": number + 1, "page": 0, "gap": gap, "heads": _kept(heads)}
        yield Page(tuple(records.values()), following, answer.source_time, total, complete=not gap)


def _kept(heads: Sequence[Head]) -> list[list[Any]]:
    return [[head.total, *head.ids] for head in heads]


def _own_id(row: Any) -> str | None:
    """A row's id at the source, which is the same whatever step it was asked in."""
    names = ("id", "contributionId") if isinstance(row, dict) else ()
    return next((found for name in names if (found := text_id(row.get(name)))), None)


def _told(document: Any) -> tuple[int | None, bool | None]:
    """What an answer says about its list: how many there are in all, and whether there is another page."""
    if not isinstance(document, dict):
        return None, None
    total, more = document.get("totalCount"), document.get("hasNext")
    return count_of(total), more if isinstance(more, bool) else None
