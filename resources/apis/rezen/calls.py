"""Calls to reZEN: hosts, the key and its budgets, what a 403 means, and one row as a Record.

Which calls a pass makes is in `deals` and `people`.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Sequence
from typing import Any

from pydantic import SecretStr

from resources.apis.paging import find_list
from resources.apis.records import epoch_or_iso, record_of, text_id
from resources.apis.rezen import endpoints as api
from resources.apis.rezen.models import MODELS
from resources.errors import Forbidden, NotUnderstood, Unauthorized
from resources.http.budget import Budget, Limit
from resources.http.client import Answer, HttpClient
from resources.http.endpoint import Endpoint
from resources.reading import Identity, Priority, Problem, Record

SOURCE = "reZEN"


class RezenCalls:
    """One key's calls. `agent_id` names the shared budget; until it is known, the key's own fingerprint does."""

    def __init__(
        self,
        *,
        api_key: SecretStr,
        agent_id: str | None,
        base_url_template: str,
        budget: Budget,
        limit_per_account: int,
        limit_per_system: int,
    ) -> None:
        key = api_key.get_secret_value()
        self._agent = agent_id
        account = agent_id or "key-" + hashlib.blake2b(key.encode(), digest_size=6).hexdigest()
        # Nothing is published, so the numbers are ours and the same for every endpoint.
        self._limits = [
            Limit("rezen:system", limit_per_system, api.WINDOW_S, ours=True),
            Limit(f"rezen:{account}", limit_per_account, api.WINDOW_S, ours=True),
        ]
        self._template = base_url_template
        self._http = HttpClient(
            SOURCE,
            base_url=self._base("yenta"),
            headers={"X-API-KEY": key},
            budget=budget,
            limits=lambda endpoint: self._limits,
            message_of=_message,
        )

    async def close(self) -> None:
        """Closes the connections."""
        await self._http.close()

    async def yenta(
        self, endpoint: Endpoint, params: Sequence[tuple[str, str]] = (), *, priority: Priority, **path: str
    ) -> Answer:
        """One answer about people or teams."""
        return await self._get("yenta", endpoint, params, priority, path)

    async def arrakis(
        self, endpoint: Endpoint, params: Sequence[tuple[str, str]] = (), *, priority: Priority, **path: str
    ) -> Answer:
        """One answer about deals."""
        return await self._get("arrakis", endpoint, params, priority, path)

    async def plutus(
        self, endpoint: Endpoint, params: Sequence[tuple[str, str]] = (), *, priority: Priority, **path: str
    ) -> Answer:
        """One answer about equity; see `equity` for what is assumed of it."""
        return await self._get("plutus", endpoint, params, priority, path)

    async def identity(self, priority: Priority = "incremental") -> Identity:
        """yenta users/me: its id is the agent's id. Raises Unauthorized for a refused key."""
        document = (await self.yenta(api.ME, priority=priority)).document
        agent_id = text_id(document.get("id")) if isinstance(document, dict) else None
        if agent_id is None:
            raise NotUnderstood(
                f"{SOURCE} {api.ME.name} answered without an id",
                context={"source": SOURCE, "endpoint": api.ME.name},
            )
        email = document.get("emailAddress") or document.get("email")
        return Identity(agent_id, agent_id, email if isinstance(email, str) else None, True, document)

    async def agent_id(self, priority: Priority) -> str:
        """The key owner's agent id, asked once."""
        if self._agent is None:
            self._agent = (await self.identity(priority)).external_user_id
        return self._agent

    async def _get(
        self,
        service: str,
        endpoint: Endpoint,
        params: Sequence[tuple[str, str]],
        priority: Priority,
        path: dict[str, str],
    ) -> Answer:
        try:
            return await self._http.get(endpoint, params, priority=priority, base_url=self._base(service), **path)
        except Forbidden as error:
            # A 403 is a stale key or a refusal of this one object: users/me tells which.
            if endpoint is not api.ME:
                await self._get("yenta", api.ME, (), priority, {})
                raise
            raise Unauthorized(
                f"{SOURCE} refuses this key",
                hint="ask its owner for a new one, then `v2 onboard` with it",
                context=error.context,
            ) from None

    def _base(self, service: str) -> str:
        return self._template.format(service=service)


def rows_of(answer: Answer, endpoint: Endpoint) -> list[Any]:
    """The rows of a list. Raises NotUnderstood for an answer without the list."""
    return find_list(answer.document, endpoint, SOURCE)


def record(
    entity: str,
    row: Any,
    source_id: Callable[[dict[str, Any]], str | None] | None = None,
    context: dict[str, Any] | None = None,
    because: Problem | None = None,
) -> Record:
    """One row or answer; its id is `id` unless said otherwise. `because`: why it is no good record."""
    return record_of(
        row,
        MODELS[entity],
        source_id=source_id or (lambda r: text_id(r.get("id"))),
        updated=lambda r: epoch_or_iso(r.get("updatedAt")),
        context=context,
        because=because,
    )


def _message(document: Any) -> str | None:
    """Error bodies: flat with one of four names, or wrapped in the server's error class."""
    if not isinstance(document, dict):
        return None
    inner = document.get("com.real.commons.apierror.ApiError")
    holder = inner if isinstance(inner, dict) else document
    for name in ("message", "error", "detail", "title"):
        if isinstance(holder.get(name), str):
            return holder[name]
    return None
