"""The CRM as V1 has it: every account's users, stages, contacts and calls, as they were when V1 last looked.

V1 kept the fields that its frontend showed, under V2's names, and pointed to its own numbers. It read every account
whole, so what V2 lacks of these tables V2 has lost. No dice are thrown here.
"""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, Any

from sandbox.world.model import FubAccount, Row, millis

if TYPE_CHECKING:
    from sandbox.world.v1 import V1
    from sandbox.world.world import World


def build(world: World, v1: V1, users: list[int]) -> None:
    """Adds the CRM's tables to V1. `users` are V1's numbers of the product's users, in the world's order."""
    product = {(user.fub_account, user.fub_user): number for user, number in zip(world.users, users, strict=False)}
    for account in world.accounts.values():
        _account(v1, account, {user: number for (held, user), number in product.items() if held == account.id})


def _account(v1: V1, account: FubAccount, product: dict[int, int]) -> None:
    then = _instant(min(row["created"] for row in account.tables["users"].values()))
    owner = product.get(account.owner_id, 0)
    held = v1.add(
        "fub_accounts",
        then,
        account_id_raw=account.id,
        host_name=account.domain,
        fub_owner_id=account.owner_id,
        active=True,
        user_id=owner,
    )["id"]
    users = {
        number: v1.add(
            "fub_users",
            _instant(row["created"]),
            fub_account_id=held,
            fub_user_id_raw=number,
            name=row["name"],
            first_name=row["firstName"],
            last_name=row["lastName"],
            email=row["email"],
            role=row["role"],
            status=row["status"],
            is_owner=row["isOwner"],
            ad_user_id=product.get(number, 0),
        )["id"]
        for number, row in account.tables["users"].items()
    }
    stages = {
        number: v1.add(
            "fub_stages",
            then,
            fub_account_id=held,
            fub_stage_id_raw=number,
            name=row["name"],
            order_weight=row["orderWeight"],
            is_protected=row["isProtected"],
        )["id"]
        for number, row in account.tables["stages"].items()
    }
    people = {
        number: _person(v1, held, row, stages, users, product.get(row["assignedUserId"] or 0, owner))
        for number, row in account.tables["people"].items()
    }
    for row in account.tables["calls"].values():
        _call(v1, held, row, people, users, product.get(row["userId"] or 0, owner))


def _person(v1: V1, account: int, row: Row, stages: dict[int, int], users: dict[int, int], user: int) -> int:
    return v1.add(
        "fub_people",
        _instant(row["created"]),
        updated_at=_millis(row["updated"]),
        fub_account_id=account,
        fub_people_id_raw=row["id"],
        people_name=row["name"],
        first_name=row["firstName"],
        last_name=row["lastName"],
        type=row["type"],
        email=row["emails"][0]["value"].strip().lower() if row["emails"] else None,
        phone=row["phones"][0]["normalized"] if row["phones"] else None,
        stage_name=row["stage"],
        source_name=None if row["source"] == "<unspecified>" else row["source"],
        created_via=row["createdVia"],
        price=row["price"],
        contacted=bool(row["contacted"]),
        website_visits=row["websiteVisits"],
        claimed=row["claimed"],
        tags=row["tags"],
        fub_created_at=_millis(row["created"]),
        fub_updated_at=_millis(row["updated"]),
        fub_createdAt_formatted=row["created"][:10],
        stage_id=stages[row["stageId"]],
        assigned_to_fub_id=users.get(row["assignedUserId"] or 0, 0),
        user_id=user,
    )["id"]


def _call(v1: V1, account: int, row: Row, people: dict[int, int], users: dict[int, int], user: int) -> None:
    v1.add(
        "fub_calls",
        _instant(row["created"]),
        updated_at=_millis(row["updated"]),
        fub_account_id=account,
        call_id=row["id"],
        phone=row["phone"] or None,
        from_number=row["fromNumber"] or None,
        to_number=row["toNumber"] or None,
        outcome=row["outcome"],
        is_incoming=row["isIncoming"],
        duration=row["duration"],
        person_id=row["personId"] or None,
        fub_created_at=_millis(row["created"]),
        fub_people_id=people.get(row["personId"] or 0, 0),
        fub_user_id=users.get(row["userId"] or 0, 0),
        user_id=user,
    )


def _instant(text: str) -> datetime:
    return datetime.fromisoformat(text)


def _millis(text: Any) -> int:
    return millis(_instant(text))
