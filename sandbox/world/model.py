"""What the world is made of: scale, CRM accounts, the brokerage, users of the product, and how instants are written."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

Row = dict[str, Any]


@dataclass(frozen=True)
class Scale:
    """How much there is.

    `people` are contacts over all CRM accounts, `deals` transactions and listings together. `seats` are the product's
    users of each CRM account; the first of an account owns it. Everyone of them also has a key of the brokerage.
    """

    people: int = 3000
    deals: int = 1500
    seats: tuple[int, ...] = (3, 2)
    other_agents: int = 40
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
    """One CRM account: its keys and its collections, each a dict by id.

    `offers` are the unclaimed leads, with the user each is offered to.
    """

    id: int
    domain: str
    owner_id: int
    keys: dict[str, FubUser] = field(default_factory=dict)
    tables: dict[str, dict[int, Row]] = field(default_factory=dict)
    offers: dict[int, int] = field(default_factory=dict)
    last_ids: dict[str, int] = field(default_factory=dict)

    def next_id(self, table: str) -> int:
        """An id above all that were ever given."""
        self.last_ids[table] = self.last_ids.get(table, 0) + 1
        return self.last_ids[table]


@dataclass(slots=True)
class Brokerage:
    """Everything reZEN knows: agents, teams with rosters, deals with the agents who may see them.

    Names of a deal that begin with an underscore are facts which reZEN does not tell.
    """

    keys: dict[str, str] = field(default_factory=dict)
    agents: dict[str, Row] = field(default_factory=dict)
    teams: dict[str, Row] = field(default_factory=dict)
    rosters: dict[str, list[Row]] = field(default_factory=dict)
    sponsors: dict[str, list[Row]] = field(default_factory=dict)
    caps: dict[str, Row] = field(default_factory=dict)
    deals: dict[str, Row] = field(default_factory=dict)
    viewers: dict[str, tuple[str, ...]] = field(default_factory=dict)

    def teams_of(self, agent_id: str) -> list[Row]:
        """The teams whose roster names this agent."""
        return [
            self.teams[team] for team, roster in self.rosters.items() if any(agent_of(s) == agent_id for s in roster)
        ]


@dataclass(frozen=True, slots=True)
class Key:
    """One connection of a user to a system other than the CRM and the brokerage's own."""

    api_key: str
    api_secret: str
    account_id: str
    user_id: str


@dataclass(slots=True)
class ProductUser:
    """A user of the product, with a key of the CRM and of reZEN; `connections` has the other systems' keys by name."""

    email: str
    name: str
    fub_account: int
    fub_user: int
    fub_key: str
    agent_id: str
    rezen_key: str
    connections: dict[str, Key] = field(default_factory=dict)


def agent_of(seat: Row) -> str:
    """The agent of a roster row, nested or flat; the row's own id is not the agent's."""
    return seat["agent"]["id"] if "agent" in seat else seat["yentaId"]


def iso(then: datetime) -> str:
    """As Follow Up Boss writes instants."""
    return then.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def millis(then: datetime) -> int:
    """As reZEN writes instants."""
    return int(then.timestamp() * 1000)
