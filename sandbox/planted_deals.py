"""Differences between V1 and the brokerage's deals, planted like those of the CRM (see `planted`), and people on deals.

V1 has the deals whole, each with its people, as the brokerage tells them. A deal that is taken away takes its people
along, so V1 lost them too and only the deal itself differs.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

from sandbox.planted import Plant
from sandbox.world.model import Row, millis
from sandbox.world.title import amount_of

if TYPE_CHECKING:
    from sandbox.world.world import World

#: What can be planted on a deal, or on a person on a deal → how a comparison has to call it.
KINDS: Mapping[str, tuple[str, str]] = {
    "deal_of_a_stranger": ("missing", "never_fetched"),
    "deal_shown_to_no_key": ("missing", "not_visible_to_key"),
    "deal_deleted_at_the_source": ("missing", "deleted_at_source"),
    "deal_not_merged_yet": ("missing", "pending"),
    "deal_unreadable": ("missing", "rejected"),
    "deal_moved_after_v1_was_read": ("changed", "in_flight"),
    "deal_moved_after_v1_last_looked": ("changed", "newer_at_source"),
    "deal_altered_in_v1": ("changed", "v1_wrong"),
    "deal_altered_in_v2": ("changed", "bug"),
    "person_never_in_v1": ("extra", "never_in_v1"),
    "person_dropped_from_the_deal": ("missing", "deleted_at_source"),
    "person_lost_in_v2": ("missing", "bug"),
}
#: Kinds that take the deal away; its people in V1 go with it.
_TAKEN = ("deal_shown_to_no_key", "deal_deleted_at_the_source", "deal_not_merged_yet", "deal_unreadable")


def _thousand_more(value: Any) -> Any:
    return (amount_of(value) or 0) + 1_000


def _other_code(value: Any) -> Any:
    return f"{value}-P"


def _new_year(_: Any) -> Any:
    return "2020-01-01"


#: V2's column of a deal → the brokerage's field, and how its value is altered.
_WAYS: Mapping[str, tuple[str, Callable[[Any], Any]]] = {
    "sale_price": ("price", _thousand_more),
    "list_price": ("listingPrice", _thousand_more),
    "contract_date": ("contractAcceptanceDate", _new_year),
    "rezen_code": ("code", _other_code),
}


class DealPlanter:
    """`plants` is the truth; a plant's record is the brokerage's id. `stranger`: a user of V1 without a connection."""

    def __init__(self, world: World, *, seed: int, number: int, stranger: str) -> None:
        self.world, self.v1, self.deals = world, world.v1, world.brokerage.deals
        self.dice = random.Random(f"planted deals/{seed}")
        users = {row["email"].lower(): row["id"] for row in self.v1.tables["user"].values()}
        self.stranger = users[stranger]
        self._users = {user.agent_id: users[user.email.lower()] for user in world.users}
        self._rows: dict[str, Row] = {}
        self._people: dict[str, list[Row]] = {}
        self._give_v1_the_deals()
        self._free = [number for number, deal in self.deals.items() if not deal["listing"]]
        self.dice.shuffle(self._free)
        self.plants = [self._chosen() for _ in range(number)]
        self._held: list[Row] = []

    def before(self) -> None:
        """What is so when the source is first read, and in V1."""
        for plant in self.plants:
            deal = self.deals[plant.deal] if plant.deal else {}
            match plant.kind:
                case "deal_shown_to_no_key":
                    del self.deals[plant.deal]
                case "deal_not_merged_yet":
                    self._held.append(self.deals.pop(plant.deal))
                case "deal_unreadable":
                    deal["grossCommission"] = "plenty"
                case "deal_altered_in_v1":
                    self._rows[plant.deal][str(plant.column)] = plant.value
                case "person_dropped_from_the_deal":
                    deal["participants"] = [each for each in deal["participants"] if each["id"] != plant.record]
                case _:
                    pass
        self.world.changed()

    def meanwhile(self) -> None:
        """What the source does after it was read, and before V1 is."""
        for plant in self.plants:
            if plant.kind == "deal_deleted_at_the_source":
                del self.deals[plant.deal]
            elif plant.kind == "deal_moved_after_v1_last_looked":
                self._move(plant, datetime.now(UTC))
        self.world.changed()

    def spoils(self) -> list[Plant]:
        """What is to be altered in V2 by hand, each plant's column to its value; without a column the row is lost."""
        return [plant for plant in self.plants if plant.kind in ("deal_altered_in_v2", "person_lost_in_v2")]

    def after(self) -> None:
        """What the source does after V1 was read; its clock is a little ahead."""
        for plant in self.plants:
            if plant.kind == "deal_moved_after_v1_was_read":
                self._move(plant, datetime.now(UTC) + timedelta(seconds=2))
        self.world.changed()

    def at_last(self) -> None:
        """What comes into sight at the end, with a stamp of now."""
        for deal in self._held:
            self.deals[deal["id"]] = deal | {"updatedAt": millis(datetime.now(UTC))}
        self.world.changed()

    # --- V1's rows --------------------------------------------------------------------------------------------------

    def _give_v1_the_deals(self) -> None:
        """V1's deals and their people, as the brokerage has them."""
        self.v1.tables["transaction"], self.v1.tables["participant"] = {}, {}
        for deal in self.deals.values():
            if deal["listing"]:
                continue
            created = datetime.fromtimestamp(deal["createdAt"] / 1000, UTC)
            row = self.v1.add(
                "transaction",
                created,
                updated_at=deal["updatedAt"],
                transaction_id_raw=deal["id"],
                user_id=self._users[deal["_owner"]],
                sale_price=amount_of(deal["price"]),
                list_price=amount_of(deal["listingPrice"]),
                contract_date=deal["contractAcceptanceDate"],
                rezen_code=deal["code"],
            )
            self._rows[deal["id"]] = row
            self._people[deal["id"]] = [
                self.v1.add(
                    "participant",
                    created,
                    participant_id_raw=person["id"],
                    transaction_id=row["id"],
                    listing_id=0,
                    first_name=person.get("firstName"),
                    last_name=person.get("lastName"),
                    company=person.get("company"),
                    email=person.get("emailAddress"),
                    external=person["external"],
                )
                for person in deal["participants"]
            ]

    # --- choosing and changing --------------------------------------------------------------------------------------

    def _chosen(self) -> Plant:
        kind = self.dice.choice(list(KINDS))
        if kind == "deal_of_a_stranger":
            like = self.dice.choice(list(self._rows.values()))
            columns = {name: value for name, value in like.items() if name not in ("id", "created_at")}
            record = f"nobodys-{len(self.v1.tables['transaction'])}"
            columns |= {"transaction_id_raw": record, "user_id": self.stranger}
            made = self.v1.add("transaction", datetime.fromtimestamp(like["created_at"] / 1000, UTC), **columns)
            return Plant(kind, "transaction", None, record, made["id"])
        deal = self._free.pop()
        if kind.startswith("person_"):
            return self._on_a_person(kind, deal)
        row = self._rows[deal]
        if kind in _TAKEN:
            for person in self._people[deal]:
                del self.v1.tables["participant"][person["id"]]
            return Plant(kind, "transaction", None, deal, row["id"], deal=deal)
        column = self.dice.choice(list(_WAYS))
        at_source, alter = _WAYS[column]
        return Plant(kind, "transaction", None, deal, row["id"], column, at_source, alter(row[column]), deal)

    def _on_a_person(self, kind: str, deal: str) -> Plant:
        outside = [each["id"] for each in self.deals[deal]["participants"] if each.get("participantType") != "AGENT"]
        person = self.dice.choice([each for each in self._people[deal] if each["participant_id_raw"] in outside])
        if kind == "person_never_in_v1":
            del self.v1.tables["participant"][person["id"]]
        v1_id = None if kind == "person_never_in_v1" else person["id"]
        return Plant(kind, "participant", None, person["participant_id_raw"], v1_id, deal=deal)

    def _move(self, plant: Plant, at: datetime) -> None:
        self.deals[plant.deal] |= {str(plant.at_source): plant.value, "updatedAt": millis(at)}
