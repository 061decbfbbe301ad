"""Calls to SkySlope: the session on each of them, one new login when it is refused, and the budgets they take from."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from datetime import datetime

from resources.apis.records import believable, iso_instant
from resources.apis.skyslope import endpoints as api
from resources.apis.skyslope.bulk import parse_body
from resources.apis.skyslope.session import Credentials, Session
from resources.errors import Forbidden, NotUnderstood, Unauthorized
from resources.http.budget import Budget, Limit
from resources.http.client import Answer, HttpClient
from resources.http.endpoint import Endpoint
from resources.reading import Priority

SOURCE = "SkySlope"
#: A bulk answer is one document, and the only one that may be this large.
LARGEST_BULK = 512 * 1024 * 1024


class SkySlopeCalls:
    """One access key's calls. The limit is shared by everything under the client id.

    The key's own budget, as wide, is where a long pause stays: the others under the client id stand still for a minute.
    """

    def __init__(self, credentials: Credentials, *, base_url: str, budget: Budget, limit_per_client: int) -> None:
        client = hashlib.blake2b(credentials.client_id.encode(), digest_size=6).hexdigest()
        limits = [
            Limit(f"skyslope:{name}", limit_per_client, api.WINDOW_S, ours=True)
            for name in (client, f"{client}:{credentials.fingerprint}")
        ]
        secrets = [part.get_secret_value() for part in credentials.secrets]
        self._http = HttpClient(
            SOURCE,
            base_url=base_url,
            headers={},
            budget=budget,
            limits=lambda endpoint: limits,
            message_of=_message,
            secrets=secrets,
        )
        self._bulk = HttpClient(
            SOURCE,
            base_url=base_url,
            headers={},
            budget=budget,
            limits=lambda endpoint: limits,
            message_of=_message,
            parse=parse_body,
            largest_body=LARGEST_BULK,
            secrets=secrets,
        )
        self.session = Session(self._http, credentials, base_url)

    async def close(self) -> None:
        """Closes the connections; the session stays for the next client."""
        await self._http.close()
        await self._bulk.close()

    async def get(
        self, endpoint: Endpoint, params: Sequence[tuple[str, str]] = (), *, priority: Priority, **path: str
    ) -> Answer:
        """One answer."""
        return await self._with_session(self._http, endpoint, params, priority, path)

    async def bulk(self, params: Sequence[tuple[str, str]], priority: Priority) -> Answer:
        """One bulk answer, in whatever form it comes."""
        return await self._with_session(self._bulk, api.BULK, params, priority, {})

    async def replica_time(self, priority: Priority) -> datetime:
        """How far bulk answers reach now. Raises NotUnderstood when it is not told: no cursor could be trusted."""
        document = (await self.get(api.REPLICA, priority=priority)).document
        fields = {k.lower(): v for k, v in document.items()} if isinstance(document, dict) else {}
        inner = fields.get("value")
        held = {k.lower(): v for k, v in inner.items()} if isinstance(inner, dict) else fields
        then = believable(iso_instant(held.get("replicatimestamp")))
        if then is None:
            raise NotUnderstood(
                f"{SOURCE} {api.REPLICA.name} answered without a time",
                context={"source": SOURCE, "endpoint": api.REPLICA.name},
            )
        return then

    async def _with_session(
        self,
        http: HttpClient,
        endpoint: Endpoint,
        params: Sequence[tuple[str, str]],
        priority: Priority,
        path: dict[str, str],
    ) -> Answer:
        """The call, and once more with a new session: an ended one is answered with 401, by some hosts with 403."""
        token = await self.session.token(priority)
        http.secrets.add(token)
        try:
            return await http.get(endpoint, params, {"Session": token}, priority=priority, **path)
        except (Unauthorized, Forbidden):
            token = await self.session.token(priority, refused=token)
        http.secrets.add(token)
        return await http.get(endpoint, params, {"Session": token}, priority=priority, **path)


def _message(document: object) -> str | None:
    if isinstance(document, dict):
        for name in ("message", "Message", "error", "Error"):
            if isinstance(document.get(name), str):
                return document[name]
    return None
