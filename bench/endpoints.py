"""Pages of the 1.7-million-row table with 20 clients at once: how long each waits, against the same page as plain SQL.

Run: `python bench/endpoints.py [--rows 1700000] [--clients 20] [--seconds 5] [--home FOLDER]`. It starts a Postgres,
fills `fub_people`, starts the endpoints as a process of their own (`python -m v2_assets.api`), and lets the clients ask
for one kind of page after the other over kept connections, each as fast as it is answered. It prints a line of JSON per
kind: p50, p95 and p99 in ms, requests a second, and the ratio of the p95 to that of as many clients who ask Postgres
itself for the page of that owner, as the tables' owner and without row-level security. Then the CPU that a request
takes in the application, in Postgres and in the client, in ms, and the share of the machine's CPU that the three had:
where that is much below 1, other work was measured too. With --home the database is kept there and found again.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import shutil
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Awaitable, Callable
from contextlib import suppress
from pathlib import Path

import orjson
import psutil
import psycopg
import uvloop

from resources.embedded import DatabaseUrls, EmbeddedPostgres, api_url
from resources.postgres import Database
from resources.processes import free_port, wait_until
from resources.settings import load_settings
from v2_assets.api import tokens
from v2_assets.schema import migrate

USERS, ACCOUNTS, TEAM = 335, 16, 40
#: Sizes fall like 1/n: the largest owner has a sixth of all rows, the smallest some 800.
_FILL = """
insert into v2.team (team_id_raw, source) values ('t', 'bench');
insert into v2."user" (id, email, team_id)
select n, 'user' || n || '@example.com', case when n <= %(team)s then (select id from v2.team) end
from generate_series(1, %(users)s) n;
insert into v2.user_roles (user_id, is_account_admin, team_id) select 2, true, id from v2.team;
insert into v2.fub_accounts (account_id_raw, source) select n, 'bench' from generate_series(1, %(accounts)s) n;
insert into v2.fub_stages (fub_account_id, fub_stage_id_raw, name, source)
select a.id, s, 'Stage ' || s, 'bench' from v2.fub_accounts a, generate_series(1, 12) s;
create temporary table owners as
select n::bigint as user_id, (select min(id) from v2.fub_accounts) + n %% %(accounts)s as account,
  (%(rows)s / n / 6.4)::bigint as many from generate_series(1, %(users)s) n;
insert into v2.fub_people (fub_account_id, fub_people_id_raw, people_name, first_name, last_name, type, email, phone,
  emails, phones, addresses, stage_name, source_name, created_via, price, contacted, claimed, last_activity, tags,
  fub_created_at, fub_updated_at, user_id, source)
select o.account, o.user_id * 10000000 + n, f || ' ' || l, f, l, 'Buyer', lower(f || '.' || l || n || '@example.com'),
  '+1555' || lpad((n * 7919 %% 10000000)::text, 7, '0'), jsonb_build_array(jsonb_build_object('value', f)),
  jsonb_build_array(jsonb_build_object('value', n)), '[]', 'Stage ' || n %% 12 + 1, 'Web site', 'API', n %% 900 * 1000,
  n %% 3 = 0, n %% 5 = 0, now() - n %% 400 * interval '1 day', array['tag' || n %% 50, 'bench'],
  case when n %% 500 <> 0 then now() - (n * 7919 %% 60000000) * interval '1 second' end, now(), o.user_id, 'bench'
from owners o cross join lateral generate_series(1, o.many) n
cross join lateral (select
  (array['Ana','Ben','Carla','Dmitri','Elif','Femi','Grace','Hugo','Ines','Jamal'])[n %% 10 + 1] as f,
  (array['Abel','Brown','Costa','Dahl','Evans','Fischer','Garcia','Haas'])[n %% 8 + 1] || n %% 4000 as l) names;
"""
_RAW = """
select row_to_json(t)::text from (select * from v2.fub_people where user_id = %s and deleted_at is null
and fub_created_at is not null order by fub_created_at desc nulls first, id desc limit 51) t
"""


def fill(url: str, rows: int) -> None:
    """The users, the accounts and their contacts."""
    with Database(url, statement_timeout_s=3600).connect() as connection:
        numbers = {"rows": rows, "users": USERS, "accounts": ACCOUNTS, "team": TEAM}
        for statement in _FILL.split(";"):
            if statement.strip():
                connection.execute(statement.encode(), numbers)
    with Database(url, statement_timeout_s=3600).connect(autocommit=True) as connection:
        connection.execute("vacuum analyze")


class Client(asyncio.Protocol):
    """One kept connection that asks and waits; no more of HTTP than that, since its CPU is the machine's too."""

    def __init__(self, port: int, token: str) -> None:
        self._port = port
        self._head = f"HTTP/1.1\r\nHost: 127.0.0.1\r\nAuthorization: Bearer {token}\r\n\r\n"

    async def __aenter__(self) -> Client:
        self._transport, _ = await asyncio.get_running_loop().create_connection(lambda: self, "127.0.0.1", self._port)
        return self

    async def __aexit__(self, *_: object) -> None:
        self._transport.close()

    async def get(self, path: str) -> bytes:
        self._parts: list[bytes] = []
        self._missing = -1  # until the head has come
        self._answered = asyncio.get_running_loop().create_future()
        self._transport.write(f"GET {path} {self._head}".encode())
        await self._answered
        head, _, body = b"".join(self._parts).partition(b"\r\n\r\n")
        if head[9:12] != b"200":
            raise RuntimeError(f"{path}: {head[9:12].decode()} {body[:300].decode()}")
        return body

    def data_received(self, data: bytes) -> None:
        self._parts.append(data)
        if self._missing < 0:
            head, end, body = b"".join(self._parts).partition(b"\r\n\r\n")
            if not end:
                return
            self._missing = int(head.lower().partition(b"content-length:")[2].partition(b"\r\n")[0]) - len(body)
        else:
            self._missing -= len(data)
        if self._missing == 0:
            self._answered.set_result(None)

    def connection_lost(self, exc: Exception | None) -> None:
        if not self._answered.done():
            self._answered.set_exception(exc or ConnectionError("the endpoints closed the connection"))


async def timed(workers: list[Callable[[], Awaitable[object]]], seconds: float) -> tuple[list[float], float]:
    """Each worker goes on for that long; the seconds of each call, and how many calls a second."""
    waits: list[float] = []
    until = time.perf_counter() + seconds

    async def work(call: Callable[[], Awaitable[object]]) -> None:
        while (began := time.perf_counter()) < until:
            await call()
            waits.append(time.perf_counter() - began)

    await asyncio.gather(*(work(worker) for worker in workers))
    return sorted(waits), len(waits) / seconds


def cpu_of(processes: list[psutil.Process]) -> float:
    """Seconds of CPU that these processes have used, their children included."""
    used = 0.0
    for process in processes:
        for each in (process, *process.children(recursive=True)):
            with suppress(psutil.Error):
                used += sum(each.cpu_times()[:2])
    return used


def p(waits: list[float], share: float) -> float:
    return round(waits[int(len(waits) * share)] * 1000, 1)


async def measure(
    port: int,
    url: str,
    kinds: dict[str, tuple[str, str, int]],
    clients: int,
    seconds: float,
    parts: dict[str, psutil.Process],
) -> None:
    """Prints a line for each kind: (token, path, owner). `parts` are the processes whose CPU is told."""
    for kind, (token, path, owner) in kinds.items():
        connections = [Client(port, token) for _ in range(clients)]
        for client in connections:
            await client.__aenter__()
        received = len(orjson.loads(await connections[0].get(path))["items"])
        for client in connections:
            await client.get(path)
        before = {name: cpu_of([process]) for name, process in parts.items()}
        mine = time.process_time()
        waits, rate = await timed([lambda c=client, w=path: c.get(w) for client in connections], seconds)
        cpu = {name: (cpu_of([process]) - before[name]) / len(waits) for name, process in parts.items()}
        cpu["client"] = (time.process_time() - mine) / len(waits)
        for client in connections:
            await client.__aexit__()
        raw = [await psycopg.AsyncConnection.connect(url, autocommit=True) for _ in range(clients)]

        async def ask(connection: psycopg.AsyncConnection, who: int = owner) -> None:
            cursor = await connection.execute(_RAW.encode(), [who], prepare=True)
            await cursor.fetchall()

        plain, _ = await timed([lambda c=connection: ask(c) for connection in raw], seconds / 2)
        for connection in raw:
            await connection.close()
        line = {
            "kind": kind,
            "rows": received,
            "p50_ms": p(waits, 0.5),
            "p95_ms": p(waits, 0.95),
            "p99_ms": p(waits, 0.99),
            "per_s": round(rate),
            "raw_p95_ms": p(plain, 0.95),
            "ratio": round(p(waits, 0.95) / p(plain, 0.95), 2),
            **{f"{name}_cpu_ms": round(used * 1000, 2) for name, used in cpu.items()},
            "cpu_share": round(sum(cpu.values()) * rate / (psutil.cpu_count() or 1), 2),
        }
        print(json.dumps(line), flush=True)


async def kinds_of(port: int, rows: int, largest: str, small: str, admin: str) -> dict[str, tuple[str, str, int]]:
    """What is asked for; the deep cursor is found by walking pages until half of the owner's rows are behind."""
    people = "/leads/fub_people"

    async def deep(token: str, pages: int) -> str:
        async with Client(port, token) as client:
            after = ""
            for _ in range(pages):
                page = orjson.loads(await client.get(f"{people}?per_page=200{after}"))
                after = f"&cursor={page['nextCursor']}"
            return after

    return {
        "first page": (largest, people, 1),
        "page 100": (largest, f"{people}?page=100", 1),
        "deep, by cursor": (largest, f"{people}?per_page=50{await deep(largest, rows // 2600)}", 1),
        "by id": (largest, f"{people}?sort=id", 1),
        "filtered": (largest, f"{people}?stage_name=Stage%203&claimed=true", 1),
        "searched": (largest, f"{people}?search=costa2010", 1),
        "searched, thousands found": (largest, f"{people}?search=grace.costa2", 1),
        "small owner": (small, people, USERS),
        "admin of 40 users": (admin, people, 2),
        "admin, deep": (admin, f"{people}?per_page=50{await deep(admin, rows // 5200)}", 2),
    }


def main() -> None:
    """Starts everything, measures, and leaves nothing running."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rows", type=int, default=1_700_000)
    parser.add_argument("--clients", type=int, default=20)
    parser.add_argument("--seconds", type=float, default=5.0)
    parser.add_argument("--home", type=Path)
    parser.add_argument("--only", help="kinds of pages to measure, by the beginning of their names; all without it")
    arguments = parser.parse_args()
    home = arguments.home or Path(tempfile.mkdtemp(prefix="v2-bench-"))
    home.mkdir(parents=True, exist_ok=True)
    home.chmod(0o711)
    server = EmbeddedPostgres(home)
    process = None
    try:
        url = server.hold()
        migrate.upgrade(url)
        with Database(url).connect() as connection:
            filled = connection.execute("select exists (select from v2.fub_people)").fetchone() == (True,)
        if not filled:
            began = time.perf_counter()
            fill(url, arguments.rows)
            print(json.dumps({"filled_s": round(time.perf_counter() - began)}), flush=True)
        with Database(url).connect() as connection:
            made = [tokens.create(connection, user, ["read"])[1] for user in (1, USERS, 2)]
        port = free_port()
        environment = os.environ | {
            "V2_HOME": str(home),
            "V2_API_PORT": str(port),
            "V2_API_DATABASE_URL": api_url(load_settings(home=home), DatabaseUrls(v2=url, dagster=url)),
            "V2_API_REQUESTS_PER_MINUTE": "1000000",
            "V2_API_BURST": "1000000",
        }
        process = subprocess.Popen([sys.executable, "-m", "v2_assets.api"], env=environment)

        async def all_of_it() -> None:
            kinds = await kinds_of(port, arguments.rows, *made)
            postgres = psutil.Process(server.status().pid)
            parts = {"api": psutil.Process(process.pid), "postgres": postgres}
            chosen = {kind: told for kind, told in kinds.items() if kind.startswith(arguments.only or "")}
            await measure(port, url, chosen, arguments.clients, arguments.seconds, parts)

        if not wait_until(lambda: _listens(port), 120):
            raise RuntimeError("the endpoints did not start")
        uvloop.run(all_of_it())
    finally:
        if process is not None:
            process.terminate()
            process.wait(15)
        server.stop()
        if arguments.home is None:
            shutil.rmtree(home, ignore_errors=True)


def _listens(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


if __name__ == "__main__":
    main()
