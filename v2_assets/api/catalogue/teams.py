"""Teams: rosters, roles and agents."""

from __future__ import annotations

from v2_assets.api.catalogue.words import AGENT, described
from v2_assets.api.endpoint import count, figures, rows

_ROSTER_FILTERS = "team_id agent_id status seat is_leader is_director is_mentor team_join_date"
_ROSTER = rows(
    "/team_management/roster",
    "team_members",
    "The roster as it is now; who is no account admin sees the own seat.",
    filters=_ROSTER_FILTERS,
    search="agent_id_raw",
    sorts="id team_join_date seat",
    condition="active is not false",
    lookups=(AGENT,),
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
TEAMS = (
    _ROSTER,
    count("/team_management/roster/count", _ROSTER, "How many seats the roster has now."),
    rows(
        "/team_management/members",
        "team_members",
        "Everybody who is or was on the roster.",
        filters=f"{_ROSTER_FILTERS} active",
        search="agent_id_raw",
        sorts="id team_join_date seat",
        lookups=(AGENT,),
    ),
    *(
        rows(
            f"/team_management/{name}s",
            name,
            f"The {name} roles of the team.",
            filters=_ROLE_FILTERS,
            sorts="id effective_start_date",
            lookups=(AGENT,),
        )
        for name in ("leader", "director", "mentor")
    ),
    _TEAM,
    figures(
        "/team_management/count",
        "team_count.sql",
        "How many members, leaders, directors and mentors the team has now.",
        reads=("team_members", "leader", "director", "mentor"),
        fields=described(
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
        fields=described(
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
