"""SQL that lays V1's rows beside V2's, composed from the mapping. Nothing runs here.

`found` joins both sides (see `sides`) and keeps what differs; the others count.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime
from importlib import resources

from psycopg import sql

from v2_assets.compare.mapping import ColumnRule, V1Mapping
from v2_assets.compare.sides import (
    LOST,
    belongs,
    column_of,
    keyless,
    keys_of,
    keys_only,
    listed,
    mixed,
    same_key,
    v1_side,
    v1_table,
    v2_side,
)

#: The hash by which keys are sampled has so many parts; a sample of one percent is a hundred of them.
_SHARES = 10_000


@dataclass(frozen=True, slots=True)
class Scope:
    """Which rows are looked at: all, those of some users, or a share of the keys in percent."""

    users: tuple[int, ...] | None = None
    sample: int | None = None

    @property
    def name(self) -> str:
        """In the words of ops.comparison_run."""
        return "user" if self.users is not None else "sample" if self.sample is not None else "full"


def from_file(name: str) -> sql.SQL:
    """A statement of this package that has a file of its own."""
    text = (resources.files("v2_assets.compare") / name).read_text(encoding="utf-8")
    return sql.SQL(text)  # type: ignore[arg-type]


#: How each stream of each connection was read, with the sweep of its last complete pass, and when that looked.
PASSES = sql.SQL("""(
  select s.*, w.id as sweep_id, coalesce(w.started_at, s.last_full_at) as looked_at
  from ops.sync_state s left join lateral (
    select w.id, w.started_at from ops.sweep w
    where (w.account_ref, w.integration, w.entity) = (s.account_ref, s.integration, s.entity)
      and w.applied_at is not null order by w.id desc limit 1
  ) w on true
)""")


def joined(mapping: V1Mapping, scope: Scope, *, once: bool) -> sql.Composed:
    """`from a full join b …` over both sides, a being V1's."""
    return sql.SQL("({}) a full join ({}) b on {}").format(
        sampled(mapping, v1_side(mapping, once=once), scope),
        sampled(mapping, v2_side(mapping), scope),
        same_key(mapping),
    )


def sampled(mapping: V1Mapping, side: sql.Composed, scope: Scope) -> sql.Composed:
    """The side's rows whose key falls into the sample: the same keys on both sides, and in every run."""
    if scope.sample is None:
        return side
    keys = listed(sql.SQL("({})::text").format(key) for key in keys_of(mapping, "s"))
    return sql.SQL(
        "select * from ({}) s where (hashtextextended(concat_ws('/', {}), 0) & 2147483647) % {} < {}"
    ).format(side, keys, sql.Literal(_SHARES), sql.Literal(scope.sample * _SHARES // 100))


def of_users(scope: Scope) -> sql.Composed:
    """Whether either side says that the row is one of the scope's users'."""
    if scope.users is None:
        return sql.Composed([sql.SQL("true")])
    return sql.SQL("(a._user = any({0}) or b._user = any({0}))").format(sql.Literal(list(scope.users)))


def found(mapping: V1Mapping, scope: Scope, *, once: bool, taken_at: datetime) -> sql.Composed:
    """Makes the temporary table comparison_found: a row for each row that is missing, extra or changed.

    `v2_id` of a missing row is the deleted row of V2 with its key, if there is one. `moved_at` is when either side last
    changed, if that was after `taken_at`, when V1's table was read: what moved before is no excuse. `v1_at` is when
    V1's row last changed, as far as V1 tells; `v1_by` is an instant at which it was as it is.
    """
    changed = [(rule.v2, differs(rule, mapping)) for rule in mapping.columns]
    any_changed = sql.SQL(" or ").join(test for _, test in changed) if changed else sql.SQL("false")
    keys = listed(
        sql.SQL("{}, case when a._id is null then to_jsonb({}) else to_jsonb({}) end").format(
            sql.Literal(rule.v2), sql.Identifier("b", rule.v2), _shown_key(rule, "a")
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
        " a._said as v1_at, coalesce(a._said, {taken}) as v1_by,"
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


def repeated(mapping: V1Mapping, scope: Scope) -> sql.Composed:
    """Adds the rows of V1 whose key a newer row of V1 has too: V2 can hold one of them only.

    Wants comparison_found as it is with one row per key. Not for a table that is made out of several of V1's.
    """
    keys = listed(sql.SQL("{}, {}").format(sql.Literal(rule.v2), _shown_key(rule, "s")) for rule in mapping.keys)
    users = sql.SQL("true")
    if scope.users is not None:
        users = sql.SQL("s._user = any({})").format(sql.Literal(list(scope.users)))
    return sql.SQL(
        "insert into comparison_found (n, kind, keys, v1_id, user_id, cells, reason, evidence)"
        " select (select coalesce(max(n), 0) from comparison_found) + row_number() over (), 'missing',"
        "  jsonb_build_object({keys}), s._id, case when s._user > 0 then s._user end, '{{}}', 'v1_wrong',"
        "  jsonb_build_object('same_key_as', s.newest)"
        " from (select s.*, row_number() over same as place, first_value(s._id) over same as newest from ({side}) s"
        "  where not ({keyless})"
        "  window same as (partition by {partition} order by s._moved desc nulls last, s._id desc)) s"
        " where s.place > 1 and {users}"
    ).format(
        keys=keys,
        side=sampled(mapping, v1_side(keys_only(mapping), once=False), scope),
        keyless=keyless(mapping, "s"),
        partition=listed(keys_of(mapping, "s")),
        users=users,
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
        sampled(mapping, v1_side(keys_only(mapping), once=False), scope),
        keyless(mapping, "s"),
        listed(keys_of(mapping, "s")),
    )


def count_v1(mapping: V1Mapping, scope: Scope, *, once: bool) -> sql.Composed:
    """How many rows V1's side has."""
    if once or scope.sample is not None:
        side = sampled(mapping, v1_side(keys_only(mapping), once=once), scope)
        return sql.SQL("select count(*) from ({}) s").format(side)
    return sql.SQL("select count(*) from {} r where {}").format(v1_table(mapping.table), belongs(mapping))


def count_v2(mapping: V1Mapping, scope: Scope) -> sql.Composed:
    """How many rows V2's side has, and how many of them live."""
    return sql.SQL("select count(*), count(*) filter (where s._deleted is null) from ({}) s").format(
        sampled(mapping, v2_side(keys_only(mapping)), scope)
    )


def count_of_users(mapping: V1Mapping, scope: Scope) -> sql.Composed:
    """How many rows of the scope's users each side has: V1's, V2's living ones."""
    return sql.SQL("select count(a._id), count(b._id) filter (where b._deleted is null) from {} where {}").format(
        joined(keys_only(mapping), scope, once=True), of_users(scope)
    )


def _alike(
    rule: ColumnRule, mapping: V1Mapping, a: sql.Composable, b: sql.Composable
) -> tuple[sql.Composable, sql.Composable]:
    if rule.kind == "exact" and mixed(rule, column_of(rule, mapping)):
        return sql.SQL("{}::text").format(a), sql.SQL("{}::text").format(b)
    return a, b


def _shown(rule: ColumnRule) -> sql.Composable:
    """V1's value as a sample shows it."""
    value = sql.Identifier("a", rule.v2)
    if rule.kind in ("pointer", "address"):
        return sql.SQL("case when {0} < 0 then to_jsonb({1}::text) else to_jsonb({0}) end").format(
            value, sql.Literal(LOST)
        )
    return value


def _shown_key(rule: ColumnRule, alias: str) -> sql.Composable:
    """V1's part of a key; null where it points to a row that V2 lacks."""
    value = sql.Identifier(alias, rule.v2)
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
