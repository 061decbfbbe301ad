"""The share of the documented rate that a backfill uses, and its 429s: one process, then two on one account.

Run: `python bench/budget.py [--seconds 30] [--context global|events]`. It starts a Postgres and a sandbox of its own,
lets whole processes ask as fast as the shared budget permits, and prints a line of JSON for each number of processes.
The sandbox keeps the documented limits (a sliding window of 10 s); a ratio of 1 would be every call that it allows.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from pydantic import SecretStr

from resources.apis.fub import FubClient
from resources.embedded import EmbeddedPostgres
from resources.errors import V2Error
from resources.http.budget import PostgresBudget
from resources.postgres import Database
from resources.reading import ReadRequest
from sandbox import World, serve
from sandbox.limits import DOCUMENTED, WINDOW_S
from sandbox.world import Scale
from v2_assets.schema import migrate

AT_ONCE = 8
ENTITY = {"global": "groups", "events": "events"}


async def work(url: str, fub_url: str, key: str, account: str, context: str, seconds: float) -> dict[str, float]:
    """One process of a backfill: asks for small lists until time is up."""
    answered = refused = 0
    async with Database(url).async_pool(3, 3) as pool:
        client = FubClient(
            api_key=SecretStr(key),
            account_id=account,
            base_url=fub_url,
            system="bench",
            system_key=SecretStr("sandbox-system-key"),
            budget=PostgresBudget(pool),
        )
        started = time.monotonic()

        async def ask() -> None:
            nonlocal answered, refused
            while time.monotonic() - started < seconds:
                try:
                    async for _ in client.read(ENTITY[context], ReadRequest(priority="backfill")):
                        answered += 1
                except V2Error:
                    refused += 1

        async with client:
            await asyncio.gather(*(ask() for _ in range(AT_ONCE)))
        return {"pages": answered, "failed": refused, "seconds": time.monotonic() - started}


def measure(url: str, processes: int, context: str, seconds: float) -> dict[str, object]:
    """Runs some processes against a fresh sandbox and compares with what its limits allow."""
    with serve(World(7, Scale(people=200, deals=20))) as sandbox:
        user = sandbox.world.users[0]
        arguments = [url, sandbox.fub_url, user.fub_key, str(user.fub_account), context, str(seconds)]
        with Database(url).connect() as connection:
            connection.execute("truncate ops.api_budget")
        running = [
            subprocess.Popen([sys.executable, __file__, "--worker", *arguments], stdout=subprocess.PIPE)
            for _ in range(processes)
        ]
        told = [json.loads(process.communicate()[0]) for process in running]
        good, slow = (sandbox.requests.total(r"/fub/v1/", status=status) for status in (200, 429))
    spent = max(t["seconds"] for t in told)
    allowed = DOCUMENTED[context][0] / WINDOW_S * spent
    return {
        "context": context,
        "processes": processes,
        "seconds": round(spent, 1),
        "answers_200": good,
        "answers_429": slow,
        "of_allowed_rate": round(good / allowed, 3),
        "failed": sum(t["failed"] for t in told),
    }


def main() -> int:
    """Prints the lines; 1 if a 429 was met or less than nine tenths of the rate was used."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--seconds", type=float, default=30)
    parser.add_argument("--context", choices=sorted(ENTITY), default="global")
    options = parser.parse_args()
    home = Path(tempfile.mkdtemp(prefix="v2-bench-"))
    home.chmod(0o711)  # when root starts it, the server runs as another account that has to pass here
    server = EmbeddedPostgres(home)
    good = True
    try:
        server.hold()
        with Database(server.url("postgres")).connect(autocommit=True) as connection:
            connection.execute("create database bench")
        migrate.upgrade(server.url("bench"))
        for processes in (1, 2):
            result = measure(server.url("bench"), processes, options.context, options.seconds)
            good = good and result["answers_429"] == 0 and float(str(result["of_allowed_rate"])) >= 0.9
            print(json.dumps(result), flush=True)
    finally:
        server.stop()
        shutil.rmtree(home, ignore_errors=True)
    return 0 if good else 1


if __name__ == "__main__":
    if sys.argv[1:2] == ["--worker"]:
        *texts, duration = sys.argv[2:]
        print(json.dumps(asyncio.run(work(*texts, seconds=float(duration)))))
    else:
        sys.exit(main())
