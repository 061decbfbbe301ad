"""The reference tables' assets, and the seeded table as what it is: filled by the migrations."""

import dagster as dg

from v2_assets.automation import OWNERS
from v2_assets.describe import declared_metadata, description
from v2_assets.reference import units as u
from v2_assets.tables import v2_asset

state_province = dg.AssetSpec(
    "state_province",
    group_name="reference",
    description=description("state_province") + " Seeded by the migrations.",
    kinds={"postgres"},
    owners=OWNERS,
    metadata=declared_metadata("v2", "state_province"),
)
brokerage = v2_asset(*u.BROKERAGE, parents=u.PARENTS)
office = v2_asset(*u.OFFICE, parents=u.PARENTS)
address = v2_asset(*u.ADDRESS, parents=u.PARENTS)

REFERENCE = [state_province, brokerage, office, address]
