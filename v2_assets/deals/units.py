"""What the tables of deals are merged from: a deal's record fills all of them in one transaction."""

from __future__ import annotations

from v2_assets.merge import Child, Derived, History, Unit

_HERE = "v2_assets.deals"


def _child(table: str, parent: str) -> Child:
    return Child(table=table, package=_HERE, file=f"{table}.sql", parent=parent)


def _history(table: str) -> History:
    return History(table=table, package=_HERE, file=f"{table}.sql")


def _derived(table: str) -> Derived:
    return Derived(table=table, package=_HERE, file=f"{table}.derived.sql")


LISTING = Unit(
    table="listing",
    package=_HERE,
    file="listing.sql",
    stage="stage_rezen_listings",
    history=(_history("listing_history"),),
    children=(_child("participant", "listing_id"),),
)
#: The financials and the payouts read the participants, so those come before them.
TRANSACTION = Unit(
    table="transaction",
    package=_HERE,
    file="transaction.sql",
    stage="stage_rezen_transactions",
    history=(_history("transaction_history"),),
    children=(
        _child("participant", "transaction_id"),
        _child("transaction_participants", "transaction_id"),
        _child("participant_paid", "transaction_id"),
        _child("transaction_financials", "transaction_id"),
    ),
)

#: Listings first: a deal may be built from one. Last, what became known about deals that are here already.
DEALS = (LISTING, TRANSACTION, _derived("listing"), _derived("transaction"), _derived("participant"))

WORK = (DEALS,)
_LOOKED_UP = ("agent", "team", "office", "address", "credentials")
PARENTS: dict[str, tuple[str, ...]] = {
    "listing": _LOOKED_UP,
    "listing_history": ("listing",),
    "transaction": (*_LOOKED_UP, "listing"),
    "transaction_history": ("transaction",),
    "participant": ("transaction", "listing", "agent", "address"),
    "transaction_participants": ("transaction", "participant"),
    "participant_paid": ("transaction", "participant"),
    "transaction_financials": ("transaction", "participant"),
}
