"""The switch from V1 to V2: every decision about it, kept for good. What is in force is the newest one of each subject.

Not here: who may decide what (`v2_assets.gate.switch`), and the comparison that the decisions rest on (`comparison`).
"""

from __future__ import annotations

from sqlalchemy import Index

from v2_assets.schema.vocabulary import json, law, number, ops_table, percent, surrogate, ts, words

#: set, stop, back: a person's word about an endpoint; hold, release: about a user; auto_…: the gate's, when it is red.
ACTIONS = ("set", "stop", "back", "hold", "release", "auto_stop", "auto_hold")

switch_decision = ops_table(
    "switch_decision",
    surrogate("Order of the decisions."),
    ts("at", "When it was decided.", required=True, default="now()"),
    words("who", "Who decided: a person's login, or `gate`.", required=True),
    words("action", "What was decided.", required=True),
    words("endpoint", "The endpoint it is about; null for a decision about a user."),
    number("user_id", "The user it is about; null for a decision about an endpoint."),
    percent("share", "Per cent of users whom this endpoint serves from V2; null for a decision about a user."),
    words("reason", "Why, in the decider's words."),
    json(
        "accepted",
        "Broken rules: accepted by an override, or what made the gate stop.",
        required=True,
        default="'[]'",
    ),
    law("action", f"action in ({', '.join(repr(action) for action in ACTIONS)})"),
    law("subject", "(endpoint is null) <> (user_id is null) and (endpoint is null) = (share is null)"),
    law("share", "share between 0 and 100"),
    Index("switch_decision_endpoint_idx", "endpoint", "id"),
    Index("switch_decision_user_idx", "user_id", "id"),
    grain="one decision about one endpoint or one user: from V1 or from V2",
    key=("id",),
)
