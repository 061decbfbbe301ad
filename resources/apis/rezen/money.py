"""What an agent earns from the network: contributions, pending ones, payments; and equity, through its adapter.

Sources: public clients for the paths and queries; the schemas of the items are not published, so the models demand next
to nothing and the tables' selects accept every name that was seen. Contributions are read per tier, once for those
that count and once for those that were missed: the answer does not say which it is.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping, Sequence
from typing import Any

from resources.apis.records import text_id
from resources.apis.rezen import endpoints as api
from resources.apis.rezen import equity
from resources.apis.rezen.calls import RezenCalls, record
from resources.apis.rezen.network import TIERS
from resources.apis.rezen.steps import MakeRecord, Step, read_steps
from resources.http.client import Answer
from resources.http.endpoint import Endpoint
from resources.reading import Page, Priority, ReadRequest, Record


async def read_money(calls: RezenCalls, entity: str, request: ReadRequest) -> AsyncIterator[Page]:
    """Every record of one money entity of the key's owner."""
    agent = await calls.agent_id(request.priority)
    if entity == "equity":
        async for page in equity.read(calls, agent, request):
            yield page
        return

    async def call(
        endpoint: Endpoint, query: Sequence[tuple[str, str]], priority: Priority, path: Mapping[str, str]
    ) -> Answer:
        return await calls.arrakis(endpoint, query, priority=priority, **path)

    endpoint, steps, make = _LISTS[entity](agent)
    async for page in read_steps(call, endpoint, steps, make, request):
        yield page


def _contributions(agent: str) -> tuple[Endpoint, list[Step], MakeRecord]:
    steps = [
        Step(
            {"agent": agent, "tier": str(tier)},
            (("missed", str(missed).lower()),),
            {"agent_id": agent, "tier": tier, "missed": missed},
        )
        for tier in TIERS
        for missed in (False, True)
    ]
    return api.CONTRIBUTIONS, steps, _named("contributions", "id", "contributionId")


def _pending(agent: str) -> tuple[Endpoint, list[Step], MakeRecord]:
    steps = [Step({"agent": agent}, (), {"agent_id": agent})]
    return api.PENDING, steps, _named("pending_contributions", "id", "contributionId")


def _payments(agent: str) -> tuple[Endpoint, list[Step], MakeRecord]:
    steps = [Step({"agent": agent}, (), {"agent_id": agent})]
    return api.PAYMENTS, steps, _named("revshare_payments", "id", "outgoingPaymentId")


_LISTS = {"contributions": _contributions, "pending_contributions": _pending, "revshare_payments": _payments}


def _named(entity: str, *names: str) -> MakeRecord:
    """Rows whose id stands under the first of these names that has one."""

    def identity(row: dict[str, Any]) -> str | None:
        return next((found for name in names if (found := text_id(row.get(name)))), None)

    def make(row: Any, step: Step) -> Record:
        return record(entity, row, identity, dict(step.context))

    return make
