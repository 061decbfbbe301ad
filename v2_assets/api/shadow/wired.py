"""Shadow reading for an installation: tokens, the switch and the counts are the database's.

Everything goes through the functions `ops.api_…` of revisions 0023 and 0024, so the endpoints' role gets to see no
table for it.
"""

from __future__ import annotations

import asyncio
import re
import time
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

import httpx
import orjson
from psycopg.types.json import Jsonb

from resources.settings import Settings
from v2_assets.api import pages
from v2_assets.api.app import Api
from v2_assets.api.catalogue import CATALOGUE, ENDPOINTS
from v2_assets.api.endpoint import Endpoint
from v2_assets.api.errors import NoToken, OutOfScope
from v2_assets.api.shadow.answers import Comparer, Difference, parsed
from v2_assets.api.shadow.proxy import Answer, Outcome, Shadow
from v2_assets.api.store import Store
from v2_assets.api.tokens import hash_of
from v2_assets.gate.switch import Rollout, Standing
from v2_assets.gate.tables import judged_by
from v2_assets.schema.codes import V1
from v2_assets.schema.describe import table_named

#: How long a token's user and the state of the switch are believed. V2's own answers ask for the token each time.
BELIEVED_S = 5.0
#: A row that the other system may have on another page; nothing says that it differs.
ELSEWHERE = "on_another_page"
_KINDS = {
    "row only in V1": ["missing"],
    "row only in V2": ["extra"],
    "value": ["changed"],
    "total": ["missing", "extra"],
}
#: Words of a declaration about V1 that name what has no twin.
_NOT_COMPARED = ("left_out", "only_here", "moved_away", "dropped")
_WORDS: dict[str, frozenset[str]] = {}
for _codes in V1.values():
    for _raw, _value in _codes.items():
        _word = "".join(letter for letter in _raw.lower() if letter.isalnum())
        _WORDS[_word] = _WORDS.get(_word, frozenset()) | {_value}


@dataclass(slots=True)
class Known:
    """Who a token is and whom V2 serves; believed for some seconds."""

    store: Store
    _seen: dict[str, tuple[float, int | None, Rollout]] = field(default_factory=dict)

    async def user_of(self, token: str) -> int | None:
        """The user, or None for a token that is none."""
        return (await self._look(token))[0]

    async def serves_v2(self, token: str, endpoint: str) -> bool:
        """Whether the token's user gets this endpoint from V2."""
        user_id, rollout = await self._look(token)
        return user_id is not None and all(rollout.serves_v2(user_id, path) for path in together(endpoint))

    async def _look(self, token: str) -> tuple[int | None, Rollout]:
        token_hash = hash_of(token)
        if token_hash is None:
            return None, Rollout({}, {})
        until, user_id, rollout = self._seen.get(token_hash, (0.0, None, Rollout({}, {})))
        if until < time.monotonic():
            try:
                caller, row = await self.store.call(token_hash, "read", "select ops.api_switch()")
                user_id, rollout = caller.user_id, _rollout(row[0])
            except (NoToken, OutOfScope):
                user_id, rollout = None, Rollout({}, {})
            now = time.monotonic()
            self._seen = {key: seen for key, seen in self._seen.items() if seen[0] > now}
            self._seen[token_hash] = (now + BELIEVED_S, user_id, rollout)
        return user_id, rollout


@dataclass(slots=True)
class Numbered:
    """What V1 and V2 call a record: found by what the sources call it, among the rows that the caller sees."""

    store: Store

    async def of_v2(self, endpoint: Endpoint, token: str, v1: Answer) -> int | None:
        """V2's number of the record that V1 answered with; None if V2 has none, or V1 had none."""
        row = parsed(v1[1]) if v1[0] == 200 else None
        if row is None:
            return None
        (column,) = comparer_of(endpoint).keyed_by()
        # V1 had rows that no source has an id for; V2 calls them by V1's number.
        called = row.get(column) or f"v1:{row.get('id')}"
        _, found = await self.store.ask(
            hash_of(token) or "", endpoint.scope, pages.number_of(endpoint, column, str(called))
        )
        return found[0]

    async def of_v1(self, endpoint: Endpoint, token: str, number: str) -> int | None:
        """V1's number of the record that has this one in V2; None if V1 is not known to have it."""
        if not re.fullmatch(r"\d{1,18}", number):
            return None
        statement = f"select ops.{_V1_NUMBER[endpoint.table or '']}(%s)"
        _, row = await self.store.call(hash_of(token) or "", endpoint.scope, statement, [int(number)])
        return row[0]


#: Table of a record → the function that knows V1's numbers.
_V1_NUMBER = {"transaction": "api_v1_deal"}


@dataclass(slots=True)
class Kept:
    """What was seen, explained by the newest comparison and added to the counts."""

    store: Store

    async def differences(
        self, endpoint: Endpoint, token: str, v1: Answer, v2: Answer
    ) -> Iterable[tuple[str, str, str]]:
        """(kind, field, reason) of each difference between two answers."""
        comparer = comparer_of(endpoint)
        found = await asyncio.to_thread(comparer.differences, v1, v2)
        tables = sorted({name for table in endpoint.reads if "." not in table for name in judged_by(table, {})})
        if endpoint.table:
            tables = [endpoint.table]
        reasons: dict[tuple[Any, ...], str] = {}
        for each in found:
            if each not in reasons:
                reasons[_same(each)] = await self._reason(token, tables, comparer, each)
        return [(each.kind, each.field, reasons[_same(each)]) for each in found]

    async def keep(
        self, endpoint: str, token: str, outcome: Outcome, differences: Iterable[tuple[str, str, str]] = ()
    ) -> None:
        """Adds one request to the counts."""
        values = [endpoint, outcome, Jsonb([list(each) for each in differences])]
        await self.store.call(hash_of(token) or "", None, "select ops.api_shadow_keep(%s, %s, %s)", values)

    async def _reason(self, token: str, tables: list[str], comparer: Comparer, each: Difference) -> str:
        kinds = _KINDS.get(each.kind)
        if kinds is None:
            return "unknown"
        keys = dict(zip(comparer.keyed_by(), map(str, (each.key or ())[:-1]), strict=False)) if each.key else {}
        values = [tables, kinds, each.field if each.kind == "value" else None, Jsonb(keys)]
        _, row = await self.store.call(
            hash_of(token) or "", None, "select ops.api_shadow_reason(%s, %s, %s, %s)", values
        )
        return row[0] or ("unknown" if each.whole else ELSEWHERE)


def together(path: str) -> list[str]:
    """The endpoints that must come from one system: a record is asked for by a number that its table's lists gave."""
    table = ENDPOINTS[path].table
    alike = [each for each in CATALOGUE if each.table == table and each.kind in ("rows", "record")]
    shared = any(each.kind == "record" for each in alike) and ENDPOINTS[path] in alike
    return [each.path for each in alike] if shared else [path]


def comparer_of(endpoint: Endpoint) -> Comparer:
    """How the answers of an endpoint are compared, by the declaration of its table."""
    told = table_named(endpoint.table).info["v1"] if endpoint.table else {}
    fields = {field.name for field in endpoint.fields}
    # A name that the answer itself has is read as that, whatever column of the table V1 called so.
    renamed = {v1: v2 for v2, v1 in told.get("columns", {}).items() if v1 not in fields}
    left_out = {name for word in _NOT_COMPARED for name in told.get(word, ())}
    return Comparer(endpoint, renamed, frozenset(left_out), _WORDS)


def shadowed(api: Api, settings: Settings) -> Shadow:
    """The endpoints with shadow reading around them. V1 is at `shadow_v1_url`."""
    v1 = httpx.AsyncClient(base_url=settings.shadow_v1_url or "", timeout=settings.shadow_v1_timeout_seconds)
    return Shadow(
        api.app,
        ENDPOINTS,
        v1,
        Known(api.store),
        Numbered(api.store),
        Kept(api.store),
        sample=settings.shadow_sample_percent / 100,
        timeout_s=settings.shadow_timeout_seconds,
    )


def _rollout(newest: str | list[list[Any]]) -> Rollout:
    rows = orjson.loads(newest) if isinstance(newest, str) else newest
    endpoints = {e: Standing(action, float(share), frozenset()) for e, _, action, share in rows if e is not None}
    users = {user: Standing(action, 0.0, frozenset()) for e, user, action, _ in rows if e is None}
    return Rollout(endpoints, users)


def _same(each: Difference) -> tuple[Any, ...]:
    return (each.kind, each.field, each.key, each.whole)
