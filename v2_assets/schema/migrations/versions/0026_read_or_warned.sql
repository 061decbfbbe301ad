-- Revision 0026: readers that never fail for a value, warnings of staged records, parked keys, sums that cannot overflow.

-- Thousands may be grouped by commas ("1,000", "410,000.00"); a comma anywhere else is no amount.
CREATE FUNCTION ops.decimal(value text) RETURNS numeric
    LANGUAGE sql IMMUTABLE PARALLEL SAFE
    RETURN CASE
        WHEN length(value) > 100 THEN NULL
        WHEN value ~ '^[+-]?([0-9]+\.?[0-9]*|\.[0-9]+)$' THEN value::numeric
        WHEN value ~ '^[+-]?[0-9]{1,3}(,[0-9]{3})+(\.[0-9]+)?$' THEN replace(value, ',', '')::numeric
    END;

-- What is no number is an error: no amount is null because it could not be read.
CREATE OR REPLACE FUNCTION ops.money(value jsonb) RETURNS numeric
    LANGUAGE plpgsql IMMUTABLE PARALLEL SAFE STRICT AS $$
DECLARE
    told text := btrim(
        CASE jsonb_typeof(value) WHEN 'object' THEN value ->> 'amount' WHEN 'array' THEN NULL ELSE value #>> '{}' END
    );
BEGIN
    RETURN coalesce(ops.decimal(told), nullif(told, '')::numeric);
END
$$;

CREATE OR REPLACE FUNCTION ops.skyslope_money(value jsonb) RETURNS numeric
    LANGUAGE sql IMMUTABLE PARALLEL SAFE
    RETURN CASE WHEN jsonb_typeof(value) IN ('number', 'string') THEN nullif(ops.money(value), 0) END;

-- What numeric(9, 4) holds; anything beyond is no share of anything.
CREATE OR REPLACE FUNCTION ops.percent(value jsonb) RETURNS numeric
    LANGUAGE plpgsql IMMUTABLE PARALLEL SAFE STRICT AS $$
DECLARE
    told numeric := ops.decimal(btrim(
        CASE jsonb_typeof(value) WHEN 'object' THEN value ->> 'value' ELSE value #>> '{}' END, ' %'
    ));
BEGIN
    RETURN CASE WHEN abs(told) < 99999 THEN told END;
END
$$;

CREATE OR REPLACE FUNCTION ops.flag(value jsonb) RETURNS boolean
    LANGUAGE sql IMMUTABLE PARALLEL SAFE
    RETURN CASE
        WHEN lower(btrim(value #>> '{}')) IN ('true', 't', 'yes', 'y', 'on', '1') THEN true
        WHEN lower(btrim(value #>> '{}')) IN ('false', 'f', 'no', 'n', 'off', '0') THEN false
    END;

CREATE OR REPLACE FUNCTION ops.whole(value jsonb) RETURNS bigint
    LANGUAGE plpgsql IMMUTABLE PARALLEL SAFE STRICT AS $$
DECLARE
    told text := btrim(value #>> '{}');
BEGIN
    IF told !~ '^[+-]?[0-9]{1,19}(\.0*)?$' OR abs(told::numeric) > 9223372036854775807 THEN
        RETURN NULL;
    END IF;
    RETURN told::numeric;
END
$$;

CREATE FUNCTION ops.small(value jsonb) RETURNS smallint
    LANGUAGE sql IMMUTABLE PARALLEL SAFE
    RETURN CASE WHEN ops.whole(value) BETWEEN -32768 AND 32767 THEN ops.whole(value)::smallint END;

-- A date stays the date it was written as; only an instant is turned into its UTC day.
CREATE OR REPLACE FUNCTION ops.day(value text) RETURNS date
    LANGUAGE plpgsql IMMUTABLE PARALLEL SAFE STRICT AS $$
DECLARE
    year int;
    month int;
    day int;
BEGIN
    IF value !~ '^[0-9]{4}-[0-9]{2}-[0-9]{2}$' THEN
        RETURN (ops.instant(value) AT TIME ZONE 'UTC')::date;
    END IF;
    year := substr(value, 1, 4);
    month := substr(value, 6, 2);
    day := substr(value, 9, 2);
    IF year NOT BETWEEN 1900 AND 2199 OR month NOT BETWEEN 1 AND 12 OR day NOT BETWEEN 1 AND 31 THEN
        RETURN NULL;
    ELSIF day > 28 AND day > extract(day FROM make_date(year, month, 1) + interval '1 month - 1 day') THEN
        RETURN NULL;
    END IF;
    RETURN make_date(year, month, day);
END
$$;

-- Eleven digits or fewer are seconds (until the year 5138), more are milliseconds (from 1973 on). The same instants as
-- `instant_of` in resources/apis/fields.py reads.
CREATE OR REPLACE FUNCTION ops.instant(value text) RETURNS timestamptz
    LANGUAGE plpgsql IMMUTABLE PARALLEL SAFE STRICT AS $$
DECLARE
    bare text := btrim(value);
    epoch numeric;
    parts text[];
BEGIN
    IF bare ~ '^-?[0-9]{1,16}(\.[0-9]{1,9})?$' THEN
        epoch := bare;
        IF abs(epoch) >= 100000000000 THEN
            epoch := epoch / 1000;
        END IF;
        -- 1900-01-01 to the end of 2199.
        RETURN CASE WHEN epoch >= -2208988800 AND epoch < 7258118400 THEN to_timestamp(epoch::float8) END;
    END IF;
    parts := regexp_match(
        bare,
        '^([0-9]{4}-[0-9]{2}-[0-9]{2})(?:[T ]((?:[01][0-9]|2[0-3]):[0-5][0-9](?::[0-5][0-9](?:\.[0-9]{1,9})?)?)'
        ' ?(Z|UTC|[+-](?:0[0-9]|1[0-4])(?::?[0-5][0-9])?)?)?$',
        'i'
    );
    IF parts IS NULL OR ops.day(parts[1]) IS NULL THEN
        RETURN NULL;
    END IF;
    RETURN (parts[1] || ' ' || coalesce(parts[2], '00:00') || coalesce(parts[3], '+00'))::timestamptz;
END
$$;

CREATE OR REPLACE FUNCTION ops.epoch_ms(value bigint) RETURNS timestamptz
    LANGUAGE sql IMMUTABLE PARALLEL SAFE
    RETURN CASE
        WHEN value >= -2208988800000 AND value < 7258118400000 THEN to_timestamp(value / 1000.0::float8)
    END;

CREATE OR REPLACE FUNCTION ops.epoch_ms(value text) RETURNS timestamptz
    LANGUAGE sql IMMUTABLE PARALLEL SAFE
    RETURN CASE WHEN btrim(value) ~ '^-?[0-9]{1,16}$' THEN ops.epoch_ms(btrim(value)::bigint) END;

CREATE TABLE ops.parked_key (
    id BIGINT GENERATED ALWAYS AS IDENTITY,
    table_name TEXT NOT NULL,
    work TEXT NOT NULL,
    owner_id BIGINT NOT NULL,
    period DATE,
    reason JSONB NOT NULL,
    parked_at TIMESTAMP WITH TIME ZONE DEFAULT now() NOT NULL,
    tried_at TIMESTAMP WITH TIME ZONE DEFAULT now() NOT NULL,
    attempts BIGINT DEFAULT 1 NOT NULL,
    CONSTRAINT parked_key_pkey PRIMARY KEY (id),
    CONSTRAINT parked_key_key UNIQUE NULLS NOT DISTINCT (work, owner_id, period)
);

COMMENT ON TABLE ops.parked_key IS 'One key of a computed table that Postgres refuses to compute.';
COMMENT ON COLUMN ops.parked_key.id IS 'Our own number.';
COMMENT ON COLUMN ops.parked_key.table_name IS 'The computed table of v2.';
COMMENT ON COLUMN ops.parked_key.work IS 'What was refused: its queue in ops.changed_key, or the file of its select.';
COMMENT ON COLUMN ops.parked_key.owner_id IS 'For whom or which: an agent, team, user or deal.';
COMMENT ON COLUMN ops.parked_key.period IS 'Which of the owner''s days; null for all.';
COMMENT ON COLUMN ops.parked_key.reason IS 'What Postgres refused: SQLSTATE, table, constraint, columns; never a value.';
COMMENT ON COLUMN ops.parked_key.parked_at IS 'Since when it has not been computed.';
COMMENT ON COLUMN ops.parked_key.tried_at IS 'When it was last tried.';
COMMENT ON COLUMN ops.parked_key.attempts IS 'How often it was tried.';

-- Sums of amounts and of shares that no record can make overflow; a wider numeric rewrites no table.
ALTER TABLE v2.agg_transactions_by_week
    ALTER COLUMN closed_volume TYPE NUMERIC(24, 2),
    ALTER COLUMN closed_gci TYPE NUMERIC(24, 2);
ALTER TABLE v2.revshare_totals
    ALTER COLUMN total_amount TYPE NUMERIC(24, 2),
    ALTER COLUMN ytd_amount TYPE NUMERIC(24, 2),
    ALTER COLUMN mtd_amount TYPE NUMERIC(24, 2);
ALTER TABLE v2.agg_agent_monthly
    ALTER COLUMN new_buyer_volume TYPE NUMERIC(24, 2),
    ALTER COLUMN new_buyer_gci TYPE NUMERIC(24, 2),
    ALTER COLUMN new_seller_volume TYPE NUMERIC(24, 2),
    ALTER COLUMN new_seller_gci TYPE NUMERIC(24, 2),
    ALTER COLUMN new_other_volume TYPE NUMERIC(24, 2),
    ALTER COLUMN new_other_gci TYPE NUMERIC(24, 2),
    ALTER COLUMN pending_buyer_volume TYPE NUMERIC(24, 2),
    ALTER COLUMN pending_buyer_gci TYPE NUMERIC(24, 2),
    ALTER COLUMN pending_seller_volume TYPE NUMERIC(24, 2),
    ALTER COLUMN pending_seller_gci TYPE NUMERIC(24, 2),
    ALTER COLUMN pending_other_volume TYPE NUMERIC(24, 2),
    ALTER COLUMN pending_other_gci TYPE NUMERIC(24, 2),
    ALTER COLUMN closed_buyer_volume TYPE NUMERIC(24, 2),
    ALTER COLUMN closed_buyer_gci TYPE NUMERIC(24, 2),
    ALTER COLUMN closed_seller_volume TYPE NUMERIC(24, 2),
    ALTER COLUMN closed_seller_gci TYPE NUMERIC(24, 2),
    ALTER COLUMN closed_other_volume TYPE NUMERIC(24, 2),
    ALTER COLUMN closed_other_gci TYPE NUMERIC(24, 2),
    ALTER COLUMN terminated_buyer_volume TYPE NUMERIC(24, 2),
    ALTER COLUMN terminated_buyer_gci TYPE NUMERIC(24, 2),
    ALTER COLUMN terminated_seller_volume TYPE NUMERIC(24, 2),
    ALTER COLUMN terminated_seller_gci TYPE NUMERIC(24, 2),
    ALTER COLUMN terminated_other_volume TYPE NUMERIC(24, 2),
    ALTER COLUMN terminated_other_gci TYPE NUMERIC(24, 2),
    ALTER COLUMN average_days_to_close TYPE NUMERIC(12, 4),
    ALTER COLUMN contributions_earned TYPE NUMERIC(24, 2),
    ALTER COLUMN revshare_paid TYPE NUMERIC(24, 2);
ALTER TABLE v2.agg_leaderboard
    ALTER COLUMN value TYPE NUMERIC(24, 2);
ALTER TABLE v2.equity_annual
    ALTER COLUMN total_shares TYPE NUMERIC(28, 6),
    ALTER COLUMN vested_shares TYPE NUMERIC(28, 6),
    ALTER COLUMN unvested_shares TYPE NUMERIC(28, 6),
    ALTER COLUMN total_value TYPE NUMERIC(24, 2),
    ALTER COLUMN grants_this_period TYPE NUMERIC(28, 6),
    ALTER COLUMN vested_this_period TYPE NUMERIC(28, 6),
    ALTER COLUMN exercised_this_period TYPE NUMERIC(28, 6),
    ALTER COLUMN forfeited_this_period TYPE NUMERIC(28, 6);
ALTER TABLE v2.equity_monthly
    ALTER COLUMN total_shares TYPE NUMERIC(28, 6),
    ALTER COLUMN vested_shares TYPE NUMERIC(28, 6),
    ALTER COLUMN unvested_shares TYPE NUMERIC(28, 6),
    ALTER COLUMN total_value TYPE NUMERIC(24, 2),
    ALTER COLUMN grants_this_period TYPE NUMERIC(28, 6),
    ALTER COLUMN vested_this_period TYPE NUMERIC(28, 6),
    ALTER COLUMN exercised_this_period TYPE NUMERIC(28, 6),
    ALTER COLUMN forfeited_this_period TYPE NUMERIC(28, 6);
ALTER TABLE v2.equity_transactions
    ALTER COLUMN amount TYPE NUMERIC(28, 6);

ALTER TABLE staging.stage_fub_accounts ADD COLUMN warnings JSONB;
CREATE INDEX stage_fub_accounts_warned_idx ON staging.stage_fub_accounts (id) WHERE warnings is not null;
COMMENT ON COLUMN staging.stage_fub_accounts.warnings IS 'Fields that could not be read and are null in V2: code, field, kind of what was found.';
ALTER TABLE staging.stage_fub_users ADD COLUMN warnings JSONB;
CREATE INDEX stage_fub_users_warned_idx ON staging.stage_fub_users (id) WHERE warnings is not null;
COMMENT ON COLUMN staging.stage_fub_users.warnings IS 'Fields that could not be read and are null in V2: code, field, kind of what was found.';
ALTER TABLE staging.stage_fub_groups ADD COLUMN warnings JSONB;
CREATE INDEX stage_fub_groups_warned_idx ON staging.stage_fub_groups (id) WHERE warnings is not null;
COMMENT ON COLUMN staging.stage_fub_groups.warnings IS 'Fields that could not be read and are null in V2: code, field, kind of what was found.';
ALTER TABLE staging.stage_fub_stages ADD COLUMN warnings JSONB;
CREATE INDEX stage_fub_stages_warned_idx ON staging.stage_fub_stages (id) WHERE warnings is not null;
COMMENT ON COLUMN staging.stage_fub_stages.warnings IS 'Fields that could not be read and are null in V2: code, field, kind of what was found.';
ALTER TABLE staging.stage_fub_pipelines ADD COLUMN warnings JSONB;
CREATE INDEX stage_fub_pipelines_warned_idx ON staging.stage_fub_pipelines (id) WHERE warnings is not null;
COMMENT ON COLUMN staging.stage_fub_pipelines.warnings IS 'Fields that could not be read and are null in V2: code, field, kind of what was found.';
ALTER TABLE staging.stage_fub_people ADD COLUMN warnings JSONB;
CREATE INDEX stage_fub_people_warned_idx ON staging.stage_fub_people (id) WHERE warnings is not null;
COMMENT ON COLUMN staging.stage_fub_people.warnings IS 'Fields that could not be read and are null in V2: code, field, kind of what was found.';
ALTER TABLE staging.stage_fub_deals ADD COLUMN warnings JSONB;
CREATE INDEX stage_fub_deals_warned_idx ON staging.stage_fub_deals (id) WHERE warnings is not null;
COMMENT ON COLUMN staging.stage_fub_deals.warnings IS 'Fields that could not be read and are null in V2: code, field, kind of what was found.';
ALTER TABLE staging.stage_fub_events ADD COLUMN warnings JSONB;
CREATE INDEX stage_fub_events_warned_idx ON staging.stage_fub_events (id) WHERE warnings is not null;
COMMENT ON COLUMN staging.stage_fub_events.warnings IS 'Fields that could not be read and are null in V2: code, field, kind of what was found.';
ALTER TABLE staging.stage_fub_calls ADD COLUMN warnings JSONB;
CREATE INDEX stage_fub_calls_warned_idx ON staging.stage_fub_calls (id) WHERE warnings is not null;
COMMENT ON COLUMN staging.stage_fub_calls.warnings IS 'Fields that could not be read and are null in V2: code, field, kind of what was found.';
ALTER TABLE staging.stage_fub_appointments ADD COLUMN warnings JSONB;
CREATE INDEX stage_fub_appointments_warned_idx ON staging.stage_fub_appointments (id) WHERE warnings is not null;
COMMENT ON COLUMN staging.stage_fub_appointments.warnings IS 'Fields that could not be read and are null in V2: code, field, kind of what was found.';
ALTER TABLE staging.stage_fub_text_messages ADD COLUMN warnings JSONB;
CREATE INDEX stage_fub_text_messages_warned_idx ON staging.stage_fub_text_messages (id) WHERE warnings is not null;
COMMENT ON COLUMN staging.stage_fub_text_messages.warnings IS 'Fields that could not be read and are null in V2: code, field, kind of what was found.';
ALTER TABLE staging.stage_rezen_agents ADD COLUMN warnings JSONB;
CREATE INDEX stage_rezen_agents_warned_idx ON staging.stage_rezen_agents (id) WHERE warnings is not null;
COMMENT ON COLUMN staging.stage_rezen_agents.warnings IS 'Fields that could not be read and are null in V2: code, field, kind of what was found.';
ALTER TABLE staging.stage_rezen_teams ADD COLUMN warnings JSONB;
CREATE INDEX stage_rezen_teams_warned_idx ON staging.stage_rezen_teams (id) WHERE warnings is not null;
COMMENT ON COLUMN staging.stage_rezen_teams.warnings IS 'Fields that could not be read and are null in V2: code, field, kind of what was found.';
ALTER TABLE staging.stage_rezen_team_members ADD COLUMN warnings JSONB;
CREATE INDEX stage_rezen_team_members_warned_idx ON staging.stage_rezen_team_members (id) WHERE warnings is not null;
COMMENT ON COLUMN staging.stage_rezen_team_members.warnings IS 'Fields that could not be read and are null in V2: code, field, kind of what was found.';
ALTER TABLE staging.stage_rezen_transactions ADD COLUMN warnings JSONB;
CREATE INDEX stage_rezen_transactions_warned_idx ON staging.stage_rezen_transactions (id) WHERE warnings is not null;
COMMENT ON COLUMN staging.stage_rezen_transactions.warnings IS 'Fields that could not be read and are null in V2: code, field, kind of what was found.';
ALTER TABLE staging.stage_rezen_listings ADD COLUMN warnings JSONB;
CREATE INDEX stage_rezen_listings_warned_idx ON staging.stage_rezen_listings (id) WHERE warnings is not null;
COMMENT ON COLUMN staging.stage_rezen_listings.warnings IS 'Fields that could not be read and are null in V2: code, field, kind of what was found.';
ALTER TABLE staging.stage_rezen_sponsor_tree ADD COLUMN warnings JSONB;
CREATE INDEX stage_rezen_sponsor_tree_warned_idx ON staging.stage_rezen_sponsor_tree (id) WHERE warnings is not null;
COMMENT ON COLUMN staging.stage_rezen_sponsor_tree.warnings IS 'Fields that could not be read and are null in V2: code, field, kind of what was found.';
ALTER TABLE staging.stage_rezen_cap_data ADD COLUMN warnings JSONB;
CREATE INDEX stage_rezen_cap_data_warned_idx ON staging.stage_rezen_cap_data (id) WHERE warnings is not null;
COMMENT ON COLUMN staging.stage_rezen_cap_data.warnings IS 'Fields that could not be read and are null in V2: code, field, kind of what was found.';
ALTER TABLE staging.stage_rezen_network_downline ADD COLUMN warnings JSONB;
CREATE INDEX stage_rezen_network_downline_warned_idx ON staging.stage_rezen_network_downline (id) WHERE warnings is not null;
COMMENT ON COLUMN staging.stage_rezen_network_downline.warnings IS 'Fields that could not be read and are null in V2: code, field, kind of what was found.';
ALTER TABLE staging.stage_rezen_network_frontline ADD COLUMN warnings JSONB;
CREATE INDEX stage_rezen_network_frontline_warned_idx ON staging.stage_rezen_network_frontline (id) WHERE warnings is not null;
COMMENT ON COLUMN staging.stage_rezen_network_frontline.warnings IS 'Fields that could not be read and are null in V2: code, field, kind of what was found.';
ALTER TABLE staging.stage_rezen_contributions ADD COLUMN warnings JSONB;
CREATE INDEX stage_rezen_contributions_warned_idx ON staging.stage_rezen_contributions (id) WHERE warnings is not null;
COMMENT ON COLUMN staging.stage_rezen_contributions.warnings IS 'Fields that could not be read and are null in V2: code, field, kind of what was found.';
ALTER TABLE staging.stage_rezen_pending_contributions ADD COLUMN warnings JSONB;
CREATE INDEX stage_rezen_pending_contributions_warned_idx ON staging.stage_rezen_pending_contributions (id) WHERE warnings is not null;
COMMENT ON COLUMN staging.stage_rezen_pending_contributions.warnings IS 'Fields that could not be read and are null in V2: code, field, kind of what was found.';
ALTER TABLE staging.stage_rezen_revshare_payments ADD COLUMN warnings JSONB;
CREATE INDEX stage_rezen_revshare_payments_warned_idx ON staging.stage_rezen_revshare_payments (id) WHERE warnings is not null;
COMMENT ON COLUMN staging.stage_rezen_revshare_payments.warnings IS 'Fields that could not be read and are null in V2: code, field, kind of what was found.';
ALTER TABLE staging.stage_rezen_equity ADD COLUMN warnings JSONB;
CREATE INDEX stage_rezen_equity_warned_idx ON staging.stage_rezen_equity (id) WHERE warnings is not null;
COMMENT ON COLUMN staging.stage_rezen_equity.warnings IS 'Fields that could not be read and are null in V2: code, field, kind of what was found.';
ALTER TABLE staging.stage_skyslope_offices ADD COLUMN warnings JSONB;
CREATE INDEX stage_skyslope_offices_warned_idx ON staging.stage_skyslope_offices (id) WHERE warnings is not null;
COMMENT ON COLUMN staging.stage_skyslope_offices.warnings IS 'Fields that could not be read and are null in V2: code, field, kind of what was found.';
ALTER TABLE staging.stage_skyslope_users ADD COLUMN warnings JSONB;
CREATE INDEX stage_skyslope_users_warned_idx ON staging.stage_skyslope_users (id) WHERE warnings is not null;
COMMENT ON COLUMN staging.stage_skyslope_users.warnings IS 'Fields that could not be read and are null in V2: code, field, kind of what was found.';
ALTER TABLE staging.stage_skyslope_listings ADD COLUMN warnings JSONB;
CREATE INDEX stage_skyslope_listings_warned_idx ON staging.stage_skyslope_listings (id) WHERE warnings is not null;
COMMENT ON COLUMN staging.stage_skyslope_listings.warnings IS 'Fields that could not be read and are null in V2: code, field, kind of what was found.';
ALTER TABLE staging.stage_skyslope_transactions ADD COLUMN warnings JSONB;
CREATE INDEX stage_skyslope_transactions_warned_idx ON staging.stage_skyslope_transactions (id) WHERE warnings is not null;
COMMENT ON COLUMN staging.stage_skyslope_transactions.warnings IS 'Fields that could not be read and are null in V2: code, field, kind of what was found.';
ALTER TABLE staging.stage_title_orders ADD COLUMN warnings JSONB;
CREATE INDEX stage_title_orders_warned_idx ON staging.stage_title_orders (id) WHERE warnings is not null;
COMMENT ON COLUMN staging.stage_title_orders.warnings IS 'Fields that could not be read and are null in V2: code, field, kind of what was found.';
ALTER TABLE staging.stage_title_agencies ADD COLUMN warnings JSONB;
CREATE INDEX stage_title_agencies_warned_idx ON staging.stage_title_agencies (id) WHERE warnings is not null;
COMMENT ON COLUMN staging.stage_title_agencies.warnings IS 'Fields that could not be read and are null in V2: code, field, kind of what was found.';
ALTER TABLE staging.stage_title_users ADD COLUMN warnings JSONB;
CREATE INDEX stage_title_users_warned_idx ON staging.stage_title_users (id) WHERE warnings is not null;
COMMENT ON COLUMN staging.stage_title_users.warnings IS 'Fields that could not be read and are null in V2: code, field, kind of what was found.';
ALTER TABLE staging.stage_csv_import ADD COLUMN warnings JSONB;
CREATE INDEX stage_csv_import_warned_idx ON staging.stage_csv_import (id) WHERE warnings is not null;
COMMENT ON COLUMN staging.stage_csv_import.warnings IS 'Fields that could not be read and are null in V2: code, field, kind of what was found.';
ALTER TABLE staging.stage_xano_user ADD COLUMN warnings JSONB;
CREATE INDEX stage_xano_user_warned_idx ON staging.stage_xano_user (id) WHERE warnings is not null;
COMMENT ON COLUMN staging.stage_xano_user.warnings IS 'Fields that could not be read and are null in V2: code, field, kind of what was found.';
ALTER TABLE staging.stage_xano_agent ADD COLUMN warnings JSONB;
CREATE INDEX stage_xano_agent_warned_idx ON staging.stage_xano_agent (id) WHERE warnings is not null;
COMMENT ON COLUMN staging.stage_xano_agent.warnings IS 'Fields that could not be read and are null in V2: code, field, kind of what was found.';
ALTER TABLE staging.stage_xano_team ADD COLUMN warnings JSONB;
CREATE INDEX stage_xano_team_warned_idx ON staging.stage_xano_team (id) WHERE warnings is not null;
COMMENT ON COLUMN staging.stage_xano_team.warnings IS 'Fields that could not be read and are null in V2: code, field, kind of what was found.';
ALTER TABLE staging.stage_xano_director ADD COLUMN warnings JSONB;
CREATE INDEX stage_xano_director_warned_idx ON staging.stage_xano_director (id) WHERE warnings is not null;
COMMENT ON COLUMN staging.stage_xano_director.warnings IS 'Fields that could not be read and are null in V2: code, field, kind of what was found.';
ALTER TABLE staging.stage_xano_leader ADD COLUMN warnings JSONB;
CREATE INDEX stage_xano_leader_warned_idx ON staging.stage_xano_leader (id) WHERE warnings is not null;
COMMENT ON COLUMN staging.stage_xano_leader.warnings IS 'Fields that could not be read and are null in V2: code, field, kind of what was found.';
ALTER TABLE staging.stage_xano_mentor ADD COLUMN warnings JSONB;
CREATE INDEX stage_xano_mentor_warned_idx ON staging.stage_xano_mentor (id) WHERE warnings is not null;
COMMENT ON COLUMN staging.stage_xano_mentor.warnings IS 'Fields that could not be read and are null in V2: code, field, kind of what was found.';
ALTER TABLE staging.stage_xano_user_roles ADD COLUMN warnings JSONB;
CREATE INDEX stage_xano_user_roles_warned_idx ON staging.stage_xano_user_roles (id) WHERE warnings is not null;
COMMENT ON COLUMN staging.stage_xano_user_roles.warnings IS 'Fields that could not be read and are null in V2: code, field, kind of what was found.';
ALTER TABLE staging.stage_xano_user_settings ADD COLUMN warnings JSONB;
CREATE INDEX stage_xano_user_settings_warned_idx ON staging.stage_xano_user_settings (id) WHERE warnings is not null;
COMMENT ON COLUMN staging.stage_xano_user_settings.warnings IS 'Fields that could not be read and are null in V2: code, field, kind of what was found.';
ALTER TABLE staging.stage_xano_user_subscriptions ADD COLUMN warnings JSONB;
CREATE INDEX stage_xano_user_subscriptions_warned_idx ON staging.stage_xano_user_subscriptions (id) WHERE warnings is not null;
COMMENT ON COLUMN staging.stage_xano_user_subscriptions.warnings IS 'Fields that could not be read and are null in V2: code, field, kind of what was found.';
ALTER TABLE staging.stage_xano_listing ADD COLUMN warnings JSONB;
CREATE INDEX stage_xano_listing_warned_idx ON staging.stage_xano_listing (id) WHERE warnings is not null;
COMMENT ON COLUMN staging.stage_xano_listing.warnings IS 'Fields that could not be read and are null in V2: code, field, kind of what was found.';
ALTER TABLE staging.stage_xano_transaction ADD COLUMN warnings JSONB;
CREATE INDEX stage_xano_transaction_warned_idx ON staging.stage_xano_transaction (id) WHERE warnings is not null;
COMMENT ON COLUMN staging.stage_xano_transaction.warnings IS 'Fields that could not be read and are null in V2: code, field, kind of what was found.';
ALTER TABLE staging.stage_xano_participant ADD COLUMN warnings JSONB;
CREATE INDEX stage_xano_participant_warned_idx ON staging.stage_xano_participant (id) WHERE warnings is not null;
COMMENT ON COLUMN staging.stage_xano_participant.warnings IS 'Fields that could not be read and are null in V2: code, field, kind of what was found.';
ALTER TABLE staging.stage_xano_transaction_tags ADD COLUMN warnings JSONB;
CREATE INDEX stage_xano_transaction_tags_warned_idx ON staging.stage_xano_transaction_tags (id) WHERE warnings is not null;
COMMENT ON COLUMN staging.stage_xano_transaction_tags.warnings IS 'Fields that could not be read and are null in V2: code, field, kind of what was found.';
ALTER TABLE staging.stage_xano_listing_photos ADD COLUMN warnings JSONB;
CREATE INDEX stage_xano_listing_photos_warned_idx ON staging.stage_xano_listing_photos (id) WHERE warnings is not null;
COMMENT ON COLUMN staging.stage_xano_listing_photos.warnings IS 'Fields that could not be read and are null in V2: code, field, kind of what was found.';
ALTER TABLE staging.stage_xano_contribution ADD COLUMN warnings JSONB;
CREATE INDEX stage_xano_contribution_warned_idx ON staging.stage_xano_contribution (id) WHERE warnings is not null;
COMMENT ON COLUMN staging.stage_xano_contribution.warnings IS 'Fields that could not be read and are null in V2: code, field, kind of what was found.';
ALTER TABLE staging.stage_xano_network_change_log ADD COLUMN warnings JSONB;
CREATE INDEX stage_xano_network_change_log_warned_idx ON staging.stage_xano_network_change_log (id) WHERE warnings is not null;
COMMENT ON COLUMN staging.stage_xano_network_change_log.warnings IS 'Fields that could not be read and are null in V2: code, field, kind of what was found.';
ALTER TABLE staging.stage_xano_title_agencies ADD COLUMN warnings JSONB;
CREATE INDEX stage_xano_title_agencies_warned_idx ON staging.stage_xano_title_agencies (id) WHERE warnings is not null;
COMMENT ON COLUMN staging.stage_xano_title_agencies.warnings IS 'Fields that could not be read and are null in V2: code, field, kind of what was found.';
ALTER TABLE staging.stage_xano_title_users ADD COLUMN warnings JSONB;
CREATE INDEX stage_xano_title_users_warned_idx ON staging.stage_xano_title_users (id) WHERE warnings is not null;
COMMENT ON COLUMN staging.stage_xano_title_users.warnings IS 'Fields that could not be read and are null in V2: code, field, kind of what was found.';
ALTER TABLE staging.stage_xano_title_orders ADD COLUMN warnings JSONB;
CREATE INDEX stage_xano_title_orders_warned_idx ON staging.stage_xano_title_orders (id) WHERE warnings is not null;
COMMENT ON COLUMN staging.stage_xano_title_orders.warnings IS 'Fields that could not be read and are null in V2: code, field, kind of what was found.';
ALTER TABLE staging.stage_xano_title_events ADD COLUMN warnings JSONB;
CREATE INDEX stage_xano_title_events_warned_idx ON staging.stage_xano_title_events (id) WHERE warnings is not null;
COMMENT ON COLUMN staging.stage_xano_title_events.warnings IS 'Fields that could not be read and are null in V2: code, field, kind of what was found.';
ALTER TABLE staging.stage_xano_title_disbursements ADD COLUMN warnings JSONB;
CREATE INDEX stage_xano_title_disbursements_warned_idx ON staging.stage_xano_title_disbursements (id) WHERE warnings is not null;
COMMENT ON COLUMN staging.stage_xano_title_disbursements.warnings IS 'Fields that could not be read and are null in V2: code, field, kind of what was found.';
ALTER TABLE staging.stage_xano_title_closing_items ADD COLUMN warnings JSONB;
CREATE INDEX stage_xano_title_closing_items_warned_idx ON staging.stage_xano_title_closing_items (id) WHERE warnings is not null;
COMMENT ON COLUMN staging.stage_xano_title_closing_items.warnings IS 'Fields that could not be read and are null in V2: code, field, kind of what was found.';
ALTER TABLE staging.stage_xano_closing_disclosure ADD COLUMN warnings JSONB;
CREATE INDEX stage_xano_closing_disclosure_warned_idx ON staging.stage_xano_closing_disclosure (id) WHERE warnings is not null;
COMMENT ON COLUMN staging.stage_xano_closing_disclosure.warnings IS 'Fields that could not be read and are null in V2: code, field, kind of what was found.';
