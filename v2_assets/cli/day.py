"""`v2 day`: a working day of 25 users in six minutes, with what goes wrong on a working day. Nobody helps.

The world moves each simulated hour and tells of it by webhooks, of which some are lost, repeated and late. Sweeps,
checks and alerts run as always, to a real mail server and a real HTTP endpoint inside this command. At the end V2 must
equal the world, each trouble must have been told once when it began and once when it was over, and nothing else.

An hour is a 24th of the day, 15 s in six minutes. Dagster's schedules know no seconds, and two cores sweep 25 users no
oftener than every other minute, so a trouble that lasts "an hour" lasts until a sweep has met it: two minutes.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import httpx

from resources.embedded import DatabaseUrls, EmbeddedPostgres, ensure_databases
from resources.encryption import secret_keys
from resources.postgres import Database
from resources.processes import free_port
from resources.settings import Settings, load_settings
from resources.webhooks import Addresses
from sandbox.sinks import Sink, http_sink, smtp_sink
from v2_assets.automation import SWEEP_CRONS
from v2_assets.cli import day_end
from v2_assets.cli.day_measure import Watch, latencies
from v2_assets.cli.demo import CRM_CALLS, Demo, DemoFailed, State, fresh, merged, onboarded
from v2_assets.cli.sandbox_users import credentials_of, enter_users, raise_limit, sandbox_settings
from v2_assets.platform import Platform

HOURS = 24
#: In a shorter day the hours are fewer, not shorter: sweeps come as often all the same.
SHORTEST_HOUR_S = 15.0
#: Long enough for a sweep, which begins every other minute, to meet it.
TROUBLE_S = 125.0
#: If the machine is slow, a trouble lasts until it was noticed, at most so much longer.
NOTICE_PATIENCE_S = 180.0
LOSS, REPEAT, DISORDER, DELAY_S = 0.01, 0.05, 0.3, 0.5


@dataclass
class Day:
    """The parts of one day, while it lasts."""

    demo: Demo
    platform: Platform
    settings: Settings
    urls: DatabaseUrls
    users: list[dict[str, Any]]
    emails: dict[str, int]
    sinks: tuple[Sink, Sink]
    minutes: float
    steps: int = 0
    #: Code and beginning of the key of each incident that is planned, with what it is for.
    planned: list[tuple[str, str, str]] = field(default_factory=lambda: [day_end.CIRCLE])

    @property
    def database(self) -> Database:
        return Database(self.urls.v2)

    @property
    def url(self) -> str:
        """The sandbox's address."""
        return f"http://127.0.0.1:{self.platform.sandbox_port}"

    def door(self, path: str, body: dict[str, Any] | None = None, method: str = "POST") -> Any:
        """Asks the sandbox's own door. Raises DemoFailed when it refuses."""
        answer = httpx.request(method, f"{self.url}/_world/{path}", json=body, timeout=60, trust_env=False)
        if answer.status_code != 200:
            raise DemoFailed(f"the sandbox refused {path}", context={"status": answer.status_code})
        return answer.json()

    def is_open(self, code: str, key: str) -> bool:
        """Whether such an incident lasts now."""
        with self.database.connect() as connection:
            found = connection.execute(
                "select from ops.incident where code = %s and starts_with(key, %s) and recovered_at is null",
                [code, key],
            ).fetchone()
        return found is not None


def day_settings(home: Path, sinks: tuple[Sink, Sink], *, hurried: bool = True) -> Settings:
    """Everything is on, and goes by minutes if hurried; half of the alerts go by mail, half by HTTP."""
    base = load_settings(
        home=home,
        database_url=None,
        ui_port=free_port(),
        receiver_port=free_port(),
        monitor_port=free_port(),
    )
    mail, endpoint = sinks
    crons = {f"{name}_sweep_cron": f"{number % 2}-59/2 * * * *" for number, name in enumerate(SWEEP_CRONS)} | {
        "checks_cron": "*/3 * * * *",
        "aggregates_cron": "*/5 * * * *",
        "report_cron": "*/5 * * * *",
        "full_sweep_cron": "0 0 1 1 *",  # the night's two are started at the end of the day
        "sweeps_apart_hours": 0,  # and stand for those of two weeks
    }
    return load_settings(
        home=home,
        database_url=None,
        ui_port=base.ui_port,
        receiver_port=base.receiver_port,
        monitor_port=base.monitor_port,
        **(crons if hurried else {}),
        alert_smtp_url=mail.url,
        alert_mail_to="ops@example.test",
        alert_http_url=endpoint.url,
        alert_routes="critical=mail,http;warning=http,mail;info=http,mail",
        # One failed sweep of three is 33 %; of the 96 of a real day it is 1 %. So these are as far from one failure as
        # the real ones are from ten.
        health_failed_percent_warning=80,
        health_failed_percent_critical=95,
        **sandbox_settings(base, f"http://127.0.0.1:{Platform(base).sandbox_port}"),
    )


def run_day(
    say: Callable[[str], None],
    *,
    minutes: float = 6.0,
    users: int = 25,
    kills: bool = False,
    settings: Settings | None = None,
) -> dict[str, Any]:
    """Plays the day and returns what it found. Raises DemoFailed when it was not good; stops everything in any case."""
    from v2_assets.cli.day_troubles import kill_everything, trouble

    base = settings or load_settings()
    home = base.home / "day"
    fresh(home)
    demo = Demo(say, home / "logs")
    with ExitStack() as stack:
        sinks = (stack.enter_context(smtp_sink()), stack.enter_context(http_sink()))
        story = day_settings(home, sinks)
        platform = Platform(story, scale=scale(users))
        stack.callback(lambda: demo.tell("everything is stopped"))
        stack.callback(platform.down)
        day = begin(demo, platform, story, sinks, minutes)
        watch = Watch(day.database)
        watch.start()
        began = time.monotonic()
        (kill_everything if kills else trouble)(day)
        _until(day, began + minutes * 60)
        day.demo.mark("day")
        found = day_end.judge(day, watch, latencies)
    found |= {"minutes": minutes, "users": users, "kills": kills, "at": datetime.now(UTC).isoformat()}
    found["seconds"] = {**demo.times, "all": round(time.monotonic() - demo.started, 1)}
    file = base.home / "day.json"
    file.write_text(json.dumps(found, indent=2, default=str) + "\n", encoding="utf-8")
    if not found["good"]:
        raise DemoFailed("the day did not end as it should", hint=f"see {file}", context={"why": found["why"]})
    return found


def scale(users: int) -> tuple[str, ...]:
    """Accounts of five users; forty contacts and a dozen deals for each."""
    seats = [5] * (users // 5) + ([users % 5] if users % 5 else [])
    return ("--seats", ",".join(map(str, seats)), "--people", str(users * 40), "--deals", str(users * 12))


def begin(demo: Demo, platform: Platform, settings: Settings, sinks: tuple[Sink, Sink], minutes: float) -> Day:
    """Everything is started, the users are onboarded, their webhooks registered and as bad as they are on the day."""
    demo.tell("starting Postgres, the sandbox, Dagster, the receiver and the monitor")
    server = EmbeddedPostgres(platform.home)
    with Database(server.start()).connect(autocommit=True) as connection:
        connection.execute("alter system set track_commit_timestamp = on")  # to measure; it takes a restart
    server.stop()
    platform.up(sandbox=True)
    demo.mark("started")
    url = f"http://127.0.0.1:{platform.sandbox_port}"
    raise_limit(url, CRM_CALLS)
    urls = ensure_databases(settings)
    users = credentials_of(url)
    ids = enter_users(Database(urls.v2), settings, users)
    emails = dict(zip((u["email"] for u in users), ids, strict=True))
    day = Day(demo, platform, settings, urls, users, emails, sinks, minutes)
    demo.tell(f"{len(users)} users are entered with their keys")
    demo.wait(lambda: onboarded(day.database), "onboarding")
    demo.wait(lambda: merged(day.database), "merging")
    demo.mark("onboarded")
    _register_webhooks(day)
    day.door("hooks", {"loss": LOSS, "repeat": REPEAT, "disorder": DISORDER, "delay_s": DELAY_S, "retry_scale": 0.05})
    demo.tell(f"webhooks are on: {LOSS:.0%} are lost, {REPEAT:.0%} come twice, {DISORDER:.0%} out of order")
    return day


def _register_webhooks(day: Day) -> None:
    """Follow Up Boss' are registered by the audit sensor; those of the others are entered by hand at the source."""
    addresses, base = Addresses(secret_keys(day.settings)), day.settings.receiver_public_url or ""
    with day.database.connect() as connection:
        rows = connection.execute(
            "select id, platform, account_id from v2.credentials where platform in ('rezen', 'title') and state = 'ok'"
        ).fetchall()
    for credentials_id, platform, account in rows:
        body = {"system": platform, "account": account, "url": base + addresses.path(platform, credentials_id)}
        if platform == "title":
            body["user"], body["password"] = addresses.basic(credentials_id)
        day.door("hooks/register", body)
    owners = len({user["fub"]["account_id"] for user in day.users})

    def registered() -> State:
        with day.database.connect() as connection:
            row = connection.execute("select count(*) from ops.webhook_registration where active > 0").fetchone()
        number = row[0] if row else 0
        return State(number >= owners, f"webhooks are registered for {number} of {owners} CRM accounts")

    day.demo.wait(registered, "registering webhooks")


def move(day: Day) -> None:
    """One hour passes: creates, updates, moves, deletes, and two contacts become one."""
    day.door("step")
    accounts = sorted({user["fub"]["account_id"] for user in day.users})
    day.door("merge", {"account": accounts[day.steps % len(accounts)]})
    day.steps += 1


def hour(day: Day) -> None:
    """Waits an hour, then moves the world."""
    time.sleep(max(day.minutes * 60 / HOURS, SHORTEST_HOUR_S))
    move(day)


def _until(day: Day, deadline: float) -> None:
    while time.monotonic() < deadline:
        hour(day)
    day.demo.tell(f"the day is over: the world has moved {day.steps} times")


def passing(day: Day, seconds: float, until: Callable[[], bool] | None = None) -> None:
    """Lets so much time pass while the world moves, and then more until something was seen."""
    began = time.monotonic()
    while time.monotonic() - began < seconds or (until and not until()):
        if time.monotonic() - began > seconds + NOTICE_PATIENCE_S:
            return  # the end says what was not seen
        hour(day)


def command(day: Day, *words: str, text: str = "") -> None:
    """A person runs `v2 …` beside the platform. Raises DemoFailed when it fails."""
    environment = {**os.environ, **day.platform.environment(day.urls)}
    argv = [sys.executable, "-m", "v2_assets.cli", *words]
    done = subprocess.run(argv, input=text, env=environment, capture_output=True, text=True, check=False)  # noqa: S603
    if done.returncode != 0:
        raise DemoFailed(f"v2 {words[0]} failed", context={"said": (done.stderr or done.stdout)[-300:]})
