"""The backlog sensor: pending rows that nobody is working on are merged, whatever left them there.

It looks at staging itself, not at events, so a failed run, a retry command, an import or a lost message all end the
same way. Rows that stay pending although a run has just tried them are tried again ever more slowly.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

import dagster as dg
import psycopg
from psycopg import sql

from resources.postgres import Database
from sensors.ranges import covering, tags_for
from sensors.runs import busy_keys
from v2_assets.automation import BACKLOG_INTERVAL_S, KIND_TAG, LANE
from v2_assets.jobs import merge_backlog
from v2_assets.merge.statements import WANTS_MERGING
from v2_assets.partitions import USERS_NAME, partition_key, user_ids
from v2_assets.platform_resource import PlatformResource
from v2_assets.schema.stage import STREAMS

USERS_PER_RUN = 200
#: Twice the interval each time the same rows are still there, up to an hour.
_LONGEST_PAUSE = timedelta(hours=1)


@dataclass(frozen=True, slots=True)
class Attempt:
    """What was pending when a user's backlog was last sent to a run, and when it may be sent again."""

    newest: int
    rows: int
    tries: int
    not_before: datetime


def backlog(database: Database) -> dict[str, tuple[int, int]]:
    """Users (as partition keys) who are there and have rows that want merging: how many, and the newest of them."""
    per_table = sql.SQL(" union all ").join(
        sql.SQL("select user_id, count(*) as rows, max(id) as newest from {} where {} group by user_id").format(
            sql.Identifier("staging", stream.table), WANTS_MERGING
        )
        for stream in STREAMS
    )
    query = sql.SQL(
        "select user_id, sum(rows)::bigint, sum(newest)::bigint from ({}) t"
        ' where user_id in (select id from v2."user" where deleted_at is null) group by user_id'
    ).format(per_table)
    with database.connect() as connection:
        return {partition_key(row[0]): (row[1], row[2]) for row in connection.execute(query).fetchall()}


def due(
    waiting: Mapping[str, tuple[int, int]], attempts: Mapping[str, Attempt], now: datetime
) -> tuple[set[str], dict[str, Attempt]]:
    """Who is to be sent to a run now, and what to remember about them."""
    chosen: set[str] = set()
    remembered: dict[str, Attempt] = {}
    for key, (rows, newest) in waiting.items():
        last = attempts.get(key)
        same = last is not None and (last.rows, last.newest) == (rows, newest)
        if last and same and now < last.not_before:
            remembered[key] = last
            continue
        tries = last.tries + 1 if last and same else 1
        pause = min(timedelta(seconds=BACKLOG_INTERVAL_S) * 2**tries, _LONGEST_PAUSE)
        chosen.add(key)
        remembered[key] = Attempt(newest, rows, tries, now + pause)
    return chosen, remembered


def attempts(connection: psycopg.Connection[Any]) -> dict[str, Attempt]:
    """What was remembered at earlier ticks. In a table, because a cursor is stored again with every tick."""
    rows = connection.execute("select user_id, newest, rows, tries, not_before from ops.backlog_attempt").fetchall()
    return {partition_key(row[0]): Attempt(*row[1:]) for row in rows}


def remember(connection: psycopg.Connection[Any], waiting: Iterable[str], sent: Mapping[str, Attempt]) -> None:
    """Keeps what is sent to a run now, and forgets whose backlog is gone."""
    with connection.transaction():
        connection.execute(
            "delete from ops.backlog_attempt where user_id <> all(%s::bigint[])", [user_ids(list(waiting))]
        )
        connection.execute(
            "insert into ops.backlog_attempt (user_id, newest, rows, tries, not_before)"
            " select * from unnest(%s::bigint[], %s::bigint[], %s::bigint[], %s::bigint[], %s::timestamptz[])"
            " on conflict (user_id) do update set newest = excluded.newest, rows = excluded.rows,"
            " tries = excluded.tries, not_before = excluded.not_before",
            [
                user_ids(list(sent)),
                [each.newest for each in sent.values()],
                [each.rows for each in sent.values()],
                [each.tries for each in sent.values()],
                [each.not_before for each in sent.values()],
            ],
        )


@dg.sensor(
    name="backlog",
    job=merge_backlog,
    minimum_interval_seconds=BACKLOG_INTERVAL_S,
    default_status=dg.DefaultSensorStatus.RUNNING,
    description="Starts merges for users whose staged rows are pending while no run works on them.",
)
def backlog_sensor(
    context: dg.SensorEvaluationContext, platform: PlatformResource
) -> Iterator[dg.RunRequest | dg.SkipReason]:
    keys = list(context.instance.get_dynamic_partitions(USERS_NAME))
    waiting = backlog(platform.database)
    # An import may bring rows of somebody who has no connection, and so was never onboarded.
    if strangers := sorted(waiting.keys() - set(keys), key=int):
        context.instance.add_dynamic_partitions(USERS_NAME, strangers)
        keys += strangers
    busy = busy_keys(context.instance, keys) if waiting else set[str]()
    idle = {key: rows for key, rows in waiting.items() if key not in busy}
    with platform.database.connect(autocommit=True) as connection:
        chosen, remembered = due(idle, attempts(connection), datetime.now(UTC))
        remember(connection, waiting, {key: remembered[key] for key in chosen})
    if not chosen:
        yield dg.SkipReason(f"{len(waiting)} users have pending rows; each is being worked on or was just tried")
    for piece in covering(keys, chosen, USERS_PER_RUN):
        yield dg.RunRequest(tags={**tags_for(piece, chosen), KIND_TAG: "backlog", **LANE})
