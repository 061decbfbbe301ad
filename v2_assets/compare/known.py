"""Known differences: those that people have looked at and accepted, as data in `known.toml`.

An entry excuses cells of changed rows (all of a row's differing cells must be excused), or missing or extra rows whose
key says that they belong to it. It has an owner and a day on which it ends; after that day it excuses nothing, so that
nobody forgets it. The list is checked whenever it is read: an entry that names what is not there is an error.
"""

from __future__ import annotations

import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime
from importlib import resources
from typing import Any, Literal, get_args

import psycopg
from psycopg import sql
from pydantic import BaseModel, ConfigDict, ValidationError, model_validator

from resources.errors import ConfigError
from v2_assets.compare.reasons import Kind
from v2_assets.schema import metadata

Rule = Literal["any", "case", "blank", "rounding", "clock", "starts_with"]

#: When a cell's values (`a` of V1, `b` of V2, jsonb) are the same all the same; `amount` is the entry's.
_CELL: Mapping[str, str] = {
    "any": "true",
    "case": "lower(btrim(a #>> '{{}}')) = lower(btrim(b #>> '{{}}'))",
    "blank": "coalesce(a #>> '{{}}', '') in ('', '0', 'false', '[]', '{{}}') and coalesce(b #>> '{{}}', '') in"
    " ('', '0', 'false', '[]', '{{}}')",
    "rounding": "jsonb_typeof(a) = 'number' and jsonb_typeof(b) = 'number'"
    " and abs((a #>> '{{}}')::numeric - (b #>> '{{}}')::numeric) <= {amount}",
    # The same minute on another clock: V1 wrote local times as if they were UTC.
    "clock": "a #>> '{{}}' ~ '^\\d{{4}}-\\d\\d-\\d\\dT' and b #>> '{{}}' ~ '^\\d{{4}}-\\d\\d-\\d\\dT'"
    " and abs(extract(epoch from (a #>> '{{}}')::timestamptz - (b #>> '{{}}')::timestamptz)) <= {amount} * 3600"
    " and mod(extract(epoch from (a #>> '{{}}')::timestamptz - (b #>> '{{}}')::timestamptz), 900) = 0",
}


class Known(BaseModel):
    """One reviewed difference. `amount`: of `rounding` in the column's unit, of `clock` in hours."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: str
    table: str
    kind: Kind
    columns: tuple[str, ...]
    rule: Rule
    amount: float = 0
    text: str = ""
    why: str
    owner: str
    reviewed_on: date
    expires_on: date

    @model_validator(mode="after")
    def _is_about_something(self) -> Known:
        declared = metadata.tables.get(f"v2.{self.table}")
        if declared is None:
            raise ValueError(f"there is no table {self.table}")
        if strange := sorted(set(self.columns) - set(declared.columns.keys())):
            raise ValueError(f"{self.table} has no column {', '.join(strange)}")
        if (self.rule == "starts_with") != (self.kind != "changed"):
            raise ValueError("changed rows take a rule about cells, the others starts_with")
        if self.kind != "changed" and (len(self.columns) != 1 or self.columns[0] not in declared.info["natural_key"]):
            raise ValueError("starts_with looks at one column of the natural key")
        if not self.columns or self.expires_on <= self.reviewed_on:
            raise ValueError("it names no column, or ends before it was reviewed")
        return self


@dataclass(frozen=True, slots=True)
class Register:
    """The list as it stands on a day."""

    entries: tuple[Known, ...]
    today: date

    @property
    def in_force(self) -> tuple[Known, ...]:
        """Those that still excuse."""
        return tuple(entry for entry in self.entries if entry.expires_on > self.today)

    @property
    def expired(self) -> tuple[Known, ...]:
        """Those that somebody has to look at again."""
        return tuple(entry for entry in self.entries if entry.expires_on <= self.today)


def register(text: str | None = None, today: date | None = None) -> Register:
    """Reads the list (by default the project's own). Raises ConfigError naming the entry and what is wrong with it."""
    if text is None:
        text = (resources.files("v2_assets.compare") / "known.toml").read_text(encoding="utf-8")
    try:
        told = tomllib.loads(text).get("difference", [])
    except tomllib.TOMLDecodeError as error:
        raise ConfigError(f"known.toml cannot be read: {error}", hint="correct that line") from None
    entries = [_entry(number, each) for number, each in enumerate(told, 1)]
    names = [entry.name for entry in entries]
    if twice := sorted({name for name in names if names.count(name) > 1}):
        raise ConfigError(f"known.toml has {', '.join(twice)} twice", hint="give each difference a name of its own")
    return Register(tuple(entries), today or datetime.now(UTC).date())


def _entry(number: int, told: Any) -> Known:
    try:
        return Known.model_validate(told)
    except ValidationError as error:
        first = error.errors(include_url=False, include_context=False, include_input=False)[0]
        where = ".".join(map(str, first["loc"]))
        name = told.get("name", f"entry {number}") if isinstance(told, dict) else f"entry {number}"
        raise ConfigError(
            f"known.toml, {name}: {where + ': ' if where else ''}{first['msg']}",
            hint=f"rules are {', '.join(get_args(Rule))}; docs/explanation/differences.md says what each takes",
        ) from None


def mark(cur: psycopg.Cursor[Any], table: str, held: Register | None = None) -> None:
    """Gives the differences that an entry in force excuses their reason."""
    entries = [entry for entry in (held or register()).in_force if entry.table == table]
    for entry in (e for e in entries if e.kind != "changed"):
        cur.execute(
            "update comparison_found set reason = 'known_difference', known = %s,"
            " evidence = jsonb_build_object('owner', %s::text, 'expires_on', %s::text)"
            " where reason is null and kind = %s and starts_with(keys ->> %s, %s)",
            [entry.name, entry.owner, entry.expires_on.isoformat(), entry.kind, entry.columns[0], entry.text],
        )
    if cells := [entry for entry in entries if entry.kind == "changed"]:
        _mark_cells(cur, cells)


def _mark_cells(cur: psycopg.Cursor[Any], entries: Sequence[Known]) -> None:
    excuses = sql.SQL(" ").join(
        sql.SQL("when key = any({}) and {} then {}").format(
            sql.Literal(list(entry.columns)),
            sql.SQL(_CELL[entry.rule]).format(amount=sql.Literal(entry.amount)),  # type: ignore[arg-type]
            sql.Literal(entry.name),
        )
        for entry in entries
    )
    cur.execute(
        sql.SQL(
            "with excused as (select n, bool_and(name is not null) as whole, min(name) as name,"
            "  jsonb_object_agg(key, name) filter (where name is not null) as by_column from"
            "  (select f.n, c.key, case {excuses} end as name from comparison_found f"
            "    cross join lateral (select key, value -> 0 as a, value -> 1 as b from jsonb_each(f.cells)) c"
            "    where f.kind = 'changed' and f.reason is null) t group by n)"
            " update comparison_found f set reason = 'known_difference', known = e.name,"
            " evidence = jsonb_build_object('columns', e.by_column) from excused e where f.n = e.n and e.whole"
        ).format(excuses=excuses)
    )
