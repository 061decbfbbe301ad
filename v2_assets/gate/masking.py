"""Values as a report may show them: what is personal, or not known to be harmless, is shown as its kind and a mark.

Two equal values get equal marks on one page, so a reader sees what changed and what belongs together. The marks come
of a key that is thrown away with the page: nobody can find a value by trying marks.
"""

from __future__ import annotations

import hashlib
import hmac
import secrets
from collections.abc import Mapping
from datetime import date, datetime
from decimal import Decimal
from typing import Any

from v2_assets.schema import metadata

#: Longest text of a harmless column that is shown.
SHOWN = 60
NOTHING = "none"
#: Evidence that our own code wrote in words of its own: names of tables, rules, states and codes.
OUR_WORDS = frozenset({
    "stage", "rule", "field", "stream", "why", "carried_by", "source", "integrations", "account_ref", "without",
    "columns", "known", "not_what_the_source_says", "source_updated_at", "v1_updated_at", "fetched_at",
    "last_full_at", "moved_at", "snapshot_at", "deleted_at", "expires_on",
})  # fmt: skip


class Mask:
    """The masks of one page."""

    def __init__(self, key: bytes | None = None) -> None:
        self._key = key or secrets.token_bytes(32)

    def show(self, table: str, column: str, value: Any) -> str:
        """A value of a column of a V2 table, for people. A column that is not declared counts as personal."""
        if value is None:
            return NOTHING
        if harmless(table, column) and not isinstance(value, Mapping):
            text = _plain(value)
            return text if len(text) <= SHOWN else text[: SHOWN - 1] + "…"
        return self.hide(value)

    def fact(self, name: str, value: Any) -> str:
        """A piece of evidence, by its name: words of our own code, numbers and instants are shown."""
        if value is None:
            return NOTHING
        if name in OUR_WORDS or isinstance(value, bool | int | float | Decimal | date | datetime):
            return _plain(value)
        return self.hide(value)

    def hide(self, value: Any) -> str:
        """A value's kind and mark."""
        text = _plain(value)
        mark = hmac.new(self._key, text.encode("utf-8", "surrogatepass"), hashlib.sha256).hexdigest()[:6]
        return f"{_kind(value)} ▒{mark}"


def harmless(table: str, column: str) -> bool:
    """Whether the declaration of a V2 table has this column and does not call it personal."""
    declared = metadata.tables.get(f"v2.{table}")
    return declared is not None and column in declared.columns and column not in declared.info["personal"]


def _plain(value: Any) -> str:
    if isinstance(value, list | tuple):
        return ", ".join(sorted(_plain(each) for each in value))
    return value.isoformat() if isinstance(value, date | datetime) else str(value)


def _kind(value: Any) -> str:
    if isinstance(value, bool):
        return "yes/no"
    if isinstance(value, int | float | Decimal):
        return "number"
    if isinstance(value, date | datetime):
        return "date"
    return "list" if isinstance(value, list | tuple) else "document" if isinstance(value, Mapping) else "text"
