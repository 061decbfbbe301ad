"""V1 as a whole: its tables into staging, by the API, from files or from a copy in Postgres, and from there into V2.

Every way in is a client like any other, read by the same passes into the same rows, so an import that died goes on
where it was, and the ledger looks alike. The existing backlog of staged records is in `backlog`.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any
from uuid import uuid4

from psycopg import sql

from resources.encryption import open_vault
from resources.errors import BadRequest, MissingCredential, NotFound, V2Error
from resources.http.budget import PostgresBudget
from resources.postgres import Database
from resources.reading import SourceClient
from resources.settings import Settings
from v2_assets.clients import client_of
from v2_assets.merge import MergeCounts
from v2_assets.order import work_in_order
from v2_assets.schema.stage import STREAMS, Stream
from v2_assets.staging.state import StreamKey
from v2_assets.staging.sync import SyncOptions, record_failure, sync_stream
from v2_assets.tables import merge_user
from v2_assets.users import Connection, load_user

TABLES = tuple(stream.entity for stream in STREAMS if stream.integration == "xano")
#: How an import without a connection to V1 names its account.
NO_WORKSPACE = "v1"

Opener = Callable[[], AbstractAsyncContextManager[Any]]
Progress = Callable[[str], None]


@dataclass(slots=True)
class TableImport:
    """What became of one of V1's tables: records by what storing them did, then by where they stand."""

    table: str
    outcome: str = "imported"
    fetched: int = 0
    new: int = 0
    changed: int = 0
    rejected: int = 0
    resumed: bool = False
    fates: dict[str, int] = field(default_factory=dict)


class V1Incomplete(V2Error):
    """Some of V1's tables could not be read; the others are imported."""

    code = "v1_incomplete"


def chosen_tables(names: Sequence[str] | None) -> tuple[str, ...]:
    """The tables meant, parents first. Raises BadRequest naming what is none."""
    if not names:
        return TABLES
    unknown = sorted(set(names) - set(TABLES))
    if unknown:
        raise BadRequest(
            f"V1 has no table {', '.join(unknown)} that is imported",
            hint=f"there are: {', '.join(TABLES)}",
            context={"tables": unknown},
        )
    return tuple(table for table in TABLES if table in names)


def connection_of(database: Database, user_id: int) -> Connection | None:
    """The user's connection to V1, if there is one."""
    with database.connect() as connection:
        found = load_user(connection, user_id).connections.get("xano", ())
    return next((one for one in found if one.usable), found[0] if found else None)


def account_ref(database: Database, user_id: int) -> str:
    """Under which account the rows are staged: the same for all ways in, so that they are the same rows."""
    connection = connection_of(database, user_id)
    return connection.account_ref if connection else f"xano/{NO_WORKSPACE}/{user_id}"


def through_api(database: Database, settings: Settings, user_id: int) -> Opener:
    """Clients for V1's API with the user's token. Raises MissingCredential."""
    connection = connection_of(database, user_id)
    if connection is None or not connection.usable:
        raise MissingCredential(
            f"user {user_id} has no verified connection to V1",
            hint="enter one with `v2 onboard --user … --platform xano --account-id WORKSPACE`,"
            " or give --from-folder or --from-postgres-env",
            context={"user_id": user_id},
        )

    @asynccontextmanager
    async def opened() -> AsyncIterator[Any]:
        async with database.async_pool(1, 2) as pool:
            client = client_of(connection, settings, open_vault(settings), PostgresBudget(pool))
            async with client:
                yield client

    return opened


async def stage_v1(
    database: Database,
    settings: Settings,
    user_id: int,
    opener: Opener,
    tables: Sequence[str],
    run_id: str,
    *,
    named: bool = False,
    accept_shrink: bool = False,
    progress: Progress = lambda line: None,
) -> list[TableImport]:
    """Reads these tables into staging. A table that is not there is told, and an error only if it was `named`.

    Raises V1Incomplete after the others were read; each failure is kept in ops.sync_state.
    """
    account = account_ref(database, user_id)
    options = SyncOptions(
        full=True,
        shrink_floor=settings.sweep_shrink_floor,
        accept_shrink=accept_shrink,
        sweeps_apart=timedelta(hours=settings.sweeps_apart_hours),
    )
    told: list[TableImport] = []
    failures: dict[str, V2Error] = {}
    async with opener() as client:
        for table in tables:
            result = TableImport(table)
            told.append(result)
            try:
                await _one(database, client, _stream(table), account, user_id, run_id, options, result)
            except NotFound as error:
                result.outcome = "not there"
                if named:
                    failures[table] = error
            except V2Error as error:
                result.outcome = "failed"
                failures[table] = error
                key = _key(_stream(table), account, user_id)
                await record_failure(database, key, error, run_id)
            progress(f"{table}: {result.outcome}, {result.fetched} rows")
    if failures:
        first = next(iter(failures.values()))
        if len(tables) == 1:
            raise first
        raise V1Incomplete(
            f"{len(failures)} of V1's {len(tables)} tables could not be read ({', '.join(failures)}): {first.message}",
            hint=first.hint or "run it again: it goes on where it stopped",
            context={"tables": {name: error.code for name, error in failures.items()}},
        )
    return told


async def _one(
    database: Database,
    client: SourceClient,
    stream: Stream,
    account: str,
    user_id: int,
    run_id: str,
    options: SyncOptions,
    result: TableImport,
) -> None:
    done = await sync_stream(database, client, stream, _key(stream, account, user_id), run_id, options)
    result.fetched, result.new, result.changed = done.counts.fetched, done.counts.new, done.counts.changed
    result.rejected, result.resumed = done.counts.rejected, done.resumed


def merge_v1(database: Database, user_id: int, progress: Progress = lambda line: None) -> MergeCounts:
    """Merges what is staged of this user, every table in the order of the graph."""
    total, run_id = MergeCounts(), f"import-{uuid4()}"
    for work in work_in_order():
        total.add(merge_user(database, work, user_id, run_id))
        progress(work[0].table)
    return total


def add_fates(database: Database, user_id: int, told: Sequence[TableImport]) -> None:
    """Where the user's rows of each table stand now."""
    with database.connect() as connection:
        for result in told:
            rows = connection.execute(
                sql.SQL(
                    "select concat_ws(':', status, status_reason), count(*) from {} where user_id = %s group by 1"
                ).format(sql.Identifier("staging", _stream(result.table).table)),
                [user_id],
            ).fetchall()
            result.fates = {str(name): int(number) for name, number in sorted(rows)}


def _stream(table: str) -> Stream:
    return next(s for s in STREAMS if (s.integration, s.entity) == ("xano", table))


def _key(stream: Stream, account: str, user_id: int) -> StreamKey:
    return StreamKey(integration="xano", entity=stream.entity, account_ref=account, user_id=user_id)
