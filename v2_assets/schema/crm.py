"""CRM: what Follow Up Boss knows — accounts, users, contacts, deals, and every touch with a contact.

Here: the catalogue's section 7 and `fub_pipelines`. Columns ending in `_raw`, and the ids in the natural keys, are
FUB's own numbers and only unique within one account; columns that point to another table hold our ids.
"""

from __future__ import annotations

from sqlalchemy import Index, Table, func, text
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

COUNTED = ("users", "people", "deals", "events", "calls", "appointments", "text_messages")
"""Entities of which fub_accounts keeps the count there and here."""


def _account() -> SchemaItem:
    return parent("fub_account_id", "v2.fub_accounts", "The FUB account it is part of.", required=True, index=False)


def _times() -> tuple[SchemaItem, ...]:
    return (ts("fub_created_at", "When it was created in FUB."), ts("fub_updated_at", "When it last changed in FUB."))


def _fub_user(table: str, comment: str) -> tuple[SchemaItem, ...]:
    """The FUB user a row belongs to, and the product's user behind that one.

    Both are in one index, so that rows which name another product user than they should are found without reading the
    others (`<table>.derived.sql`).
    """
    return (
        parent("fub_user_id", "v2.fub_users", comment, index=False),
        parent("user_id", "v2.user", "The product's user behind the FUB user, else the account's.", index=False),
        Index(f"{table}_user_id_idx", "user_id", "id", postgresql_include=["deleted_at"]),
        Index(f"{table}_fub_user_idx", "fub_user_id", "user_id"),
        partial_index(f"{table}_no_fub_user_idx", "fub_account_id", "user_id", where="fub_user_id is null"),
    )


def _counts() -> tuple[SchemaItem, ...]:
    pairs = (
        (
            number(f"{entity}_at_fub", f"{entity.replace('_', ' ').capitalize()} the account has, as FUB counts."),
            number(f"{entity}_here", f"{entity.replace('_', ' ').capitalize()} of the account in V2."),
        )
        for entity in COUNTED
    )
    return tuple(column for pair in pairs for column in pair)


def _crm(name: str, *items: SchemaItem, grain: str, key: str, **more: object) -> Table:
    return v2_table(
        name,
        *items,
        grain=grain,
        key=("fub_account_id", key),
        sources=("fub", "v1"),
        domain="crm",
        freshness="realtime",
        **more,  # type: ignore[arg-type]
    )


fub_accounts = v2_table(
    "fub_accounts",
    number("account_id_raw", "The account's number at FUB.", required=True),
    flag("active", "Whether the account is in use."),
    words("host_name", "Sub-domain of the account."),
    number("fub_owner_id", "FUB's number of the account's owner; null while only others are connected."),
    *_counts(),
    parent("credentials_id", "v2.credentials", "The connection it is read through.", index=False),
    parent("user_id", "v2.user", "The user whose connection that is."),
    parent("team_id", "v2.team", "The team the account belongs to.", index=False),
    grain="one connected FUB account",
    key=("account_id_raw",),
    sources=("fub", "v1"),
    domain="crm",
    freshness="realtime",
    v1={
        "table": "fub_accounts",
        "only_here": {f"{entity}_{place}": "counted anew" for entity in COUNTED for place in ("at_fub", "here")},
    },
)

fub_users = _crm(
    "fub_users",
    _account(),
    number("fub_user_id_raw", "The user's number in the FUB account.", required=True),
    words("name", "Whole name."),
    words("first_name", "Given name."),
    words("last_name", "Family name."),
    words("email", "E-mail address."),
    words("phone", "Phone number."),
    words("role", "Agent, Broker or Lender; code set user_role."),
    words("status", "How the user stands in FUB, e.g. Active or Deleted."),
    flag("is_owner", "Whether the user owns the account."),
    json("picture", "The user's picture in FUB's sizes."),
    parent("ad_user_id", "v2.user", "The user of the product this is."),
    grain="one user of one FUB account",
    key="fub_user_id_raw",
    personal=("name", "first_name", "last_name", "email", "phone", "picture"),
)

fub_groups = _crm(
    "fub_groups",
    _account(),
    number("fub_group_id_raw", "The group's number in the FUB account.", required=True),
    words("name", "The group's name."),
    words("type", "Whether it groups agents or lenders."),
    words("distribution", "How leads are given out in it."),
    number("default_user_id", "FUB's number of the user who gets what nobody claims."),
    number("default_pond_id", "FUB's number of the pond that gets what nobody claims."),
    number("default_group_id", "FUB's number of the group that gets what nobody claims."),
    number("claim_window", "Minutes a lead may be claimed in."),
    flag("is_primary", "Whether it is the account's primary group."),
    json("users", "The members as FUB lists them."),
    grain="one group of one FUB account",
    key="fub_group_id_raw",
    personal=("users",),
    may_be_empty="An account need not have groups.",
)

fub_stages = _crm(
    "fub_stages",
    _account(),
    number("fub_stage_id_raw", "The stage's number in the FUB account.", required=True),
    words("name", "The stage's name."),
    number("order_weight", "Place among the stages."),
    flag("is_protected", "Whether FUB itself needs the stage."),
    number("people_count", "Contacts in the stage, as FUB counts."),
    grain="one stage a contact can be in",
    key="fub_stage_id_raw",
)

fub_pipelines = _crm(
    "fub_pipelines",
    _account(),
    number("pipeline_id_raw", "The pipeline's number in the FUB account.", required=True),
    words("name", "The pipeline's name."),
    words("description", "What it is for."),
    number("order_weight", "Place among the pipelines."),
    json("stages", "The deal stages of the pipeline, in FUB's form."),
    grain="one deal pipeline of one FUB account",
    key="pipeline_id_raw",
)

fub_people = _crm(
    "fub_people",
    _account(),
    number("fub_people_id_raw", "The contact's number in the FUB account.", required=True),
    words("people_name", "Whole name."),
    words("first_name", "Given name."),
    words("last_name", "Family name."),
    words("type", "Kind of contact."),
    words("email", "Primary e-mail address."),
    words("phone", "Primary phone number."),
    json("emails", "All e-mail addresses."),
    json("phones", "All phone numbers."),
    json("addresses", "All postal addresses."),
    words("stage_name", "Name of the stage the contact is in."),
    words("source_name", "Where the lead came from."),
    words("source_id", "FUB's id of where the lead came from."),
    words("source_url", "Page the lead came from."),
    words("created_via", "The way the contact was made."),
    money("price", "Price the contact looks for."),
    words("deal_status", "Status of the contact's newest deal."),
    money("deal_price", "Price of the contact's newest deal."),
    words("deal_stage", "Stage of the contact's newest deal."),
    words("deal_name", "Name of the contact's newest deal."),
    day("deal_close_date", "Expected close of the contact's newest deal."),
    flag("contacted", "Whether anybody spoke with the contact."),
    number("website_visits", "Visits to the account's web site."),
    flag("claimed", "Whether a user claimed the lead."),
    ts("last_activity", "When the contact last did something."),
    words("url", "The contact's page in FUB."),
    labels("tags", "Tags on the contact."),
    json("custom_fields", "The account's own fields, by their API name."),
    flag("sms_fetched", "Whether the contact's text messages were read; ours.", default=False),
    flag("missing_user", "Whether the assigned FUB user is nobody of the product.", default=False),
    *_times(),
    parent("stage_id", "v2.fub_stages", "The stage the contact is in."),
    parent("assigned_to_fub_id", "v2.fub_users", "The FUB user who has the contact.", index=False),
    parent("user_id", "v2.user", "The product's user who has the contact, else the account's.", index=False),
    Index("fub_people_user_id_idx", "user_id", "id", postgresql_include=["deleted_at"]),
    parent("credentials_id", "v2.credentials", "The account's connection.", index=False),
    # What is out of date is found at the ends of these, without reading the rest: see fub_people.derived.sql.
    Index("fub_people_assigned_idx", "assigned_to_fub_id", "missing_user", "user_id"),
    partial_index("fub_people_unassigned_idx", "fub_account_id", "user_id", where="assigned_to_fub_id is null"),
    Index("fub_people_credentials_idx", "fub_account_id", "credentials_id"),
    partial_index("fub_people_no_texts_idx", "fub_account_id", where="not sms_fetched"),
    grain="one contact of one FUB account",
    key="fub_people_id_raw",
    personal=(
        "people_name",
        "first_name",
        "last_name",
        "email",
        "phone",
        "emails",
        "phones",
        "addresses",
        "custom_fields",
        "deal_name",
    ),
    v1={
        "table": "fub_people",
        "left_out": {"fub_createdAt_formatted": "the same as fub_created_at, as text"},
        "only_here": {
            "sms_fetched": "says what V2 has read",
            "missing_user": "computed from V2's users",
        },
    },
)
# What a contact is found by (ops.api_find_fub_people): words of the name, the address, the number's digits.
_simple = text("'simple'::regconfig")
Index(
    "fub_people_search_idx",
    func.to_tsvector(_simple, fub_people.c.people_name),
    func.to_tsvector(_simple, fub_people.c.email),
    func.to_tsvector(_simple, func.regexp_replace(fub_people.c.phone, "[^0-9]", "", "g")),
    postgresql_using="gin",
)

fub_deals = _crm(
    "fub_deals",
    _account(),
    number("fub_deal_id", "The deal's number in the FUB account.", required=True),
    words("deal_name", "The deal's name."),
    words("type", "FUB's kind of deal."),
    words("status", "Active, Archived or Deleted; code set deal_status."),
    money("price", "Price of the deal."),
    words("description", "What was written about it."),
    day("projected_close_date", "Expected day of close."),
    words("pipeline_name", "Name of the pipeline."),
    number("stage_id", "FUB's number of the deal stage; it lives in the pipeline, not among the contact stages."),
    words("stage_name", "Name of the deal stage."),
    ts("entered_stage_at", "When the deal came into the stage."),
    money("commission_value", "Whole commission expected."),
    money("agent_commission", "The agent's part of it."),
    money("team_commission", "The team's part of it."),
    number("time_to_close", "Days from creation to the expected close."),
    json("people", "The contacts on the deal as FUB lists them."),
    json("fub_users", "The FUB users on the deal as FUB lists them."),
    *_times(),
    parent("pipeline_id", "v2.fub_pipelines", "The pipeline the deal is in.", index=False),
    parent("primary_person_id", "v2.fub_people", "The first contact on the deal."),
    parent("secondary_person_id", "v2.fub_people", "The second contact on the deal.", index=False),
    parent("primary_fub_user_id", "v2.fub_users", "The first FUB user on the deal."),
    parent("secondary_fub_user_id", "v2.fub_users", "The second FUB user on the deal.", index=False),
    parent("ad_user_id", "v2.user", "The user of the product behind the first FUB user."),
    parent("ad_team_id", "v2.team", "The team of that user.", index=False),
    grain="one CRM deal of one FUB account",
    key="fub_deal_id",
    personal=("deal_name", "description", "people", "fub_users"),
)

fub_calls = _crm(
    "fub_calls",
    _account(),
    number("call_id", "The call's number in the FUB account.", required=True),
    words("user_name", "Name of the FUB user on the call."),
    words("name", "Name of the other side as FUB shows it."),
    words("people_name", "Name of the contact on the call."),
    words("phone", "Number of the other side."),
    words("from_number", "Number that called."),
    words("to_number", "Number that was called."),
    words("note", "What was written about the call."),
    words("outcome", "How it went, as FUB words it; accounts may have their own words."),
    flag("is_incoming", "Whether the contact called us."),
    words("direction", "incoming or outgoing."),
    number("duration", "Length in seconds."),
    words("recording_url", "Where the recording is."),
    number("created_by_id", "FUB's number of the user who logged it; negative is the system."),
    number("updated_by_id", "FUB's number of the user who last changed it."),
    number("person_id", "FUB's number of the contact; null when FUB does not know the caller."),
    *_times(),
    parent("fub_people_id", "v2.fub_people", "The contact; null when the call has none."),
    *_fub_user("fub_calls", "The FUB user on the call."),
    grain="one phone call of one FUB account",
    key="call_id",
    personal=("user_name", "name", "people_name", "phone", "from_number", "to_number", "note", "recording_url"),
)

fub_events = _crm(
    "fub_events",
    _account(),
    number("fub_events_id", "The event's number in the FUB account.", required=True),
    words("people_name", "Name of the contact."),
    ts("occurred", "When it happened."),
    words("event_source", "Where it was seen."),
    words("type", "What the contact did, as FUB words it; other systems may send words of their own."),
    words("property_street", "Street of the property it was about."),
    words("property_city", "City of that property."),
    words("property_state", "State of that property."),
    words("property_zip", "Postal code of that property."),
    words("property_id", "The property's number in the multiple listing service."),
    words("message", "What the contact wrote."),
    words("description", "What the source added."),
    *_times(),
    parent("fub_people_id", "v2.fub_people", "The contact."),
    parent("user_id", "v2.user", "The product's user who has the contact; changes with it.", index=False),
    Index("fub_events_user_id_idx", "user_id", "id", postgresql_include=["deleted_at"]),
    grain="one thing a contact did",
    key="fub_events_id",
    personal=("people_name", "message", "description"),
    v1={"table": "fub_events", "only_here": {"user_id": "the contact's"}},
)

fub_appointments = _crm(
    "fub_appointments",
    _account(),
    number("appointment_id_raw", "The appointment's number in the FUB account.", required=True),
    words("title", "What it is called."),
    words("description", "What it is about."),
    ts("start", "When it begins."),
    ts("end", "When it ends."),
    words("timezone", "Time zone it was made in, where FUB tells."),
    flag("is_all_day", "Whether it takes the whole day."),
    flag("is_from_fub", "Whether it was made in FUB, not in a synced calendar."),
    words("location", "Where it is."),
    json("invitees", "Who is invited, as FUB lists them."),
    words("external_link", "The event in an outside calendar."),
    words("outcome", "How it went."),
    words("type", "Kind of appointment."),
    words("created_by_name", "Name of the FUB user who made it."),
    number("created_by_id", "FUB's number of the user who made it; negative is the system."),
    words("updated_by_name", "Name of the FUB user who last changed it."),
    number("updated_by_id", "FUB's number of the user who last changed it."),
    *_times(),
    parent("invited_person_id", "v2.fub_people", "The first contact invited."),
    *_fub_user("fub_appointments", "The first FUB user invited."),
    grain="one appointment of one FUB account",
    key="appointment_id_raw",
    personal=("title", "description", "location", "invitees", "created_by_name", "updated_by_name"),
)

fub_text_messages = _crm(
    "fub_text_messages",
    _account(),
    number("text_message_id_raw", "The message's number in the FUB account.", required=True),
    words("name", "Name of the contact."),
    words("user_name", "Name of the FUB user."),
    words("status", "How the message stands, e.g. Sent or Received."),
    words("message", "The text; may be a privacy placeholder."),
    words("from_number", "Number that wrote."),
    words("to_number", "Number that was written to."),
    ts("sent", "When it was sent."),
    flag("is_incoming", "Whether the contact wrote it."),
    flag("archived", "Whether it was archived."),
    flag("read", "Whether it was read."),
    json("participants", "Everybody in a group message."),
    flag("is_webhook", "Whether a webhook announced it first.", default=False),
    json("picture", "The contact's picture in FUB's sizes."),
    *_times(),
    parent("fub_people_id", "v2.fub_people", "The contact."),
    *_fub_user("fub_text_messages", "The FUB user."),
    grain="one text message of one FUB account",
    key="text_message_id_raw",
    personal=("name", "user_name", "message", "from_number", "to_number", "participants", "picture"),
    v1={"table": "fub_text_messages", "only_here": {"is_webhook": "says how the record came in"}},
)
