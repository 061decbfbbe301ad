-- Revision 0027: the backups that were made, so that somebody is told when none was.

CREATE TABLE ops.backup (
    id BIGINT GENERATED ALWAYS AS IDENTITY,
    made_at TIMESTAMP WITH TIME ZONE DEFAULT now() NOT NULL,
    folder TEXT NOT NULL,
    bytes BIGINT NOT NULL,
    CONSTRAINT backup_pkey PRIMARY KEY (id)
);

COMMENT ON TABLE ops.backup IS 'One backup that was written whole, wherever it is now.';
COMMENT ON COLUMN ops.backup.id IS 'Order of the backups.';
COMMENT ON COLUMN ops.backup.made_at IS 'When it was whole.';
COMMENT ON COLUMN ops.backup.folder IS 'Name of its folder.';
COMMENT ON COLUMN ops.backup.bytes IS 'Size of its files.';
