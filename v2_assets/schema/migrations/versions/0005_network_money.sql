-- Revision 0005: the network and the money that reZEN pays: down-lines, contributions, payments, equity.

-- Who paid a contribution: under one of several names, or as a nested person, or hidden.
CREATE FUNCTION ops.rezen_contributor(record jsonb) RETURNS text
    LANGUAGE sql IMMUTABLE PARALLEL SAFE
    RETURN btrim(coalesce(
        ops.first_of(record, 'agentYentaId', 'contributorYentaId', 'yentaId', 'agentId', 'contributorId'),
        ops.first_of(record -> 'contributor', 'id', 'yentaId'),
        ops.first_of(record -> 'contributingAgent', 'id', 'yentaId'),
        ops.first_of(record -> 'agent', 'id', 'yentaId')
    ) #>> '{}');

CREATE TABLE v2.network_member (
    id BIGINT GENERATED ALWAYS AS IDENTITY,
    network_id_raw TEXT NOT NULL,
    agent_id_raw TEXT NOT NULL,
    downline_agent_id_raw TEXT NOT NULL,
    tier SMALLINT NOT NULL,
    status TEXT,
    sponsor_split NUMERIC(9, 4),
    unlocking BOOLEAN,
    unlocking_expiry DATE,
    network_size BIGINT,
    capped BOOLEAN,
    cap_amount NUMERIC(14, 2),
    cap_amount_paid NUMERIC(14, 2),
    left_network BOOLEAN,
    total_contribution NUMERIC(14, 2),
    currency TEXT,
    contact_frequency TEXT,
    last_contacted_date TIMESTAMP WITH TIME ZONE,
    sponsorship_type TEXT,
    anniversary_date DATE,
    broker_join_date DATE,
    broker_terminated_date DATE,
    user_id BIGINT,
    agent_id BIGINT,
    downline_agent_id BIGINT,
    sponsoring_agent_id BIGINT,
    source TEXT NOT NULL,
    source_updated_at TIMESTAMP WITH TIME ZONE,
    created_at TIMESTAMP WITH TIME ZONE DEFAULT now() NOT NULL,
    updated_at TIMESTAMP WITH TIME ZONE DEFAULT now() NOT NULL,
    deleted_at TIMESTAMP WITH TIME ZONE,
    CONSTRAINT network_member_pkey PRIMARY KEY (id),
    CONSTRAINT network_member_tier_check CHECK (tier >= 1),
    CONSTRAINT network_member_key UNIQUE (network_id_raw),
    CONSTRAINT network_member_user_id_fkey FOREIGN KEY(user_id) REFERENCES v2."user" (id) DEFERRABLE INITIALLY DEFERRED,
    CONSTRAINT network_member_agent_id_fkey FOREIGN KEY(agent_id) REFERENCES v2.agent (id) DEFERRABLE INITIALLY DEFERRED,
    CONSTRAINT network_member_downline_agent_id_fkey FOREIGN KEY(downline_agent_id) REFERENCES v2.agent (id) DEFERRABLE INITIALLY DEFERRED,
    CONSTRAINT network_member_sponsoring_agent_id_fkey FOREIGN KEY(sponsoring_agent_id) REFERENCES v2.agent (id) DEFERRABLE INITIALLY DEFERRED
);

CREATE INDEX network_member_agent_id_idx ON v2.network_member (agent_id);
CREATE INDEX network_member_downline_agent_id_idx ON v2.network_member (downline_agent_id);
CREATE INDEX network_member_user_id_idx ON v2.network_member (user_id);

COMMENT ON TABLE v2.network_member IS 'One agent in one tier of one agent''s down-line.';
COMMENT ON COLUMN v2.network_member.id IS 'Our own number of the row, stable for its life.';
COMMENT ON COLUMN v2.network_member.network_id_raw IS 'Who sees whom in which tier, as {agent}-{down-line agent}-{tier}.';
COMMENT ON COLUMN v2.network_member.agent_id_raw IS 'The agent at the top of this down-line, by the id at reZEN.';
COMMENT ON COLUMN v2.network_member.downline_agent_id_raw IS 'The agent in the down-line, by the id at reZEN.';
COMMENT ON COLUMN v2.network_member.tier IS 'How many steps below the agent, 1 to 5.';
COMMENT ON COLUMN v2.network_member.status IS 'Where the down-line agent stands at the brokerage; code set agent_status.';
COMMENT ON COLUMN v2.network_member.sponsor_split IS 'Share of the sponsorship, as a fraction of 1; two sponsors may share one agent.';
COMMENT ON COLUMN v2.network_member.unlocking IS 'Whether the tier is about to open for the agent.';
COMMENT ON COLUMN v2.network_member.unlocking_expiry IS 'Day until which the tier stays open.';
COMMENT ON COLUMN v2.network_member.network_size IS 'How many agents are below the down-line agent.';
COMMENT ON COLUMN v2.network_member.capped IS 'Whether the down-line agent reached the cap of this year.';
COMMENT ON COLUMN v2.network_member.cap_amount IS 'The down-line agent''s cap.';
COMMENT ON COLUMN v2.network_member.cap_amount_paid IS 'What of the cap is paid.';
COMMENT ON COLUMN v2.network_member.left_network IS 'Whether the agent was seen in this down-line before and is not any more.';
COMMENT ON COLUMN v2.network_member.total_contribution IS 'What the down-line agent contributed in all, as the source tells it.';
COMMENT ON COLUMN v2.network_member.currency IS 'Currency of the amounts.';
COMMENT ON COLUMN v2.network_member.contact_frequency IS 'How often the user wants to be in touch; the user''s own, never touched by a sync.';
COMMENT ON COLUMN v2.network_member.last_contacted_date IS 'When the user was last in touch; the user''s own, never touched by a sync.';
COMMENT ON COLUMN v2.network_member.sponsorship_type IS 'How the sponsorship came about.';
COMMENT ON COLUMN v2.network_member.anniversary_date IS 'Day on which the down-line agent''s cap year turns.';
COMMENT ON COLUMN v2.network_member.broker_join_date IS 'Day the down-line agent joined the brokerage.';
COMMENT ON COLUMN v2.network_member.broker_terminated_date IS 'Day the down-line agent left the brokerage.';
COMMENT ON COLUMN v2.network_member.user_id IS 'The user whose down-line it is.';
COMMENT ON COLUMN v2.network_member.agent_id IS 'The agent at the top of this down-line.';
COMMENT ON COLUMN v2.network_member.downline_agent_id IS 'The agent in the down-line.';
COMMENT ON COLUMN v2.network_member.sponsoring_agent_id IS 'Who sponsored the down-line agent, where it is told.';
COMMENT ON COLUMN v2.network_member.source IS 'Which integration the row''s newest facts came from.';
COMMENT ON COLUMN v2.network_member.source_updated_at IS 'When the source last changed the record, by the source''s clock.';
COMMENT ON COLUMN v2.network_member.created_at IS 'When the row was first written here.';
COMMENT ON COLUMN v2.network_member.updated_at IS 'When the row last really changed here.';
COMMENT ON COLUMN v2.network_member.deleted_at IS 'When the record was found to be gone at the source; null while it lives.';

CREATE TABLE v2.network_hierarchy (
    id BIGINT GENERATED ALWAYS AS IDENTITY,
    ancestor_agent_id BIGINT NOT NULL,
    descendant_agent_id BIGINT NOT NULL,
    depth SMALLINT NOT NULL,
    path BIGINT[] NOT NULL,
    source TEXT DEFAULT 'derived' NOT NULL,
    source_updated_at TIMESTAMP WITH TIME ZONE,
    created_at TIMESTAMP WITH TIME ZONE DEFAULT now() NOT NULL,
    updated_at TIMESTAMP WITH TIME ZONE DEFAULT now() NOT NULL,
    deleted_at TIMESTAMP WITH TIME ZONE,
    CONSTRAINT network_hierarchy_pkey PRIMARY KEY (id),
    CONSTRAINT network_hierarchy_depth_check CHECK (depth >= 1 and cardinality(path) between 2 and depth + 1),
    CONSTRAINT network_hierarchy_direction_check CHECK (ancestor_agent_id <> descendant_agent_id),
    CONSTRAINT network_hierarchy_key UNIQUE (ancestor_agent_id, descendant_agent_id),
    CONSTRAINT network_hierarchy_ancestor_agent_id_fkey FOREIGN KEY(ancestor_agent_id) REFERENCES v2.agent (id) DEFERRABLE INITIALLY DEFERRED,
    CONSTRAINT network_hierarchy_descendant_agent_id_fkey FOREIGN KEY(descendant_agent_id) REFERENCES v2.agent (id) DEFERRABLE INITIALLY DEFERRED
);

CREATE INDEX network_hierarchy_descendant_agent_id_idx ON v2.network_hierarchy (descendant_agent_id);

COMMENT ON TABLE v2.network_hierarchy IS 'One agent above another, at any distance.';
COMMENT ON COLUMN v2.network_hierarchy.id IS 'Our own number of the row, stable for its life.';
COMMENT ON COLUMN v2.network_hierarchy.ancestor_agent_id IS 'The agent above.';
COMMENT ON COLUMN v2.network_hierarchy.descendant_agent_id IS 'The agent below.';
COMMENT ON COLUMN v2.network_hierarchy.depth IS 'How many steps lie between them: 1 for a sponsor.';
COMMENT ON COLUMN v2.network_hierarchy.path IS 'Agents known to lie on the way from ancestor to descendant, both included.';
COMMENT ON COLUMN v2.network_hierarchy.source IS 'Which integration the row''s newest facts came from.';
COMMENT ON COLUMN v2.network_hierarchy.source_updated_at IS 'When the source last changed the record, by the source''s clock.';
COMMENT ON COLUMN v2.network_hierarchy.created_at IS 'When the row was first written here.';
COMMENT ON COLUMN v2.network_hierarchy.updated_at IS 'When the row last really changed here.';
COMMENT ON COLUMN v2.network_hierarchy.deleted_at IS 'When the record was found to be gone at the source; null while it lives.';

CREATE TABLE v2.network_change_log (
    id BIGINT GENERATED ALWAYS AS IDENTITY,
    network_id_raw TEXT NOT NULL,
    type TEXT NOT NULL,
    observed_at TIMESTAMP WITH TIME ZONE NOT NULL,
    value_old TEXT,
    value_new TEXT,
    tier SMALLINT,
    downline_agent_id_raw TEXT,
    user_id BIGINT,
    agent_id BIGINT,
    source TEXT NOT NULL,
    source_updated_at TIMESTAMP WITH TIME ZONE,
    created_at TIMESTAMP WITH TIME ZONE DEFAULT now() NOT NULL,
    updated_at TIMESTAMP WITH TIME ZONE DEFAULT now() NOT NULL,
    deleted_at TIMESTAMP WITH TIME ZONE,
    CONSTRAINT network_change_log_pkey PRIMARY KEY (id),
    CONSTRAINT network_change_log_type_check CHECK (type in ('New to Network', 'Status', 'Network Size', 'Join Date')),
    CONSTRAINT network_change_log_key UNIQUE (network_id_raw, type, observed_at),
    CONSTRAINT network_change_log_user_id_fkey FOREIGN KEY(user_id) REFERENCES v2."user" (id) DEFERRABLE INITIALLY DEFERRED,
    CONSTRAINT network_change_log_agent_id_fkey FOREIGN KEY(agent_id) REFERENCES v2.agent (id) DEFERRABLE INITIALLY DEFERRED
);

CREATE INDEX network_change_log_agent_id_idx ON v2.network_change_log (agent_id);
CREATE INDEX network_change_log_user_id_idx ON v2.network_change_log (user_id);

COMMENT ON TABLE v2.network_change_log IS 'One change of one member of one down-line.';
COMMENT ON COLUMN v2.network_change_log.id IS 'Our own number of the row, stable for its life.';
COMMENT ON COLUMN v2.network_change_log.network_id_raw IS 'Which member of which down-line changed.';
COMMENT ON COLUMN v2.network_change_log.type IS 'New to Network, Status, Network Size or Join Date.';
COMMENT ON COLUMN v2.network_change_log.observed_at IS 'When the change was seen.';
COMMENT ON COLUMN v2.network_change_log.value_old IS 'Value before, as text.';
COMMENT ON COLUMN v2.network_change_log.value_new IS 'Value after, as text.';
COMMENT ON COLUMN v2.network_change_log.tier IS 'Tier of the member.';
COMMENT ON COLUMN v2.network_change_log.downline_agent_id_raw IS 'The agent in the down-line, by the id at reZEN.';
COMMENT ON COLUMN v2.network_change_log.user_id IS 'The user whose down-line it is.';
COMMENT ON COLUMN v2.network_change_log.agent_id IS 'The agent at the top of the down-line.';
COMMENT ON COLUMN v2.network_change_log.source IS 'Which integration the row''s newest facts came from.';
COMMENT ON COLUMN v2.network_change_log.source_updated_at IS 'When the source last changed the record, by the source''s clock.';
COMMENT ON COLUMN v2.network_change_log.created_at IS 'When the row was first written here.';
COMMENT ON COLUMN v2.network_change_log.updated_at IS 'When the row last really changed here.';
COMMENT ON COLUMN v2.network_change_log.deleted_at IS 'When the record was found to be gone at the source; null while it lives.';

CREATE TABLE v2.contribution (
    id BIGINT GENERATED ALWAYS AS IDENTITY,
    contribution_id_raw TEXT NOT NULL,
    amount NUMERIC(14, 2),
    currency TEXT,
    contribution_type TEXT,
    status TEXT,
    contribution_date DATE,
    tier SMALLINT,
    missed BOOLEAN,
    notes TEXT,
    transaction_id_raw TEXT,
    user_id BIGINT,
    agent_id BIGINT,
    transaction_id BIGINT,
    contributing_agent_id BIGINT,
    receiving_agent_id BIGINT,
    duplicate_of_id BIGINT,
    source TEXT NOT NULL,
    source_updated_at TIMESTAMP WITH TIME ZONE,
    created_at TIMESTAMP WITH TIME ZONE DEFAULT now() NOT NULL,
    updated_at TIMESTAMP WITH TIME ZONE DEFAULT now() NOT NULL,
    deleted_at TIMESTAMP WITH TIME ZONE,
    CONSTRAINT contribution_pkey PRIMARY KEY (id),
    CONSTRAINT contribution_duplicate_check CHECK (duplicate_of_id is null or duplicate_of_id <> id),
    CONSTRAINT contribution_key UNIQUE (contribution_id_raw),
    CONSTRAINT contribution_user_id_fkey FOREIGN KEY(user_id) REFERENCES v2."user" (id) DEFERRABLE INITIALLY DEFERRED,
    CONSTRAINT contribution_agent_id_fkey FOREIGN KEY(agent_id) REFERENCES v2.agent (id) DEFERRABLE INITIALLY DEFERRED,
    CONSTRAINT contribution_transaction_id_fkey FOREIGN KEY(transaction_id) REFERENCES v2.transaction (id) DEFERRABLE INITIALLY DEFERRED,
    CONSTRAINT contribution_contributing_agent_id_fkey FOREIGN KEY(contributing_agent_id) REFERENCES v2.agent (id) DEFERRABLE INITIALLY DEFERRED,
    CONSTRAINT contribution_receiving_agent_id_fkey FOREIGN KEY(receiving_agent_id) REFERENCES v2.agent (id) DEFERRABLE INITIALLY DEFERRED,
    CONSTRAINT contribution_duplicate_of_id_fkey FOREIGN KEY(duplicate_of_id) REFERENCES v2.contribution (id) DEFERRABLE INITIALLY DEFERRED
);

CREATE INDEX contribution_contributing_agent_id_idx ON v2.contribution (contributing_agent_id);
CREATE INDEX contribution_duplicate_of_id_idx ON v2.contribution (duplicate_of_id);
CREATE INDEX contribution_receiving_agent_id_idx ON v2.contribution (receiving_agent_id);
CREATE INDEX contribution_transaction_id_idx ON v2.contribution (transaction_id);
CREATE INDEX contribution_user_id_idx ON v2.contribution (user_id);

COMMENT ON TABLE v2.contribution IS 'One rev-share contribution.';
COMMENT ON COLUMN v2.contribution.id IS 'Our own number of the row, stable for its life.';
COMMENT ON COLUMN v2.contribution.contribution_id_raw IS 'The contribution''s id at the source.';
COMMENT ON COLUMN v2.contribution.amount IS 'What the contribution pays.';
COMMENT ON COLUMN v2.contribution.currency IS 'Currency of the amount.';
COMMENT ON COLUMN v2.contribution.contribution_type IS 'Kind of contribution, as the source words it.';
COMMENT ON COLUMN v2.contribution.status IS 'Where the contribution stands, as the source words it.';
COMMENT ON COLUMN v2.contribution.contribution_date IS 'Day on which it was earned.';
COMMENT ON COLUMN v2.contribution.tier IS 'Tier of the contributing agent.';
COMMENT ON COLUMN v2.contribution.missed IS 'Whether it was lost to a tier that was not open; a missed one is no income.';
COMMENT ON COLUMN v2.contribution.notes IS 'Remarks.';
COMMENT ON COLUMN v2.contribution.transaction_id_raw IS 'The deal''s id at the source.';
COMMENT ON COLUMN v2.contribution.user_id IS 'The user who earns it.';
COMMENT ON COLUMN v2.contribution.agent_id IS 'The agent who earns it, as an agent of the user.';
COMMENT ON COLUMN v2.contribution.transaction_id IS 'The deal it comes from, where a user of ours may see it.';
COMMENT ON COLUMN v2.contribution.contributing_agent_id IS 'The agent whose deal pays it; null where the source hides it.';
COMMENT ON COLUMN v2.contribution.receiving_agent_id IS 'The agent who receives it.';
COMMENT ON COLUMN v2.contribution.duplicate_of_id IS 'The same contribution under another id; counted there.';
COMMENT ON COLUMN v2.contribution.source IS 'Which integration the row''s newest facts came from.';
COMMENT ON COLUMN v2.contribution.source_updated_at IS 'When the source last changed the record, by the source''s clock.';
COMMENT ON COLUMN v2.contribution.created_at IS 'When the row was first written here.';
COMMENT ON COLUMN v2.contribution.updated_at IS 'When the row last really changed here.';
COMMENT ON COLUMN v2.contribution.deleted_at IS 'When the record was found to be gone at the source; null while it lives.';

CREATE TABLE v2.contributions_pending (
    id BIGINT GENERATED ALWAYS AS IDENTITY,
    contribution_id_raw TEXT NOT NULL,
    amount NUMERIC(14, 2),
    currency TEXT,
    contribution_type TEXT,
    status TEXT,
    contribution_date DATE,
    tier SMALLINT,
    missed BOOLEAN,
    notes TEXT,
    transaction_id_raw TEXT,
    pending_reason TEXT,
    closing_date DATE,
    tier_at_contribution SMALLINT,
    processing_error TEXT,
    user_id BIGINT,
    agent_id BIGINT,
    transaction_id BIGINT,
    contributing_agent_id BIGINT,
    receiving_agent_id BIGINT,
    source TEXT NOT NULL,
    source_updated_at TIMESTAMP WITH TIME ZONE,
    created_at TIMESTAMP WITH TIME ZONE DEFAULT now() NOT NULL,
    updated_at TIMESTAMP WITH TIME ZONE DEFAULT now() NOT NULL,
    deleted_at TIMESTAMP WITH TIME ZONE,
    CONSTRAINT contributions_pending_pkey PRIMARY KEY (id),
    CONSTRAINT contributions_pending_key UNIQUE (contribution_id_raw),
    CONSTRAINT contributions_pending_user_id_fkey FOREIGN KEY(user_id) REFERENCES v2."user" (id) DEFERRABLE INITIALLY DEFERRED,
    CONSTRAINT contributions_pending_agent_id_fkey FOREIGN KEY(agent_id) REFERENCES v2.agent (id) DEFERRABLE INITIALLY DEFERRED,
    CONSTRAINT contributions_pending_transaction_id_fkey FOREIGN KEY(transaction_id) REFERENCES v2.transaction (id) DEFERRABLE INITIALLY DEFERRED,
    CONSTRAINT contributions_pending_contributing_agent_id_fkey FOREIGN KEY(contributing_agent_id) REFERENCES v2.agent (id) DEFERRABLE INITIALLY DEFERRED,
    CONSTRAINT contributions_pending_receiving_agent_id_fkey FOREIGN KEY(receiving_agent_id) REFERENCES v2.agent (id) DEFERRABLE INITIALLY DEFERRED
);

CREATE INDEX contributions_pending_contributing_agent_id_idx ON v2.contributions_pending (contributing_agent_id);
CREATE INDEX contributions_pending_receiving_agent_id_idx ON v2.contributions_pending (receiving_agent_id);
CREATE INDEX contributions_pending_transaction_id_idx ON v2.contributions_pending (transaction_id);
CREATE INDEX contributions_pending_user_id_idx ON v2.contributions_pending (user_id);

COMMENT ON TABLE v2.contributions_pending IS 'One rev-share contribution that is not settled yet.';
COMMENT ON COLUMN v2.contributions_pending.id IS 'Our own number of the row, stable for its life.';
COMMENT ON COLUMN v2.contributions_pending.contribution_id_raw IS 'The contribution''s id at the source.';
COMMENT ON COLUMN v2.contributions_pending.amount IS 'What the contribution pays.';
COMMENT ON COLUMN v2.contributions_pending.currency IS 'Currency of the amount.';
COMMENT ON COLUMN v2.contributions_pending.contribution_type IS 'Kind of contribution, as the source words it.';
COMMENT ON COLUMN v2.contributions_pending.status IS 'Where the contribution stands, as the source words it.';
COMMENT ON COLUMN v2.contributions_pending.contribution_date IS 'Day on which it was earned.';
COMMENT ON COLUMN v2.contributions_pending.tier IS 'Tier of the contributing agent.';
COMMENT ON COLUMN v2.contributions_pending.missed IS 'Whether it was lost to a tier that was not open; a missed one is no income.';
COMMENT ON COLUMN v2.contributions_pending.notes IS 'Remarks.';
COMMENT ON COLUMN v2.contributions_pending.transaction_id_raw IS 'The deal''s id at the source.';
COMMENT ON COLUMN v2.contributions_pending.pending_reason IS 'Why it is pending, as the source words it.';
COMMENT ON COLUMN v2.contributions_pending.closing_date IS 'Day on which the deal is expected to close.';
COMMENT ON COLUMN v2.contributions_pending.tier_at_contribution IS 'Tier of the contributing agent when the deal was made.';
COMMENT ON COLUMN v2.contributions_pending.processing_error IS 'What went wrong at the source, if anything.';
COMMENT ON COLUMN v2.contributions_pending.user_id IS 'The user who earns it.';
COMMENT ON COLUMN v2.contributions_pending.agent_id IS 'The agent who earns it, as an agent of the user.';
COMMENT ON COLUMN v2.contributions_pending.transaction_id IS 'The deal it comes from, where a user of ours may see it.';
COMMENT ON COLUMN v2.contributions_pending.contributing_agent_id IS 'The agent whose deal pays it; null where the source hides it.';
COMMENT ON COLUMN v2.contributions_pending.receiving_agent_id IS 'The agent who receives it.';
COMMENT ON COLUMN v2.contributions_pending.source IS 'Which integration the row''s newest facts came from.';
COMMENT ON COLUMN v2.contributions_pending.source_updated_at IS 'When the source last changed the record, by the source''s clock.';
COMMENT ON COLUMN v2.contributions_pending.created_at IS 'When the row was first written here.';
COMMENT ON COLUMN v2.contributions_pending.updated_at IS 'When the row last really changed here.';
COMMENT ON COLUMN v2.contributions_pending.deleted_at IS 'When the record was found to be gone at the source; null while it lives.';

CREATE TABLE v2.contribution_tiers (
    id BIGINT GENERATED ALWAYS AS IDENTITY,
    tier SMALLINT NOT NULL,
    name TEXT,
    share NUMERIC(9, 4),
    source TEXT DEFAULT 'seed' NOT NULL,
    source_updated_at TIMESTAMP WITH TIME ZONE,
    created_at TIMESTAMP WITH TIME ZONE DEFAULT now() NOT NULL,
    updated_at TIMESTAMP WITH TIME ZONE DEFAULT now() NOT NULL,
    deleted_at TIMESTAMP WITH TIME ZONE,
    CONSTRAINT contribution_tiers_pkey PRIMARY KEY (id),
    CONSTRAINT contribution_tiers_key UNIQUE (tier)
);


COMMENT ON TABLE v2.contribution_tiers IS 'One tier of the rev-share programme.';
COMMENT ON COLUMN v2.contribution_tiers.id IS 'Our own number of the row, stable for its life.';
COMMENT ON COLUMN v2.contribution_tiers.tier IS '1 to 5.';
COMMENT ON COLUMN v2.contribution_tiers.name IS 'How the tier is called.';
COMMENT ON COLUMN v2.contribution_tiers.share IS 'Share of the brokerage''s split that the tier pays, as a fraction of 1; null: not published.';
COMMENT ON COLUMN v2.contribution_tiers.source IS 'Which integration the row''s newest facts came from.';
COMMENT ON COLUMN v2.contribution_tiers.source_updated_at IS 'When the source last changed the record, by the source''s clock.';
COMMENT ON COLUMN v2.contribution_tiers.created_at IS 'When the row was first written here.';
COMMENT ON COLUMN v2.contribution_tiers.updated_at IS 'When the row last really changed here.';
COMMENT ON COLUMN v2.contribution_tiers.deleted_at IS 'When the record was found to be gone at the source; null while it lives.';

CREATE TABLE v2.revshare_payment (
    id BIGINT GENERATED ALWAYS AS IDENTITY,
    payment_id_raw TEXT NOT NULL,
    amount NUMERIC(14, 2),
    currency TEXT,
    status TEXT,
    payment_date DATE,
    payment_method TEXT,
    payment_reference TEXT,
    period_start DATE,
    period_end DATE,
    user_id BIGINT,
    agent_id BIGINT,
    source TEXT NOT NULL,
    source_updated_at TIMESTAMP WITH TIME ZONE,
    created_at TIMESTAMP WITH TIME ZONE DEFAULT now() NOT NULL,
    updated_at TIMESTAMP WITH TIME ZONE DEFAULT now() NOT NULL,
    deleted_at TIMESTAMP WITH TIME ZONE,
    CONSTRAINT revshare_payment_pkey PRIMARY KEY (id),
    CONSTRAINT revshare_payment_key UNIQUE (payment_id_raw),
    CONSTRAINT revshare_payment_user_id_fkey FOREIGN KEY(user_id) REFERENCES v2."user" (id) DEFERRABLE INITIALLY DEFERRED,
    CONSTRAINT revshare_payment_agent_id_fkey FOREIGN KEY(agent_id) REFERENCES v2.agent (id) DEFERRABLE INITIALLY DEFERRED
);

CREATE INDEX revshare_payment_agent_id_idx ON v2.revshare_payment (agent_id);
CREATE INDEX revshare_payment_user_id_idx ON v2.revshare_payment (user_id);

COMMENT ON TABLE v2.revshare_payment IS 'One rev-share payout.';
COMMENT ON COLUMN v2.revshare_payment.id IS 'Our own number of the row, stable for its life.';
COMMENT ON COLUMN v2.revshare_payment.payment_id_raw IS 'The payment''s id at the source.';
COMMENT ON COLUMN v2.revshare_payment.amount IS 'What is paid out.';
COMMENT ON COLUMN v2.revshare_payment.currency IS 'Currency of the amount.';
COMMENT ON COLUMN v2.revshare_payment.status IS 'Where the payment stands; code set payment_status.';
COMMENT ON COLUMN v2.revshare_payment.payment_date IS 'Day of the payment.';
COMMENT ON COLUMN v2.revshare_payment.payment_method IS 'How it is paid.';
COMMENT ON COLUMN v2.revshare_payment.payment_reference IS 'The payment''s reference.';
COMMENT ON COLUMN v2.revshare_payment.period_start IS 'First day of the period it pays for.';
COMMENT ON COLUMN v2.revshare_payment.period_end IS 'Last day of the period it pays for.';
COMMENT ON COLUMN v2.revshare_payment.user_id IS 'The user who is paid.';
COMMENT ON COLUMN v2.revshare_payment.agent_id IS 'The agent who is paid.';
COMMENT ON COLUMN v2.revshare_payment.source IS 'Which integration the row''s newest facts came from.';
COMMENT ON COLUMN v2.revshare_payment.source_updated_at IS 'When the source last changed the record, by the source''s clock.';
COMMENT ON COLUMN v2.revshare_payment.created_at IS 'When the row was first written here.';
COMMENT ON COLUMN v2.revshare_payment.updated_at IS 'When the row last really changed here.';
COMMENT ON COLUMN v2.revshare_payment.deleted_at IS 'When the record was found to be gone at the source; null while it lives.';

CREATE TABLE v2.revshare_totals (
    id BIGINT GENERATED ALWAYS AS IDENTITY,
    user_id BIGINT NOT NULL,
    currency TEXT NOT NULL,
    total_amount NUMERIC(14, 2),
    ytd_amount NUMERIC(14, 2),
    mtd_amount NUMERIC(14, 2),
    last_contribution_date DATE,
    tier SMALLINT,
    source TEXT DEFAULT 'derived' NOT NULL,
    source_updated_at TIMESTAMP WITH TIME ZONE,
    created_at TIMESTAMP WITH TIME ZONE DEFAULT now() NOT NULL,
    updated_at TIMESTAMP WITH TIME ZONE DEFAULT now() NOT NULL,
    deleted_at TIMESTAMP WITH TIME ZONE,
    CONSTRAINT revshare_totals_pkey PRIMARY KEY (id),
    CONSTRAINT revshare_totals_key UNIQUE (user_id, currency),
    CONSTRAINT revshare_totals_user_id_fkey FOREIGN KEY(user_id) REFERENCES v2."user" (id) DEFERRABLE INITIALLY DEFERRED
);


COMMENT ON TABLE v2.revshare_totals IS 'What one user earned from the network in one currency.';
COMMENT ON COLUMN v2.revshare_totals.id IS 'Our own number of the row, stable for its life.';
COMMENT ON COLUMN v2.revshare_totals.user_id IS 'The user.';
COMMENT ON COLUMN v2.revshare_totals.currency IS 'Currency of the amounts.';
COMMENT ON COLUMN v2.revshare_totals.total_amount IS 'Everything earned, missed and duplicate contributions left out.';
COMMENT ON COLUMN v2.revshare_totals.ytd_amount IS 'Of that, earned in this calendar year.';
COMMENT ON COLUMN v2.revshare_totals.mtd_amount IS 'Of that, earned in this calendar month.';
COMMENT ON COLUMN v2.revshare_totals.last_contribution_date IS 'Day of the newest contribution.';
COMMENT ON COLUMN v2.revshare_totals.tier IS 'Deepest tier that has paid.';
COMMENT ON COLUMN v2.revshare_totals.source IS 'Which integration the row''s newest facts came from.';
COMMENT ON COLUMN v2.revshare_totals.source_updated_at IS 'When the source last changed the record, by the source''s clock.';
COMMENT ON COLUMN v2.revshare_totals.created_at IS 'When the row was first written here.';
COMMENT ON COLUMN v2.revshare_totals.updated_at IS 'When the row last really changed here.';
COMMENT ON COLUMN v2.revshare_totals.deleted_at IS 'When the record was found to be gone at the source; null while it lives.';

CREATE TABLE v2.income (
    id BIGINT GENERATED ALWAYS AS IDENTITY,
    income_type TEXT NOT NULL,
    source_table TEXT NOT NULL,
    source_row_id BIGINT NOT NULL,
    amount NUMERIC(14, 2),
    currency TEXT,
    income_date DATE,
    period_month SMALLINT,
    period_year SMALLINT,
    description TEXT,
    user_id BIGINT,
    agent_id BIGINT,
    transaction_id BIGINT,
    contribution_id BIGINT,
    listing_id BIGINT,
    source TEXT DEFAULT 'derived' NOT NULL,
    source_updated_at TIMESTAMP WITH TIME ZONE,
    created_at TIMESTAMP WITH TIME ZONE DEFAULT now() NOT NULL,
    updated_at TIMESTAMP WITH TIME ZONE DEFAULT now() NOT NULL,
    deleted_at TIMESTAMP WITH TIME ZONE,
    CONSTRAINT income_pkey PRIMARY KEY (id),
    CONSTRAINT income_key UNIQUE (income_type, source_table, source_row_id),
    CONSTRAINT income_user_id_fkey FOREIGN KEY(user_id) REFERENCES v2."user" (id) DEFERRABLE INITIALLY DEFERRED,
    CONSTRAINT income_agent_id_fkey FOREIGN KEY(agent_id) REFERENCES v2.agent (id) DEFERRABLE INITIALLY DEFERRED,
    CONSTRAINT income_transaction_id_fkey FOREIGN KEY(transaction_id) REFERENCES v2.transaction (id) DEFERRABLE INITIALLY DEFERRED,
    CONSTRAINT income_contribution_id_fkey FOREIGN KEY(contribution_id) REFERENCES v2.contribution (id) DEFERRABLE INITIALLY DEFERRED,
    CONSTRAINT income_listing_id_fkey FOREIGN KEY(listing_id) REFERENCES v2.listing (id) DEFERRABLE INITIALLY DEFERRED
);

CREATE INDEX income_agent_id_idx ON v2.income (agent_id);
CREATE INDEX income_contribution_id_idx ON v2.income (contribution_id);
CREATE INDEX income_transaction_id_idx ON v2.income (transaction_id);
CREATE INDEX income_user_id_idx ON v2.income (user_id);

COMMENT ON TABLE v2.income IS 'One income event.';
COMMENT ON COLUMN v2.income.id IS 'Our own number of the row, stable for its life.';
COMMENT ON COLUMN v2.income.income_type IS 'GCI or RevShare.';
COMMENT ON COLUMN v2.income.source_table IS 'V2 table of the row that brought the income.';
COMMENT ON COLUMN v2.income.source_row_id IS 'Id of that row.';
COMMENT ON COLUMN v2.income.amount IS 'The income.';
COMMENT ON COLUMN v2.income.currency IS 'Currency of the amount.';
COMMENT ON COLUMN v2.income.income_date IS 'Day of the income.';
COMMENT ON COLUMN v2.income.period_month IS 'Month of the income, 1 to 12.';
COMMENT ON COLUMN v2.income.period_year IS 'Year of the income.';
COMMENT ON COLUMN v2.income.description IS 'What the income is from, without personal data.';
COMMENT ON COLUMN v2.income.user_id IS 'The user who has the income.';
COMMENT ON COLUMN v2.income.agent_id IS 'The agent who has the income.';
COMMENT ON COLUMN v2.income.transaction_id IS 'The deal behind it.';
COMMENT ON COLUMN v2.income.contribution_id IS 'The contribution behind it.';
COMMENT ON COLUMN v2.income.listing_id IS 'The listing behind it.';
COMMENT ON COLUMN v2.income.source IS 'Which integration the row''s newest facts came from.';
COMMENT ON COLUMN v2.income.source_updated_at IS 'When the source last changed the record, by the source''s clock.';
COMMENT ON COLUMN v2.income.created_at IS 'When the row was first written here.';
COMMENT ON COLUMN v2.income.updated_at IS 'When the row last really changed here.';
COMMENT ON COLUMN v2.income.deleted_at IS 'When the record was found to be gone at the source; null while it lives.';

CREATE TABLE v2.equity_transactions (
    id BIGINT GENERATED ALWAYS AS IDENTITY,
    grant_id_raw TEXT NOT NULL,
    transaction_type TEXT NOT NULL,
    transaction_date DATE,
    amount NUMERIC(18, 6),
    price NUMERIC(14, 2),
    value NUMERIC(14, 2),
    currency TEXT,
    status TEXT,
    vesting_date DATE,
    expiration_date DATE,
    grant_type TEXT,
    user_id BIGINT,
    agent_id BIGINT,
    source TEXT NOT NULL,
    source_updated_at TIMESTAMP WITH TIME ZONE,
    created_at TIMESTAMP WITH TIME ZONE DEFAULT now() NOT NULL,
    updated_at TIMESTAMP WITH TIME ZONE DEFAULT now() NOT NULL,
    deleted_at TIMESTAMP WITH TIME ZONE,
    CONSTRAINT equity_transactions_pkey PRIMARY KEY (id),
    CONSTRAINT equity_transactions_key UNIQUE NULLS NOT DISTINCT (grant_id_raw, transaction_type, transaction_date),
    CONSTRAINT equity_transactions_user_id_fkey FOREIGN KEY(user_id) REFERENCES v2."user" (id) DEFERRABLE INITIALLY DEFERRED,
    CONSTRAINT equity_transactions_agent_id_fkey FOREIGN KEY(agent_id) REFERENCES v2.agent (id) DEFERRABLE INITIALLY DEFERRED
);

CREATE INDEX equity_transactions_agent_id_idx ON v2.equity_transactions (agent_id);
CREATE INDEX equity_transactions_user_id_idx ON v2.equity_transactions (user_id);

COMMENT ON TABLE v2.equity_transactions IS 'One entry of an agent''s equity ledger.';
COMMENT ON COLUMN v2.equity_transactions.id IS 'Our own number of the row, stable for its life.';
COMMENT ON COLUMN v2.equity_transactions.grant_id_raw IS 'The grant''s id at the source.';
COMMENT ON COLUMN v2.equity_transactions.transaction_type IS 'Granted, vested, exercised, forfeited or purchased; code set equity_type.';
COMMENT ON COLUMN v2.equity_transactions.transaction_date IS 'Day of the entry.';
COMMENT ON COLUMN v2.equity_transactions.amount IS 'Number of shares.';
COMMENT ON COLUMN v2.equity_transactions.price IS 'Price of a share.';
COMMENT ON COLUMN v2.equity_transactions.value IS 'What the shares were worth.';
COMMENT ON COLUMN v2.equity_transactions.currency IS 'Currency of price and value.';
COMMENT ON COLUMN v2.equity_transactions.status IS 'Where the entry stands, as the source words it.';
COMMENT ON COLUMN v2.equity_transactions.vesting_date IS 'Day on which the shares vest.';
COMMENT ON COLUMN v2.equity_transactions.expiration_date IS 'Day on which the grant ends.';
COMMENT ON COLUMN v2.equity_transactions.grant_type IS 'Kind of grant, as the source words it.';
COMMENT ON COLUMN v2.equity_transactions.user_id IS 'The user who owns it.';
COMMENT ON COLUMN v2.equity_transactions.agent_id IS 'The agent who owns it.';
COMMENT ON COLUMN v2.equity_transactions.source IS 'Which integration the row''s newest facts came from.';
COMMENT ON COLUMN v2.equity_transactions.source_updated_at IS 'When the source last changed the record, by the source''s clock.';
COMMENT ON COLUMN v2.equity_transactions.created_at IS 'When the row was first written here.';
COMMENT ON COLUMN v2.equity_transactions.updated_at IS 'When the row last really changed here.';
COMMENT ON COLUMN v2.equity_transactions.deleted_at IS 'When the record was found to be gone at the source; null while it lives.';

CREATE TABLE v2.equity_monthly (
    id BIGINT GENERATED ALWAYS AS IDENTITY,
    agent_id BIGINT NOT NULL,
    period_year SMALLINT NOT NULL,
    period_month SMALLINT NOT NULL,
    total_shares NUMERIC(18, 6),
    vested_shares NUMERIC(18, 6),
    unvested_shares NUMERIC(18, 6),
    total_value NUMERIC(14, 2),
    currency TEXT,
    grants_this_period NUMERIC(18, 6),
    vested_this_period NUMERIC(18, 6),
    exercised_this_period NUMERIC(18, 6),
    forfeited_this_period NUMERIC(18, 6),
    user_id BIGINT,
    source TEXT DEFAULT 'derived' NOT NULL,
    source_updated_at TIMESTAMP WITH TIME ZONE,
    created_at TIMESTAMP WITH TIME ZONE DEFAULT now() NOT NULL,
    updated_at TIMESTAMP WITH TIME ZONE DEFAULT now() NOT NULL,
    deleted_at TIMESTAMP WITH TIME ZONE,
    CONSTRAINT equity_monthly_pkey PRIMARY KEY (id),
    CONSTRAINT equity_monthly_key UNIQUE (agent_id, period_year, period_month),
    CONSTRAINT equity_monthly_agent_id_fkey FOREIGN KEY(agent_id) REFERENCES v2.agent (id) DEFERRABLE INITIALLY DEFERRED,
    CONSTRAINT equity_monthly_user_id_fkey FOREIGN KEY(user_id) REFERENCES v2."user" (id) DEFERRABLE INITIALLY DEFERRED
);

CREATE INDEX equity_monthly_user_id_idx ON v2.equity_monthly (user_id);

COMMENT ON TABLE v2.equity_monthly IS 'One agent''s equity in one month.';
COMMENT ON COLUMN v2.equity_monthly.id IS 'Our own number of the row, stable for its life.';
COMMENT ON COLUMN v2.equity_monthly.agent_id IS 'The agent.';
COMMENT ON COLUMN v2.equity_monthly.period_year IS 'Calendar year.';
COMMENT ON COLUMN v2.equity_monthly.period_month IS 'Month, 1 to 12.';
COMMENT ON COLUMN v2.equity_monthly.total_shares IS 'Shares held at the end of the period.';
COMMENT ON COLUMN v2.equity_monthly.vested_shares IS 'Of those, vested.';
COMMENT ON COLUMN v2.equity_monthly.unvested_shares IS 'Of those, not vested yet.';
COMMENT ON COLUMN v2.equity_monthly.total_value IS 'Worth of the shares held at the last known price.';
COMMENT ON COLUMN v2.equity_monthly.currency IS 'Currency of the worth; null where entries have more than one.';
COMMENT ON COLUMN v2.equity_monthly.grants_this_period IS 'Shares granted or bought in the period.';
COMMENT ON COLUMN v2.equity_monthly.vested_this_period IS 'Shares that vested in the period.';
COMMENT ON COLUMN v2.equity_monthly.exercised_this_period IS 'Shares exercised in the period.';
COMMENT ON COLUMN v2.equity_monthly.forfeited_this_period IS 'Shares forfeited in the period.';
COMMENT ON COLUMN v2.equity_monthly.user_id IS 'The user who is the agent.';
COMMENT ON COLUMN v2.equity_monthly.source IS 'Which integration the row''s newest facts came from.';
COMMENT ON COLUMN v2.equity_monthly.source_updated_at IS 'When the source last changed the record, by the source''s clock.';
COMMENT ON COLUMN v2.equity_monthly.created_at IS 'When the row was first written here.';
COMMENT ON COLUMN v2.equity_monthly.updated_at IS 'When the row last really changed here.';
COMMENT ON COLUMN v2.equity_monthly.deleted_at IS 'When the record was found to be gone at the source; null while it lives.';

CREATE TABLE v2.equity_annual (
    id BIGINT GENERATED ALWAYS AS IDENTITY,
    agent_id BIGINT NOT NULL,
    period_year SMALLINT NOT NULL,
    total_shares NUMERIC(18, 6),
    vested_shares NUMERIC(18, 6),
    unvested_shares NUMERIC(18, 6),
    total_value NUMERIC(14, 2),
    currency TEXT,
    grants_this_period NUMERIC(18, 6),
    vested_this_period NUMERIC(18, 6),
    exercised_this_period NUMERIC(18, 6),
    forfeited_this_period NUMERIC(18, 6),
    user_id BIGINT,
    source TEXT DEFAULT 'derived' NOT NULL,
    source_updated_at TIMESTAMP WITH TIME ZONE,
    created_at TIMESTAMP WITH TIME ZONE DEFAULT now() NOT NULL,
    updated_at TIMESTAMP WITH TIME ZONE DEFAULT now() NOT NULL,
    deleted_at TIMESTAMP WITH TIME ZONE,
    CONSTRAINT equity_annual_pkey PRIMARY KEY (id),
    CONSTRAINT equity_annual_key UNIQUE (agent_id, period_year),
    CONSTRAINT equity_annual_agent_id_fkey FOREIGN KEY(agent_id) REFERENCES v2.agent (id) DEFERRABLE INITIALLY DEFERRED,
    CONSTRAINT equity_annual_user_id_fkey FOREIGN KEY(user_id) REFERENCES v2."user" (id) DEFERRABLE INITIALLY DEFERRED
);

CREATE INDEX equity_annual_user_id_idx ON v2.equity_annual (user_id);

COMMENT ON TABLE v2.equity_annual IS 'One agent''s equity in one year.';
COMMENT ON COLUMN v2.equity_annual.id IS 'Our own number of the row, stable for its life.';
COMMENT ON COLUMN v2.equity_annual.agent_id IS 'The agent.';
COMMENT ON COLUMN v2.equity_annual.period_year IS 'Calendar year.';
COMMENT ON COLUMN v2.equity_annual.total_shares IS 'Shares held at the end of the period.';
COMMENT ON COLUMN v2.equity_annual.vested_shares IS 'Of those, vested.';
COMMENT ON COLUMN v2.equity_annual.unvested_shares IS 'Of those, not vested yet.';
COMMENT ON COLUMN v2.equity_annual.total_value IS 'Worth of the shares held at the last known price.';
COMMENT ON COLUMN v2.equity_annual.currency IS 'Currency of the worth; null where entries have more than one.';
COMMENT ON COLUMN v2.equity_annual.grants_this_period IS 'Shares granted or bought in the period.';
COMMENT ON COLUMN v2.equity_annual.vested_this_period IS 'Shares that vested in the period.';
COMMENT ON COLUMN v2.equity_annual.exercised_this_period IS 'Shares exercised in the period.';
COMMENT ON COLUMN v2.equity_annual.forfeited_this_period IS 'Shares forfeited in the period.';
COMMENT ON COLUMN v2.equity_annual.user_id IS 'The user who is the agent.';
COMMENT ON COLUMN v2.equity_annual.source IS 'Which integration the row''s newest facts came from.';
COMMENT ON COLUMN v2.equity_annual.source_updated_at IS 'When the source last changed the record, by the source''s clock.';
COMMENT ON COLUMN v2.equity_annual.created_at IS 'When the row was first written here.';
COMMENT ON COLUMN v2.equity_annual.updated_at IS 'When the row last really changed here.';
COMMENT ON COLUMN v2.equity_annual.deleted_at IS 'When the record was found to be gone at the source; null while it lives.';

CREATE TABLE staging.stage_rezen_network_downline (
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
    CONSTRAINT stage_rezen_network_downline_pkey PRIMARY KEY (id),
    CONSTRAINT stage_rezen_network_downline_key UNIQUE (account_ref, source_id),
    CONSTRAINT stage_rezen_network_downline_status_check CHECK (status in ('pending', 'processed', 'duplicate', 'rejected', 'deferred', 'filtered')),
    CONSTRAINT stage_rezen_network_downline_processed_check CHECK (status <> 'processed' or (v2_id is not null and processed_at is not null)),
    CONSTRAINT stage_rezen_network_downline_refused_check CHECK (status not in ('rejected', 'filtered') or status_reason is not null),
    CONSTRAINT stage_rezen_network_downline_deferred_check CHECK (status <> 'deferred' or (waits_for is not null and status_reason is not null)),
    CONSTRAINT stage_rezen_network_downline_duplicate_check CHECK (status <> 'duplicate' or (duplicate_of is not null and duplicate_of <> id)),
    CONSTRAINT stage_rezen_network_downline_counts_check CHECK (attempts >= 0 and missed_sweeps >= 0),
    CONSTRAINT stage_rezen_network_downline_payload_check CHECK (jsonb_typeof(payload) = 'object'),
    CONSTRAINT stage_rezen_network_downline_duplicate_of_fkey FOREIGN KEY(duplicate_of) REFERENCES staging.stage_rezen_network_downline (id) DEFERRABLE INITIALLY DEFERRED
);

CREATE INDEX stage_rezen_network_downline_duplicate_idx ON staging.stage_rezen_network_downline (duplicate_of) WHERE duplicate_of is not null;
CREATE INDEX stage_rezen_network_downline_pending_idx ON staging.stage_rezen_network_downline (user_id, id) WHERE status = 'pending';
CREATE INDEX stage_rezen_network_downline_user_status_idx ON staging.stage_rezen_network_downline (user_id, status);
CREATE INDEX stage_rezen_network_downline_v2_idx ON staging.stage_rezen_network_downline (v2_id) WHERE status = 'processed';
CREATE INDEX stage_rezen_network_downline_waiting_idx ON staging.stage_rezen_network_downline (waits_for) WHERE status = 'deferred';

COMMENT ON TABLE staging.stage_rezen_network_downline IS 'Newest version of each record: one agent in one tier of a down-line, as read from yenta GET agents/{id}/down-line/{tier}.';
COMMENT ON COLUMN staging.stage_rezen_network_downline.id IS 'Order of arrival.';
COMMENT ON COLUMN staging.stage_rezen_network_downline.user_id IS 'The user whose sync brought the record; the partition.';
COMMENT ON COLUMN staging.stage_rezen_network_downline.account_ref IS 'The account it was read through, as platform/account/user.';
COMMENT ON COLUMN staging.stage_rezen_network_downline.source_id IS 'The record''s id at the source.';
COMMENT ON COLUMN staging.stage_rezen_network_downline.payload IS 'The record as it came, minus secret fields.';
COMMENT ON COLUMN staging.stage_rezen_network_downline.payload_hash IS 'Hash of the payload, to see a change cheaply.';
COMMENT ON COLUMN staging.stage_rezen_network_downline.source_updated_at IS 'When the source last changed the record; a newer version wins.';
COMMENT ON COLUMN staging.stage_rezen_network_downline.fetched_at IS 'When this version of the payload was first read.';
COMMENT ON COLUMN staging.stage_rezen_network_downline.run_id IS 'The run that stored this version.';
COMMENT ON COLUMN staging.stage_rezen_network_downline.status IS 'Where the record stands on its way into V2.';
COMMENT ON COLUMN staging.stage_rezen_network_downline.status_reason IS 'Reason code of the status, for machines.';
COMMENT ON COLUMN staging.stage_rezen_network_downline.status_detail IS 'What failed: field, code set, class of the value, or the parent that is missing.';
COMMENT ON COLUMN staging.stage_rezen_network_downline.attempts IS 'How many merges have looked at this version.';
COMMENT ON COLUMN staging.stage_rezen_network_downline.next_attempt_at IS 'Not to be tried again before this instant.';
COMMENT ON COLUMN staging.stage_rezen_network_downline.processed_at IS 'When the record was last merged.';
COMMENT ON COLUMN staging.stage_rezen_network_downline.v2_id IS 'The row of v2.network_member that this record became.';
COMMENT ON COLUMN staging.stage_rezen_network_downline.duplicate_of IS 'The staged row that carries the same business record.';
COMMENT ON COLUMN staging.stage_rezen_network_downline.waits_for IS 'The parent a deferred record waits for, as table/natural key values.';
COMMENT ON COLUMN staging.stage_rezen_network_downline.missing_since IS 'Since when complete full sweeps have not seen the record.';
COMMENT ON COLUMN staging.stage_rezen_network_downline.merge_rank IS 'How the merge ranked this copy among copies with one stamp.';
COMMENT ON COLUMN staging.stage_rezen_network_downline.missed_sweeps IS 'How many complete full sweeps in a row missed it.';

CREATE TABLE staging.stage_rezen_network_frontline (
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
    CONSTRAINT stage_rezen_network_frontline_pkey PRIMARY KEY (id),
    CONSTRAINT stage_rezen_network_frontline_key UNIQUE (account_ref, source_id),
    CONSTRAINT stage_rezen_network_frontline_status_check CHECK (status in ('pending', 'processed', 'duplicate', 'rejected', 'deferred', 'filtered')),
    CONSTRAINT stage_rezen_network_frontline_processed_check CHECK (status <> 'processed' or (v2_id is not null and processed_at is not null)),
    CONSTRAINT stage_rezen_network_frontline_refused_check CHECK (status not in ('rejected', 'filtered') or status_reason is not null),
    CONSTRAINT stage_rezen_network_frontline_deferred_check CHECK (status <> 'deferred' or (waits_for is not null and status_reason is not null)),
    CONSTRAINT stage_rezen_network_frontline_duplicate_check CHECK (status <> 'duplicate' or (duplicate_of is not null and duplicate_of <> id)),
    CONSTRAINT stage_rezen_network_frontline_counts_check CHECK (attempts >= 0 and missed_sweeps >= 0),
    CONSTRAINT stage_rezen_network_frontline_payload_check CHECK (jsonb_typeof(payload) = 'object'),
    CONSTRAINT stage_rezen_network_frontline_duplicate_of_fkey FOREIGN KEY(duplicate_of) REFERENCES staging.stage_rezen_network_frontline (id) DEFERRABLE INITIALLY DEFERRED
);

CREATE INDEX stage_rezen_network_frontline_duplicate_idx ON staging.stage_rezen_network_frontline (duplicate_of) WHERE duplicate_of is not null;
CREATE INDEX stage_rezen_network_frontline_pending_idx ON staging.stage_rezen_network_frontline (user_id, id) WHERE status = 'pending';
CREATE INDEX stage_rezen_network_frontline_user_status_idx ON staging.stage_rezen_network_frontline (user_id, status);
CREATE INDEX stage_rezen_network_frontline_v2_idx ON staging.stage_rezen_network_frontline (v2_id) WHERE status = 'processed';
CREATE INDEX stage_rezen_network_frontline_waiting_idx ON staging.stage_rezen_network_frontline (waits_for) WHERE status = 'deferred';

COMMENT ON TABLE staging.stage_rezen_network_frontline IS 'Newest version of each record: one agent right below another, as read from yenta GET agents/{id}/front-line-agents-info.';
COMMENT ON COLUMN staging.stage_rezen_network_frontline.id IS 'Order of arrival.';
COMMENT ON COLUMN staging.stage_rezen_network_frontline.user_id IS 'The user whose sync brought the record; the partition.';
COMMENT ON COLUMN staging.stage_rezen_network_frontline.account_ref IS 'The account it was read through, as platform/account/user.';
COMMENT ON COLUMN staging.stage_rezen_network_frontline.source_id IS 'The record''s id at the source.';
COMMENT ON COLUMN staging.stage_rezen_network_frontline.payload IS 'The record as it came, minus secret fields.';
COMMENT ON COLUMN staging.stage_rezen_network_frontline.payload_hash IS 'Hash of the payload, to see a change cheaply.';
COMMENT ON COLUMN staging.stage_rezen_network_frontline.source_updated_at IS 'When the source last changed the record; a newer version wins.';
COMMENT ON COLUMN staging.stage_rezen_network_frontline.fetched_at IS 'When this version of the payload was first read.';
COMMENT ON COLUMN staging.stage_rezen_network_frontline.run_id IS 'The run that stored this version.';
COMMENT ON COLUMN staging.stage_rezen_network_frontline.status IS 'Where the record stands on its way into V2.';
COMMENT ON COLUMN staging.stage_rezen_network_frontline.status_reason IS 'Reason code of the status, for machines.';
COMMENT ON COLUMN staging.stage_rezen_network_frontline.status_detail IS 'What failed: field, code set, class of the value, or the parent that is missing.';
COMMENT ON COLUMN staging.stage_rezen_network_frontline.attempts IS 'How many merges have looked at this version.';
COMMENT ON COLUMN staging.stage_rezen_network_frontline.next_attempt_at IS 'Not to be tried again before this instant.';
COMMENT ON COLUMN staging.stage_rezen_network_frontline.processed_at IS 'When the record was last merged.';
COMMENT ON COLUMN staging.stage_rezen_network_frontline.v2_id IS 'The row of v2.network_member that this record became.';
COMMENT ON COLUMN staging.stage_rezen_network_frontline.duplicate_of IS 'The staged row that carries the same business record.';
COMMENT ON COLUMN staging.stage_rezen_network_frontline.waits_for IS 'The parent a deferred record waits for, as table/natural key values.';
COMMENT ON COLUMN staging.stage_rezen_network_frontline.missing_since IS 'Since when complete full sweeps have not seen the record.';
COMMENT ON COLUMN staging.stage_rezen_network_frontline.merge_rank IS 'How the merge ranked this copy among copies with one stamp.';
COMMENT ON COLUMN staging.stage_rezen_network_frontline.missed_sweeps IS 'How many complete full sweeps in a row missed it.';

CREATE TABLE staging.stage_rezen_contributions (
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
    CONSTRAINT stage_rezen_contributions_pkey PRIMARY KEY (id),
    CONSTRAINT stage_rezen_contributions_key UNIQUE (account_ref, source_id),
    CONSTRAINT stage_rezen_contributions_status_check CHECK (status in ('pending', 'processed', 'duplicate', 'rejected', 'deferred', 'filtered')),
    CONSTRAINT stage_rezen_contributions_processed_check CHECK (status <> 'processed' or (v2_id is not null and processed_at is not null)),
    CONSTRAINT stage_rezen_contributions_refused_check CHECK (status not in ('rejected', 'filtered') or status_reason is not null),
    CONSTRAINT stage_rezen_contributions_deferred_check CHECK (status <> 'deferred' or (waits_for is not null and status_reason is not null)),
    CONSTRAINT stage_rezen_contributions_duplicate_check CHECK (status <> 'duplicate' or (duplicate_of is not null and duplicate_of <> id)),
    CONSTRAINT stage_rezen_contributions_counts_check CHECK (attempts >= 0 and missed_sweeps >= 0),
    CONSTRAINT stage_rezen_contributions_payload_check CHECK (jsonb_typeof(payload) = 'object'),
    CONSTRAINT stage_rezen_contributions_duplicate_of_fkey FOREIGN KEY(duplicate_of) REFERENCES staging.stage_rezen_contributions (id) DEFERRABLE INITIALLY DEFERRED
);

CREATE INDEX stage_rezen_contributions_duplicate_idx ON staging.stage_rezen_contributions (duplicate_of) WHERE duplicate_of is not null;
CREATE INDEX stage_rezen_contributions_pending_idx ON staging.stage_rezen_contributions (user_id, id) WHERE status = 'pending';
CREATE INDEX stage_rezen_contributions_user_status_idx ON staging.stage_rezen_contributions (user_id, status);
CREATE INDEX stage_rezen_contributions_v2_idx ON staging.stage_rezen_contributions (v2_id) WHERE status = 'processed';
CREATE INDEX stage_rezen_contributions_waiting_idx ON staging.stage_rezen_contributions (waits_for) WHERE status = 'deferred';

COMMENT ON TABLE staging.stage_rezen_contributions IS 'Newest version of each record: one rev-share contribution, as read from arrakis GET revshares/{agent}/contributions/{tier}.';
COMMENT ON COLUMN staging.stage_rezen_contributions.id IS 'Order of arrival.';
COMMENT ON COLUMN staging.stage_rezen_contributions.user_id IS 'The user whose sync brought the record; the partition.';
COMMENT ON COLUMN staging.stage_rezen_contributions.account_ref IS 'The account it was read through, as platform/account/user.';
COMMENT ON COLUMN staging.stage_rezen_contributions.source_id IS 'The record''s id at the source.';
COMMENT ON COLUMN staging.stage_rezen_contributions.payload IS 'The record as it came, minus secret fields.';
COMMENT ON COLUMN staging.stage_rezen_contributions.payload_hash IS 'Hash of the payload, to see a change cheaply.';
COMMENT ON COLUMN staging.stage_rezen_contributions.source_updated_at IS 'When the source last changed the record; a newer version wins.';
COMMENT ON COLUMN staging.stage_rezen_contributions.fetched_at IS 'When this version of the payload was first read.';
COMMENT ON COLUMN staging.stage_rezen_contributions.run_id IS 'The run that stored this version.';
COMMENT ON COLUMN staging.stage_rezen_contributions.status IS 'Where the record stands on its way into V2.';
COMMENT ON COLUMN staging.stage_rezen_contributions.status_reason IS 'Reason code of the status, for machines.';
COMMENT ON COLUMN staging.stage_rezen_contributions.status_detail IS 'What failed: field, code set, class of the value, or the parent that is missing.';
COMMENT ON COLUMN staging.stage_rezen_contributions.attempts IS 'How many merges have looked at this version.';
COMMENT ON COLUMN staging.stage_rezen_contributions.next_attempt_at IS 'Not to be tried again before this instant.';
COMMENT ON COLUMN staging.stage_rezen_contributions.processed_at IS 'When the record was last merged.';
COMMENT ON COLUMN staging.stage_rezen_contributions.v2_id IS 'The row of v2.contribution that this record became.';
COMMENT ON COLUMN staging.stage_rezen_contributions.duplicate_of IS 'The staged row that carries the same business record.';
COMMENT ON COLUMN staging.stage_rezen_contributions.waits_for IS 'The parent a deferred record waits for, as table/natural key values.';
COMMENT ON COLUMN staging.stage_rezen_contributions.missing_since IS 'Since when complete full sweeps have not seen the record.';
COMMENT ON COLUMN staging.stage_rezen_contributions.merge_rank IS 'How the merge ranked this copy among copies with one stamp.';
COMMENT ON COLUMN staging.stage_rezen_contributions.missed_sweeps IS 'How many complete full sweeps in a row missed it.';

CREATE TABLE staging.stage_rezen_pending_contributions (
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
    CONSTRAINT stage_rezen_pending_contributions_pkey PRIMARY KEY (id),
    CONSTRAINT stage_rezen_pending_contributions_key UNIQUE (account_ref, source_id),
    CONSTRAINT stage_rezen_pending_contributions_status_check CHECK (status in ('pending', 'processed', 'duplicate', 'rejected', 'deferred', 'filtered')),
    CONSTRAINT stage_rezen_pending_contributions_processed_check CHECK (status <> 'processed' or (v2_id is not null and processed_at is not null)),
    CONSTRAINT stage_rezen_pending_contributions_refused_check CHECK (status not in ('rejected', 'filtered') or status_reason is not null),
    CONSTRAINT stage_rezen_pending_contributions_deferred_check CHECK (status <> 'deferred' or (waits_for is not null and status_reason is not null)),
    CONSTRAINT stage_rezen_pending_contributions_duplicate_check CHECK (status <> 'duplicate' or (duplicate_of is not null and duplicate_of <> id)),
    CONSTRAINT stage_rezen_pending_contributions_counts_check CHECK (attempts >= 0 and missed_sweeps >= 0),
    CONSTRAINT stage_rezen_pending_contributions_payload_check CHECK (jsonb_typeof(payload) = 'object'),
    CONSTRAINT stage_rezen_pending_contributions_duplicate_of_fkey FOREIGN KEY(duplicate_of) REFERENCES staging.stage_rezen_pending_contributions (id) DEFERRABLE INITIALLY DEFERRED
);

CREATE INDEX stage_rezen_pending_contributions_duplicate_idx ON staging.stage_rezen_pending_contributions (duplicate_of) WHERE duplicate_of is not null;
CREATE INDEX stage_rezen_pending_contributions_pending_idx ON staging.stage_rezen_pending_contributions (user_id, id) WHERE status = 'pending';
CREATE INDEX stage_rezen_pending_contributions_user_status_idx ON staging.stage_rezen_pending_contributions (user_id, status);
CREATE INDEX stage_rezen_pending_contributions_v2_idx ON staging.stage_rezen_pending_contributions (v2_id) WHERE status = 'processed';
CREATE INDEX stage_rezen_pending_contributions_waiting_idx ON staging.stage_rezen_pending_contributions (waits_for) WHERE status = 'deferred';

COMMENT ON TABLE staging.stage_rezen_pending_contributions IS 'Newest version of each record: one rev-share contribution that is not settled yet, as read from arrakis GET revshares/{agent}/payments/pending.';
COMMENT ON COLUMN staging.stage_rezen_pending_contributions.id IS 'Order of arrival.';
COMMENT ON COLUMN staging.stage_rezen_pending_contributions.user_id IS 'The user whose sync brought the record; the partition.';
COMMENT ON COLUMN staging.stage_rezen_pending_contributions.account_ref IS 'The account it was read through, as platform/account/user.';
COMMENT ON COLUMN staging.stage_rezen_pending_contributions.source_id IS 'The record''s id at the source.';
COMMENT ON COLUMN staging.stage_rezen_pending_contributions.payload IS 'The record as it came, minus secret fields.';
COMMENT ON COLUMN staging.stage_rezen_pending_contributions.payload_hash IS 'Hash of the payload, to see a change cheaply.';
COMMENT ON COLUMN staging.stage_rezen_pending_contributions.source_updated_at IS 'When the source last changed the record; a newer version wins.';
COMMENT ON COLUMN staging.stage_rezen_pending_contributions.fetched_at IS 'When this version of the payload was first read.';
COMMENT ON COLUMN staging.stage_rezen_pending_contributions.run_id IS 'The run that stored this version.';
COMMENT ON COLUMN staging.stage_rezen_pending_contributions.status IS 'Where the record stands on its way into V2.';
COMMENT ON COLUMN staging.stage_rezen_pending_contributions.status_reason IS 'Reason code of the status, for machines.';
COMMENT ON COLUMN staging.stage_rezen_pending_contributions.status_detail IS 'What failed: field, code set, class of the value, or the parent that is missing.';
COMMENT ON COLUMN staging.stage_rezen_pending_contributions.attempts IS 'How many merges have looked at this version.';
COMMENT ON COLUMN staging.stage_rezen_pending_contributions.next_attempt_at IS 'Not to be tried again before this instant.';
COMMENT ON COLUMN staging.stage_rezen_pending_contributions.processed_at IS 'When the record was last merged.';
COMMENT ON COLUMN staging.stage_rezen_pending_contributions.v2_id IS 'The row of v2.contributions_pending that this record became.';
COMMENT ON COLUMN staging.stage_rezen_pending_contributions.duplicate_of IS 'The staged row that carries the same business record.';
COMMENT ON COLUMN staging.stage_rezen_pending_contributions.waits_for IS 'The parent a deferred record waits for, as table/natural key values.';
COMMENT ON COLUMN staging.stage_rezen_pending_contributions.missing_since IS 'Since when complete full sweeps have not seen the record.';
COMMENT ON COLUMN staging.stage_rezen_pending_contributions.merge_rank IS 'How the merge ranked this copy among copies with one stamp.';
COMMENT ON COLUMN staging.stage_rezen_pending_contributions.missed_sweeps IS 'How many complete full sweeps in a row missed it.';

CREATE TABLE staging.stage_rezen_revshare_payments (
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
    CONSTRAINT stage_rezen_revshare_payments_pkey PRIMARY KEY (id),
    CONSTRAINT stage_rezen_revshare_payments_key UNIQUE (account_ref, source_id),
    CONSTRAINT stage_rezen_revshare_payments_status_check CHECK (status in ('pending', 'processed', 'duplicate', 'rejected', 'deferred', 'filtered')),
    CONSTRAINT stage_rezen_revshare_payments_processed_check CHECK (status <> 'processed' or (v2_id is not null and processed_at is not null)),
    CONSTRAINT stage_rezen_revshare_payments_refused_check CHECK (status not in ('rejected', 'filtered') or status_reason is not null),
    CONSTRAINT stage_rezen_revshare_payments_deferred_check CHECK (status <> 'deferred' or (waits_for is not null and status_reason is not null)),
    CONSTRAINT stage_rezen_revshare_payments_duplicate_check CHECK (status <> 'duplicate' or (duplicate_of is not null and duplicate_of <> id)),
    CONSTRAINT stage_rezen_revshare_payments_counts_check CHECK (attempts >= 0 and missed_sweeps >= 0),
    CONSTRAINT stage_rezen_revshare_payments_payload_check CHECK (jsonb_typeof(payload) = 'object'),
    CONSTRAINT stage_rezen_revshare_payments_duplicate_of_fkey FOREIGN KEY(duplicate_of) REFERENCES staging.stage_rezen_revshare_payments (id) DEFERRABLE INITIALLY DEFERRED
);

CREATE INDEX stage_rezen_revshare_payments_duplicate_idx ON staging.stage_rezen_revshare_payments (duplicate_of) WHERE duplicate_of is not null;
CREATE INDEX stage_rezen_revshare_payments_pending_idx ON staging.stage_rezen_revshare_payments (user_id, id) WHERE status = 'pending';
CREATE INDEX stage_rezen_revshare_payments_user_status_idx ON staging.stage_rezen_revshare_payments (user_id, status);
CREATE INDEX stage_rezen_revshare_payments_v2_idx ON staging.stage_rezen_revshare_payments (v2_id) WHERE status = 'processed';
CREATE INDEX stage_rezen_revshare_payments_waiting_idx ON staging.stage_rezen_revshare_payments (waits_for) WHERE status = 'deferred';

COMMENT ON TABLE staging.stage_rezen_revshare_payments IS 'Newest version of each record: one rev-share payout, as read from arrakis GET revshares/{agent}/payments.';
COMMENT ON COLUMN staging.stage_rezen_revshare_payments.id IS 'Order of arrival.';
COMMENT ON COLUMN staging.stage_rezen_revshare_payments.user_id IS 'The user whose sync brought the record; the partition.';
COMMENT ON COLUMN staging.stage_rezen_revshare_payments.account_ref IS 'The account it was read through, as platform/account/user.';
COMMENT ON COLUMN staging.stage_rezen_revshare_payments.source_id IS 'The record''s id at the source.';
COMMENT ON COLUMN staging.stage_rezen_revshare_payments.payload IS 'The record as it came, minus secret fields.';
COMMENT ON COLUMN staging.stage_rezen_revshare_payments.payload_hash IS 'Hash of the payload, to see a change cheaply.';
COMMENT ON COLUMN staging.stage_rezen_revshare_payments.source_updated_at IS 'When the source last changed the record; a newer version wins.';
COMMENT ON COLUMN staging.stage_rezen_revshare_payments.fetched_at IS 'When this version of the payload was first read.';
COMMENT ON COLUMN staging.stage_rezen_revshare_payments.run_id IS 'The run that stored this version.';
COMMENT ON COLUMN staging.stage_rezen_revshare_payments.status IS 'Where the record stands on its way into V2.';
COMMENT ON COLUMN staging.stage_rezen_revshare_payments.status_reason IS 'Reason code of the status, for machines.';
COMMENT ON COLUMN staging.stage_rezen_revshare_payments.status_detail IS 'What failed: field, code set, class of the value, or the parent that is missing.';
COMMENT ON COLUMN staging.stage_rezen_revshare_payments.attempts IS 'How many merges have looked at this version.';
COMMENT ON COLUMN staging.stage_rezen_revshare_payments.next_attempt_at IS 'Not to be tried again before this instant.';
COMMENT ON COLUMN staging.stage_rezen_revshare_payments.processed_at IS 'When the record was last merged.';
COMMENT ON COLUMN staging.stage_rezen_revshare_payments.v2_id IS 'The row of v2.revshare_payment that this record became.';
COMMENT ON COLUMN staging.stage_rezen_revshare_payments.duplicate_of IS 'The staged row that carries the same business record.';
COMMENT ON COLUMN staging.stage_rezen_revshare_payments.waits_for IS 'The parent a deferred record waits for, as table/natural key values.';
COMMENT ON COLUMN staging.stage_rezen_revshare_payments.missing_since IS 'Since when complete full sweeps have not seen the record.';
COMMENT ON COLUMN staging.stage_rezen_revshare_payments.merge_rank IS 'How the merge ranked this copy among copies with one stamp.';
COMMENT ON COLUMN staging.stage_rezen_revshare_payments.missed_sweeps IS 'How many complete full sweeps in a row missed it.';

CREATE TABLE staging.stage_rezen_equity (
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
    CONSTRAINT stage_rezen_equity_pkey PRIMARY KEY (id),
    CONSTRAINT stage_rezen_equity_key UNIQUE (account_ref, source_id),
    CONSTRAINT stage_rezen_equity_status_check CHECK (status in ('pending', 'processed', 'duplicate', 'rejected', 'deferred', 'filtered')),
    CONSTRAINT stage_rezen_equity_processed_check CHECK (status <> 'processed' or (v2_id is not null and processed_at is not null)),
    CONSTRAINT stage_rezen_equity_refused_check CHECK (status not in ('rejected', 'filtered') or status_reason is not null),
    CONSTRAINT stage_rezen_equity_deferred_check CHECK (status <> 'deferred' or (waits_for is not null and status_reason is not null)),
    CONSTRAINT stage_rezen_equity_duplicate_check CHECK (status <> 'duplicate' or (duplicate_of is not null and duplicate_of <> id)),
    CONSTRAINT stage_rezen_equity_counts_check CHECK (attempts >= 0 and missed_sweeps >= 0),
    CONSTRAINT stage_rezen_equity_payload_check CHECK (jsonb_typeof(payload) = 'object'),
    CONSTRAINT stage_rezen_equity_duplicate_of_fkey FOREIGN KEY(duplicate_of) REFERENCES staging.stage_rezen_equity (id) DEFERRABLE INITIALLY DEFERRED
);

CREATE INDEX stage_rezen_equity_duplicate_idx ON staging.stage_rezen_equity (duplicate_of) WHERE duplicate_of is not null;
CREATE INDEX stage_rezen_equity_pending_idx ON staging.stage_rezen_equity (user_id, id) WHERE status = 'pending';
CREATE INDEX stage_rezen_equity_user_status_idx ON staging.stage_rezen_equity (user_id, status);
CREATE INDEX stage_rezen_equity_v2_idx ON staging.stage_rezen_equity (v2_id) WHERE status = 'processed';
CREATE INDEX stage_rezen_equity_waiting_idx ON staging.stage_rezen_equity (waits_for) WHERE status = 'deferred';

COMMENT ON TABLE staging.stage_rezen_equity IS 'Newest version of each record: one entry of an equity ledger, as read from plutus, by the equity adapter.';
COMMENT ON COLUMN staging.stage_rezen_equity.id IS 'Order of arrival.';
COMMENT ON COLUMN staging.stage_rezen_equity.user_id IS 'The user whose sync brought the record; the partition.';
COMMENT ON COLUMN staging.stage_rezen_equity.account_ref IS 'The account it was read through, as platform/account/user.';
COMMENT ON COLUMN staging.stage_rezen_equity.source_id IS 'The record''s id at the source.';
COMMENT ON COLUMN staging.stage_rezen_equity.payload IS 'The record as it came, minus secret fields.';
COMMENT ON COLUMN staging.stage_rezen_equity.payload_hash IS 'Hash of the payload, to see a change cheaply.';
COMMENT ON COLUMN staging.stage_rezen_equity.source_updated_at IS 'When the source last changed the record; a newer version wins.';
COMMENT ON COLUMN staging.stage_rezen_equity.fetched_at IS 'When this version of the payload was first read.';
COMMENT ON COLUMN staging.stage_rezen_equity.run_id IS 'The run that stored this version.';
COMMENT ON COLUMN staging.stage_rezen_equity.status IS 'Where the record stands on its way into V2.';
COMMENT ON COLUMN staging.stage_rezen_equity.status_reason IS 'Reason code of the status, for machines.';
COMMENT ON COLUMN staging.stage_rezen_equity.status_detail IS 'What failed: field, code set, class of the value, or the parent that is missing.';
COMMENT ON COLUMN staging.stage_rezen_equity.attempts IS 'How many merges have looked at this version.';
COMMENT ON COLUMN staging.stage_rezen_equity.next_attempt_at IS 'Not to be tried again before this instant.';
COMMENT ON COLUMN staging.stage_rezen_equity.processed_at IS 'When the record was last merged.';
COMMENT ON COLUMN staging.stage_rezen_equity.v2_id IS 'The row of v2.equity_transactions that this record became.';
COMMENT ON COLUMN staging.stage_rezen_equity.duplicate_of IS 'The staged row that carries the same business record.';
COMMENT ON COLUMN staging.stage_rezen_equity.waits_for IS 'The parent a deferred record waits for, as table/natural key values.';
COMMENT ON COLUMN staging.stage_rezen_equity.missing_since IS 'Since when complete full sweeps have not seen the record.';
COMMENT ON COLUMN staging.stage_rezen_equity.merge_rank IS 'How the merge ranked this copy among copies with one stamp.';
COMMENT ON COLUMN staging.stage_rezen_equity.missed_sweeps IS 'How many complete full sweeps in a row missed it.';

