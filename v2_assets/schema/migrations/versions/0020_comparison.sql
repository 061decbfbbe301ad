-- Revision 0020: V1 beside V2, runs and differences.

CREATE TABLE ops.v1_snapshot (
    table_name TEXT NOT NULL,
    status TEXT NOT NULL,
    source TEXT NOT NULL,
    taken_at TIMESTAMP WITH TIME ZONE,
    looked_at TIMESTAMP WITH TIME ZONE,
    rows BIGINT,
    columns JSONB,
    refused JSONB DEFAULT '{}',
    started_at TIMESTAMP WITH TIME ZONE,
    position JSONB,
    progress JSONB,
    CONSTRAINT v1_snapshot_pkey PRIMARY KEY (table_name),
    CONSTRAINT v1_snapshot_status_check CHECK (status in ('taking', 'complete', 'absent')),
    CONSTRAINT v1_snapshot_complete_check CHECK (status <> 'complete' or (taken_at is not null and rows is not null))
);

COMMENT ON TABLE ops.v1_snapshot IS 'One table of V1 as it was last read whole.';
COMMENT ON COLUMN ops.v1_snapshot.table_name IS 'V1''s table, as schema v1 has it once it is complete.';
COMMENT ON COLUMN ops.v1_snapshot.status IS 'taking, complete or absent (V1 has no such table).';
COMMENT ON COLUMN ops.v1_snapshot.source IS 'Where the rows are from, without credentials.';
COMMENT ON COLUMN ops.v1_snapshot.taken_at IS 'When the reading began: V1''s rows are of this instant or later.';
COMMENT ON COLUMN ops.v1_snapshot.looked_at IS 'When V1 was last asked for the table with an answer, complete or absent.';
COMMENT ON COLUMN ops.v1_snapshot.rows IS 'Rows of the complete table.';
COMMENT ON COLUMN ops.v1_snapshot.columns IS 'The columns that V1''s rows had, of those that may be read.';
COMMENT ON COLUMN ops.v1_snapshot.refused IS 'Values that fit no type and are null here, counted by column; `row` counts rows.';
COMMENT ON COLUMN ops.v1_snapshot.started_at IS 'When the reading that is not complete began.';
COMMENT ON COLUMN ops.v1_snapshot.position IS 'Where that reading goes on.';
COMMENT ON COLUMN ops.v1_snapshot.progress IS 'What that reading has met so far: rows, columns, refused.';

CREATE TABLE ops.comparison_run (
    id BIGINT GENERATED ALWAYS AS IDENTITY,
    scope TEXT NOT NULL,
    users JSONB,
    sample_percent BIGINT,
    snapshot_at TIMESTAMP WITH TIME ZONE,
    snapshot TEXT,
    started_at TIMESTAMP WITH TIME ZONE DEFAULT now() NOT NULL,
    ended_at TIMESTAMP WITH TIME ZONE,
    status TEXT DEFAULT 'running' NOT NULL,
    error JSONB,
    run_id TEXT,
    CONSTRAINT comparison_run_pkey PRIMARY KEY (id),
    CONSTRAINT comparison_run_status_check CHECK (status in ('running', 'complete', 'failed')),
    CONSTRAINT comparison_run_scope_check CHECK (scope in ('full', 'user', 'sample')),
    CONSTRAINT comparison_run_ended_check CHECK ((status = 'running') = (ended_at is null))
);

CREATE INDEX comparison_run_ended_idx ON ops.comparison_run (ended_at);

COMMENT ON TABLE ops.comparison_run IS 'One comparison of V1 with V2.';
COMMENT ON COLUMN ops.comparison_run.id IS 'Our own number of the comparison.';
COMMENT ON COLUMN ops.comparison_run.scope IS 'What was compared: full, user (only some users'' rows) or sample.';
COMMENT ON COLUMN ops.comparison_run.users IS 'The users of scope user, as ids.';
COMMENT ON COLUMN ops.comparison_run.sample_percent IS 'Share of the keys that scope sample looked at.';
COMMENT ON COLUMN ops.comparison_run.snapshot_at IS 'The instant V1''s rows are of; what moved later is in flight.';
COMMENT ON COLUMN ops.comparison_run.snapshot IS 'Where V1''s rows come from, without credentials.';
COMMENT ON COLUMN ops.comparison_run.started_at IS 'When it began.';
COMMENT ON COLUMN ops.comparison_run.ended_at IS 'When it was over; null while it works or if it died.';
COMMENT ON COLUMN ops.comparison_run.status IS 'How far it is.';
COMMENT ON COLUMN ops.comparison_run.error IS 'What stopped it, without secrets or personal data.';
COMMENT ON COLUMN ops.comparison_run.run_id IS 'The run that made it.';

CREATE TABLE ops.comparison_table (
    run_id BIGINT NOT NULL,
    table_name TEXT NOT NULL,
    status TEXT NOT NULL,
    rows_v1 BIGINT,
    rows_v2 BIGINT,
    same BIGINT,
    changed_columns JSONB DEFAULT '{}' NOT NULL,
    schema_differences JSONB DEFAULT '{}' NOT NULL,
    took_ms BIGINT,
    error JSONB,
    CONSTRAINT comparison_table_pkey PRIMARY KEY (run_id, table_name),
    CONSTRAINT comparison_table_status_check CHECK (status in ('compared', 'not_in_v1', 'failed')),
    CONSTRAINT comparison_table_run_id_fkey FOREIGN KEY(run_id) REFERENCES ops.comparison_run (id) ON DELETE CASCADE DEFERRABLE INITIALLY DEFERRED
);


COMMENT ON TABLE ops.comparison_table IS 'One table in one comparison.';
COMMENT ON COLUMN ops.comparison_table.run_id IS 'The comparison.';
COMMENT ON COLUMN ops.comparison_table.table_name IS 'The table of V2.';
COMMENT ON COLUMN ops.comparison_table.status IS 'compared, not_in_v1 or failed.';
COMMENT ON COLUMN ops.comparison_table.rows_v1 IS 'Rows of V1 that belong to this table, deleted ones left out.';
COMMENT ON COLUMN ops.comparison_table.rows_v2 IS 'Living rows of V2 that V1 should have too.';
COMMENT ON COLUMN ops.comparison_table.same IS 'Rows on both sides without a difference.';
COMMENT ON COLUMN ops.comparison_table.changed_columns IS 'Per column the cells that differ, e.g. {"sale_price": 12}.';
COMMENT ON COLUMN ops.comparison_table.schema_differences IS 'Columns that only one side has, and duplicate keys of V1.';
COMMENT ON COLUMN ops.comparison_table.took_ms IS 'How long it took, in milliseconds.';
COMMENT ON COLUMN ops.comparison_table.error IS 'What stopped it, without secrets or personal data.';

CREATE TABLE ops.comparison_count (
    id BIGINT GENERATED ALWAYS AS IDENTITY,
    run_id BIGINT NOT NULL,
    table_name TEXT NOT NULL,
    user_id BIGINT,
    kind TEXT NOT NULL,
    reason TEXT NOT NULL,
    known TEXT,
    rows BIGINT NOT NULL,
    CONSTRAINT comparison_count_pkey PRIMARY KEY (id),
    CONSTRAINT comparison_count_kind_check CHECK (kind in ('missing', 'extra', 'changed')),
    CONSTRAINT comparison_count_run_id_fkey FOREIGN KEY(run_id) REFERENCES ops.comparison_run (id) ON DELETE CASCADE DEFERRABLE INITIALLY DEFERRED
);

CREATE INDEX comparison_count_run_idx ON ops.comparison_count (run_id, table_name);

COMMENT ON TABLE ops.comparison_count IS 'The differences of one user in one table of one comparison that have one reason.';
COMMENT ON COLUMN ops.comparison_count.id IS 'Our own number of the row.';
COMMENT ON COLUMN ops.comparison_count.run_id IS 'The comparison.';
COMMENT ON COLUMN ops.comparison_count.table_name IS 'The table of V2.';
COMMENT ON COLUMN ops.comparison_count.user_id IS 'Whose rows; null for rows of nobody.';
COMMENT ON COLUMN ops.comparison_count.kind IS 'missing (only in V1), extra (only in V2) or changed.';
COMMENT ON COLUMN ops.comparison_count.reason IS 'Why, in the words of v2_assets.compare.reasons.';
COMMENT ON COLUMN ops.comparison_count.known IS 'The known difference that explains it, by name.';
COMMENT ON COLUMN ops.comparison_count.rows IS 'How many rows.';

CREATE TABLE ops.comparison_diff (
    id BIGINT GENERATED ALWAYS AS IDENTITY,
    run_id BIGINT NOT NULL,
    table_name TEXT NOT NULL,
    kind TEXT NOT NULL,
    keys JSONB NOT NULL,
    v1_id TEXT,
    v2_id BIGINT,
    user_id BIGINT,
    cells JSONB DEFAULT '{}' NOT NULL,
    reason TEXT NOT NULL,
    known TEXT,
    evidence JSONB DEFAULT '{}' NOT NULL,
    CONSTRAINT comparison_diff_pkey PRIMARY KEY (id),
    CONSTRAINT comparison_diff_kind_check CHECK (kind in ('missing', 'extra', 'changed')),
    CONSTRAINT comparison_diff_run_id_fkey FOREIGN KEY(run_id) REFERENCES ops.comparison_run (id) ON DELETE CASCADE DEFERRABLE INITIALLY DEFERRED
);

CREATE INDEX comparison_diff_run_idx ON ops.comparison_diff (run_id, table_name, reason);
CREATE INDEX comparison_diff_user_idx ON ops.comparison_diff (run_id, user_id) WHERE user_id is not null;

COMMENT ON TABLE ops.comparison_diff IS 'One difference, kept as a sample of its reason.';
COMMENT ON COLUMN ops.comparison_diff.id IS 'Our own number of the row.';
COMMENT ON COLUMN ops.comparison_diff.run_id IS 'The comparison.';
COMMENT ON COLUMN ops.comparison_diff.table_name IS 'The table of V2.';
COMMENT ON COLUMN ops.comparison_diff.kind IS 'missing (only in V1), extra (only in V2) or changed.';
COMMENT ON COLUMN ops.comparison_diff.keys IS 'The natural key, column by column.';
COMMENT ON COLUMN ops.comparison_diff.v1_id IS 'V1''s number of the row; null if V1 lacks it.';
COMMENT ON COLUMN ops.comparison_diff.v2_id IS 'V2''s number of the row; null if V2 lacks it.';
COMMENT ON COLUMN ops.comparison_diff.user_id IS 'Whose row it is, as V2 counts users; null if nobody''s.';
COMMENT ON COLUMN ops.comparison_diff.cells IS 'Columns that differ, each with both values: {"status": ["Active", "Closed"]}.';
COMMENT ON COLUMN ops.comparison_diff.reason IS 'Why, in the words of v2_assets.compare.reasons.';
COMMENT ON COLUMN ops.comparison_diff.known IS 'The known difference that explains it, by name.';
COMMENT ON COLUMN ops.comparison_diff.evidence IS 'What proves the reason: sweep, staged row, parent, rule.';
