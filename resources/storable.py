"""What Postgres can take of a JSON value: the one place that knows, for records and for the errors about them."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

#: Deeper documents are no records of anything; they would only exhaust the stack.
DEEPEST = 100
#: Whole numbers beyond 64 bits fit no column and no canonical JSON.
LARGEST = 2**63 - 1


def storable(value: Any, _depth: int = 0) -> tuple[Any, str | None]:
    """The value as Postgres can take it, and the path of the first part that had to be changed.

    NUL characters go, lone surrogates become `?`, whole numbers beyond 64 bits become text. Raises RecursionError.
    """
    if isinstance(value, str):
        if value.isascii() and "\x00" not in value:
            return value, None
        clean = value.replace("\x00", "").encode("utf-8", "replace").decode("utf-8")
        return clean, None if clean == value else ""
    if isinstance(value, dict | list):
        if _depth > DEEPEST:
            raise RecursionError
        found: str | None = None
        pairs: Iterable[tuple[Any, Any]] = value.items() if isinstance(value, dict) else enumerate(value)
        result: dict[Any, Any] = {}
        for key, item in pairs:
            name, bad_name = (key, None) if isinstance(key, int) else storable(key)
            result[name], bad = storable(item, _depth + 1)
            if found is None and (bad is not None or bad_name is not None):
                found = f"{name}.{bad}" if bad else str(name)
        return (result if isinstance(value, dict) else list(result.values())), found
    if isinstance(value, int) and abs(value) > LARGEST:
        return str(value), ""
    return value, None
