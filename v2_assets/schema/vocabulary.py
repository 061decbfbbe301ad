"""The words that declarations are made of: column helpers, table helpers, naming rules.

Here: how a column, a table, a key and a check are written down once, for every schema. Not here: any table (one module
per domain beside this one), any SQL that runs, any Dagster.

Types are fixed by these helpers, so that money is the same money everywhere: `money` numeric(14,2) in major units,
`total` numeric(24,2) for sums of it, `percent` numeric(9,4) on the scale its comment names, `ts` timestamptz, `day`
date without a zone, `number` bigint.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal

from sqlalchemy import (
    BigInteger,
    Boolean,
    CheckConstraint,
    Column,
    Date,
    DateTime,
    ForeignKey,
    Identity,
    Index,
    MetaData,
    Numeric,
    SmallInteger,
    Table,
    Text,
    UniqueConstraint,
    text,
)
from sqlalchemy.dialects.postgresql import ARRAY, JSONB
from sqlalchemy.schema import SchemaItem

Freshness = Literal["realtime", "hourly", "daily", "seed"]

SCHEMAS = ("staging", "v2", "ops", "v1")
"""Schemas of the database `v2`; `v1` is empty until the V1 import fills it."""

metadata = MetaData(
    naming_convention={
        "pk": "%(table_name)s_pkey",
        "uq": "%(table_name)s_%(column_0_N_name)s_key",
        "fk": "%(table_name)s_%(column_0_N_name)s_fkey",
        "ck": "%(table_name)s_%(constraint_name)s_check",
        "ix": "%(table_name)s_%(column_0_N_name)s_idx",
    }
)
"""Every table of the platform. Reach one by its full name: `metadata.tables["v2.fub_people"]`."""


def _column(name: str, type_: Any, comment: str, required: bool, default: str | None, **more: Any) -> Column[Any]:
    return Column(
        name,
        type_,
        nullable=not required,
        server_default=None if default is None else text(default),
        comment=comment,
        **more,
    )


def words(name: str, comment: str, *, required: bool = False, default: str | None = None) -> Column[Any]:
    """Text. `default` is a SQL expression, quotes included."""
    return _column(name, Text(), comment, required, default)


def number(name: str, comment: str, *, required: bool = False, default: str | None = None) -> Column[Any]:
    """A whole number: bigint, so that no source's ids or counts can outgrow it."""
    return _column(name, BigInteger(), comment, required, default)


def small(name: str, comment: str, *, required: bool = False, default: str | None = None) -> Column[Any]:
    """A count that stays small: smallint."""
    return _column(name, SmallInteger(), comment, required, default)


def money(name: str, comment: str) -> Column[Any]:
    """An amount in major units. Null means "not told"; zero is a real amount."""
    return _column(name, Numeric(14, 2), comment, False, None)


def total(name: str, comment: str) -> Column[Any]:
    """A sum of amounts, wide enough for ten thousand million of the largest `money`."""
    return _column(name, Numeric(24, 2), comment, False, None)


def percent(name: str, comment: str) -> Column[Any]:
    """A share; the comment names the scale (a fraction of 1, or 0 to 100)."""
    return _column(name, Numeric(9, 4), comment, False, None)


def shares(name: str, comment: str) -> Column[Any]:
    """A number of shares, or a sum of them; fractions of a share are bought too."""
    return _column(name, Numeric(28, 6), comment, False, None)


def degrees(name: str, comment: str) -> Column[Any]:
    """A latitude or longitude in decimal degrees."""
    return _column(name, Numeric(9, 6), comment, False, None)


def flag(name: str, comment: str, *, default: bool | None = None) -> Column[Any]:
    """Yes, no, or (without a default) not told."""
    return _column(name, Boolean(), comment, default is not None, None if default is None else str(default).lower())


def ts(name: str, comment: str, *, required: bool = False, default: str | None = None) -> Column[Any]:
    """An instant: timestamptz."""
    return _column(name, DateTime(timezone=True), comment, required, default)


def day(name: str, comment: str) -> Column[Any]:
    """A calendar date, never shifted by a time zone."""
    return _column(name, Date(), comment, False, None)


def json(name: str, comment: str, *, required: bool = False, default: str | None = None) -> Column[Any]:
    """A document: jsonb. A missing document is SQL null, never the JSON value null."""
    return _column(name, JSONB(none_as_null=True), comment, required, default)


def labels(name: str, comment: str) -> Column[Any]:
    """A list of short texts: text[]."""
    return _column(name, ARRAY(Text()), comment, False, None)


def parent(
    name: str,
    target: str,
    comment: str,
    *,
    required: bool = False,
    index: bool = True,
    on_delete: str | None = None,
    closes_circle: bool = False,
) -> Column[Any]:
    """A foreign key to `target` ("v2.agent" means its id; "v2.x.column" that column).

    Deferred to the commit, because one transaction may write child and parent in either order. Indexed unless the
    natural key already starts with it or no join starts from the parent. `closes_circle`: both tables point to each
    other, and this key is to be added after both exist.
    """
    column = target if target.count(".") == 2 else f"{target}.id"
    kind = Text() if not column.endswith(".id") else BigInteger()
    key = ForeignKey(column, deferrable=True, initially="DEFERRED", ondelete=on_delete, use_alter=closes_circle)
    return Column(name, kind, key, nullable=not required, index=index or None, comment=comment)


def surrogate(comment: str, *, always: bool = True) -> Column[Any]:
    """The table's own id. `always=False` where ids come from the product and must be kept."""
    return Column("id", BigInteger(), Identity(always=always), primary_key=True, comment=comment)


def law(name: str, condition: str) -> CheckConstraint:
    """A CHECK named `<table>_<name>_check`."""
    return CheckConstraint(condition, name=name)


def unique(*columns: str, name: str, nulls_are_one: bool = False) -> UniqueConstraint:
    """A UNIQUE constraint. `nulls_are_one` makes two rows without a value collide (NULLS NOT DISTINCT)."""
    return UniqueConstraint(*columns, name=name, postgresql_nulls_not_distinct=nulls_are_one or None)


def partial_index(name: str, *columns: str, where: str, is_unique: bool = False) -> Index:
    """An index over the rows that fulfil `where`."""
    return Index(name, *columns, unique=is_unique, postgresql_where=text(where))


_COMPUTED = {"not_in_v1": "computed from other tables of V2, which are compared themselves"}


def sentence(grain: str) -> str:
    """A grain ("one contact of one FUB account") as a table comment."""
    return f"{grain[0].upper()}{grain[1:]}."


def v2_table(
    name: str,
    *items: SchemaItem,
    grain: str,
    key: tuple[str, ...],
    sources: tuple[str, ...],
    domain: str,
    freshness: Freshness,
    personal: tuple[str, ...] = (),
    v1: Mapping[str, Any] | None = None,
    derived: bool = False,
    may_be_empty: str | None = None,
    nulls_are_one: bool = False,
    default_source: str | None = None,
    keeps_ids: bool = False,
) -> Table:
    """A table of schema `v2`: id, the given columns in reading order, then provenance and times.

    Derived tables carry the same closing columns (with source 'derived'), so that whoever counts live rows needs no
    special case. `key` becomes the UNIQUE constraint `<name>_key`, the only thing an upsert matches on. `v1` says where
    V1 has these rows, in the words of `v2_assets.compare.mapping`; unsaid, under the same name with the same columns.
    """
    origin = "'derived'" if derived else None if default_source is None else f"'{default_source}'"
    return Table(
        name,
        metadata,
        surrogate("Our own number of the row, stable for its life.", always=not keeps_ids),
        *items,
        words("source", "Which integration the row's newest facts came from.", required=True, default=origin),
        ts("source_updated_at", "When the source last changed the record, by the source's clock."),
        ts("created_at", "When the row was first written here.", required=True, default="now()"),
        ts("updated_at", "When the row last really changed here.", required=True, default="now()"),
        ts("deleted_at", "When the record was found to be gone at the source; null while it lives."),
        unique(*key, name=f"{name}_key", nulls_are_one=nulls_are_one),
        schema="v2",
        comment=sentence(grain),
        info={
            "grain": grain,
            "natural_key": key,
            "sources": sources,
            "domain": domain,
            "freshness": freshness,
            "personal": personal,
            "v1": dict(v1) if v1 is not None else _COMPUTED if derived else {"table": name},
            "derived": derived,
            "may_be_empty": may_be_empty,
        },
    )


def ops_table(name: str, *items: SchemaItem, grain: str, key: tuple[str, ...], personal: tuple[str, ...] = ()) -> Table:
    """A table of schema `ops`: what the platform knows about its own work."""
    return Table(
        name,
        metadata,
        *items,
        schema="ops",
        comment=sentence(grain),
        info={
            "grain": grain,
            "natural_key": key,
            "sources": (),
            "domain": "operations",
            "freshness": "realtime",
            "personal": personal,
            "v1": {},
            "derived": False,
            "may_be_empty": "A quiet platform has nothing to write here.",
        },
    )
