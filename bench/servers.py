"""How fast the sandbox serves: records a second over HTTP, and the server's own CPU time for them.

    python bench/servers.py [--seconds 5] [--floor 5000]

Starts the real process over the demo's world, reads pages of 100 contacts by token over one kept connection, then an
agent's deals with all details, and prints one JSON document. Exits 1 when a core serves fewer records than the floor.
"""

from __future__ import annotations

import argparse
import base64
import json
import subprocess
import sys
import tempfile
import time
from http.client import HTTPConnection
from pathlib import Path
from typing import Any

import psutil

ROOT = Path(__file__).parents[1]
MANY = 1_000_000


class Reader:
    """One kept connection; http.client, because a richer client would cost more than the server."""

    def __init__(self, port: int) -> None:
        self.connection = HTTPConnection("127.0.0.1", port)

    def raw(self, path: str, headers: dict[str, str]) -> bytes:
        """A body of a successful answer."""
        self.connection.request("GET", path, headers=headers)
        answer = self.connection.getresponse()
        body = answer.read()
        if answer.status != 200:
            raise RuntimeError(f"{path} answered {answer.status}")
        return body


def measure(reader: Reader, process: psutil.Process, seconds: float, one_round: Any) -> dict[str, float]:
    """Rounds until the time is over; a round returns (requests, records, bytes)."""
    requests = records = size = 0
    cpu, begin = sum(process.cpu_times()[:2]), time.perf_counter()
    while time.perf_counter() - begin < seconds:
        asked, got, length = one_round(reader)
        requests, records, size = requests + asked, records + got, size + length
    wall, used = time.perf_counter() - begin, sum(process.cpu_times()[:2]) - cpu
    return {
        "requests": requests,
        "records": records,
        "records_per_s": round(records / wall),
        "records_per_cpu_s": round(records / used),
        "requests_per_s": round(requests / wall),
        "megabytes_per_s": round(size / wall / 1e6, 1),
    }


def crm_round(headers: dict[str, str], query: str) -> Any:
    """A whole collection by token."""

    def one_round(reader: Reader) -> tuple[int, int, int]:
        requests = records = size = 0
        token = ""
        while True:
            body = reader.raw(f"/fub/v1/{query}&limit=100{token}", headers)
            # The envelope comes first; parsing the records would measure this process and not the server.
            metadata = json.loads(body[len(b'{"_metadata":') : body.index(b"}") + 1])
            requests, size = requests + 1, size + len(body)
            records += min(100, metadata["total"] - records)
            if not metadata.get("next"):
                return requests, records, size
            token = f"&next={metadata['next']}"

    return one_round


def deals_round(headers: dict[str, str], agent: str) -> Any:
    """An agent's closed deals, and each of them whole."""

    def one_round(reader: Reader) -> tuple[int, int, int]:
        base = "/rezen/arrakis/api/v1/transactions"
        page = f"{base}/participant/{agent}/transactions/CLOSED?pageNumber=0&pageSize=100"
        body = reader.raw(page, headers)
        ids = [row["id"] for row in json.loads(body)["transactions"]]
        size = len(body) + sum(len(reader.raw(f"{base}/{deal}", headers)) for deal in ids)
        return 1 + len(ids), len(ids), size

    return one_round


def main() -> int:
    """Measures and prints."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--seconds", type=float, default=5)
    parser.add_argument("--floor", type=int, default=5000, help="records a second that one core must serve")
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as home:
        command = [sys.executable, "-m", "sandbox", "--port", "0", "--home", home]
        with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, cwd=ROOT) as server:
            try:
                told = run(server, arguments.seconds)
            finally:
                server.terminate()
    print(json.dumps(told, indent=1))
    return 0 if told["people"]["records_per_cpu_s"] >= arguments.floor else 1


def run(server: subprocess.Popen[str], seconds: float) -> dict[str, Any]:
    """All measurements against a running process."""
    assert server.stdout
    begin = time.perf_counter()
    port = int(server.stdout.readline().split()[2].rpartition(":")[2])
    told: dict[str, Any] = {"start_s": round(time.perf_counter() - begin, 2)}
    process, reader = psutil.Process(server.pid), Reader(port)
    raise_limits = json.dumps({"global": MANY, "events": MANY}).encode()
    reader.connection.request("POST", "/_world/limits", raise_limits)
    reader.connection.getresponse().read()
    user = json.loads(reader.raw("/_world/credentials", {}))["users"][0]
    basic = base64.b64encode(f"{user['fub']['api_key']}:".encode()).decode()
    crm = {"Authorization": f"Basic {basic}", "X-System": "bench", "X-System-Key": "sandbox-system-key"}
    deals = {"X-API-KEY": user["rezen"]["api_key"]}
    every = "people?fields=allFields&includeTrash=true"
    rounds = {
        "people": crm_round(crm, every),
        "people_by_filter": crm_round(crm, f"{every}&updatedAfter=2020-01-01T00:00:00Z"),
        "calls": crm_round(crm, "calls?sort=-id"),
        "deals_one_by_one": deals_round(deals, user["rezen"]["account_id"]),
    }
    for name, one_round in rounds.items():
        told[name] = measure(reader, process, seconds, one_round)
    told["server_rss_mb"] = round(process.memory_info().rss / 1e6)
    return told


if __name__ == "__main__":
    sys.exit(main())
