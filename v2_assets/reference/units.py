"""What the reference tables are filled from. state_province is seeded with the migrations."""

from __future__ import annotations

from v2_assets.merge import Fact

_HERE = "v2_assets.reference"
_DEALS = ("transactions", "listings")

BROKERAGE = (Fact(table="brokerage", package=_HERE, file="brokerage.sql", stage="stage_rezen_agents"),)
OFFICE = tuple(Fact(table="office", package=_HERE, file="office.sql", stage=f"stage_rezen_{deals}") for deals in _DEALS)
ADDRESS = tuple(
    Fact(table="address", package=_HERE, file="address.sql", stage=f"stage_rezen_{deals}") for deals in _DEALS
)

WORK = (BROKERAGE, OFFICE, ADDRESS)
PARENTS: dict[str, tuple[str, ...]] = {
    "brokerage": (),
    "office": ("brokerage",),
    "address": ("state_province",),
}
