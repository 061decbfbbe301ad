"""Users of the organisation, and the agencies they may order from. Orders are in `orders`."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from datetime import UTC, datetime

from resources.apis.records import record_of, refused
from resources.apis.title.graphql import GraphQl, kept_back, rows_of
from resources.apis.title.models import MODELS
from resources.apis.title.orders import ignores_offset, order_id
from resources.apis.title.surfaces import document
from resources.reading import Page, Priority, ReadRequest, Record

USERS_PAGE = 100


async def read_users(calls: GraphQl, surface: str, request: ReadRequest) -> AsyncIterator[Page]:
    """All users, to the first empty page. Position: {"offset"}. A row with an error is not stored, nor is it gone."""
    query, offset = document(surface, "users"), int((request.position or {}).get("offset") or 0)
    gap, proven, before = bool((request.position or {}).get("gap")), offset > 0, list[str | None]()
    while True:
        variables = {"limit": USERS_PAGE, "offset": offset}
        reply = await calls.ask("users", query, variables, priority=request.priority)
        rows, broken = rows_of("users", reply, "usersInOrganization", "users", proven=proven)
        if not rows:
            yield Page((), None, reply.source_time, complete=not gap)
            return
        ids = [order_id(row.get("user_id")) if isinstance(row, dict) else None for row in rows]
        if ids == before:
            raise ignores_offset("users", offset)
        before, gap, proven = ids, gap or bool(broken), proven or len(broken) < len(rows)
        offset += len(rows)
        records = [user(row) for number, row in enumerate(rows) if number not in broken]
        records += [refused(i, {"user": i}, kept_back(broken[n])) for n, i in enumerate(ids) if n in broken and i]
        yield Page(tuple(records), {"offset": offset, "gap": gap}, reply.source_time)


async def read_agencies(calls: GraphQl, surface: str, request: ReadRequest) -> AsyncIterator[Page]:
    """A page per key `<user id>/<state>`; agencies that an earlier key showed come once, with all their states.

    One page at the end, because only then are an agency's states known. There are few agencies.
    """
    states: dict[str, set[str]] = {}
    names: dict[str, dict[str, object]] = {}
    time, odd = datetime.now(UTC), []
    for key in dict.fromkeys(request.keys):
        who, _, state = key.partition("/")
        query = document(surface, "agencies").replace("USER", json.dumps(who)).replace("STATE", json.dumps(state))
        reply = await calls.ask("agencies", query, priority=request.priority)
        rows, broken = rows_of("agencies", reply, "availableSettlementAgencies", "settlement_agencies")
        time = reply.source_time
        for number, row in enumerate(rows):
            identity = order_id(row.get("_id")) if isinstance(row, dict) else None
            if number in broken:
                odd += [refused(identity, {"agency": identity}, kept_back(broken[number]))] if identity else []
                continue
            if identity is None:
                odd.append(agency(row, ()))
                continue
            states.setdefault(identity, set()).add(state)
            names[identity] = row
    records = [agency(row, sorted(states[identity])) for identity, row in sorted(names.items())]
    yield Page((*records, *odd), None, time)


async def one_user(calls: GraphQl, surface: str, priority: Priority) -> None:
    """The smallest question that proves a pair of credentials. Raises Unauthorized when it is refused."""
    reply = await calls.ask("users", document(surface, "users"), {"limit": 1, "offset": 0}, priority=priority)
    rows_of("users", reply, "usersInOrganization", "users")


def user(row: object) -> Record:
    """One user of the organisation."""
    return record_of(
        row, MODELS["users"], source_id=lambda r: order_id(r.get("user_id")), updated=lambda r: None
    )  # fmt: skip


def agency(row: object, states: list[str] | tuple[str, ...]) -> Record:
    """One agency, with the states in which it was offered."""
    return record_of(
        row, MODELS["agencies"], source_id=lambda r: order_id(r.get("_id")), updated=lambda r: None,
        context={"states": list(states)},
    )  # fmt: skip
