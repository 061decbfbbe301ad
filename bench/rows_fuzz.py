"""20,000 of any questions over all users, endpoints, filters, sorts and cursors, either way: no foreign row.

Run from the project's root: `python -m bench.rows_fuzz [--requests 20000] [--seed N]`. It builds the tests' world
(`tests/api/world.py`) in a Postgres of its own, asks through the endpoints (`python -m v2_assets.api`, with their own
login), then sends the same kind of questions to Postgres as that login, with the application left out, and
statements of an attacker's own. It prints what was asked and answered, and exits 1 with the questions that found
another's row.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import httpx
import psycopg

from resources.embedded import DatabaseUrls, EmbeddedPostgres, api_url
from resources.processes import free_port, wait_until
from resources.settings import load_settings
from tests.api.fuzz import Fuzz
from tests.api.world import USERS, build
from v2_assets.api import tokens
from v2_assets.schema import migrate


def main() -> int:
    """Asks, prints, and leaves nothing running."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--requests", type=int, default=20_000)
    parser.add_argument("--seed", type=int, default=int(time.time()))
    arguments = parser.parse_args()
    home = Path(tempfile.mkdtemp(prefix="v2-bench-"))
    home.chmod(0o711)
    server = EmbeddedPostgres(home, fsync=False)
    process = None
    try:
        url = server.hold()
        migrate.upgrade(url)
        with psycopg.connect(url) as connection:
            world = build(connection)
            token_of = {user: tokens.create(connection, user, ["read"])[1] for user in USERS}
            fuzz = Fuzz.of(connection, world, token_of, arguments.seed)
        login, port = api_url(load_settings(home=home), DatabaseUrls(v2=url, dagster=url)), free_port()
        more = {"V2_API_DATABASE_URL": login, "V2_API_PORT": str(port), "V2_HOME": str(home)}
        more |= {"V2_API_REQUESTS_PER_MINUTE": "1000000", "V2_API_BURST": "1000000"}
        process = subprocess.Popen([sys.executable, "-m", "v2_assets.api"], env=os.environ | more)
        with httpx.Client(base_url=f"http://127.0.0.1:{port}", trust_env=False, timeout=60) as client:
            if not wait_until(lambda: _answers(client), 300):
                raise RuntimeError("the endpoints did not start")
            began = time.perf_counter()
            for _ in range(arguments.requests):
                fuzz.over_http(client)
            http_s = time.perf_counter() - began
        began = time.perf_counter()
        with psycopg.connect(login, autocommit=True) as connection:
            for _ in range(arguments.requests // 2):
                fuzz.in_sql(connection)
                fuzz.as_plain_sql(connection)
        told = {"seed": arguments.seed, **dict(sorted(fuzz.counts.items())), "foreign": len(fuzz.foreign),
                "http_s": round(http_s), "sql_s": round(time.perf_counter() - began)}  # fmt: skip
        print(json.dumps(told))
        for line in fuzz.foreign[:20]:
            print(line)
        return int(bool(fuzz.foreign))
    finally:
        if process is not None:
            process.terminate()
            process.wait(15)
        server.stop()
        shutil.rmtree(home, ignore_errors=True)


def _answers(client: httpx.Client) -> bool:
    try:
        return client.get("/health").status_code == 200
    except httpx.HTTPError:
        return False


if __name__ == "__main__":
    sys.exit(main())
