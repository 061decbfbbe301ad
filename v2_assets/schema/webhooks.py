"""Webhooks: the inbox that the receiver fills, and what we have registered at the sources.

Not here: who reads the inbox (`v2_assets.webhooks`), and who may write to it (`roles`).
"""

from __future__ import annotations

from sqlalchemy import BigInteger, Column, Index, LargeBinary

from v2_assets.schema.vocabulary import json, law, number, ops_table, partial_index, surrogate, ts, unique, words

#: new: to be read; parked: needs a person or another event first; done: the record was read again (or had not to be).
STATES = ("new", "parked", "done")

webhook_inbox = ops_table(
    "webhook_inbox",
    surrogate("Order of arrival."),
    words("source", "The source system that sent it.", required=True),
    words("event_key", "What makes the event one: the source's id of it, or a digest of its body.", required=True),
    number("credentials_id", "The connection whose address it came to.", required=True),
    words("event", "The event's name as the source writes it.", required=True),
    Column("body", LargeBinary(), nullable=False, comment="The request's body, byte for byte."),
    ts("received_at", "When it was stored; the sender was answered after that.", required=True, default="now()"),
    words("state", "Whether it still has to be looked at.", required=True, default="'new'"),
    words("reason", "Why it is parked, or what became of it."),
    number("attempts", "How often reading the record again was tried.", required=True, default="0"),
    ts("next_attempt_at", "Not to be tried again before this instant."),
    ts("handled_at", "When the record was stored, or the event was put aside."),
    json("error", "What stopped the last try, without secrets or personal data."),
    unique("source", "event_key", name="webhook_inbox_key"),
    law("state", f"state in ({', '.join(repr(state) for state in STATES)})"),
    law("handled", "(state = 'new') = (handled_at is null)"),
    law("parked", "state <> 'parked' or reason is not null"),
    partial_index("webhook_inbox_new_idx", "credentials_id", "id", where="state = 'new'"),
    partial_index("webhook_inbox_parked_idx", "credentials_id", where="state = 'parked'"),
    Index("webhook_inbox_received_idx", "received_at"),
    grain="one event that a source told us, as it came",
    key=("source", "event_key"),
    personal=("body",),
)

webhook_registration = ops_table(
    "webhook_registration",
    Column(
        "credentials_id",
        BigInteger(),
        primary_key=True,
        autoincrement=False,
        comment="The connection whose key holds the webhooks.",
    ),
    words("outcome", "What the last audit found.", required=True),
    ts("audited_at", "When it was last audited.", required=True, default="now()"),
    number("active", "Webhooks of ours that are active.", required=True, default="0"),
    json("changes", "What the last audit put right: created, enabled, removed.", required=True, default="'{}'"),
    json("error", "What stopped the last audit, without secrets."),
    law("outcome", "outcome in ('ok', 'not_owner', 'failed')"),
    grain="one connection and the webhooks it has at its source",
    key=("credentials_id",),
)
