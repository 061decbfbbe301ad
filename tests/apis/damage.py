"""Answers of the sandbox, kept and given again with one thing wrong: a record, the envelope around it, or the HTTP."""

from __future__ import annotations

import copy
import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

import httpx
from hypothesis import strategies as st

from sandbox import Sandbox
from tests.http.loopback import Asked, Reply

Path = tuple[str | int, ...]
#: Lists of an envelope that are no records.
_NO_RECORDS = ("links", "warnings", "errors")


def _nested(depth: int) -> Any:
    value: Any = {}
    for _ in range(depth):
        value = {"a": [value]}
    return value


#: Values that somebody's software has written, or might: types, ends of ranges, what no database takes.
ODD: tuple[Any, ...] = (
    *(None, True, False, "", " ", "x", "None", "a\x00b", "\ud83d cut", "\u2028", "9" * 5000, "y" * 9000),
    *(0, -1, 2, 1.5, 2**31, 2**63, 10**40, 1e308, 10**15, -(10**12)),
    *([], {}, [None], [[]], {"id": []}, ["a\x00"], {"a\x00": "\ud83d"}, _nested(60), _nested(400)),
    *("0000-00-00", "0202-08-02", "9999-12-31T23:59:59-08:00", "0001-01-01T00:00:00+14:00", "9999-12-31T23:59:59Z"),
    *("2026-W48-1T10:00:00Z", "20261130T100000Z", "2026-11-30T10:00:00,5Z", "2026-02-30", "tomorrow", "1e3", "1_000"),
)
#: In place of a whole body, and as a header's value.
BODIES = (
    b"",
    b"null",
    b"<html>sorry</html>",
    b"[]",
    b"{}",
    b'"words"',
    b"7",
    b"[" * 5000,
    b'{"a": 1e999}',
    b"\xff\xfe",
)
DATES = ("Mon, 01 Jan 0001 00:00:00 +1400", "Fri, 31 Dec 9999 23:59:59 -0800", "tomorrow", "", "\xff")
STATUSES = (204, 302, 400, 401, 403, 404, 408, 429, 500)


@dataclass
class Damage:
    """What was done to which answer. `record`: the row that was touched, as it had been; None for the envelope."""

    answer: int
    what: str
    record: Any = None
    reply: Reply = field(default_factory=Reply)

    def __repr__(self) -> str:
        return f"answer {self.answer}: {self.what}"


class Relay:
    """Hands on what the sandbox answers, from memory where it was asked before, and does one damage."""

    def __init__(self, sandbox: Sandbox) -> None:
        self._url = sandbox.url
        self._http = httpx.Client()
        self._kept: dict[tuple[Any, ...], Reply] = {}

    def answer(self, asked: Asked) -> Reply:
        """The sandbox's own answer."""
        key = key_of(asked)
        if key not in self._kept:
            query = [(name, value) for name, values in asked.lists.items() for value in values]
            headers = {n: v for n, v in asked.headers.items() if n not in ("host", "content-length", "connection")}
            response = self._http.request(
                "POST" if asked.body else "GET",
                self._url + asked.path,
                params=query,
                content=asked.body or None,
                headers={**headers, "accept-encoding": "identity"},
            )
            told = {"Date": response.headers["Date"]} if "Date" in response.headers else {}
            self._kept[key] = Reply(response.content, response.status_code, told)
        return self._kept[key]

    def damaged(self, keys: list[tuple[Any, ...]], damage: Damage) -> Callable[[Asked], Reply]:
        """A server that answers like the sandbox, but for one answer of those that a pass had been given."""
        return lambda asked: damage.reply if key_of(asked) == keys[damage.answer] else self.answer(asked)

    def close(self) -> None:
        self._http.close()


def key_of(asked: Asked) -> tuple[Any, ...]:
    """One question. A login is signed with the time, and is one question all the same."""
    body = b"login" if asked.path.endswith("/auth/login") else asked.body
    return asked.path, tuple(sorted((n, *v) for n, v in asked.lists.items())), body


def paths_of(value: Any, *, most: int = 400) -> list[Path]:
    """Where in a document something stands, but the document itself."""

    def walk(found: Any, path: Path) -> Iterator[Path]:
        if path:
            yield path
        pairs = found.items() if isinstance(found, dict) else enumerate(found) if isinstance(found, list) else ()
        for key, item in pairs:
            yield from walk(item, (*path, key))

    return [path for path, _ in zip(walk(value, ()), range(most), strict=False)]


def lists_of(document: Any) -> list[Path]:
    """Where the records of an answer stand: the lists of objects that are not inside of another record."""
    if isinstance(document, list):
        return [()] if any(isinstance(row, dict) for row in document) else []
    if not isinstance(document, dict):
        return []
    return [
        (key, *path)
        for key, held in document.items()
        if key not in _NO_RECORDS and isinstance(held, dict | list)
        for path in lists_of(held)
    ]


def at(document: Any, path: Path) -> Any:
    for key in path:
        document = document[key]
    return document


def replaced(document: Any, path: Path, value: Any) -> Any:
    """The document with another value at this place."""
    if not path:
        return value
    document = copy.deepcopy(document)
    at(document, path[:-1])[path[-1]] = value
    return document


def _without(document: Any, path: Path) -> Any:
    document = copy.deepcopy(document)
    del at(document, path[:-1])[path[-1]]
    return document


@st.composite
def damages(draw: st.DrawFn, replies: list[Reply]) -> Damage:
    """One damage to one of these answers."""
    number = draw(st.integers(0, len(replies) - 1), label="answer")
    reply = replies[number]
    document = json.loads(reply.body.decode("utf-8-sig")) if reply.body else None
    lists = [path for path in lists_of(document) if at(document, path)]
    kind = draw(st.sampled_from(["record", "record", "envelope", "list", "http"] if lists else ["envelope", "http"]))
    if kind == "record":
        return _to_a_record(draw, number, reply, document, draw(st.sampled_from(lists)))
    if kind == "list":
        return _to_a_list(draw, number, reply, document, draw(st.sampled_from(lists)))
    if kind == "envelope" and isinstance(document, dict | list):
        inside = [path for path in paths_of(document) for rows in lists if len(path) > len(rows) == _shared(path, rows)]
        path = draw(st.sampled_from([(), *(p for p in paths_of(document) if p not in inside)]))
        if path and draw(st.booleans(), label="taken out"):
            return Damage(number, f"without {path}", None, _like(reply, _without(document, path)))
        value = draw(st.sampled_from(ODD))
        return Damage(number, f"{_short(value)} at {path}", None, _like(reply, replaced(document, path, value)))
    return _to_the_http(draw, number, reply, replies)


def _shared(one: Path, other: Path) -> int:
    """How much of two paths is the same, from the beginning."""
    return next((n for n, (a, b) in enumerate(zip(one, other, strict=False)) if a != b), min(len(one), len(other)))


def _to_a_record(draw: st.DrawFn, number: int, reply: Reply, document: Any, path: Path) -> Damage:
    rows = at(document, path)
    where = draw(st.integers(0, len(rows) - 1), label="row")
    row = rows[where]
    inner = draw(st.sampled_from([(), *paths_of(row)])) if isinstance(row, dict) else ()
    if inner and draw(st.booleans(), label="taken out"):
        broken, what = _without(row, inner), f"row {where} without {inner}"
    else:
        value = draw(st.sampled_from(ODD))
        broken, what = replaced(row, inner, value), f"row {where}: {_short(value)} at {inner}"
    return Damage(number, what, row, _like(reply, replaced(document, (*path, where), broken)))


def _to_a_list(draw: st.DrawFn, number: int, reply: Reply, document: Any, path: Path) -> Damage:
    rows = at(document, path)
    what = draw(st.sampled_from(["clamped", "emptied", "twice", "renamed", "odd row"]))
    if what == "renamed" and path and isinstance(path[-1], str):
        return Damage(number, what, None, _like(reply, replaced(_without(document, path), (*path[:-1], "rows"), rows)))
    changed = {
        "clamped": rows[: len(rows) // 2],
        "emptied": [],
        "twice": [*rows, *rows],
        "odd row": [*rows, draw(st.sampled_from(ODD))],
    }.get(what, [])
    return Damage(number, what if changed else "emptied", None, _like(reply, replaced(document, path, changed)))


def _to_the_http(draw: st.DrawFn, number: int, reply: Reply, replies: list[Reply]) -> Damage:
    what = draw(st.sampled_from(["body", "cut", "status", "date", "limit", "another's"]))
    if what == "body":
        body = draw(st.sampled_from(BODIES))
        return Damage(number, f"body {body[:12]!r}", None, Reply(body, reply.status, reply.headers))
    if what == "cut":
        return Damage(number, what, None, Reply(reply.body, reply.status, reply.headers, cut=True))
    if what == "status":
        status = draw(st.sampled_from(STATUSES))
        return Damage(number, f"status {status}", None, Reply(b"" if status == 204 else reply.body, status))
    if what == "another's":
        other = draw(st.integers(0, len(replies) - 1))
        return Damage(number, f"what answer {other} is", None, replies[other])
    headers = {"Date": draw(st.sampled_from(DATES))} if what == "date" else {
        name: str(draw(st.sampled_from([0, -1, "x", 10**30]))) for name in ("X-RateLimit-Limit", "X-RateLimit-Window")
    }  # fmt: skip
    return Damage(number, f"headers {headers}", None, Reply(reply.body, reply.status, headers))


def _like(reply: Reply, document: Any) -> Reply:
    return Reply(json.dumps(document).encode(), reply.status, reply.headers)


def _short(value: Any) -> str:
    return repr(value)[:30]
