"""SkySlope's bulk bodies and login by themselves: whatever stands between the objects, no file is lost or made up."""

from __future__ import annotations

import base64
import hashlib
import hmac

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import SecretStr

from resources.apis.skyslope.bulk import parse_body, rows_of_bulk
from resources.apis.skyslope.files import files_of
from resources.apis.skyslope.session import Credentials, signature

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
