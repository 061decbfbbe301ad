"""Rows become records whatever is in them."""

from __future__ import annotations

import ast
import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from resources.apis import ENTITIES, records, validate
from resources.apis.fub.calls import record as fub_record
from resources.apis.records import (
    LONGEST_ID,
    MOST_WARNINGS,
    SourceModel,
    epoch_or_iso,
    iso_instant,
    positive_id,
    record_of,
    text_id,
)
from resources.apis.rezen.calls import record as rezen_record
from resources.errors import SourceError
from resources.reading import FieldWarning, Problem, Record
from resources.storable import storable

text = st.text(st.characters(exclude_categories=()), max_size=8)  # lone surrogates and NUL included
scalars = st.one_of(st.none(), st.booleans(), st.integers(), st.floats(allow_nan=False, allow_infinity=False), text)
documents = st.recursive(
    scalars,
    lambda inner: st.one_of(st.lists(inner, max_size=4), st.dictionaries(text, inner, max_size=5)),
    max_leaves=15,
)
NAMES = ["id", "created", "updated", "tags", "emails", "price", "updatedAt", "participants", "agent", "teams", "level"]
rows = st.one_of(documents, st.dictionaries(st.one_of(st.sampled_from(NAMES), text), documents, max_size=8))


class Thing(SourceModel):
    id: int


def a_record(raw: Any, **more: Any) -> Record:
    return record_of(
        raw,
        Thing,
        source_id=lambda r: positive_id(r.get("id")),
        updated=lambda r: iso_instant(r.get("updated")),
        **more,
    )


@given(
    st.sampled_from([(fub_record, e) for e in ENTITIES["fub"]] + [(rezen_record, e) for e in ENTITIES["rezen"]]), rows
)
def test_no_row_can_break_the_page_and_whatever_comes_can_be_stored(how: Any, row: Any) -> None:
    read, entity = how
    record = read(entity, row)
    assert record.source_id
    written = orjson.dumps(record.payload, option=orjson.OPT_SORT_KEYS)
    assert b"\\u0000" not in written
    assert record.problem is None or record.source_updated_at is None
    assert read(entity, row).source_id == record.source_id  # stable, also where it had to be made up


@given(documents)
def test_what_can_be_stored_stays_as_it_is(document: Any) -> None:
    clean, where = storable(document)
    again, still = storable(clean)
    assert (again, still) == (clean, [])
    assert (clean == document) == (not where)


@pytest.mark.parametrize("dirty", ["a\x00b", "a\ud800b"])
def test_characters_that_postgres_refuses_cost_themselves_and_are_said(dirty: str) -> None:
    record = a_record({"id": 5, "notes": [{"body": "fine"}, {"body": dirty}], "updated": "2031-02-03T10:00:00Z"})
    assert (record.source_id, record.problem) == ("5", None)
    assert record.warnings == (FieldWarning("unstorable", "notes.1.body", "str"),)
    assert record.source_updated_at is not None
    assert record.payload["notes"][1]["body"] in ("ab", "a?b")
    json.dumps(record.payload).encode("utf-8")


@pytest.mark.parametrize(
    ("raw", "field"),
    [
        ({"id": "5\x00", "name": "x"}, "id"),
        ({"id": 5, "updated": "2031-02-03T10:00:00Z\x00"}, "updated"),
        ({"id": 5, "price": "410\x00000"}, "price"),
        ({"id": 5, "na\x00me": "x"}, ""),
    ],
)
def test_in_what_a_record_hangs_on_they_cost_the_record(raw: dict[str, Any], field: str) -> None:
    record = fub_record("people", raw)
    assert record.problem == Problem("invalid_record", field, "cannot be stored as it is")
    assert record.source_updated_at is None


def test_an_emoji_and_an_accent_are_nothing_to_clean() -> None:
    record = a_record({"id": 5, "name": "Élodie 😀"})
    assert (record.problem, record.payload["name"]) == (None, "Élodie 😀")


def test_a_problem_names_the_field_and_the_kind_of_value_but_not_the_value() -> None:
    record = fub_record("people", {"id": 5, "updated": "the day before", "emails": [{"value": "a@example.test"}]})
    assert record.problem is not None
    assert (record.source_id, record.problem.field) == ("5", "updated")
    assert "the day before" not in str(record.problem)


def test_the_path_of_a_problem_leads_into_lists() -> None:
    record = rezen_record("transactions", {"id": "tx-1", "participants": [{}, "somebody"]})
    assert record.problem is not None
    assert record.problem.field == "participants.1"


@pytest.mark.parametrize("raw", [{"name": "x"}, {"id": None}, {"id": 0}, {"id": -5}, {"id": "abc"}, {"id": True}])
def test_a_row_without_a_usable_id_gets_a_stable_one_and_a_problem(raw: dict[str, Any]) -> None:
    record = a_record(raw)
    assert record.source_id.startswith("unidentified:")
    assert record.source_id == a_record(dict(raw)).source_id
    assert record.problem is not None


@pytest.mark.parametrize("raw", [None, "text", 7, ["a"], True])
def test_a_row_that_is_no_object_is_kept_with_a_problem(raw: Any) -> None:
    record = a_record(raw)
    assert record.payload == {"_raw": raw}
    assert record.problem is not None


def test_a_document_without_bottom_is_a_problem_and_no_crash() -> None:
    deep: Any = {}
    for _ in range(900):
        deep = {"a": [deep]}
    record = a_record({"id": 5, "deep": deep})
    assert record.problem is not None
    assert record.problem.found == "nested too deeply"


def test_context_is_ours_alone() -> None:
    raw = {"id": 5, "_v2": {"is_self": True}}
    assert "_v2" not in a_record(raw).payload
    assert a_record(raw, context={"team_id": "t"}).payload["_v2"] == {"team_id": "t"}


def test_secrets_do_not_reach_the_payload() -> None:
    record = rezen_record(
        "transactions",
        {"id": "tx-1", "participants": [{"paidViaBusinessEntity": {"name": "Title Co", "nationalIds": ["000"]}}]},
    )
    assert record.payload["participants"] == [{"paidViaBusinessEntity": {"name": "Title Co"}}]
    assert record.problem is None


def test_unknown_fields_are_kept_untouched() -> None:
    raw = {"id": 5, "customMoveDate": "2031-06-01", "price": "415000", "picture": [], "contacted": 1}
    assert fub_record("people", raw).payload == raw


@pytest.mark.parametrize(
    "wobble",
    [
        {"contacted": True}, {"contacted": 1}, {"contacted": "0"}, {"price": "415000"}, {"price": None}, {"price": ""},
        {"assignedUserId": None}, {"assignedUserId": 0}, {"assignedUserId": "14"}, {"stageId": ""}, {"updated": ""},
        {"picture": []}, {"picture": {"small": "x"}}, {"emails": None}, {"id": "5"}, {"tags": ["a", {"name": "b"}]},
        {"updated": "2031-02-03 10:00:00"}, {"updated": "2031-02-03T10:00:00+00:00"}, {"colour": {"new": "field"}},
    ],
)  # fmt: skip
def test_the_wobble_that_the_crm_is_known_for_is_let_through(wobble: dict[str, Any]) -> None:
    assert fub_record("people", {"id": 5, **wobble}).problem is None


@pytest.mark.parametrize(
    "broken",
    [
        {"updated": "yesterday"}, {"created": 1_700_000_000}, {"updated": "9999-12-31T00:00:00Z"},
        {"price": "a lot"}, {"price": "1,00"}, {"price": 10**12}, {"price": True}, {"assignedUserId": "Rune"},
        {"price": float("inf")}, {"created": "0001-01-01T00:00:00+14:00"}, {"stageId": 1.5},
    ],
)  # fmt: skip
def test_keys_parents_money_and_stamps_must_be_right(broken: dict[str, Any]) -> None:
    record = fub_record("people", {"id": 5, **broken})
    assert record.problem is not None
    assert record.problem.field == next(iter(broken))


@pytest.mark.parametrize(
    ("broken", "field"),
    [
        ({"claimed": 2}, "claimed"), ({"websiteVisits": 1.5}, "websiteVisits"), ({"contacted": "often"}, "contacted"),
        ({"lastActivity": "2026-W48-1T10:00:00Z"}, "lastActivity"), ({"dealCloseDate": "0202-08-02"}, "dealCloseDate"),
        ({"emails": "a@example.test"}, "emails"), ({"emails": ["a"]}, "emails"), ({"tags": "Buyer"}, "tags"),
        ({"emails": [{}, {"isPrimary": "first"}]}, "emails.1.isPrimary"),
    ],
)  # fmt: skip
def test_anything_else_that_cannot_be_read_is_a_warning_of_the_record(broken: dict[str, Any], field: str) -> None:
    record = fub_record("people", {"id": 5, "updated": "2031-02-03T10:00:00Z", **broken})
    assert (record.problem, [(w.code, w.field) for w in record.warnings]) == (None, [("unreadable", field)])
    assert record.source_updated_at == datetime(2031, 2, 3, 10, tzinfo=UTC)
    assert record.payload[next(iter(broken))] == next(iter(broken.values())), "it is kept as it came"


@pytest.mark.parametrize("read", [{"dealPrice": "1,000"}, {"price": "410,000.00"}, {"lastActivity": ""}, {"price": []}])
def test_what_can_mean_one_thing_only_is_read_without_a_word(read: dict[str, Any]) -> None:
    record = fub_record("people", {"id": 5, **read})
    assert (record.problem, record.warnings) == (None, ())


def test_a_warning_names_the_path_and_the_kind_of_value_but_not_the_value() -> None:
    record = rezen_record("transactions", {"id": "tx-1", "participants": [{}, {"payment": {"percent": "half of it"}}]})
    assert record.warnings == (FieldWarning("unreadable", "participants.1.payment.percent", "str"),)


def test_a_list_of_broken_things_is_a_few_warnings() -> None:
    record = fub_record("people", {"id": 5, "phones": [{"isPrimary": "?"}] * 1_000})
    assert len(record.warnings) == MOST_WARNINGS


def test_a_record_that_is_refused_still_says_what_else_cannot_be_read() -> None:
    record = fub_record("people", {"id": 5, "updated": "soon", "claimed": 2})
    assert record.problem is not None
    assert [w.field for w in record.warnings] == ["claimed"]


@pytest.mark.parametrize(
    "wobble",
    [
        {"lifecycleState": "SETTLED"}, {"lifecycleState": {"state": "SETTLED"}}, {"lifecycleState": None},
        {"closedAt": None}, {"closedAt": 1_757_700_000_000}, {"closedAt": "1757700000000"}, {"price": 5},
        {"price": {"amount": 5}}, {"price": "5.00"}, {"leadSource": "Zillow"}, {"leadSource": {"id": "7"}},
        {"updatedAt": "2031-02-03T10:00:00Z"}, {"participants": None}, {"newField": [1]},
    ],
)  # fmt: skip
def test_the_wobble_that_rezen_is_known_for_is_let_through(wobble: dict[str, Any]) -> None:
    assert rezen_record("transactions", {"id": "tx-1", **wobble}).problem is None


@pytest.mark.parametrize(
    "broken", [{"updatedAt": "yesterday"}, {"participants": {}}, {"lifecycleState": 7}, {"price": {"amount": "a lot"}}]
)
def test_a_deal_whose_stamp_people_or_money_cannot_be_read_is_a_problem(broken: dict[str, Any]) -> None:
    assert rezen_record("transactions", {"id": "tx-1", **broken}).problem is not None


@pytest.mark.parametrize("broken", [{"closedAt": [1]}, {"contractAcceptanceDate": "0202-08-02"}])
def test_a_deal_whose_date_cannot_be_read_is_kept_with_a_warning(broken: dict[str, Any]) -> None:
    record = rezen_record("transactions", {"id": "tx-1", **broken})
    assert (record.problem, [w.field for w in record.warnings]) == (None, list(broken))


@pytest.mark.parametrize(
    ("value", "instant"),
    [
        (1_757_700_000_000, datetime(2025, 9, 12, 18, 0, tzinfo=UTC)),
        ("1757700000000", datetime(2025, 9, 12, 18, 0, tzinfo=UTC)),
        (1_757_700_000, datetime(2025, 9, 12, 18, 0, tzinfo=UTC)),
        ("2025-09-12T18:00:00Z", datetime(2025, 9, 12, 18, 0, tzinfo=UTC)),
        (None, None), ("", None), (True, None), ("soon", None), (float("nan"), None), (10**30, None), ([], None),
    ],
)  # fmt: skip
def test_rezens_instants_are_milliseconds_but_seconds_and_iso_are_read_too(value: Any, instant: Any) -> None:
    assert epoch_or_iso(value) == instant


@given(st.integers(1, 2**63 - 1))
def test_an_id_is_the_same_as_a_number_and_as_text(number: int) -> None:
    assert positive_id(number) == positive_id(str(number)) == str(number)


@pytest.mark.parametrize("value", [0, -1, 1.0, "1.0", "٣", "undefined", None, True, [], 2**63, "9" * 30])
def test_what_is_no_whole_positive_number_is_no_id(value: Any) -> None:
    assert positive_id(value) is None


def test_a_stored_payload_can_be_checked_again() -> None:
    assert validate("fub", "people", {"id": 5}) is None
    assert validate("fub", "people", {"id": 5, "updated": "soon"}) is not None
    assert validate("rezen", "transactions", {"id": "tx-1"}) is None


def test_records_are_made_in_one_place() -> None:
    """What goes around it goes around the check for secrets and for what can be stored."""
    folder = Path(records.__file__).parent
    made = [
        f"{path.relative_to(folder)}:{node.lineno}"
        for path in folder.rglob("*.py")
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "Record"
        if path.name != "records.py"
    ]
    assert made == []


@pytest.mark.parametrize("stamp", ["9999-12-31T23:59:59-08:00", "0001-01-01T00:00:00+14:00"])
def test_an_instant_beyond_the_calendar_is_a_problem_and_no_stamp(stamp: str) -> None:
    record = rezen_record("transactions", {"id": "tx-1", "updatedAt": stamp})
    assert record.source_updated_at is None
    assert record.problem is not None
    assert record.problem.field == "updatedAt"


@pytest.mark.parametrize("stamp", ["9999-12-31T23:59:59Z", "2200-01-01T00:00:00Z", "0001-01-01T00:00:00Z"])
def test_a_stamp_that_no_record_has_orders_no_versions(stamp: str) -> None:
    """A mistyped year would be newer than every version to come, and freeze the record."""
    assert fub_record("people", {"id": 5, "updated": stamp}).source_updated_at is None


@pytest.mark.parametrize(
    "text",
    ["2026-W48-1T10:00:00Z", "2026-11-30T10:00:00,5Z", "20261130T100000Z", "2026-11-30T10", "2026-11-30T10:00+23:00"],
)  # fmt: skip
def test_what_postgres_would_not_cast_is_no_instant(text: str) -> None:
    assert iso_instant(text) is None


@pytest.mark.parametrize("number", ["1e3", "1_000", 1e300, "infinity", -99999999999, "\u0661"])
def test_what_the_database_would_not_read_as_an_epoch_is_none(number: Any) -> None:
    assert epoch_or_iso(number) is None


@pytest.mark.parametrize("name", ["", " ", "a\x00", "a\ud83d", "a\nb", "x" * (LONGEST_ID + 1), 7, None, {}, []])
def test_what_cannot_be_stored_or_asked_for_is_no_id(name: Any) -> None:
    assert text_id(name) is None


def test_an_id_that_fits_no_index_is_a_problem_of_its_record() -> None:
    record = record_of({"id": "x" * 9000}, SourceModel, source_id=lambda r: r["id"], updated=lambda r: None)
    assert record.source_id.startswith("unidentified:")
    assert record.problem is not None


def test_an_error_tells_a_sources_words_only_as_they_can_be_stored() -> None:
    error = SourceError("no \x00list \ud83d", context={"found": ["a\x00", {"b\ud83d": 10**30}]})
    assert str(error) == "no list ?"
    assert error.as_dict()["context"] == {"found": ["a", {"b?": str(10**30)}]}
