"""One stream for many users: connections opened side by side, one user's failure kept apart from the others.

A key that a call found refused is doubted, and probed by its source (`v2_assets.connections`); once it is out of use it
is left out here, so that sweeps do not fail on it again.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import timedelta
from typing import Literal, get_args

import psycopg
from psycopg.types.json import Jsonb

from resources.encryption import Vault, open_vault
from resources.errors import Disconnected, LeaseBusy, LeaseLost, SourceUnavailable, Unauthorized, Unexpected, V2Error
from resources.http.budget import Budget, PostgresBudget
from resources.logs import about
from resources.postgres import Database
from resources.settings import Settings
from v2_assets.clients import client_of
from v2_assets.connections.states import doubt
from v2_assets.schema.stage import Stream
from v2_assets.staging.state import StreamKey, leave_out
from v2_assets.staging.sync import StreamResult, SyncOptions, record_failure, sync_stream
from v2_assets.users import Connection, UserContext

Outcome = Literal["no_connection", "excluded", "busy", "synced", "failed"]
#: From what says least to what says most.
_WORDS = get_args(Outcome)
log = logging.getLogger(__name__)
#: Users read at once in one run. More only queue at the same budgets; each holds two database connections.
CONCURRENT_USERS = 6
#: Connections for the rate budgets. A fixed number: a pool that has grown takes five seconds to close.
BUDGET_CONNECTIONS = 3


@dataclass(slots=True)
class UserOutcome:
    """What a stream's pass came to for one user, over all the user's connections to the platform."""

    user_id: int
    outcome: Outcome = "no_connection"
    results: list[StreamResult] = field(default_factory=list)
    error: V2Error | None = None

    def note(self, outcome: Outcome, error: V2Error | None = None) -> None:
        """One connection's outcome. Of several the one counts that says most: a failure is hidden by no success."""
        if _WORDS.index(outcome) >= _WORDS.index(self.outcome):
            self.outcome, self.error = outcome, error


async def sync_users(
    database: Database,
    settings: Settings,
    stream: Stream,
    contexts: Mapping[int, UserContext],
    run_id: str,
    options: SyncOptions,
) -> dict[int, UserOutcome]:
    """Brings one stream up to date for these users. Never raises for one user's sake: see each outcome's `error`."""
    options = replace(
        options,
        overlap_minutes=settings.overlap_minutes,
        history_seconds=settings.onboarding_history_seconds if options.recent_days else settings.history_seconds,
        shrink_floor=settings.sweep_shrink_floor,
        sweeps_apart=timedelta(hours=settings.sweeps_apart_hours),
    )
    slots = asyncio.Semaphore(CONCURRENT_USERS)
    vault = open_vault(settings)
    async with database.async_pool(BUDGET_CONNECTIONS, BUDGET_CONNECTIONS) as pool:
        budget = PostgresBudget(pool)

        async def one(context: UserContext) -> UserOutcome:
            async with slots:
                try:
                    return await _sync_user(database, settings, vault, budget, stream, context, run_id, options)
                except Exception as error:  # even noting a failure can fail, and that is no other user's trouble
                    log.warning("user %s was not read: %s", context.user_id, Unexpected.of(error).context)
                    return UserOutcome(context.user_id, "failed", error=failure_of(error))

        outcomes = await asyncio.gather(*(one(context) for context in contexts.values()))
    await _note_pull(database, stream, outcomes, run_id)
    return {outcome.user_id: outcome for outcome in outcomes}


async def _note_pull(database: Database, stream: Stream, outcomes: Sequence[UserOutcome], run_id: str) -> None:
    """Keeps how the passes of a run went: the state of a stream tells only of its last one."""
    passes = [outcome for outcome in outcomes if outcome.outcome in ("synced", "failed")]
    failed = [outcome.user_id for outcome in passes if outcome.outcome == "failed"]
    counts = [result.counts for outcome in passes for result in outcome.results]
    if not passes:
        return
    async with database.aconnect() as connection, connection.transaction():
        await connection.execute(
            "insert into ops.pull (integration, entity, run_id, passes, failed, fetched, rejected, failed_users)"
            " values (%s, %s, %s, %s, %s, %s, %s, %s)",
            [
                stream.integration,
                stream.entity,
                run_id,
                len(passes),
                len(failed),
                sum(each.fetched for each in counts),
                sum(each.rejected for each in counts),
                Jsonb(failed),
            ],
        )


async def _sync_user(
    database: Database,
    settings: Settings,
    vault: Vault,
    budget: Budget,
    stream: Stream,
    context: UserContext,
    run_id: str,
    options: SyncOptions,
) -> UserOutcome:
    outcome = UserOutcome(context.user_id)
    for connection in context.connections.get(stream.integration, ()):
        key = StreamKey(
            integration=stream.integration,
            entity=stream.entity,
            account_ref=connection.account_ref,
            user_id=context.user_id,
        )
        if not connection.usable:
            outcome.note(*await _left_out(database, connection, key))
            continue
        with about(user=context.user_id, integration=stream.integration, entity=stream.entity, run=run_id):
            try:
                client = client_of(connection, settings, vault, budget)
                async with client:
                    result = await sync_stream(
                        database, client, stream, key, run_id, options, connection.credentials_id
                    )
                outcome.results.append(result)
                outcome.note("synced")
                log.info("read: %s", result.counts.as_dict())
            except Disconnected:
                outcome.note("excluded")
                log.info("not read: the connection has ended")
            except (LeaseBusy, LeaseLost) as error:  # lost: the source kept us waiting, and somebody else went on
                outcome.note("busy", error)
                log.info("not read: somebody else is at it")
            except Exception as error:
                failure = failure_of(error)
                outcome.note("failed", failure)
                where = failure.context if isinstance(failure, Unexpected) else ""
                log.warning("not read: [%s] %s %s", failure.code, failure.message, where)
                await _note_failure(database, connection, key, failure, run_id)
    return outcome


async def _left_out(database: Database, connection: Connection, key: StreamKey) -> tuple[Outcome, V2Error | None]:
    """A key that its source refuses fails each stream that was read with it, once; after that nothing happens."""
    if connection.state == "needs_reconnect":
        async with database.aconnect() as db, db.transaction():
            if await leave_out(db, key):
                return "failed", Unauthorized(
                    f"the {key.integration} key is refused by its source and out of use", hint="docs/howto/keys.md"
                )
    return "excluded", None


def failure_of(error: Exception) -> V2Error:
    """What an exception is for the user whose work it ended."""
    if isinstance(error, V2Error):
        return error
    if isinstance(error, psycopg.Error | OSError):
        what = f"the connection broke while records were stored: {type(error).__name__}"
        return SourceUnavailable(what, retryable=True)
    return Unexpected.of(error)


async def _note_failure(
    database: Database, connection: Connection, key: StreamKey, error: V2Error, run_id: str
) -> None:
    await record_failure(database, key, error, run_id)
    async with database.aconnect() as db, db.transaction():
        if isinstance(error, Unauthorized):
            await doubt(db, connection.credentials_id)
        await db.execute(
            'insert into ops.error_log (at, "where", code, message, context, run_id, user_id)'
            " values (now(), %s, %s, %s, %s, %s, %s)",
            [f"{key.integration}/{key.entity}", error.code, error.message, Jsonb(error.context), run_id, key.user_id],
        )
