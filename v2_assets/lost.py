"""Runs that died at work: what they were reading is failed, in our tables and in Dagster's partitions.

A run that is killed can say nothing. Its streams would stay `running` until the next sweep, and Dagster, which is told
of no partition beforehand, would show nobody as failed.
"""

from __future__ import annotations

from typing import Any

import dagster as dg
import psycopg
from psycopg.types.json import Jsonb

from resources.errors import V2Error
from v2_assets.recording import report_failed
from v2_assets.staging.streams import stream

#: A stream may go on for a moment under a run that was just declared dead.
_AT_WORK = """
select integration, entity, account_ref, user_id, run_id from ops.sync_state
where status = 'running' and run_id is not null and updated_at < now() - interval '30 seconds'
"""
_FAIL = """
update ops.sync_state set status = 'failed', error = %s, updated_at = now()
where integration = %s and entity = %s and account_ref = %s and status = 'running' and run_id = %s
"""


class WorkerDied(V2Error):
    """The run ended while it was reading; the next one goes on from the last stored page."""

    code = "worker_died"
    retryable = True


def settle_lost(instance: dg.DagsterInstance, connection: psycopg.Connection[Any]) -> int:
    """Ends the streams that runs were reading when they ended. Returns how many. Wants autocommit."""
    rows = connection.execute(_AT_WORK).fetchall()
    if not rows:
        return 0
    ended = dg.RunsFilter(
        run_ids=list({row[4] for row in rows}), statuses=[dg.DagsterRunStatus.FAILURE, dg.DagsterRunStatus.CANCELED]
    )
    runs = {run.run_id: run for run in instance.get_runs(ended)}
    error = WorkerDied("the run ended while it was reading", hint="the next run goes on from the last stored page")
    lost = 0
    for integration, entity, account_ref, user_id, run_id in rows:
        if run_id not in runs:
            continue
        parameters = [Jsonb(error.as_dict()), integration, entity, account_ref, run_id]
        if connection.execute(_FAIL, parameters).rowcount:
            table = stream(integration, entity).table
            report_failed(instance, runs[run_id], table, (dg.AssetKey(table),), {user_id: error})
            lost += 1
    return lost
