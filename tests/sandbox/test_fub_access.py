"""Who may ask Follow Up Boss, how often, and what each key sees."""

from __future__ import annotations

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sandbox import Sandbox
from sandbox.limits import WINDOW_S, Limits
from tests.sandbox.conftest import Client, fub_of

LISTS = ("users", "groups", "stages", "pipelines", "people", "deals", "events", "calls", "appointments", "notes")


def everything(http: httpx.Client, path: str, **params: str) -> list[dict]:
    """All records of a collection, by token."""
    rows: list[dict] = []
    query = {"limit": "100", **params}
    while True:
        body = http.get(path, params=query).json()
        rows += body[body["_metadata"]["collection"]]
        token = body["_metadata"].get("next")
        if not token:
            return rows
        query["next"] = token


# --- the key --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("auth", [None, ("fka_nobody", ""), ("", "")])
def test_a_bad_key_is_401_with_a_challenge_and_no_rate_headers(client: Client, running: Sandbox, auth) -> None:
    answer = client(auth=auth).get(f"{running.fub_url}/people")
    assert answer.status_code == 401
    assert answer.headers["www-authenticate"] == 'Basic realm="Follow Up Boss API"'
    assert list(answer.json()) == ["errorMessage"]
    assert not [name for name in answer.headers if name.startswith("x-ratelimit")]


def test_the_key_is_the_user_name_and_any_password_is_accepted(client: Client, running: Sandbox) -> None:
    key = running.world.users[0].fub_key
    assert client(auth=(key, "anything")).get(f"{running.fub_url}/identity").status_code == 200


def test_identity_tells_account_and_user_and_so_do_the_headers(agent: httpx.Client, running: Sandbox) -> None:
    user = running.world.users[1]
    answer = agent.get("/identity")
    body = answer.json()
    assert (body["account"]["id"], body["user"]["id"]) == (user.fub_account, user.fub_user)
    assert body["account"]["owner"]["email"] == running.world.users[0].email
    assert (answer.headers["fub-account-id"], answer.headers["fub-user-id"]) == (
        str(user.fub_account),
        str(user.fub_user),
    )


def test_me_includes_the_callers_key(agent: httpx.Client, running: Sandbox) -> None:
    assert agent.get("/me").json()["apiKey"] == running.world.users[1].fub_key


def test_an_unknown_path_is_404_with_the_errors_shape(owner: httpx.Client) -> None:
    answer = owner.get("/emails")
    assert answer.status_code == 404
    assert list(answer.json()) == ["errorMessage"]


@pytest.mark.parametrize("host", ["api.followupboss.com", "127.0.0.1", "127.0.0.1:1", "example.test:80"])
def test_a_foreign_host_is_refused_by_the_cdn(owner: httpx.Client, host: str) -> None:
    answer = owner.get("/people", headers={"Host": host})
    assert answer.status_code == 421
    assert answer.headers["content-type"].startswith("text/html")
    assert "cloudfront" in answer.headers["x-cache"]


# --- roles ----------------------------------------------------------------------------------------------------------


def test_an_owner_sees_every_contact_and_an_agent_only_those_assigned(
    owner: httpx.Client, agent: httpx.Client, running: Sandbox
) -> None:
    user = running.world.users[1]
    people = running.world.accounts[user.fub_account].tables["people"].values()
    assert {p["id"] for p in everything(owner, "/people", includeTrash="true")} == {
        p["id"] for p in people if p["claimed"]
    }
    mine = everything(agent, "/people", includeTrash="true")
    assert 0 < len(mine) < len(people)
    assert {p["assignedUserId"] for p in mine} == {user.fub_user}


def test_an_agents_key_meets_404_for_anothers_contact(agent: httpx.Client, running: Sandbox) -> None:
    user = running.world.users[1]
    people = running.world.accounts[user.fub_account].tables["people"].values()
    others = next(p for p in people if p["assignedUserId"] not in (None, user.fub_user))
    assert agent.get(f"/people/{others['id']}").status_code == 404


def test_unclaimed_leads_are_shown_only_when_asked_for_and_only_to_whom_they_are_offered(
    client: Client, running: Sandbox
) -> None:
    offered = {}
    for user in running.world.users:
        http = fub_of(client, running, user)
        usual = {p["id"] for p in everything(http, "/people")}
        offers = running.world.accounts[user.fub_account].offers
        offered[user.fub_key] = {p["id"] for p in everything(http, "/people", includeUnclaimed="true")} - usual
        assert offered[user.fub_key] <= {person for person, whom in offers.items() if whom == user.fub_user}
    assert any(offered.values())


def test_a_deal_without_users_is_invisible_to_agents(client: Client, running: Sandbox) -> None:
    for user in running.world.users:
        deals = everything(fub_of(client, running, user), "/deals", includeArchived="1", includeDeleted="1")
        if user is running.world.users[0] or user.fub_user == 11:
            continue
        assert all(user.fub_user in [u["id"] for u in deal["users"]] for deal in deals)


@pytest.mark.parametrize("path", LISTS)
def test_no_key_sees_another_accounts_records(client: Client, running: Sandbox, path: str) -> None:
    first, last = running.world.users[0], running.world.users[-1]
    for user in (first, last):
        account = running.world.accounts[user.fub_account]
        rows = everything(fub_of(client, running, user), f"/{path}")
        assert rows, path
        assert all(account.tables[path][row["id"]]["id"] == row["id"] for row in rows)
        own = {r.get("name") or r.get("created") for r in rows}
        assert own <= {r.get("name") or r.get("created") for r in account.tables[path].values()}


# --- limits ---------------------------------------------------------------------------------------------------------


def test_limits_are_told_in_headers_and_depend_on_the_system_key(client: Client, own: Sandbox) -> None:
    user = own.world.users[0]
    cases = [({}, "250"), ({"X-System": "tests"}, "125"), ({"X-System": "tests", "X-System-Key": "wrong"}, "125")]
    for headers, limit in cases:
        answer = fub_of(client, own, user, **headers).get("/people")
        assert answer.headers["x-ratelimit-limit"] == limit
        assert answer.headers["x-ratelimit-window"] == "10"
        assert answer.headers["x-ratelimit-context"] == "global"
        assert int(answer.headers["x-ratelimit-remaining"]) < int(limit)


@pytest.mark.parametrize(("path", "with_key", "without"), [("/events", 20, 10), ("/notes", 10, 10)])
def test_small_contexts_are_counted_apart_and_refuse_with_retry_after(
    client: Client, own: Sandbox, path: str, with_key: int, without: int
) -> None:
    http = fub_of(client, own, own.world.users[0])
    statuses = [http.get(path, params={"limit": "1"}).status_code for _ in range(with_key + 1)]
    assert statuses == [200] * with_key + [429]
    refused = http.get(path)
    assert 1 <= int(refused.headers["retry-after"]) <= 10
    assert refused.headers["x-ratelimit-remaining"] == "0"
    assert list(refused.json()) == ["errorMessage"]
    assert http.get("/people").status_code == 200
    bare = fub_of(client, own, own.world.users[3], **{"X-System": "tests"})
    assert bare.get(path).headers["x-ratelimit-limit"] == str(without)


def test_two_keys_of_one_account_share_its_limit_and_accounts_do_not(client: Client, own: Sandbox) -> None:
    own.limits.raised = {"global": 4}
    one, two, other = (fub_of(client, own, own.world.users[i]) for i in (0, 1, 3))
    assert [h.get("/stages").status_code for h in (one, two, one, two, one, two)] == [200] * 4 + [429] * 2
    assert other.get("/stages").status_code == 200


def test_a_limit_over_all_accounts_counts_every_account(client: Client, own: Sandbox) -> None:
    own.limits.raised = {"system": 3}
    one, other = fub_of(client, own, own.world.users[0]), fub_of(client, own, own.world.users[3])
    assert [h.get("/stages").status_code for h in (one, other, one, other)] == [200, 200, 200, 429]


def test_rate_limits_are_told_to_registered_systems_only(client: Client, running: Sandbox) -> None:
    user = running.world.users[0]
    told = fub_of(client, running, user).get("/rateLimit/limits").json()
    assert told["current_limits"].keys() == {"across_all_accounts", "per_account"}
    refused = fub_of(client, running, user, **{"X-System": "tests"}).get("/rateLimit/limits")
    assert (refused.status_code, list(refused.json())) == (403, ["error"])


@given(st.lists(st.integers(min_value=0, max_value=400), max_size=60), st.integers(min_value=1, max_value=7))
def test_in_no_ten_seconds_more_calls_pass_than_are_allowed(gaps: list[int], most: int) -> None:
    """Gaps are in 64ths of a second, so that the arithmetic is exact."""
    now = 0.0
    limits = Limits({"global": most}, clock=lambda: now)
    passed: list[float] = []
    for gap in gaps:
        now += gap / 64
        _, wait = limits.arrive(1, "global", True)
        if wait is None:
            passed.append(now)
        else:
            now += wait  # after what Retry-After says, the next call passes
            assert limits.arrive(1, "global", True)[1] is None
            passed.append(now)
        assert sum(1 for then in passed if then > now - WINDOW_S) <= most
