"""V1's side and V2's side of a comparison as selects with V2's column names. Nothing runs here.

`v1_side` brings V1's values into V2's terms (another table's row by its key and not by V1's number, codes as words,
forms), `v2_side` only picks columns. Columns that begin with an underscore are the comparison's own: _id, _user,
_moved, _said (when V1 last touched its row, as far as it tells), _deleted. How both are joined is in `statements`.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Any, LiteralString

from psycopg import sql
from sqlalchemy import BigInteger, Boolean, Column, Date, DateTime, Numeric, SmallInteger, Text

from v2_assets.compare.mapping import ColumnRule, V1Mapping, mapping_of
from v2_assets.merge.statements import declaration, natural_key, v2

#: What a pointer of V1 becomes whose row V2 lacks: a negative number of its own, which no row of V2 can have.
_LOST: LiteralString = "-1 - (hashtextextended({}, 0) & 9223372036854775806)"
LOST = "a row that V2 lacks"

_NOTHING: Mapping[type, LiteralString] = {
    Text: "''", BigInteger: "0", SmallInteger: "0", Date: "'-infinity'::date",
    DateTime: "'-infinity'::timestamptz", Boolean: "false", Numeric: "0",
}  # fmt: skip
_FORMS: Mapping[str, LiteralString] = {
    "raw": "coalesce({0}, 'v1:' || r.id)",
    "raw_or_id": "coalesce({0}, r.id)",
    "address_key": "ops.address_key({0})",
    "lower": "lower({0})",
    "upper": "upper({0})",
    "trim": "btrim({0})",
    # V1 held both fractions of 1 and shares of 100.
    "fraction": "case when {0} > 1 then {0} / 100 else {0} end",
}


def v1_table(table: str) -> sql.Identifier:
    """The snapshot's table, quoted."""
    return sql.Identifier("v1", table)


def without(mapping: V1Mapping, there: Mapping[str, Sequence[str]]) -> V1Mapping:
    """The mapping without the columns that V1 turned out not to have.

    `there` are the columns that were met, by V1 table; a table that is not in it is not in V1, and then nothing can
    point to its rows.
    """
    met = set(there.get(mapping.table, ()))

    def known(rule: ColumnRule) -> bool:
        if rule.v1 not in met:
            return False
        target = mapping_of(rule.target) if rule.kind == "pointer" and rule.target else None
        return target is None or target.table in there

    return replace(
        mapping,
        keys=tuple(rule for rule in mapping.keys if known(rule) or rule.form in ("raw", "raw_or_id")),
        columns=tuple(rule for rule in mapping.columns if known(rule)),
        also=tuple(without(part, there) for part in mapping.also if part.table in there),
    )


def v1_side(mapping: V1Mapping, *, once: bool, owned: bool = True) -> sql.Composed:
    """V1's rows in V2's terms. `once`: of rows that share a key the newest only. `owned`: with whose they are."""
    parts = [mapping, *mapping.also]
    shared = [rule.v2 for rule in mapping.columns if all(rule.v2 in {c.v2 for c in p.columns} for p in parts)]
    selects = [_v1_part(part, shared, owned) for part in parts]
    rows = sql.SQL(" union all ").join(selects)
    if not once:
        return rows
    # A row that lacks a part of its key is nobody's twin, and not another such row either.
    return sql.SQL("select distinct on ({0}) * from ({1}) s order by {0}, _moved desc nulls last, _id desc").format(
        listed([*keys_of(mapping, "s"), sql.SQL("case when {} then s._id end").format(keyless(mapping, "s"))]), rows
    )


def v2_side(mapping: V1Mapping) -> sql.Composed:
    """V2's rows, deleted ones too: one per key, the living source's where several sources tell it."""
    table = mapping.v2_table
    names = [rule.v2 for rule in (*mapping.keys, *mapping.columns)]
    user = mapping.user
    picked = listed(
        [
            sql.SQL("t.id as _id"),
            *(sql.Identifier("t", name) for name in names),
            sql.SQL("{} as _user").format(sql.Identifier("t", user.v2) if user else sql.SQL("null::bigint")),
            sql.SQL("t.source_updated_at as _moved, t.deleted_at as _deleted"),
        ]
    )
    if unique_in_v2(mapping):
        return sql.SQL("select {} from {} t").format(picked, v2(table))
    return sql.SQL(
        "select distinct on ({0}) {1} from {2} t order by {0}, t.deleted_at is not null, t.source = 'v1', t.id"
    ).format(listed(keys_of(mapping, "t")), picked, v2(table))


def unique_in_v2(mapping: V1Mapping) -> bool:
    """Whether the key is V2's whole natural key, so that no two rows share it."""
    return {rule.v2 for rule in mapping.keys} == set(natural_key(mapping.v2_table))


def lookup(table: str) -> sql.Composed:
    """V1's number of each row of V2's `table`: v1_id, v2_id, through the rows' own keys."""
    mapping = mapping_of(table)
    if mapping is None:
        raise ValueError(f"v2.{table} has no mapping, so nothing of V1 can point to it")
    keys = replace(mapping, columns=(), also=())
    return sql.SQL("select a._id as v1_id, b._id as v2_id from ({}) a join ({}) b on {}").format(
        v1_side(keys, once=False, owned=False), v2_side(keys), same_key(keys)
    )


def keys_only(mapping: V1Mapping) -> V1Mapping:
    """For counts and lookups; whose a row is stays, because scopes ask for it."""
    user = mapping.user
    kept = tuple(rule for rule in mapping.columns if user and rule.v2 == user.v2)
    return replace(mapping, columns=kept, also=tuple(keys_only(part) for part in mapping.also))


def _v1_part(mapping: V1Mapping, shared: Sequence[str], owned: bool) -> sql.Composed:
    joins: list[sql.Composed] = []
    values: dict[str, sql.Composable] = {}
    rules = [*mapping.keys, *(rule for rule in mapping.columns if rule.v2 in shared)]
    for number, rule in enumerate(rules):
        values[rule.v2] = _v1_value(rule, mapping, f"j{number}", joins)
    user = mapping.user if owned else None
    if user is None:
        owner: sql.Composable = sql.SQL("null::bigint")
    elif user.v2 in values:
        owner = values[user.v2]
    else:
        owner = _v1_value(user, mapping, "ju", joins)
    return sql.SQL("select {} from {} r {} where {}").format(
        listed(
            [
                sql.SQL("r.id as _id"),
                *(sql.SQL("{} as {}").format(value, sql.Identifier(name)) for name, value in values.items()),
                sql.SQL("{} as _user, r.updated_at as _moved").format(owner),
                sql.SQL("coalesce(r.updated_at, r.created_at) as _said"),
            ]
        ),
        v1_table(mapping.table),
        sql.SQL(" ").join(joins),
        belongs(mapping),
    )


def _v1_value(rule: ColumnRule, mapping: V1Mapping, alias: str, joins: list[sql.Composed]) -> sql.Composable:
    """V1's value in V2's terms; what has to be looked up is added to `joins`."""
    value = sql.Identifier("r", rule.v1)
    match rule.kind:
        case "pointer":
            joins.append(
                sql.SQL("left join ({}) {} on {} = {}").format(
                    lookup(str(rule.target)), sql.Identifier(alias), sql.Identifier(alias, "v1_id"), value
                )
            )
            return sql.SQL("case when {0} is not null then coalesce({1}, {2}) end").format(
                value, sql.Identifier(alias, "v2_id"), sql.SQL(_LOST).format(value)
            )
        case "code":
            joins.append(
                sql.SQL(
                    "left join ops.code_map {0} on {0}.code_set = {1} and {0}.source = 'v1'"
                    " and {0}.raw = ops.v1_code({2})"
                ).format(sql.Identifier(alias), sql.Literal(rule.target), value)
            )
            return sql.SQL("coalesce({}, {})").format(sql.Identifier(alias, "value"), value)
        case "address":
            joins.append(
                sql.SQL("left join v2.address {0} on {0}.address_key = ops.address_key({1})").format(
                    sql.Identifier(alias), value
                )
            )
            return sql.SQL("case when {0} is not null then coalesce({1}, {2}) end").format(
                value, sql.Identifier(alias, "id"), sql.SQL(_LOST).format(value)
            )
        case _:
            return sql.SQL(_FORMS[rule.form]).format(value) if rule.form else value


def belongs(mapping: V1Mapping) -> sql.Composed:
    """Whether a row `r` of V1's table belongs to V2's."""
    tests = [sql.SQL("{} is not null").format(sql.Identifier("r", name)) for name in mapping.where]
    return sql.SQL(" and ").join(tests) if tests else sql.Composed([sql.SQL("true")])


def _key(rule: ColumnRule, mapping: V1Mapping, alias: str) -> sql.Composable:
    """One part of the key, the same on both sides: instants to the second, nothing as a value that nothing has."""
    column = column_of(rule, mapping)
    value: sql.Composable = sql.Identifier(alias, rule.v2)
    if rule.kind == "instant":
        value = sql.SQL("date_trunc('second', {})").format(value)
    if mixed(rule, column):
        value = sql.SQL("{}::text").format(value)
    if not column.nullable:
        return value
    nothing = _NOTHING[Text] if mixed(rule, column) else _NOTHING[type(column.type)]
    return sql.SQL("coalesce({}, {})").format(value, sql.SQL(nothing))


def keys_of(mapping: V1Mapping, alias: str) -> list[sql.Composable]:
    """The parts of the key, in the form in which both sides can be matched."""
    return [_key(rule, mapping, alias) for rule in mapping.keys]


def keyless(mapping: V1Mapping, alias: str) -> sql.Composed:
    """Whether a row lacks a part of its key."""
    return sql.SQL(" or ").join(sql.SQL("{} is null").format(key) for key in keys_of(mapping, alias))


def same_key(mapping: V1Mapping) -> sql.Composed:
    """Whether row `a` of V1 and row `b` of V2 are the same."""
    pairs = zip(keys_of(mapping, "a"), keys_of(mapping, "b"), strict=True)
    return sql.SQL(" and ").join(sql.SQL("{} = {}").format(a, b) for a, b in pairs)


def column_of(rule: ColumnRule, mapping: V1Mapping) -> Column[Any]:
    """The declaration of the rule's column."""
    return declaration(mapping.v2_table).columns[rule.v2]


def mixed(rule: ColumnRule, column: Column[Any]) -> bool:
    """Whether the two sides have types that Postgres does not compare."""
    if rule.kind != "exact":
        return False
    words = rule.v1_kind in ("text", "ref")
    return words != isinstance(column.type, Text)


def listed(parts: Iterable[sql.Composable]) -> sql.Composed:
    """A comma list."""
    return sql.SQL(", ").join(parts)
