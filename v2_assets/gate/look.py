"""The gate as it stands at this moment: every verdict, worked out from what the database holds. Changes nothing."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import psycopg

from resources.settings import Settings
from v2_assets.api.catalogue import CATALOGUE
from v2_assets.compare.reasons import RED
from v2_assets.gate.comparisons import Comparisons, read
from v2_assets.gate.rules import Facts, Limits, Shadowed, Verdict, judge, judge_endpoint
from v2_assets.gate.shadow import seen as seen_in_shadow
from v2_assets.gate.tables import judged_by, streams_of

#: A table is as fresh as the account that is behind all but one in twenty: a single user who fails is that user's.
_FRESH = """
select s.integration, s.entity,
  percentile_disc(0.05) within group (order by coalesce(s.last_sync_at, 'epoch')) as v2_at
from ops.sync_state s where s.status <> 'excluded' group by 1, 2
"""
_FRESH_USERS = """
select s.user_id, min(coalesce(s.last_sync_at, 'epoch')) from ops.sync_state s
where s.status <> 'excluded' and s.integration <> all(array['xano', 'csv']) group by 1
"""
_NEVER = datetime(1970, 1, 1, tzinfo=UTC)
_USERS = 'select id from v2."user" where deleted_at is null and active is not false order by id'


@dataclass(frozen=True, slots=True)
class Gate:
    """All verdicts of one moment, and what the page tells beside them."""

    at: datetime
    tables: Mapping[str, Verdict]
    users: Mapping[int, Verdict]
    endpoints: Mapping[str, Verdict]
    shadowed: Mapping[str, Shadowed]
    shadow_reasons: Mapping[str, Mapping[str, int]]

    @property
    def verdicts(self) -> tuple[Verdict, ...]:
        """Endpoints, then tables, then users."""
        return (*self.endpoints.values(), *self.tables.values(), *self.users.values())


def look(connection: psycopg.Connection[Any], settings: Settings) -> Gate:
    """Judges every table that V1 has too, every user and every endpoint of the catalogue."""
    now, limits = datetime.now(UTC), Limits.of(settings)
    seen = read(connection, limits.green_runs)
    streams = {(integration, entity): at for integration, entity, at in connection.execute(_FRESH).fetchall()}
    tables = {
        name: judge("table", name, _of_table(name, seen, streams), limits, now) for name in _tables_to_judge(seen)
    }
    synced = dict(connection.execute(_FRESH_USERS).fetchall())
    users = {
        user_id: judge("user", str(user_id), _of_user(user_id, seen, synced), limits, now)
        for (user_id,) in connection.execute(_USERS).fetchall()
    }
    counts, differences = seen_in_shadow(connection, settings.gate_shadow_days, [each.path for each in CATALOGUE])
    reasons: dict[str, dict[str, int]] = defaultdict(lambda: defaultdict(int))
    for each in differences:
        reasons[each["endpoint"]][each["reason"]] += each["times"]
    shadowed = {
        each["endpoint"]: Shadowed(
            each["requests"], each["failed"], {name: n for name, n in reasons[each["endpoint"]].items() if name in RED}
        )
        for each in counts
    }
    status = {name: state for name, (_, state) in seen.status.items()}
    endpoints = {
        each.path: judge_endpoint(
            each.path, rests_on(each.reads, status), tables, shadowed.get(each.path, Shadowed()), limits
        )
        for each in CATALOGUE
    }
    return Gate(now, tables, users, endpoints, shadowed, reasons)


def rests_on(reads: tuple[str, ...], status: Mapping[str, str]) -> list[str]:
    """The tables whose verdicts decide about an endpoint that reads these. Our own work (schema ops) has none."""
    return sorted({name for table in reads if "." not in table for name in judged_by(table, status)})


def _tables_to_judge(seen: Comparisons) -> list[str]:
    """Those that some comparison looked at and V1 has."""
    return sorted(name for name, (_, state) in seen.status.items() if state != "not_in_v1")


def _of_table(name: str, seen: Comparisons, streams: Mapping[tuple[str, str], datetime]) -> Facts:
    run_id, state = seen.status[name]
    living = streams_of(name)
    known = [streams[stream] for stream in living if stream in streams]
    snapshot = next((run.snapshot_at for run in seen.runs if run.snapshot_at), None)
    return Facts(
        seen.tables.get(name, ()),
        failed=run_id if state == "failed" else None,
        v1_at=snapshot if living and seen.rows.get(name) else None,
        v2_at=_known(min(known, default=None)),
    )


def _of_user(user_id: int, seen: Comparisons, synced: Mapping[int, datetime]) -> Facts:
    snapshot = next((run.snapshot_at for run in seen.runs if run.snapshot_at), None)
    return Facts(
        seen.of_user(user_id),
        v1_at=snapshot if user_id in synced else None,
        v2_at=_known(synced.get(user_id)),
    )


def _known(at: datetime | None) -> datetime | None:
    return None if at == _NEVER else at
