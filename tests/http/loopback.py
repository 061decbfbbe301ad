"""A small HTTP server on loopback that answers exactly what a test says, byte for byte, and notes what it was asked."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from urllib.parse import parse_qs, urlsplit

import orjson

from resources.http.budget import Limit
from resources.reading import Priority


@dataclass
class Asked:
    """One request as it arrived."""

    path: str
    query: dict[str, str]
    headers: dict[str, str]
    lists: dict[str, list[str]]
    body: bytes = b""


@dataclass
class Reply:
    """An answer. `cut` closes the connection before the announced body is complete; `stall` never ends it."""

    body: bytes = b"{}"
    status: int = 200
    headers: dict[str, str] = field(default_factory=dict)
    cut: bool = False
    stall: bool = False


Handler = Callable[[Asked], Reply]


@dataclass
class Loopback:
    """The running server."""

    url: str
    asked: list[Asked] = field(default_factory=list)


def json_reply(document: object, status: int = 200) -> Reply:
    """An answer of JSON."""
    return Reply(orjson.dumps(document), status)


def in_turn(*replies: Reply) -> Handler:
    """One reply after the other; the last one for everything that follows."""
    left = list(replies)
    return lambda asked: left.pop(0) if len(left) > 1 else left[0]


@asynccontextmanager
async def loopback(handler: Handler) -> AsyncIterator[Loopback]:
    """Serves for the length of a block."""
    running: set[asyncio.Task[None]] = set()

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task
        running.add(task)
        try:
            while head := await _head(reader):
                asked = _parse(head)
                asked.body = await reader.readexactly(int(asked.headers.get("content-length", "0")))
                server.asked.append(asked)
                reply = handler(asked)
                headers = {"Content-Length": str(len(reply.body)), "Content-Type": "application/json", **reply.headers}
                lines = [f"HTTP/1.1 {reply.status} Status", *(f"{k}: {v}" for k, v in headers.items())]
                body = reply.body[: len(reply.body) // 2] if reply.cut or reply.stall else reply.body
                writer.write("\r\n".join(lines).encode("latin-1") + b"\r\n\r\n" + body)
                await writer.drain()
                if reply.stall:
                    await asyncio.sleep(3600)
                if reply.cut:
                    break
        except (ConnectionError, asyncio.CancelledError):
            pass
        finally:
            running.discard(task)
            writer.close()

    listener = await asyncio.start_server(serve, "127.0.0.1", 0)
    server = Loopback(f"http://127.0.0.1:{listener.sockets[0].getsockname()[1]}")
    try:
        yield server
    finally:
        listener.close()
        for task in list(running):
            task.cancel()
        await asyncio.gather(*running, return_exceptions=True)
        await listener.wait_closed()


async def _head(reader: asyncio.StreamReader) -> bytes:
    try:
        return await reader.readuntil(b"\r\n\r\n")
    except asyncio.IncompleteReadError:
        return b""


def _parse(head: bytes) -> Asked:
    first, *lines = head.decode("latin-1").split("\r\n")
    target = urlsplit(first.split(" ")[1])
    lists = parse_qs(target.query, keep_blank_values=True)
    headers = {k.lower(): v.strip() for k, _, v in (line.partition(":") for line in lines if line)}
    return Asked(target.path, {k: v[-1] for k, v in lists.items()}, headers, lists)


@dataclass
class OpenBudget:
    """A budget that lets every call pass and notes what it was told."""

    taken: list[tuple[tuple[str, ...], Priority]] = field(default_factory=list)
    learned: list[tuple[str, int, int]] = field(default_factory=list)
    punished: list[tuple[tuple[str, ...], float]] = field(default_factory=list)

    async def take(self, limits: Sequence[Limit], priority: Priority) -> None:
        self.taken.append((tuple(limit.key for limit in limits), priority))

    async def learn(self, limit: Limit, calls: int, window_s: int) -> None:
        self.learned.append((limit.key, calls, window_s))

    async def punish(self, limits: Sequence[Limit], seconds: float) -> None:
        self.punished.append((tuple(limit.key for limit in limits), seconds))
