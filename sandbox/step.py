"""The world moves on: creates, updates, moves, deletes, and one record that arrives with an older stamp."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

from sandbox import build_fub as crm
from sandbox.build_rezen import a_seat, add_deal, move
from sandbox.world import FubAccount, Row, World, iso, millis

#: What one step changes, as a share of what there is (at least one of each).
SHARE = 0.01
#: How much older than the newest the late record is: within the overlap that a careful reader keeps.
LATE = timedelta(minutes=4)


def step(world: World, at: datetime | None = None) -> dict[str, Any]:
    """Moves the world to `at` (default: now). Returns what happened, in counts and in ids by kind."""
    then = (at or datetime.now(UTC)).replace(microsecond=0)
    world.now = max(then, world.now)
    world.version += 1
    told: dict[str, Any] = {"at": iso(world.now), "fub": {}, "rezen": {}}
    for account in world.accounts.values():
        told["fub"][str(account.id)] = _crm(world, account)
    told["rezen"] = _deals(world)
    return told


def _some(world: World, rows: dict[Any, Row], share: float = SHARE) -> list[Row]:
    number = max(1, int(len(rows) * share))
    return world.dice.sample(list(rows.values()), min(number, len(rows)))


def _crm(world: World, account: FubAccount) -> dict[str, Any]:
    tables, at = account.tables, world.now
    told: dict[str, list[int]] = {"created": [], "updated": [], "trashed": [], "deleted": [], "late": []}
    for person in _some(world, tables["people"]):
        person["price"] = (person["price"] or 0) + 1000
        person["tags"] = [*person["tags"][:1], "Touched"]
        person["updated"] = person["lastActivity"] = iso(at)
        told["updated"].append(person["id"])
    moved = world.dice.choice(list(tables["people"].values()))
    moved |= {"stage": "Trash", "stageId": 6, "updated": iso(at)}
    told["trashed"].append(moved["id"])
    for _ in range(max(2, int(len(tables["people"]) * SHARE))):
        told["created"].append(crm.add_person(world, account, at=at)["id"])
    late = crm.add_person(world, account, at=at - LATE)
    told["late"].append(late["id"])
    for person in _some(world, tables["people"], 0.005):
        crm.add_call(world, account, person, at=at)
        crm.add_text(world, account, person, at=at)
        crm.add_event(world, account, person, at=at)
    crm.add_appointment(world, account, world.dice.choice(list(tables["people"].values())), at=at)
    for deal in _some(world, tables["deals"]):
        deal["status"], deal["price"] = "Deleted", deal["price"] + 500
    gone = world.dice.choice([p for p in tables["people"].values() if p["id"] not in told["late"] + told["created"]])
    delete_person(account, gone["id"])
    told["deleted"].append(gone["id"])
    return {name: ids for name, ids in told.items()}


def delete_person(account: FubAccount, person_id: int) -> None:
    """A contact goes, and everything of it, without a word (the documents say so)."""
    account.tables["people"].pop(person_id, None)
    for table in ("calls", "events", "textMessages"):
        rows = account.tables[table]
        for row_id in [i for i, row in rows.items() if row["personId"] == person_id]:
            del rows[row_id]
    for row_id in [i for i, d in account.tables["deals"].items() if any(p["id"] == person_id for p in d["people"])]:
        del account.tables["deals"][row_id]
    appointments = account.tables["appointments"]
    for row_id in [i for i, a in appointments.items() if any(v["personId"] == person_id for v in a["invitees"])]:
        del appointments[row_id]


def _deals(world: World) -> dict[str, Any]:
    brokerage, stamp = world.brokerage, millis(world.now)
    told: dict[str, list[str]] = {"created": [], "updated": [], "moved": [], "deleted": [], "joined": []}
    for deal in _some(world, brokerage.deals):
        deal["price"] = {"amount": 512345.67, "currency": deal["currency"]}
        deal["updatedAt"] = stamp
        told["updated"].append(deal["id"])
    for deal in _some(world, {i: d for i, d in brokerage.deals.items() if d["_group"] == "OPEN"}, 0.02):
        move(world, deal, "CLOSED")
        deal["updatedAt"] = stamp
        deal["participants"] = deal["participants"][:-1]
        told["moved"].append(deal["id"])
    for _ in range(max(2, int(len(brokerage.deals) * SHARE))):
        deal = add_deal(world)
        deal["createdAt"] = deal["updatedAt"] = stamp
        told["created"].append(deal["id"])
    quiet = [d for d in brokerage.deals.values() if d["id"] not in told["created"] and not d["listing"]]
    gone = world.dice.choice(quiet)["id"]
    del brokerage.deals[gone], brokerage.viewers[gone]
    told["deleted"].append(gone)
    team_id, roster = next(iter(brokerage.rosters.items()))
    outside = [a for a in brokerage.agents if all(a != (r.get("agent") or {}).get("id", r.get("yentaId")) for r in roster)]
    roster.append(a_seat(world, outside[0], "MEMBER", len(roster)))
    brokerage.teams[team_id]["updatedAt"] = stamp
    told["joined"].append(outside[0])
    return told
