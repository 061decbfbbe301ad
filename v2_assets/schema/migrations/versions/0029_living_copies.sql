-- Revision 0029: every copy of a record knows its V2 row; what a sweep proved; rows deleted although a copy lives.

ALTER TABLE ops.sweep ADD COLUMN error JSONB;
COMMENT ON COLUMN ops.sweep.error IS 'Why nothing was drawn from it, without secrets or personal data.';
COMMENT ON COLUMN ops.sweep.outcome IS 'What came of it: applied, incomplete or shrunk; null until then.';
COMMENT ON COLUMN ops.sync_state.error IS
  'The last pass''s error, or why its last full one proves nothing; without personal data.';
COMMENT ON COLUMN ops.sync_state.last_full_at IS 'When the last full pass ended that met all the source has.';

DO $$
DECLARE
    stage text;
    live text;
BEGIN
    FOR stage, live IN SELECT * FROM (VALUES
        ('stage_fub_accounts', 'fub_accounts'), ('stage_fub_users', 'fub_users'), ('stage_fub_groups', 'fub_groups'),
        ('stage_fub_stages', 'fub_stages'), ('stage_fub_pipelines', 'fub_pipelines'),
        ('stage_fub_people', 'fub_people'), ('stage_fub_deals', 'fub_deals'), ('stage_fub_events', 'fub_events'),
        ('stage_fub_calls', 'fub_calls'), ('stage_fub_appointments', 'fub_appointments'),
        ('stage_fub_text_messages', 'fub_text_messages'), ('stage_rezen_agents', 'agent'),
        ('stage_rezen_teams', 'team'), ('stage_rezen_team_members', 'team_members'),
        ('stage_rezen_transactions', 'transaction'), ('stage_rezen_listings', 'listing'),
        ('stage_rezen_sponsor_tree', 'agent_hierarchy'), ('stage_rezen_cap_data', 'agent_cap_data'),
        ('stage_rezen_network_downline', 'network_member'), ('stage_rezen_network_frontline', 'network_member'),
        ('stage_rezen_contributions', 'contribution'),
        ('stage_rezen_pending_contributions', 'contributions_pending'),
        ('stage_rezen_revshare_payments', 'revshare_payment'), ('stage_rezen_equity', 'equity_transactions'),
        ('stage_skyslope_offices', 'office'), ('stage_skyslope_users', 'user_identity'),
        ('stage_skyslope_listings', 'listing'), ('stage_skyslope_transactions', 'transaction'),
        ('stage_title_orders', 'title_orders'), ('stage_title_agencies', 'title_agencies'),
        ('stage_title_users', 'title_users'), ('stage_csv_import', 'transaction'), ('stage_xano_user', 'user'),
        ('stage_xano_agent', 'agent'), ('stage_xano_team', 'team'), ('stage_xano_director', 'director'),
        ('stage_xano_leader', 'leader'), ('stage_xano_mentor', 'mentor'), ('stage_xano_user_roles', 'user_roles'),
        ('stage_xano_user_settings', 'user_settings'), ('stage_xano_user_subscriptions', 'user_subscriptions'),
        ('stage_xano_listing', 'listing'), ('stage_xano_transaction', 'transaction'),
        ('stage_xano_participant', 'participant'), ('stage_xano_transaction_tags', 'transaction_tags'),
        ('stage_xano_listing_photos', 'listing_photos'), ('stage_xano_contribution', 'contribution'),
        ('stage_xano_network_change_log', 'network_change_log'), ('stage_xano_title_agencies', 'title_agencies'),
        ('stage_xano_title_users', 'title_users'), ('stage_xano_title_orders', 'title_orders'),
        ('stage_xano_title_events', 'title_events'), ('stage_xano_title_disbursements', 'title_disbursements'),
        ('stage_xano_title_closing_items', 'title_closing_items'),
        ('stage_xano_closing_disclosure', 'closing_disclosure')
    ) streams LOOP
        EXECUTE format('DROP INDEX staging.%I', stage || '_v2_idx');
        EXECUTE format('CREATE INDEX %I ON staging.%I (v2_id) WHERE v2_id is not null', stage || '_v2_idx', stage);
        EXECUTE format('COMMENT ON COLUMN staging.%I.v2_id IS %L', stage,
            format('The row of v2.%s that this record became, or that its copy stands for.', live));
        EXECUTE format('COMMENT ON COLUMN staging.%I.missed_sweeps IS %L', stage,
            '1 after a full sweep missed it, 2 when it is gone.');

        -- Who held a row and lost it to another copy is a copy of that one, gone or not.
        EXECUTE format(
            'UPDATE staging.%1$I t SET status = ''duplicate'', duplicate_of = h.id, status_reason = ''same_record'''
            ' FROM staging.%1$I h WHERE h.v2_id = t.v2_id AND h.id <> t.id AND h.status = ''processed'''
            ' AND h.missed_sweeps < 2 AND t.status = ''processed'' AND t.missed_sweeps >= 2', stage);
        EXECUTE format(
            'UPDATE staging.%1$I d SET duplicate_of = h.duplicate_of FROM staging.%1$I h'
            ' WHERE h.id = d.duplicate_of AND h.status = ''duplicate'' AND h.duplicate_of <> d.id', stage);
        EXECUTE format(
            'UPDATE staging.%1$I d SET v2_id = h.v2_id FROM staging.%1$I h'
            ' WHERE d.status = ''duplicate'' AND h.id = d.duplicate_of AND d.v2_id IS DISTINCT FROM h.v2_id', stage);

        -- Rows that were deleted after a copy that lives was merged: that copy is merged again. What its source, or the
        -- row it belongs to, says is deleted is deleted again by that merge.
        EXECUTE format(
            'UPDATE staging.%1$I s SET status = ''pending'' FROM v2.%2$I v WHERE v.id = s.v2_id'
            ' AND v.deleted_at > s.processed_at AND s.missed_sweeps < 2 AND (s.status = ''processed'''
            '  OR s.status = ''duplicate'' AND NOT EXISTS (SELECT FROM staging.%1$I h WHERE h.v2_id = s.v2_id'
            '   AND h.status = ''processed'' AND h.missed_sweeps < 2))', stage, live);
    END LOOP;
END $$;
