"""A flood of bad tokens, of one good token, and of slow clients: what another user and the pipelines notice of it.

Run from the project's root: `python -m bench.floods [--seconds 10] [--rows 300000]`. It starts a Postgres, fills it
(`tests/api/crowd.py`, and one user with `--rows` events), starts the endpoints with an installation's settings, and
measures two victims all the while: another user, who asks for a page five times a second, and a pipeline, which writes
a batch of staged records as often, with its own login. First while it is quiet, then under each flood, then quiet
again. It prints a line of JSON per phase: p50 and p95 of both in ms, the ratio of the p95 to that of the two quiet
phases, what the flood was answered, and the connections that the endpoints held at most. It exits 1 when a ratio is
above 2. Floods come from a process of their own, at a lower priority: what they cost the machine is the attacker's
CPU elsewhere.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import multiprocessing
import os
import secrets
import shutil
import socket
import subprocess
import sys
import tempfile
import threading
import time
from collections import Counter
from collections.abc import Callable
from multiprocessing.synchronize import Event
from pathlib import Path
from typing import Any

import httpx
import psycopg

from resources.embedded import DatabaseUrls, EmbeddedPostgres, api_url
from resources.processes import free_port, wait_until
from resources.settings import load_settings
from tests.api.crowd import fill
from v2_assets.api import tokens
from v2_assets.schema import migrate

USERS, EACH, ATTACKER, VICTIM = 200, 100, 5, 77
PAUSE_S = 0.2


def main() -> int:
    """Measures, and leaves nothing running."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=float, default=10.0)
    parser.add_argument("--rows", type=int, default=300_000)
    arguments = parser.parse_args()
    home = Path(tempfile.mkdtemp(prefix="v2-bench-"))
    home.chmod(0o711)
    server = EmbeddedPostgres(home, fsync=False)
    process = None
    try:
        url = server.hold()
        migrate.upgrade(url)
        bad, good = _fill(url, arguments.rows)
        login, port = api_url(load_settings(home=home), DatabaseUrls(v2=url, dagster=url)), free_port()
        more = {"V2_API_DATABASE_URL": login, "V2_API_PORT": str(port), "V2_HOME": str(home)}
        process = subprocess.Popen([sys.executable, "-m", "v2_assets.api"], env=os.environ | more)
        base = f"http://127.0.0.1:{port}"
        if not wait_until(lambda: _answers(base), 120):
            raise RuntimeError("the endpoints did not start")
        return measure(base, url, bad, good, arguments.seconds)
    finally:
        if process is not None:
            process.terminate()
            process.wait(15)
        server.stop()
        shutil.rmtree(home, ignore_errors=True)


def _fill(url: str, rows: int) -> tuple[str, str]:
    """The crowd, and the attacker's many events. Returns the tokens of attacker and victim."""
    with psycopg.connect(url) as connection:
        fill(connection, USERS, EACH)
        connection.execute(
            "insert into v2.fub_events (fub_account_id, fub_events_id, source, fub_people_id, people_name, message,"
            " occurred) select 1, 900000000 + g, 'crowd', %s, 'name ' || g, repeat('m', 200),"
            " now() - g * interval '1 second' from generate_series(1, %s) g",
            [(ATTACKER - 1) * EACH + 1, rows],
        )
        made = [tokens.create(connection, user, ["read", "tasks"])[1] for user in (ATTACKER, VICTIM)]
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute("vacuum analyze")
    return made[0], made[1]


def measure(base: str, url: str, bad: str, good: str, seconds: float) -> int:
    """Prints a line per phase; 1 when a victim waited more than twice as long as in quiet."""
    phases: list[tuple[str, Callable[..., None] | None]] = [
        ("quiet", None),
        ("bad tokens", bad_tokens),
        ("one good token", one_token),
        ("slow clients", slow_clients),
        ("quiet again", None),
    ]
    lines = [_phase(name, flood, base, url, bad, good, seconds) for name, flood in phases]
    failed = False
    for line in lines:
        for who in ("user", "pipeline"):
            quiet = (lines[0][f"{who}_p95_ms"] + lines[-1][f"{who}_p95_ms"]) / 2
            line[f"{who}_ratio"] = round(line[f"{who}_p95_ms"] / quiet, 2)
            failed = failed or line[f"{who}_ratio"] > 2
        print(json.dumps(line), flush=True)
    return int(failed)


def _phase(
    name: str, flood: Callable[..., None] | None, base: str, url: str, bad: str, good: str, seconds: float
) -> dict[str, Any]:
    context = multiprocessing.get_context("spawn")
    stop, begun, told = context.Event(), context.Event(), context.Queue()
    attacker = None
    if flood is not None:
        attacker = context.Process(target=_attack, args=(flood, base, bad, begun, stop, told))
        attacker.start()
        begun.wait(120)
        time.sleep(2)
    most, ended = [0], threading.Event()
    watcher = threading.Thread(target=_watch, args=(url, most, ended))
    watcher.start()
    waits: dict[str, list[float]] = {"user": [], "pipeline": []}
    refused = Counter[int]()
    headers = {"Authorization": f"Bearer {good}"}
    with (
        httpx.Client(base_url=base, headers=headers, trust_env=False, timeout=60) as client,
        psycopg.connect(url, autocommit=True) as connection,
    ):
        connection.execute("set role v2_writer")
        until = time.perf_counter() + seconds
        while time.perf_counter() < until:
            at = time.perf_counter()
            refused[client.get("/transactions/all").status_code] += 1
            waits["user"].append(time.perf_counter() - at)
            at = time.perf_counter()
            _write(connection)
            waits["pipeline"].append(time.perf_counter() - at)
            time.sleep(PAUSE_S)
    stop.set()
    answers = told.get(timeout=120) if attacker else {}
    if attacker:
        attacker.join(60)
    ended.set()
    watcher.join()
    line: dict[str, Any] = {"phase": name, "asked": len(waits["user"])}
    for who, times in waits.items():
        times.sort()
        line |= {f"{who}_p50_ms": round(times[len(times) // 2] * 1000, 1),
                 f"{who}_p95_ms": round(times[int(len(times) * 0.95)] * 1000, 1)}  # fmt: skip
    return line | {"user_answers": dict(refused), "flood_answers": answers, "connections": most[0]}


def _write(connection: psycopg.Connection[Any]) -> None:
    """A batch of records, as a pass stores them: staged with their payloads, and looked at."""
    with connection.transaction():
        connection.execute(
            "insert into staging.stage_fub_events (user_id, account_ref, source_id, payload, payload_hash,"
            " fetched_at, run_id) select %s, 'fub/1/1', 'b' || g, jsonb_build_object('id', g, 'message',"
            " repeat('m', 200)), '\\x01', now(), 'bench'"
            " from generate_series(1, 500) g on conflict do nothing", [VICTIM]
        )  # fmt: skip
        connection.execute("delete from staging.stage_fub_events where user_id = %s", [VICTIM])


def _watch(url: str, most: list[int], ended: threading.Event) -> None:
    with psycopg.connect(url, autocommit=True) as connection:
        while not ended.wait(0.1):
            rows = connection.execute("select count(*) from pg_stat_activity where usename = 'v2_api_login'").fetchall()
            most[0] = max(most[0], rows[0][0])


def _attack(flood: Callable[..., None], base: str, token: str, begun: Event, stop: Event, told: Any) -> None:
    os.nice(15)
    begun.set()
    answers: Counter[str] = Counter()
    flood(base, token, stop, answers)
    told.put(dict(answers))


def bad_tokens(base: str, _token: str, stop: Event, answers: Counter[str]) -> None:
    """60 at a time, half of them for tasks, each with a token of its own."""

    def request() -> tuple[str, str, dict[str, str]]:
        headers = {"Authorization": "Bearer v2_" + secrets.token_urlsafe(32), "Idempotency-Key": "k"}
        return ("POST", "/tasks/merge", headers) if secrets.randbelow(2) else ("GET", "/leads/fub_people", headers)

    asyncio.run(_flood(base, request, stop, answers))


def one_token(base: str, token: str, stop: Event, answers: Counter[str]) -> None:
    """60 at a time of the dearest question: a text that is nowhere, sought in all events of the user."""
    headers = {"Authorization": f"Bearer {token}"}
    asyncio.run(_flood(base, lambda: ("GET", "/fub/events?search=zz&totals=exact", headers), stop, answers))


async def _flood(
    base: str, request: Callable[[], tuple[str, str, dict[str, str]]], stop: Event, answers: Counter[str]
) -> None:
    limits = httpx.Limits(max_connections=60)
    async with httpx.AsyncClient(base_url=base, timeout=60, trust_env=False, limits=limits) as client:

        async def one() -> None:
            while not stop.is_set():
                method, path, headers = request()
                try:
                    answer = await client.request(method, path, headers=headers)
                    answers[str(answer.status_code)] += 1
                except httpx.HTTPError as error:
                    answers[type(error).__name__] += 1

        await asyncio.gather(*(one() for _ in range(60)))


def slow_clients(base: str, _token: str, stop: Event, answers: Counter[str]) -> None:
    """900 connections that begin a request and send a letter now and then; those that are closed come again."""
    url = httpx.URL(base)
    place, begin = (url.host, url.port or 0), b"GET /transactions/all HTTP/1.1\r\nHost: a\r\nX-Slow: "
    held: list[socket.socket] = []
    while not stop.is_set():
        while len(held) < 900:
            connection = socket.create_connection(place)
            connection.sendall(begin)
            held.append(connection)
        answers["most held"] = max(answers["most held"], len(held))
        for connection in held[:]:
            try:
                connection.sendall(b"a")
            except OSError:
                answers["closed on them"] += 1
                held.remove(connection)
        time.sleep(1)
    for connection in held:
        connection.close()


def _answers(base: str) -> bool:
    try:
        return httpx.get(f"{base}/health", trust_env=False).status_code == 200
    except httpx.HTTPError:
        return False


if __name__ == "__main__":
    sys.exit(main())
