"""Whatever the order in which reZEN's records come, however often, and however the work is cut: V2 comes out the same.

A generated world is stored and merged twice, once in the plainest way and once in a generated way. All live rows are
compared by natural key. Left out are history (it tells in which order news came, so it must differ) and the product's
user (the first team that is known stays).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import psycopg
import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from psycopg import sql

from resources.postgres import Database
from tests.merge.stage import V2, Staged, enter_users, merge_everything, start_over, store, work_of, written
from v2_assets.schema.stage import STREAMS

REZEN = work_of(s.table for s in STREAMS if s.integration == "rezen")
LEFT_OUT = ("user", "transaction_history", "listing_history")
START = 1_757_700_000_000
AGENTS = ("a-1", "a-2", "a-3")
TEAMS = ("t-1", "t-2")
#: Users 1 and 2 are agents a-1 and a-2; a-3 is nobody's.
USERS = [
    {"id": n, "credentials": [{"platform": "rezen", "account_id": f"a-{n}", "external_user_id": f"a-{n}"}]}
    for n in (1, 2)
]
#: An example takes seconds, so few are tried, and a failing one is shown as it is: shrinking would take minutes.
RARELY = settings(
    max_examples=8,
    deadline=None,
    phases=(Phase.explicit, Phase.reuse, Phase.generate),
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)


def staged(entity: str, source_id: str, payload: Mapping[str, Any], user: int) -> Staged:
    stamp = payload.get("updatedAt")
    return Staged(
        stage=f"stage_rezen_{entity}",
        source_id=source_id,
        payload=payload,
        user_id=user,
        account_ref=f"rezen/a-{user}/{user}",
        source_updated_at=datetime.fromtimestamp(stamp / 1000, UTC) if stamp else None,
    )


def profile(agent: str, version: int) -> dict[str, Any]:
    """An agent as everybody sees it at one moment."""
    return {
        "id": agent,
        "fullName": f"{agent} {version}",
        "title": None if version % 2 else f"Title {version}",
        "agentStatus": "INACTIVE" if version == 2 else "ACTIVE",
        "updatedAt": START + version,
    }


def me(user: int, version: int) -> Staged:
    areas = {"administrativeAreas": [{"stateOrProvince": "UTAH"}], "_v2": {"is_self": True}}
    return staged("agents", f"a-{user}", {**profile(f"a-{user}", version), **areas}, user)


def team(name: str, version: int, user: int) -> Staged:
    return staged("teams", name, {"id": name, "name": f"{name} {version}", "updatedAt": START + version}, user)


def seat(name: str, agent: str, user: int) -> Staged:
    """A roster row has no stamp of its own, so there is one version of each."""
    version = int(name[-1]) + int(agent[-1])
    row = {
        "id": f"row-{name}-{agent}",
        "_v2": {"team_id": name},
        "roles": ["LEADER"] if agent[-1] == name[-1] else ["MEMBER"],
        "memberCommissionSplit": (0.0, 50.0, None)[version % 3],
        "agent": profile(agent, version),
    }
    return staged("team_members", f"{name}:{agent}", row, user)


def sponsor(agent: str, user: int) -> Staged:
    return staged(
        "sponsor_tree", f"a-{user}:{agent}", {"id": agent, "level": 1, "_v2": {"agent_id": f"a-{user}"}}, user
    )


def cap(user: int) -> Staged:
    return staged("cap_data", f"a-{user}", {"brokerageCapAmount": 12000, "_v2": {"agent_id": f"a-{user}"}}, user)


def deal(number: int, version: int, user: int) -> Staged:
    """A deal or (every third) a listing. Its place and its agents stay; state, money and clients change."""
    listing = number % 3 == 0
    owner = AGENTS[number % 3]
    clients = [{"id": f"c-{n}", "participantRole": "BUYER", "firstName": f"{n} {version}"} for n in range(version)]
    payload = {
        "id": f"d-{number}",
        "listing": listing,
        "lifecycleState": {"state": ("LISTING_ACTIVE", "NEW", "SETTLED", "TERMINATED")[version]},
        "price": None if version == 3 else {"amount": 1000 * number + version, "currency": "USD"},
        "myNetPayout": {"amount": user, "currency": "USD"},
        "address": {
            "street": f"{number % 2} Elm St",
            "unit": "" if number % 4 else "4B",
            "city": "Provo",
            "state": "UT",
        },
        "office": {"id": "o-1", "name": f"Office {version}"},
        "agentsInfo": {"ownerAgent": [{"yentaId": owner}], "teamId": TEAMS[number % 2]},
        "builtFromTransactionId": None if listing else "d-3",
        "participants": [
            {
                "id": "p-1",
                "participantRole": "BUYERS_AGENT",
                "yentaId": owner,
                "payment": {"percent": 0.5, "amount": 7},
            },
            {"id": "p-2", "participantRole": "OTHER_AGENT", "agentId": "a-9", "external": True},
            *clients,
        ],
        "commissionSplits": [{"yentaId": owner, "amount": {"amount": 5 + version, "currency": "USD"}}],
        "updatedAt": START + version,
    }
    return staged("listings" if listing else "transactions", f"d-{number}", payload, user)


users = st.sampled_from((1, 2))
versions = st.integers(1, 3)
records = st.one_of(
    st.builds(me, users, versions),
    st.builds(team, st.sampled_from(TEAMS), versions, users),
    st.builds(seat, st.sampled_from(TEAMS), st.sampled_from(AGENTS), users),
    st.builds(seat, st.sampled_from(TEAMS), st.sampled_from(AGENTS), users),
    st.builds(sponsor, st.sampled_from(("a-3", "a-8", "a-9")), users),
    st.builds(cap, users),
    st.builds(deal, st.integers(1, 4), versions, users),
    st.builds(deal, st.integers(1, 4), versions, users),
)


def _unlike(worlds: Iterable[Staged]) -> list[Staged]:
    return list({(r.stage, r.account_ref, r.source_id, r.source_updated_at): r for r in worlds}.values())


worlds = st.lists(records, min_size=3, max_size=14).map(_unlike)


@dataclass(frozen=True)
class Arrival:
    """A world, and one way in which it may come: in which order, what twice, and after which records is merged."""

    world: list[Staged]
    order: list[Staged]
    cuts: frozenset[int]


@st.composite
def arrivals(draw: st.DrawFn) -> Arrival:
    world = draw(worlds)
    order = draw(st.permutations([*world, *draw(st.lists(st.sampled_from(world), max_size=3))]))
    cuts = draw(st.frozensets(st.integers(1, len(order)), max_size=2))
    return Arrival(world, list(order), cuts)


def live(database: Database) -> dict[str, list[dict[str, Any]]]:
    """Live rows of every compared table. Which copy of equals a row came from is not told."""
    with database.connect() as connection:
        state = V2(connection).state(LEFT_OUT)
    return {table: kept for table, rows in state.items() if (kept := [row for row in rows if not row["deleted_at"]])}


def arrive(database: Database, order: Sequence[Staged], cuts: frozenset[int]) -> dict[str, list[dict[str, Any]]]:
    with database.connect() as connection:
        start_over(connection)
    begin = 0
    for end in sorted({*cuts, len(order)}):
        store(database, order[begin:end])
        merge_everything(database, [1, 2], REZEN)
        begin = end
    # What the second user's records told is news for the first one's, so look once more.
    merge_everything(database, [1, 2], REZEN)
    return live(database)


def the_law_holds(database: Database) -> None:
    """Nothing is pending; what is processed has its V2 row; what is a duplicate names the copy that has it."""
    with database.connect() as connection:
        for stream in STREAMS:
            if stream.integration == "rezen":
                assert _breaches(connection, stream.table, stream.primary) == []


def _breaches(connection: psycopg.Connection[Any], stage: str, table: str) -> list[Any]:
    return connection.execute(
        sql.SQL(
            "select s.id, s.status from {stage} s left join {table} v on v.id = s.v2_id"
            " left join {stage} w on w.id = s.duplicate_of where s.status = 'pending'"
            " or (s.status = 'processed' and v.id is null) or (s.status = 'duplicate' and w.status <> 'processed')"
        ).format(stage=sql.Identifier("staging", stage), table=sql.Identifier("v2", table))
    ).fetchall()


@RARELY
@given(arrival=arrivals())
def test_order_repetition_and_splitting_do_not_matter(database: Database, arrival: Arrival) -> None:
    with database.connect() as connection:
        if not connection.execute('select 1 from v2."user"').fetchone():
            enter_users(connection, USERS)
    plain = arrive(database, arrival.world, frozenset())
    assert arrive(database, arrival.order, arrival.cuts) == plain
    the_law_holds(database)
    again = merge_everything(database, [1, 2], REZEN)
    assert (again.read, written(again)) == (0, {}), "a merge with nothing new wrote something"


@pytest.mark.parametrize("table", ["agent", "team_members", "transaction", "participant", "agent_commission"])
def test_the_generated_worlds_reach_the_tables(database: Database, table: str) -> None:
    with database.connect() as connection:
        enter_users(connection, USERS)
    world = [me(1, 1), team("t-1", 1, 1), seat("t-1", "a-1", 1), deal(1, 2, 1), deal(3, 1, 1)]
    assert arrive(database, world, frozenset())[table]
