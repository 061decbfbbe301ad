"""Changing the key that encrypts stored credentials: which key opens what, and moving everything to the newest.

The key file is ours to write; V2_SECRET_KEY is set by people, so for it we only say what to write. Addresses of
webhooks are derived from the keys too, and what was entered at a source by hand keeps an older key in use.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import psycopg

from resources.encryption import KEY_FILE, Vault, new_key, secret_keys
from resources.errors import ConfigError, V2Error
from resources.processes import write_whole
from resources.settings import Settings

# Deleted and inactive connections too: no stored value may be left that nobody can open.
_STORED = "select id, api_key, api_secret from v2.credentials where api_key is not null or api_secret is not null"
_REPLACE = "update v2.credentials set api_key = %s, api_secret = %s, updated_at = now() where id = %s"


class KeyInUse(V2Error):
    """Something still needs the key that was to be removed."""

    code = "key_in_use"


@dataclass(frozen=True, slots=True)
class KeyUse:
    """One key, newest first: a short name that tells nothing of it, and how many stored values it opens."""

    number: int
    name: str
    values: int


@dataclass(frozen=True, slots=True)
class Keys:
    """All keys in force, and how many stored values none of them opens."""

    keys: list[KeyUse]
    unreadable: int


def fingerprint(key: str) -> str:
    """Eight letters that name a key. Safe to show: a key is 32 random bytes, which no list of digests leads back to."""
    return hashlib.sha256(key.encode("ascii")).hexdigest()[:8]


def standing(connection: psycopg.Connection[Any], settings: Settings) -> Keys:
    """Which key opens how many stored values. Raises ConfigError when a key is none."""
    keys = secret_keys(settings)
    vaults = [Vault([key]) for key in keys]
    opened = [0] * len(keys)
    unreadable = 0
    for _, *values in connection.execute(_STORED).fetchall():
        for value in filter(None, values):
            number = next((n for n, vault in enumerate(vaults) if _opens(vault, value)), None)
            if number is None:
                unreadable += 1
            else:
                opened[number] += 1
    uses = [KeyUse(n + 1, fingerprint(key), opened[n]) for n, key in enumerate(keys)]
    return Keys(uses, unreadable)


def rotate(connection: psycopg.Connection[Any], settings: Settings) -> int:
    """Encrypts every stored value with the newest key, in the caller's transaction. Returns how many moved.

    Raises ConfigError when a value opens with none of the keys; then nothing may be committed.
    """
    keys = secret_keys(settings)
    vault, newest = Vault(keys), Vault(keys[:1])
    moved = 0
    for number, *values in connection.execute(_STORED + " order by id for update").fetchall():
        old = [value for value in values if value and not _opens(newest, value)]
        if old:
            moved += len(old)
            connection.execute(
                _REPLACE, [*(vault.rotate(value) if value in old else value for value in values), number]
            )
    return moved


def add(settings: Settings) -> str:
    """Puts a new key before the others in the key file, and returns its short name.

    Raises ConfigError when the key is a setting.
    """
    _refuse_setting(settings, "V2_SECRET_KEY=<what `python -m resources.encryption` prints>,<the present value>")
    made = new_key()
    _write(settings, [made, *secret_keys(settings)])
    return fingerprint(made)


def remove(connection: psycopg.Connection[Any], settings: Settings) -> list[str]:
    """Takes all keys but the newest out of the key file, and returns their short names.

    Raises KeyInUse while a stored value needs one of them, ConfigError for a setting.
    """
    _refuse_setting(settings, "V2_SECRET_KEY=<the first of its keys>")
    keys = secret_keys(settings)
    found = standing(connection, settings)
    needed = sum(use.values for use in found.keys[1:])
    if needed:
        raise KeyInUse(
            f"{needed} stored values are still under an older key.", hint="move them first: `v2 keys rotate`"
        )
    _write(settings, keys[:1])
    return [fingerprint(key) for key in keys[1:]]


def _refuse_setting(settings: Settings, wanted: str) -> None:
    if settings.secret_key is not None:
        raise ConfigError(
            "The key is the setting V2_SECRET_KEY, which only you can change.", hint=f"write {wanted}, and restart"
        )


def _write(settings: Settings, keys: Sequence[str]) -> None:
    write_whole(settings.home / KEY_FILE, "\n".join(keys) + "\n")


def _opens(vault: Vault, value: str) -> bool:
    try:
        vault.decrypt(value)
    except ConfigError:
        return False
    return True
