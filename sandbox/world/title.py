"""Title orders: organisations that place them, agencies, and orders for a part of the brokerage's sales.

An order writes its sale's address and price in its own way. All dice are this module's own, so that the other systems'
worlds stay what they are. What the stand-in shows of it is in `sandbox.title`.
"""

from __future__ import annotations

import random
import string
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

from sandbox.world.model import Key, ProductUser, Row
from sandbox.world.names import STREETS, US_TOWNS, a_name

if TYPE_CHECKING:
    from sandbox.world.world import World

#: Which of the product's users have credentials, and whose organisation they are of: the first two share one.
ORGANISATIONS = ("northern-title", "northern-title", "harbor-closings", "tern-escrow")
#: Part of an organisation's sales that have an order, and orders without a sale per order with one.
SHARE, STRAYS = 0.6, 0.1
AGENCIES = 6
STAFF = 3

#: The steps of an order in the order in which they are done.
MILESTONES = (
    "order_accepted", "confirmation_of_order_received", "borrower_opening_package_sent",
    "seller_opening_package_sent", "earnest_money_received", "preliminary_report_ordered",
    "preliminary_report_received", "commitment_generated", "preliminary_fees_sent", "cpl_issued", "signing_scheduled",
    "signing_scheduled_borrower", "signing_scheduled_seller", "estimated_closing_statement_sent_borrower",
    "estimated_closing_statement_sent_seller", "final_fees_sent", "settlement_statement_generated", "funds_disbursed",
    "deed_mortgage_recorded", "title_insurance_issued",
)  # fmt: skip
#: Done when an order closes; what comes behind is done in the weeks after.
AT_CLOSING = MILESTONES.index("funds_disbursed") + 1
_STAGES = ("Opening", "Processing", "Closing", "Post-closing")


@dataclass(slots=True)
class Organisation:
    """Whoever orders title work: its people, and its orders in no order that a reader could count on."""

    name: str
    users: list[Row] = field(default_factory=list)
    orders: dict[str, Row] = field(default_factory=dict)


@dataclass(slots=True)
class Title:
    """All that the title system knows. `keys`: user name → (password, organisation).

    Names of an order that begin with an underscore are facts which the system does not tell: `_deal` is its sale.
    """

    dice: random.Random
    keys: dict[str, tuple[str, str]] = field(default_factory=dict)
    organisations: dict[str, Organisation] = field(default_factory=dict)
    agencies: list[Row] = field(default_factory=list)


def build(world: World) -> Title:
    """Organisations, their people's credentials, agencies and orders."""
    title = Title(random.Random(f"{world.seed}/title"))
    dice = title.dice
    for number in range(AGENCIES):
        states = sorted(dice.sample([town[1] for town in US_TOWNS], dice.randint(1, 3)))
        title.agencies.append({"_id": _id(dice), "name": f"{STREETS[number]} Title, LLC", "_states": states})
    for user, name in zip(world.users, ORGANISATIONS, strict=False):
        organisation = title.organisations.setdefault(name, Organisation(name))
        first, _, last = user.name.partition(" ")
        member = {"user_id": _id(dice), "first_name": first, "last_name": last, "email": user.email.upper()}
        organisation.users.append(member)
        pair = (f"{name}-api-{len(organisation.users)}", f"pw{dice.getrandbits(64):016x}")
        title.keys[pair[0]] = (pair[1], name)
        user.connections["title"] = Key(pair[0], pair[1], name, pair[0])
    for organisation in title.organisations.values():
        for number in range(STAFF):
            first, last = a_name(dice)
            email = f"staff{number}@{organisation.name}.test" if number else None
            organisation.users.append({"user_id": _id(dice), "first_name": first, "last_name": last, "email": email})
    for name, organisation in title.organisations.items():
        for deal in sales_of(world, _members(world, name)):
            if dice.random() < SHARE:
                add_order(world, title, organisation, deal)
        for _ in range(max(2, int(len(organisation.orders) * STRAYS))):
            add_order(world, title, organisation, None)
    return title


def sales_of(world: World, users: list[ProductUser]) -> list[Row]:
    """The sales of these users that a title company in the United States can work on."""
    agents, seen = {user.agent_id for user in users}, world.brokerage.viewers
    return [
        deal
        for deal in world.brokerage.deals.values()
        if not deal["listing"]
        and deal["transactionType"] == "SALE"
        and deal["address"]
        and deal["address"]["country"] == "UNITED_STATES"
        and amount_of(deal["price"])
        and agents & set(seen[deal["id"]])
    ]


def amount_of(price: Any) -> float | None:
    """A deal's price, in whichever shape it stands."""
    value = price.get("amount") if isinstance(price, dict) else price
    return float(value) if value is not None else None


def add_order(world: World, title: Title, organisation: Organisation, deal: Row | None, *, fresh: bool = False) -> Row:
    """An order for a sale, or one of which the brokerage knows nothing. A fresh one was opened just now."""
    dice = title.dice
    opened = world.now if fresh else _when(world, deal)
    agency = dice.choice(title.agencies)
    price = (amount_of(deal["price"]) if deal else None) or dice.randint(120, 900) * 1000.0
    group = "OPEN" if fresh else deal["_group"] if deal else dice.choice(("OPEN", "CLOSED"))
    closing = _closing(deal, opened)
    order: Row = {
        "_id": _id(dice),
        "order_number": f"{closing.year % 100}-{dice.randint(1, 300):05d}",  # not unique
        "external_reference_number": dice.choice([None, "", f"X{dice.randrange(10**5)}"]),
        "orderer_id": dice.choice(organisation.users)["user_id"],
        "status": "Open",
        "open_date": _iso(opened),
        "close_date": None,
        "cash_only": dice.random() < 0.2,
        "purchase_price": _money(dice, price),
        "loan_amount": None,
        "loan_type": None,
        "settlement_agency_id": agency["_id"],
        "settlement_agency_name": agency["name"],
        "properties": [_property(dice, deal["address"] if deal else None)],
        "parties": _parties(dice, deal),
        "_progress": 0,
        "_closing": closing,
        "_deal": deal["id"] if deal else None,
        "milestones": {},
        "activities": [],
    }
    if not order["cash_only"]:
        order |= {"loan_amount": _money(dice, round(price * 0.8, 2)), "loan_type": "Conventional"}
    if dice.random() < 0.05:
        order["properties"].append(_property(dice, None))
    target = {"OPEN": dice.randint(1, AT_CLOSING - 2), "CLOSED": AT_CLOSING + dice.randint(0, 3), "TERMINATED": 2}[
        group
    ]
    advance(order, opened, target)
    if group == "CLOSED":
        close(order, closing)
    elif group == "TERMINATED":
        order["status"] = "Cancelled"
    elif dice.random() < 0.5:
        order["close_date"] = closing.strftime("%Y-%m-%d")  # expected; a date alone
    organisation.orders[order["_id"]] = order
    return order


def advance(order: Row, at: datetime, steps: int) -> None:
    """The next steps of an order are done, a day apart from `at`."""
    for number in range(order["_progress"], min(steps, len(MILESTONES))):
        name, when = MILESTONES[number], _iso(at + timedelta(hours=5 * number))
        order["milestones"][name] = {"complete": True, "completion_date": when}
        order["activities"].append({"activity_type": name, "created_date": when, "description": f"Done: {name}"})
    order["_progress"] = max(order["_progress"], min(steps, len(MILESTONES)))


def close(order: Row, at: datetime) -> None:
    """The order closes: it leaves the list of open orders."""
    order |= {"status": "Closed", "close_date": _iso(at)}


def step(world: World, title: Title) -> dict[str, list[str]]:
    """Orders come, go on, go back a step, close, are cancelled, and change after their closing. Ids by kind."""
    dice, now = title.dice, world.now
    told: dict[str, list[str]] = {
        kind: [] for kind in ("created", "advanced", "undone", "closed", "cancelled", "changed_after_closing")
    }
    for organisation in title.organisations.values():
        rows = list(organisation.orders.values())
        by_status = {status: [row for row in rows if row["status"] == status] for status in ("Open", "Closed")}
        for kind, pool in (
            ("advanced", by_status["Open"]), ("undone", by_status["Open"]), ("closed", by_status["Open"]),
            ("cancelled", by_status["Open"]), ("changed_after_closing", by_status["Closed"]),
        ):  # fmt: skip
            left = [row for row in pool if row["status"] in ("Open", "Closed") and not _told(told, row)]
            for order in dice.sample(left, min(1, len(left))):
                _change(kind, order, now)
                told[kind].append(order["_id"])
        known = {row["_deal"] for row in rows}
        fresh = [d for d in sales_of(world, _members(world, organisation.name)) if d["id"] not in known]
        for deal in [dice.choice(fresh) if fresh else None, None]:
            told["created"].append(add_order(world, title, organisation, deal, fresh=True)["_id"])
    return told


def _change(kind: str, order: Row, now: datetime) -> None:
    if kind in ("advanced", "changed_after_closing"):
        advance(order, now, order["_progress"] + 1)
        order["activities"].append({"activity_type": "note", "created_date": _iso(now), "description": "Looked at"})
    elif kind == "undone":
        name = MILESTONES[order["_progress"] - 1]
        order["milestones"][name] = {"complete": False, "completion_date": None}
        order["_progress"] -= 1
    elif kind == "closed":
        advance(order, now, AT_CLOSING)
        close(order, now)
    else:
        order["status"] = "Cancelled"


def stage_of(order: Row) -> str:
    """Where an order is on its way, in the system's words."""
    done = order["_progress"]
    return _STAGES[0 if done < 5 else 1 if done < 10 else 2 if done < AT_CLOSING else 3]


def _told(told: dict[str, list[str]], order: Row) -> bool:
    return any(order["_id"] in ids for ids in told.values())


def _members(world: World, name: str) -> list[ProductUser]:
    return [user for user, organisation in zip(world.users, ORGANISATIONS, strict=False) if organisation == name]


def _when(world: World, deal: Row | None) -> datetime:
    if deal is None:
        return world.now - timedelta(days=20, hours=3)
    return datetime.fromtimestamp(deal["createdAt"] / 1000, UTC) + timedelta(days=1)


def _closing(deal: Row | None, opened: datetime) -> datetime:
    """The sale's real close, else its estimate, at noon."""
    if deal is None:
        return opened + timedelta(days=40)
    if deal["closedAt"]:
        return datetime.fromtimestamp(deal["closedAt"] / 1000, UTC)
    return datetime.fromisoformat(deal["closingDateEstimated"]).replace(hour=12, tzinfo=UTC)


def _id(dice: random.Random) -> str:
    """17 letters and digits; upper and lower case are different ids."""
    return "".join(dice.choices(string.ascii_letters + string.digits, k=17))


def _iso(then: datetime) -> str:
    return then.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.000Z")


def _money(dice: random.Random, amount: float) -> Any:
    """An amount as a number, as text, with thousand separators, or (rarely) blank."""
    shape = dice.random()
    if shape < 0.6:
        return int(amount) if amount == int(amount) else amount
    if shape < 0.8:
        return f"{amount:.2f}"
    return f"{amount:,.2f}" if shape < 0.95 else dice.choice(["", " ", None])


def _property(dice: random.Random, address: Row | None) -> Row:
    """A property, with the sale's address in another spelling."""
    if address is None:
        city, short, _, code, _ = dice.choice(US_TOWNS)
        street, unit = f"{dice.randint(10_000, 99_999)} {dice.choice(STREETS)}", None
    else:
        city, street, unit = address["city"], address["street"], address["unit"] or None
        short, code = next((town[1], town[3]) for town in US_TOWNS if town[0] == city)
    line_2 = f"Unit {unit}" if unit else dice.choice([None, ""])
    return {
        "address_line_1": dice.choice([street, street.upper(), f" {street}  "]),
        "address_line_2": line_2,
        "city": city.upper() if dice.random() < 0.3 else city,
        "state": short,
        "zipcode": code if dice.random() < 0.9 else f"{code}-0001",
        "county": dice.choice(["Demo", None]),
    }


def _parties(dice: random.Random, deal: Row | None) -> Row:
    """The sale's people by their side. Nobody is null or []; a trust has no names."""
    people: Row = {
        "borrowers": [], "sellers": [], "lender_contacts": dice.choice([None, []]), "listing_agents": [],
        "selling_agents": [],
    }  # fmt: skip
    sides = {"BUYER": "borrowers", "SELLER": "sellers", "SELLERS_AGENT": "listing_agents"}
    sides["BUYERS_AGENT"] = "selling_agents"
    for person in deal["participants"] if deal else []:
        side = sides.get(person.get("participantRole") or person.get("role") or "")
        if side is None or not isinstance(person.get("firstName"), str):
            continue
        trust = side == "sellers" and dice.random() < 0.1
        party = {
            "_id": _id(dice),
            "first_name": None if trust else person["firstName"],
            "last_name": None if trust else person["lastName"],
            "cell_phone": person.get("phoneNumber") or None,
            "email": person.get("emailAddress"),
        }
        if side.endswith("agents"):
            party["organization_name"] = "Real"
        people[side].append(party)
    for side in ("listing_agents", "selling_agents"):
        people[side] = people[side] or dice.choice([None, []])
    return people
