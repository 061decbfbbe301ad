"""The world behind the sandbox: users, accounts, agents, deals and contacts that agree with each other.

Deterministic: the same seed, scale and start give the same world, and the same steps move it the same way. What the
systems show of it, and to whom, is in `fub` and `rezen`.
"""

from __future__ import annotations

import random
import uuid
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

Row = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Scale:
    """How much there is. `people` are contacts over all CRM accounts, `deals` transactions and listings together."""

    people: int = 3000
    deals: int = 1500
    calls_per_person: float = 1.5
    texts_per_person: float = 0.5
    events_per_person: float = 0.7


@dataclass(slots=True)
class FubUser:
    """A user of a CRM account who has a key."""

    id: int
    key: str
    sees_all: bool


@dataclass(slots=True)
class FubAccount:
    """One CRM account: its keys and its collections, each a dict by id."""

    id: int
    domain: str
    owner_id: int
    keys: dict[str, FubUser] = field(default_factory=dict)
    tables: dict[str, dict[int, Row]] = field(default_factory=dict)

    def next_id(self, table: str) -> int:
        """An id above all that were ever given."""
        counter = self.tables.setdefault("_next", {}).setdefault(0, {})
        counter[table] = max(counter.get(table, 0), max(self.tables.get(table, {}), default=0)) + 1
        return counter[table]


@dataclass(slots=True)
class Brokerage:
    """Everything reZEN knows: agents, teams with rosters, deals with the agents who may see them."""

    keys: dict[str, str] = field(default_factory=dict)
    agents: dict[str, Row] = field(default_factory=dict)
    teams: dict[str, Row] = field(default_factory=dict)
    rosters: dict[str, list[Row]] = field(default_factory=dict)
    sponsors: dict[str, list[Row]] = field(default_factory=dict)
    caps: dict[str, Row] = field(default_factory=dict)
    deals: dict[str, Row] = field(default_factory=dict)
    viewers: dict[str, tuple[str, ...]] = field(default_factory=dict)


@dataclass(slots=True)
class ProductUser:
    """A user of the product, with a key for each system."""

    email: str
    name: str
    fub_account: int
    fub_user: int
    fub_key: str
    agent_id: str
    rezen_key: str


class World:
    """All facts, and the dice. `version` changes with every step, so that servers can cache what they show."""

    def __init__(self, seed: int = 7, scale: Scale | None = None, now: datetime | None = None) -> None:
        from sandbox.build_fub import build_accounts
        from sandbox.build_rezen import build_brokerage

        self.seed = seed
        self.scale = scale or Scale()
        self.start = (now or datetime.now(UTC)).replace(microsecond=0)
        self.now = self.start
        self.dice = random.Random(seed)
        self.version = 0
        self.users: list[ProductUser] = []
        self.accounts: dict[int, FubAccount] = {}
        self.brokerage = Brokerage()
        build_brokerage(self)
        build_accounts(self)

    def id(self) -> str:
        """A UUID from the dice."""
        return str(uuid.UUID(int=self.dice.getrandbits(128), version=4))

    def past(self, days: float) -> datetime:
        """An instant up to so many days before the world's start, to the second."""
        return self.start - timedelta(seconds=self.dice.randint(60 * 60, int(days * 86400)))

    def chance(self, share: float) -> bool:
        """True with this probability."""
        return self.dice.random() < share


def iso(then: datetime) -> str:
    """As Follow Up Boss writes instants."""
    return then.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def millis(then: datetime) -> int:
    """As reZEN writes instants."""
    return int(then.timestamp() * 1000)


FIRST = (
    "Ada Bo Cleo Dimitri Élodie Farid Grete Hana Ines José Kofi Lena Mateo Nadia Odalys Priya Quinn Rune Søren Tomás "
    "Uma Vera Wen Ximena Yusuf Zoë"
).split()
LAST = (
    "Abara Brandt Calloway Dvořák Ekström Fontaine García Haddad Ito Jansen Kowalski López Marsh Novák Okafor Petrov "
    "Quist Reyes Silva Thorne Ueda Vargas Weiss Xu Young Żuraw"
).split()
STREETS = "Tern Row,Harbor St,Sample Rd,Alder Ave,Mill Ln,Quarry Ct,Lakeview Dr,Juniper Way".split(",")
CITIES = (
    ("Provo", "UT", "UTAH", "84601"),
    ("Austin", "TX", "TEXAS", "78701"),
    ("Portland", "OR", "OREGON", "97201"),
    ("Raleigh", "NC", "NORTH_CAROLINA", "27601"),
)


def a_name(world: World) -> tuple[str, str]:
    """A first and a last name."""
    return world.dice.choice(FIRST), world.dice.choice(LAST)
