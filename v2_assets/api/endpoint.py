"""The words an endpoint is written down with: what it answers, from which tables, and what may be asked of it.

Here: frozen data that refuses nonsense when it is made. Not here: the endpoints (`catalogue`), their SQL (`pages`), or
who sees which row (`schema.visibility`).
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Literal

from v2_assets.schema.describe import table_named, type_name

Type = Literal["text", "whole", "number", "flag", "day", "instant", "document", "labels"]
"""What a value is in JSON: text, an integer, a number, true or false, 2026-01-31, an instant with offset, anything, a
list of texts."""

Kind = Literal["rows", "count", "figures", "record"]
"""rows: pages of a table. count: how many rows there are. figures: computed by a SQL file. record: one row and what
belongs to it."""

_TYPES: dict[str, Type] = {
    "text": "text",
    "bigint": "whole",
    "smallint": "whole",
    "boolean": "flag",
    "date": "day",
    "timestamptz": "instant",
    "jsonb": "document",
    "text[]": "labels",
}
#: What is compared with a range in place of a value.
RANGED: frozenset[Type] = frozenset({"number", "day", "instant"})


@dataclass(frozen=True, slots=True)
class Field:
    """One value of an answer's items, under V2's name for it."""

    name: str
    type: Type
    meaning: str
    nullable: bool = True
    personal: bool = False


@dataclass(frozen=True, slots=True)
class Lookup:
    """A value that is looked up for the rows of a page only: by `function` of schema ops, for all their ids at once."""

    name: str
    function: str
    column: str
    meaning: str


@dataclass(frozen=True, slots=True)
class Part:
    """Rows of another table that belong to a record: those whose `column` is the record's id."""

    name: str
    table: str
    column: str
    sort: str = "id"


@dataclass(frozen=True, slots=True, kw_only=True)
class Endpoint:
    """One endpoint. GET `path` with a token of scope `scope`.

    `table` is the V2 table whose live rows are served (None for figures), `sql` the file of figures beside this module,
    `reads` every table that the answer depends on, `fields` the items' fields in order. `filters` are columns that may
    be compared with a value (or a range), `search` columns that `search=` looks into, `sorts` the columns to sort by
    (the first is the default, "-" means downwards), `condition` what every row fulfils, `required` filters of which at
    least one must be given. `walk` names the column of the owner in tables so large that a page must never be found by
    sorting or counting (see docs/explanation/row-level-security.md); `finder` the function of schema ops that
    searches it; `also` are parameters of figures.
    """

    path: str
    what: str
    kind: Kind
    reads: tuple[str, ...]
    fields: tuple[Field, ...]
    table: str | None = None
    sql: str | None = None
    filters: tuple[str, ...] = ()
    search: tuple[str, ...] = ()
    sorts: tuple[str, ...] = ("id",)
    condition: str | None = None
    required: tuple[str, ...] = ()
    lookups: tuple[Lookup, ...] = ()
    parts: tuple[Part, ...] = ()
    walk: str | None = None
    finder: str | None = None
    also: tuple[Field, ...] = ()
    scope: str = "read"

    def __post_init__(self) -> None:
        if (self.table is None) == (self.sql is None):
            raise ValueError(f"{self.path}: either a table or a SQL file")
        if self.table is None:
            return
        known = table_named(self.table).columns.keys()
        sorts = [name.removeprefix("-") for name in self.sorts]
        named = [*self.filters, *self.search, *sorts, *self.required, *(look.column for look in self.lookups)]
        unknown = sorted(set(named) - set(known))
        if unknown:
            raise ValueError(f"{self.path}: {self.table} has no column {', '.join(unknown)}")

    @property
    def name(self) -> str:
        """The path as a name, for operation ids and models: /listings/count is listings_count."""
        return self.path.strip("/").replace("/", "_").replace("-", "_")

    @property
    def columns(self) -> tuple[str, ...]:
        """The names of the fields that are columns of `table`, or all of a SQL file's."""
        looked_up = {look.name for look in self.lookups}
        return tuple(field.name for field in self.fields if field.name not in looked_up)


def fields_of(table: str, *, only: Sequence[str] = (), without: Iterable[str] = ()) -> tuple[Field, ...]:
    """The fields of a V2 table as declared: all but the mark of deletion, or only those named."""
    declared = table_named(table)
    left_out = {"deleted_at", *without}
    names = list(only) or [name for name in declared.columns.keys() if name not in left_out]  # noqa: SIM118 - no dict
    return tuple(
        Field(
            name=name,
            type=type_of(table, name),
            meaning=declared.columns[name].comment or "",
            nullable=bool(declared.columns[name].nullable),
            personal=name in declared.info["personal"],
        )
        for name in names
    )


def type_of(table: str, column: str) -> Type:
    """What the column's values are in JSON."""
    return _TYPES.get(type_name(table_named(table).columns[column]), "number")


def rows(
    path: str,
    table: str,
    what: str,
    *,
    filters: str = "",
    search: str = "",
    sorts: str = "id",
    without: str = "",
    condition: str | None = None,
    lookups: tuple[Lookup, ...] = (),
    walk: str | None = None,
    finder: str | None = None,
) -> Endpoint:
    """Pages of a table. Columns are named in one text, with spaces between."""
    looked_up = tuple(Field(look.name, "text", look.meaning, personal=True) for look in lookups)
    reads = (table, *dict.fromkeys(_LOOKED_INTO[look.function] for look in lookups))
    return Endpoint(
        path=path,
        what=what,
        kind="rows",
        table=table,
        reads=reads,
        fields=fields_of(table, without=without.split()) + looked_up,
        filters=tuple(filters.split()),
        search=tuple(search.split()),
        sorts=tuple(sorts.split()),
        condition=condition,
        lookups=lookups,
        walk=walk,
        finder=finder,
    )


def count(path: str, of: Endpoint, what: str) -> Endpoint:
    """How many rows another endpoint has, under the same filters."""
    return Endpoint(
        path=path,
        what=what,
        kind="count",
        table=of.table,
        reads=of.reads[:1],
        fields=(Field("count", "whole", "Rows that fulfil the filters.", nullable=False),),
        filters=of.filters,
        search=of.search,
        condition=of.condition,
        finder=of.finder,
    )


def record(path: str, table: str, what: str, *, parts: tuple[Part, ...], lookups: tuple[Lookup, ...] = ()) -> Endpoint:
    """One row by `id`, and what belongs to it."""
    looked_up = tuple(Field(look.name, "text", look.meaning, personal=True) for look in lookups)
    return Endpoint(
        path=path,
        what=what,
        kind="record",
        table=table,
        reads=(table, *(part.table for part in parts), *(_LOOKED_INTO[look.function] for look in lookups)),
        fields=fields_of(table) + looked_up,
        filters=("id",),
        required=("id",),
        parts=parts,
        lookups=lookups,
    )


def figures(
    path: str, sql: str, what: str, *, reads: tuple[str, ...], fields: tuple[Field, ...], also: tuple[Field, ...] = ()
) -> Endpoint:
    """What a SQL file computes: few rows, not paged."""
    return Endpoint(path=path, what=what, kind="figures", sql=sql, reads=reads, fields=fields, also=also)


_LOOKED_INTO = {"api_agent_names": "agent", "api_addresses": "address"}
