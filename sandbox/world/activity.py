"""What happens around contacts: calls, texts, events, appointments, notes, and the CRM's own deals."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from sandbox.world.model import FubAccount, Row, iso

if TYPE_CHECKING:
    from sandbox.world.world import World

EVENT_TYPES = ("Registration", "Property Inquiry", "Viewed Property", "Saved Property", "Visited Website")
OFFICE_PHONE = "5550100001"


def build(world: World, account: FubAccount, share: int) -> None:
    """The history of an account of `share` contacts; a lead that nobody has claimed has none."""
    people = [person for person in account.tables["people"].values() if person["claimed"]]
    scale, dice = world.scale, world.dice
    for _ in range(int(share * scale.calls_per_person)):
        add_call(world, account, None if world.chance(0.03) else dice.choice(people))
    for _ in range(int(share * scale.texts_per_person)):
        add_text(world, account, dice.choice(people))
    for _ in range(int(share * scale.events_per_person)):
        add_event(world, account, dice.choice(people))
    for _ in range(share // 8):
        add_appointment(world, account, dice.choice(people))
    for _ in range(share // 20):
        add_note(world, account, dice.choice(people))
    while len(account.tables["deals"]) < share // 10:
        add_deal(world, account, dice.choice(people))


def _child(world: World, account: FubAccount, table: str, person: Row | None, at: datetime | None) -> Row:
    then = at or world.past(400)
    row_id = account.next_id(table)
    user = (person["assignedUserId"] if person else None) or account.owner_id
    row: Row = {
        "id": row_id, "created": iso(then), "updated": iso(then), "createdById": user, "updatedById": user,
        "personId": person["id"] if person else 0, "userId": user, "userName": account.tables["users"][user]["name"],
    }  # fmt: skip
    account.tables[table][row_id] = row
    return row


def _phone(person: Row | None) -> str:
    return person["phones"][0]["normalized"] if person and person["phones"] else "5550104477"


def add_call(world: World, account: FubAccount, person: Row | None, *, at: datetime | None = None) -> Row:
    """A call; without a contact its caller is unknown (personId 0)."""
    row = _child(world, account, "calls", person, at)
    incoming, theirs = world.chance(0.5), _phone(person)
    row |= {
        "phone": theirs, "toNumber": OFFICE_PHONE if incoming else theirs,
        "fromNumber": theirs if incoming else OFFICE_PHONE, "note": "",
        "name": person["name"] if person else None, "isIncoming": incoming,
        "duration": world.dice.choice([0, world.dice.randint(1, 900)]), "ringDuration": 12,
        "recordingUrl": "Hidden for privacy reasons" if world.chance(0.05) else None,
        "outcome": world.dice.choice(["Interested", "No Answer", "Left Message", None]),
    }  # fmt: skip
    return row


def add_text(world: World, account: FubAccount, person: Row, *, at: datetime | None = None) -> Row:
    """A text message; it moves the contact's lastActivity, not its updated."""
    row = _child(world, account, "textMessages", person, at)
    incoming, theirs = world.chance(0.5), _phone(person)
    row |= {
        "status": "Received" if incoming else "Sent", "message": "Can we look at it Friday? 🙂",
        "fromNumber": theirs if incoming else OFFICE_PHONE, "toNumber": OFFICE_PHONE if incoming else theirs,
        "sent": row["created"], "isIncoming": incoming, "read": True, "archived": False, "sharedInboxId": None,
        "groupTextId": None, "isExternal": False, "externalUrl": None, "media": [], "name": person["name"],
    }  # fmt: skip
    if at:
        person["lastActivity"] = max(person["lastActivity"], iso(at))
    return row


def add_event(world: World, account: FubAccount, person: Row, *, at: datetime | None = None) -> Row:
    """Something a contact did; the property's price is text."""
    row = _child(world, account, "events", person, at)
    kind = world.dice.choice(EVENT_TYPES)
    for name in ("userId", "userName", "createdById", "updatedById"):
        del row[name]
    row |= {
        "type": kind, "source": "Harborlight Site", "message": "", "description": "", "noteId": None,
        "pageTitle": None, "pageUrl": None, "pageDuration": 42,
        "property": {"street": "8 Tern Row", "city": "Provo", "state": "UT", "code": "84601", "price": "415000",
                     "forRent": "0", "url": "", "mlsNumber": "X1", "type": "House", "bedrooms": "3", "bathrooms": "2",
                     "area": "1600", "lot": ""} if "Property" in kind else None,
        "propertySearch": None,
    }  # fmt: skip
    return row


def add_appointment(world: World, account: FubAccount, person: Row, *, at: datetime | None = None) -> Row:
    """An appointment; -1 as creator is the system."""
    row = _child(world, account, "appointments", person, at)
    start = (world.start + timedelta(days=world.dice.randint(-60, 30))).replace(minute=0, second=0)
    user = account.tables["users"][row.pop("userId")]
    row.pop("personId")
    row.pop("userName")
    email = person["emails"][0]["value"] if person["emails"] else ""
    row |= {
        "createdById": -1 if world.chance(0.1) else user["id"],
        "title": "Viewing", "description": "", "start": iso(start), "end": iso(start + timedelta(minutes=30)),
        "allDay": world.chance(0.05), "originFub": True, "location": "8 Tern Row", "typeId": 2, "type": "Showing",
        "outcomeId": None, "outcome": None, "externalEventLink": None, "externalCalendarId": None, "isEditable": True,
        "detailsVisible": True,
        "invitees": [
            {"userId": user["id"], "personId": None, "name": user["name"], "email": user["email"], "picture": []},
            {"userId": None, "personId": person["id"], "name": person["name"], "email": email, "picture": None},
        ],
    }  # fmt: skip
    return row


def add_note(world: World, account: FubAccount, person: Row, *, at: datetime | None = None) -> Row:
    """A note; isHtml is a number here and true or false there."""
    row = _child(world, account, "notes", person, at)
    row |= {
        "createdBy": row.pop("userName"), "subject": "", "body": "Prefers mornings", "type": "Note",
        "isHtml": world.dice.choice([0, 1, False]), "isExternal": False, "systemName": "FUB", "actionPlanId": None,
    }  # fmt: skip
    del row["userId"]
    return row


def add_deal(world: World, account: FubAccount, person: Row, *, of: Row | None = None) -> Row:
    """A CRM deal: createdAt in place of created, no stamp of change; some archived or deleted.

    `of` is the brokerage's deal that it tells about: then price and expected close are that one's.
    """
    dice = world.dice
    pipeline = dice.choice(list(account.tables["pipelines"].values()))
    stage = dice.choice(pipeline["stages"])
    user = account.tables["users"][person["assignedUserId"] or account.owner_id]
    row_id = account.next_id("deals")
    price = dice.randint(150, 900) * 1000
    if of and isinstance(of["price"], dict):
        price = of["price"]["amount"]
    row: Row = {
        "id": row_id,
        "name": of["address"]["street"] if of and of["address"] else f"{person['name']} deal",
        "pipelineId": pipeline["id"], "pipelineName": pipeline["name"],
        "stageId": stage["id"], "stageName": stage["name"], "enteredStageAt": iso(world.past(90)),
        "createdAt": iso(world.past(200)), "status": dice.choices(("Active", "Archived", "Deleted"), (8, 1, 0.5))[0],
        "type": 1, "price": price, "orderWeight": 2000, "description": "",
        "projectedCloseDate": of["closingDateEstimated"] if of else dice.choice(["2031-04-15", None]),
        "commissionValue": round(price * 0.03, 2), "agentCommission": round(price * 0.02, 2),
        "teamCommission": round(price * 0.01, 2),
        "people": [{"id": person["id"], "name": person["name"], "avatar": None}],
        "users": [] if world.chance(0.02) else [{"id": user["id"], "name": user["name"]}],
    }  # fmt: skip
    account.tables["deals"][row_id] = row
    return row
