"""From a stored event to rows in V2, against the sandbox: whatever order events come in, and however often."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import dagster as dg
import orjson
import pytest
from dagster._core.definitions.partitions.context import partition_loading_context

from resources.lease import Lease
from resources.postgres import Database
from sandbox import Scale, World, serve
from sensors.inbox import inbox_sensor
from tests.story import Story, crm
from v2_assets.definitions import build_defs
from v2_assets.partitions import USERS_NAME, partition_key
from v2_assets.platform_resource import PlatformResource
from v2_assets.tables import merge_user
from v2_assets.webhooks import inbox
from v2_assets.webhooks.alarms import MOST_NAMES, inbox_old, unknown_events
from v2_assets.webhooks.drain import Drained, drain

SMALL = Scale(people=40, deals=20)


@pytest.fixture
def story(database: Database, tmp_path: Path) -> Iterator[Story]:
    """The owner of the first account, all of whose contacts are in V2."""
    with serve(World(scale=SMALL)) as sandbox:
        sandbox.limits.raised = {"global": 100_000, "events": 100_000}
        begun = Story.begin(database, sandbox, tmp_path, users=1)
        for entity in ("accounts", "users", "stages", "people"):
            begun.sync("fub", entity)
        merged(begun)
        yield begun


def credentials(story: Story, platform: str = "fub") -> int:
    query = "select id from v2.credentials where user_id = %s and platform = %s"
    return story.query(query, story.users[0], platform)[0][0]


def arrive(story: Story, event: str, body: dict[str, Any], *, source: str = "fub", owner: int | None = None) -> int:
    """An event in the inbox, as the receiver stores it."""
    with story.database.connect() as connection:
        row = connection.execute(
            "insert into ops.webhook_inbox (source, event_key, credentials_id, event, body)"
            " values (%s, gen_random_uuid()::text, %s, %s, %s) returning id",
            [source, credentials(story, source) if owner is None else owner, event, orjson.dumps(body)],
        ).fetchone()
    assert row
    return row[0]


def people_event(story: Story, event: str, *ids: int) -> int:
    return arrive(story, event, {"eventId": "e", "event": event, "resourceIds": list(ids), "uri": None})


def tick(story: Story) -> Drained:
    return asyncio.run(drain(story.database, story.settings))


def merged(story: Story) -> None:
    for work in (crm.FUB_ACCOUNTS, crm.FUB_USERS, crm.FUB_STAGES, crm.FUB_PEOPLE):
        merge_user(story.database, work, story.users[0], "run")


def states(story: Story) -> list[tuple[str, str | None]]:
    return [tuple(row) for row in story.query("select state, reason from ops.webhook_inbox order by id")]


def no_waiting(story: Story) -> None:
    with story.database.connect() as connection:
        connection.execute("update ops.webhook_inbox set next_attempt_at = null")


def people(story: Story) -> dict[int, Any]:
    account = story.sandbox.world.accounts[story.sandbox.world.users[0].fub_account]
    return account.tables["people"]


def price(story: Story, person: int) -> Any:
    return story.query(
        "select price::int, deleted_at is not null from v2.fub_people where fub_people_id_raw = %s", person
    )


def change(story: Story, person: dict[str, Any], amount: int) -> None:
    world = story.sandbox.world
    person |= {"price": amount, "updated": "2031-01-01T00:00:00Z"}
    world.changed()


def a_person(story: Story) -> dict[str, Any]:
    return next(p for p in people(story).values() if p["claimed"] and p["stage"] != "Trash")


def test_a_record_told_of_a_hundred_times_is_read_once_and_arrives_in_v2(story: Story) -> None:
    person = a_person(story)
    change(story, person, 123_456)
    for _ in range(100):
        people_event(story, "peopleUpdated", person["id"])
    story.sandbox.requests.clear()
    told = tick(story)
    assert told.events == {"stored": 100}
    assert story.sandbox.requests.total("/people") == 1
    assert told.touched == {"stage_fub_people": {story.users[0]}}
    merged(story)
    assert price(story, person["id"]) == [(123_456, False)]
    assert set(states(story)) == {("done", "stored")}


def test_events_in_the_wrong_order_and_three_days_late_end_in_the_newest_state(story: Story) -> None:
    person = a_person(story)
    change(story, person, 2)
    people_event(story, "peopleStageUpdated", person["id"])
    people_event(story, "peopleCreated", person["id"])
    tick(story)
    merged(story)
    assert price(story, person["id"]) == [(2, False)]


def test_a_bulk_change_of_more_records_than_a_page_is_read_in_pages(story: Story) -> None:
    ids = [i for i, p in people(story).items() if p["claimed"]]
    people_event(story, "peopleTagsCreated", *ids, *range(1_000_000, 1_000_090))
    story.sandbox.requests.clear()
    told = tick(story)
    assert told.events == {"later": 1}, "some of its records are not there yet"
    assert story.sandbox.requests.total(r"/people$") == -(-(len(ids) + 90) // 100)


def test_a_deleted_person_ends_in_v2_at_once_and_an_update_that_comes_after_does_not_bring_it_back(
    story: Story,
) -> None:
    from sandbox.world.move import delete_person

    person = a_person(story)["id"]
    account = story.sandbox.world.accounts[story.sandbox.world.users[0].fub_account]
    delete_person(account, person)
    story.sandbox.world.changed()
    people_event(story, "peopleDeleted", person)
    people_event(story, "peopleUpdated", person)
    told = tick(story)
    assert told.events["deleted"] == 2
    merged(story)
    assert [row[1] for row in price(story, person)] == [True]


def test_a_deletion_that_is_not_true_deletes_nothing(story: Story) -> None:
    person = a_person(story)["id"]
    people_event(story, "peopleDeleted", person)
    assert tick(story).events == {"stored": 1}
    assert [row[1] for row in price(story, person)] == [False]


def test_a_404_without_a_word_of_deletion_is_tried_again_and_then_left_to_the_sweeps(story: Story) -> None:
    from sandbox.world.move import delete_person

    person = a_person(story)["id"]
    delete_person(story.sandbox.world.accounts[story.sandbox.world.users[0].fub_account], person)
    story.sandbox.world.changed()
    people_event(story, "peopleUpdated", person)
    for _ in range(inbox.TRIES_WHEN_ABSENT):
        assert tick(story).events == {"later": 1}
        assert tick(story).events == {}, "not before its time"
        no_waiting(story)
    assert tick(story).events == {"not_visible": 1}
    assert [row[1] for row in price(story, person)] == [False]


def test_a_person_merged_into_another_goes_and_the_other_has_its_new_state(story: Story) -> None:
    from sandbox.world.move import delete_person

    first, second = [p for p in people(story).values() if p["claimed"]][:2]
    delete_person(story.sandbox.world.accounts[story.sandbox.world.users[0].fub_account], first["id"])
    change(story, second, 777)
    people_event(story, "peopleUpdated", second["id"], first["id"])
    people_event(story, "peopleDeleted", first["id"])
    assert tick(story).events == {"deleted": 2}, "one of the records of each is gone"
    merged(story)
    assert price(story, second["id"]) == [(777, False)]
    assert [row[1] for row in price(story, first["id"])] == [True]


def test_a_changed_definition_reads_its_short_list(story: Story) -> None:
    arrive(story, "stageUpdated", {"resourceIds": [1]})
    told = tick(story)
    assert told.events == {"stored": 1} and set(told.touched) == {"stage_fub_stages"}


def test_what_we_do_not_keep_is_done_and_an_unknown_name_is_kept_and_told(story: Story) -> None:
    arrive(story, "notesCreated", {"resourceIds": [1]})
    arrive(story, "peopleTeleported", {"resourceIds": [1]})
    assert tick(story).events == {"not_kept": 1, "unknown_event": 1}
    assert states(story) == [("done", "not_kept"), ("parked", "unknown_event")]
    with story.database.connect() as connection:
        assert set(unknown_events(connection)) == {"fub/peopleTeleported"}
        assert inbox.replay(connection, reason="unknown_event") == 1
    assert states(story)[1] == ("new", None)


def test_who_makes_up_names_of_events_makes_no_alert_for_each(story: Story) -> None:
    with story.database.connect() as connection:
        connection.execute(
            "insert into ops.webhook_inbox (source, event_key, credentials_id, event, body, state, reason, handled_at)"
            " select 'rezen', 'made-up-' || n, 7, 'MADE_UP_' || n, '{}', 'parked', 'unknown_event', now()"
            " from generate_series(1, 500) n"
        )
        told = unknown_events(connection)
    assert len(told) == MOST_NAMES + 1 and "490 such events" in told["rezen/more"].body["what"]


def test_an_event_of_nobody_is_parked(story: Story) -> None:
    arrive(story, "peopleUpdated", {"resourceIds": [1]}, owner=999_999)
    assert tick(story).events == {"unknown_user": 1}


def test_events_of_a_refused_key_wait_for_the_next_key(story: Story) -> None:
    owner = credentials(story)
    with story.database.connect() as connection:
        connection.execute("update v2.credentials set state = 'needs_reconnect' where id = %s", [owner])
    people_event(story, "peopleUpdated", a_person(story)["id"])
    assert tick(story).events == {"no_connection": 1}
    with story.database.connect() as connection:
        connection.execute("update v2.credentials set state = 'ok' where id = %s", [owner])
    assert tick(story).events == {"stored": 1}


def test_while_the_source_is_down_events_wait_with_backoff_and_are_read_when_it_is_back(
    story: Story, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("v2_assets.webhooks.drain.DEADLINE_S", 0.7)
    person = a_person(story)
    change(story, person, 31)
    people_event(story, "peopleUpdated", person["id"])
    story.sandbox.faults.add({"name": "error_5xx", "path": "/fub/"})
    assert tick(story).events == {"later": 1}
    assert tick(story).events == {}
    with story.database.connect() as connection:
        connection.execute("update ops.webhook_inbox set received_at = now() - interval '1 hour'")
        assert set(inbox_old(connection, story.settings)) == {"fub"}
    story.sandbox.faults.clear()
    no_waiting(story)
    assert tick(story).events == {"stored": 1}
    with story.database.connect() as connection:
        assert inbox_old(connection, story.settings) == {}


def test_a_record_that_is_deleted_while_its_last_change_waits_for_the_merge_stays_deleted(story: Story) -> None:
    person = a_person(story)
    change(story, person, 77)
    people_event(story, "peopleUpdated", person["id"])
    tick(story)
    del people(story)[person["id"]]
    story.sandbox.world.changed()
    people_event(story, "peopleDeleted", person["id"])
    assert tick(story).events == {"deleted": 1}
    merged(story)
    assert price(story, person["id"]) == [(77, True)]


def test_an_event_whose_record_is_not_there_is_not_told_as_unread(story: Story) -> None:
    people_event(story, "peopleUpdated", 123_456_789)
    assert tick(story).events == {"later": 1}
    with story.database.connect() as connection:
        connection.execute("update ops.webhook_inbox set received_at = now() - interval '1 hour'")
        assert inbox_old(connection, story.settings) == {}


def test_a_source_that_is_away_is_asked_for_one_connection_and_stream_and_holds_up_no_other_source(
    story: Story, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("v2_assets.webhooks.drain.AT_ONCE", 1)
    world = story.sandbox.world
    mine = world.users[0].agent_id
    deal = next(d for i, d in world.brokerage.deals.items() if mine in world.brokerage.viewers[i] and not d["listing"])
    people_event(story, "peopleUpdated", a_person(story)["id"])
    arrive(story, "callsUpdated", {"eventId": "e", "event": "callsUpdated", "resourceIds": [1], "uri": None})
    arrive(story, "TRANSACTION_UPDATED", {"rezenObject": {"id": deal["id"]}}, source="rezen")
    story.sandbox.faults.add({"name": "error_5xx", "path": "/fub/"})
    story.sandbox.requests.clear()
    assert tick(story).events == {"later": 2, "stored": 1}
    assert story.sandbox.requests.total("/fub/v1/people") and not story.sandbox.requests.total("/fub/v1/calls")


def test_the_first_answer_of_a_source_lets_all_that_waited_for_it_go_on(story: Story) -> None:
    first, second = [p for p in people(story).values() if p["claimed"] and p["stage"] != "Trash"][:2]
    people_event(story, "peopleUpdated", first["id"])
    with story.database.connect() as connection:
        connection.execute(
            "update ops.webhook_inbox set attempts = 3, next_attempt_at = now() + interval '5 minutes',"
            """ error = '{"code": "source_unavailable"}'"""
        )
    assert tick(story).events == {}
    people_event(story, "peopleUpdated", second["id"])
    assert tick(story).events == {"stored": 1}
    assert tick(story).events == {"stored": 1}


def test_a_sweep_at_work_is_not_waited_for(story: Story) -> None:
    person = a_person(story)["id"]
    people_event(story, "peopleUpdated", person)
    user = story.sandbox.world.users[0]
    key = f"sync:fub/{user.fub_account}/{story.users[0]}:people"
    with Lease.acquire(story.database, key, "a sweep"):
        assert tick(story).events == {"busy": 1}
    no_waiting(story)
    assert tick(story).events == {"stored": 1}


def flood(story: Story, owner: int, event: str, number: int, person: int) -> None:
    body = orjson.dumps({"eventId": "e", "event": event, "resourceIds": [person], "uri": None})
    with story.database.connect() as connection:
        connection.execute(
            "insert into ops.webhook_inbox (source, event_key, credentials_id, event, body)"
            " select 'fub', gen_random_uuid()::text, %s, %s, %s from generate_series(1, %s)",
            [owner, event, body, number],
        )


def test_two_thousand_events_of_an_account_under_sweep_keep_nobody_waiting(story: Story) -> None:
    person = a_person(story)["id"]
    other = story.query(
        "insert into v2.credentials (user_id, platform, account_id, external_user_id, api_key, state, verified,"
        " verified_at) select user_id, platform, account_id || '0', external_user_id, api_key, state, verified,"
        " verified_at from v2.credentials where id = %s returning id",
        credentials(story),
    )[0][0]
    flood(story, credentials(story), "peopleUpdated", inbox.EVENTS_PER_TICK + 50, person)
    flood(story, credentials(story), "callsUpdated", 1, 1)
    flood(story, other, "peopleUpdated", 1, person)
    user = story.sandbox.world.users[0]
    with Lease.acquire(story.database, f"sync:fub/{user.fub_account}/{story.users[0]}:people", "a sweep"):
        assert tick(story).events == {"busy": inbox.EVENTS_PER_TICK - 1, "stored": 1}, "each connection has its turn"
        assert tick(story).events == {"busy": 51, "stored": 1}, "nor does it stand before its own other streams"
        assert tick(story).events == {}, "and it costs nothing while the sweep lasts"
    assert story.query("select max(attempts) from ops.webhook_inbox where event = 'peopleUpdated'") == [(0,)]


def test_an_error_that_nobody_foresaw_is_recorded_with_its_event_and_the_others_go_on(
    story: Story, monkeypatch: pytest.MonkeyPatch
) -> None:
    from resources.apis.fub.client import FubClient

    healthy = FubClient.read_some
    first, second, third = [p["id"] for p in people(story).values() if p["claimed"] and p["stage"] != "Trash"][:3]

    async def stumbles(self: Any, entity: str, ids: Any, priority: Any) -> Any:
        if str(second) in ids:
            raise TypeError(f"cannot read {second}")
        return await healthy(self, entity, ids, priority)

    monkeypatch.setattr(FubClient, "read_some", stumbles)
    for person in (first, second, third):
        people_event(story, "peopleUpdated", person)
    arrive(story, "stageUpdated", {"resourceIds": [1]})
    assert tick(story).events == {"stored": 3, "later": 1}
    [(body, error)] = story.query("select body, error from ops.webhook_inbox where state = 'new'")
    assert orjson.loads(body)["resourceIds"] == [second]
    assert error["code"] == "unexpected" and "TypeError" in error["message"]
    assert str(second) not in error["message"], "an exception's own words may quote a record"
    with story.database.connect() as connection:
        connection.execute("update ops.webhook_inbox set attempts = 8, next_attempt_at = null where state = 'new'")
    assert tick(story).events == {"failed": 1}


def test_a_body_that_cannot_be_understood_is_put_aside_alone(story: Story) -> None:
    with story.database.connect() as connection:
        connection.execute(
            "insert into ops.webhook_inbox (source, event_key, credentials_id, event, body)"
            " values ('fub', 'x', %s, 'peopleUpdated', '[')",
            [credentials(story)],
        )
    people_event(story, "peopleUpdated", a_person(story)["id"])
    assert tick(story).events == {"failed": 1, "stored": 1}


def test_a_connection_without_a_key_fails_alone(story: Story) -> None:
    owner = story.query(
        "insert into v2.credentials (user_id, platform, account_id, state) select user_id, platform, '9', 'ok'"
        " from v2.credentials where id = %s returning id",
        credentials(story),
    )[0][0]
    people_event(story, "peopleUpdated", a_person(story)["id"])
    arrive(story, "peopleUpdated", {"resourceIds": [1]}, owner=owner)
    assert tick(story).events == {"stored": 1, "later": 1}
    assert story.query("select error ->> 'code' from ops.webhook_inbox where state = 'new'") == [("config",)]


def test_one_connection_that_finds_its_source_away_holds_up_no_other(
    story: Story, monkeypatch: pytest.MonkeyPatch
) -> None:
    from resources.errors import SourceUnavailable
    from v2_assets.webhooks import drain as module

    monkeypatch.setattr(module, "AT_ONCE", 1)
    owner = story.query(
        "insert into v2.credentials (user_id, platform, account_id, external_user_id, api_key, state, verified,"
        " verified_at) select user_id, platform, account_id || '0', external_user_id, api_key, state, verified,"
        " verified_at from v2.credentials where id = %s returning id",
        credentials(story),
    )[0][0]
    reads = module._read_records

    async def one_is_away(database: Any, settings: Any, vault: Any, budget: Any, group: Any, run_id: str) -> Any:
        if group.owner.credentials_id == credentials(story):
            raise SourceUnavailable("away for this account")
        return await reads(database, settings, vault, budget, group, run_id)

    monkeypatch.setattr(module, "_read_records", one_is_away)
    person = a_person(story)["id"]
    people_event(story, "peopleUpdated", person)
    arrive(story, "peopleUpdated", {"resourceIds": [person]}, owner=owner)
    assert tick(story).events == {"later": 1, "stored": 1}


def test_a_deal_of_rezen_is_read_again_by_its_id_with_its_users_key(story: Story) -> None:
    world = story.sandbox.world
    mine = world.users[0].agent_id
    deal = next(d for i, d in world.brokerage.deals.items() if mine in world.brokerage.viewers[i] and not d["listing"])
    arrive(story, "WEBHOOK_ENDPOINT_TEST_EVENT", {}, source="rezen")
    arrive(story, "TRANSACTION_UPDATED", {"rezenObject": {"id": deal["id"]}}, source="rezen")
    arrive(story, "LISTING_UPDATED", {"rezenObject": {"id": "00000000-0000-4000-8000-000000000000"}}, source="rezen")
    assert tick(story).events == {"not_kept": 1, "stored": 1, "later": 1}
    assert story.query("select source_id from staging.stage_rezen_transactions") == [(deal["id"],)]


def test_an_order_of_qualia_is_read_again_by_its_id(story: Story) -> None:
    world = story.sandbox.world
    name = world.users[0].connections["title"].api_key
    orders = world.title.organisations[world.title.keys[name][1]].orders
    order = next(iter(orders))
    arrive(story, "documents", {"type": "documents", "order_id": order}, source="title")
    assert tick(story).events == {"stored": 1}
    assert story.query("select source_id from staging.stage_title_orders") == [(order,)]


def test_the_run_that_follows_merges_only_what_reads_the_new_rows_for_the_users_who_have_them(
    story: Story, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in story.environment().items():
        monkeypatch.setenv(name, value)
    person = a_person(story)
    change(story, person, 99)
    people_event(story, "peopleUpdated", person["id"])
    with dg.DagsterInstance.ephemeral() as instance:
        instance.add_dynamic_partitions(USERS_NAME, ["0", partition_key(story.users[0]), "9000"])
        with (
            partition_loading_context(dynamic_partitions_store=instance),
            dg.build_sensor_context(
                instance=instance, definitions=build_defs(), resources={"platform": PlatformResource()}
            ) as context,
        ):
            ticked = inbox_sensor.evaluate_tick(context)
            again = inbox_sensor.evaluate_tick(context)
    [request] = ticked.run_requests or []
    assert request.tags["dagster/partition"] == partition_key(story.users[0])
    names = {key.to_user_string() for key in request.asset_selection or ()}
    assert "fub_people" in names and "fub_calls" not in names
    assert request.asset_check_keys == [], "checks have their own schedule"
    assert not again.run_requests
