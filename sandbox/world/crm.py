"""The CRM accounts at the world's start: users, reference lists, and contacts; some contacts are clients of deals.

Where two spellings of one fact were seen at the real service (0 for false, an empty list for an object, text for a
number), both occur here.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

from sandbox.world import activity
from sandbox.world.model import FubAccount, FubUser, Row, iso
from sandbox.world.names import STREETS, US_TOWNS, a_name

if TYPE_CHECKING:
    from sandbox.world.world import World

STAGES = ("Lead", "Nurture", "Active Client", "Under Contract", "Closed", "Trash")
TRASH = 6
TABLES = (
    "users", "groups", "stages", "pipelines", "people", "deals", "events", "calls", "appointments", "textMessages",
    "notes",
)  # fmt: skip
FIRST_ACCOUNT, FIRST_USER = 77_001, 11
#: How many of an account's contacts are clients of its users' deals.
CLIENTS = 0.25


def build(world: World) -> None:
    """Fills world.accounts and gives each of the product's users a key."""
    products = iter(world.users)
    share = world.scale.people // len(world.scale.seats)
    for number, seats in enumerate(world.scale.seats):
        account = FubAccount(FIRST_ACCOUNT + number, f"team{number}", FIRST_USER)
        account.tables = {table: {} for table in TABLES}
        world.accounts[account.id] = account
        users = [next(products) for _ in range(seats)]
        _users(world, account, users)
        _reference(account)
        _people(world, account, [user.agent_id for user in users], share)
        activity.build(world, account, share)
        for stage in account.tables["stages"].values():
            stage["peopleCount"] = sum(p["stageId"] == stage["id"] for p in account.tables["people"].values())


def _users(world: World, account: FubAccount, users: list[Any]) -> None:
    rows = account.tables["users"]
    for seat, user in enumerate(users):
        user_id = account.next_id("users") + FIRST_USER - 1
        key = f"fka_{world.dice.getrandbits(96):024x}"
        account.keys[key] = FubUser(user_id, key, seat == 0)
        user.fub_account, user.fub_user, user.fub_key = account.id, user_id, key
        rows[user_id] = a_user(world, user_id, user.name, user.email, owner=seat == 0)
    for extra in range(3):
        first, last = a_name(world.dice)
        user_id = account.next_id("users") + FIRST_USER - 1
        rows[user_id] = a_user(
            world, user_id, f"{first} {last}", f"staff{extra}.{account.id}@example.test", owner=False
        )
    # Old records still name the one who has left.
    rows[max(rows)]["status"] = "Deleted"


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
        "beta": 0,
        "picture": {"60x60": "https://example.test/p.png"} if owner else [],
        "pauseLeadDistribution": False,
        "canExport": owner,
        "canCreateApiKeys": True,
        "isOwner": owner,
        "groups": [{"id": 1, "name": "North"}],
        "teamIds": [],
        "teamLeaderOf": [],
    }


def _reference(account: FubAccount) -> None:
    tables = account.tables
    agents = [u for u in tables["users"].values() if u["status"] != "Deleted"]
    for number, name in enumerate(STAGES, 1):
        tables["stages"][number] = {
            "id": number, "name": name, "orderWeight": number * 1000, "isProtected": number in (1, TRASH),
            "peopleCount": 0,
        }  # fmt: skip
    for number, name in enumerate(("North", "South"), 1):
        members = agents if number == 1 else agents[:1]
        tables["groups"][number] = {
            "id": number, "name": name, "type": "Agent",
            "distribution": "round-robin" if number == 1 else "first-to-claim", "defaultUserId": account.owner_id,
            "defaultPondId": None, "defaultGroupId": None, "claimWindow": 30, "isPrimary": number == 1,
            "users": [{"id": u["id"], "name": u["name"], "role": u["role"]} for u in members],
        }  # fmt: skip
    for number, name in enumerate(("Buyers", "Sellers"), 1):
        tables["pipelines"][number] = {
            "id": number, "name": name, "description": None, "orderWeight": number * 1000,
            "stages": [
                {"id": number * 10 + i, "name": n, "description": None, "orderWeight": i * 1000, "color": "#4a7",
                 "closedStage": i == 3}
                for i, n in enumerate(("Appointment", "Under Contract", "Closed"), 1)
            ],
        }  # fmt: skip


def _people(world: World, account: FubAccount, agents: list[str], number: int) -> None:
    """Contacts; the first are clients of the users' deals, with the same name, e-mail and phone."""
    users = {u.agent_id: u.fub_user for u in world.users if u.fub_account == account.id}
    clients = [
        (client, deal)
        for deal in world.brokerage.deals.values()
        if deal["_owner"] in agents
        for client in deal["participants"]
        if client.get("participantRole") in ("BUYER", "SELLER") and client["emailAddress"]
    ]
    for client, deal in clients[: int(number * CLIENTS)]:
        person = add_person(world, account, client=client, user_id=users[deal["_owner"]])
        person["tags"] = [*person["tags"], "Client"]
        if world.chance(0.2):
            activity.add_deal(world, account, person, of=deal)
    while len(account.tables["people"]) < number:
        add_person(world, account)


def add_person(
    world: World,
    account: FubAccount,
    *,
    at: datetime | None = None,
    client: Row | None = None,
    user_id: int | None = None,
) -> Row:
    """A contact; `at` is when it was last touched (default: some time before the start)."""
    dice, users = world.dice, account.tables["users"]
    first, last = (client["firstName"], client["lastName"] or "") if client else a_name(dice)
    created = at or world.past(900)
    touched = at or min(created + timedelta(days=dice.randint(0, 300)), world.start - timedelta(minutes=30))
    assigned = users[user_id] if user_id else _assignee(world, account)
    stage = account.tables["stages"][dice.choices(range(1, 7), (6, 4, 2, 1, 1, 0.4))[0]]
    city, short, long, code, _ = dice.choice(US_TOWNS)
    person_id = account.next_id("people")
    email = client["emailAddress"] if client else f"p{person_id}.{account.id}@example.test"
    phone = client["phoneNumber"] if client else f"(555) {person_id // 10000 % 1000:03d}-{person_id % 10000:04d}"
    row: Row = {
        "id": person_id,
        "created": iso(created),
        "updated": iso(touched),
        "createdVia": dice.choice(["API", "Manually", "Import"]),
        "lastActivity": iso(touched),
        "name": f"{first} {last}".strip(),
        "firstName": first,
        "lastName": last,
        "stage": stage["name"],
        "stageId": stage["id"],
        "type": dice.choice(["Buyer", "Seller", None]),
        "source": dice.choice(["Harborlight Site", "<unspecified>", "Open House 🏡"]),
        "sourceUrl": "",
        "contacted": dice.choice([0, 1]),
        "price": dice.randint(150, 900) * 1000 if world.chance(0.9) else dice.choice([None, 0]),
        "prequalified": False,
        "timeframeId": dice.choice([1, 2, 3, None]),
        "assignedUserId": assigned["id"] if assigned else None,
        "assignedTo": assigned["name"] if assigned else None,
        "assignedPondId": None,
        "assignedLenderId": None,
        "assignedLenderName": None,
        "collaborators": [],
        "claimed": True,
        "tags": dice.sample(["Buyer", "Spring Fair", "VIP"], dice.randint(0, 2)),
        "emails": [{"value": email, "type": "home", "isPrimary": 1, "status": "Valid"}] if world.chance(0.95) else [],
        "phones": [
            {"value": phone, "normalized": "".join(filter(str.isdecimal, phone)), "type": "mobile", "isPrimary": 1,
             "status": "Valid"}
        ] if world.chance(0.9) else [],
        "addresses": [
            {"type": "home", "street": f"{dice.randint(1, 99)} {dice.choice(STREETS)}", "city": city,
             "state": dice.choice([short, short, long.title().replace("_", " ")]), "code": code, "country": "US"}
        ] if world.chance(0.8) else [],
        "picture": {"small": "https://example.test/s.png"} if world.chance(0.1) else None,
        "background": "Größe egal, Hauptsache Süden ☀️" if world.chance(0.1) else "",
        "websiteVisits": dice.randint(0, 9),
        "customMoveDate": "2031-06-01" if world.chance(0.2) else None,
        "customBudget": dice.choice([None, "350000", 350000]),
    }  # fmt: skip
    if world.chance(0.1):
        other = dice.choice([u for u in users.values() if u["status"] != "Deleted"])
        row["collaborators"] = [{"id": other["id"], "name": other["name"], "assigned": False, "role": other["role"]}]
    if assigned is None:
        row["claimed"] = False
        account.offers[person_id] = dice.choice([u.id for u in account.keys.values()])
    account.tables["people"][person_id] = row
    return row


def _assignee(world: World, account: FubAccount) -> Row | None:
    """Who gets a contact: mostly an active user, some still name one who has left, few are not claimed yet."""
    users, share = account.tables["users"], world.dice.random()
    if share < 0.01:
        return None
    if share < 0.05:
        return users[max(users)]
    return world.dice.choice([u for u in users.values() if u["status"] != "Deleted"])
