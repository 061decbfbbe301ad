"""Each fault by its name: what a client meets, and that it ends as it was told to."""

from __future__ import annotations

from email.utils import parsedate_to_datetime
from pathlib import Path

import httpx
import pytest

from sandbox import Sandbox
from sandbox.faults import NAMES, Faults, UnknownFault
from tests.sandbox.conftest import Client, fub_of, rezen_of
from tests.sandbox.test_fub_access import everything
from tests.sandbox.test_fub_lists import rows_of


def first_team(running: Sandbox) -> str:
    return f"/teams/{next(iter(running.world.brokerage.teams))}"


# --- conditions -----------------------------------------------------------------------------------------------------


def test_a_fault_of_an_unknown_name_is_refused_with_the_names_there_are() -> None:
    with pytest.raises(UnknownFault, match="storm_429"):
        Faults().add({"name": "earthquake"})


def test_a_fault_ends_after_so_many_requests(owner: httpx.Client, running: Sandbox) -> None:
    running.faults.add({"name": "error_5xx", "times": 2})
    assert [owner.get("/stages").status_code for _ in range(3)] == [503, 503, 200]


def test_a_fault_lasts_until_it_is_cleared(owner: httpx.Client, running: Sandbox) -> None:
    running.faults.add({"name": "error_5xx", "status": 502})
    assert [owner.get("/stages").status_code for _ in range(3)] == [502] * 3
    running.faults.clear("error_5xx")
    assert owner.get("/stages").status_code == 200


def test_a_fault_may_begin_late(owner: httpx.Client, running: Sandbox) -> None:
    running.faults.add({"name": "error_5xx", "skip": 2, "times": 1})
    assert [owner.get("/stages").status_code for _ in range(4)] == [200, 200, 503, 200]


def test_a_fault_may_hit_a_share(owner: httpx.Client, running: Sandbox) -> None:
    running.faults.add({"name": "error_5xx", "share": 0.3})
    statuses = [owner.get("/stages").status_code for _ in range(100)]
    assert 10 < statuses.count(503) < 50


def test_a_fault_hits_only_its_path_its_key_or_its_account(
    client: Client, owner: httpx.Client, agent: httpx.Client, running: Sandbox
) -> None:
    other = fub_of(client, running, running.world.users[3])
    running.faults.add({"name": "error_5xx", "path": "/people"})
    assert [http.get(path).status_code for http, path in ((owner, "/people"), (owner, "/calls"))] == [503, 200]
    running.faults.clear()
    running.faults.add({"name": "error_5xx", "key": running.world.users[1].fub_key})
    assert [http.get("/people").status_code for http in (owner, agent, other)] == [200, 503, 200]
    running.faults.clear()
    running.faults.add({"name": "error_5xx", "account": running.world.users[0].fub_account})
    assert [http.get("/people").status_code for http in (owner, agent, other)] == [503, 503, 200]


# --- instead of an answer -------------------------------------------------------------------------------------------


@pytest.mark.parametrize("how", ["seconds", "date", "none"])
def test_a_storm_of_429_tells_how_long_to_wait_in_three_ways(owner: httpx.Client, running: Sandbox, how: str) -> None:
    running.faults.add({"name": "storm_429", "retry_after": how, "seconds": 3})
    answer = owner.get("/people")
    assert answer.status_code == 429
    assert int(answer.headers["x-ratelimit-remaining"]) > 0  # refused although calls are left
    told = answer.headers.get("retry-after")
    if how == "seconds":
        assert told == "3"
    elif how == "date":
        assert told is not None
        assert parsedate_to_datetime(told).tzinfo is not None
    else:
        assert told is None


@pytest.mark.parametrize(
    ("name", "status", "body"),
    [
        ("error_5xx", 503, b"<html>"),
        ("html_200", 200, b"<html>"),
        ("errors_200", 200, b'{"errors"'),
        ("null_body", 200, b"null"),
        ("forbidden_empty", 403, b""),
    ],
)
def test_answers_that_are_none(owner: httpx.Client, running: Sandbox, name: str, status: int, body: bytes) -> None:
    running.faults.add({"name": name})
    answer = owner.get("/people")
    assert answer.status_code == status
    assert answer.content.startswith(body)
    assert bool(answer.content) is bool(body)


def test_a_revoked_key_is_401_at_both_systems_in_their_own_words(
    owner: httpx.Client, yenta: httpx.Client, running: Sandbox
) -> None:
    running.faults.add({"name": "revoked_key"})
    crm, brokerage = owner.get("/identity"), yenta.get("/users/me")
    assert (crm.status_code, brokerage.status_code) == (401, 401)
    assert list(crm.json()) == ["errorMessage"]
    assert "x-ratelimit-limit" not in crm.headers
    assert list(brokerage.json()) == ["message"]


def test_an_expired_account_is_403_for_all_its_keys_and_no_other(
    client: Client, owner: httpx.Client, agent: httpx.Client, running: Sandbox
) -> None:
    running.faults.add({"name": "expired_account", "account": running.world.users[0].fub_account})
    other = fub_of(client, running, running.world.users[3])
    assert [http.get("/people").status_code for http in (owner, agent, other)] == [403, 403, 200]


@pytest.mark.parametrize("after", ["nothing", "headers"])
def test_a_stall_outlasts_the_clients_patience_before_or_after_the_head(
    client: Client, running: Sandbox, after: str
) -> None:
    running.faults.add({"name": "stall", "seconds": 30, "after": after})
    http = fub_of(client, running, running.world.users[0])
    with pytest.raises(httpx.ReadTimeout):
        http.get("/people", timeout=0.3)


# --- damaged on the way ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["truncated_body", "connection_reset"])
def test_a_body_that_ends_early_is_an_error_to_the_client(owner: httpx.Client, running: Sandbox, name: str) -> None:
    running.faults.add({"name": name, "times": 1})
    with pytest.raises(httpx.RemoteProtocolError):
        owner.get("/people")
    assert owner.get("/people").status_code == 200


def test_a_slow_body_comes_byte_by_byte(owner: httpx.Client, running: Sandbox) -> None:
    running.faults.add({"name": "slow_body", "seconds_per_byte": 0.003, "times": 1})
    with owner.stream("GET", "/stages", params={"limit": "1"}) as answer:
        chunks = list(answer.iter_raw())
    assert len(chunks) > 20  # the network may glue some together
    assert b"".join(chunks) == owner.get("/stages", params={"limit": "1"}).content


# --- other content --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("to", ["members", "teamMembers", "content", "unknown", "root"])
def test_a_roster_appears_under_another_name_or_at_the_root(yenta: httpx.Client, running: Sandbox, to: str) -> None:
    usual = yenta.get(first_team(running)).json()["agents"]
    running.faults.add({"name": "roster_key", "to": to})
    body = yenta.get(first_team(running)).json()
    if to == "root":
        assert body == usual
    else:
        assert "agents" not in body
        assert body["people" if to == "unknown" else to] == usual


@pytest.mark.parametrize("to", ["content", "root", "unknown"])
def test_a_list_of_deals_appears_under_another_name(arrakis: httpx.Client, running: Sandbox, to: str) -> None:
    path = f"/transactions/participant/{running.world.users[0].agent_id}/transactions/OPEN"
    params = {"pageNumber": "0", "pageSize": "5"}
    usual = arrakis.get(path, params=params).json()["transactions"]
    running.faults.add({"name": "list_key", "to": to})
    body = arrakis.get(path, params=params).json()
    assert (body if to == "root" else body["rows" if to == "unknown" else to]) == usual
    assert "transactions" not in body


def test_counts_can_disagree_with_the_lists(arrakis: httpx.Client, running: Sandbox) -> None:
    path = f"/transactions/participant/{running.world.users[0].agent_id}/transactions/lifecycle-group-counts"
    usual = arrakis.get(path).json()
    running.faults.add({"name": "counts_off", "by": 2})
    assert arrakis.get(path).json() == usual | {"OPEN": usual["OPEN"] + 2}


def test_a_repeated_token_leads_to_the_same_page_for_ever(owner: httpx.Client, running: Sandbox) -> None:
    token = owner.get("/people").json()["_metadata"]["next"]
    running.faults.add({"name": "repeated_token"})
    pages = [owner.get("/people", params={"next": token}).json() for _ in range(2)]
    assert pages[0] == pages[1]
    assert pages[0]["_metadata"]["next"] == token


def test_an_empty_page_in_the_middle_still_names_the_next(owner: httpx.Client, running: Sandbox) -> None:
    running.faults.add({"name": "empty_page", "times": 1})
    body = owner.get("/people").json()
    assert body["people"] == []
    assert body["_metadata"]["next"]
    assert body["_metadata"]["total"] > 0


def test_an_ignored_filter_gives_the_whole_list(owner: httpx.Client, running: Sandbox) -> None:
    running.faults.add({"name": "ignored_filter", "path": "/people"})
    future = {"updatedAfter": "2099-01-01T00:00:00Z"}
    total = owner.get("/people").json()["_metadata"]["total"]
    assert owner.get("/people", params=future).json()["_metadata"]["total"] == total > 0
    assert owner.get("/calls", params=future).json()["_metadata"]["total"] == 0


@pytest.mark.parametrize("missing", [0.4, 1.0])
def test_records_can_vanish_from_a_list_without_being_deleted(
    owner: httpx.Client, running: Sandbox, missing: float
) -> None:
    usual = everything(owner, "/people")
    running.faults.add({"name": "vanished", "missing": missing})
    left = everything(owner, "/people")
    assert len(left) == pytest.approx(len(usual) * (1 - missing), abs=len(usual) * 0.05)
    gone = next(p for p in usual if p["id"] not in {q["id"] for q in left})
    assert owner.get(f"/people/{gone['id']}").status_code == 200


def test_a_lowered_limit_holds_until_it_is_cleared(owner: httpx.Client, running: Sandbox) -> None:
    running.faults.add({"name": "lowered_limit", "limit": 1})
    first, second = owner.get("/groups"), owner.get("/groups")
    assert second.status_code == 429
    assert second.headers["x-ratelimit-limit"] == "1"
    running.faults.clear()
    assert owner.get("/groups").status_code == 200
    assert first.status_code in (200, 429)  # the window may be full of earlier calls


@pytest.mark.parametrize(
    ("fault", "field"),
    [
        ({"name": "unreadable_date"}, "updated"),
        ({"name": "invalid_record"}, "created"),
        ({"name": "invalid_record", "kind": "type"}, "price"),
        ({"name": "invalid_record", "kind": "missing_id"}, "id"),
        ({"name": "invalid_record", "kind": "nul"}, "name"),
        ({"name": "invalid_record", "kind": "surrogate"}, "name"),
        ({"name": "invalid_record", "kind": "unknown_field"}, "somethingNew"),
        ({"name": "invalid_record", "field": "stageId", "value": "two"}, "stageId"),
    ],
)
def test_one_record_of_a_page_breaks_its_contract_and_the_others_do_not(
    owner: httpx.Client, running: Sandbox, fault: dict, field: str
) -> None:
    usual = rows_of(owner.get("/people"))
    running.faults.add(fault)
    broken = rows_of(owner.get("/people"))
    assert broken[0].get(field) != usual[0].get(field)
    assert broken[1:] == usual[1:]


def test_a_record_may_be_five_megabytes_long(owner: httpx.Client, running: Sandbox) -> None:
    running.faults.add({"name": "invalid_record", "kind": "huge"})
    assert len(owner.get("/people", params={"limit": "1"}).content) > 5_000_000


def test_a_deal_with_an_unreadable_date(client: Client, running: Sandbox) -> None:
    user = running.world.users[0]
    http = rezen_of(client, running, user, "arrakis")
    deal = next(i for i, viewers in running.world.brokerage.viewers.items() if user.agent_id in viewers)
    running.faults.add({"name": "unreadable_date", "path": "/transactions/[^/]+$", "times": 1})
    assert isinstance(http.get(f"/transactions/{deal}").json()["updatedAt"], str)
    assert isinstance(http.get(f"/transactions/{deal}").json()["updatedAt"], int)


def test_every_fault_is_met_by_a_test() -> None:
    tests = Path(__file__).parents[1]
    files = [file for folder in ("sandbox", "apis") for file in (tests / folder).glob("test_*.py")]
    text = "".join(file.read_text(encoding="utf-8") for file in files)
    assert not [name for name in NAMES if f'"{name}"' not in text]
