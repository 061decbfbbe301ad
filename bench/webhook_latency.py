"""From a change at the source to the committed row in V2: where the seconds go, stage by stage.

Run: `python bench/webhook_latency.py [--touches 40] [--every 3] [--users 5] [--hurried]`. It starts the whole platform
(Postgres, sandbox, Dagster, receiver, monitor, the usual schedules; hurried: those of `v2 day`) in a folder of its
own, onboards the users, touches a record every few seconds on average, and prints a line of JSON: seconds at the middle
and at the 95th percentile of

  received  the sandbox makes the event → the receiver has stored it
  read      stored → the record is read again and staged (waiting for the sensor's tick, and the read)
  asked     staged → the run exists (the rest of the tick)
  started   the run exists → its process works (queue and start)
  merged    its process works → the V2 row is committed
  all       from the event to the row

The share of `all` that is not work but waiting for the next tick is `read`; it is what a busy machine changes least.
"""

from __future__ import annotations

import argparse
import json
import random
import sys
import tempfile
import time
from contextlib import ExitStack
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import orjson

from resources.postgres import Database
from sandbox.sinks import http_sink, smtp_sink
from v2_assets.cli.day import Day, begin, day_settings, scale
from v2_assets.cli.day_measure import Watch
from v2_assets.cli.demo import Demo
from v2_assets.platform import Platform

STAGES = ("received", "read", "asked", "started", "merged", "all")
_RUNS = """
select create_timestamp, to_timestamp(start_time) from runs r where exists
  (select from run_tags t where t.run_id = r.run_id and t.key = 'v2/kind' and t.value = 'webhook') order by 1
"""


def touched(day: Day, touches: int, every_s: float) -> None:
    """Changes one record of the CRM after the other, at instants that fit no tick."""
    dice, accounts = random.Random(3), sorted({user["fub"]["account_id"] for user in day.users})
    for number in range(touches):
        time.sleep(dice.uniform(0.2, 1.8) * every_s)
        entity = ("people", "calls", "deals")[number % 3]
        day.door("touch", {"system": "fub", "entity": entity, "account": accounts[number % len(accounts)]})


def breakdown(day: Day, watch: Watch, since: datetime) -> dict[str, Any]:
    """Seconds by stage over all events that can be followed through."""
    with day.database.connect() as connection:
        inbox = connection.execute(
            "select body, received_at from ops.webhook_inbox where source = 'fub' and received_at >= %s", [since]
        ).fetchall()
    with Database(day.urls.dagster).connect() as connection:
        runs = [(c.replace(tzinfo=UTC), s) for c, s in connection.execute(_RUNS).fetchall()]
    arrived = {}
    for body, received_at in inbox:
        document = orjson.loads(bytes(body))
        for record in document["resourceIds"]:
            arrived.setdefault((document["event"].removesuffix("Updated"), record), []).append(received_at)
    spans: dict[str, list[float]] = {stage: [] for stage in STAGES}
    for event in day.door("hooks/log", method="GET")["events"]:
        at = datetime.fromisoformat(event["at"])
        if at < since or event["system"] != "fub":
            continue
        for record in event["ids"]:
            received = [r for r in arrived.get((event["table"], record), ()) if r >= at]
            versions = [v for v in watch.versions.get(("fub", event["table"], str(record)), ()) if v[0] >= at]
            if not received or not versions:
                continue
            fetched, committed = min(versions, key=lambda v: v[1])
            run = next(((c, s) for c, s in runs if c >= fetched and s and s <= committed), None)
            if run is None or min(received) > fetched:
                continue  # a sweep was there first
            marks = [at, min(received), fetched, run[0], run[1], committed]
            for stage, begun, ended in zip(STAGES, marks, marks[1:], strict=False):
                spans[stage].append((ended - begun).total_seconds())
            spans["all"].append((committed - at).total_seconds())
    told = {stage: {"p50": _at(waits, 0.5), "p95": _at(waits, 0.95)} for stage, waits in spans.items()}
    return {"followed": len(spans["all"]), **told}


def _at(waits: list[float], share: float) -> float | None:
    waits = sorted(waits)
    return round(waits[min(int(len(waits) * share), len(waits) - 1)], 2) if waits else None


def main() -> None:
    """Starts everything, measures, and leaves nothing behind."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--touches", type=int, default=40)
    parser.add_argument("--every", type=float, default=3.0, help="seconds between two touches, on average")
    parser.add_argument("--users", type=int, default=5)
    parser.add_argument("--hurried", action="store_true", help="the schedules of `v2 day`")
    arguments = parser.parse_args()
    with ExitStack() as stack:
        home = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="v2-bench-")))
        home.chmod(0o711)
        sinks = (stack.enter_context(smtp_sink()), stack.enter_context(http_sink()))
        settings = day_settings(home, sinks, hurried=arguments.hurried)
        platform = Platform(settings, scale=scale(arguments.users))
        stack.callback(platform.down)
        day = begin(Demo(lambda text: print(text, file=sys.stderr), home / "logs"), platform, settings, sinks, 1.0)
        day.door("hooks", {"loss": 0.0, "repeat": 0.0, "disorder": 0.0, "delay_s": 0.0})
        watch, since = Watch(day.database), datetime.now(UTC)
        watch.start()
        touched(day, arguments.touches, arguments.every)
        time.sleep(20)
        watch.stop()
        print(json.dumps({"touches": arguments.touches, **breakdown(day, watch, since)}))


if __name__ == "__main__":
    main()
