"""Network: each agent's down-line, who is above whom, and how the down-line changed.

Here: the catalogue's section 5. The links themselves (`agent_hierarchy`) are in `people.py`, what the network pays in
`money.py`.
"""

from __future__ import annotations

from sqlalchemy import ARRAY, BigInteger, Column

from v2_assets.schema.vocabulary import day, flag, law, money, number, parent, percent, small, ts, v2_table, words

network_member = v2_table(
    "network_member",
    words("network_id_raw", "Who sees whom in which tier, as {agent}-{down-line agent}-{tier}.", required=True),
    words("agent_id_raw", "The agent at the top of this down-line, by the id at reZEN.", required=True),
    words("downline_agent_id_raw", "The agent in the down-line, by the id at reZEN.", required=True),
    small("tier", "How many steps below the agent, 1 to 5.", required=True),
    words("status", "Where the down-line agent stands at the brokerage; code set agent_status."),
    percent("sponsor_split", "Share of the sponsorship, as a fraction of 1; two sponsors may share one agent."),
    flag("unlocking", "Whether the tier is about to open for the agent."),
    day("unlocking_expiry", "Day until which the tier stays open."),
    number("network_size", "How many agents are below the down-line agent."),
    flag("capped", "Whether the down-line agent reached the cap of this year."),
    money("cap_amount", "The down-line agent's cap."),
    money("cap_amount_paid", "What of the cap is paid."),
    flag("left_network", "Whether the agent was seen in this down-line before and is not any more."),
    money("total_contribution", "What the down-line agent contributed in all, as the source tells it."),
    words("currency", "Currency of the amounts."),
    words("contact_frequency", "How often the user wants to be in touch; the user's own, never touched by a sync."),
    ts("last_contacted_date", "When the user was last in touch; the user's own, never touched by a sync."),
    words("sponsorship_type", "How the sponsorship came about."),
    day("anniversary_date", "Day on which the down-line agent's cap year turns."),
    day("broker_join_date", "Day the down-line agent joined the brokerage."),
    day("broker_terminated_date", "Day the down-line agent left the brokerage."),
    parent("user_id", "v2.user", "The user whose down-line it is."),
    parent("agent_id", "v2.agent", "The agent at the top of this down-line."),
    parent("downline_agent_id", "v2.agent", "The agent in the down-line."),
    parent("sponsoring_agent_id", "v2.agent", "Who sponsored the down-line agent, where it is told.", index=False),
    law("tier", "tier >= 1"),
    grain="one agent in one tier of one agent's down-line",
    key=("network_id_raw",),
    sources=("rezen", "v1"),
    domain="network",
    freshness="hourly",
    v1={"table": "network_member", "codes": {"status": "agent_status"}},
)

network_hierarchy = v2_table(
    "network_hierarchy",
    parent("ancestor_agent_id", "v2.agent", "The agent above.", required=True, index=False),
    parent("descendant_agent_id", "v2.agent", "The agent below.", required=True),
    small("depth", "How many steps lie between them: 1 for a sponsor.", required=True),
    Column(
        "path",
        ARRAY(BigInteger()),
        nullable=False,
        comment="Agents known to lie on the way from ancestor to descendant, both included.",
    ),
    law("depth", "depth >= 1 and cardinality(path) between 2 and depth + 1"),
    law("direction", "ancestor_agent_id <> descendant_agent_id"),
    grain="one agent above another, at any distance",
    key=("ancestor_agent_id", "descendant_agent_id"),
    sources=("derived",),
    domain="network",
    freshness="hourly",
    derived=True,
)

network_change_log = v2_table(
    "network_change_log",
    words("network_id_raw", "Which member of which down-line changed.", required=True),
    words("type", "New to Network, Status, Network Size or Join Date.", required=True),
    ts("observed_at", "When the change was seen.", required=True),
    words("value_old", "Value before, as text."),
    words("value_new", "Value after, as text."),
    small("tier", "Tier of the member."),
    words("downline_agent_id_raw", "The agent in the down-line, by the id at reZEN."),
    parent("user_id", "v2.user", "The user whose down-line it is."),
    parent("agent_id", "v2.agent", "The agent at the top of the down-line."),
    law("type", "type in ('New to Network', 'Status', 'Network Size', 'Join Date')"),
    grain="one change of one member of one down-line",
    key=("network_id_raw", "type", "observed_at"),
    sources=("rezen", "v1"),
    domain="network",
    freshness="hourly",
    v1={
        "table": "network_change_log",
        "columns": {"observed_at": "created_at"},
        "codes": {"type": "network_change"},
    },
)
