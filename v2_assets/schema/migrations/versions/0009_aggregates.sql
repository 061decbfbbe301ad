-- Revision 0009: tables that are computed from others, the queue of what to compute again, links between deals.

ALTER TABLE v2.transaction ADD COLUMN duplicate_rule TEXT;
COMMENT ON COLUMN v2.transaction.duplicate_rule IS 'Rule that found the same deal: rezen_id, mls, address_price_date.';
CREATE INDEX transaction_mls_idx ON v2.transaction (upper(regexp_replace(mls_num, '[^A-Za-z0-9]', '', 'g'))) WHERE mls_num IS NOT NULL;
CREATE INDEX transaction_raw_idx ON v2.transaction (transaction_id_raw);
CREATE INDEX transaction_rezen_code_idx ON v2.transaction (rezen_code) WHERE rezen_code is not null;
CREATE INDEX fub_calls_day_idx ON v2.fub_calls (user_id, fub_created_at);
CREATE INDEX fub_text_messages_day_idx ON v2.fub_text_messages (user_id, sent);
CREATE INDEX fub_appointments_day_idx ON v2.fub_appointments (user_id, start);
CREATE INDEX fub_people_day_idx ON v2.fub_people (user_id, fub_created_at);
CREATE INDEX fub_events_day_idx ON v2.fub_events (occurred);

CREATE TABLE v2.agg_agent_monthly (
    id BIGINT GENERATED ALWAYS AS IDENTITY,
    agent_id BIGINT NOT NULL,
    period_year SMALLINT NOT NULL,
    period_month SMALLINT NOT NULL,
    currency TEXT,
    new_buyer_count BIGINT,
    new_buyer_volume NUMERIC(14, 2),
    new_buyer_gci NUMERIC(14, 2),
    new_seller_count BIGINT,
    new_seller_volume NUMERIC(14, 2),
    new_seller_gci NUMERIC(14, 2),
    new_other_count BIGINT,
    new_other_volume NUMERIC(14, 2),
    new_other_gci NUMERIC(14, 2),
    pending_buyer_count BIGINT,
    pending_buyer_volume NUMERIC(14, 2),
    pending_buyer_gci NUMERIC(14, 2),
    pending_seller_count BIGINT,
    pending_seller_volume NUMERIC(14, 2),
    pending_seller_gci NUMERIC(14, 2),
    pending_other_count BIGINT,
    pending_other_volume NUMERIC(14, 2),
    pending_other_gci NUMERIC(14, 2),
    closed_buyer_count BIGINT,
    closed_buyer_volume NUMERIC(14, 2),
    closed_buyer_gci NUMERIC(14, 2),
    closed_seller_count BIGINT,
    closed_seller_volume NUMERIC(14, 2),
    closed_seller_gci NUMERIC(14, 2),
    closed_other_count BIGINT,
    closed_other_volume NUMERIC(14, 2),
    closed_other_gci NUMERIC(14, 2),
    terminated_buyer_count BIGINT,
    terminated_buyer_volume NUMERIC(14, 2),
    terminated_buyer_gci NUMERIC(14, 2),
    terminated_seller_count BIGINT,
    terminated_seller_volume NUMERIC(14, 2),
    terminated_seller_gci NUMERIC(14, 2),
    terminated_other_count BIGINT,
    terminated_other_volume NUMERIC(14, 2),
    terminated_other_gci NUMERIC(14, 2),
    listings_taken BIGINT,
    listings_closed BIGINT,
    average_price NUMERIC(14, 2),
    average_days_to_close NUMERIC(9, 4),
    network_joined BIGINT,
    network_left BIGINT,
    contributions_count BIGINT,
    contributions_earned NUMERIC(14, 2),
    revshare_paid NUMERIC(14, 2),
    fub_calls BIGINT,
    fub_texts BIGINT,
    fub_events BIGINT,
    fub_appointments BIGINT,
    fub_new_people BIGINT,
    source TEXT DEFAULT 'derived' NOT NULL,
    source_updated_at TIMESTAMP WITH TIME ZONE,
    created_at TIMESTAMP WITH TIME ZONE DEFAULT now() NOT NULL,
    updated_at TIMESTAMP WITH TIME ZONE DEFAULT now() NOT NULL,
    deleted_at TIMESTAMP WITH TIME ZONE,
    CONSTRAINT agg_agent_monthly_pkey PRIMARY KEY (id),
    CONSTRAINT agg_agent_monthly_key UNIQUE (agent_id, period_year, period_month),
    CONSTRAINT agg_agent_monthly_agent_id_fkey FOREIGN KEY(agent_id) REFERENCES v2.agent (id) DEFERRABLE INITIALLY DEFERRED
);

COMMENT ON TABLE v2.agg_agent_monthly IS 'One agent in one month in which something happened.';
COMMENT ON COLUMN v2.agg_agent_monthly.id IS 'Our own number of the row, stable for its life.';
COMMENT ON COLUMN v2.agg_agent_monthly.agent_id IS 'The agent.';
COMMENT ON COLUMN v2.agg_agent_monthly.period_year IS 'Calendar year.';
COMMENT ON COLUMN v2.agg_agent_monthly.period_month IS 'Month, 1 to 12.';
COMMENT ON COLUMN v2.agg_agent_monthly.currency IS 'Currency of the amounts; null, and the amounts too, where the period has more than one.';
COMMENT ON COLUMN v2.agg_agent_monthly.new_buyer_count IS 'Number of deals under contract since this month (contract day, else listing day); buyer''s side.';
COMMENT ON COLUMN v2.agg_agent_monthly.new_buyer_volume IS 'Sale prices of those new deals; buyer''s side.';
COMMENT ON COLUMN v2.agg_agent_monthly.new_buyer_gci IS 'Gross commission income of those new deals; buyer''s side.';
COMMENT ON COLUMN v2.agg_agent_monthly.new_seller_count IS 'Number of deals under contract since this month (contract day, else listing day); seller''s side.';
COMMENT ON COLUMN v2.agg_agent_monthly.new_seller_volume IS 'Sale prices of those new deals; seller''s side.';
COMMENT ON COLUMN v2.agg_agent_monthly.new_seller_gci IS 'Gross commission income of those new deals; seller''s side.';
COMMENT ON COLUMN v2.agg_agent_monthly.new_other_count IS 'Number of deals under contract since this month (contract day, else listing day); both sides, or not told.';
COMMENT ON COLUMN v2.agg_agent_monthly.new_other_volume IS 'Sale prices of those new deals; both sides, or not told.';
COMMENT ON COLUMN v2.agg_agent_monthly.new_other_gci IS 'Gross commission income of those new deals; both sides, or not told.';
COMMENT ON COLUMN v2.agg_agent_monthly.pending_buyer_count IS 'Number of open deals by the month of their expected close; buyer''s side.';
COMMENT ON COLUMN v2.agg_agent_monthly.pending_buyer_volume IS 'Sale prices of those pending deals; buyer''s side.';
COMMENT ON COLUMN v2.agg_agent_monthly.pending_buyer_gci IS 'Gross commission income of those pending deals; buyer''s side.';
COMMENT ON COLUMN v2.agg_agent_monthly.pending_seller_count IS 'Number of open deals by the month of their expected close; seller''s side.';
COMMENT ON COLUMN v2.agg_agent_monthly.pending_seller_volume IS 'Sale prices of those pending deals; seller''s side.';
COMMENT ON COLUMN v2.agg_agent_monthly.pending_seller_gci IS 'Gross commission income of those pending deals; seller''s side.';
COMMENT ON COLUMN v2.agg_agent_monthly.pending_other_count IS 'Number of open deals by the month of their expected close; both sides, or not told.';
COMMENT ON COLUMN v2.agg_agent_monthly.pending_other_volume IS 'Sale prices of those pending deals; both sides, or not told.';
COMMENT ON COLUMN v2.agg_agent_monthly.pending_other_gci IS 'Gross commission income of those pending deals; both sides, or not told.';
COMMENT ON COLUMN v2.agg_agent_monthly.closed_buyer_count IS 'Number of closed deals by closing day; buyer''s side.';
COMMENT ON COLUMN v2.agg_agent_monthly.closed_buyer_volume IS 'Sale prices of those closed deals; buyer''s side.';
COMMENT ON COLUMN v2.agg_agent_monthly.closed_buyer_gci IS 'Gross commission income of those closed deals; buyer''s side.';
COMMENT ON COLUMN v2.agg_agent_monthly.closed_seller_count IS 'Number of closed deals by closing day; seller''s side.';
COMMENT ON COLUMN v2.agg_agent_monthly.closed_seller_volume IS 'Sale prices of those closed deals; seller''s side.';
COMMENT ON COLUMN v2.agg_agent_monthly.closed_seller_gci IS 'Gross commission income of those closed deals; seller''s side.';
COMMENT ON COLUMN v2.agg_agent_monthly.closed_other_count IS 'Number of closed deals by closing day; both sides, or not told.';
COMMENT ON COLUMN v2.agg_agent_monthly.closed_other_volume IS 'Sale prices of those closed deals; both sides, or not told.';
COMMENT ON COLUMN v2.agg_agent_monthly.closed_other_gci IS 'Gross commission income of those closed deals; both sides, or not told.';
COMMENT ON COLUMN v2.agg_agent_monthly.terminated_buyer_count IS 'Number of deals that fell through, by the day they should have closed; buyer''s side.';
COMMENT ON COLUMN v2.agg_agent_monthly.terminated_buyer_volume IS 'Sale prices of those terminated deals; buyer''s side.';
COMMENT ON COLUMN v2.agg_agent_monthly.terminated_buyer_gci IS 'Gross commission income of those terminated deals; buyer''s side.';
COMMENT ON COLUMN v2.agg_agent_monthly.terminated_seller_count IS 'Number of deals that fell through, by the day they should have closed; seller''s side.';
COMMENT ON COLUMN v2.agg_agent_monthly.terminated_seller_volume IS 'Sale prices of those terminated deals; seller''s side.';
COMMENT ON COLUMN v2.agg_agent_monthly.terminated_seller_gci IS 'Gross commission income of those terminated deals; seller''s side.';
COMMENT ON COLUMN v2.agg_agent_monthly.terminated_other_count IS 'Number of deals that fell through, by the day they should have closed; both sides, or not told.';
COMMENT ON COLUMN v2.agg_agent_monthly.terminated_other_volume IS 'Sale prices of those terminated deals; both sides, or not told.';
COMMENT ON COLUMN v2.agg_agent_monthly.terminated_other_gci IS 'Gross commission income of those terminated deals; both sides, or not told.';
COMMENT ON COLUMN v2.agg_agent_monthly.listings_taken IS 'Listings that came on the market.';
COMMENT ON COLUMN v2.agg_agent_monthly.listings_closed IS 'Listings that led to a close.';
COMMENT ON COLUMN v2.agg_agent_monthly.average_price IS 'Mean sale price of the closed deals.';
COMMENT ON COLUMN v2.agg_agent_monthly.average_days_to_close IS 'Mean days from contract to close of the closed deals.';
COMMENT ON COLUMN v2.agg_agent_monthly.network_joined IS 'Down-line agents who joined the brokerage.';
COMMENT ON COLUMN v2.agg_agent_monthly.network_left IS 'Down-line agents who left the brokerage.';
COMMENT ON COLUMN v2.agg_agent_monthly.contributions_count IS 'Rev-share contributions earned, missed ones and duplicates left out.';
COMMENT ON COLUMN v2.agg_agent_monthly.contributions_earned IS 'What those contributions paid.';
COMMENT ON COLUMN v2.agg_agent_monthly.revshare_paid IS 'Rev share paid out; differs from what was earned, by the programme''s design.';
COMMENT ON COLUMN v2.agg_agent_monthly.fub_calls IS 'Phone calls in the CRM, of the user who is the agent.';
COMMENT ON COLUMN v2.agg_agent_monthly.fub_texts IS 'Text messages in the CRM.';
COMMENT ON COLUMN v2.agg_agent_monthly.fub_events IS 'What contacts did, in the CRM.';
COMMENT ON COLUMN v2.agg_agent_monthly.fub_appointments IS 'Appointments in the CRM.';
COMMENT ON COLUMN v2.agg_agent_monthly.fub_new_people IS 'New contacts in the CRM.';
COMMENT ON COLUMN v2.agg_agent_monthly.source IS 'Which integration the row''s newest facts came from.';
COMMENT ON COLUMN v2.agg_agent_monthly.source_updated_at IS 'When the source last changed the record, by the source''s clock.';
COMMENT ON COLUMN v2.agg_agent_monthly.created_at IS 'When the row was first written here.';
COMMENT ON COLUMN v2.agg_agent_monthly.updated_at IS 'When the row last really changed here.';
COMMENT ON COLUMN v2.agg_agent_monthly.deleted_at IS 'When the record was found to be gone at the source; null while it lives.';

CREATE TABLE v2.agg_leaderboard (
    id BIGINT GENERATED ALWAYS AS IDENTITY,
    team_id BIGINT NOT NULL,
    period TEXT NOT NULL,
    metric TEXT NOT NULL,
    agent_id BIGINT NOT NULL,
    value NUMERIC(14, 2),
    rank BIGINT,
    previous_rank BIGINT,
    share_of_team NUMERIC(9, 4),
    source TEXT DEFAULT 'derived' NOT NULL,
    source_updated_at TIMESTAMP WITH TIME ZONE,
    created_at TIMESTAMP WITH TIME ZONE DEFAULT now() NOT NULL,
    updated_at TIMESTAMP WITH TIME ZONE DEFAULT now() NOT NULL,
    deleted_at TIMESTAMP WITH TIME ZONE,
    CONSTRAINT agg_leaderboard_pkey PRIMARY KEY (id),
    CONSTRAINT agg_leaderboard_key UNIQUE (team_id, period, metric, agent_id),
    CONSTRAINT agg_leaderboard_team_id_fkey FOREIGN KEY(team_id) REFERENCES v2.team (id) DEFERRABLE INITIALLY DEFERRED,
    CONSTRAINT agg_leaderboard_agent_id_fkey FOREIGN KEY(agent_id) REFERENCES v2.agent (id) DEFERRABLE INITIALLY DEFERRED
);

CREATE INDEX agg_leaderboard_agent_id_idx ON v2.agg_leaderboard (agent_id);
COMMENT ON TABLE v2.agg_leaderboard IS 'One agent''s place in the team by one metric in one period.';
COMMENT ON COLUMN v2.agg_leaderboard.id IS 'Our own number of the row, stable for its life.';
COMMENT ON COLUMN v2.agg_leaderboard.team_id IS 'The team.';
COMMENT ON COLUMN v2.agg_leaderboard.period IS 'A month as YYYY-MM or a year as YYYY.';
COMMENT ON COLUMN v2.agg_leaderboard.metric IS 'closed_count, or closed_volume or closed_gci and a currency, as closed_gci_usd.';
COMMENT ON COLUMN v2.agg_leaderboard.agent_id IS 'An agent who is on the team now.';
COMMENT ON COLUMN v2.agg_leaderboard.value IS 'The agent''s number.';
COMMENT ON COLUMN v2.agg_leaderboard.rank IS 'Place in the team, 1 is the most; equal numbers share a place.';
COMMENT ON COLUMN v2.agg_leaderboard.previous_rank IS 'Place in the period before; null where the agent had none.';
COMMENT ON COLUMN v2.agg_leaderboard.share_of_team IS 'Part of the team''s sum, as a fraction of 1.';
COMMENT ON COLUMN v2.agg_leaderboard.source IS 'Which integration the row''s newest facts came from.';
COMMENT ON COLUMN v2.agg_leaderboard.source_updated_at IS 'When the source last changed the record, by the source''s clock.';
COMMENT ON COLUMN v2.agg_leaderboard.created_at IS 'When the row was first written here.';
COMMENT ON COLUMN v2.agg_leaderboard.updated_at IS 'When the row last really changed here.';
COMMENT ON COLUMN v2.agg_leaderboard.deleted_at IS 'When the record was found to be gone at the source; null while it lives.';

CREATE TABLE v2.agg_transactions_by_week (
    id BIGINT GENERATED ALWAYS AS IDENTITY,
    team_id BIGINT NOT NULL,
    iso_year SMALLINT NOT NULL,
    iso_week SMALLINT NOT NULL,
    currency TEXT,
    new_count BIGINT,
    pending_count BIGINT,
    closed_count BIGINT,
    terminated_count BIGINT,
    closed_volume NUMERIC(14, 2),
    closed_gci NUMERIC(14, 2),
    source TEXT DEFAULT 'derived' NOT NULL,
    source_updated_at TIMESTAMP WITH TIME ZONE,
    created_at TIMESTAMP WITH TIME ZONE DEFAULT now() NOT NULL,
    updated_at TIMESTAMP WITH TIME ZONE DEFAULT now() NOT NULL,
    deleted_at TIMESTAMP WITH TIME ZONE,
    CONSTRAINT agg_transactions_by_week_pkey PRIMARY KEY (id),
    CONSTRAINT agg_transactions_by_week_key UNIQUE (team_id, iso_year, iso_week),
    CONSTRAINT agg_transactions_by_week_team_id_fkey FOREIGN KEY(team_id) REFERENCES v2.team (id) DEFERRABLE INITIALLY DEFERRED
);

COMMENT ON TABLE v2.agg_transactions_by_week IS 'The deals of one team in one week.';
COMMENT ON COLUMN v2.agg_transactions_by_week.id IS 'Our own number of the row, stable for its life.';
COMMENT ON COLUMN v2.agg_transactions_by_week.team_id IS 'The team.';
COMMENT ON COLUMN v2.agg_transactions_by_week.iso_year IS 'Year of the ISO week.';
COMMENT ON COLUMN v2.agg_transactions_by_week.iso_week IS 'ISO week, 1 to 53.';
COMMENT ON COLUMN v2.agg_transactions_by_week.currency IS 'Currency of the amounts; null, and the amounts too, where the period has more than one.';
COMMENT ON COLUMN v2.agg_transactions_by_week.new_count IS 'Deals under contract since this week.';
COMMENT ON COLUMN v2.agg_transactions_by_week.pending_count IS 'Open deals that should close in this week.';
COMMENT ON COLUMN v2.agg_transactions_by_week.closed_count IS 'Deals closed.';
COMMENT ON COLUMN v2.agg_transactions_by_week.terminated_count IS 'Deals that fell through, by the day they should have closed.';
COMMENT ON COLUMN v2.agg_transactions_by_week.closed_volume IS 'Sale prices of the closed deals.';
COMMENT ON COLUMN v2.agg_transactions_by_week.closed_gci IS 'Gross commission income of the closed deals.';
COMMENT ON COLUMN v2.agg_transactions_by_week.source IS 'Which integration the row''s newest facts came from.';
COMMENT ON COLUMN v2.agg_transactions_by_week.source_updated_at IS 'When the source last changed the record, by the source''s clock.';
COMMENT ON COLUMN v2.agg_transactions_by_week.created_at IS 'When the row was first written here.';
COMMENT ON COLUMN v2.agg_transactions_by_week.updated_at IS 'When the row last really changed here.';
COMMENT ON COLUMN v2.agg_transactions_by_week.deleted_at IS 'When the record was found to be gone at the source; null while it lives.';

CREATE TABLE v2.agg_fub_activity_by_agent (
    id BIGINT GENERATED ALWAYS AS IDENTITY,
    user_id BIGINT NOT NULL,
    day DATE NOT NULL,
    calls BIGINT,
    calls_incoming BIGINT,
    call_seconds BIGINT,
    texts BIGINT,
    texts_incoming BIGINT,
    events BIGINT,
    appointments BIGINT,
    new_people BIGINT,
    source TEXT DEFAULT 'derived' NOT NULL,
    source_updated_at TIMESTAMP WITH TIME ZONE,
    created_at TIMESTAMP WITH TIME ZONE DEFAULT now() NOT NULL,
    updated_at TIMESTAMP WITH TIME ZONE DEFAULT now() NOT NULL,
    deleted_at TIMESTAMP WITH TIME ZONE,
    CONSTRAINT agg_fub_activity_by_agent_pkey PRIMARY KEY (id),
    CONSTRAINT agg_fub_activity_by_agent_key UNIQUE (user_id, day),
    CONSTRAINT agg_fub_activity_by_agent_user_id_fkey FOREIGN KEY(user_id) REFERENCES v2."user" (id) DEFERRABLE INITIALLY DEFERRED
);

COMMENT ON TABLE v2.agg_fub_activity_by_agent IS 'One user''s CRM activity on one day.';
COMMENT ON COLUMN v2.agg_fub_activity_by_agent.id IS 'Our own number of the row, stable for its life.';
COMMENT ON COLUMN v2.agg_fub_activity_by_agent.user_id IS 'The user whose contacts these are.';
COMMENT ON COLUMN v2.agg_fub_activity_by_agent.day IS 'The day, in UTC.';
COMMENT ON COLUMN v2.agg_fub_activity_by_agent.calls IS 'Phone calls.';
COMMENT ON COLUMN v2.agg_fub_activity_by_agent.calls_incoming IS 'Of those, from the contact.';
COMMENT ON COLUMN v2.agg_fub_activity_by_agent.call_seconds IS 'Length of the calls in seconds.';
COMMENT ON COLUMN v2.agg_fub_activity_by_agent.texts IS 'Text messages.';
COMMENT ON COLUMN v2.agg_fub_activity_by_agent.texts_incoming IS 'Of those, from the contact.';
COMMENT ON COLUMN v2.agg_fub_activity_by_agent.events IS 'What contacts did.';
COMMENT ON COLUMN v2.agg_fub_activity_by_agent.appointments IS 'Appointments, by the day they begin.';
COMMENT ON COLUMN v2.agg_fub_activity_by_agent.new_people IS 'Contacts created.';
COMMENT ON COLUMN v2.agg_fub_activity_by_agent.source IS 'Which integration the row''s newest facts came from.';
COMMENT ON COLUMN v2.agg_fub_activity_by_agent.source_updated_at IS 'When the source last changed the record, by the source''s clock.';
COMMENT ON COLUMN v2.agg_fub_activity_by_agent.created_at IS 'When the row was first written here.';
COMMENT ON COLUMN v2.agg_fub_activity_by_agent.updated_at IS 'When the row last really changed here.';
COMMENT ON COLUMN v2.agg_fub_activity_by_agent.deleted_at IS 'When the record was found to be gone at the source; null while it lives.';

CREATE TABLE v2.metrics_snapshots (
    id BIGINT GENERATED ALWAYS AS IDENTITY,
    taken_on DATE NOT NULL,
    metric TEXT NOT NULL,
    value BIGINT,
    source TEXT DEFAULT 'derived' NOT NULL,
    source_updated_at TIMESTAMP WITH TIME ZONE,
    created_at TIMESTAMP WITH TIME ZONE DEFAULT now() NOT NULL,
    updated_at TIMESTAMP WITH TIME ZONE DEFAULT now() NOT NULL,
    deleted_at TIMESTAMP WITH TIME ZONE,
    CONSTRAINT metrics_snapshots_pkey PRIMARY KEY (id),
    CONSTRAINT metrics_snapshots_key UNIQUE (taken_on, metric)
);

COMMENT ON TABLE v2.metrics_snapshots IS 'One health number on one day.';
COMMENT ON COLUMN v2.metrics_snapshots.id IS 'Our own number of the row, stable for its life.';
COMMENT ON COLUMN v2.metrics_snapshots.taken_on IS 'The day, in UTC.';
COMMENT ON COLUMN v2.metrics_snapshots.metric IS 'What is counted, e.g. v2.agent.live or staging.stage_rezen_agents.deferred.';
COMMENT ON COLUMN v2.metrics_snapshots.value IS 'How many.';
COMMENT ON COLUMN v2.metrics_snapshots.source IS 'Which integration the row''s newest facts came from.';
COMMENT ON COLUMN v2.metrics_snapshots.source_updated_at IS 'When the source last changed the record, by the source''s clock.';
COMMENT ON COLUMN v2.metrics_snapshots.created_at IS 'When the row was first written here.';
COMMENT ON COLUMN v2.metrics_snapshots.updated_at IS 'When the row last really changed here.';
COMMENT ON COLUMN v2.metrics_snapshots.deleted_at IS 'When the record was found to be gone at the source; null while it lives.';

CREATE TABLE ops.changed_key (
    id BIGINT GENERATED ALWAYS AS IDENTITY,
    derived TEXT NOT NULL,
    owner_id BIGINT NOT NULL,
    period DATE,
    noted_at TIMESTAMP WITH TIME ZONE DEFAULT now() NOT NULL,
    CONSTRAINT changed_key_pkey PRIMARY KEY (id)
);

CREATE INDEX changed_key_derived_idx ON ops.changed_key (derived, id);
COMMENT ON TABLE ops.changed_key IS 'One key of a computed table whose inputs changed.';
COMMENT ON COLUMN ops.changed_key.id IS 'Our own number.';
COMMENT ON COLUMN ops.changed_key.derived IS 'What has to be computed again, e.g. agg_agent_monthly.';
COMMENT ON COLUMN ops.changed_key.owner_id IS 'For whom or which: an agent, team, user or deal, as the table''s key begins.';
COMMENT ON COLUMN ops.changed_key.period IS 'Which of the owner''s days; null for all.';
COMMENT ON COLUMN ops.changed_key.noted_at IS 'When the input changed.';


-- Notes in ops.changed_key whose numbers a statement made out of date. Arguments: the queue; a select of owner_id and
-- period from `r`, the rows inserted or deleted, or of those changed both the old and the new; and, from the third on,
-- the columns that count: a row in which none of them changed is not noted.
CREATE FUNCTION ops.note_changed_keys() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    rows text;
BEGIN
    IF TG_OP = 'INSERT' THEN
        rows := 'SELECT * FROM new_rows';
    ELSIF TG_OP = 'DELETE' THEN
        rows := 'SELECT * FROM old_rows';
    ELSE
        SELECT format(
            'SELECT x.* FROM (SELECT o.id FROM old_rows o JOIN new_rows n ON n.id = o.id'
            ' WHERE (%s) IS DISTINCT FROM (%s)) changed'
            ' JOIN (SELECT * FROM old_rows UNION ALL SELECT * FROM new_rows) x ON x.id = changed.id',
            string_agg(format('o.%I', c), ', '), string_agg(format('n.%I', c), ', '))
        INTO rows FROM unnest(TG_ARGV[2:]) AS c;
    END IF;
    EXECUTE format(
        'WITH r AS (%s) INSERT INTO ops.changed_key (derived, owner_id, period)'
        ' SELECT DISTINCT $1, k.owner_id, k.period FROM (%s) AS k (owner_id, period) WHERE k.owner_id IS NOT NULL',
        rows, TG_ARGV[1]) USING TG_ARGV[0];
    RETURN NULL;
END $$;

-- Three triggers per input, because one that sees the rows of a statement may serve one kind of statement only.
CREATE FUNCTION ops.notice(input text, queue text, body text, VARIADIC counts text[]) RETURNS void
    LANGUAGE plpgsql AS $$
DECLARE
    arguments text;
    kind record;
BEGIN
    SELECT string_agg(quote_literal(a.word), ', ' ORDER BY a.place) INTO arguments
    FROM unnest(array[queue, body] || counts) WITH ORDINALITY AS a (word, place);
    FOR kind IN SELECT * FROM (VALUES
        ('insert', 'NEW TABLE AS new_rows'),
        ('update', 'OLD TABLE AS old_rows NEW TABLE AS new_rows'),
        ('delete', 'OLD TABLE AS old_rows')) AS k (event, tables)
    LOOP
        EXECUTE format('CREATE TRIGGER %I AFTER %s ON v2.%I REFERENCING %s FOR EACH STATEMENT'
            ' EXECUTE FUNCTION ops.note_changed_keys(%s)',
            queue || '_' || kind.event, kind.event, input, kind.tables, arguments);
    END LOOP;
END $$;

SELECT ops.notice('transaction', 'agg_agent_monthly',
    $body$SELECT r.transaction_owner_agent_id, NULL::date FROM r$body$,
    'transaction_owner_agent_id', 'status', 'closed', 'terminated', 'representation', 'transaction_type', 'contract_date', 'listing_date',
    'closing_date', 'sale_price', 'gross_commission', 'currency', 'duplicate_of_id', 'deleted_at');
SELECT ops.notice('transaction', 'agg_transactions_by_week',
    $body$SELECT r.team_id, NULL::date FROM r$body$,
    'team_id', 'status', 'closed', 'terminated', 'representation', 'transaction_type', 'contract_date', 'listing_date',
    'closing_date', 'sale_price', 'gross_commission', 'currency', 'duplicate_of_id', 'deleted_at');
SELECT ops.notice('transaction', 'transaction.links',
    $body$SELECT r.id, NULL::date FROM r$body$,
    'source', 'transaction_id_raw', 'rezen_code', 'mls_num', 'address_id', 'sale_price', 'closing_date',
    'terminated', 'representation', 'deleted_at');
SELECT ops.notice('address', 'transaction.links',
    $body$SELECT t.id, NULL::date FROM r JOIN v2.transaction t ON t.address_id = r.id$body$,
    'state_abbreviation');
SELECT ops.notice('transaction_financials', 'agg_agent_monthly',
    $body$SELECT t.transaction_owner_agent_id, NULL::date FROM r JOIN v2.transaction t ON t.id = r.transaction_id$body$,
    'transaction_id', 'gci', 'currency', 'deleted_at');
SELECT ops.notice('transaction_financials', 'agg_transactions_by_week',
    $body$SELECT t.team_id, NULL::date FROM r JOIN v2.transaction t ON t.id = r.transaction_id$body$,
    'transaction_id', 'gci', 'currency', 'deleted_at');
SELECT ops.notice('listing', 'agg_agent_monthly',
    $body$SELECT r.transaction_owner_agent_id, NULL::date FROM r$body$,
    'transaction_owner_agent_id', 'listing_date', 'closed', 'closed_at', 'deleted_at');
SELECT ops.notice('network_member', 'agg_agent_monthly',
    $body$SELECT r.agent_id, NULL::date FROM r$body$,
    'agent_id', 'broker_join_date', 'broker_terminated_date', 'deleted_at');
SELECT ops.notice('contribution', 'agg_agent_monthly',
    $body$SELECT r.receiving_agent_id, NULL::date FROM r$body$,
    'receiving_agent_id', 'amount', 'currency', 'contribution_date', 'missed', 'duplicate_of_id', 'deleted_at');
SELECT ops.notice('revshare_payment', 'agg_agent_monthly',
    $body$SELECT r.agent_id, NULL::date FROM r$body$,
    'agent_id', 'amount', 'currency', 'payment_date', 'deleted_at');
SELECT ops.notice('agent', 'agg_agent_monthly',
    $body$SELECT r.id, NULL::date FROM r WHERE r.user_id IS NOT NULL$body$,
    'user_id');
SELECT ops.notice('agent', 'agg_leaderboard',
    $body$SELECT r.team_id, NULL::date FROM r$body$,
    'team_id', 'deleted_at');
SELECT ops.notice('agg_fub_activity_by_agent', 'agg_agent_monthly',
    $body$SELECT a.id, NULL::date FROM r JOIN v2.agent a ON a.user_id = r.user_id$body$,
    'user_id', 'day', 'calls', 'texts', 'events', 'appointments', 'new_people', 'deleted_at');
SELECT ops.notice('agg_agent_monthly', 'agg_leaderboard',
    $body$SELECT a.team_id, NULL::date FROM r JOIN v2.agent a ON a.id = r.agent_id$body$,
    'agent_id', 'currency', 'closed_buyer_count', 'closed_buyer_volume', 'closed_buyer_gci', 'closed_seller_count',
    'closed_seller_volume', 'closed_seller_gci', 'closed_other_count', 'closed_other_volume', 'closed_other_gci', 'deleted_at');
SELECT ops.notice('fub_calls', 'agg_fub_activity_by_agent',
    $body$SELECT r.user_id, (r.fub_created_at AT TIME ZONE 'UTC')::date FROM r WHERE r.fub_created_at IS NOT NULL$body$,
    'user_id', 'fub_created_at', 'is_incoming', 'duration', 'deleted_at');
SELECT ops.notice('fub_text_messages', 'agg_fub_activity_by_agent',
    $body$SELECT r.user_id, (r.sent AT TIME ZONE 'UTC')::date FROM r WHERE r.sent IS NOT NULL$body$,
    'user_id', 'sent', 'is_incoming', 'deleted_at');
SELECT ops.notice('fub_appointments', 'agg_fub_activity_by_agent',
    $body$SELECT r.user_id, (r.start AT TIME ZONE 'UTC')::date FROM r WHERE r.start IS NOT NULL$body$,
    'user_id', 'start', 'deleted_at');
SELECT ops.notice('fub_events', 'agg_fub_activity_by_agent',
    $body$SELECT p.user_id, (r.occurred AT TIME ZONE 'UTC')::date FROM r JOIN v2.fub_people p ON p.id = r.fub_people_id
     WHERE r.occurred IS NOT NULL$body$,
    'fub_people_id', 'occurred', 'deleted_at');
SELECT ops.notice('fub_people', 'agg_fub_activity_by_agent',
    $body$SELECT r.user_id, (r.fub_created_at AT TIME ZONE 'UTC')::date FROM r WHERE r.fub_created_at IS NOT NULL
     UNION ALL SELECT r.user_id, (e.occurred AT TIME ZONE 'UTC')::date FROM r JOIN v2.fub_events e ON e.fub_people_id = r.id
     WHERE e.occurred IS NOT NULL$body$,
    'user_id', 'fub_created_at', 'deleted_at');

-- How many rows every table has, by status (staging) or by whether they live (V2): the numbers of metrics_snapshots.
CREATE FUNCTION ops.row_counts() RETURNS TABLE (metric text, number bigint) LANGUAGE plpgsql STABLE AS $$
DECLARE
    t record;
BEGIN
    FOR t IN
        SELECT n.nspname AS schema, c.relname AS name,
            CASE n.nspname WHEN 'v2' THEN 'CASE WHEN deleted_at IS NULL THEN ''live'' ELSE ''deleted'' END'
                ELSE 'status' END AS state
        FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
        WHERE n.nspname IN ('v2', 'staging') AND c.relkind = 'r' AND c.relname <> 'metrics_snapshots'
        ORDER BY 1, 2
    LOOP
        RETURN QUERY EXECUTE format('SELECT concat_ws(''.'', %L, %L, %s), count(*) FROM %I.%I GROUP BY 1',
            t.schema, t.name, t.state, t.schema, t.name);
    END LOOP;
END $$;

DROP FUNCTION ops.notice(text, text, text, text[]);

-- What an installation has already is noted too. Months follow from the days, and leaderboards from the months.
INSERT INTO ops.changed_key (derived, owner_id) SELECT 'transaction.links', id FROM v2.transaction;
INSERT INTO ops.changed_key (derived, owner_id) SELECT 'agg_agent_monthly', id FROM v2.agent;
INSERT INTO ops.changed_key (derived, owner_id) SELECT 'agg_transactions_by_week', id FROM v2.team;
INSERT INTO ops.changed_key (derived, owner_id, period)
SELECT 'agg_fub_activity_by_agent', k.user_id, k.day FROM (
    SELECT user_id, (fub_created_at AT TIME ZONE 'UTC')::date AS day FROM v2.fub_calls
    UNION SELECT user_id, (sent AT TIME ZONE 'UTC')::date FROM v2.fub_text_messages
    UNION SELECT user_id, (start AT TIME ZONE 'UTC')::date FROM v2.fub_appointments
    UNION SELECT user_id, (fub_created_at AT TIME ZONE 'UTC')::date FROM v2.fub_people
    UNION SELECT p.user_id, (e.occurred AT TIME ZONE 'UTC')::date
    FROM v2.fub_events e JOIN v2.fub_people p ON p.id = e.fub_people_id
) k WHERE k.user_id IS NOT NULL AND k.day IS NOT NULL;
