"""What the tables of deals are merged from: a deal's record fills all of them in one transaction."""

from __future__ import annotations

from v2_assets.merge import Child, Derived, History, Recomputed, Unit

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


def _skyslope(table: str, entity: str, *children: Child) -> Unit:
    return Unit(
        table=table,
        package=_HERE,
        file=f"{table}.skyslope.sql",
        stage=f"stage_skyslope_{entity}",
        history=(_history(f"{table}_history"),),
        children=children,
    )


def _skyslope_child(table: str, parent: str) -> Child:
    return Child(table=table, package=_HERE, file=f"{table}.skyslope.sql", parent=parent)


FROM_SKYSLOPE = (
    _skyslope("listing", "listings", _skyslope_child("participant", "listing_id")),
    _skyslope(
        "transaction",
        "transactions",
        _skyslope_child("participant", "transaction_id"),
        _child("transaction_participants", "transaction_id"),
        _skyslope_child("transaction_financials", "transaction_id"),
    ),
    Derived(table="listing", package=_HERE, file="listing.skyslope.derived.sql"),
    Derived(table="transaction", package=_HERE, file="transaction.skyslope.derived.sql"),
    Derived(table="participant", package=_HERE, file="participant.skyslope.derived.sql"),
)


def _v1(table: str, *children: Child, history: tuple[History, ...] = ()) -> Unit:
    return Unit(
        table=table,
        package=_HERE,
        file=f"{table}.v1.sql",
        stage=f"stage_xano_{table}",
        history=history,
        children=children,
    )


def _v1_child(table: str, parent: str) -> Child:
    return Child(table=table, package=_HERE, file=f"{table}.v1.sql", parent=parent)


#: After the living sources, who know better. In V1 a person on a deal is a record of its own.
FROM_V1 = (
    _v1("listing", history=(_history("listing_history"),)),
    _v1(
        "transaction", _v1_child("transaction_financials", "transaction_id"), history=(_history("transaction_history"),)
    ),
    _v1("participant", _v1_child("transaction_participants", "participant_id")),
)
#: A row of a file names at most a buyer and a seller, who belong to the deal as a reZEN deal's people do.
FROM_CSV = Unit(
    table="transaction",
    package=_HERE,
    file="transaction.csv.sql",
    stage="stage_csv_import",
    history=(_history("transaction_history"),),
    children=(
        Child(table="participant", package=_HERE, file="participant.csv.sql", parent="transaction_id"),
        _child("transaction_participants", "transaction_id"),
    ),
)
TRANSACTION_TAGS = (_v1("transaction_tags"),)
LISTING_PHOTOS = (_v1("listing_photos"),)

#: The same deal through two sources: found again for deals of which a fact changed that the rules look at.
LINKS = Recomputed(table="transaction", package=_HERE, file="transaction.links.sql", queue="transaction.links")

#: Listings first: a deal may be built from one. Last, what became known about deals that are here already.
DEALS = (
    LISTING,
    TRANSACTION,
    *FROM_SKYSLOPE,
    *FROM_V1,
    FROM_CSV,
    _derived("listing"),
    _derived("transaction"),
    _derived("participant"),
    LINKS,
)

WORK = (DEALS, TRANSACTION_TAGS, LISTING_PHOTOS)
_LOOKED_UP = ("agent", "team", "office", "address", "credentials", "user_identity")
PARENTS: dict[str, tuple[str, ...]] = {
    "listing": _LOOKED_UP,
    "listing_history": ("listing",),
    "transaction": (*_LOOKED_UP, "listing"),
    "transaction_history": ("transaction",),
    "participant": ("transaction", "listing", "agent", "address"),
    "transaction_participants": ("transaction", "participant"),
    "participant_paid": ("transaction", "participant"),
    "transaction_financials": ("transaction", "participant"),
    "transaction_tags": ("transaction",),
    "listing_photos": ("listing",),
}
