"""Purging Dagster's records in SQL. Its own `delete_run` takes the run's materializations along, and with them the
knowledge of which partitions are there; this leaves the newest of each asset and partition.

The tables are those of the pinned release; a test runs it against a real instance and reads it back through Dagster.
"""

from __future__ import annotations

import shutil
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import psycopg

#: Runs in one transaction. One sweep's run has a few hundred events.
RUNS_AT_ONCE = 100

_ENDED = "status in ('SUCCESS', 'FAILURE', 'CANCELED') and to_timestamp(end_time) < now() - %(days)s * interval '1 day'"
_COUNT_RUNS = f"select count(*) from runs where {_ENDED}"  # noqa: S608 - constants
_RUNS = f"select run_id from runs where {_ENDED} order by id limit %(limit)s"  # noqa: S608 - constants
# What says that a partition is there: kept while nothing newer says so.
_TELLING = "'ASSET_MATERIALIZATION', 'ASSET_OBSERVATION', 'ASSET_CHECK_EVALUATION'"
_EVENTS_OF = f"""
delete from event_logs where run_id = any(%s)
  and (asset_key is null or dagster_event_type is null or dagster_event_type not in ({_TELLING}))
"""  # noqa: S608 - constants
_SUPERSEDED = f"""
with gone as (
  delete from event_logs e where e.id in (
    select o.id from event_logs o
    where o.asset_key is not null and o.dagster_event_type in ({_TELLING})
      and o.timestamp < now() at time zone 'UTC' - %(days)s * interval '1 day'
      and exists (
        select from event_logs n where n.asset_key = o.asset_key and n.dagster_event_type = o.dagster_event_type
        and n.partition is not distinct from o.partition and n.id > o.id)
    limit %(limit)s)
  returning e.id)
, tags as (delete from asset_event_tags t using gone where t.event_id = gone.id)
select count(*) from gone
"""  # noqa: S608 - constants
_CHECKS = """
delete from asset_check_executions where id in (
  select o.id from asset_check_executions o
  where o.create_timestamp < now() at time zone 'UTC' - %(days)s * interval '1 day'
    and exists (select from asset_check_executions n where n.asset_key = o.asset_key and n.check_name = o.check_name
      and n.partition is not distinct from o.partition and n.id > o.id)
  limit %(limit)s)
"""


def count_runs(connection: psycopg.Connection[Any], days: int) -> int:
    """Runs that ended longer ago than that."""
    return (connection.execute(_COUNT_RUNS, {"days": days}).fetchone() or (0,))[0]


def purge_runs(connection: psycopg.Connection[Any], days: int, logs: Path) -> int:
    """Removes one batch of ended runs with their events, in one transaction, and their logs. 0 when none is left."""
    with connection.transaction():
        rows = connection.execute(_RUNS, {"days": days, "limit": RUNS_AT_ONCE}).fetchall()
        runs = [row[0] for row in rows]
        connection.execute(_EVENTS_OF, [runs])
        connection.execute("delete from runs where run_id = any(%s)", [runs])
    _remove_logs(logs, runs)
    return len(runs)


def purge_events(connection: psycopg.Connection[Any], days: int, limit: int) -> int:
    """Removes one batch of materializations and check results that newer ones have replaced. 0 when none is left."""
    with connection.transaction():
        events = (connection.execute(_SUPERSEDED, {"days": days, "limit": limit}).fetchone() or (0,))[0]
        return events + connection.execute(_CHECKS, {"days": days, "limit": limit}).rowcount


def _remove_logs(logs: Path, runs: Sequence[str]) -> None:
    for run in runs:
        shutil.rmtree(logs / run, ignore_errors=True)
