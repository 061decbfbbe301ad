"""The Follow Up Boss client: whole lists by token, changes by a probed filter, texts by fan-out over contacts."""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import AsyncIterator, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

from pydantic import SecretStr

from resources.apis.fub import endpoints as api
from resources.apis.fub.models import MODELS
from resources.apis.paging import Progress, find_list
from resources.apis.records import iso_instant, positive_id, record_of
from resources.errors import BadRequest, Forbidden, NotFound, NotUnderstood, PagingBroken, SourceError, Unauthorized
from resources.http.budget import Budget, Limit
from resources.http.client import Answer, HttpClient
from resources.http.endpoint import Endpoint
from resources.reading import Identity, Page, Plan, Priority, ReadRequest, Record

#: Contacts whose texts are asked for side by side, and per stored page.
FAN_OUT_AT_ONCE = 8
FAN_OUT_PER_PAGE = 40


class FubClient:
    """One connection to Follow Up Boss. See resources.reading.SourceClient for the contract.

    `account_id` names the shared budget; until it is known, the key's own fingerprint does.
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
        key = api_key.get_secret_value()
        self._account = account_id or "key-" + hashlib.blake2b(key.encode(), digest_size=6).hexdigest()
        self._registered = system_key is not None
        self._per_system = limit_per_system
        headers = {"X-System": system}
        if system_key:
            headers["X-System-Key"] = system_key.get_secret_value()
        self._http = HttpClient(
            "Follow Up Boss",
            base_url=base_url,
            headers=headers,
            auth=(key, ""),
            budget=budget,
            limits=self._limits,
            message_of=lambda d: d.get("errorMessage") or d.get("error") if isinstance(d, dict) else None,
        )
        self._honoured: dict[tuple[str, str], bool] = {}

    async def __aenter__(self) -> FubClient:
        return self

    async def __aexit__(self, *exc: object) -> None:
        await self._http.close()

    # --- the contract -----------------------------------------------------------------------------------------------

    async def identity(self) -> Identity:
        """GET /identity. Raises Unauthorized for a refused key, NotUnderstood for an answer without account or user."""
        document = (await self._get(api.IDENTITY)).document
        account = document.get("account") if isinstance(document, dict) else None
        user = document.get("user") if isinstance(document, dict) else None
        account_id = positive_id(account.get("id")) if isinstance(account, dict) else None
        user_id = positive_id(user.get("id")) if isinstance(user, dict) else None
        if account_id is None or user_id is None or not isinstance(user, dict):
            raise NotUnderstood(
                "Follow Up Boss GET /identity answered without an account and a user",
                context={"source": "Follow Up Boss", "endpoint": "GET /identity"},
            )
        return Identity(account_id, user_id, user.get("email"), user.get("isOwner") in (True, 1), document)

    async def honours_since(self, entity: str) -> bool:
        """Whether the server filters this entity by time; asked once with a date in the future."""
        if entity == "text_messages":
            return True
        listed = api.LISTS.get(entity)
        return listed is not None and await self._usable_filter(entity, listed) is not None

    async def read(self, entity: str, request: ReadRequest) -> AsyncIterator[Page]:
        """Pages of one pass. Position: {"next", "last_id"} of a list, {"after"} of a fan-out."""
        if entity == "accounts":
            yield await self._account_page(request.priority)
        elif entity == "text_messages":
            async for page in self._texts(request):
                yield page
        else:
            async for page in self._list(entity, request):
                yield page

    async def plan(self, entity: str, request: ReadRequest) -> Plan:
        """The requests a pass would begin with, and the source's count for it (one request of one record)."""
        if entity == "accounts":
            return Plan(("GET /identity",), 1)
        if entity == "text_messages":
            lines = tuple(f"GET /textMessages?personId={key}&limit=100" for key in request.keys[:3])
            more = (f"… the same for {len(request.keys) - 3} more contacts",) if len(request.keys) > 3 else ()
            return Plan(lines + more, None)
        listed = api.LISTS[entity]
        params = await self._params(entity, listed, request)
        total = await self._total(listed, params, request.priority)
        query = "&".join(f"{k}={v}" for k, v in [*params, ("limit", str(listed.endpoint.page_size))])
        pages = -(-(total or 1) // listed.endpoint.page_size)
        return Plan((f"GET {listed.endpoint.path}?{query}  ({pages} pages)",), total)

    async def count(self, entity: str) -> int | None:
        """_metadata.total of the whole list; None where there is no list."""
        if entity == "accounts":
            return 1
        listed = api.LISTS.get(entity)
        return await self._total(listed, list(listed.params), "incremental") if listed else None

    async def keys(self, entity: str, request: ReadRequest) -> AsyncIterator[tuple[str, ...]]:
        """Every id now: a pass that stores nothing; of people only the id field is asked for."""
        if entity == "people":
            listed = api.LISTS["people"]
            slim = listed.model_copy(update={"params": (*((("fields", "id"),)), *listed.params[1:])})
            async for page in self._walk(slim, list(slim.params), request, entity):
                yield tuple(r.source_id for r in page.records)
            return
        async for page in self.read(entity, request):
            yield tuple(r.source_id for r in page.records)

    async def active_keys(self, entity: str, since: datetime, priority: Priority) -> tuple[str, ...] | None:
        """Contacts with activity since then (documented filter lastActivityAfter): texts do not move `updated`."""
        if entity != "text_messages":
            return None
        listed = api.LISTS["people"]
        params = [("fields", "id"), *listed.params[1:], ("lastActivityAfter", since.strftime("%Y-%m-%d %H:%M:%S"))]
        found: list[str] = []
        async for page in self._walk(listed, params, ReadRequest(priority=priority), "people"):
            found += [r.source_id for r in page.records]
        return tuple(found)

    # --- lists ------------------------------------------------------------------------------------------------------

    async def _list(self, entity: str, request: ReadRequest) -> AsyncIterator[Page]:
        listed = api.LISTS[entity]
        if request.since and await self._usable_filter(entity, listed) is None and listed.stamp:
            async for page in self._newest_first(entity, listed, request):
                yield page
            return
        params = await self._params(entity, listed, request)
        async for page in self._walk(listed, params, request, entity):
            yield page

    async def _params(self, entity: str, listed: api.ListEndpoint, request: ReadRequest) -> list[tuple[str, str]]:
        params = list(listed.params)
        usable = await self._usable_filter(entity, listed) if request.since else None
        if request.since and usable:
            params.append((usable, request.since.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")))
        return params

    async def _walk(
        self, listed: api.ListEndpoint, params: Sequence[tuple[str, str]], request: ReadRequest, entity: str
    ) -> AsyncIterator[Page]:
        """By `next` token (a keyset under the default order by id), from a stored position or from the start."""
        endpoint, progress = listed.endpoint, Progress("Follow Up Boss", listed.endpoint.name)
        position = request.position or {}
        extra = [("next", str(position["next"]))] if position.get("next") else []
        while True:
            query = [*params, ("limit", str(endpoint.page_size)), *extra]
            try:
                answer = await self._get(endpoint, query, request.priority)
            except BadRequest:
                if not position.get("next") or progress.pages:
                    raise
                # The stored token is refused: go on below the last id if the server can, else from the start.
                extra = await self._below(listed, position.get("last_id"), request.priority)
                position = {}
                continue
            rows = find_list(answer.document, endpoint, "Follow Up Boss", _collection(answer.document))
            records = tuple(self._record(entity, row) for row in rows)
            token = _metadata(answer.document).get("next")
            fresh = progress.page((r.source_id for r in records), str(token) if token else None)
            last_id = min((int(r.source_id) for r in records if r.source_id.isdecimal()), default=None)
            more = bool(token) and fresh
            if not token and len(rows) >= endpoint.page_size and fresh and _unfinished(answer.document, progress):
                raise PagingBroken(
                    f"Follow Up Boss {endpoint.name} says there is more, but gives no token for it",
                    hint="the pass is not complete, so nothing is deleted; what was read is stored",
                    context={"source": "Follow Up Boss", "endpoint": endpoint.name},
                )
            next_position = {"next": token, "last_id": last_id} if more else None
            yield Page(records, next_position, answer.source_time, _number(_metadata(answer.document).get("total")))
            if not more:
                return
            extra = [("next", str(token))]

    async def _below(self, listed: api.ListEndpoint, last_id: Any, priority: Priority) -> list[tuple[str, str]]:
        if last_id is None or await self._total(listed, [*listed.params, ("idLessThan", "1")], priority) != 0:
            return []
        return [("idLessThan", str(last_id))]

    async def _newest_first(self, entity: str, listed: api.ListEndpoint, request: ReadRequest) -> AsyncIterator[Page]:
        """No usable filter: newest changes first, until a whole page is older than wanted; at the wall, everything."""
        endpoint, progress = listed.endpoint, Progress("Follow Up Boss", listed.endpoint.name)
        offset, size = 0, endpoint.page_size
        while offset < api.OFFSET_WALL:
            query = [*listed.params, ("sort", f"-{listed.stamp}"), ("limit", str(size)), ("offset", str(offset))]
            answer = await self._get(endpoint, query, request.priority)
            rows = find_list(answer.document, endpoint, "Follow Up Boss", _collection(answer.document))
            records = tuple(self._record(entity, row) for row in rows)
            stamps = [r.source_updated_at for r in records if r.source_updated_at]
            old = bool(stamps) and request.since is not None and max(stamps) < request.since
            ended = len(rows) < size or old or not progress.page((r.source_id for r in records), None)
            offset += size
            # The position is never resumed from: under this order a list shifts, so a dead walk starts again.
            yield Page(records, None if ended else {"restart": True}, answer.source_time)
            if ended:
                return
        whole = ReadRequest(priority=request.priority)
        async for page in self._walk(listed, list(listed.params), whole, entity):
            yield page

    async def _usable_filter(self, entity: str, listed: api.ListEndpoint) -> str | None:
        """The first filter the server really applies. An ignored one answers a date in the future with records."""
        far = (datetime.now(UTC) + timedelta(days=3650)).strftime("%Y-%m-%dT%H:%M:%SZ")
        for name in listed.filters:
            if (entity, name) not in self._honoured:
                total = await self._total(listed, [*listed.params, (name, far)], "incremental")
                self._honoured[entity, name] = total == 0
            if self._honoured[entity, name]:
                return name
        return None

    async def _total(
        self, listed: api.ListEndpoint, params: Sequence[tuple[str, str]], priority: Priority
    ) -> int | None:
        answer = await self._get(listed.endpoint, [*params, ("limit", "1")], priority)
        rows = find_list(answer.document, listed.endpoint, "Follow Up Boss", _collection(answer.document))
        total = _number(_metadata(answer.document).get("total"))
        # Samples show totals of 0 above rows: then the rows are right.
        return max(total or 0, len(rows)) if total is not None or rows else 0

    # --- texts ------------------------------------------------------------------------------------------------------

    async def _texts(self, request: ReadRequest) -> AsyncIterator[Page]:
        keys = list(request.keys)
        after = (request.position or {}).get("after")
        if after in keys:
            keys = keys[keys.index(after) + 1 :]
        slots = asyncio.Semaphore(FAN_OUT_AT_ONCE)
        started = datetime.now(UTC)

        async def one(person: str) -> tuple[list[Record], datetime | None]:
            async with slots:
                return await self._texts_of(person, request.priority)

        if not keys:
            yield Page((), None, started)
        for start in range(0, len(keys), FAN_OUT_PER_PAGE):
            chunk = keys[start : start + FAN_OUT_PER_PAGE]
            results = await asyncio.gather(*(one(person) for person in chunk))
            times = [time for _, time in results if time]
            last = start + FAN_OUT_PER_PAGE >= len(keys)
            yield Page(
                tuple(record for records, _ in results for record in records),
                None if last else {"after": chunk[-1]},
                min(times, default=started),
            )

    async def _texts_of(self, person: str, priority: Priority) -> tuple[list[Record], datetime | None]:
        progress = Progress("Follow Up Boss", api.TEXTS.name)
        records: list[Record] = []
        first: datetime | None = None
        extra: list[tuple[str, str]] = []
        while True:
            query = [("personId", person), ("limit", str(api.TEXTS.page_size)), *extra]
            try:
                answer = await self._get(api.TEXTS, query, priority)
            except NotFound:
                return records, first  # the contact was deleted between the list and now
            rows = find_list(answer.document, api.TEXTS, "Follow Up Boss", _collection(answer.document))
            page = [self._record("text_messages", row) for row in rows]
            records += page
            first = first or answer.source_time
            token = _metadata(answer.document).get("next")
            if not progress.page((r.source_id for r in page), str(token) if token else None) or not token:
                return records, first
            extra = [("next", str(token))]

    # --- single answers ---------------------------------------------------------------------------------------------

    async def _account_page(self, priority: Priority) -> Page:
        answer = await self._get(api.IDENTITY, priority=priority)
        identity = await self.identity()
        record = record_of(answer.document, MODELS["accounts"], source_id=lambda _: identity.account_id, updated=_none)
        return Page((record,), None, answer.source_time, 1)

    def _record(self, entity: str, row: Any) -> Record:
        return record_of(
            row,
            MODELS[entity],
            source_id=lambda r: positive_id(r.get("id")),
            updated=lambda r: iso_instant(r.get("updated")),
        )

    async def _get(
        self, endpoint: Endpoint, params: Sequence[tuple[str, str]] = (), priority: Priority = "incremental"
    ) -> Answer:
        try:
            return await self._http.get(endpoint, params, priority=priority)
        except Forbidden as error:
            if endpoint is api.IDENTITY:
                raise _expired(error) from None
        # A 403 is a missing right or an expired account; the source's own probe tells which.
        await self._http.get(api.IDENTITY, priority=priority)
        raise Forbidden(
            f"Follow Up Boss {endpoint.name} is not allowed for this key",
            hint="the key is good, its user may not see this; an owner's key sees everything",
            context={"source": "Follow Up Boss", "endpoint": endpoint.name, "status": 403},
        )

    def _limits(self, endpoint: Endpoint) -> list[Limit]:
        with_key, without = api.LIMITS[endpoint.context]
        calls = with_key if self._registered else without
        account = Limit(f"fub:{self._account}:{endpoint.context}", calls, api.WINDOW_S)
        if endpoint.context != "global":
            return [account]
        return [Limit("fub:system", self._per_system, api.WINDOW_S), account]


def _expired(error: SourceError) -> Unauthorized:
    return Unauthorized(
        "Follow Up Boss refuses this key everywhere (403)",
        hint="the account has expired or the key's user was deactivated: ask its owner, then `v2 onboard` with a key",
        context=error.context,
    )


def _metadata(document: Any) -> dict[str, Any]:
    metadata = document.get("_metadata") if isinstance(document, dict) else None
    return metadata if isinstance(metadata, dict) else {}


def _collection(document: Any) -> str | None:
    name = _metadata(document).get("collection")
    return name if isinstance(name, str) else None


def _unfinished(document: Any, progress: Progress) -> bool:
    total = _number(_metadata(document).get("total"))
    return total is not None and total > len(progress.ids)


def _number(value: Any) -> int | None:
    return int(value) if isinstance(value, int | str) and str(value).isdecimal() else None


def _none(_: Any) -> None:
    return None
