"""The reZEN client: deals by lifecycle group with details only where they changed, rosters in all known shapes."""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import AsyncIterator, Callable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from pydantic import SecretStr

from resources.apis.paging import Progress, find_list
from resources.apis.records import epoch_or_iso, record_of
from resources.apis.rezen import endpoints as api
from resources.apis.rezen.models import MODELS
from resources.errors import Forbidden, NotFound, NotUnderstood, Unauthorized
from resources.http.budget import Budget, Limit
from resources.http.client import Answer, HttpClient
from resources.http.endpoint import Endpoint
from resources.reading import Identity, Page, Plan, Priority, Problem, ReadRequest, Record

DETAILS_AT_ONCE = 8
SOURCE = "reZEN"


@dataclass(slots=True)
class _Deals:
    """A pass over an agent's deals: what was met in each group, for the comparison with the source's own counts."""

    met: dict[str, set[str]] = field(default_factory=dict)
    resumed: bool = False


class RezenClient:
    """One connection to reZEN: what one agent's key may see. See resources.reading.SourceClient for the contract."""

    def __init__(
        self,
        *,
        api_key: SecretStr,
        agent_id: str | None,
        base_url_template: str,
        budget: Budget,
        limit_per_account: int = 100,
        limit_per_system: int = 400,
    ) -> None:
        key = api_key.get_secret_value()
        self._agent = agent_id
        self._account = agent_id or "key-" + hashlib.blake2b(key.encode(), digest_size=6).hexdigest()
        self._template = base_url_template
        self._per_account, self._per_system = limit_per_account, limit_per_system
        self._http = HttpClient(
            SOURCE,
            base_url=base_url_template.format(service="yenta"),
            headers={"X-API-KEY": key},
            budget=budget,
            limits=self._limits,
            message_of=_message,
        )

    async def __aenter__(self) -> RezenClient:
        return self

    async def __aexit__(self, *exc: object) -> None:
        await self._http.close()

    # --- the contract -----------------------------------------------------------------------------------------------

    async def identity(self) -> Identity:
        """yenta users/me: its id is the agent's id. Raises Unauthorized for a refused key."""
        document = (await self._get("yenta", api.ME)).document
        agent_id = document.get("id") if isinstance(document, dict) else None
        if not isinstance(agent_id, str) or not agent_id:
            raise NotUnderstood(f"{SOURCE} {api.ME.name} answered without an id", context={"source": SOURCE})
        email = document.get("emailAddress") or document.get("email")
        return Identity(agent_id, agent_id, email if isinstance(email, str) else None, True, document)

    async def honours_since(self, entity: str) -> bool:
        """Never: no list is known to filter by time, so lists are walked and details fetched where stamps differ."""
        return False

    async def active_keys(self, entity: str, since: datetime, priority: Priority) -> tuple[str, ...] | None:
        """reZEN does not tell."""
        return None

    async def read(self, entity: str, request: ReadRequest) -> AsyncIterator[Page]:
        """Pages of one pass. Position: {"group", "page"} of deals, {"after"} of what is asked key by key."""
        if entity in api.LISTS:
            async for page in self._deals(entity, request):
                yield page
        elif entity == "agents":
            async for page in self._agents(request):
                yield page
        else:
            async for page in self._one_by_one(request, self._reader(entity)):
                yield page

    async def plan(self, entity: str, request: ReadRequest) -> Plan:
        """What a pass would ask. For deals the source's counts say how many records to expect."""
        if entity in api.LISTS:
            agent = await self._agent_id(request.priority)
            counts = await self._group_counts(entity, agent, request.priority) or {}
            lines = tuple(
                f"GET arrakis {api.LISTS[entity].path.format(agent=agent, group=group)} ({counts.get(group, '?')})"
                for group in api.GROUPS
            )
            return Plan((*lines, "GET arrakis /transactions/{id} for each that changed"), sum(counts.values()) or None)
        endpoint = {"teams": api.TEAM, "team_members": api.ROSTER, "sponsor_tree": api.SPONSORS, "cap_data": api.CAP}
        if entity == "agents":
            return Plan((f"GET yenta {api.AGENT_ME.path}",), 1)
        lines = tuple(f"GET yenta {endpoint[entity].path.format(team=k, agent=k)}" for k in request.keys)
        return Plan(lines, len(request.keys) if entity in ("teams", "cap_data") else None)

    async def count(self, entity: str) -> int | None:
        """The sum of lifecycle-group-counts; None for what the source does not count."""
        if entity not in api.LISTS:
            return None
        counts = await self._group_counts(entity, await self._agent_id("incremental"), "incremental")
        return sum(counts.values()) if counts is not None else None

    async def keys(self, entity: str, request: ReadRequest) -> AsyncIterator[tuple[str, ...]]:
        """Every id now. Of deals only the lists are read, no detail."""
        if entity not in api.LISTS:
            async for page in self.read(entity, request):
                yield tuple(r.source_id for r in page.records)
            return
        agent = await self._agent_id(request.priority)
        for group in api.GROUPS:
            async for rows, _ in self._group(entity, agent, group, 0, request.priority):
                yield tuple(row["id"] for row in rows)

    # --- deals ------------------------------------------------------------------------------------------------------

    async def _deals(self, entity: str, request: ReadRequest) -> AsyncIterator[Page]:
        """All groups, in the order in which deals move through them; the last page carries the comparison of counts."""
        agent = await self._agent_id(request.priority)
        position = request.position or {}
        start = api.GROUPS.index(position["group"]) if position.get("group") in api.GROUPS else 0
        deals = _Deals(resumed=bool(position))
        emitted: set[str] = set()
        for number, group in enumerate(api.GROUPS[start:], start):
            first = int(position.get("page", 0)) if number == start else 0
            async for rows, answer in self._group(entity, agent, group, first, request.priority):
                ids = {row["id"] for row in rows}
                deals.met.setdefault(group, set()).update(ids)
                page = await self._details([r for r in rows if r["id"] not in emitted], request, answer)
                emitted |= ids
                first += 1
                yield Page(page.records, {"group": group, "page": first}, page.source_time, seen=page.seen)
            deals.met.setdefault(group, set())
        counts = await self._group_counts(entity, agent, request.priority)
        agrees = counts is not None and not deals.resumed and _agree(counts, deals.met)
        yield Page(
            (), None, datetime.now(UTC), sum(counts.values()) if counts else None, complete=counts is None or agrees
        )

    async def _group(
        self, entity: str, agent: str, group: str, first: int, priority: Priority
    ) -> AsyncIterator[tuple[list[dict[str, Any]], Answer]]:
        """Pages of one group's list, by creation, which does not change while we read."""
        endpoint, number = api.LISTS[entity], first
        progress = Progress(SOURCE, endpoint.name)
        while True:
            query = [
                ("pageNumber", str(number)),
                ("pageSize", str(endpoint.page_size)),
                ("sortBy", "CREATED_AT"),
                ("sortDirection", "ASC"),
            ]
            answer = await self._get("arrakis", endpoint, query, priority, agent=agent, group=group)
            rows = find_list(answer.document, endpoint, SOURCE)
            wanted = [r for r in rows if isinstance(r, dict) and isinstance(r.get("id"), str)]
            kind = entity == "listings"
            wanted = [r for r in wanted if r.get("listing") in (kind, None)]
            fresh = progress.page((str(r.get("id")) for r in rows if isinstance(r, dict)), None)
            if rows and fresh:
                yield wanted, answer
            has_next = answer.document.get("hasNext") if isinstance(answer.document, dict) else None
            if not rows or not fresh or has_next is False or (has_next is None and len(rows) < endpoint.page_size):
                return
            number += 1

    async def _details(self, rows: list[dict[str, Any]], request: ReadRequest, answer: Answer) -> Page:
        """Details of the rows whose stamp differs from what is staged; the others are only seen."""
        unchanged = tuple(r["id"] for r in rows if _unchanged(r, request))
        skip = set(unchanged)
        slots = asyncio.Semaphore(DETAILS_AT_ONCE)

        async def one(row: dict[str, Any]) -> Record | None:
            async with slots:
                return await self._detail(row, request.priority)

        found = await asyncio.gather(*(one(row) for row in rows if row["id"] not in skip))
        return Page(tuple(r for r in found if r), None, answer.source_time, seen=unchanged)

    async def _detail(self, row: dict[str, Any], priority: Priority) -> Record | None:
        entity = "listings" if row.get("listing") else "transactions"
        try:
            answer = await self._get("arrakis", api.DETAIL, priority=priority, id=row["id"])
        except NotFound:
            return None  # gone between the list and now
        except Forbidden:
            return Record(row["id"], row, None, Problem("not_visible_to_key", None, "the detail is refused (403)"))
        record = _record(entity, answer.document, lambda d: d.get("id"))
        if record.source_id != row["id"]:
            raise NotUnderstood(
                f"{SOURCE} {api.DETAIL.name} answered with another deal than the one asked for",
                context={"source": SOURCE, "endpoint": api.DETAIL.name, "asked": row["id"]},
            )
        return record

    async def _group_counts(self, entity: str, agent: str, priority: Priority) -> dict[str, int] | None:
        document = (await self._get("arrakis", api.COUNTS[entity], priority=priority, agent=agent)).document
        return _counts_of(document)

    # --- people and teams -------------------------------------------------------------------------------------------

    async def _agents(self, request: ReadRequest) -> AsyncIterator[Page]:
        answer = await self._get("yenta", api.AGENT_ME, priority=request.priority)
        me = _record("agents", answer.document, lambda d: d.get("id"), {"is_self": True})
        keys = [k for k in request.keys if k != me.source_id]
        size = api.AGENTS.page_size
        yield Page((me,), {"after": 0} if keys else None, answer.source_time)
        for start in range(0, len(keys), size):
            query = [("agentIds", key) for key in keys[start : start + size]]
            answer = await self._get("yenta", api.AGENTS, query, request.priority)
            rows = find_list(answer.document, api.AGENTS, SOURCE)
            last = start + size >= len(keys)
            records = tuple(_record("agents", row, lambda d: d.get("id")) for row in rows)
            yield Page(records, None if last else {"after": start + size}, answer.source_time)

    async def _one_by_one(self, request: ReadRequest, reader: Callable[[str, Priority], Any]) -> AsyncIterator[Page]:
        """A page per key; after a dead run it goes on behind the last key that was stored."""
        keys = list(request.keys)
        after = (request.position or {}).get("after")
        if after in keys:
            keys = keys[keys.index(after) + 1 :]
        if not keys:
            yield Page((), None, datetime.now(UTC))
        for number, key in enumerate(keys, 1):
            records, time = await reader(key, request.priority)
            yield Page(tuple(records), None if number == len(keys) else {"after": key}, time)

    def _reader(self, entity: str) -> Callable[[str, Priority], Any]:
        return {
            "teams": self._team,
            "team_members": self._roster,
            "sponsor_tree": self._sponsors,
            "cap_data": self._cap,
        }[entity]

    async def _team(self, team: str, priority: Priority) -> tuple[list[Record], datetime]:
        answer = await self._get("yenta", api.TEAM, priority=priority, team=team)
        document = answer.document
        if isinstance(document, dict):
            document = {k: v for k, v in document.items() if k not in api.ROSTER.lists}
        return [_record("teams", document, lambda d: d.get("id"))], answer.source_time

    async def _roster(self, team: str, priority: Priority) -> tuple[list[Record], datetime]:
        answer = await self._get("yenta", api.ROSTER, priority=priority, team=team)
        rows = find_list(answer.document, api.ROSTER, SOURCE)
        records = []
        for row in rows:
            agent = _roster_agent(row)
            if agent is None and isinstance(row, dict) and row.get("invitationStatus"):
                continue  # an invitation nobody has taken up
            records.append(
                _record("team_members", row, lambda _, a=agent: f"{team}:{a}" if a else None, {"team_id": team})
            )
        return records, answer.source_time

    async def _sponsors(self, agent: str, priority: Priority) -> tuple[list[Record], datetime]:
        answer = await self._get("yenta", api.SPONSORS, priority=priority, agent=agent)
        rows = find_list(answer.document, api.SPONSORS, SOURCE)
        return [
            _record("sponsor_tree", r, lambda d: f"{agent}:{d['id']}" if d.get("id") else None, {"agent_id": agent})
            for r in rows
        ], answer.source_time

    async def _cap(self, agent: str, priority: Priority) -> tuple[list[Record], datetime]:
        answer = await self._get("yenta", api.CAP, priority=priority, agent=agent)
        return [_record("cap_data", answer.document, lambda _: agent, {"agent_id": agent})], answer.source_time

    # --- calls ------------------------------------------------------------------------------------------------------

    async def _agent_id(self, priority: Priority) -> str:
        if self._agent is None:
            self._agent = (await self.identity()).external_user_id
        return self._agent

    async def _get(
        self,
        service: str,
        endpoint: Endpoint,
        params: Sequence[tuple[str, str]] = (),
        priority: Priority = "incremental",
        **path: str,
    ) -> Answer:
        base = self._template.format(service=service)
        try:
            return await self._http.get(endpoint, params, priority=priority, base_url=base, **path)
        except Forbidden as error:
            # An empty 403 is a stale key or a refusal: users/me tells which.
            try:
                await self._http.get(api.ME, priority=priority)
            except (Forbidden, Unauthorized):
                raise Unauthorized(
                    f"{SOURCE} refuses this key",
                    hint="ask its owner for a new one: `v2 onboard`",
                    context=error.context,
                ) from None
            raise

    def _limits(self, endpoint: Endpoint) -> list[Limit]:
        return [
            Limit("rezen:system", self._per_system, api.WINDOW_S),
            Limit(f"rezen:{self._account}", self._per_account, api.WINDOW_S),
        ]


def _record(
    entity: str, row: Any, source_id: Callable[[dict[str, Any]], str | None], context: dict[str, Any] | None = None
) -> Record:
    return record_of(
        row, MODELS[entity], source_id=source_id, updated=lambda d: epoch_or_iso(d.get("updatedAt")), context=context
    )


def _unchanged(row: dict[str, Any], request: ReadRequest) -> bool:
    stamp = epoch_or_iso(row.get("updatedAt"))
    return stamp is not None and request.known.get(row["id"]) == stamp


def _roster_agent(row: Any) -> str | None:
    """The agent's id of a roster row: nested under `agent`, or flat; the row's own id is not the agent's."""
    if not isinstance(row, dict):
        return None
    nested = row.get("agent")
    if isinstance(nested, dict):
        found = nested.get("id") or nested.get("yentaId")
    else:
        found = row.get("yentaId") or row.get("agentId") or row.get("id")
    return found if isinstance(found, str) and found else None


def _counts_of(document: Any) -> dict[str, int] | None:
    """Counts by group from a map or a list of pairs; None when the shape is unknown (then nothing is concluded)."""
    if isinstance(document, dict):
        for key in ("counts", "lifecycleGroupCounts"):
            if isinstance(document.get(key), dict | list):
                return _counts_of(document[key])
        counts = {k: v for k, v in document.items() if isinstance(v, int) and not isinstance(v, bool)}
        known = {group: counts[group] for group in api.GROUPS if group in counts}
        return known or None
    if isinstance(document, list):
        pairs = {}
        for row in document:
            if isinstance(row, dict):
                name = row.get("lifecycleGroup") or row.get("group") or row.get("name")
                if isinstance(name, str) and isinstance(row.get("count"), int):
                    pairs[name] = row["count"]
        return {g: pairs[g] for g in api.GROUPS if g in pairs} or None
    return None


def _agree(counts: dict[str, int], met: dict[str, set[str]]) -> bool:
    return all(len(met.get(group, ())) == number for group, number in counts.items())


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
