"""What Postgres can take of a JSON value: the one place that knows, for records and for the errors about them."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

#: The keys and positions that lead to a part of a document.
Path = tuple[str | int, ...]

#: Deeper documents are no records of anything; they would only exhaust the stack.
DEEPEST = 100
#: Whole numbers beyond 64 bits fit no column and no canonical JSON.
LARGEST = 2**63 - 1


def storable(value: Any, _depth: int = 0) -> tuple[Any, list[Path]]:
    """The value as Postgres can take it, and the paths of the parts that had to be changed: a name changes its object.

    NUL characters go, lone surrogates become `?`, whole numbers beyond 64 bits become text. Raises RecursionError.
    """
    if isinstance(value, str):
        if value.isascii() and "\x00" not in value:
            return value, []
        clean = value.replace("\x00", "").encode("utf-8", "replace").decode("utf-8")
        return clean, [] if clean == value else [()]
    if isinstance(value, dict | list):
        if _depth > DEEPEST:
            raise RecursionError
        changed: list[Path] = []
        pairs: Iterable[tuple[Any, Any]] = value.items() if isinstance(value, dict) else enumerate(value)
        result: dict[Any, Any] = {}
        for key, item in pairs:
            name, renamed = (key, []) if isinstance(key, int) else storable(key)
            result[name], inside = storable(item, _depth + 1)
            changed += renamed or [(name, *path) for path in inside]
        return (result if isinstance(value, dict) else list(result.values())), changed
    if isinstance(value, int) and abs(value) > LARGEST:
        return str(value), [()]
    return value, []
