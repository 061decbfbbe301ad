"""The receiver as a process: everything it answered with 200 is in the table, whenever it is stopped."""

from __future__ import annotations

import asyncio
import os
import subprocess
import sys
from pathlib import Path

import httpx
import orjson
import pytest

from resources.encryption import secret_keys
from resources.postgres import Database
from resources.processes import free_port, wait_until
from resources.settings import load_settings
from resources.webhooks import Addresses, fub_signature
from tests.receiver.conftest import KEY, as_receiver, fub_event


def started(home: Path, port: int, url: str) -> subprocess.Popen[bytes]:
    environment = os.environ | {
        "V2_HOME": str(home),
        "V2_FUB_SYSTEM_KEY": KEY,
        "V2_RECEIVER_PORT": str(port),
        "V2_RECEIVER_DATABASE_URL": as_receiver(url),
    }
    process = subprocess.Popen([sys.executable, "-m", "sensors.receiver"], env=environment)

    def ready() -> bool:
        try:
            return httpx.get(f"http://127.0.0.1:{port}/ready", trust_env=False).status_code == 200
        except httpx.HTTPError:
            return False

    assert wait_until(ready, 120)
    return process


@pytest.mark.parametrize("how", ["terminate", "kill"])
def test_a_receiver_that_ends_in_a_burst_has_stored_all_that_it_acknowledged(
    database: Database, tmp_path: Path, how: str
) -> None:
    port = free_port()
    path = Addresses(secret_keys(load_settings(home=tmp_path))).path("fub", 7)
    process = started(tmp_path, port, database.url)
    acknowledged: list[int] = []

    async def burst() -> None:
        async with httpx.AsyncClient(trust_env=False, timeout=20) as client:

            async def one(number: int) -> None:
                body = orjson.dumps(fub_event(number))
                headers = {"FUB-Signature": fub_signature(KEY, body)}
                try:
                    answer = await client.post(f"http://127.0.0.1:{port}{path}", content=body, headers=headers)
                except httpx.HTTPError:
                    return
                if answer.status_code == 200:
                    acknowledged.append(number)
                    if len(acknowledged) == 100:
                        getattr(process, how)()

            await asyncio.gather(*(one(n) for n in range(500)))

    try:
        asyncio.run(burst())
        process.wait(20)
    finally:
        process.kill()
    with database.connect() as connection:
        rows = connection.execute("select convert_from(body, 'utf8')::jsonb from ops.webhook_inbox").fetchall()
    assert len(acknowledged) >= 100
    assert set(acknowledged) <= {row[0]["resourceIds"][0] for row in rows}
