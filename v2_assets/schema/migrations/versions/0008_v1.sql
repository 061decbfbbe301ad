-- Revision 0008: V1: its staging tables, and two helpers for its rows. Signatures are listed in 0008_v1.py.

-- V1 kept rows that no source had an id for. They get one that no source can give.
CREATE FUNCTION ops.v1_raw(record jsonb, name text) RETURNS text
    LANGUAGE sql IMMUTABLE PARALLEL SAFE
    RETURN coalesce(ops.blank_null(record ->> name), 'v1:' || (record ->> 'id'));

-- V1 wrote the words of V2 ("Under Contract") and the codes of its sources (UNDER_CONTRACT) side by side.
CREATE FUNCTION ops.v1_code(value text) RETURNS text
    LANGUAGE sql IMMUTABLE PARALLEL SAFE
    RETURN nullif(replace(upper(btrim(value)), ' ', '_'), '');

CREATE TABLE staging.stage_xano_user (
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
    CONSTRAINT stage_xano_user_pkey PRIMARY KEY (id),
    CONSTRAINT stage_xano_user_key UNIQUE (account_ref, source_id),
    CONSTRAINT stage_xano_user_status_check CHECK (status in ('pending', 'processed', 'duplicate', 'rejected', 'deferred', 'filtered')),
    CONSTRAINT stage_xano_user_processed_check CHECK (status <> 'processed' or (v2_id is not null and processed_at is not null)),
    CONSTRAINT stage_xano_user_refused_check CHECK (status not in ('rejected', 'filtered') or status_reason is not null),
    CONSTRAINT stage_xano_user_deferred_check CHECK (status <> 'deferred' or (waits_for is not null and status_reason is not null)),
    CONSTRAINT stage_xano_user_duplicate_check CHECK (status <> 'duplicate' or (duplicate_of is not null and duplicate_of <> id)),
    CONSTRAINT stage_xano_user_counts_check CHECK (attempts >= 0 and missed_sweeps >= 0),
    CONSTRAINT stage_xano_user_payload_check CHECK (jsonb_typeof(payload) = 'object')
);

CREATE TABLE staging.stage_xano_agent (
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
    CONSTRAINT stage_xano_agent_pkey PRIMARY KEY (id),
    CONSTRAINT stage_xano_agent_key UNIQUE (account_ref, source_id),
    CONSTRAINT stage_xano_agent_status_check CHECK (status in ('pending', 'processed', 'duplicate', 'rejected', 'deferred', 'filtered')),
    CONSTRAINT stage_xano_agent_processed_check CHECK (status <> 'processed' or (v2_id is not null and processed_at is not null)),
    CONSTRAINT stage_xano_agent_refused_check CHECK (status not in ('rejected', 'filtered') or status_reason is not null),
    CONSTRAINT stage_xano_agent_deferred_check CHECK (status <> 'deferred' or (waits_for is not null and status_reason is not null)),
    CONSTRAINT stage_xano_agent_duplicate_check CHECK (status <> 'duplicate' or (duplicate_of is not null and duplicate_of <> id)),
    CONSTRAINT stage_xano_agent_counts_check CHECK (attempts >= 0 and missed_sweeps >= 0),
    CONSTRAINT stage_xano_agent_payload_check CHECK (jsonb_typeof(payload) = 'object')
);

CREATE TABLE staging.stage_xano_team (
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
    CONSTRAINT stage_xano_team_pkey PRIMARY KEY (id),
    CONSTRAINT stage_xano_team_key UNIQUE (account_ref, source_id),
    CONSTRAINT stage_xano_team_status_check CHECK (status in ('pending', 'processed', 'duplicate', 'rejected', 'deferred', 'filtered')),
    CONSTRAINT stage_xano_team_processed_check CHECK (status <> 'processed' or (v2_id is not null and processed_at is not null)),
    CONSTRAINT stage_xano_team_refused_check CHECK (status not in ('rejected', 'filtered') or status_reason is not null),
    CONSTRAINT stage_xano_team_deferred_check CHECK (status <> 'deferred' or (waits_for is not null and status_reason is not null)),
    CONSTRAINT stage_xano_team_duplicate_check CHECK (status <> 'duplicate' or (duplicate_of is not null and duplicate_of <> id)),
    CONSTRAINT stage_xano_team_counts_check CHECK (attempts >= 0 and missed_sweeps >= 0),
    CONSTRAINT stage_xano_team_payload_check CHECK (jsonb_typeof(payload) = 'object')
);

CREATE TABLE staging.stage_xano_director (
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
    CONSTRAINT stage_xano_director_pkey PRIMARY KEY (id),
    CONSTRAINT stage_xano_director_key UNIQUE (account_ref, source_id),
    CONSTRAINT stage_xano_director_status_check CHECK (status in ('pending', 'processed', 'duplicate', 'rejected', 'deferred', 'filtered')),
    CONSTRAINT stage_xano_director_processed_check CHECK (status <> 'processed' or (v2_id is not null and processed_at is not null)),
    CONSTRAINT stage_xano_director_refused_check CHECK (status not in ('rejected', 'filtered') or status_reason is not null),
    CONSTRAINT stage_xano_director_deferred_check CHECK (status <> 'deferred' or (waits_for is not null and status_reason is not null)),
    CONSTRAINT stage_xano_director_duplicate_check CHECK (status <> 'duplicate' or (duplicate_of is not null and duplicate_of <> id)),
    CONSTRAINT stage_xano_director_counts_check CHECK (attempts >= 0 and missed_sweeps >= 0),
    CONSTRAINT stage_xano_director_payload_check CHECK (jsonb_typeof(payload) = 'object')
);

CREATE TABLE staging.stage_xano_leader (
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
    CONSTRAINT stage_xano_leader_pkey PRIMARY KEY (id),
    CONSTRAINT stage_xano_leader_key UNIQUE (account_ref, source_id),
    CONSTRAINT stage_xano_leader_status_check CHECK (status in ('pending', 'processed', 'duplicate', 'rejected', 'deferred', 'filtered')),
    CONSTRAINT stage_xano_leader_processed_check CHECK (status <> 'processed' or (v2_id is not null and processed_at is not null)),
    CONSTRAINT stage_xano_leader_refused_check CHECK (status not in ('rejected', 'filtered') or status_reason is not null),
    CONSTRAINT stage_xano_leader_deferred_check CHECK (status <> 'deferred' or (waits_for is not null and status_reason is not null)),
    CONSTRAINT stage_xano_leader_duplicate_check CHECK (status <> 'duplicate' or (duplicate_of is not null and duplicate_of <> id)),
    CONSTRAINT stage_xano_leader_counts_check CHECK (attempts >= 0 and missed_sweeps >= 0),
    CONSTRAINT stage_xano_leader_payload_check CHECK (jsonb_typeof(payload) = 'object')
);

CREATE TABLE staging.stage_xano_mentor (
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
    CONSTRAINT stage_xano_mentor_pkey PRIMARY KEY (id),
    CONSTRAINT stage_xano_mentor_key UNIQUE (account_ref, source_id),
    CONSTRAINT stage_xano_mentor_status_check CHECK (status in ('pending', 'processed', 'duplicate', 'rejected', 'deferred', 'filtered')),
    CONSTRAINT stage_xano_mentor_processed_check CHECK (status <> 'processed' or (v2_id is not null and processed_at is not null)),
    CONSTRAINT stage_xano_mentor_refused_check CHECK (status not in ('rejected', 'filtered') or status_reason is not null),
    CONSTRAINT stage_xano_mentor_deferred_check CHECK (status <> 'deferred' or (waits_for is not null and status_reason is not null)),
    CONSTRAINT stage_xano_mentor_duplicate_check CHECK (status <> 'duplicate' or (duplicate_of is not null and duplicate_of <> id)),
    CONSTRAINT stage_xano_mentor_counts_check CHECK (attempts >= 0 and missed_sweeps >= 0),
    CONSTRAINT stage_xano_mentor_payload_check CHECK (jsonb_typeof(payload) = 'object')
);

CREATE TABLE staging.stage_xano_user_roles (
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
    CONSTRAINT stage_xano_user_roles_pkey PRIMARY KEY (id),
    CONSTRAINT stage_xano_user_roles_key UNIQUE (account_ref, source_id),
    CONSTRAINT stage_xano_user_roles_status_check CHECK (status in ('pending', 'processed', 'duplicate', 'rejected', 'deferred', 'filtered')),
    CONSTRAINT stage_xano_user_roles_processed_check CHECK (status <> 'processed' or (v2_id is not null and processed_at is not null)),
    CONSTRAINT stage_xano_user_roles_refused_check CHECK (status not in ('rejected', 'filtered') or status_reason is not null),
    CONSTRAINT stage_xano_user_roles_deferred_check CHECK (status <> 'deferred' or (waits_for is not null and status_reason is not null)),
    CONSTRAINT stage_xano_user_roles_duplicate_check CHECK (status <> 'duplicate' or (duplicate_of is not null and duplicate_of <> id)),
    CONSTRAINT stage_xano_user_roles_counts_check CHECK (attempts >= 0 and missed_sweeps >= 0),
    CONSTRAINT stage_xano_user_roles_payload_check CHECK (jsonb_typeof(payload) = 'object')
);

CREATE TABLE staging.stage_xano_user_settings (
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
    CONSTRAINT stage_xano_user_settings_pkey PRIMARY KEY (id),
    CONSTRAINT stage_xano_user_settings_key UNIQUE (account_ref, source_id),
    CONSTRAINT stage_xano_user_settings_status_check CHECK (status in ('pending', 'processed', 'duplicate', 'rejected', 'deferred', 'filtered')),
    CONSTRAINT stage_xano_user_settings_processed_check CHECK (status <> 'processed' or (v2_id is not null and processed_at is not null)),
    CONSTRAINT stage_xano_user_settings_refused_check CHECK (status not in ('rejected', 'filtered') or status_reason is not null),
    CONSTRAINT stage_xano_user_settings_deferred_check CHECK (status <> 'deferred' or (waits_for is not null and status_reason is not null)),
    CONSTRAINT stage_xano_user_settings_duplicate_check CHECK (status <> 'duplicate' or (duplicate_of is not null and duplicate_of <> id)),
    CONSTRAINT stage_xano_user_settings_counts_check CHECK (attempts >= 0 and missed_sweeps >= 0),
    CONSTRAINT stage_xano_user_settings_payload_check CHECK (jsonb_typeof(payload) = 'object')
);

CREATE TABLE staging.stage_xano_user_subscriptions (
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
    CONSTRAINT stage_xano_user_subscriptions_pkey PRIMARY KEY (id),
    CONSTRAINT stage_xano_user_subscriptions_key UNIQUE (account_ref, source_id),
    CONSTRAINT stage_xano_user_subscriptions_status_check CHECK (status in ('pending', 'processed', 'duplicate', 'rejected', 'deferred', 'filtered')),
    CONSTRAINT stage_xano_user_subscriptions_processed_check CHECK (status <> 'processed' or (v2_id is not null and processed_at is not null)),
    CONSTRAINT stage_xano_user_subscriptions_refused_check CHECK (status not in ('rejected', 'filtered') or status_reason is not null),
    CONSTRAINT stage_xano_user_subscriptions_deferred_check CHECK (status <> 'deferred' or (waits_for is not null and status_reason is not null)),
    CONSTRAINT stage_xano_user_subscriptions_duplicate_check CHECK (status <> 'duplicate' or (duplicate_of is not null and duplicate_of <> id)),
    CONSTRAINT stage_xano_user_subscriptions_counts_check CHECK (attempts >= 0 and missed_sweeps >= 0),
    CONSTRAINT stage_xano_user_subscriptions_payload_check CHECK (jsonb_typeof(payload) = 'object')
);

CREATE TABLE staging.stage_xano_listing (
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
    CONSTRAINT stage_xano_listing_pkey PRIMARY KEY (id),
    CONSTRAINT stage_xano_listing_key UNIQUE (account_ref, source_id),
    CONSTRAINT stage_xano_listing_status_check CHECK (status in ('pending', 'processed', 'duplicate', 'rejected', 'deferred', 'filtered')),
    CONSTRAINT stage_xano_listing_processed_check CHECK (status <> 'processed' or (v2_id is not null and processed_at is not null)),
    CONSTRAINT stage_xano_listing_refused_check CHECK (status not in ('rejected', 'filtered') or status_reason is not null),
    CONSTRAINT stage_xano_listing_deferred_check CHECK (status <> 'deferred' or (waits_for is not null and status_reason is not null)),
    CONSTRAINT stage_xano_listing_duplicate_check CHECK (status <> 'duplicate' or (duplicate_of is not null and duplicate_of <> id)),
    CONSTRAINT stage_xano_listing_counts_check CHECK (attempts >= 0 and missed_sweeps >= 0),
    CONSTRAINT stage_xano_listing_payload_check CHECK (jsonb_typeof(payload) = 'object')
);

CREATE TABLE staging.stage_xano_transaction (
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
    CONSTRAINT stage_xano_transaction_pkey PRIMARY KEY (id),
    CONSTRAINT stage_xano_transaction_key UNIQUE (account_ref, source_id),
    CONSTRAINT stage_xano_transaction_status_check CHECK (status in ('pending', 'processed', 'duplicate', 'rejected', 'deferred', 'filtered')),
    CONSTRAINT stage_xano_transaction_processed_check CHECK (status <> 'processed' or (v2_id is not null and processed_at is not null)),
    CONSTRAINT stage_xano_transaction_refused_check CHECK (status not in ('rejected', 'filtered') or status_reason is not null),
    CONSTRAINT stage_xano_transaction_deferred_check CHECK (status <> 'deferred' or (waits_for is not null and status_reason is not null)),
    CONSTRAINT stage_xano_transaction_duplicate_check CHECK (status <> 'duplicate' or (duplicate_of is not null and duplicate_of <> id)),
    CONSTRAINT stage_xano_transaction_counts_check CHECK (attempts >= 0 and missed_sweeps >= 0),
    CONSTRAINT stage_xano_transaction_payload_check CHECK (jsonb_typeof(payload) = 'object')
);

CREATE TABLE staging.stage_xano_participant (
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
    CONSTRAINT stage_xano_participant_pkey PRIMARY KEY (id),
    CONSTRAINT stage_xano_participant_key UNIQUE (account_ref, source_id),
    CONSTRAINT stage_xano_participant_status_check CHECK (status in ('pending', 'processed', 'duplicate', 'rejected', 'deferred', 'filtered')),
    CONSTRAINT stage_xano_participant_processed_check CHECK (status <> 'processed' or (v2_id is not null and processed_at is not null)),
    CONSTRAINT stage_xano_participant_refused_check CHECK (status not in ('rejected', 'filtered') or status_reason is not null),
    CONSTRAINT stage_xano_participant_deferred_check CHECK (status <> 'deferred' or (waits_for is not null and status_reason is not null)),
    CONSTRAINT stage_xano_participant_duplicate_check CHECK (status <> 'duplicate' or (duplicate_of is not null and duplicate_of <> id)),
    CONSTRAINT stage_xano_participant_counts_check CHECK (attempts >= 0 and missed_sweeps >= 0),
    CONSTRAINT stage_xano_participant_payload_check CHECK (jsonb_typeof(payload) = 'object')
);

CREATE TABLE staging.stage_xano_transaction_tags (
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
    CONSTRAINT stage_xano_transaction_tags_pkey PRIMARY KEY (id),
    CONSTRAINT stage_xano_transaction_tags_key UNIQUE (account_ref, source_id),
    CONSTRAINT stage_xano_transaction_tags_status_check CHECK (status in ('pending', 'processed', 'duplicate', 'rejected', 'deferred', 'filtered')),
    CONSTRAINT stage_xano_transaction_tags_processed_check CHECK (status <> 'processed' or (v2_id is not null and processed_at is not null)),
    CONSTRAINT stage_xano_transaction_tags_refused_check CHECK (status not in ('rejected', 'filtered') or status_reason is not null),
    CONSTRAINT stage_xano_transaction_tags_deferred_check CHECK (status <> 'deferred' or (waits_for is not null and status_reason is not null)),
    CONSTRAINT stage_xano_transaction_tags_duplicate_check CHECK (status <> 'duplicate' or (duplicate_of is not null and duplicate_of <> id)),
    CONSTRAINT stage_xano_transaction_tags_counts_check CHECK (attempts >= 0 and missed_sweeps >= 0),
    CONSTRAINT stage_xano_transaction_tags_payload_check CHECK (jsonb_typeof(payload) = 'object')
);

CREATE TABLE staging.stage_xano_listing_photos (
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
    CONSTRAINT stage_xano_listing_photos_pkey PRIMARY KEY (id),
    CONSTRAINT stage_xano_listing_photos_key UNIQUE (account_ref, source_id),
    CONSTRAINT stage_xano_listing_photos_status_check CHECK (status in ('pending', 'processed', 'duplicate', 'rejected', 'deferred', 'filtered')),
    CONSTRAINT stage_xano_listing_photos_processed_check CHECK (status <> 'processed' or (v2_id is not null and processed_at is not null)),
    CONSTRAINT stage_xano_listing_photos_refused_check CHECK (status not in ('rejected', 'filtered') or status_reason is not null),
    CONSTRAINT stage_xano_listing_photos_deferred_check CHECK (status <> 'deferred' or (waits_for is not null and status_reason is not null)),
    CONSTRAINT stage_xano_listing_photos_duplicate_check CHECK (status <> 'duplicate' or (duplicate_of is not null and duplicate_of <> id)),
    CONSTRAINT stage_xano_listing_photos_counts_check CHECK (attempts >= 0 and missed_sweeps >= 0),
    CONSTRAINT stage_xano_listing_photos_payload_check CHECK (jsonb_typeof(payload) = 'object')
);

CREATE TABLE staging.stage_xano_contribution (
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
    CONSTRAINT stage_xano_contribution_pkey PRIMARY KEY (id),
    CONSTRAINT stage_xano_contribution_key UNIQUE (account_ref, source_id),
    CONSTRAINT stage_xano_contribution_status_check CHECK (status in ('pending', 'processed', 'duplicate', 'rejected', 'deferred', 'filtered')),
    CONSTRAINT stage_xano_contribution_processed_check CHECK (status <> 'processed' or (v2_id is not null and processed_at is not null)),
    CONSTRAINT stage_xano_contribution_refused_check CHECK (status not in ('rejected', 'filtered') or status_reason is not null),
    CONSTRAINT stage_xano_contribution_deferred_check CHECK (status <> 'deferred' or (waits_for is not null and status_reason is not null)),
    CONSTRAINT stage_xano_contribution_duplicate_check CHECK (status <> 'duplicate' or (duplicate_of is not null and duplicate_of <> id)),
    CONSTRAINT stage_xano_contribution_counts_check CHECK (attempts >= 0 and missed_sweeps >= 0),
    CONSTRAINT stage_xano_contribution_payload_check CHECK (jsonb_typeof(payload) = 'object')
);

CREATE TABLE staging.stage_xano_network_change_log (
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
    CONSTRAINT stage_xano_network_change_log_pkey PRIMARY KEY (id),
    CONSTRAINT stage_xano_network_change_log_key UNIQUE (account_ref, source_id),
    CONSTRAINT stage_xano_network_change_log_status_check CHECK (status in ('pending', 'processed', 'duplicate', 'rejected', 'deferred', 'filtered')),
    CONSTRAINT stage_xano_network_change_log_processed_check CHECK (status <> 'processed' or (v2_id is not null and processed_at is not null)),
    CONSTRAINT stage_xano_network_change_log_refused_check CHECK (status not in ('rejected', 'filtered') or status_reason is not null),
    CONSTRAINT stage_xano_network_change_log_deferred_check CHECK (status <> 'deferred' or (waits_for is not null and status_reason is not null)),
    CONSTRAINT stage_xano_network_change_log_duplicate_check CHECK (status <> 'duplicate' or (duplicate_of is not null and duplicate_of <> id)),
    CONSTRAINT stage_xano_network_change_log_counts_check CHECK (attempts >= 0 and missed_sweeps >= 0),
    CONSTRAINT stage_xano_network_change_log_payload_check CHECK (jsonb_typeof(payload) = 'object')
);

CREATE TABLE staging.stage_xano_title_agencies (
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
    CONSTRAINT stage_xano_title_agencies_pkey PRIMARY KEY (id),
    CONSTRAINT stage_xano_title_agencies_key UNIQUE (account_ref, source_id),
    CONSTRAINT stage_xano_title_agencies_status_check CHECK (status in ('pending', 'processed', 'duplicate', 'rejected', 'deferred', 'filtered')),
    CONSTRAINT stage_xano_title_agencies_processed_check CHECK (status <> 'processed' or (v2_id is not null and processed_at is not null)),
    CONSTRAINT stage_xano_title_agencies_refused_check CHECK (status not in ('rejected', 'filtered') or status_reason is not null),
    CONSTRAINT stage_xano_title_agencies_deferred_check CHECK (status <> 'deferred' or (waits_for is not null and status_reason is not null)),
    CONSTRAINT stage_xano_title_agencies_duplicate_check CHECK (status <> 'duplicate' or (duplicate_of is not null and duplicate_of <> id)),
    CONSTRAINT stage_xano_title_agencies_counts_check CHECK (attempts >= 0 and missed_sweeps >= 0),
    CONSTRAINT stage_xano_title_agencies_payload_check CHECK (jsonb_typeof(payload) = 'object')
);

CREATE TABLE staging.stage_xano_title_users (
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
    CONSTRAINT stage_xano_title_users_pkey PRIMARY KEY (id),
    CONSTRAINT stage_xano_title_users_key UNIQUE (account_ref, source_id),
    CONSTRAINT stage_xano_title_users_status_check CHECK (status in ('pending', 'processed', 'duplicate', 'rejected', 'deferred', 'filtered')),
    CONSTRAINT stage_xano_title_users_processed_check CHECK (status <> 'processed' or (v2_id is not null and processed_at is not null)),
    CONSTRAINT stage_xano_title_users_refused_check CHECK (status not in ('rejected', 'filtered') or status_reason is not null),
    CONSTRAINT stage_xano_title_users_deferred_check CHECK (status <> 'deferred' or (waits_for is not null and status_reason is not null)),
    CONSTRAINT stage_xano_title_users_duplicate_check CHECK (status <> 'duplicate' or (duplicate_of is not null and duplicate_of <> id)),
    CONSTRAINT stage_xano_title_users_counts_check CHECK (attempts >= 0 and missed_sweeps >= 0),
    CONSTRAINT stage_xano_title_users_payload_check CHECK (jsonb_typeof(payload) = 'object')
);

CREATE TABLE staging.stage_xano_title_orders (
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
    CONSTRAINT stage_xano_title_orders_pkey PRIMARY KEY (id),
    CONSTRAINT stage_xano_title_orders_key UNIQUE (account_ref, source_id),
    CONSTRAINT stage_xano_title_orders_status_check CHECK (status in ('pending', 'processed', 'duplicate', 'rejected', 'deferred', 'filtered')),
    CONSTRAINT stage_xano_title_orders_processed_check CHECK (status <> 'processed' or (v2_id is not null and processed_at is not null)),
    CONSTRAINT stage_xano_title_orders_refused_check CHECK (status not in ('rejected', 'filtered') or status_reason is not null),
    CONSTRAINT stage_xano_title_orders_deferred_check CHECK (status <> 'deferred' or (waits_for is not null and status_reason is not null)),
    CONSTRAINT stage_xano_title_orders_duplicate_check CHECK (status <> 'duplicate' or (duplicate_of is not null and duplicate_of <> id)),
    CONSTRAINT stage_xano_title_orders_counts_check CHECK (attempts >= 0 and missed_sweeps >= 0),
    CONSTRAINT stage_xano_title_orders_payload_check CHECK (jsonb_typeof(payload) = 'object')
);

CREATE TABLE staging.stage_xano_title_events (
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
    CONSTRAINT stage_xano_title_events_pkey PRIMARY KEY (id),
    CONSTRAINT stage_xano_title_events_key UNIQUE (account_ref, source_id),
    CONSTRAINT stage_xano_title_events_status_check CHECK (status in ('pending', 'processed', 'duplicate', 'rejected', 'deferred', 'filtered')),
    CONSTRAINT stage_xano_title_events_processed_check CHECK (status <> 'processed' or (v2_id is not null and processed_at is not null)),
    CONSTRAINT stage_xano_title_events_refused_check CHECK (status not in ('rejected', 'filtered') or status_reason is not null),
    CONSTRAINT stage_xano_title_events_deferred_check CHECK (status <> 'deferred' or (waits_for is not null and status_reason is not null)),
    CONSTRAINT stage_xano_title_events_duplicate_check CHECK (status <> 'duplicate' or (duplicate_of is not null and duplicate_of <> id)),
    CONSTRAINT stage_xano_title_events_counts_check CHECK (attempts >= 0 and missed_sweeps >= 0),
    CONSTRAINT stage_xano_title_events_payload_check CHECK (jsonb_typeof(payload) = 'object')
);

CREATE TABLE staging.stage_xano_title_disbursements (
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
    CONSTRAINT stage_xano_title_disbursements_pkey PRIMARY KEY (id),
    CONSTRAINT stage_xano_title_disbursements_key UNIQUE (account_ref, source_id),
    CONSTRAINT stage_xano_title_disbursements_status_check CHECK (status in ('pending', 'processed', 'duplicate', 'rejected', 'deferred', 'filtered')),
    CONSTRAINT stage_xano_title_disbursements_processed_check CHECK (status <> 'processed' or (v2_id is not null and processed_at is not null)),
    CONSTRAINT stage_xano_title_disbursements_refused_check CHECK (status not in ('rejected', 'filtered') or status_reason is not null),
    CONSTRAINT stage_xano_title_disbursements_deferred_check CHECK (status <> 'deferred' or (waits_for is not null and status_reason is not null)),
    CONSTRAINT stage_xano_title_disbursements_duplicate_check CHECK (status <> 'duplicate' or (duplicate_of is not null and duplicate_of <> id)),
    CONSTRAINT stage_xano_title_disbursements_counts_check CHECK (attempts >= 0 and missed_sweeps >= 0),
    CONSTRAINT stage_xano_title_disbursements_payload_check CHECK (jsonb_typeof(payload) = 'object')
);

CREATE TABLE staging.stage_xano_title_closing_items (
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
    CONSTRAINT stage_xano_title_closing_items_pkey PRIMARY KEY (id),
    CONSTRAINT stage_xano_title_closing_items_key UNIQUE (account_ref, source_id),
    CONSTRAINT stage_xano_title_closing_items_status_check CHECK (status in ('pending', 'processed', 'duplicate', 'rejected', 'deferred', 'filtered')),
    CONSTRAINT stage_xano_title_closing_items_processed_check CHECK (status <> 'processed' or (v2_id is not null and processed_at is not null)),
    CONSTRAINT stage_xano_title_closing_items_refused_check CHECK (status not in ('rejected', 'filtered') or status_reason is not null),
    CONSTRAINT stage_xano_title_closing_items_deferred_check CHECK (status <> 'deferred' or (waits_for is not null and status_reason is not null)),
    CONSTRAINT stage_xano_title_closing_items_duplicate_check CHECK (status <> 'duplicate' or (duplicate_of is not null and duplicate_of <> id)),
    CONSTRAINT stage_xano_title_closing_items_counts_check CHECK (attempts >= 0 and missed_sweeps >= 0),
    CONSTRAINT stage_xano_title_closing_items_payload_check CHECK (jsonb_typeof(payload) = 'object')
);

CREATE TABLE staging.stage_xano_closing_disclosure (
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
    CONSTRAINT stage_xano_closing_disclosure_pkey PRIMARY KEY (id),
    CONSTRAINT stage_xano_closing_disclosure_key UNIQUE (account_ref, source_id),
    CONSTRAINT stage_xano_closing_disclosure_status_check CHECK (status in ('pending', 'processed', 'duplicate', 'rejected', 'deferred', 'filtered')),
    CONSTRAINT stage_xano_closing_disclosure_processed_check CHECK (status <> 'processed' or (v2_id is not null and processed_at is not null)),
    CONSTRAINT stage_xano_closing_disclosure_refused_check CHECK (status not in ('rejected', 'filtered') or status_reason is not null),
    CONSTRAINT stage_xano_closing_disclosure_deferred_check CHECK (status <> 'deferred' or (waits_for is not null and status_reason is not null)),
    CONSTRAINT stage_xano_closing_disclosure_duplicate_check CHECK (status <> 'duplicate' or (duplicate_of is not null and duplicate_of <> id)),
    CONSTRAINT stage_xano_closing_disclosure_counts_check CHECK (attempts >= 0 and missed_sweeps >= 0),
    CONSTRAINT stage_xano_closing_disclosure_payload_check CHECK (jsonb_typeof(payload) = 'object')
);

ALTER TABLE staging.stage_xano_user ADD CONSTRAINT stage_xano_user_duplicate_of_fkey FOREIGN KEY(duplicate_of) REFERENCES staging.stage_xano_user (id) DEFERRABLE INITIALLY DEFERRED;
ALTER TABLE staging.stage_xano_agent ADD CONSTRAINT stage_xano_agent_duplicate_of_fkey FOREIGN KEY(duplicate_of) REFERENCES staging.stage_xano_agent (id) DEFERRABLE INITIALLY DEFERRED;
ALTER TABLE staging.stage_xano_team ADD CONSTRAINT stage_xano_team_duplicate_of_fkey FOREIGN KEY(duplicate_of) REFERENCES staging.stage_xano_team (id) DEFERRABLE INITIALLY DEFERRED;
ALTER TABLE staging.stage_xano_director ADD CONSTRAINT stage_xano_director_duplicate_of_fkey FOREIGN KEY(duplicate_of) REFERENCES staging.stage_xano_director (id) DEFERRABLE INITIALLY DEFERRED;
ALTER TABLE staging.stage_xano_leader ADD CONSTRAINT stage_xano_leader_duplicate_of_fkey FOREIGN KEY(duplicate_of) REFERENCES staging.stage_xano_leader (id) DEFERRABLE INITIALLY DEFERRED;
ALTER TABLE staging.stage_xano_mentor ADD CONSTRAINT stage_xano_mentor_duplicate_of_fkey FOREIGN KEY(duplicate_of) REFERENCES staging.stage_xano_mentor (id) DEFERRABLE INITIALLY DEFERRED;
ALTER TABLE staging.stage_xano_user_roles ADD CONSTRAINT stage_xano_user_roles_duplicate_of_fkey FOREIGN KEY(duplicate_of) REFERENCES staging.stage_xano_user_roles (id) DEFERRABLE INITIALLY DEFERRED;
ALTER TABLE staging.stage_xano_user_settings ADD CONSTRAINT stage_xano_user_settings_duplicate_of_fkey FOREIGN KEY(duplicate_of) REFERENCES staging.stage_xano_user_settings (id) DEFERRABLE INITIALLY DEFERRED;
ALTER TABLE staging.stage_xano_user_subscriptions ADD CONSTRAINT stage_xano_user_subscriptions_duplicate_of_fkey FOREIGN KEY(duplicate_of) REFERENCES staging.stage_xano_user_subscriptions (id) DEFERRABLE INITIALLY DEFERRED;
ALTER TABLE staging.stage_xano_listing ADD CONSTRAINT stage_xano_listing_duplicate_of_fkey FOREIGN KEY(duplicate_of) REFERENCES staging.stage_xano_listing (id) DEFERRABLE INITIALLY DEFERRED;
ALTER TABLE staging.stage_xano_transaction ADD CONSTRAINT stage_xano_transaction_duplicate_of_fkey FOREIGN KEY(duplicate_of) REFERENCES staging.stage_xano_transaction (id) DEFERRABLE INITIALLY DEFERRED;
ALTER TABLE staging.stage_xano_participant ADD CONSTRAINT stage_xano_participant_duplicate_of_fkey FOREIGN KEY(duplicate_of) REFERENCES staging.stage_xano_participant (id) DEFERRABLE INITIALLY DEFERRED;
ALTER TABLE staging.stage_xano_transaction_tags ADD CONSTRAINT stage_xano_transaction_tags_duplicate_of_fkey FOREIGN KEY(duplicate_of) REFERENCES staging.stage_xano_transaction_tags (id) DEFERRABLE INITIALLY DEFERRED;
ALTER TABLE staging.stage_xano_listing_photos ADD CONSTRAINT stage_xano_listing_photos_duplicate_of_fkey FOREIGN KEY(duplicate_of) REFERENCES staging.stage_xano_listing_photos (id) DEFERRABLE INITIALLY DEFERRED;
ALTER TABLE staging.stage_xano_contribution ADD CONSTRAINT stage_xano_contribution_duplicate_of_fkey FOREIGN KEY(duplicate_of) REFERENCES staging.stage_xano_contribution (id) DEFERRABLE INITIALLY DEFERRED;
ALTER TABLE staging.stage_xano_network_change_log ADD CONSTRAINT stage_xano_network_change_log_duplicate_of_fkey FOREIGN KEY(duplicate_of) REFERENCES staging.stage_xano_network_change_log (id) DEFERRABLE INITIALLY DEFERRED;
ALTER TABLE staging.stage_xano_title_agencies ADD CONSTRAINT stage_xano_title_agencies_duplicate_of_fkey FOREIGN KEY(duplicate_of) REFERENCES staging.stage_xano_title_agencies (id) DEFERRABLE INITIALLY DEFERRED;
ALTER TABLE staging.stage_xano_title_users ADD CONSTRAINT stage_xano_title_users_duplicate_of_fkey FOREIGN KEY(duplicate_of) REFERENCES staging.stage_xano_title_users (id) DEFERRABLE INITIALLY DEFERRED;
ALTER TABLE staging.stage_xano_title_orders ADD CONSTRAINT stage_xano_title_orders_duplicate_of_fkey FOREIGN KEY(duplicate_of) REFERENCES staging.stage_xano_title_orders (id) DEFERRABLE INITIALLY DEFERRED;
ALTER TABLE staging.stage_xano_title_events ADD CONSTRAINT stage_xano_title_events_duplicate_of_fkey FOREIGN KEY(duplicate_of) REFERENCES staging.stage_xano_title_events (id) DEFERRABLE INITIALLY DEFERRED;
ALTER TABLE staging.stage_xano_title_disbursements ADD CONSTRAINT stage_xano_title_disbursements_duplicate_of_fkey FOREIGN KEY(duplicate_of) REFERENCES staging.stage_xano_title_disbursements (id) DEFERRABLE INITIALLY DEFERRED;
ALTER TABLE staging.stage_xano_title_closing_items ADD CONSTRAINT stage_xano_title_closing_items_duplicate_of_fkey FOREIGN KEY(duplicate_of) REFERENCES staging.stage_xano_title_closing_items (id) DEFERRABLE INITIALLY DEFERRED;
ALTER TABLE staging.stage_xano_closing_disclosure ADD CONSTRAINT stage_xano_closing_disclosure_duplicate_of_fkey FOREIGN KEY(duplicate_of) REFERENCES staging.stage_xano_closing_disclosure (id) DEFERRABLE INITIALLY DEFERRED;

CREATE INDEX stage_xano_user_duplicate_idx ON staging.stage_xano_user (duplicate_of) WHERE duplicate_of is not null;
CREATE INDEX stage_xano_user_pending_idx ON staging.stage_xano_user (user_id, id) WHERE status = 'pending';
CREATE INDEX stage_xano_user_user_status_idx ON staging.stage_xano_user (user_id, status);
CREATE INDEX stage_xano_user_v2_idx ON staging.stage_xano_user (v2_id) WHERE status = 'processed';
CREATE INDEX stage_xano_user_waiting_idx ON staging.stage_xano_user (waits_for) WHERE status = 'deferred';
CREATE INDEX stage_xano_agent_duplicate_idx ON staging.stage_xano_agent (duplicate_of) WHERE duplicate_of is not null;
CREATE INDEX stage_xano_agent_pending_idx ON staging.stage_xano_agent (user_id, id) WHERE status = 'pending';
CREATE INDEX stage_xano_agent_user_status_idx ON staging.stage_xano_agent (user_id, status);
CREATE INDEX stage_xano_agent_v2_idx ON staging.stage_xano_agent (v2_id) WHERE status = 'processed';
CREATE INDEX stage_xano_agent_waiting_idx ON staging.stage_xano_agent (waits_for) WHERE status = 'deferred';
CREATE INDEX stage_xano_team_duplicate_idx ON staging.stage_xano_team (duplicate_of) WHERE duplicate_of is not null;
CREATE INDEX stage_xano_team_pending_idx ON staging.stage_xano_team (user_id, id) WHERE status = 'pending';
CREATE INDEX stage_xano_team_user_status_idx ON staging.stage_xano_team (user_id, status);
CREATE INDEX stage_xano_team_v2_idx ON staging.stage_xano_team (v2_id) WHERE status = 'processed';
CREATE INDEX stage_xano_team_waiting_idx ON staging.stage_xano_team (waits_for) WHERE status = 'deferred';
CREATE INDEX stage_xano_director_duplicate_idx ON staging.stage_xano_director (duplicate_of) WHERE duplicate_of is not null;
CREATE INDEX stage_xano_director_pending_idx ON staging.stage_xano_director (user_id, id) WHERE status = 'pending';
CREATE INDEX stage_xano_director_user_status_idx ON staging.stage_xano_director (user_id, status);
CREATE INDEX stage_xano_director_v2_idx ON staging.stage_xano_director (v2_id) WHERE status = 'processed';
CREATE INDEX stage_xano_director_waiting_idx ON staging.stage_xano_director (waits_for) WHERE status = 'deferred';
CREATE INDEX stage_xano_leader_duplicate_idx ON staging.stage_xano_leader (duplicate_of) WHERE duplicate_of is not null;
CREATE INDEX stage_xano_leader_pending_idx ON staging.stage_xano_leader (user_id, id) WHERE status = 'pending';
CREATE INDEX stage_xano_leader_user_status_idx ON staging.stage_xano_leader (user_id, status);
CREATE INDEX stage_xano_leader_v2_idx ON staging.stage_xano_leader (v2_id) WHERE status = 'processed';
CREATE INDEX stage_xano_leader_waiting_idx ON staging.stage_xano_leader (waits_for) WHERE status = 'deferred';
CREATE INDEX stage_xano_mentor_duplicate_idx ON staging.stage_xano_mentor (duplicate_of) WHERE duplicate_of is not null;
CREATE INDEX stage_xano_mentor_pending_idx ON staging.stage_xano_mentor (user_id, id) WHERE status = 'pending';
CREATE INDEX stage_xano_mentor_user_status_idx ON staging.stage_xano_mentor (user_id, status);
CREATE INDEX stage_xano_mentor_v2_idx ON staging.stage_xano_mentor (v2_id) WHERE status = 'processed';
CREATE INDEX stage_xano_mentor_waiting_idx ON staging.stage_xano_mentor (waits_for) WHERE status = 'deferred';
CREATE INDEX stage_xano_user_roles_duplicate_idx ON staging.stage_xano_user_roles (duplicate_of) WHERE duplicate_of is not null;
CREATE INDEX stage_xano_user_roles_pending_idx ON staging.stage_xano_user_roles (user_id, id) WHERE status = 'pending';
CREATE INDEX stage_xano_user_roles_user_status_idx ON staging.stage_xano_user_roles (user_id, status);
CREATE INDEX stage_xano_user_roles_v2_idx ON staging.stage_xano_user_roles (v2_id) WHERE status = 'processed';
CREATE INDEX stage_xano_user_roles_waiting_idx ON staging.stage_xano_user_roles (waits_for) WHERE status = 'deferred';
CREATE INDEX stage_xano_user_settings_duplicate_idx ON staging.stage_xano_user_settings (duplicate_of) WHERE duplicate_of is not null;
CREATE INDEX stage_xano_user_settings_pending_idx ON staging.stage_xano_user_settings (user_id, id) WHERE status = 'pending';
CREATE INDEX stage_xano_user_settings_user_status_idx ON staging.stage_xano_user_settings (user_id, status);
CREATE INDEX stage_xano_user_settings_v2_idx ON staging.stage_xano_user_settings (v2_id) WHERE status = 'processed';
CREATE INDEX stage_xano_user_settings_waiting_idx ON staging.stage_xano_user_settings (waits_for) WHERE status = 'deferred';
CREATE INDEX stage_xano_user_subscriptions_duplicate_idx ON staging.stage_xano_user_subscriptions (duplicate_of) WHERE duplicate_of is not null;
CREATE INDEX stage_xano_user_subscriptions_pending_idx ON staging.stage_xano_user_subscriptions (user_id, id) WHERE status = 'pending';
CREATE INDEX stage_xano_user_subscriptions_user_status_idx ON staging.stage_xano_user_subscriptions (user_id, status);
CREATE INDEX stage_xano_user_subscriptions_v2_idx ON staging.stage_xano_user_subscriptions (v2_id) WHERE status = 'processed';
CREATE INDEX stage_xano_user_subscriptions_waiting_idx ON staging.stage_xano_user_subscriptions (waits_for) WHERE status = 'deferred';
CREATE INDEX stage_xano_listing_duplicate_idx ON staging.stage_xano_listing (duplicate_of) WHERE duplicate_of is not null;
CREATE INDEX stage_xano_listing_pending_idx ON staging.stage_xano_listing (user_id, id) WHERE status = 'pending';
CREATE INDEX stage_xano_listing_user_status_idx ON staging.stage_xano_listing (user_id, status);
CREATE INDEX stage_xano_listing_v2_idx ON staging.stage_xano_listing (v2_id) WHERE status = 'processed';
CREATE INDEX stage_xano_listing_waiting_idx ON staging.stage_xano_listing (waits_for) WHERE status = 'deferred';
CREATE INDEX stage_xano_transaction_duplicate_idx ON staging.stage_xano_transaction (duplicate_of) WHERE duplicate_of is not null;
CREATE INDEX stage_xano_transaction_pending_idx ON staging.stage_xano_transaction (user_id, id) WHERE status = 'pending';
CREATE INDEX stage_xano_transaction_user_status_idx ON staging.stage_xano_transaction (user_id, status);
CREATE INDEX stage_xano_transaction_v2_idx ON staging.stage_xano_transaction (v2_id) WHERE status = 'processed';
CREATE INDEX stage_xano_transaction_waiting_idx ON staging.stage_xano_transaction (waits_for) WHERE status = 'deferred';
CREATE INDEX stage_xano_participant_duplicate_idx ON staging.stage_xano_participant (duplicate_of) WHERE duplicate_of is not null;
CREATE INDEX stage_xano_participant_pending_idx ON staging.stage_xano_participant (user_id, id) WHERE status = 'pending';
CREATE INDEX stage_xano_participant_user_status_idx ON staging.stage_xano_participant (user_id, status);
CREATE INDEX stage_xano_participant_v2_idx ON staging.stage_xano_participant (v2_id) WHERE status = 'processed';
CREATE INDEX stage_xano_participant_waiting_idx ON staging.stage_xano_participant (waits_for) WHERE status = 'deferred';
CREATE INDEX stage_xano_transaction_tags_duplicate_idx ON staging.stage_xano_transaction_tags (duplicate_of) WHERE duplicate_of is not null;
CREATE INDEX stage_xano_transaction_tags_pending_idx ON staging.stage_xano_transaction_tags (user_id, id) WHERE status = 'pending';
CREATE INDEX stage_xano_transaction_tags_user_status_idx ON staging.stage_xano_transaction_tags (user_id, status);
CREATE INDEX stage_xano_transaction_tags_v2_idx ON staging.stage_xano_transaction_tags (v2_id) WHERE status = 'processed';
CREATE INDEX stage_xano_transaction_tags_waiting_idx ON staging.stage_xano_transaction_tags (waits_for) WHERE status = 'deferred';
CREATE INDEX stage_xano_listing_photos_duplicate_idx ON staging.stage_xano_listing_photos (duplicate_of) WHERE duplicate_of is not null;
CREATE INDEX stage_xano_listing_photos_pending_idx ON staging.stage_xano_listing_photos (user_id, id) WHERE status = 'pending';
CREATE INDEX stage_xano_listing_photos_user_status_idx ON staging.stage_xano_listing_photos (user_id, status);
CREATE INDEX stage_xano_listing_photos_v2_idx ON staging.stage_xano_listing_photos (v2_id) WHERE status = 'processed';
CREATE INDEX stage_xano_listing_photos_waiting_idx ON staging.stage_xano_listing_photos (waits_for) WHERE status = 'deferred';
CREATE INDEX stage_xano_contribution_duplicate_idx ON staging.stage_xano_contribution (duplicate_of) WHERE duplicate_of is not null;
CREATE INDEX stage_xano_contribution_pending_idx ON staging.stage_xano_contribution (user_id, id) WHERE status = 'pending';
CREATE INDEX stage_xano_contribution_user_status_idx ON staging.stage_xano_contribution (user_id, status);
CREATE INDEX stage_xano_contribution_v2_idx ON staging.stage_xano_contribution (v2_id) WHERE status = 'processed';
CREATE INDEX stage_xano_contribution_waiting_idx ON staging.stage_xano_contribution (waits_for) WHERE status = 'deferred';
CREATE INDEX stage_xano_network_change_log_duplicate_idx ON staging.stage_xano_network_change_log (duplicate_of) WHERE duplicate_of is not null;
CREATE INDEX stage_xano_network_change_log_pending_idx ON staging.stage_xano_network_change_log (user_id, id) WHERE status = 'pending';
CREATE INDEX stage_xano_network_change_log_user_status_idx ON staging.stage_xano_network_change_log (user_id, status);
CREATE INDEX stage_xano_network_change_log_v2_idx ON staging.stage_xano_network_change_log (v2_id) WHERE status = 'processed';
CREATE INDEX stage_xano_network_change_log_waiting_idx ON staging.stage_xano_network_change_log (waits_for) WHERE status = 'deferred';
CREATE INDEX stage_xano_title_agencies_duplicate_idx ON staging.stage_xano_title_agencies (duplicate_of) WHERE duplicate_of is not null;
CREATE INDEX stage_xano_title_agencies_pending_idx ON staging.stage_xano_title_agencies (user_id, id) WHERE status = 'pending';
CREATE INDEX stage_xano_title_agencies_user_status_idx ON staging.stage_xano_title_agencies (user_id, status);
CREATE INDEX stage_xano_title_agencies_v2_idx ON staging.stage_xano_title_agencies (v2_id) WHERE status = 'processed';
CREATE INDEX stage_xano_title_agencies_waiting_idx ON staging.stage_xano_title_agencies (waits_for) WHERE status = 'deferred';
CREATE INDEX stage_xano_title_users_duplicate_idx ON staging.stage_xano_title_users (duplicate_of) WHERE duplicate_of is not null;
CREATE INDEX stage_xano_title_users_pending_idx ON staging.stage_xano_title_users (user_id, id) WHERE status = 'pending';
CREATE INDEX stage_xano_title_users_user_status_idx ON staging.stage_xano_title_users (user_id, status);
CREATE INDEX stage_xano_title_users_v2_idx ON staging.stage_xano_title_users (v2_id) WHERE status = 'processed';
CREATE INDEX stage_xano_title_users_waiting_idx ON staging.stage_xano_title_users (waits_for) WHERE status = 'deferred';
CREATE INDEX stage_xano_title_orders_duplicate_idx ON staging.stage_xano_title_orders (duplicate_of) WHERE duplicate_of is not null;
CREATE INDEX stage_xano_title_orders_pending_idx ON staging.stage_xano_title_orders (user_id, id) WHERE status = 'pending';
CREATE INDEX stage_xano_title_orders_user_status_idx ON staging.stage_xano_title_orders (user_id, status);
CREATE INDEX stage_xano_title_orders_v2_idx ON staging.stage_xano_title_orders (v2_id) WHERE status = 'processed';
CREATE INDEX stage_xano_title_orders_waiting_idx ON staging.stage_xano_title_orders (waits_for) WHERE status = 'deferred';
CREATE INDEX stage_xano_title_events_duplicate_idx ON staging.stage_xano_title_events (duplicate_of) WHERE duplicate_of is not null;
CREATE INDEX stage_xano_title_events_pending_idx ON staging.stage_xano_title_events (user_id, id) WHERE status = 'pending';
CREATE INDEX stage_xano_title_events_user_status_idx ON staging.stage_xano_title_events (user_id, status);
CREATE INDEX stage_xano_title_events_v2_idx ON staging.stage_xano_title_events (v2_id) WHERE status = 'processed';
CREATE INDEX stage_xano_title_events_waiting_idx ON staging.stage_xano_title_events (waits_for) WHERE status = 'deferred';
CREATE INDEX stage_xano_title_disbursements_duplicate_idx ON staging.stage_xano_title_disbursements (duplicate_of) WHERE duplicate_of is not null;
CREATE INDEX stage_xano_title_disbursements_pending_idx ON staging.stage_xano_title_disbursements (user_id, id) WHERE status = 'pending';
CREATE INDEX stage_xano_title_disbursements_user_status_idx ON staging.stage_xano_title_disbursements (user_id, status);
CREATE INDEX stage_xano_title_disbursements_v2_idx ON staging.stage_xano_title_disbursements (v2_id) WHERE status = 'processed';
CREATE INDEX stage_xano_title_disbursements_waiting_idx ON staging.stage_xano_title_disbursements (waits_for) WHERE status = 'deferred';
CREATE INDEX stage_xano_title_closing_items_duplicate_idx ON staging.stage_xano_title_closing_items (duplicate_of) WHERE duplicate_of is not null;
CREATE INDEX stage_xano_title_closing_items_pending_idx ON staging.stage_xano_title_closing_items (user_id, id) WHERE status = 'pending';
CREATE INDEX stage_xano_title_closing_items_user_status_idx ON staging.stage_xano_title_closing_items (user_id, status);
CREATE INDEX stage_xano_title_closing_items_v2_idx ON staging.stage_xano_title_closing_items (v2_id) WHERE status = 'processed';
CREATE INDEX stage_xano_title_closing_items_waiting_idx ON staging.stage_xano_title_closing_items (waits_for) WHERE status = 'deferred';
CREATE INDEX stage_xano_closing_disclosure_duplicate_idx ON staging.stage_xano_closing_disclosure (duplicate_of) WHERE duplicate_of is not null;
CREATE INDEX stage_xano_closing_disclosure_pending_idx ON staging.stage_xano_closing_disclosure (user_id, id) WHERE status = 'pending';
CREATE INDEX stage_xano_closing_disclosure_user_status_idx ON staging.stage_xano_closing_disclosure (user_id, status);
CREATE INDEX stage_xano_closing_disclosure_v2_idx ON staging.stage_xano_closing_disclosure (v2_id) WHERE status = 'processed';
CREATE INDEX stage_xano_closing_disclosure_waiting_idx ON staging.stage_xano_closing_disclosure (waits_for) WHERE status = 'deferred';

COMMENT ON TABLE staging.stage_xano_user IS 'Newest version of each record: one user of V1, as read from V1''s table user.';
COMMENT ON COLUMN staging.stage_xano_user.id IS 'Order of arrival.';
COMMENT ON COLUMN staging.stage_xano_user.user_id IS 'The user whose sync brought the record; the partition.';
COMMENT ON COLUMN staging.stage_xano_user.account_ref IS 'The account it was read through, as platform/account/user.';
COMMENT ON COLUMN staging.stage_xano_user.source_id IS 'The record''s id at the source.';
COMMENT ON COLUMN staging.stage_xano_user.payload IS 'The record as it came, minus secret fields.';
COMMENT ON COLUMN staging.stage_xano_user.payload_hash IS 'Hash of the payload, to see a change cheaply.';
COMMENT ON COLUMN staging.stage_xano_user.source_updated_at IS 'When the source last changed the record; a newer version wins.';
COMMENT ON COLUMN staging.stage_xano_user.fetched_at IS 'When this version of the payload was first read.';
COMMENT ON COLUMN staging.stage_xano_user.run_id IS 'The run that stored this version.';
COMMENT ON COLUMN staging.stage_xano_user.status IS 'Where the record stands on its way into V2.';
COMMENT ON COLUMN staging.stage_xano_user.status_reason IS 'Reason code of the status, for machines.';
COMMENT ON COLUMN staging.stage_xano_user.status_detail IS 'What failed: field, code set, class of the value, or the parent that is missing.';
COMMENT ON COLUMN staging.stage_xano_user.attempts IS 'How many merges have looked at this version.';
COMMENT ON COLUMN staging.stage_xano_user.next_attempt_at IS 'Not to be tried again before this instant.';
COMMENT ON COLUMN staging.stage_xano_user.processed_at IS 'When the record was last merged.';
COMMENT ON COLUMN staging.stage_xano_user.v2_id IS 'The row of v2.user that this record became.';
COMMENT ON COLUMN staging.stage_xano_user.duplicate_of IS 'The staged row that carries the same business record.';
COMMENT ON COLUMN staging.stage_xano_user.waits_for IS 'The parent a deferred record waits for, as table/natural key values.';
COMMENT ON COLUMN staging.stage_xano_user.missing_since IS 'Since when complete full sweeps have not seen the record.';
COMMENT ON COLUMN staging.stage_xano_user.merge_rank IS 'How the merge ranked this copy among copies with one stamp.';
COMMENT ON COLUMN staging.stage_xano_user.missed_sweeps IS 'How many complete full sweeps in a row missed it.';
COMMENT ON TABLE staging.stage_xano_agent IS 'Newest version of each record: one agent of V1, as read from V1''s table agent.';
COMMENT ON COLUMN staging.stage_xano_agent.id IS 'Order of arrival.';
COMMENT ON COLUMN staging.stage_xano_agent.user_id IS 'The user whose sync brought the record; the partition.';
COMMENT ON COLUMN staging.stage_xano_agent.account_ref IS 'The account it was read through, as platform/account/user.';
COMMENT ON COLUMN staging.stage_xano_agent.source_id IS 'The record''s id at the source.';
COMMENT ON COLUMN staging.stage_xano_agent.payload IS 'The record as it came, minus secret fields.';
COMMENT ON COLUMN staging.stage_xano_agent.payload_hash IS 'Hash of the payload, to see a change cheaply.';
COMMENT ON COLUMN staging.stage_xano_agent.source_updated_at IS 'When the source last changed the record; a newer version wins.';
COMMENT ON COLUMN staging.stage_xano_agent.fetched_at IS 'When this version of the payload was first read.';
COMMENT ON COLUMN staging.stage_xano_agent.run_id IS 'The run that stored this version.';
COMMENT ON COLUMN staging.stage_xano_agent.status IS 'Where the record stands on its way into V2.';
COMMENT ON COLUMN staging.stage_xano_agent.status_reason IS 'Reason code of the status, for machines.';
COMMENT ON COLUMN staging.stage_xano_agent.status_detail IS 'What failed: field, code set, class of the value, or the parent that is missing.';
COMMENT ON COLUMN staging.stage_xano_agent.attempts IS 'How many merges have looked at this version.';
COMMENT ON COLUMN staging.stage_xano_agent.next_attempt_at IS 'Not to be tried again before this instant.';
COMMENT ON COLUMN staging.stage_xano_agent.processed_at IS 'When the record was last merged.';
COMMENT ON COLUMN staging.stage_xano_agent.v2_id IS 'The row of v2.agent that this record became.';
COMMENT ON COLUMN staging.stage_xano_agent.duplicate_of IS 'The staged row that carries the same business record.';
COMMENT ON COLUMN staging.stage_xano_agent.waits_for IS 'The parent a deferred record waits for, as table/natural key values.';
COMMENT ON COLUMN staging.stage_xano_agent.missing_since IS 'Since when complete full sweeps have not seen the record.';
COMMENT ON COLUMN staging.stage_xano_agent.merge_rank IS 'How the merge ranked this copy among copies with one stamp.';
COMMENT ON COLUMN staging.stage_xano_agent.missed_sweeps IS 'How many complete full sweeps in a row missed it.';
COMMENT ON TABLE staging.stage_xano_team IS 'Newest version of each record: one team of V1, as read from V1''s table team.';
COMMENT ON COLUMN staging.stage_xano_team.id IS 'Order of arrival.';
COMMENT ON COLUMN staging.stage_xano_team.user_id IS 'The user whose sync brought the record; the partition.';
COMMENT ON COLUMN staging.stage_xano_team.account_ref IS 'The account it was read through, as platform/account/user.';
COMMENT ON COLUMN staging.stage_xano_team.source_id IS 'The record''s id at the source.';
COMMENT ON COLUMN staging.stage_xano_team.payload IS 'The record as it came, minus secret fields.';
COMMENT ON COLUMN staging.stage_xano_team.payload_hash IS 'Hash of the payload, to see a change cheaply.';
COMMENT ON COLUMN staging.stage_xano_team.source_updated_at IS 'When the source last changed the record; a newer version wins.';
COMMENT ON COLUMN staging.stage_xano_team.fetched_at IS 'When this version of the payload was first read.';
COMMENT ON COLUMN staging.stage_xano_team.run_id IS 'The run that stored this version.';
COMMENT ON COLUMN staging.stage_xano_team.status IS 'Where the record stands on its way into V2.';
COMMENT ON COLUMN staging.stage_xano_team.status_reason IS 'Reason code of the status, for machines.';
COMMENT ON COLUMN staging.stage_xano_team.status_detail IS 'What failed: field, code set, class of the value, or the parent that is missing.';
COMMENT ON COLUMN staging.stage_xano_team.attempts IS 'How many merges have looked at this version.';
COMMENT ON COLUMN staging.stage_xano_team.next_attempt_at IS 'Not to be tried again before this instant.';
COMMENT ON COLUMN staging.stage_xano_team.processed_at IS 'When the record was last merged.';
COMMENT ON COLUMN staging.stage_xano_team.v2_id IS 'The row of v2.team that this record became.';
COMMENT ON COLUMN staging.stage_xano_team.duplicate_of IS 'The staged row that carries the same business record.';
COMMENT ON COLUMN staging.stage_xano_team.waits_for IS 'The parent a deferred record waits for, as table/natural key values.';
COMMENT ON COLUMN staging.stage_xano_team.missing_since IS 'Since when complete full sweeps have not seen the record.';
COMMENT ON COLUMN staging.stage_xano_team.merge_rank IS 'How the merge ranked this copy among copies with one stamp.';
COMMENT ON COLUMN staging.stage_xano_team.missed_sweeps IS 'How many complete full sweeps in a row missed it.';
COMMENT ON TABLE staging.stage_xano_director IS 'Newest version of each record: one director of V1, as read from V1''s table director.';
COMMENT ON COLUMN staging.stage_xano_director.id IS 'Order of arrival.';
COMMENT ON COLUMN staging.stage_xano_director.user_id IS 'The user whose sync brought the record; the partition.';
COMMENT ON COLUMN staging.stage_xano_director.account_ref IS 'The account it was read through, as platform/account/user.';
COMMENT ON COLUMN staging.stage_xano_director.source_id IS 'The record''s id at the source.';
COMMENT ON COLUMN staging.stage_xano_director.payload IS 'The record as it came, minus secret fields.';
COMMENT ON COLUMN staging.stage_xano_director.payload_hash IS 'Hash of the payload, to see a change cheaply.';
COMMENT ON COLUMN staging.stage_xano_director.source_updated_at IS 'When the source last changed the record; a newer version wins.';
COMMENT ON COLUMN staging.stage_xano_director.fetched_at IS 'When this version of the payload was first read.';
COMMENT ON COLUMN staging.stage_xano_director.run_id IS 'The run that stored this version.';
COMMENT ON COLUMN staging.stage_xano_director.status IS 'Where the record stands on its way into V2.';
COMMENT ON COLUMN staging.stage_xano_director.status_reason IS 'Reason code of the status, for machines.';
COMMENT ON COLUMN staging.stage_xano_director.status_detail IS 'What failed: field, code set, class of the value, or the parent that is missing.';
COMMENT ON COLUMN staging.stage_xano_director.attempts IS 'How many merges have looked at this version.';
COMMENT ON COLUMN staging.stage_xano_director.next_attempt_at IS 'Not to be tried again before this instant.';
COMMENT ON COLUMN staging.stage_xano_director.processed_at IS 'When the record was last merged.';
COMMENT ON COLUMN staging.stage_xano_director.v2_id IS 'The row of v2.director that this record became.';
COMMENT ON COLUMN staging.stage_xano_director.duplicate_of IS 'The staged row that carries the same business record.';
COMMENT ON COLUMN staging.stage_xano_director.waits_for IS 'The parent a deferred record waits for, as table/natural key values.';
COMMENT ON COLUMN staging.stage_xano_director.missing_since IS 'Since when complete full sweeps have not seen the record.';
COMMENT ON COLUMN staging.stage_xano_director.merge_rank IS 'How the merge ranked this copy among copies with one stamp.';
COMMENT ON COLUMN staging.stage_xano_director.missed_sweeps IS 'How many complete full sweeps in a row missed it.';
COMMENT ON TABLE staging.stage_xano_leader IS 'Newest version of each record: one leader of V1, as read from V1''s table leader.';
COMMENT ON COLUMN staging.stage_xano_leader.id IS 'Order of arrival.';
COMMENT ON COLUMN staging.stage_xano_leader.user_id IS 'The user whose sync brought the record; the partition.';
COMMENT ON COLUMN staging.stage_xano_leader.account_ref IS 'The account it was read through, as platform/account/user.';
COMMENT ON COLUMN staging.stage_xano_leader.source_id IS 'The record''s id at the source.';
COMMENT ON COLUMN staging.stage_xano_leader.payload IS 'The record as it came, minus secret fields.';
COMMENT ON COLUMN staging.stage_xano_leader.payload_hash IS 'Hash of the payload, to see a change cheaply.';
COMMENT ON COLUMN staging.stage_xano_leader.source_updated_at IS 'When the source last changed the record; a newer version wins.';
COMMENT ON COLUMN staging.stage_xano_leader.fetched_at IS 'When this version of the payload was first read.';
COMMENT ON COLUMN staging.stage_xano_leader.run_id IS 'The run that stored this version.';
COMMENT ON COLUMN staging.stage_xano_leader.status IS 'Where the record stands on its way into V2.';
COMMENT ON COLUMN staging.stage_xano_leader.status_reason IS 'Reason code of the status, for machines.';
COMMENT ON COLUMN staging.stage_xano_leader.status_detail IS 'What failed: field, code set, class of the value, or the parent that is missing.';
COMMENT ON COLUMN staging.stage_xano_leader.attempts IS 'How many merges have looked at this version.';
COMMENT ON COLUMN staging.stage_xano_leader.next_attempt_at IS 'Not to be tried again before this instant.';
COMMENT ON COLUMN staging.stage_xano_leader.processed_at IS 'When the record was last merged.';
COMMENT ON COLUMN staging.stage_xano_leader.v2_id IS 'The row of v2.leader that this record became.';
COMMENT ON COLUMN staging.stage_xano_leader.duplicate_of IS 'The staged row that carries the same business record.';
COMMENT ON COLUMN staging.stage_xano_leader.waits_for IS 'The parent a deferred record waits for, as table/natural key values.';
COMMENT ON COLUMN staging.stage_xano_leader.missing_since IS 'Since when complete full sweeps have not seen the record.';
COMMENT ON COLUMN staging.stage_xano_leader.merge_rank IS 'How the merge ranked this copy among copies with one stamp.';
COMMENT ON COLUMN staging.stage_xano_leader.missed_sweeps IS 'How many complete full sweeps in a row missed it.';
COMMENT ON TABLE staging.stage_xano_mentor IS 'Newest version of each record: one mentor of V1, as read from V1''s table mentor.';
COMMENT ON COLUMN staging.stage_xano_mentor.id IS 'Order of arrival.';
COMMENT ON COLUMN staging.stage_xano_mentor.user_id IS 'The user whose sync brought the record; the partition.';
COMMENT ON COLUMN staging.stage_xano_mentor.account_ref IS 'The account it was read through, as platform/account/user.';
COMMENT ON COLUMN staging.stage_xano_mentor.source_id IS 'The record''s id at the source.';
COMMENT ON COLUMN staging.stage_xano_mentor.payload IS 'The record as it came, minus secret fields.';
COMMENT ON COLUMN staging.stage_xano_mentor.payload_hash IS 'Hash of the payload, to see a change cheaply.';
COMMENT ON COLUMN staging.stage_xano_mentor.source_updated_at IS 'When the source last changed the record; a newer version wins.';
COMMENT ON COLUMN staging.stage_xano_mentor.fetched_at IS 'When this version of the payload was first read.';
COMMENT ON COLUMN staging.stage_xano_mentor.run_id IS 'The run that stored this version.';
COMMENT ON COLUMN staging.stage_xano_mentor.status IS 'Where the record stands on its way into V2.';
COMMENT ON COLUMN staging.stage_xano_mentor.status_reason IS 'Reason code of the status, for machines.';
COMMENT ON COLUMN staging.stage_xano_mentor.status_detail IS 'What failed: field, code set, class of the value, or the parent that is missing.';
COMMENT ON COLUMN staging.stage_xano_mentor.attempts IS 'How many merges have looked at this version.';
COMMENT ON COLUMN staging.stage_xano_mentor.next_attempt_at IS 'Not to be tried again before this instant.';
COMMENT ON COLUMN staging.stage_xano_mentor.processed_at IS 'When the record was last merged.';
COMMENT ON COLUMN staging.stage_xano_mentor.v2_id IS 'The row of v2.mentor that this record became.';
COMMENT ON COLUMN staging.stage_xano_mentor.duplicate_of IS 'The staged row that carries the same business record.';
COMMENT ON COLUMN staging.stage_xano_mentor.waits_for IS 'The parent a deferred record waits for, as table/natural key values.';
COMMENT ON COLUMN staging.stage_xano_mentor.missing_since IS 'Since when complete full sweeps have not seen the record.';
COMMENT ON COLUMN staging.stage_xano_mentor.merge_rank IS 'How the merge ranked this copy among copies with one stamp.';
COMMENT ON COLUMN staging.stage_xano_mentor.missed_sweeps IS 'How many complete full sweeps in a row missed it.';
COMMENT ON TABLE staging.stage_xano_user_roles IS 'Newest version of each record: one V1 user''s roles, as read from V1''s table user_roles.';
COMMENT ON COLUMN staging.stage_xano_user_roles.id IS 'Order of arrival.';
COMMENT ON COLUMN staging.stage_xano_user_roles.user_id IS 'The user whose sync brought the record; the partition.';
COMMENT ON COLUMN staging.stage_xano_user_roles.account_ref IS 'The account it was read through, as platform/account/user.';
COMMENT ON COLUMN staging.stage_xano_user_roles.source_id IS 'The record''s id at the source.';
COMMENT ON COLUMN staging.stage_xano_user_roles.payload IS 'The record as it came, minus secret fields.';
COMMENT ON COLUMN staging.stage_xano_user_roles.payload_hash IS 'Hash of the payload, to see a change cheaply.';
COMMENT ON COLUMN staging.stage_xano_user_roles.source_updated_at IS 'When the source last changed the record; a newer version wins.';
COMMENT ON COLUMN staging.stage_xano_user_roles.fetched_at IS 'When this version of the payload was first read.';
COMMENT ON COLUMN staging.stage_xano_user_roles.run_id IS 'The run that stored this version.';
COMMENT ON COLUMN staging.stage_xano_user_roles.status IS 'Where the record stands on its way into V2.';
COMMENT ON COLUMN staging.stage_xano_user_roles.status_reason IS 'Reason code of the status, for machines.';
COMMENT ON COLUMN staging.stage_xano_user_roles.status_detail IS 'What failed: field, code set, class of the value, or the parent that is missing.';
COMMENT ON COLUMN staging.stage_xano_user_roles.attempts IS 'How many merges have looked at this version.';
COMMENT ON COLUMN staging.stage_xano_user_roles.next_attempt_at IS 'Not to be tried again before this instant.';
COMMENT ON COLUMN staging.stage_xano_user_roles.processed_at IS 'When the record was last merged.';
COMMENT ON COLUMN staging.stage_xano_user_roles.v2_id IS 'The row of v2.user_roles that this record became.';
COMMENT ON COLUMN staging.stage_xano_user_roles.duplicate_of IS 'The staged row that carries the same business record.';
COMMENT ON COLUMN staging.stage_xano_user_roles.waits_for IS 'The parent a deferred record waits for, as table/natural key values.';
COMMENT ON COLUMN staging.stage_xano_user_roles.missing_since IS 'Since when complete full sweeps have not seen the record.';
COMMENT ON COLUMN staging.stage_xano_user_roles.merge_rank IS 'How the merge ranked this copy among copies with one stamp.';
COMMENT ON COLUMN staging.stage_xano_user_roles.missed_sweeps IS 'How many complete full sweeps in a row missed it.';
COMMENT ON TABLE staging.stage_xano_user_settings IS 'Newest version of each record: one V1 user''s settings, as read from V1''s table user_settings.';
COMMENT ON COLUMN staging.stage_xano_user_settings.id IS 'Order of arrival.';
COMMENT ON COLUMN staging.stage_xano_user_settings.user_id IS 'The user whose sync brought the record; the partition.';
COMMENT ON COLUMN staging.stage_xano_user_settings.account_ref IS 'The account it was read through, as platform/account/user.';
COMMENT ON COLUMN staging.stage_xano_user_settings.source_id IS 'The record''s id at the source.';
COMMENT ON COLUMN staging.stage_xano_user_settings.payload IS 'The record as it came, minus secret fields.';
COMMENT ON COLUMN staging.stage_xano_user_settings.payload_hash IS 'Hash of the payload, to see a change cheaply.';
COMMENT ON COLUMN staging.stage_xano_user_settings.source_updated_at IS 'When the source last changed the record; a newer version wins.';
COMMENT ON COLUMN staging.stage_xano_user_settings.fetched_at IS 'When this version of the payload was first read.';
COMMENT ON COLUMN staging.stage_xano_user_settings.run_id IS 'The run that stored this version.';
COMMENT ON COLUMN staging.stage_xano_user_settings.status IS 'Where the record stands on its way into V2.';
COMMENT ON COLUMN staging.stage_xano_user_settings.status_reason IS 'Reason code of the status, for machines.';
COMMENT ON COLUMN staging.stage_xano_user_settings.status_detail IS 'What failed: field, code set, class of the value, or the parent that is missing.';
COMMENT ON COLUMN staging.stage_xano_user_settings.attempts IS 'How many merges have looked at this version.';
COMMENT ON COLUMN staging.stage_xano_user_settings.next_attempt_at IS 'Not to be tried again before this instant.';
COMMENT ON COLUMN staging.stage_xano_user_settings.processed_at IS 'When the record was last merged.';
COMMENT ON COLUMN staging.stage_xano_user_settings.v2_id IS 'The row of v2.user_settings that this record became.';
COMMENT ON COLUMN staging.stage_xano_user_settings.duplicate_of IS 'The staged row that carries the same business record.';
COMMENT ON COLUMN staging.stage_xano_user_settings.waits_for IS 'The parent a deferred record waits for, as table/natural key values.';
COMMENT ON COLUMN staging.stage_xano_user_settings.missing_since IS 'Since when complete full sweeps have not seen the record.';
COMMENT ON COLUMN staging.stage_xano_user_settings.merge_rank IS 'How the merge ranked this copy among copies with one stamp.';
COMMENT ON COLUMN staging.stage_xano_user_settings.missed_sweeps IS 'How many complete full sweeps in a row missed it.';
COMMENT ON TABLE staging.stage_xano_user_subscriptions IS 'Newest version of each record: one V1 user''s subscription, as read from V1''s table user_subscriptions.';
COMMENT ON COLUMN staging.stage_xano_user_subscriptions.id IS 'Order of arrival.';
COMMENT ON COLUMN staging.stage_xano_user_subscriptions.user_id IS 'The user whose sync brought the record; the partition.';
COMMENT ON COLUMN staging.stage_xano_user_subscriptions.account_ref IS 'The account it was read through, as platform/account/user.';
COMMENT ON COLUMN staging.stage_xano_user_subscriptions.source_id IS 'The record''s id at the source.';
COMMENT ON COLUMN staging.stage_xano_user_subscriptions.payload IS 'The record as it came, minus secret fields.';
COMMENT ON COLUMN staging.stage_xano_user_subscriptions.payload_hash IS 'Hash of the payload, to see a change cheaply.';
COMMENT ON COLUMN staging.stage_xano_user_subscriptions.source_updated_at IS 'When the source last changed the record; a newer version wins.';
COMMENT ON COLUMN staging.stage_xano_user_subscriptions.fetched_at IS 'When this version of the payload was first read.';
COMMENT ON COLUMN staging.stage_xano_user_subscriptions.run_id IS 'The run that stored this version.';
COMMENT ON COLUMN staging.stage_xano_user_subscriptions.status IS 'Where the record stands on its way into V2.';
COMMENT ON COLUMN staging.stage_xano_user_subscriptions.status_reason IS 'Reason code of the status, for machines.';
COMMENT ON COLUMN staging.stage_xano_user_subscriptions.status_detail IS 'What failed: field, code set, class of the value, or the parent that is missing.';
COMMENT ON COLUMN staging.stage_xano_user_subscriptions.attempts IS 'How many merges have looked at this version.';
COMMENT ON COLUMN staging.stage_xano_user_subscriptions.next_attempt_at IS 'Not to be tried again before this instant.';
COMMENT ON COLUMN staging.stage_xano_user_subscriptions.processed_at IS 'When the record was last merged.';
COMMENT ON COLUMN staging.stage_xano_user_subscriptions.v2_id IS 'The row of v2.user_subscriptions that this record became.';
COMMENT ON COLUMN staging.stage_xano_user_subscriptions.duplicate_of IS 'The staged row that carries the same business record.';
COMMENT ON COLUMN staging.stage_xano_user_subscriptions.waits_for IS 'The parent a deferred record waits for, as table/natural key values.';
COMMENT ON COLUMN staging.stage_xano_user_subscriptions.missing_since IS 'Since when complete full sweeps have not seen the record.';
COMMENT ON COLUMN staging.stage_xano_user_subscriptions.merge_rank IS 'How the merge ranked this copy among copies with one stamp.';
COMMENT ON COLUMN staging.stage_xano_user_subscriptions.missed_sweeps IS 'How many complete full sweeps in a row missed it.';
COMMENT ON TABLE staging.stage_xano_listing IS 'Newest version of each record: one listing of V1, as read from V1''s table listing.';
COMMENT ON COLUMN staging.stage_xano_listing.id IS 'Order of arrival.';
COMMENT ON COLUMN staging.stage_xano_listing.user_id IS 'The user whose sync brought the record; the partition.';
COMMENT ON COLUMN staging.stage_xano_listing.account_ref IS 'The account it was read through, as platform/account/user.';
COMMENT ON COLUMN staging.stage_xano_listing.source_id IS 'The record''s id at the source.';
COMMENT ON COLUMN staging.stage_xano_listing.payload IS 'The record as it came, minus secret fields.';
COMMENT ON COLUMN staging.stage_xano_listing.payload_hash IS 'Hash of the payload, to see a change cheaply.';
COMMENT ON COLUMN staging.stage_xano_listing.source_updated_at IS 'When the source last changed the record; a newer version wins.';
COMMENT ON COLUMN staging.stage_xano_listing.fetched_at IS 'When this version of the payload was first read.';
COMMENT ON COLUMN staging.stage_xano_listing.run_id IS 'The run that stored this version.';
COMMENT ON COLUMN staging.stage_xano_listing.status IS 'Where the record stands on its way into V2.';
COMMENT ON COLUMN staging.stage_xano_listing.status_reason IS 'Reason code of the status, for machines.';
COMMENT ON COLUMN staging.stage_xano_listing.status_detail IS 'What failed: field, code set, class of the value, or the parent that is missing.';
COMMENT ON COLUMN staging.stage_xano_listing.attempts IS 'How many merges have looked at this version.';
COMMENT ON COLUMN staging.stage_xano_listing.next_attempt_at IS 'Not to be tried again before this instant.';
COMMENT ON COLUMN staging.stage_xano_listing.processed_at IS 'When the record was last merged.';
COMMENT ON COLUMN staging.stage_xano_listing.v2_id IS 'The row of v2.listing that this record became.';
COMMENT ON COLUMN staging.stage_xano_listing.duplicate_of IS 'The staged row that carries the same business record.';
COMMENT ON COLUMN staging.stage_xano_listing.waits_for IS 'The parent a deferred record waits for, as table/natural key values.';
COMMENT ON COLUMN staging.stage_xano_listing.missing_since IS 'Since when complete full sweeps have not seen the record.';
COMMENT ON COLUMN staging.stage_xano_listing.merge_rank IS 'How the merge ranked this copy among copies with one stamp.';
COMMENT ON COLUMN staging.stage_xano_listing.missed_sweeps IS 'How many complete full sweeps in a row missed it.';
COMMENT ON TABLE staging.stage_xano_transaction IS 'Newest version of each record: one deal of V1, as read from V1''s table transaction.';
COMMENT ON COLUMN staging.stage_xano_transaction.id IS 'Order of arrival.';
COMMENT ON COLUMN staging.stage_xano_transaction.user_id IS 'The user whose sync brought the record; the partition.';
COMMENT ON COLUMN staging.stage_xano_transaction.account_ref IS 'The account it was read through, as platform/account/user.';
COMMENT ON COLUMN staging.stage_xano_transaction.source_id IS 'The record''s id at the source.';
COMMENT ON COLUMN staging.stage_xano_transaction.payload IS 'The record as it came, minus secret fields.';
COMMENT ON COLUMN staging.stage_xano_transaction.payload_hash IS 'Hash of the payload, to see a change cheaply.';
COMMENT ON COLUMN staging.stage_xano_transaction.source_updated_at IS 'When the source last changed the record; a newer version wins.';
COMMENT ON COLUMN staging.stage_xano_transaction.fetched_at IS 'When this version of the payload was first read.';
COMMENT ON COLUMN staging.stage_xano_transaction.run_id IS 'The run that stored this version.';
COMMENT ON COLUMN staging.stage_xano_transaction.status IS 'Where the record stands on its way into V2.';
COMMENT ON COLUMN staging.stage_xano_transaction.status_reason IS 'Reason code of the status, for machines.';
COMMENT ON COLUMN staging.stage_xano_transaction.status_detail IS 'What failed: field, code set, class of the value, or the parent that is missing.';
COMMENT ON COLUMN staging.stage_xano_transaction.attempts IS 'How many merges have looked at this version.';
COMMENT ON COLUMN staging.stage_xano_transaction.next_attempt_at IS 'Not to be tried again before this instant.';
COMMENT ON COLUMN staging.stage_xano_transaction.processed_at IS 'When the record was last merged.';
COMMENT ON COLUMN staging.stage_xano_transaction.v2_id IS 'The row of v2.transaction that this record became.';
COMMENT ON COLUMN staging.stage_xano_transaction.duplicate_of IS 'The staged row that carries the same business record.';
COMMENT ON COLUMN staging.stage_xano_transaction.waits_for IS 'The parent a deferred record waits for, as table/natural key values.';
COMMENT ON COLUMN staging.stage_xano_transaction.missing_since IS 'Since when complete full sweeps have not seen the record.';
COMMENT ON COLUMN staging.stage_xano_transaction.merge_rank IS 'How the merge ranked this copy among copies with one stamp.';
COMMENT ON COLUMN staging.stage_xano_transaction.missed_sweeps IS 'How many complete full sweeps in a row missed it.';
COMMENT ON TABLE staging.stage_xano_participant IS 'Newest version of each record: one person on one deal or listing of V1, as read from V1''s table participant.';
COMMENT ON COLUMN staging.stage_xano_participant.id IS 'Order of arrival.';
COMMENT ON COLUMN staging.stage_xano_participant.user_id IS 'The user whose sync brought the record; the partition.';
COMMENT ON COLUMN staging.stage_xano_participant.account_ref IS 'The account it was read through, as platform/account/user.';
COMMENT ON COLUMN staging.stage_xano_participant.source_id IS 'The record''s id at the source.';
COMMENT ON COLUMN staging.stage_xano_participant.payload IS 'The record as it came, minus secret fields.';
COMMENT ON COLUMN staging.stage_xano_participant.payload_hash IS 'Hash of the payload, to see a change cheaply.';
COMMENT ON COLUMN staging.stage_xano_participant.source_updated_at IS 'When the source last changed the record; a newer version wins.';
COMMENT ON COLUMN staging.stage_xano_participant.fetched_at IS 'When this version of the payload was first read.';
COMMENT ON COLUMN staging.stage_xano_participant.run_id IS 'The run that stored this version.';
COMMENT ON COLUMN staging.stage_xano_participant.status IS 'Where the record stands on its way into V2.';
COMMENT ON COLUMN staging.stage_xano_participant.status_reason IS 'Reason code of the status, for machines.';
COMMENT ON COLUMN staging.stage_xano_participant.status_detail IS 'What failed: field, code set, class of the value, or the parent that is missing.';
COMMENT ON COLUMN staging.stage_xano_participant.attempts IS 'How many merges have looked at this version.';
COMMENT ON COLUMN staging.stage_xano_participant.next_attempt_at IS 'Not to be tried again before this instant.';
COMMENT ON COLUMN staging.stage_xano_participant.processed_at IS 'When the record was last merged.';
COMMENT ON COLUMN staging.stage_xano_participant.v2_id IS 'The row of v2.participant that this record became.';
COMMENT ON COLUMN staging.stage_xano_participant.duplicate_of IS 'The staged row that carries the same business record.';
COMMENT ON COLUMN staging.stage_xano_participant.waits_for IS 'The parent a deferred record waits for, as table/natural key values.';
COMMENT ON COLUMN staging.stage_xano_participant.missing_since IS 'Since when complete full sweeps have not seen the record.';
COMMENT ON COLUMN staging.stage_xano_participant.merge_rank IS 'How the merge ranked this copy among copies with one stamp.';
COMMENT ON COLUMN staging.stage_xano_participant.missed_sweeps IS 'How many complete full sweeps in a row missed it.';
COMMENT ON TABLE staging.stage_xano_transaction_tags IS 'Newest version of each record: one tag on one deal of V1, as read from V1''s table transaction_tags.';
COMMENT ON COLUMN staging.stage_xano_transaction_tags.id IS 'Order of arrival.';
COMMENT ON COLUMN staging.stage_xano_transaction_tags.user_id IS 'The user whose sync brought the record; the partition.';
COMMENT ON COLUMN staging.stage_xano_transaction_tags.account_ref IS 'The account it was read through, as platform/account/user.';
COMMENT ON COLUMN staging.stage_xano_transaction_tags.source_id IS 'The record''s id at the source.';
COMMENT ON COLUMN staging.stage_xano_transaction_tags.payload IS 'The record as it came, minus secret fields.';
COMMENT ON COLUMN staging.stage_xano_transaction_tags.payload_hash IS 'Hash of the payload, to see a change cheaply.';
COMMENT ON COLUMN staging.stage_xano_transaction_tags.source_updated_at IS 'When the source last changed the record; a newer version wins.';
COMMENT ON COLUMN staging.stage_xano_transaction_tags.fetched_at IS 'When this version of the payload was first read.';
COMMENT ON COLUMN staging.stage_xano_transaction_tags.run_id IS 'The run that stored this version.';
COMMENT ON COLUMN staging.stage_xano_transaction_tags.status IS 'Where the record stands on its way into V2.';
COMMENT ON COLUMN staging.stage_xano_transaction_tags.status_reason IS 'Reason code of the status, for machines.';
COMMENT ON COLUMN staging.stage_xano_transaction_tags.status_detail IS 'What failed: field, code set, class of the value, or the parent that is missing.';
COMMENT ON COLUMN staging.stage_xano_transaction_tags.attempts IS 'How many merges have looked at this version.';
COMMENT ON COLUMN staging.stage_xano_transaction_tags.next_attempt_at IS 'Not to be tried again before this instant.';
COMMENT ON COLUMN staging.stage_xano_transaction_tags.processed_at IS 'When the record was last merged.';
COMMENT ON COLUMN staging.stage_xano_transaction_tags.v2_id IS 'The row of v2.transaction_tags that this record became.';
COMMENT ON COLUMN staging.stage_xano_transaction_tags.duplicate_of IS 'The staged row that carries the same business record.';
COMMENT ON COLUMN staging.stage_xano_transaction_tags.waits_for IS 'The parent a deferred record waits for, as table/natural key values.';
COMMENT ON COLUMN staging.stage_xano_transaction_tags.missing_since IS 'Since when complete full sweeps have not seen the record.';
COMMENT ON COLUMN staging.stage_xano_transaction_tags.merge_rank IS 'How the merge ranked this copy among copies with one stamp.';
COMMENT ON COLUMN staging.stage_xano_transaction_tags.missed_sweeps IS 'How many complete full sweeps in a row missed it.';
COMMENT ON TABLE staging.stage_xano_listing_photos IS 'Newest version of each record: one picture of one listing of V1, as read from V1''s table listing_photos.';
COMMENT ON COLUMN staging.stage_xano_listing_photos.id IS 'Order of arrival.';
COMMENT ON COLUMN staging.stage_xano_listing_photos.user_id IS 'The user whose sync brought the record; the partition.';
COMMENT ON COLUMN staging.stage_xano_listing_photos.account_ref IS 'The account it was read through, as platform/account/user.';
COMMENT ON COLUMN staging.stage_xano_listing_photos.source_id IS 'The record''s id at the source.';
COMMENT ON COLUMN staging.stage_xano_listing_photos.payload IS 'The record as it came, minus secret fields.';
COMMENT ON COLUMN staging.stage_xano_listing_photos.payload_hash IS 'Hash of the payload, to see a change cheaply.';
COMMENT ON COLUMN staging.stage_xano_listing_photos.source_updated_at IS 'When the source last changed the record; a newer version wins.';
COMMENT ON COLUMN staging.stage_xano_listing_photos.fetched_at IS 'When this version of the payload was first read.';
COMMENT ON COLUMN staging.stage_xano_listing_photos.run_id IS 'The run that stored this version.';
COMMENT ON COLUMN staging.stage_xano_listing_photos.status IS 'Where the record stands on its way into V2.';
COMMENT ON COLUMN staging.stage_xano_listing_photos.status_reason IS 'Reason code of the status, for machines.';
COMMENT ON COLUMN staging.stage_xano_listing_photos.status_detail IS 'What failed: field, code set, class of the value, or the parent that is missing.';
COMMENT ON COLUMN staging.stage_xano_listing_photos.attempts IS 'How many merges have looked at this version.';
COMMENT ON COLUMN staging.stage_xano_listing_photos.next_attempt_at IS 'Not to be tried again before this instant.';
COMMENT ON COLUMN staging.stage_xano_listing_photos.processed_at IS 'When the record was last merged.';
COMMENT ON COLUMN staging.stage_xano_listing_photos.v2_id IS 'The row of v2.listing_photos that this record became.';
COMMENT ON COLUMN staging.stage_xano_listing_photos.duplicate_of IS 'The staged row that carries the same business record.';
COMMENT ON COLUMN staging.stage_xano_listing_photos.waits_for IS 'The parent a deferred record waits for, as table/natural key values.';
COMMENT ON COLUMN staging.stage_xano_listing_photos.missing_since IS 'Since when complete full sweeps have not seen the record.';
COMMENT ON COLUMN staging.stage_xano_listing_photos.merge_rank IS 'How the merge ranked this copy among copies with one stamp.';
COMMENT ON COLUMN staging.stage_xano_listing_photos.missed_sweeps IS 'How many complete full sweeps in a row missed it.';
COMMENT ON TABLE staging.stage_xano_contribution IS 'Newest version of each record: one rev-share contribution of V1, as read from V1''s table contribution.';
COMMENT ON COLUMN staging.stage_xano_contribution.id IS 'Order of arrival.';
COMMENT ON COLUMN staging.stage_xano_contribution.user_id IS 'The user whose sync brought the record; the partition.';
COMMENT ON COLUMN staging.stage_xano_contribution.account_ref IS 'The account it was read through, as platform/account/user.';
COMMENT ON COLUMN staging.stage_xano_contribution.source_id IS 'The record''s id at the source.';
COMMENT ON COLUMN staging.stage_xano_contribution.payload IS 'The record as it came, minus secret fields.';
COMMENT ON COLUMN staging.stage_xano_contribution.payload_hash IS 'Hash of the payload, to see a change cheaply.';
COMMENT ON COLUMN staging.stage_xano_contribution.source_updated_at IS 'When the source last changed the record; a newer version wins.';
COMMENT ON COLUMN staging.stage_xano_contribution.fetched_at IS 'When this version of the payload was first read.';
COMMENT ON COLUMN staging.stage_xano_contribution.run_id IS 'The run that stored this version.';
COMMENT ON COLUMN staging.stage_xano_contribution.status IS 'Where the record stands on its way into V2.';
COMMENT ON COLUMN staging.stage_xano_contribution.status_reason IS 'Reason code of the status, for machines.';
COMMENT ON COLUMN staging.stage_xano_contribution.status_detail IS 'What failed: field, code set, class of the value, or the parent that is missing.';
COMMENT ON COLUMN staging.stage_xano_contribution.attempts IS 'How many merges have looked at this version.';
COMMENT ON COLUMN staging.stage_xano_contribution.next_attempt_at IS 'Not to be tried again before this instant.';
COMMENT ON COLUMN staging.stage_xano_contribution.processed_at IS 'When the record was last merged.';
COMMENT ON COLUMN staging.stage_xano_contribution.v2_id IS 'The row of v2.contribution that this record became.';
COMMENT ON COLUMN staging.stage_xano_contribution.duplicate_of IS 'The staged row that carries the same business record.';
COMMENT ON COLUMN staging.stage_xano_contribution.waits_for IS 'The parent a deferred record waits for, as table/natural key values.';
COMMENT ON COLUMN staging.stage_xano_contribution.missing_since IS 'Since when complete full sweeps have not seen the record.';
COMMENT ON COLUMN staging.stage_xano_contribution.merge_rank IS 'How the merge ranked this copy among copies with one stamp.';
COMMENT ON COLUMN staging.stage_xano_contribution.missed_sweeps IS 'How many complete full sweeps in a row missed it.';
COMMENT ON TABLE staging.stage_xano_network_change_log IS 'Newest version of each record: one change of one down-line that V1 saw, as read from V1''s table network_change_log.';
COMMENT ON COLUMN staging.stage_xano_network_change_log.id IS 'Order of arrival.';
COMMENT ON COLUMN staging.stage_xano_network_change_log.user_id IS 'The user whose sync brought the record; the partition.';
COMMENT ON COLUMN staging.stage_xano_network_change_log.account_ref IS 'The account it was read through, as platform/account/user.';
COMMENT ON COLUMN staging.stage_xano_network_change_log.source_id IS 'The record''s id at the source.';
COMMENT ON COLUMN staging.stage_xano_network_change_log.payload IS 'The record as it came, minus secret fields.';
COMMENT ON COLUMN staging.stage_xano_network_change_log.payload_hash IS 'Hash of the payload, to see a change cheaply.';
COMMENT ON COLUMN staging.stage_xano_network_change_log.source_updated_at IS 'When the source last changed the record; a newer version wins.';
COMMENT ON COLUMN staging.stage_xano_network_change_log.fetched_at IS 'When this version of the payload was first read.';
COMMENT ON COLUMN staging.stage_xano_network_change_log.run_id IS 'The run that stored this version.';
COMMENT ON COLUMN staging.stage_xano_network_change_log.status IS 'Where the record stands on its way into V2.';
COMMENT ON COLUMN staging.stage_xano_network_change_log.status_reason IS 'Reason code of the status, for machines.';
COMMENT ON COLUMN staging.stage_xano_network_change_log.status_detail IS 'What failed: field, code set, class of the value, or the parent that is missing.';
COMMENT ON COLUMN staging.stage_xano_network_change_log.attempts IS 'How many merges have looked at this version.';
COMMENT ON COLUMN staging.stage_xano_network_change_log.next_attempt_at IS 'Not to be tried again before this instant.';
COMMENT ON COLUMN staging.stage_xano_network_change_log.processed_at IS 'When the record was last merged.';
COMMENT ON COLUMN staging.stage_xano_network_change_log.v2_id IS 'The row of v2.network_change_log that this record became.';
COMMENT ON COLUMN staging.stage_xano_network_change_log.duplicate_of IS 'The staged row that carries the same business record.';
COMMENT ON COLUMN staging.stage_xano_network_change_log.waits_for IS 'The parent a deferred record waits for, as table/natural key values.';
COMMENT ON COLUMN staging.stage_xano_network_change_log.missing_since IS 'Since when complete full sweeps have not seen the record.';
COMMENT ON COLUMN staging.stage_xano_network_change_log.merge_rank IS 'How the merge ranked this copy among copies with one stamp.';
COMMENT ON COLUMN staging.stage_xano_network_change_log.missed_sweeps IS 'How many complete full sweeps in a row missed it.';
COMMENT ON TABLE staging.stage_xano_title_agencies IS 'Newest version of each record: one settlement agency of V1, as read from V1''s table title_agencies.';
COMMENT ON COLUMN staging.stage_xano_title_agencies.id IS 'Order of arrival.';
COMMENT ON COLUMN staging.stage_xano_title_agencies.user_id IS 'The user whose sync brought the record; the partition.';
COMMENT ON COLUMN staging.stage_xano_title_agencies.account_ref IS 'The account it was read through, as platform/account/user.';
COMMENT ON COLUMN staging.stage_xano_title_agencies.source_id IS 'The record''s id at the source.';
COMMENT ON COLUMN staging.stage_xano_title_agencies.payload IS 'The record as it came, minus secret fields.';
COMMENT ON COLUMN staging.stage_xano_title_agencies.payload_hash IS 'Hash of the payload, to see a change cheaply.';
COMMENT ON COLUMN staging.stage_xano_title_agencies.source_updated_at IS 'When the source last changed the record; a newer version wins.';
COMMENT ON COLUMN staging.stage_xano_title_agencies.fetched_at IS 'When this version of the payload was first read.';
COMMENT ON COLUMN staging.stage_xano_title_agencies.run_id IS 'The run that stored this version.';
COMMENT ON COLUMN staging.stage_xano_title_agencies.status IS 'Where the record stands on its way into V2.';
COMMENT ON COLUMN staging.stage_xano_title_agencies.status_reason IS 'Reason code of the status, for machines.';
COMMENT ON COLUMN staging.stage_xano_title_agencies.status_detail IS 'What failed: field, code set, class of the value, or the parent that is missing.';
COMMENT ON COLUMN staging.stage_xano_title_agencies.attempts IS 'How many merges have looked at this version.';
COMMENT ON COLUMN staging.stage_xano_title_agencies.next_attempt_at IS 'Not to be tried again before this instant.';
COMMENT ON COLUMN staging.stage_xano_title_agencies.processed_at IS 'When the record was last merged.';
COMMENT ON COLUMN staging.stage_xano_title_agencies.v2_id IS 'The row of v2.title_agencies that this record became.';
COMMENT ON COLUMN staging.stage_xano_title_agencies.duplicate_of IS 'The staged row that carries the same business record.';
COMMENT ON COLUMN staging.stage_xano_title_agencies.waits_for IS 'The parent a deferred record waits for, as table/natural key values.';
COMMENT ON COLUMN staging.stage_xano_title_agencies.missing_since IS 'Since when complete full sweeps have not seen the record.';
COMMENT ON COLUMN staging.stage_xano_title_agencies.merge_rank IS 'How the merge ranked this copy among copies with one stamp.';
COMMENT ON COLUMN staging.stage_xano_title_agencies.missed_sweeps IS 'How many complete full sweeps in a row missed it.';
COMMENT ON TABLE staging.stage_xano_title_users IS 'Newest version of each record: one title user of V1, as read from V1''s table title_users.';
COMMENT ON COLUMN staging.stage_xano_title_users.id IS 'Order of arrival.';
COMMENT ON COLUMN staging.stage_xano_title_users.user_id IS 'The user whose sync brought the record; the partition.';
COMMENT ON COLUMN staging.stage_xano_title_users.account_ref IS 'The account it was read through, as platform/account/user.';
COMMENT ON COLUMN staging.stage_xano_title_users.source_id IS 'The record''s id at the source.';
COMMENT ON COLUMN staging.stage_xano_title_users.payload IS 'The record as it came, minus secret fields.';
COMMENT ON COLUMN staging.stage_xano_title_users.payload_hash IS 'Hash of the payload, to see a change cheaply.';
COMMENT ON COLUMN staging.stage_xano_title_users.source_updated_at IS 'When the source last changed the record; a newer version wins.';
COMMENT ON COLUMN staging.stage_xano_title_users.fetched_at IS 'When this version of the payload was first read.';
COMMENT ON COLUMN staging.stage_xano_title_users.run_id IS 'The run that stored this version.';
COMMENT ON COLUMN staging.stage_xano_title_users.status IS 'Where the record stands on its way into V2.';
COMMENT ON COLUMN staging.stage_xano_title_users.status_reason IS 'Reason code of the status, for machines.';
COMMENT ON COLUMN staging.stage_xano_title_users.status_detail IS 'What failed: field, code set, class of the value, or the parent that is missing.';
COMMENT ON COLUMN staging.stage_xano_title_users.attempts IS 'How many merges have looked at this version.';
COMMENT ON COLUMN staging.stage_xano_title_users.next_attempt_at IS 'Not to be tried again before this instant.';
COMMENT ON COLUMN staging.stage_xano_title_users.processed_at IS 'When the record was last merged.';
COMMENT ON COLUMN staging.stage_xano_title_users.v2_id IS 'The row of v2.title_users that this record became.';
COMMENT ON COLUMN staging.stage_xano_title_users.duplicate_of IS 'The staged row that carries the same business record.';
COMMENT ON COLUMN staging.stage_xano_title_users.waits_for IS 'The parent a deferred record waits for, as table/natural key values.';
COMMENT ON COLUMN staging.stage_xano_title_users.missing_since IS 'Since when complete full sweeps have not seen the record.';
COMMENT ON COLUMN staging.stage_xano_title_users.merge_rank IS 'How the merge ranked this copy among copies with one stamp.';
COMMENT ON COLUMN staging.stage_xano_title_users.missed_sweeps IS 'How many complete full sweeps in a row missed it.';
COMMENT ON TABLE staging.stage_xano_title_orders IS 'Newest version of each record: one title order of V1, as read from V1''s table title_orders.';
COMMENT ON COLUMN staging.stage_xano_title_orders.id IS 'Order of arrival.';
COMMENT ON COLUMN staging.stage_xano_title_orders.user_id IS 'The user whose sync brought the record; the partition.';
COMMENT ON COLUMN staging.stage_xano_title_orders.account_ref IS 'The account it was read through, as platform/account/user.';
COMMENT ON COLUMN staging.stage_xano_title_orders.source_id IS 'The record''s id at the source.';
COMMENT ON COLUMN staging.stage_xano_title_orders.payload IS 'The record as it came, minus secret fields.';
COMMENT ON COLUMN staging.stage_xano_title_orders.payload_hash IS 'Hash of the payload, to see a change cheaply.';
COMMENT ON COLUMN staging.stage_xano_title_orders.source_updated_at IS 'When the source last changed the record; a newer version wins.';
COMMENT ON COLUMN staging.stage_xano_title_orders.fetched_at IS 'When this version of the payload was first read.';
COMMENT ON COLUMN staging.stage_xano_title_orders.run_id IS 'The run that stored this version.';
COMMENT ON COLUMN staging.stage_xano_title_orders.status IS 'Where the record stands on its way into V2.';
COMMENT ON COLUMN staging.stage_xano_title_orders.status_reason IS 'Reason code of the status, for machines.';
COMMENT ON COLUMN staging.stage_xano_title_orders.status_detail IS 'What failed: field, code set, class of the value, or the parent that is missing.';
COMMENT ON COLUMN staging.stage_xano_title_orders.attempts IS 'How many merges have looked at this version.';
COMMENT ON COLUMN staging.stage_xano_title_orders.next_attempt_at IS 'Not to be tried again before this instant.';
COMMENT ON COLUMN staging.stage_xano_title_orders.processed_at IS 'When the record was last merged.';
COMMENT ON COLUMN staging.stage_xano_title_orders.v2_id IS 'The row of v2.title_orders that this record became.';
COMMENT ON COLUMN staging.stage_xano_title_orders.duplicate_of IS 'The staged row that carries the same business record.';
COMMENT ON COLUMN staging.stage_xano_title_orders.waits_for IS 'The parent a deferred record waits for, as table/natural key values.';
COMMENT ON COLUMN staging.stage_xano_title_orders.missing_since IS 'Since when complete full sweeps have not seen the record.';
COMMENT ON COLUMN staging.stage_xano_title_orders.merge_rank IS 'How the merge ranked this copy among copies with one stamp.';
COMMENT ON COLUMN staging.stage_xano_title_orders.missed_sweeps IS 'How many complete full sweeps in a row missed it.';
COMMENT ON TABLE staging.stage_xano_title_events IS 'Newest version of each record: one event of one title order of V1, as read from V1''s table title_events.';
COMMENT ON COLUMN staging.stage_xano_title_events.id IS 'Order of arrival.';
COMMENT ON COLUMN staging.stage_xano_title_events.user_id IS 'The user whose sync brought the record; the partition.';
COMMENT ON COLUMN staging.stage_xano_title_events.account_ref IS 'The account it was read through, as platform/account/user.';
COMMENT ON COLUMN staging.stage_xano_title_events.source_id IS 'The record''s id at the source.';
COMMENT ON COLUMN staging.stage_xano_title_events.payload IS 'The record as it came, minus secret fields.';
COMMENT ON COLUMN staging.stage_xano_title_events.payload_hash IS 'Hash of the payload, to see a change cheaply.';
COMMENT ON COLUMN staging.stage_xano_title_events.source_updated_at IS 'When the source last changed the record; a newer version wins.';
COMMENT ON COLUMN staging.stage_xano_title_events.fetched_at IS 'When this version of the payload was first read.';
COMMENT ON COLUMN staging.stage_xano_title_events.run_id IS 'The run that stored this version.';
COMMENT ON COLUMN staging.stage_xano_title_events.status IS 'Where the record stands on its way into V2.';
COMMENT ON COLUMN staging.stage_xano_title_events.status_reason IS 'Reason code of the status, for machines.';
COMMENT ON COLUMN staging.stage_xano_title_events.status_detail IS 'What failed: field, code set, class of the value, or the parent that is missing.';
COMMENT ON COLUMN staging.stage_xano_title_events.attempts IS 'How many merges have looked at this version.';
COMMENT ON COLUMN staging.stage_xano_title_events.next_attempt_at IS 'Not to be tried again before this instant.';
COMMENT ON COLUMN staging.stage_xano_title_events.processed_at IS 'When the record was last merged.';
COMMENT ON COLUMN staging.stage_xano_title_events.v2_id IS 'The row of v2.title_events that this record became.';
COMMENT ON COLUMN staging.stage_xano_title_events.duplicate_of IS 'The staged row that carries the same business record.';
COMMENT ON COLUMN staging.stage_xano_title_events.waits_for IS 'The parent a deferred record waits for, as table/natural key values.';
COMMENT ON COLUMN staging.stage_xano_title_events.missing_since IS 'Since when complete full sweeps have not seen the record.';
COMMENT ON COLUMN staging.stage_xano_title_events.merge_rank IS 'How the merge ranked this copy among copies with one stamp.';
COMMENT ON COLUMN staging.stage_xano_title_events.missed_sweeps IS 'How many complete full sweeps in a row missed it.';
COMMENT ON TABLE staging.stage_xano_title_disbursements IS 'Newest version of each record: one payment out of one closing, as read from V1''s table title_disbursements.';
COMMENT ON COLUMN staging.stage_xano_title_disbursements.id IS 'Order of arrival.';
COMMENT ON COLUMN staging.stage_xano_title_disbursements.user_id IS 'The user whose sync brought the record; the partition.';
COMMENT ON COLUMN staging.stage_xano_title_disbursements.account_ref IS 'The account it was read through, as platform/account/user.';
COMMENT ON COLUMN staging.stage_xano_title_disbursements.source_id IS 'The record''s id at the source.';
COMMENT ON COLUMN staging.stage_xano_title_disbursements.payload IS 'The record as it came, minus secret fields.';
COMMENT ON COLUMN staging.stage_xano_title_disbursements.payload_hash IS 'Hash of the payload, to see a change cheaply.';
COMMENT ON COLUMN staging.stage_xano_title_disbursements.source_updated_at IS 'When the source last changed the record; a newer version wins.';
COMMENT ON COLUMN staging.stage_xano_title_disbursements.fetched_at IS 'When this version of the payload was first read.';
COMMENT ON COLUMN staging.stage_xano_title_disbursements.run_id IS 'The run that stored this version.';
COMMENT ON COLUMN staging.stage_xano_title_disbursements.status IS 'Where the record stands on its way into V2.';
COMMENT ON COLUMN staging.stage_xano_title_disbursements.status_reason IS 'Reason code of the status, for machines.';
COMMENT ON COLUMN staging.stage_xano_title_disbursements.status_detail IS 'What failed: field, code set, class of the value, or the parent that is missing.';
COMMENT ON COLUMN staging.stage_xano_title_disbursements.attempts IS 'How many merges have looked at this version.';
COMMENT ON COLUMN staging.stage_xano_title_disbursements.next_attempt_at IS 'Not to be tried again before this instant.';
COMMENT ON COLUMN staging.stage_xano_title_disbursements.processed_at IS 'When the record was last merged.';
COMMENT ON COLUMN staging.stage_xano_title_disbursements.v2_id IS 'The row of v2.title_disbursements that this record became.';
COMMENT ON COLUMN staging.stage_xano_title_disbursements.duplicate_of IS 'The staged row that carries the same business record.';
COMMENT ON COLUMN staging.stage_xano_title_disbursements.waits_for IS 'The parent a deferred record waits for, as table/natural key values.';
COMMENT ON COLUMN staging.stage_xano_title_disbursements.missing_since IS 'Since when complete full sweeps have not seen the record.';
COMMENT ON COLUMN staging.stage_xano_title_disbursements.merge_rank IS 'How the merge ranked this copy among copies with one stamp.';
COMMENT ON COLUMN staging.stage_xano_title_disbursements.missed_sweeps IS 'How many complete full sweeps in a row missed it.';
COMMENT ON TABLE staging.stage_xano_title_closing_items IS 'Newest version of each record: one item of one closing''s checklist, as read from V1''s table title_closing_items.';
COMMENT ON COLUMN staging.stage_xano_title_closing_items.id IS 'Order of arrival.';
COMMENT ON COLUMN staging.stage_xano_title_closing_items.user_id IS 'The user whose sync brought the record; the partition.';
COMMENT ON COLUMN staging.stage_xano_title_closing_items.account_ref IS 'The account it was read through, as platform/account/user.';
COMMENT ON COLUMN staging.stage_xano_title_closing_items.source_id IS 'The record''s id at the source.';
COMMENT ON COLUMN staging.stage_xano_title_closing_items.payload IS 'The record as it came, minus secret fields.';
COMMENT ON COLUMN staging.stage_xano_title_closing_items.payload_hash IS 'Hash of the payload, to see a change cheaply.';
COMMENT ON COLUMN staging.stage_xano_title_closing_items.source_updated_at IS 'When the source last changed the record; a newer version wins.';
COMMENT ON COLUMN staging.stage_xano_title_closing_items.fetched_at IS 'When this version of the payload was first read.';
COMMENT ON COLUMN staging.stage_xano_title_closing_items.run_id IS 'The run that stored this version.';
COMMENT ON COLUMN staging.stage_xano_title_closing_items.status IS 'Where the record stands on its way into V2.';
COMMENT ON COLUMN staging.stage_xano_title_closing_items.status_reason IS 'Reason code of the status, for machines.';
COMMENT ON COLUMN staging.stage_xano_title_closing_items.status_detail IS 'What failed: field, code set, class of the value, or the parent that is missing.';
COMMENT ON COLUMN staging.stage_xano_title_closing_items.attempts IS 'How many merges have looked at this version.';
COMMENT ON COLUMN staging.stage_xano_title_closing_items.next_attempt_at IS 'Not to be tried again before this instant.';
COMMENT ON COLUMN staging.stage_xano_title_closing_items.processed_at IS 'When the record was last merged.';
COMMENT ON COLUMN staging.stage_xano_title_closing_items.v2_id IS 'The row of v2.title_closing_items that this record became.';
COMMENT ON COLUMN staging.stage_xano_title_closing_items.duplicate_of IS 'The staged row that carries the same business record.';
COMMENT ON COLUMN staging.stage_xano_title_closing_items.waits_for IS 'The parent a deferred record waits for, as table/natural key values.';
COMMENT ON COLUMN staging.stage_xano_title_closing_items.missing_since IS 'Since when complete full sweeps have not seen the record.';
COMMENT ON COLUMN staging.stage_xano_title_closing_items.merge_rank IS 'How the merge ranked this copy among copies with one stamp.';
COMMENT ON COLUMN staging.stage_xano_title_closing_items.missed_sweeps IS 'How many complete full sweeps in a row missed it.';
COMMENT ON TABLE staging.stage_xano_closing_disclosure IS 'Newest version of each record: one line of one closing disclosure, as read from V1''s table closing_disclosure.';
COMMENT ON COLUMN staging.stage_xano_closing_disclosure.id IS 'Order of arrival.';
COMMENT ON COLUMN staging.stage_xano_closing_disclosure.user_id IS 'The user whose sync brought the record; the partition.';
COMMENT ON COLUMN staging.stage_xano_closing_disclosure.account_ref IS 'The account it was read through, as platform/account/user.';
COMMENT ON COLUMN staging.stage_xano_closing_disclosure.source_id IS 'The record''s id at the source.';
COMMENT ON COLUMN staging.stage_xano_closing_disclosure.payload IS 'The record as it came, minus secret fields.';
COMMENT ON COLUMN staging.stage_xano_closing_disclosure.payload_hash IS 'Hash of the payload, to see a change cheaply.';
COMMENT ON COLUMN staging.stage_xano_closing_disclosure.source_updated_at IS 'When the source last changed the record; a newer version wins.';
COMMENT ON COLUMN staging.stage_xano_closing_disclosure.fetched_at IS 'When this version of the payload was first read.';
COMMENT ON COLUMN staging.stage_xano_closing_disclosure.run_id IS 'The run that stored this version.';
COMMENT ON COLUMN staging.stage_xano_closing_disclosure.status IS 'Where the record stands on its way into V2.';
COMMENT ON COLUMN staging.stage_xano_closing_disclosure.status_reason IS 'Reason code of the status, for machines.';
COMMENT ON COLUMN staging.stage_xano_closing_disclosure.status_detail IS 'What failed: field, code set, class of the value, or the parent that is missing.';
COMMENT ON COLUMN staging.stage_xano_closing_disclosure.attempts IS 'How many merges have looked at this version.';
COMMENT ON COLUMN staging.stage_xano_closing_disclosure.next_attempt_at IS 'Not to be tried again before this instant.';
COMMENT ON COLUMN staging.stage_xano_closing_disclosure.processed_at IS 'When the record was last merged.';
COMMENT ON COLUMN staging.stage_xano_closing_disclosure.v2_id IS 'The row of v2.closing_disclosure that this record became.';
COMMENT ON COLUMN staging.stage_xano_closing_disclosure.duplicate_of IS 'The staged row that carries the same business record.';
COMMENT ON COLUMN staging.stage_xano_closing_disclosure.waits_for IS 'The parent a deferred record waits for, as table/natural key values.';
COMMENT ON COLUMN staging.stage_xano_closing_disclosure.missing_since IS 'Since when complete full sweeps have not seen the record.';
COMMENT ON COLUMN staging.stage_xano_closing_disclosure.merge_rank IS 'How the merge ranked this copy among copies with one stamp.';
COMMENT ON COLUMN staging.stage_xano_closing_disclosure.missed_sweeps IS 'How many complete full sweeps in a row missed it.';
