"""What the CRM tables are merged from, and which tables their selects look up. Frozen data, no Dagster."""

from __future__ import annotations

from v2_assets.merge import Derived, Unit

_HERE = "v2_assets.crm"


def _unit(table: str, entity: str) -> Unit:
    return Unit(table=table, package=_HERE, file=f"{table}.sql", stage=f"stage_fub_{entity}")


def _derived(table: str) -> Derived:
    return Derived(table=table, package=_HERE, file=f"{table}.derived.sql")


FUB_ACCOUNTS = (_unit("fub_accounts", "accounts"),)
FUB_USERS = (_unit("fub_users", "users"), _derived("fub_users"))
FUB_GROUPS = (_unit("fub_groups", "groups"),)
FUB_STAGES = (_unit("fub_stages", "stages"),)
FUB_PIPELINES = (_unit("fub_pipelines", "pipelines"),)
FUB_PEOPLE = (_unit("fub_people", "people"), _derived("fub_people"))
FUB_DEALS = (_unit("fub_deals", "deals"), _derived("fub_deals"))
FUB_EVENTS = (_unit("fub_events", "events"),)
FUB_CALLS = (_unit("fub_calls", "calls"), _derived("fub_calls"))
FUB_APPOINTMENTS = (_unit("fub_appointments", "appointments"), _derived("fub_appointments"))
FUB_TEXT_MESSAGES = (_unit("fub_text_messages", "text_messages"), _derived("fub_text_messages"))

WORK = (
    FUB_ACCOUNTS,
    FUB_USERS,
    FUB_GROUPS,
    FUB_STAGES,
    FUB_PIPELINES,
    FUB_PEOPLE,
    FUB_DEALS,
    FUB_EVENTS,
    FUB_CALLS,
    FUB_APPOINTMENTS,
    FUB_TEXT_MESSAGES,
)

_PEOPLE_AND_USERS = ("fub_accounts", "fub_users", "fub_people")
PARENTS: dict[str, tuple[str, ...]] = {
    "fub_accounts": ("credentials",),
    "fub_users": ("fub_accounts", "credentials"),
    "fub_groups": ("fub_accounts",),
    "fub_stages": ("fub_accounts",),
    "fub_pipelines": ("fub_accounts",),
    "fub_people": ("fub_accounts", "fub_users", "fub_stages"),
    "fub_deals": (*_PEOPLE_AND_USERS, "fub_pipelines"),
    "fub_events": _PEOPLE_AND_USERS,
    "fub_calls": _PEOPLE_AND_USERS,
    "fub_appointments": _PEOPLE_AND_USERS,
    "fub_text_messages": _PEOPLE_AND_USERS,
}
