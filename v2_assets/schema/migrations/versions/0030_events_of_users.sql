-- Revision 0030: the user of an event.

ALTER TABLE v2.fub_events ADD COLUMN user_id BIGINT;
COMMENT ON COLUMN v2.fub_events.user_id IS 'The product''s user who has the contact; changes with it.';
ALTER TABLE v2.fub_events DISABLE TRIGGER USER;
UPDATE v2.fub_events e SET user_id = p.user_id FROM v2.fub_people p WHERE p.id = e.fub_people_id AND p.user_id IS NOT NULL;
ALTER TABLE v2.fub_events ENABLE TRIGGER USER;
ALTER TABLE v2.fub_events ADD CONSTRAINT fub_events_user_id_fkey
    FOREIGN KEY (user_id) REFERENCES v2."user" (id) DEFERRABLE INITIALLY DEFERRED;

DROP INDEX v2.fub_events_day_idx;
CREATE INDEX fub_events_user_id_idx ON v2.fub_events (user_id, id) INCLUDE (deleted_at);
CREATE INDEX fub_events_day_idx ON v2.fub_events (user_id, occurred, id) INCLUDE (deleted_at);

-- An event's user is its contact's, whoever writes the one or the other.
CREATE FUNCTION ops.event_of_contact() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    NEW.user_id := (SELECT p.user_id FROM v2.fub_people p WHERE p.id = NEW.fub_people_id);
    RETURN NEW;
END $$;
COMMENT ON FUNCTION ops.event_of_contact IS 'Gives an event the user of its contact.';
CREATE TRIGGER of_contact BEFORE INSERT OR UPDATE OF fub_people_id, user_id ON v2.fub_events
    FOR EACH ROW EXECUTE FUNCTION ops.event_of_contact();

-- Waits for a merge of events that is under way (its lock: merge/session.py), which may have read the user before; a merge
-- that begins later sees the new one.
CREATE FUNCTION ops.events_follow_contact() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF EXISTS (SELECT FROM old_rows o JOIN new_rows n ON n.id = o.id WHERE n.user_id IS DISTINCT FROM o.user_id) THEN
        PERFORM pg_advisory_xact_lock(hashtextextended('merge:fub_events', 0));
        UPDATE v2.fub_events e SET user_id = n.user_id, updated_at = now()
        FROM old_rows o JOIN new_rows n ON n.id = o.id
        WHERE e.fub_people_id = n.id AND n.user_id IS DISTINCT FROM o.user_id;
    END IF;
    RETURN NULL;
END $$;
COMMENT ON FUNCTION ops.events_follow_contact IS 'Gives the events of contacts that changed hands their new user.';
CREATE TRIGGER events_follow AFTER UPDATE ON v2.fub_people
    REFERENCING OLD TABLE AS old_rows NEW TABLE AS new_rows
    FOR EACH STATEMENT EXECUTE FUNCTION ops.events_follow_contact();
