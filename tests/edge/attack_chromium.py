"""A page of another site in a real browser, in which a person uses the UI: each way that a page has to send something.

Each attack is first made on Dagster's own web server, where it must succeed; then it proves something elsewhere.
"""

from __future__ import annotations

import contextlib
import json
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from typing import Any
from urllib.parse import quote

import pytest

from tests.edge.chromium import Page, browser
from tests.edge.conftest import PERSON, UI, Dagster, Edge

#: Each way sets a limit of its own name, so that what arrived can be read from Dagster.
WAYS = {
    "image": "document.body.appendChild(new Image()).src = url",
    "frame": "document.body.appendChild(document.createElement('iframe')).src = url",
    "script": "document.body.appendChild(document.createElement('script')).src = url",
    "get": "fetch(url, {mode: 'no-cors', credentials: 'include'}).catch(() => {})",
    "post": "fetch(url, {method: 'POST', mode: 'no-cors', credentials: 'include', body: 'x'}).catch(() => {})",
    "json": "fetch(base, {method: 'POST', credentials: 'include', headers: {'Content-Type': 'application/json'},"
    " body: JSON.stringify({query: mutation})}).catch(() => {})",
    "dressed": "fetch(base, {method: 'POST', mode: 'no-cors', credentials: 'include', body: new Blob("
    "[JSON.stringify({query: mutation})], {type: 'text/plain; application/json'})}).catch(() => {})",
    "beacon": "navigator.sendBeacon(url, 'x')",
    "socket": "{const s = new WebSocket(base.replace('http', 'ws'), 'graphql-ws'); s.onopen = () => {"
    ' s.send(\'{"type":"connection_init"}\');'
    " s.send(JSON.stringify({type: 'start', id: '1', payload: {query: mutation}}))}}",
    "form": "{const f = document.createElement('form'); f.method = 'POST'; f.action = url; f.target = 'form';"
    " f.enctype = 'text/plain'; document.body.append(f); const t = document.createElement('iframe'); t.name = 'form';"
    " document.body.append(t); f.submit()}",
}


def _mutation(name: str) -> str:
    return f'mutation {{ setConcurrencyLimit(concurrencyKey: "{name}", limit: 0) {{ __typename }} }}'


def _attack(base: str) -> str:
    lines = [
        f"{{const mutation = {json.dumps(_mutation(name))}; const base = {json.dumps(base)};"
        f" const url = base + '?query=' + encodeURIComponent(mutation); {way}}}"
        for name, way in WAYS.items()
    ]
    return f"<!doctype html><body>{''.join(f'<script>{line}</script>' for line in lines)}</body>"


@contextlib.contextmanager
def evil(base: str) -> Iterator[tuple[int, list[str]]]:
    """Another site. Its page `/` attacks the GraphQL at `base`; what it is asked for is noted."""
    asked: list[str] = []

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            asked.append(self.path)
            body = (_attack(base) if self.path == "/" else "done").encode()
            self.send_response(200)
            self.send_header("Content-Type", "text/html")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, format: str, *args: Any) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = Thread(target=server.serve_forever, args=(0.05,), daemon=True)
    thread.start()
    try:
        yield server.server_address[1], asked
    finally:
        server.shutdown()
        server.server_close()
        thread.join(5)


def _visit(page: Page, base: str) -> None:
    """The evil page, until what it sent is answered; then the followed link, which is a page of its own."""
    page.go("http://evil.example/")
    page.wait("performance.getEntriesByType('resource').length >= 3")
    page.value("new Promise(go => setTimeout(go, 5000))")
    page.go(f"{base}?query={quote(_mutation('link'))}")


def test_the_attacks_work_on_dagsters_own_web_server(unguarded: Dagster) -> None:
    base = f"http://127.0.0.1:{unguarded.port}/graphql"
    with evil(base) as (port, _), browser({"evil.example:80": port}) as page:
        _visit(page, base)
        # A link is answered with the playground, so it is no mutation; JSON is asked for first (CORS).
        wanted = set(WAYS) - {"json"}
        page.go("about:blank")
    assert wanted <= set(unguarded.limits()) | {"socket"}, "an attack that fails here proves nothing elsewhere"


def test_a_page_of_another_site_sets_nothing_at_what_v2_up_serves(on_loopback: Dagster) -> None:
    base = f"http://127.0.0.1:{on_loopback.port}/graphql"
    with evil(base) as (port, _), browser({"evil.example:80": port}) as page:
        _visit(page, base)
    assert on_loopback.limits() == []


def test_a_name_that_is_led_to_loopback_reads_and_sets_nothing(on_loopback: Dagster) -> None:
    """DNS rebinding: the page comes from a name, and then the name leads to the UI: one origin for the browser."""
    with browser({f"evil.example:{on_loopback.port}": on_loopback.port}) as page:
        page.go(f"http://evil.example:{on_loopback.port}/runs")
        assert "nothing is served under this name" in page.value("document.body.innerText")
        query = json.dumps({"query": _mutation("rebound")})
        status = page.value(
            f"fetch('/graphql', {{method: 'POST', headers: {{'Content-Type': 'application/json'}}, body: {query!r}}})"
            ".then(answer => answer.status)"
        )
    assert (status, on_loopback.limits()) == (421, [])


def test_with_the_password_that_the_browser_remembers_a_page_of_another_site_sets_nothing(
    edge: Edge, behind: Dagster
) -> None:
    base = f"https://{UI}/graphql"
    with evil(base) as (port, _), browser({"evil.example:80": port, f"{UI}:443": edge.tls}) as page:
        _enter(page)
        _visit(page, base)
        page.go(f"https://{UI}/runs")  # the password is still remembered
        assert page.value("fetch('/server_info').then(answer => answer.status)") == 200
    assert behind.limits() == []


@pytest.mark.parametrize("way", ["proxy", "loopback"])
def test_the_ui_itself_works_with_its_questions_and_its_websocket(
    edge: Edge, behind: Dagster, on_loopback: Dagster, way: str
) -> None:
    """What is refused must not be what the UI sends: it shows its pages, and sets what a person sets."""
    with browser({f"{UI}:443": edge.tls}) as page:
        if way == "proxy":
            _enter(page)
        else:
            page.go(f"http://127.0.0.1:{on_loopback.port}/runs")
        page.wait("document.body.innerText.includes('Runs')")
        page.wait(
            "performance.getEntriesByType('resource').some(e => e.name.includes('/graphql') && e.responseStatus == 200)"
        )
        answer = page.value(
            "fetch('/graphql', {method: 'POST', headers: {'Content-Type': 'application/json'},"
            " body: JSON.stringify({query: '{ version }'})}).then(answer => answer.json())"
        )
        opened = page.value(
            "new Promise(told => {"
            " const s = new WebSocket(location.origin.replace('http', 'ws') + '/graphql', 'graphql-ws');"
            " s.onopen = () => told('open'); s.onerror = () => told('refused')})"
        )
    assert answer["data"]["version"] and opened == "open"


def _enter(page: Page) -> None:
    """The person signs in, as with the browser's own dialogue."""
    page.go(f"https://{PERSON[0]}:{PERSON[1]}@{UI}/runs")
    page.wait("document.body.innerText.includes('Runs')")
