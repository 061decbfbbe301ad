"""Onboarding jobs as a state machine: New → Started → Complete | Partial | Error.

A job asks for a run, the run is followed to its end, and then the streams themselves say what is still to be done: the
first run reads what is recent, the next ones the history and what cannot be narrowed. A job ends when nothing is owed
to it. Every move is one transaction that also tells the product, so a sensor that dies at any point tells it once.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import cached_property
from typing import Any, Literal

import psycopg
from psycopg.types.json import Jsonb

from resources.errors import V2Error
from v2_assets.onboarding.steps import (
    StreamState,
    draw,
    entities_of,
    pending,
    stream_states,
    with_dependents,
)
from v2_assets.staging.streams import READINGS

#: Runs in a row that bring nothing before a job gives up; the sweeps go on from there.
MOST_IN_VAIN = 3
#: After a run that brought nothing, so long until the next is asked for, times their number.
PAUSE = timedelta(seconds=30)
#: How long merges may be behind after everything was read, before the job says so and ends.
MERGE_PATIENCE = timedelta(minutes=15)

RunState = Literal["asked", "running", "success", "failure"]

_HAS_NO_JOB = """
from v2.credentials c
where state = 'ok' and verified and active and deleted_at is null and platform = any(%s)
  and not exists (select from ops.onboarding_job j where j.credentials_id = c.id)
  and exists (select from v2."user" u where u.id = c.user_id and u.deleted_at is null)
"""
_WITHOUT_JOB = f"""
insert into ops.onboarding_job (user_id, integration, credentials_id, status, attempt)
select user_id, platform, id, 'New', 1 {_HAS_NO_JOB} order by id on conflict do nothing
"""
_OPEN = """
select j.id, j.user_id, j.integration, j.status, j.created_at, j.entities, j.steps, j.asked, j.asked_at, j.runs,
  j.in_vain, j.recent_at, c.platform || '/' || coalesce(c.account_id, '') || '/' || c.user_id,
  c.state, c.active and c.deleted_at is null and u.deleted_at is null, c.last_error
from ops.onboarding_job j join v2.credentials c on c.id = j.credentials_id join v2."user" u on u.id = j.user_id
where j.status in ('New', 'Started') order by j.id
"""


@dataclass(frozen=True)
class Job:
    """An open job, and its connection."""

    id: int
    user_id: int
    integration: str
    status: str
    created_at: datetime
    entities: list[str] | None
    steps: list[dict[str, Any]]
    asked: dict[str, Any] | None
    asked_at: datetime | None
    runs: int
    in_vain: int
    recent_at: datetime | None
    account_ref: str
    credential: str
    connected: bool
    last_error: dict[str, Any] | None

    @property
    def usable(self) -> bool:
        """Whether its key can be used now."""
        return self.connected and self.credential == "ok"

    @property
    def hopeless(self) -> bool:
        """Whether its key will not come into use by itself."""
        return not self.connected or self.credential in ("needs_reconnect", "paused")

    @cached_property
    def scope(self) -> tuple[str, ...]:
        """The streams it reads, in their declared order."""
        return tuple(e for e in entities_of(self.integration) if self.entities is None or e in self.entities)

    def states(self, connection: psycopg.Connection[Any]) -> dict[str, StreamState]:
        """How its streams stand."""
        return stream_states(connection, self.integration, self.account_ref, self.created_at, self.entities)

    def owed(self, states: Mapping[str, StreamState]) -> tuple[str, ...]:
        """Streams that another run may still bring. A failure that may pass is tried again, a few times."""
        if self.in_vain >= MOST_IN_VAIN:
            return ()
        again = {e for e, s in states.items() if s.status == "failed" and s.retryable}
        wanted = {e for e, s in states.items() if s.status in ("waiting", "running", "recent")} | again
        if again:
            wanted |= with_dependents(self.integration, again)
        return tuple(e for e in self.scope if e in wanted and states[e].status != "done")

    def unread(self, states: Mapping[str, StreamState]) -> tuple[str, ...]:
        """What is still owed of the first run: streams that are read at once, and of which nothing is in."""
        return tuple(
            e
            for e in self.owed(states)
            if READINGS[self.integration, e].first and states[e].status not in ("done", "recent")
        )


@dataclass(frozen=True, slots=True)
class Asked:
    """A run that is to be asked for: the same at every tick until it is seen.

    `recent`: whether it is the users' first one, which reads what is recent only.
    """

    key: str
    integration: str
    entities: tuple[str, ...]
    recent: bool
    jobs: tuple[int, ...]
    users: tuple[int, ...]


def open_jobs(connection: psycopg.Connection[Any]) -> list[Job]:
    """Every job that has not ended."""
    return [Job(*row) for row in connection.execute(_OPEN).fetchall()]


def any_open(connection: psycopg.Connection[Any]) -> bool:
    """Whether a job has not ended."""
    query = "select from ops.onboarding_job where status in ('New', 'Started') limit 1"
    return connection.execute(query).fetchone() is not None


def any_without_job(connection: psycopg.Connection[Any], integrations: list[str]) -> bool:
    """Whether `write_jobs` would write one."""
    return connection.execute(f"select {_HAS_NO_JOB} limit 1".encode(), [integrations]).fetchone() is not None


def write_jobs(connection: psycopg.Connection[Any], integrations: Sequence[str]) -> list[Job]:
    """Writes the jobs of verified credentials that have none. Returns all that are open."""
    with connection.transaction():
        connection.execute(_WITHOUT_JOB, [list(integrations)])
    return open_jobs(connection)


def wanted_run(connection: psycopg.Connection[Any], job: Job) -> tuple[tuple[str, ...], bool] | None:
    """The streams of the job's next run, and whether it is the first; None while it wants none."""
    if job.asked is not None or not job.usable:
        return None
    if job.asked_at and datetime.now(UTC) < job.asked_at + PAUSE * job.in_vain:
        return None
    states = job.states(connection)
    if job.recent_at is None and (first := job.unread(states)):
        return first, True
    wanted = job.owed(states)
    return (wanted, False) if wanted else None


def ask(connection: psycopg.Connection[Any], job_ids: Sequence[int], entities: Sequence[str], *, recent: bool) -> None:
    """These jobs share a run from now on: noted before anybody asks for it."""
    with connection.transaction():
        row = connection.execute("select max(runs) from ops.onboarding_job where id = any(%s)", [job_ids]).fetchone()
        runs = (row[0] if row else 0) + 1
        # The same jobs never share a second run under one key: their numbers have grown since.
        key = f"onboarding-{'.'.join(map(str, sorted(job_ids)))}-{runs}"
        connection.execute(
            "update ops.onboarding_job set asked = %s, asked_at = now(), run_id = null, runs = %s"
            " where id = any(%s) and asked is null and status in ('New', 'Started')",
            [Jsonb({"key": key, "entities": list(entities), "recent": recent}), runs, job_ids],
        )


def to_start(connection: psycopg.Connection[Any]) -> list[Asked]:
    """Runs that were asked for and that nobody has seen yet."""
    rows = connection.execute(
        "select asked, integration, array_agg(id order by id), array_agg(distinct user_id) from ops.onboarding_job"
        " where asked is not null and run_id is null and status in ('New', 'Started') group by 1, 2 order by min(id)"
    ).fetchall()
    return [
        Asked(asked["key"], integration, tuple(asked["entities"]), asked["recent"], tuple(jobs), tuple(users))
        for asked, integration, jobs, users in rows
    ]


def follow(connection: psycopg.Connection[Any], job: Job, run: tuple[str, RunState] | None) -> bool:
    """Brings a job up to how its run (id and state) and its streams stand. Returns whether its status moved."""
    states = job.states(connection)
    over = run is not None and run[1] in ("success", "failure")
    begun = run is not None and (over or run[1] == "running")
    in_vain = job.in_vain
    if over:
        in_vain = 0 if _brought(connection, job) else in_vain + 1
    after = Job(**{**job.__dict__, "in_vain": in_vain, "asked": None if over else job.asked})
    ended, error = _end(connection, after, states)
    steps = draw(job.integration, states, job.steps, ended=ended is not None, now=datetime.now(UTC))
    status = ended or ("Started" if begun else job.status)
    with connection.transaction():
        moved = connection.execute(
            "update ops.onboarding_job set status = %(status)s, steps = %(steps)s, in_vain = %(in_vain)s,"
            " asked = case when %(over)s then null else asked end, run_id = coalesce(%(run)s, run_id),"
            " recent_at = case when %(recent)s then coalesce(recent_at, now()) else recent_at end,"
            " started_at = case when %(begun)s then coalesce(started_at, now()) else started_at end,"
            " ended_at = case when %(ended)s then now() end, error = %(error)s"
            " where id = %(id)s and status = %(before)s",
            {
                "id": job.id,
                "before": job.status,
                "status": status,
                "steps": Jsonb(steps),
                "in_vain": in_vain,
                "over": over,
                "recent": over and not after.unread(states),
                "run": run[0] if run else None,
                "begun": begun or ended is not None,
                "ended": ended is not None,
                "error": Jsonb(error) if error else None,
            },
        ).rowcount
        if not moved:
            return False  # somebody else has moved it
        if job.status == "New" and status != "New":
            tell(connection, job.user_id, "ONBOARDING_STARTED", job.integration, "Started")
        if ended:
            tell(connection, job.user_id, f"ONBOARDING_{'COMPLETE' if ended == 'Complete' else 'ERROR'}",
                 job.integration, ended)  # fmt: skip
    return status != job.status


def give_up(connection: psycopg.Connection[Any], job_ids: Sequence[int], error: V2Error) -> None:
    """Ends jobs that nobody can tell what to do for, say after a release that no longer knows a stream of theirs."""
    with connection.transaction():
        for user_id, integration in connection.execute(
            "update ops.onboarding_job set status = 'Error', ended_at = now(), asked = null, error = %s"
            " where id = any(%s) and status in ('New', 'Started') returning user_id, integration",
            [Jsonb(_kept(error.as_dict())), list(job_ids)],
        ).fetchall():
            tell(connection, user_id, "ONBOARDING_ERROR", integration, "Error")


def _brought(connection: psycopg.Connection[Any], job: Job) -> bool:
    """Whether any of the streams that were asked for was stored to, or read to its end, since the run was asked for."""
    entities = (job.asked or {}).get("entities", [])
    row = connection.execute(
        "select exists (select from ops.sync_state where integration = %s and account_ref = %s and entity = any(%s)"
        " and updated_at >= %s and status <> 'failed')",
        [job.integration, job.account_ref, entities, job.asked_at],
    ).fetchone()
    return bool(row and row[0])


def _end(
    connection: psycopg.Connection[Any], job: Job, states: Mapping[str, StreamState]
) -> tuple[str | None, dict[str, Any] | None]:
    """The status a job ends with, and why; (None, None) while it goes on."""
    mine = [states[e] for e in job.scope]
    failed = [s for s in mine if s.status == "failed"]
    something = any(s.status in ("done", "recent") for s in states.values())
    if job.hopeless:
        why = job.last_error or {"code": "disconnected", "message": f"the connection is {job.credential}"}
        return ("Partial" if something else "Error"), _kept(why)
    if job.asked is not None or job.owed(states):
        return None, None
    if all(s.status == "done" for s in mine):
        left = pending(connection, job.integration, job.account_ref)
        if not left:
            return "Complete", None
        newest = max((s.ended_at for s in mine if s.ended_at), default=job.created_at)
        if datetime.now(UTC) - newest < MERGE_PATIENCE:
            return None, None  # the backlog sensor merges what a run left behind
        return "Partial", {"code": "not_merged", "message": f"{left} records were read and could not be merged"}
    if failed:
        return ("Partial" if something else "Error"), _kept(failed[0].error or {})
    return ("Partial" if something else "Error"), {
        "code": "run_failed",
        "message": f"{job.in_vain} runs in a row brought nothing",
    }


def _kept(error: Mapping[str, Any]) -> dict[str, Any]:
    return {name: error[name] for name in ("code", "message", "hint", "retryable") if name in error}


def tell(connection: psycopg.Connection[Any], user_id: int, kind: str, integration: str, status: str) -> None:
    """What the product is to show the user, in the caller's transaction."""
    connection.execute(
        "insert into ops.notification (user_id, kind, payload) values (%s, %s, %s)",
        [user_id, kind, Jsonb({"integration": integration, "status": status})],
    )


# --- another attempt --------------------------------------------------------------------------------------------------

_LAST = """
select id, integration, status, created_at, entities, steps,
  (select c.platform || '/' || coalesce(c.account_id, '') || '/' || c.user_id from v2.credentials c
   where c.id = credentials_id)
from ops.onboarding_job where credentials_id = %s order by attempt desc limit 1 for update
"""
_ATTEMPT = """
insert into ops.onboarding_job (user_id, integration, credentials_id, status, attempt, entities, steps)
select user_id, integration, credentials_id, 'New', attempt + 1, %(entities)s, %(steps)s
from ops.onboarding_job where id = %(id)s
"""


def again(connection: psycopg.Connection[Any], credentials_id: int, *, failed_only: bool) -> tuple[str, ...] | None:
    """Writes another attempt. Returns the streams it reads; None when one is still at work, or nothing had failed.

    `failed_only`: what is in stays, and only the rest is read, with what takes its keys from it.
    """
    with connection.transaction():
        row = connection.execute(_LAST, [credentials_id]).fetchone()
        if row is None or row[2] in ("New", "Started"):
            return None
        job_id, integration, _, created_at, entities, steps, account_ref = row
        if not failed_only:
            connection.execute("select ops.onboard_again(%s)", [credentials_id])
            return entities_of(integration)
        states = stream_states(connection, integration, account_ref, created_at, entities)
        wanted = with_dependents(integration, (e for e, s in states.items() if s.status != "done"))
        chosen = [e for e in entities_of(integration) if e in wanted]
        if not chosen:
            return None
        connection.execute(_ATTEMPT, {"id": job_id, "entities": chosen, "steps": Jsonb(steps)})
        return tuple(chosen)
