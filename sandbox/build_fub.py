"""The CRM accounts at the world's start: users, contacts, calls, texts and the rest, with the wobble of the real thing."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from sandbox.world import CITIES, STREETS, FubAccount, FubUser, Row, World, a_name, iso

STAGES = ("Lead", "Nurture", "Active Client", "Under Contract", "Closed", "Trash")
EVENT_TYPES = ("Registration", "Property Inquiry", "Viewed Property", "Saved Property", "Visited Website")
TABLES = (
    "users", "groups", "stages", "pipelines", "people", "deals", "events", "calls", "appointments", "textMessages",
)  # fmt: skip
#: Product users by account: the first of each is the account's owner.
SEATS = ((77_001, (0, 1, 2)), (77_002, (3, 4)))


def build_accounts(world: World) -> None:
    """Fills world.accounts and gives each product user a key."""
    for number, (account_id, seats) in enumerate(SEATS):
        account = FubAccount(account_id, f"team{number}", 11)
        account.tables = {table: {} for table in TABLES}
        world.accounts[account_id] = account
        _users(world, account, seats)
        _reference(world, account)
        share = world.scale.people // len(SEATS)
        for _ in range(share):
            add_person(world, account)
        people = list(account.tables["people"].values())
        for _ in range(int(share * world.scale.calls_per_person)):
            add_call(world, account, world.dice.choice(people))
        for _ in range(int(share * world.scale.texts_per_person)):
            add_text(world, account, world.dice.choice(people))
        for _ in range(int(share * world.scale.events_per_person)):
            add_event(world, account, world.dice.choice(people))
        for _ in range(share // 8):
            add_appointment(world, account, world.dice.choice(people))
        for _ in range(share // 10):
            add_deal(world, account, world.dice.choice(people))


def _users(world: World, account: FubAccount, seats: tuple[int, ...]) -> None:
    rows = account.tables["users"]
    for seat, product in enumerate(seats):
        user = world.users[product]
        user_id = 11 + seat
        key = f"fka_{world.dice.getrandbits(96):024x}"
        account.keys[key] = FubUser(user_id, key, seat == 0)
        user.fub_account, user.fub_user, user.fub_key = account.id, user_id, key
        rows[user_id] = a_user(world, user_id, user.name, user.email, owner=seat == 0)
    for extra in range(3):
        first, last = a_name(world)
        user_id = 11 + len(seats) + extra
        rows[user_id] = a_user(world, user_id, f"{first} {last}", f"staff{extra}.{account.id}@example.test", owner=False)
    rows[user_id]["status"] = "Deleted"  # old records still name this user


def a_user(world: World, user_id: int, name: str, email: str, *, owner: bool) -> Row:
    """A CRM user; without a picture the field is an empty list."""
    first, _, last = name.partition(" ")
    return {
        "id": user_id,
        "created": iso(world.past(1500)),
        "updated": iso(world.past(60)),
        "name": name,
        "firstName": first,
        "lastName": last,
        "email": email,
        "phone": "",
        "role": "Broker" if owner else "Agent",
        "status": "Active",
        "timezone": "America/Chicago",
        "picture": {"60x60": "https://example.test/p.png"} if owner else [],
        "isOwner": owner,
        "groups": [{"id": 1, "name": "North"}],
        "teamIds": [],
    }


def _reference(world: World, account: FubAccount) -> None:
    for number, name in enumerate(STAGES, 1):
        account.tables["stages"][number] = {
            "id": number, "name": name, "orderWeight": number * 1000, "isProtected": number == 1, "peopleCount": 0,
        }  # fmt: skip
    for number, name in enumerate(("North", "South"), 1):
        account.tables["groups"][number] = {
            "id": number, "name": name, "type": "Agent", "distribution": "round-robin", "defaultUserId": 11,
            "defaultPondId": None, "claimWindow": 30, "isPrimary": number == 1, "users": [{"id": 11, "role": "Agent"}],
        }  # fmt: skip
    for number, name in enumerate(("Buyers", "Sellers"), 1):
        account.tables["pipelines"][number] = {
            "id": number, "name": name, "description": None, "orderWeight": number * 1000,
            "stages": [
                {"id": number * 10 + i, "name": n, "orderWeight": i * 1000, "color": "#4a7", "closedStage": i == 3}
                for i, n in enumerate(("Appointment", "Under Contract", "Closed"), 1)
            ],
        }  # fmt: skip


def add_person(world: World, account: FubAccount, *, at: Any = None) -> Row:
    """A contact; `at` is when it was last touched (default: some time before the start)."""
    dice = world.dice
    first, last = a_name(world)
    created = at or world.past(900)
    touched = at or min(created + timedelta(days=dice.randint(0, 300)), world.start - timedelta(minutes=30))
    users = [u for u in account.tables["users"].values() if u["status"] != "Deleted"]
    assigned = dice.choice(users) if world.chance(0.9) else account.tables["users"][max(account.tables["users"])]
    stage = account.tables["stages"][dice.choices((1, 2, 3, 4, 5, 6), (6, 4, 2, 1, 1, 0.4))[0]]
    city, short, _, code = dice.choice(CITIES)
    person_id = account.next_id("people")
    price: Any = dice.randint(150, 900) * 1000
    row: Row = {
        "id": person_id,
        "created": iso(created),
        "updated": iso(touched),
        "createdVia": "API",
        "lastActivity": iso(touched),
        "name": f"{first} {last}",
        "firstName": first,
        "lastName": last,
        "stage": stage["name"],
        "stageId": stage["id"],
        "type": dice.choice(["Buyer", "Seller", None]),
        "source": dice.choice(["Harborlight Site", "<unspecified>", "Open House 🏡"]),
        "sourceUrl": "",
        "contacted": dice.choice([0, 1]),
        "price": price if world.chance(0.9) else None,
        "prequalified": False,
        "assignedUserId": assigned["id"],
        "assignedTo": assigned["name"],
        "assignedPondId": None,
        "tags": dice.sample(["Buyer", "Spring Fair", "VIP"], dice.randint(0, 2)),
        "emails": [{"value": f"p{person_id}@example.test", "type": "home", "isPrimary": 1, "status": "Valid"}],
        "phones": [{"value": f"(555) 010-{person_id % 10000:04d}", "type": "mobile", "isPrimary": 1}],
        "addresses": [
            {"type": "home", "street": f"{dice.randint(1, 99)} {dice.choice(STREETS)}", "city": city, "state": short,
             "code": code, "country": "US"}
        ],
        "picture": None,
        "websiteVisits": dice.randint(0, 9),
        "customMoveDate": "2031-06-01" if world.chance(0.2) else None,
    }  # fmt: skip
    account.tables["people"][person_id] = row
    return row


def _child(world: World, account: FubAccount, table: str, person: Row | None, at: Any) -> Row:
    then = at or world.past(400)
    row_id = account.next_id(table)
    user = person["assignedUserId"] if person else account.owner_id
    row: Row = {
        "id": row_id, "created": iso(then), "updated": iso(then), "createdById": user, "updatedById": user,
        "personId": person["id"] if person else 0, "userId": user,
        "userName": account.tables["users"][user]["name"],
    }  # fmt: skip
    account.tables[table][row_id] = row
    return row


def add_call(world: World, account: FubAccount, person: Row | None, *, at: Any = None) -> Row:
    """A call; some have an unknown caller (personId 0)."""
    person = None if person is not None and at is None and world.chance(0.03) else person
    row = _child(world, account, "calls", person, at)
    incoming = world.chance(0.5)
    row |= {
        "phone": "5550104477", "toNumber": "5550100001", "fromNumber": "5550104477", "note": "",
        "name": person["name"] if person else None, "isIncoming": incoming, "duration": world.dice.randint(0, 900),
        "ringDuration": 12, "recordingUrl": None,
        "outcome": world.dice.choice(["Interested", "No Answer", "Left Message", None]),
    }  # fmt: skip
    return row


def add_text(world: World, account: FubAccount, person: Row, *, at: Any = None) -> Row:
    """A text message; it moves the contact's lastActivity, not its updated."""
    row = _child(world, account, "textMessages", person, at)
    incoming = world.chance(0.5)
    row |= {
        "status": "Received" if incoming else "Sent", "message": "Can we look at it Friday? 🙂",
        "fromNumber": "5550104477", "toNumber": "5550100001", "sent": row["created"], "isIncoming": incoming,
        "read": True, "archived": False, "sharedInboxId": None, "groupTextId": None, "isExternal": False, "media": [],
        "name": person["name"],
    }  # fmt: skip
    if at:
        person["lastActivity"] = iso(at)
    return row


def add_event(world: World, account: FubAccount, person: Row, *, at: Any = None) -> Row:
    """Something a contact did; the property's price is text."""
    row = _child(world, account, "events", person, at)
    kind = world.dice.choice(EVENT_TYPES)
    row |= {
        "type": kind, "source": "Harborlight Site", "message": "", "description": "", "noteId": None,
        "pageTitle": None, "pageUrl": None, "pageDuration": 42,
        "property": {"street": "8 Tern Row", "city": "Provo", "state": "UT", "code": "84601", "price": "415000",
                     "forRent": "0", "mlsNumber": "X1", "type": "House"} if "Property" in kind else None,
        "propertySearch": None,
    }  # fmt: skip
    return row


def add_appointment(world: World, account: FubAccount, person: Row, *, at: Any = None) -> Row:
    """An appointment; -1 as creator is the system."""
    row = _child(world, account, "appointments", person, at)
    start = world.start + timedelta(days=world.dice.randint(-60, 30))
    user = row.pop("userId")
    row.pop("personId")
    row.pop("userName")
    row |= {
        "createdById": -1 if world.chance(0.1) else user,
        "title": "Viewing", "description": "", "start": iso(start), "end": iso(start + timedelta(minutes=30)),
        "allDay": False, "originFub": True, "location": "8 Tern Row", "typeId": 2, "type": "Showing",
        "outcomeId": None, "outcome": None, "isEditable": True, "detailsVisible": True,
        "invitees": [
            {"userId": user, "personId": None, "name": account.tables["users"][user]["name"], "email": "u@example.test"},
            {"userId": None, "personId": person["id"], "name": person["name"], "email": "p@example.test"},
        ],
    }  # fmt: skip
    return row


def add_deal(world: World, account: FubAccount, person: Row) -> Row:
    """A CRM deal: createdAt in place of created, no stamp of change; some are archived or deleted."""
    dice = world.dice
    pipeline = dice.choice(list(account.tables["pipelines"].values()))
    stage = dice.choice(pipeline["stages"])
    user = account.tables["users"][person["assignedUserId"]]
    row_id = account.next_id("deals")
    row: Row = {
        "id": row_id, "name": f"{person['name']} deal", "pipelineId": pipeline["id"], "pipelineName": pipeline["name"],
        "stageId": stage["id"], "stageName": stage["name"], "enteredStageAt": iso(world.past(90)),
        "createdAt": iso(world.past(200)), "status": dice.choices(("Active", "Archived", "Deleted"), (8, 1, 0.5))[0],
        "type": 1, "price": dice.randint(150, 900) * 1000, "orderWeight": 2000, "description": "",
        "projectedCloseDate": "2031-04-15" if world.chance(0.5) else None, "commissionValue": 12075,
        "agentCommission": 8400, "teamCommission": 3675,
        "people": [{"id": person["id"], "name": person["name"], "avatar": None}],
        "users": [{"id": user["id"], "name": user["name"]}],
    }  # fmt: skip
    account.tables["deals"][row_id] = row
    return row
