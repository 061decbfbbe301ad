"""The body of a bulk answer: an array, a wrapped one, or objects one after the other, with what does not belong there.

Answers were seen that begin with a byte order mark, hold raw control characters inside texts, and list objects without
an array around them. Everything here is about bytes; what the objects mean is in `files`.
"""

from __future__ import annotations

import json
from typing import Any

import orjson

#: Control characters other than white space, which JSON does not allow inside a text.
_DROPPED = bytes(set(range(0x20)) - {0x09, 0x0A, 0x0D})
_BETWEEN = " \t\r\n,;"


def parse_body(body: bytes) -> Any:
    """The document; objects that stand side by side become a list. Raises ValueError for anything else."""
    clean = body.removeprefix(b"\xef\xbb\xbf").translate(None, _DROPPED)
    try:
        return orjson.loads(clean)
    except orjson.JSONDecodeError:
        return _loose(clean.decode("utf-8"))


def _loose(text: str) -> list[Any]:
    """Objects with commas or line breaks between them, in an array with a trailing comma or in none."""
    rest = text.strip(_BETWEEN)
    if rest.startswith("["):
        rest = rest.removeprefix("[").rstrip(_BETWEEN).removesuffix("]")
    decoder, found, at = json.JSONDecoder(strict=False), [], 0
    while True:
        while at < len(rest) and rest[at] in _BETWEEN:
            at += 1
        if at == len(rest):
            break
        if rest[at] != "{":
            raise ValueError("something that is no object stands among the objects")
        try:
            one, at = decoder.raw_decode(rest, at)
        except RecursionError:
            raise ValueError("nested too deeply") from None
        found.append(one)
    if not found:
        raise ValueError("there is no object")
    return found


def rows_of_bulk(document: Any) -> list[Any] | None:
    """The rows of a bulk answer; None where it has no list. One object by itself is one row."""
    if isinstance(document, list):
        return document
    if not isinstance(document, dict):
        return None
    if "objectType" in document:
        return [document]
    value = {key.lower(): held for key, held in document.items()}.get("value")
    return value if isinstance(value, list) else None
