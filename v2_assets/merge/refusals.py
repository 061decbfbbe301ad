"""Whether Postgres refused a row for what is in it, or could not work: the one place where that is decided.

A refusal for data is found by halving, and the row (or the key of a computed table) is set aside with a reason. What
the server could not do (it is away, full, interrupted, or waits for somebody) is raised: the same row may pass later.
So is what our own SQL got wrong: halving would only reject everybody's rows one by one.
"""

from __future__ import annotations

from typing import Any

import psycopg
from sqlalchemy import Index, UniqueConstraint

from v2_assets.schema import metadata

#: SQLSTATE classes (PostgreSQL manual, appendix A) that a value, or several rows together, bring about: a subselect
#: that finds two rows (21), a value that does not fit its type (22), a broken constraint (23), and a limit of the
#: program that one row alone exceeds, such as a text too long for its index (54).
_OF_DATA = frozenset({"21", "22", "23", "54"})


def caused_by_data(error: psycopg.Error) -> bool:
    """Whether the rows that were worked on are the cause, so that fewer of them may pass."""
    if error.sqlstate is None:  # refused by the driver before anything was sent
        return isinstance(error, psycopg.DataError)
    return error.sqlstate[:2] in _OF_DATA


def reason_of(error: psycopg.Error, table: str) -> dict[str, Any]:
    """What people are told of a refusal: SQLSTATE, V2 table, constraint or index, and columns. Never a value."""
    constraint = error.diag.constraint_name
    column = error.diag.column_name
    told = {
        "sqlstate": error.sqlstate,
        "table": error.diag.table_name or table,
        "constraint": constraint,
        "field": column or (constraint and _columns_of(constraint)),
    }
    return {name: value for name, value in told.items() if value}


def _columns_of(constraint: str) -> str | None:
    """The columns that a unique constraint or an index of V2 is made of; Postgres names an index by that field too."""
    for table in metadata.tables.values():
        for each in (*table.constraints, *table.indexes):
            if each.name == constraint and isinstance(each, Index | UniqueConstraint):
                return ", ".join(c.name for c in each.columns) or None
    return None
