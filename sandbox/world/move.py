"""The world moves on: creates, updates, moves, deletes, and one record that arrives with an older stamp.

Whatever has a stamp gets a new one when it changes; what has none (CRM deals, groups, rosters) changes silently, as at
the real services.
"""

from __future__ import annotations

import hashlib
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

from sandbox.world import activity, crm, files, money, network, title
from sandbox.world.agents import a_seat
from sandbox.world.deals import add_deal, set_group
from sandbox.world.model import FubAccount, Row, agent_of, iso, millis

if TYPE_CHECKING:
    from sandbox.world.world import World

#: What one step changes, as a share of what there is (at least one of each).
SHARE = 0.01
#: How much older than the newest the late record is: within the overlap that a careful reader keeps.
LATE = timedelta(minutes=4)
CHILDREN = ("calls", "events", "textMessages", "notes")


def step(world: World, at: datetime | None = None) -> dict[str, Any]:
    """Moves the world to `at` (default: now). Returns what happened, in ids by kind."""
    world.now = max((at or datetime.now(UTC)).replace(microsecond=0), world.now)
    world.version += 1
    crm_told = {str(account.id): _crm(world, account) for account in world.accounts.values()}
    return {
        "at": iso(world.now),
        "fub": crm_told,
        "rezen": _brokerage(world) | {"network": network.step(world), "money": money.step(world)},
        "skyslope": files.step(world),
        "title": title.step(world, world.title),
    }


def reassign(world: World, account: FubAccount, person_id: int, user_id: int) -> Row:
    """Hands a contact to another user. Raises KeyError for an unknown one."""
    person, user = account.tables["people"][person_id], account.tables["users"][user_id]
    person |= {"assignedUserId": user["id"], "assignedTo": user["name"], "updated": iso(world.now)}
    world.version += 1
    return person


def touch(world: World, system: str, entity: str, account: str, record: str, at: str) -> dict[str, Any]:
    """Changes one record now. Returns which, and the fact that tells it changed. Raises KeyError for an unknown one."""
    world.now = max(world.now, datetime.fromisoformat(at))
    world.version += 1
    if (system, entity) == ("rezen", "transactions"):
        deal = world.brokerage.deals[record]
        amount = round(float(deal["price"]["amount"] or 0)) + 1
        deal |= {"price": deal["price"] | {"amount": amount}, "updatedAt": millis(world.now)}
        return {"system": system, "entity": entity, "id": record, "at": at, "field": "price", "value": amount}
    if system != "fub":
        raise KeyError(f"{system}/{entity}")
    row = world.accounts[int(account)].tables[entity][int(record)]
    field = {"people": "price", "deals": "price", "calls": "duration"}[entity]
    row[field] = (row[field] or 0) + 1
    if "updated" in row:
        row["updated"] = iso(world.now)
    return {"system": system, "entity": entity, "account": account, "id": record, "at": at, "field": field,
            "value": row[field]}  # fmt: skip


def rotate(world: World, system: str, key: str) -> str:
    """A user's key is made anew: from now on the old one is refused. Returns the new one. Raises KeyError.

    `key` is the CRM's or reZEN's API key, SkySlope's access key; Qualia's user names do not change.
    """
    new = key[:4] + hashlib.blake2b(key.encode(), digest_size=12).hexdigest()
    if system == "fub":
        account = next((a for a in world.accounts.values() if key in a.keys), None)
        if account is None:
            raise KeyError(key[-4:])
        account.keys[new] = account.keys.pop(key)
        next(user for user in world.users if user.fub_key == key).fub_key = new
    elif system == "rezen":
        world.brokerage.keys[new] = world.brokerage.keys.pop(key)
        next(user for user in world.users if user.rezen_key == key).rezen_key = new
    elif system == "skyslope":
        world.files.keys[new] = world.files.keys.pop(key)
        user = next(u for u in world.users if u.connections.get(system, None) and u.connections[system].api_key == key)
        user.connections[system] = replace(user.connections[system], api_key=new)
    else:
        raise KeyError(system)
    world.version += 1
    return new


def merge_people(world: World, account: FubAccount, winner_id: int, loser_id: int) -> Row:
    """Two contacts become one: what the loser had is the winner's, and the loser is gone. Raises KeyError."""
    tables, now = account.tables, iso(world.now)
    winner, loser = tables["people"][winner_id], tables["people"][loser_id]
    held = {email["value"] for email in winner["emails"]}
    winner["emails"] = [*winner["emails"], *(e for e in loser["emails"] if e["value"] not in held)]
    winner["updated"] = now
    for table in CHILDREN:
        for row in tables[table].values():
            if row["personId"] == loser_id:
                row["personId"] = winner_id
                if "updated" in row:
                    row["updated"] = now
    for deal in tables["deals"].values():
        deal["people"] = [p | {"id": winner_id, "name": winner["name"]} if p["id"] == loser_id else p
                          for p in deal["people"]]  # fmt: skip
    for row in tables["appointments"].values():
        for invitee in row["invitees"]:
            if invitee["personId"] == loser_id:
                invitee["personId"] = winner_id
                row["updated"] = now
    delete_person(account, loser_id)
    world.version += 1
    return winner


def delete_person(account: FubAccount, person_id: int) -> None:
    """A contact goes, and with it everything of it, without a word (the documents say so)."""
    tables = account.tables
    tables["people"].pop(person_id, None)
    account.offers.pop(person_id, None)
    for table in CHILDREN:
        for row_id in [i for i, row in tables[table].items() if row["personId"] == person_id]:
            del tables[table][row_id]
    for row_id in [i for i, deal in tables["deals"].items() if any(p["id"] == person_id for p in deal["people"])]:
        del tables["deals"][row_id]
    for row_id in [
        i for i, row in tables["appointments"].items() if any(v["personId"] == person_id for v in row["invitees"])
    ]:
        del tables["appointments"][row_id]


def _some(world: World, rows: list[Row], share: float = SHARE) -> list[Row]:
    return world.dice.sample(rows, min(max(1, int(len(rows) * share)), len(rows)))


def _crm(world: World, account: FubAccount) -> dict[str, list[int]]:
    tables, at, now = account.tables, world.now, iso(world.now)
    told: dict[str, list[int]] = {
        kind: [] for kind in ("created", "updated", "trashed", "restored", "reassigned", "deleted", "late")
    }
    people = list(tables["people"].values())
    for person in _some(world, people):
        person["price"] = (person["price"] or 0) + 1000
        person["tags"] = [*person["tags"][:1], "Touched"]
        person["updated"] = person["lastActivity"] = now
        told["updated"].append(person["id"])
    # Out of the trash and into it.
    for kind, pool, stage in (
        ("restored", [p for p in people if p["stageId"] == crm.TRASH], 1),
        ("trashed", [p for p in people if p["stageId"] != crm.TRASH], crm.TRASH),
    ):
        for person in world.dice.sample(pool, min(1, len(pool))):
            person |= {"stage": crm.STAGES[stage - 1], "stageId": stage, "updated": now}
            told[kind].append(person["id"])
    told["reassigned"] = _reassign_quiet(world, account)
    for _ in range(max(2, int(len(people) * SHARE))):
        told["created"].append(crm.add_person(world, account, at=at)["id"])
    told["late"].append(crm.add_person(world, account, at=at - LATE)["id"])
    claimed = [person for person in people if person["claimed"]]
    for person in _some(world, claimed, 0.005):
        activity.add_call(world, account, person, at=at)
        activity.add_text(world, account, person, at=at)
        activity.add_event(world, account, person, at=at)
    activity.add_appointment(world, account, world.dice.choice(claimed), at=at)
    for deal in _some(world, list(tables["deals"].values())):
        deal["status"], deal["price"] = "Deleted", deal["price"] + 500
    south = tables["groups"][max(tables["groups"])]
    outside = [u for u in tables["users"].values() if all(u["id"] != m["id"] for m in south["users"])]
    if outside:
        south["users"].append({"id": outside[0]["id"], "name": outside[0]["name"], "role": outside[0]["role"]})
    new = {*told["created"], *told["late"], *told["reassigned"]}
    gone = world.dice.choice([p["id"] for p in people if p["id"] not in new])
    if world.may_lose(f"people of {account.id}", len(people)):
        delete_person(account, gone)
        told["deleted"].append(gone)
    return told


def _reassign_quiet(world: World, account: FubAccount) -> list[int]:
    """One contact without any history goes to another user who has a key.

    History changes hands with its contact and keeps its old stamps, so a reader that goes by stamps cannot see it come:
    `World.reassign` does that to a contact of one's choice, for tests of full passes.
    """
    tables = account.tables
    busy = {row["personId"] for table in CHILDREN for row in tables[table].values()}
    busy |= {v["personId"] for row in tables["appointments"].values() for v in row["invitees"]}
    busy |= {p["id"] for deal in tables["deals"].values() for p in deal["people"]}
    holders = [user.id for user in account.keys.values()]
    quiet = [p for p in tables["people"].values() if p["id"] not in busy and p["assignedUserId"] in holders]
    if not quiet or len(holders) < 2:
        return []
    person = world.dice.choice(quiet)
    user = world.dice.choice([h for h in holders if h != person["assignedUserId"]])
    reassign(world, account, person["id"], user)
    return [person["id"]]


def _brokerage(world: World) -> dict[str, list[str]]:
    brokerage, stamp = world.brokerage, millis(world.now)
    told: dict[str, list[str]] = {kind: [] for kind in ("created", "updated", "moved", "deleted", "joined", "left")}
    for deal in _some(world, list(brokerage.deals.values())):
        deal["price"] = {"amount": 512345.67, "currency": deal["currency"]}
        deal["updatedAt"] = stamp
        told["updated"].append(deal["id"])
    for deal in _some(world, [d for d in brokerage.deals.values() if d["_group"] == "OPEN"], 0.02):
        set_group(world, deal, "CLOSED")
        deal["updatedAt"] = stamp
        deal["participants"] = deal["participants"][:-1]
        told["moved"].append(deal["id"])
    # One goes back: a closed deal is recalculated.
    again = [d for d in brokerage.deals.values() if d["_group"] == "CLOSED" and not d["listing"]]
    for deal in world.dice.sample(again, min(1, len(again))):
        set_group(world, deal, "OPEN")
        deal |= {"lifecycleState": {"state": "NEEDS_COMMISSION_VALIDATION"}, "updatedAt": stamp}
        told["moved"].append(deal["id"])
    for _ in range(max(2, int(len(brokerage.deals) * SHARE))):
        deal = add_deal(world)
        deal["createdAt"] = deal["updatedAt"] = stamp
        told["created"].append(deal["id"])
    # The late one: it appears now, with a stamp from before.
    late = millis(world.now - LATE)
    brokerage.deals[told["created"][-1]] |= {"createdAt": late, "updatedAt": late}
    quiet = [d["id"] for d in brokerage.deals.values() if d["id"] not in told["created"] and not d["listing"]]
    gone = world.dice.choice(quiet)
    if world.may_lose("deals", len(brokerage.deals)):
        del brokerage.deals[gone], brokerage.viewers[gone]
        told["deleted"].append(gone)
    _rosters(world, told, stamp)
    return told


def _rosters(world: World, told: dict[str, list[str]], stamp: int) -> None:
    """One agent joins the first team, and one who is no user of the product leaves the second."""
    brokerage = world.brokerage
    teams = list(brokerage.teams)
    roster = brokerage.rosters[teams[0]]
    members = {agent_of(seat) for seat in roster}
    outside = [agent for agent in brokerage.agents if agent not in members]
    products = {user.agent_id for user in world.users}
    joining = next((agent for agent in outside if agent not in products), None)
    if joining:
        roster.append(a_seat(world, joining, "MEMBER", len(roster)))
        brokerage.teams[teams[0]]["updatedAt"] = stamp
        told["joined"].append(joining)
    roster = brokerage.rosters[teams[-1]]
    leaving = [seat for seat in roster if agent_of(seat) not in products]
    if len(leaving) > 1 and world.may_lose("seats", len(roster)):
        roster.remove(leaving[-1])
        brokerage.teams[teams[-1]]["updatedAt"] = stamp
        told["left"].append(agent_of(leaving[-1]))
