"""However links come and go: who stands above whom is what a reckoning from nothing says, and nobody is in a circle."""

from __future__ import annotations

from itertools import pairwise
from typing import Any

import psycopg
from hypothesis import given, settings
from hypothesis import strategies as st

from resources.postgres import Database
from v2_assets.merge import derive
from v2_assets.network.units import NETWORK_HIERARCHY

AGENTS = range(1, 8)
#: Agents 1 to 3 are users, whose records tell the links; the others are stubs.
USERS = (1, 2, 3)
FARTHEST = 32

links = st.sampled_from(USERS).flatmap(
    lambda user: st.tuples(
        st.sampled_from(("sponsor", "member")),
        st.just(user),
        st.sampled_from([agent for agent in AGENTS if agent != user]),
        st.integers(1, 4),
    )
)
#: Which links a user's read puts in or takes away before the user's next merge.
reads = st.lists(st.lists(links, min_size=1, max_size=5), min_size=1, max_size=7)


@settings(max_examples=20)
@given(reads)
def test_the_kept_closure_is_the_one_reckoned_from_nothing(database: Database, told: list[list[Any]]) -> None:
    with database.connect(autocommit=True) as connection:
        _start(connection)
        for links_of_one_read in told:
            for link in links_of_one_read:
                _flip(connection, *link)
            for user in {user for _, user, _, _ in links_of_one_read}:
                derive(connection, NETWORK_HIERARCHY[0], user)
        kept = _kept(connection)
        assert {pair: depth for pair, (depth, _) in kept.items()} == _reckoned(_live(connection))
        _the_paths_are_ways(kept, _live(connection))
        for user in USERS:
            assert derive(connection, NETWORK_HIERARCHY[0], user).tables.get("network_hierarchy") is None, (
                "nothing was new"
            )


def _start(connection: psycopg.Connection[Any]) -> None:
    if connection.execute("select 1 from v2.agent").fetchone() is None:
        connection.execute(
            "insert into v2.\"user\" (id, email) select n, n || '@example.test' from unnest(%s::int[]) n", [list(USERS)]
        )
        connection.execute(
            "insert into v2.agent (id, agent_id_raw, user_id, is_stub, source) overriding system value"
            " select n, 'a-' || n, case when n = any(%s) then n end, false, 'rezen' from unnest(%s::int[]) n",
            [list(USERS), list(AGENTS)],
        )
    for table in ("network_hierarchy", "network_member", "agent_hierarchy"):
        connection.execute(f"delete from v2.{table}")


def _flip(connection: psycopg.Connection[Any], kind: str, user: int, other: int, steps: int) -> None:
    """A link that was there goes; one that was not, or was gone, comes."""
    toggle = "deleted_at = case when t.deleted_at is null then now() end"
    if kind == "sponsor":
        connection.execute(
            "insert into v2.agent_hierarchy as t (agent_id, sponsor_agent_id, level, source)"
            f" values (%s, %s, %s, 'rezen') on conflict (agent_id, sponsor_agent_id) do update set {toggle}",
            [user, other, steps],
        )
    else:
        connection.execute(
            "insert into v2.network_member as t (network_id_raw, agent_id_raw, downline_agent_id_raw, tier, agent_id,"
            " downline_agent_id, user_id, source) values (%s, %s, %s, %s, %s, %s, %s, 'rezen')"
            f" on conflict (network_id_raw) do update set {toggle}",
            [f"a-{user}-a-{other}-{steps}", f"a-{user}", f"a-{other}", steps, user, other, user],
        )


def _live(connection: psycopg.Connection[Any]) -> dict[tuple[int, int], int]:
    """Steps between the ends of each living link: the fewest that any record tells."""
    told: dict[tuple[int, int], int] = {}
    for above, below, steps in connection.execute(
        "select sponsor_agent_id, agent_id, level from v2.agent_hierarchy where deleted_at is null"
        " union all select agent_id, downline_agent_id, tier from v2.network_member where deleted_at is null"
    ):
        told[above, below] = min(steps, told.get((above, below), FARTHEST))
    return told


def _reckoned(told: dict[tuple[int, int], int]) -> dict[tuple[int, int], int]:
    """Fewest steps between any two agents, one direction of each circle."""
    away = {(a, b): told.get((a, b), FARTHEST + 1) for a in AGENTS for b in AGENTS if a != b}
    for by in AGENTS:
        for a, b in away:
            if by not in (a, b):
                away[a, b] = min(away[a, b], away[a, by] + away[by, b])
    near = {pair: steps for pair, steps in away.items() if steps <= FARTHEST}
    return {(a, b): steps for (a, b), steps in near.items() if (b, a) not in near or (steps, a) < (near[b, a], b)}


def _kept(connection: psycopg.Connection[Any]) -> dict[tuple[int, int], tuple[int, list[int]]]:
    rows = connection.execute(
        "select ancestor_agent_id, descendant_agent_id, depth, path from v2.network_hierarchy where deleted_at is null"
    )
    return {(above, below): (depth, path) for above, below, depth, path in rows}


def _the_paths_are_ways(kept: dict[tuple[int, int], tuple[int, list[int]]], told: dict[tuple[int, int], int]) -> None:
    for (above, below), (depth, path) in kept.items():
        assert (path[0], path[-1]) == (above, below)
        assert sum(told[pair] for pair in pairwise(path)) == depth
