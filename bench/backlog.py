"""How fast a staged backlog drains: rows of the old systems' staging into reZEN's own, and from there into V2.

Run: `PYTHONPATH=. python -P bench/backlog.py [--rows 20000]`. It starts a Postgres of its own, writes generated deals
into one CSV file as an export of the old staging would, imports it as `v2 import v1 --staged` does, and prints JSON.
"""

from __future__ import annotations

import argparse
import asyncio
import csv
import json
import resource
import shutil
import tempfile
import time
from pathlib import Path

from resources.apis.xano.copies import FolderClient
from resources.embedded import EmbeddedPostgres
from resources.postgres import Database
from sandbox import World
from sandbox.world import Scale
from v2_assets.deals import units as deals
from v2_assets.identity import units as identity
from v2_assets.imports.backlog import stage_backlog, users_of
from v2_assets.order import work_in_order
from v2_assets.people import units as people
from v2_assets.reference import units as reference
from v2_assets.schema import migrate
from v2_assets.tables import merge_user


def main() -> None:
    """Prints rows, seconds for staging and merging, and the largest memory."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rows", type=int, default=20_000)
    rows = parser.parse_args().rows
    home = Path(tempfile.mkdtemp(prefix="v2-bench-"))
    home.chmod(0o711)
    server = EmbeddedPostgres(home)
    try:
        server.hold()
        _measure(Database(server.url("postgres")), home / "files", rows)
    finally:
        server.stop()
        shutil.rmtree(home, ignore_errors=True)


def _measure(database: Database, folder: Path, rows: int) -> None:
    migrate.upgrade(database.url)
    _write(folder, rows)
    with database.connect() as connection:
        connection.execute("""insert into v2."user" (id, email) values (1, 'bench@example.test')""")
    started = time.monotonic()
    told = asyncio.run(stage_backlog(database, FolderClient(folder), "transactions", 1, "xano/1/1", "bench"))
    staged = time.monotonic()
    for user in users_of(database, "bench"):
        _merge(database, user)
    merged = time.monotonic()
    with database.connect() as connection:
        fates = connection.execute(
            "select status, count(*) from staging.stage_rezen_transactions group by 1"
        ).fetchall()
        people = connection.execute("select count(*) from v2.participant").fetchone() or (0,)
    print(
        json.dumps(
            {
                "rows": told.rows,
                "stage_s": round(staged - started, 1),
                "merge_s": round(merged - staged, 1),
                "fates": dict(fates),
                "participants": people[0],
                "rss_mb": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024,
            }
        )
    )


def _merge(database: Database, user: int) -> None:
    """The domains that a backlog of deals is merged by; the others have nothing to do."""
    for work in work_in_order((reference, identity, people, deals)):
        merge_user(database, work, user, "bench")


def _write(folder: Path, rows: int) -> None:
    folder.mkdir()
    sales = [deal for deal in World(3, Scale(people=20, deals=600)).brokerage.deals.values() if not deal["listing"]]
    with (folder / "stage_transactions_rezen.csv").open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(("id", "user_id", "payload"))
        for number in range(rows):
            deal = {k: v for k, v in sales[number % len(sales)].items() if not k.startswith("_")}
            writer.writerow((number + 1, 1, json.dumps({**deal, "id": f"{deal['id']}-{number}"})))


if __name__ == "__main__":
    main()
