"""Tables that are older than their class allows, as Dagster's freshness daemon says, and those that never came.

Dagster's policies look at a table as a whole: one user's success makes it fresh for all, and a table that was never
materialized is never late. The first is answered by `behind`, the second here.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

import dagster as dg
import psycopg
from dagster._core.definitions.freshness import FreshnessState, TimeWindowFreshnessPolicy

from v2_assets.automation import FRESHNESS, SWEEP_CRONS
from v2_assets.incidents import Finding, Severity
from v2_assets.jobs import SYNC_JOBS

#: Since when an integration is read by the clock: the first key that is in use and was onboarded.
_CONNECTED = """
select c.platform, min(j.ended_at) from v2.credentials c join ops.onboarding_job j on j.credentials_id = c.id
where c.state = 'ok' and c.verified and c.active and c.deleted_at is null and j.ended_at is not null group by 1
"""
_HOW_BAD: dict[FreshnessState, Severity] = {FreshnessState.WARN: "warning", FreshnessState.FAIL: "critical"}


def expected(connection: psycopg.Connection[Any], repository: dg.RepositoryDefinition) -> dict[dg.AssetKey, datetime]:
    """Assets that a sweep of some connected user brings up to date, and since when. The others have nothing to read."""
    since: dict[dg.AssetKey, datetime] = {}
    for platform, at in connection.execute(_CONNECTED).fetchall():
        if platform in SWEEP_CRONS:
            for key in repository.get_job(SYNC_JOBS[platform].name).asset_layer.executable_asset_keys:
                since[key] = min(at, since.get(key, at))
    return since


def late(
    instance: dg.DagsterInstance,
    repository: dg.RepositoryDefinition,
    since: Mapping[dg.AssetKey, datetime],
    now: datetime | None = None,
) -> dict[str, Finding]:
    """One finding for each class with tables of `since` (from `expected`) that are late."""
    now = now or datetime.now(UTC)
    policies = {key: repository.asset_graph.get(key).freshness_policy for key in since}
    keys = [key for key, policy in policies.items() if policy]
    states = instance.get_freshness_state_records(keys)
    came = {
        record.asset_entry.asset_key
        for record in instance.get_asset_records(keys)
        if record.asset_entry.last_materialization_record
    }
    found: dict[str, dict[str, Severity]] = {}
    for key in keys:
        state = states.get(key)
        bad = _HOW_BAD.get(state.freshness_state) if state else None
        if key not in came:
            bad = _never(policies[key], now, since[key])
        if bad:
            found.setdefault(_class_of(policies[key]), {})[key.to_user_string()] = bad
    return {name: _finding(name, tables, came) for name, tables in found.items()}


def _never(policy: Any, now: datetime, since: datetime) -> Severity | None:
    """How bad it is that a table never came, by the same windows."""
    assert isinstance(policy, TimeWindowFreshnessPolicy)  # noqa: S101 - ours are all of this kind
    age = now - since
    if age > policy.fail_window.to_timedelta():
        return "critical"
    return "warning" if policy.warn_window and age > policy.warn_window.to_timedelta() else None


def _class_of(policy: Any) -> str:
    return next(name for name, each in FRESHNESS.items() if each == policy)


def _finding(name: str, tables: Mapping[str, Severity], came: set[dg.AssetKey]) -> Finding:
    listed = [f"{table} (never)" if dg.AssetKey(table) not in came else table for table in sorted(tables)]
    more = f" and {len(listed) - 10} more" if len(listed) > 10 else ""
    body = {
        "what": f"{', '.join(listed[:10])}{more}: no run has brought them up to date within the window of their class.",
        "since": None,
        "users": [],
        "link": "/assets",
        "do": "v2 triggers",
        "value": len(tables),
    }
    severity: Severity = "critical" if "critical" in tables.values() else "warning"
    return Finding(severity, f"{len(tables)} {name} tables are not fresh", body)
