-- Revision 0007: title orders and what belongs to them.

CREATE TABLE v2.title_agencies (
    id BIGINT GENERATED ALWAYS AS IDENTITY,
    agency_id_raw TEXT NOT NULL,
    name TEXT,
    states TEXT[],
    email TEXT,
    phone TEXT,
    address_id BIGINT,
    source TEXT NOT NULL,
    source_updated_at TIMESTAMP WITH TIME ZONE,
    created_at TIMESTAMP WITH TIME ZONE DEFAULT now() NOT NULL,
    updated_at TIMESTAMP WITH TIME ZONE DEFAULT now() NOT NULL,
    deleted_at TIMESTAMP WITH TIME ZONE,
    CONSTRAINT title_agencies_pkey PRIMARY KEY (id),
    CONSTRAINT title_agencies_key UNIQUE (agency_id_raw)
);

CREATE TABLE v2.title_users (
    id BIGINT GENERATED ALWAYS AS IDENTITY,
    title_user_id_raw TEXT NOT NULL,
    first_name TEXT,
    last_name TEXT,
    full_name TEXT,
    email TEXT,
    user_id BIGINT,
    source TEXT NOT NULL,
    source_updated_at TIMESTAMP WITH TIME ZONE,
    created_at TIMESTAMP WITH TIME ZONE DEFAULT now() NOT NULL,
    updated_at TIMESTAMP WITH TIME ZONE DEFAULT now() NOT NULL,
    deleted_at TIMESTAMP WITH TIME ZONE,
    CONSTRAINT title_users_pkey PRIMARY KEY (id),
    CONSTRAINT title_users_key UNIQUE (title_user_id_raw)
);

CREATE TABLE v2.title_orders (
    id BIGINT GENERATED ALWAYS AS IDENTITY,
    order_id_raw TEXT NOT NULL,
    order_number TEXT,
    external_reference_number TEXT,
    status TEXT,
    open_date TIMESTAMP WITH TIME ZONE,
    open_date_raw TEXT,
    close_date TIMESTAMP WITH TIME ZONE,
    close_date_raw TEXT,
    cash_only BOOLEAN,
    loan_amount NUMERIC(14, 2),
    purchase_price NUMERIC(14, 2),
    loan_type TEXT,
    current_stage TEXT,
    current_stage_key TEXT,
    settlement_agency_id_raw TEXT,
    settlement_agency_name TEXT,
    orderer_id_raw TEXT,
    property_address TEXT,
    property_street TEXT,
    property_unit TEXT,
    property_city TEXT,
    property_state TEXT,
    property_zip TEXT,
    property_county TEXT,
    property_count BIGINT,
    borrower_name TEXT,
    seller_name TEXT,
    properties JSONB,
    borrowers JSONB,
    sellers JSONB,
    agents JSONB,
    lender_contacts JSONB,
    milestones JSONB,
    environment TEXT,
    match_rule TEXT,
    transaction_id BIGINT,
    address_id BIGINT,
    agency_id BIGINT,
    orderer_id BIGINT,
    user_id BIGINT,
    source TEXT NOT NULL,
    source_updated_at TIMESTAMP WITH TIME ZONE,
    created_at TIMESTAMP WITH TIME ZONE DEFAULT now() NOT NULL,
    updated_at TIMESTAMP WITH TIME ZONE DEFAULT now() NOT NULL,
    deleted_at TIMESTAMP WITH TIME ZONE,
    CONSTRAINT title_orders_pkey PRIMARY KEY (id),
    CONSTRAINT title_orders_key UNIQUE (order_id_raw)
);

CREATE TABLE v2.title_events (
    id BIGINT GENERATED ALWAYS AS IDENTITY,
    order_id BIGINT NOT NULL,
    event_key TEXT NOT NULL,
    kind TEXT,
    name TEXT,
    complete BOOLEAN,
    occurred_at TIMESTAMP WITH TIME ZONE,
    description TEXT,
    source TEXT NOT NULL,
    source_updated_at TIMESTAMP WITH TIME ZONE,
    created_at TIMESTAMP WITH TIME ZONE DEFAULT now() NOT NULL,
    updated_at TIMESTAMP WITH TIME ZONE DEFAULT now() NOT NULL,
    deleted_at TIMESTAMP WITH TIME ZONE,
    CONSTRAINT title_events_pkey PRIMARY KEY (id),
    CONSTRAINT title_events_key UNIQUE (order_id, event_key)
);

CREATE TABLE v2.title_event_history (
    id BIGINT GENERATED ALWAYS AS IDENTITY,
    order_id BIGINT NOT NULL,
    event_key TEXT NOT NULL,
    changed_at TIMESTAMP WITH TIME ZONE NOT NULL,
    old_complete BOOLEAN,
    new_complete BOOLEAN,
    old_occurred_at TIMESTAMP WITH TIME ZONE,
    new_occurred_at TIMESTAMP WITH TIME ZONE,
    source TEXT NOT NULL,
    source_updated_at TIMESTAMP WITH TIME ZONE,
    created_at TIMESTAMP WITH TIME ZONE DEFAULT now() NOT NULL,
    updated_at TIMESTAMP WITH TIME ZONE DEFAULT now() NOT NULL,
    deleted_at TIMESTAMP WITH TIME ZONE,
    CONSTRAINT title_event_history_pkey PRIMARY KEY (id),
    CONSTRAINT title_event_history_key UNIQUE (order_id, event_key, changed_at)
);

CREATE TABLE v2.title_disbursements (
    id BIGINT GENERATED ALWAYS AS IDENTITY,
    disbursement_id_raw TEXT NOT NULL,
    order_id_raw TEXT,
    amount NUMERIC(14, 2),
    currency TEXT,
    payee TEXT,
    payor TEXT,
    payment_method TEXT,
    description TEXT,
    status TEXT,
    disbursed_on DATE,
    cleared_on DATE,
    details JSONB,
    order_id BIGINT,
    source TEXT NOT NULL,
    source_updated_at TIMESTAMP WITH TIME ZONE,
    created_at TIMESTAMP WITH TIME ZONE DEFAULT now() NOT NULL,
    updated_at TIMESTAMP WITH TIME ZONE DEFAULT now() NOT NULL,
    deleted_at TIMESTAMP WITH TIME ZONE,
    CONSTRAINT title_disbursements_pkey PRIMARY KEY (id),
    CONSTRAINT title_disbursements_key UNIQUE (source, disbursement_id_raw)
);

CREATE TABLE v2.title_closing_items (
    id BIGINT GENERATED ALWAYS AS IDENTITY,
    closing_item_id_raw TEXT NOT NULL,
    order_id_raw TEXT,
    name TEXT,
    category TEXT,
    status TEXT,
    complete BOOLEAN,
    amount NUMERIC(14, 2),
    currency TEXT,
    due_at TIMESTAMP WITH TIME ZONE,
    completed_at TIMESTAMP WITH TIME ZONE,
    details JSONB,
    order_id BIGINT,
    source TEXT NOT NULL,
    source_updated_at TIMESTAMP WITH TIME ZONE,
    created_at TIMESTAMP WITH TIME ZONE DEFAULT now() NOT NULL,
    updated_at TIMESTAMP WITH TIME ZONE DEFAULT now() NOT NULL,
    deleted_at TIMESTAMP WITH TIME ZONE,
    CONSTRAINT title_closing_items_pkey PRIMARY KEY (id),
    CONSTRAINT title_closing_items_key UNIQUE (source, closing_item_id_raw)
);

CREATE TABLE v2.closing_disclosure (
    id BIGINT GENERATED ALWAYS AS IDENTITY,
    closing_disclosure_id_raw TEXT NOT NULL,
    order_id_raw TEXT,
    section TEXT,
    line_number TEXT,
    description TEXT,
    paid_by TEXT,
    payee TEXT,
    amount NUMERIC(14, 2),
    buyer_amount NUMERIC(14, 2),
    seller_amount NUMERIC(14, 2),
    currency TEXT,
    closing_date DATE,
    details JSONB,
    order_id BIGINT,
    transaction_id BIGINT,
    source TEXT NOT NULL,
    source_updated_at TIMESTAMP WITH TIME ZONE,
    created_at TIMESTAMP WITH TIME ZONE DEFAULT now() NOT NULL,
    updated_at TIMESTAMP WITH TIME ZONE DEFAULT now() NOT NULL,
    deleted_at TIMESTAMP WITH TIME ZONE,
    CONSTRAINT closing_disclosure_pkey PRIMARY KEY (id),
    CONSTRAINT closing_disclosure_key UNIQUE (source, closing_disclosure_id_raw)
);

CREATE TABLE staging.stage_title_orders (
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
    CONSTRAINT stage_title_orders_pkey PRIMARY KEY (id),
    CONSTRAINT stage_title_orders_key UNIQUE (account_ref, source_id),
    CONSTRAINT stage_title_orders_status_check CHECK (status in ('pending', 'processed', 'duplicate', 'rejected', 'deferred', 'filtered')),
    CONSTRAINT stage_title_orders_processed_check CHECK (status <> 'processed' or (v2_id is not null and processed_at is not null)),
    CONSTRAINT stage_title_orders_refused_check CHECK (status not in ('rejected', 'filtered') or status_reason is not null),
    CONSTRAINT stage_title_orders_deferred_check CHECK (status <> 'deferred' or (waits_for is not null and status_reason is not null)),
    CONSTRAINT stage_title_orders_duplicate_check CHECK (status <> 'duplicate' or (duplicate_of is not null and duplicate_of <> id)),
    CONSTRAINT stage_title_orders_counts_check CHECK (attempts >= 0 and missed_sweeps >= 0),
    CONSTRAINT stage_title_orders_payload_check CHECK (jsonb_typeof(payload) = 'object')
);

CREATE TABLE staging.stage_title_agencies (
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
    CONSTRAINT stage_title_agencies_pkey PRIMARY KEY (id),
    CONSTRAINT stage_title_agencies_key UNIQUE (account_ref, source_id),
    CONSTRAINT stage_title_agencies_status_check CHECK (status in ('pending', 'processed', 'duplicate', 'rejected', 'deferred', 'filtered')),
    CONSTRAINT stage_title_agencies_processed_check CHECK (status <> 'processed' or (v2_id is not null and processed_at is not null)),
    CONSTRAINT stage_title_agencies_refused_check CHECK (status not in ('rejected', 'filtered') or status_reason is not null),
    CONSTRAINT stage_title_agencies_deferred_check CHECK (status <> 'deferred' or (waits_for is not null and status_reason is not null)),
    CONSTRAINT stage_title_agencies_duplicate_check CHECK (status <> 'duplicate' or (duplicate_of is not null and duplicate_of <> id)),
    CONSTRAINT stage_title_agencies_counts_check CHECK (attempts >= 0 and missed_sweeps >= 0),
    CONSTRAINT stage_title_agencies_payload_check CHECK (jsonb_typeof(payload) = 'object')
);

CREATE TABLE staging.stage_title_users (
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
    CONSTRAINT stage_title_users_pkey PRIMARY KEY (id),
    CONSTRAINT stage_title_users_key UNIQUE (account_ref, source_id),
    CONSTRAINT stage_title_users_status_check CHECK (status in ('pending', 'processed', 'duplicate', 'rejected', 'deferred', 'filtered')),
    CONSTRAINT stage_title_users_processed_check CHECK (status <> 'processed' or (v2_id is not null and processed_at is not null)),
    CONSTRAINT stage_title_users_refused_check CHECK (status not in ('rejected', 'filtered') or status_reason is not null),
    CONSTRAINT stage_title_users_deferred_check CHECK (status <> 'deferred' or (waits_for is not null and status_reason is not null)),
    CONSTRAINT stage_title_users_duplicate_check CHECK (status <> 'duplicate' or (duplicate_of is not null and duplicate_of <> id)),
    CONSTRAINT stage_title_users_counts_check CHECK (attempts >= 0 and missed_sweeps >= 0),
    CONSTRAINT stage_title_users_payload_check CHECK (jsonb_typeof(payload) = 'object')
);

ALTER TABLE v2.title_agencies ADD CONSTRAINT title_agencies_address_id_fkey FOREIGN KEY(address_id) REFERENCES v2.address (id) DEFERRABLE INITIALLY DEFERRED;
ALTER TABLE v2.title_users ADD CONSTRAINT title_users_user_id_fkey FOREIGN KEY(user_id) REFERENCES v2."user" (id) DEFERRABLE INITIALLY DEFERRED;
ALTER TABLE v2.title_orders ADD CONSTRAINT title_orders_address_id_fkey FOREIGN KEY(address_id) REFERENCES v2.address (id) DEFERRABLE INITIALLY DEFERRED;
ALTER TABLE v2.title_orders ADD CONSTRAINT title_orders_agency_id_fkey FOREIGN KEY(agency_id) REFERENCES v2.title_agencies (id) DEFERRABLE INITIALLY DEFERRED;
ALTER TABLE v2.title_orders ADD CONSTRAINT title_orders_orderer_id_fkey FOREIGN KEY(orderer_id) REFERENCES v2.title_users (id) DEFERRABLE INITIALLY DEFERRED;
ALTER TABLE v2.title_orders ADD CONSTRAINT title_orders_transaction_id_fkey FOREIGN KEY(transaction_id) REFERENCES v2.transaction (id) DEFERRABLE INITIALLY DEFERRED;
ALTER TABLE v2.title_orders ADD CONSTRAINT title_orders_user_id_fkey FOREIGN KEY(user_id) REFERENCES v2."user" (id) DEFERRABLE INITIALLY DEFERRED;
ALTER TABLE v2.title_events ADD CONSTRAINT title_events_order_id_fkey FOREIGN KEY(order_id) REFERENCES v2.title_orders (id) DEFERRABLE INITIALLY DEFERRED;
ALTER TABLE v2.title_event_history ADD CONSTRAINT title_event_history_order_id_fkey FOREIGN KEY(order_id) REFERENCES v2.title_orders (id) DEFERRABLE INITIALLY DEFERRED;
ALTER TABLE v2.title_disbursements ADD CONSTRAINT title_disbursements_order_id_fkey FOREIGN KEY(order_id) REFERENCES v2.title_orders (id) DEFERRABLE INITIALLY DEFERRED;
ALTER TABLE v2.title_closing_items ADD CONSTRAINT title_closing_items_order_id_fkey FOREIGN KEY(order_id) REFERENCES v2.title_orders (id) DEFERRABLE INITIALLY DEFERRED;
ALTER TABLE v2.closing_disclosure ADD CONSTRAINT closing_disclosure_order_id_fkey FOREIGN KEY(order_id) REFERENCES v2.title_orders (id) DEFERRABLE INITIALLY DEFERRED;
ALTER TABLE v2.closing_disclosure ADD CONSTRAINT closing_disclosure_transaction_id_fkey FOREIGN KEY(transaction_id) REFERENCES v2.transaction (id) DEFERRABLE INITIALLY DEFERRED;
ALTER TABLE staging.stage_title_orders ADD CONSTRAINT stage_title_orders_duplicate_of_fkey FOREIGN KEY(duplicate_of) REFERENCES staging.stage_title_orders (id) DEFERRABLE INITIALLY DEFERRED;
ALTER TABLE staging.stage_title_agencies ADD CONSTRAINT stage_title_agencies_duplicate_of_fkey FOREIGN KEY(duplicate_of) REFERENCES staging.stage_title_agencies (id) DEFERRABLE INITIALLY DEFERRED;
ALTER TABLE staging.stage_title_users ADD CONSTRAINT stage_title_users_duplicate_of_fkey FOREIGN KEY(duplicate_of) REFERENCES staging.stage_title_users (id) DEFERRABLE INITIALLY DEFERRED;

CREATE INDEX title_users_user_id_idx ON v2.title_users (user_id);
CREATE INDEX title_orders_address_id_idx ON v2.title_orders (address_id);
CREATE INDEX title_orders_agency_id_idx ON v2.title_orders (agency_id);
CREATE INDEX title_orders_transaction_id_idx ON v2.title_orders (transaction_id);
CREATE INDEX title_orders_user_id_idx ON v2.title_orders (user_id);
CREATE INDEX title_disbursements_no_order_idx ON v2.title_disbursements (order_id_raw) WHERE order_id is null;
CREATE INDEX title_disbursements_order_id_idx ON v2.title_disbursements (order_id);
CREATE INDEX title_closing_items_no_order_idx ON v2.title_closing_items (order_id_raw) WHERE order_id is null;
CREATE INDEX title_closing_items_order_id_idx ON v2.title_closing_items (order_id);
CREATE INDEX closing_disclosure_no_order_idx ON v2.closing_disclosure (order_id_raw) WHERE order_id is null;
CREATE INDEX closing_disclosure_order_id_idx ON v2.closing_disclosure (order_id);
CREATE INDEX closing_disclosure_transaction_id_idx ON v2.closing_disclosure (transaction_id);
CREATE INDEX stage_title_orders_duplicate_idx ON staging.stage_title_orders (duplicate_of) WHERE duplicate_of is not null;
CREATE INDEX stage_title_orders_pending_idx ON staging.stage_title_orders (user_id, id) WHERE status = 'pending';
CREATE INDEX stage_title_orders_user_status_idx ON staging.stage_title_orders (user_id, status);
CREATE INDEX stage_title_orders_v2_idx ON staging.stage_title_orders (v2_id) WHERE status = 'processed';
CREATE INDEX stage_title_orders_waiting_idx ON staging.stage_title_orders (waits_for) WHERE status = 'deferred';
CREATE INDEX stage_title_agencies_duplicate_idx ON staging.stage_title_agencies (duplicate_of) WHERE duplicate_of is not null;
CREATE INDEX stage_title_agencies_pending_idx ON staging.stage_title_agencies (user_id, id) WHERE status = 'pending';
CREATE INDEX stage_title_agencies_user_status_idx ON staging.stage_title_agencies (user_id, status);
CREATE INDEX stage_title_agencies_v2_idx ON staging.stage_title_agencies (v2_id) WHERE status = 'processed';
CREATE INDEX stage_title_agencies_waiting_idx ON staging.stage_title_agencies (waits_for) WHERE status = 'deferred';
CREATE INDEX stage_title_users_duplicate_idx ON staging.stage_title_users (duplicate_of) WHERE duplicate_of is not null;
CREATE INDEX stage_title_users_pending_idx ON staging.stage_title_users (user_id, id) WHERE status = 'pending';
CREATE INDEX stage_title_users_user_status_idx ON staging.stage_title_users (user_id, status);
CREATE INDEX stage_title_users_v2_idx ON staging.stage_title_users (v2_id) WHERE status = 'processed';
CREATE INDEX stage_title_users_waiting_idx ON staging.stage_title_users (waits_for) WHERE status = 'deferred';

COMMENT ON TABLE v2.title_agencies IS 'One settlement agency.';
COMMENT ON COLUMN v2.title_agencies.id IS 'Our own number of the row, stable for its life.';
COMMENT ON COLUMN v2.title_agencies.agency_id_raw IS 'The agency''s id at the source; upper and lower case differ.';
COMMENT ON COLUMN v2.title_agencies.name IS 'The agency''s name.';
COMMENT ON COLUMN v2.title_agencies.states IS 'States in which the agency was offered to the organisation.';
COMMENT ON COLUMN v2.title_agencies.email IS 'E-mail address.';
COMMENT ON COLUMN v2.title_agencies.phone IS 'Phone number as the source writes it.';
COMMENT ON COLUMN v2.title_agencies.address_id IS 'Where the agency is.';
COMMENT ON COLUMN v2.title_agencies.source IS 'Which integration the row''s newest facts came from.';
COMMENT ON COLUMN v2.title_agencies.source_updated_at IS 'When the source last changed the record, by the source''s clock.';
COMMENT ON COLUMN v2.title_agencies.created_at IS 'When the row was first written here.';
COMMENT ON COLUMN v2.title_agencies.updated_at IS 'When the row last really changed here.';
COMMENT ON COLUMN v2.title_agencies.deleted_at IS 'When the record was found to be gone at the source; null while it lives.';
COMMENT ON TABLE v2.title_users IS 'One user of an organisation that orders title work.';
COMMENT ON COLUMN v2.title_users.id IS 'Our own number of the row, stable for its life.';
COMMENT ON COLUMN v2.title_users.title_user_id_raw IS 'The user''s id at the source; upper and lower case differ.';
COMMENT ON COLUMN v2.title_users.first_name IS 'Given name.';
COMMENT ON COLUMN v2.title_users.last_name IS 'Family name.';
COMMENT ON COLUMN v2.title_users.full_name IS 'Whole name.';
COMMENT ON COLUMN v2.title_users.email IS 'E-mail address in lower case.';
COMMENT ON COLUMN v2.title_users.user_id IS 'The user of the product with that e-mail address.';
COMMENT ON COLUMN v2.title_users.source IS 'Which integration the row''s newest facts came from.';
COMMENT ON COLUMN v2.title_users.source_updated_at IS 'When the source last changed the record, by the source''s clock.';
COMMENT ON COLUMN v2.title_users.created_at IS 'When the row was first written here.';
COMMENT ON COLUMN v2.title_users.updated_at IS 'When the row last really changed here.';
COMMENT ON COLUMN v2.title_users.deleted_at IS 'When the record was found to be gone at the source; null while it lives.';
COMMENT ON TABLE v2.title_orders IS 'One title order.';
COMMENT ON COLUMN v2.title_orders.id IS 'Our own number of the row, stable for its life.';
COMMENT ON COLUMN v2.title_orders.order_id_raw IS 'The order''s id at the source; upper and lower case differ.';
COMMENT ON COLUMN v2.title_orders.order_number IS 'Number the agency prints; it is not unique and may be edited.';
COMMENT ON COLUMN v2.title_orders.external_reference_number IS 'Number of whoever placed the order.';
COMMENT ON COLUMN v2.title_orders.status IS 'Pending, Open, Closed or Canceled; code set title_status.';
COMMENT ON COLUMN v2.title_orders.open_date IS 'When the order was opened.';
COMMENT ON COLUMN v2.title_orders.open_date_raw IS 'The same as the source writes it.';
COMMENT ON COLUMN v2.title_orders.close_date IS 'When the order closed or is to close; a date without a time counts as midnight UTC.';
COMMENT ON COLUMN v2.title_orders.close_date_raw IS 'The same as the source writes it; a date alone belongs to the property''s zone.';
COMMENT ON COLUMN v2.title_orders.cash_only IS 'Whether there is no loan.';
COMMENT ON COLUMN v2.title_orders.loan_amount IS 'Amount of the loan in US dollars.';
COMMENT ON COLUMN v2.title_orders.purchase_price IS 'Price of the property in US dollars.';
COMMENT ON COLUMN v2.title_orders.loan_type IS 'Kind of loan as the source words it.';
COMMENT ON COLUMN v2.title_orders.current_stage IS 'Where the order is on its way, as the source words it.';
COMMENT ON COLUMN v2.title_orders.current_stage_key IS 'The same as a key.';
COMMENT ON COLUMN v2.title_orders.settlement_agency_id_raw IS 'The agency''s id at the source.';
COMMENT ON COLUMN v2.title_orders.settlement_agency_name IS 'The agency''s name at the time.';
COMMENT ON COLUMN v2.title_orders.orderer_id_raw IS 'The id of the user who placed the order.';
COMMENT ON COLUMN v2.title_orders.property_address IS 'Address of the first property in one line.';
COMMENT ON COLUMN v2.title_orders.property_street IS 'House number and street of the first property.';
COMMENT ON COLUMN v2.title_orders.property_unit IS 'Apartment, suite or unit of the first property.';
COMMENT ON COLUMN v2.title_orders.property_city IS 'City of the first property.';
COMMENT ON COLUMN v2.title_orders.property_state IS 'State of the first property, as two letters.';
COMMENT ON COLUMN v2.title_orders.property_zip IS 'Postal code of the first property.';
COMMENT ON COLUMN v2.title_orders.property_county IS 'County of the first property.';
COMMENT ON COLUMN v2.title_orders.property_count IS 'How many properties the order is about.';
COMMENT ON COLUMN v2.title_orders.borrower_name IS 'Names of the borrowers.';
COMMENT ON COLUMN v2.title_orders.seller_name IS 'Names of the sellers.';
COMMENT ON COLUMN v2.title_orders.properties IS 'All properties as the source has them.';
COMMENT ON COLUMN v2.title_orders.borrowers IS 'The borrowers as the source has them.';
COMMENT ON COLUMN v2.title_orders.sellers IS 'The sellers as the source has them.';
COMMENT ON COLUMN v2.title_orders.agents IS 'Listing and selling agents, each with its side.';
COMMENT ON COLUMN v2.title_orders.lender_contacts IS 'The lender''s people as the source has them.';
COMMENT ON COLUMN v2.title_orders.milestones IS 'The steps of the order as the source has them, unknown ones included.';
COMMENT ON COLUMN v2.title_orders.environment IS 'Which of the source''s worlds it came from: sandbox or production.';
COMMENT ON COLUMN v2.title_orders.match_rule IS 'Which rule found the deal: see docs/explanation/title.md; none or ambiguous without one.';
COMMENT ON COLUMN v2.title_orders.transaction_id IS 'The deal the order belongs to, found by match_rule.';
COMMENT ON COLUMN v2.title_orders.address_id IS 'The first property.';
COMMENT ON COLUMN v2.title_orders.agency_id IS 'The settlement agency.';
COMMENT ON COLUMN v2.title_orders.orderer_id IS 'The user who placed the order.';
COMMENT ON COLUMN v2.title_orders.user_id IS 'The user of the product who placed it, else who may see it.';
COMMENT ON COLUMN v2.title_orders.source IS 'Which integration the row''s newest facts came from.';
COMMENT ON COLUMN v2.title_orders.source_updated_at IS 'When the source last changed the record, by the source''s clock.';
COMMENT ON COLUMN v2.title_orders.created_at IS 'When the row was first written here.';
COMMENT ON COLUMN v2.title_orders.updated_at IS 'When the row last really changed here.';
COMMENT ON COLUMN v2.title_orders.deleted_at IS 'When the record was found to be gone at the source; null while it lives.';
COMMENT ON TABLE v2.title_events IS 'One milestone or activity of one title order.';
COMMENT ON COLUMN v2.title_events.id IS 'Our own number of the row, stable for its life.';
COMMENT ON COLUMN v2.title_events.order_id IS 'The order it happened in.';
COMMENT ON COLUMN v2.title_events.event_key IS 'The event within the order: milestone/<key>, or activity/<type>/<time>.';
COMMENT ON COLUMN v2.title_events.kind IS 'milestone or activity.';
COMMENT ON COLUMN v2.title_events.name IS 'The milestone''s key or the activity''s type.';
COMMENT ON COLUMN v2.title_events.complete IS 'Whether the milestone is done; it can be undone. Null for activities.';
COMMENT ON COLUMN v2.title_events.occurred_at IS 'When it happened or was completed.';
COMMENT ON COLUMN v2.title_events.description IS 'The source''s own words.';
COMMENT ON COLUMN v2.title_events.source IS 'Which integration the row''s newest facts came from.';
COMMENT ON COLUMN v2.title_events.source_updated_at IS 'When the source last changed the record, by the source''s clock.';
COMMENT ON COLUMN v2.title_events.created_at IS 'When the row was first written here.';
COMMENT ON COLUMN v2.title_events.updated_at IS 'When the row last really changed here.';
COMMENT ON COLUMN v2.title_events.deleted_at IS 'When the record was found to be gone at the source; null while it lives.';
COMMENT ON TABLE v2.title_event_history IS 'One change of one milestone of one title order.';
COMMENT ON COLUMN v2.title_event_history.id IS 'Our own number of the row, stable for its life.';
COMMENT ON COLUMN v2.title_event_history.order_id IS 'The order whose milestone changed.';
COMMENT ON COLUMN v2.title_event_history.event_key IS 'The milestone: milestone/<key>.';
COMMENT ON COLUMN v2.title_event_history.changed_at IS 'When we saw the change; the source tells no time.';
COMMENT ON COLUMN v2.title_event_history.old_complete IS 'Whether it was done before.';
COMMENT ON COLUMN v2.title_event_history.new_complete IS 'Whether it is done now.';
COMMENT ON COLUMN v2.title_event_history.old_occurred_at IS 'When it was done, as said before.';
COMMENT ON COLUMN v2.title_event_history.new_occurred_at IS 'When it was done, as said now.';
COMMENT ON COLUMN v2.title_event_history.source IS 'Which integration the row''s newest facts came from.';
COMMENT ON COLUMN v2.title_event_history.source_updated_at IS 'When the source last changed the record, by the source''s clock.';
COMMENT ON COLUMN v2.title_event_history.created_at IS 'When the row was first written here.';
COMMENT ON COLUMN v2.title_event_history.updated_at IS 'When the row last really changed here.';
COMMENT ON COLUMN v2.title_event_history.deleted_at IS 'When the record was found to be gone at the source; null while it lives.';
COMMENT ON TABLE v2.title_disbursements IS 'One payment out of one closing.';
COMMENT ON COLUMN v2.title_disbursements.id IS 'Our own number of the row, stable for its life.';
COMMENT ON COLUMN v2.title_disbursements.disbursement_id_raw IS 'The row''s id at the source.';
COMMENT ON COLUMN v2.title_disbursements.order_id_raw IS 'The order''s id at the source.';
COMMENT ON COLUMN v2.title_disbursements.amount IS 'What is paid.';
COMMENT ON COLUMN v2.title_disbursements.currency IS 'Currency of the amount.';
COMMENT ON COLUMN v2.title_disbursements.payee IS 'Who is paid.';
COMMENT ON COLUMN v2.title_disbursements.payor IS 'Who pays.';
COMMENT ON COLUMN v2.title_disbursements.payment_method IS 'How it is paid, e.g. wire or check.';
COMMENT ON COLUMN v2.title_disbursements.description IS 'What it is for.';
COMMENT ON COLUMN v2.title_disbursements.status IS 'How the payment stands, as the source words it.';
COMMENT ON COLUMN v2.title_disbursements.disbursed_on IS 'Day of the payment.';
COMMENT ON COLUMN v2.title_disbursements.cleared_on IS 'Day the payment cleared.';
COMMENT ON COLUMN v2.title_disbursements.details IS 'The record as the source has it.';
COMMENT ON COLUMN v2.title_disbursements.order_id IS 'The order it belongs to; null while the order is not known.';
COMMENT ON COLUMN v2.title_disbursements.source IS 'Which integration the row''s newest facts came from.';
COMMENT ON COLUMN v2.title_disbursements.source_updated_at IS 'When the source last changed the record, by the source''s clock.';
COMMENT ON COLUMN v2.title_disbursements.created_at IS 'When the row was first written here.';
COMMENT ON COLUMN v2.title_disbursements.updated_at IS 'When the row last really changed here.';
COMMENT ON COLUMN v2.title_disbursements.deleted_at IS 'When the record was found to be gone at the source; null while it lives.';
COMMENT ON TABLE v2.title_closing_items IS 'One item of one closing''s checklist.';
COMMENT ON COLUMN v2.title_closing_items.id IS 'Our own number of the row, stable for its life.';
COMMENT ON COLUMN v2.title_closing_items.closing_item_id_raw IS 'The row''s id at the source.';
COMMENT ON COLUMN v2.title_closing_items.order_id_raw IS 'The order''s id at the source.';
COMMENT ON COLUMN v2.title_closing_items.name IS 'What is to be done.';
COMMENT ON COLUMN v2.title_closing_items.category IS 'Part of the closing it belongs to.';
COMMENT ON COLUMN v2.title_closing_items.status IS 'How it stands, as the source words it.';
COMMENT ON COLUMN v2.title_closing_items.complete IS 'Whether it is done.';
COMMENT ON COLUMN v2.title_closing_items.amount IS 'Amount, where the item has one.';
COMMENT ON COLUMN v2.title_closing_items.currency IS 'Currency of the amount.';
COMMENT ON COLUMN v2.title_closing_items.due_at IS 'When it is due.';
COMMENT ON COLUMN v2.title_closing_items.completed_at IS 'When it was done.';
COMMENT ON COLUMN v2.title_closing_items.details IS 'The record as the source has it.';
COMMENT ON COLUMN v2.title_closing_items.order_id IS 'The order it belongs to; null while the order is not known.';
COMMENT ON COLUMN v2.title_closing_items.source IS 'Which integration the row''s newest facts came from.';
COMMENT ON COLUMN v2.title_closing_items.source_updated_at IS 'When the source last changed the record, by the source''s clock.';
COMMENT ON COLUMN v2.title_closing_items.created_at IS 'When the row was first written here.';
COMMENT ON COLUMN v2.title_closing_items.updated_at IS 'When the row last really changed here.';
COMMENT ON COLUMN v2.title_closing_items.deleted_at IS 'When the record was found to be gone at the source; null while it lives.';
COMMENT ON TABLE v2.closing_disclosure IS 'One line of one closing disclosure.';
COMMENT ON COLUMN v2.closing_disclosure.id IS 'Our own number of the row, stable for its life.';
COMMENT ON COLUMN v2.closing_disclosure.closing_disclosure_id_raw IS 'The row''s id at the source.';
COMMENT ON COLUMN v2.closing_disclosure.order_id_raw IS 'The order''s id at the source.';
COMMENT ON COLUMN v2.closing_disclosure.section IS 'Section of the disclosure or settlement statement.';
COMMENT ON COLUMN v2.closing_disclosure.line_number IS 'Line within the section.';
COMMENT ON COLUMN v2.closing_disclosure.description IS 'What the line is about.';
COMMENT ON COLUMN v2.closing_disclosure.paid_by IS 'Side that pays: buyer, seller, lender or another.';
COMMENT ON COLUMN v2.closing_disclosure.payee IS 'Who is paid.';
COMMENT ON COLUMN v2.closing_disclosure.amount IS 'Amount of the line.';
COMMENT ON COLUMN v2.closing_disclosure.buyer_amount IS 'What the buyer pays of it.';
COMMENT ON COLUMN v2.closing_disclosure.seller_amount IS 'What the seller pays of it.';
COMMENT ON COLUMN v2.closing_disclosure.currency IS 'Currency of the amounts.';
COMMENT ON COLUMN v2.closing_disclosure.closing_date IS 'Day of the closing.';
COMMENT ON COLUMN v2.closing_disclosure.details IS 'The record as the source has it.';
COMMENT ON COLUMN v2.closing_disclosure.order_id IS 'The order it belongs to; null while the order is not known.';
COMMENT ON COLUMN v2.closing_disclosure.transaction_id IS 'The deal, where the source names it or the order is matched.';
COMMENT ON COLUMN v2.closing_disclosure.source IS 'Which integration the row''s newest facts came from.';
COMMENT ON COLUMN v2.closing_disclosure.source_updated_at IS 'When the source last changed the record, by the source''s clock.';
COMMENT ON COLUMN v2.closing_disclosure.created_at IS 'When the row was first written here.';
COMMENT ON COLUMN v2.closing_disclosure.updated_at IS 'When the row last really changed here.';
COMMENT ON COLUMN v2.closing_disclosure.deleted_at IS 'When the record was found to be gone at the source; null while it lives.';
COMMENT ON TABLE staging.stage_title_orders IS 'Newest version of each record: one title order in full, as read from Qualia orders and order.';
COMMENT ON COLUMN staging.stage_title_orders.id IS 'Order of arrival.';
COMMENT ON COLUMN staging.stage_title_orders.user_id IS 'The user whose sync brought the record; the partition.';
COMMENT ON COLUMN staging.stage_title_orders.account_ref IS 'The account it was read through, as platform/account/user.';
COMMENT ON COLUMN staging.stage_title_orders.source_id IS 'The record''s id at the source.';
COMMENT ON COLUMN staging.stage_title_orders.payload IS 'The record as it came, minus secret fields.';
COMMENT ON COLUMN staging.stage_title_orders.payload_hash IS 'Hash of the payload, to see a change cheaply.';
COMMENT ON COLUMN staging.stage_title_orders.source_updated_at IS 'When the source last changed the record; a newer version wins.';
COMMENT ON COLUMN staging.stage_title_orders.fetched_at IS 'When this version of the payload was first read.';
COMMENT ON COLUMN staging.stage_title_orders.run_id IS 'The run that stored this version.';
COMMENT ON COLUMN staging.stage_title_orders.status IS 'Where the record stands on its way into V2.';
COMMENT ON COLUMN staging.stage_title_orders.status_reason IS 'Reason code of the status, for machines.';
COMMENT ON COLUMN staging.stage_title_orders.status_detail IS 'What failed: field, code set, class of the value, or the parent that is missing.';
COMMENT ON COLUMN staging.stage_title_orders.attempts IS 'How many merges have looked at this version.';
COMMENT ON COLUMN staging.stage_title_orders.next_attempt_at IS 'Not to be tried again before this instant.';
COMMENT ON COLUMN staging.stage_title_orders.processed_at IS 'When the record was last merged.';
COMMENT ON COLUMN staging.stage_title_orders.v2_id IS 'The row of v2.title_orders that this record became.';
COMMENT ON COLUMN staging.stage_title_orders.duplicate_of IS 'The staged row that carries the same business record.';
COMMENT ON COLUMN staging.stage_title_orders.waits_for IS 'The parent a deferred record waits for, as table/natural key values.';
COMMENT ON COLUMN staging.stage_title_orders.missing_since IS 'Since when complete full sweeps have not seen the record.';
COMMENT ON COLUMN staging.stage_title_orders.merge_rank IS 'How the merge ranked this copy among copies with one stamp.';
COMMENT ON COLUMN staging.stage_title_orders.missed_sweeps IS 'How many complete full sweeps in a row missed it.';
COMMENT ON TABLE staging.stage_title_agencies IS 'Newest version of each record: one settlement agency, as read from Qualia availableSettlementAgencies.';
COMMENT ON COLUMN staging.stage_title_agencies.id IS 'Order of arrival.';
COMMENT ON COLUMN staging.stage_title_agencies.user_id IS 'The user whose sync brought the record; the partition.';
COMMENT ON COLUMN staging.stage_title_agencies.account_ref IS 'The account it was read through, as platform/account/user.';
COMMENT ON COLUMN staging.stage_title_agencies.source_id IS 'The record''s id at the source.';
COMMENT ON COLUMN staging.stage_title_agencies.payload IS 'The record as it came, minus secret fields.';
COMMENT ON COLUMN staging.stage_title_agencies.payload_hash IS 'Hash of the payload, to see a change cheaply.';
COMMENT ON COLUMN staging.stage_title_agencies.source_updated_at IS 'When the source last changed the record; a newer version wins.';
COMMENT ON COLUMN staging.stage_title_agencies.fetched_at IS 'When this version of the payload was first read.';
COMMENT ON COLUMN staging.stage_title_agencies.run_id IS 'The run that stored this version.';
COMMENT ON COLUMN staging.stage_title_agencies.status IS 'Where the record stands on its way into V2.';
COMMENT ON COLUMN staging.stage_title_agencies.status_reason IS 'Reason code of the status, for machines.';
COMMENT ON COLUMN staging.stage_title_agencies.status_detail IS 'What failed: field, code set, class of the value, or the parent that is missing.';
COMMENT ON COLUMN staging.stage_title_agencies.attempts IS 'How many merges have looked at this version.';
COMMENT ON COLUMN staging.stage_title_agencies.next_attempt_at IS 'Not to be tried again before this instant.';
COMMENT ON COLUMN staging.stage_title_agencies.processed_at IS 'When the record was last merged.';
COMMENT ON COLUMN staging.stage_title_agencies.v2_id IS 'The row of v2.title_agencies that this record became.';
COMMENT ON COLUMN staging.stage_title_agencies.duplicate_of IS 'The staged row that carries the same business record.';
COMMENT ON COLUMN staging.stage_title_agencies.waits_for IS 'The parent a deferred record waits for, as table/natural key values.';
COMMENT ON COLUMN staging.stage_title_agencies.missing_since IS 'Since when complete full sweeps have not seen the record.';
COMMENT ON COLUMN staging.stage_title_agencies.merge_rank IS 'How the merge ranked this copy among copies with one stamp.';
COMMENT ON COLUMN staging.stage_title_agencies.missed_sweeps IS 'How many complete full sweeps in a row missed it.';
COMMENT ON TABLE staging.stage_title_users IS 'Newest version of each record: one user of a title organisation, as read from Qualia usersInOrganization.';
COMMENT ON COLUMN staging.stage_title_users.id IS 'Order of arrival.';
COMMENT ON COLUMN staging.stage_title_users.user_id IS 'The user whose sync brought the record; the partition.';
COMMENT ON COLUMN staging.stage_title_users.account_ref IS 'The account it was read through, as platform/account/user.';
COMMENT ON COLUMN staging.stage_title_users.source_id IS 'The record''s id at the source.';
COMMENT ON COLUMN staging.stage_title_users.payload IS 'The record as it came, minus secret fields.';
COMMENT ON COLUMN staging.stage_title_users.payload_hash IS 'Hash of the payload, to see a change cheaply.';
COMMENT ON COLUMN staging.stage_title_users.source_updated_at IS 'When the source last changed the record; a newer version wins.';
COMMENT ON COLUMN staging.stage_title_users.fetched_at IS 'When this version of the payload was first read.';
COMMENT ON COLUMN staging.stage_title_users.run_id IS 'The run that stored this version.';
COMMENT ON COLUMN staging.stage_title_users.status IS 'Where the record stands on its way into V2.';
COMMENT ON COLUMN staging.stage_title_users.status_reason IS 'Reason code of the status, for machines.';
COMMENT ON COLUMN staging.stage_title_users.status_detail IS 'What failed: field, code set, class of the value, or the parent that is missing.';
COMMENT ON COLUMN staging.stage_title_users.attempts IS 'How many merges have looked at this version.';
COMMENT ON COLUMN staging.stage_title_users.next_attempt_at IS 'Not to be tried again before this instant.';
COMMENT ON COLUMN staging.stage_title_users.processed_at IS 'When the record was last merged.';
COMMENT ON COLUMN staging.stage_title_users.v2_id IS 'The row of v2.title_users that this record became.';
COMMENT ON COLUMN staging.stage_title_users.duplicate_of IS 'The staged row that carries the same business record.';
COMMENT ON COLUMN staging.stage_title_users.waits_for IS 'The parent a deferred record waits for, as table/natural key values.';
COMMENT ON COLUMN staging.stage_title_users.missing_since IS 'Since when complete full sweeps have not seen the record.';
COMMENT ON COLUMN staging.stage_title_users.merge_rank IS 'How the merge ranked this copy among copies with one stamp.';
COMMENT ON COLUMN staging.stage_title_users.missed_sweeps IS 'How many complete full sweeps in a row missed it.';

-- A property of an order: the partner surface says address_line_1 and zipcode, the vendor surface address_1.
CREATE FUNCTION ops.title_address_key(property jsonb) RETURNS text
    LANGUAGE plpgsql IMMUTABLE PARALLEL SAFE STRICT AS $$
BEGIN
    IF jsonb_typeof(property) <> 'object' THEN
        RETURN NULL;
    END IF;
    RETURN ops.address_key(
        ops.first_of(property, 'address_line_1', 'address_1') #>> '{}',
        ops.first_of(property, 'address_line_2', 'address_2') #>> '{}',
        property ->> 'city',
        property ->> 'state',
        ops.first_of(property, 'zipcode', 'zip') #>> '{}'
    );
END
$$;

-- An amount as a number or as text; thousand separators and a dollar sign go, a blank is nothing told.
CREATE FUNCTION ops.title_money(value jsonb) RETURNS numeric
    LANGUAGE sql IMMUTABLE PARALLEL SAFE
    RETURN nullif(regexp_replace(
        CASE WHEN jsonb_typeof(value) IN ('number', 'string') THEN value #>> '{}' END, '[\s,$]+', '', 'g'
    ), '')::numeric;
