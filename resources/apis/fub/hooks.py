"""Our webhooks at Follow Up Boss: listing, making, enabling and removing them. Only the account owner's key may.

Source: the vendor's webhooks guide and reference pages.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from resources.apis.fub.calls import SOURCE, FubCalls
from resources.apis.records import positive_id
from resources.errors import NotUnderstood
from resources.http.endpoint import Endpoint
from resources.reading import Priority

_LIST = Endpoint(name="GET /webhooks", path="/webhooks", lists=("webhooks",), why="what is registered, and whether on")
_MAKE = Endpoint(name="POST /webhooks", path="/webhooks", why="to be told of one kind of event")
_ONE = Endpoint(
    name="/webhooks/{id}", path="/webhooks/{id}", lists=("webhooks",), no_content=True, why="enabling or removing one"
)
_PRIORITY: Priority = "incremental"


@dataclass(frozen=True, slots=True)
class Webhook:
    """One registration."""

    id: str
    event: str
    url: str
    active: bool


class FubWebhooks:
    """The webhooks that this system has at the account of one key."""

    def __init__(self, calls: FubCalls) -> None:
        self._calls = calls

    async def all(self) -> list[Webhook]:
        """Every webhook of our system at this account. Raises Forbidden for a key that is not the owner's."""
        found: dict[str, Webhook] = {}
        while True:
            params = [("limit", str(_LIST.page_size)), ("offset", str(len(found)))]
            rows, _ = await self._calls.rows(_LIST, params, priority=_PRIORITY)
            fresh = [hook for hook in map(_webhook, rows) if hook.id not in found]
            found |= {hook.id: hook for hook in fresh}
            if not fresh:
                return list(found.values())

    async def make(self, event: str, url: str) -> Webhook:
        """Registers one event. Asked once: a second try could make a second webhook, which the next audit removes.

        The end of the address is what nobody may guess.
        """
        told = await self._calls.change("POST", _MAKE, {"event": event, "url": url}, secret=url.rpartition("/")[2])
        return _webhook(told)

    async def enable(self, webhook: Webhook) -> None:
        """Switches one on again."""
        await self._calls.change("PUT", _ONE, {"status": "Active"}, id=webhook.id)

    async def remove(self, webhook: Webhook) -> None:
        """Removes one."""
        await self._calls.change("DELETE", _ONE, None, id=webhook.id)


def _webhook(row: Any) -> Webhook:
    identity = positive_id(row.get("id")) if isinstance(row, dict) else None
    if identity is None:
        raise NotUnderstood(f"{SOURCE} answered with a webhook without an id", context={"source": SOURCE})
    active = str(row.get("status", "")).casefold() == "active"
    return Webhook(identity, str(row.get("event", "")), str(row.get("url", "")), active)
