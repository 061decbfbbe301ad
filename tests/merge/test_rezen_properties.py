"""Whatever the order in which reZEN's records come, however often and however cut: V2 comes out the same."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from resources.postgres import Database
from tests.merge.arrival import RARELY, USERS, Arrival, arrivals, arrive, comes_to_the_same
from tests.merge.stage import Staged, enter_users

START = 1_757_700_000_000
AGENTS = ("a-1", "a-2", "a-3")
TEAMS = ("t-1", "t-2")


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


@RARELY
@given(arrival=arrivals(records))
def test_order_repetition_and_splitting_do_not_matter(database: Database, arrival: Arrival) -> None:
    comes_to_the_same(database, arrival)


@pytest.mark.parametrize("table", ["agent", "team_members", "transaction", "participant", "agent_commission"])
def test_the_generated_worlds_reach_the_tables(database: Database, table: str) -> None:
    with database.connect() as connection:
        enter_users(connection, USERS)
    world = [me(1, 1), team("t-1", 1, 1), seat("t-1", "a-1", 1), deal(1, 2, 1), deal(3, 1, 1)]
    assert arrive(database, world, frozenset())[table]
