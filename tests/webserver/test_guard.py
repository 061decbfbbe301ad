"""The guard before Dagster's UI: what a page of another site, another account or a stolen process tries."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import httpx
import pytest
from starlette.types import Receive, Scope, Send

from v2_assets import launching
from v2_assets.launching import is_task
from v2_assets.webserver.guard import Guard, hosts_of

ROOT = Path(__file__).parents[2]
OURS = "http://127.0.0.1:3000"
PUBLIC = "https://v2.example.com"
MUTATION = {"query": 'mutation { deleteConcurrencyLimit(concurrencyKey: "source_fub") }'}
FETCH = {"Sec-Fetch-Site": "same-origin", "Sec-Fetch-Mode": "cors", "Sec-Fetch-Dest": "empty"}
LINK = {"Sec-Fetch-Site": "cross-site", "Sec-Fetch-Mode": "navigate", "Sec-Fetch-Dest": "document"}


class Inner:
    """Stands in Dagster's place: notes what reaches it."""

    def __init__(self) -> None:
        self.met: list[tuple[str, str, bytes]] = []

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        body = b""
        while (message := await receive()).get("more_body"):
            body += message["body"]
        self.met.append((scope["method"], scope["path"], body + message.get("body", b"")))
        await send({"type": "http.response.start", "status": 200, "headers": []})
        await send({"type": "http.response.body", "body": b"{}"})


@asynccontextmanager
async def guarded(base: str = OURS, **more: Any) -> AsyncIterator[tuple[httpx.AsyncClient, Inner]]:
    inner = Inner()
    guard = Guard(inner, hosts_of([PUBLIC]), is_task, **more)
    async with httpx.AsyncClient(transport=httpx.ASGITransport(guard), base_url=base) as client:
        yield client, inner


@pytest.mark.parametrize("base", [OURS, "http://localhost:3000", "http://[::1]:3000", PUBLIC])
async def test_what_the_ui_itself_sends_gets_through(base: str) -> None:
    async with guarded(base) as (client, inner):
        for headers in ({}, FETCH, {**FETCH, "Origin": base}):
            assert (await client.post("/graphql?op=Runs", json={"query": "{ version }"}, headers=headers)).is_success
            assert (await client.get("/runs", headers=headers)).is_success
        assert (await client.get("/runs/7", headers=LINK)).is_success, "a link in an alert"
        assert len(inner.met) == 7


@pytest.mark.parametrize("site", ["cross-site", "same-site"])
@pytest.mark.parametrize("mode", ["no-cors", "cors", "navigate", "websocket"])
async def test_nothing_that_another_page_sends_reaches_dagster(site: str, mode: str) -> None:
    told = {
        "Sec-Fetch-Site": site,
        "Sec-Fetch-Mode": mode,
        "Sec-Fetch-Dest": "iframe" if mode == "navigate" else "image",
    }
    async with guarded() as (client, inner):
        for method, path in (
            ("GET", "/graphql"),
            ("POST", "/graphql"),
            ("GET", "/runs"),
            ("POST", "/report_asset_check/a"),
        ):
            answer = await client.request(method, path, json=MUTATION, params=MUTATION, headers=told)
            assert answer.status_code == 403, (method, path)
        assert (await client.get("/graphql", params=MUTATION, headers=LINK)).status_code == 403
        assert inner.met == []


@pytest.mark.parametrize("method", ["GET", "HEAD", "PUT", "DELETE", "OPTIONS"])
@pytest.mark.parametrize("headers", [{}, FETCH, {"Accept": "image/avif,*/*", "Referer": "https://evil.example/"}])
async def test_graphql_is_asked_by_post_alone(method: str, headers: dict[str, str]) -> None:
    async with guarded() as (client, inner):
        answer = await client.request(method, "/graphql", params=MUTATION, headers=headers)
        assert answer.status_code in (405, 415) and inner.met == []


@pytest.mark.parametrize(
    "kind",
    [None, "text/plain", "text/plain; application/json", "application/x-www-form-urlencoded", "application/graphql",
     "multipart/form-data; boundary=application/json", "application/jsonp"],
)  # fmt: skip
@pytest.mark.parametrize("path", ["/graphql", "/graphql?query=mutation{x}", "/report_asset_materialization/a"])
async def test_what_a_form_can_send_is_no_question_of_the_ui(path: str, kind: str | None) -> None:
    async with guarded() as (client, inner):
        headers = {"Content-Type": kind} if kind else {}
        assert (await client.post(path, content=json.dumps(MUTATION), headers=headers)).status_code == 415
        assert inner.met == []


@pytest.mark.parametrize(
    "origin",
    ["null", "https://evil.example", "https://v2.example.com.evil.example", "http://127.0.0.1:8000", "https://127.0.0.1",
     "http://user@127.0.0.1:3000", "http://localhost:3000", "http://[", ""],
)  # fmt: skip
async def test_another_origin_is_refused_also_by_a_browser_that_tells_no_more(origin: str) -> None:
    async with guarded() as (client, inner):
        assert (await client.post("/graphql", json=MUTATION, headers={"Origin": origin})).status_code == 403
        assert inner.met == []


@pytest.mark.parametrize(
    "host", ["evil.example", "127.0.0.1.evil.example:3000", "10.0.0.7:3000", "", "127.0.0.1@evil", "["]
)
async def test_a_name_that_leads_here_is_not_served(host: str) -> None:
    """DNS rebinding: the page and the request then have one origin, and only the name tells."""
    async with guarded() as (client, inner):
        for path in ("/runs", "/server_info", "/graphql"):
            assert (await client.get(path, headers={"Host": host})).status_code == 421
        two = await client.get("/runs", headers=[("Host", "127.0.0.1"), ("Host", "evil.example")])
        assert two.status_code == 421 and inner.met == []


async def test_with_a_key_the_ui_is_for_the_proxy_that_shows_it() -> None:
    async with guarded(key="k-1") as (client, inner):
        for headers in ({}, {"X-V2-Key": ""}, {"X-V2-Key": "k-2"}, {"X-V2-Key": "k-1x"}):
            assert (await client.get("/runs", headers=headers)).status_code == 403
            assert (await client.post("/graphql", json=MUTATION, headers=headers)).status_code == 403
        assert inner.met == []
        assert (await client.get("/server_info")).is_success, "whether it lives is no secret"
        assert (await client.post("/graphql", json=MUTATION, headers={"X-V2-Key": "k-1"})).is_success


def _tasks() -> list[dict[str, Any]]:
    """What `WebServer` sends, caught on its way."""
    sent: list[dict[str, Any]] = []

    class Caught(launching.WebServer):
        def ask(self, query: str, variables: Mapping[str, Any]) -> dict[str, Any]:
            sent.append({"query": query, "variables": json.loads(json.dumps(variables))})
            return {
                "assetNodes": [{"assetKey": {"path": ["fub", "people"]}, "isExecutable": True}],
                "launchPartitionBackfill": {"__typename": "LaunchBackfillSuccess", "backfillId": "b"},
                "launchRun": {"__typename": "LaunchRunSuccess", "run": {"runId": "r"}},
                "partitionBackfillOrError": {},
                "runOrError": {},
            }

    server = Caught(1)
    server.backfill("fub", [7])
    server.run("fub_sync", 7, {"v2/kind": "over HTTP", "v2/integration": "fub", "v2/full": "true"})
    server.run("merge_backlog", 7, {"v2/kind": "over HTTP"})
    server.backfill_status("b")
    server.run_status("r")
    return sent


TASKS = _tasks()


async def test_the_key_of_the_endpoints_lets_tasks_through_and_nothing_else() -> None:
    shown = {"X-V2-Tasks-Key": "t-1"}
    async with guarded(key="k-1", tasks_key="t-1") as (client, inner):
        for task in TASKS:
            assert (await client.post("/graphql", json=task, headers=shown)).is_success
        assert [json.loads(body) for _, _, body in inner.met] == TASKS
        inner.met.clear()
        for headers in ({"X-V2-Tasks-Key": "t-2"}, {"X-V2-Tasks-Key": ""}):
            assert (await client.post("/graphql", json=TASKS[0], headers=headers)).status_code == 403
        for method, path in (
            ("GET", "/runs"),
            ("POST", "/report_asset_check/a"),
            ("GET", "/graphql"),
            ("GET", "/logs/a"),
        ):
            assert (await client.request(method, path, json=TASKS[0], headers=shown)).status_code == 403
        assert (await client.post("/graphql?query={x}", json=TASKS[0], headers=shown)).status_code == 403
        for asked in (MUTATION, [TASKS[0]], {**TASKS[0], "operationName": "x"}, {"query": TASKS[0]["query"] + " "}, 7):
            assert (await client.post("/graphql", json=asked, headers=shown)).status_code == 403
        assert (await client.post("/graphql", content=b"{" * 200_000, headers={**shown, **JSON})).status_code == 413
        assert inner.met == []
    async with guarded() as (client, inner):
        assert (await client.post("/graphql", json=TASKS[0], headers={"X-V2-Tasks-Key": ""})).status_code == 403


JSON = {"Content-Type": "application/json"}


def _bent(value: Any, path: tuple[Any, ...] = ()) -> list[tuple[tuple[Any, ...], Any]]:
    """The value with one more key in each of its objects: what a stolen process would slip in."""
    found: list[tuple[tuple[Any, ...], Any]] = []
    if isinstance(value, dict):
        found.append((path, {**value, "runConfigData": {"x": 1}}))
        for name, item in value.items():
            found += [((*path, name), {**value, name: bent}) for _, bent in _bent(item)]
    if isinstance(value, list):
        for number, item in enumerate(value):
            found += [(path, [*value[:number], bent, *value[number + 1 :]]) for _, bent in _bent(item)]
    return found


@pytest.mark.parametrize("task", [pytest.param(task, id=task["query"].split("(")[0].strip()) for task in TASKS])
def test_a_task_with_anything_more_in_it_is_none(task: dict[str, Any]) -> None:
    bent = _bent(task["variables"])
    assert bent
    for _, variables in bent:
        assert not is_task(json.dumps({"query": task["query"], "variables": variables}).encode())


@pytest.mark.parametrize("job", ["retention_job", "v1_gate", "__ASSET_JOB", "fub_sync; x", "FUB_sync"])
def test_a_job_that_no_endpoint_starts_is_no_task(job: str) -> None:
    task = json.loads(json.dumps(next(t for t in TASKS if "launchRun" in t["query"])))
    task["variables"]["params"]["selector"]["jobName"] = job
    assert not is_task(json.dumps(task).encode())


def test_one_place_asks_the_web_server_so_that_whoever_asks_shows_the_key() -> None:
    asking = [
        path.relative_to(ROOT).as_posix()
        for folder in ("v2_assets", "sensors", "resources", "bench")
        for path in (ROOT / folder).rglob("*.py")
        if "/graphql" in (text := path.read_text(encoding="utf-8")) and "port}" in text.split("/graphql")[0][-40:]
    ]
    assert asking == ["v2_assets/launching.py"]
