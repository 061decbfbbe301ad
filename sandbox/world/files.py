"""SkySlope's files: listings and sales of four of the product's users, many of which are the brokerage's deals again.

A file writes its deal's address, price and MLS number in its own way. Files that the bulk export leaves out, archived
files, agents who left: all of it occurs. The dice are this module's own.
"""

from __future__ import annotations

import random
import uuid
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

from sandbox.world.model import Key, Row
from sandbox.world.names import FIRST, LAST, STREETS, US_TOWNS

if TYPE_CHECKING:
    from sandbox.world.world import World

CLIENT = ("sandbox-client", "sandbox-client-secret")
#: The accounts of the first four users: the first two are agents of one brokerage's account.
ACCOUNTS = ("coastal-realty", "coastal-realty", "pine-homes", "summit-group")
SHARE, STRAYS = 0.5, 3
#: Part of the files that the bulk export does not have.
LEFT_OUT = 0.05
STATUS = {"OPEN": (58, "Pending"), "CLOSED": (60, "Closed"), "TERMINATED": (62, "Canceled/App")}
LISTING_STATUS = {"OPEN": "Active", "CLOSED": "Closed", "TERMINATED": "Expired"}


@dataclass(slots=True)
class Account:
    """All that one access account shows. Names of a file that begin with an underscore are not told."""

    name: str
    offices: list[Row] = field(default_factory=list)
    users: list[Row] = field(default_factory=list)
    sales: dict[str, Row] = field(default_factory=dict)
    listings: dict[str, Row] = field(default_factory=dict)


@dataclass(slots=True)
class Files:
    """Everything SkySlope knows. `keys`: access key → (access secret, account)."""

    dice: random.Random
    keys: dict[str, tuple[str, str]] = field(default_factory=dict)
    accounts: dict[str, Account] = field(default_factory=dict)

    def guid(self) -> str:
        """A guid from the module's own dice."""
        return str(uuid.UUID(int=self.dice.getrandbits(128), version=4))


def written(then: datetime, digits: int = 2) -> str:
    """A time as the bulk writes it: without a zone, with two or three digits behind the second."""
    return then.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.%f")[: 20 + digits]


def build(world: World) -> Files:
    """Accounts with their people and files; the users' keys."""
    files = Files(random.Random(f"{world.seed}/files"))
    for user, name in zip(world.users, ACCOUNTS, strict=False):
        account = files.accounts.get(name)
        if account is None:
            account = files.accounts[name] = Account(name)
            account.offices.append({"officeGuid": files.guid(), "officeName": f"{name.title()} Office"})
            account.users.append(_person(files, FIRST[7], LAST[9], "gone@example.test", active=False))
        first, _, last = user.name.partition(" ")
        account.users.append(_person(files, first, last, user.email))
        key = (f"AK{files.dice.getrandbits(64):016x}", f"as{files.dice.getrandbits(96):024x}")
        files.keys[key[0]] = (key[1], name)
        user.connections["skyslope"] = Key(key[0], key[1], name, "")
        for deal in _deals_of(world, user.agent_id):
            if files.dice.random() < SHARE:
                add_file(world, files, account, account.users[-1]["userGuid"], deal)
    for account in files.accounts.values():
        for number in range(STRAYS):
            agent = account.users[0]["userGuid"] if number == 0 else account.users[-1]["userGuid"]
            add_file(world, files, account, agent, None)
    return files


def _person(files: Files, first: str, last: str, email: str, *, active: bool = True) -> Row:
    return {
        "userGuid": files.guid(),
        "firstName": first,
        "lastName": last,
        "email": email.upper() if files.dice.random() < 0.5 else email,
        "phone": "",
        "alternatePhone": None,
        "userType": "Agent",
        "publicId": None,
        "_active": active,
    }


def _deals_of(world: World, agent: str) -> list[Row]:
    return [
        deal
        for deal in world.brokerage.deals.values()
        if deal["_owner"] == agent and deal["transactionType"] == "SALE" and deal["address"]
    ]


def add_file(world: World, files: Files, account: Account, agent: str, deal: Row | None) -> Row:
    """A file of a deal, as listing or sale, or one of which the brokerage knows nothing."""
    dice = files.dice
    group = deal["_group"] if deal else "OPEN"
    created = world.start - timedelta(days=dice.randint(1, 400), seconds=dice.randint(0, 86_000))
    changed = min(created + timedelta(days=dice.randint(0, 90)), world.start - timedelta(minutes=20))
    file: Row = {
        "agentGuid": agent,
        "createdByGuid": agent,
        "mlsNumber": _mls(dice, deal),
        "officeId": 900,
        "officeGuid": account.offices[0]["officeGuid"] if dice.random() < 0.8 else None,
        "createdOn": written(created),
        "modifiedOn": written(changed, dice.choice((2, 3))),
        "source": None,
        "property": _property(dice, deal["address"] if deal else None),
        "sellers": [_contact(files, "seller", n) for n in range(dice.randint(0, 2))],
        "stage": dice.choice([None, {"id": 7, "name": "Under review"}]),
        "customFields": None,
        "coAgentGuids": dice.choice([None, []]),
        "_group": group,
        "_deal": deal["id"] if deal else None,
        "_left_out": dice.random() < LEFT_OUT,
        "_created": created,
        "_changed": changed,
    }
    price = _price(deal) or dice.randint(120, 900) * 1000.0
    if deal and deal["listing"]:
        file |= {
            "objectType": "listing",
            "listingGuid": files.guid(),
            "status": LISTING_STATUS[group],
            "type": "New",
            "listingDate": _day(deal.get("listingDate")) or written(created),
            "expirationDate": "0001-01-01T00:00:00",
            "listingPrice": price,
        }
        account.listings[file["listingGuid"]] = file
        return file
    listing = deal and next(
        (f for f in account.listings.values() if f["_deal"] == deal.get("builtFromTransactionId")), None
    )
    number, status = STATUS[group]
    file |= {
        "objectType": "sale",
        "saleGuid": files.guid(),
        "listingGuid": listing["listingGuid"] if listing else None,
        "statusId": number,
        "status": status,
        "dealType": dice.choice(["Purchase", "Listing", "Both"]),
        "listingPrice": 0,
        "salePrice": price if dice.random() < 0.95 else 0,
        "contractAcceptanceDate": _day(deal.get("contractAcceptanceDate") if deal else None) or "0001-01-01T00:00:00",
        "escrowClosingDate": _day(deal.get("closingDateEstimated") if deal else None),
        "actualClosingDate": _day(deal.get("closingDateActual") if deal else None),
        "email": f"{dice.getrandbits(32):08X}@skyslope.example.test",
        "buyers": [_contact(files, "buyer", n) for n in range(dice.randint(0, 2))],
        "attorneyContact": [],
        "titleContact": {"contactGuid": files.guid(), "company": "Tern Title", "email": "title@example.test"},
        "commission": {"officeGrossCommissionOnSale": round(price * 0.03, 2), "saleCommissionAmount": price * 0.03},
        "commissionSplits": [{"agentGuid": agent, "amount": None, "percentage": 100}],
    }
    account.sales[file["saleGuid"]] = file
    return file


def _price(deal: Row | None) -> float | None:
    value = deal["price"] if deal else None
    value = value.get("amount") if isinstance(value, dict) else value
    return float(value) if value is not None else None


def _mls(dice: random.Random, deal: Row | None) -> str:
    number = (deal or {}).get("mlsNum")
    if not number:
        return ""
    return number.lower().replace("mls", "mls ") if dice.random() < 0.3 else number


def _day(value: Any) -> str | None:
    return f"{value}T00:00:00" if value else None


def _property(dice: random.Random, address: Row | None) -> Row:
    if address is None:
        city, short, _, code, _ = dice.choice(US_TOWNS)
        number, street, unit, state = str(dice.randint(1, 9999)), dice.choice(STREETS), "", short
    else:
        number, _, street = address["street"].partition(" ")
        city, state, unit = address["city"], address["state"], address.get("unit") or ""
        code = next(address[name] for name in ("zip", "zipCode", "zipcode") if name in address)
    return {
        "streetNumber": number,
        "streetAddress": street.upper() if dice.random() < 0.3 else street,
        "unit": unit,
        "direction": "",
        "city": city,
        "county": "",
        "state": state,
        "zip": code,
        "yearBuilt": "",
    }


def _contact(files: Files, kind: str, number: int) -> Row:
    dice = files.dice
    return {
        "contactGuid": files.guid().upper() if dice.random() < 0.2 else files.guid(),
        "firstName": dice.choice(FIRST),
        "lastName": dice.choice(LAST),
        "email": f"{kind}{number}-{dice.randrange(10**6)}@example.test",
        "phoneNumber": dice.choice(["", None, "555-0100"]),
        "company": None,
        "isTrustCompanyOrOtherEntity": False,
    }


def step(world: World) -> dict[str, Any]:
    """Of each account a file changes, an open one closes, one is new, and one is removed without a word."""
    files = world.files
    told: dict[str, list[str]] = {"changed": [], "closed": [], "created": [], "removed": []}
    for name, account in files.accounts.items():
        sales = list(account.sales.values())
        for sale in files.dice.sample(sales, min(2, len(sales))):
            sale["salePrice"] = 777_000.0
            _touch(world, sale)
            told["changed"].append(sale["saleGuid"])
        for sale in [s for s in sales if s["_group"] == "OPEN" and s["saleGuid"] not in told["changed"]][:1]:
            sale |= {"_group": "CLOSED", "statusId": 60, "status": "Closed", "actualClosingDate": written(world.now)}
            _touch(world, sale)
            told["closed"].append(sale["saleGuid"])
        new = add_file(world, files, account, account.users[-1]["userGuid"], None)
        new |= {"_created": world.now, "createdOn": written(world.now), "_left_out": False}
        _touch(world, new)
        told["created"].append(new["saleGuid"])
        quiet = [s["saleGuid"] for s in sales if s["saleGuid"] not in (*told["changed"], *told["closed"])]
        for guid in quiet[:1]:
            if world.may_lose(f"files of {name}", len(account.sales)):
                del account.sales[guid]
                told["removed"].append(guid)
    return told


def _touch(world: World, file: Row) -> None:
    file |= {"_changed": world.now, "modifiedOn": written(world.now), "_left_out": False}
