"""The equity adapter: the one place to change when the real service becomes known.

What is known: one system reads an "equity performance" from the host `plutus`; path, sign-in and fields are not. What
is assumed here, and nowhere else: a list of ledger entries per agent, paged like the other lists, each with an id. The
other entities do not depend on it: where it cannot be read, its stream fails alone and says so.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping, Sequence
from typing import Any

from resources.apis.records import text_id
from resources.apis.rezen.calls import RezenCalls, record
from resources.apis.rezen.steps import Step, read_steps
from resources.http.client import Answer
from resources.http.endpoint import Endpoint
from resources.reading import Page, Priority, ReadRequest, Record

ENTRIES = Endpoint(
    name="plutus equity/{id}/transactions (assumed)",
    path="/equity/{agent}/transactions",
    lists=("transactions", "entries", "content", "items", "results"),
    root_list=True,
    no_content=True,
    page_size=200,
    why="an agent's equity ledger",
    deadline_s=60,
)


async def read(calls: RezenCalls, agent: str, request: ReadRequest) -> AsyncIterator[Page]:
    """Every entry of the agent's ledger."""

    async def call(
        endpoint: Endpoint, query: Sequence[tuple[str, str]], priority: Priority, path: Mapping[str, str]
    ) -> Answer:
        return await calls.plutus(endpoint, query, priority=priority, **path)

    async for page in read_steps(call, ENTRIES, [Step({"agent": agent}, (), {"agent_id": agent})], _entry, request):
        yield page


def _entry(row: Any, step: Step) -> Record:
    def identity(found: dict[str, Any]) -> str | None:
        return text_id(found.get("id"))

    return record("equity", row, identity, dict(step.context))
