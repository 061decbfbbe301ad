"""Declarations in words: column types and keys as plain values, for Dagster's column schema and the reference pages.

No Dagster and no database here; whoever needs Dagster's classes builds them from these tuples.
"""

from __future__ import annotations

from sqlalchemy import Column, ForeignKeyConstraint, Table, UniqueConstraint
from sqlalchemy.dialects import postgresql

from v2_assets.schema.vocabulary import metadata

_DIALECT = postgresql.dialect()
_SHORT = {"TIMESTAMP WITH TIME ZONE": "timestamptz"}


def table_named(name: str) -> Table:
    """The declaration of `name`: "v2.agent", or "agent" for a V2 table. Raises KeyError naming what is not declared."""
    full = name if "." in name else f"v2.{name}"
    if full not in metadata.tables:
        raise KeyError(f"no declaration for table {full}")
    return metadata.tables[full]


def type_name(column: Column[object]) -> str:
    """The column's type as Postgres writes it, in its short form: bigint, numeric(14, 2), timestamptz, text[]."""
    compiled = str(column.type.compile(dialect=_DIALECT))
    return _SHORT.get(compiled, compiled.lower())


def column_schema(table: Table | str) -> list[tuple[str, str, str, bool, bool]]:
    """(name, type, comment, nullable, unique) of every column in reading order.

    `unique` is true where the column alone identifies a row: the id, or a natural key of one column.
    """
    declared = table_named(table) if isinstance(table, str) else table
    alone = {columns[0] for columns in _unique_sets(declared) if len(columns) == 1}
    return [
        (column.name, type_name(column), column.comment or "", bool(column.nullable), column.name in alone)
        for column in declared.columns
    ]


def foreign_keys(table: Table) -> list[tuple[str, str, str, str]]:
    """(column, table pointed to with its schema, column there, constraint name), by column in reading order."""
    keys = [key for key in table.constraints if isinstance(key, ForeignKeyConstraint)]
    order = {name: position for position, name in enumerate(table.columns.keys())}
    found = []
    for key in sorted(keys, key=lambda key: order[key.column_keys[0]]):
        element = key.elements[0]
        found.append((key.column_keys[0], element.column.table.fullname, element.column.name, str(key.name)))
    return found


def pointing_here(table: Table) -> list[tuple[str, str]]:
    """(table with its schema, column) of every foreign key that points to `table`, by name."""
    return sorted(
        (other.fullname, column)
        for other in metadata.tables.values()
        for column, target, _, _ in foreign_keys(other)
        if target == table.fullname
    )


def _unique_sets(table: Table) -> list[tuple[str, ...]]:
    sets = [tuple(column.name for column in table.primary_key.columns)]
    sets += [
        tuple(column.name for column in constraint.columns)
        for constraint in table.constraints
        if isinstance(constraint, UniqueConstraint)
    ]
    return sets
