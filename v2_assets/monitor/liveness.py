"""Which processes of the platform give signs of life. Asked from outside, however they were started."""

from __future__ import annotations

import time
from dataclasses import dataclass, field
from typing import Any

import httpx
import psycopg

from resources.errors import DatabaseError
from resources.postgres import Database
from resources.settings import Settings
from v2_assets.incidents import Finding

#: The daemon beats every 30 s at most; a machine under load was seen to be late by as much again.
DEAD_AFTER_S = 120.0
#: Some sensor of ours ticks every few seconds. Read from the end, since a year of ticks may be kept.
_TICK = """
select extract(epoch from now() at time zone 'UTC' - max(t."timestamp"))::int
from (select status, "timestamp" from job_ticks where type = 'SENSOR' order by id desc limit 1000) t
where t.status in ('SUCCESS', 'SKIPPED')
"""
#: The threads of the daemon that everything of ours needs; one that never gave a sign of life is silent too.
NEEDED = ["SENSOR", "SCHEDULER", "QUEUED_RUN_COORDINATOR", "MONITORING"]
_BEATS = """
select wanted.name, extract(epoch from now() at time zone 'UTC' - max(h."timestamp"))::int
from unnest(%s::text[]) wanted (name)
left join daemon_heartbeats h on h.daemon_type = wanted.name group by 1 order by 1
"""
_LAST = 'select daemon_type, "timestamp" from daemon_heartbeats where daemon_type = any(%s)'


def started(dagster: psycopg.Connection[Any]) -> bool:
    """Whether Dagster has its tables, without which nobody has ever given a sign of life."""
    return dagster.execute("select to_regclass('daemon_heartbeats') is not null").fetchone() == (True,)


def beats(dagster: psycopg.Connection[Any]) -> dict[str, int | None]:
    """Seconds since the last sign of life of each daemon; None for one that never gave any."""
    return dict(dagster.execute(_BEATS, [NEEDED]).fetchall())


@dataclass(slots=True)
class Pulse:
    """The daemon's signs of life as one hears them who restarts it when it has been silent for `after_s` seconds.

    What counts is that they change, by the hearer's own clock and only while the database can be read: neither two
    clocks that differ, nor a database that was away, nor a hearer that was itself stopped make a daemon silent.
    """

    dagster: Database
    after_s: float
    _heard: dict[str, tuple[object, float]] = field(default_factory=dict)
    _looked: float = 0.0

    def silent(self) -> list[str]:
        """The threads that are silent now."""
        try:
            with self.dagster.connect(autocommit=True, deadline_s=1) as connection:
                last = dict(connection.execute(_LAST, [NEEDED]).fetchall())
        except DatabaseError:
            self.start_again()
            return []
        now = time.monotonic()
        if now - self._looked > self.after_s / 2:
            self.start_again()
        self._looked = now
        for name in NEEDED:
            beat = last.get(name)
            if name not in self._heard or self._heard[name][0] != beat:
                self._heard[name] = (beat, now)
        return [name for name in NEEDED if now - self._heard[name][1] > self.after_s]

    def start_again(self) -> None:
        """Silence counts from now on: what could beat was just started, or could not be heard."""
        self._heard.clear()


def dead(beats: dict[str, int | None], start_command: str) -> dict[str, Finding]:
    """The incident that silent daemons are, if any is silent. `start_command` is what helps here."""
    silent = {name: age for name, age in beats.items() if age is None or age > DEAD_AFTER_S}
    if not silent:
        return {}
    body = {
        "what": f"No sign of life from {', '.join(sorted(silent))} for {max(age or 0 for age in silent.values())} s.",
        "since": None,
        "users": [],
        "link": "/health",
        "do": start_command,
        "silent": sorted(silent),
    }
    return {"daemon": Finding("critical", "Dagster's daemon is dead", body)}


def last_tick(dagster: psycopg.Connection[Any]) -> int | None:
    """Seconds since the last tick of any sensor that succeeded; None without one."""
    row = dagster.execute(_TICK).fetchone()
    return row[0] if row else None


def stopped(tick: int | None) -> dict[str, Finding]:
    """The incident that it is when no sensor succeeds although the daemon lives: nobody answers it, or all are off."""
    if tick is not None and tick <= DEAD_AFTER_S:
        return {}
    body = {
        "what": "The daemon lives, and no sensor has ticked"
        + (" yet." if tick is None else f" for {tick} s.")
        + " The code server is gone or cannot load, or everything is switched off.",
        "since": None,
        "users": [],
        "link": "/locations",
        "do": "v2 doctor",
        "silent": ["sensors"],
    }
    return {"sensors": Finding("critical", "nothing is started by the clock", body)}


def processes(settings: Settings, dagster: psycopg.Connection[Any]) -> dict[str, str]:
    """The platform's processes in a word or two each: `alive`, `silent for 300 s`, `does not answer`."""
    told = {"daemon": _daemon(dagster)}
    for name, port, path in (
        ("web", settings.ui_port, "/server_info"),
        ("receiver", settings.receiver_port, "/health"),
        ("api", settings.api_port, "/health"),
        ("monitor", settings.monitor_port, "/health"),
    ):
        try:
            httpx.get(f"http://127.0.0.1:{port}{path}", timeout=2, trust_env=False)
            told[name] = "alive"
        except httpx.HTTPError:
            told[name] = "does not answer"
    return told


def _daemon(dagster: psycopg.Connection[Any]) -> str:
    if not started(dagster):
        return "never started"
    ages = list(beats(dagster).values())
    if None in ages:
        return "never started"
    oldest = max(age for age in ages if age is not None)
    return f"silent for {oldest} s" if oldest > DEAD_AFTER_S else "alive"
