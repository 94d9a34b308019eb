-- A run that reads from a standby writes here after each export and waits until the standby has it: only a standby that still follows this
-- very primary ever gets it, so the exported rows are the primary's.

ALTER TABLE archiver.runs ADD COLUMN export_mark bigint NOT NULL DEFAULT 0;
