"""Starting work of the pipelines over HTTP: the jobs, one user at a time, 1:1 with what the `v2` command starts.

POST needs a token of scope `tasks` and a header Idempotency-Key: the same key for the same request starts nothing
again, but answers what was started. The user is the caller, or for an account admin one of the team. Every answer is a
Result document. Work that spans users (derived tables, checks) belongs to the schedules and has no endpoint.
"""

from __future__ import annotations

import asyncio
import hashlib
import logging
from collections.abc import Awaitable, Callable
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Header, Query, Request
from pydantic import BaseModel, ConfigDict, Field

from resources.errors import ConfigError, V2Error
from v2_assets.api.errors import Away, Conflict, Unknown
from v2_assets.api.failures import FAILURES
from v2_assets.api.store import Store
from v2_assets.launching import WebServer
from v2_assets.result import Result

_log = logging.getLogger("v2.api")
#: What is read with a user's key: each is a job `<integration>_sync`.
Integration = Literal["fub", "rezen", "skyslope", "title", "xano"]
Key = Annotated[
    str, Header(alias="Idempotency-Key", pattern=r"^[A-Za-z0-9._:-]{1,100}$", description="A name for the request.")
]


Handle = Annotated[str, Query(max_length=300, pattern=r"^[^\x00]+$", description="What starting it answered.")]


class Wanted(BaseModel):
    """For whom."""

    model_config = ConfigDict(extra="forbid")

    user: Annotated[
        str | None,
        Field(max_length=200, pattern=r"^[^\x00]*$", description="id, e-mail or ad_user_id; the caller without it"),
    ] = None


class SyncWanted(Wanted):
    """For whom, and how much."""

    full: Annotated[bool, Field(description="read everything again, not only what changed")] = False


class Started(BaseModel):
    """What was started. `handle` names it for GET /tasks/state."""

    handle: str
    task: str
    user_id: int
    again: Annotated[bool, Field(description="whether it had been started before, under the same key")] = False


class State(BaseModel):
    """How far it is, in Dagster's word (QUEUED, STARTED, SUCCESS, …) or the onboarding job's (New … Complete)."""

    handle: str
    status: str
    ended: bool


_ENDED = {"SUCCESS", "FAILURE", "CANCELED", "COMPLETED", "COMPLETED_SUCCESS", "COMPLETED_FAILED", "FAILED",
          "Complete", "Partial", "Error"}  # fmt: skip


class Tasks:
    """The routes. `admit` gives the hash of a request's token, or raises."""

    def __init__(self, store: Store, server: WebServer, admit: Callable[[Request], str]) -> None:
        self._store, self._server, self._admit = store, server, admit
        self.router = APIRouter(tags=["tasks"], responses=FAILURES)
        extra = {"security": [{"token": []}]}
        for path, route, what in (
            ("/tasks/sync/{integration}", self._sync, "Bring a user up to date from one integration."),
            ("/tasks/backfill/{integration}", self._backfill, "Read everything of a user again, as a backfill."),
            ("/tasks/onboarding/{integration}", self._onboarding, "Another onboarding, where the last one has ended."),
            ("/tasks/merge", self._merge, "Merge what is staged and pending for a user. Reads no source."),
        ):
            self.router.add_api_route(path, route, methods=["POST"], summary=what, status_code=202, openapi_extra=extra)
        self.router.add_api_route("/tasks/state", self._state, summary="How far a task is.", openapi_extra=extra)

    async def _sync(self, request: Request, integration: Integration, wanted: SyncWanted, key: Key) -> Result[Started]:
        tags = {"v2/kind": "over HTTP", "v2/integration": integration, **({"v2/full": "true"} if wanted.full else {})}

        async def start(user: int) -> str:
            return "run:" + await self._asked(self._server.run, f"{integration}_sync", user, tags)

        return await self._start(request, f"sync/{integration}", wanted, key, start)

    async def _backfill(self, request: Request, integration: Integration, wanted: Wanted, key: Key) -> Result[Started]:
        async def start(user: int) -> str:
            return "backfill:" + await self._asked(self._server.backfill, integration, [user])

        return await self._start(request, f"backfill/{integration}", wanted, key, start)

    async def _merge(self, request: Request, wanted: Wanted, key: Key) -> Result[Started]:
        async def start(user: int) -> str:
            return "run:" + await self._asked(self._server.run, "merge_backlog", user, {"v2/kind": "over HTTP"})

        return await self._start(request, "merge", wanted, key, start)

    async def _onboarding(
        self, request: Request, integration: Integration, wanted: Wanted, key: Key
    ) -> Result[Started]:
        token_hash = self._admit(request)

        async def start(user: int) -> str:
            made = await self._call(token_hash, "select ops.api_onboard_again(%s, %s)", user, integration)
            if not made:
                raise Conflict(
                    "There is nothing to onboard again: no such connection, or an onboarding is still at work.",
                    hint="a new connection is onboarded by itself",
                    context={"user_id": user, "integration": integration},
                )
            return f"onboarding:{user}/{integration}"

        return await self._start(request, f"onboarding/{integration}", wanted, key, start)

    async def _start(
        self, request: Request, task: str, wanted: Wanted, key: str, start: Callable[[int], Awaitable[str]]
    ) -> Result[Started]:
        """Claims the key, starts, notes what was started. When starting fails the key is free again."""
        token_hash = self._admit(request)
        caller, row = await self._store.call(token_hash, "tasks", "select ops.api_named(%s)", [wanted.user or ""])
        user = caller.user_id if wanted.user is None else row[0]
        if user is None:
            raise Unknown("There is no such user among yours.", context={"parameters": ["user"]})
        digest = hashlib.sha256(f"{task} {user} {wanted.model_dump_json()}".encode()).hexdigest()
        _, (outcome, handle) = await self._store.call(
            token_hash, "tasks", "select * from ops.api_task_begin(%s, %s, %s)", [key, task, digest]
        )
        if outcome == "other" or (outcome == "same" and handle is None):
            other = outcome == "other"
            raise Conflict(
                "The key was used for another request." if other else "The same request is being started.",
                hint="choose another Idempotency-Key" if other else "come again",
                retryable=not other,
                context={"parameters": ["Idempotency-Key"]},
            )
        if outcome == "begin":
            try:
                handle = await start(user)
            except BaseException:
                await self._call(token_hash, "select ops.api_task_end(%s, null)", key)
                raise
            await self._call(token_hash, "select ops.api_task_end(%s, %s)", key, handle)
        started = Started(handle=handle, task=task, user_id=user, again=outcome == "same")
        return Result[Started](success=True, data=started, step=request.url.path)

    async def _state(self, request: Request, handle: Handle) -> Result[State]:
        token_hash = self._admit(request)
        mine = await self._call(token_hash, "select exists (select from ops.api_tasks() k where k.handle = %s)", handle)
        if not mine:
            raise Unknown("You started no such task.", context={"parameters": ["handle"]})
        kind, _, name = handle.partition(":")
        if kind == "onboarding":
            user, _, integration = name.partition("/")
            status = await self._call(
                token_hash,
                "select (select status from ops.onboarding_job where user_id = %s and integration = %s"
                " order by id desc limit 1)",
                int(user),
                integration,
            )
        else:
            ask = self._server.run_status if kind == "run" else self._server.backfill_status
            status = await self._asked(ask, name)
        state = State(handle=handle, status=status or "UNKNOWN", ended=status in _ENDED)
        return Result[State](success=True, data=state, step=request.url.path)

    async def _call(self, token_hash: str, statement: str, *values: Any) -> Any:
        _, row = await self._store.call(token_hash, "tasks", statement, values)
        return row[0]

    async def _asked(self, ask: Callable[..., str], *about: Any) -> str:
        try:
            return await asyncio.to_thread(ask, *about)
        except ConfigError:
            raise Away("The pipelines do not answer.", hint="come again in a few seconds") from None
        except V2Error as error:
            _log.warning("a task was refused: %s", error)
            raise Conflict(
                "The pipelines refused to start it.", hint="a user who was never onboarded has nothing to read"
            ) from None
