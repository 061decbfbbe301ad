"""The brokerage's deals: transactions and listings, a listing beside the sale built from it, referrals, wobble."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Any

from sandbox.world.model import Row, millis
from sandbox.world.names import CANADIAN_TOWNS, STREETS, US_TOWNS
from sandbox.world.participants import add_participants

if TYPE_CHECKING:
    from sandbox.world.world import World

OPEN_STATES = (
    "NEW", "NEEDS_COMMISSION_VALIDATION", "COMMISSION_VALIDATED", "COMMISSION_DOCUMENT_SENT", "TERMINATION_REQUESTED",
)  # fmt: skip
CLOSED_STATES = ("CLOSED", "WAITING_ON_PAYMENT", "PAYMENT_SCHEDULED", "SETTLED")
LISTINGS = 0.3
OFFICE = {"id": "office-1", "name": "Real Broker, LLC"}


def build(world: World) -> None:
    """Fills the brokerage with deals of the product's agents."""
    while len(world.brokerage.deals) < world.scale.deals:
        deal = add_deal(world)
        if deal["listing"] and world.chance(0.3) and len(world.brokerage.deals) < world.scale.deals:
            add_deal(world, built_from=deal)
        elif world.chance(0.02) and len(world.brokerage.deals) < world.scale.deals:
            add_deal(world, referred_from=deal)


def add_deal(world: World, *, built_from: Row | None = None, referred_from: Row | None = None) -> Row:
    """A new deal of one of the product's agents, sometimes shared with another.

    `built_from` is the listing that this sale comes from (another id, the same place and owner); `referred_from` the
    main deal that this internal referral runs beside.
    """
    dice, brokerage = world.dice, world.brokerage
    product = [user.agent_id for user in world.users]
    before = built_from or referred_from
    owner: str = before["_owner"] if before else dice.choice(product)
    listing = before is None and world.chance(LISTINGS)
    partner = _partner(world, owner, product)
    created = _created(world, before)
    canadian = brokerage.agents[owner]["agentAccountCountry"] == "CANADA"
    currency = "CAD" if canadian else "USD"
    kind = "INTERNAL_REFERRAL" if referred_from else dice.choices(("SALE", "LEASE", "REFERRAL"), (8, 1, 1))[0]
    price = float(dice.randint(12, 45) * 100) if kind == "LEASE" else dice.randint(120, 1900) * 1000.0
    free = world.chance(0.02)
    commission = 0.0 if free else price if kind == "LEASE" else price * 0.03
    side = "SELLER" if listing or built_from else dice.choice(["BUYER", "SELLER", "DUAL"])
    deal: Row = {
        "id": world.id(),
        "code": "-".join(f"{dice.randrange(16**3):03X}" for _ in range(4)),
        "listing": listing,
        "transactionType": kind,
        "dealType": kind,
        "propertyType": dice.choice(["RESIDENTIAL", "CONDO", "COMMERCIAL", "LAND_LOT"]),
        "representationType": side,
        "personalDeal": world.chance(0.02),
        "zeroCommissionDeal": free,
        "address": dict(before["address"]) if before and before["address"] else _address(world, canadian=canadian),
        "mlsNum": f"MLS{dice.randrange(10**6):06d}" if world.chance(0.8) else dice.choice([None, ""]),
        "yearBuilt": dice.choice([None, 1974, "2003"]),
        "price": money(world, price, currency) if world.chance(0.98) else None,
        "listingPrice": money(world, price * 1.02, currency) if world.chance(0.7) else None,
        "grossCommission": money(world, commission, currency) if world.chance(0.95) else None,
        "saleCommissionPercent": None if free else 3.0,
        "currency": currency,
        "contractAcceptanceDate": created.strftime("%Y-%m-%d"),
        "listingDate": created.strftime("%Y-%m-%d") if listing else None,
        "firmDate": None,
        "closingDateEstimated": (created + timedelta(days=45)).strftime("%Y-%m-%d"),
        "closingDateActual": None,
        "skySlopeActualClosingDate": None,
        "leadSource": dice.choice([None, "Zillow", {"id": "7", "name": "Referral"}]),
        "office": OFFICE,
        "agentsInfo": {
            "ownerAgent": [{"yentaId": owner}],
            "coAgents": [{"yentaId": partner}] if partner else [],
            "teamId": next((team["id"] for team in brokerage.teams_of(owner)), None),
            "officeId": OFFICE["id"],
            "representationType": side,
        },
        "transactionCoordinators": [],
        "requiresInstallments": False,
        "createdAt": millis(created),
        "_owner": owner,
        "_net": round(commission * 0.6, 2),
    }
    if built_from:
        deal["builtFromTransactionId"] = built_from["id"]
    set_group(world, deal, dice.choices(("OPEN", "CLOSED", "TERMINATED"), (3, 6, 1))[0])
    deal["participants"] = add_participants(world, deal, owner, partner, price, commission, currency)
    deal["paymentParticipants"] = [{"participantId": deal["participants"][0]["id"]}]
    deal["commissionSplits"] = [
        {"yentaId": owner, "amount": {"amount": deal["_net"], "currency": currency}, "percentage": {"value": "50"}}
    ]
    stamp = min(created + timedelta(days=dice.randint(0, 60)), world.start - timedelta(minutes=30))
    deal["updatedAt"] = millis(max(stamp, created))
    brokerage.deals[deal["id"]] = deal
    # A deal seen by two synced users; some coordinators see a deal in which they have no part of the money.
    shared = partner if partner in product else dice.choice(product) if world.chance(0.03) else None
    brokerage.viewers[deal["id"]] = (owner, shared) if shared and shared != owner else (owner,)
    return deal


def set_group(world: World, deal: Row, group: str) -> None:
    """Puts a deal into a lifecycle group, in one of the shapes of a state; a closed deal may lack its closing time."""
    dice = world.dice
    if deal["listing"]:
        state = {"OPEN": "LISTING_ACTIVE", "CLOSED": "LISTING_CLOSED", "TERMINATED": "TERMINATED"}[group]
        if group == "OPEN" and world.chance(0.2):
            state = "LISTING_IN_CONTRACT"
    elif group == "OPEN":
        state = dice.choices(OPEN_STATES, (6, 4, 4, 4, 1))[0]
    else:
        state = dice.choice(CLOSED_STATES) if group == "CLOSED" else "TERMINATED"
    deal["_group"] = group
    deal["lifecycleState"] = {"state": state} if world.chance(0.8) else state
    deal["complianceStatus"] = "APPROVED" if group == "CLOSED" else "PENDING"
    deal["closed"], deal["terminated"] = group == "CLOSED", group == "TERMINATED"
    closed = world.now - timedelta(days=dice.randint(1, 200))
    known = group == "CLOSED" and world.chance(0.9)
    deal["closedAt"] = millis(closed) if known else None
    if known and world.chance(0.3):
        # Several closing dates that differ; the first of the documented order counts.
        deal["skySlopeActualClosingDate"] = (closed - timedelta(days=2)).strftime("%Y-%m-%d")


def money(world: World, amount: float, currency: str) -> Any:
    """An amount in one of the shapes that were seen: an object, a number, or text."""
    shape = world.dice.random()
    if shape < 0.9:
        return {"amount": round(amount, 2), "currency": currency}
    return round(amount, 2) if shape < 0.95 else f"{amount:.2f}"


def _partner(world: World, owner: str, product: list[str]) -> str | None:
    others = [agent for agent in world.brokerage.agents if agent != owner]
    if world.chance(0.12):
        partner = world.dice.choice(product)
        return partner if partner != owner else None
    return world.dice.choice(others) if world.chance(0.2) else None


def _created(world: World, before: Row | None) -> Any:
    created = world.past(700)
    if before is None:
        return created
    then = max(created, world.start - timedelta(seconds=world.start.timestamp() - before["createdAt"] / 1000 - 3600))
    return min(then, world.start - timedelta(hours=1))


def _address(world: World, *, canadian: bool) -> Row | None:
    """An address with the state in one of its three spellings; rarely none at all."""
    dice = world.dice
    if world.chance(0.005):
        return None
    city, short, long, code, country = dice.choice(CANADIAN_TOWNS if canadian else US_TOWNS)
    number, street = dice.randint(1, 9999), dice.choice(STREETS)
    return {
        "oneLine": f"{number} {street}, {city}, {short} {code}",
        "street": f"{number} {street}",
        "street2": dice.choice([None, ""]),
        "unit": dice.choice([None, "", "4B"]) if world.chance(0.1) else None,
        "city": city,
        "state": dice.choice([short, long, long.title().replace("_", " ")]),
        dice.choices(("zip", "zipCode", "zipcode"), (8, 1, 1))[0]: code,
        "country": country,
    }
