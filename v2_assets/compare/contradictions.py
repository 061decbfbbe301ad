"""Rows of V1 that contradict V1 itself, so that V2 cannot hold them: a part of the key lacks, or the row it points to.

Not here: rows under a key that another row of V1 has too; they are found where the sides are laid beside each other
(`statements.repeated`).
"""

from __future__ import annotations

from typing import Any

import psycopg
from psycopg import sql

from v2_assets.compare.mapping import V1Mapping, mapping_of
from v2_assets.compare.sides import v1_table
from v2_assets.merge.statements import key_columns

_WITHOUT = """
update comparison_found f set reason = 'v1_wrong', evidence = jsonb_build_object('without', w.names)
from (
  select n, jsonb_agg(name) as names from comparison_found, unnest(%s::text[]) name
  where kind = 'missing' and reason is null and keys ? name and keys ->> name is null group by n
) w where f.n = w.n
"""
# The parents must have been read when the row was there, or one that came with it would seem not to be.
_WITHOUT_PARENT = """
update comparison_found f set reason = 'v1_wrong',
  evidence = jsonb_build_object('without_parent', {target}::text, 'v1_id', x.{column}, 'looked_at', t.taken_at)
from {table} x, ops.v1_snapshot t
where f.kind = 'missing' and f.reason is null and f.keys ->> {key} is null and x.id = f.v1_id
  and x.{column} is not null and t.table_name = {target} and t.taken_at >= f.v1_by
  and not exists (select from {parents} y where y.id = x.{column})
"""


def without_key(cur: psycopg.Cursor[Any], mapping: V1Mapping) -> None:
    """Explains missing rows that lack a part of their own key: they can be nobody's twin."""
    own = [str(c.name) for c in key_columns(mapping.v2_table) if not c.foreign_keys and not c.nullable]
    if own:
        cur.execute(_WITHOUT, [own])


def without_parent(cur: psycopg.Cursor[Any], mapping: V1Mapping) -> None:
    """Explains missing rows whose key points to a row that V1 does not have either."""
    for rule in mapping.keys:
        parent = mapping_of(rule.target) if rule.kind == "pointer" and rule.target else None
        if parent is not None:
            cur.execute(
                sql.SQL(_WITHOUT_PARENT).format(
                    table=v1_table(mapping.table),
                    column=sql.Identifier(rule.v1),
                    key=sql.Literal(rule.v2),
                    target=sql.Literal(parent.table),
                    parents=v1_table(parent.table),
                )
            )
