-- Revision 0032: a refusal counts when the source's own probe is refused twice, so doubts are kept with their next probe.

CREATE TABLE ops.credential_probe (
    credentials_id BIGINT NOT NULL,
    since TIMESTAMP WITH TIME ZONE DEFAULT now() NOT NULL,
    refusals BIGINT DEFAULT 0 NOT NULL,
    refused_at TIMESTAMP WITH TIME ZONE,
    next_at TIMESTAMP WITH TIME ZONE,
    error JSONB,
    CONSTRAINT credential_probe_pkey PRIMARY KEY (credentials_id)
);
COMMENT ON TABLE ops.credential_probe IS 'One key whose source is asked whether it is still good.';
COMMENT ON COLUMN ops.credential_probe.credentials_id IS 'The connection whose key is in doubt.';
COMMENT ON COLUMN ops.credential_probe.since IS 'When a call, or the first probe, was refused.';
COMMENT ON COLUMN ops.credential_probe.refusals IS 'How often the source''s own probe was refused since then.';
COMMENT ON COLUMN ops.credential_probe.refused_at IS 'When it was last refused.';
COMMENT ON COLUMN ops.credential_probe.next_at IS 'When the source is asked again; null when nobody asks any more.';
COMMENT ON COLUMN ops.credential_probe.error IS 'What the source said, without secrets.';
