-- Revision 0017: the steps of an onboarding.

UPDATE ops.onboarding_job SET steps = coalesce(
    (SELECT jsonb_agg(value || jsonb_build_object('step', key)) FROM jsonb_each(steps)), '[]'
) WHERE jsonb_typeof(steps) = 'object';
ALTER TABLE ops.onboarding_job ALTER COLUMN steps SET DEFAULT '[]';
COMMENT ON COLUMN ops.onboarding_job.steps IS 'Its steps in order: start, end, status, records, error.';
COMMENT ON COLUMN ops.onboarding_job.run_id IS 'The last run that worked on it.';

ALTER TABLE ops.onboarding_job ADD COLUMN entities TEXT[];
ALTER TABLE ops.onboarding_job ADD COLUMN asked JSONB;
ALTER TABLE ops.onboarding_job ADD COLUMN asked_at TIMESTAMP WITH TIME ZONE;
ALTER TABLE ops.onboarding_job ADD COLUMN runs BIGINT DEFAULT 0 NOT NULL;
ALTER TABLE ops.onboarding_job ADD COLUMN in_vain BIGINT DEFAULT 0 NOT NULL;
ALTER TABLE ops.onboarding_job ADD COLUMN recent_at TIMESTAMP WITH TIME ZONE;

COMMENT ON COLUMN ops.onboarding_job.entities IS 'The streams this attempt reads; null for all of the integration.';
COMMENT ON COLUMN ops.onboarding_job.asked IS 'The run that was asked for and has not ended: its key, streams and kind; null for none.';
COMMENT ON COLUMN ops.onboarding_job.asked_at IS 'When a run was last asked for.';
COMMENT ON COLUMN ops.onboarding_job.runs IS 'How many runs were asked for.';
COMMENT ON COLUMN ops.onboarding_job.in_vain IS 'How many runs in a row brought nothing.';
COMMENT ON COLUMN ops.onboarding_job.recent_at IS 'When the first run had ended: what is recent is in, the history follows.';

-- What was at work before this revision is asked for again; its streams go on from their cursors.
UPDATE ops.onboarding_job SET run_id = NULL WHERE status = 'New';
