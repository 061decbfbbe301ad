"""Tokens: who may read, for what, until when. Made, listed and taken back by the `v2` command.

A token is 256 random bits; the database holds their SHA-256, and finds it by that. A look-up by hash tells a guesser
nothing by its time: to come closer he would have to choose the hash, and that he cannot.
"""

from __future__ import annotations

import hashlib
import re
import secrets
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

import psycopg

from resources.errors import ConfigError
from v2_assets.schema.api import SCOPES

_PREFIX = "v2_"  # so that secret scanners and people know one when they see it
_FORM = re.compile(rf"{_PREFIX}[A-Za-z0-9_-]{{43}}")
#: What begins like one, a piece of it included; in the middle of a longer word it is chance.
_LIKE_OURS = re.compile(rf"(?<![A-Za-z0-9_.-]){_PREFIX}[A-Za-z0-9_-]{{20}}")
_HEADER = re.compile(rf"Bearer ({_FORM.pattern})")
_UNITS = {"m": "minutes", "h": "hours", "d": "days", "w": "weeks"}


def hash_of(token: str) -> str | None:
    """The hash of a token, in hex; None for what cannot be one."""
    return hashlib.sha256(token.encode()).hexdigest() if _FORM.fullmatch(token) else None


def sent(headers: Sequence[str]) -> str | None:
    """The hash of the token in a request's `Authorization` headers: exactly one, `Bearer <token>` and nothing else.

    One reader for all: where two understand the same header differently, a token goes where it does not belong.
    """
    found = _HEADER.fullmatch(headers[0]) if len(headers) == 1 else None
    return hash_of(found[1]) if found else None


def holds(headers: Sequence[str]) -> bool:
    """Whether a token of ours is in these headers, or most of one, however it is written: they are for nobody else."""
    return any(_LIKE_OURS.search(header) for header in headers)


def create(
    connection: psycopg.Connection[Any],
    user_id: int,
    scopes: Sequence[str],
    *,
    expires_at: datetime | None = None,
    label: str | None = None,
) -> tuple[int, str]:
    """A new token of the user: its number, and itself; nobody can be shown it again."""
    unknown = sorted(set(scopes) - set(SCOPES))
    if unknown or not scopes:
        raise ConfigError(
            f"there is no scope {', '.join(unknown)}" if unknown else "a token needs a scope",
            hint=f"scopes are {' and '.join(SCOPES)}",
            context={"scopes": list(scopes)},
        )
    token = _PREFIX + secrets.token_urlsafe(32)
    (number,) = connection.execute(
        "insert into ops.api_token (hash, user_id, scopes, expires_at, label)"
        " values (decode(%s, 'hex'), %s, %s, %s, %s) returning id",
        [hash_of(token), user_id, sorted(set(scopes)), expires_at, label],
    ).fetchall()[0]
    return number, token


def listed(connection: psycopg.Connection[Any], user_id: int | None = None) -> list[dict[str, Any]]:
    """Tokens, newest first; of one user or of all."""
    cursor = connection.execute(
        "select id, user_id, scopes, label, created_at, expires_at, revoked_at, last_used_at,"
        " case when revoked_at is not null then 'revoked' when expires_at <= now() then 'expired' else 'good' end"
        " as state from ops.api_token where %s::bigint is null or user_id = %s order by id desc",
        [user_id, user_id],
    )
    names = [column.name for column in cursor.description or ()]
    return [dict(zip(names, row, strict=True)) for row in cursor]


def revoke(connection: psycopg.Connection[Any], token_id: int) -> bool:
    """Takes a token back, at once for every reader. False when it was taken back before. Raises ConfigError."""
    row = connection.execute("select revoked_at from ops.api_token where id = %s", [token_id]).fetchone()
    if row is None:
        raise ConfigError(f"there is no token {token_id}", hint="`v2 token list` shows them", context={"id": token_id})
    connection.execute("update ops.api_token set revoked_at = now() where id = %s and revoked_at is null", [token_id])
    return row[0] is None


def expiry(text: str | None) -> datetime | None:
    """When a token ends that is to live for `text`: 30d, 12h, 2w, or an instant. Raises ConfigError."""
    if text is None:
        return None
    if found := re.fullmatch(r"(\d{1,5})([mhdw])", text):
        return datetime.now(UTC) + timedelta(**{_UNITS[found[2]]: int(found[1])})
    try:
        at = datetime.fromisoformat(text)
    except ValueError:
        raise ConfigError(
            f"{text!r} is no time to live", hint="write 30d, 12h or 2027-01-31T00:00+00:00", context={"expires": text}
        ) from None
    return at if at.tzinfo else at.replace(tzinfo=UTC)
