"""SkySlope's bulk bodies and login by themselves: whatever stands between the objects, no file is lost or made up."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
from datetime import UTC, datetime
from typing import Any

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import SecretStr

from resources.apis.skyslope import SkySlopeClient
from resources.apis.skyslope import session as sessions
from resources.apis.skyslope.bulk import parse_body, rows_of_bulk
from resources.apis.skyslope.files import files_of
from resources.apis.skyslope.session import Credentials, signature
from resources.reading import Page, ReadRequest
from resources.storable import storable
from tests.apis.clients import ids_of, pages_of, records_of
from tests.http.loopback import Asked, OpenBudget, Reply, json_reply, loopback

START = datetime(2026, 2, 3, 10, 0, tzinfo=UTC)

TEXT = st.text(st.characters(exclude_categories=("Cs", "Cc")), max_size=12)
ROW = st.fixed_dictionaries(
    {"saleGuid": st.uuids().map(str), "status": TEXT, "modifiedOn": st.just("2031-02-01T16:00:00.1234567")}
).map(lambda row: {"objectType": "sale", **row})


def written(rows: list[dict[str, str]], form: str, between: str) -> bytes:
    objects = [orjson.dumps(row).decode() for row in rows]
    if form == "array":
        return orjson.dumps(rows)
    if form == "wrapped":
        return orjson.dumps({"Value": rows})
    if form == "trailing":
        return ("[" + between.join(objects) + ",\n]").encode()
    return (between.join(objects) + ",\n").encode()


@given(
    rows=st.lists(ROW, min_size=1, max_size=6),
    form=st.sampled_from(["array", "wrapped", "trailing", "loose"]),
    between=st.sampled_from([",", ",\n", "\r\n", " ,\t"]),
    mark=st.booleans(),
    control=st.sampled_from([b"", b"\x00", b"\x01", b"\x1a"]),
)
def test_every_form_of_a_body_holds_the_same_files(
    rows: list[dict[str, str]], form: str, between: str, mark: bool, control: bytes
) -> None:
    body = written(rows, form, between).replace(b'"status"', b'"st' + control + b'atus"')
    assert rows_of_bulk(parse_body((b"\xef\xbb\xbf" if mark else b"") + body)) == rows


@pytest.mark.parametrize("body", [b"", b"<html>", b"[1, 2", b"words", b'{"a": 1} x', b'[{"a": 1}, 2'])
def test_a_body_that_is_cut_or_something_else_is_not_understood(body: bytes) -> None:
    with pytest.raises(ValueError):
        parse_body(body)


@pytest.mark.parametrize("document", [{}, {"value": None}, {"value": {}}, {"value": 3}, "text", 5])
def test_a_document_without_a_list_has_no_rows_and_says_so(document: object) -> None:
    assert rows_of_bulk(document) is None


@given(rows=st.permutations([1, 2, 3]))
def test_of_a_file_that_comes_several_times_the_newest_counts_in_any_order(rows: list[int]) -> None:
    versions = [{"objectType": "sale", "saleGuid": "A", "modifiedOn": f"2031-02-0{n}T00:00:00", "n": n} for n in rows]
    (record,), agreed = files_of("transactions", [*versions, {"objectType": "summary", "numberOfSales": 1}])
    assert (record.source_id, record.payload["n"], agreed) == ("a", 3, True)


def test_rows_of_the_other_kind_are_left_and_rows_of_none_are_kept_with_a_reason() -> None:
    rows = [{"objectType": "listing", "listingGuid": "l"}, {"objectType": "rental"}, "nonsense"]
    records, _ = files_of("transactions", rows)
    assert {record.problem.reason for record in records if record.problem} == {"unknown_kind"}
    assert "l" not in {record.source_id for record in records}


def test_the_signature_is_of_id_secret_and_time_under_the_access_secret_as_it_is_written() -> None:
    credentials = Credentials("id", SecretStr("client"), SecretStr("key"), SecretStr("c2VjcmV0"))
    told = hmac.new(b"c2VjcmV0", b"id:client:2031-03-04T05:06:07Z", hashlib.sha256).digest()
    assert signature(credentials, "2031-03-04T05:06:07Z") == base64.b64encode(told).decode()


# --- one way to a record, and files that nothing tells of -------------------------------------------------------------


@pytest.mark.parametrize("text", [r'"a\u0000b"', r'"\ud83d cut"', "1" + "0" * 30, '"ok"'])
def test_a_row_of_an_unknown_kind_is_checked_like_any_other(text: str) -> None:
    row = json.loads('{"objectType": "lease", "id": 7, "apiKey": "real_secret", "note": ' + text + "}")
    (record,), _ = files_of("transactions", [row])
    assert record.problem is not None
    assert record.problem.reason == "unknown_kind"
    assert "apiKey" not in record.payload
    assert storable(record.payload) == (record.payload, [])


@pytest.mark.parametrize("told", [["sale"], {"a": 1}, None, 7, True])
def test_a_kind_of_any_type_is_a_kind_or_none(told: object) -> None:
    records, _ = files_of("transactions", [{"objectType": told, "saleGuid": "g"}])
    assert len(records) == 1


class Account:
    """An account of one file that the bulk leaves out and the folder list has."""

    def __init__(self) -> None:
        self.status, self.details = "Closed", 0
        self.folder: list[object] = [{"saleGuid": "g1"}]
        self.refused: Reply | None = None

    def __call__(self, asked: Asked) -> Reply:
        if asked.path == "/auth/login":
            return json_reply({"Session": "x", "Expiration": "0001-01-01T00:00:00"})
        if "replica" in asked.path:
            return json_reply({"value": {"replicaTimestamp": "2026-02-03T10:00:00Z"}})
        if asked.path == "/api/files":
            return json_reply({"value": [{"objectType": "summary", "numberOfSales": 0}]})
        if asked.path == "/api/files/sales":
            return json_reply({"value": {"sales": self.folder}, "links": []})
        self.details += 1
        sale = {"saleGuid": asked.path.rpartition("/")[2], "status": self.status, "modifiedOn": "2026-02-03T09:00:00"}
        return self.refused or json_reply({"value": {"sale": sale}})


async def read(account: Account, **more: Any) -> list[Page]:
    sessions._sessions.clear()
    async with loopback(account) as server:
        client = SkySlopeClient(
            client_id="c", client_secret=SecretStr("s"), access_key=SecretStr("k"), access_secret=SecretStr("t"),
            account_id="a", base_url=server.url, budget=OpenBudget(),
        )  # fmt: skip
        async with client:
            return await pages_of(client.read("transactions", ReadRequest(**more)))


KNOWN = {"g1": datetime(2025, 1, 1, tzinfo=UTC)}


async def test_a_file_that_only_the_folders_have_is_read_again_in_a_full_pass() -> None:
    account, died = Account(), {"left": 0, "whole": True}
    pages = await read(account, known=KNOWN)
    assert (ids_of(pages), pages[-1].seen, pages[-1].complete) == (["g1"], ("g1",), True)
    assert ids_of(await read(account, known=KNOWN, position=died)) == [], "it was met before the run died"
    assert ids_of(await read(account, known=KNOWN, position=died, again=frozenset({"g1"}))) == ["g1"]


async def test_a_pass_over_what_changed_reads_those_again_whose_turn_it_is() -> None:
    account = Account()
    assert ids_of(await read(account, known=KNOWN, since=START)) == []
    assert ids_of(await read(account, known=KNOWN, since=START, again=frozenset({"g1"}))) == ["g1"]


@pytest.mark.parametrize("status", [403, 404])
async def test_a_file_that_is_not_shown_any_more_stays_as_it_is_staged(status: int) -> None:
    account = Account()
    account.refused = json_reply({"message": "no"}, status)
    assert ids_of(await read(account, known=KNOWN, again=frozenset({"g1"}))) == []
    (record,) = records_of(await read(account))
    assert record.problem is not None
    assert (record.source_id, record.problem.reason) == ("g1", "not_visible_to_key")


@pytest.mark.parametrize("row", [{"saleGuid": None}, {"saleGuid": ["g"]}, {"saleGuid": "a\x00"}, "words", None])
async def test_a_folder_row_without_a_guid_makes_the_pass_incomplete(row: object) -> None:
    account = Account()
    account.folder.append(row)
    pages = await read(account)
    assert ids_of(pages) == ["g1"]
    assert not pages[-1].complete


async def test_many_files_are_stored_in_pieces_and_a_dead_run_goes_on_behind_them() -> None:
    account = Account()
    account.folder = [{"saleGuid": f"g{n:03}"} for n in range(100)]
    pages = [page for page in await read(account) if page.records]
    assert [len(page.records) for page in pages] == [40, 40, 20]
    stored = {r.source_id: r.source_updated_at for r in pages[0].records}
    assert len(ids_of(await read(account, position=pages[0].position, known=stored))) == 60


async def test_an_end_of_the_session_that_has_passed_is_none() -> None:
    account = Account()
    await read(account)
    assert len(sessions._sessions) == 1
