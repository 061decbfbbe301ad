"""Faults by name, on demand: which requests they hit, how often, and what those get.

A fault is `{"name", "path", "key", "times", …}`: `path` is a regular expression over the request's path, `key` one
credential, `times` how many requests it hits (absent: until it is cleared). Everything else is the fault's own.
"""

from __future__ import annotations

import asyncio
import re
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from typing import Any

from starlette.responses import Response
from starlette.types import Receive, Scope, Send

#: Answered in place of the real answer.
INSTEAD = frozenset(
    {
        "storm_429", "error_5xx", "stall", "html_200", "errors_200", "null_body", "revoked_key", "forbidden_empty",
        "expired_account",
    }
)  # fmt: skip
#: The real answer, damaged on its way.
ON_THE_WAY = frozenset({"slow_body", "truncated_body", "connection_reset"})
#: The real answer, with other content; the servers ask for these themselves.
INSIDE = frozenset({"roster_key", "repeated_token", "ignored_filter", "invalid_record", "vanished", "late_first_page"})
NAMES = INSTEAD | ON_THE_WAY | INSIDE


@dataclass(slots=True)
class Fault:
    """One active fault."""

    name: str
    path: str = ".*"
    key: str | None = None
    times: int | None = None
    more: dict[str, Any] = field(default_factory=dict)


class UnknownFault(ValueError):
    """A fault of a name that does not exist."""


class Faults:
    """The active faults."""

    def __init__(self) -> None:
        self.active: list[Fault] = []

    def add(self, wanted: dict[str, Any]) -> Fault:
        """Starts a fault. Raises UnknownFault."""
        wanted = dict(wanted)
        name = str(wanted.pop("name", ""))
        if name not in NAMES:
            raise UnknownFault(f"no fault {name!r}; there are: {', '.join(sorted(NAMES))}")
        path, key, times = wanted.pop("path", ".*"), wanted.pop("key", None), wanted.pop("times", None)
        re.compile(path)
        fault = Fault(name, path, key, None if times is None else int(times), wanted)
        self.active.append(fault)
        return fault

    def clear(self, name: str | None = None) -> None:
        """Ends all faults, or those of a name."""
        self.active = [f for f in self.active if name is not None and f.name != name]

    def hit(self, names: frozenset[str] | set[str], path: str, key: str | None) -> Fault | None:
        """The first active fault of these names that this request meets; counts it."""
        for fault in self.active:
            if fault.name not in names or not re.search(fault.path, path):
                continue
            if fault.key is not None and fault.key != key:
                continue
            if fault.times is not None:
                fault.times -= 1
                if fault.times <= 0:
                    self.active.remove(fault)
            return fault
        return None


async def answer_instead(fault: Fault) -> Response:
    """What a request gets in place of its answer."""
    more = fault.more
    if fault.name == "storm_429":
        return _too_many(more)
    if fault.name == "stall":
        await asyncio.sleep(float(more.get("seconds", 60)))
        return Response(status_code=504)
    if fault.name == "html_200":
        return Response("<html><body>We are down for maintenance</body></html>", media_type="text/html")
    if fault.name == "errors_200":
        return Response('{"errors":[{"message":"something went wrong"}]}', media_type="application/json")
    if fault.name == "null_body":
        return Response("null", media_type="application/json")
    if fault.name == "revoked_key":
        return Response('{"errorMessage":"Invalid credentials."}', status_code=401, media_type="application/json")
    if fault.name == "forbidden_empty":
        return Response(status_code=403)
    if fault.name == "expired_account":
        return Response('{"errorMessage":"Account has expired."}', status_code=403, media_type="application/json")
    return Response("<html>upstream error</html>", status_code=int(more.get("status", 503)), media_type="text/html")


def _too_many(more: dict[str, Any]) -> Response:
    seconds = int(more.get("seconds", 1))
    headers = {}
    if more.get("retry_after", "seconds") == "seconds":
        headers["Retry-After"] = str(seconds)
    elif more["retry_after"] == "date":
        headers["Retry-After"] = format_datetime(datetime.now(UTC) + timedelta(seconds=seconds), usegmt=True)
    return Response('{"errorMessage":"Too many requests."}', 429, headers, "application/json")


async def damage(fault: Fault, response: Response, scope: Scope, receive: Receive, send: Send) -> None:
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
