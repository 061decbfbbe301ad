"""Identity: the product's users, their connections to platforms, and the other names they go by.

Here: tables of the catalogue's section 2 that are about a user of the product. Brokerages, offices and addresses are in
`places.py`. None of these is built by a sync, so their default source is the product itself.
"""

from __future__ import annotations

from v2_assets.schema.vocabulary import day, flag, json, law, number, parent, ts, v2_table, words

PLATFORMS = ("fub", "rezen", "skyslope", "title", "xano")
"""What a user can be connected to."""

CREDENTIAL_STATES = ("new", "ok", "needs_reconnect", "paused")
"""new: not verified yet; ok: in use; needs_reconnect: refused for good; paused: by a person."""

_FROM_PRODUCT = "Entered by the product; a fresh installation has none."


def _listed(values: tuple[str, ...]) -> str:
    return ", ".join(repr(value) for value in values)


user = v2_table(
    "user",
    words("email", "The address the user signs in with, in lower case.", required=True),
    words("first_name", "Given name."),
    words("last_name", "Family name."),
    words("full_name", "Whole name as the product shows it."),
    words("display_name", "Name the user chose to be shown."),
    words("email2", "Second e-mail address."),
    words("cell_phone", "Mobile number."),
    day("birthdate", "Date of birth."),
    words("avatar", "Address of the user's picture."),
    words("timezone", "IANA name of the user's time zone; null means the product's default."),
    flag("active", "Whether the account may be used; syncs run for inactive users too.", default=True),
    flag("demo_account", "Whether the account only shows made-up data.", default=False),
    ts("last_login", "When the user last signed in."),
    parent("brokerage_id", "v2.brokerage", "The brokerage the user works under.", index=False),
    parent("agent_id", "v2.agent", "The agent this user is.", closes_circle=True),
    parent("team_id", "v2.team", "The team the user belongs to in the product.", closes_circle=True),
    law("email", "email = lower(email) and email <> ''"),
    grain="one account of the product",
    key=("email",),
    sources=("v1", "product"),
    domain="identity",
    freshness="realtime",
    personal=(
        "email",
        "first_name",
        "last_name",
        "full_name",
        "display_name",
        "email2",
        "cell_phone",
        "birthdate",
        "avatar",
    ),
    may_be_empty=_FROM_PRODUCT,
    default_source="product",
    keeps_ids=True,
    v1={"table": "user", "forms": {"email": "lower"}, "left_out": {"password": "a secret, which stays in V1"}},
)

user_roles = v2_table(
    "user_roles",
    parent("user_id", "v2.user", "The user whose roles these are.", required=True, index=False),
    words("role", "Role in the product."),
    words("account_type", "Kind of account, e.g. Individual or Team."),
    flag("is_agent", "Whether the user is an agent."),
    flag("is_account_admin", "Whether the user sees the whole team's rows."),
    flag("is_individual", "Whether the user works without a team."),
    flag("is_on_team", "Whether the user is on a team."),
    flag("is_team_owner", "Whether the user owns the team."),
    flag("is_director", "Whether the user is a director."),
    flag("is_leader", "Whether the user is a leader."),
    flag("is_mentor", "Whether the user is a mentor."),
    parent("director_id", "v2.director", "The director the user reports to.", index=False),
    parent("leader_id", "v2.leader", "The leader the user reports to.", index=False),
    parent("mentor_id", "v2.mentor", "The user's mentor.", index=False),
    parent("team_id", "v2.team", "The team the roles hold in."),
    grain="the roles of one user",
    key=("user_id",),
    sources=("v1", "product"),
    domain="identity",
    freshness="daily",
    may_be_empty=_FROM_PRODUCT,
    default_source="product",
)

user_settings = v2_table(
    "user_settings",
    parent("user_id", "v2.user", "The user whose settings these are.", required=True, index=False),
    words("view", "The view the product opens with."),
    flag("daily_dash_transactions", "Whether transactions are part of the daily mail."),
    flag("daily_dash_listings", "Whether listings are part of the daily mail."),
    flag("daily_dash_revenue", "Whether revenue is part of the daily mail."),
    flag("network_news_daily", "Whether the user gets network news every day."),
    flag("network_news_weekly", "Whether the user gets network news every week."),
    flag("listing_refresh", "Whether listings are refreshed by themselves."),
    grain="the settings of one user",
    key=("user_id",),
    sources=("v1", "product"),
    domain="identity",
    freshness="daily",
    may_be_empty=_FROM_PRODUCT,
    default_source="product",
)

user_subscriptions = v2_table(
    "user_subscriptions",
    parent("user_id", "v2.user", "The user who subscribed.", required=True, index=False),
    words("subscription_type", "Kind of subscription."),
    flag("paid", "Whether it is paid for."),
    flag("payment_complete", "Whether the payment went through."),
    words("stripe_product_id", "The product's id at Stripe."),
    words("stripe_price_id", "The price's id at Stripe."),
    number("subscription_packages_id", "The package's id in the product."),
    grain="the subscription of one user",
    key=("user_id",),
    sources=("v1", "product"),
    domain="identity",
    freshness="daily",
    personal=("stripe_product_id", "stripe_price_id"),
    may_be_empty=_FROM_PRODUCT,
    default_source="product",
)

credentials = v2_table(
    "credentials",
    parent("user_id", "v2.user", "The user who connected the platform.", required=True, index=False),
    words("platform", "The platform that is connected.", required=True),
    words("account_id", "The account's id at the platform; null until the key was verified."),
    words("api_key", "The key, as ciphertext."),
    words("api_secret", "The second secret where a platform has one, as ciphertext."),
    words("external_user_id", "Who the key belongs to at the platform."),
    flag("verified", "Whether the platform accepted the key.", default=False),
    ts("verified_at", "When the platform last accepted the key."),
    flag("active", "Whether syncs may use it.", default=True),
    words("state", "Whether it works, and who has to act if not.", required=True, default="'new'"),
    json("last_error", "Why the platform refused it, without secrets."),
    parent("agent_id", "v2.agent", "The agent the key belongs to.", index=False),
    law("platform", f"platform in ({_listed(PLATFORMS)})"),
    law("state", f"state in ({_listed(CREDENTIAL_STATES)})"),
    law("verified", "not verified or verified_at is not null"),
    grain="one connection of one user to one account of one platform",
    key=("user_id", "platform", "account_id"),
    sources=("v1", "product"),
    domain="identity",
    freshness="realtime",
    personal=("api_key", "api_secret", "external_user_id"),
    may_be_empty=_FROM_PRODUCT,
    nulls_are_one=True,
    default_source="product",
    v1={"not_in_v1": "V1 kept keys in agent.api_key; they are secrets, stay there and are entered anew"},
)

user_identity = v2_table(
    "user_identity",
    words("platform", "The system in which the name is used; v2 for our own aliases.", required=True),
    words("kind", "Kind of name, e.g. ad_user_id, user_id, agent_id.", required=True),
    words("external_id", "The name itself; an id that is unique only per account is account/id.", required=True),
    parent("user_id", "v2.user", "The user it means.", required=True),
    grain="one name by which an external system knows one user",
    key=("platform", "kind", "external_id"),
    sources=("fub", "rezen", "skyslope", "title", "v1", "product"),
    domain="identity",
    freshness="realtime",
    personal=("external_id",),
    may_be_empty=_FROM_PRODUCT,
    default_source="product",
    v1={"not_in_v1": "V1 knew a user by one number only; the other names are V2's own"},
)
