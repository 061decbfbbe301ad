"""The deals' assets: one step, because listings and transactions share the table of participants."""

from v2_assets.deals import units as u
from v2_assets.tables import v2_asset

deals = v2_asset(*u.DEALS, parents=u.PARENTS, name="deals")
transaction_tags = v2_asset(*u.TRANSACTION_TAGS, parents=u.PARENTS)
listing_photos = v2_asset(*u.LISTING_PHOTOS, parents=u.PARENTS)

DEALS = [deals, transaction_tags, listing_photos]
