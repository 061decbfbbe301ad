"""Ways in which one world of records may come: any order, with repetitions, cut into any merges.

A world is stored and merged twice, once in the plainest way and once in a generated way, and all live rows are compared
by natural key. Left out are history (it tells in which order news came, so it must differ), the day's first
counts and the product's user (the first team that is known stays).
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import psycopg
from hypothesis import Phase, settings
from hypothesis import strategies as st
from psycopg import sql

from resources.postgres import Database
from tests.merge.stage import STREAM_OF, V2, Staged, enter_users, merge_everything, start_over, store, work_of, written

LEFT_OUT = ("user", "transaction_history", "listing_history", "title_event_history", "metrics_snapshots")
#: Users 1 and 2 are connected to both platforms: agents a-1 and a-2, CRM users 14 and 22 of account 77.
USERS = [
    {
        "id": n,
        "credentials": [
            {"platform": "rezen", "account_id": f"a-{n}", "external_user_id": f"a-{n}"},
            {"platform": "fub", "account_id": "77", "external_user_id": str(external)},
        ],
    }
    for n, external in ((1, 14), (2, 22))
]
#: An example takes seconds, so few are tried, and a failing one is shown as it is: shrinking would take minutes.
RARELY = settings(
    max_examples=8,
    phases=(Phase.explicit, Phase.reuse, Phase.generate),
)


@dataclass(frozen=True)
class Arrival:
    """A world, and one way in which it may come: in which order, what twice, and after which records is merged."""

    world: list[Staged]
    order: list[Staged]
    cuts: frozenset[int]


def _unlike(worlds: Iterable[Staged]) -> list[Staged]:
    return list({(r.stage, r.account_ref, r.source_id, r.source_updated_at): r for r in worlds}.values())


@st.composite
def arrivals(draw: st.DrawFn, records: st.SearchStrategy[Staged], always: Sequence[Staged] = ()) -> Arrival:
    """Worlds of these records (and of those that are always there), each with a way to come."""
    world = _unlike([*always, *draw(st.lists(records, min_size=3, max_size=14))])
    order = draw(st.permutations([*world, *draw(st.lists(st.sampled_from(world), max_size=3))]))
    cuts = draw(st.frozensets(st.integers(1, len(order)), max_size=2))
    return Arrival(world, list(order), cuts)


def comes_to_the_same(database: Database, arrival: Arrival) -> None:
    """Fails if this way to come makes another V2 than the plain one, breaks the law, or leaves work behind."""
    with database.connect() as connection:
        if not connection.execute('select 1 from v2."user"').fetchone():
            enter_users(connection, USERS)
    work = work_of(r.stage for r in arrival.world)
    plain = arrive(database, arrival.world, frozenset())
    assert arrive(database, arrival.order, arrival.cuts) == plain
    the_law_holds(database, {r.stage for r in arrival.world})
    again = merge_everything(database, [1, 2], work)
    assert (again.read, written(again)) == (0, {}), "a merge with nothing new wrote something"


def arrive(database: Database, order: Sequence[Staged], cuts: frozenset[int]) -> dict[str, list[dict[str, Any]]]:
    """Starts over, lets the records come like this, and gives the live rows of every compared table."""
    with database.connect() as connection:
        start_over(connection)
    work = work_of(r.stage for r in order)
    begin = 0
    for end in sorted({*cuts, len(order)}):
        store(database, order[begin:end])
        merge_everything(database, [1, 2], work)
        begin = end
    # What the second user's records told is news for the first one's, so look once more.
    merge_everything(database, [1, 2], work)
    with database.connect() as connection:
        state = V2(connection).state(LEFT_OUT)
    return {table: kept for table, rows in state.items() if (kept := [row for row in rows if not row["deleted_at"]])}


def the_law_holds(database: Database, stages: Iterable[str]) -> None:
    """Nothing is pending; what is processed has its V2 row; what is a duplicate names the copy that has it."""
    with database.connect() as connection:
        for stage in sorted(stages):
            assert _breaches(connection, stage, STREAM_OF[stage].primary) == []


def _breaches(connection: psycopg.Connection[Any], stage: str, table: str) -> list[Any]:
    return connection.execute(
        sql.SQL(
            "select s.id, s.status from {stage} s left join {table} v on v.id = s.v2_id"
            " left join {stage} w on w.id = s.duplicate_of where s.status = 'pending'"
            " or (s.status = 'processed' and v.id is null) or (s.status = 'duplicate' and w.status <> 'processed')"
        ).format(stage=sql.Identifier("staging", stage), table=sql.Identifier("v2", table))
    ).fetchall()
