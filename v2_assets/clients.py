"""From a stored connection to an open client: the one place where a user's key is decrypted."""

from __future__ import annotations

from resources.apis import open_client
from resources.encryption import Vault
from resources.http.budget import Budget
from resources.reading import SourceClient
from resources.settings import Settings
from v2_assets.users import Connection


def client_of(connection: Connection, settings: Settings, vault: Vault, budget: Budget) -> SourceClient:
    """A client for this connection; use it as an async context manager.

    Raises ConfigError when the key cannot be decrypted here, or a setting that the platform needs is missing.
    """
    return open_client(
        connection.platform,
        api_key=vault.decrypt(connection.api_key),
        api_secret=vault.decrypt(connection.api_secret) if connection.api_secret else None,
        account_id=connection.account_id or None,
        settings=settings,
        budget=budget,
    )
