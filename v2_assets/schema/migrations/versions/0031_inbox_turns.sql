-- Revision 0031: waiting events are found by connection, so that nobody's stands behind another's thousands.

DROP INDEX ops.webhook_inbox_new_idx;
CREATE INDEX webhook_inbox_new_idx ON ops.webhook_inbox (credentials_id, id) WHERE state = 'new';
