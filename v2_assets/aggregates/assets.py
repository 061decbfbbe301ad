"""The assets of the aggregates."""

from v2_assets.aggregates import units as u
from v2_assets.tables import v2_asset

agg_fub_activity_by_agent = v2_asset(*u.AGG_FUB_ACTIVITY_BY_AGENT, parents=u.PARENTS)
agg_agent_monthly = v2_asset(*u.AGG_AGENT_MONTHLY, parents=u.PARENTS)
agg_leaderboard = v2_asset(*u.AGG_LEADERBOARD, parents=u.PARENTS)
agg_transactions_by_week = v2_asset(*u.AGG_TRANSACTIONS_BY_WEEK, parents=u.PARENTS)
metrics_snapshots = v2_asset(*u.METRICS_SNAPSHOTS, parents=u.PARENTS)

AGGREGATES = [
    agg_fub_activity_by_agent,
    agg_agent_monthly,
    agg_leaderboard,
    agg_transactions_by_week,
    metrics_snapshots,
]
