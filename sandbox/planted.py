"""Differences between V1 and the CRM, planted at random and written down: what a comparison is measured by.

The planter changes the world's V1 and the world's CRM and says what has to be done in V2 by hand. It knows nothing of
how differences are looked for. It works on a fresh world whose V1 has the CRM whole, in the order in which a life goes:

    planter = Planter(world, seed=1, number=2000, stranger="gone@example.test")
    planter.before()     # V1 and the source as they are when the source is first read
    planter.meanwhile()  # the source moved; V2 reads it again, in full
    planter.spoils()     # what to alter in V2
    planter.after()      # the source moved after V1 was read
    planter.at_last()    # the source tells more; V2 stages it and does not merge it

Contacts and calls are planted on, each at most once; a contact that has calls is never taken away, because then its
calls would differ too and nobody would have planted that.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

from sandbox.world.model import FubAccount, Row, iso

if TYPE_CHECKING:
    from sandbox.world.world import World

#: What can be planted → how a comparison has to call it: missing, extra or changed, and why.
KINDS: Mapping[str, tuple[str, str]] = {
    "owner_never_connected": ("missing", "never_fetched"),
    "shown_to_no_key": ("missing", "not_visible_to_key"),
    "deleted_at_the_source": ("missing", "deleted_at_source"),
    "not_merged_yet": ("missing", "pending"),
    "waits_for_a_parent": ("missing", "deferred"),
    "unreadable": ("missing", "rejected"),
    "without_a_number": ("missing", "v1_wrong"),
    "never_in_v1": ("extra", "never_in_v1"),
    "moved_after_v1_was_read": ("changed", "in_flight"),
    "moved_after_v1_last_looked": ("changed", "newer_at_source"),
    "altered_in_v1": ("changed", "v1_wrong"),
    "altered_in_v2": ("changed", "bug"),
}
#: Kinds that take away a row of one side; only records that nothing points to can have them.
_TAKEN = ("shown_to_no_key", "deleted_at_the_source", "not_merged_yet", "waits_for_a_parent", "unreadable",
          "never_in_v1")  # fmt: skip
#: Numbers that the CRM gave to nobody.
_NOBODYS = 5_000_000
#: V2's table → the CRM's collection, and V1's column with the CRM's number.
TABLES: Mapping[str, tuple[str, str]] = {
    "fub_people": ("people", "fub_people_id_raw"),
    "fub_calls": ("calls", "call_id"),
}


def _more(value: Any) -> Any:
    return (value or 0) + 1


def _cent_more(value: Any) -> Any:
    return round((value or 0) + 0.01, 2)


def _other(value: Any) -> Any:
    return not value


def _longer(value: Any) -> Any:
    return [*(value or ()), "Planted"]


def _words(value: Any) -> Any:
    return f"{value or ''} planted".strip()


def _two_seconds(value: Any) -> Any:
    return value + 2_000


#: V2's table → its columns that are altered: the CRM's name (None: in V1 only), and how.
_WAYS: Mapping[str, Mapping[str, tuple[str | None, Callable[[Any], Any]]]] = {
    "fub_people": {
        "price": ("price", _cent_more),
        "website_visits": ("websiteVisits", _more),
        "contacted": ("contacted", _other),
        "tags": ("tags", _longer),
        "type": ("type", _words),
        "first_name": (None, str.swapcase),
        "fub_created_at": (None, _two_seconds),
    },
    "fub_calls": {
        "duration": ("duration", _more),
        "outcome": ("outcome", _words),
        "is_incoming": ("isIncoming", _other),
        "fub_created_at": (None, _two_seconds),
    },
}


@dataclass(frozen=True, slots=True)
class Plant:
    """One difference: a kind of KINDS, V2's table, the record's account and number, V1's number of its row.

    `v1_id` is None where V1 has no such row. `column` and `value` are set where a cell differs: V2's name of the
    column, and the value on the side that was altered. `at_source` is the source's name of that field. What is planted
    on the brokerage's deals has no account, and `deal` is the id of the deal.
    """

    kind: str
    table: str
    account: int | None
    record: int | str | None
    v1_id: int | None
    column: str | None = None
    at_source: str | None = None
    value: Any = None
    deal: str = ""


class Planter:
    """`plants` is the truth. `stranger` is the e-mail of a user of V1 who has no connection in V2."""

    def __init__(self, world: World, *, seed: int, number: int, stranger: str) -> None:
        self.world, self.v1 = world, world.v1
        self.dice = random.Random(f"planted/{seed}")
        self.stranger = next(row["id"] for row in self.v1.tables["user"].values() if row["email"] == stranger)
        accounts = {row["id"]: row["account_id_raw"] for row in self.v1.tables["fub_accounts"].values()}
        #: V1's row of each record, by V2's table, account and number.
        self.rows = {
            (table, accounts[row["fub_account_id"]], row[name]): row
            for table, (_, name) in TABLES.items()
            for row in self.v1.tables[table].values()
        }
        self._free = self._records()
        self.plants = [self._chosen() for _ in range(number)]
        self._held: list[tuple[Plant, Row]] = []
        self._seemingly = self._unused()

    def before(self) -> None:
        """What is so when the source is first read, and in V1."""
        for plant in self.plants:
            match plant.kind:
                case "shown_to_no_key":
                    self._collection(plant).pop(plant.record)
                case "not_merged_yet":
                    self._held.append((plant, self._collection(plant).pop(plant.record)))
                case "waits_for_a_parent":
                    field = "stageId" if plant.table == "fub_people" else "personId"
                    self._record(plant)[field] = _NOBODYS
                case "unreadable":
                    self._record(plant)["created"] = "the day before"
                case "never_in_v1":
                    row = self.rows[plant.table, plant.account, plant.record]
                    del self.v1.tables[plant.table][row["id"]]
                case "altered_in_v1":
                    self._row(plant)[str(plant.column)] = plant.value
                case _:
                    pass
        for row in self._seemingly:
            _as_good_as_equal(row)
        self.world.changed()

    def meanwhile(self) -> None:
        """What the source does after it was read, and before V1 is."""
        for plant in self.plants:
            if plant.kind == "deleted_at_the_source":
                del self._collection(plant)[plant.record]
            elif plant.kind == "moved_after_v1_last_looked":
                self._move(plant, datetime.now(UTC))
        self.world.changed()

    def spoils(self) -> list[Plant]:
        """What is to be altered in V2 by hand: each plant's column, to its value."""
        return [plant for plant in self.plants if plant.kind == "altered_in_v2"]

    def after(self) -> None:
        """What the source does after V1 was read; its clock is a little ahead."""
        for plant in self.plants:
            if plant.kind == "moved_after_v1_was_read":
                self._move(plant, datetime.now(UTC) + timedelta(seconds=2))
        self.world.changed()

    def at_last(self) -> None:
        """What comes into sight at the end, with a stamp of now."""
        for plant, row in self._held:
            self._collection(plant)[row["id"]] = row | {"updated": iso(datetime.now(UTC))}
        self.world.changed()

    # --- choosing ---------------------------------------------------------------------------------------------------

    def _records(self) -> dict[str, list[tuple[str, int, int]]]:
        """What can be planted on, shuffled: contacts without calls, contacts, calls."""
        told: dict[str, list[tuple[str, int, int]]] = {"quiet": [], "fub_people": [], "fub_calls": []}
        for account in self.world.accounts.values():
            called = {row["personId"] for row in account.tables["calls"].values()}
            for number, row in account.tables["people"].items():
                if row["claimed"]:
                    told["fub_people" if number in called else "quiet"].append(("fub_people", account.id, number))
            told["fub_calls"] += [("fub_calls", account.id, number) for number in account.tables["calls"]]
        for records in told.values():
            self.dice.shuffle(records)
        return told

    def _chosen(self) -> Plant:
        kind = self.dice.choice(list(KINDS))
        if kind in ("owner_never_connected", "without_a_number"):
            return self._added(kind)
        pools = ("quiet", "fub_calls", "fub_calls") if kind in _TAKEN else ("fub_people", "fub_calls")
        pool = self._free[self.dice.choice(pools)]
        table, account, number = pool.pop()
        row = self.rows[table, account, number]
        v1_id = None if kind == "never_in_v1" else row["id"]
        if kind in _TAKEN:
            return Plant(kind, table, account, number, v1_id)
        ways = {
            column: way for column, way in _WAYS[table].items() if way[0] is not None or kind == "altered_in_v1"
        }  # fmt: skip
        column = self.dice.choice(list(ways))
        at_source, alter = ways[column]
        return Plant(kind, table, account, number, v1_id, column, at_source, alter(row[column]))

    def _added(self, kind: str) -> Plant:
        """A row that only V1 has, otherwise like one of its rows."""
        table = self.dice.choice(list(TABLES))
        (_, account, _), like = self.dice.choice([each for each in self.rows.items() if each[0][0] == table])
        number = _NOBODYS + len(self.v1.tables[table]) if kind == "owner_never_connected" else None
        columns = {name: value for name, value in like.items() if name not in ("id", "created_at")}
        columns |= {TABLES[table][1]: number}
        if number is not None:
            columns |= {"user_id": self.stranger}
        made = self.v1.add(table, datetime.fromtimestamp(like["created_at"] / 1000, UTC), **columns)
        return Plant(kind, table, account, number, made["id"])

    def _unused(self) -> list[Row]:
        """V1's rows of which nothing was planted."""
        return [self.rows[record] for records in self._free.values() for record in records]

    # --- changing ---------------------------------------------------------------------------------------------------

    def _account(self, plant: Plant) -> FubAccount:
        return self.world.accounts[plant.account or 0]

    def _collection(self, plant: Plant) -> dict[Any, Row]:
        return self._account(plant).tables[TABLES[plant.table][0]]

    def _record(self, plant: Plant) -> Row:
        return self._collection(plant)[plant.record]

    def _row(self, plant: Plant) -> Row:
        return self.v1.tables[plant.table][plant.v1_id or 0]

    def _move(self, plant: Plant, at: datetime) -> None:
        self._record(plant).update({str(plant.at_source): plant.value, "updated": iso(at)})


def _as_good_as_equal(row: Row) -> None:
    """V1's row as it may well be written without meaning anything else; nobody may call that a difference."""
    row["fub_created_at"] += 900
    if row.get("price"):
        row["price"] += 0.004
    if row.get("tags"):
        row["tags"] = [*reversed(row["tags"]), row["tags"][0]]
