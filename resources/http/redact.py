"""What must never be stored or shown: keys, passwords, national ids. One list, used for payloads, headers and texts."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

#: Field names in lower case without separators. They are dropped from payloads before anything is stored.
SECRET_FIELDS = frozenset(
    {
        "apikey", "apisecret", "xapikey", "xsystemkey", "authorization", "password", "passwordhash", "secret",
        "clientsecret", "accesstoken", "refreshtoken", "idtoken", "keyvalue", "nationalid", "nationalids", "ssn",
        "socialsecuritynumber", "taxid", "taxids", "ein", "sin", "bankaccount", "accountnumber", "routingnumber",
    }
)  # fmt: skip
_SEPARATORS = re.compile(r"[^a-z0-9]")
#: What looks like a key wherever it stands in a text: reZEN's begin with real_, FUB's with fka_.
_KEY_LIKE = re.compile(r"\b(?:real_|fka_)[A-Za-z0-9_\-]{6,}|(?i:\b(?:basic|bearer)\s+[A-Za-z0-9+/=._\-]{8,})")
HIDDEN = "***"


def is_secret(name: str) -> bool:
    """Whether a field or header of this name holds a secret."""
    return _SEPARATORS.sub("", name.lower()) in SECRET_FIELDS


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
    """A source's own words for an error: key-like parts hidden, cut to a line."""
    return _KEY_LIKE.sub(HIDDEN, " ".join(text.split()))[:longest]
