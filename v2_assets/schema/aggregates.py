"""Aggregates: numbers by month, week and day, and the health of the data.

Here: the catalogue's section 9, and the queue that says which of their rows are out of date. What fills the queue are
triggers (migration 0009); how it is emptied is in `merge/recomputed.py`.
"""

from __future__ import annotations

from sqlalchemy import Column, Date, Numeric
from sqlalchemy.schema import SchemaItem

from v2_assets.schema import crm
from v2_assets.schema.vocabulary import (
    Index,
    day,
    json,
    money,
    number,
    ops_table,
    parent,
    percent,
    small,
    surrogate,
    total,
    ts,
    unique,
    v2_table,
    words,
)

_CURRENCY = "Currency of the amounts; null, and the amounts too, where the period has more than one."
#: In which state a deal is counted in a month, and by which of its days.
STATES = {
    "new": "deals under contract since this month (contract day, else listing day)",
    "pending": "open deals by the month of their expected close",
    "closed": "closed deals by closing day",
    "terminated": "deals that fell through, by the day they should have closed",
}
#: The side our agent stands on: buyer or tenant, seller or landlord, both or not told.
SIDES = {"buyer": "buyer's side", "seller": "seller's side", "other": "both sides, or not told"}


def _deals() -> tuple[SchemaItem, ...]:
    return tuple(
        column
        for state, what in STATES.items()
        for side, where in SIDES.items()
        for column in (
            number(f"{state}_{side}_count", f"Number of {what}; {where}."),
            total(f"{state}_{side}_volume", f"Sale prices of those {state} deals; {where}."),
            total(f"{state}_{side}_gci", f"Gross commission income of those {state} deals; {where}."),
        )
    )


agg_agent_monthly = v2_table(
    "agg_agent_monthly",
    parent("agent_id", "v2.agent", "The agent.", required=True, index=False),
    small("period_year", "Calendar year.", required=True),
    small("period_month", "Month, 1 to 12.", required=True),
    words("currency", _CURRENCY),
    *_deals(),
    number("listings_taken", "Listings that came on the market."),
    number("listings_closed", "Listings that led to a close."),
    money("average_price", "Mean sale price of the closed deals."),
    Column("average_days_to_close", Numeric(12, 4), comment="Mean days from contract to close of the closed deals."),
    number("network_joined", "Down-line agents who joined the brokerage."),
    number("network_left", "Down-line agents who left the brokerage."),
    number("contributions_count", "Rev-share contributions earned, missed ones and duplicates left out."),
    total("contributions_earned", "What those contributions paid."),
    total("revshare_paid", "Rev share paid out; differs from what was earned, by the programme's design."),
    number("fub_calls", "Phone calls in the CRM, of the user who is the agent."),
    number("fub_texts", "Text messages in the CRM."),
    number("fub_events", "What contacts did, in the CRM."),
    number("fub_appointments", "Appointments in the CRM."),
    number("fub_new_people", "New contacts in the CRM."),
    grain="one agent in one month in which something happened",
    key=("agent_id", "period_year", "period_month"),
    sources=("derived",),
    domain="aggregates",
    freshness="hourly",
    derived=True,
)

agg_leaderboard = v2_table(
    "agg_leaderboard",
    parent("team_id", "v2.team", "The team.", required=True, index=False),
    words("period", "A month as YYYY-MM or a year as YYYY.", required=True),
    words("metric", "closed_count, or closed_volume or closed_gci and a currency, as closed_gci_usd.", required=True),
    parent("agent_id", "v2.agent", "An agent who is on the team now.", required=True),
    total("value", "The agent's number."),
    number("rank", "Place in the team, 1 is the most; equal numbers share a place."),
    number("previous_rank", "Place in the period before; null where the agent had none."),
    percent("share_of_team", "Part of the team's sum, as a fraction of 1."),
    grain="one agent's place in the team by one metric in one period",
    key=("team_id", "period", "metric", "agent_id"),
    sources=("derived",),
    domain="aggregates",
    freshness="hourly",
    derived=True,
)

agg_transactions_by_week = v2_table(
    "agg_transactions_by_week",
    parent("team_id", "v2.team", "The team.", required=True, index=False),
    small("iso_year", "Year of the ISO week.", required=True),
    small("iso_week", "ISO week, 1 to 53.", required=True),
    words("currency", _CURRENCY),
    number("new_count", "Deals under contract since this week."),
    number("pending_count", "Open deals that should close in this week."),
    number("closed_count", "Deals closed."),
    number("terminated_count", "Deals that fell through, by the day they should have closed."),
    total("closed_volume", "Sale prices of the closed deals."),
    total("closed_gci", "Gross commission income of the closed deals."),
    grain="the deals of one team in one week",
    key=("team_id", "iso_year", "iso_week"),
    sources=("derived",),
    domain="aggregates",
    freshness="hourly",
    derived=True,
)

agg_fub_activity_by_agent = v2_table(
    "agg_fub_activity_by_agent",
    parent("user_id", "v2.user", "The user whose contacts these are.", required=True, index=False),
    Column("day", Date(), nullable=False, comment="The day, in UTC."),
    number("calls", "Phone calls."),
    number("calls_incoming", "Of those, from the contact."),
    number("call_seconds", "Length of the calls in seconds."),
    number("texts", "Text messages."),
    number("texts_incoming", "Of those, from the contact."),
    number("events", "What contacts did."),
    number("appointments", "Appointments, by the day they begin."),
    number("new_people", "Contacts created."),
    grain="one user's CRM activity on one day",
    key=("user_id", "day"),
    sources=("derived",),
    domain="aggregates",
    freshness="hourly",
    derived=True,
)

metrics_snapshots = v2_table(
    "metrics_snapshots",
    Column("taken_on", Date(), nullable=False, comment="The day, in UTC."),
    words("metric", "What is counted, e.g. v2.agent.live or staging.stage_rezen_agents.deferred.", required=True),
    number("value", "How many."),
    grain="one health number on one day",
    key=("taken_on", "metric"),
    sources=("derived",),
    domain="aggregates",
    freshness="daily",
    derived=True,
)

changed_key = ops_table(
    "changed_key",
    surrogate("Our own number."),
    words("derived", "What has to be computed again, e.g. agg_agent_monthly.", required=True),
    number("owner_id", "For whom or which: an agent, team, user or deal, as the table's key begins.", required=True),
    day("period", "Which of the owner's days; null for all."),
    ts("noted_at", "When the input changed.", required=True, default="now()"),
    Index("changed_key_derived_idx", "derived", "id"),
    grain="one key of a computed table whose inputs changed",
    key=("id",),
)

parked_key = ops_table(
    "parked_key",
    surrogate("Our own number."),
    words("table_name", "The computed table of v2.", required=True),
    words("work", "What was refused: its queue in ops.changed_key, or the file of its select.", required=True),
    number("owner_id", "For whom or which: an agent, team, user or deal.", required=True),
    day("period", "Which of the owner's days; null for all."),
    json("reason", "What Postgres refused: SQLSTATE, table, constraint, columns; never a value.", required=True),
    ts("parked_at", "Since when it has not been computed.", required=True, default="now()"),
    ts("tried_at", "When it was last tried.", required=True, default="now()"),
    number("attempts", "How often it was tried.", required=True, default="1"),
    unique("work", "owner_id", "period", name="parked_key_key", nulls_are_one=True),
    grain="one key of a computed table that Postgres refuses to compute",
    key=("work", "owner_id", "period"),
)

# One user's rows of one day are found without reading the user's others; the read endpoints walk these from the newest
# on, and need not look at the rows themselves to pass over deleted ones.
for _table, _by in (
    (crm.fub_calls, "fub_created_at"),
    (crm.fub_text_messages, "sent"),
    (crm.fub_appointments, "start"),
    (crm.fub_people, "fub_created_at"),
    (crm.fub_events, "occurred"),
):
    Index(
        f"{_table.name}_day_idx",
        _table.c.user_id,
        _table.c[_by],
        _table.c.id,
        postgresql_include=["deleted_at"],
    )
