"""Pages of Follow Up Boss: envelopes, tokens, the wall, fields, filters, and what is hidden."""

from __future__ import annotations

import base64
import json
from datetime import datetime, timedelta

import httpx
import pytest

from sandbox import Sandbox
from tests.sandbox.conftest import START, Client, fub_of
from tests.sandbox.test_fub_access import LISTS, everything


def rows_of(answer: httpx.Response) -> list[dict]:
    assert answer.status_code == 200, answer.text
    body = answer.json()
    return body[body["_metadata"]["collection"]]


def content(token: str) -> dict:
    return json.loads(base64.urlsafe_b64decode(token + "=" * (-len(token) % 4)))


# --- pages ----------------------------------------------------------------------------------------------------------


def test_ten_records_unless_asked_and_never_more_than_a_hundred(owner: httpx.Client) -> None:
    assert len(rows_of(owner.get("/people"))) == 10
    answer = owner.get("/people", params={"limit": "1000"})
    assert (len(rows_of(answer)), answer.json()["_metadata"]["limit"]) == (100, 100)


@pytest.mark.parametrize("path", LISTS)
def test_the_envelope_names_its_array_and_counts_it(owner: httpx.Client, path: str) -> None:
    body = owner.get(f"/{path}", params={"limit": "2"}).json()
    metadata = body["_metadata"]
    assert body.keys() == {"_metadata", metadata["collection"]}
    assert metadata["total"] == len(everything(owner, f"/{path}"))
    assert (metadata["offset"], metadata["limit"]) == (0, 2)


def test_texts_come_under_a_lower_case_name(owner: httpx.Client, running: Sandbox) -> None:
    text = next(iter(running.world.accounts[77_001].tables["textMessages"].values()))
    body = owner.get("/textMessages", params={"personId": str(text["personId"])}).json()
    assert text["id"] in [row["id"] for row in body["textmessages"]]


def test_pages_follow_ids_downwards_and_meet_every_record_once(owner: httpx.Client, running: Sandbox) -> None:
    ids = [call["id"] for call in everything(owner, "/calls")]
    assert ids == sorted(running.world.accounts[77_001].tables["calls"], reverse=True)


def test_under_id_order_a_token_is_a_keyset_and_under_another_an_offset(owner: httpx.Client) -> None:
    by_id = owner.get("/people", params={"limit": "5"})
    assert content(by_id.json()["_metadata"]["next"]) == {"sinceId": rows_of(by_id)[-1]["id"]}
    by_name = owner.get("/people", params={"limit": "5", "sort": "lastName"})
    assert content(by_name.json()["_metadata"]["next"]) == {"offset": 5}


def test_a_links_host_is_foreign_and_its_ampersand_doubled(owner: httpx.Client, running: Sandbox) -> None:
    link = owner.get("/people").json()["_metadata"]["nextLink"]
    assert "&&next=" in link
    assert str(running.port) not in link


@pytest.mark.parametrize(
    ("path", "silent"), [("/users", False), ("/people", False), ("/calls", True), ("/deals", True)]
)
def test_the_last_page_has_no_token_said_as_null_or_not_at_all(owner: httpx.Client, path: str, silent: bool) -> None:
    metadata = owner.get(path, params={"limit": "100", "idLessThan": "20"}).json()["_metadata"]
    assert metadata.get("next") is None
    assert ("next" not in metadata) is silent


def test_a_record_that_arrives_between_pages_does_not_shift_a_keyset(client: Client, own: Sandbox) -> None:
    http = fub_of(client, own, own.world.users[0])
    first = http.get("/people", params={"limit": "20"})
    own.world.step(START + timedelta(hours=1))
    token = first.json()["_metadata"]["next"]
    second = rows_of(http.get("/people", params={"limit": "20", "next": token}))
    assert max(row["id"] for row in second) < min(row["id"] for row in rows_of(first))


@pytest.mark.parametrize("token", ["nonsense", "e30", base64.b64encode(b'{"sinceId":"x"}').decode()])
def test_a_token_that_cannot_be_read_is_400(owner: httpx.Client, token: str) -> None:
    assert owner.get("/people", params={"next": token}).status_code == 400


def test_deep_offsets_are_refused_and_the_last_good_one_is_1900(owner: httpx.Client) -> None:
    assert owner.get("/calls", params={"offset": "1900", "limit": "100"}).status_code == 200
    refused = owner.get("/calls", params={"offset": "2000", "limit": "100"})
    assert refused.status_code == 400
    assert "deep pagination" in refused.json()["errorMessage"].lower()
    assert "nextLink" in refused.json()["errorMessage"]


def test_a_limit_that_is_no_number_is_400(owner: httpx.Client) -> None:
    assert owner.get("/people", params={"limit": "many"}).status_code == 400


def test_stages_come_by_their_weight(owner: httpx.Client) -> None:
    assert [s["orderWeight"] for s in rows_of(owner.get("/stages"))] == [1000, 2000, 3000, 4000, 5000, 6000]


def test_sorting_by_a_number_is_by_value_with_nothing_first(owner: httpx.Client) -> None:
    prices = [p["price"] for p in everything(owner, "/people", sort="price")]
    assert prices == sorted(prices, key=lambda p: (p is not None, p or 0))


def test_deals_count_themselves_by_stage(owner: httpx.Client) -> None:
    metadata = owner.get("/deals").json()["_metadata"]
    assert sum(metadata["totalByStageId"].values()) == metadata["total"]


# --- fields ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("path", LISTS)
def test_an_unknown_field_is_400(owner: httpx.Client, path: str) -> None:
    answer = owner.get(f"/{path}", params={"fields": "id,noSuchField"})
    assert answer.status_code == 400
    assert "noSuchField" in answer.json()["errorMessage"]


def test_custom_fields_are_absent_unless_named(owner: httpx.Client) -> None:
    def custom(answer: httpx.Response) -> set[str]:
        return {name for row in rows_of(answer) for name in row if name.startswith("custom")}

    assert custom(owner.get("/people")) == set()
    assert custom(owner.get("/people", params={"fields": "allFields"})) == {"customMoveDate", "customBudget"}
    assert custom(owner.get("/people", params={"fields": "name,customBudget"})) == {"customBudget"}
    named = rows_of(owner.get("/people", params={"fields": "allCustom"}))[0]
    assert named.keys() == {"id", "customMoveDate", "customBudget"}


def test_named_fields_come_alone_and_always_with_the_id(owner: httpx.Client) -> None:
    assert rows_of(owner.get("/people", params={"fields": "name"}))[0].keys() == {"id", "name"}


def test_field_names_are_case_sensitive(owner: httpx.Client) -> None:
    assert owner.get("/people", params={"fields": "custombudget"}).status_code == 400


def test_a_single_contact_is_as_partial_as_a_listed_one(owner: httpx.Client) -> None:
    listed = rows_of(owner.get("/people"))[0]
    assert owner.get(f"/people/{listed['id']}").json() == listed
    assert "customBudget" in owner.get(f"/people/{listed['id']}", params={"fields": "allFields"}).json()


def test_a_single_event_lacks_what_a_listed_one_has(owner: httpx.Client) -> None:
    listed = rows_of(owner.get("/events"))[0]
    assert listed.keys() - owner.get(f"/events/{listed['id']}").json().keys() == {
        "pageTitle",
        "pageUrl",
        "pageDuration",
    }


def test_asking_for_undefined_gives_a_list_of_people(owner: httpx.Client) -> None:
    assert "_metadata" in owner.get("/people/undefined").json()
    assert owner.get("/deals/undefined").status_code == 404


# --- filters --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("path", LISTS)
def test_an_unknown_filter_is_ignored_silently(owner: httpx.Client, path: str) -> None:
    plain = owner.get(f"/{path}").json()
    assert owner.get(f"/{path}", params={"since": "2099-01-01", "pondId": "3", "status_": "x"}).json() == plain


@pytest.mark.parametrize("path", ["people", "events", "calls"])
@pytest.mark.parametrize("name", ["updatedAfter", "createdAfter"])
def test_filters_by_time_cut_and_a_future_date_leaves_nothing(owner: httpx.Client, path: str, name: str) -> None:
    column = name.removesuffix("After")
    everyone = everything(owner, f"/{path}")
    middle = sorted(row[column] for row in everyone)[len(everyone) // 2]
    later = everything(owner, f"/{path}", **{name: middle})
    assert {row["id"] for row in later} == {row["id"] for row in everyone if row[column] >= middle}
    future = owner.get(f"/{path}", params={name: "2099-01-01T00:00:00Z"}).json()
    assert (future["_metadata"]["total"], future[path]) == (0, [])


@pytest.mark.parametrize("path", ["deals", "appointments", "stages", "groups", "pipelines"])
def test_filters_by_time_are_ignored_where_nobody_documents_them(owner: httpx.Client, path: str) -> None:
    assert owner.get(f"/{path}", params={"updatedAfter": "2099-01-01T00:00:00Z"}).json()["_metadata"]["total"] > 0


def test_a_date_that_cannot_be_read_is_400(owner: httpx.Client) -> None:
    assert owner.get("/people", params={"updatedAfter": "lately"}).status_code == 400


def test_last_activity_may_be_written_with_a_space(owner: httpx.Client) -> None:
    everyone = everything(owner, "/people")
    middle = datetime.fromisoformat(sorted(p["lastActivity"] for p in everyone)[len(everyone) // 2])
    found = everything(owner, "/people", lastActivityAfter=middle.strftime("%Y-%m-%d %H:%M:%S"))
    assert {p["id"] for p in found} == {
        p["id"] for p in everyone if datetime.fromisoformat(p["lastActivity"]) >= middle
    }


def test_people_are_found_by_id_stage_source_tag_mail_phone_price_and_assignee(owner: httpx.Client) -> None:
    everyone = everything(owner, "/people")
    one = next(p for p in everyone[20:-20] if p["emails"] and p["phones"] and p["tags"] and p["price"])
    cases = {
        "id": (f"{one['id']},999999", lambda p: p["id"] == one["id"]),
        "idLessThan": (str(one["id"]), lambda p: p["id"] < one["id"]),
        "idGreaterThan": (str(one["id"]), lambda p: p["id"] > one["id"]),
        "stage": (one["stage"], lambda p: p["stage"] == one["stage"]),
        "source": (one["source"], lambda p: p["source"] == one["source"]),
        "tags": (f"{one['tags'][0]},nobody", lambda p: one["tags"][0] in p["tags"]),
        "email": (one["emails"][0]["value"].upper(), lambda p: p["emails"] and p["emails"][0] == one["emails"][0]),
        "phone": (one["phones"][0]["value"], lambda p: p["phones"] and p["phones"][0] == one["phones"][0]),
        "priceAbove": (str(one["price"]), lambda p: (p["price"] or -1) >= one["price"]),
        "contacted": ("1", lambda p: p["contacted"] == 1),
        "assignedUserId": (str(one["assignedUserId"]), lambda p: p["assignedUserId"] == one["assignedUserId"]),
        "lastName": (one["lastName"], lambda p: p["lastName"] == one["lastName"]),
    }
    for name, (value, expected) in cases.items():
        found = {p["id"] for p in everything(owner, "/people", **{name: value})}
        assert found == {p["id"] for p in everyone if expected(p)}, name
        assert found, name


def test_the_trash_is_hidden_unless_asked_for(owner: httpx.Client) -> None:
    assert "Trash" not in {p["stage"] for p in everything(owner, "/people")}
    assert "Trash" in {p["stage"] for p in everything(owner, "/people", includeTrash="true")}


def test_archived_and_deleted_deals_are_hidden_unless_asked_for(owner: httpx.Client) -> None:
    def statuses(**params: str) -> set[str]:
        return {d["status"] for d in everything(owner, "/deals", **params)}

    assert statuses() == {"Active"}
    assert statuses(includeArchived="1") == {"Active", "Archived"}
    assert statuses(includeArchived="1", includeDeleted="1") == {"Active", "Archived", "Deleted"}
    assert statuses(status="Archived") == {"Archived"}


def test_deals_are_found_by_pipeline_person_and_user_and_carry_no_stamp_of_change(owner: httpx.Client) -> None:
    deals = everything(owner, "/deals")
    one = next(d for d in deals if d["users"])
    for name, value in (
        ("pipelineId", one["pipelineId"]),
        ("personId", one["people"][0]["id"]),
        ("userId", one["users"][0]["id"]),
    ):
        found = everything(owner, "/deals", **{name: str(value)})
        assert one["id"] in [d["id"] for d in found], name
        assert len(found) < len(deals), name
    assert not any("updated" in d or "created" in d for d in deals)
    assert all("createdAt" in d for d in deals)


def test_deleted_users_are_listed_only_when_asked_for(owner: httpx.Client) -> None:
    usual, all_of_them = everything(owner, "/users"), everything(owner, "/users", includeDeleted="true")
    assert {u["status"] for u in usual} == {"Active"}
    assert len(all_of_them) == len(usual) + 1


@pytest.mark.parametrize("params", [{}, {"limit": "10"}, {"updatedAfter": "2020-01-01T00:00:00Z"}, {"personId": ""}])
def test_texts_without_a_person_or_number_are_400(owner: httpx.Client, params: dict[str, str]) -> None:
    answer = owner.get("/textMessages", params=params)
    assert answer.status_code == 400
    assert "personId" in answer.json()["errorMessage"]


def test_a_contacts_texts_are_all_found_and_no_others(owner: httpx.Client, running: Sandbox) -> None:
    texts = running.world.accounts[77_001].tables["textMessages"].values()
    person = next(iter(texts))["personId"]
    found = everything(owner, "/textMessages", personId=str(person))
    assert {t["id"] for t in found} == {t["id"] for t in texts if t["personId"] == person}
    numbered = everything(owner, "/textMessages", toNumber="5550100001")
    assert {t["id"] for t in numbered} == {t["id"] for t in texts if t["toNumber"] == "5550100001"}


def test_calls_refuse_the_names_that_others_were_refused(owner: httpx.Client) -> None:
    assert owner.get("/calls", params={"dateFrom": "2026-01-01"}).status_code == 400


def test_appointments_are_cut_by_start_and_end_only_as_a_pair(owner: httpx.Client) -> None:
    everyone = everything(owner, "/appointments")
    middle = sorted(a["start"] for a in everyone)[len(everyone) // 2]
    found = everything(owner, "/appointments", start=middle, end="2099-01-01")
    assert {a["id"] for a in found} == {a["id"] for a in everyone if a["start"] >= middle}
    assert owner.get("/appointments", params={"start": middle}).status_code == 400
