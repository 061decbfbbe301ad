"""Where V1 had the rows of each V2 table, and column by column how both are compared. No SQL runs here.

A declaration says `v1={...}` in words (`WORDS`); what it does not say follows from the columns: V1 called them alike,
and a value is compared as its type in V2 demands. Ids and words exactly, money to the cent, times to a second, tags as
sets. A pointer to another table is compared as the row that it means, never as a number, because V1 counts by itself.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import cache
from typing import Any, Literal, get_args

from sqlalchemy import ARRAY, Boolean, Column, Date, DateTime, Integer, Numeric, Table
from sqlalchemy.dialects.postgresql import JSONB

from resources.apis.xano.tables import TABLES, V1Table
from resources.apis.xano.tables import Kind as V1Kind
from v2_assets.schema import metadata

RuleKind = Literal["exact", "money", "instant", "set", "json", "pointer", "code", "address"]
Form = Literal["raw", "raw_or_id", "address_key", "lower", "upper", "trim", "fraction"]

#: What a declaration may say of V1, and what it means.
WORDS: Mapping[str, str] = {
    "not_in_v1": "why V1 has no such rows; then nothing else is said",
    "table": "V1's table, as resources.apis.xano.tables and its like name it",
    "key": "V2's columns that tell which rows are the same; the natural key without `source` if not said",
    "columns": "V2's columns that V1 called differently, with V1's name",
    "codes": "V2's columns that V1 wrote in codes or other words, with the code set",
    "forms": "V2's columns whose values are brought into one form first: see Form",
    "where": "V1's columns that are filled in the rows that belong here; the others belong elsewhere",
    "only_here": "V2's columns that V1 has too by name and that are not compared, with the reason",
    "when_told": "V2's columns that V2 finds out itself where V1 left them empty; compared where V1 has a value",
    "left_out": "V1's columns that V2 has not, with the reason",
    "also": "further tables of V1 whose rows belong here, as words of the same kind",
}
#: The rows' own bookkeeping; what V1 calls alike is V1's own.
NOT_COMPARED = frozenset({"id", "source", "source_updated_at", "created_at", "updated_at", "deleted_at"})
#: Who a row is of, likeliest first.
USER_COLUMNS = ("user_id", "ad_user_id")
MONEY_SCALE, SECONDS = "0.005", "1 second"


class MappingError(ValueError):
    """A declaration says of V1 what cannot be."""


@dataclass(frozen=True, slots=True)
class ColumnRule:
    """How one column is compared.

    `v2` and `v1` are the columns' names. `tolerance` is how far apart equal values may be: a decimal of the unit for
    kind money, an interval for instant, else empty. `form` is applied to V1's value, `target` is the V2 table that a
    pointer points to, or the code set of a code. `when_told`: nothing at V1 is no difference.
    """

    v2: str
    v1: str
    kind: RuleKind
    tolerance: str = ""
    form: Form | None = None
    target: str | None = None
    v1_kind: V1Kind = "text"
    when_told: bool = False


@dataclass(frozen=True, slots=True)
class V1Mapping:
    """The rows of V1's `table` that are the rows of a V2 table.

    `keys` match a row of one side with a row of the other; `columns` are compared. `where` names columns of V1 that
    must be filled. `user` is the rule of the column that says whose a row is, None where no column does.
    """

    v2_table: str
    table: str
    keys: tuple[ColumnRule, ...]
    columns: tuple[ColumnRule, ...]
    where: tuple[str, ...] = ()
    only_v2: tuple[str, ...] = ()
    only_v1: Mapping[str, str] | None = None
    also: tuple[V1Mapping, ...] = ()

    @property
    def user(self) -> ColumnRule | None:
        """Whose a row is, by the first of USER_COLUMNS that both sides have."""
        if self.v2_table == "user":
            return ColumnRule("id", "id", "pointer", target="user", v1_kind="ref")
        rules = {rule.v2: rule for rule in (*self.keys, *self.columns)}
        return next((rules[name] for name in USER_COLUMNS if name in rules), None)

    @property
    def parents(self) -> tuple[str, ...]:
        """V2's tables that keys or columns point to."""
        rules = (*self.keys, *self.columns)
        return tuple(dict.fromkeys(rule.target for rule in rules if rule.kind == "pointer" and rule.target))


def v1_columns(table: str) -> Mapping[str, V1Kind]:
    """The columns of V1's table that may be read, with their kinds. Raises KeyError for a table nobody declared."""
    return v1_tables()[table].columns


@cache
def v1_tables() -> Mapping[str, V1Table]:
    """Every table of V1 that a comparison reads: the imported ones, and those that living sources took over.

    The latter have the columns of the V2 table under V1's names: nothing else of them is ever read.
    """
    tables: dict[str, V1Table] = dict(TABLES)
    for table in _tables():
        for words in _parts(table):
            name = words["table"]
            if name not in TABLES:
                known = dict(tables[name].columns) if name in tables else dict(_ALWAYS)
                tables[name] = V1Table((name,), known | _columns_like(table, words))
    return tables


_ALWAYS: Mapping[str, V1Kind] = {"id": "ref", "created_at": "ts", "updated_at": "ts"}


@cache
def mapping_of(v2_table: str) -> V1Mapping | None:
    """The mapping of `v2_table` ("fub_people"), or None if V1 has no such rows. Raises MappingError, KeyError."""
    table = metadata.tables[f"v2.{v2_table}"]
    parts = _parts(table)
    if not parts:
        return None
    made = [_mapping(table, words) for words in parts]
    first = made[0]
    return V1Mapping(
        first.v2_table, first.table, first.keys, first.columns, first.where, first.only_v2, first.only_v1,
        tuple(made[1:]),
    )  # fmt: skip


def mappings() -> dict[str, V1Mapping]:
    """Every table that can be compared, by its name in V2."""
    return {table.name: found for table in _tables() if (found := mapping_of(table.name))}


def why_not(v2_table: str) -> str | None:
    """Why V1 has no such rows; None if it has."""
    return metadata.tables[f"v2.{v2_table}"].info["v1"].get("not_in_v1")


def _tables() -> list[Table]:
    return [table for table in metadata.tables.values() if table.schema == "v2"]


def _parts(table: Table) -> list[dict[str, Any]]:
    words: dict[str, Any] = table.info["v1"]
    unknown = set(words) - set(WORDS)
    if unknown:
        raise MappingError(f"v2.{table.name} says {', '.join(sorted(unknown))} of V1; known are {', '.join(WORDS)}")
    if "not_in_v1" in words:
        if len(words) > 1:
            raise MappingError(f"v2.{table.name} is not in V1 and says where it is there")
        return []
    return [words, *words.get("also", ())]


def _compared(table: Table) -> list[Column[Any]]:
    return [column for column in table.columns if column.name not in NOT_COMPARED]


def _mapping(table: Table, words: Mapping[str, Any]) -> V1Mapping:
    there = v1_columns(words["table"])
    renamed: Mapping[str, str] = words.get("columns", {})
    only_here: Mapping[str, str] = words.get("only_here", {})
    told: frozenset[str] = frozenset(words.get("when_told", ()))
    said = {*renamed, *words.get("codes", {}), *words.get("forms", {}), *only_here, *words.get("key", ()), *told}
    if unknown := said - set(table.columns.keys()):
        raise MappingError(f"v2.{table.name} has no column {', '.join(sorted(unknown))} to compare with V1")
    named = {*renamed.values(), *words.get("where", ()), *words.get("left_out", {})}
    if unknown := {name for name in named - set(there) if name not in words.get("left_out", {})}:
        raise MappingError(f"V1's {words['table']} has no column {', '.join(sorted(unknown))} (v2.{table.name})")
    rules: dict[str, ColumnRule] = {}
    for column in _compared(table):
        v1 = renamed.get(column.name, column.name)
        if v1 in there and column.name not in only_here:
            rule = _rule(table, column, v1, there[v1], words)
            if rule is not None:
                rules[rule.v2] = replace(rule, when_told=rule.v2 in told)
    keys = tuple(words.get("key") or (name for name in table.info["natural_key"] if name != "source"))
    if missing := [name for name in keys if name not in rules]:
        raise MappingError(f"v2.{table.name} cannot be found in V1's {words['table']} by {', '.join(missing)}")
    left_out: Mapping[str, str] = words.get("left_out", {})
    used = {rule.v1 for rule in rules.values()} | {*words.get("where", ()), *_ALWAYS}
    # Of a table of V1 that became several, each part would name the others' columns.
    whole = words["table"] == table.name or words["table"] not in TABLES
    return V1Mapping(
        v2_table=str(table.name),
        table=words["table"],
        keys=tuple(rules[name] for name in keys),
        columns=tuple(rule for name, rule in rules.items() if name not in keys),
        where=tuple(words.get("where", ())),
        only_v2=tuple(str(c.name) for c in _compared(table) if c.name not in rules),
        only_v1={name: left_out.get(name, "") for name in (*there, *left_out) if whole and name not in used},
    )


def _rule(table: Table, column: Column[Any], v1: str, v1_kind: V1Kind, words: Mapping[str, Any]) -> ColumnRule | None:
    """The rule of one column; None where V1's value cannot be compared, because it points to what V1 has not."""
    name, form = str(column.name), words.get("forms", {}).get(column.name)
    if form is None and name == "currency":
        form = "upper"
    if form is not None and form not in get_args(Form):
        raise MappingError(f"v2.{table.name}.{name} has an unknown form {form!r}")
    if name in words.get("codes", {}):
        return ColumnRule(name, v1, "code", target=words["codes"][name], v1_kind=v1_kind)
    if column.foreign_keys and column.name.endswith("_id"):
        target = next(iter(column.foreign_keys)).target_fullname.split(".")[1]
        if target == "address" and v1_kind == "text":
            return ColumnRule(name, v1, "address", target=target, v1_kind=v1_kind)
        if "not_in_v1" in metadata.tables[f"v2.{target}"].info["v1"]:
            return None
        return ColumnRule(name, v1, "pointer", target=target, v1_kind=v1_kind)
    if isinstance(column.type, Numeric):
        scale = column.type.scale or 0
        return ColumnRule(name, v1, "money", tolerance=f"{0.5 / 10**scale:.{scale + 1}f}", form=form, v1_kind=v1_kind)
    if isinstance(column.type, DateTime):
        return ColumnRule(name, v1, "instant", tolerance=SECONDS, v1_kind=v1_kind)
    if isinstance(column.type, ARRAY):
        return ColumnRule(name, v1, "set", v1_kind=v1_kind)
    if isinstance(column.type, JSONB):
        return ColumnRule(name, v1, "json", v1_kind=v1_kind)
    return ColumnRule(name, v1, "exact", form=form, v1_kind=v1_kind)


def _columns_like(table: Table, words: Mapping[str, Any]) -> dict[str, V1Kind]:
    """V1's columns of a table that a living source took over: V2's, under V1's names."""
    renamed: Mapping[str, str] = words.get("columns", {})
    return {
        str(renamed.get(column.name, column.name)): _kind_like(column)
        for column in _compared(table)
        if column.name not in words.get("only_here", {})
    }


def _kind_like(column: Column[Any]) -> V1Kind:
    if column.foreign_keys and column.name.endswith("_id"):
        return "ref"
    for type_, kind in _KINDS:
        if isinstance(column.type, type_):
            return kind
    return "text"


_KINDS: tuple[tuple[Any, V1Kind], ...] = (
    (Integer, "int"), (Numeric, "money"), (Boolean, "bool"), (DateTime, "ts"), (Date, "day"), (JSONB, "json"),
    (ARRAY, "json"),
)  # fmt: skip
