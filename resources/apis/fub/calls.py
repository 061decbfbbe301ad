"""Calls to Follow Up Boss: the key and its budgets, what a 403 means, totals, and one row as a Record.

Which calls a pass makes is in `lists` and `texts`.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from typing import Any

from pydantic import SecretStr

from resources.apis.fub import endpoints as api
from resources.apis.fub.models import MODELS
from resources.apis.paging import find_list
from resources.apis.records import count_of, iso_instant, positive_id, record_of
from resources.errors import Forbidden, PagingBroken, SourceError, Unauthorized
from resources.http.budget import Budget, Limit
from resources.http.client import Answer, HttpClient
from resources.http.endpoint import Endpoint
from resources.reading import Priority, Record

SOURCE = "Follow Up Boss"
_DIGITS_OF_A_TOTAL = 18
_LONGEST_TOKEN = 4000
Params = Sequence[tuple[str, str]]


class FubCalls:
    """One key's calls. `account_id` names the shared budget; until it is known, the key's own fingerprint does."""

    def __init__(
        self,
        *,
        api_key: SecretStr,
        account_id: str | None,
        base_url: str,
        system: str,
        system_key: SecretStr | None,
        budget: Budget,
        limit_per_system: int,
    ) -> None:
        key = api_key.get_secret_value()
        self._account = account_id or "key-" + hashlib.blake2b(key.encode(), digest_size=6).hexdigest()
        self._registered = system_key is not None
        self._per_system = limit_per_system
        headers = {"X-System": system}
        if system_key:
            headers["X-System-Key"] = system_key.get_secret_value()
        self._http = HttpClient(
            SOURCE,
            base_url=base_url,
            headers=headers,
            auth=(key, ""),
            budget=budget,
            limits=self._limits,
            message_of=lambda d: d.get("errorMessage") or d.get("error") if isinstance(d, dict) else None,
        )

    async def close(self) -> None:
        """Closes the connections."""
        await self._http.close()

    async def get(self, endpoint: Endpoint, params: Params = (), *, priority: Priority, **path: str) -> Answer:
        """One answer. A 403 is a missing right or an expired account: the source's own probe tells which."""
        try:
            return await self._http.get(endpoint, params, priority=priority, **path)
        except Forbidden as error:
            if endpoint is api.IDENTITY:
                raise _refused_everywhere(error) from None
        await self.get(api.IDENTITY, priority=priority)
        raise Forbidden(
            f"{SOURCE} {endpoint.name} is not allowed for this key",
            hint="the key is good, its user may not see this; an owner's key sees everything",
            context={"source": SOURCE, "endpoint": endpoint.name, "status": 403},
        )

    async def change(
        self, method: str, endpoint: Endpoint, body: Any, *, secret: str | None = None, **path: str
    ) -> Any:
        """The answer's document to a call that changes something; asked once. No error holds `secret`, a part of it."""
        if secret:
            self._http.secrets.add(secret, in_data=False)
        return (await self._http.change(method, endpoint, body, priority="incremental", **path)).document

    async def rows(self, endpoint: Endpoint, params: Params, *, priority: Priority) -> tuple[list[Any], Answer]:
        """The rows of a list's page. Raises NotUnderstood for an answer without the list."""
        answer = await self.get(endpoint, params, priority=priority)
        named = metadata(answer.document).get("collection")
        return find_list(answer.document, endpoint, SOURCE, named if isinstance(named, str) else None), answer

    async def total(self, listed: api.ListEndpoint, params: Params, *, priority: Priority) -> int:
        """The source's own count for these parameters, from a request of one record."""
        rows, answer = await self.rows(listed.endpoint, [*params, ("limit", "1")], priority=priority)
        # Samples show totals of 0 above rows: then the rows are right.
        return max(total_of(answer.document) or 0, len(rows))

    def _limits(self, endpoint: Endpoint) -> list[Limit]:
        with_key, without = api.LIMITS[endpoint.context]
        account = Limit(
            f"fub:{self._account}:{endpoint.context}", with_key if self._registered else without, api.WINDOW_S
        )
        return [Limit(f"fub:system:{endpoint.context}", self._per_system, api.WINDOW_S, ours=True), account]


def record(entity: str, row: Any) -> Record:
    """One row of a list."""
    return record_of(
        row,
        MODELS[entity],
        source_id=lambda r: positive_id(r.get("id")),
        updated=lambda r: iso_instant(r.get("updated")),
    )


def metadata(document: Any) -> dict[str, Any]:
    """The envelope's `_metadata`, empty if there is none."""
    found = document.get("_metadata") if isinstance(document, dict) else None
    return found if isinstance(found, dict) else {}


def total_of(document: Any) -> int | None:
    """`_metadata.total`, which some lists give as text."""
    value = metadata(document).get("total")
    if isinstance(value, str) and value.isascii() and value.isdecimal() and len(value) <= _DIGITS_OF_A_TOTAL:
        return int(value)
    return count_of(value)


def token_of(document: Any) -> str | None:
    """The token of the next page. `nextLink` is never used: samples of it point to another host.

    Raises PagingBroken for what is there and cannot be asked with: the list goes on, and nobody can follow it.
    """
    token = metadata(document).get("next")
    if not token:
        return None
    text = str(token) if isinstance(token, int | str) else ""
    if not text.isprintable() or not 0 < len(text) <= _LONGEST_TOKEN:
        raise PagingBroken(
            f"{SOURCE} gave a page token that is none",
            hint="the pass is not complete, so nothing is deleted; what was read is stored",
            context={"source": SOURCE, "found": type(token).__name__},
        )
    return text


def _refused_everywhere(error: SourceError) -> Unauthorized:
    return Unauthorized(
        f"{SOURCE} refuses this key everywhere (403)",
        hint="the account has expired or the key's user was deactivated: ask its owner, then `v2 onboard` with a key",
        context=error.context,
    )
