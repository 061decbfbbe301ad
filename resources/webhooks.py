"""Who may send us webhooks: addresses that nobody can guess, and the proofs that each source gives.

Pure functions over bytes. Not here: the receiver that serves the addresses, and what an event means.

An address names a connection (`<credentials id>.<token>`); the token is derived from the secret key, so the receiver
can check it without reading anything. Qualia is given the same two parts as the name and password of HTTP Basic.
"""

from __future__ import annotations

import base64
import hmac
from collections.abc import Sequence
from functools import lru_cache

#: The sources that send webhooks (SkySlope and V1 have none).
SOURCES = ("fub", "rezen", "title")
#: The event that the receiver itself writes when a connection has sent more than its quota.
OVER_QUOTA = "v2/over_quota"
_TOKEN_LETTERS = 40


class Addresses:
    """Makes and checks addresses. `repr` shows nothing.

    addresses = Addresses(secret_keys(settings))
    addresses.path("rezen", 7)         # /hooks/rezen/7.kq3…
    addresses.owner("rezen", "7.kq3…")  # 7, or None
    """

    def __init__(self, keys: Sequence[str]) -> None:
        """`keys`: the secret keys, newest first; addresses made with an older one are still known."""
        self._keys = [key.encode() for key in keys]

    def __repr__(self) -> str:
        return "Addresses()"

    def mark(self, source: str, credentials_id: int) -> str:
        """The unguessable part of the address."""
        return f"{credentials_id}.{_token(self._keys[0], source, credentials_id)}"

    def path(self, source: str, credentials_id: int) -> str:
        """The path that this connection's events come to."""
        return f"/hooks/{source}" if source == "title" else f"/hooks/{source}/{self.mark(source, credentials_id)}"

    def basic(self, credentials_id: int) -> tuple[str, str]:
        """The user name and password to enter at Qualia."""
        name, _, token = self.mark("title", credentials_id).partition(".")
        return name, token

    def owner(self, source: str, mark: str) -> int | None:
        """The connection whose address this is; None for any that we did not make."""
        number, _, token = mark.partition(".")
        if not (number.isascii() and number.isdecimal() and len(number) < 19):
            return None
        known = [_token(key, source, int(number)) for key in self._keys]
        # All are compared, and bytes: a text that is no ASCII would raise.
        matches = [hmac.compare_digest(token.encode(), each.encode()) for each in known]
        return int(number) if any(matches) else None


@lru_cache(maxsize=4096)
def _token(key: bytes, source: str, credentials_id: int) -> str:
    digest = hmac.digest(key, f"webhook/{source}/{credentials_id}".encode(), "sha256")
    return base64.b32encode(digest).decode("ascii").lower()[:_TOKEN_LETTERS]


def fub_signature(key: str, body: bytes) -> str:
    """What Follow Up Boss writes into `FUB-Signature`: hex HMAC-SHA256 over the base64 of the raw body.

    Source: the vendor's webhooks guide. (Over the body itself, as some clients do it, no real event would pass.)
    """
    return hmac.digest(key.encode(), base64.b64encode(body), "sha256").hex()


def signed_by_fub(keys: Sequence[str], body: bytes, signature: str | None) -> bool:
    """Whether one of the keys (two during a rotation) made this signature. No key, no signature: no."""
    given = (signature or "").strip().removeprefix("sha256=").encode()
    matches = [hmac.compare_digest(given, fub_signature(key, body).encode()) for key in keys if key]
    return any(matches)


def basic_pair(header: str | None) -> tuple[str, str] | None:
    """Name and password of an HTTP Basic header; None for any other header."""
    kind, _, coded = (header or "").partition(" ")
    if kind.lower() != "basic":
        return None
    try:
        name, colon, password = base64.b64decode(coded.strip(), validate=True).decode().partition(":")
    except ValueError:
        return None
    return (name, password) if colon else None
