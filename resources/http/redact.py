"""What must never be stored or shown: keys, passwords, national ids. One list, used for payloads, headers and texts."""

from __future__ import annotations

import base64
import json
import re
from collections.abc import Collection, Iterable, Mapping
from functools import lru_cache
from typing import Any
from urllib.parse import quote

#: Ends of field names, in lower case and without separators: `ownerSsn` and `tax_id` are met as well as `ssn`.
_SECRET_ENDS = (
    "apikey", "apisecret", "systemkey", "signingkey", "privatekey", "authorization", "password", "passwordhash",
    "passwd", "passphrase", "secret", "accesstoken", "refreshtoken", "idtoken", "authtoken", "apitoken", "keyvalue",
    "nationalid", "nationalids", "ssn", "ssns", "socialsecuritynumber", "socialinsurancenumber", "taxid", "taxids",
    "taxnumber", "taxidentificationnumber", "bankaccount", "bankaccountnumber", "bankaccountno", "ibannumber",
    "routingnumber", "cardnumber", "accesskey", "secretkey", "bearertoken", "ssnlast4", "last4ssn",
    "driverlicense", "driverslicense", "driverlicensenumber", "driverslicensenumber", "passport", "passportnumber",
)  # fmt: skip
#: Names too short to be met as an end.
_SECRET_NAMES = frozenset({"ein", "sin", "tin", "itin", "iban", "cookie", "setcookie", "accountnumber"})
_SECRET = re.compile(rf"(?:{'|'.join(_SECRET_ENDS)})$")
_SEPARATORS = re.compile(r"[^a-z0-9]")
#: What looks like a key wherever it stands in a text: reZEN's begin with real_, FUB's with fka_, our tokens with v2_.
_KEY_LIKE = re.compile(
    r"\b(?:real_|fka_|v2_(?=[A-Za-z0-9_\-]{43}))[A-Za-z0-9_\-]{6,}"
    r"|\b(?i:basic|bearer) [A-Za-z0-9+/=._\-]{8,}"
    r"|\b(?i:authorization)[\"']?[=:][ \"']{0,2}(?:[A-Za-z]{1,20} )?[^\s,;&]{6,}"
    r"|\b(?i:api[_-]?key|client[_-]?secret|access[_-]?token|password)[\"']?[=:] ?[^\s,;&]{6,}"
    r"|(?<=://)[^\s/@:]{0,200}:[^\s/@]{1,200}(?=@)|(?<=hooks\.slack\.com/)\S+"
)
#: What looks like a person in a source's own words: a mail address, a number long enough to dial. Ids in hexadecimal
#: are met first and stay: more than a third of our request ids hold seven digits in a row.
_PERSON_LIKE = re.compile(
    r"(?P<id>\b[0-9a-f]{8}-(?:[0-9a-f]{4}-){3}[0-9a-f]{12}\b|\b(?=\d{0,63}[a-f])(?=[a-f]{0,63}\d)[0-9a-f]{12,64}\b)"
    r"|[^\s@\"'<>]{1,64}@[^\s@\"'<>]{1,190}\.\w{1,24}|[+(]?\d(?:[\s().\-]{0,3}\d){6,}"
)
#: So much more than the line is looked at: no key or address is longer, so none is cut before it is known.
_MARGIN = 500
#: A shorter word is in too many texts to be hidden.
_SHORTEST_SECRET = 4
#: In records a shorter one may be an ordinary word; what is hidden there is lost.
_SHORTEST_IN_DATA = 12
#: An ordinary letter or digit that somebody wrote as an escape, so that it is not found among the bytes.
_ESCAPED_LETTER = re.compile(rb"\\u00[2-7]")
HIDDEN = "***"
_SCHEMES = frozenset({"basic", "bearer", "token"})


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
    """A source's own words for an error: keys, mail addresses and long numbers hidden, cut to a line.

    Takes time in proportion to `longest`, whatever the text: it is cut first. The word at that cut goes with it, since
    half an address would not be known as one.
    """
    seen = longest + _MARGIN
    line = " ".join(text[: 2 * seen].split())
    if len(line) > seen or len(text) > 2 * seen:
        line = line[:seen].rpartition(" ")[0] or HIDDEN
    return _PERSON_LIKE.sub(_unless_id, _KEY_LIKE.sub(HIDDEN, line))[:longest]


def _unless_id(found: re.Match[str]) -> str:
    return found[0] if found["id"] else HIDDEN


class OwnSecrets:
    """The secrets of one client, to be hidden wherever the source repeats them. `repr` shows nothing.

    secrets = OwnSecrets(["real_abcdefghijkl"])
    secrets.hide("Token real_abcdefghijkl is not valid")     # 'Token *** is not valid'
    secrets.hide_in({"note": …}, body)                       # the document of this body, without them
    """

    def __init__(self, values: Iterable[str] = ()) -> None:
        self._known: set[str] = set()
        self._in_data: set[str] = set()
        self._pieces: tuple[bytes, ...] = ()
        for value in values:
            self.add(value)

    def __repr__(self) -> str:
        return "OwnSecrets()"

    def add(self, value: str, *, in_data: bool = True) -> None:
        """Another one: as it is, as part of a URL, and in base64. A header's value is taken apart (`Bearer abc`).

        `in_data` is false for what may stand in records for good reasons: a user name, an address of ours.
        """
        parts = {part for part in (value, *re.split(r"[\s:]+", value)) if part.lower() not in _SCHEMES}
        coded = [(part, quote(part, safe=""), base64.b64encode(part.encode()).decode()) for part in parts]
        for each in (text for texts in coded for text in texts):
            if len(each) < _SHORTEST_SECRET:
                continue
            self._known.add(each)
            if in_data and len(each) >= _SHORTEST_IN_DATA and each not in self._in_data:
                self._in_data.add(each)
                written = {json.dumps(each)[1:-1], json.dumps(each)[1:-1].replace("/", "\\/"), each}
                self._pieces += tuple(text.encode() for text in written)

    def add_headers(self, headers: Mapping[str, str]) -> None:
        """Those among the headers of a call."""
        for name, value in headers.items():
            if is_secret(name):
                self.add(value)

    def hide(self, value: Any) -> Any:
        """The text, or the JSON value with its texts, without them."""
        return _without(value, self._known)

    def hide_in(self, document: Any, body: bytes) -> Any:
        """A document that becomes records, without those that no record holds for a good reason.

        Almost none has any, so `body`, the bytes that it was read from, is searched first. Raises ValueError for a
        document that is nested too deeply to be looked at.
        """
        if any(piece in body for piece in self._pieces) or _ESCAPED_LETTER.search(body):
            try:
                return _without(document, self._in_data)
            except RecursionError:
                raise ValueError("nested too deeply") from None
        return document


def _without(value: Any, secrets: Collection[str]) -> Any:
    if isinstance(value, str):
        for each in sorted((each for each in secrets if each in value), key=len, reverse=True):  # one may hold another
            value = value.replace(each, HIDDEN)
        return value
    if isinstance(value, dict):
        return {_without(name, secrets): _without(item, secrets) for name, item in value.items()}
    return [_without(item, secrets) for item in value] if isinstance(value, list) else value
