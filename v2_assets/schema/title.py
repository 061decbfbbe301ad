"""Title: orders, agencies, users, events and the money of a closing.

Here: the catalogue's section 8. Orders, agencies, users and events come from Qualia; no public API shape is known for
the three money tables, so their rows come from V1 and keep the whole record in `details`.
"""

from __future__ import annotations

from sqlalchemy import Table
from sqlalchemy.schema import SchemaItem

from v2_assets.schema.vocabulary import (
    day,
    flag,
    json,
    labels,
    money,
    number,
    parent,
    partial_index,
    ts,
    v2_table,
    words,
)

_V1_ONLY = "Known to V1 only; no public API tells it."

title_agencies = v2_table(
    "title_agencies",
    words("agency_id_raw", "The agency's id at the source; upper and lower case differ.", required=True),
    words("name", "The agency's name."),
    labels("states", "States in which the agency was offered to the organisation."),
    words("email", "E-mail address."),
    words("phone", "Phone number as the source writes it."),
    parent("address_id", "v2.address", "Where the agency is.", index=False),
    grain="one settlement agency",
    key=("agency_id_raw",),
    sources=("title", "v1"),
    domain="title",
    freshness="daily",
    personal=("email", "phone"),
    v1={"table": "title_agencies", "columns": {"address_id": "address"}, "forms": {"agency_id_raw": "raw"}},
)

title_users = v2_table(
    "title_users",
    words("title_user_id_raw", "The user's id at the source; upper and lower case differ.", required=True),
    words("first_name", "Given name."),
    words("last_name", "Family name."),
    words("full_name", "Whole name."),
    words("email", "E-mail address in lower case."),
    parent("user_id", "v2.user", "The user of the product with that e-mail address."),
    grain="one user of an organisation that orders title work",
    key=("title_user_id_raw",),
    sources=("title", "v1"),
    domain="title",
    freshness="daily",
    personal=("first_name", "last_name", "full_name", "email"),
    v1={"table": "title_users", "forms": {"title_user_id_raw": "raw", "email": "lower"}},
)

title_orders = v2_table(
    "title_orders",
    words("order_id_raw", "The order's id at the source; upper and lower case differ.", required=True),
    words("order_number", "Number the agency prints; it is not unique and may be edited."),
    words("external_reference_number", "Number of whoever placed the order."),
    words("status", "Pending, Open, Closed or Canceled; code set title_status."),
    ts("open_date", "When the order was opened."),
    words("open_date_raw", "The same as the source writes it."),
    ts("close_date", "When the order closed or is to close; a date without a time counts as midnight UTC."),
    words("close_date_raw", "The same as the source writes it; a date alone belongs to the property's zone."),
    flag("cash_only", "Whether there is no loan."),
    money("loan_amount", "Amount of the loan in US dollars."),
    money("purchase_price", "Price of the property in US dollars."),
    words("loan_type", "Kind of loan as the source words it."),
    words("current_stage", "Where the order is on its way, as the source words it."),
    words("current_stage_key", "The same as a key."),
    words("settlement_agency_id_raw", "The agency's id at the source."),
    words("settlement_agency_name", "The agency's name at the time."),
    words("orderer_id_raw", "The id of the user who placed the order."),
    words("property_address", "Address of the first property in one line."),
    words("property_street", "House number and street of the first property."),
    words("property_unit", "Apartment, suite or unit of the first property."),
    words("property_city", "City of the first property."),
    words("property_state", "State of the first property, as two letters."),
    words("property_zip", "Postal code of the first property."),
    words("property_county", "County of the first property."),
    number("property_count", "How many properties the order is about."),
    words("borrower_name", "Names of the borrowers."),
    words("seller_name", "Names of the sellers."),
    json("properties", "All properties as the source has them."),
    json("borrowers", "The borrowers as the source has them."),
    json("sellers", "The sellers as the source has them."),
    json("agents", "Listing and selling agents, each with its side."),
    json("lender_contacts", "The lender's people as the source has them."),
    json("milestones", "The steps of the order as the source has them, unknown ones included."),
    words("environment", "Which of the source's worlds it came from: sandbox or production."),
    words("match_rule", "Which rule found the deal: see docs/explanation/title.md; none or ambiguous without one."),
    parent("transaction_id", "v2.transaction", "The deal the order belongs to, found by match_rule."),
    parent("address_id", "v2.address", "The first property."),
    parent("agency_id", "v2.title_agencies", "The settlement agency."),
    parent("orderer_id", "v2.title_users", "The user who placed the order.", index=False),
    parent("user_id", "v2.user", "The user of the product who placed it, else who may see it."),
    grain="one title order",
    key=("order_id_raw",),
    sources=("title", "v1"),
    domain="title",
    freshness="hourly",
    personal=(
        "property_address",
        "property_street",
        "property_unit",
        "borrower_name",
        "seller_name",
        "properties",
        "borrowers",
        "sellers",
        "agents",
        "lender_contacts",
    ),
    v1={
        "table": "title_orders",
        "columns": {"address_id": "property_address"},
        "codes": {"status": "title_status"},
        "forms": {"order_id_raw": "raw"},
    },
)

title_events = v2_table(
    "title_events",
    parent("order_id", "v2.title_orders", "The order it happened in.", required=True, index=False),
    words("event_key", "The event within the order: milestone/<key>, or activity/<type>/<time>.", required=True),
    words("kind", "milestone or activity."),
    words("name", "The milestone's key or the activity's type."),
    flag("complete", "Whether the milestone is done; it can be undone. Null for activities."),
    ts("occurred_at", "When it happened or was completed."),
    words("description", "The source's own words."),
    grain="one milestone or activity of one title order",
    key=("order_id", "event_key"),
    sources=("title", "v1"),
    domain="title",
    freshness="hourly",
    personal=("description",),
)

title_event_history = v2_table(
    "title_event_history",
    parent("order_id", "v2.title_orders", "The order whose milestone changed.", required=True, index=False),
    words("event_key", "The milestone: milestone/<key>.", required=True),
    ts("changed_at", "When we saw the change; the source tells no time.", required=True),
    flag("old_complete", "Whether it was done before."),
    flag("new_complete", "Whether it is done now."),
    ts("old_occurred_at", "When it was done, as said before."),
    ts("new_occurred_at", "When it was done, as said now."),
    grain="one change of one milestone of one title order",
    key=("order_id", "event_key", "changed_at"),
    sources=("title",),
    domain="title",
    freshness="hourly",
    may_be_empty="Nothing has changed since the first load.",
    v1={"not_in_v1": "V1 kept no history of milestones"},
)


def _money_table(
    name: str,
    *items: SchemaItem,
    grain: str,
    key: str,
    personal: tuple[str, ...],
    pointers: tuple[SchemaItem, ...] = (),
) -> Table:
    """A table of a closing's money: its rows point to an order where that is known, and keep the whole record."""
    return v2_table(
        name,
        words(key, "The row's id at the source.", required=True),
        words("order_id_raw", "The order's id at the source."),
        *items,
        json("details", "The record as the source has it."),
        parent("order_id", "v2.title_orders", "The order it belongs to; null while the order is not known."),
        *pointers,
        partial_index(f"{name}_no_order_idx", "order_id_raw", where="order_id is null"),
        grain=grain,
        key=("source", key),
        sources=("v1",),
        domain="title",
        freshness="daily",
        personal=("details", *personal),
        may_be_empty=_V1_ONLY,
        v1={
            "table": name,
            "forms": {key: "raw_or_id"},
            "only_here": {"order_id_raw": "found through V1's order"},
            **({"when_told": ("transaction_id",)} if pointers else {}),
        },
    )


title_disbursements = _money_table(
    "title_disbursements",
    money("amount", "What is paid."),
    words("currency", "Currency of the amount."),
    words("payee", "Who is paid."),
    words("payor", "Who pays."),
    words("payment_method", "How it is paid, e.g. wire or check."),
    words("description", "What it is for."),
    words("status", "How the payment stands, as the source words it."),
    day("disbursed_on", "Day of the payment."),
    day("cleared_on", "Day the payment cleared."),
    grain="one payment out of one closing",
    key="disbursement_id_raw",
    personal=("payee", "payor", "description"),
)

title_closing_items = _money_table(
    "title_closing_items",
    words("name", "What is to be done."),
    words("category", "Part of the closing it belongs to."),
    words("status", "How it stands, as the source words it."),
    flag("complete", "Whether it is done."),
    money("amount", "Amount, where the item has one."),
    words("currency", "Currency of the amount."),
    ts("due_at", "When it is due."),
    ts("completed_at", "When it was done."),
    grain="one item of one closing's checklist",
    key="closing_item_id_raw",
    personal=(),
)

closing_disclosure = _money_table(
    "closing_disclosure",
    words("section", "Section of the disclosure or settlement statement."),
    words("line_number", "Line within the section."),
    words("description", "What the line is about."),
    words("paid_by", "Side that pays: buyer, seller, lender or another."),
    words("payee", "Who is paid."),
    money("amount", "Amount of the line."),
    money("buyer_amount", "What the buyer pays of it."),
    money("seller_amount", "What the seller pays of it."),
    words("currency", "Currency of the amounts."),
    day("closing_date", "Day of the closing."),
    grain="one line of one closing disclosure",
    key="closing_disclosure_id_raw",
    personal=("payee", "description"),
    pointers=(
        parent("transaction_id", "v2.transaction", "The deal, where the source names it or the order is matched."),
    ),
)
