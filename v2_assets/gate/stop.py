"""The automatic stop: what is served from V2 and turns red goes back to V1, and people are told.

It never raises a share and never releases a user; a person does that when the gate is green again.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import Any

import psycopg

from v2_assets.gate.rules import Kind, Verdict
from v2_assets.gate.switch import Rollout, hold, in_force, stop
from v2_assets.incidents import Finding, settle

WHO = "gate"
CODE = "switch_stopped"


def enforce(connection: psycopg.Connection[Any], verdicts: Sequence[Verdict]) -> list[Verdict]:
    """Takes back to V1 what is red, and makes incidents of it. Returns what was taken back now.

    Rules that somebody accepted when the share was set do not stop it. An incident lasts until its subject is green, or
    until a person has decided about it.
    """
    taken: list[Verdict] = []
    for verdict in _unaccepted(in_force(connection), verdicts, "endpoint"):
        if stop(connection, [verdict.subject], who=WHO, reason=_why(verdict), because=verdict):
            taken.append(verdict)
    # Only then the users: whom no endpoint of V2 is left for need not be held, and so not be released by hand.
    now = in_force(connection)
    for verdict in _unaccepted(now, verdicts, "user"):
        if now.switched(int(verdict.subject)):
            hold(connection, int(verdict.subject), who=WHO, reason=_why(verdict), because=verdict)
            taken.append(verdict)
    settle(connection, CODE, _found(in_force(connection), verdicts))
    return taken


def _unaccepted(now: Rollout, verdicts: Iterable[Verdict], kind: Kind) -> Iterator[Verdict]:
    """Red verdicts of a kind, with the failures that nobody accepted."""
    for verdict in verdicts:
        if verdict.kind == kind and not verdict.ready:
            accepted = now.accepted(verdict)
            if failures := tuple(failure for failure in verdict.failures if failure.rule not in accepted):
                yield Verdict(kind, verdict.subject, failures)


def _why(verdict: Verdict) -> str:
    return "; ".join(failure.why for failure in verdict.failures)


def _found(now: Rollout, verdicts: Iterable[Verdict]) -> dict[str, Finding]:
    """One finding for each endpoint, and one for all users whom the same rule took back."""
    found: dict[str, Finding] = {}
    users: dict[str, list[Verdict]] = {}
    for verdict in verdicts:
        if verdict.ready:
            continue
        if verdict.kind == "endpoint":
            standing = now.endpoints.get(verdict.subject)
            if standing and standing.action == "auto_stop":
                subject = f"{verdict.subject} is served from V1 again"
                found[f"endpoint/{verdict.subject.strip('/')}"] = _finding(subject, _why(verdict), [])
        elif verdict.kind == "user":
            standing = now.users.get(int(verdict.subject))
            if standing and standing.action == "auto_hold":
                users.setdefault(verdict.failures[0].rule, []).append(verdict)
    for rule, red in users.items():
        ids = sorted(int(verdict.subject) for verdict in red)
        subject = f"{len(ids)} users are served from V1 again: {rule}"
        found[f"users/{rule}"] = _finding(subject, red[0].failures[0].why, ids)
    return found


def _finding(subject: str, what: str, users: list[int]) -> Finding:
    return Finding(
        "critical",
        subject,
        {"what": what, "since": None, "users": users, "link": "/assets/v1_gate", "do": "v2 switch status"},
    )
