"""The assets of this domain."""

import dagster as dg

from v2_assets.tables import v2_asset
from v2_assets.title import units as u

title_agencies = v2_asset(*u.AGENCIES, parents=u.PARENTS)
title_users = v2_asset(*u.USERS, parents=u.PARENTS)
title_orders = v2_asset(*u.ORDERS, parents=u.PARENTS, name="title_orders_and_events")

TITLE: list[dg.AssetsDefinition] = [title_agencies, title_users, title_orders]
