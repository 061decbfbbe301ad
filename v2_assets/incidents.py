"""Telling people: rows of ops.alert, one per incident and not one per run that meets it."""

from __future__ import annotations

from typing import Any, Literal

import psycopg
from psycopg.types.json import Jsonb

Severity = Literal["info", "warning", "critical"]

#: The same trouble within this time is the same incident; after it, it is worth another message.
_REMIND_AFTER = "24 hours"

_INSERT = f"""
insert into ops.alert (code, severity, subject, body)
select %(code)s, %(severity)s, %(subject)s, %(body)s
where not exists (select from ops.alert where code = %(code)s and subject = %(subject)s
  and created_at > now() - interval '{_REMIND_AFTER}')
"""  # noqa: S608 - the interval is the constant above


async def report(
    connection: psycopg.AsyncConnection[Any], *, code: str, severity: Severity, subject: str, body: dict[str, Any]
) -> None:
    """Adds an alert in the caller's transaction, unless the same incident was reported within a day."""
    await connection.execute(_INSERT, _parameters(code, severity, subject, body))


def report_now(
    connection: psycopg.Connection[Any], *, code: str, severity: Severity, subject: str, body: dict[str, Any]
) -> None:
    """`report` for code that is not asynchronous."""
    connection.execute(_INSERT, _parameters(code, severity, subject, body))


def _parameters(code: str, severity: Severity, subject: str, body: dict[str, Any]) -> dict[str, Any]:
    return {"code": code, "severity": severity, "subject": subject, "body": Jsonb(body)}
