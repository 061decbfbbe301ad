"""What every endpoint reads at size: each filter, sort, search and way of paging, on millions of rows of many users.

Run from the project's root: `python -m bench.own_rows [--rows 2000000] [--users 335]`. It starts a Postgres, fills
every table that the endpoints read (`tests/api/crowd.py`; the rows are spread over the tables and the users), and asks
as `v2_api`, with a token, whatever can be asked, with the row counters of the transaction read around it. It
prints a line of JSON per endpoint: how many questions, the most rows of one table that one of them looked at, and the
slowest one in ms; at the end the worst of all. It exits 1 when a question looked at more than the caller's rows allow,
or than a team's where it names a team, whose number the index begins with.
"""

from __future__ import annotations

import argparse
import json
import math
import shutil
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path

import psycopg

from resources.embedded import EmbeddedPostgres
from tests.api.crowd import TEAMS, bound, fill, questions, read_by, with_many_rows
from v2_assets.api import pages, tokens
from v2_assets.api.asked import Parameters
from v2_assets.api.catalogue import CATALOGUE
from v2_assets.api.endpoint import Endpoint
from v2_assets.schema import migrate


def main() -> int:
    """Fills, asks, and leaves nothing running."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rows", type=int, default=2_000_000)
    parser.add_argument("--users", type=int, default=335)
    arguments = parser.parse_args()
    home = Path(tempfile.mkdtemp(prefix="v2-bench-"))
    home.chmod(0o711)
    server = EmbeddedPostgres(home, fsync=False)
    try:
        url = server.hold()
        migrate.upgrade(url)
        with psycopg.connect(url) as connection:
            return measure(connection, arguments.users, arguments.rows)
    finally:
        server.stop()
        shutil.rmtree(home, ignore_errors=True)


def measure(connection: psycopg.Connection, users: int, rows: int) -> int:
    """Prints the lines; 1 when a question scanned."""
    began = time.perf_counter()
    each = -(-rows // users // len(with_many_rows()))
    own = fill(connection, users, each)
    caller = users // 2
    hashed = tokens.hash_of(tokens.create(connection, caller, ["read"])[1])
    connection.commit()
    connection.autocommit = True
    connection.execute("vacuum analyze")
    connection.autocommit = False
    mine = {"id": str((caller - 1) * each + 1), "user_id": str(caller), "agent_id": str(1000 + caller)}
    filled = {"filled_s": round(time.perf_counter() - began), "rows": users * sum(own.values()), "own": each}
    print(json.dumps(filled), flush=True)
    connection.execute("select set_config('v2.token', %s, false)", [hashed])
    connection.commit()
    asked, failed, slowest = 0, 0, 0.0
    for endpoint in CATALOGUE:
        parameters, worst, most_ms, last, over = Parameters(endpoint), (0, ""), 0.0, asked, False
        for given in questions(endpoint, mine):
            question = pages.QUESTIONS[endpoint.kind](endpoint, parameters.read(given))
            for mode in ("force_custom_plan", "force_generic_plan"):
                with connection.transaction(force_rollback=True):
                    connection.execute(f"set local plan_cache_mode = {mode}".encode())
                    connection.execute("set local role v2_api")
                    at = time.perf_counter()
                    found = read_by(
                        connection, lambda q=question: connection.execute(q.statement, q.values, prepare=True)
                    )
                    took = (time.perf_counter() - at) * 1000
                asked += 1
                most_ms = max(most_ms, took)
                most = max(((n, f"{t} {given}") for t, n in found.items()), default=(0, ""))
                worst, over = max(worst, most), over or most[0] > allowed(endpoint, given, each, users)
        failed += over
        slowest = max(slowest, most_ms)
        line = {"endpoint": endpoint.path, "questions": asked - last, "most_rows": worst[0], "of": worst[1],
                "slowest_ms": round(most_ms, 1)}  # fmt: skip
        print(json.dumps(line), flush=True)
    print(json.dumps({"questions": asked, "endpoints_that_scan": failed, "slowest_ms": round(slowest, 1)}))
    return int(failed > 0)


def allowed(endpoint: Endpoint, given: Sequence[tuple[str, str]], each: int, users: int) -> int:
    """Rows of one table: the caller's a few times, a record's with each part, or those of the team that is named."""
    named = math.ceil(users / TEAMS) if "team_id" in dict(given) else 0
    return max(bound(each), 2 * each * max(named, len(endpoint.parts) + 2) + 200)


if __name__ == "__main__":
    sys.exit(main())
