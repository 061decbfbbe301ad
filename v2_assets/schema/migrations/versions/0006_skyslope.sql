-- Revision 0006: SkySlope: its staging tables, and what its records are read with.

CREATE TABLE staging.stage_skyslope_offices (
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
    CONSTRAINT stage_skyslope_offices_pkey PRIMARY KEY (id),
    CONSTRAINT stage_skyslope_offices_key UNIQUE (account_ref, source_id),
    CONSTRAINT stage_skyslope_offices_status_check CHECK (status in ('pending', 'processed', 'duplicate', 'rejected', 'deferred', 'filtered')),
    CONSTRAINT stage_skyslope_offices_processed_check CHECK (status <> 'processed' or (v2_id is not null and processed_at is not null)),
    CONSTRAINT stage_skyslope_offices_refused_check CHECK (status not in ('rejected', 'filtered') or status_reason is not null),
    CONSTRAINT stage_skyslope_offices_deferred_check CHECK (status <> 'deferred' or (waits_for is not null and status_reason is not null)),
    CONSTRAINT stage_skyslope_offices_duplicate_check CHECK (status <> 'duplicate' or (duplicate_of is not null and duplicate_of <> id)),
    CONSTRAINT stage_skyslope_offices_counts_check CHECK (attempts >= 0 and missed_sweeps >= 0),
    CONSTRAINT stage_skyslope_offices_payload_check CHECK (jsonb_typeof(payload) = 'object'),
    CONSTRAINT stage_skyslope_offices_duplicate_of_fkey FOREIGN KEY(duplicate_of) REFERENCES staging.stage_skyslope_offices (id) DEFERRABLE INITIALLY DEFERRED
);

CREATE INDEX stage_skyslope_offices_duplicate_idx ON staging.stage_skyslope_offices (duplicate_of) WHERE duplicate_of is not null;
CREATE INDEX stage_skyslope_offices_pending_idx ON staging.stage_skyslope_offices (user_id, id) WHERE status = 'pending';
CREATE INDEX stage_skyslope_offices_user_status_idx ON staging.stage_skyslope_offices (user_id, status);
CREATE INDEX stage_skyslope_offices_v2_idx ON staging.stage_skyslope_offices (v2_id) WHERE status = 'processed';
CREATE INDEX stage_skyslope_offices_waiting_idx ON staging.stage_skyslope_offices (waits_for) WHERE status = 'deferred';

COMMENT ON TABLE staging.stage_skyslope_offices IS 'Newest version of each record: one office of a SkySlope account, as read from GET /api/offices.';
COMMENT ON COLUMN staging.stage_skyslope_offices.id IS 'Order of arrival.';
COMMENT ON COLUMN staging.stage_skyslope_offices.user_id IS 'The user whose sync brought the record; the partition.';
COMMENT ON COLUMN staging.stage_skyslope_offices.account_ref IS 'The account it was read through, as platform/account/user.';
COMMENT ON COLUMN staging.stage_skyslope_offices.source_id IS 'The record''s id at the source.';
COMMENT ON COLUMN staging.stage_skyslope_offices.payload IS 'The record as it came, minus secret fields.';
COMMENT ON COLUMN staging.stage_skyslope_offices.payload_hash IS 'Hash of the payload, to see a change cheaply.';
COMMENT ON COLUMN staging.stage_skyslope_offices.source_updated_at IS 'When the source last changed the record; a newer version wins.';
COMMENT ON COLUMN staging.stage_skyslope_offices.fetched_at IS 'When this version of the payload was first read.';
COMMENT ON COLUMN staging.stage_skyslope_offices.run_id IS 'The run that stored this version.';
COMMENT ON COLUMN staging.stage_skyslope_offices.status IS 'Where the record stands on its way into V2.';
COMMENT ON COLUMN staging.stage_skyslope_offices.status_reason IS 'Reason code of the status, for machines.';
COMMENT ON COLUMN staging.stage_skyslope_offices.status_detail IS 'What failed: field, code set, class of the value, or the parent that is missing.';
COMMENT ON COLUMN staging.stage_skyslope_offices.attempts IS 'How many merges have looked at this version.';
COMMENT ON COLUMN staging.stage_skyslope_offices.next_attempt_at IS 'Not to be tried again before this instant.';
COMMENT ON COLUMN staging.stage_skyslope_offices.processed_at IS 'When the record was last merged.';
COMMENT ON COLUMN staging.stage_skyslope_offices.v2_id IS 'The row of v2.office that this record became.';
COMMENT ON COLUMN staging.stage_skyslope_offices.duplicate_of IS 'The staged row that carries the same business record.';
COMMENT ON COLUMN staging.stage_skyslope_offices.waits_for IS 'The parent a deferred record waits for, as table/natural key values.';
COMMENT ON COLUMN staging.stage_skyslope_offices.missing_since IS 'Since when complete full sweeps have not seen the record.';
COMMENT ON COLUMN staging.stage_skyslope_offices.merge_rank IS 'How the merge ranked this copy among copies with one stamp.';
COMMENT ON COLUMN staging.stage_skyslope_offices.missed_sweeps IS 'How many complete full sweeps in a row missed it.';

CREATE TABLE staging.stage_skyslope_users (
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
    CONSTRAINT stage_skyslope_users_pkey PRIMARY KEY (id),
    CONSTRAINT stage_skyslope_users_key UNIQUE (account_ref, source_id),
    CONSTRAINT stage_skyslope_users_status_check CHECK (status in ('pending', 'processed', 'duplicate', 'rejected', 'deferred', 'filtered')),
    CONSTRAINT stage_skyslope_users_processed_check CHECK (status <> 'processed' or (v2_id is not null and processed_at is not null)),
    CONSTRAINT stage_skyslope_users_refused_check CHECK (status not in ('rejected', 'filtered') or status_reason is not null),
    CONSTRAINT stage_skyslope_users_deferred_check CHECK (status <> 'deferred' or (waits_for is not null and status_reason is not null)),
    CONSTRAINT stage_skyslope_users_duplicate_check CHECK (status <> 'duplicate' or (duplicate_of is not null and duplicate_of <> id)),
    CONSTRAINT stage_skyslope_users_counts_check CHECK (attempts >= 0 and missed_sweeps >= 0),
    CONSTRAINT stage_skyslope_users_payload_check CHECK (jsonb_typeof(payload) = 'object'),
    CONSTRAINT stage_skyslope_users_duplicate_of_fkey FOREIGN KEY(duplicate_of) REFERENCES staging.stage_skyslope_users (id) DEFERRABLE INITIALLY DEFERRED
);

CREATE INDEX stage_skyslope_users_duplicate_idx ON staging.stage_skyslope_users (duplicate_of) WHERE duplicate_of is not null;
CREATE INDEX stage_skyslope_users_pending_idx ON staging.stage_skyslope_users (user_id, id) WHERE status = 'pending';
CREATE INDEX stage_skyslope_users_user_status_idx ON staging.stage_skyslope_users (user_id, status);
CREATE INDEX stage_skyslope_users_v2_idx ON staging.stage_skyslope_users (v2_id) WHERE status = 'processed';
CREATE INDEX stage_skyslope_users_waiting_idx ON staging.stage_skyslope_users (waits_for) WHERE status = 'deferred';

COMMENT ON TABLE staging.stage_skyslope_users IS 'Newest version of each record: one person of a SkySlope account, those who left included, as read from GET /api/users.';
COMMENT ON COLUMN staging.stage_skyslope_users.id IS 'Order of arrival.';
COMMENT ON COLUMN staging.stage_skyslope_users.user_id IS 'The user whose sync brought the record; the partition.';
COMMENT ON COLUMN staging.stage_skyslope_users.account_ref IS 'The account it was read through, as platform/account/user.';
COMMENT ON COLUMN staging.stage_skyslope_users.source_id IS 'The record''s id at the source.';
COMMENT ON COLUMN staging.stage_skyslope_users.payload IS 'The record as it came, minus secret fields.';
COMMENT ON COLUMN staging.stage_skyslope_users.payload_hash IS 'Hash of the payload, to see a change cheaply.';
COMMENT ON COLUMN staging.stage_skyslope_users.source_updated_at IS 'When the source last changed the record; a newer version wins.';
COMMENT ON COLUMN staging.stage_skyslope_users.fetched_at IS 'When this version of the payload was first read.';
COMMENT ON COLUMN staging.stage_skyslope_users.run_id IS 'The run that stored this version.';
COMMENT ON COLUMN staging.stage_skyslope_users.status IS 'Where the record stands on its way into V2.';
COMMENT ON COLUMN staging.stage_skyslope_users.status_reason IS 'Reason code of the status, for machines.';
COMMENT ON COLUMN staging.stage_skyslope_users.status_detail IS 'What failed: field, code set, class of the value, or the parent that is missing.';
COMMENT ON COLUMN staging.stage_skyslope_users.attempts IS 'How many merges have looked at this version.';
COMMENT ON COLUMN staging.stage_skyslope_users.next_attempt_at IS 'Not to be tried again before this instant.';
COMMENT ON COLUMN staging.stage_skyslope_users.processed_at IS 'When the record was last merged.';
COMMENT ON COLUMN staging.stage_skyslope_users.v2_id IS 'The row of v2.user_identity that this record became.';
COMMENT ON COLUMN staging.stage_skyslope_users.duplicate_of IS 'The staged row that carries the same business record.';
COMMENT ON COLUMN staging.stage_skyslope_users.waits_for IS 'The parent a deferred record waits for, as table/natural key values.';
COMMENT ON COLUMN staging.stage_skyslope_users.missing_since IS 'Since when complete full sweeps have not seen the record.';
COMMENT ON COLUMN staging.stage_skyslope_users.merge_rank IS 'How the merge ranked this copy among copies with one stamp.';
COMMENT ON COLUMN staging.stage_skyslope_users.missed_sweeps IS 'How many complete full sweeps in a row missed it.';

CREATE TABLE staging.stage_skyslope_listings (
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
    CONSTRAINT stage_skyslope_listings_pkey PRIMARY KEY (id),
    CONSTRAINT stage_skyslope_listings_key UNIQUE (account_ref, source_id),
    CONSTRAINT stage_skyslope_listings_status_check CHECK (status in ('pending', 'processed', 'duplicate', 'rejected', 'deferred', 'filtered')),
    CONSTRAINT stage_skyslope_listings_processed_check CHECK (status <> 'processed' or (v2_id is not null and processed_at is not null)),
    CONSTRAINT stage_skyslope_listings_refused_check CHECK (status not in ('rejected', 'filtered') or status_reason is not null),
    CONSTRAINT stage_skyslope_listings_deferred_check CHECK (status <> 'deferred' or (waits_for is not null and status_reason is not null)),
    CONSTRAINT stage_skyslope_listings_duplicate_check CHECK (status <> 'duplicate' or (duplicate_of is not null and duplicate_of <> id)),
    CONSTRAINT stage_skyslope_listings_counts_check CHECK (attempts >= 0 and missed_sweeps >= 0),
    CONSTRAINT stage_skyslope_listings_payload_check CHECK (jsonb_typeof(payload) = 'object'),
    CONSTRAINT stage_skyslope_listings_duplicate_of_fkey FOREIGN KEY(duplicate_of) REFERENCES staging.stage_skyslope_listings (id) DEFERRABLE INITIALLY DEFERRED
);

CREATE INDEX stage_skyslope_listings_duplicate_idx ON staging.stage_skyslope_listings (duplicate_of) WHERE duplicate_of is not null;
CREATE INDEX stage_skyslope_listings_pending_idx ON staging.stage_skyslope_listings (user_id, id) WHERE status = 'pending';
CREATE INDEX stage_skyslope_listings_user_status_idx ON staging.stage_skyslope_listings (user_id, status);
CREATE INDEX stage_skyslope_listings_v2_idx ON staging.stage_skyslope_listings (v2_id) WHERE status = 'processed';
CREATE INDEX stage_skyslope_listings_waiting_idx ON staging.stage_skyslope_listings (waits_for) WHERE status = 'deferred';

COMMENT ON TABLE staging.stage_skyslope_listings IS 'Newest version of each record: one listing file, as read from GET /api/files?type=listing, and what only GET /api/files/listings has.';
COMMENT ON COLUMN staging.stage_skyslope_listings.id IS 'Order of arrival.';
COMMENT ON COLUMN staging.stage_skyslope_listings.user_id IS 'The user whose sync brought the record; the partition.';
COMMENT ON COLUMN staging.stage_skyslope_listings.account_ref IS 'The account it was read through, as platform/account/user.';
COMMENT ON COLUMN staging.stage_skyslope_listings.source_id IS 'The record''s id at the source.';
COMMENT ON COLUMN staging.stage_skyslope_listings.payload IS 'The record as it came, minus secret fields.';
COMMENT ON COLUMN staging.stage_skyslope_listings.payload_hash IS 'Hash of the payload, to see a change cheaply.';
COMMENT ON COLUMN staging.stage_skyslope_listings.source_updated_at IS 'When the source last changed the record; a newer version wins.';
COMMENT ON COLUMN staging.stage_skyslope_listings.fetched_at IS 'When this version of the payload was first read.';
COMMENT ON COLUMN staging.stage_skyslope_listings.run_id IS 'The run that stored this version.';
COMMENT ON COLUMN staging.stage_skyslope_listings.status IS 'Where the record stands on its way into V2.';
COMMENT ON COLUMN staging.stage_skyslope_listings.status_reason IS 'Reason code of the status, for machines.';
COMMENT ON COLUMN staging.stage_skyslope_listings.status_detail IS 'What failed: field, code set, class of the value, or the parent that is missing.';
COMMENT ON COLUMN staging.stage_skyslope_listings.attempts IS 'How many merges have looked at this version.';
COMMENT ON COLUMN staging.stage_skyslope_listings.next_attempt_at IS 'Not to be tried again before this instant.';
COMMENT ON COLUMN staging.stage_skyslope_listings.processed_at IS 'When the record was last merged.';
COMMENT ON COLUMN staging.stage_skyslope_listings.v2_id IS 'The row of v2.listing that this record became.';
COMMENT ON COLUMN staging.stage_skyslope_listings.duplicate_of IS 'The staged row that carries the same business record.';
COMMENT ON COLUMN staging.stage_skyslope_listings.waits_for IS 'The parent a deferred record waits for, as table/natural key values.';
COMMENT ON COLUMN staging.stage_skyslope_listings.missing_since IS 'Since when complete full sweeps have not seen the record.';
COMMENT ON COLUMN staging.stage_skyslope_listings.merge_rank IS 'How the merge ranked this copy among copies with one stamp.';
COMMENT ON COLUMN staging.stage_skyslope_listings.missed_sweeps IS 'How many complete full sweeps in a row missed it.';

CREATE TABLE staging.stage_skyslope_transactions (
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
    CONSTRAINT stage_skyslope_transactions_pkey PRIMARY KEY (id),
    CONSTRAINT stage_skyslope_transactions_key UNIQUE (account_ref, source_id),
    CONSTRAINT stage_skyslope_transactions_status_check CHECK (status in ('pending', 'processed', 'duplicate', 'rejected', 'deferred', 'filtered')),
    CONSTRAINT stage_skyslope_transactions_processed_check CHECK (status <> 'processed' or (v2_id is not null and processed_at is not null)),
    CONSTRAINT stage_skyslope_transactions_refused_check CHECK (status not in ('rejected', 'filtered') or status_reason is not null),
    CONSTRAINT stage_skyslope_transactions_deferred_check CHECK (status <> 'deferred' or (waits_for is not null and status_reason is not null)),
    CONSTRAINT stage_skyslope_transactions_duplicate_check CHECK (status <> 'duplicate' or (duplicate_of is not null and duplicate_of <> id)),
    CONSTRAINT stage_skyslope_transactions_counts_check CHECK (attempts >= 0 and missed_sweeps >= 0),
    CONSTRAINT stage_skyslope_transactions_payload_check CHECK (jsonb_typeof(payload) = 'object'),
    CONSTRAINT stage_skyslope_transactions_duplicate_of_fkey FOREIGN KEY(duplicate_of) REFERENCES staging.stage_skyslope_transactions (id) DEFERRABLE INITIALLY DEFERRED
);

CREATE INDEX stage_skyslope_transactions_duplicate_idx ON staging.stage_skyslope_transactions (duplicate_of) WHERE duplicate_of is not null;
CREATE INDEX stage_skyslope_transactions_pending_idx ON staging.stage_skyslope_transactions (user_id, id) WHERE status = 'pending';
CREATE INDEX stage_skyslope_transactions_user_status_idx ON staging.stage_skyslope_transactions (user_id, status);
CREATE INDEX stage_skyslope_transactions_v2_idx ON staging.stage_skyslope_transactions (v2_id) WHERE status = 'processed';
CREATE INDEX stage_skyslope_transactions_waiting_idx ON staging.stage_skyslope_transactions (waits_for) WHERE status = 'deferred';

COMMENT ON TABLE staging.stage_skyslope_transactions IS 'Newest version of each record: one sale file, as read from GET /api/files?type=sale, and what only GET /api/files/sales has.';
COMMENT ON COLUMN staging.stage_skyslope_transactions.id IS 'Order of arrival.';
COMMENT ON COLUMN staging.stage_skyslope_transactions.user_id IS 'The user whose sync brought the record; the partition.';
COMMENT ON COLUMN staging.stage_skyslope_transactions.account_ref IS 'The account it was read through, as platform/account/user.';
COMMENT ON COLUMN staging.stage_skyslope_transactions.source_id IS 'The record''s id at the source.';
COMMENT ON COLUMN staging.stage_skyslope_transactions.payload IS 'The record as it came, minus secret fields.';
COMMENT ON COLUMN staging.stage_skyslope_transactions.payload_hash IS 'Hash of the payload, to see a change cheaply.';
COMMENT ON COLUMN staging.stage_skyslope_transactions.source_updated_at IS 'When the source last changed the record; a newer version wins.';
COMMENT ON COLUMN staging.stage_skyslope_transactions.fetched_at IS 'When this version of the payload was first read.';
COMMENT ON COLUMN staging.stage_skyslope_transactions.run_id IS 'The run that stored this version.';
COMMENT ON COLUMN staging.stage_skyslope_transactions.status IS 'Where the record stands on its way into V2.';
COMMENT ON COLUMN staging.stage_skyslope_transactions.status_reason IS 'Reason code of the status, for machines.';
COMMENT ON COLUMN staging.stage_skyslope_transactions.status_detail IS 'What failed: field, code set, class of the value, or the parent that is missing.';
COMMENT ON COLUMN staging.stage_skyslope_transactions.attempts IS 'How many merges have looked at this version.';
COMMENT ON COLUMN staging.stage_skyslope_transactions.next_attempt_at IS 'Not to be tried again before this instant.';
COMMENT ON COLUMN staging.stage_skyslope_transactions.processed_at IS 'When the record was last merged.';
COMMENT ON COLUMN staging.stage_skyslope_transactions.v2_id IS 'The row of v2.transaction that this record became.';
COMMENT ON COLUMN staging.stage_skyslope_transactions.duplicate_of IS 'The staged row that carries the same business record.';
COMMENT ON COLUMN staging.stage_skyslope_transactions.waits_for IS 'The parent a deferred record waits for, as table/natural key values.';
COMMENT ON COLUMN staging.stage_skyslope_transactions.missing_since IS 'Since when complete full sweeps have not seen the record.';
COMMENT ON COLUMN staging.stage_skyslope_transactions.merge_rank IS 'How the merge ranked this copy among copies with one stamp.';
COMMENT ON COLUMN staging.stage_skyslope_transactions.missed_sweeps IS 'How many complete full sweeps in a row missed it.';

CREATE INDEX agent_email_idx ON v2.agent (lower(email));

-- A date without a zone stays the day it was written as; the year 1 (and anything as old) means that nothing is set.
CREATE FUNCTION ops.skyslope_day(value text) RETURNS date
    LANGUAGE plpgsql IMMUTABLE PARALLEL SAFE STRICT AS $$
DECLARE
    told date := ops.day(value);
BEGIN
    RETURN CASE WHEN told >= '1900-01-01'::date THEN told END;
END
$$;

-- 0 and a blank mean that no amount is set.
CREATE FUNCTION ops.skyslope_money(value jsonb) RETURNS numeric
    LANGUAGE sql IMMUTABLE PARALLEL SAFE
    RETURN nullif(
        nullif(btrim(CASE WHEN jsonb_typeof(value) IN ('number', 'string') THEN value #>> '{}' END), '')::numeric, 0
    );

CREATE FUNCTION ops.skyslope_street(property jsonb) RETURNS text
    LANGUAGE sql IMMUTABLE PARALLEL SAFE
    RETURN nullif(concat_ws(
        ' ',
        btrim(ops.blank_null(property ->> 'streetNumber')),
        btrim(ops.blank_null(property ->> 'direction')),
        btrim(ops.blank_null(property ->> 'streetAddress'))
    ), '');

-- Without a street there is no address: a town alone would be one place for many files.
CREATE FUNCTION ops.skyslope_address_key(property jsonb) RETURNS text
    LANGUAGE plpgsql IMMUTABLE PARALLEL SAFE STRICT AS $$
BEGIN
    IF jsonb_typeof(property) <> 'object' OR ops.blank_null(property ->> 'streetAddress') IS NULL THEN
        RETURN NULL;
    END IF;
    RETURN ops.address_key(
        ops.skyslope_street(property), property ->> 'unit', property ->> 'city', property ->> 'state', property ->> 'zip'
    );
END
$$;

-- The agent that a person of a SkySlope account is, found by the e-mail address; none where two agents share it.
CREATE FUNCTION ops.skyslope_agent(guid text) RETURNS bigint
    LANGUAGE sql STABLE PARALLEL SAFE
    RETURN (
        SELECT CASE WHEN count(DISTINCT a.id) = 1 THEN min(a.id) END
        FROM staging.stage_skyslope_users s
        JOIN v2.agent a ON lower(a.email) = lower(btrim(s.payload ->> 'email')) AND a.deleted_at IS NULL
        WHERE s.source_id = guid AND s.status <> 'rejected' AND ops.blank_null(s.payload ->> 'email') IS NOT NULL
    );
