"""Identity tables that a sync contributes to. Users and credentials themselves are entered by the product."""

from __future__ import annotations

from v2_assets.merge import Derived

_HERE = "v2_assets.identity"

USER = (Derived(table="user", package=_HERE, file="user.sql"),)
USER_IDENTITY = (Derived(table="user_identity", package=_HERE, file="user_identity.sql"),)

WORK = (USER, USER_IDENTITY)
PARENTS: dict[str, tuple[str, ...]] = {
    "user": ("credentials", "agent", "team_members", "brokerage"),
    "user_identity": ("credentials", "user"),
}
