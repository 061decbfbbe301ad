"""Tasks over HTTP, against the platform's web server with our definitions; without a daemon runs stay queued."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from pydantic import SecretStr
from websockets.exceptions import InvalidStatus
from websockets.sync.client import connect
from websockets.typing import Origin, Subprotocol

from resources.errors import ConfigError
from resources.postgres import Database
from resources.processes import free_port, wait_until
from sensors.ranges import tags_for
from tests.api.conftest import Built, generous, served
from tests.api.world import ADMIN, ANN, CAT
from v2_assets.api import tokens
from v2_assets.launching import RunFailed, WebServer

ROOT = Path(__file__).parents[2]
#: All that the endpoints have; the UI itself is behind another.
TASKS_KEY, UI_KEY = "the-key-for-tasks", "the-key-of-the-proxy"


@pytest.fixture(scope="module")
def web_port(tmp_path_factory: pytest.TempPathFactory) -> Iterator[int]:
    """The web server over the platform's definitions, as the location the platform serves them at."""
    home, port = tmp_path_factory.mktemp("dagster"), free_port()
    (home / "dagster.yaml").write_text("telemetry: {enabled: false}\n")
    workspace = home / "workspace.yaml"
    workspace.write_text(
        "load_from:\n  - python_module: {module_name: v2_assets.definitions, location_name: v2,"
        f" working_directory: {ROOT}}}\n"
    )
    argv = [sys.executable, "-m", "v2_assets.webserver"]
    log = (home / "log").open("wb")
    told = {"DAGSTER_HOME": str(home), "V2_UI_PORT": str(port), "V2_UI_KEY": UI_KEY, "V2_API_TASKS_KEY": TASKS_KEY}
    server = subprocess.Popen(argv, env=os.environ | told, cwd=home, stdout=log, stderr=log)

    def answers() -> bool:
        try:
            return httpx.get(f"http://127.0.0.1:{port}/server_info", trust_env=False).status_code == 200
        except httpx.HTTPError:
            return False

    try:
        assert wait_until(answers, 280, poll_s=0.2), (home / "log").read_text()
        yield port
    finally:
        server.terminate()
        server.wait(20)
        log.close()


class Tasked:
    """The endpoints with a token of Ann's and one of the admin's that may start tasks."""

    def __init__(self, client: httpx.Client, made: dict[str, str], database: Database) -> None:
        self.client, self.made, self.database = client, made, database

    def post(self, path: str, body: Any = None, *, key: str | None, who: str = "ann") -> httpx.Response:
        headers = {"Authorization": f"Bearer {self.made[who]}"} | ({"Idempotency-Key": key} if key else {})
        return self.client.post(path, json={} if body is None else body, headers=headers)

    def state(self, handle: str, who: str = "ann") -> httpx.Response:
        return self.client.get(
            "/tasks/state", params={"handle": handle}, headers={"Authorization": f"Bearer {self.made[who]}"}
        )


@pytest.fixture(scope="module")
def tasked(built: Built, web_port: int) -> Iterator[Tasked]:
    name = built.server.create(template=built.name)
    database = Database(built.server.url(name))
    with database.connect() as connection:
        made = {
            "ann": tokens.create(connection, ANN, ["read", "tasks"])[1],
            "admin": tokens.create(connection, ADMIN, ["tasks"])[1],
            "reader": tokens.create(connection, ANN, ["read"])[1],
        }
        connection.execute(
            "insert into v2.credentials (user_id, platform, account_id, state, verified, verified_at)"
            " values (%s, 'fub', '1', 'ok', true, now())",
            [ANN],
        )
        connection.execute(
            "insert into ops.onboarding_job (user_id, integration, credentials_id, status, ended_at)"
            " select user_id, platform, id, 'Error', now() from v2.credentials"
        )
    with served(database, generous(ui_port=web_port, api_tasks_key=TASKS_KEY)) as (_, client):
        yield Tasked(client, made, database)
    built.server.drop(name)


def test_a_sync_is_started_once_under_its_key_and_its_state_is_dagsters(tasked: Tasked, web_port: int) -> None:
    first = tasked.post("/tasks/sync/fub", key="one")
    assert first.status_code == 202, first.text
    told = first.json()
    assert (told["success"], told["error"], told["step"]) == (True, None, "/tasks/sync/fub")
    assert (told["data"]["user_id"], told["data"]["again"]) == (ANN, False)
    again = tasked.post("/tasks/sync/fub", key="one").json()["data"]
    assert (again["handle"], again["again"]) == (told["data"]["handle"], True)
    state = tasked.state(again["handle"]).json()["data"]
    assert (state["status"], state["ended"]) == ("QUEUED", False)
    query = "query R($id: ID!) { runOrError(runId: $id) { ... on Run { jobName tags { key value } } } }"
    run = httpx.post(
        f"http://127.0.0.1:{web_port}/graphql",
        headers={"X-V2-Key": UI_KEY},
        json={"query": query, "variables": {"id": again["handle"].removeprefix("run:")}},
        trust_env=False,
    ).json()["data"]["runOrError"]
    tags = {tag["key"]: tag["value"] for tag in run["tags"]}
    assert run["jobName"] == "fub_sync"
    assert (tags["dagster/partition"], tags["v2/kind"]) == (str(ANN), "over HTTP")
    assert "v2/full" not in tags


def test_the_same_key_for_another_request_is_refused_and_starts_nothing(tasked: Tasked) -> None:
    assert tasked.post("/tasks/merge", key="two").status_code == 202
    for path, body in (("/tasks/sync/fub", {}), ("/tasks/merge", {"user": "user2@example.com", "full": True})):
        answer = tasked.post(path, body, key="two")
        assert answer.status_code in (409, 422)
    other = tasked.post("/tasks/sync/fub", {"full": True}, key="two")
    assert (other.status_code, other.json()["error"]["code"]) == (409, "conflict")


def test_a_backfill_reads_everything_of_the_user_again(tasked: Tasked) -> None:
    assert (
        tasked.post("/tasks/sync/rezen", key="three").status_code == 202
    )  # makes Ann a partition, if nothing else did
    answer = tasked.post("/tasks/backfill/fub", key="four")
    assert answer.status_code == 202, answer.text
    handle = answer.json()["data"]["handle"]
    assert handle.startswith("backfill:")
    assert tasked.state(handle).json()["data"]["status"] == "REQUESTED"


def test_another_onboarding_begins_where_the_last_has_ended_and_only_there(tasked: Tasked) -> None:
    answer = tasked.post("/tasks/onboarding/fub", key="five")
    assert answer.status_code == 202, answer.text
    handle = answer.json()["data"]["handle"]
    assert tasked.state(handle).json()["data"] == {"handle": handle, "status": "New", "ended": False}
    refused = tasked.post("/tasks/onboarding/fub", key="six")
    assert refused.status_code == 409
    assert tasked.post("/tasks/onboarding/title", key="six").status_code == 409  # the key was given free again
    with tasked.database.connect() as connection:
        jobs = connection.execute("select attempt, status from ops.onboarding_job order by attempt").fetchall()
    assert jobs == [(1, "Error"), (2, "New")]


def test_an_admin_may_name_one_of_the_team_and_nobody_else_may_be_named(tasked: Tasked) -> None:
    named = tasked.post("/tasks/sync/fub", {"user": f"user{ANN}@example.com"}, key="seven", who="admin")
    assert named.json()["data"]["user_id"] == ANN
    for who, user in (("admin", str(CAT)), ("ann", str(ADMIN)), ("admin", "nobody@example.com")):
        answer = tasked.post("/tasks/sync/fub", {"user": user}, key="eight", who=who)
        assert (answer.status_code, answer.json()["error"]["code"]) == (404, "unknown")
    handle = named.json()["data"]["handle"]
    assert tasked.state(handle, who="admin").status_code == 200
    assert tasked.state(handle).status_code == 404  # started by another


@pytest.mark.parametrize(
    ("path", "body", "key", "who", "status"),
    [
        ("/tasks/sync/fub", {}, None, "ann", 422),
        ("/tasks/sync/fub", {}, "two words", "ann", 422),
        ("/tasks/sync/nobody", {}, "a", "ann", 422),
        ("/tasks/sync/fub", {"users": "all"}, "a", "ann", 422),
        ("/tasks/sync/fub", {"user": "\x00"}, "a", "ann", 422),
        ("/tasks/sync/fub", [], "a", "ann", 422),
        ("/tasks/sync/fub", {}, "a", "reader", 403),
    ],
)
def test_a_request_that_cannot_be_read_or_may_not_be_made_starts_nothing(
    tasked: Tasked, path: str, body: Any, key: str | None, who: str, status: int
) -> None:
    answer = tasked.post(path, body, key=key, who=who)
    assert answer.status_code == status
    assert answer.json()["success"] is False
    with tasked.database.connect() as connection:
        assert connection.execute("select count(*) from ops.api_task where idempotency_key = 'a'").fetchone() == (0,)


def test_when_the_pipelines_are_away_the_key_is_free_for_another_try(tasked: Tasked, web_port: int) -> None:
    with served(tasked.database, generous(ui_port=free_port())) as (_, client):
        answer = Tasked(client, tasked.made, tasked.database).post("/tasks/sync/fub", key="nine")
        assert (answer.status_code, answer.json()["error"]["retryable"]) == (503, True)
    assert tasked.post("/tasks/sync/fub", key="nine").json()["data"]["again"] is False


def test_what_dagster_refuses_is_an_error_that_says_so(web_port: int) -> None:
    server = WebServer(web_port, tasks_key=SecretStr(TASKS_KEY))
    with pytest.raises(RunFailed):
        server.backfill("fub", [987654])
    with pytest.raises(ConfigError, match="does not answer"):
        WebServer(free_port()).run_status("x")
    for keys in ({}, {"tasks_key": SecretStr("another")}, {"key": SecretStr("another")}):
        with pytest.raises(ConfigError, match="refuses"):
            WebServer(web_port, **keys).run_status("x")
    for asked in (server, WebServer(web_port, key=SecretStr(UI_KEY))):
        assert asked.run_status("no-such-run") == "UNKNOWN"
        assert asked.backfill_status("nosuch") == "UNKNOWN"


def test_the_night_of_v2_day_is_started_with_the_key_of_the_proxy_and_not_without(web_port: int) -> None:
    server = WebServer(web_port, key=SecretStr(UI_KEY))
    for user in (901, 902):
        server.run("merge_backlog", user, {})
    tags = {**tags_for(["901", "902"]), "v2/kind": "full sweep", "v2/full": "true"}
    assert server.run_status(server.launch("fub_sync", tags)) == "QUEUED"
    for keys in ({}, {"tasks_key": SecretStr(TASKS_KEY)}):
        with pytest.raises(ConfigError, match="refuses"):
            WebServer(web_port, **keys).launch("fub_sync", tags)


def test_a_page_of_another_site_reaches_nothing_of_a_real_dagster(web_port: int) -> None:
    """A websocket as well, by which mutations come too, and with the key that the proxy adds for whoever it lets in."""
    url, shown = f"http://127.0.0.1:{web_port}/graphql", {"X-V2-Key": UI_KEY}
    mutation = 'mutation { setConcurrencyLimit(concurrencyKey: "source_fub", limit: 0) }'
    with httpx.Client(trust_env=False, headers=shown) as client:
        assert client.get(url, params={"query": mutation}).status_code == 405
        simple = {"Content-Type": "text/plain", "Origin": "https://evil.example"}
        assert client.post(url, params={"query": mutation}, content="x", headers=simple).status_code == 403
        assert client.get(f"http://127.0.0.1:{web_port}/runs", headers={"Host": "evil.example"}).status_code == 421
        asked = client.post(url, json={"query": "{ instance { concurrencyLimits { concurrencyKey } } }"})
        assert asked.json()["data"]["instance"]["concurrencyLimits"] == []
        assert "__NEXT_DATA__" in client.get(f"http://127.0.0.1:{web_port}/runs").text

    def speak(origin: str) -> str:
        address, protocol = url.replace("http://", "ws://"), [Subprotocol("graphql-ws")]
        with connect(address, origin=Origin(origin), additional_headers=shown, subprotocols=protocol) as socket:
            socket.send('{"type": "connection_init"}')
            return str(socket.recv(timeout=60))

    assert "connection_ack" in speak(f"http://127.0.0.1:{web_port}")
    for origin in ("https://evil.example", "null", "http://127.0.0.1:1"):
        with pytest.raises(InvalidStatus):
            speak(origin)
