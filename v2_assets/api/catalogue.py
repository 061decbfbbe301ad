"""The endpoints of the frontend, as data: paths, tables, fields, filters, search, sorting.

Field names are V2's column names. Who sees which row is not said here: `schema.visibility` says it once for all, and
Postgres holds to it.
"""

from __future__ import annotations

from v2_assets.api.endpoint import Endpoint, Field, Lookup, Part, Type, count, figures, record, rows

_ADDRESS = Lookup("address", "api_addresses", "address_id", "The property's address in one line.")
_AGENT = Lookup("agent_name", "api_agent_names", "agent_id", "The agent's name.")

_DEAL_FILTERS = (
    "status transaction_type stage lifecycle_state closed terminated representation property_type contract_date "
    "closing_date listing_date sale_price team_id transaction_owner_agent_id listing_id source updated_at"
)
_MONEY_FILTERS = "status currency contribution_date amount tier contributing_agent_id updated_at"


def _fields(*columns: tuple[str, Type, str]) -> tuple[Field, ...]:
    return tuple(Field(*column) for column in columns)


_SINCE = Field("since", "day", "The first day that counts; a year ago if it is not given.")
_UNTIL = Field("until", "day", "The last day that counts; today if it is not given.")
_PERIOD = (_SINCE, _UNTIL)


# --- deals ----------------------------------------------------------------------------------------------------------

_TRANSACTIONS = rows(
    "/transactions/all",
    "transaction",
    "Deals that are the user's, and for an account admin the team's.",
    filters=_DEAL_FILTERS,
    search="transaction_owner_name mls_num rezen_code transaction_id_raw",
    sorts="-id closing_date contract_date sale_price updated_at",
    lookups=(_ADDRESS,),
)
_LISTINGS = rows(
    "/listings/all",
    "listing",
    "Listings that are the user's, and for an account admin the team's.",
    filters=(
        "status property_type closed terminated listing_date expiration_date list_price team_id "
        "transaction_owner_agent_id source updated_at"
    ),
    search="mls_number listing_id_raw",
    sorts="-id listing_date list_price updated_at",
    lookups=(_ADDRESS,),
)
_DEALS = (
    _TRANSACTIONS,
    figures(
        "/transactions/metrics",
        "transactions_metrics.sql",
        "Deals by status and currency: how many, their volume and commission.",
        reads=("transaction", "transaction_financials"),
        fields=_fields(
            ("status", "text", "Status of the deals."),
            ("currency", "text", "Currency of the amounts."),
            ("transactions", "whole", "Deals in it."),
            ("volume", "number", "Their sale prices together."),
            ("gross_commission", "number", "Their commission before any split."),
            ("gci", "number", "Gross commission income of our side."),
            ("net_payout", "number", "What is paid to the viewer of the records."),
        ),
        also=_PERIOD,
    ),
    rows(
        "/transactions/participants",
        "participant",
        "Who takes part in deals and listings.",
        filters="transaction_id listing_id role status agent_id is_transaction is_listing paid",
        search="first_name last_name company email",
        sorts="id",
    ),
    record(
        "/transactions/details",
        "transaction",
        "One deal with its financials, participants, payouts, tags and history.",
        lookups=(_ADDRESS,),
        parts=(
            Part("financials", "transaction_financials", "transaction_id"),
            Part("participants", "participant", "transaction_id"),
            Part("participant_paid", "participant_paid", "transaction_id"),
            Part("tags", "transaction_tags", "transaction_id"),
            Part("history", "transaction_history", "transaction_id", "changed_at"),
        ),
    ),
    _LISTINGS,
    count("/listings/count", _LISTINGS, "How many listings there are."),
)

# --- network and money ----------------------------------------------------------------------------------------------

_NETWORK = rows(
    "/network/all",
    "network_member",
    "The user's down-line, an agent and tier a row.",
    filters=(
        "tier status capped unlocking left_network sponsorship_type broker_join_date anniversary_date network_size "
        "agent_id downline_agent_id updated_at"
    ),
    search="agent_id_raw downline_agent_id_raw",
    sorts="id tier network_size broker_join_date total_contribution updated_at",
    lookups=(
        Lookup(
            "downline_agent_name", "api_agent_names", "downline_agent_id", "The name of the agent in the down-line."
        ),
    ),
)
_MONEY = (
    _NETWORK,
    figures(
        "/network/counts",
        "network_counts.sql",
        "The down-line by tier: how many agents, how many of them active, capped, gone.",
        reads=("network_member",),
        fields=_fields(
            ("tier", "whole", "The tier, 1 to 5."),
            ("agents", "whole", "Agents in it who have not left."),
            ("active", "whole", "Of these, agents whose status is Active."),
            ("capped", "whole", "Of these, agents who reached their cap."),
            ("left_network", "whole", "Agents who left."),
        ),
    ),
    rows(
        "/contributions",
        "contribution",
        "Rev-share contributions earned.",
        filters=f"{_MONEY_FILTERS} contribution_type missed transaction_id",
        search="contribution_id_raw notes",
        sorts="-id contribution_date amount updated_at",
        condition="duplicate_of_id is null",
        lookups=(
            Lookup("contributing_agent_name", "api_agent_names", "contributing_agent_id", "Who it was earned through."),
        ),
    ),
    rows(
        "/revenue/all",
        "income",
        "Income of every kind: deals, rev share and the rest.",
        filters=(
            "income_type currency income_date amount period_year period_month agent_id transaction_id "
            "contribution_id updated_at"
        ),
        search="description",
        sorts="-id income_date amount updated_at",
    ),
    rows(
        "/revshare_totals",
        "revshare_totals",
        "Rev share in total, this year and this month, by currency.",
        filters="currency user_id",
    ),
)

# --- CRM ------------------------------------------------------------------------------------------------------------

_DAY = Field("day", "day", "The day.")


def _touches(path: str, column: str, what: str) -> Endpoint:
    """What was done per day, of one kind."""
    return figures(
        path,
        f"{column}_by_day.sql",
        what,
        reads=("agg_fub_activity_by_agent",),
        fields=(_DAY, Field("user_id", "whole", "Whose it is."), *_BY_DAY[column]),
        also=_PERIOD,
    )


_BY_DAY: dict[str, tuple[Field, ...]] = {
    "new_people": _fields(("new_people", "whole", "New contacts.")),
    "calls": _fields(
        ("calls", "whole", "Calls."),
        ("calls_incoming", "whole", "Of these, incoming."),
        ("call_seconds", "whole", "Seconds talked."),
    ),
    "events": _fields(("events", "whole", "Events of contacts.")),
    "appointments": _fields(("appointments", "whole", "Appointments that began.")),
    "texts": _fields(("texts", "whole", "Text messages."), ("texts_incoming", "whole", "Of these, incoming.")),
}
_CRM = (
    rows(
        "/leads/fub_people",
        "fub_people",
        "Contacts, each with its stage, source and owner.",
        filters=(
            "type stage_name stage_id source_name created_via contacted claimed fub_created_at fub_updated_at "
            "last_activity price deal_status fub_account_id assigned_to_fub_id user_id updated_at"
        ),
        search="people_name email phone",
        sorts="-fub_created_at id",
        walk="user_id",
        finder="api_find_fub_people",
    ),
    _touches("/leads/fub_people/aggregates", "new_people", "New contacts per day and user."),
    rows(
        "/fub/deals",
        "fub_deals",
        "Deals of the CRM.",
        filters=(
            "status type pipeline_id pipeline_name stage_id stage_name price projected_close_date "
            "primary_person_id ad_user_id ad_team_id fub_created_at fub_updated_at updated_at"
        ),
        search="deal_name description",
        sorts="-id price projected_close_date fub_created_at updated_at",
    ),
    figures(
        "/fub/deals/aggregates",
        "fub_deals_aggregates.sql",
        "Deals of the CRM by pipeline, stage and status.",
        reads=("fub_deals",),
        fields=_fields(
            ("pipeline_name", "text", "Name of the pipeline."),
            ("stage_name", "text", "Name of the stage."),
            ("status", "text", "How the deals stand."),
            ("deals", "whole", "Deals in it."),
            ("price", "number", "Their prices together."),
            ("commission_value", "number", "Their commission together."),
        ),
    ),
    rows(
        "/fub/calls",
        "fub_calls",
        "Calls.",
        filters="is_incoming direction outcome duration fub_people_id fub_user_id user_id fub_created_at updated_at",
        search="name people_name user_name phone",
        sorts="-fub_created_at id",
        walk="user_id",
    ),
    _touches("/fub/calls/aggregates", "calls", "Calls per day and user."),
    rows(
        "/fub/events",
        "fub_events",
        "What contacts did: inquiries, visits, registrations.",
        filters="type event_source occurred property_city property_zip fub_people_id updated_at",
        search="people_name message description",
        sorts="-occurred id",
    ),
    _touches("/fub/events/aggregates", "events", "Events of contacts per day and user."),
    rows(
        "/fub/appointments",
        "fub_appointments",
        "Appointments.",
        filters="type outcome start end is_all_day invited_person_id fub_user_id user_id updated_at",
        search="title description location",
        sorts="-start id",
        walk="user_id",
    ),
    _touches("/fub/appointments/aggregates", "appointments", "Appointments per day and user."),
    rows(
        "/fub/text_messages",
        "fub_text_messages",
        "Text messages.",
        filters="is_incoming status sent archived read fub_people_id fub_user_id user_id updated_at",
        search="name user_name message",
        sorts="-sent id",
        walk="user_id",
    ),
    _touches("/fub/text_messages/aggregates", "texts", "Text messages per day and user."),
)

# --- teams ----------------------------------------------------------------------------------------------------------

_ROSTER_FILTERS = "team_id agent_id status seat is_leader is_director is_mentor team_join_date"
_ROSTER = rows(
    "/team_management/roster",
    "team_members",
    "The roster as it is now; who is no account admin sees the own seat.",
    filters=_ROSTER_FILTERS,
    search="agent_id_raw",
    sorts="id team_join_date seat",
    condition="active is not false",
    lookups=(_AGENT,),
)
_ROLE_FILTERS = "team_id agent_id status active effective_start_date"
_AGENTS_WITHOUT = "birthdate home_address_id"
_TEAM_FILTERS = "id team_type status active"
_TEAM = rows(
    "/team_management/details",
    "team",
    "The user's team.",
    filters=_TEAM_FILTERS,
    search="team_name",
    sorts="id team_name",
)
_TEAMS = (
    _ROSTER,
    count("/team_management/roster/count", _ROSTER, "How many seats the roster has now."),
    rows(
        "/team_management/members",
        "team_members",
        "Everybody who is or was on the roster.",
        filters=f"{_ROSTER_FILTERS} active",
        search="agent_id_raw",
        sorts="id team_join_date seat",
        lookups=(_AGENT,),
    ),
    *(
        rows(
            f"/team_management/{name}s",
            name,
            f"The {name} roles of the team.",
            filters=_ROLE_FILTERS,
            sorts="id effective_start_date",
            lookups=(_AGENT,),
        )
        for name in ("leader", "director", "mentor")
    ),
    _TEAM,
    figures(
        "/team_management/count",
        "team_count.sql",
        "How many members, leaders, directors and mentors the team has now.",
        reads=("team_members", "leader", "director", "mentor"),
        fields=_fields(
            ("team_id", "whole", "The team."),
            ("members", "whole", "Seats on the roster."),
            ("leaders", "whole", "Members who lead."),
            ("directors", "whole", "Members who are directors."),
            ("mentors", "whole", "Members who are mentors."),
        ),
    ),
    rows(
        "/team_management/agents_all",
        "agent",
        "Agents of the team, each with status and contact.",
        filters=(
            "agent_status type team_id active_on_team real_agent state_abbreviation join_date anniversary_date "
            "updated_at"
        ),
        search="display_name first_name last_name email agent_id_raw",
        sorts="id display_name join_date",
        without=_AGENTS_WITHOUT,
    ),
    figures(
        "/dashboard/roster_data",
        "roster_data.sql",
        "The roster with each agent's work, network and cap.",
        reads=("team_members", "agent", "agent_performance", "agent_cap_data"),
        fields=_fields(
            ("agent_id", "whole", "The agent."),
            ("team_id", "whole", "The team."),
            ("display_name", "text", "The agent's name."),
            ("avatar", "text", "Address of the agent's picture."),
            ("agent_status", "text", "Where the agent stands at the brokerage."),
            ("seat", "text", "The agent's place on the roster."),
            ("team_join_date", "day", "Day the agent joined the team."),
            ("all_transaction_count", "whole", "Deals in any state."),
            ("pending_transaction_count", "whole", "Deals under way."),
            ("closed_transaction_count", "whole", "Deals that closed."),
            ("active_listing_count", "whole", "Listings on the market."),
            ("size_of_network", "whole", "Agents in the down-line."),
            ("capped", "flag", "Whether the cap is reached."),
            ("brokerage_cap", "number", "Most the agent pays the brokerage in a cap year."),
            ("brokerage_cap_paid", "number", "Paid towards it so far."),
        ),
    ),
)

# --- leaderboard and charts -----------------------------------------------------------------------------------------

_BOARDS = (
    rows(
        "/leaderboard/computed",
        "agg_leaderboard",
        "Each agent's place in the team, by metric and period.",
        filters="team_id period metric agent_id rank",
        sorts="id rank value",
        lookups=(_AGENT,),
    ),
    rows(
        "/leaderboard/transactions",
        "transaction",
        "The closed deals that the places come from.",
        filters="closing_date team_id transaction_owner_agent_id representation currency",
        sorts="-closing_date id sale_price gross_commission",
        condition="closed and duplicate_of_id is null",
        lookups=(
            Lookup("agent_name", "api_agent_names", "transaction_owner_agent_id", "The name of the deal's owner."),
        ),
    ),
    figures(
        "/charts/network-activity",
        "chart_network_activity.sql",
        "Agents who joined and left the down-line, by month.",
        reads=("network_member",),
        fields=_fields(
            ("period_year", "whole", "The year."),
            ("period_month", "whole", "The month, 1 to 12."),
            ("joined", "whole", "Agents who joined the brokerage and are in the down-line."),
            ("left", "whole", "Agents of the down-line who left the brokerage."),
        ),
        also=_PERIOD,
    ),
    figures(
        "/charts/revenue-by-agent",
        "chart_revenue_by_agent.sql",
        "Income by agent and kind.",
        reads=("income", "agent"),
        fields=_fields(
            ("agent_id", "whole", "The agent."),
            ("agent_name", "text", "The agent's name."),
            ("income_type", "text", "Kind of income."),
            ("currency", "text", "Currency of the amount."),
            ("amount", "number", "Income together."),
        ),
        also=_PERIOD,
    ),
    figures(
        "/charts/revenue-trends",
        "chart_revenue_trends.sql",
        "Income by month and kind.",
        reads=("income",),
        fields=_fields(
            ("period_year", "whole", "The year."),
            ("period_month", "whole", "The month, 1 to 12."),
            ("income_type", "text", "Kind of income."),
            ("currency", "text", "Currency of the amount."),
            ("amount", "number", "Income together."),
        ),
        also=_PERIOD,
    ),
    figures(
        "/charts/transactions-status",
        "chart_transactions_status.sql",
        "Deals by month of contract and status.",
        reads=("transaction",),
        fields=_fields(
            ("period_year", "whole", "The year."),
            ("period_month", "whole", "The month, 1 to 12."),
            ("status", "text", "Status of the deals."),
            ("transactions", "whole", "Deals in it."),
        ),
        also=_PERIOD,
    ),
)

_PIPELINE = (
    figures(
        "/pipeline/health",
        "pipeline_health.sql",
        "The streams that are read for the user: when each was last up to date, and what stopped it.",
        reads=("ops.sync_state",),
        fields=_fields(
            ("integration", "text", "The source system."),
            ("entity", "text", "The kind of record."),
            ("user_id", "whole", "Whose sync it is."),
            ("status", "text", "idle, running, failed or excluded."),
            ("last_started_at", "instant", "When the last pass began."),
            ("last_sync_at", "instant", "When the last pass ended well."),
            ("records", "whole", "Records stored by the last pass."),
            ("error_code", "text", "What stopped the last pass."),
        ),
    ),
)

CATALOGUE: tuple[Endpoint, ...] = (*_DEALS, *_MONEY, *_CRM, *_TEAMS, *_BOARDS, *_PIPELINE)
"""Every data endpoint. Reach one by its path: `ENDPOINTS["/transactions/all"]`."""

ENDPOINTS: dict[str, Endpoint] = {endpoint.path: endpoint for endpoint in CATALOGUE}
