-- Revision 0004: indexes for the product's users of CRM rows, and what those columns say.

DROP INDEX v2.fub_people_assigned_to_fub_id_idx;
CREATE INDEX fub_people_assigned_idx ON v2.fub_people (assigned_to_fub_id, missing_user, user_id);
CREATE INDEX fub_people_unassigned_idx ON v2.fub_people (fub_account_id, user_id) WHERE assigned_to_fub_id IS NULL;
CREATE INDEX fub_people_credentials_idx ON v2.fub_people (fub_account_id, credentials_id);
CREATE INDEX fub_people_no_texts_idx ON v2.fub_people (fub_account_id) WHERE NOT sms_fetched;

DROP INDEX v2.fub_calls_fub_user_id_idx;
CREATE INDEX fub_calls_fub_user_idx ON v2.fub_calls (fub_user_id, user_id);
CREATE INDEX fub_calls_no_fub_user_idx ON v2.fub_calls (fub_account_id, user_id) WHERE fub_user_id IS NULL;

DROP INDEX v2.fub_appointments_fub_user_id_idx;
CREATE INDEX fub_appointments_fub_user_idx ON v2.fub_appointments (fub_user_id, user_id);
CREATE INDEX fub_appointments_no_fub_user_idx ON v2.fub_appointments (fub_account_id, user_id)
    WHERE fub_user_id IS NULL;

DROP INDEX v2.fub_text_messages_fub_user_id_idx;
CREATE INDEX fub_text_messages_fub_user_idx ON v2.fub_text_messages (fub_user_id, user_id);
CREATE INDEX fub_text_messages_no_fub_user_idx ON v2.fub_text_messages (fub_account_id, user_id)
    WHERE fub_user_id IS NULL;

COMMENT ON COLUMN v2.fub_accounts.fub_owner_id
    IS 'FUB''s number of the account''s owner; null while only others are connected.';
COMMENT ON COLUMN v2.fub_people.missing_user IS 'Whether the assigned FUB user is nobody of the product.';
COMMENT ON COLUMN v2.fub_people.user_id IS 'The product''s user who has the contact, else the account''s.';
COMMENT ON COLUMN v2.fub_people.credentials_id IS 'The account''s connection.';
COMMENT ON COLUMN v2.fub_calls.user_id IS 'The product''s user behind the FUB user, else the account''s.';
COMMENT ON COLUMN v2.fub_calls.outcome IS 'How it went, as FUB words it; accounts may have their own words.';
COMMENT ON COLUMN v2.fub_events.type
    IS 'What the contact did, as FUB words it; other systems may send words of their own.';
COMMENT ON COLUMN v2.fub_appointments.user_id IS 'The product''s user behind the FUB user, else the account''s.';
COMMENT ON COLUMN v2.fub_text_messages.user_id IS 'The product''s user behind the FUB user, else the account''s.';
