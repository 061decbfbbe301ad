"""Deals and listings, and who takes part in them."""

from __future__ import annotations

from v2_assets.api.catalogue.words import ADDRESS, PERIOD, described
from v2_assets.api.endpoint import Part, count, figures, record, rows

_DEAL_FILTERS = (
    "status transaction_type stage lifecycle_state closed terminated representation property_type contract_date "
    "closing_date listing_date sale_price team_id transaction_owner_agent_id listing_id source updated_at"
)

_TRANSACTIONS = rows(
    "/transactions/all",
    "transaction",
    "Deals that are the user's, and for an account admin the team's.",
    filters=_DEAL_FILTERS,
    search="transaction_owner_name mls_num rezen_code transaction_id_raw",
    sorts="-id closing_date contract_date sale_price updated_at",
    lookups=(ADDRESS,),
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
    lookups=(ADDRESS,),
)
DEALS = (
    _TRANSACTIONS,
    figures(
        "/transactions/metrics",
        "transactions_metrics.sql",
        "Deals by status and currency: how many, their volume and commission.",
        reads=("transaction", "transaction_financials"),
        fields=described(
            ("status", "text", "Status of the deals."),
            ("currency", "text", "Currency of the amounts."),
            ("transactions", "whole", "Deals in it."),
            ("volume", "number", "Their sale prices together."),
            ("gross_commission", "number", "Their commission before any split."),
            ("gci", "number", "Gross commission income of our side."),
            ("net_payout", "number", "What is paid to the viewer of the records."),
        ),
        also=PERIOD,
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
        lookups=(ADDRESS,),
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
