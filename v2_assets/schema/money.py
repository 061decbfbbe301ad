"""Money: what agents earn from their network, what they are paid, what they own, and all income in one place.

Here: the catalogue's section 6. Earned and paid differ by the programme's design, so both are kept; amounts of two
currencies are never added together.
"""

from __future__ import annotations

from sqlalchemy import Table
from sqlalchemy.schema import SchemaItem

from v2_assets.schema.vocabulary import (
    day,
    flag,
    law,
    money,
    number,
    parent,
    percent,
    shares,
    small,
    total,
    v2_table,
    words,
)


def _earned(name: str, grain: str, *, facts: tuple[SchemaItem, ...] = (), links: tuple[SchemaItem, ...] = ()) -> Table:
    """A contribution or a pending one: the same facts, and what only the pending one has."""
    return v2_table(
        name,
        words("contribution_id_raw", "The contribution's id at the source.", required=True),
        money("amount", "What the contribution pays."),
        words("currency", "Currency of the amount."),
        words("contribution_type", "Kind of contribution, as the source words it."),
        words("status", "Where the contribution stands, as the source words it."),
        day("contribution_date", "Day on which it was earned."),
        small("tier", "Tier of the contributing agent."),
        flag("missed", "Whether it was lost to a tier that was not open; a missed one is no income."),
        words("notes", "Remarks."),
        words("transaction_id_raw", "The deal's id at the source."),
        *facts,
        parent("user_id", "v2.user", "The user who earns it."),
        parent("agent_id", "v2.agent", "The agent who earns it, as an agent of the user.", index=False),
        parent("transaction_id", "v2.transaction", "The deal it comes from, where a user of ours may see it."),
        parent("contributing_agent_id", "v2.agent", "The agent whose deal pays it; null where the source hides it."),
        parent("receiving_agent_id", "v2.agent", "The agent who receives it."),
        *links,
        grain=grain,
        key=("contribution_id_raw",),
        sources=("rezen", "v1"),
        domain="money",
        freshness="daily",
        may_be_empty="Nothing may be pending at the moment." if name == "contributions_pending" else None,
        v1={"table": name, "forms": {"contribution_id_raw": "raw"}},
    )


contribution = _earned(
    "contribution",
    "one rev-share contribution",
    links=(
        parent("duplicate_of_id", "v2.contribution", "The same contribution under another id; counted there."),
        law("duplicate", "duplicate_of_id is null or duplicate_of_id <> id"),
    ),
)

contributions_pending = _earned(
    "contributions_pending",
    "one rev-share contribution that is not settled yet",
    facts=(
        words("pending_reason", "Why it is pending, as the source words it."),
        day("closing_date", "Day on which the deal is expected to close."),
        small("tier_at_contribution", "Tier of the contributing agent when the deal was made."),
        words("processing_error", "What went wrong at the source, if anything."),
    ),
)

contribution_tiers = v2_table(
    "contribution_tiers",
    small("tier", "1 to 5.", required=True),
    words("name", "How the tier is called."),
    percent("share", "Share of the brokerage's split that the tier pays, as a fraction of 1; null: not published."),
    grain="one tier of the rev-share programme",
    key=("tier",),
    sources=("seed",),
    domain="money",
    freshness="seed",
    default_source="seed",
    v1={"not_in_v1": "written when the database is migrated"},
)

revshare_payment = v2_table(
    "revshare_payment",
    words("payment_id_raw", "The payment's id at the source.", required=True),
    money("amount", "What is paid out."),
    words("currency", "Currency of the amount."),
    words("status", "Where the payment stands; code set payment_status."),
    day("payment_date", "Day of the payment."),
    words("payment_method", "How it is paid."),
    words("payment_reference", "The payment's reference."),
    day("period_start", "First day of the period it pays for."),
    day("period_end", "Last day of the period it pays for."),
    parent("user_id", "v2.user", "The user who is paid."),
    parent("agent_id", "v2.agent", "The agent who is paid."),
    grain="one rev-share payout",
    key=("payment_id_raw",),
    sources=("rezen", "v1"),
    domain="money",
    freshness="daily",
)

revshare_totals = v2_table(
    "revshare_totals",
    parent("user_id", "v2.user", "The user.", required=True, index=False),
    words("currency", "Currency of the amounts.", required=True),
    total("total_amount", "Everything earned, missed and duplicate contributions left out."),
    total("ytd_amount", "Of that, earned in this calendar year."),
    total("mtd_amount", "Of that, earned in this calendar month."),
    day("last_contribution_date", "Day of the newest contribution."),
    small("tier", "Deepest tier that has paid."),
    grain="what one user earned from the network in one currency",
    key=("user_id", "currency"),
    sources=("derived",),
    domain="money",
    freshness="hourly",
    derived=True,
)

income = v2_table(
    "income",
    words("income_type", "GCI or RevShare.", required=True),
    words("source_table", "V2 table of the row that brought the income.", required=True),
    number("source_row_id", "Id of that row.", required=True),
    money("amount", "The income."),
    words("currency", "Currency of the amount."),
    day("income_date", "Day of the income."),
    small("period_month", "Month of the income, 1 to 12."),
    small("period_year", "Year of the income."),
    words("description", "What the income is from, without personal data."),
    parent("user_id", "v2.user", "The user who has the income."),
    parent("agent_id", "v2.agent", "The agent who has the income."),
    parent("transaction_id", "v2.transaction", "The deal behind it."),
    parent("contribution_id", "v2.contribution", "The contribution behind it."),
    parent("listing_id", "v2.listing", "The listing behind it.", index=False),
    grain="one income event",
    key=("income_type", "source_table", "source_row_id"),
    sources=("derived",),
    domain="money",
    freshness="hourly",
    derived=True,
    v1={
        "table": "income",
        "key": ("income_type", "transaction_id", "contribution_id"),
        "only_here": {
            "source_table": "follows from the deal or contribution",
            "source_row_id": "V2's own number of that row",
            "description": "worded anew",
        },
    },
)

equity_transactions = v2_table(
    "equity_transactions",
    words("grant_id_raw", "The grant's id at the source.", required=True),
    words(
        "transaction_type", "Granted, vested, exercised, forfeited or purchased; code set equity_type.", required=True
    ),
    day("transaction_date", "Day of the entry."),
    shares("amount", "Number of shares."),
    money("price", "Price of a share."),
    money("value", "What the shares were worth."),
    words("currency", "Currency of price and value."),
    words("status", "Where the entry stands, as the source words it."),
    day("vesting_date", "Day on which the shares vest."),
    day("expiration_date", "Day on which the grant ends."),
    words("grant_type", "Kind of grant, as the source words it."),
    parent("user_id", "v2.user", "The user who owns it."),
    parent("agent_id", "v2.agent", "The agent who owns it."),
    grain="one entry of an agent's equity ledger",
    key=("grant_id_raw", "transaction_type", "transaction_date"),
    sources=("rezen", "v1"),
    domain="money",
    freshness="daily",
    nulls_are_one=True,
)


def _equity(name: str, grain: str, *period: SchemaItem) -> Table:
    keys = ("agent_id", "period_year", *(("period_month",) if name == "equity_monthly" else ()))
    return v2_table(
        name,
        parent("agent_id", "v2.agent", "The agent.", required=True, index=False),
        small("period_year", "Calendar year.", required=True),
        *period,
        shares("total_shares", "Shares held at the end of the period."),
        shares("vested_shares", "Of those, vested."),
        shares("unvested_shares", "Of those, not vested yet."),
        total("total_value", "Worth of the shares held at the last known price."),
        words("currency", "Currency of the worth; null where entries have more than one."),
        shares("grants_this_period", "Shares granted or bought in the period."),
        shares("vested_this_period", "Shares that vested in the period."),
        shares("exercised_this_period", "Shares exercised in the period."),
        shares("forfeited_this_period", "Shares forfeited in the period."),
        parent("user_id", "v2.user", "The user who is the agent."),
        grain=grain,
        key=keys,
        sources=("derived",),
        domain="money",
        freshness="daily",
        derived=True,
    )


equity_monthly = _equity(
    "equity_monthly", "one agent's equity in one month", small("period_month", "Month, 1 to 12.", required=True)
)
equity_annual = _equity("equity_annual", "one agent's equity in one year")
