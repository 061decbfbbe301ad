"""How long events took: when the sandbox made each, and when Postgres committed the V2 row that came of it.

Read beside the platform: the sandbox's own log on one side, commit times (`track_commit_timestamp`) on the other. A
staged record's fate and its V2 row are written in one transaction, so the commit of the one is the commit of the other.
"""

from __future__ import annotations

import re
import threading
from collections import defaultdict
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

from psycopg import sql

from resources.errors import DatabaseError
from resources.postgres import Database
from v2_assets.schema.stage import STREAMS, Stream

LOOK_EVERY_S = 1.0
#: Rows of a transaction that began earlier than the last look may be committed after it.
_OVERLAP = timedelta(seconds=30)
_NEWS = """
select source_id, fetched_at, pg_xact_commit_timestamp(xmin) from {stage}
where processed_at >= %(since)s and status in ('processed', 'duplicate')
union all
select s.source_id, v.deleted_at, pg_xact_commit_timestamp(v.xmin) from {live} v
join {stage} s on s.v2_id = v.id where v.deleted_at >= %(since)s
"""


def streams_told_of() -> list[Stream]:
    """The streams that webhooks tell of record by record."""
    fub = ("people", "deals", "calls", "appointments", "text_messages", "events")
    wanted = {("fub", name) for name in fub} | {("rezen", "transactions"), ("rezen", "listings"), ("title", "orders")}
    return [stream for stream in STREAMS if (stream.integration, stream.entity) in wanted]


@dataclass
class Watch:
    """Collects every version that reached V2, until it is stopped."""

    database: Database
    versions: dict[tuple[str, str, str], set[tuple[datetime, datetime]]] = field(
        default_factory=lambda: defaultdict(set)
    )
    _ending: threading.Event = field(default_factory=threading.Event)
    _thread: threading.Thread | None = None

    def start(self) -> None:
        """Begins to look, in a thread of its own."""
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()

    def stop(self) -> None:
        """Looks once more and ends."""
        self._ending.set()
        if self._thread:
            self._thread.join(30)

    def _run(self) -> None:
        since = datetime.now(UTC)
        while True:
            ended, began = self._ending.is_set(), datetime.now(UTC)
            try:
                self._look(since - _OVERLAP)
                since = began
            except DatabaseError:
                pass  # it is away, and its commit times are kept
            if ended:
                return
            self._ending.wait(LOOK_EVERY_S)

    def _look(self, since: datetime) -> None:
        with self.database.connect(deadline_s=1) as connection:
            for stream in streams_told_of():
                names = {
                    "stage": sql.Identifier("staging", stream.table),
                    "live": sql.Identifier("v2", stream.primary),
                }
                rows = connection.execute(sql.SQL(_NEWS).format(**names), {"since": since}).fetchall()
                for source_id, fetched_at, committed_at in rows:
                    self.versions[stream.integration, stream.entity, source_id].add((fetched_at, committed_at))


def latencies(watch: Watch, events: list[dict[str, Any]]) -> dict[str, Any]:
    """Seconds from event to commit: `p50`, `p95`, `max`, how many were measured, lost, and superseded.

    Superseded: no version came after the event, because the record was gone or read again before (another event of the
    same instant, a sweep). Events of what V2 does not keep are left out.
    """
    told = {(stream.integration, stream.entity) for stream in streams_told_of()}
    waits: list[tuple[float, str]] = []
    lost = superseded = 0
    for event in events:
        entity = re.sub("[A-Z]", lambda m: "_" + m[0].lower(), event["table"])
        if (event["system"], entity) not in told:
            continue
        at = datetime.fromisoformat(event["at"])
        for source_id in event["ids"]:
            if event["lost"]:
                lost += 1
                continue
            versions = watch.versions.get((event["system"], entity, str(source_id)), ())
            commits = [committed for fetched, committed in versions if fetched >= at]
            if commits:
                waits.append(((min(commits) - at).total_seconds(), f"{event['system']}/{entity}"))
            else:
                superseded += 1
    waits.sort()
    return {
        "measured": len(waits),
        "lost": lost,
        "superseded": superseded,
        **{name: _at(waits, share) for name, share in (("p50", 0.5), ("p95", 0.95), ("p99", 0.99), ("max", 1.0))},
        "by_stream": _by_stream(waits),
    }


def _at(waits: list[tuple[float, str]], share: float) -> float | None:
    return round(waits[min(int(len(waits) * share), len(waits) - 1)][0], 2) if waits else None


def _by_stream(waits: list[tuple[float, str]]) -> dict[str, dict[str, Any]]:
    names = sorted({name for _, name in waits})
    mine = {name: [each for each in waits if each[1] == name] for name in names}
    return {name: {"measured": len(w), "p50": _at(w, 0.5), "p95": _at(w, 0.95)} for name, w in mine.items()}
