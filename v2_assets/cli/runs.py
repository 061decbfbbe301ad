"""What the data commands do: runs of the same assets in this process, plans, retries, backfills."""

from __future__ import annotations

import asyncio
import os
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any
from uuid import uuid4

from psycopg import sql

from resources.apis import validate
from resources.encryption import open_vault
from resources.errors import ConfigError, MissingCredential
from resources.http.budget import Limit
from resources.reading import Priority, ReadRequest
from v2_assets.cli.opened import Opened
from v2_assets.cli.output import current
from v2_assets.clients import client_of
from v2_assets.launching import RunFailed, WebServer
from v2_assets.schema.stage import STREAMS, Stream
from v2_assets.staging.state import Cursor
from v2_assets.staging.streams import READINGS
from v2_assets.staging.sync import SyncOptions, key_parameters, since_of
from v2_assets.users import Connection, load_users


class _Unshared:
    """A budget for the handful of calls of a dry run, which must not write even a counter."""

    async def take(self, limits: Sequence[Limit], priority: Priority) -> None: ...

    async def learn(self, limit: Limit, calls: int, window_s: int) -> None: ...

    async def punish(self, limits: Sequence[Limit], seconds: float) -> None: ...


# --- dry run --------------------------------------------------------------------------------------------------------


def plan(o: Opened, streams: Sequence[Stream], users: Sequence[int], *, full: bool) -> list[dict[str, Any]]:
    """What each stream's pass would ask and expect. Raises MissingCredential when no user has a usable connection."""
    with o.database.connect() as connection:
        contexts = load_users(connection, users)
    held = [
        c
        for context in contexts.values()
        for cs in context.connections.values()
        for c in cs
        if c.usable and c.platform in {s.integration for s in streams}
    ]
    if not held:
        raise MissingCredential(
            f"none of the {len(users)} users has a verified connection",
            hint="`v2 status` shows each user's connections; `v2 onboard` enters one",
            context={"users": list(users), "platforms": sorted({s.integration for s in streams})},
        )

    async def all_plans() -> list[dict[str, Any]]:
        return [p for c in held for p in await _plans(o, c, streams, full)]

    return asyncio.run(all_plans())


async def _plans(o: Opened, connection: Connection, streams: Sequence[Stream], full: bool) -> list[dict[str, Any]]:
    told = []
    client = client_of(connection, o.settings, open_vault(o.settings), _Unshared())
    async with client:
        for stream in (s for s in streams if s.integration == connection.platform):
            reading = READINGS[stream.integration, stream.entity]
            with o.database.connect() as db:
                row = db.execute(
                    "select cursor from ops.sync_state where integration = %s and entity = %s and account_ref = %s",
                    [stream.integration, stream.entity, connection.account_ref],
                ).fetchone()
                cursor = Cursor.model_validate(row[0]) if row else Cursor()
                options = SyncOptions(full=full, overlap_minutes=o.settings.overlap_minutes)
                since = since_of(reading, cursor, options)
                keys: tuple[str, ...] = ()
                if reading.keys_sql:
                    found = db.execute(
                        reading.keys_sql.encode(), key_parameters(connection.account_ref, since, cursor.history)
                    ).fetchall()
                    keys = tuple(r[0] for r in found if r[0] is not None)
            made = await client.plan(stream.entity, ReadRequest(since=since, keys=keys))
            told.append(
                {
                    "user_id": connection.user_id,
                    "stream": f"{stream.integration}/{stream.entity}",
                    "pass": f"since {since:%Y-%m-%d %H:%M:%S}Z" if since else "full",
                    "expected": made.expected,
                    "requests": list(made.requests),
                }
            )
    return told


# --- runs -----------------------------------------------------------------------------------------------------------


def run_assets(
    o: Opened, streams: Sequence[Stream], users: Sequence[int], *, full: bool, accept_shrink: bool
) -> dict[str, Any]:
    """Materializes these streams and what is below them in V2, for these users. Raises RunFailed naming the step."""
    as_platform(o)
    import dagster as dg

    from sensors.ranges import covering, tags_for
    from v2_assets.automation import FULL_TAG, KIND_TAG, SHRINK_TAG
    from v2_assets.definitions import defs
    from v2_assets.executor import execute_here
    from v2_assets.partitions import USERS_NAME, partition_key

    instance = dg.DagsterInstance.get()
    instance.add_dynamic_partitions(USERS_NAME, [partition_key(user) for user in users])
    graph = defs.get_repository_def().asset_graph
    wanted = dg.AssetSelection.assets(*(s.table for s in streams)).downstream()
    others = {dg.AssetKey(s.table) for s in STREAMS} - {dg.AssetKey(s.table) for s in streams}
    keys = [k for k in wanted.resolve(graph) if k not in others and k in graph.materializable_asset_keys]
    job = defs.resolve_implicit_global_asset_job_def()
    run_ids = []
    wanted_keys = {partition_key(user) for user in users}
    for piece in covering(instance.get_dynamic_partitions(USERS_NAME), wanted_keys, 200):
        run_id = str(uuid4())
        tags = {KIND_TAG: "by hand", **({FULL_TAG: "true"} if full else {}), **tags_for(piece, wanted_keys)}
        if accept_shrink:
            tags[SHRINK_TAG] = "true"
        with _told(o, run_id, len(streams) * len(piece)):
            result = execute_here(job, instance, tags=tags, assets=keys, run_id=run_id)
        run_ids.append(run_id)
        if not result.success:
            raise RunFailed(f"run {run_id} failed", hint=_why(result), context={"run_id": run_id})
    return {"run_id": ", ".join(run_ids), "users": list(users), "streams": [s.table for s in streams]}


def _why(result: Any) -> str:
    for event in result.all_events:
        if event.is_step_failure:
            data = event.step_failure_data
            failure = data.user_failure_data
            return f"{event.step_key}: {failure.description if failure else data.error.message.strip()[:500]}"
    return "see the run in the UI"


def as_platform(o: Opened) -> None:
    """This process takes part in the platform: the same Dagster instance, the same settings."""
    from v2_assets.platform import Platform

    platform = Platform(o.settings)
    os.environ.update(platform.environment(o.urls))
    platform.prepare(o.urls)


@contextmanager
def _told(o: Opened, run_id: str, total: int) -> Iterator[None]:
    """Says each stream of each user as it ends."""
    stop = threading.Event()

    def watch(step: Any) -> None:
        seen: set[tuple[Any, ...]] = set()
        while not stop.wait(0.5):
            with o.database.connect() as connection:
                rows = connection.execute(
                    "select user_id, integration || '/' || entity, status, records from ops.sync_state"
                    " where run_id = %s and status <> 'running'",
                    [run_id],
                ).fetchall()
            for row in rows:
                if row not in seen:
                    seen.add(row)
                    step(f"user {row[0]} {row[1]}: {row[2]}, {row[3] or 0} records")

    with current().progress(total, "reading") as step:
        thread = threading.Thread(target=watch, args=(step,), daemon=True)
        thread.start()
        try:
            yield
        finally:
            time.sleep(0.6)  # one more look at what ended last
            stop.set()
            thread.join(5)


# --- merging and retrying -------------------------------------------------------------------------------------------


def merge_now(o: Opened, users: Sequence[int]) -> dict[str, Any]:
    """Merges everything pending of these users, tables in the order of the asset graph."""
    from v2_assets.merge import MergeCounts
    from v2_assets.order import work_in_order
    from v2_assets.tables import merge_user

    total = MergeCounts()
    run_id = f"merge-{uuid4()}"
    work = work_in_order()
    with current().progress(len(work), "merging") as step:
        for each in work:
            for user in users:
                total.add(merge_user(o.database, each, user, run_id))
            step(each[0].table)
    return {"run_id": run_id, "fates": {"read": total.read, **total.by_fate()}}


def retry(o: Opened, table: str, reason: str, users: Sequence[int] | None) -> dict[str, Any]:
    """Makes rejected rows pending again; what still breaks its model stays. Raises ConfigError for an unknown table."""
    stream = next((s for s in STREAMS if s.table == table), None)
    if stream is None:
        raise ConfigError(
            f"there is no staging table {table!r}", hint=f"there are: {', '.join(s.table for s in STREAMS)}"
        )
    name = sql.Identifier("staging", table)
    where = sql.SQL("status = 'rejected' and status_reason = %s and (%s::bigint[] is null or user_id = any(%s))")
    with o.database.connect() as connection:
        rows = connection.execute(
            sql.SQL("select id, payload from {} where {} for update").format(name, where),
            [reason, users and list(users), users and list(users)],
        ).fetchall()
        good = [
            row[0]
            for row in rows
            # A file's row has no model: what could not be read is helped by a corrected file only.
            if reason != "invalid_record"
            or (stream.integration != "csv" and validate(stream.integration, stream.entity, row[1]) is None)
        ]
        connection.execute(
            sql.SQL(
                "update {} set status = 'pending', status_reason = null, status_detail = null, attempts = 0"
                " where id = any(%s)"
            ).format(name),
            [good],
        )
    return {"table": table, "reason": reason, "released": len(good), "still": len(rows) - len(good)}


# --- backfill -------------------------------------------------------------------------------------------------------

_ENDED = {"COMPLETED", "COMPLETED_SUCCESS", "COMPLETED_FAILED", "FAILED", "CANCELED"}


def backfill(o: Opened, streams: Sequence[Stream], users: Sequence[int], *, wait: bool) -> dict[str, Any]:
    """Dagster's own backfill of these streams and what is below them. Raises RunFailed when it does not succeed."""
    server = WebServer(o.settings.ui_port, key=o.settings.ui_key)
    made = server.backfill(streams[0].integration, users)
    told = {"backfill_id": made, "status": "REQUESTED", "users": list(users)}
    last = ""
    while wait and told["status"] not in _ENDED:
        time.sleep(2)
        told["status"] = server.backfill_status(made)
        if told["status"] != last:
            current().say(f"backfill {told['backfill_id']}: {told['status']}")
            last = told["status"]
    if told["status"] in ("COMPLETED_FAILED", "FAILED", "CANCELED"):
        raise RunFailed(f"backfill {told['backfill_id']} ended as {told['status']}", hint="see it in the UI")
    return told
