"""What must never be stored or shown: keys, passwords, national ids. One list, used for payloads, headers and texts."""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import lru_cache
from typing import Any

#: Ends of field names, in lower case and without separators: `ownerSsn` and `tax_id` are met as well as `ssn`.
_SECRET_ENDS = (
    "apikey", "apisecret", "systemkey", "signingkey", "privatekey", "authorization", "password", "passwordhash",
    "passwd", "passphrase", "secret", "accesstoken", "refreshtoken", "idtoken", "authtoken", "apitoken", "keyvalue",
    "nationalid", "nationalids", "ssn", "ssns", "socialsecuritynumber", "socialinsurancenumber", "taxid", "taxids",
    "taxnumber", "bankaccount", "bankaccountnumber", "routingnumber", "cardnumber",
)  # fmt: skip
#: Names too short to be met as an end.
_SECRET_NAMES = frozenset({"ein", "sin", "itin", "iban", "cookie", "setcookie", "accountnumber"})
_SECRET = re.compile(rf"(?:{'|'.join(_SECRET_ENDS)})$")
_SEPARATORS = re.compile(r"[^a-z0-9]")
#: What looks like a key wherever it stands in a text: reZEN's begin with real_, FUB's with fka_.
_KEY_LIKE = re.compile(r"\b(?:real_|fka_)[A-Za-z0-9_\-]{6,}|\b(?i:basic|bearer)\s+[A-Za-z0-9+/=._\-]{8,}")
#: What looks like a person in a source's own words: a mail address, a number long enough to dial.
_PERSON_LIKE = re.compile(r"[^\s@\"'<>]+@[^\s@\"'<>]+\.\w+|[+(]?\d(?:[\s().\-]*\d){6,}")
HIDDEN = "***"


@lru_cache(maxsize=4096)  # the same names come with every record
def is_secret(name: str) -> bool:
    """Whether a field or header of this name holds a secret."""
    bare = _SEPARATORS.sub("", name.lower())
    return bare in _SECRET_NAMES or _SECRET.search(bare) is not None


def without_secrets(value: Any) -> Any:
    """The JSON value with every secret field left out, however deep."""
    if isinstance(value, dict):
        return {k: without_secrets(v) for k, v in value.items() if not is_secret(str(k))}
    if isinstance(value, list):
        return [without_secrets(item) for item in value]
    return value


def shown(values: Mapping[str, Any]) -> dict[str, Any]:
    """Headers or query parameters for a message: names stay, secret values are hidden."""
    return {k: HIDDEN if is_secret(k) else v for k, v in values.items()}


def clean_text(text: str, *, longest: int = 200) -> str:
    """A source's own words for an error: keys, mail addresses and long numbers hidden, cut to a line."""
    return _PERSON_LIKE.sub(HIDDEN, _KEY_LIKE.sub(HIDDEN, " ".join(text.split())))[:longest]
