"""The switch: which users get which endpoint from V2, who decided it and why.

What is in force is the newest decision of each subject, so history and state cannot disagree. Going towards V1 is
always allowed; going towards V2 only while the gate is open for all that it concerns, or with a reason that is kept.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import psycopg
from psycopg.rows import dict_row
from psycopg.types.json import Jsonb

from resources.errors import V2Error
from v2_assets.gate.rules import Verdict

_IN_FORCE = """
select distinct on (endpoint, user_id) endpoint, user_id, action, share::float8, accepted
from ops.switch_decision order by endpoint, user_id, id desc
"""
_BEFORE = """
select distinct on (d.endpoint) d.endpoint, d.share::float8
from ops.switch_decision d
join (select distinct on (endpoint) endpoint, id, share from ops.switch_decision where endpoint is not null
      order by endpoint, id desc) now on now.endpoint = d.endpoint and d.id < now.id and d.share < now.share
order by d.endpoint, d.id desc
"""
#: (kind, subject, rule): a broken rule of the gate that a decision rests on.
Accepted = tuple[str, str, str]


class GateRed(V2Error):
    """The share was not raised: the gate is red for something that it concerns."""

    code = "gate_red"


@dataclass(frozen=True, slots=True)
class Standing:
    """What the newest decision about one subject says. `share` is 0 for a user."""

    action: str
    share: float
    accepted: frozenset[Accepted]


@dataclass(frozen=True, slots=True)
class Rollout:
    """What is in force, by endpoint and by user."""

    endpoints: Mapping[str, Standing]
    users: Mapping[int, Standing]

    def share(self, endpoint: str) -> float:
        """The share of users, 0 to 100, that this endpoint serves from V2. What was never decided is V1's."""
        return self.endpoints[endpoint].share if endpoint in self.endpoints else 0.0

    def held(self, user_id: int) -> bool:
        """Whether this user stays with V1 whatever the shares are."""
        return user_id in self.users and self.users[user_id].action != "release"

    def serves_v2(self, user_id: int, endpoint: str) -> bool:
        """Whether this user gets this endpoint from V2."""
        return not self.held(user_id) and place(user_id) < self.share(endpoint)

    def switched(self, user_id: int) -> bool:
        """Whether this user gets anything from V2."""
        return any(self.serves_v2(user_id, endpoint) for endpoint in self.endpoints)

    def accepted(self, verdict: Verdict) -> frozenset[str]:
        """The broken rules of this subject that somebody accepted with the share that is in force now."""
        return frozenset(
            rule
            for standing in (*self.endpoints.values(), *self.users.values())
            for kind, subject, rule in standing.accepted
            if (kind, subject) == (verdict.kind, verdict.subject) and not standing.action.startswith("auto")
        )


def place(user_id: int) -> float:
    """A user's place from 0 to below 100, the same on every machine: whoever is in at 10 % is in at 20 % too."""
    digest = hashlib.sha256(f"switch/{user_id}".encode()).digest()
    return int.from_bytes(digest[:6]) / 2**48 * 100


def in_force(connection: psycopg.Connection[Any]) -> Rollout:
    """The rollout as it is now."""
    endpoints: dict[str, Standing] = {}
    users: dict[int, Standing] = {}
    for endpoint, user_id, action, share, accepted in connection.execute(_IN_FORCE).fetchall():
        standing = Standing(
            action, share or 0.0, frozenset((each["kind"], each["subject"], each["rule"]) for each in accepted)
        )
        if endpoint is None:
            users[user_id] = standing
        else:
            endpoints[endpoint] = standing
    return Rollout(endpoints, users)


def serves_v2(connection: psycopg.Connection[Any], user_id: int, endpoint: str) -> bool:
    """Whether this user gets this endpoint from V2 now. Who asks very often keeps a `Rollout` for some seconds."""
    return in_force(connection).serves_v2(user_id, endpoint)


def set_share(
    connection: psycopg.Connection[Any],
    endpoints: Sequence[str],
    share: float,
    *,
    who: str,
    verdicts: Iterable[Verdict],
    users: Iterable[int],
    reason: str | None = None,
    override: bool = False,
) -> list[Verdict]:
    """Sets the share of endpoints. Returns the red verdicts that an override accepted.

    `verdicts` are the gate's, on users and endpoints; `users` are all there are. Raises GateRed when a share would rise
    while one of the endpoints, or a user whom V2 would then serve, is not ready. `override` needs a reason.
    """
    _reasoned(override, reason)
    with _deciding(connection) as now:
        rising = {name for name in endpoints if share > now.share(name)}
        served = {str(user) for user in users if rising and not now.held(user) and place(user) < share}
        concerned = {"endpoint": rising, "user": served}
        red = [each for each in verdicts if not each.ready and each.subject in concerned.get(each.kind, ())]
        if red and not override:
            raise _refusal(f"the share was not raised to {share:g} %", red)
        for name in endpoints:
            if name in rising:
                accepted = _failing(each for each in red if each.kind == "user" or each.subject == name)
            else:  # what was accepted for a larger share is accepted for a smaller one
                accepted = now.endpoints[name].accepted if name in now.endpoints else []
            _decide(connection, who, "set", endpoint=name, share=share, reason=reason, accepted=accepted)
    return red


def stop(
    connection: psycopg.Connection[Any],
    endpoints: Iterable[str],
    *,
    who: str,
    reason: str | None = None,
    because: Verdict | None = None,
) -> list[str]:
    """V1 serves these endpoints to everybody, at once. Returns those that V2 had served. `because`: the gate's word."""
    with _deciding(connection) as now:
        stopped = [name for name in endpoints if now.share(name) > 0]
        for name in stopped:
            action, why = ("auto_stop", _failing([because])) if because else ("stop", ())
            _decide(connection, who, action, endpoint=name, share=0, reason=reason, accepted=why)
    return stopped


def back(
    connection: psycopg.Connection[Any], endpoints: Iterable[str], *, who: str, reason: str | None = None
) -> dict[str, float]:
    """One step towards V1: each endpoint gets the last share that was smaller than today's. Returns the new shares."""
    with _deciding(connection) as now:
        before = dict(connection.execute(_BEFORE).fetchall())
        moved = {name: before.get(name, 0.0) for name in endpoints if now.share(name) > 0}
        for name, share in moved.items():
            accepted = now.endpoints[name].accepted
            _decide(connection, who, "back", endpoint=name, share=share, reason=reason, accepted=accepted)
    return moved


def hold(
    connection: psycopg.Connection[Any],
    user_id: int,
    *,
    who: str,
    reason: str | None = None,
    because: Verdict | None = None,
) -> bool:
    """This user gets everything from V1, whatever the shares are. Returns whether that is new."""
    with _deciding(connection) as now:
        new = not now.held(user_id)
        if new:
            action, why = ("auto_hold", _failing([because])) if because else ("hold", ())
            _decide(connection, who, action, user_id=user_id, reason=reason, accepted=why)
    return new


def release(
    connection: psycopg.Connection[Any],
    user_id: int,
    *,
    who: str,
    verdict: Verdict,
    reason: str | None = None,
    override: bool = False,
) -> bool:
    """The shares count for this user again. Returns whether that is new. Raises GateRed while the user is not ready."""
    _reasoned(override, reason)
    if not verdict.ready and not override:
        raise _refusal("the user was not released", [verdict])
    with _deciding(connection) as now:
        new = now.held(user_id)
        if new:
            _decide(connection, who, "release", user_id=user_id, reason=reason, accepted=_failing([verdict]))
    return new


def decisions(connection: psycopg.Connection[Any], limit: int = 20) -> list[dict[str, Any]]:
    """The newest decisions, newest first."""
    with connection.cursor(row_factory=dict_row) as cur:
        return cur.execute(
            "select id, at, who, action, endpoint, user_id, share::float8, reason, accepted from ops.switch_decision"
            " order by id desc limit %s",
            [limit],
        ).fetchall()


@contextmanager
def _deciding(connection: psycopg.Connection[Any]) -> Iterator[Rollout]:
    """One transaction, one decider at a time: two at once would each rest on a state that the other is changing."""
    with connection.transaction():
        connection.execute("select pg_advisory_xact_lock(hashtext('ops.switch_decision'))")
        yield in_force(connection)


def _decide(
    connection: psycopg.Connection[Any],
    who: str,
    action: str,
    *,
    endpoint: str | None = None,
    user_id: int | None = None,
    share: float | None = None,
    reason: str | None = None,
    accepted: Iterable[Accepted] = (),
) -> None:
    told = [{"kind": kind, "subject": subject, "rule": rule} for kind, subject, rule in sorted(accepted)]
    connection.execute(
        "insert into ops.switch_decision (who, action, endpoint, user_id, share, reason, accepted)"
        " values (%s, %s, %s, %s, %s, %s, %s)",
        [who, action, endpoint, user_id, share, reason, Jsonb(told)],
    )


def _failing(red: Iterable[Verdict]) -> list[Accepted]:
    return [(verdict.kind, verdict.subject, failure.rule) for verdict in red for failure in verdict.failures]


def _reasoned(override: bool, reason: str | None) -> None:
    if override and not (reason or "").strip():
        raise GateRed("an override needs a reason", hint="say why with --reason; it is kept with the decision")


def _refusal(what: str, red: Sequence[Verdict]) -> GateRed:
    lines = "; ".join(f"{v.kind} {v.subject}: {v.failures[0].why}" for v in red[:5])
    more = f" (and {len(red) - 5} more)" if len(red) > 5 else ""
    return GateRed(
        f"{what}: {lines}{more}",
        hint="`v2 gate` lists all; hold single users with `v2 switch back --user ID`, or override with a reason",
        context={"red": [{"kind": v.kind, "subject": v.subject} for v in red]},
    )
