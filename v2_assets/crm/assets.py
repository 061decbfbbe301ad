"""The CRM's assets, one call per V2 table."""

from v2_assets.crm import units as u
from v2_assets.tables import v2_asset

fub_accounts = v2_asset(*u.FUB_ACCOUNTS, parents=u.PARENTS)
fub_users = v2_asset(*u.FUB_USERS, parents=u.PARENTS)
fub_groups = v2_asset(*u.FUB_GROUPS, parents=u.PARENTS)
fub_stages = v2_asset(*u.FUB_STAGES, parents=u.PARENTS)
fub_pipelines = v2_asset(*u.FUB_PIPELINES, parents=u.PARENTS)
fub_people = v2_asset(*u.FUB_PEOPLE, parents=u.PARENTS)
fub_deals = v2_asset(*u.FUB_DEALS, parents=u.PARENTS)
fub_events = v2_asset(*u.FUB_EVENTS, parents=u.PARENTS)
fub_calls = v2_asset(*u.FUB_CALLS, parents=u.PARENTS)
fub_appointments = v2_asset(*u.FUB_APPOINTMENTS, parents=u.PARENTS)
fub_text_messages = v2_asset(*u.FUB_TEXT_MESSAGES, parents=u.PARENTS)

CRM = [
    fub_accounts,
    fub_users,
    fub_groups,
    fub_stages,
    fub_pipelines,
    fub_people,
    fub_deals,
    fub_events,
    fub_calls,
    fub_appointments,
    fub_text_messages,
]
