"""SQL that lays V1's rows beside V2's, composed from the mapping. Nothing runs here.

Both sides become selects with V2's column names: `v1_side` brings V1's values into V2's terms (another table's row by
its key and not by V1's number, codes as words, forms), `v2_side` only picks columns. `found` joins them and keeps what
differs. Columns that begin with an underscore are the comparison's own: _id, _user, _moved, _deleted.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any, LiteralString

from psycopg import sql
from sqlalchemy import BigInteger, Boolean, Column, Date, DateTime, Numeric, SmallInteger, Text

from v2_assets.compare.mapping import ColumnRule, V1Mapping, mapping_of
from v2_assets.merge.statements import declaration, natural_key, v2

#: The hash by which keys are sampled has so many parts; a sample of one percent is a hundred of them.
_SHARES = 10_000
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


@dataclass(frozen=True, slots=True)
class Scope:
    """Which rows are looked at: all, those of some users, or a share of the keys in percent."""

    users: tuple[int, ...] | None = None
    sample: int | None = None

    @property
    def name(self) -> str:
        """In the words of ops.comparison_run."""
        return "user" if self.users is not None else "sample" if self.sample is not None else "full"


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
        _list([*_keys(mapping, "s"), sql.SQL("case when {} then s._id end").format(_keyless(mapping, "s"))]), rows
    )


def v2_side(mapping: V1Mapping) -> sql.Composed:
    """V2's rows, deleted ones too: one per key, the living source's where several sources tell it."""
    table = mapping.v2_table
    names = [rule.v2 for rule in (*mapping.keys, *mapping.columns)]
    user = mapping.user
    picked = _list(
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
    ).format(_list(_keys(mapping, "t")), picked, v2(table))


def unique_in_v2(mapping: V1Mapping) -> bool:
    """Whether the key is V2's whole natural key, so that no two rows share it."""
    return {rule.v2 for rule in mapping.keys} == set(natural_key(mapping.v2_table))


def joined(mapping: V1Mapping, scope: Scope, *, once: bool) -> sql.Composed:
    """`from a full join b …` over both sides, a being V1's."""
    return sql.SQL("({}) a full join ({}) b on {}").format(
        sampled(mapping, v1_side(mapping, once=once), scope),
        sampled(mapping, v2_side(mapping), scope),
        _same_key(mapping),
    )


def sampled(mapping: V1Mapping, side: sql.Composed, scope: Scope) -> sql.Composed:
    """The side's rows whose key falls into the sample: the same keys on both sides, and in every run."""
    if scope.sample is None:
        return side
    key = _list(sql.SQL("({})::text").format(_key(rule, mapping, "s")) for rule in mapping.keys)
    return sql.SQL(
        "select * from ({}) s where (hashtextextended(concat_ws('/', {}), 0) & 2147483647) % {} < {}"
    ).format(side, key, sql.Literal(_SHARES), sql.Literal(scope.sample * _SHARES // 100))


def of_users(scope: Scope) -> sql.Composed:
    """Whether either side says that the row is one of the scope's users'."""
    if scope.users is None:
        return sql.Composed([sql.SQL("true")])
    return sql.SQL("(a._user = any({0}) or b._user = any({0}))").format(sql.Literal(list(scope.users)))


def found(mapping: V1Mapping, scope: Scope, *, once: bool, taken_at: datetime) -> sql.Composed:
    """Makes the temporary table comparison_found: a row for each row that is missing, extra or changed.

    `v2_id` of a missing row is the deleted row of V2 with its key, if there is one. `moved_at` is when either side last
    changed, if that was after `taken_at`, when V1's table was read: what moved before is no excuse.
    """
    changed = [(rule.v2, differs(rule, mapping)) for rule in mapping.columns]
    any_changed = sql.SQL(" or ").join(test for _, test in changed) if changed else sql.SQL("false")
    keys = _list(
        sql.SQL("{}, case when a._id is null then to_jsonb({}) else to_jsonb({}) end").format(
            sql.Literal(rule.v2), sql.Identifier("b", rule.v2), _shown_key(rule)
        )
        for rule in mapping.keys
    )
    cells = sql.SQL(" || ").join(
        [
            sql.SQL("'{}'::jsonb"),
            *(
                sql.SQL("case when {} then jsonb_build_object({}, jsonb_build_array({}, {})) else '{{}}' end").format(
                    test, sql.Literal(rule.v2), _shown(rule), sql.Identifier("b", rule.v2)
                )
                for rule, (_, test) in zip(mapping.columns, changed, strict=True)
            ),
        ]
    )
    return sql.SQL(
        "create temp table comparison_found as select row_number() over () as n, d.*, null::text as reason,"
        " null::text as known, null::jsonb as evidence from (select"
        " case when a._id is null then 'extra' when b._id is null or b._deleted is not null then 'missing'"
        "   else 'changed' end as kind,"
        " jsonb_build_object({keys}) as keys, a._id as v1_id, b._id as v2_id,"
        " coalesce(case when a._user > 0 then a._user end, b._user) as user_id,"
        " nullif(greatest(a._moved, b._moved, {taken}), {taken}) as moved_at,"
        " case when a._id is not null and b._id is not null and b._deleted is null then {cells}"
        "   else '{{}}'::jsonb end as cells"
        " from {joined} where {users} and case when a._id is null then b._deleted is null"
        "   when b._id is null or b._deleted is not null then true else {changed} end) d"
    ).format(
        keys=keys,
        cells=cells,
        joined=joined(mapping, scope, once=once),
        users=of_users(scope),
        taken=sql.Literal(taken_at),
        changed=any_changed,
    )


def differs(rule: ColumnRule, mapping: V1Mapping) -> sql.Composed:
    """Whether the values of a row that both sides have are not the same. Equal values are told by one comparison."""
    if rule.when_told:
        test = differs(replace(rule, when_told=False), mapping)
        return sql.SQL("({} is not null and {})").format(sql.Identifier("a", rule.v2), test)
    a, b = sql.Identifier("a", rule.v2), sql.Identifier("b", rule.v2)
    left, right = _alike(rule, mapping, a, b)
    plain = sql.SQL("{} is distinct from {}").format(left, right)
    match rule.kind:
        case "money":
            return sql.SQL("({} and coalesce(abs({} - {}) > {}, true))").format(
                plain,
                a,
                b,
                sql.SQL(rule.tolerance),  # type: ignore[arg-type] - a decimal of the mapping
            )
        case "instant":
            return sql.SQL("({0} and coalesce(greatest({1}, {2}) - least({1}, {2}) > {3}::interval or {1} is null"
                           " or {2} is null, true))").format(plain, a, b, sql.Literal(rule.tolerance))  # fmt: skip
        case "set":
            return sql.SQL("({} is distinct from {})").format(_members(a), _elements(b))
        case "json":
            return sql.SQL("({} and {} is distinct from {})").format(plain, _something(a), _something(b))
        case _:
            return sql.SQL("({})").format(plain)


def duplicates(mapping: V1Mapping, scope: Scope) -> sql.Composed:
    """How many keys V1 has more than once, and the rows too many."""
    return sql.SQL(
        "select count(*), coalesce(sum(n - 1), 0) from (select count(*) as n from ({}) s where not ({}) group by {}"
        " having count(*) > 1) d"
    ).format(
        sampled(mapping, v1_side(_keys_only(mapping), once=False), scope),
        _keyless(mapping, "s"),
        _list(_keys(mapping, "s")),
    )


def count_v1(mapping: V1Mapping, scope: Scope, *, once: bool) -> sql.Composed:
    """How many rows V1's side has."""
    if once or scope.sample is not None:
        side = sampled(mapping, v1_side(_keys_only(mapping), once=once), scope)
        return sql.SQL("select count(*) from ({}) s").format(side)
    return sql.SQL("select count(*) from {} r where {}").format(v1_table(mapping.table), _belongs(mapping))


def count_v2(mapping: V1Mapping, scope: Scope) -> sql.Composed:
    """How many rows V2's side has, and how many of them live."""
    return sql.SQL("select count(*), count(*) filter (where s._deleted is null) from ({}) s").format(
        sampled(mapping, v2_side(_keys_only(mapping)), scope)
    )


def count_of_users(mapping: V1Mapping, scope: Scope) -> sql.Composed:
    """How many rows of the scope's users each side has: V1's, V2's living ones."""
    return sql.SQL("select count(a._id), count(b._id) filter (where b._deleted is null) from {} where {}").format(
        joined(_keys_only(mapping), scope, once=True), of_users(scope)
    )


def lookup(table: str) -> sql.Composed:
    """V1's number of each row of V2's `table`: v1_id, v2_id, through the rows' own keys."""
    mapping = mapping_of(table)
    if mapping is None:
        raise ValueError(f"v2.{table} has no mapping, so nothing of V1 can point to it")
    keys = replace(mapping, columns=(), also=())
    return sql.SQL("select a._id as v1_id, b._id as v2_id from ({}) a join ({}) b on {}").format(
        v1_side(keys, once=False, owned=False), v2_side(keys), _same_key(keys)
    )


def _keys_only(mapping: V1Mapping) -> V1Mapping:
    """For counts and lookups; whose a row is stays, because scopes ask for it."""
    user = mapping.user
    kept = tuple(rule for rule in mapping.columns if user and rule.v2 == user.v2)
    return replace(mapping, columns=kept, also=tuple(_keys_only(part) for part in mapping.also))


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
        _list(
            [
                sql.SQL("r.id as _id"),
                *(sql.SQL("{} as {}").format(value, sql.Identifier(name)) for name, value in values.items()),
                sql.SQL("{} as _user, r.updated_at as _moved").format(owner),
            ]
        ),
        v1_table(mapping.table),
        sql.SQL(" ").join(joins),
        _belongs(mapping),
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


def _belongs(mapping: V1Mapping) -> sql.Composed:
    tests = [sql.SQL("{} is not null").format(sql.Identifier("r", name)) for name in mapping.where]
    return sql.SQL(" and ").join(tests) if tests else sql.Composed([sql.SQL("true")])


def _key(rule: ColumnRule, mapping: V1Mapping, alias: str) -> sql.Composable:
    """One part of the key, the same on both sides: instants to the second, nothing as a value that nothing has."""
    column = _column(rule, mapping)
    value: sql.Composable = sql.Identifier(alias, rule.v2)
    if rule.kind == "instant":
        value = sql.SQL("date_trunc('second', {})").format(value)
    if _mixed(rule, column):
        value = sql.SQL("{}::text").format(value)
    if not column.nullable:
        return value
    nothing = _NOTHING[Text] if _mixed(rule, column) else _NOTHING[type(column.type)]
    return sql.SQL("coalesce({}, {})").format(value, sql.SQL(nothing))


def _keys(mapping: V1Mapping, alias: str) -> list[sql.Composable]:
    return [_key(rule, mapping, alias) for rule in mapping.keys]


def _keyless(mapping: V1Mapping, alias: str) -> sql.Composed:
    return sql.SQL(" or ").join(sql.SQL("{} is null").format(key) for key in _keys(mapping, alias))


def _same_key(mapping: V1Mapping) -> sql.Composed:
    pairs = zip(_keys(mapping, "a"), _keys(mapping, "b"), strict=True)
    return sql.SQL(" and ").join(sql.SQL("{} = {}").format(a, b) for a, b in pairs)


def _alike(
    rule: ColumnRule, mapping: V1Mapping, a: sql.Composable, b: sql.Composable
) -> tuple[sql.Composable, sql.Composable]:
    if rule.kind == "exact" and _mixed(rule, _column(rule, mapping)):
        return sql.SQL("{}::text").format(a), sql.SQL("{}::text").format(b)
    return a, b


def _column(rule: ColumnRule, mapping: V1Mapping) -> Column[Any]:
    return declaration(mapping.v2_table).columns[rule.v2]


def _mixed(rule: ColumnRule, column: Column[Any]) -> bool:
    """Whether the two sides have types that Postgres does not compare."""
    if rule.kind != "exact":
        return False
    words = rule.v1_kind in ("text", "ref")
    return words != isinstance(column.type, Text)


def _shown(rule: ColumnRule) -> sql.Composable:
    """V1's value as a sample shows it."""
    value = sql.Identifier("a", rule.v2)
    if rule.kind in ("pointer", "address"):
        return sql.SQL("case when {0} < 0 then to_jsonb({1}::text) else to_jsonb({0}) end").format(
            value, sql.Literal(LOST)
        )
    return value


def _shown_key(rule: ColumnRule) -> sql.Composable:
    """V1's part of a key; null where it points to a row that V2 lacks."""
    value = sql.Identifier("a", rule.v2)
    return sql.SQL("case when {0} >= 0 then {0} end").format(value) if rule.kind == "pointer" else value


def _members(value: sql.Composable) -> sql.Composed:
    """V1's list (JSON, or words with commas) as a sorted text[]; null if empty."""
    return sql.SQL(
        "(select array_agg(distinct btrim(m) order by btrim(m)) from jsonb_array_elements_text(case jsonb_typeof({0})"
        " when 'array' then {0} when 'string' then to_jsonb(string_to_array({0} #>> '{{}}', ',')) else '[]' end) m"
        " where btrim(m) <> '')"
    ).format(value)


def _elements(value: sql.Composable) -> sql.Composed:
    return sql.SQL(
        "(select array_agg(distinct btrim(m) order by btrim(m)) from unnest({}) m where btrim(m) <> '')"
    ).format(value)


def _something(value: sql.Composable) -> sql.Composed:
    """A document; an empty one is none."""
    return sql.SQL("nullif(nullif({}, '[]'::jsonb), '{{}}'::jsonb)").format(value)


def _list(parts: Any) -> sql.Composed:
    return sql.SQL(", ").join(parts)
