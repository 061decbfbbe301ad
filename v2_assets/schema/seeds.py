"""Planting the seeds of `codes.py`: idempotent, and writing only what differs."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from sqlalchemy import Connection

from v2_assets.schema.codes import TIERS, code_rows, state_rows

_CODES = """
insert into ops.code_map as old (code_set, source, raw, value)
select * from unnest(%s::text[], %s::text[], %s::text[], %s::text[])
on conflict (code_set, source, raw) do update set value = excluded.value
where old.value is distinct from excluded.value
"""

_STATES = """
insert into v2.state_province as old (abbreviation, name, country)
select * from unnest(%s::text[], %s::text[], %s::text[])
on conflict (abbreviation) do update set name = excluded.name, country = excluded.country, updated_at = now()
where (old.name, old.country) is distinct from (excluded.name, excluded.country)
"""

_TIERS = """
insert into v2.contribution_tiers as old (tier, name, share)
select * from unnest(%s::smallint[], %s::text[], %s::numeric[])
on conflict (tier) do update set name = excluded.name, share = excluded.share, updated_at = now()
where (old.name, old.share) is distinct from (excluded.name, excluded.share)
"""


def plant_seeds(connection: Connection) -> None:
    """Upsert codes and states. A code that was added by hand stays; one that `codes.py` lists is set to its value."""
    connection.exec_driver_sql(_CODES, _columns(code_rows()))
    connection.exec_driver_sql(_STATES, _columns(state_rows()))
    connection.exec_driver_sql(_TIERS, _columns(TIERS))


def _columns(rows: Iterable[tuple[Any, ...]]) -> tuple[list[Any], ...]:
    return tuple(list(column) for column in zip(*rows, strict=True))
