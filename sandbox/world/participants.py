"""Who takes part in a deal: agents by all three names of their id, clients with and without contact data, the rest."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from sandbox.world.model import Row
from sandbox.world.names import a_name

if TYPE_CHECKING:
    from sandbox.world.world import World

#: With the agents and the brokerage itself this makes about the 13 a transaction that were counted at the real one.
_OTHERS = (
    "TITLE", "LENDER", "ESCROW", "INSPECTION", "HOME_WARRANTY", "APPRAISER", "TRANSACTION_COORDINATOR", "ATTORNEY",
)  # fmt: skip


def add_participants(
    world: World, deal: Row, owner: str, partner: str | None, price: float, commission: float, currency: str
) -> list[Row]:
    """The participants of a new deal, in the order in which reZEN lists them: agents first."""
    agents = world.brokerage.agents
    rows: list[Row] = []

    def add(role: str, **more: Any) -> None:
        # Some rows name their role another way.
        name = "role" if world.chance(0.02) else "participantRole"
        rows.append(
            {
                "id": world.id(),
                name: role,
                "participantStatus": "ACCEPTED",
                "external": False,
                "hidden": False,
                "paidByReal": False,
                "payment": None,
                "createdAt": deal["createdAt"],
                **more,
            }
        )

    def agent(role: str, agent_id: str, share: float, amount: float, id_name: str) -> None:
        person = agents[agent_id]
        # A reversal is a negative amount.
        sign = -1.0 if world.chance(0.004) else 1.0
        add(
            role,
            **{id_name: agent_id},
            firstName=person["firstName"],
            lastName=person["lastName"],
            emailAddress=person["emailAddress"],
            participantType="AGENT",
            paidByReal=True,
            payment={"percent": share, "amount": {"amount": round(sign * amount, 2), "currency": currency}},
        )

    dual = deal["representationType"] == "DUAL"
    side = "SELLERS_AGENT" if deal["representationType"] == "SELLER" else "BUYERS_AGENT"
    agent(side, owner, 0.5, commission * 0.5, "yentaId")
    if dual:
        agent("SELLERS_AGENT", owner, 0.5, commission * 0.5, "yentaId")
    if partner:
        agent("REFERRING_AGENT", partner, 0.1, commission * 0.1, "yentaUserId")
        if dual:
            agent("OTHER_AGENT", partner, 0.0, 0.0, "agentId")
    add("REAL", company="Real", hidden=True, payment={"percent": 0.15, "amount": round(commission * 0.15, 2)})
    if world.chance(0.05):
        # An agent whose profile nobody has loaded.
        add("OTHER_AGENT", agentId=world.id(), firstName="Unknown", external=True, participantType="AGENT")
    for role in ("BUYER", "SELLER"):
        for _ in range(0 if world.chance(0.04) else 2 if world.chance(0.15) else 1):
            _person(world, add, role)
    for role in _OTHERS:
        _person(world, add, role)
    if world.chance(0.1):
        rows[-1]["paidViaBusinessEntity"] = {"name": "Title Co", "nationalIds": ["000-00-0000"]}
    return rows


def _person(world: World, add: Any, role: str) -> None:
    first, last = a_name(world.dice)
    reachable = world.chance(0.6)
    number = world.dice.randrange(10**7)
    add(
        role,
        firstName=first,
        lastName=last if world.chance(0.9) else None,
        external=True,
        participantType="EXTERNAL_ENTITY",
        emailAddress=f"c{number}@example.test" if reachable else None,
        phoneNumber=f"1555{number:07d}" if reachable else "",
    )
