"""Secrets never get past the door: not into payloads, not into messages."""

from __future__ import annotations

import json
import uuid
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from resources.http.redact import HIDDEN, OwnSecrets, clean_text, is_secret, shown, without_secrets

SECRETS = [
    "apiKey", "api_key", "API-KEY", "X-API-KEY", "Authorization", "X-System-Key", "password", "userPassword", "ssn",
    "ownerSSN", "taxId", "tax_id", "nationalId", "nationalIds", "clientSecret", "access_token", "refreshToken",
    "keyValue", "bankAccountNumber", "sin", "Set-Cookie", "accessKey", "bankAccountNo", "taxIdentificationNumber",
    "tin", "driversLicenseNumber", "passport",
]  # fmt: skip
PLAIN = [
    "id", "name", "key", "code", "tags", "single", "using", "cousin", "token_count", "keyMakerId", "accountId",
    "personId", "assignedTo", "secretary", "passwordless", "emailAddress", "leadSource", "address", "lessons",
]  # fmt: skip


@pytest.mark.parametrize("name", SECRETS)
def test_a_secret_is_known_by_its_name_however_it_is_written(name: str) -> None:
    assert is_secret(name)


@pytest.mark.parametrize("name", PLAIN)
def test_a_plain_field_is_not_taken_for_a_secret(name: str) -> None:
    assert not is_secret(name)


def test_secrets_are_dropped_however_deep_and_nothing_else_is() -> None:
    payload = {
        "id": 1,
        "participants": [{"paidViaBusinessEntity": {"name": "Title Co", "nationalIds": ["000-00-0000"]}}],
        "user": {"apiKey": "fka_123", "name": "Rune"},
    }
    assert without_secrets(payload) == {
        "id": 1,
        "participants": [{"paidViaBusinessEntity": {"name": "Title Co"}}],
        "user": {"name": "Rune"},
    }


names = st.one_of(st.sampled_from(SECRETS), st.text(max_size=12))
documents = st.recursive(
    st.one_of(st.none(), st.booleans(), st.integers(), st.text(max_size=8)),
    lambda inner: st.one_of(st.lists(inner, max_size=4), st.dictionaries(names, inner, max_size=4)),
    max_leaves=20,
)


def names_in(value: Any) -> set[str]:
    if isinstance(value, dict):
        return set(value).union(*(names_in(item) for item in value.values()))
    return set().union(*(names_in(item) for item in value)) if isinstance(value, list) else set()


@given(documents)
def test_no_document_keeps_a_secret_name_and_a_second_pass_changes_nothing(document: Any) -> None:
    clean = without_secrets(document)
    assert not any(is_secret(name) for name in names_in(clean))
    assert without_secrets(clean) == clean


@given(documents)
def test_a_document_without_secret_names_stays_as_it_is(document: Any) -> None:
    if not any(is_secret(name) for name in names_in(document)):
        assert without_secrets(document) == document


def test_headers_are_shown_with_their_names_only() -> None:
    assert shown({"X-API-KEY": "real_x", "Accept": "json"}) == {"X-API-KEY": HIDDEN, "Accept": "json"}


@pytest.mark.parametrize(
    "secret",
    ["real_0123456789", "fka_0123456789", "Basic Zm9vOmJhcmJheg==", "bearer eyJhbGciOi", "a.b@example.test",
     "(555) 010-4477", "+15550100199", "000-00-0000", "apikey=0Zk3sHq9d8f7g6h5j4k3l2", "v2_" + "A" * 43,
     "app:s3cret@db.example.test", "Authorization: Token abc.def.ghi", 'authorization":"Session abcdefgh'],
)  # fmt: skip
def test_a_message_keeps_its_words_but_neither_keys_nor_people(secret: str) -> None:
    text = clean_text(f"no person {secret} was found")
    assert secret not in text
    assert text.startswith("no person ***")


def test_a_message_is_cut_to_one_line() -> None:
    assert clean_text("a\n b\t" + "c " * 500, longest=20) == "a b " + "c " * 8


def test_our_own_ids_stay_readable() -> None:
    for _ in range(2000):
        run, request = str(uuid.uuid4()), uuid.uuid4().hex
        assert clean_text(f"run {run} (request {request})") == f"run {run} (request {request})"


@pytest.mark.parametrize(
    "piece", ["a", "a@", "1", "1-", "+(", "://a:", "fka_", "bearer ", "a.", "\u00e9@", "password=", "0a"]
)
def test_cleaning_a_long_text_ends(piece: str) -> None:
    """A source chooses how long its error is. A pattern whose time grows with the square of it took 14 s for 32,000
    letters; it would need most of an hour for the first of these, and days for the second.
    """
    assert len(clean_text(piece * (400_000 // len(piece)), longest=400_000)) <= 400_000
    assert len(clean_text(piece * (4_000_000 // len(piece)))) <= 200


def test_a_key_or_an_address_at_the_cut_is_not_told_by_half() -> None:
    for before in range(640, 720):
        text = clean_text("x" * before + " anna.ortega@example.test and more " * 40, longest=2000)
        assert "anna" not in text
    for before in range(0, 760, 7):
        assert "anna" not in clean_text(
            "+15550100199 " * (before // 13) + "y " * (before % 13) + "anna@example.test " * 90
        )


def test_own_secrets_are_hidden_as_they_are_in_a_url_and_in_base64() -> None:
    secrets = OwnSecrets(["pa ss/word", "abc"])
    secrets.add_headers({"Authorization": "ss key-1234:c2lnbmF0dXJl", "Accept": "application/json"})
    said = "pa ss/word pa%20ss%2Fword cGEgc3Mvd29yZA== key-1234 c2lnbmF0dXJl abc application/json"
    assert secrets.hide(said) == "*** *** *** *** *** abc application/json"
    assert secrets.hide({"pa ss/word": ["key-1234", 1, None]}) == {"***": ["***", 1, None]}
    assert "key" not in repr(secrets)


KEY = 'real_0123/4567"89ab'


@pytest.mark.parametrize(
    "written",
    [
        json.dumps(KEY),
        json.dumps(KEY).replace("/", "\\/"),
        '"' + "".join(f"\\u{ord(letter):04X}" for letter in KEY) + '"',
        '"cmVhbF8wMTIzLzQ1NjciODlhYg=="',
        '"real_0123%2F4567%2289ab"',
        json.dumps(f"Bearer {KEY}"),
        json.dumps({KEY: 1}),
        json.dumps([{"a": f"key {KEY}."}]),
    ],
)
def test_no_record_keeps_what_the_source_was_sent_however_it_writes_it(written: str) -> None:
    secrets, body = OwnSecrets([f"Bearer {KEY}"]), f'{{"id": 1, "said": {written}}}'.encode()
    document = secrets.hide_in(json.loads(body), body)
    text = json.dumps(document)
    assert "4567" not in text and "NDU2Nyc" not in text and "cmVhbF8w" not in text and HIDDEN in text
    assert document["id"] == 1


def test_a_record_keeps_what_only_looks_like_ours() -> None:
    secrets = OwnSecrets(["short-key"])
    secrets.add("anna.ortega@example.test", in_data=False)
    body = b'{"assigned": "anna.ortega@example.test", "note": "short-key", "\\u0061": "\\u00e9"}'
    document = json.loads(body)
    assert secrets.hide_in(document, body) == document
    assert secrets.hide("short-key of anna.ortega@example.test") == f"{HIDDEN} of {HIDDEN}"


def test_a_document_that_cannot_be_looked_at_is_not_taken() -> None:
    secrets = OwnSecrets([KEY])
    deep: Any = KEY
    for _ in range(5000):
        deep = [deep]
    with pytest.raises(ValueError, match="deeply"):
        secrets.hide_in(deep, json.dumps(KEY).encode())
