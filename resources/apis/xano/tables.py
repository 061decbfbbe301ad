"""V1's tables as data: under which name each is found, and which of its columns may be read.

Everything that is not listed is dropped on arrival: browsing Xano ignores a field's visibility, so password hashes and
private columns come along with the rest. The columns are those of the old product as its successor kept them; V1
publishes no schema, so a column that is absent stays absent and breaks nothing.

A kind says what a value is, however the way in writes it: `int`, `ref` (the id of a row in another table, 0 and empty
mean none), `money` (a decimal), `bool`, `ts` (an instant), `day` (a date without a zone), `json`, `text`.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal, get_args

Kind = Literal["int", "ref", "money", "bool", "ts", "day", "json", "text"]

#: Every table may have these. `updated_at` exists only where somebody added it.
_ALWAYS: Mapping[str, Kind] = {"id": "ref", "created_at": "ts", "updated_at": "ts"}


@dataclass(frozen=True, slots=True)
class V1Table:
    """One table of V1. `names` are what it may be called, in plain form (see `plain_name`), the likeliest first."""

    names: tuple[str, ...]
    columns: Mapping[str, Kind]


def plain_name(name: str) -> str:
    """A table's name without what people decorate it with: "🏠 title - orders" is title_orders."""
    return re.sub(r"[^a-z0-9]+", "_", name.lower()).strip("_")


def _table(columns: str, *names: str) -> V1Table:
    """Columns as words: `name` is text, `name:kind` is of that kind."""
    told: dict[str, Kind] = dict(_ALWAYS)
    for word in columns.split():
        name, _, kind = word.partition(":")
        if kind and kind not in get_args(Kind):
            raise ValueError(f"column {name} has an unknown kind {kind!r}")
        told[name] = kind or "text"  # type: ignore[assignment] - checked above
    return V1Table(names, told)


_HELD = "team_id:ref agent_id:ref effective_start_date:day assigned_on:day unassigned_on:day status active:bool"

TABLES: Mapping[str, V1Table] = {
    "user": _table(
        "email first_name last_name full_name display_name email2 cell_phone birthdate:day avatar active:bool"
        " demo_account:bool last_login:ts agent_id:ref team_id:ref",
        "user",
        "users",
    ),
    "agent": _table(
        "agent_id_raw display_name first_name last_name email phone agent_status type title avatar birthdate:day"
        " join_date:day anniversary_date:day real_agent:bool is_demo:bool city state state_abbreviation"
        " commission_plan_id user_id:ref team_id:ref",
        "agent",
        "agents",
    ),
    "team": _table(
        "team_id_raw team_name team_type active:bool status max_teammates:int max_leaders:int config_id"
        " commission_plan_id logo team_owner_agent_id:ref",
        "team",
        "teams",
    ),
    "director": _table(_HELD, "director", "directors"),
    "leader": _table(
        f"{_HELD} effective_end_date:day training:bool percentage:money director_id:ref", "leader", "leaders"
    ),
    "mentor": _table(_HELD, "mentor", "mentors"),
    "user_roles": _table(
        "user_id:ref role account_type is_agent:bool is_account_admin:bool is_individual:bool is_on_team:bool"
        " is_team_owner:bool is_director:bool is_leader:bool is_mentor:bool director_id:ref leader_id:ref"
        " mentor_id:ref team_id:ref",
        "user_roles",
        "user_role",
    ),
    "user_settings": _table(
        "user_id:ref view daily_dash_transactions:bool daily_dash_listings:bool daily_dash_revenue:bool"
        " network_news_daily:bool network_news_weekly:bool listing_refresh:bool",
        "user_settings",
        "user_setting",
    ),
    "user_subscriptions": _table(
        "user_id:ref subscription_type paid:bool payment_complete:bool stripe_product_id stripe_price_id"
        " subscription_packages_id:ref",
        "user_subscriptions",
        "user_subscription",
    ),
    "listing": _table(
        "listing_id_raw status list_price:money currency listing_date:day expiration_date:day days_on_market:int"
        " property_type mls_number data_source is_demo:bool closed:bool terminated:bool closed_at:ts terminated_at:ts"
        " address transaction_owner_agent_id:ref team_id:ref user_id:ref",
        "listing",
        "listings",
    ),
    "transaction": _table(
        "transaction_id_raw rezen_code status transaction_type stage lifecycle_state contract_date:day"
        " closing_date:day listing_date:day firm_date:day sale_price:money list_price:money gross_commission:money"
        " net_payout:money currency property_type mls_num representation team_id_raw closed:bool terminated:bool"
        " transaction_owner_name transaction_owner_email address listing_id:ref transaction_owner_agent_id:ref"
        " team_id:ref user_id:ref",
        "transaction",
        "transactions",
    ),
    "participant": _table(
        "participant_id_raw role status first_name last_name email phone company is_real_agent:bool paid_by_real:bool"
        " external:bool commission_split:money gross_commission:money net_payout:money currency paid:bool paid_at:ts"
        " agent_id_raw transaction_id:ref listing_id:ref agent_id:ref user_id:ref",
        "participant",
        "participants",
    ),
    "transaction_tags": _table("transaction_id:ref tag", "transaction_tags", "transaction_tag"),
    "listing_photos": _table(
        "listing_id:ref url caption display_order:int", "listing_photos", "listing_photo", "listing_images"
    ),
    "contribution": _table(
        "contribution_id_raw amount:money currency contribution_type status contribution_date:day tier:int missed:bool"
        " notes user_id:ref agent_id:ref transaction_id:ref contributing_agent_id:ref receiving_agent_id:ref",
        "contribution",
        "contributions",
    ),
    "network_change_log": _table(
        "network_id_raw type value_old value_new tier:int downline_agent_id_raw user_id:ref agent_id:ref",
        "network_change_log",
    ),
    "title_agencies": _table(
        "agency_id_raw name email phone address states:json", "title_settlement_agencies", "title_agencies"
    ),
    "title_users": _table(
        "title_user_id_raw first_name last_name full_name email user_id:ref", "title_users", "title_user"
    ),
    "title_orders": _table(
        "order_id_raw order_number external_reference_number status open_date:ts close_date:ts cash_only:bool"
        " loan_amount:money purchase_price:money loan_type current_stage property_address borrower_name seller_name"
        " agency_id:ref user_id:ref",
        "title_orders",
        "title_order",
    ),
    "title_events": _table(
        "event_key kind name complete:bool occurred_at:ts description order_id:ref", "title_event", "title_events"
    ),
    "title_disbursements": _table(
        "disbursement_id_raw amount:money currency payee payor payment_method description status disbursed_on:day"
        " cleared_on:day order_id_raw order_id:ref",
        "title_disbursements",
        "title_disbursement",
    ),
    "title_closing_items": _table(
        "closing_item_id_raw name category status complete:bool amount:money currency due_at:ts completed_at:ts"
        " order_id_raw order_id:ref",
        "title_closing_items",
        "title_closing_item",
    ),
    "closing_disclosure": _table(
        "closing_disclosure_id_raw section line_number description paid_by payee amount:money buyer_amount:money"
        " seller_amount:money currency closing_date:day order_id_raw order_id:ref transaction_id:ref",
        "closing_disclosure",
        "closing_disclosures",
    ),
}

ENTITIES = tuple(TABLES)
