"""A page of another site in a real Chromium: whatever it sends, nothing is set, though the password is remembered.

The same page does set limits in a Dagster without a guard, and a page of our own does in ours: else nothing was proved.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from dataclasses import dataclass

import pytest

from resources.processes import free_port
from tests.certificates import self_signed
from tests.edge.browser import SEEN_TO_WORK, Page, chromium, hostile
from tests.edge.conftest import PERSON, UI, Dagster, Edge, dagster

OWN = 'mutation { setConcurrencyLimit(concurrencyKey: "own", limit: 1) }'
UNSET = 'mutation { deleteConcurrencyLimit(concurrencyKey: "own") }'


@dataclass
class Scene:
    """A browser, the attacker's two servers, and a guarded and an unguarded Dagster on loopback."""

    page: Page
    plain: int
    guarded: Dagster
    bare: Dagster


@pytest.fixture(scope="module")
def scene(edge: Edge, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Scene]:
    new = tmp_path_factory.mktemp
    guard, bare, tls = free_port(), free_port(), new("tls")
    serve = [sys.executable, "-m", "dagster_webserver", "-h", "127.0.0.1", "-p", str(bare), "--empty-workspace"]
    context = self_signed(tls / "a.pem", tls / "a.key", "evil.example.com")
    with (
        dagster(new("guarded"), [sys.executable, "-m", "v2_assets.webserver"], guard, V2_UI_PORT=str(guard)),
        dagster(new("bare"), serve, bare),
        hostile() as plain,
        hostile(context) as secure,
        chromium(
            new("chromium"), {UI: edge.tls, "evil.example": plain, "evil.example.com": secure, "rebound.example": guard}
        ) as page,  # fmt: skip
    ):
        yield Scene(page, plain, Dagster(guard), Dagster(bare))


def _ask(page: Page, query: str) -> object:
    """What the page that is open asks GraphQL of its own origin, as the UI does."""
    body = json.dumps(json.dumps({"query": query}))
    headers = '{"Content-Type": "application/json"}'
    return page.run(f'fetch("/graphql", {{method: "post", headers: {headers}, body: {body}}}).then((a) => a.status)')


@pytest.mark.parametrize("origin", ["http://evil.example/", "http://127.0.0.1:{plain}/"])
@pytest.mark.parametrize("host", ["127.0.0.1", "localhost"])
def test_a_page_of_another_site_sets_nothing_in_what_v2_up_serves(scene: Scene, origin: str, host: str) -> None:
    scene.page.open(origin.format(plain=scene.plain))
    tried = scene.page.run(f'attack("http://{host}:{scene.guarded.port}")')
    assert set(tried) > SEEN_TO_WORK and tried["socket"] == "refused"
    assert scene.guarded.limits() == []


def test_the_same_page_sets_limits_where_no_guard_is(scene: Scene) -> None:
    scene.page.open("http://evil.example/")
    tried = scene.page.run(f'attack("http://127.0.0.1:{scene.bare.port}")')
    assert set(scene.bare.limits()) >= SEEN_TO_WORK and tried["socket"] == "opened"


@pytest.mark.parametrize("origin", ["http://evil.example/", "https://evil.example.com/"])
def test_a_page_of_another_site_sets_nothing_with_the_password_that_the_browser_remembers(
    scene: Scene, edge: Edge, behind: Dagster, origin: str
) -> None:
    _sign_in(scene.page)
    before = edge.logs().count(f" {PERSON[0]} [")
    scene.page.open(origin)
    tried = scene.page.run(f'attack("https://{UI}")')
    assert set(tried) > SEEN_TO_WORK and tried["socket"] == "refused"
    assert behind.limits() == []
    if origin.startswith("https"):  # of the same site, so that this browser sends the password without being asked
        assert edge.logs().count(f" {PERSON[0]} [") > before + len(SEEN_TO_WORK) // 2


def test_a_page_of_ours_sets_what_it_wants(scene: Scene, behind: Dagster) -> None:
    _sign_in(scene.page)
    for url, where in ((f"https://{UI}/runs", behind), (f"http://127.0.0.1:{scene.guarded.port}/runs", scene.guarded)):
        scene.page.open(url)
        assert _ask(scene.page, OWN) == 200 and where.limits() == ["own"]
        assert _ask(scene.page, UNSET) == 200 and where.limits() == []
        base = url.removesuffix("/runs").replace("http", "ws", 1)
        greeted = scene.page.run(f"""new Promise((done) => {{
          const opened = new WebSocket("{base}/graphql", "graphql-ws");
          opened.onopen = () => opened.send(JSON.stringify({{type: "connection_init"}}));
          opened.onmessage = ({{data}}) => done(data);
          opened.onerror = () => done("refused");
        }})""")
        assert "connection_ack" in greeted


def _sign_in(page: Page) -> None:
    """The browser is told the password once, and knows it from then on."""
    page.open(f"https://{PERSON[0]}:{PERSON[1]}@{UI}/runs")
    assert page.run("document.getElementById('__NEXT_DATA__') !== null")


def test_a_name_that_was_led_to_loopback_asks_nothing(scene: Scene) -> None:
    """The page and what it asks have one origin then, so the browser sends no Origin of another's."""
    scene.page.open(f"http://rebound.example:{scene.guarded.port}/runs")
    assert _ask(scene.page, OWN) == 421
    assert scene.guarded.limits() == []
