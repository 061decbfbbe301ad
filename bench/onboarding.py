"""From a new key to the first rows: how long a new user waits, beside users who are there already.

Run: `python bench/onboarding.py [--users 5] [--rounds 3]`. It starts the whole platform (Postgres, sandbox, Dagster,
receiver, monitor, the usual schedules) in a folder of its own, onboards all users but the last few, and enters those
one after the other, each with all keys. It prints a line of JSON: for every round the seconds from the keys to

  run       the first of the user's runs works
  rows      the first record that changed within a week is in V2
  complete  all of the user's jobs have ended well
"""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
import time
from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path
from typing import Any

from resources.embedded import ensure_databases
from resources.postgres import Database
from sandbox.sinks import http_sink, smtp_sink
from v2_assets.cli.day import day_settings, scale
from v2_assets.cli.demo import CRM_CALLS, Demo, merged, onboarded
from v2_assets.cli.sandbox_users import credentials_of, enter_users, raise_limit
from v2_assets.platform import Platform

PATIENCE_S = 600.0
LOOK_EVERY_S = 0.2
_RUN = "select exists (select from ops.onboarding_job where user_id = %s and started_at is not null)"
_ROWS = """
select exists (
  select from staging.stage_fub_people where user_id = %(user)s and status in ('processed', 'duplicate')
    and source_updated_at > now() - interval '7 days'
  union all
  select from staging.stage_rezen_transactions where user_id = %(user)s and status in ('processed', 'duplicate')
    and source_updated_at > now() - interval '7 days')
"""
_COMPLETE = """
select count(*) > 0 and bool_and(status = 'Complete') from ops.onboarding_job where user_id = %s
"""


def entered(database: Database, enter: Callable[[], int]) -> dict[str, float]:
    """Enters a user and watches. Raises SystemExit when nothing comes for ten minutes.

    A user of whom the world has neither a contact nor a deal of this week has no `rows`.
    """
    began, user = time.monotonic(), enter()
    found: dict[str, float] = {}
    with database.connect(autocommit=True) as connection:
        while "complete" not in found:
            for name, query, values in (
                ("run", _RUN, [user]),
                ("rows", _ROWS, {"user": user}),
                ("complete", _COMPLETE, [user]),
            ):
                if name not in found and (connection.execute(query, values).fetchone() or (False,))[0]:
                    found[name] = round(time.monotonic() - began, 1)
            if time.monotonic() - began > PATIENCE_S:
                raise SystemExit(f"only {found} after {PATIENCE_S:.0f} s")
            time.sleep(LOOK_EVERY_S)
    return found


def main() -> None:
    """Starts everything, measures, and leaves nothing behind."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--users", type=int, default=5, help="how many are there before")
    parser.add_argument("--rounds", type=int, default=3, help="how many are entered then, one after the other")
    arguments = parser.parse_args()
    with ExitStack() as stack:
        home = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="v2-bench-")))
        home.chmod(0o711)
        sinks = (stack.enter_context(smtp_sink()), stack.enter_context(http_sink()))
        settings = day_settings(home, sinks, hurried=False)
        platform = Platform(settings, scale=scale(arguments.users + arguments.rounds))
        stack.callback(platform.down)
        demo = Demo(lambda text: print(text, file=sys.stderr), home / "logs")
        platform.up(sandbox=True)
        url = f"http://127.0.0.1:{platform.sandbox_port}"
        raise_limit(url, CRM_CALLS)
        database, users = Database(ensure_databases(settings).v2), credentials_of(url)
        if arguments.users:
            enter_users(database, settings, users[: arguments.users])
            demo.wait(lambda: onboarded(database), "onboarding")
            demo.wait(lambda: merged(database), "merging")
        rounds: list[dict[str, Any]] = []
        for user in users[arguments.users : arguments.users + arguments.rounds]:
            rounds.append(entered(database, lambda user=user: enter_users(database, settings, [user])[0]))
            demo.tell(str(rounds[-1]))
        print(json.dumps({"users_before": arguments.users, "rounds": rounds}))


if __name__ == "__main__":
    main()
