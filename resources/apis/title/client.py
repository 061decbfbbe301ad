"""The Qualia client: whose credentials they are, and passes over what they may see."""

from __future__ import annotations

import hashlib
from collections.abc import AsyncIterator, Sequence
from datetime import datetime

from pydantic import SecretStr

from resources.apis.paging import read_alone
from resources.apis.title import lists
from resources.apis.title.graphql import GraphQl, not_understood
from resources.apis.title.orders import PAGE, Orders, expected, order_id
from resources.apis.title.surfaces import document, environment_of
from resources.errors import BadRequest
from resources.http.budget import Budget
from resources.reading import Identity, Page, Plan, Priority, ReadRequest, Record


class TitleClient:
    """One connection to Qualia: what one pair of credentials may see. See resources.reading.SourceClient.

    `account_id` is the organisation as it was entered, for no answer names it; without one the user name stands for it.
    `closed_days`: how long after its closing an order is asked for again by id. Limits are calls in 10 s.

    Raises ConfigError for a surface whose schema is not known.
    """

    def __init__(
        self,
        *,
        user_name: SecretStr,
        password: SecretStr,
        account_id: str | None,
        base_url: str,
        surface: str,
        budget: Budget,
        closed_days: int = 30,
        limit_per_account: int = 20,
    ) -> None:
        document(surface, "orders")
        self._surface, self._account, self._name = surface, account_id, user_name
        name = user_name.get_secret_value()
        self._calls = GraphQl(
            user_name=user_name,
            password=password,
            # Several pairs of one organisation share its budget; the name itself does not leave the credentials.
            account=account_id or "key-" + hashlib.blake2b(name.encode(), digest_size=6).hexdigest(),
            base_url=base_url,
            budget=budget,
            limit_per_account=limit_per_account,
        )
        self._orders = Orders(
            self._calls, surface=surface, environment=environment_of(base_url), closed_days=closed_days
        )

    async def __aenter__(self) -> TitleClient:
        return self

    async def __aexit__(self, *exc: object) -> None:
        await self._calls.close()

    async def identity(self) -> Identity:
        """Asks for one user of the organisation. Raises Unauthorized for a pair that is refused."""
        await lists.one_user(self._calls, self._surface, "incremental")
        name = self._name.get_secret_value()
        return Identity(self._account or name, name, None, False, {})

    async def honours_since(self, entity: str) -> bool:
        """Never: no surface has a filter by time."""
        return False

    async def active_keys(self, entity: str, since: datetime, priority: Priority) -> tuple[str, ...] | None:
        """Qualia does not tell."""
        return None

    def read(self, entity: str, request: ReadRequest) -> AsyncIterator[Page]:
        """Pages of one pass; of orders see `Orders.read`."""
        if entity == "orders":
            return self._orders.read(request)
        if entity == "users":
            return lists.read_users(self._calls, self._surface, request)
        return lists.read_agencies(self._calls, self._surface, request)

    async def read_one(self, entity: str, source_id: str, priority: Priority = "webhook") -> Record | None:
        """One order by its id; None if it is not visible, which does not say that it was deleted.

        Raises NotUnderstood for one that the source keeps back with an error.
        """
        if entity != "orders" or order_id(source_id) is None:
            raise BadRequest("only orders are read one by one, by their id", context={"entity": entity})
        page, kept = await self._orders.by_ids([source_id], priority)
        if kept:
            problem = page.records[0].problem
            raise not_understood("order", f"answered with {problem.found if problem else 'an error'}")
        return page.records[0] if page.records else None

    async def read_some(
        self, entity: str, ids: Sequence[str], priority: Priority = "webhook"
    ) -> dict[str, Record | None]:
        """These orders by id; None for one that is not visible now. One that is kept back is left out."""
        return await read_alone(lambda i: self.read_one(entity, i, priority), ids, 4)

    async def plan(self, entity: str, request: ReadRequest) -> Plan:
        """What a pass would ask. The source counts nothing, so only questions by key can be counted."""
        if entity == "agencies":
            lines = tuple(f"POST availableSettlementAgencies {key}" for key in request.keys)
            return Plan(lines, None)
        if entity == "users":
            return Plan((f"POST usersInOrganization (pages of {lists.USERS_PAGE})",), None)
        which = "all" if request.since is None else "open"
        lines = (f"POST orders ({which}, pages of {PAGE})",)
        if request.since is not None and request.keys:
            lines += (f"POST order (up to {expected(request.keys)} by id, if the list does not show them)",)
        return Plan(lines, None)

    async def count(self, entity: str) -> int | None:
        """No list says how many there are."""
        return None

    async def keys(self, entity: str, request: ReadRequest) -> AsyncIterator[tuple[str, ...]]:
        """Every id now."""
        if entity == "orders":
            async for ids in self._orders.ids(request.priority):
                yield ids
            return
        async for page in self.read(entity, request):
            yield tuple(r.source_id for r in page.records)
