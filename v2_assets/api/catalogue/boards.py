"""Leaderboards, charts, and how the pipelines stand."""

from __future__ import annotations

from v2_assets.api.catalogue.words import AGENT, PERIOD, described
from v2_assets.api.endpoint import Lookup, figures, rows

BOARDS = (
    rows(
        "/leaderboard/computed",
        "agg_leaderboard",
        "Each agent's place in the team, by metric and period.",
        filters="team_id period metric agent_id rank",
        sorts="id rank value",
        lookups=(AGENT,),
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
        fields=described(
            ("period_year", "whole", "The year."),
            ("period_month", "whole", "The month, 1 to 12."),
            ("joined", "whole", "Agents who joined the brokerage and are in the down-line."),
            ("left", "whole", "Agents of the down-line who left the brokerage."),
        ),
        also=PERIOD,
    ),
    figures(
        "/charts/revenue-by-agent",
        "chart_revenue_by_agent.sql",
        "Income by agent and kind.",
        reads=("income", "agent"),
        fields=described(
            ("agent_id", "whole", "The agent."),
            ("agent_name", "text", "The agent's name."),
            ("income_type", "text", "Kind of income."),
            ("currency", "text", "Currency of the amount."),
            ("amount", "number", "Income together."),
        ),
        also=PERIOD,
    ),
    figures(
        "/charts/revenue-trends",
        "chart_revenue_trends.sql",
        "Income by month and kind.",
        reads=("income",),
        fields=described(
            ("period_year", "whole", "The year."),
            ("period_month", "whole", "The month, 1 to 12."),
            ("income_type", "text", "Kind of income."),
            ("currency", "text", "Currency of the amount."),
            ("amount", "number", "Income together."),
        ),
        also=PERIOD,
    ),
    figures(
        "/charts/transactions-status",
        "chart_transactions_status.sql",
        "Deals by month of contract and status.",
        reads=("transaction",),
        fields=described(
            ("period_year", "whole", "The year."),
            ("period_month", "whole", "The month, 1 to 12."),
            ("status", "text", "Status of the deals."),
            ("transactions", "whole", "Deals in it."),
        ),
        also=PERIOD,
    ),
)

PIPELINE = (
    figures(
        "/pipeline/health",
        "pipeline_health.sql",
        "The streams that are read for the user: when each was last up to date, and what stopped it.",
        reads=("ops.sync_state",),
        fields=described(
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
