"""The sandbox's own door, and that a restart of the real process comes back to the same world."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx
import pytest

from sandbox import Sandbox
from sandbox.facts import FUB_ENTITIES
from sandbox.state import STATE_FILE, open_world
from sandbox.world import Scale
from tests.sandbox.conftest import Client, fub_of, rezen_of
from tests.sandbox.test_fub_access import everything
from tests.sandbox.test_rezen import of, pages


@pytest.fixture
def door(client: Client, running: Sandbox) -> httpx.Client:
    return client(base_url=f"{running.url}/_world")


def test_health_and_credentials_name_who_can_do_what(door: httpx.Client, running: Sandbox, client: Client) -> None:
    assert door.get("/health").json()["seed"] == running.world.seed
    told = door.get("/credentials").json()
    assert (told["fub_base_url"], told["rezen_base_url"]) == (running.fub_url, running.rezen_url)
    for told_user, user in zip(told["users"], running.world.users, strict=True):
        assert (told_user["email"], told_user["name"]) == (user.email, user.name)
        http = client(auth=(told_user["fub"]["api_key"], ""))
        assert str(http.get(f"{running.fub_url}/identity").json()["account"]["id"]) == told_user["fub"]["account_id"]
        headers = {"X-API-KEY": told_user["rezen"]["api_key"]}
        me = client(headers=headers).get(running.rezen_url.format(service="yenta") + "/users/me").json()
        assert me["id"] == told_user["rezen"]["account_id"]


@pytest.mark.parametrize("entity", sorted(set(FUB_ENTITIES) - {"text_messages"}))
@pytest.mark.parametrize("number", [0, 1, 3])
def test_the_facts_are_what_the_crm_shows(
    client: Client, door: httpx.Client, running: Sandbox, entity: str, number: int
) -> None:
    user = running.world.users[number]
    ids = door.get(f"/facts/fub/{entity}", params={"key": user.fub_key}).json()["ids"]
    all_of_it = {"includeTrash": "true", "includeUnclaimed": "true", "includeArchived": "1", "includeDeleted": "true"}
    rows = everything(fub_of(client, running, user), f"/{FUB_ENTITIES[entity]}", **all_of_it)
    assert {str(row["id"]): row.get("updated") for row in rows} == ids


@pytest.mark.parametrize(("entity", "kind"), [("transactions", "transactions"), ("listings", "listing-transactions")])
def test_the_facts_are_what_rezen_shows(
    client: Client, door: httpx.Client, running: Sandbox, entity: str, kind: str
) -> None:
    user = running.world.users[0]
    ids = door.get(f"/facts/rezen/{entity}", params={"key": user.rezen_key}).json()["ids"]
    http = rezen_of(client, running, user, "arrakis")
    rows = [row for group in ("OPEN", "CLOSED", "TERMINATED") for row in pages(http, of(running, kind, group))]
    assert {row["id"]: row["updatedAt"] for row in rows} == ids


def test_an_unknown_question_is_404(door: httpx.Client, running: Sandbox) -> None:
    key = running.world.users[0].fub_key
    for path in ("/facts/fub/nothing", "/facts/nobody/people", "/facts/rezen/agents"):
        assert door.get(path, params={"key": key}).status_code == 404


def test_requests_are_counted_by_path_status_and_account_until_they_are_reset(
    door: httpx.Client, owner: httpx.Client, running: Sandbox
) -> None:
    owner.get("/people/1")
    owner.get("/people/2")
    owner.get("/people", params={"fields": "nonsense"})
    counted = {(r["path"], r["status"]): r for r in door.get("/requests").json()["requests"]}
    assert counted["/fub/v1/people/{id}", 200]["count"] == 2
    assert counted["/fub/v1/people", 400]["count"] == 1
    assert counted["/fub/v1/people", 400]["account"] == "77001"
    assert running.world.users[0].fub_key not in door.get("/requests").text
    assert "/fub/v1/people?fields=nonsense" in door.get("/requests").json()["latest"]
    assert door.post("/requests/reset").json()["requests"] == []
    owner.get("/people/1")
    assert door.delete("/requests").json()["requests"] == []


def test_faults_and_limits_are_set_and_cleared_from_outside(
    door: httpx.Client, owner: httpx.Client, running: Sandbox
) -> None:
    told = door.post("/fault", json={"name": "error_5xx", "path": "/people", "times": 5}).json()
    assert told["active"] == [{"name": "error_5xx", "path": "/people", "times": 5, "skip": 0, "share": 1.0}]
    assert owner.get("/people").status_code == 503
    assert door.get("/fault").json()["active"][0]["times"] == 4
    assert door.delete("/fault").json()["active"] == []
    assert owner.get("/people").status_code == 200
    assert door.post("/fault", json={"name": "earthquake"}).status_code == 400
    assert door.post("/fault", json={"name": "stall", "path": "("}).status_code == 400
    door.post("/limits", json={"global": 7})
    assert owner.get("/people").headers["x-ratelimit-limit"] == "7"
    assert door.post("/limits", json={"global": "many"}).status_code == 400


def test_a_step_is_seen_by_the_next_request(client: Client, own: Sandbox) -> None:
    http, door = fub_of(client, own, own.world.users[0]), client(base_url=f"{own.url}/_world")
    total = http.get("/people", params={"includeTrash": "true"}).json()["_metadata"]["total"]
    told = door.post("/step").json()["fub"]["77001"]
    rows = everything(http, "/people", includeTrash="true", includeUnclaimed="true")
    ids = {row["id"] for row in rows}
    assert len(ids) != total
    assert not ids & set(told["deleted"])
    late = http.get(f"/people/{told['late'][0]}")
    assert late.status_code in (200, 404)  # 404: offered to another


def test_a_contact_is_reassigned_from_outside(client: Client, own: Sandbox) -> None:
    door, user = client(base_url=f"{own.url}/_world"), own.world.users[1]
    answer = door.post("/reassign", json={"account": 77_001, "person": 1, "user": user.fub_user})
    assert answer.json()["assignedUserId"] == user.fub_user
    assert fub_of(client, own, user).get("/people/1").status_code == 200
    assert door.post("/reassign", json={"account": 77_001, "person": 999_999, "user": 11}).status_code == 400
    assert door.post("/reassign", json={}).status_code == 400


# --- the process ----------------------------------------------------------------------------------------------------


@contextmanager
def process(home: Path, *more: str) -> Iterator[tuple[subprocess.Popen[str], httpx.Client]]:
    """`python -m sandbox` on a free port."""
    command = [sys.executable, "-m", "sandbox", "--port", "0", "--home", str(home), *more]
    root = Path(__file__).parents[2]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, cwd=root, env=dict(os.environ)) as running:
        assert running.stdout
        url = running.stdout.readline().split()[2]
        try:
            with httpx.Client(base_url=url, trust_env=False, timeout=10) as http:
                yield running, http
        finally:
            running.terminate()
            running.wait(10)


def told_by(http: httpx.Client) -> list[bytes]:
    """The truth as the process tells it, for all keys."""
    told = []
    for user in http.get("/_world/credentials").json()["users"]:
        for system in ("fub", "rezen"):
            for entity in ("people", "calls", "transactions", "team_members"):
                answer = http.get(f"/_world/facts/{system}/{entity}", params={"key": user[system]["api_key"]})
                told.append(answer.content)
    return told


def test_a_restart_replays_steps_faults_and_limits_to_the_same_world(tmp_path: Path) -> None:
    with process(tmp_path, "--people", "200", "--deals", "60", "--seed", "5", "--seats", "2,1") as (_, http):
        for _ in range(2):
            http.post("/_world/step")
        http.post("/_world/reassign", json={"account": 77_001, "person": 7, "user": 12})
        http.post("/_world/fault", json={"name": "error_5xx", "path": "/deals"})
        http.post("/_world/limits", json={"global": 33})
        before = told_by(http)
    # The arguments of a restart do not matter: the home knows its world.
    with process(tmp_path, "--people", "10", "--seed", "6") as (_, http):
        assert told_by(http) == before
        assert [f["name"] for f in http.get("/_world/fault").json()["active"]] == ["error_5xx"]
        assert http.get("/_world/limits").json() == {"global": 33}
        key = http.get("/_world/credentials").json()["users"][0]["fub"]["api_key"]
        assert http.get("/fub/v1/deals", auth=(key, "")).status_code == 503
        assert http.get("/fub/v1/people", auth=(key, "")).json()["_metadata"]["total"] > 50


def test_the_process_ends_at_sigterm_even_while_an_answer_stalls(tmp_path: Path) -> None:
    with process(tmp_path, "--people", "20", "--deals", "5") as (running, http):
        http.post("/_world/fault", json={"name": "stall", "seconds": 600})
        with pytest.raises(httpx.ReadTimeout):
            http.get("/fub/v1/people", timeout=0.2)
        running.terminate()
        assert running.wait(10) is not None


def test_a_state_of_another_version_is_named_and_not_overwritten(tmp_path: Path) -> None:
    file = tmp_path / STATE_FILE
    file.write_text(json.dumps({"seed": 7, "steps": []}))
    with pytest.raises(ValueError, match=STATE_FILE):
        open_world(tmp_path, 7, Scale())
    assert json.loads(file.read_text()) == {"seed": 7, "steps": []}


@pytest.mark.parametrize("system", ["fub", "rezen"])
def test_a_key_that_is_made_anew_replaces_the_old_one_which_is_refused(
    client: Client, own: Sandbox, system: str
) -> None:
    user = own.world.users[1]
    old = user.fub_key if system == "fub" else user.rezen_key

    def status(key: str) -> int:
        if system == "fub":
            return client(auth=(key, "")).get(f"{own.fub_url}/identity").status_code
        url = own.rezen_url.format(service="yenta") + "/users/me"
        return client(headers={"X-API-KEY": key}).get(url).status_code

    answer = httpx.post(f"{own.url}/_world/rotate", json={"system": system, "key": old}, trust_env=False)
    assert (status(old), status(answer.json()["key"])) == (401, 200)
    assert answer.json()["key"] in (user.fub_key, user.rezen_key)
    assert httpx.post(f"{own.url}/_world/rotate", json={"system": system, "key": old}, trust_env=False).is_error
