"""Texts of Follow Up Boss: no list of all exists, so they are asked for contact by contact, several side by side."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from datetime import UTC, datetime

from resources.apis.fub import endpoints as api
from resources.apis.fub.calls import SOURCE, FubCalls, record, token_of, total_of
from resources.apis.paging import Progress, side_by_side
from resources.apis.records import positive_id, refused
from resources.errors import Forbidden, NotFound
from resources.reading import Page, Priority, ReadRequest, Record

#: Contacts whose texts are asked for side by side, and per stored page.
AT_ONCE = 8
PER_PAGE = 40


@dataclass(slots=True)
class _Texts:
    records: list[Record] = field(default_factory=list)
    time: datetime | None = None
    refused: bool = False
    #: Fewer texts than the source counts for this contact.
    short: bool = False
    #: A page without any text of this contact: the filter was not heeded.
    of_others: bool = False


async def read_texts(calls: FubCalls, request: ReadRequest) -> AsyncIterator[Page]:
    """Pages of some contacts each, in the order of `request.keys`.

    Position: {"after": the last contact stored, "gap": whether somebody's texts were not all met, "open": whether
    anybody's were answered}. A contact whose texts are refused makes the pass incomplete: what is staged of them is not
    gone. Raises Forbidden for a key that sees nobody's texts; few of a pass that is not full do not show that.
    """
    position = request.position or {}
    keys, after = list(request.keys), position.get("after")
    gap, answered = bool(position.get("gap")), bool(position.get("open"))
    if after in keys:
        keys = keys[keys.index(after) + 1 :]
    started = datetime.now(UTC)
    if not keys:
        yield Page((), None, started, complete=not gap)
    for start in range(0, len(keys), PER_PAGE):
        some = keys[start : start + PER_PAGE]
        found = await side_by_side(lambda person: _texts_of(calls, person, request.priority), some, AT_ONCE)
        answered = answered or not all(texts.refused for texts in found)
        gap = gap or any(texts.refused or texts.short or texts.of_others for texts in found)
        if not answered and (request.since is None or len(some) == PER_PAGE):
            raise Forbidden(
                f"{SOURCE} {api.TEXTS.name} is not allowed for this key",
                hint="the key is good, its user may see nobody's texts",
                context={"source": SOURCE, "endpoint": api.TEXTS.name, "status": 403},
            )
        records = [r for texts in found for r in texts.records]
        records += [
            refused(person, {"personId": person}, "the texts of this contact are refused (403)")
            for person, texts in zip(some, found, strict=True)
            if texts.refused
        ]
        last = start + PER_PAGE >= len(keys)
        time = min((texts.time for texts in found if texts.time), default=started)
        following = None if last else {"after": some[-1], "gap": gap, "open": answered}
        yield Page(tuple(records), following, time, complete=not gap)


async def _texts_of(calls: FubCalls, person: str, priority: Priority) -> _Texts:
    progress, texts = Progress(SOURCE, api.TEXTS.name), _Texts()
    extra: list[tuple[str, str]] = []
    told = 0
    while True:
        query = [("personId", person), ("limit", str(api.TEXTS.page_size)), *extra]
        try:
            rows, answer = await calls.rows(api.TEXTS, query, priority=priority)
        except NotFound:
            # Deleted between the list and now, or not: the contacts' own sweep says so, and its texts end with it.
            texts.short = True
            return texts
        except Forbidden:
            texts.refused = True
            return texts
        page = [record("text_messages", row) for row in rows]
        texts.records += page
        texts.time = texts.time or answer.source_time
        token = token_of(answer.document)
        fresh = progress.page((r.source_id for r in page), token)
        told = max(told, total_of(answer.document) or 0)
        texts.short = len(progress.ids) < told
        texts.of_others = texts.of_others or (bool(page) and not any(_is_of(text, person) for text in page))
        if not rows and token:
            raise progress.broken("answered with an empty page, and says that there is more")
        if not fresh:
            return texts
        if token:
            extra = [("next", token)]
        elif told and not texts.short:
            return texts
        elif len(progress.ids) < api.OFFSET_WALL:
            # A short page proves nothing: the server's largest page is not known.
            extra = [("offset", str(len(progress.ids)))]
        else:
            raise progress.broken("is longer than offsets reach, and gives no token")


def _is_of(text: Record, person: str) -> bool:
    """Whether a text is of this contact. One that does not say whose it is may be."""
    return positive_id(text.payload.get("personId")) in (person, None)
