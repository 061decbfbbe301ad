"""From what is asked to SQL: one statement per question, composed from declarations, with every value a parameter.

A question finds one row: the answer's items as JSON, and what its paging needs.

Who sees which row is not here: Postgres adds that (`schema.visibility`). A page is found in one of two ways. Small
tables are sorted. A large one (`walk`) is read along an index that begins with the owner: for each user whose rows the
caller sees, the next rows after the cursor, and the best of those. Neither counts or skips more than it is told to.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from functools import cache, lru_cache
from pathlib import Path
from typing import Any, LiteralString, NamedTuple, cast

from psycopg import sql

from resources.postgres import load_sql
from v2_assets.api.asked import Asked
from v2_assets.api.catalogue import ENDPOINTS
from v2_assets.api.endpoint import Endpoint, Lookup, Type, fields_of, type_of

_CASTS: dict[Type, sql.SQL] = {
    "text": sql.SQL("text"),
    "whole": sql.SQL("bigint"),
    "flag": sql.SQL("boolean"),
    "number": sql.SQL("numeric"),
    "day": sql.SQL("date"),
    "instant": sql.SQL("timestamptz"),
}
_COMPARISONS = {
    "any": sql.SQL("t.{column} = any({value}::{cast}[])"),
    "is": sql.SQL("t.{column} = {value}::{cast}"),
    "from": sql.SQL("t.{column} >= {value}::{cast}"),
    "to": sql.SQL("t.{column} <= {value}::{cast}"),
}
#: Statements kept, at some 3 KB each: which filters, sizes and places are asked for is the caller's choice.
KEPT = 512
_FIGURES = str(Path(__file__).with_name("figures") / "here")


@dataclass(frozen=True, slots=True)
class Question:
    """One statement and its parameters. `prepare`: its plan does not depend on their values."""

    statement: bytes
    values: dict[str, Any]
    prepare: bool = True


class _Shape(NamedTuple):
    """What of a question is in the statement itself, so that statements can be kept."""

    path: str
    filters: tuple[tuple[str, str], ...]
    searched: bool
    sort: str
    take: int
    offset: int
    after: str  # nothing, a row with a value, or a row without

    @property
    def endpoint(self) -> Endpoint:
        return ENDPOINTS[self.path]

    @property
    def key(self) -> sql.Identifier:
        return sql.Identifier(self.sort.removeprefix("-"))

    @property
    def down(self) -> bool:
        return self.sort.startswith("-")

    @property
    def by_id(self) -> bool:
        return self.sort.removeprefix("-") == "id"


def page(endpoint: Endpoint, asked: Asked) -> Question:
    """The items of a page, how many rows were found (one more than the page has where it is not the last), sort value
    and id of the page's last row if it is full, and the total if it is asked for."""
    after = "" if asked.after is None else "value" if asked.after[0] is not None else "none"
    shape = _Shape(
        endpoint.path, asked.filters, asked.search is not None, asked.sort, asked.per_page + 1, asked.offset, after
    )
    values = _values(endpoint, asked)
    if asked.after:
        values |= {"after_value": asked.after[0], "after_id": asked.after[1]}
    return Question(_page(shape, asked.count), values, prepare=not asked.offset)


def total(endpoint: Endpoint, asked: Asked) -> Question:
    """How many rows there are."""
    shape = _Shape(endpoint.path, asked.filters, asked.search is not None, "id", 0, 0, "")
    return Question(_total(shape), _values(endpoint, asked))


def figures(endpoint: Endpoint, asked: Asked) -> Question:
    """What the endpoint's file computes: the items, and how many. Parameters that were not given are null."""
    given = {also.name: asked.values.get(also.name) for also in endpoint.also}
    return Question(_figures(endpoint.path), given)


def record(endpoint: Endpoint, asked: Asked) -> Question:
    """One row with its parts, as JSON; no row when there is none that the caller sees."""
    return Question(_record(endpoint.path), {"id": asked.values["id"]})


#: What asks for an endpoint's answer, by its kind.
QUESTIONS = {"rows": page, "count": total, "figures": figures, "record": record}


def number_of(endpoint: Endpoint, column: str, value: str) -> Question:
    """Our number of the record that the sources call `value`: the living source's where several tell it."""
    statement = sql.SQL(
        "select t.id from {table} t where t.{column} = %(value)s::text and t.deleted_at is null"
        " order by t.source = 'v1', t.id limit 1"
    ).format(table=sql.Identifier("v2", endpoint.table or ""), column=sql.Identifier(column))
    return Question(statement.as_bytes(), {"value": value})


def _values(endpoint: Endpoint, asked: Asked) -> dict[str, Any]:
    values = dict(asked.values)
    if asked.search is not None:
        text = asked.search
        for special in ("\\", "%", "_"):
            text = text.replace(special, "\\" + special)
        values["search"] = asked.search if endpoint.finder else f"%{text}%"
    return values


@lru_cache(KEPT)
def _page(shape: _Shape, counted: bool) -> bytes:
    endpoint = shape.endpoint
    columns = _listed(sql.Identifier("t", name) for name in endpoint.columns)
    walks = endpoint.walk is not None and not (shape.searched and endpoint.finder)
    found = _walked(shape, columns) if walks else _sorted(shape, columns)
    looked_up = [
        sql.SQL("{} as {}").format(sql.Identifier(f"l{n}", "value"), sql.Identifier(look.name))
        for n, look in _numbered(endpoint)
    ]
    shown = sql.Literal(shape.take - 1)
    return (
        sql.SQL(
            "with page as materialized ({found})"
            " select string_agg(i.item, ',' order by i.place) filter (where i.place <= {shown}), count(*),"
            " max(i.key) filter (where i.place = {shown}), max(i.id) filter (where i.place = {shown}), {total}"
            " from (select (select row_to_json(i) from (select {items}) i)::text as item, p.{key}::text as key, p.id,"
            " row_number() over (order by {order}) as place from page p{lookups}) i"
        )
        .format(
            found=found,
            shown=shown,
            total=sql.SQL("({})").format(_counted(shape)) if counted else sql.SQL("null::bigint"),
            items=_listed([sql.SQL("p.*"), *looked_up]),
            key=shape.key,
            lookups=sql.SQL("").join(_lookup(n, look) for n, look in _numbered(endpoint)),
            order=_order(shape, "p"),
        )
        .as_bytes()
    )


def _sorted(shape: _Shape, columns: sql.Composed) -> sql.Composed:
    """All rows that fulfil the conditions, sorted: for tables and questions where these are few.

    `offset 0` keeps sort and cursor out of the choice of the index: for few rows in order of the id Postgres would walk
    the whole table's, in the hope to meet the caller's early.
    """
    return sql.SQL(
        "select {columns} from (select t.* from {table} t where {where} offset 0) t where {begin}"
        " order by {order} {limit}"
    ).format(
        columns=columns,
        table=sql.Identifier("v2", shape.endpoint.table or ""),
        where=_all(_conditions(shape)),
        begin=_all(_begin(shape) or [sql.SQL("true")]),
        order=_order(shape, "t"),
        limit=_limit(shape),
    )


def _walked(shape: _Shape, columns: sql.Composed) -> sql.Composed:
    """For each owner the next rows along the index (owner, key, id), those without a key after those with one."""
    owner = shape.endpoint.walk or ""
    wanted = any(column == owner for column, _ in shape.filters)
    others = shape._replace(filters=tuple(f for f in shape.filters if f[0] != owner))
    branches = [] if shape.after == "none" else [_branch(others, owner, has_key=True)]
    if not shape.by_id:
        branches.append(_branch(others, owner, has_key=False))
    # Only keys are brought together and sorted; of the rest of a row no more is read than the page shows.
    return sql.SQL(
        "select {columns} from (select n.* from unnest(ops.api_users()) w (owner) cross join lateral ({branches}) n"
        " {where} order by {order} {limit}) n join {table} t on t.id = n.id"
    ).format(
        columns=columns,
        branches=sql.SQL(" union all ").join(branches),
        where=sql.SQL("where w.owner = any({}::bigint[])").format(sql.Placeholder(owner)) if wanted else sql.SQL(""),
        order=_order(shape, "n"),
        limit=_limit(shape),
        table=sql.Identifier("v2", shape.endpoint.table or ""),
    )


def _branch(shape: _Shape, owner: str, *, has_key: bool) -> sql.Composed:
    """The next rows of one owner: along the index in both cases, so the first ones are found without the others."""
    conditions: list[sql.Composable] = [sql.SQL("{} = w.owner").format(sql.Identifier("t", owner)), *_conditions(shape)]
    if not shape.by_id:
        conditions.append(sql.SQL("t.{} is not null" if has_key else "t.{} is null").format(shape.key))
    if shape.after == "value" and has_key:
        conditions.append(_beyond(shape))
    if shape.after == "none":
        conditions.append(_beyond_id(shape))
    key = sql.SQL("t.id") if shape.by_id else sql.SQL("t.id, t.{}").format(shape.key)
    order = sql.SQL("t.id {0}" if shape.by_id else "t.{1} {0}, t.id {0}").format(_direction(shape), shape.key)
    return sql.SQL("(select {key} from {table} t where {where} order by {order} limit {take})").format(
        key=key,
        table=sql.Identifier("v2", shape.endpoint.table or ""),
        where=_all(conditions),
        order=order,
        take=sql.Literal(shape.take + shape.offset),
    )


def _conditions(shape: _Shape) -> list[sql.Composable]:
    endpoint = shape.endpoint
    conditions: list[sql.Composable] = [sql.SQL("t.deleted_at is null")]
    if endpoint.condition:
        conditions.append(sql.SQL("({})").format(sql.SQL(cast(LiteralString, endpoint.condition))))
    for column, comparison in shape.filters:
        name = column if comparison in ("any", "is") else f"{column}_{comparison}"
        conditions.append(
            _COMPARISONS[comparison].format(
                column=sql.Identifier(column),
                value=sql.Placeholder(name),
                cast=_CASTS[type_of(endpoint.table or "", column)],
            )
        )
    if shape.searched and endpoint.finder:
        conditions.append(
            sql.SQL("t.id = any((select {}(%(search)s::text))::bigint[])").format(
                sql.Identifier("ops", endpoint.finder)
            )
        )
    elif shape.searched:
        each = (sql.SQL("t.{} ilike %(search)s::text").format(sql.Identifier(name)) for name in endpoint.search)
        conditions.append(sql.SQL("({})").format(sql.SQL(" or ").join(each)))
    return conditions


def _begin(shape: _Shape) -> list[sql.Composable]:
    """What the rows after the cursor fulfil, where those without a key come last."""
    if not shape.after:
        return []
    if shape.after == "none":
        return [sql.SQL("t.{} is null").format(shape.key), _beyond_id(shape)]
    if shape.by_id:
        return [_beyond(shape)]
    return [sql.SQL("({} or t.{} is null)").format(_beyond(shape), shape.key)]


def _beyond(shape: _Shape) -> sql.Composed:
    if shape.by_id:
        return _beyond_id(shape)
    return sql.SQL("(t.{key}, t.id) {sign} (%(after_value)s::{cast}, %(after_id)s::bigint)").format(
        key=shape.key,
        sign=_sign(shape),
        cast=_CASTS[type_of(shape.endpoint.table or "", shape.sort.removeprefix("-"))],
    )


def _beyond_id(shape: _Shape) -> sql.Composed:
    return sql.SQL("t.id {} %(after_id)s::bigint").format(_sign(shape))


def _sign(shape: _Shape) -> sql.SQL:
    return sql.SQL("<") if shape.down else sql.SQL(">")


def _direction(shape: _Shape) -> sql.SQL:
    return sql.SQL("desc") if shape.down else sql.SQL("asc")


def _order(shape: _Shape, alias: str) -> sql.Composed:
    direction = _direction(shape)
    last = sql.SQL("{} {}").format(sql.Identifier(alias, "id"), direction)
    if shape.by_id:
        return last
    return sql.SQL("{}.{} {} nulls last, {}").format(sql.Identifier(alias), shape.key, direction, last)


def _limit(shape: _Shape) -> sql.Composed:
    """In the text: with a parameter the kept plan would be one for a tenth of the table."""
    if not shape.offset:
        return sql.SQL("limit {}").format(sql.Literal(shape.take))
    return sql.SQL("limit {} offset {}").format(sql.Literal(shape.take), sql.Literal(shape.offset))


@lru_cache(KEPT)
def _total(shape: _Shape) -> bytes:
    return _counted(shape).as_bytes()


def _counted(shape: _Shape) -> sql.Composed:
    """All rows that fulfil the conditions, whatever page is shown of them."""
    return sql.SQL("select count(*) from {} t where {}").format(
        sql.Identifier("v2", shape.endpoint.table or ""), _all(_conditions(shape))
    )


@cache
def _figures(path: str) -> bytes:
    endpoint = ENDPOINTS[path]
    return (
        sql.SQL(
            "select string_agg(i.item, ',' order by i.place), count(*) from"
            " (select (select row_to_json(i) from (select {}) i)::text as item, row_number() over () as place"
            " from ({}) f) i"
        )
        .format(
            _listed(sql.Identifier("f", name) for name in endpoint.columns),
            load_sql(_FIGURES, endpoint.sql or ""),
        )
        .as_bytes()
    )


@cache
def _record(path: str) -> bytes:
    endpoint = ENDPOINTS[path]
    parts = [
        sql.SQL(
            "(select coalesce(json_agg(x order by x.{sort}), '[]') from (select {columns} from {table} c"
            " where c.{column} = t.id and c.deleted_at is null) x) as {name}"
        ).format(
            sort=sql.Identifier(part.sort),
            columns=_listed(sql.Identifier("c", field.name) for field in fields_of(part.table)),
            table=sql.Identifier("v2", part.table),
            column=sql.Identifier(part.column),
            name=sql.Identifier(part.name),
        )
        for part in endpoint.parts
    ]
    looked_up = [
        sql.SQL("(select l.value from {}(array[t.{}]) l) as {}").format(
            sql.Identifier("ops", look.function), sql.Identifier(look.column), sql.Identifier(look.name)
        )
        for look in endpoint.lookups
    ]
    return (
        sql.SQL(
            "select (select row_to_json(i) from (select {items}) i)::text from {table} t"
            " where t.id = %(id)s::bigint and t.deleted_at is null"
        )
        .format(
            items=_listed([*(sql.Identifier("t", name) for name in endpoint.columns), *looked_up, *parts]),
            table=sql.Identifier("v2", endpoint.table or ""),
        )
        .as_bytes()
    )


def _numbered(endpoint: Endpoint) -> list[tuple[int, Lookup]]:
    return list(enumerate(endpoint.lookups))


def _lookup(number: int, look: Lookup) -> sql.Composed:
    alias = sql.Identifier(f"l{number}")
    return sql.SQL(
        " left join {function}((select array_agg(page.{column}) from page)) {alias} on {alias}.id = p.{column}"
    ).format(function=sql.Identifier("ops", look.function), column=sql.Identifier(look.column), alias=alias)


def _listed(parts: Iterable[sql.Composable]) -> sql.Composed:
    return sql.SQL(", ").join(parts)


def _all(conditions: Iterable[sql.Composable]) -> sql.Composed:
    return sql.SQL(" and ").join(conditions)
