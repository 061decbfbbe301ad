"""Attacks on the proxy by hand: what it lets through to Dagster, what it hands on, and what it writes down."""

from __future__ import annotations

import socket
import ssl
from pathlib import Path

import httpx
import pytest
from websockets.exceptions import InvalidStatus
from websockets.sync.client import connect
from websockets.typing import Origin, Subprotocol

from resources.processes import free_port
from tests.edge.conftest import API, HOOKS, PERSON, UI, Dagster, Edge, nginx
from v2_assets.result import Result

MUTATION = 'mutation { setConcurrencyLimit(concurrencyKey: "source_fub", limit: 0) }'
SAME = {"Sec-Fetch-Site": "same-origin", "Sec-Fetch-Mode": "cors", "Sec-Fetch-Dest": "empty"}


def test_a_person_with_the_password_uses_the_ui_and_nobody_without(edge: Edge, behind: Dagster) -> None:
    with edge.client(UI) as client:
        for path in ("/", "/graphql", "/reports/a", "/server_info"):
            assert client.get(path).status_code in (401, 405)
    with edge.client(UI, auth=PERSON) as client:
        assert "__NEXT_DATA__" in client.get("/runs", headers=SAME).text
        asked = client.post("/graphql?op=x", json={"query": "{ version }"}, headers={**SAME, "Origin": f"https://{UI}"})
        assert asked.json()["data"]["version"]
        assert client.get("/runs/7", headers={**SAME, "Sec-Fetch-Site": "cross-site", "Sec-Fetch-Mode": "navigate",
                                              "Sec-Fetch-Dest": "document"}).status_code == 200  # fmt: skip
    assert behind.limits() == []


@pytest.mark.parametrize(
    ("method", "headers"),
    [
        ("GET", {"Accept": "image/avif,image/webp,*/*;q=0.8", "Referer": "https://evil.example/"}),
        ("GET", {"Sec-Fetch-Site": "cross-site", "Sec-Fetch-Mode": "no-cors", "Sec-Fetch-Dest": "image"}),
        ("GET", {"Sec-Fetch-Site": "cross-site", "Sec-Fetch-Mode": "navigate", "Sec-Fetch-Dest": "document"}),
        ("GET", {"Sec-Fetch-Site": "same-site", "Sec-Fetch-Mode": "navigate", "Sec-Fetch-Dest": "iframe"}),
        ("GET", {"Upgrade": "h2c", "Origin": f"https://{UI}"}),
        ("GET", {"Upgrade": "websocket"}),
        ("HEAD", {}),
        ("POST", {"Content-Type": "text/plain"}),
        ("POST", {"Content-Type": "text/plain; application/json"}),
        ("POST", {"Content-Type": "application/x-www-form-urlencoded", "Origin": f"https://{UI}"}),
        ("POST", {"Content-Type": "application/json", "Origin": "https://evil.example"}),
        ("POST", {"Content-Type": "application/json", "Origin": "null"}),
        ("POST", {"Content-Type": "application/json", "Origin": f"https://{UI}.evil.example"}),
        ("POST", {"Content-Type": "application/json", "Sec-Fetch-Site": "cross-site", "Sec-Fetch-Mode": "cors"}),
    ],
)
@pytest.mark.parametrize("path", ["/graphql", "/%67raphql", "//graphql", "/runs/../graphql"])
def test_no_request_of_another_site_sets_anything(
    edge: Edge, behind: Dagster, path: str, method: str, headers: dict[str, str]
) -> None:
    """With the password that the browser remembers, and past every spelling of the path."""
    with edge.client(UI, auth=PERSON) as client:
        body = {"query": MUTATION}
        answer = client.request(
            method,
            f"{str(client.base_url).rstrip('/')}{path}",
            params=body,
            json=body if method == "POST" else None,
            headers=headers,
        )
    assert answer.status_code in (403, 405, 415, 400)
    assert behind.limits() == []


def test_a_websocket_of_another_site_is_not_opened(edge: Edge) -> None:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    password = httpx.BasicAuth(*PERSON)._auth_header

    def speak(origin: str | None) -> str:
        with connect(
            f"wss://{UI}/graphql",
            sock=socket.create_connection(("127.0.0.1", edge.tls)),
            ssl=context,
            server_hostname=UI,
            origin=Origin(origin) if origin else None,
            subprotocols=[Subprotocol("graphql-ws")],
            additional_headers={"Authorization": password},
        ) as opened:
            opened.send('{"type": "connection_init"}')
            return str(opened.recv(timeout=60))

    assert "connection_ack" in speak(f"https://{UI}")
    for origin in ("https://evil.example", "null", f"http://{UI}", None):
        with pytest.raises(InvalidStatus):
            speak(origin)


def test_a_name_that_is_not_ours_is_not_answered(edge: Edge) -> None:
    with edge.client("evil.example") as client, pytest.raises(httpx.TransportError):
        client.get("/")
    with edge.client(UI, headers={"Host": "evil.example"}, auth=PERSON) as client, pytest.raises(httpx.TransportError):
        client.get("/runs")
    plain = httpx.Client(base_url=f"http://127.0.0.1:{edge.plain}", trust_env=False, headers={"Host": "evil.example"})
    with plain, pytest.raises(httpx.TransportError):
        plain.get("/")


def test_no_key_of_a_caller_reaches_what_stands_behind(edge: Edge, behind: Dagster) -> None:
    keys = {"X-V2-Key": "made-up", "X-V2-Tasks-Key": "made-up"}
    with edge.client(UI, auth=PERSON, headers=keys) as client:
        assert client.get("/runs").status_code == 200
        client.get("/reports/x")
    _, _, headers = edge.others.met[-1]
    assert "authorization" not in headers and "x-v2-tasks-key" not in headers
    # Past the proxy, from another account of this machine:
    assert httpx.get(f"http://127.0.0.1:{behind.port}/runs", trust_env=False).status_code == 403


def test_no_log_holds_a_search_a_token_or_the_address_of_a_webhook(edge: Edge) -> None:
    with edge.client(API, headers={"Authorization": "Bearer v2_TOKEN"}) as client:
        assert client.get("/leads/fub_people?search=anna@example.test").status_code == 200
        assert client.post("/tasks/merge?x=SEARCHED", content=b"x" * 100_000).status_code == 413
    with edge.client(HOOKS) as client:
        assert client.post("/hooks/rezen/7.MARK", content=b"{}").status_code == 200
        assert client.post("/hooks/rezen/7.MARK", content=b"x" * 2_000_000).status_code == 413
        assert client.get("/elsewhere/7.MARK").status_code == 404
    with edge.client(UI, auth=PERSON) as client:
        client.get("/runs?q=SEARCHED")
    text = edge.logs("/leads/fub_people", "/tasks/merge", '"GET /runs"', PERSON[0])
    for word in ("example.test", "SEARCHED", "TOKEN", "MARK", PERSON[1]):
        assert word not in text


def test_an_upstream_that_is_away_writes_no_query_into_the_error_log(edge: Edge, tmp_path: Path) -> None:
    with nginx(tmp_path, free_port(), edge.others, free_port()) as away:
        with away.client(API) as client:
            assert client.get("/leads/fub_people?search=SEARCHED").status_code == 503
        assert "SEARCHED" not in away.logs("/leads/fub_people")


def failure(answer: httpx.Response) -> tuple[int, str, str]:
    """Status, code and step of an answer that has the shape of the endpoints' own failures."""
    told: Result[None] = Result[None].model_validate_json(answer.content)
    assert (
        answer.headers["content-type"] == "application/json" and answer.headers["x-content-type-options"] == "nosniff"
    )
    assert not told.success and told.error
    return answer.status_code, told.error.code, told.step


def test_what_nginx_itself_answers_at_the_endpoints_has_the_shape_that_they_promise(edge: Edge, tmp_path: Path) -> None:
    few = {"rate=200r/s": "rate=1r/m", "zone=v2_api burst=400": "zone=v2_api burst=4"}
    with nginx(tmp_path, free_port(), edge.others, free_port(), few) as away, away.client(API) as client:
        answer = client.get("/leads/fub_people?search=x")
        assert failure(answer) == (503, "away", "/leads/fub_people") and answer.headers["retry-after"] == "5"
        assert failure(client.get('/a%22b%0a"')) == (503, "away", "")
        assert failure(client.post("/tasks/sync", content=b"x" * 70_000)) == (413, "too_large", "/tasks/sync")
        assert failure(client.get("/x", headers={"X-Long": "x" * 40_000})) == (400, "bad_request", "/x")
        *_, last = (client.get("/flood") for _ in range(5))
        assert failure(last) == (429, "too_many_requests", "/flood") and last.headers["retry-after"] == "1"


def test_a_flood_is_answered_with_429_and_a_slow_client_is_cut_off(edge: Edge) -> None:
    with edge.client(API) as client:
        codes = [client.get("/health").status_code for _ in range(300)]
    assert set(codes) <= {200, 429}
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    with (
        socket.create_connection(("127.0.0.1", edge.tls)) as raw,
        context.wrap_socket(raw, server_hostname=API) as slow,
    ):
        slow.sendall(f"GET / HTTP/1.1\r\nHost: {API}\r\n".encode())  # and the rest never comes
        slow.settimeout(120)
        assert b"200" not in slow.recv(1000)
