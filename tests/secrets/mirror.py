"""A source that repeats whatever it was sent: in its records, its headers, and when told to, in refusals of every kind.

It stands before the sandbox, which gives the real answers.
"""

from __future__ import annotations

import itertools
import json
import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import httpx

from sandbox.sinks import serving

_ONE_HOP = ("host", "connection", "content-length", "content-encoding", "transfer-encoding", "accept-encoding", "date")
_SHOWN = re.compile(r"authorization|session|cookie|key|token", re.IGNORECASE)
#: Texts of records that reach V2's own tables.
_TEXTS = ("background", "note", "message", "description", "comments", "body", "name")


@dataclass
class Mirror:
    """`refuses`: the statuses that answers have in turn; 200 is the real answer. `met`: every secret that was shown."""

    behind: str
    url: str = ""
    refuses: tuple[int, ...] = (200,)
    met: set[str] = field(default_factory=set)
    answered: dict[tuple[str, int], int] = field(default_factory=dict)


@contextmanager
def mirror(behind: str) -> Iterator[Mirror]:
    """In front of the sandbox at this address."""
    made, turn = Mirror(behind), itertools.count()
    client = httpx.Client(base_url=behind, timeout=60, trust_env=False)

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
            shown = {name: value for name, value in self.headers.items() if _SHOWN.search(name)}
            # A login's signature is good for that login alone.
            values = (value.partition(":")[0] if value.startswith("ss ") else value for value in shown.values())
            made.met.update(part for value in values for part in re.split(r"[\s:=;]+", value) if len(part) > 8)
            said = " ".join([*shown.values(), self.path, body.decode("utf-8", "replace")])
            status = made.refuses[next(turn) % len(made.refuses)]
            where = self.path.split("/")[1], status
            made.answered[where] = made.answered.get(where, 0) + 1
            if status != 200:
                self._send(status, json.dumps(_refusal(said)).encode(), said)
                return
            headers = [(name, value) for name, value in self.headers.items() if name.lower() not in _ONE_HOP]
            answer = client.request(self.command, self.path, content=body, headers=headers)
            content = answer.content
            if answer.is_success and "json" in answer.headers.get("content-type", "") and "login" not in self.path:
                content = json.dumps(_repeating(answer.json(), said)).encode()
            self._send(answer.status_code, content, said, dict(answer.headers))

        def __getattr__(self, name: str) -> Any:
            if name.startswith("do_"):
                return self.do_GET
            raise AttributeError(name)

        def _send(self, status: int, body: bytes, said: str, headers: dict[str, str] | None = None) -> None:
            told = {"Content-Type": "application/json", **(headers or {})}
            self.send_response(status)
            for name, value in told.items():
                if name.lower() not in _ONE_HOP:
                    self.send_header(name, value)
            self.send_header("X-Request-Id", "".join(c for c in said if " " <= c <= "~")[:2000])
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, format: str, *args: Any) -> None:
            pass

    with client, serving(ThreadingHTTPServer(("127.0.0.1", 0), Handler)) as port:
        made.url = f"http://127.0.0.1:{port}"
        yield made


def _refusal(said: str) -> dict[str, Any]:
    words = f"Refused: {said[:150]} {said}"
    return {"message": words, "errorMessage": words, "error": words, "errors": [{"message": words}], "code": words}


def _repeating(value: Any, said: str) -> Any:
    """The answer with what was sent in each of its records, where there is a text and where there was nothing."""
    if isinstance(value, list):
        return [_repeating(item, said) for item in value]
    if not isinstance(value, dict):
        return value
    found = {name: _repeating(item, said) for name, item in value.items()}
    if {"id", "transactionGuid", "saleGuid", "listingGuid"} & set(found):
        found["echoed"] = said
        found |= {name: f"{found[name]} {said}"[:400] for name in _TEXTS if isinstance(found.get(name), str)}
    return found
