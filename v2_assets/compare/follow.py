"""Where a record of V2 would be staged: the id a stream keeps it under, and the record that carries it.

Pure data about the streams. A row of V2 is either a record of its own (it has a staged row) or part of another one
(people on a deal, its money), and then its carrier's fate is its own.
"""

from __future__ import annotations

from collections.abc import Mapping

from v2_assets.schema.stage import STREAMS, Stream

#: Staging table → the record's id at the source, as SQL over the natural key of its V2 row (jsonb `k`).
#: A stream that is not here keeps its records under ids that the key does not tell.
SOURCE_IDS: Mapping[str, str] = {
    "stage_fub_users": "k ->> 'fub_user_id_raw'",
    "stage_fub_groups": "k ->> 'fub_group_id_raw'",
    "stage_fub_stages": "k ->> 'fub_stage_id_raw'",
    "stage_fub_people": "k ->> 'fub_people_id_raw'",
    "stage_fub_deals": "k ->> 'fub_deal_id'",
    "stage_fub_events": "k ->> 'fub_events_id'",
    "stage_fub_calls": "k ->> 'call_id'",
    "stage_fub_appointments": "k ->> 'appointment_id_raw'",
    "stage_fub_text_messages": "k ->> 'text_message_id_raw'",
    "stage_rezen_agents": "k ->> 'agent_id_raw'",
    "stage_rezen_teams": "k ->> 'team_id_raw'",
    "stage_rezen_transactions": "k ->> 'transaction_id_raw'",
    "stage_rezen_listings": "k ->> 'listing_id_raw'",
    # {agent}-{member}-{tier} there, {agent}:{member}:{tier} here; both agents' ids are equally long.
    "stage_rezen_network_downline": "left(k ->> 'network_id_raw', (length(k ->> 'network_id_raw') - 3) / 2) || ':'"
    " || substr(k ->> 'network_id_raw', (length(k ->> 'network_id_raw') - 3) / 2 + 2,"
    " (length(k ->> 'network_id_raw') - 3) / 2) || ':' || right(k ->> 'network_id_raw', 1)",
    "stage_rezen_contributions": "k ->> 'contribution_id_raw'",
    "stage_rezen_pending_contributions": "k ->> 'contribution_id_raw'",
    "stage_rezen_revshare_payments": "k ->> 'payment_id_raw'",
    "stage_skyslope_listings": "k ->> 'listing_id_raw'",
    "stage_skyslope_transactions": "k ->> 'transaction_id_raw'",
    "stage_title_orders": "k ->> 'order_id_raw'",
    "stage_title_agencies": "k ->> 'agency_id_raw'",
    "stage_title_users": "k ->> 'title_user_id_raw'",
}

#: Table → the columns of its key that name its carrier, each with the carrier's table.
CARRIERS: Mapping[str, tuple[tuple[str, str], ...]] = {
    "participant": (("transaction_id", "transaction"), ("listing_id", "listing")),
    "participant_paid": (("transaction_id", "transaction"),),
    "transaction_financials": (("transaction_id", "transaction"),),
    "transaction_participants": (("transaction_id", "transaction"),),
    "transaction_tags": (("transaction_id", "transaction"),),
    "transaction_history": (("transaction_id", "transaction"),),
    "listing_history": (("listing_id", "listing"),),
    "listing_photos": (("listing_id", "listing"),),
    "team_settings": (("team_id", "team"),),
    "title_events": (("order_id", "title_orders"),),
    "title_event_history": (("order_id", "title_orders"),),
}


def living(table: str) -> tuple[Stream, ...]:
    """The streams of systems that still change whose records become rows of this table."""
    return tuple(s for s in STREAMS if s.primary == table and s.integration not in ("xano", "csv"))


def imported(table: str) -> tuple[Stream, ...]:
    """The streams that end: V1's own rows and files."""
    return tuple(s for s in STREAMS if s.primary == table and s.integration in ("xano", "csv"))
