"""An agent's network: the down-line in its five tiers, whatever the members' status, and the front line.

Sources: public clients and the notes of a system that read it. Without `statusIn` only active members come back, so
every known status is asked for. Tiers beyond the fifth do not belong to the programme and are not asked for. There is a
filter by time, but it cannot tell who moved to another tree, so every pass is a whole one.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping, Sequence
from typing import Any

from resources.apis.records import text_id
from resources.apis.rezen import endpoints as api
from resources.apis.rezen.calls import RezenCalls, record, rows_of
from resources.apis.rezen.steps import Step, read_steps
from resources.http.client import Answer
from resources.http.endpoint import Endpoint
from resources.reading import Page, Priority, ReadRequest, Record

TIERS = (1, 2, 3, 4, 5)
#: Every status that an agent was seen with.
STATUSES = ("CANDIDATE", "ACTIVE", "INACTIVE", "REJECTED", "RESURRECTING")


async def read_downline(calls: RezenCalls, request: ReadRequest) -> AsyncIterator[Page]:
    """All tiers of the key owner's down-line. A record's id is {agent}:{member}:{tier}."""
    agent = await calls.agent_id(request.priority)
    steps = [
        Step(
            {"agent": agent, "tier": str(tier)},
            tuple(("statusIn", status) for status in STATUSES),
            {"agent_id": agent, "tier": tier},
        )
        for tier in TIERS
    ]

    async def call(
        endpoint: Endpoint, query: Sequence[tuple[str, str]], priority: Priority, path: Mapping[str, str]
    ) -> Answer:
        return await calls.yenta(endpoint, query, priority=priority, **path)

    async for page in read_steps(call, api.DOWN_LINE, steps, _member, request):
        yield page


def _member(row: Any, step: Step) -> Record:
    context = dict(step.context)

    def identity(found: dict[str, Any]) -> str | None:
        member = text_id(found.get("id"))
        return f"{context['agent_id']}:{member}:{context['tier']}" if member else None

    return record("network_downline", row, identity, context)


async def read_frontline(calls: RezenCalls, request: ReadRequest) -> AsyncIterator[Page]:
    """The agents right below the key's owner, in one answer. A record's id is {agent}:{member}."""
    agent = await calls.agent_id(request.priority)
    answer = await calls.yenta(api.FRONT_LINE, priority=request.priority, agent=agent)

    def identity(found: dict[str, Any]) -> str | None:
        member = text_id(found.get("id"))
        return f"{agent}:{member}" if member else None

    rows = rows_of(answer, api.FRONT_LINE)
    records = (record("network_frontline", row, identity, {"agent_id": agent, "tier": 1}) for row in rows)
    yield Page(tuple({r.source_id: r for r in records}.values()), None, answer.source_time)
