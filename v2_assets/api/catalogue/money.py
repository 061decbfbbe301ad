"""The down-line, contributions and income."""

from __future__ import annotations

from v2_assets.api.catalogue.words import described
from v2_assets.api.endpoint import Lookup, figures, rows

_MONEY_FILTERS = "status currency contribution_date amount tier contributing_agent_id updated_at"

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
MONEY = (
    _NETWORK,
    figures(
        "/network/counts",
        "network_counts.sql",
        "The down-line by tier: how many agents, how many of them active, capped, gone.",
        reads=("network_member",),
        fields=described(
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
