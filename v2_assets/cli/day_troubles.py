"""What goes wrong on the day, and what is killed on the other one. Each trouble names the incident it must make."""

from __future__ import annotations

import os
import signal
import time

from v2_assets.cli.day import TROUBLE_S, Day, command, hour, passing
from v2_assets.cli.demo import DemoFailed
from v2_assets.platform import Name

#: How long each process stays dead.
DEAD_S = 30.0
KILLED: tuple[Name, ...] = ("daemon", "code-server", "receiver", "postgres")


def trouble(day: Day) -> None:
    """A revoked key; then a storm of 429 while another source is down; then a roster of another shape."""
    hour(day)
    key = _revoke(day)
    _faults(
        day,
        {
            "Follow Up Boss answers 429 to everybody": (
                {"name": "storm_429", "path": "^/fub/", "seconds": 1},
                ("stream_failed", "fub/rate_limited"),
            ),
            "reZEN is down": (
                {"name": "error_5xx", "path": "^/rezen/", "status": 503},
                ("stream_failed", "rezen/source_unavailable"),
            ),
        },
    )
    _new_key(day, key)
    passing(day, 10)
    _faults(
        day,
        {
            "reZEN's rosters come in a shape that nobody knows": (
                {"name": "roster_key", "to": "unknown"},
                ("stream_failed", "rezen/not_understood"),
            )
        },
    )


def _faults(day: Day, troubles: dict[str, tuple[dict[str, object], tuple[str, str]]]) -> None:
    """Faults of the sources, each with the incident it must make, until a sweep has met them all."""
    for what, (fault, (code, key)) in troubles.items():
        day.planned.append((code, key, what))
        day.demo.tell(what)
        day.door("fault", fault)
    passing(day, TROUBLE_S, lambda: all(day.is_open(*incident) for _, incident in troubles.values()))
    for what, (fault, _) in troubles.items():
        day.door(f"fault?name={fault['name']}", method="DELETE")
        day.demo.tell(f"{what}: over")


def _revoke(day: Day) -> tuple[str, str]:
    """A user makes a new key at the source, so that ours is refused. Returns the user's e-mail and the new key."""
    user = next(u for u in day.users if u["fub"]["user_id"] != day.users[0]["fub"]["user_id"])
    day.planned.append(("credential_refused", "fub/", "a key is revoked"))
    day.demo.tell(f"the CRM key of user {day.emails[user['email']]} is revoked")
    key = day.door("rotate", {"system": "fub", "key": user["fub"]["api_key"]})["key"]
    passing(day, 15, lambda: day.is_open("credential_refused", "fub/"))
    return user["email"], key


def _new_key(day: Day, new: tuple[str, str]) -> None:
    day.demo.tell(f"user {day.emails[new[0]]} enters the new key")
    command(day, "onboard", "--user", new[0], "--platform", "fub", "--key-stdin", text=new[1] + "\n")


def kill_everything(day: Day) -> None:
    """Kills each process under load and keeps it dead; nobody starts anything again."""
    hour(day)
    for name in KILLED:
        _kill(day, name)
        passing(day, 20, lambda name=name: _runs(day, name))


def _kill(day: Day, name: Name) -> None:
    """Whoever holds the platform's lock keeps the supervisor from starting anything (`Platform.idle`)."""
    day.planned.append(("process_died", f"process/{name}", f"{name} was killed"))
    with day.platform.idle(patience_s=120) as held:
        pid = next(status.pid for status in day.platform.status() if status.name == name)
        if not held or pid is None:
            raise DemoFailed(f"{name} could not be killed: it does not run, or the platform is busy")
        os.kill(pid, signal.SIGKILL)
        day.demo.tell(f"{name} is killed and stays dead for {DEAD_S:.0f} s")
        deadline = time.monotonic() + DEAD_S
        while time.monotonic() < deadline:
            hour(day)
    day.demo.tell(f"{name} may come back")


def _runs(day: Day, name: Name) -> bool:
    return next(status.running for status in day.platform.status() if status.name == name)
