"""The signed login and its session: one for all calls with an access key, renewed before it ends.

The text that is signed is client id, client secret and the time, joined by colons; the key is the access secret.
Source: the vendor's sample. The time goes into a header byte for byte as it was signed. Nothing of this is ever put
into an error.
"""

from __future__ import annotations

import asyncio
import base64
import hashlib
import hmac
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from weakref import WeakKeyDictionary

from pydantic import SecretStr

from resources.apis.records import iso_instant
from resources.apis.skyslope import endpoints as api
from resources.errors import NotUnderstood
from resources.http.client import HttpClient
from resources.reading import Priority

#: A session lasts about two hours; where its end is not told, a little less is assumed.
ASSUMED = timedelta(minutes=110)
#: So long before its end a session is not begun a call with.
EARLY = timedelta(minutes=5)


@dataclass(frozen=True, slots=True)
class Credentials:
    """The four parts: two of the integrator, two of the account."""

    client_id: str
    client_secret: SecretStr
    access_key: SecretStr
    access_secret: SecretStr

    @property
    def secrets(self) -> tuple[SecretStr, ...]:
        """Those of the four that are."""
        return self.client_secret, self.access_key, self.access_secret

    @property
    def fingerprint(self) -> str:
        """Names the access key without telling it."""
        return hashlib.blake2b(self.access_key.get_secret_value().encode(), digest_size=6).hexdigest()


def signature(credentials: Credentials, timestamp: str) -> str:
    """The digest of a login at this time, in base64."""
    text = f"{credentials.client_id}:{credentials.client_secret.get_secret_value()}:{timestamp}"
    secret = credentials.access_secret.get_secret_value().encode()
    return base64.b64encode(hmac.new(secret, text.encode(), hashlib.sha256).digest()).decode()


@dataclass(slots=True)
class _Held:
    token: str
    ends: datetime


#: Sessions of this process by host and access key: the streams of a run, and its users of one key, share one.
_sessions: dict[tuple[str, str, str], _Held] = {}
_locks: WeakKeyDictionary[asyncio.AbstractEventLoop, dict[tuple[str, str, str], asyncio.Lock]] = WeakKeyDictionary()


class Session:
    """The session of one access key at one host. `token` logs in when there is none that lasts."""

    def __init__(self, http: HttpClient, credentials: Credentials, base_url: str) -> None:
        self._http, self._credentials = http, credentials
        # The secret is part of the name, so that a session of other parts is never taken for this one's.
        proof = hashlib.blake2b(signature(credentials, "").encode(), digest_size=12).hexdigest()
        self._name = (base_url, credentials.fingerprint, proof)

    async def token(self, priority: Priority, *, refused: str | None = None) -> str:
        """A session that lasts. `refused` is one that the source does not take any more."""
        locks = _locks.setdefault(asyncio.get_running_loop(), {})
        async with locks.setdefault(self._name, asyncio.Lock()):
            held = _sessions.get(self._name)
            if held is None or held.token == refused or held.ends - EARLY <= datetime.now(UTC):
                held = _sessions[self._name] = await self._login(priority)
            return held.token

    async def _login(self, priority: Priority) -> _Held:
        timestamp = datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
        key = self._credentials.access_key.get_secret_value()
        headers = {"Authorization": f"ss {key}:{signature(self._credentials, timestamp)}", "Timestamp": timestamp}
        body = {
            "ClientId": self._credentials.client_id,
            "ClientSecret": self._credentials.client_secret.get_secret_value(),
        }
        answer = await self._http.post(api.LOGIN, body, priority=priority, headers=headers)
        told = {k.lower(): v for k, v in answer.document.items()} if isinstance(answer.document, dict) else {}
        token = told.get("session")
        if not isinstance(token, str) or not token or not (token.isascii() and token.isprintable()):
            raise NotUnderstood(
                "SkySlope auth/login answered without a session",
                context={"source": "SkySlope", "endpoint": api.LOGIN.name},
            )
        now, ends = datetime.now(UTC), iso_instant(told.get("expiration"))
        # An end that has passed is none: the year 1 stands for "not told".
        return _Held(token, ends if ends and ends > now else now + ASSUMED)
