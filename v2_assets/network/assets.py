"""The network's assets."""

from v2_assets.network import units as u
from v2_assets.tables import v2_asset

network_member = v2_asset(*u.NETWORK_MEMBER, parents=u.PARENTS)
network_hierarchy = v2_asset(*u.NETWORK_HIERARCHY, parents=u.PARENTS)

NETWORK = [network_member, network_hierarchy]
