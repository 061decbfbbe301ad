"""Agents, teams, rosters, sponsors and caps of reZEN: what is asked key by key, and the shapes a roster comes in."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from resources.apis.records import refused, text_id
from resources.apis.rezen import endpoints as api
from resources.apis.rezen.calls import RezenCalls, record, rows_of
from resources.errors import Forbidden, NotFound
from resources.reading import Page, Priority, ReadRequest, Record

#: An invitation in one of these states has made nobody a member.
_NOT_TAKEN_UP = frozenset({"EMAILED", "PENDING", "DECLINED", "EXPIRED"})


@dataclass(frozen=True, slots=True)
class _Found:
    records: tuple[Record, ...]
    time: datetime


async def read_agents(calls: RezenCalls, request: ReadRequest) -> AsyncIterator[Page]:
    """The key's owner, then the named agents, twenty at a time. Position: {"after": how many of them are stored}."""
    done = (request.position or {}).get("after")
    me = await calls.agent_id(request.priority)
    keys = [key for key in dict.fromkeys(request.keys) if key != me]
    size = api.AGENTS.page_size
    if done is None:
        answer = await calls.yenta(api.AGENT_ME, priority=request.priority)
        mine = record("agents", answer.document, context={"is_self": True})
        yield Page((mine,), {"after": 0} if keys else None, answer.source_time)
        if not keys:
            return
    for start in range(min(int(done or 0), len(keys) - 1), len(keys), size):
        query = [("agentIds", key) for key in keys[start : start + size]]
        answer = await calls.yenta(api.AGENTS, query, priority=request.priority)
        records = tuple(record("agents", row) for row in rows_of(answer, api.AGENTS))
        last = start + size >= len(keys)
        yield Page(records, None if last else {"after": start + size}, answer.source_time)
    if not keys:
        yield Page((), None, datetime.now(UTC))


async def read_by_key(calls: RezenCalls, entity: str, request: ReadRequest) -> AsyncIterator[Page]:
    """A page per key; after a dead run it goes on behind the last key that was stored. Position: {"after", "gap"}.

    A team that is not there, or not for this key, is said and makes the pass incomplete: its members are not gone.
    """
    position = request.position or {}
    keys, after, gap = list(request.keys), position.get("after"), bool(position.get("gap"))
    if not keys and entity in ("sponsor_tree", "cap_data"):
        keys = [await calls.agent_id(request.priority)]
    if after in keys:
        keys = keys[keys.index(after) + 1 :]
    if not keys:
        yield Page((), None, datetime.now(UTC), complete=not gap)
    for number, key in enumerate(keys, 1):
        try:
            found = await _READERS[entity](calls, key, request.priority)
        except (NotFound, Forbidden) as error:
            gap = True
            found = _Found((_refused(entity, key, error),), datetime.now(UTC))
        following = None if number == len(keys) else {"after": key, "gap": gap}
        yield Page(found.records, following, found.time, complete=not gap)


async def _team(calls: RezenCalls, team: str, priority: Priority) -> _Found:
    answer = await calls.yenta(api.TEAM, priority=priority, team=team)
    document = answer.document
    if isinstance(document, dict):
        # The roster is a stream of its own.
        document = {name: value for name, value in document.items() if name not in api.ROSTER.lists}
    elif isinstance(document, list):
        document = {"id": team}  # a roster in place of the team: that the team is there is all it says
    return _Found((record("teams", document),), answer.source_time)


async def _roster(calls: RezenCalls, team: str, priority: Priority) -> _Found:
    answer = await calls.yenta(api.ROSTER, priority=priority, team=team)
    records = []
    for row in rows_of(answer, api.ROSTER):
        agent = roster_agent(row)
        if agent is None and _open_invitation(row):
            continue
        records.append(record("team_members", row, lambda _, a=agent: f"{team}:{a}" if a else None, {"team_id": team}))
    return _Found(tuple(records), answer.source_time)


async def _sponsors(calls: RezenCalls, agent: str, priority: Priority) -> _Found:
    answer = await calls.yenta(api.SPONSORS, priority=priority, agent=agent)

    def sponsor(row: dict[str, Any]) -> str | None:
        found = text_id(row.get("id"))
        return f"{agent}:{found}" if found else None

    rows = rows_of(answer, api.SPONSORS)
    return _Found(tuple(record("sponsor_tree", row, sponsor, {"agent_id": agent}) for row in rows), answer.source_time)


async def _cap(calls: RezenCalls, agent: str, priority: Priority) -> _Found:
    try:
        answer = await calls.yenta(api.CAP, priority=priority, agent=agent)
    except NotFound:
        return _Found((), datetime.now(UTC))  # an agent without a cap
    return _Found((record("cap_data", answer.document, lambda _: agent, {"agent_id": agent}),), answer.source_time)


_READERS: dict[str, Callable[[RezenCalls, str, Priority], Awaitable[_Found]]] = {
    "teams": _team,
    "team_members": _roster,
    "sponsor_tree": _sponsors,
    "cap_data": _cap,
}


def roster_agent(row: Any) -> str | None:
    """The agent's id of a roster row: nested under `agent`, or flat. A nested row's own id is never the agent's.

    A flat row's `id` counts only if it is no open invitation, which has an id but no agent.
    """
    if not isinstance(row, dict):
        return None
    nested = row.get("agent")
    if isinstance(nested, dict):
        return text_id(nested.get("id")) or text_id(nested.get("yentaId"))
    named = text_id(row.get("yentaId")) or text_id(row.get("agentId"))
    if named or "agent" in row or _open_invitation(row):
        return named
    return text_id(row.get("id"))


def _open_invitation(row: Any) -> bool:
    status = row.get("invitationStatus") if isinstance(row, dict) else None
    return isinstance(status, str) and status in _NOT_TAKEN_UP


def _refused(entity: str, key: str, error: NotFound | Forbidden) -> Record:
    found = "refused (403)" if isinstance(error, Forbidden) else "not there for this key (404)"
    field = "team_id" if entity in ("teams", "team_members") else "agent_id"
    return refused(key, {"_v2": {field: key}}, found)
