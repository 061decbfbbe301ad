"""What the aggregates are computed from. Their order is that of their inputs: CRM days, months, leaderboard."""

from __future__ import annotations

from v2_assets.merge import Derived, Recomputed

_HERE = "v2_assets.aggregates"


def _recomputed(table: str, owner: str, period: str | None = None) -> tuple[Recomputed]:
    return (Recomputed(table=table, package=_HERE, file=f"{table}.sql", queue=table, owner=owner, period=period),)


AGG_FUB_ACTIVITY_BY_AGENT = _recomputed("agg_fub_activity_by_agent", "user_id", "day")
AGG_AGENT_MONTHLY = _recomputed("agg_agent_monthly", "agent_id")
AGG_LEADERBOARD = _recomputed("agg_leaderboard", "team_id")
AGG_TRANSACTIONS_BY_WEEK = _recomputed("agg_transactions_by_week", "team_id")
METRICS_SNAPSHOTS = (Derived(table="metrics_snapshots", package=_HERE, file="metrics_snapshots.sql"),)

WORK: tuple[tuple[Derived, ...], ...] = (
    AGG_FUB_ACTIVITY_BY_AGENT,
    AGG_AGENT_MONTHLY,
    AGG_LEADERBOARD,
    AGG_TRANSACTIONS_BY_WEEK,
    METRICS_SNAPSHOTS,
)
PARENTS: dict[str, tuple[str, ...]] = {
    "agg_fub_activity_by_agent": ("fub_calls", "fub_text_messages", "fub_events", "fub_appointments", "fub_people"),
    "agg_agent_monthly": (
        "transaction",
        "transaction_financials",
        "listing",
        "network_member",
        "contribution",
        "revshare_payment",
        "agent",
        "agg_fub_activity_by_agent",
    ),
    "agg_leaderboard": ("agg_agent_monthly", "agent", "team"),
    "agg_transactions_by_week": ("transaction", "transaction_financials", "team"),
    "metrics_snapshots": ("agg_leaderboard", "agg_transactions_by_week", "income", "title_orders"),
}
