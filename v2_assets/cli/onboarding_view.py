"""`--watch`: the steps of a user's onboarding as they are now, in place on a terminal, and as lines elsewhere."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from typing import Any

from v2_assets.cli.output import current

ENDED = ("Complete", "Partial", "Error")
#: Dagster's daemon looks every five seconds; after so long without a job, something does not run.
_UNSEEN_S = 60.0
_LOOKS_S = 1.0
_SIGNS = {
    "waiting": ("·", "dim"),
    "running": ("…", "cyan"),
    "recent": ("◐", "cyan"),
    "done": ("✓", "green"),
    "skipped": ("-", "dim"),
    "failed": ("✗", "red"),
    "blocked": ("✗", "yellow"),
}
_WORDS = {"recent": "this week in", "running": "reading"}

_JOBS = """
select distinct on (j.credentials_id) j.id, j.integration, j.status, j.attempt, j.steps, j.error, j.created_at,
  j.started_at, j.recent_at, j.ended_at, c.state, c.last_error
from ops.onboarding_job j join v2.credentials c on c.id = j.credentials_id
where j.user_id = %s and (%s::text is null or j.integration = %s) order by j.credentials_id, j.attempt desc
"""
_REFUSED = """
select platform, last_error from v2.credentials
where user_id = %s and (%s::text is null or platform = %s) and deleted_at is null
  and (state = 'needs_reconnect' or state = 'new' and last_error is not null)
"""
_NAMES = (
    "id", "integration", "status", "attempt", "steps", "error", "created_at", "started_at", "recent_at", "ended_at",
    "credential", "last_error",
)  # fmt: skip


def jobs_of(connection: Any, user_id: int, platform: str | None) -> list[dict[str, Any]]:
    """The newest attempt of each connection; a key that failed before there was a job counts as one that ended."""
    rows = connection.execute(_JOBS, [user_id, platform, platform]).fetchall()
    jobs: list[dict[str, Any]] = [dict(zip(_NAMES, row, strict=True)) for row in rows]
    known = {job["integration"] for job in jobs}
    for name, error in connection.execute(_REFUSED, [user_id, platform, platform]).fetchall():
        if name not in known:
            empty: dict[str, Any] = dict.fromkeys(_NAMES)
            jobs.append(empty | {"integration": name, "status": "Error", "steps": [], "error": error})
    return sorted(jobs, key=lambda job: job["integration"])


def watch(look: Callable[[], list[dict[str, Any]]]) -> list[dict[str, Any]]:
    """Shows the jobs until all have ended, and returns them. `look` reads them anew."""
    if sys.stdout.isatty() and not current().as_json:
        return _in_place(look)
    last: list[str] = []
    begun = time.monotonic()
    while True:
        jobs = look()
        lines = [
            line
            for job in jobs
            for line in (
                f"{job['integration']}: {job['status']}",
                *(f"  {s['step']}: {_word(s)} {s.get('records', '')}".rstrip() for s in job["steps"]),
            )
        ]
        for line in lines:
            if line not in last:
                current().say(line)
        last = lines
        if _over(jobs, begun):
            return jobs
        time.sleep(_LOOKS_S)


def _in_place(look: Callable[[], list[dict[str, Any]]]) -> list[dict[str, Any]]:
    from rich.live import Live

    begun = time.monotonic()
    with Live(console=current().console, refresh_per_second=4, transient=False) as live:
        while True:
            jobs = look()
            live.update(drawn(jobs, datetime.now(UTC), time.monotonic() - begun))
            if _over(jobs, begun):
                return jobs
            time.sleep(_LOOKS_S)


def _over(jobs: Sequence[dict[str, Any]], begun: float) -> bool:
    return bool(jobs) and all(job["status"] in ENDED for job in jobs) and time.monotonic() > begun


def drawn(jobs: Sequence[dict[str, Any]], now: datetime, waited_s: float = 0.0) -> Any:
    """A table for each job, as wide as 80 columns; what to do stands below a step that failed."""
    from rich.console import Group
    from rich.table import Table
    from rich.text import Text

    if not jobs:
        hint = " Does the platform run? `v2 status` says." if waited_s > _UNSEEN_S else ""
        return Text(f"The key is being verified ({waited_s:.0f} s).{hint}")
    parts: list[Any] = []
    for job in jobs:
        attempt = f", attempt {job['attempt']}" if (job["attempt"] or 1) > 1 else ""
        title = f"{job['integration']}: {job['status']}{attempt}"
        table = Table(title=title, title_justify="left", header_style="bold", box=None, pad_edge=False, min_width=60)
        table.add_column("", width=1)
        table.add_column("step", min_width=26)
        table.add_column("state", min_width=12)
        table.add_column("records", justify="right", min_width=8)
        table.add_column("seconds", justify="right", min_width=8)
        for step in job["steps"]:
            sign, style = _SIGNS.get(step["status"], ("?", ""))
            table.add_row(
                Text(sign, style), step["step"], Text(_word(step), style), _number(step.get("records")),
                _seconds(step, now),
            )  # fmt: skip
        parts.append(table)
        parts += [Text(line, style) for line, style in _remarks(job)]
        parts.append(Text(""))
    return Group(*parts)


def _remarks(job: dict[str, Any]) -> list[tuple[str, str]]:
    remarks: list[tuple[str, str]] = []
    for step in job["steps"]:
        if error := step.get("error"):
            remarks.append((f"  {step['step']} [{error.get('code')}]: {error.get('message')}", "red"))
            if error.get("hint"):
                remarks.append((f"    → {error['hint']}", ""))
        elif step.get("reason"):
            remarks.append((f"  {step['step']}: {step['reason']}", "dim"))
    if job["error"] and not any(step.get("error") for step in job["steps"]):
        remarks.append((f"  [{job['error'].get('code')}] {job['error'].get('message')}", "red"))
    if job["status"] in ("Partial", "Error") and job["steps"]:
        remarks.append(("  → v2 onboard --user USER --retry reads only what failed", ""))
    return remarks


def _word(step: dict[str, Any]) -> str:
    return _WORDS.get(step["status"]) or str(step["status"])


def _number(value: int | None) -> str:
    return "" if value is None else f"{value:,}"


def _seconds(step: dict[str, Any], now: datetime) -> str:
    if not step.get("started_at"):
        return ""
    end = datetime.fromisoformat(step["ended_at"]) if step.get("ended_at") else now
    return f"{max((end - datetime.fromisoformat(step['started_at'])).total_seconds(), 0):.0f}"
