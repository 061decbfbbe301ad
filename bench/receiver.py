"""A burst of webhooks: how long the receiver takes to answer, against a commit for each, and that nothing is lost.

Run: `python bench/receiver.py [--events 5000] [--seconds 1]`. It starts a Postgres and the receiver as a process of its
own, lets a sender post that many signed events within that time over kept connections, and prints a line of JSON. The
ratio is the time that as many single commits take on this machine, divided by the time the burst took.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import orjson

from resources.embedded import DatabaseUrls, EmbeddedPostgres, receiver_url
from resources.encryption import secret_keys
from resources.postgres import Database
from resources.processes import free_port, wait_until
from resources.settings import load_settings
from resources.webhooks import Addresses, fub_signature
from v2_assets.schema import migrate

KEY = "bench-system-key"
CONNECTIONS = 100


async def burst(port: int, requests: list[bytes], seconds: float) -> tuple[list[float], dict[int, int], float]:
    """Posts the requests evenly over the time. Returns seconds from due to answered, answers by status, how long."""
    due: asyncio.Queue[tuple[float, bytes]] = asyncio.Queue()
    waits: list[float] = []
    told: dict[int, int] = {}

    async def sender() -> None:
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        try:
            while True:
                when, request = await due.get()
                writer.write(request)
                head = await reader.readuntil(b"\r\n\r\n")
                length = next((int(x[15:]) for x in head.lower().split(b"\r\n") if x.startswith(b"content-length:")), 0)
                if length:
                    await reader.readexactly(length)
                status = int(head[9:12])
                told[status] = told.get(status, 0) + 1
                waits.append(time.perf_counter() - when)
                due.task_done()
        finally:
            writer.close()

    senders = [asyncio.create_task(sender()) for _ in range(CONNECTIONS)]
    await asyncio.sleep(0.2)
    started = time.perf_counter()
    for number, request in enumerate(requests):
        when = started + seconds * number / len(requests)
        if (ahead := when - time.perf_counter()) > 0.002:
            await asyncio.sleep(ahead)
        due.put_nowait((when, request))
    await due.join()
    took = time.perf_counter() - started
    for task in senders:
        task.cancel()
    await asyncio.gather(*senders, return_exceptions=True)
    return waits, told, took


def requests_of(path: str, number: int) -> list[bytes]:
    """Signed posts, each of another event."""
    made = []
    for i in range(number):
        event = {"eventId": f"bench-{i}", "event": "peopleUpdated", "resourceIds": [i], "uri": None}
        body = orjson.dumps(event)
        head = (
            f"POST {path} HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: application/json\r\n"
            f"FUB-Signature: {fub_signature(KEY, body)}\r\nContent-Length: {len(body)}\r\n\r\n"
        )
        made.append(head.encode() + body)
    return made


def single_commits(database: Database, number: int = 300) -> float:
    """Seconds that one commit for each event takes here."""
    with database.connect(autocommit=True) as connection:
        started = time.perf_counter()
        for i in range(number):
            connection.execute(
                "insert into ops.webhook_inbox (source, event_key, credentials_id, event, body)"
                " values ('bench', %s, 1, 'x', '')",
                [str(i)],
            )
        took = time.perf_counter() - started
        connection.execute("delete from ops.webhook_inbox")
    return took / number


def main() -> None:
    """Starts everything, measures, and leaves nothing behind."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--events", type=int, default=5_000)
    parser.add_argument("--seconds", type=float, default=1.0)
    arguments = parser.parse_args()
    home = Path(tempfile.mkdtemp(prefix="v2-bench-"))
    home.chmod(0o711)
    server = EmbeddedPostgres(home)
    receiver = None
    try:
        url = server.hold()
        with Database(url).connect(autocommit=True):
            migrate.upgrade(url)
        settings = load_settings(home=home, receiver_port=free_port(), fub_system_key=KEY)
        path = Addresses(secret_keys(settings)).path("fub", 1)
        environment = os.environ | {
            "V2_HOME": str(home),
            "V2_FUB_SYSTEM_KEY": KEY,
            "V2_RECEIVER_PORT": str(settings.receiver_port),
            "V2_RECEIVER_DATABASE_URL": receiver_url(settings, DatabaseUrls(url, url)),
        }
        alone = single_commits(Database(url))
        receiver = subprocess.Popen([sys.executable, "-m", "sensors.receiver"], env=environment)
        wait_until(lambda: _listens(settings.receiver_port), 120)
        waits, told, took = asyncio.run(
            burst(settings.receiver_port, requests_of(path, arguments.events), arguments.seconds)
        )
        with Database(url).connect() as connection:
            row = connection.execute("select count(*), count(distinct received_at) from ops.webhook_inbox").fetchone()
        waits.sort()
        print(
            json.dumps(
                {
                    "events": arguments.events,
                    "offered_s": arguments.seconds,
                    "took_s": round(took, 2),
                    "p50_ms": round(waits[len(waits) // 2] * 1000, 1),
                    "p99_ms": round(waits[int(len(waits) * 0.99) - 1] * 1000, 1),
                    "answers": told,
                    "stored": row[0] if row else None,
                    "commits": row[1] if row else None,
                    "ratio": round(alone * arguments.events / took, 2),
                }
            )
        )
    finally:
        if receiver is not None:
            receiver.terminate()
            receiver.wait(15)
        server.stop()
        shutil.rmtree(home, ignore_errors=True)


def _listens(port: int) -> bool:
    import socket

    try:
        with socket.create_connection(("127.0.0.1", port), timeout=1):
            return True
    except OSError:
        return False


if __name__ == "__main__":
    main()
