"""Users who were deleted, whoever deleted them: their connections rest, so that nothing works for them any more.

Every reader asks for connections in the state `ok`, so this is the one place that knows of the user behind one. Keys
stay: a user who comes back is taken up again. `v2 offboard` is what destroys keys and data.
"""

from __future__ import annotations

from typing import Any

import psycopg

_CODE = "user_deleted"
_REST = f"""
update v2.credentials c set state = 'paused', updated_at = now(),
  last_error = jsonb_build_object('code', '{_CODE}', 'message', 'the user was deleted', 'was', c.state)
from v2."user" u
where u.id = c.user_id and u.deleted_at is not null and c.deleted_at is null and c.state <> 'paused'
"""  # noqa: S608 - constants
_RETURN = f"""
update v2.credentials c set state = c.last_error ->> 'was', last_error = null, updated_at = now()
from v2."user" u
where u.id = c.user_id and u.deleted_at is null and c.deleted_at is null and c.state = 'paused'
  and c.last_error ->> 'code' = '{_CODE}'
"""  # noqa: S608 - constants


def settle_gone(connection: psycopg.Connection[Any]) -> tuple[int, int]:
    """Connections that rest from now on because their user was deleted, and those that are taken up again."""
    with connection.transaction():
        return connection.execute(_REST).rowcount, connection.execute(_RETURN).rowcount
