"""Webhooks of the stand-ins: who is registered, which events a change makes, and their delivery, bad on demand.

Follow Up Boss is registered by its API (`sandbox.fub.webhooks`); how reZEN and Qualia are registered is not known, so
that is done by the admin door. Events carry no record: ids and where to read it, as the sheets say.
"""

from __future__ import annotations

import asyncio
import base64
import hashlib
import hmac
import json
import random
import ssl
import uuid
from collections import Counter, deque
from collections.abc import Iterable
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from typing import Any

import httpx

from sandbox.world import World

SYSTEM_KEY = "sandbox-system-key"
#: A large update is told in parts of this many records.
PART = 50
#: The documents' table of retries, in seconds, stretched or shortened by the `retry_scale` of the admin door.
RETRIES = (60, 300, 300, 600, 1800)
PATIENCE_S = 10.0
#: Senders are many machines; here as many deliveries are under way at once.
AT_ONCE = 20
LOGGED = 100_000

#: The tables whose changes are told, with the beginning of the event's name. Lead events are told of when made only.
_FAMILIES = {
    **{name: name for name in ("people", "deals", "calls", "appointments", "notes", "textMessages", "events")},
    "stages": "stage",
    "pipelines": "pipeline",
}
#: A deleted contact takes these along without a word.
_CASCADE = frozenset({"calls", "events", "textMessages", "notes", "deals", "appointments"})
_GONE = {"CLOSED": "CLOSED", "TERMINATED": "TERMINATED"}


@dataclass(slots=True)
class FubHook:
    """A webhook of one system at one CRM account."""

    id: int
    account: int
    system: str
    event: str
    url: str
    status: str = "Active"


@dataclass(slots=True)
class Ways:
    """How deliveries go wrong: parts of them, from 0 to 1; `delay_s` is the longest wait before one."""

    on: bool = True
    loss: float = 0.0
    repeat: float = 0.0
    disorder: float = 0.0
    delay_s: float = 0.0
    retry_scale: float = 1.0


Picture = dict[tuple[str, Any], dict[Any, str]]


@dataclass(slots=True)
class _Delivery:
    """One event to one address. `about`: system, account, table and ids of what changed, for the log."""

    url: str
    body: bytes
    headers: dict[str, str]
    about: tuple[str, str, str, list[Any]] | None = None


@dataclass
class Hooks:
    """Registrations and deliveries of one sandbox."""

    world: World
    ways: Ways = field(default_factory=Ways)
    fub: dict[int, FubHook] = field(default_factory=dict)
    #: reZEN by agent, Qualia by organisation: address, and name and password.
    others: dict[tuple[str, str], dict[str, str]] = field(default_factory=dict)
    counts: Counter[str] = field(default_factory=Counter)
    #: Events as they were made, the newest LOGGED of them.
    log: deque[dict[str, Any]] = field(default_factory=lambda: deque(maxlen=LOGGED))
    _dice: random.Random = field(default_factory=lambda: random.Random(11))
    _tasks: set[asyncio.Task[None]] = field(default_factory=set)
    _slots: asyncio.Semaphore = field(default_factory=lambda: asyncio.Semaphore(AT_ONCE))
    _http: httpx.AsyncClient | None = None

    def picture(self) -> Picture | None:
        """What is true now, to be compared after a change; None when nobody would be told."""
        if not self.ways.on or not (self.fub or self.others):
            return None
        told: Picture = {}
        for account in self.world.accounts.values():
            for table in _FAMILIES:
                told["fub:" + table, account.id] = {i: repr(row) for i, row in account.tables.get(table, {}).items()}
        told["rezen", None] = {i: repr(row) for i, row in self.world.brokerage.deals.items()}
        for name, organisation in self.world.title.organisations.items():
            told["title", name] = {i: repr(row) for i, row in organisation.orders.items()}
        return told

    def changed_since(self, before: Picture | None) -> int:
        """Sends events for all that differs from the picture. Returns how many deliveries were begun."""
        after = self.picture()
        if before is None or after is None:
            return 0
        made: list[_Delivery] = []
        for key, rows in after.items():
            old = before.get(key, {})
            new = [i for i in rows if i not in old]
            changed = [i for i in rows if i in old and rows[i] != old[i]]
            gone = [i for i in old if i not in rows]
            system, _, table = key[0].partition(":")
            if system == "fub":
                made += self._fub(key[1], table, new, changed, gone, deleted_people=bool(
                    set(before.get(("fub:people", key[1]), {})) - set(after["fub:people", key[1]])
                ))  # fmt: skip
            elif system == "rezen":
                made += self._rezen(new, changed)
            else:
                made += self._title(key[1], new, changed)
        self.send(made)
        return len(made)

    # --- which events -----------------------------------------------------------------------------------------------

    def _fub(
        self, account: int, table: str, new: list[int], changed: list[int], gone: list[int], *, deleted_people: bool
    ) -> Iterable[_Delivery]:
        family = _FAMILIES[table]
        yield from self.fub_event(account, f"{family}Created", table, new)
        if table != "events":
            yield from self.fub_event(account, f"{family}Updated", table, changed)
        if gone and not (table in _CASCADE and deleted_people) and table != "events":
            yield from self.fub_event(account, f"{family}Deleted", table, gone)

    def fub_event(
        self,
        account: int,
        event: str,
        table: str,
        ids: list[int],
        data: dict[str, Any] | None = None,
        *,
        named: str | None = None,
    ) -> Iterable[_Delivery]:
        """One event for these records, in parts if they are many, to every active webhook of the event."""
        hooks = [h for h in self.fub.values() if (h.account, h.event, h.status) == (account, event, "Active")]
        for start in range(0, len(ids), PART):
            part = ids[start : start + PART]
            uri = f"https://api.followupboss.com/v1/{table}?id={','.join(map(str, part))}"
            for hook in hooks:
                document: dict[str, Any] = {
                    "eventId": str(uuid.UUID(int=self._dice.getrandbits(128), version=4)),
                    "eventCreated": datetime.now(UTC).isoformat(timespec="seconds"),
                    "event": named or event,
                    "resourceIds": part,
                    "uri": None if event.endswith("Deleted") else uri,
                }
                body = json.dumps(document | ({"data": data} if data else {})).encode()
                about = ("fub", str(account), table, part)
                yield _Delivery(hook.url, body, {"FUB-Signature": signature(body)}, about)

    def _rezen(self, new: list[str], changed: list[str]) -> Iterable[_Delivery]:
        brokerage = self.world.brokerage
        for deal_id, created in [*((i, True) for i in new), *((i, False) for i in changed)]:
            deal = brokerage.deals[deal_id]
            kind = "LISTING" if deal["listing"] else "TRANSACTION"
            what = "CREATED" if created else _GONE.get(deal["_group"], "UPDATED")
            if kind == "LISTING" and what == "TERMINATED":
                what = "UPDATED"  # no such event was seen
            for agent in brokerage.viewers[deal_id]:
                if to := self.others.get(("rezen", agent)):
                    document = {
                        "eventName": f"{kind}_{what}",
                        "rezenObject": {"id": deal_id, "type": kind},
                        "timestamp": datetime.now(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z"),
                        "userId": agent,
                    }
                    about = ("rezen", agent, "listings" if deal["listing"] else "transactions", [deal_id])
                    yield _Delivery(to["url"], json.dumps(document).encode(), {}, about)

    def _title(self, organisation: str, new: list[str], changed: list[str]) -> Iterable[_Delivery]:
        to = self.others.get(("title", organisation))
        for kind, ids in (("order_request", new), ("documents", changed)) if to else ():
            for order_id in ids:
                document = {"type": kind, "order_id": order_id, "description": "An order has news"}
                pair = base64.b64encode(f"{to['user']}:{to['password']}".encode()).decode() if to else ""
                url, about = to["url"] if to else "", ("title", organisation, "orders", [order_id])
                yield _Delivery(url, json.dumps(document).encode(), {"Authorization": f"Basic {pair}"}, about)

    def register(self, system: str, account: str, url: str, user: str = "", password: str = "") -> None:
        """Registers at reZEN (which sends a test event at once) or Qualia. Raises KeyError for another system."""
        if system not in ("rezen", "title"):
            raise KeyError(system)
        self.others[system, account] = {"url": url, "user": user, "password": password}
        if system == "rezen":
            test = {
                "eventName": "WEBHOOK_ENDPOINT_TEST_EVENT",
                "timestamp": datetime.now(UTC).isoformat(),
                "userId": account,
            }
            self.send([_Delivery(url, json.dumps(test).encode(), {})])

    # --- delivery ---------------------------------------------------------------------------------------------------

    def send(self, deliveries: Iterable[_Delivery]) -> None:
        """Delivers in the background, as badly as it is set. On the server's loop only."""
        made = list(deliveries)
        self.counts["events"] += len(made)
        kept, now = [], datetime.now(UTC).isoformat()
        for delivery in made:
            if not (lost := self._falls(self.ways.loss)):
                kept.append(delivery)
            if delivery.about:
                names = ("system", "account", "table", "ids")
                self.log.append({"at": now, "lost": lost, **dict(zip(names, delivery.about, strict=True))})
        self.counts["lost"] += len(made) - len(kept)
        kept += [d for d in kept if self._falls(self.ways.repeat)]
        if self.ways.disorder:
            kept.sort(key=lambda _: self._dice.random() if self._falls(self.ways.disorder) else 0.5)
        for delivery in kept:
            task = asyncio.get_running_loop().create_task(self._deliver(delivery))
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)

    def _falls(self, share: float) -> bool:
        return share > 0 and self._dice.random() < share

    async def _deliver(self, delivery: _Delivery) -> None:
        if self.ways.delay_s:
            await asyncio.sleep(self._dice.random() * self.ways.delay_s)
        for pause in (*RETRIES, None):
            status = await self._post(delivery)
            if 200 <= status < 300:
                self.counts["delivered"] += 1
                return
            self.counts[f"answered {status}"] += 1
            if status in (406, 410):
                self.fub = {i: hook for i, hook in self.fub.items() if hook.url != delivery.url}
                return
            if pause is not None:
                await asyncio.sleep(pause * self.ways.retry_scale)
        self.counts["given up"] += 1

    async def _post(self, delivery: _Delivery) -> int:
        if self._http is None:
            trusted = (
                ssl.create_default_context()
            )  # whom this machine trusts: a receiver may have a certificate of its own
            self._http = httpx.AsyncClient(trust_env=False, verify=trusted, timeout=PATIENCE_S)
        headers = {"Content-Type": "application/json", "User-Agent": "sandbox-webhooks", **delivery.headers}
        async with self._slots:
            try:
                return (await self._http.post(delivery.url, content=delivery.body, headers=headers)).status_code
            except httpx.HTTPError:
                return 0

    def told(self) -> dict[str, Any]:
        """For the admin door: settings, registrations without their secrets, and what became of deliveries."""
        return {
            **asdict(self.ways),
            "fub": [asdict(hook) | {"url": hook.url[:40]} for hook in self.fub.values()],
            "others": [list(key) for key in self.others],
            "counts": dict(self.counts),
            "under_way": len(self._tasks),
        }


def signature(body: bytes) -> str:
    """Hex HMAC-SHA256 under the system's key over the base64 of the body, as the webhooks guide has it."""
    return hmac.new(SYSTEM_KEY.encode(), base64.b64encode(body), hashlib.sha256).hexdigest()
