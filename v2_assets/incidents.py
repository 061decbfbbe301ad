"""Incidents: one row per cause of trouble while it lasts, and the messages that its beginning, worsening and end make.

A cause is (code, key): three hundred users of a source that is down are one cause. Whoever sees it says so as often as
they like (`report`, `settle`); people are told when it begins, when it becomes worse, when it has lasted for long and
when it is over. The messages are rows of ops.alert, written in the caller's transaction; `alerting.deliver` sends them.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, Literal

import psycopg
from psycopg.types.json import Jsonb

from resources.errors import V2Error
from v2_assets.alerting.codes import CODES

Severity = Literal["info", "warning", "critical"]


class UnknownCode(V2Error):
    """An incident of a code that the catalogue does not have: nobody could look up what to do."""

    code = "unknown_alert_code"


@dataclass(frozen=True, slots=True)
class Finding:
    """What is wrong with one cause now.

    `body`: `what` (a sentence), `since` (ISO text or None), `users` (ids), `link` (path in the UI or None), `do` (a
    command), and details of its own. No names, no e-mail addresses, no secrets.
    """

    severity: Severity
    subject: str
    body: Mapping[str, Any]


# One statement, so that two who see the same cause at once tell of it once.
_REPORT = """
with old as (
  select told from ops.incident where code = %(code)s and key = %(key)s and recovered_at is null
),
seen as (
  insert into ops.incident as i (code, key, severity, subject, body, told)
  values (%(code)s, %(key)s, %(severity)s, %(subject)s, %(body)s, %(severity)s)
  on conflict (code, key) where recovered_at is null do update set severity = excluded.severity,
    subject = excluded.subject, body = excluded.body, times = i.times + 1, last_seen_at = now(),
    told = case when array_position(%(ranks)s, excluded.severity) > array_position(%(ranks)s, i.told)
      then excluded.severity else i.told end
  returning id, times
)
insert into ops.alert (incident_id, kind, code, severity, subject, body)
select s.id, case when s.times = 1 then 'opened' else 'worse' end, %(code)s, %(severity)s, %(subject)s, %(body)s
from seen s left join old o on true
where s.times = 1 or array_position(%(ranks)s, %(severity)s) > array_position(%(ranks)s, o.told)
"""
_RECOVER = """
with over as (
  update ops.incident set recovered_at = now() where code = %(code)s and key = %(key)s and recovered_at is null
  returning id, told, subject, body, opened_at
)
insert into ops.alert (incident_id, kind, code, severity, subject, body)
select id, 'recovered', %(code)s, told, subject, body || jsonb_build_object('since', opened_at) from over
"""
_REMIND = """
with due as (
  update ops.incident set reminded_at = now()
  where recovered_at is null and told <> 'info' and coalesce(reminded_at, opened_at) < now() - %(after)s
  returning id, code, severity, subject, body
)
insert into ops.alert (incident_id, kind, code, severity, subject, body)
select id, 'reminder', code, severity, subject, body from due
"""
_NOTICE = "insert into ops.alert (kind, code, severity, subject, body) values ('notice', %s, %s, %s, %s)"
_RANKS: list[Severity] = ["info", "warning", "critical"]


async def report(
    connection: psycopg.AsyncConnection[Any],
    *,
    code: str,
    key: str,
    severity: Severity,
    subject: str,
    body: Mapping[str, Any],
) -> None:
    """Opens the incident of a cause, or says that it still lasts. Raises UnknownCode."""
    await connection.execute(_REPORT, _parameters(code, key, severity, subject, body))


def report_now(
    connection: psycopg.Connection[Any],
    *,
    code: str,
    key: str,
    severity: Severity,
    subject: str,
    body: Mapping[str, Any],
) -> None:
    """`report` for code that is not asynchronous."""
    connection.execute(_REPORT, _parameters(code, key, severity, subject, body))


def recover_now(connection: psycopg.Connection[Any], *, code: str, key: str) -> None:
    """Ends the incident of a cause, if there is one."""
    connection.execute(_RECOVER, {"code": code, "key": key})


def settle(connection: psycopg.Connection[Any], code: str, found: Mapping[str, Finding], *, within: str = "") -> None:
    """`found`, by key, is all that is wrong under this code now: opens and refreshes it, and ends every other one.

    `within` narrows "all" to the keys that begin so, for somebody who looked at a part only.
    """
    with connection.transaction():
        still = connection.execute(
            "select key from ops.incident where code = %s and recovered_at is null and starts_with(key, %s)",
            [code, within],
        ).fetchall()
        for key, finding in sorted(found.items()):
            report_now(
                connection,
                code=code,
                key=key,
                severity=finding.severity,
                subject=finding.subject,
                body=finding.body,
            )
        for (key,) in still:
            if key not in found:
                recover_now(connection, code=code, key=key)


def remind(connection: psycopg.Connection[Any], after: timedelta) -> int:
    """Messages about incidents that have lasted for so long since people last heard of them. Returns how many."""
    return connection.execute(_REMIND, {"after": after}).rowcount


async def notice(
    connection: psycopg.AsyncConnection[Any], *, code: str, severity: Severity, subject: str, body: Mapping[str, Any]
) -> None:
    """A message about something that is over already. Raises UnknownCode."""
    told = _parameters(code, "", severity, subject, body)
    await connection.execute(_NOTICE, [code, severity, subject, told["body"]])


def _parameters(code: str, key: str, severity: Severity, subject: str, body: Mapping[str, Any]) -> dict[str, Any]:
    if code not in CODES:
        raise UnknownCode(f"there is no alert code {code!r}", hint="add it to v2_assets/alerting/codes.py")
    return {
        "code": code,
        "key": key,
        "severity": severity,
        "subject": subject,
        "body": Jsonb(dict(body)),
        "ranks": _RANKS,
    }
