"""`v2 demo`: the whole story, unattended, against the sandbox. Nobody launches a run: we only enter users and watch.

Steps: start everything → enter eight users → the sensors onboard them → the world moves on → the schedules' sweeps
follow → reconcile, and compare with the sandbox's own facts. What it found is in `<home>/demo.json`.
"""

from __future__ import annotations

import asyncio
import json
import shutil
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import httpx
import psycopg
from psycopg import sql

from resources.errors import V2Error
from resources.postgres import Database
from resources.settings import Settings, load_settings
from v2_assets.automation import SWEEP_CRONS
from v2_assets.cli import demo_truth as truth
from v2_assets.cli.sandbox_users import credentials_of, enter_users, raise_limit, sandbox_settings
from v2_assets.platform import Platform
from v2_assets.schema import metadata

if TYPE_CHECKING:
    from v2_assets.imports.csv import FileImport

#: Without progress for so long the story gives up. With it, it may take as long as the machine needs: the demo's whole
#: story takes two to three minutes on two idle cores.
STALLED_AFTER_S = 120.0
#: The CRM accounts' limit in the demo. The documented 250 calls in 10 s would only make it wait.
CRM_CALLS = 20_000
#: Eight users of three CRM accounts; so many contacts and deals as three minutes on two cores allow.
SCALE = ("--seats", "3,2,3", "--people", "600", "--deals", "300")
#: The late record of a step is this much older than the step at most: inside the overlap that sweeps keep.
LATEST = timedelta(minutes=10)


class DemoFailed(V2Error):
    """The story did not come to its good end."""

    code = "demo_failed"


class State(NamedTuple):
    """How far something is: `text` is said whenever it changes; `moving` changes whenever anything was done for it."""

    done: bool
    text: str
    moving: object = None


@dataclass(slots=True)
class Demo:
    """The story's state, and how it tells itself. `logs` is the folder of the processes' logs."""

    say: Callable[[str], None]
    logs: Path
    started: float = field(default_factory=time.monotonic)
    times: dict[str, float] = field(default_factory=dict)

    def tell(self, text: str) -> None:
        """One line with the seconds since the start."""
        self.say(f"[{time.monotonic() - self.started:5.1f} s] {text}")

    def mark(self, name: str) -> None:
        """Notes when a chapter ended."""
        self.times[name] = round(time.monotonic() - self.started, 1)

    def wait(self, state: Callable[[], State], what: str, stalled_after_s: float = STALLED_AFTER_S) -> None:
        """Polls until it is done, saying each new text once. Raises DemoFailed when nothing moves any more."""
        last, moved_at = State(False, ""), time.monotonic()
        while True:
            now = state()
            if now.text != last.text:
                self.tell(now.text)
            if now.done:
                return
            if now != last:
                last, moved_at = now, time.monotonic()
            elif time.monotonic() - moved_at > stalled_after_s:
                raise DemoFailed(
                    f"{what} hangs: nothing has moved for {stalled_after_s:.0f} s ({now.text})",
                    hint=f"see {self.logs / 'daemon.log'}, and the others beside it",
                )
            time.sleep(0.5)


def demo_settings(home: Path) -> Settings:
    """Settings of the demo: a home of its own, the sandbox's addresses, sweeps every minute."""
    base = load_settings(home=home, database_url=None)
    port = Platform(base).sandbox_port
    return load_settings(
        home=home,
        database_url=None,
        **{f"{integration}_sweep_cron": "* * * * *" for integration in SWEEP_CRONS},
        # The story is that of the sweeps; nothing comes by webhook.
        **sandbox_settings(base, f"http://127.0.0.1:{port}") | {"receiver_public_url": None},
    )


def run_demo(say: Callable[[str], None], settings: Settings | None = None) -> dict[str, Any]:
    """Plays the story and returns what it found. Raises DemoFailed (or what broke); stops everything in any case."""
    base = settings or load_settings()
    home = base.home / "demo"
    fresh(home)
    story = demo_settings(home)
    platform = Platform(story, scale=SCALE)
    demo = Demo(say, home / "logs")
    try:
        found = _play(demo, platform, story, home)
    finally:
        platform.down()
        demo.tell("everything is stopped")
    found["seconds"] = {**demo.times, "all": round(time.monotonic() - demo.started, 1)}
    file = base.home / "demo.json"
    file.write_text(json.dumps(found, indent=2, default=str) + "\n", encoding="utf-8")
    if not found["good"]:
        raise DemoFailed("the demo did not end as it should", hint=f"see {file.name}", context={"why": found["why"]})
    return found


def fresh(home: Path) -> None:
    """A demo begins with nothing; only the demo's own folder is emptied."""
    if home.exists():
        Platform(load_settings(home=home, database_url=None)).down()
        shutil.rmtree(home)
    home.mkdir(parents=True)


def _play(demo: Demo, platform: Platform, settings: Settings, home: Path) -> dict[str, Any]:
    from resources.embedded import ensure_databases
    from v2_assets.reconcile import reconcile

    demo.tell("starting Postgres, the sandbox and Dagster (code server and daemon)")
    platform.up(sandbox=True, web=False)
    demo.mark("started")
    url = f"http://127.0.0.1:{platform.sandbox_port}"
    raise_limit(url, CRM_CALLS)
    users = credentials_of(url)
    database = Database(ensure_databases(settings).v2)
    emails = dict(zip((u["email"] for u in users), enter_users(database, settings, users), strict=True))
    demo.tell(f"{len(users)} users are entered with their keys; from here on nobody starts anything by hand")

    told = _hand_in_a_file(database, home, next(iter(emails.values())))
    demo.tell(f"a user hands in a file: {told.good} good rows, {told.broken} broken; the backlog sensor merges it")
    demo.wait(lambda: onboarded(database), "onboarding")
    demo.mark("onboarded")
    before = truth.facts(url, users)
    demo.tell("the sandbox's world moves on: creates, updates, moves, deletes, one record that arrives late")
    httpx.delete(f"{url}/_world/requests", timeout=10, trust_env=False)
    step_at = datetime.now(UTC)
    moved = httpx.post(f"{url}/_world/step", timeout=60, trust_env=False).json()
    after = truth.facts(url, users)
    demo.wait(lambda: swept(database, step_at), "the sweep of every stream")
    demo.wait(lambda: merged(database), "merging what is left")
    demo.mark("swept")
    asked = httpx.get(f"{url}/_world/requests", timeout=10, trust_env=False).json()["requests"]

    demo.tell("asking the sources what they have, and comparing")
    report = reconcile(database, settings, None, None, False)
    lines = truth.compare(database, after, users, emails)
    expected, stored = truth.changed_since(before, after, step_at - LATEST), truth.stored_since(database, step_at)
    demo.mark("reconciled")
    incremental = {
        table: {"changed_at_source": expected[table], "stored_by_sweep": stored[table]} for table in sorted(expected)
    }
    why = [
        f"{line['table']}: {line['unknown_here']} records were never fetched" for line in lines if line["unknown_here"]
    ]
    why += [f"{line['table']}: {line['broken']} rows point to nothing" for line in lines if line["broken"]]
    why += [
        f"{table}: {n['stored_by_sweep']} stored where {n['changed_at_source']} changed"
        for table, n in incremental.items()
        if n["stored_by_sweep"] != n["changed_at_source"]
    ]
    if not report.clean:
        why.append("v2 reconcile is not clean")
    rows = _v2_rows(database)
    empty = [
        t.name for t in metadata.sorted_tables if t.schema == "v2" and not rows[t.name] and not t.info["may_be_empty"]
    ]
    why += [f"{name} is empty" for name in empty]
    return {
        "good": not why,
        "why": why,
        "tables": lines,
        "world_step": moved,
        "incremental": incremental,
        "requests_of_sweep": asked,
        "reconcile": report.model_dump(mode="json"),
        "dagster": _dagster(settings),
        "v2_rows": rows,
    }


def _hand_in_a_file(database: Database, home: Path, user_id: int) -> FileImport:
    """Three deals of a user who keeps a list, one of them without a readable price."""
    from v2_assets.imports.csv import opened, stage_file
    from v2_assets.imports.mapping import suggested

    file = home / "deals.csv"
    file.write_text(
        "transaction id,status,address,sale price,closing date\n"
        'L-1,Closed,"17 Cedar Row, Portland, OR 97201","$412,500.00",2026-02-27\n'
        'L-2,Pending,"18 Cedar Row, Portland, OR 97201","$398,000.00",2026-12-18\n'
        'L-3,Pending,"19 Cedar Row, Portland, OR 97201",about four hundred,2026-12-20\n',
        encoding="utf-8",
    )
    with opened(file) as (header, _):
        mapping = suggested(header)
    return asyncio.run(stage_file(database, file, mapping, user_id, "demo-file"))


def work_done(connection: psycopg.Connection[Any]) -> object:
    """Changes with every record that is staged, merged, or met by a full sweep; not with the ticks of an idle platform.

    The server counts them; a transaction is counted when it ends.
    """
    return connection.execute(
        "select sum(n_tup_ins + n_tup_upd + n_tup_del) from pg_stat_user_tables"
        " where schemaname in ('staging', 'v2') or (schemaname, relname) = ('ops', 'sweep_key')"
    ).fetchone()


def onboarded(database: Database) -> State:
    """Whether every job is complete. Raises DemoFailed for one that failed."""
    with database.connect() as connection:
        moving = work_done(connection)
        jobs = connection.execute("select status, count(*) from ops.onboarding_job group by 1 order by 1").fetchall()
        waiting = connection.execute("select count(*) from v2.credentials where state = 'new'").fetchone() or (0,)
    total = sum(number for _, number in jobs)
    failed = [status for status, _ in jobs if status in ("Error", "Partial")]
    if failed:
        raise DemoFailed("an onboarding run failed", hint="see ops.onboarding_job and the run's log")
    text = ", ".join(f"{number} {status}" for status, number in jobs) or "none yet"
    done = bool(jobs) and not waiting[0] and all(status == "Complete" for status, _ in jobs)
    return State(done, f"onboarding jobs: {text}" + (f" of {total}" if total else ""), moving)


def swept(database: Database, since: datetime) -> State:
    """Every stream that has a sweep has ended a pass that began after this instant (the database's clock is ours)."""
    with database.connect() as connection:
        moving = work_done(connection)
        row = connection.execute(
            "select count(*), count(*) filter (where last_started_at > %s and last_sync_at > last_started_at"
            " and status = 'idle') from ops.sync_state where integration = any(%s)",
            [since, list(SWEEP_CRONS)],
        ).fetchone()
    streams, done = row or (0, 0)
    return State(streams > 0 and streams == done, f"sweep: {done} of {streams} streams are up to date", moving)


def merged(database: Database) -> State:
    """Whether every staged record has its fate."""
    from sensors.backlog import backlog

    waiting = backlog(database)
    rows = sum(number for number, _ in waiting.values())
    with database.connect() as connection:
        moving = work_done(connection)
    text = f"{rows} staged records wait for their merge" if rows else "every staged record has its fate"
    return State(not waiting, text, moving)


def _dagster(settings: Settings) -> dict[str, Any]:
    """What Dagster itself recorded: runs by kind, partitions, materializations, ticks."""
    from resources.embedded import ensure_databases

    with Database(ensure_databases(settings).dagster).connect() as connection:
        runs = connection.execute(
            "select coalesce((select t.value from run_tags t where t.run_id = r.run_id and t.key = 'v2/kind'),"
            " 'by hand'), r.status, count(*) from runs r group by 1, 2 order by 1, 2"
        ).fetchall()
        partitions = connection.execute("select partition from dynamic_partitions order by id").fetchall()
        events = connection.execute(
            "select partition, count(*), count(distinct asset_key) from event_logs"
            " where dagster_event_type = 'ASSET_MATERIALIZATION' group by 1 order by 1"
        ).fetchall()
        ticks = connection.execute(
            "select type, status, count(*) from job_ticks group by 1, 2 order by 1, 2"
        ).fetchall()
    return {
        "runs": [{"kind": kind, "status": status, "number": number} for kind, status, number in runs],
        "partitions": [row[0] for row in partitions],
        "materializations": [{"user": user, "events": number, "assets": assets} for user, number, assets in events],
        "ticks": [{"type": kind, "status": status, "number": number} for kind, status, number in ticks],
    }


def _v2_rows(database: Database) -> dict[str, int]:
    with database.connect() as connection:
        return {
            table.name: (
                connection.execute(
                    sql.SQL("select count(*) from {}").format(sql.Identifier("v2", table.name))
                ).fetchone()
                or (0,)
            )[0]
            for table in metadata.sorted_tables
            if table.schema == "v2"
        }
