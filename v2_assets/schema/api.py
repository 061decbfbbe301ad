"""The read endpoints' own tables: the tokens people read with, and the tasks they started.

Not here: who sees which row (`visibility`), the application (`v2_assets.api`).
"""

from __future__ import annotations

from sqlalchemy import Column, LargeBinary, PrimaryKeyConstraint
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.types import Text

from v2_assets.schema.vocabulary import law, ops_table, parent, surrogate, ts, unique, words

#: read: the data endpoints. tasks: starting work of the pipelines, and seeing its state.
SCOPES = ("read", "tasks")

api_token = ops_table(
    "api_token",
    surrogate("The token's number, for listing and revoking."),
    Column("hash", LargeBinary(), nullable=False, comment="SHA-256 of the token; the token itself is nowhere."),
    parent("user_id", "v2.user", "The user who reads with it.", required=True),
    Column("scopes", ARRAY(Text()), nullable=False, comment="What it may be used for."),
    words("label", "What it is for, in the words of who made it."),
    ts("created_at", "When it was made.", required=True, default="now()"),
    ts("expires_at", "When it ends by itself; null for never."),
    ts("revoked_at", "When it was taken back."),
    ts("last_used_at", "When it was last used, to the minute."),
    unique("hash", name="api_token_key"),
    law("scopes", f"scopes <> '{{}}' and scopes <@ array[{', '.join(repr(s) for s in SCOPES)}]"),
    grain="one token of one user for the read endpoints",
    key=("hash",),
)

api_task = ops_table(
    "api_task",
    parent("token_id", "ops.api_token", "The token it was started with.", required=True, index=False),
    words("idempotency_key", "The caller's name for the request; the same name starts nothing again.", required=True),
    words("task", "Which task.", required=True),
    words("request", "Digest of what was asked for; the same name for something else is refused.", required=True),
    words("handle", "What was started: a backfill or an onboarding job; null while it is being started."),
    ts("created_at", "When it was asked for.", required=True, default="now()"),
    PrimaryKeyConstraint("token_id", "idempotency_key"),
    grain="one task that was started over HTTP",
    key=("token_id", "idempotency_key"),
)
