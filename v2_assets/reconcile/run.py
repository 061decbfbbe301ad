"""Asking every source what it has, and putting the answers beside the database."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass

from psycopg import sql

from resources.encryption import open_vault
from resources.errors import V2Error
from resources.http.budget import PostgresBudget
from resources.postgres import Database
from resources.reading import ReadRequest
from resources.settings import Settings
from v2_assets.clients import client_of
from v2_assets.reconcile.compare import compare, law
from v2_assets.reconcile.report import Line, ReconcileReport
from v2_assets.schema.stage import STREAMS, Stream
from v2_assets.staging.streams import READINGS
from v2_assets.staging.sync import key_parameters
from v2_assets.users import Connection, load_users

#: Connections asked side by side.
AT_ONCE = 4


@dataclass(slots=True)
class _Asked:
    """One stream of one connection, and the ids its source has (None: not asked)."""

    stream: Stream
    line: Line
    ids: set[str] | None


def reconcile(
    database: Database,
    settings: Settings,
    users: Sequence[int] | None = None,
    integrations: Sequence[str] | None = None,
    deep: bool = False,
) -> ReconcileReport:
    """Compares every stream of these users (default: all) with its source, which is asked now.

    Streams that can only be asked parent by parent (texts) are compared with their last full pass, unless `deep`. A
    source that cannot be read makes its lines "not read" and the report not clean; it is never an empty comparison.
    Raises DatabaseError and UnknownUser.
    """
    with database.connect() as connection:
        wanted = list(users or [r[0] for r in connection.execute('select id from v2."user" where deleted_at is null')])
        contexts = load_users(connection, wanted)
    connections = [
        each
        for context in contexts.values()
        for platform, held in context.connections.items()
        for each in held
        if integrations is None or platform in integrations
    ]
    asked = asyncio.run(_ask_all(database, settings, connections, deep))
    report = ReconcileReport()
    with database.connect(autocommit=True) as connection:
        for each in asked:
            report.missing += compare(connection, each.stream, each.line, each.ids)
            report.lines.append(each.line)
        report.law = law(connection)
    return report


async def _ask_all(
    database: Database, settings: Settings, connections: Sequence[Connection], deep: bool
) -> list[_Asked]:
    slots = asyncio.Semaphore(AT_ONCE)
    async with database.async_pool(2, 2) as pool:
        budget = PostgresBudget(pool)

        async def one(connection: Connection) -> list[_Asked]:
            async with slots:
                return await _ask(database, settings, budget, connection, deep)

        answers = await asyncio.gather(*(one(connection) for connection in connections))
    return [each for answer in answers for each in answer]


async def _ask(
    database: Database, settings: Settings, budget: PostgresBudget, connection: Connection, deep: bool
) -> list[_Asked]:
    """All streams of one connection."""
    asked: list[_Asked] = []
    client = None
    if connection.usable:
        client = client_of(connection, settings, open_vault(settings), budget)
    for stream in STREAMS:
        if stream.integration != connection.platform:
            continue
        line = Line(
            integration=stream.integration,
            entity=stream.entity,
            table=stream.primary,
            user_id=connection.user_id,
            account_ref=connection.account_ref,
            basis="asked now",
        )
        each = _Asked(stream, line, None)
        asked.append(each)
        reading = READINGS[stream.integration, stream.entity]
        if client is None:
            line.basis, line.error = "not read", f"the credential is {connection.state}: its source was not asked"
        elif reading.kind == "fan_out" and not deep:
            line.basis = "last full pass"
        else:
            try:
                keys = await _keys(database, stream, connection.account_ref) if reading.keys_sql else ()
                request = ReadRequest(keys=keys, priority="incremental")
                each.ids = {i async for page in client.keys(stream.entity, request) for i in page}
            except V2Error as error:
                line.basis, line.error = "not read", str(error)
    if client is not None:
        await client.__aexit__(None, None, None)
    return asked


async def _keys(database: Database, stream: Stream, account_ref: str) -> tuple[str, ...]:
    query = READINGS[stream.integration, stream.entity].keys_sql or ""
    async with database.aconnect() as connection:
        result = await connection.execute(
            sql.SQL(query),  # type: ignore[arg-type]  # a constant of this package
            key_parameters(account_ref, None, None),
        )
        return tuple(row[0] for row in await result.fetchall() if row[0] is not None)
