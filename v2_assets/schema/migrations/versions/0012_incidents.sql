-- Revision 0012: incidents, and the delivery of their messages.

CREATE TABLE ops.incident (
    id BIGINT GENERATED ALWAYS AS IDENTITY,
    code TEXT NOT NULL,
    key TEXT NOT NULL,
    severity TEXT NOT NULL,
    subject TEXT NOT NULL,
    body JSONB DEFAULT '{}' NOT NULL,
    times BIGINT DEFAULT 1 NOT NULL,
    told TEXT NOT NULL,
    opened_at TIMESTAMP WITH TIME ZONE DEFAULT now() NOT NULL,
    last_seen_at TIMESTAMP WITH TIME ZONE DEFAULT now() NOT NULL,
    reminded_at TIMESTAMP WITH TIME ZONE,
    recovered_at TIMESTAMP WITH TIME ZONE,
    CONSTRAINT incident_pkey PRIMARY KEY (id),
    CONSTRAINT incident_severity_check CHECK (severity in ('info', 'warning', 'critical') and told in ('info', 'warning', 'critical'))
);

CREATE UNIQUE INDEX incident_open_idx ON ops.incident (code, key) WHERE recovered_at is null;

COMMENT ON TABLE ops.incident IS 'One cause of trouble from the time it was seen until it was over.';
COMMENT ON COLUMN ops.incident.id IS 'Our own number of the row.';
COMMENT ON COLUMN ops.incident.code IS 'What kind of trouble.';
COMMENT ON COLUMN ops.incident.key IS 'Which cause of that kind, e.g. fub/people.';
COMMENT ON COLUMN ops.incident.severity IS 'How bad it is now.';
COMMENT ON COLUMN ops.incident.subject IS 'One line for a person.';
COMMENT ON COLUMN ops.incident.body IS 'What broke, since when, whom it hits, what helps.';
COMMENT ON COLUMN ops.incident.times IS 'How often it was seen.';
COMMENT ON COLUMN ops.incident.told IS 'The worst severity that people were told.';
COMMENT ON COLUMN ops.incident.opened_at IS 'When it was first seen.';
COMMENT ON COLUMN ops.incident.last_seen_at IS 'When it was last seen.';
COMMENT ON COLUMN ops.incident.reminded_at IS 'When people were last reminded of it.';
COMMENT ON COLUMN ops.incident.recovered_at IS 'When it was over; null while it lasts.';

ALTER TABLE ops.alert ADD COLUMN incident_id BIGINT;
ALTER TABLE ops.alert ADD COLUMN kind TEXT DEFAULT 'notice' NOT NULL;
ALTER TABLE ops.alert ADD COLUMN channel TEXT;
ALTER TABLE ops.alert ADD COLUMN attempts BIGINT DEFAULT 0 NOT NULL;
ALTER TABLE ops.alert ADD COLUMN next_attempt_at TIMESTAMP WITH TIME ZONE;
ALTER TABLE ops.alert ADD COLUMN error JSONB;
ALTER TABLE ops.alert ADD CONSTRAINT alert_incident_id_fkey FOREIGN KEY(incident_id) REFERENCES ops.incident (id) DEFERRABLE INITIALLY DEFERRED;
ALTER TABLE ops.alert ADD CONSTRAINT alert_kind_check CHECK (kind in ('opened', 'worse', 'reminder', 'recovered', 'notice', 'test'));
CREATE INDEX alert_incident_id_idx ON ops.alert (incident_id);
COMMENT ON COLUMN ops.alert.incident_id IS 'The incident it tells of; null for a plain notice.';
COMMENT ON COLUMN ops.alert.kind IS 'What happened to the incident.';
COMMENT ON COLUMN ops.alert.channel IS 'Where it was delivered.';
COMMENT ON COLUMN ops.alert.attempts IS 'How often all its channels were tried in vain.';
COMMENT ON COLUMN ops.alert.next_attempt_at IS 'Not to be tried again before this instant.';
COMMENT ON COLUMN ops.alert.error IS 'Why the channels failed, without secrets.';
