-- Revision 0011: the inbox of webhooks, and what is registered at the sources.

CREATE TABLE ops.webhook_inbox (
    id BIGINT GENERATED ALWAYS AS IDENTITY,
    source TEXT NOT NULL,
    event_key TEXT NOT NULL,
    credentials_id BIGINT NOT NULL,
    event TEXT NOT NULL,
    body BYTEA NOT NULL,
    received_at TIMESTAMP WITH TIME ZONE DEFAULT now() NOT NULL,
    state TEXT DEFAULT 'new' NOT NULL,
    reason TEXT,
    attempts BIGINT DEFAULT 0 NOT NULL,
    next_attempt_at TIMESTAMP WITH TIME ZONE,
    handled_at TIMESTAMP WITH TIME ZONE,
    error JSONB,
    CONSTRAINT webhook_inbox_pkey PRIMARY KEY (id),
    CONSTRAINT webhook_inbox_key UNIQUE (source, event_key),
    CONSTRAINT webhook_inbox_state_check CHECK (state in ('new', 'parked', 'done')),
    CONSTRAINT webhook_inbox_handled_check CHECK ((state = 'new') = (handled_at is null)),
    CONSTRAINT webhook_inbox_parked_check CHECK (state <> 'parked' or reason is not null)
);

CREATE INDEX webhook_inbox_new_idx ON ops.webhook_inbox (id) WHERE state = 'new';
CREATE INDEX webhook_inbox_parked_idx ON ops.webhook_inbox (credentials_id) WHERE state = 'parked';
CREATE INDEX webhook_inbox_received_idx ON ops.webhook_inbox (received_at);

COMMENT ON TABLE ops.webhook_inbox IS 'One event that a source told us, as it came.';
COMMENT ON COLUMN ops.webhook_inbox.id IS 'Order of arrival.';
COMMENT ON COLUMN ops.webhook_inbox.source IS 'The source system that sent it.';
COMMENT ON COLUMN ops.webhook_inbox.event_key IS 'What makes the event one: the source''s id of it, or a digest of its body.';
COMMENT ON COLUMN ops.webhook_inbox.credentials_id IS 'The connection whose address it came to.';
COMMENT ON COLUMN ops.webhook_inbox.event IS 'The event''s name as the source writes it.';
COMMENT ON COLUMN ops.webhook_inbox.body IS 'The request''s body, byte for byte.';
COMMENT ON COLUMN ops.webhook_inbox.received_at IS 'When it was stored; the sender was answered after that.';
COMMENT ON COLUMN ops.webhook_inbox.state IS 'Whether it still has to be looked at.';
COMMENT ON COLUMN ops.webhook_inbox.reason IS 'Why it is parked, or what became of it.';
COMMENT ON COLUMN ops.webhook_inbox.attempts IS 'How often reading the record again was tried.';
COMMENT ON COLUMN ops.webhook_inbox.next_attempt_at IS 'Not to be tried again before this instant.';
COMMENT ON COLUMN ops.webhook_inbox.handled_at IS 'When the record was stored, or the event was put aside.';
COMMENT ON COLUMN ops.webhook_inbox.error IS 'What stopped the last try, without secrets or personal data.';

CREATE TABLE ops.webhook_registration (
    credentials_id BIGINT NOT NULL,
    outcome TEXT NOT NULL,
    audited_at TIMESTAMP WITH TIME ZONE DEFAULT now() NOT NULL,
    active BIGINT DEFAULT 0 NOT NULL,
    changes JSONB DEFAULT '{}' NOT NULL,
    error JSONB,
    CONSTRAINT webhook_registration_pkey PRIMARY KEY (credentials_id),
    CONSTRAINT webhook_registration_outcome_check CHECK (outcome in ('ok', 'not_owner', 'failed'))
);

COMMENT ON TABLE ops.webhook_registration IS 'One connection and the webhooks it has at its source.';
COMMENT ON COLUMN ops.webhook_registration.credentials_id IS 'The connection whose key holds the webhooks.';
COMMENT ON COLUMN ops.webhook_registration.outcome IS 'What the last audit found.';
COMMENT ON COLUMN ops.webhook_registration.audited_at IS 'When it was last audited.';
COMMENT ON COLUMN ops.webhook_registration.active IS 'Webhooks of ours that are active.';
COMMENT ON COLUMN ops.webhook_registration.changes IS 'What the last audit put right: created, enabled, removed.';
COMMENT ON COLUMN ops.webhook_registration.error IS 'What stopped the last audit, without secrets.';
