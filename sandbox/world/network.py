"""The brokerage's network: who recruited whom below the product's users, several tiers deep.

Two users share one recruit, and one chain of sponsors closes into a circle, as was seen at the real brokerage. All dice
are this module's own, so that the other systems' worlds stay what they are.
"""

from __future__ import annotations

import random
import uuid
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from sandbox.world.model import Row, millis
from sandbox.world.names import FIRST, LAST

if TYPE_CHECKING:
    from sandbox.world.world import World

#: Tiers of the programme; a member further below is in nobody's down-line.
TIERS = 5
#: Recruits of a user, and of each member by tier: a tree of some forty.
RECRUITS = (6, 2, 1, 1, 1, 1)
STATUSES = ("ACTIVE", "ACTIVE", "ACTIVE", "ACTIVE", "INACTIVE", "CANDIDATE")


@dataclass(slots=True)
class Network:
    """Members by id, and the ids below each agent in the order in which they came."""

    dice: random.Random
    members: dict[str, Row] = field(default_factory=dict)
    below: dict[str, list[str]] = field(default_factory=dict)

    def id(self) -> str:
        """A UUID from the module's own dice."""
        return str(uuid.UUID(int=self.dice.getrandbits(128), version=4))

    def tiers(self, agent: str) -> Iterator[tuple[int, str]]:
        """(tier, member) of an agent's down-line, nearest first; nobody twice, and never the agent."""
        met, row = {agent}, [agent]
        for tier in range(1, TIERS + 1):
            row = [m for above in row for m in self.below.get(above, ()) if m not in met]
            row = list(dict.fromkeys(row))
            met |= set(row)
            yield from ((tier, member) for member in row)

    def size(self, member: str) -> int:
        """How many are in a member's own down-line."""
        return sum(1 for _ in self.tiers(member))


def build(world: World) -> Network:
    """Trees below the product's users."""
    network = Network(random.Random(f"{world.seed}/network"))
    users = [user.agent_id for user in world.users]
    for agent in users:
        _grow(world, network, agent, 0)
    if len(users) > 1:  # a shared sponsorship
        network.below[users[1]].append(network.below[users[0]][0])
    # Who stands above the first user also stands below: a circle.
    above = world.brokerage.sponsors[users[0]][0]
    network.members[above["id"]] = _member(world, network, above["id"])
    network.below[network.below[users[0]][1]].append(above["id"])
    return network


def _grow(world: World, network: Network, agent: str, depth: int) -> None:
    network.below[agent] = []
    if depth >= len(RECRUITS):
        return
    for _ in range(RECRUITS[depth] if depth < 2 else network.dice.randint(0, RECRUITS[depth])):
        member = recruit(world, network, agent)
        _grow(world, network, member, depth + 1)


def recruit(world: World, network: Network, sponsor: str) -> str:
    """A new member right below `sponsor`."""
    member = network.id()
    network.members[member] = _member(world, network, member)
    network.below.setdefault(sponsor, []).append(member)
    network.below.setdefault(member, [])
    return member


def _member(world: World, network: Network, member: str) -> Row:
    """What a down-line says of its member; a part of the rows has no stamp and no e-mail address."""
    dice, number = network.dice, len(network.members)
    known = world.brokerage.agents.get(member)
    joined = world.start - timedelta(days=dice.randint(30, 1500))
    status = dice.choice(STATUSES)
    row: Row = {
        "id": member,
        "firstName": known["firstName"] if known else FIRST[(number * 3) % len(FIRST)],
        "lastName": known["lastName"] if known else LAST[(number * 5) % len(LAST)],
        "status": known["agentStatus"] if known else status,
        "joinDate": joined.strftime("%Y-%m-%d") if dice.random() < 0.95 else None,
        "terminatedAsOf": world.start.strftime("%Y-%m-%d") if status == "INACTIVE" else None,
    }
    if number % 4:
        row |= {
            "emailAddress": known["emailAddress"] if known else f"member{number}@example.test",
            "phoneNumber": f"1555{900000 + number:07d}",
            "updatedAt": millis(joined + timedelta(days=20)),
        }
    return row


def shown(network: Network, member: str) -> Row:
    """A member as a down-line shows it: the size of the network is counted now."""
    return {**network.members[member], "sizeOfNetwork": network.size(member)}


def step(world: World) -> dict[str, Any]:
    """Somebody joins below a member of each user's first tier, one changes status, one leaves for another brokerage."""
    network, stamp = world.network, millis(world.now)
    told: dict[str, list[str]] = {"joined": [], "changed": [], "left": []}
    for user in world.users:
        first = network.below[user.agent_id]
        new = recruit(world, network, first[-1])
        network.members[new] |= {"joinDate": world.now.strftime("%Y-%m-%d"), "updatedAt": stamp}
        told["joined"].append(new)
        member = network.members[network.dice.choice(first)]
        member["status"] = "INACTIVE" if member["status"] == "ACTIVE" else "ACTIVE"
        member["terminatedAsOf"] = world.now.strftime("%Y-%m-%d") if member["status"] == "INACTIVE" else None
        if "updatedAt" in member:
            member["updatedAt"] = stamp
        told["changed"].append(member["id"])
    leaves = [m for m in network.below[world.users[-1].agent_id] if not network.below[m]]
    for member in leaves[:1]:
        if world.may_lose("network", len(network.below[world.users[-1].agent_id])):
            network.below[world.users[-1].agent_id].remove(member)
            told["left"].append(member)
    return told
