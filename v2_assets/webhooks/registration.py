"""One webhook for each event at each Follow Up Boss account, kept so: made, switched on again, leftovers removed.

An audit makes what it finds right, so registering is an audit too. How reZEN and Qualia are registered is not known:
their addresses are shown to a person (`v2 webhooks register`).
"""

from __future__ import annotations

from dataclasses import asdict, dataclass, field
from typing import Any, Literal, cast

import psycopg
from psycopg.types.json import Jsonb

from resources.apis.fub import FubClient
from resources.apis.fub.hooks import FubWebhooks, Webhook
from resources.encryption import open_vault, secret_keys
from resources.errors import BadRequest, ConfigError, V2Error
from resources.http.budget import PostgresBudget
from resources.postgres import Database
from resources.settings import Settings
from resources.webhooks import Addresses
from v2_assets.clients import client_of
from v2_assets.incidents import notice
from v2_assets.users import CONNECTION_COLUMNS, Connection, connections_of
from v2_assets.webhooks.meaning import FUB_WANTED

#: A tick of the sensor looks at this many; each is some forty small calls when everything is new.
PER_TICK = 3
_DUE = f"""
select {CONNECTION_COLUMNS} from v2.credentials c
where platform = 'fub' and state = 'ok' and active and deleted_at is null
  and not exists (select from ops.webhook_registration r where r.credentials_id = c.id
    and r.audited_at > now() - case r.outcome when 'failed' then interval '1 hour' else interval '1 day' end)
order by id limit %s
"""  # noqa: S608 - constants
_ALL = f"""
select {CONNECTION_COLUMNS} from v2.credentials c where platform = any(%(platforms)s) and state = 'ok' and active
  and deleted_at is null and (%(user)s::bigint is null or user_id = %(user)s) order by id
"""  # noqa: S608 - constants


@dataclass(slots=True)
class Audit:
    """What an audit found at one connection and put right, as names of events."""

    credentials_id: int
    user_id: int
    outcome: Literal["ok", "not_owner", "failed"] = "ok"
    active: int = 0
    created: list[str] = field(default_factory=list)
    enabled: list[str] = field(default_factory=list)
    removed: list[str] = field(default_factory=list)
    refused: list[str] = field(default_factory=list)
    error: dict[str, Any] | None = None


def public_url(settings: Settings) -> str:
    """Where the sources reach us. Raises ConfigError when nobody has said it."""
    if settings.receiver_public_url is None:
        raise ConfigError(
            "the public address of the receiver is not set, so nothing can be registered",
            hint="write V2_RECEIVER_PUBLIC_URL=https://<host> in the environment or in .env, then `v2 down; v2 up`",
        )
    return settings.receiver_public_url


async def due(database: Database) -> list[Connection]:
    """Connections whose webhooks were never looked at, or not for a day."""
    async with database.aconnect() as connection:
        return connections_of(await (await connection.execute(_DUE, [PER_TICK])).fetchall())


def connections(connection: psycopg.Connection[Any], platforms: list[str], user_id: int | None) -> list[Connection]:
    """Verified connections to these platforms, of one user or of all."""
    return connections_of(connection.execute(_ALL, {"platforms": platforms, "user": user_id}).fetchall())


async def audit(database: Database, settings: Settings, found: list[Connection]) -> list[Audit]:
    """Audits these connections one after the other. One that fails does not stop the rest."""
    base, addresses, vault = public_url(settings), Addresses(secret_keys(settings)), open_vault(settings)
    done: list[Audit] = []
    async with database.async_pool(2, 2) as pool:
        for each in found:
            result = Audit(each.credentials_id, each.user_id)
            url = base + addresses.path("fub", each.credentials_id)
            try:
                async with client_of(each, settings, vault, PostgresBudget(pool)) as client:
                    if (await client.identity()).is_owner:
                        await _put_right(cast(FubClient, client).webhooks, url, base, result)
                    else:
                        result.outcome = "not_owner"
            except V2Error as error:
                result.outcome, result.error = "failed", error.as_dict()
            async with pool.connection() as connection:
                await _note(connection, result)
            done.append(result)
    return done


async def unregister(database: Database, settings: Settings, held: Connection) -> int:
    """Ends the webhooks that one connection holds. Returns how many there were; raises what the source answers."""
    base, addresses = public_url(settings), Addresses(secret_keys(settings))
    url = base + addresses.path("fub", held.credentials_id)
    async with (
        database.async_pool(1, 2) as pool,
        client_of(held, settings, open_vault(settings), PostgresBudget(pool)) as client,
    ):
        webhooks = cast(FubClient, client).webhooks
        ours = [hook for hook in await webhooks.all() if hook.url == url]
        for hook in ours:
            await webhooks.remove(hook)
    return len(ours)


async def _put_right(webhooks: FubWebhooks, url: str, base: str, result: Audit) -> None:
    held: dict[str, Webhook] = {}
    for hook in await webhooks.all():
        if not hook.url.startswith(f"{base}/hooks/"):
            continue  # another installation of this system
        if hook.url == url and hook.event in FUB_WANTED and hook.event not in held:
            held[hook.event] = hook
        else:  # an address or an event of before, or a second one
            await webhooks.remove(hook)
            result.removed.append(hook.event)
    for event in FUB_WANTED:
        if event not in held:
            try:
                await webhooks.make(event, url)
            except BadRequest:
                result.refused.append(event)  # named in the guide, but not in the API's own list
                continue
            result.created.append(event)
        elif not held[event].active:
            await webhooks.enable(held[event])
            result.enabled.append(event)
        result.active += 1


async def _note(connection: psycopg.AsyncConnection[Any], result: Audit) -> None:
    changes = {k: v for k, v in asdict(result).items() if k in ("created", "enabled", "removed", "refused") and v}
    await connection.execute(
        "insert into ops.webhook_registration as r (credentials_id, outcome, active, changes, error)"
        " values (%s, %s, %s, %s, %s) on conflict (credentials_id) do update set outcome = excluded.outcome,"
        " active = excluded.active, changes = excluded.changes, error = excluded.error, audited_at = now()",
        [result.credentials_id, result.outcome, result.active, Jsonb(changes), result.error and Jsonb(result.error)],
    )
    if result.enabled:
        await notice(
            connection,
            code="webhook_disabled",
            severity="warning",
            subject=f"webhooks of connection {result.credentials_id} had been switched off",
            body={
                "what": f"Follow Up Boss had switched off {len(result.enabled)} webhooks; they are on again",
                "since": None,
                "users": [result.user_id],
                "link": None,
                "do": "v2 webhooks list",
            },
        )
