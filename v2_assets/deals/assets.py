"""The deals' assets: one step, because listings and transactions share the table of participants."""

from v2_assets.deals import units as u
from v2_assets.tables import v2_asset

deals = v2_asset(*u.DEALS, parents=u.PARENTS, name="deals")

DEALS = [deals]
