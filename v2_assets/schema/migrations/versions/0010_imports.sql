-- Revision 0010: imported files and the identity of people across systems.

CREATE TABLE staging.stage_csv_import (
    id BIGINT GENERATED ALWAYS AS IDENTITY,
    user_id BIGINT NOT NULL,
    account_ref TEXT NOT NULL,
    source_id TEXT NOT NULL,
    payload JSONB NOT NULL,
    payload_hash BYTEA NOT NULL,
    source_updated_at TIMESTAMP WITH TIME ZONE,
    fetched_at TIMESTAMP WITH TIME ZONE NOT NULL,
    run_id TEXT NOT NULL,
    status TEXT DEFAULT 'pending' NOT NULL,
    status_reason TEXT,
    status_detail JSONB,
    attempts BIGINT DEFAULT 0 NOT NULL,
    next_attempt_at TIMESTAMP WITH TIME ZONE,
    processed_at TIMESTAMP WITH TIME ZONE,
    v2_id BIGINT,
    duplicate_of BIGINT,
    waits_for TEXT,
    missing_since TIMESTAMP WITH TIME ZONE,
    merge_rank SMALLINT DEFAULT 0 NOT NULL,
    missed_sweeps SMALLINT DEFAULT 0 NOT NULL,
    CONSTRAINT stage_csv_import_pkey PRIMARY KEY (id),
    CONSTRAINT stage_csv_import_key UNIQUE (account_ref, source_id),
    CONSTRAINT stage_csv_import_status_check CHECK (status in ('pending', 'processed', 'duplicate', 'rejected', 'deferred', 'filtered')),
    CONSTRAINT stage_csv_import_processed_check CHECK (status <> 'processed' or (v2_id is not null and processed_at is not null)),
    CONSTRAINT stage_csv_import_refused_check CHECK (status not in ('rejected', 'filtered') or status_reason is not null),
    CONSTRAINT stage_csv_import_deferred_check CHECK (status <> 'deferred' or (waits_for is not null and status_reason is not null)),
    CONSTRAINT stage_csv_import_duplicate_check CHECK (status <> 'duplicate' or (duplicate_of is not null and duplicate_of <> id)),
    CONSTRAINT stage_csv_import_counts_check CHECK (attempts >= 0 and missed_sweeps >= 0),
    CONSTRAINT stage_csv_import_payload_check CHECK (jsonb_typeof(payload) = 'object')
);

ALTER TABLE staging.stage_csv_import ADD CONSTRAINT stage_csv_import_duplicate_of_fkey FOREIGN KEY(duplicate_of) REFERENCES staging.stage_csv_import (id) DEFERRABLE INITIALLY DEFERRED;
CREATE INDEX stage_csv_import_duplicate_idx ON staging.stage_csv_import (duplicate_of) WHERE duplicate_of is not null;
CREATE INDEX stage_csv_import_pending_idx ON staging.stage_csv_import (user_id, id) WHERE status = 'pending';
CREATE INDEX stage_csv_import_user_status_idx ON staging.stage_csv_import (user_id, status);
CREATE INDEX stage_csv_import_v2_idx ON staging.stage_csv_import (v2_id) WHERE status = 'processed';
CREATE INDEX stage_csv_import_waiting_idx ON staging.stage_csv_import (waits_for) WHERE status = 'deferred';
COMMENT ON TABLE staging.stage_csv_import IS 'Newest version of each record: one row of an imported file, as read from a CSV file with a mapping.';
COMMENT ON COLUMN staging.stage_csv_import.id IS 'Order of arrival.';
COMMENT ON COLUMN staging.stage_csv_import.user_id IS 'The user whose sync brought the record; the partition.';
COMMENT ON COLUMN staging.stage_csv_import.account_ref IS 'The account it was read through, as platform/account/user.';
COMMENT ON COLUMN staging.stage_csv_import.source_id IS 'The record''s id at the source.';
COMMENT ON COLUMN staging.stage_csv_import.payload IS 'The record as it came, minus secret fields.';
COMMENT ON COLUMN staging.stage_csv_import.payload_hash IS 'Hash of the payload, to see a change cheaply.';
COMMENT ON COLUMN staging.stage_csv_import.source_updated_at IS 'When the source last changed the record; a newer version wins.';
COMMENT ON COLUMN staging.stage_csv_import.fetched_at IS 'When this version of the payload was first read.';
COMMENT ON COLUMN staging.stage_csv_import.run_id IS 'The run that stored this version.';
COMMENT ON COLUMN staging.stage_csv_import.status IS 'Where the record stands on its way into V2.';
COMMENT ON COLUMN staging.stage_csv_import.status_reason IS 'Reason code of the status, for machines.';
COMMENT ON COLUMN staging.stage_csv_import.status_detail IS 'What failed: field, code set, class of the value, or the parent that is missing.';
COMMENT ON COLUMN staging.stage_csv_import.attempts IS 'How many merges have looked at this version.';
COMMENT ON COLUMN staging.stage_csv_import.next_attempt_at IS 'Not to be tried again before this instant.';
COMMENT ON COLUMN staging.stage_csv_import.processed_at IS 'When the record was last merged.';
COMMENT ON COLUMN staging.stage_csv_import.v2_id IS 'The row of v2.transaction that this record became.';
COMMENT ON COLUMN staging.stage_csv_import.duplicate_of IS 'The staged row that carries the same business record.';
COMMENT ON COLUMN staging.stage_csv_import.waits_for IS 'The parent a deferred record waits for, as table/natural key values.';
COMMENT ON COLUMN staging.stage_csv_import.missing_since IS 'Since when complete full sweeps have not seen the record.';
COMMENT ON COLUMN staging.stage_csv_import.merge_rank IS 'How the merge ranked this copy among copies with one stamp.';
COMMENT ON COLUMN staging.stage_csv_import.missed_sweeps IS 'How many complete full sweeps in a row missed it.';
