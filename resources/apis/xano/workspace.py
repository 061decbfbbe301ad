"""Calls to one Xano workspace: its token, its budget, and the proof that it is the workspace that is meant.

A reader that was pointed at the wrong instance once compared a system with itself and found no difference. So the
workspace's id, its name and its tables are looked up before anything is read, and what does not fit stops everything.
Reading a table's rows is in `client`.
"""

from __future__ import annotations

import hashlib
import time
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

from pydantic import SecretStr

from resources.apis.paging import Progress, find_list
from resources.apis.xano import endpoints as api
from resources.apis.xano.tables import plain_name
from resources.errors import ConfigError, Forbidden, NotFound, NotUnderstood
from resources.http.budget import Budget, Limit
from resources.http.client import Answer, HttpClient
from resources.http.endpoint import Endpoint
from resources.http.retry import ATTEMPTS
from resources.reading import Identity, Priority

SOURCE = "Xano"
#: What a 429 costs everybody: the window of the smallest plan, since no header says more.
PAUSE_S = float(api.WINDOW_S)
#: A workspace that was proved is not proved again for so long; each stream opens a client of its own.
_TRUSTED_S = 600.0
#: Data of this kind is asked for in every call: left out, the instance's own default would decide.
_LIVE = {"x-data-source": "live"}


@dataclass(frozen=True, slots=True)
class Workspace:
    """A workspace as its instance told it: plain names of tables to their ids."""

    id: str
    name: str
    owner: str
    email: str | None
    tables: dict[str, tuple[str, ...]]
    proved_at: float


_proved: dict[str, Workspace] = {}


class XanoCalls:
    """One token's calls. `workspace_id` is the account; None takes the only workspace there is.

    `workspace_name` and `least_tables` are what an installation expects of it.
    """

    def __init__(
        self,
        *,
        token: SecretStr,
        workspace_id: str | None,
        base_url: str,
        budget: Budget,
        limit_calls: int = api.CALLS,
        limit_window_s: int = api.WINDOW_S,
        workspace_name: str | None = None,
        least_tables: int = 0,
    ) -> None:
        key = token.get_secret_value()
        self._wanted, self._wanted_name, self._least = workspace_id, workspace_name, least_tables
        # The plan's limit holds for the instance, whoever asks.
        self._limits = [Limit(f"xano:{urlsplit(base_url).netloc}", limit_calls, limit_window_s, ours=True)]
        mark = hashlib.blake2b(key.encode(), digest_size=8).hexdigest()
        self._key = f"{base_url} {mark} {workspace_id} {workspace_name} {least_tables}"
        self._http = HttpClient(
            SOURCE,
            base_url=base_url,
            headers={"Authorization": f"Bearer {key}", **_LIVE},
            budget=budget,
            limits=lambda endpoint: self._limits,
            message_of=lambda document: document.get("message") if isinstance(document, dict) else None,
            pause_s=PAUSE_S,
        )

    async def close(self) -> None:
        """Closes the connections."""
        await self._http.close()

    async def identity(self, priority: Priority = "incremental") -> Identity:
        """The token's owner and the workspace, asked anew. Raises Unauthorized, or ConfigError: another workspace."""
        self.forget()
        place = await self.workspace(priority)
        raw = {"workspace": place.name, "tables": sum(map(len, place.tables.values()))}
        return Identity(place.id, place.owner, place.email, True, raw)

    async def workspace(self, priority: Priority) -> Workspace:
        """The proved workspace. Raises ConfigError when it is not the one that is meant."""
        known = _proved.get(self._key)
        if known is None or time.monotonic() - known.proved_at > _TRUSTED_S:
            known = _proved[self._key] = await self._prove(priority)
        return known

    def forget(self) -> None:
        """Proves again at the next call: a table may have been made anew under another id."""
        _proved.pop(self._key, None)

    async def table_id(self, entity: str, names: tuple[str, ...], priority: Priority) -> str:
        """The id of the table that holds this entity now. Raises NotFound if none, or more than one, has its name."""
        place = await self.workspace(priority)
        for name in names:
            found = place.tables.get(name, ())
            if len(found) == 1:
                return found[0]
            if found:
                raise NotFound(
                    f"the workspace {place.name} has {len(found)} tables called {name!r}",
                    hint="rename all but the one that is in use; ids are looked up anew with every run",
                    context={"source": SOURCE, "entity": entity, "tables": list(found)},
                )
        raise NotFound(
            f"the workspace {place.name} has no table for {entity} (looked for {', '.join(names)})",
            hint="import the other tables with `v2 import v1 --tables …`, or add the table's name to xano/tables.py",
            context={"source": SOURCE, "entity": entity, "tables": len(place.tables)},
        )

    async def get(self, endpoint: Endpoint, priority: Priority, *params: tuple[str, str], **path: str) -> Answer:
        """One answer. A 403 says which rights a token needs."""
        try:
            return await self._http.get(endpoint, params, priority=priority, **path)
        except Forbidden as error:
            raise _lacks_rights(error) from None

    async def search(
        self, table: str, body: dict[str, Any], priority: Priority, *, attempts: int = ATTEMPTS
    ) -> tuple[Answer, dict[str, Any]]:
        """A page of rows. Raises NotUnderstood for an answer without its list, however successful it looks."""
        place = await self.workspace(priority)
        try:
            answer = await self._http.post(
                api.SEARCH, body, priority=priority, attempts=attempts, workspace=place.id, table=table
            )
        except Forbidden as error:
            raise _lacks_rights(error) from None
        except NotFound:
            self.forget()
            raise
        find_list(answer.document, api.SEARCH, SOURCE)
        return answer, answer.document

    async def _prove(self, priority: Priority) -> Workspace:
        me = (await self.get(api.ME, priority)).document
        owner = me.get("id") if isinstance(me, dict) else None
        if not isinstance(owner, int | str) or isinstance(owner, bool):
            raise NotUnderstood(f"{SOURCE} auth/me answered without an id", context={"source": SOURCE})
        listed = find_list((await self.get(api.WORKSPACES, priority)).document, api.WORKSPACES, SOURCE)
        found = {str(row.get("id")): str(row.get("name") or "") for row in listed if isinstance(row, dict)}
        wanted = self._wanted if self._wanted is not None else next(iter(found)) if len(found) == 1 else None
        if wanted is None or wanted not in found:
            raise ConfigError(
                f"this token opens {len(found)} workspaces of its instance, and "
                + (f"{wanted} is none of them" if wanted else "which one is V1 was not said"),
                hint="enter the connection again with --account-id WORKSPACE; V1 and V2 are on different instances",
                context={"source": SOURCE, "workspaces": sorted(found), "wanted": wanted},
            )
        if self._wanted_name is not None and found[wanted] != self._wanted_name:
            raise ConfigError(
                f"workspace {wanted} is called {found[wanted]!r}, not {self._wanted_name!r}; nothing was read",
                hint="V2_XANO_BASE_URL points at another instance, or V2_XANO_WORKSPACE is out of date",
                context={"source": SOURCE, "workspace": wanted},
            )
        tables = await self._tables(wanted, priority)
        number = sum(map(len, tables.values()))
        if number < max(self._least, 1):
            raise ConfigError(
                f"workspace {found[wanted]!r} has {number} tables; at least {max(self._least, 1)} are expected",
                hint="the token may not see them all (Workspace Database: Read), or it is another workspace",
                context={"source": SOURCE, "workspace": wanted, "tables": number},
            )
        email = me.get("email") if isinstance(me, dict) else None
        return Workspace(
            wanted, found[wanted], str(owner), email if isinstance(email, str) else None, tables, time.monotonic()
        )

    async def _tables(self, workspace: str, priority: Priority) -> dict[str, tuple[str, ...]]:
        """All tables, page by page: one page alone would cut a large workspace short."""
        tables: dict[str, tuple[str, ...]] = {}
        progress, page = Progress(SOURCE, api.TABLES.name), 1
        while True:
            query = [("page", str(page)), ("per_page", str(api.TABLES.page_size)), ("sort", "id"), ("order", "asc")]
            document = (await self.get(api.TABLES, priority, *query, workspace=workspace)).document
            rows = [r for r in find_list(document, api.TABLES, SOURCE) if isinstance(r, dict) and r.get("id")]
            if not progress.page((str(row["id"]) for row in rows), None):
                break
            for row in rows:
                name = plain_name(str(row.get("name") or ""))
                tables[name] = tuple(dict.fromkeys([*tables.get(name, ()), str(row["id"])]))
            following = document.get("nextPage") if isinstance(document, dict) else None
            if not isinstance(following, int) or following <= page:
                break
            page = following
        return tables


def _lacks_rights(error: Forbidden) -> Forbidden:
    return Forbidden(
        error.message,
        hint="give the token the scopes Workspace Database: Read and Workspace Content: Read, and no other",
        context=error.context,
    )
