"""A real Chromium, told what to do over its DevTools protocol, and a page that tries what another site's can try."""

from __future__ import annotations

import contextlib
import itertools
import json
import os
import shutil
import ssl
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import httpx
from websockets.sync.client import ClientConnection, connect

from resources.processes import wait_until
from sandbox.sinks import serving

#: Each way sets a limit of its own name, so that the limits tell which of them got in.
ATTACK = """
<!doctype html><meta charset="utf-8"><title>attack</title><body><script>
const mutation = (name) => `mutation { setConcurrencyLimit(concurrencyKey: "${name}", limit: 1) }`;
const asked = (base, name) => `${base}/graphql?query=${encodeURIComponent(mutation(name))}`;
const settled = (promise) => promise.then(() => "answered", (error) => `refused: ${error}`);
const loaded = (tag, settings) => new Promise((done) => {
  const element = Object.assign(document.createElement(tag), settings, {onload: done, onerror: done});
  document.body.append(element);
});
function form(base, name, type, fields) {
  const frame = document.createElement("iframe");
  frame.name = name;
  document.body.append(frame);
  const sent = Object.assign(document.createElement("form"), {method: "post", enctype: type, target: name,
    action: fields ? `${base}/graphql` : asked(base, name)});
  for (const [key, value] of Object.entries(fields || {x: "y"}))
    sent.append(Object.assign(document.createElement("input"), {name: key, value}));
  document.body.append(sent);
  return new Promise((done) => { frame.onload = frame.onerror = done; sent.submit(); });
}
function socket(base, name) {
  return new Promise((done) => {
    const opened = new WebSocket(`${base.replace(/^http/, "ws")}/graphql`, "graphql-ws");
    opened.onopen = () => {
      opened.send(JSON.stringify({type: "connection_init"}));
      opened.send(JSON.stringify({type: "start", id: "1", payload: {query: mutation(name)}}));
    };
    opened.onmessage = ({data}) => { if (data.includes("connection_ack")) { opened.close(); done("opened"); } };
    opened.onerror = opened.onclose = () => done("refused");
  });
}
const simple = (base, name, more) =>
  settled(fetch(asked(base, name), {credentials: "include", mode: "no-cors", ...more}));
const json = (base, name) => ({method: "post", credentials: "include", body: JSON.stringify({query: mutation(name)}),
  headers: {"Content-Type": "application/json"}});
const ways = {
  image: (base) => loaded("img", {src: asked(base, "image")}),
  script: (base) => loaded("script", {src: asked(base, "script")}),
  style: (base) => loaded("link", {rel: "stylesheet", href: asked(base, "style")}),
  frame: (base) => loaded("iframe", {src: asked(base, "frame")}),
  object: (base) => loaded("iframe", {srcdoc: `<embed src='${asked(base, "object")}'>`}),
  get: (base) => simple(base, "get"),
  text: (base) => simple(base, "text", {method: "post", body: "x"}),
  bytes: (base) => simple(base, "bytes", {method: "post", body: new Blob(["x"])}),
  fields: (base) => simple(base, "fields", {method: "post", body: new URLSearchParams({query: mutation("fields")})}),
  parts: (base) => { const body = new FormData(); body.append("query", mutation("parts"));
                     return simple(base, "parts", {method: "post", body}); },
  typed: (base) => simple(base, "typed", {method: "post", body: JSON.stringify({query: mutation("typed")}),
                                          headers: {"Content-Type": "text/plain; application/json"}}),
  json: (base) => settled(fetch(`${base}/graphql`, json(base, "json"))),
  beacon: (base) => { navigator.sendBeacon(asked(base, "beacon"), "x"); return simple(base, "afterwards"); },
  form: (base) => form(base, "form", "application/x-www-form-urlencoded", {query: mutation("form")}),
  form_text: (base) => form(base, "form_text", "text/plain"),
  form_parts: (base) => form(base, "form_parts", "multipart/form-data", {query: mutation("form_parts")}),
  socket: (base) => socket(base, "socket"),
};
async function attack(base) {
  const told = {};
  for (const [name, way] of Object.entries(ways)) told[name] = String(await way(base));
  return told;
}
</script>
"""
#: The ways by which a Dagster without a guard is changed, whoever asks; and its websocket is opened.
SEEN_TO_WORK = {"image", "script", "style", "get", "text", "bytes", "fields", "form_text"}


@dataclass
class Page:
    """One tab."""

    connection: ClientConnection
    _numbers: Iterator[int] = field(default_factory=itertools.count)

    def call(self, method: str, **parameters: Any) -> dict[str, Any]:
        """One command of the DevTools protocol, and its result."""
        number = next(self._numbers)
        self.connection.send(json.dumps({"id": number, "method": method, "params": parameters}))
        while True:
            told = json.loads(self.connection.recv(timeout=240))
            if told.get("id") == number:
                assert "error" not in told, told
                return told["result"]

    def open(self, url: str) -> None:
        """Goes there and waits until the document is whole."""
        self.call("Page.navigate", url=url)
        assert wait_until(lambda: self.run("document.readyState") == "complete" and self.is_at(url), 120, poll_s=0.2), (
            url
        )

    def is_at(self, url: str) -> bool:
        """Whether the document is of this place; what a refused page shows is of it too."""
        at = str(self.run("location.href"))
        return at.split("/")[2:3] == [url.split("/")[2].rpartition("@")[2]]

    def run(self, script: str) -> Any:
        """What a script of the page comes to; promises are waited for."""
        told = self.call("Runtime.evaluate", expression=script, awaitPromise=True, returnByValue=True)
        assert "exceptionDetails" not in told, told["exceptionDetails"]
        return told["result"].get("value")


@contextlib.contextmanager
def chromium(folder: Path, names: dict[str, int]) -> Iterator[Page]:
    """A browser of its own that finds these names at these ports of loopback, whatever port is asked for."""
    program = shutil.which("chromium")
    assert program, "chromium is needed: .ci/edge installs it"
    rules = ",".join(f"MAP {name} 127.0.0.1:{port}" for name, port in names.items())
    argv = [program, "--headless=new", "--disable-gpu", "--disable-dev-shm-usage", "--no-first-run", "--mute-audio",
            "--disable-background-networking", "--disable-component-update", "--ignore-certificate-errors",
            f"--user-data-dir={folder / 'profile'}", "--remote-debugging-port=0",
            f"--host-resolver-rules={rules}", "about:blank"]  # fmt: skip
    if os.getuid() == 0:
        argv.insert(1, "--no-sandbox")
    with (folder / "log").open("wb") as log:
        process = subprocess.Popen(argv, stdout=log, stderr=log, env=os.environ | {"HOME": str(folder)})
        try:
            told = folder / "profile/DevToolsActivePort"
            assert wait_until(lambda: told.is_file() and len(told.read_text().split()) == 2, 180, poll_s=0.2)
            port = told.read_text().split()[0]
            tab = httpx.put(f"http://127.0.0.1:{port}/json/new?about:blank", trust_env=False, timeout=60).json()
            with connect(tab["webSocketDebuggerUrl"], max_size=None, open_timeout=60) as connection:
                yield Page(connection)
        finally:
            process.terminate()
            process.wait(60)


@contextlib.contextmanager
def hostile(tls: ssl.SSLContext | None = None) -> Iterator[int]:
    """A server of the attacker's, which serves the page under any name; its port."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(200)
            self.send_header("Content-Type", "text/html; charset=utf-8")
            self.end_headers()
            self.wfile.write(ATTACK.encode())

        def log_message(self, format: str, *args: Any) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    if tls:
        server.socket = tls.wrap_socket(server.socket, server_side=True)
    with serving(server) as port:
        yield port
