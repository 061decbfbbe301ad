"""Texts of Follow Up Boss: no list of all exists, so they are asked for contact by contact, several side by side."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from datetime import UTC, datetime

from resources.apis.fub import endpoints as api
from resources.apis.fub.calls import SOURCE, FubCalls, record, token_of
from resources.apis.paging import Progress, side_by_side
from resources.errors import Forbidden, NotFound
from resources.reading import Page, Priority, Problem, ReadRequest, Record

#: Contacts whose texts are asked for side by side, and per stored page.
AT_ONCE = 8
PER_PAGE = 40


@dataclass(slots=True)
class _Texts:
    records: list[Record] = field(default_factory=list)
    time: datetime | None = None
    refused: bool = False


async def read_texts(calls: FubCalls, request: ReadRequest) -> AsyncIterator[Page]:
    """Pages of some contacts each, in the order of `request.keys`. Position: {"after": the last contact stored}."""
    keys = list(request.keys)
    after = (request.position or {}).get("after")
    if after in keys:
        keys = keys[keys.index(after) + 1 :]
    started = datetime.now(UTC)
    if not keys:
        yield Page((), None, started)
    for start in range(0, len(keys), PER_PAGE):
        some = keys[start : start + PER_PAGE]
        found = await side_by_side(lambda person: _texts_of(calls, person, request.priority), some, AT_ONCE)
        if all(texts.refused for texts in found):
            raise Forbidden(
                f"{SOURCE} {api.TEXTS.name} is not allowed for this key",
                hint="the key is good, its user may see nobody's texts",
                context={"source": SOURCE, "endpoint": api.TEXTS.name, "status": 403},
            )
        records = [r for texts in found for r in texts.records]
        records += [_refused(person) for person, texts in zip(some, found, strict=True) if texts.refused]
        last = start + PER_PAGE >= len(keys)
        time = min((texts.time for texts in found if texts.time), default=started)
        yield Page(tuple(records), None if last else {"after": some[-1]}, time)


async def _texts_of(calls: FubCalls, person: str, priority: Priority) -> _Texts:
    progress, texts = Progress(SOURCE, api.TEXTS.name), _Texts()
    extra: list[tuple[str, str]] = []
    while True:
        query = [("personId", person), ("limit", str(api.TEXTS.page_size)), *extra]
        try:
            rows, answer = await calls.rows(api.TEXTS, query, priority=priority)
        except NotFound:
            return texts  # the contact was deleted between the list and now
        except Forbidden:
            texts.refused = True
            return texts
        page = [record("text_messages", row) for row in rows]
        texts.records += page
        texts.time = texts.time or answer.source_time
        token = token_of(answer.document)
        fresh = progress.page((r.source_id for r in page), token)
        if not rows and token:
            raise progress.broken("answered with an empty page, and says that there is more")
        if not fresh:
            return texts
        if token:
            extra = [("next", token)]
        elif len(rows) >= api.TEXTS.page_size and len(progress.ids) < api.OFFSET_WALL:
            extra = [("offset", str(len(progress.ids)))]
        elif len(rows) >= api.TEXTS.page_size:
            raise progress.broken("is longer than offsets reach, and gives no token")
        else:
            return texts


def _refused(person: str) -> Record:
    """A contact whose texts are closed to this key: said, so that nobody takes them for none."""
    problem = Problem("not_visible_to_key", None, "the texts of this contact are refused (403)")
    return Record(f"refused:{person}", {"personId": person}, None, problem)
