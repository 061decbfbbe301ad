"""The Follow Up Boss client: whose key it is, passes over the collections, counts and single records."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from datetime import datetime
from typing import Any

from pydantic import SecretStr

from resources.apis.fub import endpoints as api
from resources.apis.fub.calls import SOURCE, FubCalls, record
from resources.apis.fub.hooks import FubWebhooks
from resources.apis.fub.lists import FubLists
from resources.apis.fub.models import MODELS
from resources.apis.fub.texts import read_texts
from resources.apis.paging import read_alone
from resources.apis.records import positive_id, record_of
from resources.errors import BadRequest, NotFound, NotUnderstood
from resources.http.budget import Budget
from resources.reading import Identity, Page, Plan, Priority, ReadRequest, Record

#: Single records asked for side by side.
_AT_ONCE = 4


class FubClient:
    """One connection to Follow Up Boss. See resources.reading.SourceClient for the contract.

    `account_id` names the shared budget; until it is known, the key's own fingerprint does. `limit_per_system` is
    what all accounts together may call in 10 s, for each rate context.
    """

    def __init__(
        self,
        *,
        api_key: SecretStr,
        account_id: str | None,
        base_url: str,
        system: str,
        system_key: SecretStr | None,
        budget: Budget,
        limit_per_system: int = 750,
    ) -> None:
        self._calls = FubCalls(
            api_key=api_key,
            account_id=account_id,
            base_url=base_url,
            system=system,
            system_key=system_key,
            budget=budget,
            limit_per_system=limit_per_system,
        )
        self._lists = FubLists(self._calls)
        self.webhooks = FubWebhooks(self._calls)

    async def __aenter__(self) -> FubClient:
        return self

    async def __aexit__(self, *exc: object) -> None:
        await self._calls.close()

    async def identity(self) -> Identity:
        """GET /identity. Raises Unauthorized for a refused key, NotUnderstood for an answer without account or user."""
        return _identity_of((await self._calls.get(api.IDENTITY, priority="incremental")).document)

    async def honours_since(self, entity: str) -> bool:
        """Whether the server filters this entity by time; asked with a date in the future and one long ago."""
        listed = api.LISTS.get(entity)
        if listed is None:
            return False
        for name in listed.filters:
            if await self._lists.honours(entity, listed, name, "incremental"):
                return True
        return False

    async def read(self, entity: str, request: ReadRequest) -> AsyncIterator[Page]:
        """Pages of one pass. The position of a list is FubLists', that of texts the last contact stored."""
        if entity == "accounts":
            yield await self._account_page(request.priority)
            return
        pages = read_texts(self._calls, request) if entity == "text_messages" else self._lists.read(entity, request)
        async for page in pages:
            yield page

    async def read_one(self, entity: str, source_id: str, priority: Priority = "webhook") -> Record | None:
        """One record by its id, or None if there is none. Raises BadRequest for what is no id."""
        if positive_id(source_id) is None:
            # The API answers an unknown word in place of an id with a whole list.
            raise BadRequest(f"{SOURCE} ids are whole numbers", context={"source": SOURCE, "entity": entity})
        endpoint, params = api.one_of(entity)
        try:
            answer = await self._calls.get(endpoint, params, priority=priority, id=source_id)
        except NotFound:
            return None
        found = record(entity, answer.document)
        if found.source_id != positive_id(source_id):
            raise NotUnderstood(
                f"{SOURCE} {endpoint.name} answered with another record than the one asked for",
                context={"source": SOURCE, "endpoint": endpoint.name, "asked": source_id},
            )
        return found

    async def read_some(
        self, entity: str, ids: Sequence[str], priority: Priority = "webhook"
    ) -> dict[str, Record | None]:
        """These records by id, None for what is not there; what this key may not see, or nobody can read, is left out.

        By the list's documented filter by id, because a list tells some fields that a single record does not; what
        comes not with it is asked for alone, for only a 404 says that a record is not there.
        """
        found: dict[str, Record | None] = {}
        listed = api.LISTS.get(entity)
        if listed is not None:
            size = listed.endpoint.page_size
            for start in range(0, len(ids), size):
                wanted = ids[start : start + size]
                params = [*listed.params, ("id", ",".join(wanted)), ("limit", str(size))]
                rows, _ = await self._calls.rows(listed.endpoint, params, priority=priority)
                records = (record(entity, row) for row in rows)
                found |= {r.source_id: r for r in records if r.source_id in wanted}
        left = [i for i in ids if i not in found]
        return found | await read_alone(lambda i: self.read_one(entity, i, priority), left, _AT_ONCE)

    async def plan(self, entity: str, request: ReadRequest) -> Plan:
        """The requests a pass would begin with, and the source's count for it (one request of one record)."""
        if entity == "accounts":
            return Plan((api.IDENTITY.name,), 1)
        if entity == "text_messages":
            lines = tuple(f"{api.TEXTS.name}?personId={key}&limit={api.TEXTS.page_size}" for key in request.keys[:3])
            more = (f"… the same for {len(request.keys) - 3} more contacts",) if len(request.keys) > 3 else ()
            return Plan(lines + more, None)
        listed = api.LISTS[entity]
        params = [*listed.params]
        if request.since and listed.filters:
            params.append((listed.filters[0], f"{request.since:%Y-%m-%dT%H:%M:%SZ}"))
        total = await self._calls.total(listed, params, priority=request.priority)
        size = listed.endpoint.page_size
        query = "&".join(f"{name}={value}" for name, value in [*params, ("limit", str(size))])
        return Plan((f"{listed.endpoint.name}?{query}  ({max(-(-total // size), 1)} pages)",), total)

    async def count(self, entity: str) -> int | None:
        """_metadata.total of the whole list; None where there is no list."""
        if entity == "accounts":
            return 1
        listed = api.LISTS.get(entity)
        return await self._calls.total(listed, listed.params, priority="incremental") if listed else None

    async def keys(self, entity: str, request: ReadRequest) -> AsyncIterator[tuple[str, ...]]:
        """Every id now: a pass that stores nothing; of people only the id field is asked for."""
        if entity == "people":
            listed = api.LISTS["people"]
            pages = self._lists.walk(entity, listed, api.slim(listed), request, way="whole")
        else:
            pages = self.read(entity, request)
        async for page in pages:
            yield tuple(r.source_id for r in page.records)

    async def active_keys(self, entity: str, since: datetime, priority: Priority) -> tuple[str, ...] | None:
        """Contacts with activity since then (documented filter lastActivityAfter): texts do not move `updated`."""
        if entity != "text_messages":
            return None
        listed = api.LISTS["people"]
        params = [*api.slim(listed), ("lastActivityAfter", f"{since:%Y-%m-%d %H:%M:%S}")]
        found: list[str] = []
        async for page in self._lists.walk("people", listed, params, ReadRequest(priority=priority), way="active"):
            found += [r.source_id for r in page.records]
        return tuple(found)

    async def _account_page(self, priority: Priority) -> Page:
        answer = await self._calls.get(api.IDENTITY, priority=priority)
        account_id = _identity_of(answer.document).account_id
        found = record_of(answer.document, MODELS["accounts"], source_id=lambda _: account_id, updated=lambda _: None)
        return Page((found,), None, answer.source_time, 1)


def _identity_of(document: Any) -> Identity:
    account = document.get("account") if isinstance(document, dict) else None
    user = document.get("user") if isinstance(document, dict) else None
    account_id = positive_id(account.get("id")) if isinstance(account, dict) else None
    user_id = positive_id(user.get("id")) if isinstance(user, dict) else None
    if account_id is None or user_id is None or not isinstance(user, dict):
        raise NotUnderstood(
            f"{SOURCE} {api.IDENTITY.name} answered without an account and a user",
            context={"source": SOURCE, "endpoint": api.IDENTITY.name},
        )
    email = user.get("email")
    is_owner = user.get("isOwner") in (True, 1)
    return Identity(account_id, user_id, email if isinstance(email, str) else None, is_owner, document)
