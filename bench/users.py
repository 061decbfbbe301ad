"""Several hundred users on a few CRM accounts, through the real daemon, sensors and schedules: nobody starts a run.

    .venv/bin/python -m bench.users --users 335 --accounts 16

All are onboarded. Then one is deleted, one's CRM key is revoked, one's client raises what nobody expects, and the
world moves on. Every integration is swept twice by its schedule. For all the others V2 must equal the world, and
Dagster's pages must show who failed as failed, and the others as materialized. Ends with 1 when it is not so; what was
found is printed as JSON. Contacts and deals per user are few: what grows with users is measured, not with records.
"""

from __future__ import annotations

import argparse
import json
import signal
import sys
import tempfile
import time
from contextlib import ExitStack
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import httpx

from resources.embedded import DatabaseUrls, ensure_databases
from resources.postgres import Database
from resources.processes import free_port
from resources.settings import Settings, load_settings
from v2_assets.automation import SWEEP_CRONS
from v2_assets.cli import demo_truth as truth
from v2_assets.cli.demo import CRM_CALLS, Demo, State, merged, onboarded, work_done
from v2_assets.cli.sandbox_users import credentials_of, enter_users, raise_limit, sandbox_settings
from v2_assets.launching import WebServer
from v2_assets.partitions import partition_key
from v2_assets.platform import Platform

#: The stream whose partitions are looked at: every user has it.
SHOWN = "stage_fub_people"
_PARTITIONS = """
query Partitions($key: AssetKeyInput!) { assetNodeOrError(assetKey: $key) { ... on AssetNode { assetPartitionStatuses {
  ... on DefaultPartitionStatuses { materializedPartitions failedPartitions unmaterializedPartitions } } } } }
"""
#: A pass that ended after an instant; those whom the story broke are left out.
_SWEPT = """
select count(*), count(*) filter (where last_sync_at > %s) from ops.sync_state
where integration = any(%s) and user_id <> all(%s)
"""


def settings_of(home: Path, every: int) -> Settings:
    """Sweeps every so many minutes, each integration at a minute of its own; no webhooks, no alerts to the outside."""
    ports = {name: free_port() for name in ("ui_port", "receiver_port", "api_port", "monitor_port")}
    base = load_settings(home=home, database_url=None, **ports)
    crons = {f"{name}_sweep_cron": f"{number}-59/{every} * * * *" for number, name in enumerate(SWEEP_CRONS)}
    url = f"http://127.0.0.1:{Platform(base).sandbox_port}"
    more = sandbox_settings(base, url) | {"receiver_public_url": None}
    return load_settings(home=home, database_url=None, alert_dry_run=True, **ports, **crons, **more)


def seats(users: int, accounts: int) -> str:
    """So many users on so many accounts, as evenly as it goes."""
    return ",".join(str(users // accounts + (number < users % accounts)) for number in range(accounts))


def broken(url: str, urls: DatabaseUrls, home: Path, users: list[dict[str, Any]], ids: list[int]) -> dict[str, int]:
    """One user is deleted, one's key is revoked, one's client raises: who they are. None of them owns an account."""
    owners = {user["fub"]["account_id"]: user["email"] for user in reversed(users)}
    others = [(user, i) for user, i in zip(users, ids, strict=True) if user["email"] not in owners.values()]
    (_, deleted), (revoked_user, revoked), (_, raising) = others[0], others[len(others) // 2], others[-1]
    with Database(urls.v2).connect() as connection:
        connection.execute('update v2."user" set deleted_at = now() where id = %s', [deleted])
    body = {"system": "fub", "key": revoked_user["fub"]["api_key"]}
    httpx.post(f"{url}/_world/rotate", json=body, timeout=60, trust_env=False).raise_for_status()
    (home / "raising").write_text(f"{raising}\n")
    return {"deleted": deleted, "revoked": revoked, "raising": raising}


def swept(urls: DatabaseUrls, since: datetime, but: list[int]) -> State:
    """Whether every stream of everybody else has ended a pass since then."""
    with Database(urls.v2).connect() as connection:
        row = connection.execute(_SWEPT, [since, list(SWEEP_CRONS), but]).fetchone()
        moving = work_done(connection)
    streams, done = row or (0, 0)
    with Database(urls.dagster).connect() as connection:
        ended = connection.execute("select count(*) from runs where end_time is not null").fetchone()
    return State(streams > 0 and streams == done, f"{done * 100 // max(streams, 1)} % are swept", (done, moving, ended))


def partitions(settings: Settings, table: str) -> dict[str, set[str]]:
    """What Dagster's pages show of an asset's partitions, by state."""
    server = WebServer(settings.ui_port, key=settings.ui_key)
    answer = server.ask(_PARTITIONS, {"key": {"path": [table]}})
    statuses = answer["assetNodeOrError"]["assetPartitionStatuses"]
    return {name.removesuffix("Partitions"): set(keys) for name, keys in statuses.items()}


def in_dagster(urls: DatabaseUrls) -> dict[str, Any]:
    """Runs by kind and status with their seconds, ticks by status, and how large the log of events has become."""
    with Database(urls.dagster).connect() as connection:
        runs = connection.execute(
            "select coalesce((select t.value from run_tags t where t.run_id = r.run_id and t.key = 'v2/kind'), ''),"
            " r.status, count(*), round(avg(r.end_time - r.start_time)::numeric, 1),"
            " round(max(r.end_time - r.start_time)::numeric, 1) from runs r group by 1, 2 order by 1, 2"
        ).fetchall()
        ticks = connection.execute(
            "select type, status, count(*) from job_ticks group by 1, 2 order by 1, 2"
        ).fetchall()
        events = connection.execute("select count(*), pg_total_relation_size('event_logs') from event_logs").fetchone()
    columns = ("kind", "status", "number", "seconds", "longest")
    return {
        "runs": [dict(zip(columns, row, strict=True)) for row in runs],
        "ticks": [dict(zip(("type", "status", "number"), row, strict=True)) for row in ticks],
        "events": dict(zip(("number", "bytes"), events or (0, 0), strict=True)),
    }


def judge(
    settings: Settings, urls: DatabaseUrls, users: list[dict[str, Any]], emails: dict[str, int], who: dict[str, int]
) -> dict[str, Any]:
    """V2 against the world for all but those three, and what the pages show of the three and of the others."""
    others = [user for user in users if emails[user["email"]] not in who.values()]
    url = settings.skyslope_base_url.removesuffix("/skyslope")
    told = truth.facts(url, others)
    lines = truth.compare(Database(urls.v2), told, others, emails)
    apart = truth.apart(Database(urls.v2), told, others)
    why = [
        f"{line['table']}: {line[name]} {name}" for line in lines for name in ("unknown_here", "broken") if line[name]
    ]
    why += [f"{table}: {found['stale']} stale" for table, found in apart.items() if found["stale"]]
    shown = partitions(settings, SHOWN)
    for name in ("revoked", "raising"):
        if partition_key(who[name]) not in shown["failed"]:
            why.append(f"the partition of the {name} user is not shown as failed")
    good = {partition_key(emails[user["email"]]) for user in others}
    if missing := good - shown["materialized"]:
        why.append(f"{len(missing)} partitions of the others are not shown as materialized")
    if extra := shown["failed"] & good:
        why.append(f"{len(extra)} partitions of the others are shown as failed")
    with Database(urls.v2).connect() as connection:
        incidents = connection.execute("select code, key, subject from ops.incident order by id").fetchall()
    return {
        "good": not why,
        "why": why,
        "tables": [line | apart[line["stage"]] for line in lines],
        "partitions": {name: len(keys) for name, keys in shown.items()},
        "incidents": incidents,
    }


def main() -> int:
    """Plays the story and prints what it found; leaves nothing behind unless it is told to."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--users", type=int, default=335)
    parser.add_argument("--accounts", type=int, default=16, help="of the CRM")
    parser.add_argument("--people", type=int, default=4, help="contacts for each user")
    parser.add_argument("--deals", type=int, default=2, help="for each user")
    parser.add_argument("--every", type=int, default=5, help="minutes between two sweeps")
    parser.add_argument("--keep", type=Path, help="an empty folder that is kept, in place of a temporary one")
    a = parser.parse_args()
    signal.signal(signal.SIGTERM, lambda number, _: sys.exit(128 + number))  # so that nothing is left running
    with ExitStack() as stack:
        home = a.keep or Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="v2-bench-")))
        home.mkdir(exist_ok=True)
        home.chmod(0o711)
        settings = settings_of(home, a.every)
        scale = ("--seats", seats(a.users, a.accounts), "--people", str(a.users * a.people))
        platform = Platform(settings, module="bench.raising", scale=(*scale, "--deals", str(a.users * a.deals)))
        demo = Demo(lambda text: print(text, file=sys.stderr, flush=True), home / "logs")
        stack.callback(platform.down)
        platform.up(sandbox=True)
        demo.mark("started")
        url = f"http://127.0.0.1:{platform.sandbox_port}"
        raise_limit(url, CRM_CALLS)
        urls, users = ensure_databases(settings), credentials_of(url)
        ids = enter_users(Database(urls.v2), settings, users)
        emails = dict(zip((user["email"] for user in users), ids, strict=True))
        demo.tell(f"{len(users)} users are entered with their keys; from here on nobody starts anything by hand")
        demo.wait(lambda: onboarded(Database(urls.v2)), "onboarding", 300)
        demo.mark("onboarded")
        who = broken(url, urls, home, users, ids)
        httpx.post(f"{url}/_world/step", timeout=120, trust_env=False).raise_for_status()
        demo.tell(f"the world moves on; {who}")
        for number in ("first", "second"):
            since = datetime.now(UTC)
            demo.wait(lambda since=since: swept(urls, since, list(who.values())), f"the {number} sweep", 600)
            demo.mark(f"{number} sweep")
        demo.wait(lambda: merged(Database(urls.v2)), "merging", 300)
        demo.mark("merged")
        time.sleep(5)  # the runs that merged end
        found = judge(settings, urls, users, emails, who) | in_dagster(urls) | {"who": who, "seconds": demo.times}
    print(json.dumps(found, indent=2, default=str))
    return 0 if found["good"] else 1


if __name__ == "__main__":
    sys.exit(main())
