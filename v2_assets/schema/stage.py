"""Staging: the streams that are read, and the one layout all staging tables share.

Here: which entity of which integration goes into which table and becomes which V2 row, and the ledger law as CHECKs.
Not here: how a stream is read (`resources.apis`), stored (`v2_assets.staging`) or merged (`v2_assets.merge`).
"""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import Index, LargeBinary, Table

from v2_assets.schema.vocabulary import (
    Column,
    Freshness,
    json,
    law,
    metadata,
    number,
    parent,
    partial_index,
    sentence,
    small,
    surrogate,
    ts,
    unique,
    words,
)

STATUSES = ("pending", "processed", "duplicate", "rejected", "deferred", "filtered")
"""Where a staged record can stand. staged = the sum over these, per table, user and run."""


@dataclass(frozen=True, slots=True)
class Stream:
    """One kind of record of one integration: its staging table, and the V2 table one record becomes one row of."""

    integration: str
    entity: str
    table: str
    primary: str
    grain: str
    endpoint: str


def _stream(integration: str, entity: str, primary: str, grain: str, endpoint: str) -> Stream:
    return Stream(integration, entity, f"stage_{integration}_{entity}", primary, grain, endpoint)


#: V1's tables, each named like the V2 table that one row of it becomes, in the order in which they are best read.
_V1: tuple[tuple[str, str], ...] = (
    ("user", "one user of V1"),
    ("agent", "one agent of V1"),
    ("team", "one team of V1"),
    ("director", "one director of V1"),
    ("leader", "one leader of V1"),
    ("mentor", "one mentor of V1"),
    ("user_roles", "one V1 user's roles"),
    ("user_settings", "one V1 user's settings"),
    ("user_subscriptions", "one V1 user's subscription"),
    ("listing", "one listing of V1"),
    ("transaction", "one deal of V1"),
    ("participant", "one person on one deal or listing of V1"),
    ("transaction_tags", "one tag on one deal of V1"),
    ("listing_photos", "one picture of one listing of V1"),
    ("contribution", "one rev-share contribution of V1"),
    ("network_change_log", "one change of one down-line that V1 saw"),
    ("title_agencies", "one settlement agency of V1"),
    ("title_users", "one title user of V1"),
    ("title_orders", "one title order of V1"),
    ("title_events", "one event of one title order of V1"),
    ("title_disbursements", "one payment out of one closing"),
    ("title_closing_items", "one item of one closing's checklist"),
    ("closing_disclosure", "one line of one closing disclosure"),
)

STREAMS: tuple[Stream, ...] = (
    _stream("fub", "accounts", "fub_accounts", "the account a FUB key belongs to", "GET /identity"),
    _stream("fub", "users", "fub_users", "one user of a FUB account", "GET /users"),
    _stream("fub", "groups", "fub_groups", "one group of a FUB account", "GET /groups"),
    _stream("fub", "stages", "fub_stages", "one stage a contact can be in", "GET /stages"),
    _stream("fub", "pipelines", "fub_pipelines", "one deal pipeline with its stages", "GET /pipelines"),
    _stream("fub", "people", "fub_people", "one contact", "GET /people"),
    _stream("fub", "deals", "fub_deals", "one CRM deal", "GET /deals"),
    _stream("fub", "events", "fub_events", "one thing a contact did", "GET /events"),
    _stream("fub", "calls", "fub_calls", "one phone call", "GET /calls"),
    _stream("fub", "appointments", "fub_appointments", "one appointment", "GET /appointments"),
    _stream("fub", "text_messages", "fub_text_messages", "one text message", "GET /textMessages by contact"),
    _stream("rezen", "agents", "agent", "one agent profile", "yenta GET agents/me and agents/ids"),
    _stream("rezen", "teams", "team", "one team", "yenta GET teams/{id}"),
    _stream("rezen", "team_members", "team_members", "one agent on one team's roster", "yenta GET teams/{id}"),
    _stream(
        "rezen",
        "transactions",
        "transaction",
        "one transaction in full, participants included",
        "arrakis GET transactions/participant/{agent}/transactions/{group} and transactions/{id}",
    ),
    _stream(
        "rezen",
        "listings",
        "listing",
        "one listing in full",
        "arrakis GET transactions/participant/{agent}/listing-transactions/{group} and transactions/{id}",
    ),
    _stream(
        "rezen", "sponsor_tree", "agent_hierarchy", "one sponsor of one agent", "yenta GET agents/{id}/sponsor-tree"
    ),
    _stream("rezen", "cap_data", "agent_cap_data", "one agent's cap", "yenta GET agents/{id}/cap-info"),
    _stream(
        "rezen",
        "network_downline",
        "network_member",
        "one agent in one tier of a down-line",
        "yenta GET agents/{id}/down-line/{tier}",
    ),
    _stream(
        "rezen",
        "network_frontline",
        "network_member",
        "one agent right below another",
        "yenta GET agents/{id}/front-line-agents-info",
    ),
    _stream(
        "rezen",
        "contributions",
        "contribution",
        "one rev-share contribution",
        "arrakis GET revshares/{agent}/contributions/{tier}",
    ),
    _stream(
        "rezen",
        "pending_contributions",
        "contributions_pending",
        "one rev-share contribution that is not settled yet",
        "arrakis GET revshares/{agent}/payments/pending",
    ),
    _stream(
        "rezen",
        "revshare_payments",
        "revshare_payment",
        "one rev-share payout",
        "arrakis GET revshares/{agent}/payments",
    ),
    _stream("rezen", "equity", "equity_transactions", "one entry of an equity ledger", "plutus, by the equity adapter"),
    _stream("skyslope", "offices", "office", "one office of a SkySlope account", "GET /api/offices"),
    _stream(
        "skyslope",
        "users",
        "user_identity",
        "one person of a SkySlope account, those who left included",
        "GET /api/users",
    ),
    _stream(
        "skyslope",
        "listings",
        "listing",
        "one listing file",
        "GET /api/files?type=listing, and what only GET /api/files/listings has",
    ),
    _stream(
        "skyslope",
        "transactions",
        "transaction",
        "one sale file",
        "GET /api/files?type=sale, and what only GET /api/files/sales has",
    ),
    _stream("title", "orders", "title_orders", "one title order in full", "Qualia orders and order"),
    _stream("title", "agencies", "title_agencies", "one settlement agency", "Qualia availableSettlementAgencies"),
    _stream("title", "users", "title_users", "one user of a title organisation", "Qualia usersInOrganization"),
    _stream("csv", "import", "transaction", "one row of an imported file", "a CSV file with a mapping"),
    *(_stream("xano", table, table, grain, f"V1's table {table}") for table, grain in _V1),
)

_DAILY = {("rezen", "cap_data"), ("rezen", "sponsor_tree"), ("title", "agencies"), ("title", "users")}


def _freshness(stream: Stream) -> Freshness:
    if stream.integration == "xano" or (stream.integration, stream.entity) in _DAILY:
        return "daily"
    return "realtime" if stream.integration == "fub" else "hourly"


def _staging_table(stream: Stream) -> Table:
    name = stream.table
    return Table(
        name,
        metadata,
        surrogate("Order of arrival."),
        number("user_id", "The user whose sync brought the record; the partition.", required=True),
        words("account_ref", "The account it was read through, as platform/account/user.", required=True),
        words("source_id", "The record's id at the source.", required=True),
        json("payload", "The record as it came, minus secret fields.", required=True),
        Column("payload_hash", LargeBinary(), nullable=False, comment="Hash of the payload, to see a change cheaply."),
        ts("source_updated_at", "When the source last changed the record; a newer version wins."),
        ts("fetched_at", "When this version of the payload was first read.", required=True),
        words("run_id", "The run that stored this version.", required=True),
        words("status", "Where the record stands on its way into V2.", required=True, default="'pending'"),
        words("status_reason", "Reason code of the status, for machines."),
        json("status_detail", "What failed: field, code set, class of the value, or the parent that is missing."),
        json("warnings", "Fields that could not be read and are null in V2: code, field, kind of what was found."),
        number("attempts", "How many merges have looked at this version.", required=True, default="0"),
        ts("next_attempt_at", "Not to be tried again before this instant."),
        ts("processed_at", "When the record was last merged."),
        number("v2_id", f"The row of v2.{stream.primary} that this record became, or that its copy stands for."),
        parent("duplicate_of", f"staging.{name}", "The staged row that carries the same business record.", index=False),
        words("waits_for", "The parent a deferred record waits for, as table/natural key values."),
        ts("missing_since", "Since when complete full sweeps have not seen the record."),
        small("merge_rank", "How the merge ranked this copy among copies with one stamp.", required=True, default="0"),
        small("missed_sweeps", "1 after a full sweep missed it, 2 when it is gone.", required=True, default="0"),
        unique("account_ref", "source_id", name=f"{name}_key"),
        law("status", f"status in ({', '.join(repr(status) for status in STATUSES)})"),
        law("processed", "status <> 'processed' or (v2_id is not null and processed_at is not null)"),
        law("refused", "status not in ('rejected', 'filtered') or status_reason is not null"),
        law("deferred", "status <> 'deferred' or (waits_for is not null and status_reason is not null)"),
        law("duplicate", "status <> 'duplicate' or (duplicate_of is not null and duplicate_of <> id)"),
        law("counts", "attempts >= 0 and missed_sweeps >= 0"),
        law("payload", "jsonb_typeof(payload) = 'object'"),
        partial_index(f"{name}_pending_idx", "user_id", "id", where="status = 'pending'"),
        partial_index(f"{name}_waiting_idx", "waits_for", where="status = 'deferred'"),
        partial_index(f"{name}_rejected_idx", "fetched_at", where="status = 'rejected'"),
        partial_index(f"{name}_v2_idx", "v2_id", where="v2_id is not null"),
        partial_index(f"{name}_duplicate_idx", "duplicate_of", where="duplicate_of is not null"),
        partial_index(f"{name}_warned_idx", "id", where="warnings is not null"),
        Index(f"{name}_user_status_idx", "user_id", "status"),
        schema="staging",
        comment=f"Newest version of each record: {stream.grain}, as read from {stream.endpoint}.",
        info={
            "grain": f"{stream.grain}, as one account sees it",
            "natural_key": ("account_ref", "source_id"),
            "sources": (stream.integration,),
            "domain": "staging",
            "freshness": _freshness(stream),
            "personal": ("payload",),
            "v1": {},
            "derived": False,
            "may_be_empty": None,
        },
    )


for _each in STREAMS:
    _staging_table(_each)


def staging_sentence(stream: Stream) -> str:
    """The stream's grain as a sentence, for descriptions."""
    return sentence(stream.grain)
