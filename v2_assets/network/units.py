"""What the network's tables are merged from, and which tables their selects look up."""

from __future__ import annotations

from v2_assets.merge import Derived, History, Unit

_HERE = "v2_assets.network"

NETWORK_MEMBER = (
    Unit(
        table="network_member",
        package=_HERE,
        file="network_member.sql",
        stage="stage_rezen_network_downline",
        history=(History(table="network_change_log", package=_HERE, file="network_change_log.sql"),),
    ),
    Unit(
        table="network_member",
        package=_HERE,
        file="network_member.frontline.sql",
        stage="stage_rezen_network_frontline",
    ),
    Unit(
        table="network_change_log",
        package=_HERE,
        file="network_change_log.v1.sql",
        stage="stage_xano_network_change_log",
    ),
    Derived(table="network_member", package=_HERE, file="network_member.derived.sql"),
)
NETWORK_HIERARCHY = (Derived(table="network_hierarchy", package=_HERE, file="network_hierarchy.sql"),)

WORK = (NETWORK_MEMBER, NETWORK_HIERARCHY)
PARENTS: dict[str, tuple[str, ...]] = {
    "network_member": ("agent",),
    "network_change_log": ("network_member", "agent", "user_identity"),
    "network_hierarchy": ("agent", "agent_hierarchy", "network_member"),
}
