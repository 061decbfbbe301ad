"""What a source client hands to staging: records, pages, and the request for a pass over one stream.

The types here are the whole contract between `resources.apis` (which knows endpoints) and `v2_assets.staging` (which
knows tables and cursors). They carry no HTTP and no SQL.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Literal, Protocol

Priority = Literal["webhook", "incremental", "backfill"]


@dataclass(frozen=True, slots=True)
class Problem:
    """Why a record broke its contract: a reason code, the field's path, and what was found (a class, no value)."""

    reason: str
    field: str | None
    found: str


@dataclass(frozen=True, slots=True)
class FieldWarning:
    """Something of a record that costs its field and not the record: a code, the field's path, what was found there.

    `unreadable`: the value is null in V2. `unstorable`: it is kept without the characters that Postgres does not take.
    `found` is its class, never the value.
    """

    code: str
    field: str
    found: str


@dataclass(frozen=True, slots=True)
class Record:
    """One record as the source gave it, minus secret fields. `problem` is set when its model refused it."""

    source_id: str
    payload: dict[str, Any]
    source_updated_at: datetime | None = None
    problem: Problem | None = None
    warnings: tuple[FieldWarning, ...] = ()


@dataclass(frozen=True, slots=True)
class Page:
    """What one commit stores.

    `position` is where to go on if the process dies after this page (JSON, opaque to staging); None means the pass is
    complete with this page. `source_time` is the source's clock (its Date header) when the page was asked for.
    `total` is the source's own count of the pass, where it says one. `seen` lists ids that exist at the source but
    were not fetched again because they are unchanged (they count as present in a full sweep). `complete` on the last
    page is False when the source's own counts disagree with what was met: then nothing follows from absence.
    """

    records: tuple[Record, ...]
    position: dict[str, Any] | None
    source_time: datetime
    total: int | None = None
    seen: tuple[str, ...] = ()
    complete: bool = True


@dataclass(frozen=True, slots=True)
class ReadRequest:
    """One pass over one stream.

    `since`: only what changed at or after this instant (None: everything). `position`: resume after a dead run.
    `keys`: parents of a fan-out, in the order wanted (FUB people ids for texts, agent ids, team ids). `known`: what
    staging already has, source_id → source_updated_at, so that unchanged details are not fetched again. `again`: those
    of them that are fetched although nothing says that they changed: all in a full pass, a share in the others.
    """

    since: datetime | None = None
    position: dict[str, Any] | None = None
    keys: tuple[str, ...] = ()
    known: Mapping[str, datetime | None] = field(default_factory=dict)
    again: frozenset[str] = frozenset()
    priority: Priority = "incremental"


@dataclass(frozen=True, slots=True)
class Plan:
    """What a pass would do, for `--dry-run`: request lines without secrets, and how many records to expect."""

    requests: tuple[str, ...]
    expected: int | None


@dataclass(frozen=True, slots=True)
class Identity:
    """Who a key belongs to, as the source says."""

    account_id: str
    external_user_id: str
    email: str | None
    is_owner: bool
    raw: dict[str, Any]


class RecordReader(Protocol):
    """A client that can read records by id again: what webhooks need."""

    async def __aenter__(self) -> RecordReader: ...
    async def __aexit__(self, *exc: object) -> None: ...

    async def read_some(self, entity: str, ids: Sequence[str], priority: Priority) -> dict[str, Record | None]:
        """These records by id; None for one that is not there.

        What this key may not see, or the source cannot give, is left out: that is no word about its being there.
        """
        ...


class SourceClient(Protocol):
    """One connection of one user to one source. Async context manager; closes its HTTP session on exit."""

    async def __aenter__(self) -> SourceClient: ...
    async def __aexit__(self, *exc: object) -> None: ...

    async def identity(self) -> Identity:
        """Whose key this is. Raises Unauthorized when the source refuses it."""
        ...

    async def honours_since(self, entity: str) -> bool:
        """Whether the server really filters this entity by time (probed with an impossible window, once per client)."""
        ...

    def read(self, entity: str, request: ReadRequest) -> AsyncIterator[Page]:
        """Pages of one pass, in a resumable order. The last page has position None."""
        ...

    async def active_keys(self, entity: str, since: datetime, priority: Priority) -> tuple[str, ...] | None:
        """Of a fan-out: the parents with activity since then, as the source tells; None where it cannot tell."""
        ...

    async def plan(self, entity: str, request: ReadRequest) -> Plan:
        """What `read` would ask, with at most one small request to learn the total."""
        ...

    async def count(self, entity: str) -> int | None:
        """The source's own count of the entity for this key now, or None where it has none."""
        ...

    def keys(self, entity: str, request: ReadRequest) -> AsyncIterator[tuple[str, ...]]:
        """Every source_id that exists now, cheaply, for reconciliation."""
        ...
