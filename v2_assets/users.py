"""Who a run works for: one frozen `UserContext` per user, loaded once, and the resolution of every name for a user.

`ad_user_id` is another name for `user_id` (the old CRM workers used it); both, and an e-mail, are accepted wherever a
person names a user, and an id that belongs to nobody is an error that says so.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import psycopg
from pydantic import BaseModel, ConfigDict, Field

from resources.errors import UnknownUser


class Connection(BaseModel):
    """One connection of a user to one platform. The key stays encrypted until a client is opened with it."""

    model_config = ConfigDict(frozen=True)

    credentials_id: int
    user_id: int
    platform: str
    account_id: str
    external_user_id: str | None
    state: str
    api_key: str = Field(repr=False)
    api_secret: str | None = Field(default=None, repr=False)

    @property
    def account_ref(self) -> str:
        """How staging names what was read through this connection; two users of one account have two."""
        return f"{self.platform}/{self.account_id}/{self.user_id}"

    @property
    def usable(self) -> bool:
        """Verified and neither refused nor paused."""
        return self.state == "ok"


class UserContext(BaseModel):
    """The standard context of a user; what every function takes instead of a loose document."""

    model_config = ConfigDict(frozen=True)

    user_id: int
    agent_id: int | None = None
    agent_id_raw: str | None = None
    team_id: int | None = None
    brokerage_id: int | None = None
    timezone: str = "UTC"
    connections: dict[str, tuple[Connection, ...]] = {}


_CONTEXT = """
select u.id, u.agent_id, a.agent_id_raw, u.team_id, u.brokerage_id, coalesce(u.timezone, 'UTC')
from v2."user" u left join v2.agent a on a.id = u.agent_id
where u.id = any(%s) and u.deleted_at is null
"""
#: The columns of a `Connection`, for whoever selects connections. One whose key is missing fails when it is used, and
#: alone.
CONNECTION_COLUMNS = (
    "id as credentials_id, user_id, platform, coalesce(account_id, '') as account_id, external_user_id, state,"
    " coalesce(api_key, '') as api_key, api_secret"
)
_CONNECTIONS = f"""
select {CONNECTION_COLUMNS}
from v2.credentials where user_id = any(%s) and active and deleted_at is null order by id
"""  # noqa: S608 - constants


def connections_of(rows: Sequence[Sequence[Any]]) -> list[Connection]:
    """Rows of CONNECTION_COLUMNS as connections."""
    names = tuple(Connection.model_fields)
    return [Connection.model_validate(dict(zip(names, row, strict=True))) for row in rows]


def living(connection: psycopg.Connection[Any], user_ids: Sequence[int] | None = None) -> list[int]:
    """Those of these users (default: all) who are there and not deleted, in the order asked for."""
    ids = None if user_ids is None else list(user_ids)
    rows = connection.execute(
        'select id from v2."user" where deleted_at is null and (%(ids)s::bigint[] is null or id = any(%(ids)s))'
        " order by id",
        {"ids": ids},
    ).fetchall()
    there = dict.fromkeys(row[0] for row in rows)
    return list(there) if ids is None else [user_id for user_id in ids if user_id in there]


def connected(
    connection: psycopg.Connection[Any], platforms: Sequence[str], user_ids: Sequence[int] | None = None
) -> list[int]:
    """Those of these users (default: all) who are there and have a usable connection to one of these platforms."""
    rows = connection.execute(
        'select distinct c.user_id from v2.credentials c join v2."user" u on u.id = c.user_id and u.deleted_at is null'
        " where c.platform = any(%(platforms)s) and c.state = 'ok' and c.active and c.deleted_at is null"
        " and (%(ids)s::bigint[] is null or c.user_id = any(%(ids)s)) order by 1",
        {"platforms": list(platforms), "ids": None if user_ids is None else list(user_ids)},
    ).fetchall()
    return [row[0] for row in rows]


def load_user(connection: psycopg.Connection[Any], user_id: int) -> UserContext:
    """The context of one user who must be there. Raises UnknownUser."""
    found = load_users(connection, [user_id])
    if user_id not in found:
        raise UnknownUser(
            f"no user with id {user_id}",
            hint="`v2 status` lists the users; deleted users are not synced",
            context={"user_ids": [user_id]},
        )
    return found[user_id]


def load_users(connection: psycopg.Connection[Any], user_ids: Sequence[int]) -> dict[int, UserContext]:
    """Contexts of those of these users who are there. One who was deleted has none: that is an outcome, no error."""
    with connection.cursor() as cur:
        cur.execute(_CONTEXT, [list(user_ids)])
        people = {row[0]: row for row in cur.fetchall()}
        cur.execute(_CONNECTIONS, [list(user_ids)])
        connections = connections_of(cur.fetchall())
    held: dict[int, list[Connection]] = {}
    for each in connections:
        held.setdefault(each.user_id, []).append(each)
    contexts = {}
    for user_id in (user_id for user_id in user_ids if user_id in people):
        mine = held.get(user_id, [])
        _, agent_id, agent_id_raw, team_id, brokerage_id, timezone = people[user_id]
        contexts[user_id] = UserContext(
            user_id=user_id,
            agent_id=agent_id,
            agent_id_raw=agent_id_raw,
            team_id=team_id,
            brokerage_id=brokerage_id,
            timezone=timezone,
            connections={p: tuple(c for c in mine if c.platform == p) for p in {c.platform for c in mine}},
        )
    return contexts


def resolve_user(connection: psycopg.Connection[Any], name: str) -> int:
    """The user's id for an id, an `ad_user_id` or an e-mail. Raises UnknownUser naming what was given."""
    name = name.strip()
    with connection.cursor() as cur:
        if "@" in name:
            cur.execute('select id from v2."user" where lower(email) = lower(%s) and deleted_at is null', [name])
        elif name.isdecimal():
            cur.execute(
                'select id from v2."user" where id = %s and deleted_at is null union all'
                " select user_id from v2.user_identity where kind = 'ad_user_id' and external_id = %s limit 1",
                [int(name), name],
            )
        else:
            cur.execute(
                "select distinct user_id from v2.user_identity where external_id = %s and deleted_at is null", [name]
            )
        found = cur.fetchall()
    if len(found) != 1:
        raise UnknownUser(
            f"{len(found)} users are known as {name!r}" if found else f"no user is known as {name!r}",
            hint="give the user's id, e-mail or ad_user_id; `v2 status` lists the users",
            context={"user": name},
        )
    return int(found[0][0])
