"""The report and its rules: which gaps have a reason, and when the whole is clean. Pure; reads nothing."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any, Literal

from pydantic import BaseModel, Field

Reason = Literal[
    "never_fetched",
    "not_read_yet",
    "pending",
    "deferred",
    "rejected",
    "filtered",
    "deleted_in_v2",
    "not_visible_to_key",
    "unknown",
]
#: Where the list of the source's records comes from: asked now, or remembered from the last full pass.
Basis = Literal["asked now", "last full pass", "not read"]
#: Reasons that explain a record's absence without anybody having lost it.
EXPLAINED: frozenset[str] = frozenset({"not_read_yet", "pending", "deferred", "rejected", "filtered", "deleted_in_v2"})


class Missing(BaseModel):
    """A record that the source has and V2 has not, with the reason."""

    table: str
    user_id: int
    account_ref: str
    source_id: str
    reason: Reason
    detail: dict[str, Any] = Field(default_factory=dict)


class Line(BaseModel):
    """One stream of one connection, in records.

    `gone`: staged here and not at the source any more. `elsewhere`: in V2 through another connection of the account.
    """

    integration: str
    entity: str
    table: str
    user_id: int
    account_ref: str
    basis: Basis
    at_source: int | None = None
    staged: int = 0
    processed: int = 0
    duplicate: int = 0
    deferred: int = 0
    rejected: int = 0
    filtered: int = 0
    pending: int = 0
    v2_rows: int = 0
    gap: int | None = None
    gone: int = 0
    elsewhere: int = 0
    reasons: dict[str, int] = Field(default_factory=dict)
    error: str | None = None


class ReconcileReport(BaseModel):
    """Everything `v2 reconcile` knows. `clean`: every source was read, every gap has a reason, the law holds."""

    asked_at: datetime = Field(default_factory=lambda: datetime.now(UTC))
    lines: list[Line] = Field(default_factory=list)
    missing: list[Missing] = Field(default_factory=list)
    law: list[str] = Field(default_factory=list)

    @property
    def clean(self) -> bool:
        """Nothing lost, nothing unknown, nothing unread."""
        unexplained = any(set(line.reasons) - EXPLAINED for line in self.lines)
        return not unexplained and not self.law and all(line.basis != "not read" for line in self.lines)

    def model_dump(self, **kwargs: Any) -> dict[str, Any]:
        """With `clean`, which is not stored but drawn."""
        return {"clean": self.clean, **super().model_dump(**kwargs)}


def reason_of(status: str | None, row_there: bool, row_deleted: bool) -> Reason | None:
    """Why a record at the source is not in V2; None when it is. `status` None: it was never staged."""
    if status is None:
        return "never_fetched"
    if status == "duplicate":
        return None  # in V2 through the copy it names; the law checks that the copy is there
    if status == "processed":
        if not row_there:
            return "unknown"
        return "deleted_in_v2" if row_deleted else None
    return status  # type: ignore[return-value]  # the fates are reasons of the same name


def explain(status: str, reason: str | None, detail: Mapping[str, Any] | None, waits_for: str | None) -> dict[str, Any]:
    """The machine-readable why of a staged record that is not in V2."""
    told: dict[str, Any] = {"status_reason": reason} if reason else {}
    if waits_for:
        told["waits_for"] = waits_for
    if status in ("rejected", "filtered") and detail:
        told |= {k: v for k, v in detail.items() if v is not None}
    return told
