"""Faults by name, on demand: which requests they hit, how often, and what those get.

A fault is `{"name", "path", "key", "account", "times", "skip", "share", …}`: `path` is a regular expression over the
request's path, `key` one credential, `account` a CRM account's or an agent's id, `skip` how many requests pass before
it begins, `times` how many it hits (absent: until it is cleared), `share` the part of the requests that it hits.
Everything else is the fault's own, see NAMES.
"""

from __future__ import annotations

import asyncio
import random
import re
from collections.abc import Collection
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from typing import Any

from starlette.responses import Response
from starlette.types import Receive, Scope, Send

#: Answered in place of the real answer.
INSTEAD = {
    "storm_429": "429; seconds (1), retry_after: seconds | date | none",
    "error_5xx": "a proxy's HTML page; status (503)",
    "stall": "nothing for `seconds` (60); after: headers sends those first",
    "html_200": "a maintenance page with status 200",
    "errors_200": '{"errors": […]} with status 200',
    "null_body": "the JSON null with status 200",
    "revoked_key": "401, as for a key that was regenerated",
    "forbidden_empty": "403 without a body",
    "expired_account": "403, as the CRM says it of an account that has ended",
}
#: The real answer, damaged on its way.
ON_THE_WAY = {
    "slow_body": "the body byte by byte; seconds_per_byte (1)",
    "truncated_body": "half of the body, then the line is cut",
    "connection_reset": "the head and nothing else, then the line is cut",
}
#: The real answer with other content: the servers ask for these themselves.
INSIDE = {
    "roster_key": "rosters under another name; to: members | teamMembers | content | root | unknown",
    "list_key": "an agent's deals under another name; to: content | results | root | unknown",
    "counts_off": "lifecycle-group-counts that disagree with the lists; by (1)",
    "repeated_token": "a page's token leads to the same page again",
    "empty_page": "a page without records, although there are more",
    "ignored_filter": "filters are ignored, as for an endpoint that does not know them",
    "vanished": "lists leave out `missing` (0.4) of their records",
    "invalid_record": (
        "one record that breaks its contract; field and value, or kind: date | type | missing_id | nul | surrogate"
        " | unknown_field | huge"
    ),
    "unreadable_date": "one record whose dates are words",
    "session_ends": "SkySlope: the session is not taken any more",
    "null_value": "SkySlope: the envelope's value is null, with status 200",
    "unknown_kind": "SkySlope: a bulk answer has a row of an unknown kind",
    "bulk_form": "SkySlope: a bulk answer in another form; to: wrapped | loose | control",
    "no_repeats": "SkySlope: a bulk answer has no older version of a file beside the newest",
    "partial_data": "title: one order of a page lacks a field, and errors say so, with status 200",
    "missing_capability": "title: every order lacks a field, and errors say so, with status 200",
    "null_list": "title: a list is null, with status 200 and no error",
    "ignored_offset": "title: every page is the first",
    "shifting_pages": "title: an order comes twice, as when another was put in front of it",
    "wide_rows": "V1: pages of more than 150 rows are 502",
    "false_body": "V1: the answer is false, with status 200",
    "another_workspace": "V1: the workspace of this id has another name",
    "lowered_limit": "the CRM's limit is lowered to `limit` (100)",
}
NAMES = INSTEAD | ON_THE_WAY | INSIDE


@dataclass(slots=True)
class Fault:
    """One active fault."""

    name: str
    path: str = ".*"
    key: str | None = None
    account: str | None = None
    times: int | None = None
    skip: int = 0
    share: float = 1.0
    more: dict[str, Any] = field(default_factory=dict)

    def told(self) -> dict[str, Any]:
        """As it was asked for, with what is left of it."""
        basics = {"name": self.name, "path": self.path, "key": self.key, "account": self.account, "times": self.times}
        return {k: v for k, v in basics.items() if v is not None} | {"skip": self.skip, "share": self.share} | self.more


class UnknownFault(ValueError):
    """A fault of a name that does not exist, or with a path that is no expression."""


class Faults:
    """The active faults."""

    def __init__(self) -> None:
        self.active: list[Fault] = []
        self._dice = random.Random(0)

    def add(self, wanted: dict[str, Any]) -> Fault:
        """Starts a fault. Raises UnknownFault."""
        wanted = dict(wanted)
        name = str(wanted.pop("name", ""))
        if name not in NAMES:
            raise UnknownFault(f"no fault {name!r}; there are: {', '.join(sorted(NAMES))}")
        path = wanted.pop("path", None) or ".*"
        try:
            re.compile(path)
        except re.error as error:
            raise UnknownFault(f"path is no regular expression: {error}") from None
        times, account = wanted.pop("times", None), wanted.pop("account", None)
        fault = Fault(
            name,
            path,
            wanted.pop("key", None),
            None if account is None else str(account),
            None if times is None else int(times),
            int(wanted.pop("skip", 0)),
            float(wanted.pop("share", 1.0)),
            wanted,
        )
        self.active.append(fault)
        return fault

    def clear(self, name: str | None = None) -> None:
        """Ends all faults, or those of a name."""
        self.active = [f for f in self.active if name is not None and f.name != name]

    def hit(self, names: Collection[str], path: str, key: str | None, account: str | None = None) -> Fault | None:
        """The first active fault of these names that this request meets; counts it."""
        for fault in self.active:
            if fault.name not in names or not re.search(fault.path, path):
                continue
            if fault.key not in (None, key) or fault.account not in (None, account):
                continue
            if fault.skip > 0:
                fault.skip -= 1
                continue
            if fault.share < 1.0 and self._dice.random() >= fault.share:
                continue
            if fault.times is not None:
                fault.times -= 1
                if fault.times <= 0:
                    self.active.remove(fault)
            return fault
        return None


async def answer_instead(fault: Fault, path: str, scope: Scope, receive: Receive, send: Send) -> None:
    """Sends what a request gets in place of its answer; reZEN and the CRM word their refusals differently."""
    if fault.name == "stall":
        if fault.more.get("after") == "headers":
            headers = [(b"content-type", b"application/json"), (b"content-length", b"1000")]
            await send({"type": "http.response.start", "status": 200, "headers": headers})
            await send({"type": "http.response.body", "body": b"{", "more_body": True})
        await asyncio.sleep(float(fault.more.get("seconds", 60)))
        if fault.more.get("after") == "headers":
            await send({"type": "http.response.body", "body": b""})
            return
    await _instead(fault, crm=path.startswith("/fub"))(scope, receive, send)


def _instead(fault: Fault, *, crm: bool) -> Response:
    def refusal(status: int, text: str, headers: dict[str, str] | None = None) -> Response:
        key = "errorMessage" if crm else "message"
        return Response(f'{{"{key}":"{text}"}}', status, headers, "application/json")

    more = fault.more
    if fault.name == "storm_429":
        return refusal(429, "Too many requests.", _too_many(more, crm=crm))
    if fault.name == "html_200":
        return Response("<html><body>We are down for maintenance</body></html>", media_type="text/html")
    if fault.name == "errors_200":
        return Response('{"errors":[{"message":"something went wrong"}]}', media_type="application/json")
    if fault.name == "null_body":
        return Response("null", media_type="application/json")
    if fault.name == "revoked_key":
        asks = {"WWW-Authenticate": 'Basic realm="Follow Up Boss API"'} if crm else None
        return refusal(401, "Invalid API key." if crm else "Unauthorized", asks)
    if fault.name == "forbidden_empty":
        return Response(status_code=403)
    if fault.name == "expired_account":
        return refusal(403, "Your account has expired.")
    if fault.name == "stall":
        return Response(status_code=504)
    return Response("<html>upstream error</html>", status_code=int(more.get("status", 503)), media_type="text/html")


def _too_many(more: dict[str, Any], *, crm: bool) -> dict[str, str]:
    """A dip in capacity: refused although calls are left. How long to wait is told in two ways, or not."""
    seconds = int(more.get("seconds", 1))
    headers = {}
    if crm:
        headers = {"X-RateLimit-Limit": "250", "X-RateLimit-Remaining": "120", "X-RateLimit-Window": "10",
                   "X-RateLimit-Context": "global"}  # fmt: skip
    how = more.get("retry_after", "seconds")
    if how == "seconds":
        headers["Retry-After"] = str(seconds)
    elif how == "date":
        headers["Retry-After"] = format_datetime(datetime.now(UTC) + timedelta(seconds=seconds), usegmt=True)
    return headers


async def damage(fault: Fault, response: Response, send: Send) -> None:
    """Sends a good answer badly: byte by byte, cut off, or not at all after its head."""
    body = bytes(response.body)
    await send({"type": "http.response.start", "status": response.status_code, "headers": response.raw_headers})
    if fault.name == "slow_body":
        pause = float(fault.more.get("seconds_per_byte", 1))
        for byte in body:
            await send({"type": "http.response.body", "body": bytes([byte]), "more_body": True})
            await asyncio.sleep(pause)
        await send({"type": "http.response.body", "body": b""})
    else:
        part = body[: len(body) // 2] if fault.name == "truncated_body" else b""
        await send({"type": "http.response.body", "body": part, "more_body": True})
        # Ending short of the announced length makes the server drop the connection, as a dying one does.
        await send({"type": "http.response.body", "body": b""})


def broken(row: dict[str, Any], fault: Fault) -> dict[str, Any]:
    """A record that breaks its contract, in the way the fault says. A lone surrogate is put in by `SURROGATE`."""
    more = fault.more
    if "field" in more:
        return row | {more["field"]: more.get("value")}
    if fault.name == "unreadable_date" or more.get("kind", "date") == "date":
        words = {name: "the day before" for name in ("created", "updated", "createdAt", "updatedAt") if name in row}
        return row | words
    ways: dict[str, dict[str, Any]] = {
        "type": {"people": "none", "participants": "none", "price": {"a": 1}, "emails": 3},
        "missing_id": {"id": None},
        "nul": {"name": "a\x00b", "background": "a\x00b"},
        "surrogate": {"name": SURROGATE},
        "unknown_field": {"somethingNew": {"a": [1, 2]}},
        "huge": {"background": "x" * 5_000_000},
    }
    return row | ways[more["kind"]]


#: Stands for a lone surrogate until the answer is text: JSON may hold one, Python's encoders refuse to write it.
SURROGATE = "lone-surrogate-here"


def encode_surrogates(body: bytes) -> bytes:
    """The answer with its lone surrogates, if it has any."""
    return body.replace(SURROGATE.encode(), rb"\ud800") if SURROGATE.encode() in body else body
