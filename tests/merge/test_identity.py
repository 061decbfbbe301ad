"""Who is who: users, agents and teams find each other whatever comes first, and a row keeps its id when it is known."""

from __future__ import annotations

from typing import Any

from resources.postgres import Database
from tests.merge.stage import Staged, enter_users, merge_everything, store

REZEN = {"platform": "rezen", "account_id": "a-1", "external_user_id": "a-1"}
AGENT = {"agentStatus": "ACTIVE", "updatedAt": 1_760_000_000_000}


def of_rezen(entity: str, source_id: str, **payload: Any) -> Staged:
    return Staged(f"stage_rezen_{entity}", source_id, payload, 1, "rezen/a-1/1")


def profile(agent: str) -> Staged:
    return of_rezen("agents", agent, id=agent, fullName=f"Agent {agent}", **AGENT)


def team(number: int) -> Staged:
    return of_rezen("teams", f"t-{number}", id=f"t-{number}", name=f"Team {number}", type="PRO", status="ACTIVE")


def seat(number: int, role: str = "MEMBER") -> Staged:
    return of_rezen(
        "team_members",
        f"t-{number}:a-1",
        id="row",
        roles=[role],
        agent={"id": "a-1", **AGENT},
        _v2={"team_id": f"t-{number}"},
    )


def merge(database: Database, *staged: Staged) -> None:
    store(database, staged)
    merge_everything(database, [1])


def rows(database: Database, query: str) -> list[Any]:
    with database.connect() as connection:
        return connection.execute(query.encode()).fetchall()


def enter(database: Database, *users: dict[str, Any]) -> None:
    with database.connect() as connection:
        enter_users(connection, users)


def test_a_stub_that_becomes_real_keeps_its_id_and_everything_that_points_to_it(database: Database) -> None:
    enter(database, {"id": 1, "credentials": [REZEN]})
    merge(
        database,
        profile("a-1"),
        of_rezen(
            "transactions",
            "tx-1",
            id="tx-1",
            listing=False,
            participants=[{"id": "p-1", "participantRole": "BUYERS_AGENT", "yentaId": "a-9"}],
            agentsInfo={"ownerAgent": [{"yentaId": "a-9"}]},
            updatedAt=1_757_786_400_000,
        ),
        of_rezen("network_downline", "a-1:a-9:1", id="a-9", status="ACTIVE", _v2={"agent_id": "a-1", "tier": 1}),
        of_rezen(
            "contributions",
            "c-1",
            id="c-1",
            agentYentaId="a-9",
            amount={"amount": 10, "currency": "USD"},
            _v2={"agent_id": "a-1", "tier": 1, "missed": False},
        ),
    )
    stub = "select id, is_stub, display_name from v2.agent where agent_id_raw = 'a-9'"
    pointing = (
        "select (select transaction_owner_agent_id from v2.transaction), (select agent_id from v2.participant),"
        " (select downline_agent_id from v2.network_member), (select contributing_agent_id from v2.contribution)"
    )
    ((number, is_stub, name),) = rows(database, stub)
    assert (is_stub, name) == (True, None)
    assert rows(database, pointing) == [(number,) * 4]
    merge(database, profile("a-9"))
    assert rows(database, stub) == [(number, False, "Agent a-9")]
    assert rows(database, pointing) == [(number,) * 4]


def test_one_user_on_four_teams_has_four_seats_and_leads_where_the_roster_says_so(database: Database) -> None:
    enter(database, {"id": 1, "credentials": [REZEN]})
    merge(database, profile("a-1"), *(team(n) for n in (1, 2, 3, 4)), seat(1), seat(2), seat(3, "LEADER"), seat(4))
    seats = (
        "select t.team_id_raw, m.is_leader, a.user_id from v2.team_members m join v2.team t on t.id = m.team_id"
        " join v2.agent a on a.id = m.agent_id where m.deleted_at is null order by 1"
    )
    assert rows(database, seats) == [("t-1", False, 1), ("t-2", False, 1), ("t-3", True, 1), ("t-4", False, 1)]
    # The team that a user leads is the user's own; an agent's is the first by the source's id.
    whose = (
        "select tu.team_id_raw, ta.team_id_raw from v2.user u join v2.team tu on tu.id = u.team_id"
        " join v2.agent a on a.id = u.agent_id join v2.team ta on ta.id = a.team_id"
    )
    assert rows(database, whose) == [("t-3", "t-1")]
    assert rows(database, "select count(*) from v2.agent") == [(1,)]


def test_an_agent_is_nobodys_until_its_user_connects_and_a_user_no_agent_until_it_is_read(database: Database) -> None:
    enter(database, {"id": 1, "credentials": [REZEN]}, {"id": 2})
    merge(database, profile("a-1"), team(1), seat(1), of_rezen("agents", "a-2", id="a-2", fullName="Two", **AGENT))
    agents = "select agent_id_raw, user_id from v2.agent order by 1"
    users = "select u.id, a.agent_id_raw from v2.user u left join v2.agent a on a.id = u.agent_id order by 1"
    assert rows(database, agents) == [("a-1", 1), ("a-2", None)]
    assert rows(database, users) == [(1, "a-1"), (2, None)]
    with database.connect() as connection:
        connection.execute(
            "insert into v2.credentials (user_id, platform, account_id, external_user_id, state, verified, verified_at)"
            " values (2, 'rezen', 'a-2', 'a-2', 'ok', true, now())"
        )
    merge_everything(database, [2])
    assert rows(database, agents) == [("a-1", 1), ("a-2", 2)]
    assert rows(database, users) == [(1, "a-1"), (2, "a-2")]
