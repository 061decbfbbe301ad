"""The assets of this domain."""

import dagster as dg

from v2_assets.tables import v2_asset
from v2_assets.title import units as u

title_agencies = v2_asset(*u.AGENCIES, parents=u.PARENTS)
title_users = v2_asset(*u.USERS, parents=u.PARENTS)
title_orders = v2_asset(*u.ORDERS, parents=u.PARENTS, name="title_orders_and_events")
title_disbursements = v2_asset(*u.DISBURSEMENTS, parents=u.PARENTS)
title_closing_items = v2_asset(*u.CLOSING_ITEMS, parents=u.PARENTS)
closing_disclosure = v2_asset(*u.CLOSING_DISCLOSURE, parents=u.PARENTS)

TITLE: list[dg.AssetsDefinition] = [
    title_agencies,
    title_users,
    title_orders,
    title_disbursements,
    title_closing_items,
    closing_disclosure,
]
