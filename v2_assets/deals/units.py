"""What the tables of deals are merged from: a deal's record fills all of them in one transaction."""

from __future__ import annotations

from v2_assets.merge import Child, History, Unit

_HERE = "v2_assets.deals"


def _child(table: str, parent: str, file: str | None = None) -> Child:
    return Child(table=table, package=_HERE, file=file or f"{table}.sql", parent=parent)


LISTING = Unit(
    table="listing",
    package=_HERE,
    file="listing.sql",
    stage="stage_rezen_listings",
    history=(History(table="listing_history", package=_HERE, file="listing_history.sql"),),
    children=(_child("participant", "listing_id", "participant.listing.sql"),),
)
TRANSACTION = Unit(
    table="transaction",
    package=_HERE,
    file="transaction.sql",
    stage="stage_rezen_transactions",
    history=(History(table="transaction_history", package=_HERE, file="transaction_history.sql"),),
    children=(
        _child("transaction_financials", "transaction_id"),
        _child("participant", "transaction_id", "participant.transaction.sql"),
        _child("transaction_participants", "transaction_id"),
        _child("participant_paid", "transaction_id"),
    ),
)

#: Listings first: a deal may be built from one.
DEALS = (LISTING, TRANSACTION)

WORK = (DEALS,)
_LOOKED_UP = ("agent", "team", "office", "address")
PARENTS: dict[str, tuple[str, ...]] = {
    "listing": _LOOKED_UP,
    "listing_history": ("listing",),
    "transaction": (*_LOOKED_UP, "listing"),
    "transaction_history": ("transaction",),
    "transaction_financials": ("transaction", "agent"),
    "participant": ("transaction", "listing", "agent"),
    "transaction_participants": ("transaction", "participant"),
    "participant_paid": ("transaction", "participant"),
}
