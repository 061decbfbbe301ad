"""Asking sources about keys: new ones, and those that a call found refused. What answers mean is said by `states`."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from datetime import timedelta

from psycopg_pool import AsyncConnectionPool

from resources.encryption import Vault, open_vault
from resources.errors import SourceError, Unauthorized, Unexpected, V2Error
from resources.http.budget import Budget, PostgresBudget
from resources.postgres import Database
from resources.reading import Identity
from resources.settings import Settings
from v2_assets.clients import client_of
from v2_assets.connections import states
from v2_assets.users import Connection

#: A probe is one small call; a tick must end within Dagster's 60 s, so who is kept waiting is asked at another one.
PROBED_PER_TICK, PROBING_S = 20, 30.0


class WrongAccount(SourceError):
    """The key works, but belongs to another account than the one it was entered for."""

    code = "wrong_account"


async def probe(database: Database, settings: Settings, platforms: Sequence[str]) -> dict[str, int]:
    """Asks about every key whose turn it is. Returns how many were accepted, refused and left for later.

    Never raises for one key's sake.
    """
    told = {"accepted": 0, "refused": 0, "later": 0}
    vault = open_vault(settings)
    async with database.async_pool(2, 2) as pool:
        async with pool.connection() as connection:
            held = await states.due(connection, list(platforms), PROBED_PER_TICK)
        budget = PostgresBudget(pool)
        for outcome in await asyncio.gather(*(_probe_one(pool, settings, vault, budget, each) for each in held)):
            told[outcome] += 1
    return told


async def _probe_one(
    pool: AsyncConnectionPool, settings: Settings, vault: Vault, budget: Budget, held: Connection
) -> str:
    outcome, error, identity = await _asked(settings, vault, budget, held)
    async with pool.connection() as connection, connection.transaction():
        if identity is not None:
            await states.accepted(connection, held, identity)
        elif outcome == "refused" and error is not None:
            await states.refused(connection, held, error, timedelta(minutes=settings.refusal_confirm_minutes))
        else:
            await states.not_known(connection, held, error)
    return outcome


async def _asked(
    settings: Settings, vault: Vault, budget: Budget, held: Connection
) -> tuple[str, V2Error | None, Identity | None]:
    """The outcome, what a person has to know, and whose key it is.

    Only a refusal by the source is one. A database that is away, a key that cannot be decrypted here or an answer that
    nobody thought of says nothing about the key.
    """
    try:
        async with asyncio.timeout(PROBING_S), client_of(held, settings, vault, budget) as client:
            identity = await client.identity()
        _must_match(identity, held)
    except (Unauthorized, WrongAccount) as error:
        return "refused", error, None
    except TimeoutError:
        return "later", None, None
    except Exception as error:  # one key's trouble is no other's
        known = error if isinstance(error, V2Error) else Unexpected.of(error)
        return "later", None if known.retryable else known, None
    return "accepted", None, identity


def _must_match(identity: Identity, held: Connection) -> None:
    for name, entered, real in (
        ("account", held.account_id, identity.account_id),
        ("user", held.external_user_id, identity.external_user_id),
    ):
        if entered and entered != real:
            raise WrongAccount(
                f"the {held.platform} key of user {held.user_id} belongs to {name} {real},"
                f" but was entered for {name} {entered}",
                hint="enter the key under the account it belongs to",
                context={"source": held.platform, "entered": entered, "real": real},
            )
