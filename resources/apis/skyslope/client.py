"""The SkySlope client: whose key it is, and passes over what it may see."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import datetime

from pydantic import SecretStr

from resources.apis.paging import find_list
from resources.apis.records import record_of
from resources.apis.skyslope import endpoints as api
from resources.apis.skyslope.calls import SOURCE, SkySlopeCalls
from resources.apis.skyslope.files import detail, folder_ids, guid_of, read_files, value_of, windows_until
from resources.apis.skyslope.models import MODELS
from resources.apis.skyslope.session import Credentials
from resources.errors import BadRequest
from resources.http.budget import Budget
from resources.reading import Identity, Page, Plan, Priority, ReadRequest, Record


class SkySlopeClient:
    """One connection to SkySlope: what one access key may see. See resources.reading.SourceClient for the contract.

    `account_id` is the account as it was entered; no answer names it, so without one the key's fingerprint stands for
    it. The limit is calls in 60 s over everything under the client id.
    """

    def __init__(
        self,
        *,
        client_id: str,
        client_secret: SecretStr,
        access_key: SecretStr,
        access_secret: SecretStr,
        account_id: str | None,
        base_url: str,
        budget: Budget,
        limit_per_client: int = 100,
    ) -> None:
        self._credentials = Credentials(client_id, client_secret, access_key, access_secret)
        self._account = account_id
        self._calls = SkySlopeCalls(
            self._credentials, base_url=base_url, budget=budget, limit_per_client=limit_per_client
        )

    async def __aenter__(self) -> SkySlopeClient:
        return self

    async def __aexit__(self, *exc: object) -> None:
        await self._calls.close()

    async def identity(self) -> Identity:
        """A login and one small call. Raises Unauthorized for parts that are refused."""
        await self._calls.replica_time("incremental")
        name = f"key-{self._credentials.fingerprint}"
        return Identity(self._account or name, name, None, False, {})

    async def honours_since(self, entity: str) -> bool:
        """Files are filtered by the time of their change, users and offices are not."""
        return entity in api.KINDS

    async def active_keys(self, entity: str, since: datetime, priority: Priority) -> tuple[str, ...] | None:
        """SkySlope does not tell."""
        return None

    def read(self, entity: str, request: ReadRequest) -> AsyncIterator[Page]:
        """Pages of one pass; of files see `read_files`."""
        if entity in api.KINDS:
            return read_files(self._calls, entity, request)
        return self._people(entity, request)

    async def _people(self, entity: str, request: ReadRequest) -> AsyncIterator[Page]:
        """Users (who left included) or offices, in one answer."""
        endpoint = api.USERS if entity == "users" else api.OFFICES
        query = [("includeDeactivated", "true")] if entity == "users" else []
        answer = await self._calls.get(endpoint, query, priority=request.priority)
        value = value_of(answer.document, endpoint.name)
        # An empty value is no rows; a value that holds something else is another answer.
        rows = find_list(value, endpoint, SOURCE) if value else []
        names = ("userGuid",) if entity == "users" else ("officeGuid", "guid")
        records = (
            record_of(row, MODELS[entity], source_id=lambda r: guid_of(r, *names), updated=lambda r: None)
            for row in rows
        )
        yield Page(tuple({r.source_id: r for r in records}.values()), None, answer.source_time)

    async def read_one(self, entity: str, source_id: str, priority: Priority = "webhook") -> Record:
        """One file by its guid. Raises NotFound or Forbidden for one that is not shown."""
        if entity not in api.KINDS:
            raise BadRequest("only files are read one by one", context={"entity": entity})
        return await detail(self._calls, entity, source_id, priority)

    async def plan(self, entity: str, request: ReadRequest) -> Plan:
        """What a pass would ask."""
        if entity not in api.KINDS:
            return Plan((f"GET {(api.USERS if entity == 'users' else api.OFFICES).path}",), None)
        kind, plural, _ = api.KINDS[entity]
        if request.since is not None:
            return Plan((f"GET {api.BULK.path}?type={kind}&modifiedAfter={request.since:%Y-%m-%dT%H:%M:%SZ}",), None)
        windows = len(windows_until(request.since or datetime.now().astimezone()))
        bulk = f"GET {api.BULK.path}?type={kind}&createdAfter=…&createdBefore=…  ({windows} windows)"
        return Plan((bulk, f"GET /api/files/{plural}?pageNumber=1…  ({api.FOLDER_PAGE} a page)"), None)

    async def count(self, entity: str) -> int | None:
        """No list says how many there are."""
        return None

    async def keys(self, entity: str, request: ReadRequest) -> AsyncIterator[tuple[str, ...]]:
        """Every id now; of files from the folder lists."""
        if entity in api.KINDS:
            async for ids in folder_ids(self._calls, entity, request.priority):
                yield tuple(guid for guid in ids if guid)
            return
        async for page in self.read(entity, request):
            yield tuple(r.source_id for r in page.records)
