"""Any question that can be asked, of any user, and whether what comes back holds a row that is not theirs.

`Fuzz` draws questions over all endpoints, filters, searches, sorts, pages and cursors (one's own, another's, made up),
asks them through the endpoints or as plain SQL with the login of the endpoints, and compares with the world's oracle,
which does not use the policies. The suite asks some hundreds; `bench/rows_fuzz.py` asks 20,000 either way.
"""

from __future__ import annotations

import base64
import random
from collections import Counter
from dataclasses import dataclass, field
from typing import Any

import httpx
import orjson
import psycopg
from psycopg import sql

from tests.api.world import USERS, World, only_of
from v2_assets.api import pages, tokens
from v2_assets.api.asked import Asked, Parameters
from v2_assets.api.catalogue import CATALOGUE, ENDPOINTS
from v2_assets.api.endpoint import RANGED, Endpoint, type_of
from v2_assets.api.errors import BadRequest

PARAMETERS = {endpoint.path: Parameters(endpoint) for endpoint in CATALOGUE}
#: Those whose figures are of the world's rows; the pipelines' state is looked at by name.
FIGURES = [e for e in CATALOGUE if e.kind == "figures" and not e.reads[0].startswith("ops.")]
PERIODS: tuple[dict[str, str], ...] = (
    {"since": "2000-01-01", "until": "2050-01-01"},
    {"since": "2026-03-01", "until": "2026-06-30"},
    {"since": "2026-07-01", "until": "2026-01-01"},
)
SOUGHT = ("a", "%", "_", "'", "Active", "\\", "agent", "x' or '1'='1", "Pending", "raw 5", "%_\\'x", "user2@", "2", "é")


@dataclass
class Fuzz:
    """`token_of` has a token of each user; `values` what there is in each column that can be filtered by."""

    world: World
    token_of: dict[int, str]
    values: dict[tuple[str, str], list[Any]]
    figures: dict[tuple[str, int, int], list[dict[str, Any]]]
    dice: random.Random
    counts: Counter[str] = field(default_factory=Counter)
    foreign: list[str] = field(default_factory=list)
    cursors: dict[str, list[tuple[str, str]]] = field(default_factory=dict)

    @classmethod
    def of(cls, connection: psycopg.Connection[Any], world: World, token_of: dict[int, str], seed: int) -> Fuzz:
        """Over a database that holds the world."""
        values: dict[tuple[str, str], list[Any]] = {}
        for endpoint in (e for e in CATALOGUE if e.kind in ("rows", "count")):
            for column in endpoint.filters:
                rows = connection.execute(
                    sql.SQL("select distinct {0} from v2.{1} where {0} is not null limit 30").format(
                        sql.Identifier(column), sql.Identifier(endpoint.table or "")
                    )
                ).fetchall()
                values[endpoint.table or "", column] = [row[0] for row in rows]
        figures: dict[tuple[str, int, int], list[dict[str, Any]]] = {}
        for user in USERS:
            for endpoint in FIGURES:
                schema = only_of(connection, world, user, endpoint.reads)
                for number, period in enumerate(PERIODS if endpoint.also else PERIODS[:1]):
                    asked = Asked(values=dict(period) if endpoint.also else {})
                    question = pages.figures(endpoint, asked)
                    statement = question.statement.decode().replace("v2.", f"{schema}.")
                    items, _ = connection.execute(statement.encode(), question.values).fetchall()[0]
                    figures[endpoint.path, user, number] = orjson.loads(f"[{items or ''}]")
        connection.commit()
        return cls(world, token_of, values, figures, random.Random(seed))

    def over_http(self, client: httpx.Client) -> None:
        """One question through the endpoints."""
        user, endpoint, given, period = self._draw()
        headers = {"Authorization": f"Bearer {self.token_of[user]}"}
        answer = client.get(endpoint.path, params=tuple(given), headers=headers)
        self.counts[f"http {answer.status_code}"] += 1
        if answer.status_code == 200:
            body = answer.json()
            if body.get("nextCursor"):
                self._keep_cursor(endpoint, dict(given).get("sort", endpoint.sorts[0]), body["nextCursor"])
            found = body.get("items", body)
            self._judge(user, endpoint, found, body.get("itemsTotal"), period, given)
        elif answer.status_code not in (404, 422):
            self.foreign.append(f"{answer.status_code} for {endpoint.path} {given}")

    def in_sql(self, connection: psycopg.Connection[Any]) -> None:
        """The same without the application: its statement, with its login, in a transaction that has the token."""
        user, endpoint, given, period = self._draw()
        try:
            asked = PARAMETERS[endpoint.path].read(given)
        except BadRequest:
            self.counts["sql refused"] += 1
            return
        question = pages.QUESTIONS[endpoint.kind](endpoint, asked)
        row = None
        try:
            with connection.transaction():
                hashed = tokens.hash_of(self.token_of[user])
                connection.execute("select set_config('v2.token', %s, true)", [hashed])
                row = connection.execute(question.statement, question.values).fetchone()
        except psycopg.DataError:  # a cursor with a value that is none
            self.counts["sql refused"] += 1
            return
        self.counts["sql answered"] += 1
        if endpoint.kind == "count":
            self._judge(user, endpoint, {"count": (row or (0,))[0]}, None, period, given)
        elif endpoint.kind == "record":
            if row is not None and row[0] is not None:
                self._judge(user, endpoint, orjson.loads(row[0]), None, period, given)
        elif row is not None:
            total = row[4] if endpoint.kind == "rows" else None
            self._judge(user, endpoint, orjson.loads(f"[{row[0] or ''}]"), total, period, given)

    def as_plain_sql(self, connection: psycopg.Connection[Any]) -> None:
        """A statement of the attacker's own on a table, with another's ids in it."""
        user = self.dice.choice(USERS)
        table = self.dice.choice([name for name in self.world.owners if name in _tables()])
        other = self.dice.choice([*self.world.owners[table]])
        where = self.dice.choice(["true", f"id = {other}", f"id <> {other}", "id in (select id from v2.{0})"])
        statement = f"select t.id from v2.{table} t where {where.format(table)} or true"
        with connection.transaction():
            connection.execute("select set_config('v2.token', %s, true)", [tokens.hash_of(self.token_of[user])])
            found = {row[0] for row in connection.execute(statement.encode())}
        self.counts["sql own statement"] += 1
        if not found <= self.world.may_see(user, table):
            self.foreign.append(f"user {user}: {statement}")

    def _draw(self) -> tuple[int, Endpoint, list[tuple[str, str]], int]:
        """A user, an endpoint, parameters, and which of the periods it is about."""
        dice = self.dice
        user, endpoint = dice.choice(USERS), dice.choice(CATALOGUE)
        period = dice.randrange(len(PERIODS)) if endpoint.also else 0
        if endpoint.kind == "figures":
            return user, endpoint, list(PERIODS[period].items()) if endpoint.also else [], period
        if endpoint.kind == "record":
            ids = [*self.world.owners[endpoint.table or ""], 0, 2**62]
            return user, endpoint, [("id", str(dice.choice(ids)))], 0
        given: list[tuple[str, str]] = []
        for column in dice.sample(endpoint.filters, min(len(endpoint.filters), dice.choice((0, 0, 1, 1, 2, 3)))):
            known = self.values[endpoint.table or "", column]
            if not known:
                continue
            ranged = type_of(endpoint.table or "", column) in RANGED
            name = f"{column}_{dice.choice(('from', 'to'))}" if ranged else column
            for value in dice.sample(known, 1 if ranged else min(len(known), dice.randint(1, 3))):
                told = value.isoformat() if hasattr(value, "isoformat") else str(value)
                given.append((name, told.lower() if isinstance(value, bool) else told))
        if endpoint.search and dice.random() < 0.3:
            given.append(("search", dice.choice(SOUGHT)))
        if endpoint.kind == "rows":
            given += self._paging(endpoint)
        return user, endpoint, given, 0

    def _paging(self, endpoint: Endpoint) -> list[tuple[str, str]]:
        dice = self.dice
        sort = dice.choice(("", "-")) + dice.choice(endpoint.sorts).removeprefix("-")
        given = [("sort", sort), ("per_page", str(dice.choice((1, 5, 50, 200))))]
        given.append(("totals", dice.choice(("exact", "none"))))
        place = dice.random()
        if place < 0.4 and self.cursors.get(endpoint.path):  # of whoever got it, and of this sort or another
            made_for, cursor = dice.choice(self.cursors[endpoint.path])
            return [*given[1:], ("sort", made_for if dice.random() < 0.8 else sort), ("cursor", cursor)]
        if place < 0.5:
            value = dice.choice([None, "0", "2026-01-01", "x", "9" * 40])
            made_up = orjson.dumps([sort, value, dice.randint(-5, 500)])
            return [*given, ("cursor", base64.urlsafe_b64encode(made_up).decode().rstrip("="))]
        return [*given, ("page", str(dice.randint(1, 4)))]

    def _keep_cursor(self, endpoint: Endpoint, sort: str, cursor: str) -> None:
        kept = self.cursors.setdefault(endpoint.path, [])
        kept.append((sort, cursor))
        del kept[:-200]

    def _judge(
        self, user: int, endpoint: Endpoint, found: Any, total: int | None, period: int, given: list[tuple[str, str]]
    ) -> None:
        """Notes what is not the user's."""
        if endpoint.kind == "figures":
            if endpoint in FIGURES:
                fine = found == self.figures[endpoint.path, user, period]
            else:
                fine = {row["user_id"] for row in found} <= {u for u in USERS if self._sees_user(user, u)}
            ids: set[int] = set()
        else:
            mine = self.world.may_see(user, endpoint.table or "")
            if endpoint.kind == "count":
                fine, ids = found["count"] <= len(mine), set()
            elif endpoint.kind == "record":
                parts = [row for part in endpoint.parts for row in found[part.name]]
                ids, fine = {found["id"]}, all(row["transaction_id"] == found["id"] for row in parts)
            else:
                ids, fine = {item["id"] for item in found}, total is None or total <= len(mine)
            fine = fine and ids <= mine
        self.counts["rows"] += len(ids)
        if not fine:
            self.foreign.append(f"user {user}: {endpoint.path} {given}")

    def _sees_user(self, user: int, other: int) -> bool:
        """By a table in which every row is one user's."""
        return self.world.may_see(other, "revshare_totals") <= self.world.may_see(user, "revshare_totals")


def _tables() -> set[str]:
    return {endpoint.table for endpoint in ENDPOINTS.values() if endpoint.table}
