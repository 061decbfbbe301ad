-- Revision 0028: what the backlog sensor tried, which was in its cursor and so was written again with every tick.

CREATE TABLE ops.backlog_attempt (
    user_id BIGINT NOT NULL,
    newest BIGINT NOT NULL,
    rows BIGINT NOT NULL,
    tries BIGINT NOT NULL,
    not_before TIMESTAMP WITH TIME ZONE NOT NULL,
    CONSTRAINT backlog_attempt_pkey PRIMARY KEY (user_id)
);

COMMENT ON TABLE ops.backlog_attempt IS 'One user whose waiting rows were sent to a run and are still there.';
COMMENT ON COLUMN ops.backlog_attempt.user_id IS 'Whose rows wait for their merge.';
COMMENT ON COLUMN ops.backlog_attempt.newest IS 'The sum of the newest ids that waited then: the same rows are still there while it is equal.';
COMMENT ON COLUMN ops.backlog_attempt.rows IS 'How many rows waited then.';
COMMENT ON COLUMN ops.backlog_attempt.tries IS 'How often these very rows were sent to a run.';
COMMENT ON COLUMN ops.backlog_attempt.not_before IS 'When they may be sent again.';
