"""The receiver on a real port over a real database, with the role that it has in an installation."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import orjson
import pytest
import uvicorn

from resources.encryption import secret_keys
from resources.postgres import Database
from resources.processes import free_port
from resources.settings import Settings, load_settings
from resources.webhooks import Addresses, fub_signature
from sensors.receiver.app import Receiver

KEY, PREVIOUS = "the-system-key", "the-key-before"


def as_receiver(url: str) -> str:
    """The URL with the receiver's role taken on."""
    return f"{url}{'&' if '?' in url else '?'}options=-c%20role%3Dv2_receiver"


@dataclass
class Running:
    """A receiver that runs, and how to speak to it."""

    settings: Settings
    database: Database
    port: int

    @property
    def addresses(self) -> Addresses:
        return Addresses(secret_keys(self.settings))

    def post(self, path: str, body: bytes, headers: Any = None, **more: Any) -> httpx.Response:
        with httpx.Client(trust_env=False, timeout=20) as client:
            return client.post(f"http://127.0.0.1:{self.port}{path}", content=body, headers=headers, **more)

    def fub(self, event: dict[str, Any] | bytes, *, key: str = KEY, credentials: int = 7) -> httpx.Response:
        body = event if isinstance(event, bytes) else orjson.dumps(event)
        path = self.addresses.path("fub", credentials)
        return self.post(path, body, {"FUB-Signature": fub_signature(key, body)})

    def stored(self) -> list[tuple[Any, ...]]:
        with self.database.connect() as connection:
            return connection.execute(
                "select source, credentials_id, event, body, state from ops.webhook_inbox order by id"
            ).fetchall()


@pytest.fixture
def receiver(database: Database, tmp_path: Path) -> Iterator[Running]:
    settings = load_settings(
        home=tmp_path,
        fub_system_key=KEY,
        fub_system_key_previous=PREVIOUS,
        receiver_largest_body=100_000,
        receiver_megabytes_per_day=1,
    )
    narrow = Database(as_receiver(database.url), connect_deadline_s=1)
    port = free_port()
    config = uvicorn.Config(Receiver(settings, narrow), port=port, log_level="critical", access_log=False)
    server = uvicorn.Server(config)
    thread = threading.Thread(target=server.run, daemon=True)
    thread.start()
    while not server.started and thread.is_alive():
        time.sleep(0.005)
    yield Running(settings, database, port)
    server.should_exit = True
    thread.join(10)


def fub_event(number: int = 1, **more: Any) -> dict[str, Any]:
    """An event as the guide shows it."""
    return {
        "eventId": f"7b0e6f52-3d0c-4b7f-9a51-{number:012d}",
        "eventCreated": "2031-02-11T08:41:31+00:00",
        "event": "peopleUpdated",
        "resourceIds": [number],
        "uri": f"https://api.followupboss.com/v1/people?id={number}",
        **more,
    }
