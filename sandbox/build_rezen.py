"""The brokerage's facts at the world's start: agents, teams, sponsor chains, caps, deals with all their wobble."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from sandbox.world import CITIES, FIRST, LAST, STREETS, ProductUser, Row, World, a_name, millis

PRODUCT_AGENTS = 5
OTHER_AGENTS = 40
OPEN_STATES = ("NEW", "NEEDS_COMMISSION_VALIDATION", "COMMISSION_VALIDATED", "COMMISSION_DOCUMENT_SENT")
CLOSED_STATES = ("CLOSED", "WAITING_ON_PAYMENT", "PAYMENT_SCHEDULED", "SETTLED")


def build_brokerage(world: World) -> None:
    """Fills world.brokerage and world.users."""
    brokerage = world.brokerage
    for number in range(PRODUCT_AGENTS + OTHER_AGENTS):
        agent = an_agent(world, number)
        brokerage.agents[agent["id"]] = agent
    agents = list(brokerage.agents)
    for number, agent_id in enumerate(agents[:PRODUCT_AGENTS], 1):
        agent = brokerage.agents[agent_id]
        key = f"real_{world.dice.getrandbits(96):024x}"
        brokerage.keys[key] = agent_id
        name = f"{agent['firstName']} {agent['lastName']}"
        world.users.append(ProductUser(f"user{number}@example.test", name, 0, 0, "", agent_id, key))
    _teams(world, agents)
    for agent_id in agents[:PRODUCT_AGENTS]:
        chain = [a for a in agents[PRODUCT_AGENTS : PRODUCT_AGENTS + 6] if a != agent_id]
        brokerage.sponsors[agent_id] = [
            {
                "id": sponsor,
                "firstName": brokerage.agents[sponsor]["firstName"],
                "lastName": brokerage.agents[sponsor]["lastName"],
                # Two sponsors on one level: sponsorship can be shared.
                "level": max(1, level),
                "status": brokerage.agents[sponsor]["agentStatus"],
            }
            for level, sponsor in enumerate(chain[:4])
        ]
        brokerage.caps[agent_id] = a_cap(world, agent_id)
    for _ in range(world.scale.deals):
        add_deal(world)


def an_agent(world: World, number: int) -> Row:
    """An agent profile with the fields that were seen, '' and null both meaning nothing."""
    first, last = FIRST[number % len(FIRST)], LAST[(number * 7) % len(LAST)]
    joined = world.past(1500)
    return {
        "id": world.id(),
        "type": "AGENT",
        "firstName": first,
        "middleName": world.dice.choice(["", None, "M"]),
        "lastName": last,
        "fullName": f"{first} {last}",
        "emailAddress": f"agent{number}@example.test",
        "phoneNumber": f"1555{number:07d}" if number % 9 else f"555{number:07d}",
        "keyMakerId": world.id(),
        "agentStatus": "ACTIVE" if number % 8 else "INACTIVE",
        "agentAccountCountry": "CANADA" if number % 5 == 4 else "UNITED_STATES",
        "createdAt": millis(joined),
        "updatedAt": millis(world.past(30)),
        "joinDate": joined.strftime("%Y-%m-%d"),
        "anniversaryDate": "2024-02-29" if number == 3 else joined.strftime("%Y-%m-%d"),
        "nextAnniversaryDate": (joined + timedelta(days=1826)).strftime("%Y-%m-%d"),
        "title": world.dice.choice(["", None, "Realtor"]),
        "avatar": None,
        "birthDate": None if number % 4 == 0 else "1980-05-17",
        "divisions": [],
        "administrativeAreaIds": [],
        "msdxVendors": None if number % 9 == 0 else [],
        "optedIntoSms": bool(number % 2),
    }


def _teams(world: World, agents: list[str]) -> None:
    brokerage = world.brokerage
    sizes = (("North Shore", "PRO", agents[:3] + agents[8:20]), ("Harbor Group", "GROUP", agents[2:5] + agents[18:30]))
    for name, kind, members in sizes:
        team_id = world.id()
        brokerage.teams[team_id] = {
            "id": team_id,
            "name": name,
            "type": kind,
            "status": "ACTIVE",
            "country": "UNITED_STATES",
            "createdAt": millis(world.past(900)),
            "updatedAt": millis(world.past(20)),
            "config": {"commissionPlanId": world.id(), "maxTeammates": 50, "maxLeaders": 2, "name": name},
            "teamInvitations": [{"id": world.id(), "invitationStatus": "EMAILED"}],
        }
        brokerage.rosters[team_id] = [
            a_seat(world, agent, "LEADER" if i == 0 else "ADMIN" if i == 1 else "MEMBER", i)
            for i, agent in enumerate(members)
        ]


def a_seat(world: World, agent_id: str, role: str, number: int) -> Row:
    """A roster row: its id is not the agent's, and a split of 0 is a real split."""
    row: Row = {
        "id": world.id(),
        "roles": [role],
        "flexRoles": [],
        "memberCommissionSplit": (50.0, 75.0, 100.0, 0.0, 40.0)[number % 5],
        "realCap": 12000.0 if number % 10 == 0 else 6000.0,
        "leaderSplit": None,
        "leaderFeeSplits": [],
        "teammateLeaderSplits": [],
        "teammateFeeSplits": [],
        "invitationStatus": None,
    }
    agent = world.brokerage.agents[agent_id]
    return row | {"agent": agent} if number % 6 else row | {**agent, "id": row["id"], "yentaId": agent_id}


def a_cap(world: World, agent_id: str) -> Row:
    """Cap info: amounts as objects or bare numbers, and null for what does not apply."""
    bare = world.chance(0.4)
    amount: Any = 12000.0 if bare else {"amount": 12000.0, "currency": "USD"}
    paid: Any = 4310.25 if bare else {"amount": 4310.25, "currency": "USD"}
    return {
        "agentId": agent_id,
        "brokerageCapAmount": amount,
        "brokerageCapAmountPaid": paid,
        "teamCapAmount": None,
        "teamCapAmountPaid": None,
        "capped": False,
        "nextAnniversaryDate": "2027-02-28",
    }


def money(world: World, amount: float, currency: str) -> Any:
    """An amount in one of the shapes that were seen."""
    shape = world.dice.random()
    if shape < 0.9:
        return {"amount": round(amount, 2), "currency": currency}
    return round(amount, 2) if shape < 0.95 else f"{amount:.2f}"


def add_deal(world: World, *, owner: str | None = None, listing: bool | None = None) -> Row:
    """A deal of one of the product's agents, sometimes shared with another; listings are deals with listing: true."""
    dice, brokerage = world.dice, world.brokerage
    product = [u.agent_id for u in world.users]
    owner = owner or dice.choice(product)
    listing = world.chance(0.3) if listing is None else listing
    others = [a for a in brokerage.agents if a != owner]
    partner = dice.choice(product) if world.chance(0.12) else dice.choice(others) if world.chance(0.2) else None
    created = world.past(700)
    group = dice.choices(("OPEN", "CLOSED", "TERMINATED"), (3, 6, 1))[0]
    city, short, long, code = dice.choice(CITIES)
    number, street = dice.randint(1, 9999), dice.choice(STREETS)
    currency = "CAD" if brokerage.agents[owner]["agentAccountCountry"] == "CANADA" else "USD"
    price = dice.randint(120, 1900) * 1000.0
    state_text = dice.choice([short, long, long.title().replace("_", " ")])
    kind = dice.choices(("SALE", "LEASE", "REFERRAL", "INTERNAL_REFERRAL"), (8, 1, 1, 0.3))[0]
    deal: Row = {
        "id": world.id(),
        "code": "-".join(f"{dice.randrange(16**3):03X}" for _ in range(4)),
        "listing": listing,
        "transactionType": kind,
        "dealType": kind,
        "propertyType": dice.choice(["RESIDENTIAL", "CONDO", "COMMERCIAL", "LAND_LOT"]),
        "representationType": "SELLER" if listing else dice.choice(["BUYER", "SELLER", "DUAL"]),
        "address": {
            "oneLine": f"{number} {street}, {city}, {short} {code}",
            "street": f"{number} {street}",
            "unit": dice.choice([None, "", "4B"]) if world.chance(0.1) else None,
            "city": city,
            "state": state_text,
            "zip": code,
            "country": "UNITED_STATES",
        },
        "mlsNum": f"MLS{dice.randrange(10**6):06d}" if world.chance(0.8) else None,
        "price": money(world, price, currency),
        "listingPrice": money(world, price * 1.02, currency) if world.chance(0.7) else None,
        "grossCommission": money(world, price * 0.03, currency) if world.chance(0.95) else None,
        "zeroCommissionDeal": False,
        "personalDeal": world.chance(0.02),
        "contractAcceptanceDate": created.strftime("%Y-%m-%d"),
        "listingDate": created.strftime("%Y-%m-%d") if listing else None,
        "closingDateEstimated": (created + timedelta(days=45)).strftime("%Y-%m-%d"),
        "closingDateActual": None,
        "leadSource": dice.choice([None, "Zillow", {"id": "7", "name": "Referral"}]),
        "office": {"id": "office-1", "name": "Real Broker, LLC"},
        "agentsInfo": {"ownerAgent": [], "coAgents": [], "teamId": next(iter(brokerage.teams)), "officeId": "office-1"},
        "currency": currency,
        "createdAt": millis(created),
        "_owner": owner,
        "_net": round(price * 0.03 * 0.6, 2),
    }
    deal["agentsInfo"]["ownerAgent"] = [{"yentaId": owner}]
    move(world, deal, group)
    deal["participants"] = _participants(world, deal, owner, partner, price, currency)
    deal["paymentParticipants"] = [{"participantId": deal["participants"][0]["id"]}]
    deal["commissionSplits"] = [
        {"yentaId": owner, "amount": {"amount": deal["_net"], "currency": currency}, "percentage": {"value": "50"}}
    ]
    stamp = min(created + timedelta(days=dice.randint(0, 60)), world.start - timedelta(minutes=30))
    deal["updatedAt"] = millis(max(stamp, created))
    if not listing and world.chance(0.05):
        candidates = [d["id"] for d in list(brokerage.deals.values())[-50:] if d["listing"]]
        if candidates:
            deal["builtFromTransactionId"] = dice.choice(candidates)
    brokerage.deals[deal["id"]] = deal
    brokerage.viewers[deal["id"]] = (owner, partner) if partner in product and partner != owner else (owner,)
    return deal


def move(world: World, deal: Row, group: str) -> None:
    """Puts a deal into a lifecycle group, in one of the shapes of a state."""
    dice = world.dice
    if deal["listing"]:
        state = {"OPEN": "LISTING_ACTIVE", "CLOSED": "LISTING_CLOSED", "TERMINATED": "TERMINATED"}[group]
    elif group == "OPEN":
        state = dice.choice(OPEN_STATES)
    else:
        state = dice.choice(CLOSED_STATES) if group == "CLOSED" else "TERMINATED"
    deal["_group"] = group
    deal["lifecycleState"] = {"state": state} if world.chance(0.8) else state
    deal["complianceStatus"] = "APPROVED" if group == "CLOSED" else "PENDING"
    deal["closed"], deal["terminated"] = group == "CLOSED", group == "TERMINATED"
    # closedAt may be missing although the deal is closed.
    closed = world.now - timedelta(days=dice.randint(1, 200))
    deal["closedAt"] = millis(closed) if group == "CLOSED" and world.chance(0.9) else None


def _participants(
    world: World, deal: Row, owner: str, partner: str | None, price: float, currency: str
) -> list[Row]:
    dice, agents = world.dice, world.brokerage.agents
    rows: list[Row] = []

    def add(role: str, **more: Any) -> None:
        rows.append(
            {
                "id": world.id(),
                "participantRole": role,
                "participantStatus": "ACCEPTED",
                "external": False,
                "hidden": False,
                "paidByReal": False,
                "payment": None,
                "createdAt": deal["createdAt"],
                **more,
            }
        )

    side = "SELLERS_AGENT" if deal["representationType"] == "SELLER" else "BUYERS_AGENT"
    pay = {"percent": 0.5, "amount": {"amount": round(price * 0.015, 2), "currency": currency}}
    add(side, yentaId=owner, firstName=agents[owner]["firstName"], lastName=agents[owner]["lastName"],
        emailAddress=agents[owner]["emailAddress"], paidByReal=True, payment=pay)  # fmt: skip
    if deal["representationType"] == "DUAL":
        add("SELLERS_AGENT", yentaId=owner, firstName=agents[owner]["firstName"], paidByReal=True, payment=pay)
    if partner:
        add("REFERRING_AGENT", yentaUserId=partner, firstName=agents[partner]["firstName"], payment={"percent": 0.1,
            "amount": round(price * 0.002, 2)})  # fmt: skip
    add("REAL", company="Real", hidden=True, payment={"percent": 0.15, "amount": round(price * 0.0045, 2)})
    if world.chance(0.05):
        add("OTHER_AGENT", agentId=world.id(), firstName="Unknown", external=True)
    for role in ("BUYER", "SELLER", "TITLE", "LENDER", "ESCROW", "INSPECTION", "HOME_WARRANTY", "APPRAISER",
                 "TRANSACTION_COORDINATOR", "ATTORNEY"):  # fmt: skip
        if role in ("BUYER", "SELLER") and world.chance(0.04):
            continue
        first, last = a_name(world)
        reachable = world.chance(0.6)
        add(role, firstName=first, lastName=last if world.chance(0.9) else None, external=True,
            emailAddress=f"{first.lower()}.{dice.randrange(9999)}@example.test" if reachable else None,
            phoneNumber="15550100199" if reachable else "")  # fmt: skip
    if world.chance(0.1):
        rows[-1]["paidViaBusinessEntity"] = {"name": "Title Co", "nationalIds": ["000-00-0000"]}
    return rows
