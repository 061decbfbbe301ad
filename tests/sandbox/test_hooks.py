"""The stand-ins' webhooks: registration as the sheets say, signed bodies without records, bad delivery on demand."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import httpx
import pytest

from resources.webhooks import signed_by_fub
from sandbox import Sandbox
from tests.sandbox.conftest import Client, fub_of


class Sink:
    """A real server that takes what it is sent, and answers what it is told to."""

    def __init__(self) -> None:
        self.got: list[tuple[bytes, dict[str, str]]] = []
        self.answers: list[int] = []
        sink = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"]))
                sink.got.append((body, {k.lower(): v for k, v in self.headers.items()}))
                self.send_response(sink.answers.pop(0) if sink.answers else 200)
                self.send_header("Content-Length", "0")
                self.end_headers()

            def log_message(self, format: str, *args: Any) -> None:
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_port}/hook"

    def events(self) -> list[dict[str, Any]]:
        return [json.loads(body) for body, _ in self.got]


@pytest.fixture
def sink() -> Iterator[Sink]:
    made = Sink()
    thread = threading.Thread(target=made.server.serve_forever, daemon=True)
    thread.start()
    yield made
    made.server.shutdown()
    made.server.server_close()


def door(own: Sandbox, path: str, body: dict[str, Any] | None = None) -> dict[str, Any]:
    answer = httpx.post(f"{own.url}/_world/{path}", json=body or {}, trust_env=False, timeout=30)
    assert answer.status_code == 200, answer.text
    return answer.json()


def settled(own: Sandbox) -> dict[str, Any]:
    """The admin door's word once no delivery is under way."""
    for _ in range(500):
        told = httpx.get(f"{own.url}/_world/hooks", trust_env=False).json()
        if told["under_way"] == 0:
            return told
        time.sleep(0.02)
    raise AssertionError("deliveries do not end")


def owner_of(client: Client, own: Sandbox) -> httpx.Client:
    return fub_of(client, own, own.world.users[0])


def test_a_touched_record_is_told_of_by_id_and_signed_over_the_raw_body(
    client: Client, own: Sandbox, sink: Sink
) -> None:
    made = owner_of(client, own).post("/webhooks", json={"event": "peopleUpdated", "url": sink.url}).json()
    assert made == {"id": made["id"], "status": "Active", "event": "peopleUpdated", "url": sink.url}
    touched = door(own, "touch", {"system": "fub", "entity": "people"})
    settled(own)
    [(body, headers)] = sink.got
    event = json.loads(body)
    assert event["resourceIds"] == [int(touched["id"])] and event["event"] == "peopleUpdated"
    assert set(event) == {"eventId", "eventCreated", "event", "resourceIds", "uri"}
    assert signed_by_fub(["sandbox-system-key"], body, headers["fub-signature"])


def test_only_the_owner_of_a_registered_system_may_register_and_two_per_event_are_the_most(
    client: Client, own: Sandbox, sink: Sink
) -> None:
    wanted = {"event": "peopleUpdated", "url": sink.url}
    agent = fub_of(client, own, own.world.users[1])
    assert agent.post("/webhooks", json=wanted).status_code == 403
    assert (
        fub_of(client, own, own.world.users[0], **{"X-System": "x"}).post("/webhooks", json=wanted).status_code == 403
    )
    owner = owner_of(client, own)
    assert [owner.post("/webhooks", json=wanted).status_code for _ in range(3)] == [200, 200, 400]
    assert owner.post("/webhooks", json=wanted | {"event": "peopleTeleported"}).status_code == 400
    assert owner.post("/webhooks", json={**wanted, "url": "http://far.example"}).status_code == 400
    [first, second] = owner.get("/webhooks").json()["webhooks"]
    assert owner.put(f"/webhooks/{first['id']}", json={"status": "Disabled"}).json()["status"] == "Disabled"
    assert owner.delete(f"/webhooks/{second['id']}").status_code == 200
    door(own, "touch", {"system": "fub", "entity": "people"})
    settled(own)
    assert sink.got == [], "a disabled webhook is not called"


def test_a_step_tells_of_everything_that_is_told_and_of_nothing_that_goes_with_its_contact(
    client: Client, own: Sandbox, sink: Sink
) -> None:
    owner = owner_of(client, own)
    for event in ("peopleCreated", "peopleUpdated", "peopleDeleted", "callsCreated", "callsDeleted", "eventsCreated"):
        assert owner.post("/webhooks", json={"event": event, "url": sink.url}).status_code == 200
    account = str(own.world.users[0].fub_account)
    told = door(own, "step")["fub"][account]
    settled(own)
    by_name: dict[str, set[int]] = {}
    for event in sink.events():
        by_name.setdefault(event["event"], set()).update(event["resourceIds"])
        if event["event"] == "peopleDeleted":
            assert event["uri"] is None
    assert by_name["peopleDeleted"] == set(told["deleted"])
    assert by_name["peopleCreated"] == {*told["created"], *told["late"]}
    assert set(told["updated"]) - set(told["deleted"]) <= by_name["peopleUpdated"]
    assert by_name["callsCreated"] and "callsDeleted" not in by_name


def test_rezen_tells_each_viewer_unsigned_and_qualia_proves_itself(own: Sandbox, sink: Sink) -> None:
    user = own.world.users[0]
    door(own, "hooks/register", {"system": "rezen", "account": user.agent_id, "url": sink.url})
    title = own.world.title.keys[user.connections["title"].api_key][1]
    settled(own)
    assert [e["eventName"] for e in sink.events()] == ["WEBHOOK_ENDPOINT_TEST_EVENT"]
    touched = door(own, "touch", {"system": "rezen", "entity": "transactions", "account": user.agent_id})
    settled(own)
    assert sink.events()[-1]["rezenObject"] == {"id": touched["id"], "type": "TRANSACTION"}
    more = {"system": "title", "account": title, "url": sink.url, "user": "7", "password": "secret"}
    door(own, "hooks/register", more)
    door(own, "step")
    settled(own)
    assert {"type", "order_id", "description"} in [set(e) for e in sink.events()]
    assert any(headers.get("authorization", "").startswith("Basic ") for _, headers in sink.got)


def test_a_failed_delivery_is_tried_again_and_410_removes_the_webhook(client: Client, own: Sandbox, sink: Sink) -> None:
    owner = owner_of(client, own)
    owner.post("/webhooks", json={"event": "peopleUpdated", "url": sink.url})
    door(own, "hooks", {"retry_scale": 0.0001})
    sink.answers = [503, 500]
    door(own, "touch", {"system": "fub", "entity": "people"})
    assert settled(own)["counts"]["delivered"] == 1 and len(sink.got) == 3
    sink.answers = [410]
    door(own, "touch", {"system": "fub", "entity": "people"})
    settled(own)
    assert owner.get("/webhooks").json()["webhooks"] == []


def test_loss_and_repetition_are_as_asked_for(client: Client, own: Sandbox, sink: Sink) -> None:
    owner_of(client, own).post("/webhooks", json={"event": "peopleUpdated", "url": sink.url})
    door(own, "hooks", {"loss": 1})
    door(own, "touch", {"system": "fub", "entity": "people"})
    assert settled(own)["counts"]["lost"] == 1 and sink.got == []
    door(own, "hooks", {"loss": 0, "repeat": 1, "disorder": 1, "delay_s": 0.05})
    door(own, "touch", {"system": "fub", "entity": "people"})
    settled(own)
    assert len(sink.got) == 2 and sink.got[0] == sink.got[1]
    assert httpx.post(f"{own.url}/_world/hooks", json={"lost": 1}, trust_env=False).status_code == 400


def test_the_log_has_every_event_with_its_records_and_whether_it_was_lost(
    client: Client, own: Sandbox, sink: Sink
) -> None:
    owner_of(client, own).post("/webhooks", json={"event": "peopleUpdated", "url": sink.url})
    door(own, "hooks", {"loss": 1.0})
    first = door(own, "touch", {"system": "fub", "entity": "people"})
    door(own, "hooks", {"loss": 0.0})
    door(own, "touch", {"system": "fub", "entity": "people"})
    settled(own)
    events = httpx.get(f"{own.url}/_world/hooks/log", trust_env=False).json()["events"]
    assert [(e["system"], e["table"], e["ids"], e["lost"]) for e in events] == [
        ("fub", "people", [int(first["id"])], True),
        ("fub", "people", [int(first["id"])], False),
    ]
    assert len(sink.got) == 1


def test_two_contacts_that_are_merged_are_told_as_one_gone_and_one_changed(
    client: Client, own: Sandbox, sink: Sink
) -> None:
    for event in ("peopleUpdated", "peopleDeleted"):
        owner_of(client, own).post("/webhooks", json={"event": event, "url": sink.url})
    account = own.world.users[0].fub_account
    winner, loser = list(own.world.accounts[account].tables["people"])[:2]
    calls = [c for c in own.world.accounts[account].tables["calls"].values() if c["personId"] == loser]
    door(own, "merge", {"account": account, "winner": winner, "loser": loser})
    settled(own)
    assert {(e["event"], *e["resourceIds"]) for e in sink.events()} == {
        ("peopleUpdated", winner),
        ("peopleDeleted", loser),
    }
    assert loser not in own.world.accounts[account].tables["people"]
    assert all(call["personId"] == winner for call in calls)
