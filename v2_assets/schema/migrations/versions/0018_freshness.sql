-- Revision 0018: freshness by user: how each pull went, and rejected records found without reading the others.

CREATE TABLE ops.pull (
    id BIGINT GENERATED ALWAYS AS IDENTITY,
    at TIMESTAMP WITH TIME ZONE DEFAULT now() NOT NULL,
    integration TEXT NOT NULL,
    entity TEXT NOT NULL,
    run_id TEXT NOT NULL,
    passes BIGINT NOT NULL,
    failed BIGINT NOT NULL,
    fetched BIGINT NOT NULL,
    rejected BIGINT NOT NULL,
    failed_users JSONB DEFAULT '[]' NOT NULL,
    CONSTRAINT pull_pkey PRIMARY KEY (id),
    CONSTRAINT pull_failed_check CHECK (failed between 0 and passes)
);

CREATE INDEX pull_at_idx ON ops.pull (at);

COMMENT ON TABLE ops.pull IS 'One stream as one run read it for its users.';
COMMENT ON COLUMN ops.pull.id IS 'Our own number of the row.';
COMMENT ON COLUMN ops.pull.at IS 'When its last user was done.';
COMMENT ON COLUMN ops.pull.integration IS 'The source system.';
COMMENT ON COLUMN ops.pull.entity IS 'The kind of record.';
COMMENT ON COLUMN ops.pull.run_id IS 'The run that read it.';
COMMENT ON COLUMN ops.pull.passes IS 'Users whose pass ended, well or not.';
COMMENT ON COLUMN ops.pull.failed IS 'Those of them whose pass failed.';
COMMENT ON COLUMN ops.pull.fetched IS 'Records that the source gave.';
COMMENT ON COLUMN ops.pull.rejected IS 'Records among them that break a rule.';
COMMENT ON COLUMN ops.pull.failed_users IS 'Ids of the users whose pass failed.';

CREATE INDEX stage_fub_accounts_rejected_idx ON staging.stage_fub_accounts (fetched_at) WHERE status = 'rejected';
CREATE INDEX stage_fub_users_rejected_idx ON staging.stage_fub_users (fetched_at) WHERE status = 'rejected';
CREATE INDEX stage_fub_groups_rejected_idx ON staging.stage_fub_groups (fetched_at) WHERE status = 'rejected';
CREATE INDEX stage_fub_stages_rejected_idx ON staging.stage_fub_stages (fetched_at) WHERE status = 'rejected';
CREATE INDEX stage_fub_pipelines_rejected_idx ON staging.stage_fub_pipelines (fetched_at) WHERE status = 'rejected';
CREATE INDEX stage_fub_people_rejected_idx ON staging.stage_fub_people (fetched_at) WHERE status = 'rejected';
CREATE INDEX stage_fub_deals_rejected_idx ON staging.stage_fub_deals (fetched_at) WHERE status = 'rejected';
CREATE INDEX stage_fub_events_rejected_idx ON staging.stage_fub_events (fetched_at) WHERE status = 'rejected';
CREATE INDEX stage_fub_calls_rejected_idx ON staging.stage_fub_calls (fetched_at) WHERE status = 'rejected';
CREATE INDEX stage_fub_appointments_rejected_idx ON staging.stage_fub_appointments (fetched_at) WHERE status = 'rejected';
CREATE INDEX stage_fub_text_messages_rejected_idx ON staging.stage_fub_text_messages (fetched_at) WHERE status = 'rejected';
CREATE INDEX stage_rezen_agents_rejected_idx ON staging.stage_rezen_agents (fetched_at) WHERE status = 'rejected';
CREATE INDEX stage_rezen_teams_rejected_idx ON staging.stage_rezen_teams (fetched_at) WHERE status = 'rejected';
CREATE INDEX stage_rezen_team_members_rejected_idx ON staging.stage_rezen_team_members (fetched_at) WHERE status = 'rejected';
CREATE INDEX stage_rezen_transactions_rejected_idx ON staging.stage_rezen_transactions (fetched_at) WHERE status = 'rejected';
CREATE INDEX stage_rezen_listings_rejected_idx ON staging.stage_rezen_listings (fetched_at) WHERE status = 'rejected';
CREATE INDEX stage_rezen_sponsor_tree_rejected_idx ON staging.stage_rezen_sponsor_tree (fetched_at) WHERE status = 'rejected';
CREATE INDEX stage_rezen_cap_data_rejected_idx ON staging.stage_rezen_cap_data (fetched_at) WHERE status = 'rejected';
CREATE INDEX stage_rezen_network_downline_rejected_idx ON staging.stage_rezen_network_downline (fetched_at) WHERE status = 'rejected';
CREATE INDEX stage_rezen_network_frontline_rejected_idx ON staging.stage_rezen_network_frontline (fetched_at) WHERE status = 'rejected';
CREATE INDEX stage_rezen_contributions_rejected_idx ON staging.stage_rezen_contributions (fetched_at) WHERE status = 'rejected';
CREATE INDEX stage_rezen_pending_contributions_rejected_idx ON staging.stage_rezen_pending_contributions (fetched_at) WHERE status = 'rejected';
CREATE INDEX stage_rezen_revshare_payments_rejected_idx ON staging.stage_rezen_revshare_payments (fetched_at) WHERE status = 'rejected';
CREATE INDEX stage_rezen_equity_rejected_idx ON staging.stage_rezen_equity (fetched_at) WHERE status = 'rejected';
CREATE INDEX stage_skyslope_offices_rejected_idx ON staging.stage_skyslope_offices (fetched_at) WHERE status = 'rejected';
CREATE INDEX stage_skyslope_users_rejected_idx ON staging.stage_skyslope_users (fetched_at) WHERE status = 'rejected';
CREATE INDEX stage_skyslope_listings_rejected_idx ON staging.stage_skyslope_listings (fetched_at) WHERE status = 'rejected';
CREATE INDEX stage_skyslope_transactions_rejected_idx ON staging.stage_skyslope_transactions (fetched_at) WHERE status = 'rejected';
CREATE INDEX stage_title_orders_rejected_idx ON staging.stage_title_orders (fetched_at) WHERE status = 'rejected';
CREATE INDEX stage_title_agencies_rejected_idx ON staging.stage_title_agencies (fetched_at) WHERE status = 'rejected';
CREATE INDEX stage_title_users_rejected_idx ON staging.stage_title_users (fetched_at) WHERE status = 'rejected';
CREATE INDEX stage_csv_import_rejected_idx ON staging.stage_csv_import (fetched_at) WHERE status = 'rejected';
CREATE INDEX stage_xano_user_rejected_idx ON staging.stage_xano_user (fetched_at) WHERE status = 'rejected';
CREATE INDEX stage_xano_agent_rejected_idx ON staging.stage_xano_agent (fetched_at) WHERE status = 'rejected';
CREATE INDEX stage_xano_team_rejected_idx ON staging.stage_xano_team (fetched_at) WHERE status = 'rejected';
CREATE INDEX stage_xano_director_rejected_idx ON staging.stage_xano_director (fetched_at) WHERE status = 'rejected';
CREATE INDEX stage_xano_leader_rejected_idx ON staging.stage_xano_leader (fetched_at) WHERE status = 'rejected';
CREATE INDEX stage_xano_mentor_rejected_idx ON staging.stage_xano_mentor (fetched_at) WHERE status = 'rejected';
CREATE INDEX stage_xano_user_roles_rejected_idx ON staging.stage_xano_user_roles (fetched_at) WHERE status = 'rejected';
CREATE INDEX stage_xano_user_settings_rejected_idx ON staging.stage_xano_user_settings (fetched_at) WHERE status = 'rejected';
CREATE INDEX stage_xano_user_subscriptions_rejected_idx ON staging.stage_xano_user_subscriptions (fetched_at) WHERE status = 'rejected';
CREATE INDEX stage_xano_listing_rejected_idx ON staging.stage_xano_listing (fetched_at) WHERE status = 'rejected';
CREATE INDEX stage_xano_transaction_rejected_idx ON staging.stage_xano_transaction (fetched_at) WHERE status = 'rejected';
CREATE INDEX stage_xano_participant_rejected_idx ON staging.stage_xano_participant (fetched_at) WHERE status = 'rejected';
CREATE INDEX stage_xano_transaction_tags_rejected_idx ON staging.stage_xano_transaction_tags (fetched_at) WHERE status = 'rejected';
CREATE INDEX stage_xano_listing_photos_rejected_idx ON staging.stage_xano_listing_photos (fetched_at) WHERE status = 'rejected';
CREATE INDEX stage_xano_contribution_rejected_idx ON staging.stage_xano_contribution (fetched_at) WHERE status = 'rejected';
CREATE INDEX stage_xano_network_change_log_rejected_idx ON staging.stage_xano_network_change_log (fetched_at) WHERE status = 'rejected';
CREATE INDEX stage_xano_title_agencies_rejected_idx ON staging.stage_xano_title_agencies (fetched_at) WHERE status = 'rejected';
CREATE INDEX stage_xano_title_users_rejected_idx ON staging.stage_xano_title_users (fetched_at) WHERE status = 'rejected';
CREATE INDEX stage_xano_title_orders_rejected_idx ON staging.stage_xano_title_orders (fetched_at) WHERE status = 'rejected';
CREATE INDEX stage_xano_title_events_rejected_idx ON staging.stage_xano_title_events (fetched_at) WHERE status = 'rejected';
CREATE INDEX stage_xano_title_disbursements_rejected_idx ON staging.stage_xano_title_disbursements (fetched_at) WHERE status = 'rejected';
CREATE INDEX stage_xano_title_closing_items_rejected_idx ON staging.stage_xano_title_closing_items (fetched_at) WHERE status = 'rejected';
CREATE INDEX stage_xano_closing_disclosure_rejected_idx ON staging.stage_xano_closing_disclosure (fetched_at) WHERE status = 'rejected';
