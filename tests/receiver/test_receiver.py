"""What the receiver takes, what it refuses, and that what it took is there."""

from __future__ import annotations

import asyncio
import contextlib
import json
import socket

import httpx
import orjson
import psycopg
import pytest

from resources.postgres import Database
from resources.webhooks import fub_signature
from sensors.receiver.app import MOST_BYTES
from sensors.receiver.bounds import ROW_BYTES, Overloaded, Quota, Room
from tests.receiver.conftest import KEY, PREVIOUS, Running, as_receiver, fub_event
from v2_assets.webhooks.alarms import over_quota


def test_a_signed_event_is_stored_byte_for_byte_before_it_is_answered(receiver: Running) -> None:
    body = json.dumps(fub_event(data={"stage": "Zürich 🏡"}), ensure_ascii=False, indent=3).encode()
    assert receiver.fub(body).status_code == 200
    assert receiver.stored() == [("fub", 7, "peopleUpdated", body, "new")]


def test_the_key_before_the_last_change_still_proves_an_event(receiver: Running) -> None:
    assert receiver.fub(fub_event(1), key=PREVIOUS).status_code == 200
    assert receiver.fub(fub_event(2), key=KEY).status_code == 200
    assert len(receiver.stored()) == 2


@pytest.mark.parametrize("signature", [None, "", "0" * 64, "ünsigned".encode(), "sha256="])
def test_an_event_without_a_fitting_signature_is_401_and_is_not_stored(
    receiver: Running, signature: str | bytes | None
) -> None:
    headers = {} if signature is None else {"FUB-Signature": signature}
    answer = receiver.post(receiver.addresses.path("fub", 7), orjson.dumps(fub_event()), headers)
    assert (answer.status_code, receiver.stored()) == (401, [])


def test_a_body_that_somebody_changed_is_401(receiver: Running) -> None:
    body = orjson.dumps(fub_event())
    headers = {"FUB-Signature": fub_signature(KEY, body)}
    answer = receiver.post(receiver.addresses.path("fub", 7), body.replace(b"Updated", b"Deleted"), headers)
    assert (answer.status_code, receiver.stored()) == (401, [])


@pytest.mark.parametrize("body", [b"", b"{", b"[1]", b"null", b'{"event": "x"}', b'{"eventId": 3, "event": "x"}'])
def test_a_signed_body_that_is_no_event_is_400(receiver: Running, body: bytes) -> None:
    answer = receiver.fub(body)
    assert (answer.status_code, receiver.stored()) == (400, [])


def test_an_event_that_comes_a_hundred_times_is_stored_once_and_always_answered_with_200(receiver: Running) -> None:
    assert {receiver.fub(fub_event()).status_code for _ in range(100)} == {200}
    assert len(receiver.stored()) == 1


def test_the_parts_of_one_large_update_are_all_kept(receiver: Running) -> None:
    for part in ([1, 2], [3, 4]):
        assert receiver.fub(fub_event(1, resourceIds=part)).status_code == 200
    assert len(receiver.stored()) == 2


def test_an_event_that_repeats_the_address_or_the_password_is_stored_without(receiver: Running) -> None:
    addresses = receiver.addresses
    rezen, (name, password) = addresses.path("rezen", 7), addresses.basic(7)
    body = orjson.dumps({"eventName": "x", "to": f"https://hooks.example.test{rezen}", "id": 7})
    assert receiver.post(rezen, body).status_code == 200
    assert receiver.post("/hooks/title", orjson.dumps({"type": "y", "by": password}), auth=(name, password)).is_success
    stored = [bytes(row[3]) for row in receiver.stored()]
    assert [password in str(body) or rezen.partition(".")[2] in str(body) for body in stored] == [False, False]
    assert orjson.loads(stored[0])["id"] == 7 and b"https://hooks.example.test/hooks/rezen/7.***" in stored[0]


def test_a_body_of_ten_megabytes_is_413_whether_it_says_so_or_not(receiver: Running) -> None:
    large, path = b"x" * 10_000_000, receiver.addresses.path("fub", 7)
    assert receiver.post(path, large).status_code == 413
    with httpx.Client(trust_env=False, timeout=20) as client:

        def drip():
            yield from (large[:50_000],) * 200

        try:
            status = client.post(f"http://127.0.0.1:{receiver.port}{path}", content=drip()).status_code
        except httpx.WriteError:  # the receiver has answered and closed while the body was still coming
            status = 413
    assert (status, receiver.stored()) == (413, [])


def test_rezens_address_cannot_be_guessed_and_belongs_to_one_connection(receiver: Running) -> None:
    body = orjson.dumps({"eventName": "TRANSACTION_UPDATED", "rezenObject": {"id": "tx-1"}, "timestamp": "t"})
    good = receiver.addresses.path("rezen", 7)
    assert receiver.post(good, body).status_code == 200
    for bad in (good[:-1], good.replace("7.", "8."), good.replace("rezen", "fub"), "/hooks/rezen/7.", "/hooks/x/y"):
        assert receiver.post(bad, body).status_code in (401, 404)
    assert [row[:3] for row in receiver.stored()] == [("rezen", 7, "TRANSACTION_UPDATED")]


def test_one_rezen_event_of_two_connections_is_two_events(receiver: Running) -> None:
    body = orjson.dumps({"eventName": "TRANSACTION_UPDATED", "rezenObject": {"id": "tx-1"}, "timestamp": "t"})
    for credentials in (7, 8, 8):
        assert receiver.post(receiver.addresses.path("rezen", credentials), body).status_code == 200
    assert [row[1] for row in receiver.stored()] == [7, 8]


def test_qualia_proves_itself_by_name_and_password(receiver: Running) -> None:
    body = orjson.dumps({"type": "message", "order_id": "aB3", "message_id": "m1", "description": "New message"})
    name, password = receiver.addresses.basic(7)
    assert receiver.post("/hooks/title", body, auth=(name, password)).status_code == 200
    assert receiver.post("/hooks/title", body, auth=("8", password)).status_code == 401
    assert receiver.post("/hooks/title", body).status_code == 401
    assert [row[:3] for row in receiver.stored()] == [("title", 7, "message")]


def test_no_request_is_ever_answered_with_406_or_410_which_would_remove_the_webhook(receiver: Running) -> None:
    path = receiver.addresses.path("fub", 7)
    with httpx.Client(trust_env=False, base_url=f"http://127.0.0.1:{receiver.port}") as client:
        for method in ("GET", "PUT", "DELETE", "HEAD", "OPTIONS"):
            for headers in ({"Accept": "image/png"}, {"Content-Type": "text/xml"}, {"Expect": "something"}):
                assert client.request(method, path, headers=headers).status_code not in (406, 410)


def test_a_burst_is_stored_whole_in_few_commits(receiver: Running) -> None:
    async def burst() -> set[int]:
        limits = httpx.Limits(max_connections=50)
        async with httpx.AsyncClient(trust_env=False, timeout=None, limits=limits) as client:
            path = f"http://127.0.0.1:{receiver.port}{receiver.addresses.path('fub', 7)}"

            async def one(number: int) -> int:
                body = orjson.dumps(fub_event(number))
                answer = await client.post(path, content=body, headers={"FUB-Signature": fub_signature(KEY, body)})
                return answer.status_code

            return set(await asyncio.gather(*(one(n) for n in range(600))))

    assert asyncio.run(burst()) == {200}
    with receiver.database.connect() as connection:
        row = connection.execute("select count(*), count(distinct received_at) from ops.webhook_inbox").fetchone()
    assert row and row[0] == 600 and row[1] < 600


def test_while_the_database_is_away_the_sender_is_told_to_come_again_and_later_it_is_taken(receiver: Running) -> None:
    def allow(word: str) -> None:
        with psycopg.connect(receiver.database.url, autocommit=True) as connection:
            connection.execute(f"{word} insert on ops.webhook_inbox {'to' if word == 'grant' else 'from'} v2_receiver")

    allow("revoke")
    answer = receiver.fub(fub_event())
    assert (answer.status_code, answer.headers["retry-after"]) == (503, "5")
    allow("grant")
    assert receiver.fub(fub_event()).status_code == 200
    assert len(receiver.stored()) == 1


def test_a_connection_that_the_server_ended_is_replaced_without_a_lost_event(receiver: Running) -> None:
    assert receiver.fub(fub_event(1)).status_code == 200
    with psycopg.connect(receiver.database.url, autocommit=True) as connection:
        connection.execute(
            "select pg_terminate_backend(pid) from pg_stat_activity where datname = current_database()"
            " and pid <> pg_backend_pid()"
        )
    assert receiver.fub(fub_event(2)).status_code == 200
    assert len(receiver.stored()) == 2


def test_it_says_that_it_lives_and_whether_the_database_takes_events(receiver: Running) -> None:
    told = [httpx.get(f"http://127.0.0.1:{receiver.port}{path}", trust_env=False) for path in ("/health", "/ready")]
    assert [(answer.status_code, answer.json()) for answer in told] == [(200, {"ok": True}), (200, {"database": "ok"})]


def test_the_receivers_role_can_add_to_the_inbox_and_read_nothing_at_all(database: Database) -> None:
    with psycopg.connect(as_receiver(database.url), autocommit=True) as connection:
        for statement in (
            "select * from ops.webhook_inbox",
            "delete from ops.webhook_inbox",
            "update ops.webhook_inbox set state = 'done'",
            "select * from v2.credentials",
        ):
            with pytest.raises(psycopg.errors.InsufficientPrivilege):
                connection.execute(statement)  # type: ignore[arg-type]


@pytest.mark.parametrize("depth", [900, 1000, 1020, 5000])
def test_a_body_that_is_nested_deeply_is_taken_or_refused_and_never_an_error_of_ours(
    receiver: Running, depth: int
) -> None:
    body = b'{"eventName":"x","resourceIds":[' + b"[" * depth + b"]" * depth + b"]}"
    assert receiver.post(receiver.addresses.path("rezen", 7), body).status_code in (200, 400)
    event = b'{"event":"peopleUpdated","eventId":"a",' + body[1:]
    assert receiver.fub(event).status_code in (200, 400)


def test_who_has_a_stolen_address_fills_no_more_than_the_quota_of_its_connection_and_people_are_told(
    receiver: Running,
) -> None:
    body = b'{"eventName":"%d","a":"' + b"x" * 90_000 + b'"}'
    stolen, other = (receiver.addresses.path("rezen", number) for number in (7, 8))
    with httpx.Client(trust_env=False, timeout=20, base_url=f"http://127.0.0.1:{receiver.port}") as client:
        statuses = [client.post(stolen, content=body % number).status_code for number in range(20)]
    assert statuses == [200] * 11 + [429] * 9
    assert receiver.post(other, body % 1).status_code == 200
    with receiver.database.connect() as connection:
        told = over_quota(connection)
        stored = connection.execute(
            "select sum(length(body)) from ops.webhook_inbox where credentials_id = 7"
        ).fetchone()
    assert set(told) == {"rezen/7"} and "connection 7" in told["rezen/7"].subject
    assert stored and stored[0] <= 1_000_000


def test_what_a_connection_has_used_comes_back_over_the_day() -> None:
    now = 0.0
    quota = Quota(10 * (1_000 + ROW_BYTES), clock=lambda: now)
    assert [quota.take(7, 1_000) for _ in range(12)] == [True] * 10 + [False] * 2
    assert quota.take(8, 1_000)
    now = 86_400 / 10
    assert [quota.take(7, 1_000) for _ in range(2)] == [True, False]


def test_bodies_that_are_held_have_a_bound_in_bytes_and_the_sender_over_it_comes_again(receiver: Running) -> None:
    room = Room(10)
    with room.held(6):
        with pytest.raises(Overloaded), room.held(5):
            pass
        with room.held(4):
            pass
    with room.held(10):
        pass
    path, kept = receiver.addresses.path("rezen", 7), []
    with contextlib.ExitStack() as stack:
        for _ in range(MOST_BYTES // 100_000):  # each promises a body of the largest size, and is slow to send it
            sender = stack.enter_context(socket.create_connection(("127.0.0.1", receiver.port)))
            sender.sendall(f"POST {path} HTTP/1.1\r\nHost: a\r\nContent-Length: 100000\r\n\r\n".encode())
            kept.append(sender)
        answer = receiver.post(path, b'{"eventName":"x"}')
        while answer.status_code == 200:  # until the last of them has been met
            answer = receiver.post(path, b'{"eventName":"x"}')
        assert (answer.status_code, answer.headers["retry-after"]) == (503, "5")
    while answer.status_code != 200:  # and until the receiver has seen that they are gone
        answer = receiver.post(path, b'{"eventName":"x"}')
