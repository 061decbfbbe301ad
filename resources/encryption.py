"""Encryption of the credentials that users give us, by Fernet (AES-128-CBC with HMAC-SHA-256, authenticated).

In Python, because the embedded server has no pgcrypto, and because a dump of the database then holds no secret. The
key is the setting V2_SECRET_KEY, or a file made on first use. Where values are stored is the callers' matter.

    python -m resources.encryption        prints a new key
"""

from __future__ import annotations

import os
import tempfile
from collections.abc import Sequence
from pathlib import Path

from cryptography.fernet import Fernet, InvalidToken, MultiFernet

from resources.errors import ConfigError
from resources.settings import Settings

KEY_FILE = "secret.key"


class Vault:
    """Encrypts with the newest key, decrypts with any. `repr` shows nothing.

    vault = open_vault(settings)
    stored = vault.encrypt("the API key")
    vault.decrypt(stored)
    """

    def __init__(self, keys: Sequence[str]) -> None:
        """`keys`: newest first, each 32 bytes in URL-safe base64. Raises ConfigError for anything else."""
        try:
            fernets = [Fernet(key.strip().encode("ascii")) for key in keys if key.strip()]
        except ValueError:
            fernets = []
        if not fernets:
            raise ConfigError(
                "The key that encrypts credentials is not one.",
                hint="set V2_SECRET_KEY to what `python -m resources.encryption` prints, or restore the key file",
            )
        self._fernet = MultiFernet(fernets)

    def __repr__(self) -> str:
        return "Vault()"

    def encrypt(self, value: str) -> str:
        """An ASCII token; the same value gives another token each time."""
        return self._fernet.encrypt(value.encode()).decode("ascii")

    def decrypt(self, token: str) -> str:
        """The value again. Raises ConfigError when the token was made with a key that we do not have, or is damaged."""
        try:
            return self._fernet.decrypt(token.encode()).decode()
        except (InvalidToken, UnicodeError):
            raise _wrong_key() from None

    def rotate(self, token: str) -> str:
        """The same value under the newest key."""
        try:
            return self._fernet.rotate(token.encode()).decode("ascii")
        except (InvalidToken, UnicodeError):
            raise _wrong_key() from None


def open_vault(settings: Settings) -> Vault:
    """The vault of the settings' key; without one, of `<home>/secret.key`, which is made (mode 0600) on first use."""
    return Vault(secret_keys(settings))


def secret_keys(settings: Settings) -> list[str]:
    """The keys themselves, newest first, for what is derived from them (the addresses of webhooks)."""
    if settings.secret_key is not None:
        return [key.strip() for key in settings.secret_key.get_secret_value().split(",") if key.strip()]
    path = settings.home / KEY_FILE
    try:
        return path.read_text(encoding="ascii").split()
    except FileNotFoundError:
        return _make_key_file(path).split()
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigError(
            f"The key file {path} cannot be read: {type(error).__name__}.",
            hint="restore it from a backup, make it readable for this account, or set V2_SECRET_KEY",
            context={"file": str(path)},
        ) from None


def new_key() -> str:
    """A fresh key, as V2_SECRET_KEY takes it."""
    return Fernet.generate_key().decode("ascii")


def _make_key_file(path: Path) -> str:
    path.parent.mkdir(parents=True, exist_ok=True)
    descriptor, name = tempfile.mkstemp(prefix=f".{path.name}.", dir=path.parent)  # mode 0600
    draft = Path(name)
    with os.fdopen(descriptor, "w", encoding="ascii") as file:
        file.write(new_key() + "\n")
        file.flush()
        os.fsync(file.fileno())  # values encrypted with a key that a power cut takes would be lost
    try:
        os.link(draft, path)  # unlike a rename it fails when another process was first; then theirs is the key
    except FileExistsError:
        pass
    finally:
        draft.unlink()
    return path.read_text(encoding="ascii")


def _wrong_key() -> ConfigError:
    return ConfigError(
        "A stored credential cannot be decrypted: it was encrypted with another key, or it is damaged.",
        hint="put the key it was made with behind the new one in V2_SECRET_KEY (new,old), restore the key file, "
        "or have the user connect again",
    )


if __name__ == "__main__":
    print(new_key())
