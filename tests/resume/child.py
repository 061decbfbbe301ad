"""What the resume test kills: a process that reads one stream of one user, as a run's process does."""

from __future__ import annotations

import asyncio
import sys
from pathlib import Path

from resources.postgres import Database
from resources.settings import load_settings
from v2_assets.staging.streams import stream
from v2_assets.staging.sync import SyncOptions
from v2_assets.staging.users import sync_users
from v2_assets.users import load_users


def main(database_url: str, fub_url: str, home: str, user: str) -> None:
    """Reads the user's contacts; exits 1 when the pass failed."""
    database = Database(database_url)
    settings = load_settings(
        home=Path(home), fub_base_url=fub_url, fub_system_key="sandbox-system-key", fub_limit_per_system=100_000
    )
    with database.connect() as connection:
        contexts = load_users(connection, [int(user)])
    options = SyncOptions(priority="backfill")
    outcomes = asyncio.run(sync_users(database, settings, stream("fub", "people"), contexts, "child", options))
    sys.exit(0 if all(o.outcome == "synced" for o in outcomes.values()) else 1)


if __name__ == "__main__":
    main(*sys.argv[1:])
