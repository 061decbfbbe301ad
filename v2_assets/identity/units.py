"""Identity tables that a sync contributes to. Users and credentials themselves are entered by the product."""

from __future__ import annotations

from v2_assets.merge import Derived, Unit

_HERE = "v2_assets.identity"


def _v1(table: str) -> Unit:
    return Unit(table=table, package=_HERE, file=f"{table}.v1.sql", stage=f"stage_xano_{table}")


USER = (
    _v1("user"),
    Derived(table="user", package=_HERE, file="user.sql"),
    Derived(table="user", package=_HERE, file="user.v1.derived.sql"),
)
USER_IDENTITY = (
    Unit(table="user_identity", package=_HERE, file="user_identity.skyslope.sql", stage="stage_skyslope_users"),
    Derived(table="user_identity", package=_HERE, file="user_identity.sql"),
    Derived(table="user_identity", package=_HERE, file="user_identity.skyslope.derived.sql"),
    Derived(table="user_identity", package=_HERE, file="user_identity.v1.sql"),
)
USER_ROLES = (_v1("user_roles"),)
USER_SETTINGS = (_v1("user_settings"),)
USER_SUBSCRIPTIONS = (_v1("user_subscriptions"),)

WORK = (USER, USER_IDENTITY, USER_ROLES, USER_SETTINGS, USER_SUBSCRIPTIONS)
PARENTS: dict[str, tuple[str, ...]] = {
    "user": ("credentials", "agent", "team", "team_members", "brokerage"),
    "user_identity": ("credentials", "user", "title_users"),
    "user_roles": ("user_identity", "team", "director", "leader", "mentor"),
    "user_settings": ("user_identity",),
    "user_subscriptions": ("user_identity",),
}
