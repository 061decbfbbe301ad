"""The reZEN client: whose key it is, and passes over what that agent may see."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from datetime import datetime

from pydantic import SecretStr

from resources.apis.paging import read_alone
from resources.apis.rezen import endpoints as api
from resources.apis.rezen.calls import RezenCalls
from resources.apis.rezen.deals import DETAILS_AT_ONCE, deal_ids, group_counts, read_deal, read_deals
from resources.apis.rezen.equity import ENTRIES
from resources.apis.rezen.money import read_money
from resources.apis.rezen.network import TIERS, read_downline, read_frontline
from resources.apis.rezen.people import read_agents, read_by_key
from resources.errors import BadRequest
from resources.http.budget import Budget
from resources.reading import Identity, Page, Plan, Priority, ReadRequest, Record

_BY_KEY = {"teams": api.TEAM, "team_members": api.ROSTER, "sponsor_tree": api.SPONSORS, "cap_data": api.CAP}
#: Lists of the key's owner: the host, the endpoint, and how many lists there are of it.
_OWN = {
    "network_downline": ("yenta", api.DOWN_LINE, len(TIERS)),
    "network_frontline": ("yenta", api.FRONT_LINE, 1),
    "contributions": ("arrakis", api.CONTRIBUTIONS, 2 * len(TIERS)),
    "pending_contributions": ("arrakis", api.PENDING, 1),
    "revshare_payments": ("arrakis", api.PAYMENTS, 1),
    "equity": ("plutus", ENTRIES, 1),
}


class RezenClient:
    """One connection to reZEN: what one agent's key may see. See resources.reading.SourceClient for the contract.

    `base_url_template` holds `{service}` for the host. Limits are calls in 10 s.
    """

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
        self._calls = RezenCalls(
            api_key=api_key,
            agent_id=agent_id,
            base_url_template=base_url_template,
            budget=budget,
            limit_per_account=limit_per_account,
            limit_per_system=limit_per_system,
        )

    async def __aenter__(self) -> RezenClient:
        return self

    async def __aexit__(self, *exc: object) -> None:
        await self._calls.close()

    async def identity(self) -> Identity:
        """yenta users/me: its id is the agent's id. Raises Unauthorized for a refused key."""
        return await self._calls.identity()

    async def honours_since(self, entity: str) -> bool:
        """Never: no list is known to filter by time, so lists are walked and details fetched where stamps differ."""
        return False

    async def active_keys(self, entity: str, since: datetime, priority: Priority) -> tuple[str, ...] | None:
        """reZEN does not tell."""
        return None

    def read(self, entity: str, request: ReadRequest) -> AsyncIterator[Page]:
        """Pages of one pass. Positions are those of `read_deals`, `read_agents`, `read_by_key` and `read_steps`."""
        if entity in api.LISTS:
            return read_deals(self._calls, entity, request)
        if entity == "agents":
            return read_agents(self._calls, request)
        if entity == "network_downline":
            return read_downline(self._calls, request)
        if entity == "network_frontline":
            return read_frontline(self._calls, request)
        if entity in _OWN:
            return read_money(self._calls, entity, request)
        return read_by_key(self._calls, entity, request)

    async def read_one(self, entity: str, source_id: str, priority: Priority = "webhook") -> Record | None:
        """One deal or listing by its id; None if there is none, or if it is of the other kind."""
        if entity not in api.LISTS:
            raise BadRequest("only deals and listings are read one by one", context={"entity": entity})
        return await read_deal(self._calls, entity, source_id, priority)

    async def read_some(
        self, entity: str, ids: Sequence[str], priority: Priority = "webhook"
    ) -> dict[str, Record | None]:
        """These deals by id; None for one that is not there, or of the other kind.

        One that this key may not see, or that cannot be read, is left out.
        """
        return await read_alone(lambda i: self.read_one(entity, i, priority), ids, DETAILS_AT_ONCE)

    async def plan(self, entity: str, request: ReadRequest) -> Plan:
        """What a pass would ask. For deals the source's counts say how many records to expect."""
        if entity in api.LISTS:
            agent = await self._calls.agent_id(request.priority)
            counts = await group_counts(self._calls, entity, agent, request.priority)
            lines = tuple(
                f"GET arrakis {api.LISTS[entity].path.format(agent=agent, group=group)}"
                f"  ({(counts or {}).get(group, '?')} records)"
                for group in api.GROUPS
            )
            expected = sum(counts.values()) if counts is not None else None
            return Plan((*lines, f"GET arrakis {api.DETAIL.path}  (each one that changed)"), expected)
        if entity == "agents":
            lines = (f"GET yenta {api.AGENT_ME.path}",)
            if request.keys:
                lines += (f"GET yenta {api.AGENTS.path}  ({len(request.keys)} agents, 20 at a time)",)
            return Plan(lines, 1 + len(request.keys))
        if entity in _OWN:
            host, endpoint, lists = _OWN[entity]
            return Plan((f"GET {host} {endpoint.path}  ({lists} lists, {endpoint.page_size} a page)",), None)
        lines = tuple(f"GET yenta {_BY_KEY[entity].path.format(team=key, agent=key)}" for key in request.keys)
        return Plan(lines, len(request.keys) if entity in ("teams", "cap_data") else None)

    async def count(self, entity: str) -> int | None:
        """The sum of lifecycle-group-counts; None for what the source does not count."""
        if entity not in api.LISTS:
            return None
        agent = await self._calls.agent_id("incremental")
        counts = await group_counts(self._calls, entity, agent, "incremental")
        return sum(counts.values()) if counts is not None else None

    async def keys(self, entity: str, request: ReadRequest) -> AsyncIterator[tuple[str, ...]]:
        """Every id now. Of deals only the lists are read, no detail."""
        if entity in api.LISTS:
            async for ids in deal_ids(self._calls, entity, request.priority):
                yield ids
            return
        async for page in self.read(entity, request):
            yield tuple(r.source_id for r in page.records)
