"""The state of a key, and the only code that changes it.

```
new ──accepted──▶ ok ──refused twice by the source's own probe──▶ needs_reconnect ──a new key──▶ new
 └──refused by it────────────────────────────────────────────────────┘  └──accepted by a later probe──▶ ok
```

A 401 in a sync is a doubt, not a refusal: it asks for a probe (a row of ops.credential_probe), and the key stays in
use. Only a source's own answer refuses a key; what our database, our settings or the network fail at never does. Where
many accounts of a source are doubted at once it is the source that is in trouble: nobody is put out of use, and people
are told once (`IN_TROUBLE`, the alert `source_refuses_keys`).

No network here: `probing` asks. Every function works in its caller's transaction.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import psycopg
from psycopg import sql
from psycopg.types.json import Jsonb

from resources.errors import Unauthorized, V2Error
from resources.reading import Identity
from v2_assets.incidents import report
from v2_assets.users import CONNECTION_COLUMNS, Connection, connections_of

#: A key that was put out of use is asked about so often, and for so long: a source's bad hour ends by itself.
PROBED_EVERY, PROBED_FOR = timedelta(hours=1), timedelta(days=1)
#: Accounts of one source that may be doubted at once before it is taken for the source's own trouble.
FEW_ACCOUNTS = 3
#: A key about which nothing was learnt (the source is away, the key cannot be decrypted here) is asked about after it.
LATER = timedelta(seconds=30)

_ASKED_NOW = """
from v2.credentials c left join ops.credential_probe p on p.credentials_id = c.id
where c.active and c.deleted_at is null and c.platform = any(%s)
  and (p.next_at <= now() or c.state = 'new' and p.credentials_id is null) and c.state <> 'paused'
  and exists (select from v2."user" u where u.id = c.user_id and u.deleted_at is null)
"""
_DUE = f"select {CONNECTION_COLUMNS} {_ASKED_NOW} order by p.next_at nulls first, c.id limit %s"

#: Sources in trouble, one row each. Doubted are keys that a probe found refused and that are still in use, and those
#: that began to be refused within a quarter of an hour. All keys of an account count as one: an account can end.
IN_TROUBLE = sql.SQL("""
select c.platform as key, c.platform, min(p.since) as since, array_agg(distinct c.user_id) as users,
  count(*) as value, count(distinct coalesce(c.account_id, c.id::text)) as accounts,
  min(p.error ->> 'message') as why
from ops.credential_probe p
join v2.credentials c on c.id = p.credentials_id and c.active and c.deleted_at is null
where p.refusals > 0 and (c.state in ('ok', 'new') or p.since > now() - interval '15 minutes')
group by c.platform
having count(distinct coalesce(c.account_id, c.id::text)) > {few}
  or count(distinct coalesce(c.account_id, c.id::text)) > 1 and count(distinct coalesce(c.account_id, c.id::text)) = (
    select count(distinct coalesce(a.account_id, a.id::text)) from v2.credentials a
    where a.platform = c.platform and a.active and a.deleted_at is null and a.state <> 'paused')
""").format(few=sql.Literal(FEW_ACCOUNTS))

# The ciphertext is compared everywhere: what was learnt of one key says nothing of another that came meanwhile.
_ACCEPT = """
update v2.credentials set state = 'ok', verified = true, verified_at = now(), last_error = null, account_id = %s,
  external_user_id = %s, updated_at = now()
where id = %s and coalesce(api_key, '') = %s and state in ('new', 'ok', 'needs_reconnect')
"""
_COUNT_REFUSAL = """
insert into ops.credential_probe as p (credentials_id, refusals, refused_at, next_at, error)
select id, 1, now(), now(), %(error)s from v2.credentials where id = %(id)s and coalesce(api_key, '') = %(key)s
on conflict (credentials_id) do update set refusals = p.refusals + 1, refused_at = now(), error = excluded.error
returning refusals, since
"""
_PUT_OUT_OF_USE = """
update v2.credentials set state = 'needs_reconnect', verified = false, last_error = %s, updated_at = now()
where id = %s and coalesce(api_key, '') = %s and state in ('new', 'ok')
"""
# Its streams did not fail by themselves: they are not read any more.
_EXCLUDE_STREAMS = """
update ops.sync_state set status = 'excluded', updated_at = now()
where account_ref = %s and status = 'failed' and error ->> 'code' = 'unauthorized'
"""
_LATER = """
insert into ops.credential_probe as p (credentials_id, next_at) values (%(id)s, now() + %(after)s)
on conflict (credentials_id) do update set next_at = excluded.next_at
"""


async def due(connection: psycopg.AsyncConnection[Any], platforms: list[str], most: int) -> list[Connection]:
    """Connections whose source is to be asked about the key now: new ones first, then who has waited longest."""
    result = await connection.execute(_DUE.encode(), [platforms, most])
    return connections_of(await result.fetchall())


def any_due(connection: psycopg.Connection[Any], platforms: list[str]) -> bool:
    """Whether `due` has one."""
    return connection.execute(f"select {_ASKED_NOW} limit 1".encode(), [platforms]).fetchone() is not None


async def doubt(connection: psycopg.AsyncConnection[Any], credentials_id: int) -> None:
    """A call with this key was refused: its source is asked at once. Says nothing new of a key already doubted."""
    await connection.execute(
        "insert into ops.credential_probe (credentials_id, next_at) values (%s, now()) on conflict do nothing",
        [credentials_id],
    )


async def accepted(connection: psycopg.AsyncConnection[Any], held: Connection, identity: Identity) -> None:
    """The source says that the key is good, and whose it is: it is in use, whatever was doubted."""
    done = await connection.execute(
        _ACCEPT, [identity.account_id, identity.external_user_id, held.credentials_id, held.api_key]
    )
    if done.rowcount:
        await connection.execute("delete from ops.credential_probe where credentials_id = %s", [held.credentials_id])


async def refused(
    connection: psycopg.AsyncConnection[Any], held: Connection, error: V2Error, confirm_after: timedelta
) -> None:
    """The source's own probe says that the key is not good.

    A key in use is put out of use by the second such answer, `confirm_after` or more behind the first doubt. A new key
    by the first: nothing is read with it yet, and somebody waits for the answer. While the source itself is in trouble
    neither happens.
    """
    where = {"id": held.credentials_id, "key": held.api_key, "error": Jsonb(error.as_dict())}
    row = await (await connection.execute(_COUNT_REFUSAL, where)).fetchone()
    if row is None:  # another key was entered meanwhile
        return
    refusals, since = row
    trouble = await connection.execute(sql.SQL("select from ({}) t where key = %s").format(IN_TROUBLE), [held.platform])
    if held.state == "needs_reconnect":
        goes_on = datetime.now(UTC) < since + PROBED_FOR
        await _next(connection, held, PROBED_EVERY if goes_on else None)
    elif await trouble.fetchone() is not None or (held.state == "ok" and refusals < 2):
        await _next(connection, held, confirm_after)
    else:
        await _put_out_of_use(connection, held, error)
        await _next(connection, held, PROBED_EVERY)


async def not_known(connection: psycopg.AsyncConnection[Any], held: Connection, error: V2Error | None) -> None:
    """Nothing was learnt of the key, for a reason that is ours or the network's: it is asked about again soon.

    `error` is what a person has to mend, None for what passes by itself.
    """
    await connection.execute(_LATER, {"id": held.credentials_id, "after": LATER})
    if error is not None and held.state == "new":
        await connection.execute(
            "update v2.credentials set last_error = %s, updated_at = now() where id = %s and state = 'new'"
            " and last_error is distinct from %s",
            [Jsonb(error.as_dict()), held.credentials_id, Jsonb(error.as_dict())],
        )
        await _tell(connection, held, "credential_not_verified", "cannot be tried", error)


def entered(
    connection: psycopg.Connection[Any], credentials_id: int, keys: tuple[str, str | None], account_id: str | None
) -> None:
    """Another key (ciphertexts) for a connection, or one for a connection that had been taken away: it is new."""
    connection.execute(
        "update v2.credentials set api_key = %s, api_secret = %s, state = 'new', verified = false, verified_at = null,"
        " active = true, last_error = null, deleted_at = null, updated_at = now(),"
        " account_id = case when deleted_at is null then account_id else %s end,"
        " external_user_id = case when deleted_at is null then external_user_id end where id = %s",
        [*keys, account_id, credentials_id],
    )
    connection.execute("delete from ops.credential_probe where credentials_id = %s", [credentials_id])


def taken_away(connection: psycopg.Connection[Any], credentials_id: int) -> None:
    """The connection has ended, and its key is destroyed. Waits for a page that is being stored through it."""
    connection.execute(
        "update v2.credentials set active = false, api_key = null, api_secret = null, state = 'paused',"
        " verified = false, last_error = null, deleted_at = now(), updated_at = now() where id = %s",
        [credentials_id],
    )
    connection.execute("delete from ops.credential_probe where credentials_id = %s", [credentials_id])


async def _next(connection: psycopg.AsyncConnection[Any], held: Connection, after: timedelta | None) -> None:
    await connection.execute(
        "update ops.credential_probe set next_at = now() + %s where credentials_id = %s", [after, held.credentials_id]
    )


async def _put_out_of_use(connection: psycopg.AsyncConnection[Any], held: Connection, error: V2Error) -> None:
    done = await connection.execute(_PUT_OUT_OF_USE, [Jsonb(error.as_dict()), held.credentials_id, held.api_key])
    if not done.rowcount:
        return
    if held.state == "ok":
        await connection.execute(_EXCLUDE_STREAMS, [held.account_ref])
        await _tell(connection, held, "credential_refused", "is refused", error)
        return
    await _tell(connection, held, "credential_not_verified", "does not work", error)
    # An attempt that waits for the key ends with it and tells it itself.
    await connection.execute(
        "insert into ops.notification (user_id, kind, payload) select %s, 'ONBOARDING_ERROR', %s where not exists"
        " (select from ops.onboarding_job where credentials_id = %s and status in ('New', 'Started'))",
        [held.user_id, Jsonb({"integration": held.platform, "code": error.code}), held.credentials_id],
    )


async def _tell(
    connection: psycopg.AsyncConnection[Any], held: Connection, code: str, what: str, error: V2Error
) -> None:
    kind = "refused" if isinstance(error, Unauthorized) else error.code
    new = "new " if held.state == "new" else ""
    await report(
        connection,
        code=code,
        key=f"{held.platform}/{held.credentials_id}",
        severity="warning",
        subject=f"the {new}{held.platform} key of user {held.user_id} {what}",
        body={
            "what": f"{kind}: {error.message}",
            "since": datetime.now(UTC).isoformat(timespec="seconds"),
            "users": [held.user_id],
            "link": None,
            "do": f"v2 onboard --user {held.user_id} --platform {held.platform}",
        },
    )
