"""Identity's assets; credentials are entered by the product and only watched here."""

import dagster as dg

from v2_assets.automation import OWNERS
from v2_assets.describe import declared_metadata, description
from v2_assets.identity import units as u
from v2_assets.tables import v2_asset

credentials = dg.AssetSpec(
    "credentials",
    group_name="identity",
    description=description("credentials") + " Entered by the product; the onboarding sensor verifies them.",
    kinds={"postgres"},
    owners=OWNERS,
    metadata=declared_metadata("v2", "credentials"),
)
user = v2_asset(*u.USER, parents=u.PARENTS)
user_identity = v2_asset(*u.USER_IDENTITY, parents=u.PARENTS)
user_roles = v2_asset(*u.USER_ROLES, parents=u.PARENTS)
user_settings = v2_asset(*u.USER_SETTINGS, parents=u.PARENTS)
user_subscriptions = v2_asset(*u.USER_SUBSCRIPTIONS, parents=u.PARENTS)

IDENTITY = [credentials, user, user_identity, user_roles, user_settings, user_subscriptions]
