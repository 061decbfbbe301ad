"""Whether a changed value of a derived table follows from V2's own inputs: it is derived again, and set beside V2's.

If it comes out otherwise, V2 does not hold what its inputs say: a fault of ours. If it comes out the same and an input
is newer than V1's value, V1 is older. Coming out the same does not prove the rule right, so nothing else excuses.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import psycopg
from psycopg import sql

from v2_assets.compare.mapping import V1Mapping
from v2_assets.compare.statements import from_file
from v2_assets.merge import Derived
from v2_assets.merge.refusals import caused_by_data
from v2_assets.merge.session import scratch, select_into
from v2_assets.merge.statements import natural_key, same_key, v2
from v2_assets.order import ALL_WORK


@dataclass(frozen=True, slots=True)
class Inputs:
    """What a table is computed from: its own column, the table of the input, and that table's column.

    `whole`: its select tells every row of the user. Otherwise it tells those alone that have to be written.
    """

    tables: tuple[tuple[str, str, str], ...]
    whole: bool = True


#: The tables that V1 has too and that no living stream fills.
INPUTS: Mapping[str, Inputs] = {
    "income": Inputs(
        (
            ("transaction_id", "transaction", "id"),
            ("transaction_id", "transaction_financials", "transaction_id"),
            ("contribution_id", "contribution", "id"),
        ),
        whole=False,
    ),
    "agent_commission": Inputs((("agent_id", "team_members", "agent_id"),)),
    "leader": Inputs((("team_id", "team_members", "team_id"),)),
}


def changed(cur: psycopg.Cursor[Any], mapping: V1Mapping) -> None:
    """Gives changed rows of a derived table their reason, as far as deriving them again tells."""
    table = mapping.v2_table
    if table not in INPUTS:
        return
    for derived in (each for each in ALL_WORK if isinstance(each, Derived) and each.table == table):
        for user in _users(cur, owned=mapping.user is not None):
            try:
                _judge(cur, derived, INPUTS[table], user)
            except psycopg.Error as error:
                # What Postgres refuses to derive for one user explains nothing of that user, and the others' is judged.
                if not caused_by_data(error):
                    raise


def _users(cur: psycopg.Cursor[Any], *, owned: bool) -> list[int]:
    """Whose rows are derived again: the owners of the changed ones; where rows have none, all who are here."""
    left = "comparison_found where kind = 'changed' and reason is null"
    if owned:
        rows = cur.execute(f"select distinct user_id from {left} and user_id is not null order by 1".encode())  # noqa: S608
    else:
        rows = cur.execute(f'select id from v2."user" where exists (select from {left}) order by 1'.encode())  # noqa: S608
    return [row[0] for row in rows.fetchall()]


def _judge(cur: psycopg.Cursor[Any], derived: Derived, inputs: Inputs, user: int) -> None:
    stamps = [
        sql.SQL("(select max(i.source_updated_at) from {} i where i.{} = v.{})").format(
            v2(table), sql.Identifier(theirs), sql.Identifier(own)
        )
        for own, table, theirs in inputs.tables
    ]
    with scratch(cur):
        names, _ = select_into(cur, "again", derived.sql, {"user_id": user})
        cur.execute(
            from_file("derived.sql").format(
                live=v2(derived.table),
                same=same_key("r", "v", derived.table),
                key=sql.Identifier("r", natural_key(derived.table)[0]),
                newest=sql.SQL("greatest({})").format(sql.SQL(", ").join(stamps)),
                user=sql.Literal(user),
                whole=sql.Literal(inputs.whole),
                file=sql.Literal(derived.file),
                names=sql.Literal(names),
            )
        )
        cur.execute("drop table again")
