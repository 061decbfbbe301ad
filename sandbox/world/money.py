"""What the network pays: contributions by tier, pending ones that settle later, payouts, and an equity ledger.

One contribution of each user stands under two ids, some were missed, some hide who paid, amounts come in two currencies
and several shapes; what was paid is not the sum of what was earned, as the programme has it. The dice are its own.
"""

from __future__ import annotations

import random
import uuid
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

from sandbox.world.model import Row, millis

if TYPE_CHECKING:
    from sandbox.world.world import World

#: Per user and member of the first tiers.
DEALS_OF_A_MEMBER = 2
PAYMENTS = 6


@dataclass(slots=True)
class Earnings:
    """All rows of one agent, by id. Names that begin with an underscore are not told."""

    contributions: dict[str, Row] = field(default_factory=dict)
    pending: dict[str, Row] = field(default_factory=dict)
    payments: dict[str, Row] = field(default_factory=dict)
    equity: dict[str, Row] = field(default_factory=dict)


@dataclass(slots=True)
class Money:
    """Earnings by agent."""

    dice: random.Random
    of: dict[str, Earnings] = field(default_factory=dict)

    def id(self) -> str:
        """A UUID from the module's own dice."""
        return str(uuid.UUID(int=self.dice.getrandbits(128), version=4))


def build(world: World) -> Money:
    """Earnings of the product's users."""
    money = Money(random.Random(f"{world.seed}/money"))
    for user in world.users:
        earned = money.of[user.agent_id] = Earnings()
        mine = [
            deal["id"]
            for deal in world.brokerage.deals.values()
            if deal["_group"] == "CLOSED"
            and not deal["listing"]
            and user.agent_id in world.brokerage.viewers[deal["id"]]
        ]
        for tier, member in world.network.tiers(user.agent_id):
            for _ in range(DEALS_OF_A_MEMBER if tier == 1 else 1):
                seen = mine.pop() if mine and money.dice.random() < 0.15 else money.id()
                when = world.start - timedelta(days=money.dice.randint(1, 700))
                row = _earned(world, money, user.agent_id, member, tier, seen, when)
                (earned.pending if money.dice.random() < 0.15 else earned.contributions)[row["id"]] = row
        for row in earned.pending.values():
            _make_pending(world, row)
        first = next(row for row in earned.contributions.values() if not row["_missed"])
        twin = {**first, "id": money.id()}
        earned.contributions[twin["id"]] = twin
        for month in range(PAYMENTS):
            _pay(world, money, user.agent_id, earned, world.start - timedelta(days=30 * month + 5))
        _ledger(world, money, earned)
    return money


def _currency(world: World, agent: str) -> str:
    return "CAD" if world.brokerage.agents[agent]["agentAccountCountry"] == "CANADA" else "USD"


def _earned(world: World, money: Money, agent: str, member: str, tier: int, deal: str, when: datetime) -> Row:
    dice = money.dice
    value, currency = round(dice.uniform(5, 900), 2), _currency(world, agent)
    if dice.random() < 0.1:
        currency = "CAD" if currency == "USD" else "USD"
    amount: Any = (
        {"amount": value, "currency": currency} if dice.random() < 0.8 else {"amount": str(value), "currency": currency}
    )
    row: Row = {
        "id": money.id(),
        "transactionId": deal,
        "tier": tier,
        "amount": amount,
        "createdAt": millis(when),
        "_tier": tier,
        "_missed": dice.random() < 0.05,
    }
    form = dice.random()
    if form < 0.6:
        row["agentYentaId"] = member
    elif form < 0.9:
        row["contributor"] = {"id": member}
    return row  # else: the source does not say who paid


def _make_pending(world: World, row: Row) -> None:
    row |= {
        "status": "PENDING",
        "reason": "WAITING_FOR_CLOSING",
        "estimatedClosingDate": (world.start + timedelta(days=20)).strftime("%Y-%m-%d"),
        "_missed": False,
    }


def _pay(world: World, money: Money, agent: str, earned: Earnings, when: datetime) -> None:
    first = when.replace(day=1) - timedelta(days=1)
    row = {
        "id": money.id(),
        "status": "PENDING" if when > world.start else "PAID",
        "amount": {"amount": round(money.dice.uniform(50, 3000), 2), "currency": _currency(world, agent)},
        "paidAt": millis(when),
        "periodStart": first.replace(day=1).strftime("%Y-%m-%d"),
        "periodEnd": first.strftime("%Y-%m-%d"),
        "paymentMethod": "DIRECT_DEPOSIT",
        "reference": f"RS-{money.dice.randrange(10**6):06d}",
    }
    if len(earned.payments) % 3 == 2:
        row["outgoingPaymentId"] = row.pop("id")
    earned.payments[row.get("id") or row["outgoingPaymentId"]] = row


def _ledger(world: World, money: Money, earned: Earnings) -> None:
    """Two grants bought and two awarded; a part of them vested, one was forfeited."""
    dice = money.dice
    for number in range(4):
        grant, bought = money.id(), number < 2
        when = world.start - timedelta(days=200 + 120 * number)
        price, shares = round(dice.uniform(2, 6), 2), round(dice.uniform(10, 400), 4)
        kind = "EQUITY_PURCHASE" if bought else "ELITE_EQUITY_AWARD"
        entries = [("PURCHASED" if bought else "GRANTED", when, shares)]
        if number != 3:
            entries.append(("VESTED", when + timedelta(days=100), round(shares / 2, 4)))
        else:
            entries.append(("FORFEITED", when + timedelta(days=90), shares))
        if number == 0:
            entries.append(("EXERCISED", when + timedelta(days=150), round(shares / 4, 4)))
        for entry, at, count in entries:
            row = {
                "id": money.id(),
                "grantId": grant,
                "planType": kind,
                "entryType": entry,
                "shares": str(count),
                "pricePerShare": {"amount": price, "currency": "USD"},
                "entryDate": at.strftime("%Y-%m-%d"),
                "vestsOn": (when + timedelta(days=365)).strftime("%Y-%m-%d"),
                "expiresOn": None,
                "status": "SETTLED",
            }
            earned.equity[row["id"]] = row


def step(world: World) -> dict[str, Any]:
    """Of each user one pending contribution settles with another amount, one is new, and a payout is made."""
    money = world.money
    told: dict[str, list[str]] = {"settled": [], "earned": [], "paid": []}
    for user in world.users:
        earned = money.of[user.agent_id]
        for settled in list(earned.pending.values())[:1]:
            row = {
                k: v
                for k, v in earned.pending.pop(settled["id"]).items()
                if k not in ("reason", "estimatedClosingDate")
            }
            row |= {"status": "SETTLED", "amount": {"amount": 123.45, "currency": _currency(world, user.agent_id)}}
            earned.contributions[row["id"]] = row
            told["settled"].append(row["id"])
        member = world.network.below[user.agent_id][0]
        new = _earned(world, money, user.agent_id, member, 1, money.id(), world.now)
        new["_missed"] = False
        earned.contributions[new["id"]] = new
        told["earned"].append(new["id"])
        before = set(earned.payments)
        _pay(world, money, user.agent_id, earned, world.now)
        told["paid"] += sorted(set(earned.payments) - before)
    return told
