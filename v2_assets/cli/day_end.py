"""The end of the day: waiting until all is quiet, the night's two full sweeps, and the judgement."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from resources.postgres import Database
from sensors.ranges import tags_for
from v2_assets.automation import FULL_TAG, INTEGRATION_TAG, KIND_TAG, PRIORITY_TAG, SWEEP_CRONS
from v2_assets.cli import demo_truth as truth
from v2_assets.cli.demo import State, merged, work_done
from v2_assets.cli.sandbox_users import credentials_of
from v2_assets.launching import WebServer
from v2_assets.partitions import partition_key

if TYPE_CHECKING:
    from v2_assets.cli.day import Day
    from v2_assets.cli.day_measure import Watch

#: An incident ends when the checks that come every three minutes have seen that it is over: nothing moves in between.
RECOVERS_WITHIN_S = 600.0
#: The sandbox's world has one flaw of data from its first day, and nobody mends it: told once, and never over.
CIRCLE = ("check_failed", "network_hierarchy/sponsors_make_no_circle", "the world's sponsors make a circle")
_MESSAGES = """
select coalesce(i.code, a.code), coalesce(i.key, ''), array_agg(a.kind order by a.id), max(a.severity),
  bool_and(a.delivered_at is not null), array_agg(a.id order by a.id), max(a.subject), min(i.opened_at),
  max(i.recovered_at)
from ops.alert a left join ops.incident i on i.id = a.incident_id group by i.id, 1, 2 order by min(a.id)
"""


def judge(day: Day, watch: Watch, latencies: Callable[[Watch, list[dict[str, Any]]], dict[str, Any]]) -> dict[str, Any]:
    """Waits for quiet, sweeps, compares. Returns `good`, `why` and all that was found."""
    day.demo.wait(lambda: _told(day), "delivering webhooks")
    day.demo.wait(lambda: _read(day.database), "reading what webhooks told")
    day.demo.wait(lambda: merged(day.database), "merging")
    day.demo.mark("quiet")
    watch.stop()
    events = day.door("hooks/log", method="GET")["events"]
    for number in (1, 2):
        day.demo.tell(f"the night's full sweep {number} of 2, which finds what was deleted without a word")
        _sweep_all(day)
    day.demo.wait(lambda: merged(day.database), "merging")
    day.demo.wait(lambda: _recovered(day.database), "recovering", RECOVERS_WITHIN_S)
    day.demo.mark("night")
    day.users = credentials_of(day.url)
    told = truth.facts(day.url, day.users)
    lines = truth.compare(day.database, told, day.users, day.emails)
    apart = truth.apart(day.database, told, day.users)
    for line in lines:
        line |= apart[line["stage"]]
    incidents, why = _incidents(day)
    hooks = day.door("hooks", method="GET")["counts"]
    inbox = _inbox(day.database)
    why += [f"{line['table']}: {line[name]} {text}" for line in lines for name, text in _WRONG if line[name]]
    why += _lost(events, hooks, inbox)
    why += _stuck(day)
    return {
        "good": not why,
        "why": why,
        "latency": latencies(watch, events),
        "webhooks": {"made": len(events), "lost": sum(e["lost"] for e in events), **hooks},
        "inbox": inbox,
        "incidents": incidents,
        "tables": lines,
        "steps": day.steps,
        "runs": _runs(day),
    }


_WRONG = (
    ("unknown_here", "records of the world are not here"),
    ("broken", "rows point to nothing"),
    ("extra", "rows live in V2 and are gone in the world"),
    ("stale", "records are older here than in the world"),
)


def _told(day: Day) -> State:
    under_way = day.door("hooks", method="GET")["under_way"]
    return State(under_way == 0, f"{under_way} webhooks are under way" if under_way else "every webhook was delivered")


def _read(database: Database) -> State:
    with database.connect() as connection:
        row = connection.execute("select count(*) from ops.webhook_inbox where state = 'new'").fetchone()
    waiting = row[0] if row else 0
    return State(not waiting, f"{waiting} events wait in the inbox" if waiting else "the inbox is empty")


def _recovered(database: Database) -> State:
    with database.connect() as connection:
        lasting = [
            f"{code} {key}"
            for code, key in connection.execute(
                "select code, key from ops.incident where recovered_at is null order by id"
            ).fetchall()
            if (code, key) != CIRCLE[:2]
        ]
        waiting = connection.execute("select count(*) from ops.alert where delivered_at is null").fetchone()
    if lasting:
        return State(False, "still: " + ", ".join(lasting))
    return State(not (waiting and waiting[0]), "every incident is over")


def _sweep_all(day: Day) -> None:
    """What the weekly schedule asks for, asked for in the UI's way."""
    ids = [partition_key(user_id) for user_id in day.emails.values()]
    started: dict[str, str] = {}
    pages = WebServer(day.settings.ui_port, key=day.settings.ui_key)
    for integration in SWEEP_CRONS:
        tags = tags_for(ids) | {
            KIND_TAG: "full sweep",
            INTEGRATION_TAG: integration,
            FULL_TAG: "true",
            PRIORITY_TAG: "backfill",
        }
        started[pages.launch(f"{integration}_sync", tags)] = integration

    def ended() -> State:
        with Database(day.urls.dagster).connect() as connection:
            states = dict(
                connection.execute("select run_id, status from runs where run_id = any(%s)", [list(started)]).fetchall()
            )
            events = connection.execute("select count(*) from event_logs where run_id = any(%s)", [list(started)])
            moved = events.fetchone()
        with day.database.connect() as connection:
            moving = moved, work_done(connection)
        done = [i for r, i in started.items() if states.get(r) in ("SUCCESS", "FAILURE", "CANCELED")]
        return State(len(done) == len(started), f"full sweep: {', '.join(done) or 'none'} done", moving)

    day.demo.wait(ended, "a full sweep")


def _incidents(day: Day) -> tuple[list[dict[str, Any]], list[str]]:
    """Every cause that was told with its messages, and what is wrong with that."""
    with day.database.connect() as connection:
        rows = connection.execute(_MESSAGES).fetchall()
    received = _received(day)
    incidents: list[dict[str, Any]] = []
    why: list[str] = []
    open_plans = list(day.planned)
    for code, key, kinds, severity, delivered, numbers, subject, opened_at, recovered_at in rows:
        plan = next((p for p in open_plans if p[0] == code and key.startswith(p[1])), None)
        if plan:
            open_plans.remove(plan)
        arrived = sum(received.count(number) for number in numbers)
        incidents.append(
            {
                "code": code,
                "key": key,
                "for": plan[2] if plan else None,
                "messages": kinds,
                "arrived": arrived,
                "severity": severity,
                "subject": subject,
                "opened_at": opened_at,
                "recovered_at": recovered_at,
            }
        )
        if plan is None:
            why.append(f"told without a plan: {code} {key}: {subject}")
        elif kinds != (["opened"] if plan == CIRCLE else ["opened", "recovered"]):
            why.append(f"{plan[2]}: told {', '.join(kinds)}")
        if not delivered or arrived != len(kinds):
            why.append(f"{code} {key}: {len(kinds)} messages, {arrived} arrived")
    why += [f"{what}: nobody was told" for _, _, what in open_plans]
    return incidents, why


def _received(day: Day) -> list[int]:
    """The numbers of the messages that arrived at either place."""
    mail, endpoint = day.sinks
    return [int(m["X-V2-Alert"]) for m in mail.received] + [int(m["number"]) for m in endpoint.received]


def _inbox(database: Database) -> dict[str, int]:
    with database.connect() as connection:
        rows = connection.execute(
            "select state || coalesce('/' || reason, ''), count(*) from ops.webhook_inbox group by 1 order by 1"
        ).fetchall()
    return dict(rows)


def _lost(events: list[dict[str, Any]], hooks: dict[str, int], inbox: dict[str, int]) -> list[str]:
    """An event that was answered with 200 is in the inbox; those of reZEN that say the same of one instant are one."""
    sent = sum(not event["lost"] for event in events)
    stored = sum(inbox.values())
    why = [f"the senders gave up {hooks['given up']} webhooks"] if hooks.get("given up") else []
    if stored < sent - _alike(events):
        why.append(f"{sent} webhooks were sent and taken, {stored} are in the inbox")
    return why


def _alike(events: list[dict[str, Any]]) -> int:
    seen: set[tuple[Any, ...]] = set()
    for event in events:
        if not event["lost"]:
            seen.add((event["system"], event["account"], event["table"], tuple(event["ids"]), event["at"]))
    return sum(not event["lost"] for event in events) - len(seen)


def _stuck(day: Day) -> list[str]:
    """Runs that no process works on any more, and that nothing has ended."""
    with Database(day.urls.dagster).connect() as connection:
        rows = connection.execute(
            "select run_id, status from runs where status in ('STARTED', 'STARTING', 'CANCELING')"
            " and update_timestamp < now() at time zone 'utc' - interval '5 minutes'"
        ).fetchall()
    return [f"run {run_id} is {status} for ever" for run_id, status in rows]


def _runs(day: Day) -> list[dict[str, Any]]:
    with Database(day.urls.dagster).connect() as connection:
        rows = connection.execute(
            "select coalesce((select t.value from run_tags t where t.run_id = r.run_id and t.key = 'v2/kind'), ''),"
            " r.status, count(*), round(avg(r.end_time - r.start_time)::numeric, 1) from runs r group by 1, 2"
            " order by 1, 2"
        ).fetchall()
    return [{"kind": k, "status": s, "number": n, "seconds": t} for k, s, n, t in rows]
