"""reZEN: keys, profiles, teams, and an agent's deals."""

from __future__ import annotations

import httpx
import pytest

from sandbox import Sandbox
from tests.sandbox.conftest import Client, rezen_of

WRAPPED = "com.real.commons.apierror.ApiError"


def pages(http: httpx.Client, path: str, size: int = 20, **params: str) -> list[dict]:
    """All rows of an agent's list."""
    rows: list[dict] = []
    number = 0
    while True:
        body = http.get(path, params={"pageNumber": str(number), "pageSize": str(size), **params}).json()
        rows += body["transactions"]
        number += 1
        if not body["hasNext"]:
            assert len(rows) == body["totalCount"]
            return rows


def of(running: Sandbox, kind: str = "transactions", group: str = "OPEN") -> str:
    return f"/transactions/participant/{running.world.users[0].agent_id}/{kind}/{group}"


# --- the key --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("service", ["yenta", "arrakis", "keymaker"])
@pytest.mark.parametrize("headers", [{}, {"X-API-KEY": "real_nobody"}])
def test_a_missing_or_bad_key_is_401_in_the_flat_shape(
    client: Client, running: Sandbox, service: str, headers: dict[str, str]
) -> None:
    path = {"yenta": "/users/me", "arrakis": "/transactions/x", "keymaker": "/api-keys"}[service]
    answer = client(headers=headers).get(running.rezen_url.format(service=service) + path)
    assert answer.status_code == 401
    assert isinstance(answer.json()["message"], str)


def test_a_key_sent_as_bearer_is_403_without_a_body(client: Client, running: Sandbox) -> None:
    headers = {"Authorization": f"Bearer {running.world.users[0].rezen_key}"}
    answer = client(headers=headers).get(running.rezen_url.format(service="yenta") + "/users/me")
    assert (answer.status_code, answer.content) == (403, b"")


def test_users_me_is_the_agent_of_the_key(yenta: httpx.Client, running: Sandbox) -> None:
    body = yenta.get("/users/me").json()
    assert (body["id"], body["type"]) == (running.world.users[0].agent_id, "AGENT")
    assert isinstance(body["displayName"], str)


def test_each_service_knows_only_its_own_paths(yenta: httpx.Client, arrakis: httpx.Client, running: Sandbox) -> None:
    deal = next(iter(running.world.brokerage.deals))
    assert arrakis.get("/users/me").status_code == 404
    assert arrakis.get(f"/agents/{running.world.users[0].agent_id}/cap-info").status_code == 404
    assert yenta.get(f"/transactions/{deal}").status_code == 404


def test_there_is_no_service_of_the_old_name(client: Client, running: Sandbox) -> None:
    assert rezen_of(client, running, running.world.users[0], "yoda").get("/users/me").status_code == 404


def test_keymaker_refuses_callers_that_do_not_name_themselves(client: Client, running: Sandbox) -> None:
    http = rezen_of(client, running, running.world.users[0], "keymaker")
    assert http.get("/api-keys", headers={"User-Agent": "python-urllib/3.11"}).status_code == 403
    assert http.get("/api-keys", headers={"User-Agent": "v2-assets/1.0"}).json()[0]["keyPrefix"].startswith("real_")


# --- people and teams -----------------------------------------------------------------------------------------------


def test_an_agent_has_the_44_keys_and_alone_also_teams_and_areas(yenta: httpx.Client, running: Sandbox) -> None:
    agent = running.world.users[0].agent_id
    listed = yenta.get("/agents/ids", params={"agentIds": agent}).json()["agents"][0]
    assert len(listed) == 44
    single = yenta.get(f"/agents/{agent}").json()
    assert single.keys() - listed.keys() == {"teams", "offices", "administrativeAreas"}
    assert single == yenta.get("/agents/me").json()
    assert {"teamId", "teamName", "teamType", "teamRoles", "isLeader", "isAdmin"} == single["teams"][0].keys()


def test_instants_are_milliseconds_and_dates_are_dates(yenta: httpx.Client) -> None:
    me = yenta.get("/agents/me").json()
    assert len(str(me["updatedAt"])) == 13
    assert len(me["joinDate"]) == 10


def test_at_most_twenty_agents_are_asked_for_at_once(yenta: httpx.Client, running: Sandbox) -> None:
    agents = list(running.world.brokerage.agents)
    assert len(yenta.get("/agents/ids", params={"agentIds": agents[:20]}).json()["agents"]) == 20
    assert yenta.get("/agents/ids", params={"agentIds": agents[:21]}).status_code == 400


def test_agents_by_mail_are_a_bare_list_whatever_the_case(yenta: httpx.Client, running: Sandbox) -> None:
    agent = running.world.brokerage.agents[running.world.users[0].agent_id]
    found = yenta.get("/agents", params={"emailAddress": agent["emailAddress"].upper()}).json()
    assert [a["id"] for a in found] == [agent["id"]]
    assert yenta.get("/agents").status_code == 400


@pytest.mark.parametrize("path", ["/agents/nobody", "/teams/nothing", "/teams/nothing/members", "/agents/x/cap-info"])
def test_what_does_not_exist_is_404_in_the_wrapped_shape(yenta: httpx.Client, path: str) -> None:
    answer = yenta.get(path)
    assert answer.status_code == 404
    assert answer.json()[WRAPPED]["status"] == "NOT_FOUND"


def test_a_team_carries_its_roster_and_says_less_when_asked_to(yenta: httpx.Client, running: Sandbox) -> None:
    team = yenta.get("/agents/me").json()["teams"][0]["teamId"]
    whole = yenta.get(f"/teams/{team}").json()
    assert whole["agents"] == yenta.get(f"/teams/{team}/members").json()["members"]
    assert "agents" not in yenta.get(f"/teams/{team}/without-agents").json()
    assert whole["teamInvitations"]


def test_a_roster_rows_id_is_never_its_agents_and_the_agent_is_nested_or_flat(
    yenta: httpx.Client, running: Sandbox
) -> None:
    rows = [row for team in running.world.brokerage.teams for row in yenta.get(f"/teams/{team}").json()["agents"]]
    nested = [row for row in rows if "agent" in row]
    flat = [row for row in rows if "agent" not in row]
    assert nested
    assert flat
    assert all(row["id"] != row["agent"]["id"] for row in nested)
    assert all(row["id"] != row["yentaId"] for row in flat)
    assert 0.0 in [row["memberCommissionSplit"] for row in rows]
    assert all(len(row["roles"]) == 1 for row in rows)


def test_somebody_is_on_two_teams(yenta: httpx.Client, running: Sandbox) -> None:
    assert len(yenta.get(f"/agents/{running.world.users[2].agent_id}").json()["teams"]) == 2


def test_a_sponsor_tree_may_have_two_on_one_level_and_brings_the_teams(yenta: httpx.Client, running: Sandbox) -> None:
    tree = yenta.get(f"/agents/{running.world.users[0].agent_id}/sponsor-tree").json()
    levels = [sponsor["level"] for sponsor in tree["flattenedSponsors"]]
    assert levels == sorted(levels)
    assert levels.count(1) == 2
    assert tree["teams"][0]["agents"]


def test_cap_amounts_are_objects_or_bare_numbers(yenta: httpx.Client, running: Sandbox) -> None:
    shapes = set()
    for user in running.world.users:
        cap = yenta.get(f"/agents/{user.agent_id}/cap-info").json()
        assert cap["teamCapAmount"] is None
        shapes.add(type(cap["brokerageCapAmount"]))
    assert shapes == {dict, float}


# --- deals ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("params", [{}, {"pageNumber": "0"}, {"pageSize": "10"}, {"pageNumber": "x", "pageSize": "1"}])
def test_a_list_needs_page_number_and_page_size(
    arrakis: httpx.Client, running: Sandbox, params: dict[str, str]
) -> None:
    assert arrakis.get(of(running), params=params).status_code == 400


def test_an_unknown_group_or_kind_is_refused(arrakis: httpx.Client, running: Sandbox) -> None:
    params = {"pageNumber": "0", "pageSize": "1"}
    assert arrakis.get(of(running, group="ANY"), params=params).status_code == 400
    assert arrakis.get(of(running, kind="rentals"), params=params).status_code == 404


@pytest.mark.parametrize("kind", ["transactions", "listing-transactions"])
@pytest.mark.parametrize("group", ["OPEN", "CLOSED", "TERMINATED"])
def test_the_counts_agree_with_the_lists_and_groups_do_not_overlap(
    arrakis: httpx.Client, running: Sandbox, kind: str, group: str
) -> None:
    counts = arrakis.get(of(running, kind, "lifecycle-group-counts")).json()
    rows = pages(arrakis, of(running, kind, group), size=7)
    assert counts[group] == len(rows) == len({row["id"] for row in rows})
    assert all(row["listing"] is (kind == "listing-transactions") for row in rows)
    assert all(row["closed"] is (group == "CLOSED") for row in rows)


def test_the_transactions_side_also_lists_listings_by_their_own_groups(arrakis: httpx.Client, running: Sandbox) -> None:
    active = pages(arrakis, of(running, group="LISTING_ACTIVE"))
    assert {row["id"] for row in active} == {r["id"] for r in pages(arrakis, of(running, "listing-transactions"))}


def test_lists_are_sorted_as_asked(arrakis: httpx.Client, running: Sandbox) -> None:
    path = of(running, group="CLOSED")
    created = [row["createdAt"] for row in pages(arrakis, path)]
    updated = [row["updatedAt"] for row in pages(arrakis, path, sortBy="UPDATED_AT", sortDirection="DESC")]
    assert created == sorted(created)
    assert updated == sorted(updated, reverse=True)


def test_a_page_behind_the_last_is_empty(arrakis: httpx.Client, running: Sandbox) -> None:
    body = arrakis.get(of(running), params={"pageNumber": "999", "pageSize": "20"}).json()
    assert (body["transactions"], body["hasNext"]) == ([], False)


def test_rows_are_thin_and_the_deal_itself_is_whole(arrakis: httpx.Client, running: Sandbox) -> None:
    row = pages(arrakis, of(running))[0]
    whole = arrakis.get(f"/transactions/{row['id']}").json()
    assert "participants" not in row
    assert whole["participants"]
    assert {name: whole[name] for name in row} == row
    assert not [name for name in whole if name.startswith("_")]
    assert arrakis.get(f"/transactions/code/{whole['code']}").json() == whole
    assert arrakis.get("/transactions/lite/batch-get", params={"transactionIds": f"{row['id']},x"}).json() == [row]


def test_another_agents_lists_and_deals_are_403_with_a_message(
    client: Client, arrakis: httpx.Client, running: Sandbox
) -> None:
    me = running.world.users[0].agent_id
    hidden = next(deal for deal, viewers in running.world.brokerage.viewers.items() if me not in viewers)
    for path in (
        f"/transactions/{hidden}",
        f"/transactions/participant/{running.world.users[1].agent_id}/transactions/lifecycle-group-counts",
    ):
        answer = arrakis.get(path)
        assert answer.status_code == 403
        assert isinstance(answer.json()["message"], str)


def test_a_shared_deal_is_one_deal_with_a_payout_that_depends_on_the_viewer(client: Client, running: Sandbox) -> None:
    brokerage = running.world.brokerage
    by_agent = {user.agent_id: user for user in running.world.users}
    shared, viewers = next(
        (deal, viewers)
        for deal, viewers in brokerage.viewers.items()
        if len(viewers) == 2 and brokerage.deals[deal]["_net"]
    )
    one, other = (
        rezen_of(client, running, by_agent[viewer], "arrakis").get(f"/transactions/{shared}").json()
        for viewer in viewers
    )
    assert one.pop("myNetPayout") != other.pop("myNetPayout")
    assert one == other


def test_a_deal_that_does_not_exist_is_404_in_the_wrapped_shape(arrakis: httpx.Client) -> None:
    answer = arrakis.get("/transactions/00000000-0000-4000-8000-000000000000")
    assert answer.status_code == 404
    assert answer.json()[WRAPPED]["message"]
