-- Revision 0023: shadow reading, counts and differences of answers.

CREATE TABLE ops.shadow_count (
    endpoint TEXT NOT NULL,
    day DATE NOT NULL,
    requests BIGINT DEFAULT 0 NOT NULL,
    same BIGINT DEFAULT 0 NOT NULL,
    failed BIGINT DEFAULT 0 NOT NULL,
    skipped BIGINT DEFAULT 0 NOT NULL,
    CONSTRAINT shadow_count_pkey PRIMARY KEY (endpoint, day)
);

COMMENT ON TABLE ops.shadow_count IS 'One endpoint on one day.';
COMMENT ON COLUMN ops.shadow_count.endpoint IS 'The endpoint''s path.';
COMMENT ON COLUMN ops.shadow_count.day IS 'The day, in UTC.';
COMMENT ON COLUMN ops.shadow_count.requests IS 'Requests that both systems answered and that were compared.';
COMMENT ON COLUMN ops.shadow_count.same IS 'Of these, requests whose answers were the same.';
COMMENT ON COLUMN ops.shadow_count.failed IS 'Requests that V2 answered with an error, or not in time.';
COMMENT ON COLUMN ops.shadow_count.skipped IS 'Requests that were not compared because too many waited.';

CREATE TABLE ops.shadow_difference (
    endpoint TEXT NOT NULL,
    day DATE NOT NULL,
    kind TEXT NOT NULL,
    field TEXT NOT NULL,
    reason TEXT NOT NULL,
    times BIGINT DEFAULT 0 NOT NULL,
    last_at TIMESTAMP WITH TIME ZONE DEFAULT now() NOT NULL,
    CONSTRAINT shadow_difference_pkey PRIMARY KEY (endpoint, day, kind, field, reason)
);

COMMENT ON TABLE ops.shadow_difference IS 'One way in which one endpoint''s answers differed on one day.';
COMMENT ON COLUMN ops.shadow_difference.endpoint IS 'The endpoint''s path.';
COMMENT ON COLUMN ops.shadow_difference.day IS 'The day, in UTC.';
COMMENT ON COLUMN ops.shadow_difference.kind IS 'What differs: a value, a row, the status …';
COMMENT ON COLUMN ops.shadow_difference.field IS 'The field, by V2''s name; empty for what is no field.';
COMMENT ON COLUMN ops.shadow_difference.reason IS 'Why, in the words of the comparison.';
COMMENT ON COLUMN ops.shadow_difference.times IS 'How often.';
COMMENT ON COLUMN ops.shadow_difference.last_at IS 'When it was last seen.';
