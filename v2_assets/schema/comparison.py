"""V1 beside V2: what was taken of V1, and what each comparison found, table by table.

Here: the tables of schema `ops` that a comparison fills. Not here: how it is made (`v2_assets.compare`), and what
follows from it (`v2_assets.gate`).
"""

from __future__ import annotations

from sqlalchemy import Index, PrimaryKeyConstraint

from v2_assets.schema.vocabulary import json, law, number, ops_table, parent, partial_index, surrogate, ts, words

v1_snapshot = ops_table(
    "v1_snapshot",
    words("table_name", "V1's table, as schema v1 has it once it is complete.", required=True),
    words("status", "taking, complete or absent (V1 has no such table).", required=True),
    words("source", "Where the rows are from, without credentials.", required=True),
    ts("taken_at", "When the reading began: V1's rows are of this instant or later."),
    ts("looked_at", "When V1 was last asked for the table with an answer, complete or absent."),
    number("rows", "Rows of the complete table."),
    json("columns", "The columns that V1's rows had, of those that may be read."),
    json("refused", "Values that fit no type and are null here, counted by column; `row` counts rows.", default="'{}'"),
    ts("started_at", "When the reading that is not complete began."),
    json("position", "Where that reading goes on."),
    json("progress", "What that reading has met so far: rows, columns, refused."),
    PrimaryKeyConstraint("table_name"),
    law("status", "status in ('taking', 'complete', 'absent')"),
    law("complete", "status <> 'complete' or (taken_at is not null and rows is not null)"),
    grain="one table of V1 as it was last read whole",
    key=("table_name",),
)

comparison_run = ops_table(
    "comparison_run",
    surrogate("Our own number of the comparison."),
    words("scope", "What was compared: full, user (only some users' rows) or sample.", required=True),
    json("users", "The users of scope user, as ids."),
    number("sample_percent", "Share of the keys that scope sample looked at."),
    ts("snapshot_at", "The instant V1's rows are of; what moved later is in flight."),
    words("snapshot", "Where V1's rows come from, without credentials."),
    ts("started_at", "When it began.", required=True, default="now()"),
    ts("ended_at", "When it was over; null while it works or if it died."),
    words("status", "How far it is.", required=True, default="'running'"),
    json("error", "What stopped it, without secrets or personal data."),
    words("run_id", "The run that made it."),
    law("status", "status in ('running', 'complete', 'failed')"),
    law("scope", "scope in ('full', 'user', 'sample')"),
    law("ended", "(status = 'running') = (ended_at is null)"),
    Index("comparison_run_ended_idx", "ended_at"),
    grain="one comparison of V1 with V2",
    key=("id",),
)

comparison_table = ops_table(
    "comparison_table",
    parent("run_id", "ops.comparison_run", "The comparison.", required=True, index=False, on_delete="CASCADE"),
    words("table_name", "The table of V2.", required=True),
    words("status", "compared, not_in_v1 or failed.", required=True),
    number("rows_v1", "Rows of V1 that belong to this table, deleted ones left out."),
    number("rows_v2", "Living rows of V2 that V1 should have too."),
    number("same", "Rows on both sides without a difference."),
    json(
        "changed_columns", 'Per column the cells that differ, e.g. {"sale_price": 12}.', required=True, default="'{}'"
    ),
    json(
        "schema_differences", "Columns that only one side has, and duplicate keys of V1.", required=True, default="'{}'"
    ),
    number("took_ms", "How long it took, in milliseconds."),
    json("error", "What stopped it, without secrets or personal data."),
    PrimaryKeyConstraint("run_id", "table_name"),
    law("status", "status in ('compared', 'not_in_v1', 'failed')"),
    grain="one table in one comparison",
    key=("run_id", "table_name"),
)

comparison_count = ops_table(
    "comparison_count",
    surrogate("Our own number of the row."),
    parent("run_id", "ops.comparison_run", "The comparison.", required=True, index=False, on_delete="CASCADE"),
    words("table_name", "The table of V2.", required=True),
    number("user_id", "Whose rows; null for rows of nobody."),
    words("kind", "missing (only in V1), extra (only in V2) or changed.", required=True),
    words("reason", "Why, in the words of v2_assets.compare.reasons.", required=True),
    words("known", "The known difference that explains it, by name."),
    number("rows", "How many rows.", required=True),
    law("kind", "kind in ('missing', 'extra', 'changed')"),
    Index("comparison_count_run_idx", "run_id", "table_name"),
    grain="the differences of one user in one table of one comparison that have one reason",
    key=("id",),
)

comparison_diff = ops_table(
    "comparison_diff",
    surrogate("Our own number of the row."),
    parent("run_id", "ops.comparison_run", "The comparison.", required=True, index=False, on_delete="CASCADE"),
    words("table_name", "The table of V2.", required=True),
    words("kind", "missing (only in V1), extra (only in V2) or changed.", required=True),
    json("keys", "The natural key, column by column.", required=True),
    words("v1_id", "V1's number of the row; null if V1 lacks it."),
    number("v2_id", "V2's number of the row; null if V2 lacks it."),
    number("user_id", "Whose row it is, as V2 counts users; null if nobody's."),
    json(
        "cells",
        'Columns that differ, each with both values: {"status": ["Active", "Closed"]}.',
        required=True,
        default="'{}'",
    ),
    words("reason", "Why, in the words of v2_assets.compare.reasons.", required=True),
    words("known", "The known difference that explains it, by name."),
    json("evidence", "What proves the reason: sweep, staged row, parent, rule.", required=True, default="'{}'"),
    law("kind", "kind in ('missing', 'extra', 'changed')"),
    Index("comparison_diff_run_idx", "run_id", "table_name", "reason"),
    partial_index("comparison_diff_user_idx", "run_id", "user_id", where="user_id is not null"),
    grain="one difference, kept as a sample of its reason",
    key=("id",),
    personal=("keys", "cells"),
)
