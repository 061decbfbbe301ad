-- Revision 0021: the decisions about the switch.

CREATE TABLE ops.switch_decision (
    id BIGINT GENERATED ALWAYS AS IDENTITY,
    at TIMESTAMP WITH TIME ZONE DEFAULT now() NOT NULL,
    who TEXT NOT NULL,
    action TEXT NOT NULL,
    endpoint TEXT,
    user_id BIGINT,
    share NUMERIC(9, 4),
    reason TEXT,
    accepted JSONB DEFAULT '[]' NOT NULL,
    CONSTRAINT switch_decision_pkey PRIMARY KEY (id),
    CONSTRAINT switch_decision_action_check CHECK (action in ('set', 'stop', 'back', 'hold', 'release', 'auto_stop', 'auto_hold')),
    CONSTRAINT switch_decision_subject_check CHECK ((endpoint is null) <> (user_id is null) and (endpoint is null) = (share is null)),
    CONSTRAINT switch_decision_share_check CHECK (share between 0 and 100)
);

CREATE INDEX switch_decision_endpoint_idx ON ops.switch_decision (endpoint, id);
CREATE INDEX switch_decision_user_idx ON ops.switch_decision (user_id, id);

COMMENT ON TABLE ops.switch_decision IS 'One decision about one endpoint or one user: from V1 or from V2.';
COMMENT ON COLUMN ops.switch_decision.id IS 'Order of the decisions.';
COMMENT ON COLUMN ops.switch_decision.at IS 'When it was decided.';
COMMENT ON COLUMN ops.switch_decision.who IS 'Who decided: a person''s login, or `gate`.';
COMMENT ON COLUMN ops.switch_decision.action IS 'What was decided.';
COMMENT ON COLUMN ops.switch_decision.endpoint IS 'The endpoint it is about; null for a decision about a user.';
COMMENT ON COLUMN ops.switch_decision.user_id IS 'The user it is about; null for a decision about an endpoint.';
COMMENT ON COLUMN ops.switch_decision.share IS 'Per cent of users whom this endpoint serves from V2; null for a decision about a user.';
COMMENT ON COLUMN ops.switch_decision.reason IS 'Why, in the decider''s words.';
COMMENT ON COLUMN ops.switch_decision.accepted IS 'Broken rules: accepted by an override, or what made the gate stop.';
