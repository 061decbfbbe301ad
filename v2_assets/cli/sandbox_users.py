"""The sandbox's users as the product would enter them: users and new credentials, nothing more.

Everything after that (verification, partitions, jobs, runs) is the sensors' work.
"""

from __future__ import annotations

from typing import Any

import httpx

from resources.apis import ENTITIES
from resources.encryption import open_vault
from resources.errors import SourceUnavailable
from resources.postgres import Database
from resources.settings import Settings


def sandbox_settings(base: Settings, url: str) -> dict[str, Any]:
    """The settings that point every client at a sandbox, and let it be asked as fast as it answers."""
    return {
        "fub_base_url": f"{url}/fub/v1",
        "rezen_base_url": f"{url}/rezen/{{service}}/api/v1",
        "fub_system_key": "sandbox-system-key",
        # The sandbox is on this machine and takes an address without HTTPS.
        "receiver_public_url": base.receiver_public_url or f"http://127.0.0.1:{base.receiver_port}",
        "fub_limit_per_system": 100_000,
        "rezen_limit_per_account": 100_000,
        "rezen_limit_per_system": 100_000,
        "skyslope_base_url": f"{url}/skyslope",
        "skyslope_client_id": "sandbox-client",
        "skyslope_client_secret": "sandbox-client-secret",
        "skyslope_limit_per_client": 100_000,
        "title_base_url": f"{url}/title/api/partner/graphql",
        "title_limit_per_account": 100_000,
        "xano_base_url": f"{url}/xano/api:meta",
        "xano_limit_calls": 100_000,
        # Its stories are over in minutes.
        "refusal_confirm_minutes": 0.1,
    }


def credentials_of(url: str) -> list[dict[str, Any]]:
    """The sandbox's users with their keys. Raises SourceUnavailable when no sandbox answers there."""
    try:
        answer = httpx.get(f"{url}/_world/credentials", timeout=10, trust_env=False)
        answer.raise_for_status()
    except httpx.HTTPError as error:
        raise SourceUnavailable(
            f"no sandbox answers at {url} ({type(error).__name__})", hint="start it with `v2 up --sandbox`"
        ) from None
    return answer.json()["users"]


def keys_of(user: dict[str, Any]) -> dict[str, dict[str, str]]:
    """The user's keys by platform; not everybody has one for each."""
    return {platform: user[platform] for platform in ENTITIES if platform in user}


def raise_limit(url: str, calls: int) -> None:
    """Lets the sandbox's CRM accounts and V1 be asked more often than the documented number of calls."""
    raised = dict.fromkeys(("global", "events", "xano"), calls)
    httpx.post(f"{url}/_world/limits", json=raised, timeout=10, trust_env=False)


def enter_users(database: Database, settings: Settings, users: list[dict[str, Any]]) -> list[int]:
    """Enters users and their credentials in state `new`; who is there already is left as he is. Returns their ids."""
    vault = open_vault(settings)
    ids = []
    with database.connect() as connection:
        for user in users:
            row = connection.execute(
                'insert into v2."user" (email, full_name, demo_account) values (%s, %s, true)'
                " on conflict (email) do update set email = excluded.email returning id",
                [user["email"], user["name"]],
            ).fetchone()
            user_id = row[0] if row else 0
            ids.append(user_id)
            for platform, key in keys_of(user).items():
                secret = key.get("api_secret")
                connection.execute(
                    "insert into v2.credentials (user_id, platform, account_id, api_key, api_secret, state)"
                    " values (%s, %s, %s, %s, %s, 'new') on conflict (user_id, platform, account_id) do nothing",
                    [
                        user_id,
                        platform,
                        key["account_id"],
                        vault.encrypt(key["api_key"]),
                        vault.encrypt(secret) if secret else None,
                    ],
                )
    return ids
