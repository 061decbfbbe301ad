"""What the tables of this domain are merged from, and which tables their selects look up.

The three money tables have no source but V1.
"""

from __future__ import annotations

from v2_assets.merge import Child, Derived, Fact, History, Unit

_HERE = "v2_assets.title"


def _v1(table: str) -> Unit:
    return Unit(table=table, package=_HERE, file=f"{table}.v1.sql", stage=f"stage_xano_{table}")


AGENCIES = (
    Fact(table="title_agencies", package=_HERE, file="title_agencies.orders.sql", stage="stage_title_orders"),
    Unit(table="title_agencies", package=_HERE, file="title_agencies.sql", stage="stage_title_agencies"),
    _v1("title_agencies"),
)
USERS = (
    Unit(table="title_users", package=_HERE, file="title_users.sql", stage="stage_title_users"),
    _v1("title_users"),
    Derived(table="title_users", package=_HERE, file="title_users.derived.sql"),
)
#: Last the deal of each order: one may come after its order, or change its price.
ORDERS = (
    Unit(
        table="title_orders",
        package=_HERE,
        file="title_orders.sql",
        stage="stage_title_orders",
        history=(History(table="title_event_history", package=_HERE, file="title_event_history.sql"),),
        children=(Child(table="title_events", package=_HERE, file="title_events.sql", parent="order_id"),),
    ),
    _v1("title_orders"),
    _v1("title_events"),
    Derived(table="title_orders", package=_HERE, file="title_orders.derived.sql"),
)
#: From V1 alone. An API that tells them one day is another unit beside V1's.
DISBURSEMENTS = (_v1("title_disbursements"),)
CLOSING_ITEMS = (_v1("title_closing_items"),)
CLOSING_DISCLOSURE = (
    _v1("closing_disclosure"),
    Derived(table="closing_disclosure", package=_HERE, file="closing_disclosure.derived.sql"),
)

WORK: tuple[tuple[Unit | Fact | Derived, ...], ...] = (
    AGENCIES,
    USERS,
    ORDERS,
    DISBURSEMENTS,
    CLOSING_ITEMS,
    CLOSING_DISCLOSURE,
)
PARENTS: dict[str, tuple[str, ...]] = {
    "title_agencies": (),
    "title_users": ("user",),
    "title_orders": ("title_agencies", "title_users", "address", "transaction", "participant", "user_identity"),
    "title_events": ("title_orders",),
    "title_event_history": ("title_orders",),
    "title_disbursements": ("title_orders",),
    "title_closing_items": ("title_orders",),
    "closing_disclosure": ("title_orders", "transaction"),
}
