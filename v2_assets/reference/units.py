"""What the reference tables are filled from. state_province is seeded with the migrations."""

from __future__ import annotations

from v2_assets.merge import Fact, Unit

_HERE = "v2_assets.reference"


def _fact(table: str, entity: str, file: str | None = None) -> Fact:
    return Fact(table=table, package=_HERE, file=file or f"{table}.sql", stage=f"stage_rezen_{entity}")


#: Whichever record comes first, what points to the brokerage finds it.
BROKERAGE = tuple(_fact("brokerage", entity) for entity in ("agents", "team_members", "transactions", "listings"))
OFFICE = (
    _fact("office", "agents", "office.agents.sql"),
    _fact("office", "transactions"),
    _fact("office", "listings"),
    Fact(table="office", package=_HERE, file="office.files.sql", stage="stage_skyslope_listings"),
    Fact(table="office", package=_HERE, file="office.files.sql", stage="stage_skyslope_transactions"),
    Unit(table="office", package=_HERE, file="office.skyslope.sql", stage="stage_skyslope_offices"),
)
ADDRESS = (
    _fact("address", "transactions"),
    _fact("address", "listings"),
    Fact(table="address", package=_HERE, file="address.skyslope.sql", stage="stage_skyslope_listings"),
    Fact(table="address", package=_HERE, file="address.skyslope.sql", stage="stage_skyslope_transactions"),
    Fact(table="address", package=_HERE, file="address.title.sql", stage="stage_title_orders"),
    Fact(table="address", package=_HERE, file="address.csv.sql", stage="stage_csv_import"),
    Fact(table="address", package=_HERE, file="address.v1.sql", stage="stage_xano_listing"),
    Fact(table="address", package=_HERE, file="address.v1.sql", stage="stage_xano_transaction"),
    Fact(table="address", package=_HERE, file="address.v1.sql", stage="stage_xano_title_orders"),
)

WORK = (BROKERAGE, OFFICE, ADDRESS)
PARENTS: dict[str, tuple[str, ...]] = {
    "brokerage": (),
    "office": ("brokerage",),
    "address": ("state_province",),
}
