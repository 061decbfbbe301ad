"""Operations: what the platform knows about its own work (cursors, leases, budgets, jobs, sweeps, errors).

Here: the tables of schema `ops`. Not here: who writes them (staging, merge, sensors, the HTTP core), nor the seeds of
`code_map` (`codes.py`).
"""

from __future__ import annotations

from sqlalchemy import BigInteger, Column, Double, Index, Integer, PrimaryKeyConstraint

from v2_assets.schema.vocabulary import (
    json,
    labels,
    law,
    number,
    ops_table,
    parent,
    partial_index,
    surrogate,
    ts,
    unique,
    words,
)

_OWN_ID = "Our own number of the row."

sync_state = ops_table(
    "sync_state",
    words("integration", "The source system.", required=True),
    words("entity", "The kind of record.", required=True),
    words("account_ref", "The account it is read through, as platform/account/user.", required=True),
    number("user_id", "The user whose sync it is.", required=True),
    json("cursor", "Where the next read goes on: forward window and open pass.", required=True, default="'{}'"),
    words("status", "Whether somebody works on it, and how the last pass ended.", required=True, default="'idle'"),
    ts("last_started_at", "When the last pass began."),
    ts("last_sync_at", "When the last pass ended well."),
    ts("last_full_at", "When the last full pass ended that met all the source has."),
    json("error", "The last pass's error, or why its last full one proves nothing; without personal data."),
    number("records", "Records stored by the last pass."),
    words("run_id", "The run of the last pass."),
    ts("updated_at", "When this row last changed.", required=True, default="now()"),
    PrimaryKeyConstraint("integration", "entity", "account_ref"),
    law("status", "status in ('idle', 'running', 'failed', 'excluded')"),
    law("cursor", "jsonb_typeof(cursor) = 'object'"),
    Index("sync_state_user_id_idx", "user_id"),
    grain="one stream of one account: its cursor and how the last pass went",
    key=("integration", "entity", "account_ref"),
)

lease = ops_table(
    "lease",
    words("key", "What is leased, e.g. sync:fub/77/3:people.", required=True),
    words("holder", "Who works under the lease; null when free."),
    number("fence", "Number of the takeover; a write under an older one is refused.", required=True, default="0"),
    Column("backend_pid", Integer(), comment="The holder's database backend; gone means free."),
    ts("backend_start", "When that backend started, against a pid used twice."),
    ts("acquired_at", "When the holder took it."),
    ts("expires_at", "When it is free even if the holder's connection lives."),
    PrimaryKeyConstraint("key"),
    grain="one thing that only one worker may do at a time",
    key=("key",),
)

api_budget = ops_table(
    "api_budget",
    words("key", "Source, context and (for the second ceiling) account.", required=True),
    ts("tat", "Theoretical arrival time: when the bucket is empty again.", required=True, default="'-infinity'"),
    Column("rate", Double(), nullable=False, comment="Calls per second that are granted now."),
    Column("full_rate", Double(), nullable=False, comment="Calls per second that the limit allows."),
    Column("burst", Double(), nullable=False, comment="Calls that may go at once."),
    Column("limit_", Integer(), nullable=False, comment="Calls the source allows in one window."),
    Column("window_s", Integer(), nullable=False, comment="Length of the source's window in seconds."),
    ts("blocked_until", "Nobody calls before this instant (a 429 was seen)."),
    ts("cleaned_at", "When the rate was last raised again after a clean window."),
    ts("priority_at", "When a call that is no backfill was last granted."),
    number("throttled", "Answers 429 so far.", required=True, default="0"),
    ts("updated_at", "When this row last changed.", required=True, default="now()"),
    PrimaryKeyConstraint("key"),
    grain="one rate-limit bucket shared by every process",
    key=("key",),
)

credential_probe = ops_table(
    "credential_probe",
    Column(
        "credentials_id",
        BigInteger(),
        primary_key=True,
        autoincrement=False,
        comment="The connection whose key is in doubt.",
    ),
    ts("since", "When a call, or the first probe, was refused.", required=True, default="now()"),
    number("refusals", "How often the source's own probe was refused since then.", required=True, default="0"),
    ts("refused_at", "When it was last refused."),
    ts("next_at", "When the source is asked again; null when nobody asks any more."),
    json("error", "What the source said, without secrets."),
    grain="one key whose source is asked whether it is still good",
    key=("credentials_id",),
)

onboarding_job = ops_table(
    "onboarding_job",
    surrogate(_OWN_ID),
    parent("user_id", "v2.user", "The user being onboarded.", required=True),
    words("integration", "The platform being connected.", required=True),
    parent("credentials_id", "v2.credentials", "The connection that started it.", required=True, index=False),
    words("status", "How far the onboarding is.", required=True, default="'New'"),
    json("steps", "Its steps in order: start, end, status, records, error.", required=True, default="'[]'"),
    words("run_id", "The last run that worked on it."),
    number("attempt", "1 for the first try of this connection.", required=True, default="1"),
    ts("created_at", "When the job was made.", required=True, default="now()"),
    ts("started_at", "When its run began."),
    ts("ended_at", "When it reached Complete, Partial or Error."),
    json("error", "What stopped it, without secrets or personal data."),
    labels("entities", "The streams this attempt reads; null for all of the integration."),
    json("asked", "The run that was asked for and has not ended: its key, streams and kind; null for none."),
    ts("asked_at", "When a run was last asked for."),
    number("runs", "How many runs were asked for.", required=True, default="0"),
    number("in_vain", "How many runs in a row brought nothing.", required=True, default="0"),
    ts("recent_at", "When the first run had ended: what is recent is in, the history follows."),
    unique("credentials_id", "attempt", name="onboarding_job_key"),
    law("status", "status in ('New', 'Started', 'Complete', 'Partial', 'Error')"),
    law("ended", "(status in ('Complete', 'Partial', 'Error')) = (ended_at is not null)"),
    grain="one attempt to onboard one connection of one user",
    key=("credentials_id", "attempt"),
)

notification = ops_table(
    "notification",
    surrogate(_OWN_ID),
    parent("user_id", "v2.user", "Whom it is for.", required=True),
    words("kind", "What happened, e.g. ONBOARDING_COMPLETE.", required=True),
    json("payload", "What the product needs to show it.", required=True, default="'{}'"),
    ts("created_at", "When it happened.", required=True, default="now()"),
    ts("read_at", "When the user saw it."),
    grain="one thing the product should tell one user",
    key=("id",),
    personal=("payload",),
)

incident = ops_table(
    "incident",
    surrogate(_OWN_ID),
    words("code", "What kind of trouble.", required=True),
    words("key", "Which cause of that kind, e.g. fub/people.", required=True),
    words("severity", "How bad it is now.", required=True),
    words("subject", "One line for a person.", required=True),
    json("body", "What broke, since when, whom it hits, what helps.", required=True, default="'{}'"),
    number("times", "How often it was seen.", required=True, default="1"),
    words("told", "The worst severity that people were told.", required=True),
    ts("opened_at", "When it was first seen.", required=True, default="now()"),
    ts("last_seen_at", "When it was last seen.", required=True, default="now()"),
    ts("reminded_at", "When people were last reminded of it."),
    ts("recovered_at", "When it was over; null while it lasts."),
    law("severity", "severity in ('info', 'warning', 'critical') and told in ('info', 'warning', 'critical')"),
    partial_index("incident_open_idx", "code", "key", where="recovered_at is null", is_unique=True),
    grain="one cause of trouble from the time it was seen until it was over",
    key=("id",),
)

alert = ops_table(
    "alert",
    surrogate(_OWN_ID),
    words("code", "What kind of trouble, for grouping.", required=True),
    words("severity", "How bad it is.", required=True),
    words("subject", "One line for a person.", required=True),
    json("body", "What broke, since when, whom it hits, what helps.", required=True, default="'{}'"),
    ts("created_at", "When it was raised.", required=True, default="now()"),
    ts("delivered_at", "When it was sent out."),
    parent("incident_id", "ops.incident", "The incident it tells of; null for a plain notice."),
    words("kind", "What happened to the incident.", required=True, default="'notice'"),
    words("channel", "Where it was delivered."),
    number("attempts", "How often all its channels were tried in vain.", required=True, default="0"),
    ts("next_attempt_at", "Not to be tried again before this instant."),
    json("error", "Why the channels failed, without secrets."),
    law("severity", "severity in ('info', 'warning', 'critical')"),
    law("kind", "kind in ('opened', 'worse', 'reminder', 'recovered', 'notice', 'test')"),
    partial_index("alert_undelivered_idx", "id", where="delivered_at is null"),
    grain="one message to the people who run the platform",
    key=("id",),
)

error_log = ops_table(
    "error_log",
    surrogate(_OWN_ID),
    ts("at", "When it happened.", required=True, default="now()"),
    words("where", "Which part of the platform it happened in.", required=True),
    words("code", "Code of the error class.", required=True),
    words("message", "The error's sentence, without secrets or personal data.", required=True),
    json("context", "Ids, statuses and counts.", required=True, default="'{}'"),
    words("run_id", "The run it happened in."),
    number("user_id", "The user whose work it was."),
    Index("error_log_at_idx", "at"),
    grain="one error as it was raised",
    key=("id",),
)

code_map = ops_table(
    "code_map",
    words("code_set", "Which list of codes.", required=True),
    words("source", "Whose codes.", required=True),
    words("raw", "The code as the source writes it.", required=True),
    words("value", "What V2 writes.", required=True),
    PrimaryKeyConstraint("code_set", "source", "raw"),
    grain="one code of one source and what it means in V2",
    key=("code_set", "source", "raw"),
)

sweep = ops_table(
    "sweep",
    surrogate(_OWN_ID),
    words("account_ref", "The account that was swept.", required=True),
    words("integration", "The source system.", required=True),
    words("entity", "The kind of record.", required=True),
    ts("started_at", "When the sweep began.", required=True, default="now()"),
    ts("completed_at", "When its last page was stored; null while it runs or if it died."),
    number("seen", "Records it saw.", required=True, default="0"),
    number("expected", "The source's own count, where it gives one."),
    ts("applied_at", "When absences were drawn from it."),
    words("outcome", "What came of it: applied, incomplete or shrunk; null until then."),
    json("error", "Why nothing was drawn from it, without secrets or personal data."),
    law("completed", "applied_at is null or completed_at is not null"),
    Index("sweep_stream_idx", "account_ref", "entity", "started_at"),
    grain="one full sweep over one stream of one account",
    key=("id",),
)

sweep_key = ops_table(
    "sweep_key",
    parent("sweep_id", "ops.sweep", "The sweep that saw it.", required=True, index=False, on_delete="CASCADE"),
    words("source_id", "The record's id at the source.", required=True),
    PrimaryKeyConstraint("sweep_id", "source_id"),
    grain="one record that one full sweep saw",
    key=("sweep_id", "source_id"),
)

merge_run = ops_table(
    "merge_run",
    surrogate(_OWN_ID),
    words("table_name", "The V2 table that was merged into.", required=True),
    number("user_id", "The user whose rows they were; null for tables that span users."),
    words("run_id", "The run it was part of."),
    ts("started_at", "When the merge began.", required=True, default="now()"),
    ts("ended_at", "When it was committed."),
    json("counts", "Rows by fate and by effect.", required=True, default="'{}'"),
    Index("merge_run_table_idx", "table_name", "user_id", "id"),
    grain="one merge of one user's pending rows into one V2 table",
    key=("id",),
)

pull = ops_table(
    "pull",
    surrogate(_OWN_ID),
    ts("at", "When its last user was done.", required=True, default="now()"),
    words("integration", "The source system.", required=True),
    words("entity", "The kind of record.", required=True),
    words("run_id", "The run that read it.", required=True),
    number("passes", "Users whose pass ended, well or not.", required=True),
    number("failed", "Those of them whose pass failed.", required=True),
    number("fetched", "Records that the source gave.", required=True),
    number("rejected", "Records among them that break a rule.", required=True),
    json("failed_users", "Ids of the users whose pass failed.", required=True, default="'[]'"),
    law("failed", "failed between 0 and passes"),
    Index("pull_at_idx", "at"),
    grain="one stream as one run read it for its users",
    key=("id",),
)

backlog_attempt = ops_table(
    "backlog_attempt",
    Column("user_id", BigInteger(), autoincrement=False, comment="Whose rows wait for their merge."),
    number(
        "newest",
        "The sum of the newest ids that waited then: the same rows are still there while it is equal.",
        required=True,
    ),
    number("rows", "How many rows waited then.", required=True),
    number("tries", "How often these very rows were sent to a run.", required=True),
    ts("not_before", "When they may be sent again.", required=True),
    PrimaryKeyConstraint("user_id"),
    grain="one user whose waiting rows were sent to a run and are still there",
    key=("user_id",),
)

measurement = ops_table(
    "measurement",
    surrogate(_OWN_ID),
    ts("at", "When it was measured.", required=True, default="now()"),
    words("metric", "The metric's name, as Prometheus knows it.", required=True),
    labels("labels", "The values of the metric's labels, in their order."),
    Column("value", Double(), nullable=False, comment="What was measured, in the metric's unit."),
    Index("measurement_metric_idx", "metric", "at"),
    Index("measurement_at_idx", "at"),
    grain="one number of one metric at one moment",
    key=("id",),
)

report = ops_table(
    "report",
    surrogate(_OWN_ID),
    ts("made_at", "When it was drawn.", required=True, default="now()"),
    words("kind", "Which report it is, e.g. health.", required=True),
    words("html", "The page as it was drawn; it loads nothing from elsewhere.", required=True),
    Index("report_kind_idx", "kind", "id"),
    grain="one report as a page",
    key=("id",),
)
